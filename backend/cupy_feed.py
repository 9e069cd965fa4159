"""How batches reach a GPU: from a copy of all data there, or through a ring of pinned buffers.

Data that takes no more than a quarter of the device's free memory goes there once and each batch is
gathered there. Other data is gathered batch by batch into pinned memory and sent by a stream of its
own, while the device computes with the batch before. Either way a batch is made of new arrays: who
keeps one keeps its values. The host waits for the device only where a pinned buffer is needed again
before its last copy is over.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator
from math import prod
from typing import Any

import numpy as np

from .base import Backend, batch_rows

_SHARE = 4  # the data may take one part in so many of the free memory
_BLOCK_BYTES = 2**24  # sent at a time: CuPy stages each transfer in pinned memory of its size
_SLOTS = 2  # one is computed with while the next is filled

Feeder = Callable[[Any], Iterator[list[Any]]]


def feeder(backend: Backend, arrays: list[np.ndarray], batch_size: int) -> Feeder:
    """As `Backend.feeder`: `resident` where the data fits, else `streamed`."""
    fits = _SHARE * sum(a.nbytes for a in arrays) <= _room(backend.xp)
    return (resident if fits else streamed)(backend, arrays, batch_size)


def resident(backend: Backend, arrays: list[np.ndarray], batch_size: int) -> Feeder:
    """All data on the device, in its own dtypes; of an epoch, only the order is sent."""
    whole = [_sent(backend, a) for a in arrays]

    def epoch(order: Any) -> Iterator[list[Any]]:
        size, take = len(arrays[0]), backend.xp.take
        order = None if order is None else backend.asarray(order)
        for rows in batch_rows(size, batch_size, order):
            if order is None:  # copied, so that a batch begins where kernels like it to
                yield [a[rows].copy() for a in whole]
            else:
                yield [take(a, rows, axis=0) for a in whole]

    return epoch


def streamed(backend: Backend, arrays: list[np.ndarray], batch_size: int) -> Feeder:
    """Batches through a ring of buffers, which epochs that end hand on to the next."""
    size = len(arrays[0])
    idle: list[Ring] = []  # an epoch has a ring to itself: two may run at a time

    def epoch(order: Any) -> Iterator[list[Any]]:
        ring = idle.pop() if idle else Ring(backend.xp, arrays, min(batch_size, size))
        yield from ring.batches(batch_rows(size, batch_size, order))
        idle.append(ring)  # one that was left in the middle is given up

    return epoch


class Ring:
    """Slots that are filled, sent and emptied in turn, and the stream of their copies."""

    def __init__(self, cp: Any, arrays: list[np.ndarray], rows: int):
        self._arrays = arrays
        self._copies = cp.cuda.Stream(non_blocking=True)  # not held up by the default stream
        self._slots = [Slot(cp, arrays, rows) for _ in range(_SLOTS)]
        # Pools hand out at once what is given back to them: no copy may be under way then.
        weakref.finalize(self, self._copies.synchronize).atexit = False

    def batches(self, rows: Iterable[Any]) -> Iterator[list[Any]]:
        """The batches of these rows, each sent before the one ahead of it is given out."""
        ahead: Slot | None = None
        for slot, part in zip(itertools.cycle(self._slots), rows, strict=False):
            slot.send(self._arrays, part, self._copies)
            if ahead is not None:
                yield ahead.receive()
            ahead = slot
        if ahead is not None:
            yield ahead.receive()


class Slot:
    """Room for one batch in pinned memory and on the device, and how far work there has come."""

    def __init__(self, cp: Any, arrays: list[np.ndarray], rows: int):
        self._current_stream = cp.cuda.get_current_stream
        self._pinned = [_pinned(cp, (rows, *a.shape[1:]), _native(a)) for a in arrays]
        self._device = [cp.empty(a.shape, a.dtype) for a in self._pinned]
        self._count = 0
        self._copied, self._emptied = (cp.cuda.Event(disable_timing=True) for _ in range(2))
        self._emptied.record(self._current_stream())  # until here, others may use that memory

    def send(self, arrays: list[np.ndarray], rows: Any, copies: Any) -> None:
        """Gather a batch and queue its copy to the device on the stream `copies`."""
        self._copied.synchronize()  # the one wait of the host
        copies.wait_event(self._emptied)
        for array, pinned, device in zip(arrays, self._pinned, self._device, strict=True):
            self._count = _gather(array, rows, pinned)
            device[: self._count].set(pinned[: self._count], stream=copies)
        self._copied.record(copies)

    def receive(self) -> list[Any]:
        """The batch in arrays of its own; what is queued from now on finds it there."""
        stream = self._current_stream()
        stream.wait_event(self._copied)
        batch = [device[: self._count].copy() for device in self._device]
        self._emptied.record(stream)
        return batch


def _room(cp: Any) -> int:
    """Bytes that new arrays can have: the device's, and the pool's that no array uses."""
    pool = cp.get_default_memory_pool()
    free = cp.cuda.runtime.memGetInfo()[0] + pool.free_bytes()
    limit = pool.get_limit()
    return min(free, limit - pool.used_bytes()) if limit else free


def _sent(backend: Backend, array: np.ndarray) -> Any:
    """`array` on the device, sent block by block."""
    whole = backend.xp.empty(array.shape, _native(array))
    step = max(1, _BLOCK_BYTES // max(1, array[:1].nbytes))
    for rows in batch_rows(len(array), step):
        whole[rows] = backend.asarray(array[rows])
    return whole


def _pinned(cp: Any, shape: tuple, dtype: Any) -> np.ndarray:
    """A new array in pinned memory, filled with anything."""
    size = prod(shape) * dtype.itemsize
    return np.ndarray(shape, dtype, cp.cuda.alloc_pinned_memory(max(1, size)))


def _native(array: np.ndarray) -> np.dtype:
    return array.dtype.newbyteorder("=")


def _gather(array: np.ndarray, rows: Any, out: np.ndarray) -> int:
    """Write `array[rows]` into the first rows of `out`; returns how many there are."""
    is_slice = isinstance(rows, slice)
    count = rows.stop - rows.start if is_slice else len(rows)
    if is_slice or not array.flags.c_contiguous:  # of which `take` would copy all first
        out[:count] = array[rows]
    else:  # the mode 'raise' would go by way of a new array
        np.take(array, rows, axis=0, out=out[:count], mode="clip")
    return count
