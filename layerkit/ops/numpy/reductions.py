"""Sums, means, extremes and running sums along axes.

`axis` is None (all axes), an int or a tuple, negatives from the end; `keepdims` keeps the reduced
axes with length 1. Means of integers are `floatx()`, sums of bools and small integers int32.
"""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from ...symbolic import operation
from .dtypes import as_float, as_floats

all = operation(K.all)
any = operation(K.any)
argmax = operation(K.argmax)
argmin = operation(K.argmin)
count_nonzero = operation(K.count_nonzero)
cumprod = operation(K.cumprod)
cumsum = operation(K.cumsum)
max = operation(K.max)
mean = operation(K.mean)
min = operation(K.min)
prod = operation(K.prod)
std = operation(K.std)
sum = operation(K.sum)
var = operation(K.var)


@operation
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest value: `max` by its other name."""
    return K.max(x, axis, keepdims)


@operation
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest value: `min` by its other name."""
    return K.min(x, axis, keepdims)


@operation
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The distance from the smallest value to the largest ("peak to peak")."""
    return K.max(x, axis, keepdims) - K.min(x, axis, keepdims)


@operation
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """sum(x * weights) / sum(weights), as floats; the mean without weights.

    `weights` has the shape of x, or the lengths of x along `axis`. ValueError for others.
    """
    if weights is None:
        return K.mean(as_float(x), axis)
    x, weights = as_floats(x, weights)
    if weights.shape != x.shape:
        weights = _along(weights, x, axis)
    return K.sum(x * weights, axis) / K.sum(K.broadcast_to(weights, x.shape), axis)


def _along(weights: Any, x: Any, axis: Any) -> Any:
    """`weights` for the axes `axis` of x, in a shape that broadcasts beside x."""
    axes = [i % x.ndim for i in ([axis] if isinstance(axis, int) else axis or ())]
    if weights.shape != tuple(x.shape[i] for i in axes):
        raise ValueError(
            "average expects `weights` of the shape of x, or of its lengths along `axis`. "
            f"Received: weights.shape={weights.shape}, x.shape={x.shape}, axis={axis}"
        )
    order = sorted(range(len(axes)), key=axes.__getitem__)
    aligned = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    return K.reshape(K.transpose(weights, order), aligned)
