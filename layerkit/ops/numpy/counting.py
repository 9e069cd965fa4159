"""Counting: how often numbers occur, and how many fall into each bin."""

from __future__ import annotations

import math
from typing import Any

from layerkit import backend as K

from ...symbolic import operation
from .dtypes import as_float


@operation
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each number occurs among the integers x >= 0, or the sum of their `weights`.

    `x`: (n,), or (rows, n) which are counted row by row. The last axis of the result has length
    max(x) + 1, `minlength` at least. int32 without weights. ValueError for negative numbers, and
    for `sparse`.
    """
    if sparse:
        raise ValueError(
            "bincount expects sparse=False: layerkit has no sparse tensors; received sparse=True."
        )
    return K.bincount(x, weights, minlength)


@operation
def histogram(x: Any, bins: int = 10, range: tuple | None = None) -> tuple:
    """How many elements of the vector x fall into each of `bins` equal bins, and their edges.

    The bins cover `range`, a pair of numbers; without it they go from the smallest to the largest
    element. What lies outside is not counted; the last bin has both of its edges. Shapes (bins,)
    and (bins + 1,), both as floats and without derivative. TypeError or ValueError for another x,
    `bins` or `range`.
    """
    x = as_float(x)
    _check_histogram(x, bins, range)
    low, high = _limits(x) if range is None else range
    if not math.isfinite(low + high):
        raise ValueError(
            f"histogram expects finite limits; received [{low}, {high}]: give a finite `range`."
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = K.linspace(low, high, bins + 1, dtype=x.dtype)
    inside = K.logical_and(x >= edges[0], x <= edges[-1])
    places = K.clip(K.searchsorted(edges, x, "right") - 1, 0, bins - 1)
    return K.bincount(places, K.cast(inside, x.dtype), bins), edges


def _check_histogram(x: Any, bins: Any, range: Any) -> None:
    if not isinstance(bins, int):
        raise TypeError(f"Argument `bins` must be of type `int`. Received: bins={bins}")
    if bins < 1:
        raise ValueError(f"Argument `bins` should be a positive integer. Received: bins={bins}")
    if range is not None and (not isinstance(range, tuple) or len(range) != 2):
        raise ValueError(
            f"Argument `range` must be a tuple of two elements. Received: range={range}"
        )
    if range is not None and range[1] < range[0]:
        raise ValueError(
            f"The second element of `range` must be greater than the first. Received: range={range}"
        )
    if x.ndim != 1:
        raise ValueError(f"Input tensor must be 1-dimensional. Received: input.shape={x.shape}")


def _limits(x: Any) -> tuple[float, float]:
    return (K.min(x).item(), K.max(x).item()) if x.size else (0.0, 1.0)
