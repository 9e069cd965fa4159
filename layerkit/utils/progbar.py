"""`Progbar`: the progress bar of loops that users write, as `keras.utils` has it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np


class Progbar:
    """Steps done, time left and running means, on one line that is drawn over and over.

    target: steps in all, or None if unknown. width: of the bar, in letters. verbose: 0 for nothing,
    1 for the bar, 2 for one line at the end. interval: seconds between two drawings at least.
    stateful_metrics: names of values that are shown as they are; others are averaged over the
    steps. stateless_metrics: instead, the names of those that are averaged. unit_name: of a step.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` or `stateless_metrics` can be provided. Received: "
                f"stateful_metrics={stateful_metrics}, stateless_metrics={stateless_metrics}"
            )
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = interval, unit_name
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._seen = 0
        self._sums: dict[str, tuple[Any, float]] = {}  # a value times steps, and the steps
        self._start = time.time()
        self._first_done: float | None = None  # the first step takes longer: it does not count
        self._drawn_at = 0.0
        self._drawn = 0  # letters on the line

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: Any = None
    ) -> None:
        """`current` steps are done; `values` are (name, value) pairs of the last of them.

        finalize: whether this is the end, by default when `current` reaches the target. The values
        are then shown as they are.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._record(name, value, current, finalize)
        self._seen = current
        now = time.time()
        seconds = self._seconds_a_step(current, now)
        if self.verbose == 1 and (finalize or now - self._drawn_at >= self.interval):
            self._draw(current, seconds, now, finalize)
            self._drawn_at = now
        if self.verbose == 2 and finalize and self.target:
            parts = [self._count(current), f"{now - self._start:.0f}s", self._speed(seconds)]
            self._print(" - ".join([*parts, *self._means()]) + "\n")

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """`n` more steps are done."""
        self.update(self._seen + n, values)

    def _record(self, name: str, value: Any, current: int, finalize: bool) -> None:
        if self.stateless_metrics is not None:
            averaged = name in self.stateless_metrics
        else:
            averaged = name not in (self.stateful_metrics or ())
        if averaged and not finalize:
            steps = max(current - self._seen, 1)
            total, count = self._sums.get(name, (0.0, 0.0))
            self._sums[name] = (total + value * steps, count + steps)
        else:
            self._sums[name] = (value, 1)

    def _seconds_a_step(self, current: int, now: float) -> float:
        if not current:
            return 0.0
        if self._first_done is not None and current > 1:
            seconds = (now - self._first_done) / (current - 1)
        else:
            seconds = (now - self._start) / current
        if current == 1:
            self._first_done = now
        return seconds

    def _draw(self, current: int, seconds: float, now: float, finalize: bool) -> None:
        known = bool(self.target)
        if known and not finalize:
            left = _clock(seconds * (self.target - current))  # type: ignore[operator]
        else:
            left = f"{now - self._start:.0f}s"
        parts = [f"{self._count(current)}{self._bar(current)} {left} {self._speed(seconds)}"]
        line = " - ".join([*parts, *self._means()])
        again = "\r" if sys.stdout.isatty() else "\n" if self._drawn else ""
        self._print(again + line.ljust(self._drawn if again == "\r" else 0))
        self._drawn = len(line)
        if finalize:
            self._print("\n")

    def _count(self, current: int) -> str:
        if not self.target:
            return f"{current:7d}/Unknown"
        return f"{current:{len(str(self.target))}d}/{self.target}"

    def _bar(self, current: int) -> str:
        if not self.target:
            return ""
        done = min(int(self.width * current / self.target), self.width)
        return f" [{'=' * done}{'.' * (self.width - done)}]"

    def _speed(self, seconds: float) -> str:
        if seconds >= 1 or seconds == 0:
            return f"{seconds:.0f}s/{self.unit_name}"
        if seconds >= 1e-3:
            return f"{seconds * 1e3:.0f}ms/{self.unit_name}"
        return f"{seconds * 1e6:.0f}us/{self.unit_name}"

    def _means(self) -> list[str]:
        shown = []
        for name, (total, count) in self._sums.items():
            mean = float(np.mean(np.asarray(total))) / max(count, 1)
            shown.append(f"{name}: {mean:.4f}" if abs(mean) > 1e-3 else f"{name}: {mean:.4e}")
        return shown

    def _print(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _clock(seconds: float) -> str:
    """`1:02:03`, `2:03` or `3s`."""
    hours, minutes = int(seconds // 3600), int(seconds // 60)
    if hours:
        return f"{hours}:{minutes % 60:02d}:{int(seconds % 60):02d}"
    return f"{minutes}:{int(seconds % 60):02d}" if minutes else f"{int(seconds)}s"
