"""'acc' and 'val_acc' for what metrics=['accuracy'] is called now, in logs and histories."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ..callbacks import History, callback_list
from ..callbacks.monitor import MonitorCallback
from .deprecated import warn_once


def _new_name(name: Any) -> Any:
    if name == "lr":
        return "learning_rate"
    return f"{name}uracy" if isinstance(name, str) and name.endswith("acc") else None


class OldLogs(dict):
    """Values by name; a name of earlier versions gives what is there under that of today."""

    def __missing__(self, name: Any) -> Any:
        new = _new_name(name)
        if new not in self:
            raise KeyError(name)
        warn_once(f"The name '{name}' in logs", f"it is '{new}' now")
        return self[new]

    def get(self, name: Any, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


def know_old_names_in_logs() -> None:
    """Let callbacks and what `fit` returns know the old names."""
    callback_list.as_floats = _with_old_names(callback_list.as_floats)
    setattr(MonitorCallback, "_direction", _by_name_too(MonitorCallback._direction))  # noqa: B010
    setattr(History, "__init__", _with_old_history(History.__init__))  # noqa: B010


def _with_old_names(as_floats: Callable) -> Callable:
    @wraps(as_floats)
    def told(logs: Any) -> OldLogs:
        return OldLogs(as_floats(logs))

    return told


def _by_name_too(direction: Callable) -> Callable:
    @wraps(direction)
    def told(self: Any) -> int:
        try:
            return direction(self)
        except ValueError:
            up = "acc" in self.monitor or self.monitor.startswith("fmeasure")
            warn_once(
                f"To monitor '{self.monitor}' without saying which way is better",
                f"give mode='{'max' if up else 'min'}', which is taken for this name",
            )
            return 1 if up else -1

    return told


def _with_old_history(init: Callable) -> Callable:
    @wraps(init)
    def made(self: Any) -> None:
        init(self)
        self.history = OldLogs()

    return made
