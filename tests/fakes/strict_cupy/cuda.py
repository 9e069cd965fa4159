"""`cupy.cuda`: streams that capture graphs, events, memory pools, pinned memory, one device."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from .machine import Machine
from .ordering import Clock

_TOTAL = 139 * 2**30  # bytes: what the pretended device has
_SYNC_OPERATIONS = ("deviceSynchronize", "streamSynchronize", "eventSynchronize", "memcpy")


class CUDARuntimeError(RuntimeError):
    """As the real one: an error of the CUDA runtime."""


class Memory:
    """A block: its first address, its size, and its bytes as NumPy sees them."""

    def __init__(self, cells: np.ndarray):
        self.cells, self.ptr, self.size = cells, cells.ctypes.data, cells.nbytes
        self.device_id = 0


class MemoryPointer:
    """A place in a block of memory."""

    device_id = 0

    def __init__(self, mem: Memory, offset: int):
        self.mem, self.ptr = mem, mem.ptr + offset

    @classmethod
    def _of(cls, a: np.ndarray) -> MemoryPointer:
        root = a
        while isinstance(root.base, np.ndarray):
            root = root.base
        cells = root.ravel("K").view(np.uint8) if root.ndim else root.reshape(1).view(np.uint8)
        if not np.shares_memory(cells, root) and root.size:
            raise RuntimeError("strict_cupy: memory with gaps has no pointer")
        return cls(Memory(cells), a.ctypes.data - root.ctypes.data)

    def __add__(self, offset: int) -> MemoryPointer:
        return MemoryPointer(self.mem, self.ptr - self.mem.ptr + offset)

    def __sub__(self, offset: int) -> MemoryPointer:
        return self + -offset

    def __int__(self) -> int:
        return self.ptr

    def _cells(self, size: int) -> np.ndarray:
        start = self.ptr - self.mem.ptr
        return self.mem.cells[start : start + size]

    def memset(self, value: int, size: int) -> None:
        self._cells(size)[...] = value

    def memset_async(self, value: int, size: int, stream: Any = None) -> None:
        self._cells(size)[...] = value

    def copy_from_device_async(self, src: MemoryPointer, size: int, stream: Any = None) -> None:
        self._cells(size)[...] = src._cells(size)


class PinnedMemoryPointer(bytearray):
    """Host memory that `numpy.frombuffer` reads and writes."""

    @property
    def ptr(self) -> int:
        return np.frombuffer(self, np.uint8).ctypes.data

    @property
    def mem(self) -> PinnedMemoryPointer:
        return self

    def size(self) -> int:
        return len(self)

    @classmethod
    def _of(cls, a: np.ndarray) -> tuple[PinnedMemoryPointer, slice]:
        """The memory of `a`, and which part it is. AssertionError unless a copy can read there."""
        if not a.flags.c_contiguous:
            raise AssertionError(
                "A copy on a stream needs contiguous memory: CuPy copies it first."
            )
        memory: Any = a
        while isinstance(memory, (np.ndarray, memoryview)):
            memory = memory.base if isinstance(memory, np.ndarray) else memory.obj
        if not isinstance(memory, cls):
            raise AssertionError("A copy on a stream needs pinned memory, or the host may wait.")
        start = a.ctypes.data - memory.ptr
        return memory, slice(start, start + a.nbytes)


class MemoryPool:
    """Counts what arrays take; `malloc` gives bytes that are poison to floats."""

    def __init__(self, machine: Machine):
        self._machine = machine

    def malloc(self, size: int) -> MemoryPointer:
        cells = np.full(max(size, 1), 255, np.uint8)
        self._machine.allocate(cells)
        return MemoryPointer(Memory(cells), 0)

    def used_bytes(self) -> int:
        return self._machine.used_bytes

    def total_bytes(self) -> int:
        return self._machine.total_bytes

    def free_bytes(self) -> int:
        return self._machine.total_bytes - self._machine.used_bytes

    def n_free_blocks(self) -> int:
        return int(self.free_bytes() > 0)

    def free_all_blocks(self, stream: Any = None) -> None:
        self._machine.total_bytes = self._machine.used_bytes

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        if size is None and fraction is None:
            raise ValueError("Either `size` or `fraction` must be given.")
        self._machine.limit = int(size if size is not None else (fraction or 0) * _TOTAL)

    def get_limit(self) -> int:
        return self._machine.limit


class PinnedMemoryPool:
    def malloc(self, size: int) -> PinnedMemoryPointer:
        return PinnedMemoryPointer(b"\xff" * size)

    def free_all_blocks(self) -> None: ...

    def n_free_blocks(self) -> int:
        return 0


class Graph:
    """What a stream captured; `launch` computes it, into the arrays that capturing gave."""

    def __init__(self, machine: Machine, work: list[Callable[[], Any]], used: list):
        self._machine, self._work, self._used = machine, work, used
        self.graph = self.graphExec = id(self)

    def launch(self, stream: Any = None) -> None:
        self._machine.journal.launches.append(f"graph of {len(self._work)} operations")
        for array, writes in self._used:
            self._machine.order.touch(array, writes, None if stream is None else stream.ptr)
        with np.errstate(all="ignore"):
            for work in self._work:
                work()

    def upload(self, stream: Any = None) -> None: ...


def make_cuda(machine: Machine) -> Any:
    """The namespace `cupy.cuda` over `machine`."""
    pointers = itertools.count(0x1000, 0x10)
    current, order = machine.order.current, machine.order

    class Event:
        def __init__(
            self, block: bool = False, disable_timing: bool = False, interprocess: bool = False
        ):
            if interprocess and not disable_timing:
                raise ValueError("Timing must be disabled for interprocess events")
            self.ptr, self._timed = next(pointers), not disable_timing

        _clock: Clock | None = None  # of an event that was never recorded

        @property
        def done(self) -> bool:
            return self._clock is None or order.host_knows(self._clock)

        def record(self, stream: Any = None) -> None:
            self._clock = order.record((stream or current[-1]).ptr)

        def synchronize(self) -> None:
            if not self.done:
                machine.sync("Event.synchronize", self._clock)

    class Stream:
        null: Any
        ptds: Any

        def __init__(
            self,
            null: bool = False,
            non_blocking: bool = False,
            ptds: bool = False,
            priority: int | None = None,
        ):
            self.ptr = 0 if null else 2 if ptds else next(pointers)
            self.is_non_blocking, self.priority, self.device_id = non_blocking, priority or 0, 0

        done = True

        def __eq__(self, other: Any) -> bool:
            return isinstance(other, Stream) and self.ptr == other.ptr

        def __hash__(self) -> int:
            return self.ptr

        def __enter__(self) -> Any:
            current.append(self)
            return self

        def __exit__(self, *args: Any) -> None:
            current.pop()

        def __cuda_stream__(self) -> tuple[int, int]:
            return 0, self.ptr

        def use(self) -> Any:
            current[-1:] = [self]
            return self

        def synchronize(self) -> None:
            machine.sync("Stream.synchronize", order.record(self.ptr))

        def record(self, event: Any = None) -> Any:
            event = event or Event()
            event.record(self)
            return event

        def wait_event(self, event: Any) -> None:
            order.wait(self.ptr, event._clock or {})

        def launch_host_func(self, callback: Any, arg: Any) -> None:
            machine.mutate(lambda: callback(arg))

        def begin_capture(self, mode: Any = None) -> None:
            if self.ptr in (0, 1):
                raise RuntimeError("cannot capture on the default (legacy) stream")
            if machine.recording is not None:
                raise CUDARuntimeError("cudaErrorIllegalState: a capture is already under way")
            machine.recording, order.captured = [], []
            self._captures = True

        def end_capture(self) -> Graph:
            if machine.recording is None:
                raise CUDARuntimeError("cudaErrorIllegalState: no capture is under way")
            graph = Graph(machine, machine.recording, order.captured or [])
            machine.recording = order.captured = None
            self._captures = False
            return graph

        _captures = False

        def is_capturing(self) -> bool:
            return self._captures

    class Device:
        compute_capability = "90"
        pci_bus_id = "0000:00:00.0"

        def __init__(self, device: Any = None):
            self.id = int(device or 0)
            if self.id:
                raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *args: Any) -> None: ...

        def __int__(self) -> int:
            return self.id

        def __eq__(self, other: Any) -> bool:
            return isinstance(other, Device) and self.id == other.id

        def __hash__(self) -> int:
            return self.id

        def __repr__(self) -> str:
            return f"<CUDA Device {self.id}>"

        def use(self) -> Any:
            return self

        def synchronize(self) -> None:
            machine.sync("Device.synchronize")
            order.host_waits_for_all()

        @property
        def mem_info(self) -> tuple[int, int]:
            return _TOTAL - machine.used_bytes, _TOTAL

        @property
        def attributes(self) -> dict[str, int]:
            return {"MultiProcessorCount": 132, "WarpSize": 32, "MaxThreadsPerBlock": 1024}

    Stream.null, Stream.ptds = Stream(null=True), Stream(ptds=True)
    current.append(Stream.null)
    pool, pinned = MemoryPool(machine), PinnedMemoryPool()
    allocators: list[Any] = [pool.malloc]

    @contextlib.contextmanager
    def using_allocator(allocator: Any = None) -> Iterator[None]:
        allocators.append(allocator or pool.malloc)
        try:
            yield
        finally:
            allocators.pop()

    class OwnPool(MemoryPool):
        def __init__(self, allocator: Any = None):
            super().__init__(machine)

    OwnPool.__name__ = "MemoryPool"
    properties = {"name": b"strict fake over NumPy", "multiProcessorCount": 132, "warpSize": 32}
    properties |= {"totalGlobalMem": _TOTAL, "major": 9, "minor": 0, "sharedMemPerBlock": 49152}
    synchronizing = {n: lambda *args, _n=n: machine.sync(_n) for n in _SYNC_OPERATIONS}
    runtime = SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        is_hip=False,
        getDeviceCount=lambda: 1,
        getDevice=lambda: 0,
        setDevice=lambda device: Device(device) and None,
        getDeviceProperties=lambda device: properties,
        memGetInfo=lambda: Device().mem_info,
        runtimeGetVersion=lambda: 13000,
        driverGetVersion=lambda: 13000,
        streamIsCapturing=lambda ptr: machine.recording is not None and ptr == current[-1].ptr,
        streamCaptureModeGlobal=0,
        streamCaptureModeThreadLocal=1,
        streamCaptureModeRelaxed=2,
        memcpyHostToDevice=1,
        memcpyDeviceToHost=2,
        memcpyDeviceToDevice=3,
        **synchronizing,
    )
    return SimpleNamespace(
        Device=Device,
        Event=Event,
        Graph=Graph,
        Memory=Memory,
        MemoryPointer=MemoryPointer,
        MemoryPool=OwnPool,
        PinnedMemoryPointer=PinnedMemoryPointer,
        PinnedMemoryPool=PinnedMemoryPool,
        Stream=Stream,
        alloc=lambda size: allocators[-1](size),
        alloc_pinned_memory=pinned.malloc,
        get_allocator=lambda: allocators[-1],
        get_current_stream=lambda device_id=-1: current[-1],
        get_device_id=lambda: 0,
        get_elapsed_time=lambda start, end: 0.0,
        get_local_runtime_version=lambda: 13000,
        is_available=lambda: True,
        runtime=runtime,
        set_allocator=lambda allocator=None: allocators.append(allocator or pool.malloc),
        using_allocator=using_allocator,
        _pool=pool,
        _pinned_pool=pinned,
    )
