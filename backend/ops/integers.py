"""Remainders, whole numbers and the bits of numbers, element by element; few have derivatives."""

from __future__ import annotations

from typing import Any

from ..autodiff import primitive
from ..config import floatx, is_floating
from ..registry import namespace
from .elementwise import floating, promote, whole

__all__ = [
    "fmod",
    "gcd",
    "lcm",
    "ldexp",
    "left_shift",
    "nextafter",
    "right_shift",
    "signbit",
    "trunc",
]


@primitive
def fmod(x1: Any, x2: Any, /) -> tuple:
    """x1 - trunc(x1 / x2) * x2: the remainder with the sign of x1."""
    x1, x2 = promote(whole(x1), whole(x2))
    xp = _module(x1, x2)
    return xp.fmod(x1, x2), lambda g: g, lambda g: -g * xp.trunc(x1 / x2)


@primitive
def gcd(x1: Any, x2: Any, /) -> tuple:
    """The greatest common divisor of integers."""
    x1, x2 = promote(x1, x2)
    return (_module(x1, x2).gcd(x1, x2),)


@primitive
def lcm(x1: Any, x2: Any, /) -> tuple:
    """The least common multiple of integers."""
    x1, x2 = promote(x1, x2)
    return (_module(x1, x2).lcm(x1, x2),)


@primitive
def ldexp(x1: Any, x2: Any, /) -> tuple:
    """x1 * 2**x2 for integers x2; x1 has the derivative."""
    xp = _module(x1, x2)
    x1 = floating(x1) if hasattr(x1, "dtype") else xp.full((), x1, dtype=floatx())
    return xp.ldexp(x1, x2), lambda g: xp.ldexp(g, x2)


@primitive
def left_shift(x: Any, y: Any, /) -> tuple:
    """The bits of the integers x moved up by y places: x * 2**y."""
    x, y = promote(x, y)
    return (x << y,)


@primitive
def right_shift(x: Any, y: Any, /) -> tuple:
    """The bits of the integers x moved down by y places: floor(x / 2**y)."""
    x, y = promote(x, y)
    return (x >> y,)


@primitive
def nextafter(x1: Any, x2: Any, /) -> tuple:
    """The float next to x1 in the direction of x2."""
    x1, x2 = map(floating, promote(x1, x2))
    return (_module(x1, x2).nextafter(x1, x2),)


@primitive
def signbit(x: Any, /) -> tuple:
    """Whether x has a minus: x < 0, and -0.0 too."""
    return (namespace(x).signbit(x) if is_floating(x.dtype) else x < 0,)


@primitive
def trunc(x: Any, /) -> tuple:
    """x without its fraction, rounded towards 0; integers stay what they are."""
    return (namespace(x).trunc(x) if is_floating(x.dtype) else x,)


def _module(x1: Any, x2: Any) -> Any:
    return namespace(x1 if hasattr(x1, "dtype") else x2)
