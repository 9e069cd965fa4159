"""What happens before what: the fake computes in the order of the program, a GPU need not.

Streams and the host have vector clocks (C. Fidge, F. Mattern, 1988): of each stream, how much of
its work is over before theirs goes on. Events carry clocks from one to the other. Watched is memory
that a copy on a stream of its own has touched: whoever uses it without having waited for the one
before gets an AssertionError where the device might give old values, or new ones too early.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

Clock = dict[int, int]  # by the stream's pointer


class Block:
    """Watched memory on the device: who wrote to it last, and who read it since."""

    def __init__(self, written: tuple[int, int]):
        self.written = written
        self.read: Clock = {}


class Flight:
    """A copy from pinned memory that the host does not know to be over."""

    def __init__(self, order: Order, stream: int, time: int, memory: Any, place: slice):
        self.stream, self.time, self.place = stream, time, place
        self.seen = bytes(memory[place])
        self.memory = weakref.ref(memory, lambda _: order.given_back(self))

    def is_over_in(self, clock: Clock) -> bool:
        return clock.get(self.stream, 0) >= self.time


class Order:
    """The clocks of one machine, and what has gone wrong."""

    def __init__(self) -> None:
        self.current: list[Any] = []  # streams, the current one last
        self.born: dict[int, tuple[int, int]] = {}  # memory by its id: stream and time
        self.faults: list[str] = []
        self.captured: list[tuple[np.ndarray, bool]] | None = None  # what is used, and written
        self._clocks: dict[int, Clock] = {}
        self._host: Clock = {}
        self._blocks: dict[int, Block] = {}
        self._flights: list[Flight] = []

    def clock(self, stream: int) -> Clock:
        """What is over before the next work that the host gives to `stream`."""
        return _join(self._clocks.setdefault(stream, {stream: 1}), self._host)

    def now(self) -> tuple[int, int]:
        """The current stream, and its time."""
        stream = self.current[-1].ptr
        return stream, self._clocks[stream][stream] if stream in self._clocks else 1

    def record(self, stream: int) -> Clock:
        """The clock of an event: what is over when all work that `stream` has now is over."""
        self.check()
        clock = self.clock(stream)
        recorded = dict(clock)
        clock[stream] += 1
        return recorded

    def wait(self, stream: int, recorded: Clock) -> None:
        """What `stream` does from now on comes after the event."""
        self.check()
        _join(self.clock(stream), recorded)

    def host_waits(self, recorded: Clock) -> None:
        """What the host does from now on comes after the event."""
        self.check()
        _join(self._host, recorded)
        self._flights = [f for f in self._flights if not f.is_over_in(self._host)]

    def host_waits_for_all(self) -> None:
        for stream in self._clocks:
            self.host_waits(self.record(stream))

    def host_knows(self, recorded: Clock) -> bool:
        return all(self._host.get(stream, 0) >= time for stream, time in recorded.items())

    def copy(self, a: np.ndarray, memory: Any, place: slice, stream: int) -> None:
        """The device's `a` is about to be written by `stream`, from a part of pinned memory."""
        self.check()
        key = id(root(a))
        self._blocks.setdefault(key, Block(self.born.get(key, (stream, 0))))
        self.touch(a, True, stream)
        self._flights.append(Flight(self, stream, self.clock(stream)[stream], memory, place))

    def touch(self, a: np.ndarray, writes: bool, stream: int | None = None) -> None:
        """`a` is used by `stream` (None: the current one). AssertionError if that is too early.

        What is captured is used by the stream that the graph is launched on.
        """
        if self.captured is not None:
            self.captured.append((a, writes))
            return
        block = self._blocks.get(id(root(a))) if self._blocks else None
        if block is None:
            return
        stream = self.current[-1].ptr if stream is None else stream
        clock = self.clock(stream)
        before = [block.written, *(block.read.items() if writes else ())]
        for other, time in before:
            if other != stream and clock.get(other, 0) < time:
                did = "wrote to it" if (other, time) == block.written else "reads it"
                raise AssertionError(
                    f"Stream {stream:#x} {'writes to' if writes else 'reads'} memory and has not "
                    f"waited for stream {other:#x}, which {did}: wait_event is missing."
                )
        if writes:
            block.written, block.read = (stream, clock[stream]), {}
        else:
            block.read[stream] = clock[stream]

    def freed(self, key: int) -> None:
        """Memory of the device goes back to the pool, for work of the current stream to use."""
        self.born.pop(key, None)
        block = self._blocks.pop(key, None)
        if block is not None:
            stream, time = block.written
            if self.clock(self.current[-1].ptr).get(stream, 0) < time:
                self.faults.append("Memory of the device was given back while a copy wrote to it.")

    def given_back(self, flight: Flight) -> None:
        """Pinned memory goes back to the pool, for the host to use."""
        if flight in self._flights:
            self.faults.append("Pinned memory was given back while a copy was reading it.")

    def check(self) -> None:
        """AssertionError for pinned memory that changed too early, and for all `faults`."""
        for flight in self._flights:
            memory = flight.memory()
            if memory is not None and bytes(memory[flight.place]) != flight.seen:
                self.faults.append(
                    "Pinned memory was written to while a copy was reading it: the host has to "
                    "synchronize with an event that was recorded after the copy."
                )
        if self.faults:
            faults, self.faults, self._flights = self.faults, [], []
            raise AssertionError("\n".join(faults))


def root(array: np.ndarray) -> np.ndarray:
    """The array that owns the memory of `array`."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _join(clock: Clock, other: Clock) -> Clock:
    for stream, time in other.items():
        clock[stream] = max(clock.get(stream, 0), time)
    return clock
