"""Methods that models and optimizers had in Keras 1 and 2: fit_generator, predict_classes, lr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from itertools import chain
from typing import Any

import numpy as np

from layerkit.backend import tree

from ..data import PyDataset
from ..metrics import Metric
from ..models import Model
from ..optimizers import Optimizer
from .deprecated import warn_once

_RENAMED = {
    "nb_epoch": "epochs",
    "max_q_size": "max_queue_size",
    "nb_worker": "workers",
    "pickle_safe": "use_multiprocessing",
}
_OF_WORKERS = {"max_queue_size": 10, "workers": 1, "use_multiprocessing": False}


def fit_generator(
    self: Any,
    generator: Any,
    steps_per_epoch: int | None = None,
    epochs: int = 1,
    verbose: Any = 1,
    callbacks: Any = None,
    validation_data: Any = None,
    validation_steps: int | None = None,
    validation_freq: Any = 1,
    class_weight: Any = None,
    shuffle: bool = True,
    initial_epoch: int = 0,
    **kwargs: Any,
) -> Any:
    """`fit` of a generator; of Keras 1 it takes `samples_per_epoch` and `nb_val_samples` too."""
    generator = _of_known_size(generator, "samples_per_epoch", kwargs)
    validation_data = _of_known_size(validation_data, "nb_val_samples", kwargs)
    steps_per_epoch = _steps(generator, "samples_per_epoch", steps_per_epoch, kwargs)
    validation_steps = _steps(validation_data, "nb_val_samples", validation_steps, kwargs)
    generator = _long_enough(generator, steps_per_epoch)
    validation_data = _long_enough(validation_data, validation_steps)
    _raise_on_others("fit_generator", kwargs)
    return self.fit(
        generator,
        epochs=epochs,
        verbose=verbose,
        callbacks=callbacks,
        validation_data=validation_data,
        validation_steps=validation_steps,
        validation_freq=validation_freq,
        class_weight=class_weight,
        shuffle=shuffle,
        initial_epoch=initial_epoch,
        steps_per_epoch=steps_per_epoch,
    )


def evaluate_generator(
    self: Any,
    generator: Any,
    steps: int | None = None,
    callbacks: Any = None,
    verbose: Any = 0,
    **kwargs: Any,
) -> Any:
    """`evaluate` of a generator; of Keras 1 it takes `val_samples` too."""
    generator = _of_known_size(generator, "val_samples", kwargs)
    steps = _steps(generator, "val_samples", steps, kwargs)
    generator = _long_enough(generator, steps)
    _raise_on_others("evaluate_generator", kwargs)
    return self.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose)


def predict_generator(
    self: Any,
    generator: Any,
    steps: int | None = None,
    callbacks: Any = None,
    verbose: Any = 0,
    **kwargs: Any,
) -> Any:
    """`predict` of a generator; of Keras 1 it takes `val_samples` too."""
    generator = _of_known_size(generator, "val_samples", kwargs)
    steps = _steps(generator, "val_samples", steps, kwargs)
    generator = _long_enough(generator, steps)
    _raise_on_others("predict_generator", kwargs)
    return self.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose)


def predict_proba(self: Any, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Any:
    """`predict` by its name in scikit-learn."""
    return self.predict(x, batch_size=batch_size, verbose=verbose)


def predict_classes(self: Any, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Any:
    """The most probable class of each row: (batch,) of int64, or (batch, 1) of 0 and 1."""
    y = self.predict(x, batch_size=batch_size, verbose=verbose)
    return y.argmax(axis=-1) if y.shape[-1] > 1 else (y > 0.5).astype("int32")


def reset_states_of_layers(self: Any) -> None:
    """Let all stateful layers start from zeros again."""
    warn_once("Model.reset_states", "call reset_states of each layer that is stateful")
    for layer in self._flatten_layers():
        if getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
            layer.reset_state()


def reset_states(self: Any) -> None:
    """`reset_state` by its earlier name."""
    self.reset_state()


class _Sized:
    """The batches of an iterator, and how many samples the first of them has."""

    def __init__(self, batches: Iterator[Any]):
        first = next(batches)
        x = first[0] if isinstance(first, (tuple, list)) else first
        self.batch_size = len(tree.flatten(x)[0])
        self._batches = chain([first], batches)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        batch = next(self._batches)
        return tuple(batch) if isinstance(batch, list) else batch


def _of_known_size(data: Any, old: str, kwargs: dict[str, Any]) -> Any:
    """The data; a generator with the size of its batches where a number of samples is asked for."""
    unknown = hasattr(data, "__next__") and not hasattr(data, "batch_size")
    return _Sized(data) if unknown and old in kwargs else data


def _steps(data: Any, old: str, steps: int | None, kwargs: dict[str, Any]) -> int | None:
    """Steps from a number of samples, as Keras 1 counted; the data has to know its batch size."""
    samples = kwargs.pop(old, None)
    if samples is None or isinstance(data, (tuple, list)):  # arrays are taken whole
        return steps if steps is None else int(np.ceil(steps))
    size = getattr(data, "batch_size", None)
    if size is None:
        raise ValueError(
            f"`{old}`={samples} counts samples, and the generator does not tell how many a batch "
            "has: give the number of batches, `steps_per_epoch` (`steps`, `validation_steps`)."
        )
    return int(np.ceil(samples / size))


def _long_enough(data: Any, steps: int | None) -> Any:
    """The data; from its start again and again where it has fewer batches than a pass asks for."""
    if steps is None or not isinstance(data, PyDataset) or steps <= (data.num_batches or steps):
        return data
    return _again_and_again(data)


def _again_and_again(data: PyDataset) -> Iterator[Any]:
    while True:
        yield from (data[index] for index in range(data.num_batches or 0))
        data.on_epoch_end()


def _raise_on_others(method: str, kwargs: dict[str, Any]) -> None:
    """What asks for workers is about speed only; anything else is told."""
    for key in list(kwargs):
        if _RENAMED.get(key, key) in _OF_WORKERS:
            warn_once(f"`{key}` of {method}", "give it to a PyDataset; a generator runs as it is")
            del kwargs[key]
    if kwargs:
        raise TypeError(f"{method}() got unexpected arguments: {sorted(kwargs)}")


def _told(method: Callable, remedy: str, kind: str = "Model") -> Callable:
    @wraps(method)
    def told(self: Any, *args: Any, **kwargs: Any) -> Any:
        warn_once(f"{kind}.{method.__name__}", remedy)
        for old in _RENAMED.keys() & kwargs.keys():
            kwargs[_RENAMED[old]] = kwargs.pop(old)
        return method(self, *args, **kwargs)

    return told


def give_old_methods() -> None:
    """Give models and optimizers the methods that they had."""
    for method, new in (
        (fit_generator, "fit"),
        (evaluate_generator, "evaluate"),
        (predict_generator, "predict"),
    ):
        setattr(Model, method.__name__, _told(method, f"call {new} on the generator"))
    Model.predict_proba = _told(predict_proba, "call predict")  # type: ignore[attr-defined]
    Model.predict_classes = _told(  # type: ignore[attr-defined]
        predict_classes, "call predict, and take np.argmax(y, axis=-1) or y > 0.5"
    )
    Model.metrics_names = property(_names_of_values)  # type: ignore[method-assign, assignment]
    Model.reset_states = reset_states_of_layers  # type: ignore[attr-defined]
    Metric.reset_states = _told(  # type: ignore[attr-defined]
        reset_states, "call reset_state", "Metric"
    )
    Optimizer.lr = property(  # type: ignore[attr-defined]
        _learning_rate, lambda self, value: setattr(self, "learning_rate", value)
    )


def _names_of_values(self: Any) -> list[str]:
    """The names of what `evaluate` returns, 'loss' and 'accuracy' for instance."""
    return self._in_order(self.get_metrics_result())


def _learning_rate(self: Any) -> Any:
    warn_once("optimizer.lr", "it is `learning_rate` now")
    return self.learning_rate
