"""Another shape or order of the same elements; joining, cutting and repeating."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.allowance import check_parts

from ...symbolic import KerasTensor, operation, spec_by_running
from ..strings import or_strings


def _broadcast_spec(x: KerasTensor, shape: Any) -> KerasTensor:
    """A free axis of `x` may have the size that `shape` says, or 1."""
    shape = tuple(shape)
    fits = len(x.shape) <= len(shape) and all(
        n in (m, 1, None) and m is not None
        for n, m in zip(x.shape[::-1], shape[::-1], strict=False)
    )
    if not fits:
        raise ValueError(
            f"Cannot broadcast shape {x.shape} to {shape}: counted from the last one, each axis "
            "must have the size of the target or 1, and the target's sizes must be known. Use "
            "ops.repeat, or add axes with ops.expand_dims."
        )
    return KerasTensor(shape, x.dtype)


_reshape = or_strings(K.reshape, np.reshape)


def _reshape_spec(x: KerasTensor, newshape: Any) -> Any:
    """Of free axes nobody knows how many elements they have: -1 is a free axis then."""
    shape = newshape if isinstance(newshape, (list, tuple)) else (newshape,)
    if None not in x.shape or list(shape).count(-1) > 1:
        return spec_by_running(_reshape, (x, newshape), {})
    return KerasTensor(tuple(None if n == -1 else n for n in shape), x.dtype)


broadcast_to = operation(K.broadcast_to, _broadcast_spec)
concatenate = operation(K.concatenate)
copy = operation(K.copy)
expand_dims = operation(or_strings(K.expand_dims, np.expand_dims))
flip = operation(K.flip)
moveaxis = operation(K.moveaxis)
ndim = operation(K.ndim)
pad = operation(K.pad)
ravel = operation(K.ravel)
repeat = operation(K.repeat)
reshape = operation(_reshape, _reshape_spec)
roll = operation(K.roll)
size = operation(K.size)
split = operation(K.split)
squeeze = operation(or_strings(K.squeeze, np.squeeze))
stack = operation(K.stack)
swapaxes = operation(K.swapaxes)
tile = operation(K.tile)
transpose = operation(K.transpose)
view = operation(K.view)


# Turning


@operation
def fliplr(x: Any) -> Any:
    """x with its second axis in reverse order. ValueError for a vector."""
    _expect_rank("fliplr", x, 2)
    return K.flip(x, 1)


@operation
def flipud(x: Any) -> Any:
    """x with its first axis in reverse order. ValueError for a scalar."""
    _expect_rank("flipud", x, 1)
    return K.flip(x, 0)


def _expect_rank(name: str, x: Any, rank: int) -> None:
    x = K.convert_to_tensor(x)
    if x.ndim < rank:
        raise ValueError(
            f"`{name}` requires input with {rank} or more dimensions. Received: x.shape={x.shape}"
        )


@operation
def rot90(array: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """A quarter turn from the first of two `axes` to the second, k times.

    ValueError for a vector, and for axes that are not two different ones.
    """
    array = K.convert_to_tensor(array)
    if array.ndim < 2:
        raise ValueError(
            f"Input array must have at least 2 dimensions. Received: array.shape={array.shape}"
        )
    if len(axes) != 2 or axes[0] % array.ndim == axes[1] % array.ndim:
        raise ValueError(f"Invalid axes: {axes}. Axes must be a tuple of two different dimensions.")
    first, second = axes
    if k % 4 == 0:
        return array
    if k % 4 == 2:
        return K.flip(array, (first, second))
    if k % 4 == 1:
        return K.swapaxes(K.flip(array, second), first, second)
    return K.flip(K.swapaxes(array, first, second), second)


# Joining


@operation
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """x1 and behind it x2 along `axis`; as one vector for None."""
    if axis is None:
        return K.concatenate([K.ravel(x1), K.ravel(x2)])
    return K.concatenate([x1, x2], axis)


@operation
def hstack(xs: Sequence[Any]) -> Any:
    """Tensors side by side along their second axis; vectors one behind the other."""
    xs = [_with_rank(x, 1) for x in xs]
    return K.concatenate(xs, axis=0 if xs[0].ndim == 1 else 1)


@operation
def vstack(xs: Sequence[Any]) -> Any:
    """Tensors one above the other along their first axis; vectors as rows."""
    return K.concatenate([_with_rank(x, 2) for x in xs], axis=0)


@operation
def dstack(xs: Sequence[Any]) -> Any:
    """Tensors behind one another along their third axis, which matrices and vectors get."""
    return K.concatenate([_with_rank(x, 3) for x in xs], axis=2)


def _with_rank(x: Any, rank: int) -> Any:
    """x with at least `rank` axes: a scalar (1, 1, 1), a vector (1, n, 1), a matrix (m, n, 1)."""
    x = K.convert_to_tensor(x)
    if x.ndim == 0 and rank > 0:
        x = K.reshape(x, (1,))
    if x.ndim == 1 and rank > 1:
        x = K.expand_dims(x, 0)
    return K.expand_dims(x, 2) if x.ndim == 2 and rank > 2 else x


@operation
def meshgrid(*x: Any, indexing: str = "xy") -> list:
    """The coordinates of a grid whose axes are the given vectors: one tensor for each.

    With 'ij' the i-th vector runs along the i-th axis; with 'xy' the first two are exchanged, as
    columns and rows of an image. ValueError for another `indexing`.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(
            f"Valid values for `indexing` are 'xy' and 'ij', but received {indexing!r}."
        )
    vectors = [K.ravel(v) for v in x]
    axes = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        axes[:2] = 1, 0
    shape = [vectors[axis].size for axis in axes]
    aligned = [[-1 if i == axis else 1 for i in range(len(axes))] for axis in axes]
    return [
        K.broadcast_to(K.reshape(v, along), shape)
        for v, along in zip(vectors, aligned, strict=True)
    ]


# Cutting


@operation
def array_split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list:
    """x cut along `axis`, into that many parts as equal as can be, or before each given index."""
    x = K.convert_to_tensor(x)
    if isinstance(indices_or_sections, int):
        check_parts(indices_or_sections)
        length, longer = divmod(x.shape[axis], indices_or_sections)
        starts = range(1, indices_or_sections)
        indices_or_sections = [i * length + min(i, longer) for i in starts]
    return K.split(x, indices_or_sections, axis)


@operation
def hsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list:
    """x cut along its second axis, a vector along its only one."""
    x = K.convert_to_tensor(x)
    return _split_along("hsplit", x, indices_or_sections, 0 if x.ndim == 1 else 1, rank=1)


@operation
def vsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list:
    """x cut along its first axis. ValueError for a vector."""
    return _split_along("vsplit", x, indices_or_sections, 0, rank=2)


@operation
def dsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list:
    """x cut along its third axis. ValueError where it has none."""
    return _split_along("dsplit", x, indices_or_sections, 2, rank=3)


def _split_along(name: str, x: Any, indices_or_sections: Any, axis: int, rank: int) -> list:
    x = K.convert_to_tensor(x)
    if x.ndim < rank:
        raise ValueError(
            f"`{name}` only works on arrays of at least {rank} dimension{'s'[: rank - 1]}. "
            f"Received array with shape {x.shape}."
        )
    return K.split(x, indices_or_sections, axis)
