"""MonitorCallback: whether a metric got better."""

from __future__ import annotations

import warnings
from typing import Any

from .callback import Callback
from .kept import Kinds, checked, is_number


class MonitorCallback(Callback):
    """Base of callbacks that watch whether the metric `monitor` gets better.

    `mode`: 'min', 'max', or 'auto', which asks the metric. `baseline`: the value to beat at first.
    `min_delta`: what is less than this does not count as better.
    """

    _kinds: Kinds = {"best": is_number}  # of the attributes that a file keeps

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self._sign = {"min": -1, "max": 1}.get(mode)

    def get_state(self) -> Any:
        return {name: getattr(self, name) for name in self._kinds}

    def set_state(self, state: Any) -> None:
        for name, value in checked(state, self._kinds).items():
            setattr(self, name, value)

    def _is_improvement(self, value: float, reference: float | None) -> bool:
        sign = self._settle_direction()
        if reference is None:
            return True
        return bool(sign * value - self.min_delta > sign * reference)

    def _settle_direction(self, logs: Any = ()) -> int:
        """Which way is better, 1 or -1; ValueError, with the names in `logs`, where none knows."""
        if self._sign is None:
            try:
                self._sign = self._direction()
            except ValueError as error:
                listed = f" Available metrics are: {','.join(logs)}" if logs else ""
                raise ValueError(f"{error}{listed}") from error
        return self._sign

    def _direction(self) -> int:
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return -1
        for metric in getattr(self.model, "metrics", ()):
            named = getattr(metric, "by_name", {metric.name: metric}).get(name)
            direction = getattr(named, "_direction", None)
            if direction:
                return 1 if direction == "up" else -1
        raise ValueError(
            f"{type(self).__name__} callback received monitor={self.monitor}, but Keras isn't able "
            "to automatically determine whether that metric should be maximized or minimized. "
            "Pass `mode='max'` in order to monitor based on the highest metric value, or pass "
            "`mode='min'` in order to use the lowest value."
        )
