"""Replace a folder whole or not at all: a process killed in the middle leaves the old one."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress

from .atomic import (
    END,
    check_folder_of,
    check_may_replace,
    explained,
    fcntl,
    start_of_names,
    sync_folder,
)


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
    with explained(target):
        temporary, lock = _made(target)
    try:
        with explained(target):
            yield temporary
            _sync(temporary)
            _check_target(target, members, overwrite)  # someone else may have been faster
            _give_name(temporary, target)
            sync_folder(os.path.dirname(target))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # what is not whole, or what was there before
        if lock is not None:
            os.close(lock)


def _check_target(target: str, members: Set[str], overwrite: bool) -> None:
    check_folder_of(target)
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
    check_may_replace(target, overwrite)


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
    folder, name = os.path.split(target)
    while True:
        path = os.path.join(folder, f"{start_of_names(name)}{os.urandom(6).hex()}{END}")
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
    folder, own = os.path.split(target)
    pattern = re.compile(re.escape(start_of_names(own)) + "[0-9a-f]{12}" + re.escape(END))
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
        sync_folder(inner)
