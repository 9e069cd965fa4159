"""Callback: the moments of fit, evaluate and predict, one method each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Callback:
    """Base of callbacks: override the methods of the moments you care about.

    `model`: the model being trained. `params`: {'verbose', 'epochs', 'steps'}. `batch` and `epoch`
    count from 0. `logs`: metrics by name; all callbacks get one dict, and see what others added.
    """

    reads_batch_logs = True  # False: takes batch logs as the step returned them, tensors and all
    told_last = False  # True: told of each moment when all other callbacks were

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self.model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Told once, before anything begins."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Told once, before anything begins."""
        self.model = model

    def get_state(self) -> Any:
        """What this callback counts and remembers, for the file of a training's state.

        None, nothing, unless overridden; else dicts, lists, numbers, strings and arrays.
        """
        return None

    def set_state(self, state: Any) -> None:
        """Go on as the callback that `get_state` was called on.

        Called after `on_train_begin` of a fit that goes on. If it goes on inside an epoch, that
        epoch's `on_epoch_begin` was told in the fit before, and is not told again.
        """

    def _release(self) -> None:
        """A run is over, well or by an exception: give back what was held for it."""

    def on_train_begin(self, logs: Any = None) -> None:
        """fit begins."""

    def on_train_end(self, logs: Any = None) -> None:
        """fit ends; `logs` are those of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """An epoch of fit begins."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """An epoch ends; `logs` hold its metrics, those of validation as `val_...`."""

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Another name of on_train_batch_begin."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Another name of on_train_batch_end."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A training step begins."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A training step ends; `logs` hold the epoch's running metrics."""
        self.on_batch_end(batch, logs=logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """An evaluation begins, be it the validation of fit."""

    def on_test_end(self, logs: Any = None) -> None:
        """An evaluation ends; `logs` hold its metrics."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A batch of an evaluation begins."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """A batch of an evaluation ends."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """predict begins."""

    def on_predict_end(self, logs: Any = None) -> None:
        """predict ends."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A batch of predict begins."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """A batch of predict ends; `logs` hold its "outputs"."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class LambdaCallback(Callback):
    """A callback from functions: LambdaCallback(on_epoch_end=lambda epoch, logs: ...).

    Any method of `Callback` can be given; TypeError for a name that is none.
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in given.items():
            if name not in HOOKS:
                raise TypeError(
                    f"LambdaCallback got {name!r}, which is no method of Callback. "
                    f"Use one of: {', '.join(HOOKS)}."
                )
            if function is not None:
                setattr(self, name, function)


def as_floats(logs: Any) -> dict[str, Any]:
    """A new dict of `logs` with floats for scalars, NumPy for arrays, and names in order."""
    floats: dict[str, Any] = {}
    for name in sorted(logs or ()):
        value = logs[name]
        if isinstance(value, dict):
            floats.update(as_floats(value))
        elif getattr(value, "ndim", 0):
            floats[name] = value.numpy() if hasattr(value, "numpy") else value
        else:
            floats[name] = _as_float(value)
    return floats


def _as_float(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
