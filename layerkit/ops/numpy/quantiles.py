"""Median, quantiles and percentiles, with and without nans."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.registry import backend_of

from ...symbolic import operation
from .dtypes import as_float

# How much of the upper neighbour a method takes at `part`, the way from the lower one, in [0, 1).
_METHODS = {
    "linear": lambda part: part,
    "lower": lambda part: K.zeros_like(part),
    "higher": lambda part: K.ceil(part),
    "midpoint": lambda part: K.ceil(part) * 0.5,
    "nearest": lambda part: K.cast(part > 0.5, part.dtype),
}


@operation
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The value in the middle, or the mean of both, as floats; nan where there is a nan."""
    return _quantile(x, np.array(0.5), axis, "linear", keepdims, skip_nan=False)


@operation
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The value in the middle of what is not nan, as floats."""
    return _quantile(x, np.array(0.5), axis, "linear", keepdims, skip_nan=True)


@operation
def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """What a part q in [0, 1] of the values along `axis` does not exceed; nan where there is a nan.

    Shape: that of q, then what is left of x. `method` says what lies between two values: 'linear',
    'lower', 'higher', 'midpoint' or 'nearest'. ValueError for other methods and for other q.
    """
    return _quantile(x, _levels(q, 1), axis, method, keepdims, skip_nan=False)


@operation
def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """`quantile` of what is not nan."""
    return _quantile(x, _levels(q, 1), axis, method, keepdims, skip_nan=True)


@operation
def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """`quantile` with q in [0, 100]."""
    return _quantile(x, _levels(q, 100), axis, method, keepdims, skip_nan=False)


@operation
def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """`quantile` of what is not nan, with q in [0, 100]."""
    return _quantile(x, _levels(q, 100), axis, method, keepdims, skip_nan=True)


def _levels(q: Any, whole: float) -> np.ndarray:
    """q as parts of 1. ValueError for what is not from 0 to `whole`."""
    levels = np.asarray(K.convert_to_tensor(q) if K.is_array(q) else q, "float64")
    if not np.all((levels >= 0) & (levels <= whole)):
        raise ValueError(f"Expected q from 0 to {whole:g}, parts of the whole; received q={q}")
    return levels / whole


def _quantile(
    x: Any, levels: np.ndarray, axis: Any, method: str, keepdims: bool, skip_nan: bool
) -> Any:
    x = as_float(x)
    if method not in _METHODS:
        raise ValueError(f"Expected `method` to be one of {list(_METHODS)}; received {method!r}.")
    rows, left = _as_rows(x, axis, keepdims)
    rows = K.sort(rows, axis=-1)  # nans come last
    values = _between(rows, levels.reshape(-1), method, skip_nan)
    return K.reshape(K.moveaxis(values, -1, 0), (*levels.shape, *left))


def _as_rows(x: Any, axis: Any, keepdims: bool) -> tuple[Any, list[int]]:
    """x with the axes to be reduced as its last one, and the shape that will be left."""
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    reduced = sorted(i % x.ndim for i in axes)
    kept = [i for i in range(x.ndim) if i not in reduced]
    length = math.prod(x.shape[i] for i in reduced)
    rows = K.reshape(K.transpose(x, kept + reduced), [*(x.shape[i] for i in kept), length])
    if keepdims:
        return rows, [1 if i in reduced else n for i, n in enumerate(x.shape)]
    return rows, [x.shape[i] for i in kept]


def _between(rows: Any, levels: np.ndarray, method: str, skip_nan: bool) -> Any:
    """The quantiles of sorted rows (..., n) at `levels` (q,): (..., q)."""
    missing = K.isnan(rows)
    last: Any = rows.shape[-1] - 1
    if skip_nan:
        last = K.maximum(K.sum(K.logical_not(missing), axis=-1, keepdims=True) - 1, 0)
    place = K.multiply(last, backend_of(rows.array).constant(levels.astype(rows.dtype)))
    lower = K.floor(place)
    share = _METHODS[method](place - lower)
    below = K.take_along_axis(rows, _indices(lower, rows), axis=-1)
    above = K.take_along_axis(rows, _indices(K.ceil(place), rows), axis=-1)
    # A neighbour without a share may be infinite.
    below, above = K.where(share == 1, 0.0, below), K.where(share == 0, 0.0, above)
    values = below * (1 - share) + above * share
    return values if skip_nan else K.where(missing[..., -1:], math.nan, values)


def _indices(place: Any, rows: Any) -> Any:
    place = K.cast(place, "int32")
    return K.broadcast_to(place, (*rows.shape[:-1], place.shape[-1]))
