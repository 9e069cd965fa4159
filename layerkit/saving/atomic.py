"""Replace a file whole or not at all: a process killed in the middle leaves the old file."""

from __future__ import annotations

import errno
import io
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def replacing(path: str, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A new binary file to write to, which becomes `path` when the `with` block ends well.

    It lies in the same folder and is on the disk before it takes the name. After an error it is
    removed; what killed processes left of the same name is removed too. A symbolic link stays and
    leads to the new file; other hard links keep the old one. The file keeps the mode of the one it
    replaces, and its owner where that is allowed.

    FileExistsError where there is one and `overwrite` is False; OSError for a folder, a pipe, a
    file that is write-protected, one that somebody else is writing at the moment (where the file
    system has locks; elsewhere the later one has the name, whole), and, with its own error number,
    where the disk is full.
    """
    target = os.path.realpath(path)  # through a symbolic link: replace what it points to
    _check_target(target, overwrite)
    with _temporary(target) as (temporary, file):
        yield file
        with explained(target):
            file.flush()
            if file.failed is not None:  # and whoever wrote said nothing
                raise file.failed
            os.fsync(file.fileno())
            _check_target(target, overwrite)  # someone else may have been faster
            if fcntl is None:
                file.close()  # Windows renames no open files
            os.replace(temporary, target)
    sync_folder(os.path.dirname(target))


def remove_leftovers(path: str) -> None:
    """Remove the unfinished files that killed writers of `path` left; not those of living ones."""
    for _ in _living(os.path.realpath(path)):
        pass


# --- the temporary file --------------------------------------------------------------------------

END = ".tmp"
_LONGEST = 100  # bytes of the name: file systems take 255 at most, some of them 143


def start_of_names(name: str) -> str:
    """How the names of temporary files begin that are to become `name`: hidden, not too long."""
    return f".{os.fsencode(name)[:_LONGEST].decode(errors='ignore')}."


@contextmanager
def _temporary(target: str) -> Iterator[tuple[str, _File]]:
    """A new file beside `target`, locked as long as this process writes it; removed at the end."""
    with explained(target):
        path, file = _made(target)
    try:
        _take_mode_and_owner(path, target)  # before there is anything to be read
        older = [name for name in _living(target, but=path) if name < os.path.basename(path)]
        if older:  # of two that begin at once, one goes on
            raise OSError(errno.EBUSY, _BUSY.format(target=target))
        try:
            yield path, file
        except Exception as error:
            failed = file.failed
            if failed is None or failed is error and not isinstance(error, OSError):
                raise
            if isinstance(failed, OSError):
                failed = _as_saving_error(failed, target)
            raise failed from error
    finally:
        with suppress(OSError):  # of a full disk, once more
            file.close()
        with suppress(FileNotFoundError):
            os.unlink(path)


_BUSY = (
    "Cannot save to '{target}': somebody else, another process or thread, is writing it at this "
    "moment. The file there is as it was. Give each writer a name of its own, or save again later."
)


def _made(target: str) -> tuple[str, _File]:
    """A new file, locked. Its name tells when it was made: those of one folder are in order."""
    folder, name = os.path.split(target)
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    while True:
        unique = f"{time.time_ns():016x}{os.urandom(4).hex()}"
        path = os.path.join(folder, f"{start_of_names(name)}{unique}{END}")
        file = _File(io.FileIO(os.open(path, flags, 0o666), "r+b"))
        if _is_locked(file):
            return path, file
        file.close()  # another writer took it for a leftover before it was locked


def _is_locked(file: _File) -> bool:
    """Lock a file for its writer; False where it has been removed by then."""
    if fcntl is not None:
        with suppress(OSError):  # not every file system can
            fcntl.flock(file, fcntl.LOCK_EX)
    return os.fstat(file.fileno()).st_nlink > 0


def _living(target: str, but: str = "") -> Iterator[str]:
    """The names of temporary files of `target` that are being written; those of killed writers are
    removed. `but`: a path to be left out."""
    folder, name = os.path.split(target)
    pattern = re.compile(re.escape(start_of_names(name)) + "[0-9a-f]{24}" + re.escape(END))
    entries: list[os.DirEntry] = []
    with suppress(OSError), os.scandir(folder) as found:  # or it may only be written to
        entries = [entry for entry in found if pattern.fullmatch(entry.name)]
    for entry in entries:
        if fcntl is None or entry.path == but or not entry.is_file(follow_symlinks=False):
            continue
        with suppress(OSError), open(entry.path, "r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield entry.name
            else:
                os.unlink(entry.path)


class _File(io.BufferedRandom):
    """Remembers why it could not be written: what HDF5 makes of an error does not say, and it
    swallows some, an interruption from the keyboard too."""

    failed: BaseException | None = None

    def write(self, data: Any) -> int:
        with self._remembered():
            return super().write(data)

    def flush(self) -> None:
        with self._remembered():
            super().flush()

    def seek(self, offset: int, whence: int = 0) -> int:
        with self._remembered():
            return super().seek(offset, whence)

    def truncate(self, size: int | None = None) -> int:
        with self._remembered():
            return super().truncate(size)

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.failed = self.failed or error
            raise


# --- the target ----------------------------------------------------------------------------------


@contextmanager
def explained(target: str) -> Iterator[None]:
    """Errors of the system in the `with` block say what could not be saved: `target`."""
    try:
        yield
    except OSError as error:
        if error.strerror is None:  # it is one of ours
            raise
        raise _as_saving_error(error, target) from error


def _as_saving_error(error: OSError, target: str) -> OSError:
    kind = "folder" if os.path.isdir(target) else "file"
    there = f"The {kind} there is as it was" if os.path.lexists(target) else "Nothing was written"
    return OSError(
        error.errno,
        f"Cannot save to '{target}': {error.strerror}. {there}. Make room, or choose a folder that "
        "can be written to.",
    )


def check_folder_of(target: str) -> None:
    """FileNotFoundError where the folder that `target` is to be in is missing."""
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"Cannot save to '{target}': there is no folder '{folder}'. Make it first, as with "
            f"os.makedirs('{folder}')."
        )


def check_may_replace(target: str, overwrite: bool) -> None:
    """FileExistsError for what is at `target` with `overwrite=False`."""
    if not overwrite:
        raise FileExistsError(
            f"'{target}' already exists and overwrite=False. Choose another name, or pass "
            "overwrite=True to replace it."
        )


def _check_target(target: str, overwrite: bool) -> None:
    check_folder_of(target)
    with explained(target), suppress(FileNotFoundError):
        os.lstat(target)  # which raises for names that are too long
    if not os.path.lexists(target):
        return
    if not os.path.isfile(target):
        raise OSError(
            f"Cannot save to '{target}': expected a file or a free name; received a folder or a "
            "device. Choose another name."
        )
    check_may_replace(target, overwrite)
    if not os.access(target, os.W_OK):
        raise PermissionError(
            f"Cannot save to '{target}': the file there is write-protected. Choose another name, "
            "or make it writable."
        )


def _take_mode_and_owner(path: str, target: str) -> None:
    """Give a new file the mode of the one that it is to replace, and its owner if that may be."""
    if not os.path.exists(target):
        return
    old, new = os.stat(target), os.stat(path)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        with suppress(OSError):
            os.chown(path, old.st_uid, old.st_gid)
    if old.st_mode != new.st_mode:
        os.chmod(path, old.st_mode & 0o7777)


_NOT_SYNCED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # said by network file systems


def sync_folder(folder: str) -> None:
    """Put the new name on the disk too, where the system lets a folder be synced."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # it may only be written to
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_SYNCED:
            raise
    finally:
        os.close(descriptor)
