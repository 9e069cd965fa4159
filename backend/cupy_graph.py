"""CUDA graphs by CuPy: what a stream captured, the memory that it owns, the numbers that it reads.

Work is captured on a stream of its own and launched on the current one, in order with all other
work. Memory comes from a pool of the graph's own: a block that is free again after capturing is
written by every launch, so nobody else may get it.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

_SLOTS = 256  # numbers of 64 bits in one copy
_RING = 16  # launches that the host may be ahead of the device


class CupyGraph:
    """One capture on `stream`, to be launched as often as wanted."""

    def __init__(self, cp: Any, stream: Any):
        self._cp, self._stream = cp, stream
        self.pool = cp.cuda.MemoryPool()
        self._graph: Any = None
        self.numbers = HeldNumbers(cp)

    @contextmanager
    def memory(self) -> Iterator[None]:
        """In the `with` block, new arrays live in the graph's own memory."""
        with self._cp.cuda.using_allocator(self.pool.malloc):
            yield

    @contextmanager
    def capture(self) -> Iterator[None]:
        """In the `with` block, work is captured in the place of being done."""
        with self.memory(), self._stream:
            self._stream.begin_capture()
            try:
                yield
            except BaseException:
                with suppress(RuntimeError):  # a capture that was broken off says so again
                    self._stream.end_capture()
                raise
            self._graph = self._stream.end_capture()

    def launch(self) -> None:
        """Queue the captured work, after sending the numbers."""
        self.numbers.send()
        self._graph.launch()


class HeldNumbers:
    """Numbers on the device that the host sends anew, in one copy, before every launch.

    They live outside of the graph's memory, where captured work may write over whatever came after
    it, and belong to the stream that is current now.
    """

    def __init__(self, cp: Any):
        self._cp = cp
        self._stream = cp.cuda.get_current_stream()
        self._count = 0
        self._device: list[Any] = []  # arrays of _SLOTS numbers
        self._ring: deque[tuple[list[np.ndarray], Any]] = deque()  # pinned; and: it was sent
        # The pool of pinned memory hands out at once what is given back: no copy may read it then.
        weakref.finalize(self, _wait_for, self._ring).atexit = False

    def new(self, dtype: str, count: int) -> tuple[list[int], list[Any]]:
        """Places for `count` numbers, and the arrays without dimensions that read them."""
        places = list(range(self._count, self._count + count))
        self._count += count
        return places, [self._array(place, dtype) for place in places]

    def _array(self, place: int, dtype: str) -> Any:
        part, slot = divmod(place, _SLOTS)
        if part == len(self._device):
            everybodys = self._cp.get_default_memory_pool().malloc
            with self._stream, self._cp.cuda.using_allocator(everybodys):
                self._device.append(self._cp.empty(_SLOTS, "int64"))
        return self._device[part][slot : slot + 1].view(dtype)[0]

    def begin(self) -> None:
        """Make room for the numbers of one launch: the host's copy that was sent longest ago."""
        if len(self._ring) < _RING:
            pinned = [self._pinned() for _ in self._device]
            self._ring.append((pinned, self._cp.cuda.Event(disable_timing=True)))
            return
        self._ring.rotate(-1)
        _, sent = self._ring[-1]
        if not sent.done:
            sent.synchronize()

    def write(self, place: int, dtype: str, number: Any) -> None:
        """Let the next `send` give the place this number."""
        host, _ = self._ring[-1]
        part, slot = divmod(place, _SLOTS)
        host[part][slot : slot + 1].view(dtype)[0] = number

    def send(self) -> None:
        """Copy all numbers to the device, in order with the current stream."""
        stream = self._cp.cuda.get_current_stream()
        host, sent = self._ring[-1]
        for device, numbers in zip(self._device, host, strict=True):
            device.set(numbers, stream=stream)
        sent.record(stream)

    def _pinned(self) -> np.ndarray:
        return np.frombuffer(self._cp.cuda.alloc_pinned_memory(8 * _SLOTS), "int64", _SLOTS)


def _wait_for(ring: deque[tuple[list[np.ndarray], Any]]) -> None:
    """Wait until all that was sent has arrived."""
    for _, sent in ring:
        if not sent.done:
            sent.synchronize()
