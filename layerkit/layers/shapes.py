"""Shapes of what layers get and give: of one tensor, or of a structure of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import tree

from ..symbolic import KerasTensor, Shape


def shapes_of(x: Any) -> Any:
    """Shapes of a structure of tensors; the batch of arrays is a free axis."""

    def shape(leaf: Any) -> Any:
        if isinstance(leaf, KerasTensor) or leaf is None:
            return None if leaf is None else leaf.shape
        return (None, *leaf.shape[1:])

    return tree.map_structure(shape, x)


def with_rank_of(x: Any, shape: tuple) -> Any:
    """`x` with a last axis of one added or taken away where its rank asks for it, as in Keras."""
    of: Any = np if isinstance(x, np.ndarray) else K  # strings are NumPy arrays
    if x.ndim == len(shape) + 1 and x.shape[-1] == 1:
        return of.squeeze(x, axis=-1)
    if x.ndim == len(shape) - 1 and shape[-1] == 1:
        return of.expand_dims(x, axis=-1)
    return x


def as_shape(shape: Any) -> Any:
    """Lists from a file as the tuples that `build` gets: one shape, or a structure of shapes."""
    if isinstance(shape, dict):
        return {key: as_shape(item) for key, item in shape.items()}
    if any(isinstance(item, (list, tuple, dict)) for item in shape):
        return [as_shape(item) for item in shape]
    return tuple(shape)


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, (tuple, list)) and all(
        n is None or isinstance(n, (int, np.integer)) for n in shape
    )


def map_shapes(function: Callable, shapes: Any) -> Any:
    """`function` of each shape in nested lists, tuples and dicts of shapes."""
    if _is_shape(shapes):
        return function(shapes)
    if isinstance(shapes, dict):
        return {key: map_shapes(function, shape) for key, shape in shapes.items()}
    mapped = [map_shapes(function, shape) for shape in shapes]
    return tuple(mapped) if isinstance(shapes, tuple) else mapped


def pop_batch_input_shape(kwargs: dict[str, Any]) -> Shape | None:
    """The first layer's shape with its batch axis, from any of Keras's ways to say it."""
    if {"input_dim", "input_shape"} <= kwargs.keys():
        raise ValueError(
            "Give `input_shape` or `input_dim`, not both. Received: input_shape="
            f"{kwargs['input_shape']}, input_dim={kwargs['input_dim']}"
        )
    if "input_dim" in kwargs:
        kwargs["input_shape"] = (kwargs.pop("input_dim"),)
    if "input_shape" in kwargs:
        batch, shape = kwargs.pop("batch_size", None), kwargs.pop("input_shape")
        return (batch, *((shape,) if isinstance(shape, int) else shape))
    shape = kwargs.pop("batch_input_shape", None)
    return None if shape is None else tuple(shape)
