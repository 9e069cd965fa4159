"""Finding, sorting into bins and counting. Indices are int32; only weights have gradients."""

from __future__ import annotations

from typing import Any

from ..allowance import check_sample
from ..autodiff import convert_to_tensor, primitive
from ..registry import backend_of, namespace
from . import elementwise, reductions
from .elementwise import promote, whole
from .shape import full_like

__all__ = [
    "argpartition",
    "bincount",
    "digitize",
    "isin",
    "nonzero",
    "searchsorted",
    "unique",
]


@primitive
def argpartition(x: Any, /, kth: Any, axis: int | None = -1) -> tuple:
    """Indices along `axis` (None: flattened) that put the `kth` smallest in its sorted place.

    Smaller elements come before it and larger ones behind, in no particular order.
    """
    if axis is None:
        x, axis = x.reshape(-1), -1
    return (namespace(x).argpartition(x, kth, axis=axis).astype("int32"),)


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each number occurs among the integers x >= 0, or the sum of their `weights`.

    `x`: (n,), or (rows, n) which are counted row by row. The last axis of the result has length
    max(x) + 1, `minlength` at least. int32 without weights. ValueError for negative numbers.
    """
    x = convert_to_tensor(x)
    if x.dtype.kind == "b":
        x = elementwise.cast(x, "int32")
    length = minlength
    if x.size:
        smallest, largest = int(reductions.min(x).item()), int(reductions.max(x).item())
        if smallest < 0:
            raise ValueError(
                f"bincount expects integers from 0 on; received {smallest} among them."
            )
        length = max(largest + 1, minlength)
    if weights is None:
        weights = full_like(x, 1, dtype="int32")
    return _weighted_counts(x, weights, length)


@primitive
def _weighted_counts(x: Any, weights: Any, /, length: int) -> tuple:
    backend = backend_of(x)
    check_sample((*x.shape[:-1], length), weights.dtype)
    like = backend.xp.empty((*x.shape[:-1], length), dtype=weights.dtype)
    place: Any = x
    if x.ndim == 2:
        place = (backend.xp.arange(len(x))[:, None], x)
    return backend.scatter_add(like, place, weights), None, lambda g: g[place]


def digitize(x: Any, bins: Any) -> Any:
    """The number of the bin of each x: how many of the rising edges `bins` are <= x."""
    return searchsorted(bins, x, side="right")


@primitive
def isin(x1: Any, x2: Any, /, invert: bool = False) -> tuple:
    """Whether each element of x1 is among those of x2; `invert`: is not."""
    x1, x2, xp = _both_arrays(x1, x2)
    x1, x2 = promote(whole(x1), whole(x2))
    if not x2.size:
        return (xp.full(x1.shape, invert),)
    known = xp.sort(x2.reshape(-1))
    place = xp.minimum(xp.searchsorted(known, x1), known.size - 1)
    return (known[place] != x1 if invert else known[place] == x1,)


def nonzero(x: Any) -> Any:
    """The indices of the elements that are not zero: a tuple of one vector per axis."""
    return elementwise.where(x)


@primitive
def searchsorted(sorted_sequence: Any, values: Any, /, side: str = "left") -> tuple:
    """Where to insert `values` into a rising vector: before equal elements, or behind ("right")."""
    sorted_sequence, values, xp = _both_arrays(sorted_sequence, values)
    return (xp.searchsorted(sorted_sequence, values, side=side).astype("int32"),)


@primitive
def unique(
    x: Any,
    /,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
) -> tuple:
    """The distinct elements of x in rising order, or its distinct slices along `axis`.

    As asked for, in this order: the index at which each first occurs, for every element the index
    of its value, and how often each occurs. NaNs count as different from one another.
    """
    xp = namespace(x)
    found = xp.unique(x, return_index, return_inverse, return_counts, axis, equal_nan=False)
    if not isinstance(found, tuple):
        return (found,)
    values, *indices = found
    indices = [index.astype("int32") for index in indices]
    if return_inverse:
        place = int(return_index)
        indices[place] = indices[place].reshape(x.shape if axis is None else (x.shape[axis],))
    return ((values, *indices),)


def _both_arrays(x1: Any, x2: Any) -> tuple:
    """Both as arrays, where one may be a number; and their array module."""
    xp = namespace(x1 if hasattr(x1, "dtype") else x2)
    return (*(x if hasattr(x, "dtype") else xp.full((), x) for x in (x1, x2)), xp)
