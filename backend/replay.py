"""Replay: a function recorded once on a device and run again from there, without Python.

The first run's kernels are captured with the arrays that they read and write; a replay copies new
inputs into the same arrays and launches all of it at once. Variables keep their places: what was
assigned while recording is copied back at the end, and a variable that somebody assigned since
comes back with its new value. What Python decided while recording stays as it was, but for what
goes through `recording`.
"""

from __future__ import annotations

import linecache
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from . import tree
from .autodiff import GradientTape, Tensor, Variable
from .base import Backend
from .recording import recorded_by


class NotReplayable(RuntimeError):
    """Says what in a function cannot be recorded, and where it is."""


class Rehearsal:
    """Collects the decisions of a run that is not recorded: only where they hold again does a
    later run do the same."""

    records = False

    def __init__(self) -> None:
        self.decisions: list[tuple[Callable[[], Any], Any]] = []

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """`function(*args)`; its decisions replace those collected before."""
        self.decisions = []
        with recorded_by(self):
            return function(*args)

    def holds(self) -> bool:
        """Whether the host would decide the same again."""
        return all(function() == value for function, value in self.decisions)

    def numbers(self, function: Callable[[], Any], dtype: str, count: int | None) -> Any:
        return function()

    def act(self, function: Callable[[], Any]) -> None:
        function()

    def effect(self, function: Callable[..., Any], tensors: Sequence[Tensor]) -> None:
        function(*[x.array for x in tensors])

    def decide(self, function: Callable[[], Any]) -> Any:
        value = function()
        self.decisions.append((function, value))
        return value

    def meet(self, variable: Variable) -> None: ...

    def refuse(self, what: str) -> None: ...


class Replay:
    """`function(inputs)` recorded on `backend`; calling it with other inputs runs it again.

    `inputs` and the result are structures of tensors; the result's arrays are overwritten by the
    next call. `variables`: the state that the function may change in place. Variables that it only
    assigns, or that its operations read, are found. Recording computes nothing and changes
    nothing. NotReplayable where the function waits for the device, copies from the host, assigns a
    variable of the host, or returns something else than tensors.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        inputs: Any,
        variables: Iterable[Variable],
        backend: Backend,
    ):
        self._backend = backend
        self._graph = backend.new_graph()
        with self._graph.memory():
            self._inputs = tree.map_structure(lambda x: Tensor(self._empty_like(x)), inputs)
        recording = _Recording(self._graph, backend.array_type)
        for variable in variables:
            recording.meet(variable)
        try:
            with self._graph.capture(), recorded_by(recording), recording:
                self._outputs = function(self._inputs)
                _check_outputs(self._outputs, backend.array_type)
                recording.write_back()
        except Exception as error:
            raise NotReplayable(f"{str(error).rstrip('.')}{_place(error, backend)}.") from error
        finally:
            recording.restore()
        self._acts, self._read = recording.acts, recording.read
        self._state, self._changed = recording.state(), recording.changed()

    def _empty_like(self, x: Tensor) -> Any:
        return self._backend.xp.empty(x.shape, x.dtype)

    def __call__(self, inputs: Any) -> Any:
        for place, x in zip(tree.flatten(self._inputs), tree.flatten(inputs), strict=True):
            place.array[...] = self._backend.asarray(x.array)
        for variable, array in self._state:
            if variable.array is not array:
                array[...] = variable.array
                variable.array = array
        self._graph.numbers.begin()
        for act in self._acts:
            act()
        self._graph.launch()
        for variable in self._changed:
            variable.version += 1
        return self._outputs


class _Recording(GradientTape):
    """What the host does at every replay, in order, and the variables met on the way.

    It is a tape that watches nothing, so that operations show it what they read.
    """

    records = True

    def __init__(self, graph: Any, array_type: Any):
        super().__init__()
        self._graph, self._array_type = graph, array_type
        self.acts: list[Callable[[], Any]] = []
        self.read: list[Any] = []  # arrays from outside, which a replay reads again
        self._made: dict[int, Any] = {}  # tensors that operations gave, while they live
        self._met: dict[int, tuple[Variable, Any, int]] = {}  # with their first array and version
        self._assigned: set[int] = set()

    # As a tape.

    def watches(self, x: Any) -> bool:
        return False

    def record(self, outputs: tuple[Tensor, ...], inputs: Sequence, vjps: Sequence) -> None:
        for x in inputs:
            if isinstance(x, Variable):
                self.meet(x)
            elif isinstance(x, Tensor) and id(x) not in self._made:
                self.read.append(x.array)
        for y in outputs:
            self._made[id(y)] = weakref.ref(y, partial(self._forget, id(y)))

    def _forget(self, key: int, _: Any) -> None:
        self._made.pop(key, None)

    # As a recorder.

    def numbers(self, function: Callable[[], Any], dtype: str, count: int | None) -> Any:
        held = self._graph.numbers
        places, arrays = held.new(dtype, count or 1)

        def send() -> None:
            values = function()
            for place, value in zip(places, values if count else (values,), strict=True):
                held.write(place, dtype, value)

        self.acts.append(send)
        return tuple(arrays) if count else arrays[0]

    def act(self, function: Callable[[], Any]) -> None:
        self.acts.append(function)

    def effect(self, function: Callable[..., Any], tensors: Sequence[Tensor]) -> None:
        function(*[x.array for x in tensors])  # its kernels are captured

    def decide(self, function: Callable[[], Any]) -> Any:
        with recorded_by(None):
            return function()  # as in the rehearsal

    def meet(self, variable: Variable) -> None:
        self._met.setdefault(id(variable), (variable, variable.array, variable.version))

    def refuse(self, what: str) -> None:
        raise RuntimeError(f"Only the host can do this: {what}.")

    # Variables.

    def write_back(self) -> None:
        """Let the values assigned to variables end where they were read from."""
        for variable, place, _ in self._met.values():
            if variable.array is place:
                continue
            if not isinstance(place, self._array_type):
                raise RuntimeError(
                    f"The variable '{variable.path}' lives on the host and was assigned, which a "
                    "replay would not repeat: assign it within "
                    "layerkit.backend.each_step(function)."
                )
            place[...] = variable.array
            self._assigned.add(id(variable))

    def changed(self) -> list[Variable]:
        """The variables that were assigned or changed in place."""
        return [v for v, _, _ in self._met.values() if id(v) in self._assigned]

    def state(self) -> list[tuple[Variable, Any]]:
        """The variables of the device, with the arrays that are read and written."""
        return [(v, a) for v, a, _ in self._met.values() if isinstance(a, self._array_type)]

    def restore(self) -> None:
        """Give all variables the array and the version that they had."""
        for variable, array, version in self._met.values():
            if variable.version != version:
                self._assigned.add(id(variable))
            variable.array, variable.version = array, version


def _check_outputs(outputs: Any, array_type: type) -> None:
    for leaf in tree.flatten(outputs):
        if isinstance(leaf, Variable) or leaf is None:
            continue
        if not isinstance(leaf, Tensor) or not isinstance(leaf.array, array_type):
            raise RuntimeError(
                "Results must be tensors of the device, or variables: a replay would give the "
                f"same value of the host for ever. Received {leaf!r} among {_shown(outputs)}."
            )


def _shown(outputs: Any) -> str:
    return str(sorted(outputs)) if isinstance(outputs, dict) else type(outputs).__name__


def _place(error: Exception, backend: Backend) -> str:
    """Where the error comes from: the last line before the backend or its array module."""
    step: TracebackType | None = error.__traceback__
    found = ""
    roots = {kind.__module__.partition(".")[0] for kind in backend.array_type.__mro__[:-1]}
    while step is not None and step.tb_next is not None:
        step = step.tb_next
        name = step.tb_frame.f_globals.get("__name__", "")
        if name.partition(".")[0] in roots or name.startswith(f"{__package__}."):
            break
        code, line = step.tb_frame.f_code, step.tb_lineno
        text = linecache.getline(code.co_filename, line).strip()
        found = f" ({Path(code.co_filename).name}:{line}, in {code.co_name}: {text})"
    return found
