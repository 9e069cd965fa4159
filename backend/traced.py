"""Traced: a function and its gradients as a list of kernels, run again without layers or tapes.

While the function runs for the first time, each operation is written down: its body, and where its
operands come from. Running the list again calls the same bodies in the same order, and from the
last to the first the vjps that they return: the same bits, without what Python does in between.
What Python decided on the way stays as it was. For backends whose arrays are NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import tree
from .autodiff import GradientTape, Tensor, Variable, fitted, traced_by
from .recording import recorded_by


def trace(
    function: Callable[..., tuple[Tensor | None, Any]],
    inputs: Sequence[Tensor],
    variables: Sequence[Variable],
) -> tuple[Any, list[Tensor | None], Traced | str]:
    """`function(*inputs) -> (target, others)`, run: others, gradients, and what was traced.

    `others` is a structure of tensors. The gradients of the tensor `target` are those of
    `variables`, None for one that it does not depend on; without a target there are none. Instead
    of a Traced comes the reason why there is none, where the function draws numbers on the host,
    reads values, asks for gradients, or assigns variables outside of `recording.effect`; the run
    itself is as good as any then.
    """
    notes = _Trace(inputs)
    with GradientTape() as tape, recorded_by(notes), traced_by(notes):
        target, others = function(*inputs)
    gradients = [] if target is None else tape.gradient(target, list(variables))
    given = tree.flatten(others) if target is None else [target, *tree.flatten(others)]
    if not all(id(y) in notes.places for y in given):
        notes.refuse("giving something that is no operation's result")
    if notes.reason is not None:
        return others, gradients, notes.reason
    pairs = zip(variables, gradients, strict=False)  # of what has one
    wanted = [None if g is None else notes.places[id(v)] for v, g in pairs]
    return others, gradients, Traced(notes, target, others, wanted)


class Traced:
    """A list of operations; see `trace`."""

    def __init__(self, notes: _Trace, target: Tensor | None, others: Any, wanted: list[int | None]):
        self._target = None if target is None else notes.places[id(target)]
        self._others = tree.map_structure(lambda y: notes.places[id(y)], others)
        self._wanted = wanted
        self._inputs, self._start, self._variables = notes.inputs, notes.start(), notes.variables
        self._forward = notes.steps
        _free_early(self._forward, [self._target, *tree.flatten(self._others)])
        self._backward = _steps_back(notes, self._target, self._wanted)

    def __call__(self, inputs: Sequence[Tensor]) -> tuple[Any, list[Tensor | None]]:
        """Others and gradients for `inputs` of the same shapes and dtypes."""
        registers = self._start.copy()
        registers[: self._inputs] = [x.array for x in inputs]
        for place, variable in self._variables:
            registers[place] = variable.array
        vjps: list[Any] = [step.run(registers) for step in self._forward]
        others = tree.map_structure(lambda place: Tensor(registers[place]), self._others)
        if self._target is None:
            return others, []
        gradients: list[Any] = [None] * len(registers)
        gradients[self._target] = np.ones_like(registers[self._target])
        for step in self._backward:
            step.run(vjps, gradients)
        found = [None if place is None else gradients[place] for place in self._wanted]
        return others, [None if g is None else Tensor(g) for g in found]


class _Step:
    """One operation: registers in, registers out."""

    def __init__(
        self,
        body: Callable[..., tuple],
        operands: list[int],
        options: dict[str, Any],
        results: list[int],
        used: list[int],
    ):
        self.body, self.operands, self.options, self.results = body, operands, options, results
        self.used = used  # numbers of the operands with a vjp
        self.freed: list[int] = []  # registers that no later step reads

    def run(self, registers: list) -> list:
        """Its vjps: the value stays in the registers alone, to be freed with them."""
        value, *vjps = self.body(*[registers[place] for place in self.operands], **self.options)
        values = value if isinstance(value, tuple) else (value,)
        for place, y in zip(self.results, values, strict=True):
            # Reductions of NumPy arrays give NumPy scalars; a register holds an array.
            registers[place] = np.asarray(y) if isinstance(y, np.generic) else y
        for place in self.freed:
            registers[place] = None
        return vjps


class _Vjp(NamedTuple):
    number: int  # of the operand
    place: int  # its register
    shape: tuple[int, ...]
    dtype: np.dtype


class _StepBack:
    """The vjps of one operation: gradients of its results in, of its operands out."""

    def __init__(self, index: int, results: list[int], vjps: list[_Vjp]):
        self.index, self.results, self.vjps = index, results, vjps

    def run(self, vjps: list, gradients: list) -> None:
        upstream = [gradients[place] for place in self.results]
        for place in self.results:
            gradients[place] = None
        own, vjps[self.index] = vjps[self.index], None  # frees the activations
        for number, place, shape, dtype in self.vjps:
            g, before = fitted(own[number](*upstream), shape, dtype), gradients[place]
            gradients[place] = g if before is None else before + g


class _Trace:
    """What is told of the first run: the recorder and the tracer of `trace`."""

    records = False

    def __init__(self, inputs: Sequence[Tensor]):
        self.reason: str | None = None  # why there will be no Traced: the first one
        self.inputs = len(inputs)
        self.steps: list[_Step] = []
        self.places: dict[int, int] = {}  # registers of tensors, by id
        self.variables: list[tuple[int, Variable]] = []
        self.arrays: list[Any] = []  # of the registers, as they were
        self._held: list[Any] = []  # alive, so that ids stay theirs
        self._constants: set[int] = set()
        self._drawn: dict[int, int] = {}  # registers of numbers that are others at every step
        self._assigned: set[int] = set()
        self._in_effect = False
        for x in inputs:
            self._new(x.array, x)

    def refuse(self, what: str) -> None:
        self.reason = self.reason or what

    def start(self) -> list:
        """The registers before the first step: the constants, and empty places."""
        return [x if i in self._constants else None for i, x in enumerate(self.arrays)]

    def _new(self, array: Any, thing: Any) -> int:
        place = self.places[id(thing)] = len(self.arrays)
        self.arrays.append(array)
        self._held.append(thing)
        return place

    def _constant(self, array: Any, thing: Any) -> int:
        place = self._new(array, thing)
        self._constants.add(place)
        return place

    # As a tracer.

    def note(
        self,
        body: Callable[..., tuple],
        inputs: Sequence,
        operands: Sequence,
        options: dict[str, Any],
        outputs: Sequence[Tensor],
        vjps: Sequence,
    ) -> None:
        """Write down an operation that has just run; operands beyond `inputs` are options."""
        if not all(isinstance(y.array, np.ndarray) for y in outputs):
            self.refuse("computing on a device")
        places = [self._operand(x, a) for x, a in zip(inputs, operands, strict=False)]
        places += [self._option(value) for value in operands[len(inputs) :]]
        self._options_by_name(options)
        results = [self._new(y.array, y) for y in outputs]
        used = [i for i, vjp in enumerate(vjps) if vjp is not None]
        self.steps.append(_Step(body, places, options, results, used))

    def _operand(self, x: Any, array: Any) -> int:
        if id(x) in self._assigned:
            self.refuse("reading a variable after it was assigned")
        place = self.places.get(id(x)) if isinstance(x, Tensor) else None
        if place is not None:
            return place
        if isinstance(x, Variable):
            place = self._new(array, x)
            self.variables.append((place, x))
            return place
        known = (a for i, a in enumerate(self.arrays) if i not in self._constants)
        if isinstance(array, np.ndarray) and any(np.may_share_memory(a, array) for a in known):
            self.refuse("taking an array out of its tensor")
        return self._constant(array, x)

    def _options_by_name(self, options: dict[str, Any]) -> None:
        if any(id(value) in self._drawn for value in options.values()):
            self.refuse("numbers of this step alone as an option by name")
        self._refuse_tensors(options)

    def _refuse_tensors(self, option: Any) -> None:
        """An option stays what it was, so nothing computed may be one: an index, for example."""
        for leaf in tree.flatten(option):
            if isinstance(leaf, Tensor) and id(leaf) in self.places:
                if self.places[id(leaf)] not in self._constants:
                    self.refuse("a tensor as an option of an operation")
            elif isinstance(leaf, Variable):
                self.refuse("a variable as an option of an operation")

    def _option(self, value: Any) -> int:
        drawn = self._drawn.get(id(value))
        if drawn is not None:
            return drawn
        self._refuse_tensors(value)
        return self._constant(value, value)

    # As a recorder.

    def numbers(self, function: Callable[[], Any], dtype: str, count: int | None) -> Any:
        value = function()
        if count is None:
            self.refuse("a number of this step alone")
        else:
            place = self._drawn[id(value)] = self._new(value, value)
            self.steps.append(_Step(lambda: ((function(),),), [], {}, [place], []))
        return value

    def act(self, function: Callable[[], Any]) -> None:
        self.effect(function, ())

    def effect(self, function: Callable[..., Any], tensors: Sequence[Tensor]) -> None:
        def body(*arrays: Any) -> tuple:
            function(*arrays)
            return ((),)

        places = [self._operand(x, x.array) for x in tensors]
        self.steps.append(_Step(body, places, {}, [], []))
        self._in_effect = True
        body(*[x.array for x in tensors])
        self._in_effect = False

    def decide(self, function: Callable[[], Any]) -> Any:
        self.refuse("a decision of this step alone")
        return function()

    def meet(self, variable: Variable) -> None:
        if not self._in_effect:
            self.refuse(f"assigning variable '{variable.path}'")
        self._assigned.add(id(variable))


def _free_early(steps: list[_Step], kept: Sequence[int | None]) -> None:
    """Let each step forget what no later one reads; closures of vjps keep what they need."""
    seen = set(kept)
    for step in reversed(steps):
        last = {*step.operands, *step.results} - seen
        step.freed = sorted(last)
        seen |= last


def _steps_back(notes: _Trace, target: int | None, wanted: list[int | None]) -> list[_StepBack]:
    """What `GradientTape.gradient` would do, in its order."""
    needed = {place for place in wanted if place is not None}
    for step in notes.steps:
        if any(step.operands[i] in needed for i in step.used):
            needed.update(step.results)
    found, back = {target}, []
    for index, step in reversed(list(enumerate(notes.steps))):
        if not found.intersection(step.results):
            continue
        vjps = []
        for i in step.used:
            place = step.operands[i]
            if place in needed:
                array = notes.arrays[place]
                vjps.append(_Vjp(i, place, array.shape, array.dtype))
        found.update(vjp.place for vjp in vjps)
        back.append(_StepBack(index, step.results, vjps))
    return [step for step in back if step.vjps]
