"""Replace a file whole or not at all: a process killed in the middle leaves the old file."""

from __future__ import annotations

import io
import os
import re
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
    removed; what killed processes left of the same name is removed too. The file keeps the mode of
    the one it replaces. Of two writers at a time, the later one has the name, whole.

    FileExistsError where there is one and `overwrite` is False; OSError for a folder, a pipe, a
    file that is write-protected, and, with its own error number, where the disk is full.
    """
    target = os.path.realpath(path)  # through a symbolic link: replace what it points to
    _check_target(target, overwrite)
    remove_leftovers(target)
    with _temporary(target) as (temporary, file):
        yield file
        file.flush()
        if file.raw.failed is not None:  # and whoever wrote said nothing
            raise file.raw.failed
        os.fsync(file.fileno())
        if os.path.exists(target):
            os.chmod(temporary, os.stat(target).st_mode & 0o7777)
        _check_target(target, overwrite)  # someone else may have been faster
        if fcntl is None:
            file.close()  # Windows renames no open files
        os.replace(temporary, target)
    _sync_folder(os.path.dirname(target))


def remove_leftovers(path: str) -> None:
    """Remove the unfinished files that killed writers of `path` left; not those of living ones."""
    folder, name = os.path.split(os.path.realpath(path))
    pattern = re.compile(re.escape(_start_of_names(name)) + "[0-9a-f]{12}" + re.escape(_END))
    entries: list[os.DirEntry] = []
    with suppress(OSError), os.scandir(folder) as found:  # or it may only be written to
        entries = [entry for entry in found if pattern.fullmatch(entry.name)]
    for entry in entries:
        if fcntl is not None and entry.is_file(follow_symlinks=False):
            with suppress(OSError), open(entry.path, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where its writer lives
                os.unlink(entry.path)


_END = ".tmp"


def _start_of_names(name: str) -> str:
    return f".{name[:100]}."


@contextmanager
def _temporary(target: str) -> Iterator[tuple[str, Any]]:
    """A new file beside `target`, locked as long as this process writes it; removed at the end."""
    path, raw = _made(target)
    file = io.BufferedRandom(raw)
    try:
        yield path, file
    except Exception as error:
        failed = raw.failed or (error if isinstance(error, OSError) and error.errno else None)
        if failed is None:
            raise
        raise _explained(failed, target) from error
    finally:
        with suppress(OSError):  # of a full disk, once more
            file.close()
        with suppress(FileNotFoundError):
            os.unlink(path)


def _made(target: str) -> tuple[str, _File]:
    folder, name = os.path.split(target)
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    while True:
        path = os.path.join(folder, f"{_start_of_names(name)}{os.urandom(6).hex()}{_END}")
        try:
            raw = _File(os.open(path, flags, 0o666), "r+b")
        except OSError as error:
            raise _explained(error, target) from error
        if _is_locked(raw):
            return path, raw
        raw.close()  # another writer took it for a leftover before it was locked


def _is_locked(file: _File) -> bool:
    """Lock a file for its writer; False where it has been removed by then."""
    if fcntl is not None:
        with suppress(OSError):  # not every file system can
            fcntl.flock(file, fcntl.LOCK_EX)
    return os.fstat(file.fileno()).st_nlink > 0


class _File(io.FileIO):
    """Remembers why a write failed: what HDF5 makes of it does not say."""

    failed: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failed = error
            raise


def _explained(error: OSError, target: str) -> OSError:
    there = "The file there is as it was" if os.path.lexists(target) else "Nothing was written"
    return OSError(
        error.errno,
        f"Cannot save to '{target}': {error.strerror}. {there}. Make room, or choose a folder that "
        "can be written to.",
    )


def _check_target(target: str, overwrite: bool) -> None:
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"Cannot save to '{target}': there is no folder '{folder}'. Make it first, as with "
            f"os.makedirs('{folder}')."
        )
    if not os.path.lexists(target):
        return
    if not os.path.isfile(target):
        raise OSError(
            f"Cannot save to '{target}': expected a file or a free name; received a folder or a "
            "device. Choose another name."
        )
    if not overwrite:
        raise FileExistsError(
            f"'{target}' already exists and overwrite=False. Choose another name, or pass "
            "overwrite=True to replace it."
        )
    if not os.access(target, os.W_OK):
        raise PermissionError(
            f"Cannot save to '{target}': the file there is write-protected. Choose another name, "
            "or make it writable."
        )


def _sync_folder(folder: str) -> None:
    """Put the new name on the disk too. Only POSIX systems can open a folder for that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
