"""ModelCheckpoint: the model, or the whole state of its training, on the disk while it trains."""

from __future__ import annotations

import os
import warnings
from collections import ChainMap
from typing import Any

from ..progress import say
from .batch_count import BatchCount
from .callback import as_floats
from .kept import checked, is_batch_count, is_count
from .monitor import MonitorCallback

_STATE = ".state"


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or with `save_weights_only` its weights, at `filepath`.

    `filepath`: may name epoch, batch and metrics, as in 'at-{epoch:02d}-{val_loss:.2f}.keras'. A
    `.keras` or `.h5` file holds the model with its optimizer, and begins a fit of its own. One that
    ends in `.state` is what `Model.load_state` goes on from to the same bits: place in the epoch,
    order of the data, random counters, metrics, and what callbacks keep.
    `save_best_only`: only when `monitor` got better, at first than `initial_value_threshold`.
    `save_freq`: 'epoch', or after how many batches. ValueError for a wrong ending, KeyError for a
    name that is no metric.
    """

    reads_batch_logs = False  # only those of batches that save are read

    _kinds = {**MonitorCallback._kinds, "_epoch": is_count}

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.told_last = self.filepath.endswith(_STATE)  # what other callbacks count goes into it
        self._epoch = 0
        self._batches = BatchCount(save_freq)  # since the last save
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. "
                "Expected save_freq are 'epoch' or integer values"
            )
        if save_weights_only and not self.filepath.endswith((".h5", ".hdf5")):
            raise ValueError(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided "
                "must end in `.weights.h5` (Keras weights format), or in `.h5` (that of Keras 2, "
                f"without the optimizer's state). Received: filepath={self.filepath}"
            )
        if not self.filepath.endswith((".keras", ".h5", ".hdf5", _STATE)):
            raise ValueError(
                "The filepath provided must end in `.keras` (Keras model format). Received: "
                f"filepath={self.filepath}. Or in `.state`, for all that training goes on from."
            )

    def get_state(self) -> Any:
        return super().get_state() | {"batches": self._batches.state}

    def set_state(self, state: Any) -> None:
        kept = checked(state, {**self._kinds, "batches": is_batch_count})
        self._batches.state = kept["batches"]
        super().set_state({name: kept[name] for name in self._kinds})

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._batches.is_full_at(batch):
            self._save(self._epoch, {"batch": batch + 1, **as_floats(logs)})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def _save(self, epoch: int, logs: dict[str, Any]) -> None:
        try:
            path = self.filepath.format_map(ChainMap({"epoch": epoch + 1}, logs))
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}. '
                f"Available are: epoch, {', '.join(logs)}."
            ) from error
        if not self._should_save(epoch, logs, path):
            return
        if os.path.isdir(path):
            raise IsADirectoryError(
                "Please specify a non-directory filepath for ModelCheckpoint. Filepath used is an "
                f"existing directory: {path}"
            )
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self._writer()(path, overwrite=True)
        self._say(epoch, f"finished saving model to {path}")

    def _writer(self) -> Any:
        if self.save_weights_only:
            return self.model.save_weights
        return self.model.save_state if self.filepath.endswith(_STATE) else self.model.save

    def _should_save(self, epoch: int, logs: dict[str, Any], path: str) -> bool:
        if not self.save_best_only:
            self._say(epoch, f"saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=2)
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {best}")
            return False
        self._say(
            epoch, f"{self.monitor} improved from {best} to {current:.5f}, saving model to {path}"
        )
        self.best = current
        return True

    def _say(self, epoch: int, message: str) -> None:
        if self.verbose > 0:
            say(f"Epoch {epoch + 1}: {message}")
