"""Activation functions: each with its value and its derivative, stable for every input.

All are elementwise but the softmax family and `glu`. Integer inputs become `floatx()` where the
result is not an integer.
"""

from __future__ import annotations

import math
from typing import Any

from ..autodiff import Tensor, primitive
from ..by_value import FUSED
from ..registry import namespace
from .elementwise import by_value, erf, floating

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]


# Piecewise linear


@primitive
def relu(x: Any, /) -> tuple:
    """max(x, 0)."""
    return by_value("relu", x)


@primitive
def relu6(x: Any, /) -> tuple:
    """min(max(x, 0), 6)."""
    return by_value("relu6", x)


@primitive
def leaky_relu(x: Any, /, negative_slope: float = 0.2) -> tuple:
    """x where positive, negative_slope * x elsewhere."""
    x = floating(x)
    xp = namespace(x)
    return (
        xp.where(x >= 0, x, x * negative_slope),
        lambda g: xp.where(x >= 0, g, g * negative_slope),
    )


@primitive
def hard_sigmoid(x: Any, /) -> tuple:
    """min(max(x / 6 + 1 / 2, 0), 1)."""
    x = floating(x)
    return _hard_sigmoid(x), lambda g: g * (abs(x) < 3) / 6


@primitive
def hard_silu(x: Any, /) -> tuple:
    """x * hard_sigmoid(x) (Howard et al., 2019)."""
    x = floating(x)
    s = _hard_sigmoid(x)
    return x * s, lambda g: g * (s + x * (abs(x) < 3) / 6)


hard_swish = hard_silu


@primitive
def hard_tanh(x: Any, /) -> tuple:
    """min(max(x, -1), 1)."""
    return namespace(x).clip(x, -1, 1), lambda g: g * (abs(x) < 1)


@primitive
def sparse_sigmoid(x: Any, /) -> tuple:
    """min(max((x + 1) / 2, 0), 1)."""
    x = floating(x)
    return namespace(x).clip((x + 1) / 2, 0, 1), lambda g: g * (abs(x) < 1) / 2


@primitive
def soft_shrink(x: Any, /, threshold: float = 0.5) -> tuple:
    """x moved towards zero by `threshold`, zero within it."""
    x = floating(x)
    xp = namespace(x)
    return x - xp.clip(x, -threshold, threshold), lambda g: g * (abs(x) > threshold)


@primitive
def hard_shrink(x: Any, /, threshold: float = 0.5) -> tuple:
    """x where its absolute value exceeds `threshold`, zero elsewhere."""
    x = floating(x)
    large = abs(x) > threshold
    return x * large, lambda g: g * large


@primitive
def threshold(x: Any, /, threshold: float, default_value: float) -> tuple:
    """x where it exceeds `threshold`, `default_value` elsewhere."""
    above = x > threshold
    return namespace(x).where(above, x, x.dtype.type(default_value)), lambda g: g * above


# The exponential family


@primitive
def sigmoid(x: Any, /) -> tuple:
    """1 / (1 + exp(-x))."""
    return by_value("sigmoid", floating(x))


@primitive
def log_sigmoid(x: Any, /) -> tuple:
    """log(1 / (1 + exp(-x)))."""
    x = floating(x)
    return -_softplus(-x), lambda g: g * _sigmoid(-x)


@primitive
def softplus(x: Any, /) -> tuple:
    """log(1 + exp(x))."""
    return by_value("softplus", floating(x))


@primitive
def silu(x: Any, /) -> tuple:
    """x * sigmoid(x), also called swish (Ramachandran et al., 2017)."""
    x = floating(x)
    s = _sigmoid(x)
    return x * s, lambda g: g * s * (1 + x * (1 - s))


swish = silu


@primitive
def mish(x: Any, /) -> tuple:
    """x * tanh(softplus(x)) (Misra, 2019)."""
    x = floating(x)
    t = namespace(x).tanh(_softplus(x))
    return x * t, lambda g: g * (t + x * (1 - t * t) * _sigmoid(x))


@primitive
def elu(x: Any, /, alpha: float = 1.0) -> tuple:
    """x where positive, alpha * (exp(x) - 1) elsewhere (Clevert et al., 2016)."""
    return _scaled_elu(floating(x), 1.0, alpha)


@primitive
def selu(x: Any, /) -> tuple:
    """The scaled `elu` that keeps mean 0 and variance 1 (Klambauer et al., 2017)."""
    return _scaled_elu(floating(x), 1.0507009873554805, 1.6732632423543772)


@primitive
def celu(x: Any, /, alpha: float = 1.0) -> tuple:
    """x where positive, alpha * (exp(x / alpha) - 1) elsewhere (Barron, 2017)."""
    x = floating(x)
    xp = namespace(x)
    e = xp.expm1(xp.minimum(x, 0) / alpha)
    return xp.maximum(x, 0) + alpha * e, lambda g: g * (e + 1)


@primitive
def gelu(x: Any, /, approximate: bool = True) -> tuple:
    """x * P(z <= x) for standard normal z (Hendrycks & Gimpel, 2016).

    `approximate`: 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))).
    """
    x = floating(x)
    xp = namespace(x)
    z = xp.clip(x, -20, 20)  # beyond, the distribution is flat in every dtype
    if approximate:
        c = math.sqrt(2 / math.pi)
        t = xp.tanh(c * z * (1 + 0.044715 * z * z))
        p = 0.5 * (1 + t)
        density = lambda: 0.5 * (1 - t * t) * c * (1 + 3 * 0.044715 * z * z)  # noqa: E731
    else:
        p = 0.5 * (1 + erf(Tensor(z * math.sqrt(0.5))).array)
        density = lambda: xp.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)  # noqa: E731
    return x * p, lambda g: g * (p + x * density())


@primitive
def glu(x: Any, /, axis: int = -1) -> tuple:
    """a * sigmoid(b) for the halves a, b of x along `axis` (Dauphin et al., 2017).

    ValueError where the axis has an odd size.
    """
    x = floating(x)
    xp = namespace(x)
    if x.shape[axis] % 2:
        raise ValueError(
            f"axis size must be divisible by 2. Received: x.shape={x.shape} with axis={axis}"
        )
    a, b = xp.split(x, 2, axis)
    s = _sigmoid(b)
    return a * s, lambda g: xp.concatenate([g * s, g * a * s * (1 - s)], axis)


# Others


@primitive
def tanh_shrink(x: Any, /) -> tuple:
    """x - tanh(x)."""
    x = floating(x)
    t = namespace(x).tanh(x)
    return x - t, lambda g: g * t * t


@primitive
def softsign(x: Any, /) -> tuple:
    """x / (1 + abs(x))."""
    x = floating(x)
    size = 1 + abs(x)
    return x / size, lambda g: g / size / size


@primitive
def squareplus(x: Any, /, b: float = 4) -> tuple:
    """(x + sqrt(x**2 + b)) / 2 (Barron, 2021)."""
    x = floating(x)
    root = namespace(x).hypot(x, x.dtype.type(math.sqrt(b)))
    return (x + root) / 2, lambda g: g * (1 + x / root) / 2


@primitive
def sparse_plus(x: Any, /) -> tuple:
    """0 up to -1, (x + 1)**2 / 4 up to 1, then x."""
    x = floating(x)
    xp = namespace(x)
    middle = xp.clip(x, -1, 1)
    return (middle + 1) ** 2 / 4 + xp.maximum(x - 1, 0), lambda g: g * (middle + 1) / 2


# The softmax family: rows along `axis` (an int or several)


@primitive
def softmax(x: Any, /, axis: int | tuple[int, ...] = -1) -> tuple:
    """exp(x) divided by its sum along `axis`."""
    x = floating(x)
    dtype, x = x.dtype, _widen(x)
    y = namespace(x).exp(x - x.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return (
        y.astype(dtype, copy=False),
        lambda g: y * (g - (g * y).sum(axis=axis, keepdims=True)),
    )


@primitive
def log_softmax(x: Any, /, axis: int | tuple[int, ...] = -1) -> tuple:
    """x - log(sum(exp(x))) along `axis`."""
    x = floating(x)
    dtype, x = x.dtype, _widen(x)
    xp = namespace(x)
    y = x - x.max(axis=axis, keepdims=True)
    y -= xp.log(xp.exp(y).sum(axis=axis, keepdims=True))
    return (
        y.astype(dtype, copy=False),
        lambda g: g - xp.exp(y) * g.sum(axis=axis, keepdims=True),
    )


def _widen(x: Any) -> Any:
    """Halves in float32: sums of exponentials need its digits."""
    return x.astype("float32") if x.dtype == "float16" else x


@primitive
def sparsemax(x: Any, /, axis: int = -1) -> tuple:
    """The distribution nearest to x: max(x - tau, 0) that sums to 1 (Martins & Astudillo, 2016)."""
    x = floating(x)
    xp = namespace(x)
    rows = xp.moveaxis(x, axis, -1)
    z = xp.flip(xp.sort(rows, axis=-1), -1)
    excess = xp.cumsum(z, axis=-1) - 1
    count = xp.arange(1, z.shape[-1] + 1, dtype=x.dtype)
    size = (z * count > excess).sum(axis=-1, keepdims=True)
    tau = xp.take_along_axis(excess, size - 1, axis=-1) / size.astype(x.dtype)
    y = xp.moveaxis(xp.maximum(rows - tau, 0), -1, axis)

    def vjp(g: Any) -> Any:
        support = (y > 0).astype(x.dtype)
        total = support.sum(axis=axis, keepdims=True)
        return support * (g - (g * support).sum(axis=axis, keepdims=True) / total)

    return y, vjp


FUSED.update({relu: "relu", relu6: "relu6", sigmoid: "sigmoid", softplus: "softplus"})


def _sigmoid(x: Any) -> Any:
    return by_value("sigmoid", x)[0]


def _softplus(x: Any) -> Any:
    return by_value("softplus", x)[0]


def _hard_sigmoid(x: Any) -> Any:
    return namespace(x).clip(x / 6 + 0.5, 0, 1)


def _scaled_elu(x: Any, scale: float, alpha: float) -> tuple:
    xp = namespace(x)
    e = xp.expm1(xp.minimum(x, 0))
    return (
        scale * xp.where(x >= 0, x, alpha * e),
        lambda g: g * xp.where(x >= 0, x.dtype.type(scale), scale * alpha * (e + 1)),
    )
