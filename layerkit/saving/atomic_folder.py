"""Replace a folder whole or not at all: a process killed in the middle leaves the old one."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

_END = ".tmp"


@contextmanager
def replacing_folder(path: str, members: Set[str], overwrite: bool = True) -> Iterator[str]:
    """A new folder to fill, which becomes `path` when the `with` block ends well.

    It is on the disk before it takes the name; after an error it is removed. A folder that is at
    `path` is replaced where all in it is called as one of `members`, or it is empty.

    FileExistsError for another, with `overwrite=False`, and where the system cannot exchange two
    folders at once; OSError for a file there, and, with its own error number, a full disk.
    """
    target = os.path.realpath(path)
    _check_target(target, members, overwrite)
    _remove_leftovers(target)
    with _explained(target):
        temporary, lock = _made(target)
    try:
        with _explained(target):
            yield temporary
            _sync(temporary)
            _check_target(target, members, overwrite)  # someone else may have been faster
            _give_name(temporary, target)
            _sync_entry(os.path.dirname(target))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # what is not whole, or what was there before
        if lock is not None:
            os.close(lock)


def _place(target: str, number: str) -> tuple[str, str]:
    folder, name = os.path.split(target)
    return folder, f".{name[:100]}.{number}{_END}"


def _check_target(target: str, members: Set[str], overwrite: bool) -> None:
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"Cannot save to '{target}': there is no folder '{folder}'. Make it first, as with "
            f"os.makedirs('{folder}')."
        )
    if not os.path.lexists(target):
        return
    if not os.path.isdir(target):
        raise FileExistsError(
            f"Cannot save to '{target}': expected a folder or a free name; received a file. "
            "Choose another name."
        )
    others = sorted(set(os.listdir(target)) - set(members))
    if others:
        raise FileExistsError(
            f"Cannot save to '{target}': the folder there holds other things than a model, as "
            f"{others[:3]}, and would be replaced as a whole. Choose another name."
        )
    if not overwrite:
        raise FileExistsError(
            f"'{target}' already exists and overwrite=False. Choose another name, or pass "
            "overwrite=True to replace it."
        )


def _give_name(temporary: str, target: str) -> None:
    if not os.path.isdir(target):
        return os.rename(temporary, target)
    os.chmod(temporary, os.stat(target).st_mode & 0o7777)
    if not _exchanged(temporary, target):
        raise FileExistsError(
            f"Cannot save to '{target}': there is a folder, and this system cannot exchange two "
            "folders at once. Remove it first, or choose another name."
        )


def _exchanged(first: str, second: str) -> bool:
    """Give two folders each other's names, in one step; False where the system has none."""
    names = {"linux": "renameat2", "darwin": "renameatx_np"}
    if sys.platform not in names:
        return False
    function = getattr(ctypes.CDLL(None, use_errno=True), names[sys.platform], None)
    here, exchange = (-100 if sys.platform == "linux" else -2), 2
    paths = os.fsencode(first), os.fsencode(second)
    return function is not None and function(here, paths[0], here, paths[1], exchange) == 0


def _made(target: str) -> tuple[str, int | None]:
    """A new folder beside `target`, and a descriptor that holds its lock where there are locks."""
    while True:
        path = os.path.join(*_place(target, os.urandom(6).hex()))
        os.mkdir(path)
        if fcntl is None:
            return path, None
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY)
            with suppress(OSError):  # not every file system can
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.isdir(path):
                return path, descriptor
            os.close(descriptor)  # another writer took it for a leftover before it was locked


def _remove_leftovers(target: str) -> None:
    """Remove the unfinished folders that killed writers left; not those of living ones."""
    folder, start = _place(target, "")
    pattern = re.compile(re.escape(start.removesuffix(_END)) + "[0-9a-f]{12}" + re.escape(_END))
    for name in os.listdir(folder) if fcntl is not None and os.access(folder, os.R_OK) else ():
        path = os.path.join(folder, name)
        if not pattern.fullmatch(name) or os.path.islink(path) or not os.path.isdir(path):
            continue
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where one lives
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)


def _sync(folder: str) -> None:
    """Put all below a folder on the disk."""
    for inner, _, names in os.walk(folder, topdown=False):
        for name in names:
            with open(os.path.join(inner, name), "r+b") as file:
                os.fsync(file.fileno())
        _sync_entry(inner)


def _sync_entry(folder: str) -> None:
    """Put the names in a folder on the disk. Only POSIX systems can open a folder for that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _explained(target: str) -> Iterator[None]:
    """Errors of the system while a folder is written say whose it was to be."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        there = "What is there is as it was" if os.path.lexists(target) else "Nothing was written"
        raise OSError(
            error.errno,
            f"Cannot save to '{target}': {error.strerror}. {there}. Make room, or choose a folder "
            "that can be written to.",
        ) from error
