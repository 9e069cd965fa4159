"""Normalization: by given statistics, or by the statistics of the data itself with their gradient.

Statistics of float16 are computed, and given back, in float32; results keep the dtype of `x`.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..autodiff import Tensor, primitive, remembered
from ..config import epsilon as default_epsilon
from ..registry import backend_of, namespace, product
from .elementwise import floating

__all__ = ["batch_normalization", "batch_normalize", "layer_normalization", "rms_normalization"]

Axes = int | tuple[int, ...] | list[int]


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset: statistics that are given.

    `mean`, `variance`, `offset`, `scale`: one number per entry of `axis`, the one kept axis.
    """
    return _normalize(x, mean, variance, offset, scale, axis=axis, epsilon=epsilon)


@primitive
def _normalize(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    /,
    axis: int,
    epsilon: float,
) -> tuple:
    x, shape = floating(x), [1] * x.ndim
    shape[axis] = x.shape[axis]
    summed = tuple(i for i in range(x.ndim) if shape[i] == 1 and i != axis % x.ndim)
    wide = _compute_dtype(x)
    centered = x - mean.astype(wide).reshape(shape)
    inverse = 1 / namespace(x).sqrt(variance.astype(wide).reshape(shape) + wide.type(epsilon))
    gain = inverse if scale is None else inverse * scale.astype(wide).reshape(shape)
    y = centered * gain
    if offset is not None:
        y += offset.astype(wide).reshape(shape)

    def total(g: Any, like: Any) -> Any:
        return g.sum(axis=summed, keepdims=True).reshape(like.shape)

    return (
        y.astype(x.dtype, copy=False),
        lambda g: g * gain,
        lambda g: -total(g * gain, mean),
        lambda g: total(g * centered * gain * inverse**2, variance) / -2,
        lambda g: total(g.astype(wide, copy=False), offset),
        lambda g: total(g * centered * inverse, scale),
    )


def batch_normalize(
    x: Any, gamma: Any = None, beta: Any = None, axis: Axes = -1, epsilon: float = 1e-3
) -> tuple[Tensor, Tensor, Tensor]:
    """`x` with mean 0 and variance 1 over all axes but `axis`, times `gamma`, plus `beta`.

    `gamma`, `beta`: one number per entry of `axis`, or None. Result: (y, mean, variance), the
    latter two (biased, over the batch) of the shape of `axis`; all three are differentiable
    (Ioffe & Szegedy, 2015).
    """
    return _batch_normalize(x, gamma, beta, axis=axis, epsilon=epsilon)


@primitive
def _batch_normalize(x: Any, gamma: Any, beta: Any, /, axis: Axes, epsilon: float) -> tuple:
    """Rows of features, of which each has a mean m and a variance v = 1/s² - epsilon.

    y = gamma s c + beta for c = x - m; its upstream gradient g reaches x as
    gamma s (g - mean(g) - c s² mean(g c)), that of m as g_m / n, that of v as 2 g_v c / n.
    """
    x, kept = floating(x), _axes(axis, x.ndim)
    backend, xp, wide = backend_of(x), namespace(x), _compute_dtype(x)
    order = (*_others(kept, x.ndim), *kept)
    back_order = sorted(range(x.ndim), key=order.__getitem__)
    turned_shape, shape = [x.shape[i] for i in order], tuple(x.shape[i] for i in kept)

    def as_rows(array: Any) -> Any:
        array = array.transpose(order).astype(wide, copy=False)
        return xp.ascontiguousarray(array).reshape(-1, prod(shape))

    def as_images(rows: Any) -> Any:
        return rows.reshape(turned_shape).transpose(back_order)

    rows, zero = as_rows(x), xp.zeros(prod(shape), wide)
    gain = zero + 1 if gamma is None else _spread(gamma, x, kept).astype(wide).reshape(-1)
    shift = zero if beta is None else _spread(beta, x, kept).astype(wide).reshape(-1)
    count = len(rows)
    mean = backend.sum_rows(rows) / count
    c = backend.scale_rows(rows, zero + 1, -mean)
    variance = backend.sum_products(c, c) / count
    s = 1 / xp.sqrt(variance + wide.type(epsilon))
    y = backend.scale_rows(c, gain * s, shift)

    @remembered
    def sums(g: Any) -> tuple:
        """The upstream gradient as rows, their sum, and the sum of their products with c."""
        g = as_rows(g)
        return g, backend.sum_rows(g), backend.sum_products(g, c)

    def x_vjp(g: Any, g_mean: Any, g_variance: Any) -> Any:
        of_c = zero if g_variance is None else g_variance.reshape(-1) * (2 / count)
        of_one = zero if g_mean is None else g_mean.reshape(-1) / count
        if g is None:  # only the statistics were used
            return as_images(backend.scale_rows(c, of_c, of_one))
        g, total, products = sums(g)
        of_c, of_one = of_c - gain * s**3 * products / count, of_one - gain * s * total / count
        return as_images(backend.combine_rows(g, gain * s, c, of_c, of_one))

    def gamma_vjp(g: Any, *_: Any) -> Any:
        return (zero if g is None else s * sums(g)[2]).reshape(gamma.shape)

    def beta_vjp(g: Any, *_: Any) -> Any:
        return (zero if g is None else sums(g)[1]).reshape(beta.shape)

    value = as_images(y).astype(x.dtype, copy=False), mean.reshape(shape), variance.reshape(shape)
    return value, x_vjp, gamma_vjp, beta_vjp


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Axes = -1, epsilon: float | None = None
) -> Tensor:
    """`x` with mean 0 and variance 1 along `axis`, times `gamma`, plus `beta`.

    `gamma`, `beta`: of the shape of `axis`, or None. `epsilon`: None for K.epsilon()
    (Ba et al., 2016).
    """
    epsilon = default_epsilon() if epsilon is None else epsilon
    return _layer_normalize(x, gamma, beta, axis=axis, epsilon=epsilon)


@primitive
def _layer_normalize(x: Any, gamma: Any, beta: Any, /, axis: Axes, epsilon: float) -> tuple:
    """gamma z + beta for z = (x - mean) / sqrt(variance + epsilon)."""
    x, axes = floating(x), _axes(axis, x.ndim)
    x_dtype, x = x.dtype, _widen(x)
    z = x - _mean(x, axes)
    inverse = 1 / namespace(x).sqrt(_mean(z * z, axes) + x.dtype.type(epsilon))
    z *= inverse
    gain, rest = _spread(gamma, x, axes), _others(axes, x.ndim)
    y = z * gain if gamma is not None else z.copy()
    if beta is not None:
        y += _spread(beta, x, axes)

    def x_vjp(g: Any) -> Any:
        g = g * gain
        return inverse * (g - _mean(g, axes) - z * _mean(g * z, axes))

    return (
        y.astype(x_dtype, copy=False),
        x_vjp,
        lambda g: _total(g * z, gamma, rest),
        lambda g: _total(g * x.dtype.type(1), beta, rest),
    )


def rms_normalization(
    x: Any, scale: Any = None, axis: Axes = -1, epsilon: float | None = None
) -> Tensor:
    """`x` divided by the root of its mean square along `axis`, times `scale` (or None).

    `scale`: of the shape of `axis`. `epsilon`: None for K.epsilon() (Zhang & Sennrich, 2019).
    """
    epsilon = default_epsilon() if epsilon is None else epsilon
    return _rms_normalize(x, scale, axis=axis, epsilon=epsilon)


@primitive
def _rms_normalize(x: Any, scale: Any, /, axis: Axes, epsilon: float) -> tuple:
    x, axes = floating(x), _axes(axis, x.ndim)
    x_dtype, x = x.dtype, _widen(x)
    inverse = 1 / namespace(x).sqrt(_mean(x * x, axes) + epsilon)
    unit = x * inverse
    gain = _spread(scale, x, axes)

    def x_vjp(g: Any) -> Any:
        g = g * gain
        return inverse * (g - unit * _mean(g * unit, axes))

    return (
        (unit * gain).astype(x_dtype, copy=False),
        x_vjp,
        lambda g: _total(g * unit, scale, _others(axes, x.ndim)),
    )


def _axes(axis: Axes, rank: int) -> tuple[int, ...]:
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    if not all(-rank <= a < rank for a in axes):
        raise ValueError(f"axis {axis} is out of bounds for an array of rank {rank}.")
    return tuple(sorted(a % rank for a in axes))


def _others(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return tuple(i for i in range(rank) if i not in axes)


def _spread(parameter: Any, x: Any, kept: tuple[int, ...]) -> Any:
    """A parameter of the shape of the axes `kept`, to be broadcast against `x`; 1 for None."""
    if parameter is None:
        return 1
    shape = tuple(n if i in kept else 1 for i, n in enumerate(x.shape))
    if parameter.size != prod(shape):
        raise ValueError(
            f"Normalization over axes {kept} of inputs of shape {x.shape} expects parameters of "
            f"shape {tuple(x.shape[i] for i in kept)}; received {parameter.shape}."
        )
    return parameter.astype(x.dtype, copy=False).reshape(shape)


def _total(g: Any, parameter: Any, rest: tuple[int, ...]) -> Any:
    return _sum(g, rest).reshape(parameter.shape)


def _mean(x: Any, axes: tuple[int, ...]) -> Any:
    return _sum(x, axes) / prod(x.shape[i] for i in axes)


def _sum(x: Any, axes: tuple[int, ...]) -> Any:
    """The sum over `axes`, kept as 1."""
    lead = len(axes)
    if axes and axes == tuple(range(lead)) and lead < x.ndim and x.size:
        # Adding rows up one by one loses digits and time; a product with ones sums in blocks.
        rows = x.reshape(prod(x.shape[:lead]), -1)
        total = product(namespace(x).ones((1, len(rows)), x.dtype), rows)
        return total.reshape((1,) * lead + x.shape[lead:])
    return x.sum(axis=axes, keepdims=True)


def _compute_dtype(x: Any) -> np.dtype:
    return np.promote_types(x.dtype, "float32")


def _widen(x: Any) -> Any:
    return x.astype(_compute_dtype(x), copy=False)
