"""Callbacks that change the learning rate between epochs."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..progress import say
from .callback import Callback
from .kept import is_count
from .monitor import MonitorCallback


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of every epoch.

    `schedule`: a function of the epoch (from 0) and the current rate, or of the epoch alone, that
    returns a float. `verbose`: 1 tells the rate. The rate appears in the logs as "learning_rate".
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError('Optimizer must have a "learning_rate" attribute.')
        if _takes(self.schedule, epoch, 0.0):
            rate = self.schedule(epoch, float(optimizer.learning_rate))
        else:
            rate = self.schedule(epoch)
        if not isinstance(rate, (float, np.floating)):
            raise ValueError(
                f"The output of the `schedule` function should be a float. Got: {rate}"
            )
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            say(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when `monitor` has not got better for `patience`
    epochs, down to `min_lr`; then waits `cooldown` epochs before it counts again."""

    _kinds = {**MonitorCallback._kinds, "wait": is_count, "cooldown_counter": is_count}

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(
                "ReduceLROnPlateau does not support a factor >= 1.0. "
                f"Received factor={factor}. Use one below 1, such as 0.1."
            )
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self.best = None
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = {} if logs is None else logs
        logs.update(learning_rates(self.model.optimizer))
        self._settle_direction(logs)
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Learning rate reduction is conditioned on metric `{self.monitor}` which is not "
                f"available. Available metrics are: {','.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def in_cooldown(self) -> bool:
        """Whether the rate was reduced less than `cooldown` epochs ago."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int) -> None:
        """Reduce what is not at the least rate yet; then begin to wait anew."""
        for key, optimizer in _optimizers(self.model.optimizer).items():
            rate = float(optimizer.learning_rate)
            if rate <= np.float32(self.min_lr):
                continue
            rate = max(rate * self.factor, self.min_lr)
            optimizer.learning_rate = rate
            if self.verbose > 0:
                say(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing {_words(key)} to {rate}.")
            self.cooldown_counter = self.cooldown
            self.wait = 0


def learning_rates(optimizer: Any) -> dict[str, float]:
    """The learning rate as logs name it; of a MultiOptimizer, those of all its optimizers."""
    return {key: float(each.learning_rate) for key, each in _optimizers(optimizer).items()}


def _optimizers(optimizer: Any) -> dict[str, Any]:
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    several = getattr(optimizer, "optimizers", None)
    if several is None:
        return {"learning_rate": optimizer}
    return {f"learning_rate_{each.name}": each for each in several}


def _words(key: str) -> str:
    """'learning rate', or 'sgd learning rate'."""
    return f"{key.removeprefix('learning_rate').removeprefix('_')} learning rate".strip()


def _takes(function: Callable, *args: Any) -> bool:
    try:
        inspect.signature(function).bind(*args)
    except TypeError:
        return False
    except ValueError:  # a builtin that does not tell
        return True
    return True
