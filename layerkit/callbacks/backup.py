"""BackupAndRestore: training that was cut off goes on where its last backup was made."""

from __future__ import annotations

import json
import os
import warnings
from contextlib import suppress
from typing import Any

from layerkit.backend import SeedGenerator
from layerkit.backend.random import global_generator

from ..layers.structure import found_in
from ..saving.atomic import replacing
from .callback import Callback

_INDEX = "training_metadata.json"
_WEIGHTS = ".weights.h5"


class BackupAndRestore(Callback):
    """Keeps the weights, the optimizer's state and the random counters in the folder `backup_dir`.

    When fit begins and a backup is there, it is loaded and training goes on with the epoch in which
    it was made: after whole epochs with the bits of a training that was not cut off; what other
    callbacks counted is not kept. `save_freq`: 'epoch', or after how many batches; an epoch that
    was cut off is begun again, from the weights of its last backup. `double_checkpoint`: keep the
    backup before, for when the last one cannot be read. `delete_checkpoint`: remove the backups
    when training ends. ValueError for a model that is not built when fit begins.
    """

    reads_batch_logs = False

    def __init__(
        self,
        backup_dir: Any,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed. Name a folder for the backups.")
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(
                "Invalid value for argument `save_freq`. Expected either 'epoch' or a positive "
                f"integer. Received: save_freq={save_freq}"
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._epoch = 0
        self._batches = 0  # since the last backup

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = 0
        self._epoch = self.model._initial_epoch
        backups = self._backups()
        if not self.model.built:
            raise ValueError(
                "To use the BackupAndRestore callback, your model must be built before you call "
                f"`fit()`. Model {self.model.name} is unbuilt. Call it on a batch of data, or give "
                "it an Input."
            )
        for backup in reversed(backups):
            try:
                self._restore(backup)
                return
            except (OSError, ValueError) as error:
                if backup is backups[0]:
                    raise
                warnings.warn(
                    f"The last backup in '{self.backup_dir}' cannot be read, so training goes on "
                    f"from the one before: {error}",
                    stacklevel=2,
                )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._save(self._epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: Any = None) -> None:
        if self.delete_checkpoint and os.path.isdir(self.backup_dir):
            self._remove_all_but([])
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(self.backup_dir, _INDEX))
            with suppress(OSError):  # somebody else keeps files there
                os.rmdir(self.backup_dir)

    def _save(self, epoch: int, batch: int) -> None:
        """Weights under a new name, then the index that names them: one without the other is
        never looked at."""
        os.makedirs(self.backup_dir, exist_ok=True)
        name = f"epoch-{epoch}-step-{int(self.model.optimizer.iterations)}{_WEIGHTS}"
        self.model.save_weights(os.path.join(self.backup_dir, name), overwrite=True)
        backup = {
            "epoch": epoch,
            "batch": batch,
            "weights": name,
            "random": [list(generator.state) for generator in self._generators()],
        }
        before = [b for b in self._backups() if b["weights"] != name][-1:]
        kept = [*(before if self.double_checkpoint else ()), backup]
        with replacing(os.path.join(self.backup_dir, _INDEX)) as file:
            file.write(json.dumps({"backups": kept}).encode())
        self._remove_all_but([b["weights"] for b in kept])

    def _restore(self, backup: dict[str, Any]) -> None:
        model = self.model
        model.optimizer.build(model.trainable_variables)
        model.load_weights(os.path.join(self.backup_dir, backup["weights"]))
        for generator, state in zip(self._generators(), backup["random"], strict=True):
            generator.state = state
        model._initial_epoch = self._epoch = backup["epoch"]

    def _backups(self) -> list[dict[str, Any]]:
        """What the index names, the last one last."""
        try:
            with open(os.path.join(self.backup_dir, _INDEX), encoding="utf-8") as file:
                return json.load(file)["backups"]
        except FileNotFoundError:
            return []

    def _generators(self) -> list[SeedGenerator]:
        """All that random numbers of training come from."""
        own = [found_in(SeedGenerator, vars(layer)) for layer in self.model._flatten_layers()]
        return [global_generator(), *(generator for found in own for generator in found)]

    def _remove_all_but(self, names: list[str]) -> None:
        for name in os.listdir(self.backup_dir):
            if name.startswith("epoch-") and name.endswith(_WEIGHTS) and name not in names:
                os.unlink(os.path.join(self.backup_dir, name))
