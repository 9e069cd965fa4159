"""Replace a file whole or not at all: a process killed in the middle leaves the old file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def replacing(path: str, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A new binary file to write to, which becomes `path` when the `with` block ends well.

    It lies in the same folder and is on the disk before it takes the name. After an error it is
    removed. The file keeps the mode of the one it replaces. FileExistsError where there is one
    and `overwrite` is False; OSError for a folder, a pipe, or a file that is write-protected.
    """
    target = os.path.realpath(path)  # through a symbolic link: replace what it points to
    _check_target(target, overwrite)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name[:100]}.{os.urandom(6).hex()}.tmp")
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(target):
            os.chmod(temporary, os.stat(target).st_mode & 0o7777)
        _check_target(target, overwrite)  # someone else may have been faster
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


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
