"""Progress on the screen: a tqdm bar where the output is a terminal, one plain line elsewhere.

What is shown is one pass over the data: an epoch of fit, an evaluation, a prediction. Metrics are
read, which on a GPU waits for the device, only when something is drawn.
"""

from __future__ import annotations

import logging
import sys
from time import perf_counter
from typing import Any

import numpy as np

from . import config

REDRAW_SECONDS = 0.1


def progress(
    label: str, steps: int | None, samples: int | None, verbose: int, lines: bool = True
) -> Progress:
    """The display that suits `verbose` (0 silent, 1 a bar, 2 a line) and standard output.

    `lines`: whether verbose=1 writes a plain line where the output is no terminal.
    """
    if verbose == 1 and sys.stdout.isatty() and config.is_interactive_logging_enabled():
        return Bar(label, steps, samples)
    if verbose == 2 or (verbose == 1 and lines):
        return Line(label, steps, samples)
    return Progress(label, steps, samples)


def say(message: str) -> None:
    """Print a line without tearing a bar that is on the screen; or log it, see `config`."""
    if not config.is_interactive_logging_enabled():
        logging.getLogger("layerkit").info(message)
        return
    from tqdm import tqdm

    tqdm.write(message)


class Progress:
    """One pass of `steps` batches over `samples` rows (None: unknown); this one shows nothing."""

    def __init__(self, label: str, steps: int | None, samples: int | None):
        self.label, self.steps, self.samples = label, steps, samples
        self.step = 0  # batches done
        self._start = perf_counter()
        self._stop: float | None = None  # when the batches were done and validation began

    def update(self, step: int, logs: Any) -> None:
        """`step` batches are done, `logs` are the running metrics. Called after every batch."""
        self.step = step

    def pause(self) -> None:
        """Time from here on, spent on validation, does not count for the speed."""
        self._stop = perf_counter()

    def clear(self) -> None:
        """Leave the line free for what others print."""

    def close(self, logs: Any = None) -> None:
        """The pass is over: show its last metrics and leave them on the screen."""

    def abandon(self) -> None:
        """The pass was broken off: leave the screen as it is."""

    @property
    def seconds(self) -> float:
        """Time spent on batches so far."""
        return (self._stop or perf_counter()) - self._start

    @property
    def samples_done(self) -> int:
        """Rows seen so far: all batches count alike, though the last one may be smaller."""
        if self.samples is None or not self.steps:
            return self.step
        return round(self.samples * self.step / self.steps)


class Line(Progress):
    """A line at the end: `Epoch 1/2 - 3s - 2ms/step - 20000 samples/s - accuracy: 0.9 - ...`."""

    def close(self, logs: Any = None) -> None:
        seconds = self.seconds
        parts = [self.label, f"{perf_counter() - self._start:.0f}s"]
        if self.step:
            parts.append(format_seconds(seconds / self.step) + "/step")
            if self.samples is not None:
                parts.append(f"{self.samples_done / max(seconds, 1e-9):.0f} samples/s")
        line = " - ".join([*parts, *([format_metrics(logs)] if logs else [])])
        if config.is_interactive_logging_enabled():
            print(line, flush=True)
        else:
            say(line)


class Bar(Progress):
    """A tqdm bar with running metrics, time left (time taken in the end) and samples a second."""

    # Short, so that two metrics fit a line of 80 characters.
    _FORMAT = "{desc} {percentage:3.0f}%|{bar:7}| <{remaining}, {rate_noinv_fmt}{postfix}"
    _WITHOUT_END = "{desc} {n:.0f} steps, {elapsed}, {rate_noinv_fmt}{postfix}"

    def __init__(self, label: str, steps: int | None, samples: int | None):
        from shutil import get_terminal_size

        from tqdm import tqdm

        super().__init__(label, steps, samples)
        self._next_redraw = 0.0
        # Asked here: tqdm draws nothing on a terminal that says it is 0 by 0, as some do.
        self._terminal_size = get_terminal_size
        columns, rows = get_terminal_size()
        self._format = self._FORMAT if steps else self._WITHOUT_END
        self._tqdm = tqdm(
            desc=label,
            total=steps if samples is None else samples,
            unit=" steps" if samples is None else " samples",
            file=sys.stdout,
            bar_format=self._format,
            ncols=columns,
            nrows=rows,
            unit_scale=True,
            mininterval=0,  # redraws are counted here, where the metrics are formatted
            miniters=1,
        )

    def update(self, step: int, logs: Any) -> None:
        self.step = step
        now = perf_counter()
        if now >= self._next_redraw:
            self._next_redraw = now + REDRAW_SECONDS
            self._tqdm.ncols, self._tqdm.nrows = self._terminal_size()
            self._tqdm.set_postfix_str(format_metrics(logs), refresh=False)
            self._tqdm.update(self.samples_done - self._tqdm.n)

    def clear(self) -> None:
        self._tqdm.clear()

    def close(self, logs: Any = None) -> None:
        if self._stop is not None:
            pause = perf_counter() - self._stop
            self._tqdm.start_t += pause
            self._tqdm.last_print_t += pause
        self._tqdm.n = self.samples_done
        self._tqdm.bar_format = self._format.replace("<{remaining}", "{elapsed}")
        self._tqdm.ncols = None  # the last state stays on the screen: wrapped rather than cut
        if logs:
            self._tqdm.set_postfix_str(format_metrics(logs), refresh=False)
        self._tqdm.close()

    def abandon(self) -> None:
        self._tqdm.close()


def format_metrics(logs: Any) -> str:
    """`accuracy: 0.9012 - loss: 3.1200e-04`: by name, four digits."""
    return " - ".join(f"{name}: {format_number(logs[name])}" for name in sorted(logs or ()))


def format_number(value: Any) -> str:
    """Four decimals, or four digits and an exponent where they would vanish; arrays by mean."""
    number = float(value) if not getattr(value, "ndim", 0) else float(np.mean(value))
    return f"{number:.4f}" if abs(number) > 1e-3 else f"{number:.4e}"


def format_seconds(seconds: float) -> str:
    """`2s`, `3ms` or `450us`."""
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"
