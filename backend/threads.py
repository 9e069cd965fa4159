"""Threads of the CPU: one small pool of our own, with BLAS on a single thread while it works.

BLAS's own threads and others fight for the cores: they wait by spinning. So work is cut by samples,
every part runs on one thread of the pool, and BLAS is given its threads back afterwards.
LAYERKIT_THREADS sets how many threads there are; the processor's cores by default.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

_T = TypeVar("_T")

_WORTH = 500_000  # operations of a part below which a thread costs more than it brings
_lock = threading.Lock()
_holders = 0  # how many `blas_on_one_thread` blocks are open
_limited: Any = None  # threadpoolctl's limit, while there are any


@cache
def count() -> int:
    """How many threads compute."""
    given = os.environ.get("LAYERKIT_THREADS")
    if given is not None:
        if not given.isdigit() or not int(given):
            raise ValueError(f"LAYERKIT_THREADS must be a positive integer; received {given!r}.")
        return int(given)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def split(samples: int, operations: int) -> list[slice]:
    """Consecutive slices of samples, one for each thread that so many operations are worth."""
    parts = max(1, min(count(), samples, operations // _WORTH))
    borders = [samples * i // parts for i in range(parts + 1)]
    return [slice(start, stop) for start, stop in zip(borders, borders[1:], strict=False)]


def run(function: Callable[[slice], _T], parts: list[slice]) -> list[_T]:
    """`function` of every part, in parallel; the results in the order of the parts."""
    if len(parts) == 1:
        return [function(parts[0])]
    with blas_on_one_thread():
        others = [_pool().submit(function, part) for part in parts[1:]]
        first = function(parts[0])
        return [first, *(other.result() for other in others)]


@contextmanager
def blas_on_one_thread() -> Iterator[None]:
    """BLAS computes on the calling thread alone in the `with` block; restored at its end."""
    global _holders, _limited
    with _lock:
        if not _holders:
            _limited = _controller().limit(limits=1, user_api="blas")
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if not _holders:
                _limited.restore_original_limits()


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@cache
def _pool() -> Any:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(count() - 1, thread_name_prefix="layerkit")


if hasattr(os, "register_at_fork"):  # a child process has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
