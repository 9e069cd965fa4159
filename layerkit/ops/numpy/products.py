"""Products of tensors and sums of them: matrices, correlations, polynomials, differences."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend.allowance import check_sample, check_together

from ...symbolic import operation
from .dtypes import as_float, as_floats

dot = operation(K.dot)
outer = operation(K.outer)
slogdet = operation(K.slogdet)
tensordot = operation(K.tensordot)
trace = operation(K.trace)


@operation
def matmul(x1: Any, x2: Any) -> Any:
    """The matrix product of the last two axes, earlier axes broadcast; of int8 as int32."""
    return K.matmul(*_wider(x1, x2))


@operation
def einsum(subscripts: str, *operands: Any) -> Any:
    """Einstein's sum: one letter per axis, "bij,bjk->bik"; of int8 as int32."""
    return K.einsum(subscripts, *_wider(*operands))


def _wider(*xs: Any) -> list:
    """The tensors, as int32 where all are int8: their products do not fit."""
    tensors = [K.convert_to_tensor(x) for x in xs]
    if any(x.dtype != "int8" for x in tensors):
        return tensors
    return [K.cast(x, "int32") for x in tensors]


@operation
def inner(x1: Any, x2: Any) -> Any:
    """The sum over the last axes of both; with a scalar, the product."""
    x1, x2 = K.convert_to_tensor(x1), K.convert_to_tensor(x2)
    if not x1.ndim or not x2.ndim:
        return x1 * x2
    return K.tensordot(x1, x2, axes=(x1.ndim - 1, x2.ndim - 1))


@operation
def vdot(x1: Any, x2: Any) -> Any:
    """The sum of the products of the elements of two tensors of one size."""
    return K.dot(K.ravel(x1), K.ravel(x2))


@operation
def kron(x1: Any, x2: Any) -> Any:
    """Kronecker's product: x2 times each element of x1, put where that element is."""
    x1, x2 = K.convert_to_tensor(x1), K.convert_to_tensor(x2)
    rank = max(x1.ndim, x2.ndim)
    shape1 = (1,) * (rank - x1.ndim) + x1.shape
    shape2 = (1,) * (rank - x2.ndim) + x2.shape
    blocks = K.reshape(x1, [n for length in shape1 for n in (length, 1)])
    inside = K.reshape(x2, [n for length in shape2 for n in (1, length)])
    check_together(blocks, inside)
    return K.reshape(blocks * inside, [m * n for m, n in zip(shape1, shape2, strict=True)])


@operation
def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The cross product of vectors of 3 components, which lie along `axisa` of x1, `axisb` of x2.

    A vector of 2 components has the third one 0; for two of them the result is its third component
    alone. Otherwise the components lie along `axisc`. `axis` stands for all three.
    ValueError for other numbers of components.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    (a1, a2, a3), (b1, b2, b3) = _components("x1", x1, axisa), _components("x2", x2, axisb)
    third = a1 * b2 - a2 * b1
    if a3 is None and b3 is None:
        return third
    a3 = K.zeros_like(a1) if a3 is None else a3
    b3 = K.zeros_like(b1) if b3 is None else b3
    return K.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, third], axisc)


def _components(name: str, x: Any, axis: int) -> list:
    parts = K.unstack(x, axis=axis)
    if len(parts) not in (2, 3):
        raise ValueError(
            f"`{name}`'s dim on `axis={axis}` must be either 2 or 3, but received: {len(parts)}"
        )
    return parts if len(parts) == 3 else [*parts, None]


@operation
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Vandermonde's matrix: the powers of the vector x as N columns, from N - 1 down to 0.

    N is the length of x where it is None. `increasing`: from 0 up. ValueError for a matrix.
    """
    x = K.convert_to_tensor(x)
    if x.ndim != 1:
        raise ValueError(f"`vander` expects a vector; received x.shape={x.shape}")
    powers = K.arange(len(x) if N is None else N)
    check_sample((len(x), len(powers)), x.dtype)
    powers = K.power(K.expand_dims(x, -1), powers if increasing else K.flip(powers))
    return K.cast(powers, x.dtype)


@operation
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """The differences of neighbours along `axis`, taken n times; of bools, whether they differ."""
    a = K.convert_to_tensor(a)
    if n < 0:
        raise ValueError(f"`diff` expects an order n >= 0; received n={n}")
    difference = K.not_equal if a.dtype == bool else K.subtract
    before = (slice(None),) * (axis % a.ndim if a.ndim else 0)
    for _ in range(min(n, a.shape[axis])):  # then nothing is left
        a = difference(a[(*before, slice(1, None))], a[(*before, slice(None, -1))])
    return a


@operation
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of y along `axis` by the trapezoid rule, as floats.

    `x`: the places of y, a vector or of its shape; without it they are `dx` apart.
    """
    y = K.moveaxis(as_float(y), axis, -1)
    width = dx
    if x is not None:
        x = as_float(x)
        x = x if x.ndim == 1 else K.moveaxis(x, axis, -1)
        width = x[..., 1:] - x[..., :-1]
    return K.sum((y[..., 1:] + y[..., :-1]) * 0.5 * width, axis=-1)


@operation
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """The sums of x1 times x2 shifted along it, two vectors, as floats.

    `mode`: shifts at which the shorter one lies inside ('valid'), as many as the longer one has
    elements ('same'), or all at which they meet ('full'). ValueError for others.
    """
    x1, x2 = as_floats(x1, x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(
            f"`correlate` expects two vectors; received x1.shape={x1.shape}, x2.shape={x2.shape}"
        )
    if len(x1) < len(x2):
        return K.flip(correlate(x2, x1, mode))
    m = len(x2)
    margins = {"valid": (0, 0), "same": (m // 2, m - m // 2 - 1), "full": (m - 1, m - 1)}
    if mode not in margins:
        raise ValueError(f"Expected `mode` to be one of {list(margins)}; received {mode!r}.")
    line = K.reshape(K.pad(x1, margins[mode]), (1, -1, 1))
    return K.ravel(K.conv(line, K.reshape(x2, (m, 1, 1)), data_format="channels_last"))


@operation
def corrcoef(x: Any) -> Any:
    """Pearson's correlation of every two rows of x: a symmetric matrix, as floats."""
    x = as_float(x)
    rows = x if x.ndim == 2 else K.reshape(x, (1, -1))
    rows = rows - K.mean(rows, axis=1, keepdims=True)
    covariance = K.matmul(rows, K.transpose(rows))
    deviation = K.sqrt(K.diagonal(covariance))
    normed = covariance / K.expand_dims(deviation, 1) / deviation
    return K.clip(normed if x.ndim == 2 else K.squeeze(normed), -1.0, 1.0)
