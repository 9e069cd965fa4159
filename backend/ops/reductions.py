"""Reductions along axes, and running sums.

`axis` is None (all axes), an int or a tuple, negatives from the end; `keepdims` keeps the
reduced axes with length 1. Small integers are summed in int32, means are floats.
"""

from __future__ import annotations

import math
from typing import Any

from ..autodiff import convert_to_tensor, primitive, wide_sum
from ..registry import namespace
from . import elementwise
from .elementwise import floating

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "moments",
    "norm",
    "prod",
    "std",
    "sum",
    "var",
]

Axis = int | tuple[int, ...] | list[int] | None


def _axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """`axis` as a tuple of non-negative ints."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(i % ndim for i in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def _as_tuple(axis: Axis) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _kept(y: Any, x: Any, axis: Axis) -> Any:
    """`y`, reduced from `x`, with the reduced axes as length 1: it broadcasts against `x`."""
    if y.ndim == x.ndim:
        return y
    reduced = _axes(axis, x.ndim)
    return y.reshape([1 if i in reduced else n for i, n in enumerate(x.shape)])


def _spread(g: Any, x: Any, axis: Axis) -> Any:
    """The gradient of a sum: `g` copied along the reduced axes, as an array of its own."""
    if axis is None and not g.ndim:
        spread = namespace(x).empty_like(x)
        spread[...] = g
        return spread
    return namespace(x).broadcast_to(_kept(g, x, axis), x.shape).copy()


_SUM_DTYPES = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32"}
_SUM_DTYPES["uint16"] = "uint32"


def _sum_dtype(x: Any) -> Any:
    return _SUM_DTYPES.get(x.dtype.name, x.dtype)


def _count(x: Any, axis: Axis) -> int:
    """How many elements of x each reduced one is made of; 1 where there are none."""
    return math.prod(x.shape[i] for i in _axes(axis, x.ndim)) or 1


@primitive
def sum(x: Any, /, axis: Axis = None, keepdims: bool = False) -> tuple:
    """The sum."""
    axis = _as_tuple(axis)
    if x.dtype.kind == "f":
        y = wide_sum(x, axis, keepdims)
    else:
        y = x.sum(axis=axis, dtype=_sum_dtype(x), keepdims=keepdims)
    return y, lambda g: _spread(g, x, axis)


@primitive
def mean(x: Any, /, axis: Axis = None, keepdims: bool = False) -> tuple:
    """The arithmetic mean; integers in `floatx()`."""
    x, axis = floating(x), _as_tuple(axis)
    y = x.mean(axis=axis, keepdims=keepdims)
    return y, lambda g: _spread(g / _count(x, axis), x, axis)


@primitive
def var(x: Any, /, axis: Axis = None, keepdims: bool = False) -> tuple:
    """The variance: the mean of the squared distances from the mean."""
    x, axis = floating(x), _as_tuple(axis)
    y, centred = _variance(x, axis, keepdims)
    return y.astype(
        x.dtype, copy=False
    ), lambda g: _kept(g * (2 / _count(x, axis)), x, axis) * centred


@primitive
def std(x: Any, /, axis: Axis = None, keepdims: bool = False) -> tuple:
    """The standard deviation: the square root of the variance; where it is 0 with gradient 0."""
    x, axis = floating(x), _as_tuple(axis)
    xp = namespace(x)
    variance, centred = _variance(x, axis, keepdims)
    y = xp.sqrt(variance)

    def vjp(g: Any) -> Any:
        return _kept(g / (xp.where(y == 0, 1, y) * _count(x, axis)), x, axis) * centred

    return y.astype(x.dtype, copy=False), vjp


def _variance(x: Any, axis: Axis, keepdims: bool) -> tuple:
    """The variance, for float16 in float32, and the distances from the mean."""
    centred = x - x.mean(axis=axis, keepdims=True)
    wide = centred.astype("float32") if x.dtype == "float16" else centred
    return (wide * wide).mean(axis=axis, keepdims=keepdims), centred


def moments(
    x: Any, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[Any, Any]:
    """The mean and the variance. ValueError for `synchronized`: there is one device."""
    if synchronized:
        raise ValueError(
            "moments expects synchronized=False: layerkit computes on one device; "
            "received synchronized=True."
        )
    return mean(x, axes, keepdims), var(x, axes, keepdims)


def max(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The largest value, at least `initial`; equal ones share the gradient evenly."""
    if initial is None:
        return _max(x, axis, keepdims)
    x = convert_to_tensor(x)
    y = _max(x, axis, keepdims) if x.size else sum(x, axis, keepdims) + initial  # of nothing: 0
    return elementwise.maximum(y, initial)


def min(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The smallest value, at most `initial`; equal ones share the gradient evenly."""
    if initial is None:
        return _min(x, axis, keepdims)
    x = convert_to_tensor(x)
    y = _min(x, axis, keepdims) if x.size else sum(x, axis, keepdims) + initial
    return elementwise.minimum(y, initial)


@primitive
def _max(x: Any, /, axis: Axis, keepdims: bool) -> tuple:
    axis = _as_tuple(axis)
    y = x.max(axis=axis, keepdims=keepdims)
    return y, lambda g: _to_extremes(g, x, y, axis)


@primitive
def _min(x: Any, /, axis: Axis, keepdims: bool) -> tuple:
    axis = _as_tuple(axis)
    y = x.min(axis=axis, keepdims=keepdims)
    return y, lambda g: _to_extremes(g, x, y, axis)


def _to_extremes(g: Any, x: Any, y: Any, axis: Axis) -> Any:
    """`g` shared evenly by the elements of x that equal the extreme y."""
    reached = x == _kept(y, x, axis)
    count = reached.sum(axis=axis, keepdims=True).astype(g.dtype)
    return _kept(g, x, axis) / count * reached


@primitive
def prod(x: Any, /, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> tuple:
    """The product; its derivative is right beside zeros too."""
    axis = _as_tuple(axis)
    y = x.prod(axis=axis, dtype=dtype or _sum_dtype(x), keepdims=keepdims)
    return y, lambda g: _kept(g, x, axis) * _product_of_others(x, _axes(axis, x.ndim))


def _product_of_others(x: Any, axes: tuple[int, ...]) -> Any:
    """For every element the product of the others along `axes`, without division."""
    xp = namespace(x)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = xp.moveaxis(x, axes, last)
    size = math.prod(x.shape[i] for i in axes)
    rows = moved.reshape(math.prod(moved.shape[: x.ndim - len(axes)]), size)
    before, after = xp.ones_like(rows), xp.ones_like(rows)
    before[:, 1:] = xp.cumprod(rows[:, :-1], axis=1)
    after[:, :-1] = xp.cumprod(rows[:, :0:-1], axis=1)[:, ::-1]
    return xp.moveaxis((before * after).reshape(moved.shape), last, axes)


@primitive
def logsumexp(x: Any, /, axis: Axis = None, keepdims: bool = False) -> tuple:
    """log(sum(exp(x))), without overflow."""
    x, axis = floating(x), _as_tuple(axis)
    xp = namespace(x)
    largest = x.max(axis=axis, keepdims=True)
    largest = xp.where(xp.isfinite(largest), largest, 0)
    terms = xp.exp(x - largest)
    total = terms.sum(axis=axis, keepdims=True)
    y = xp.log(total) + largest
    if not keepdims:
        y = y.squeeze(_axes(axis, x.ndim))
    return y, lambda g: _kept(g, x, axis) * (terms / total)


def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """A vector norm along `axis`: `ord` None or 2 (Euclidean, at 0 with gradient 0), 0, 1, any
    other number, inf or -inf. None and 'fro' take several axes together. ValueError for others.
    """
    x = convert_to_tensor(x)
    if ord is None or (ord == "fro" and not isinstance(axis, int)):
        return _euclidean_norm(x, axis, keepdims)
    if isinstance(ord, str) or len(_axes(axis, x.ndim)) != 1:
        raise ValueError(
            "norm expects `ord` None, 'fro' over several axes, or a number over one axis. "
            f"Received: ord={ord}, axis={axis}, x of shape {x.shape}. "
            "Give one axis, or reshape x to a vector first."
        )
    if ord == 2:
        return _euclidean_norm(x, axis, keepdims)
    magnitude = elementwise.absolute(x)
    if ord == math.inf:
        return max(magnitude, axis, keepdims)
    if ord == -math.inf:
        return min(magnitude, axis, keepdims)
    if ord == 0:
        return sum(elementwise.cast(magnitude != 0, magnitude.dtype), axis, keepdims)
    if ord == 1:
        return sum(magnitude, axis, keepdims)
    return elementwise.power(sum(elementwise.power(magnitude, ord), axis, keepdims), 1 / ord)


@primitive
def _euclidean_norm(x: Any, /, axis: Axis, keepdims: bool) -> tuple:
    x, axis = floating(x), _as_tuple(axis)
    xp = namespace(x)
    wide = x.astype("float32") if x.dtype == "float16" else x
    y = xp.sqrt((wide * wide).sum(axis=axis, keepdims=keepdims)).astype(x.dtype)
    return y, lambda g: x * _kept(g / xp.where(y == 0, 1, y), x, axis)


@primitive
def cumsum(x: Any, /, axis: int | None = None, dtype: Any = None) -> tuple:
    """The running sum along `axis`; of the flattened tensor for None."""
    y = x.cumsum(axis=axis, dtype=dtype or ("int32" if x.dtype.kind == "b" else x.dtype))
    xp = namespace(x)
    along = 0 if axis is None else axis

    def vjp(g: Any) -> Any:
        return xp.flip(xp.flip(g, along).cumsum(axis=along), along).reshape(x.shape)

    return y, vjp


@primitive
def cumprod(x: Any, /, axis: int | None = None, dtype: Any = None) -> tuple:
    """The running product along `axis`; of the flattened tensor for None.

    Its derivative is right beside zeros too.
    """
    y = x.cumprod(axis=axis, dtype=dtype or ("int32" if x.dtype.kind == "b" else x.dtype))
    xp = namespace(x)

    def vjp(g: Any) -> Any:
        along = x.reshape(-1) if axis is None else xp.moveaxis(x, axis, 0)
        g = g if axis is None else xp.moveaxis(g, axis, 0)
        sums = xp.empty_like(along)  # of g times the factors that follow, by Horner's scheme
        behind: Any = 0
        for i in reversed(range(len(along))):
            sums[i] = g[i] + behind
            behind = along[i] * sums[i]
        sums[1:] *= along[:-1].cumprod(axis=0)  # the factors before
        return sums.reshape(x.shape) if axis is None else xp.moveaxis(sums, 0, axis)

    return y, vjp


# Without derivative


@primitive
def argmax(x: Any, /, axis: int | None = None, keepdims: bool = False) -> tuple:
    """The int32 index of the first largest value along `axis`; into the flattened x for None."""
    return (_kept_if(keepdims, x.argmax(axis=axis).astype("int32"), x, axis),)


@primitive
def argmin(x: Any, /, axis: int | None = None, keepdims: bool = False) -> tuple:
    """The int32 index of the first smallest value along `axis`; into the flattened x for None."""
    return (_kept_if(keepdims, x.argmin(axis=axis).astype("int32"), x, axis),)


def _kept_if(keepdims: bool, y: Any, x: Any, axis: int | None) -> Any:
    return _kept(y, x, axis) if keepdims else y


@primitive
def any(x: Any, /, axis: Axis = None, keepdims: bool = False) -> tuple:
    """Whether some element is true (numbers: not zero)."""
    return (x.astype(bool).any(axis=_as_tuple(axis), keepdims=keepdims),)


@primitive
def all(x: Any, /, axis: Axis = None, keepdims: bool = False) -> tuple:
    """Whether every element is true (numbers: not zero)."""
    return (x.astype(bool).all(axis=_as_tuple(axis), keepdims=keepdims),)


@primitive
def count_nonzero(x: Any, /, axis: Axis = None) -> tuple:
    """How many elements are not zero, as int32."""
    return ((x != 0).sum(axis=_as_tuple(axis), dtype="int32"),)
