"""Merge and merge of Keras 1: several models or tensors joined in one of these modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import layers
from ..models import Model
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
    inputs = [x for layer in layers for x in layer.inputs]
    return Model(inputs, merge(outputs, mode, concat_axis, dot_axes), name=name)


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
