"""Writing at indices: updates of slices and of single places, and reductions by segment.

Places are given by tensors of integers; several updates of one place are combined as said.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..allowance import check_sample
from ..autodiff import convert_to_tensor, primitive, remembered
from ..registry import backend_of, namespace
from . import reductions
from .elementwise import greater_equal, less, logical_and, where
from .shape import expand_dims, full

__all__ = [
    "scatter",
    "scatter_update",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "slice_update",
]

Shape = tuple[int, ...] | list[int]


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """`inputs` with `updates` (of the same rank) written over the slice that starts there.

    `start_indices`: one int per axis; a slice that would not fit is moved until it does.
    """
    inputs, updates = convert_to_tensor(inputs), convert_to_tensor(updates)
    return _slice_update(inputs, updates, slices(start_indices, updates.shape, inputs.shape))


def slices(start_indices: Any, shape: Shape, whole: Shape) -> tuple[slice, ...]:
    """The index of the slice of `shape` at `start_indices`, moved to fit into `whole`.

    ValueError where the ranks differ, or `whole` is smaller.
    """
    starts = [int(start) for start in start_indices]
    if not len(starts) == len(shape) == len(whole) or any(
        n > limit for n, limit in zip(shape, whole, strict=True)
    ):
        raise ValueError(
            "A slice needs one start index and one length for each axis, and no length beyond the "
            f"tensor's. Received: start_indices={starts}, shape={tuple(shape)}, for a tensor of "
            f"shape {tuple(whole)}"
        )
    fitting = [
        min(max(start, 0), limit - n) for start, n, limit in zip(starts, shape, whole, strict=True)
    ]
    return tuple(slice(start, start + n) for start, n in zip(fitting, shape, strict=True))


@primitive
def _slice_update(x: Any, updates: Any, /, key: tuple[slice, ...]) -> tuple:
    y = x.copy()
    y[key] = updates

    def of_x(g: Any) -> Any:
        g = g.copy()
        g[key] = 0
        return g

    return y, of_x, lambda g: g[key]


def scatter(indices: Any, values: Any, shape: Shape) -> Any:
    """Zeros of `shape` with `values` added at `indices`.

    `indices`: integers (..., k), each a place in the first k axes. `values`: (..., *shape[k:]).
    """
    return _scatter(values, indices, tuple(int(n) for n in shape))


@primitive
def _scatter(values: Any, indices: Any, /, shape: tuple[int, ...]) -> tuple:
    key = _places(indices)
    check_sample(shape, values.dtype)
    like = namespace(values).empty(shape, values.dtype)
    return backend_of(values).scatter_add(like, key, values), lambda g: g[key]


def _places(indices: Any) -> tuple:
    return tuple(indices[..., i] for i in range(indices.shape[-1]))


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """`inputs` with `updates` written at `indices`, as they are or combined with what was there.

    `indices`: integers (n, k), each a place in the first k axes; `updates`: (n, *shape[k:]).
    `reduction`: None (of several updates of one place one stays), 'add', 'max', 'min', 'mul'; on
    CuPy there is no 'mul'. Equal extremes share the gradient. ValueError for other reductions.
    """
    reduction = None if reduction is None else reduction.lower()
    if reduction not in _UPDATES:
        raise ValueError(
            f"Invalid reduction: {reduction}. Supported values are: None, 'add', 'max', 'min', "
            "'mul'."
        )
    return _UPDATES[reduction](inputs, indices, updates)


@primitive
def _set_at(x: Any, indices: Any, updates: Any, /) -> tuple:
    key, y = _places(indices), x.copy()
    y[key] = updates

    def of_x(g: Any) -> Any:
        g = g.copy()
        g[key] = 0
        return g

    return y, of_x, None, lambda g: g[key]


@primitive
def _add_at(x: Any, indices: Any, updates: Any, /) -> tuple:
    key = _places(indices)
    y = x + backend_of(x).scatter_add(x, key, updates.astype(x.dtype, copy=False))
    return y, lambda g: g, None, lambda g: g[key]


@primitive
def _max_at(x: Any, indices: Any, updates: Any, /) -> tuple:
    return _extreme_at("maximum", x, _places(indices), updates)


@primitive
def _min_at(x: Any, indices: Any, updates: Any, /) -> tuple:
    return _extreme_at("minimum", x, _places(indices), updates)


def _extreme_at(name: str, x: Any, key: tuple, updates: Any) -> tuple:
    y = x.copy()
    getattr(namespace(x), name).at(y, key, updates.astype(x.dtype, copy=False))

    def share(g: Any) -> Any:
        reached = (updates == y[key]).astype(g.dtype)
        return g / ((x == y) + backend_of(g).scatter_add(g, key, reached))

    return (
        y,
        lambda g: share(g) * (x == y),
        None,
        lambda g: share(g)[key] * (updates == y[key]),
    )


@primitive
def _multiply_at(x: Any, indices: Any, updates: Any, /) -> tuple:
    key, xp = _places(indices), namespace(x)
    updates = updates.astype(x.dtype, copy=False)
    y = x.copy()
    xp.multiply.at(y, key, updates)

    @remembered
    def factors() -> tuple:
        """Of each place: the product of the factors that are not 0, and how many are."""
        nonzero = xp.where(x == 0, 1, x)
        xp.multiply.at(nonzero, key, xp.where(updates == 0, 1, updates))
        zeros = backend_of(x).scatter_add(x, key, (updates == 0).astype(x.dtype))
        return nonzero, zeros + (x == 0)

    def without(factor: Any, nonzero: Any, zeros: Any) -> Any:
        """The product of the others: 0 unless the factor has the only zero, if there is one."""
        return xp.where(zeros == (factor == 0), nonzero / xp.where(factor == 0, 1, factor), 0)

    return (
        y,
        lambda g: g * without(x, *factors()),
        None,
        lambda g: g[key] * without(updates, *(each[key] for each in factors())),
    )


_UPDATES = {None: _set_at, "add": _add_at, "max": _max_at, "min": _min_at, "mul": _multiply_at}


# Segments: rows of `data` with the same id. Ids outside of [0, num_segments) are left out.


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """The sum of the rows of each segment, 0 of none.

    `data`: (n, ...); `segment_ids`: (n,), the number of each row's segment. Result: (num_segments,
    ...); None for the largest id plus 1.
    """
    data, ids, count = _segments(data, segment_ids, num_segments)
    return scatter(ids, data, (count + 1, *data.shape[1:]))[:count]


def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """The product of the rows of each segment, 1 of none; not on CuPy. Else as `segment_sum`."""
    return _reduced("mul", 1, data, segment_ids, num_segments)


def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """The maximum of the rows of each segment, the least number of none. Else as `segment_sum`."""
    lowest = _limits(convert_to_tensor(data).dtype)[0]
    return _reduced("max", lowest, data, segment_ids, num_segments)


def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """The minimum of the rows of each segment, the greatest number of none. Else as
    `segment_sum`."""
    highest = _limits(convert_to_tensor(data).dtype)[1]
    return _reduced("min", highest, data, segment_ids, num_segments)


def _limits(dtype: np.dtype) -> tuple:
    if dtype.kind == "f":
        return -np.inf, np.inf
    return np.iinfo(dtype).min, np.iinfo(dtype).max


def _reduced(
    reduction: str, empty: Any, data: Any, segment_ids: Any, num_segments: int | None
) -> Any:
    data, ids, count = _segments(data, segment_ids, num_segments)
    start = full((count + 1, *data.shape[1:]), empty, data.dtype)
    return scatter_update(start, ids, data, reduction)[:count]


def _segments(data: Any, segment_ids: Any, num_segments: int | None) -> tuple:
    """Rows, the places (n, 1) of their segments, those to leave out behind the last, and how many
    segments there are."""
    data, ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
    if ids.ndim != 1:
        raise ValueError(
            f"Argument `segment_ids` should be an 1-D vector, got shape: {ids.shape}. Flatten it, "
            "and the first axes of `data` with it."
        )
    if not data.ndim or len(data) != len(ids):
        raise ValueError(
            "Argument `segment_ids` and `data` should have same leading dimension. "
            f"Got {ids.shape} v.s. {data.shape}."
        )
    if num_segments is None:
        num_segments = int(reductions.max(ids).item()) + 1 if len(ids) else 0
    known = logical_and(greater_equal(ids, 0), less(ids, num_segments))
    return data, expand_dims(where(known, ids, num_segments), -1), int(num_segments)
