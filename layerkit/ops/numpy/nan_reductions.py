"""Reductions that leave nans out. Where nothing but nans is left, extremes and means are nan."""

from __future__ import annotations

import math
from typing import Any

from layerkit import backend as K

from ...symbolic import operation
from .dtypes import as_float


@operation
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of what is not nan."""
    return K.sum(_filled(x, 0), axis, keepdims)


@operation
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of what is not nan."""
    return K.prod(_filled(x, 1), axis, keepdims)


@operation
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The running sum along `axis` (None: flattened), to which nans add nothing."""
    return K.cumsum(_filled(x, 0), axis, dtype)


@operation
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The running product along `axis` (None: flattened), in which nans count as 1."""
    return K.cumprod(_filled(x, 1), axis, dtype)


@operation
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest value that is not nan."""
    return _nan_where_empty(K.max(_filled(x, -math.inf), axis, keepdims), x, axis, keepdims)


@operation
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest value that is not nan."""
    return _nan_where_empty(K.min(_filled(x, math.inf), axis, keepdims), x, axis, keepdims)


@operation
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The int32 index of the first largest value that is not nan; -1 where there is none."""
    places = K.argmax(_filled(x, -math.inf), axis, keepdims)
    return K.where(_empty(x, axis, keepdims), -1, places)


@operation
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The int32 index of the first smallest value that is not nan; -1 where there is none."""
    places = K.argmin(_filled(x, math.inf), axis, keepdims)
    return K.where(_empty(x, axis, keepdims), -1, places)


@operation
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of what is not nan, as floats."""
    return _mean_of_others(as_float(x), K.isnan(x), axis, keepdims)


@operation
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance of what is not nan, as floats."""
    x = as_float(x)
    missing = K.isnan(x)
    distance = K.where(missing, 0.0, x - _mean_of_others(x, missing, axis, keepdims=True))
    return _mean_of_others(K.square(distance), missing, axis, keepdims)


@operation
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The standard deviation of what is not nan, as floats."""
    return K.sqrt(nanvar(x, axis, keepdims))


def _filled(x: Any, value: float) -> Any:
    """x with `value` in the place of nans; integers have none."""
    x = K.convert_to_tensor(x)
    return K.where(K.isnan(x), value, x) if K.is_floating(x.dtype) else x


def _empty(x: Any, axis: Any, keepdims: bool) -> Any:
    """Whether there is nothing but nans."""
    return K.all(K.isnan(x), axis, keepdims)


def _nan_where_empty(y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    if not K.is_floating(y.dtype):
        return y
    return K.where(_empty(x, axis, keepdims), math.nan, y)


def _mean_of_others(x: Any, missing: Any, axis: Any, keepdims: bool) -> Any:
    """The mean of those floats that are not `missing`."""
    total = K.sum(K.where(missing, 0.0, x), axis, keepdims)
    count = K.sum(K.logical_not(missing), axis, keepdims)
    mean = total / K.cast(K.maximum(count, 1), x.dtype)
    return K.where(count == 0, math.nan, mean)
