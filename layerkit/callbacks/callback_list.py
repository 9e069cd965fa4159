"""CallbackList: tells callbacks, in order, what happens.

Metrics reach callbacks as floats. Reading them may wait for the device, so they are read at the end
of a batch only if some callback looks at batches.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

from .callback import Callback, as_floats
from .loggers import History, ProgbarLogger


class CallbackList(Callback):
    """Tells a list of callbacks, in order, what happens.

    `callbacks`: a list of callbacks, one callback, or None. `add_history`, `add_progbar`: put a
    History and a ProgbarLogger behind them, where they have none. `params`: see `Callback`.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks = _flatten(callbacks)
        _check_callbacks(self.callbacks)
        self._listeners: dict[str, list[tuple[Callable, bool]]] = {}
        if add_history and self._first(History) is None:
            self.callbacks.append(History())
        if add_progbar and self._first(ProgbarLogger) is None:
            self.callbacks.append(ProgbarLogger())
        self.callbacks.sort(key=lambda callback: getattr(callback, "told_last", False))
        self.progbar = self._first(ProgbarLogger)
        self.set_params(params)
        if model is not None:
            self.set_model(model)

    @classmethod
    def of(
        cls,
        callbacks: Any,
        model: Any,
        verbose: Any,
        epochs: int,
        steps: int | None,
        samples: int | None = None,
    ) -> CallbackList:
        """The list for a run of fit, evaluate or predict; a CallbackList is taken as it is.

        ValueError unless `verbose` is 'auto', 0, 1 or 2.
        """
        verbosity = 1 if verbose == "auto" else verbose
        if verbosity not in (0, 1, 2):
            raise ValueError(
                "`verbose` must be 'auto', 0 (silent), 1 (a progress bar) or 2 (a line an epoch). "
                f"Received: verbose={verbose!r}"
            )
        if isinstance(callbacks, CallbackList):
            if callbacks.model is None:
                callbacks.set_model(model)
            return callbacks
        found = cls(
            callbacks,
            add_history=True,
            add_progbar=bool(verbosity),
            model=model,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
        )
        if found.progbar is not None:
            found.progbar.samples = samples
        return found

    def learn_steps(self, steps: int | None) -> None:
        """How many steps an epoch has, where nobody knew before the first one."""
        if self.params.get("steps", steps) is None:
            self.params["steps"] = steps

    def get_state(self) -> dict[str, Any]:
        """What the callbacks keep, by their classes, for a file."""
        states = {key: _state(callback) for key, callback in self._by_class().items()}
        return {key: state for key, state in states.items() if state is not None}

    def go_on(self, states: dict[str, Any], epoch: int | None) -> None:
        """Give the callbacks what `get_state` gave; `epoch`: the one that fit goes on inside.

        Several callbacks of a class are told apart by their order. Warns of what is missing now.
        """
        callbacks = self._by_class()
        for key, state in states.items():
            if key in callbacks:
                callbacks[key].set_state(state)
        missing = [key for key in states if key not in callbacks]
        if missing:
            warnings.warn(
                "The saved state of a training has states of callbacks that this fit was not "
                f"given: {', '.join(missing)}. They are left out: give the same callbacks to go "
                "on as if nothing had happened.",
                stacklevel=5,
            )
        if epoch is not None and self.progbar is not None:
            self.progbar.on_epoch_begin(epoch)

    def _by_class(self) -> dict[str, Any]:
        """The callbacks by the names of their classes, with numbers from the second one on."""
        found: dict[str, Any] = {}
        count: Counter[str] = Counter()
        for callback in self.callbacks:
            name = type(callback).__name__
            count[name] += 1
            found[name if count[name] == 1 else f"{name} {count[name]}"] = callback
        return found

    def __enter__(self) -> CallbackList:
        return self

    def __exit__(self, *exception: Any) -> None:
        """A run that ends with an exception leaves no bar open, and nothing locked."""
        if self.progbar is not None:
            self.progbar.abandon()
        for callback in self.callbacks:
            if isinstance(callback, Callback):
                callback._release()

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks if params else ():
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def on_train_begin(self, logs: Any = None) -> None:
        self._tell("on_train_begin", logs=logs)

    def on_train_end(self, logs: Any = None) -> None:
        self._tell("on_train_end", logs=logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._tell("on_epoch_begin", epoch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.progbar is not None:
            self.progbar.clear()  # callbacks may print, and the bar is told last
        self._tell("on_epoch_end", epoch, logs=logs)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell_batch("on_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell_batch("on_batch_end", batch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell_batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell_batch("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        self._tell("on_test_begin", logs=logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._tell("on_test_end", logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell_batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell_batch("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._tell("on_predict_begin", logs=logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._tell("on_predict_end", logs=logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell_batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell_batch("on_predict_batch_end", batch, logs)

    def _tell(self, hook: str, *when: int, logs: Any) -> None:
        self._listeners.clear()  # a callback may have changed its methods
        logs = as_floats(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(*when, logs)

    def _tell_batch(self, hook: str, batch: int, logs: Any) -> None:
        """Tell those who overrode `hook`; the logs become floats if one of them reads them."""
        listeners = self._listeners.get(hook)
        if listeners is None:
            listeners = self._listeners[hook] = [
                (getattr(callback, hook), getattr(callback, "reads_batch_logs", True))
                for callback in self.callbacks
                if _overrides(callback, hook)
            ]
        floats = None
        for method, reads in listeners:
            if reads and floats is None:
                floats = as_floats(logs)
            method(batch, logs=floats if reads else logs)

    def _first(self, kind: type) -> Any:
        return next((callback for callback in self.callbacks if isinstance(callback, kind)), None)


def _state(callback: Any) -> Any:
    """None too of what only has the methods that Keras's callbacks have."""
    return callback.get_state() if hasattr(callback, "get_state") else None


def _flatten(callbacks: Any) -> list:
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [callback for item in callbacks for callback in _flatten(item)]
    return [callbacks]


def _check_callbacks(callbacks: list) -> None:
    for callback in callbacks:
        if isinstance(callback, type) or not hasattr(callback, "set_params"):
            raise TypeError(
                "`callbacks` must be Callback objects, as [EarlyStopping()]. "
                f"Received: {callback!r}. For a function use LambdaCallback."
            )


def _overrides(callback: Any, hook: str) -> bool:
    """Whether `callback` does anything at `hook`, under one of its names."""
    names = [hook, hook.replace("_train_", "_")]
    return any(
        getattr(getattr(callback, name), "__func__", None) is not getattr(Callback, name)
        for name in names
    )
