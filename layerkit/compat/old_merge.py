"""Merge and merge of Keras 1: several models or tensors joined in one of these modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from .. import layers
from ..models import Functional, Model, Sequential
from ..symbolic import KerasTensor

MODES = {
    "sum": layers.Add,
    "mul": layers.Multiply,
    "ave": layers.Average,
    "max": layers.Maximum,
    "concat": layers.Concatenate,
    "dot": layers.Dot,
    "cos": layers.Dot,
}


def merge(
    inputs: Sequence[KerasTensor],
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    name: str | None = None,
) -> Any:
    """The tensors joined: 'sum', 'mul', 'ave', 'max', 'concat', 'dot', 'cos', or a function."""
    return _layer(mode, concat_axis, dot_axes, name)(list(inputs))


def Merge(
    layers: Sequence[Any],  # noqa: A002
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    name: str | None = None,
) -> Any:
    """A model of the outputs of `layers` (models with inputs) joined, first in a Sequential."""
    unbuilt = [layer for layer in layers if not hasattr(layer, "inputs")]
    if unbuilt:
        raise ValueError(
            f"Merge expects models with an Input; received {unbuilt}: give their first layers an "
            "`input_shape`."
        )
    outputs = [layer.output for layer in layers]
    inputs = {id(x): x for layer in layers for x in layer.inputs}  # one that is shared comes once
    return Model(list(inputs.values()), merge(outputs, mode, concat_axis, dot_axes), name=name)


class MergedSequential(Functional):
    """What a Sequential becomes whose first layer is a Merge: it has several inputs."""

    def add(self, layer: Any) -> None:
        """Put a layer on top."""
        Functional.__init__(self, self.inputs, layer(self.output), name=self.name)


def let_sequentials_merge() -> None:
    """Let a Sequential begin with a Merge."""
    setattr(Sequential, "add", _merging(Sequential.add))  # noqa: B010


def _merging(add: Callable) -> Callable:
    @wraps(add)
    def added(self: Any, layer: Any) -> None:
        inputs = layer.inputs if isinstance(layer, Functional) else ()
        if self._layers or len(inputs) < 2:
            add(self, layer)
            return
        self.__class__ = MergedSequential
        Functional.__init__(self, inputs, layer.output, name=self.name)

    return added


def _layer(mode: Any, concat_axis: int, dot_axes: Any, name: str | None) -> Any:
    if callable(mode):
        return layers.Lambda(mode, name=name)
    if mode not in MODES:
        raise ValueError(f"merge knows the modes {sorted(MODES)}; received: mode={mode!r}")
    options: dict[str, Any] = {"name": name}
    if mode == "concat":
        options["axis"] = concat_axis
    if mode in ("dot", "cos"):
        options |= {"axes": dot_axes, "normalize": mode == "cos"}
    return MODES[mode](**options)
