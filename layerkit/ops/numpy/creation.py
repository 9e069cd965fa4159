"""New tensors, in `floatx()` where no dtype is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.allowance import check_sample

from ...symbolic import operation
from .dtypes import float_dtype

arange = operation(K.arange)
eye = operation(K.eye)
full = operation(K.full)
full_like = operation(K.full_like)
identity = operation(K.identity)
ones = operation(K.ones)
ones_like = operation(K.ones_like)
zeros = operation(K.zeros)
zeros_like = operation(K.zeros_like)


@operation
def array(x: Any, dtype: Any = None) -> Any:
    """x (numbers in lists, an array, a tensor) as a tensor with memory of its own."""
    x = K.convert_to_tensor(x)
    return K.copy(x if dtype is None else K.cast(x, dtype))


@operation
def empty(shape: Any, dtype: Any = None) -> Any:
    """A tensor whose values are not said to be anything: zeros."""
    return K.zeros(shape, dtype)


@operation
def empty_like(x: Any, dtype: Any = None) -> Any:
    """A tensor of x's shape whose values are not said to be anything: zeros."""
    return K.zeros_like(x, dtype)


@operation
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` evenly spaced numbers from start to stop; with `retstep` also the step between them."""
    dtype = dtype or float_dtype(start, stop)
    return K.linspace(start, stop, num, endpoint, retstep, dtype, axis)


@operation
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`base` to the power of `num` evenly spaced numbers from start to stop."""
    check_sample((num, *np.broadcast_shapes(np.shape(start), np.shape(stop))), "float64")
    values = np.logspace(start, stop, num, endpoint, base, axis=axis)
    return K.convert_to_tensor(values, dtype or float_dtype(start, stop))


@operation
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` numbers from start to stop, each the same multiple of the one before."""
    check_sample((num, *np.broadcast_shapes(np.shape(start), np.shape(stop))), "float64")
    values = np.geomspace(start, stop, num, endpoint, axis=axis)
    return K.convert_to_tensor(values, dtype or float_dtype(start, stop))


@operation
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """An N by M matrix (square without M) with ones up to the k-th diagonal, zeros above it."""
    return K.tril(K.ones((N, N if M is None else M), dtype), k)
