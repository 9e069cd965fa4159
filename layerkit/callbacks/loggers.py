"""Loggers: what happened, in memory, on the screen and in a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, Any

from ..progress import Progress, progress
from .callback import Callback


class History(Callback):
    """What fit returns: `history` {name: [value of every epoch]} and `epoch`, their numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list] = {}
        self.epoch: list[int] = []
        self._epochs: dict[str, list[int]] = {}  # by name: validation may skip epochs

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []
        self.model.history = self

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch)

    def plot(self, path: Any = None) -> Any:
        """Loss and metrics over epochs, each with its validation; returns matplotlib's figure.

        With `path` it is saved there, and no display is needed. ImportError without matplotlib.
        """
        try:
            from matplotlib import pyplot
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError(
                'History.plot() needs matplotlib: pip install "layerkit[plot]"'
            ) from error
        names = [name for name in self.history if not name.startswith("val_")]
        names.sort(key=lambda name: (name != "loss", name))
        if not names:
            raise ValueError("History.plot(): there is nothing to plot before an epoch of fit.")
        figure = (pyplot.figure if path is None else Figure)(
            figsize=(4.8 * len(names), 3.6), layout="constrained"
        )
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                if key in self.history:
                    epochs = [epoch + 1 for epoch in self._epochs[key]]
                    axes.plot(epochs, self.history[key], marker=".", label=label)
            axes.set(title=name, xlabel="epoch")
            axes.legend()
        if path is not None:
            figure.savefig(path)
        return figure


class ProgbarLogger(Callback):
    """Shows progress: on a terminal one tqdm bar an epoch, elsewhere one line an epoch.

    `params["verbose"]`: 0 shows nothing, 1 what fits the output, 2 the line in any case.
    """

    reads_batch_logs = False  # it reads them when it redraws

    def __init__(self) -> None:
        super().__init__()
        self.samples: int | None = None  # how many rows the steps cover; None: steps are counted
        self._shown: Progress | None = None
        self._in_fit = False

    def clear(self) -> None:
        """Leave the screen's line free for what others print."""
        if self._shown is not None:
            self._shown.clear()

    def abandon(self) -> None:
        """Close what is shown, as after an exception."""
        self._in_fit = False
        if self._shown is not None:
            self._shown.abandon()
            self._shown = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: Any = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._open(f"Epoch {epoch + 1}/{self.params['epochs']}")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._shown is not None:
            self._shown.update(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._close(logs)

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._open("Evaluate")
        elif self._shown is not None:
            self._shown.pause()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self._in_fit and self._shown is not None:
            self._shown.update(batch + 1, logs)

    def on_test_end(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._close(logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._open("Predict", lines=False)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._shown is not None:
            self._shown.update(batch + 1, None)

    def on_predict_end(self, logs: Any = None) -> None:
        self._close(None)

    def _open(self, label: str, lines: bool = True) -> None:
        verbose = self.params["verbose"]
        verbose = 1 if verbose == "auto" else verbose
        self._shown = progress(label, self.params["steps"], self.samples, verbose, lines)

    def _close(self, logs: Any) -> None:
        if self._shown is not None:
            self._shown.close(logs)
            self._shown = None


class CSVLogger(Callback):
    """Writes every epoch as a row of the CSV file `filename`, `append`ing if it is to go on."""

    def __init__(self, filename: Any, separator: str = ",", append: bool = False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.csv_file: IO[str] | None = None
        self.writer: Any = None  # a csv.DictWriter

    def on_train_begin(self, logs: Any = None) -> None:
        self._close()
        mode = "a" if self.append else "w"
        self.csv_file = open(self.filename, mode, newline="")  # noqa: SIM115 - closed at the end

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        assert self.csv_file is not None
        logs = logs or {}
        if self.writer is None:
            import csv

            self.writer = csv.DictWriter(
                self.csv_file,
                ["epoch", *_columns(logs)],
                restval="NA",
                extrasaction="ignore",
                delimiter=self.sep,
            )
            if not os.path.getsize(self.filename):
                self.writer.writeheader()
        self.writer.writerow({"epoch": epoch, **{key: _cell(logs[key]) for key in logs}})
        self.csv_file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        self._close()

    def _close(self) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = self.writer = None


def _columns(logs: dict[str, Any]) -> list[str]:
    """The names in `logs`; those of validation too, which may come in later epochs only."""
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return names + [f"val_{name}" for name in names]


def _cell(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f'"[{", ".join(map(str, value))}]"'
    return value
