"""BackupAndRestore: training that was cut off goes on where its last backup was made."""

from __future__ import annotations

import errno
import os
import warnings
from contextlib import suppress
from typing import IO, Any

from ..saving.atomic import remove_leftovers
from .batch_count import BatchCount
from .callback import Callback
from .kept import checked, is_batch_count

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

_LAST, _BEFORE, _LOCK = "last.state", "before.state", ".lock"


class BackupAndRestore(Callback):
    """Keeps the whole state of the training in the folder `backup_dir`: see `Model.save_state`.

    When fit begins and a backup is there, training goes on behind it to the bits of a training
    that was not cut off, at the next batch: `Model.load_state` says what fit must be given. In
    Keras an epoch that was cut off begins again. `save_freq`: 'epoch', or after how many batches.
    `double_checkpoint`: keep the backup before, for when the last one cannot be read.
    `delete_checkpoint`: remove the backups when training ends.

    Each fit of a script needs a folder of its own. A process that is killed at any moment leaves
    the last backup whole. ValueError for a model that is not built when fit begins, and for a
    backup of another training; OSError for a folder that another process trains with.
    """

    reads_batch_logs = False
    told_last = True  # the others have counted the moment, then

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
        self._batches = BatchCount(save_freq)  # since the last backup
        self._locked: IO | None = None  # as long as fit runs

    def get_state(self) -> Any:
        return {"batches": self._batches.state}

    def set_state(self, state: Any) -> None:
        self._batches.state = checked(state, {"batches": is_batch_count})["batches"]

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = BatchCount(self.save_freq)
        if not self.model.built:
            raise ValueError(
                "To use the BackupAndRestore callback, your model must be built before you call "
                f"`fit()`. Model {self.model.name} is unbuilt. Call it on a batch of data, or give "
                "it an Input."
            )
        self._lock()
        backups = [path for path in self._paths() if os.path.lexists(path)]
        for backup in backups:
            try:
                return self.model.load_state(backup)
            except (OSError, ValueError) as error:
                if backup is backups[-1]:
                    raise
                warnings.warn(
                    f"The last backup in '{self.backup_dir}' cannot be read, so training goes on "
                    f"from the one before: {error}",
                    stacklevel=2,
                )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._batches.is_full_at(batch):
            self._save()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: Any = None) -> None:
        if self.delete_checkpoint and os.path.isdir(self.backup_dir):
            for path in self._paths():
                with suppress(FileNotFoundError):
                    os.unlink(path)
                remove_leftovers(path)
            self._release()
            with suppress(OSError):  # somebody else keeps files there
                os.rmdir(self.backup_dir)

    def _lock(self) -> None:
        """Keep other processes out of the folder, as long as this one lives and trains."""
        self._release()
        os.makedirs(self.backup_dir, exist_ok=True)
        if fcntl is None:
            return
        self._locked = open(os.path.join(self.backup_dir, _LOCK), "ab")  # noqa: SIM115
        try:
            # Unlike those of flock, these locks are not shared with processes that are forked.
            fcntl.lockf(self._locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            self._locked.close()
            self._locked = None
            raise OSError(
                errno.EBUSY,
                f"Another process is training with the folder '{self.backup_dir}', where it keeps "
                "its backups. Give each training a `backup_dir` of its own, or wait for its end.",
            ) from error
        except OSError:  # a file system without locks
            self._release()

    def _release(self) -> None:
        if self._locked is not None:
            with suppress(OSError):
                os.unlink(self._locked.name)
            self._locked.close()
            self._locked = None

    def _save(self) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        last, before = self._paths()
        if self.double_checkpoint and os.path.exists(last):
            os.replace(last, before)
        self.model.save_state(last)

    def _paths(self) -> tuple[str, str]:
        """Of the last backup and of the one before."""
        return os.path.join(self.backup_dir, _LAST), os.path.join(self.backup_dir, _BEFORE)
