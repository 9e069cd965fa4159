"""ModelCheckpoint: the model on the disk while it trains."""

from __future__ import annotations

import os
import warnings
from collections import ChainMap
from typing import Any

from ..progress import say
from .callback import as_floats
from .monitor import MonitorCallback


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or with `save_weights_only` its weights, at `filepath`.

    `filepath`: may name epoch, batch and metrics, as in 'at-{epoch:02d}-{val_loss:.2f}.keras'.
    `save_best_only`: only when `monitor` got better, at first than `initial_value_threshold`.
    `save_freq`: 'epoch', or after how many batches. ValueError for a wrong ending, KeyError for a
    name that is no metric.
    """

    reads_batch_logs = False  # only those of batches that save are read

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
        self._epoch = 0
        self._batches = 0  # since the last save
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
        if not self.filepath.endswith((".keras", ".h5", ".hdf5")):
            raise ValueError(
                "The filepath provided must end in `.keras` (Keras model format). Received: "
                f"filepath={self.filepath}"
            )

    def get_state(self) -> Any:
        counts = {"_epoch": self._epoch, "_batches": self._batches}
        return super().get_state() | counts

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
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
        (self.model.save_weights if self.save_weights_only else self.model.save)(
            path, overwrite=True
        )
        self._say(epoch, f"finished saving model to {path}")

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
