"""Loggers: what happened, in memory, on the screen and in a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, Any

from ..progress import Progress, progress
from .callback import Callback
from .kept import are_counts, are_lists, are_texts, checked, is_count


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

    def get_state(self) -> Any:
        return {"history": self.history, "epoch": self.epoch, "epochs": self._epochs}

    def set_state(self, state: Any) -> None:
        checked(state, {"history": are_lists, "epoch": are_counts, "epochs": are_lists})
        self.history, self.epoch, self._epochs = state["history"], state["epoch"], state["epochs"]

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
    """Writes every epoch as a row of the CSV file `filename`, `append`ing if it is to go on.

    A training that goes on from a saved state goes on with the file too, whatever `append` says:
    rows that were written after the state are cut off, and written again.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.csv_file: IO[str] | None = None
        self.writer: Any = None  # a csv.DictWriter
        self._kept: int | None = None  # bytes of the file before the first row; None: all

    def on_train_begin(self, logs: Any = None) -> None:
        self._close()
        # Never emptied at once: a training that goes on is only known after this.
        self.csv_file = open(self.filename, "a", newline="")  # noqa: SIM115 - closed at the end
        self._kept = None if self.append else 0

    def get_state(self) -> Any:
        fields = None if self.writer is None else list(self.writer.fieldnames)
        kept = os.path.getsize(self.filename) if self._kept is None else self._kept
        if self.csv_file is not None:
            os.fsync(self.csv_file.fileno())  # the rows are to be there whenever the state is
        return {"bytes": kept, "fields": fields}

    def set_state(self, state: Any) -> None:
        checked(state, {"bytes": is_count, "fields": are_texts})
        if os.path.getsize(self.filename) < state["bytes"]:
            raise ValueError(
                f"CSVLogger cannot go on with '{self.filename}': expected the file with the rows "
                f"of the epochs before, {state['bytes']} bytes; it has fewer. Put it back."
            )
        self._kept = state["bytes"]
        if state["fields"] is not None:
            self._cut()
            self._write_columns(state["fields"])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        assert self.csv_file is not None
        logs = logs or {}
        self._cut()
        if self.writer is None:
            self._write_columns(["epoch", *_columns(logs)])
        self.writer.writerow({"epoch": epoch, **{key: _cell(logs[key]) for key in logs}})
        self.csv_file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        self._cut()
        self._close()

    def _cut(self) -> None:
        """Leave in the file only what is to stay before the next row."""
        if self._kept is not None and self.csv_file is not None:
            self.csv_file.truncate(self._kept)
        self._kept = None

    def _write_columns(self, fields: list[str]) -> None:
        """Begin to write rows of these fields, below their names."""
        import csv

        self.writer = csv.DictWriter(
            self.csv_file,  # type: ignore[arg-type]
            fields,
            restval="NA",
            extrasaction="ignore",
            delimiter=self.sep,
        )
        if not os.path.getsize(self.filename):
            self.writer.writeheader()

    def _release(self) -> None:
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
