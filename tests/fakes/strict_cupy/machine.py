"""The pretended GPU: its journal, its memory, its captures, and how NumPy does its work."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from .ordering import Clock, Order, root

POISON = {"f": np.nan, "c": np.nan, "V": np.nan, "b": True}  # V: bfloat16
_SCALARS = (bool, int, float, complex)
_DTYPES = "?bhilqBHILQefdFD"
_CAPTURING = "the current stream is capturing, so synchronous API calls are disallowed"
_NO_CUBLAS = "calling {} API during stream capture is currently unsupported"


class Journal:
    """What a training step should know about itself: each entry says what and where."""

    def __init__(self) -> None:
        self.syncs: list[str] = []  # the host waits for the device
        self.h2d: list[str] = []  # copies to the device
        self.d2h: list[str] = []  # copies to the host
        self.launches: list[str] = []  # of kernels given as CUDA text, and of graphs

    def clear(self) -> None:
        for entries in (self.syncs, self.h2d, self.d2h, self.launches):
            entries.clear()


class Machine:
    """The state behind one fake module."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.order = Order()
        self.allocations = 0  # how many blocks were ever handed out
        self.used_bytes = 0
        self.total_bytes = 0
        self.limit = 0
        self.live: dict[int, Any] = {}
        self.recording: list[Callable[[], Any]] | None = None  # the graph that is being captured
        self.references: dict[str, Callable[..., Any]] = {}
        self.executor: Callable[..., Any] | None = None
        self.array_type: type = object  # set by `make`

    # What costs time, or is forbidden in a captured stream.

    def sync(self, what: str, clock: Clock | None = None) -> None:
        """The host waits for an event with this clock, or for the current stream."""
        self.refuse_in_capture()
        self.journal.syncs.append(_located(what))
        self.order.host_waits(self.order.record(self.order.now()[0]) if clock is None else clock)

    def h2d(self, what: str) -> None:
        self.refuse_in_capture()
        self.journal.h2d.append(_located(what))

    def d2h(self, what: str) -> None:
        self.journal.d2h.append(_located(what))

    def library(self, name: str) -> None:
        """A call of cuBLAS or cuSOLVER, which CuPy refuses during capture."""
        if self.recording is not None:
            raise NotImplementedError(_NO_CUBLAS.format(name))

    def refuse_in_capture(self) -> None:
        if self.recording is not None:
            raise RuntimeError(_CAPTURING)

    # Computing.

    def compute(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`function` of NumPy over the arguments' memory; arrays come back as fake arrays.

        While a stream captures, nothing is computed: results are poison until a graph is launched.
        """
        args, kwargs = unwrap(self, args), {k: unwrap(self, v) for k, v in kwargs.items()}
        out = kwargs.get("out")

        def work() -> Any:
            with np.errstate(all="ignore"):
                return _no_scalars(function(*args, **kwargs))

        if self.recording is None:
            return self.wrap(work())
        if out is not None:
            self.recording.append(work)
            return self.wrap(out)
        result = work()
        self._record(work, result, (args, kwargs))
        return self.wrap(result)

    def mutate(self, work: Callable[[], Any]) -> None:
        """`work`, which changes arrays in place: now, or when the captured graph is launched."""
        if self.recording is not None:
            self.recording.append(work)
        else:
            with np.errstate(all="ignore"):
                work()

    def _record(self, work: Callable[[], Any], result: Any, inputs: Any) -> None:
        assert self.recording is not None
        kept = list(_arrays(result))
        new = [a for a in kept if not any(np.may_share_memory(a, b) for b in _arrays(inputs))]
        if not new:
            return  # a view: nothing to compute

        def replay() -> None:
            for a, b in zip(kept, _arrays(work()), strict=True):
                a[...] = b

        self.recording.append(replay)
        for a in new:
            poison(a)

    def block(self, pointer: int, nbytes: int) -> np.ndarray:
        """The array whose memory holds these bytes. AssertionError where none does.

        Whoever works on memory by its address holds on to that array until the work is done.
        """
        for finalizer in list(self.live.values()):
            alive = finalizer.peek()
            if alive is not None:
                array, start = alive[0], alive[0].ctypes.data
                if start <= pointer and pointer + nbytes <= start + array.nbytes:
                    return array
        raise AssertionError(f"{nbytes} bytes at {pointer:#x} lie in no array of the device")

    def wrap(self, result: Any) -> Any:
        """NumPy's arrays as fake arrays, inside tuples and lists too."""
        if isinstance(result, np.ndarray):
            return self.array_type._of(result)
        if isinstance(result, (tuple, list)):
            return (list if isinstance(result, list) else tuple)(map(self.wrap, result))
        return result

    def allocate(self, array: np.ndarray) -> None:
        """Counts the memory behind `array`, once, until it is freed."""
        array = root(array)
        if id(array) in self.live or not array.nbytes:
            return
        key, size = id(array), -(-array.nbytes // 512) * 512
        if self.limit and self.used_bytes + size > self.limit:
            raise MemoryError(f"Out of memory allocating {size:,} bytes (limit {self.limit:,}).")

        def free() -> None:
            self.used_bytes -= size
            self.live.pop(key, None)
            self.order.freed(key)

        self.live[key] = weakref.finalize(array, free)
        self.live[key].atexit = False
        self.order.born[key] = self.order.now()
        self.allocations += 1
        self.used_bytes += size
        self.total_bytes = max(self.total_bytes, self.used_bytes)


def unwrap(machine: Machine, x: Any) -> Any:
    """The memory of fake arrays, inside tuples and lists too. TypeError for arrays of NumPy."""
    if isinstance(x, machine.array_type):
        machine.order.touch(x._a, writes=False)  # type: ignore[attr-defined]
        return x._a  # type: ignore[attr-defined]
    if isinstance(x, np.ndarray):
        raise TypeError(f"Unsupported type {type(x)}")
    if isinstance(x, (tuple, list)):
        return type(x)(unwrap(machine, part) for part in x)
    return x


def check_operand(machine: Machine, x: Any) -> None:
    """TypeError unless a kernel of CuPy takes `x`: its own arrays, and plain scalars."""
    if isinstance(x, (machine.array_type, np.generic)) or type(x) in _SCALARS:
        return
    raise TypeError(f"Unsupported type {type(x)}")


def check_dtype(dtype: np.dtype) -> None:
    if dtype.char not in _DTYPES:
        raise ValueError(f"Unsupported dtype {dtype}")


def poison(array: np.ndarray) -> np.ndarray:
    """`array` filled with what no computation should ever read."""
    kind = array.dtype.kind
    array[...] = POISON[kind] if kind in POISON else np.iinfo(array.dtype).max - 1
    return array


def _no_scalars(result: Any) -> Any:
    """`result` with arrays of no dimension in the place of NumPy's scalars."""
    if isinstance(result, np.generic):
        return np.asarray(result)
    if isinstance(result, (tuple, list)):
        return (list if isinstance(result, list) else tuple)(map(_no_scalars, result))
    return result


def _arrays(nested: Any) -> Any:
    if isinstance(nested, np.ndarray):
        yield nested
    elif isinstance(nested, (tuple, list, dict)):
        for part in nested.values() if isinstance(nested, dict) else nested:
            yield from _arrays(part)


def _located(what: str) -> str:
    """`what`, and the three innermost places outside of this package that led to it."""
    frame, places = sys._getframe(2), []
    while frame is not None and len(places) < 3:
        name = frame.f_code.co_filename
        if "strict_cupy" not in name.split("/")[-2:-1]:
            places.append(f"{name.rsplit('/', 1)[-1]}:{frame.f_lineno}")
        frame = frame.f_back  # type: ignore[assignment]
    return f"{what} at {' < '.join(places)}"
