"""What a step asks of the host: numbers that are others at every step, acts, and decisions.

A recorded step (see `replay`) runs again without Python, so whatever the host contributes goes
through here. When nothing is recorded these functions just call what they are given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol


class Recorder(Protocol):
    """Who wants to know what a step asks of the host."""

    records: bool  # whether nothing is computed now, but recorded

    def numbers(self, function: Callable[[], Any], dtype: str, count: int | None) -> Any:
        """What `per_step` gives."""

    def act(self, function: Callable[[], Any]) -> None:
        """What `each_step` does."""

    def effect(self, function: Callable[..., Any], tensors: Sequence[Any]) -> None:
        """What `effect` does."""

    def decide(self, function: Callable[[], Any]) -> Any:
        """What `decided` gives."""

    def meet(self, variable: Any) -> None:
        """Told of each variable before it is assigned."""

    def refuse(self, what: str) -> None:
        """Raises, if what only the host can do has no place in what is recorded."""


class _Local(threading.local):
    recorder: Recorder | None = None


_local = _Local()


def is_recording() -> bool:
    """Whether what is done now is recorded, to be computed at every replay."""
    return _local.recorder is not None and _local.recorder.records


def per_step(function: Callable[[], Any], dtype: str, count: int | None = None) -> Any:
    """`function()`, a number that may be another one at every step; `count`: a tuple of so many.

    While a step is recorded: arrays of the device without dimensions, of `dtype` (of at most 64
    bits), which get the numbers of `function()` before every replay.
    """
    recorder = _local.recorder
    return function() if recorder is None else recorder.numbers(function, dtype, count)


def each_step(function: Callable[[], Any]) -> None:
    """Call `function`, which changes something on the host; of a recorded step, at every replay."""
    recorder = _local.recorder
    if recorder is None:
        function()
    else:
        recorder.act(function)


def effect(function: Callable[..., Any], *tensors: Any) -> None:
    """`function` of the tensors' arrays, which assigns variables by what no tape needs to know."""
    recorder = _local.recorder
    if recorder is None:
        function(*[x.array for x in tensors])
    else:
        recorder.effect(function, tensors)


def decided(function: Callable[[], Any]) -> Any:
    """`function()`, by which the step decides what to do next.

    A recorded step is replayed only where all such functions give, before the step, what they gave
    when it was recorded.
    """
    recorder = _local.recorder
    return function() if recorder is None else recorder.decide(function)


def meet(variable: Any) -> None:
    """Called by a variable before it is assigned."""
    recorder = _local.recorder
    if recorder is not None:
        recorder.meet(variable)


def host_only(what: str) -> None:
    """Called before the host does `what`; raises RuntimeError while a step is recorded."""
    recorder = _local.recorder
    if recorder is not None:
        recorder.refuse(what)


@contextmanager
def recorded_by(recorder: Recorder | None) -> Iterator[None]:
    """In the `with` block, this thread's steps tell `recorder` what they ask of the host."""
    outer, _local.recorder = _local.recorder, recorder
    try:
        yield
    finally:
        _local.recorder = outer


class _Symbolic:
    """A recorder that records nothing, and leaves out effects."""

    records = False

    def numbers(self, function: Callable[[], Any], dtype: str, count: int | None) -> Any:
        return function()

    def act(self, function: Callable[[], Any]) -> None:
        function()

    def effect(self, function: Callable[..., Any], tensors: Sequence[Any]) -> None:
        pass

    def decide(self, function: Callable[[], Any]) -> Any:
        return function()

    def meet(self, variable: Any) -> None:
        pass

    def refuse(self, what: str) -> None:
        pass


class SymbolicScope:
    """In the `with` block things run only to see shapes and dtypes: `effect` does nothing."""

    def __enter__(self) -> SymbolicScope:
        self._outer, _local.recorder = _local.recorder, _Symbolic()
        return self

    def __exit__(self, *exception: Any) -> None:
        _local.recorder = self._outer


def in_symbolic_scope() -> bool:
    """Whether what runs now is in a SymbolicScope, and nothing of it should be kept."""
    return isinstance(_local.recorder, _Symbolic)
