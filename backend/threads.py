"""Threads of the CPU: one small pool of our own, with BLAS on a single thread while it works.

BLAS's own threads and others fight for the cores: they wait by spinning. So work is cut by samples,
every part runs on one thread of the pool, and BLAS is given its threads back afterwards. Ours spin
too, but for a millisecond at most. LAYERKIT_THREADS sets how many threads there are; the
processor's cores by default. Compiled code hands parts to the same threads without Python: `spread`
and `look_by`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context, copy_context
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided

_T = TypeVar("_T")

WORTH = 2_000_000  # operations of a part below which a thread costs more than it brings
_ROWS, _LOOKS = 120, 16_384  # a thread looks for work for about a millisecond, then sleeps
_lock = threading.Lock()
_holders = 0  # how many `blas_on_one_thread` blocks are open
_limited: list[tuple[Any, int]] = []  # BLAS libraries, and their threads outside of these blocks


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
    ends = borders(samples, parts_of(samples, operations))
    return [slice(start, stop) for start, stop in zip(ends, ends[1:], strict=False)]


def parts_of(samples: int, operations: int, worth: int | None = None) -> int:
    """How many threads so many operations are worth, each with samples of its own."""
    return max(1, min(count(), samples, operations // (WORTH if worth is None else worth)))


def borders(samples: int, parts: int) -> list[int]:
    """Where parts of nearly equal size begin and end."""
    return [samples * i // parts for i in range(parts + 1)]


def run(function: Callable[[Any], _T], parts: Sequence[Any]) -> list[_T]:
    """`function` of every part, in parallel; the results in the order of the parts.

    Part i always runs on the same thread, whose cache may still hold what it used the last time.
    While the pool is at work, for another thread or for a part, parts run one after the other.
    """
    if len(parts) == 1 or not _free.acquire(blocking=False):
        return [function(part) for part in parts]
    workers = _workers(len(parts) - 1)
    try:
        with blas_on_one_thread():
            for worker, part in zip(workers, parts[1:], strict=True):
                worker.start(function, part)
            first = _outcome(copy_context(), function, parts[0])
            outcomes = [first, *(worker.finish() for worker in workers)]
    except BaseException:  # interrupted while waiting: these threads may be at work still
        _pool.clear()
        raise
    finally:
        _free.release()
    return [outcome() for outcome in outcomes]


def spread(function: Callable[[np.ndarray], _T], parts: int) -> _T:
    """`function(tasks)`: it runs so many parts, one itself, others through the rows of `tasks`.

    There is one row (int64) for each worker, awake and waiting, that looks there for compiled code
    (see `look_by`); none where there is one part, or the pool is at work. What no worker has taken
    in time `function` does itself.
    """
    if parts == 1 or not _free.acquire(blocking=False):
        return function(_tasks[:0])
    try:
        for worker in _workers(parts - 1):
            worker.wake()
        with blas_on_one_thread():
            return function(_tasks[: parts - 1])
    finally:
        _free.release()


def look_by(look: Callable[[np.ndarray, np.ndarray], None]) -> None:
    """Threads that wait call `look(cells, task)` instead of NumPy, from now on.

    It returns a few microseconds after the first of the cells is true, or after a millisecond in
    which neither that happened nor there was anything in `task`, which it did.
    """
    global _look
    _look = look


class _Signal:
    """What one thread gives and another waits for: awake for a while, then asleep.

    To wake a thread that sleeps takes as long as a product of small matrices. To stay awake, NumPy
    looks at the same cells over and over, without the interpreter's lock: row by row of a view
    without strides, each of which ends at the first true cell. The last row looks at a cell that
    is never true: who gave the signal needs these microseconds to let go of the lock itself.
    """

    def __init__(self, task: np.ndarray) -> None:
        self._task = task
        self._cells = np.zeros(_ROWS + 1, bool)
        self._looks = as_strided(self._cells, (_ROWS + 1, _LOOKS), (1, 0), writeable=False)
        self._seen = np.empty(_ROWS + 1, bool)
        self._guard, self._awake = threading.Lock(), threading.Lock()
        self._awake.acquire()
        self.asleep = False

    def give(self) -> None:
        """Let the thread that waits, or will wait, go on."""
        with self._guard:
            self._cells[:_ROWS] = True
            asleep, self.asleep = self.asleep, False
        if asleep:
            self._awake.release()

    def wait(self) -> None:
        """Return when the signal is given; it is taken away."""
        if _look is None:
            np.logical_or.reduce(self._looks, axis=1, out=self._seen)
        else:
            _look(self._cells, self._task)
        with self._guard:
            given = bool(self._cells[0])
            self.asleep = not given
        if not given:
            self._awake.acquire()
        with self._guard:
            self._cells[:_ROWS] = False


class _Worker:
    """A thread that computes one thing at a time: two signals hand it over and back.

    What a `ThreadPoolExecutor` needs for that takes as long as a small product of matrices.
    """

    def __init__(self, number: int):
        row = _tasks[number - 1] if number <= len(_tasks) else _no_task
        self._begin, self._done = _Signal(row), _Signal(_no_task)
        self._task: Any = None
        self._result: Any = None
        threading.Thread(target=self._loop, name=f"layerkit-{number}", daemon=True).start()

    def start(self, function: Callable[[Any], Any], part: Any) -> None:
        self._task = copy_context(), function, part  # the context holds NumPy's errstate
        self._begin.give()

    def finish(self) -> Callable[[], Any]:
        """Wait for the result; calling what is returned gives it, or raises what was raised."""
        self._done.wait()
        outcome, self._result = self._result, None  # nothing is kept alive until the next task
        return outcome

    def wake(self) -> None:
        """Let it look for tasks of compiled code, if it sleeps."""
        if self._begin.asleep:
            self._begin.give()

    def _loop(self) -> None:
        while True:
            self._begin.wait()
            task, self._task = self._task, None
            if task is not None:  # not woken alone
                self._result = _outcome(*task)
                del task
                self._done.give()


def _outcome(context: Context, function: Callable[[Any], Any], part: Any) -> Callable[[], Any]:
    try:
        result = context.run(function, part)
    except BaseException as error:
        raised = error

        def fail() -> Any:
            raise raised

        return fail
    return lambda: result


@contextmanager
def blas_on_one_thread() -> Iterator[None]:
    """BLAS computes on the calling thread alone in the `with` block; restored at its end."""
    global _holders, _limited
    with _lock:
        if not _holders:
            _limited = [(blas, blas.get_num_threads()) for blas in _blas()]
            for blas, _ in _limited:
                blas.set_num_threads(1)
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if not _holders:
                for blas, number in _limited:
                    blas.set_num_threads(number)


def blas_files() -> list[str]:
    """Paths of the BLAS libraries in this process: NumPy's, and those that others have loaded."""
    return [blas.filepath for blas in _blas()]


@cache
def _blas() -> list[Any]:
    """threadpoolctl's handles of the BLAS libraries that are loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


_free = threading.Lock()  # held while the workers have something to do
_pool: list[_Worker] = []
_tasks = np.zeros((255, 64), np.int64)  # a row for each worker, in cache lines of its own
_no_task = np.zeros_like(_tasks[0])
_look: Callable[[np.ndarray, np.ndarray], None] | None = None


def _workers(number: int) -> list[_Worker]:
    while len(_pool) < number:
        _pool.append(_Worker(len(_pool) + 1))
    return _pool[:number]


def _forget() -> None:
    """A child process has none of its parent's threads."""
    global _free
    _free = threading.Lock()
    _pool.clear()
    _tasks.fill(0)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
