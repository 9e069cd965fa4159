"""Memory that stays with the process while it computes: freed arrays are used again as they are.

The C library gives large freed blocks back to the system at once, and a new one has to be filled
with zeros, page by page: for arrays of some megabytes that takes longer than to compute them.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4  # parameters of glibc's mallopt
_LARGEST = 32 * 2**20  # the largest block that comes from its heap, unless all do
_MAPPED = 65536  # how many blocks may come from the system itself: glibc's own number

_lock = threading.Lock()
_holders = 0


@contextmanager
def kept() -> Iterator[None]:
    """In the `with` block, freed memory is kept for the next array; afterwards it is given back.

    A matter of speed alone; where the C library is not glibc, nothing happens. Who sets glibc's
    thresholds ends their adapting to what is freed: they are left where it would lead at most.
    """
    global _holders
    with _lock:
        _holders += 1
        if _holders == 1:
            _set(trim=2**31 - 1, mapped=0)
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if not _holders:
                _set(trim=2 * _LARGEST, mapped=_MAPPED)
                _give_back()


def _set(trim: int, mapped: int) -> None:
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_MMAP_THRESHOLD, _LARGEST)
        libc.mallopt(_TRIM_THRESHOLD, trim)
        libc.mallopt(_MMAP_MAX, mapped)


def _give_back() -> None:
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> Any:
    """The C library if it is glibc, else None."""
    try:
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018 (only glibc has it)
        return libc
    except (AttributeError, OSError, TypeError):
        return None
