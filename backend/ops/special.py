"""Roots, logarithms of sums, and special functions, element by element.

Dtypes are those of `elementwise`: integers become `floatx()`.
"""

from __future__ import annotations

import math
from typing import Any

from ..autodiff import primitive
from ..registry import namespace
from .elementwise import floating, promote

__all__ = ["cbrt", "exp2", "hypot", "i0", "logaddexp", "logaddexp2", "sinc"]


@primitive
def cbrt(x: Any, /) -> tuple:
    """The cube root, of negative numbers too; its derivative at 0 is infinite."""
    y = namespace(x).cbrt(floating(x))
    return y, lambda g: g / (3 * y * y)


@primitive
def exp2(x: Any, /) -> tuple:
    """2 ** x."""
    y = namespace(x).exp2(floating(x))
    return y, lambda g: g * y * math.log(2)


@primitive
def hypot(x1: Any, x2: Any, /) -> tuple:
    """sqrt(x1**2 + x2**2) without overflow; its derivatives at the origin are taken as 0."""
    x1, x2, xp = _two_floats(x1, x2)
    y = xp.hypot(x1, x2)

    def along(x: Any) -> Any:
        return lambda g: g * x / xp.where(y == 0, 1, y)

    return y, along(x1), along(x2)


@primitive
def logaddexp(x1: Any, x2: Any, /) -> tuple:
    """log(exp(x1) + exp(x2)) without overflow."""
    x1, x2, xp = _two_floats(x1, x2)
    y = xp.logaddexp(x1, x2)
    return y, _share_of(x1, y, xp.exp), _share_of(x2, y, xp.exp)


@primitive
def logaddexp2(x1: Any, x2: Any, /) -> tuple:
    """log2(2**x1 + 2**x2) without overflow."""
    x1, x2, xp = _two_floats(x1, x2)
    y = xp.logaddexp2(x1, x2)
    return y, _share_of(x1, y, xp.exp2), _share_of(x2, y, xp.exp2)


@primitive
def sinc(x: Any, /) -> tuple:
    """sin(pi * x) / (pi * x), which is 1 at 0."""
    x, xp = floating(x), namespace(x)
    y = xp.sinc(x)
    return y, lambda g: g * (xp.cos(math.pi * x) - y) / xp.where(x == 0, 1, x)


@primitive
def i0(x: Any, /) -> tuple:
    """The modified Bessel function of the first kind, of order 0."""
    x, xp = floating(x), namespace(x)
    return xp.i0(x), lambda g: g * _i1(x, xp)


def _i1(x: Any, xp: Any) -> Any:
    """Order 1, the derivative of order 0: the mean of exp(x * cos(t)) * cos(t) over a circle.

    Over a period the trapezoid rule is exact to rounding, here for every x whose i0 is finite.
    """
    points = 160  # on half of the circle; the other half mirrors it
    total = xp.sinh(x)  # both ends, each of which counts half
    for k in range(1, points):
        cosine = math.cos(math.pi * k / points)
        total = total + xp.exp(x * cosine) * cosine
    return total / points


def _two_floats(x1: Any, x2: Any) -> tuple:
    x1, x2 = map(floating, promote(x1, x2))
    return x1, x2, namespace(x1 if hasattr(x1, "dtype") else x2)


def _share_of(x: Any, y: Any, power: Any) -> Any:
    """The vjp of log(power(x) + ...) = y in x: its share of the sum."""
    return lambda g: g * power(namespace(y).where(x == y, 0, x - y))
