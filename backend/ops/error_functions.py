"""The complementary error function and the inverse of the error function: 14 digits of 16."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

from ..autodiff import Tensor, primitive
from ..registry import namespace
from .elementwise import erf, floating

__all__ = ["erfc", "erfinv"]


@primitive
def erfc(x: Any, /) -> tuple:
    """1 - erf(x), with all its digits where erf is close to 1."""
    x = floating(x)
    xp = namespace(x)
    return _erfc(x), lambda g: g * (-2 / math.sqrt(math.pi)) * xp.exp(-x * x)


@primitive
def erfinv(x: Any, /) -> tuple:
    """y with erf(y) = x: infinite for -1 and 1, nan beyond."""
    x = floating(x)
    xp = namespace(x)
    size = abs(x)
    inside = xp.minimum(size, 1 - 2.0 ** -(53 if x.dtype == "float64" else 24))
    y = _approximate_erfinv(inside)
    for _ in range(2):  # steps of Halley's method, each of which triples the digits
        low = erf(Tensor(y)).array - inside
        high = (1 - inside) - _erfc(y)
        error = xp.where(inside < 0.5, low, high) * (math.sqrt(math.pi) / 2) * xp.exp(y * y)
        y = y - error / (1 + y * error)
    y = xp.where(size < 1, y, xp.where(size == 1, math.inf, math.nan)).astype(x.dtype, copy=False)
    return xp.copysign(y, x), lambda g: g * (math.sqrt(math.pi) / 2) * xp.exp(y * y)


def _approximate_erfinv(x: Any) -> Any:
    """For x in [0, 1), right to 0.4 %. Winitzki 2008, "A handy approximation for the error
    function and its inverse"."""
    xp, a = namespace(x), 0.147
    logarithm = xp.log1p(-x) + xp.log1p(x)
    half = 2 / (math.pi * a) + logarithm / 2
    root = xp.sqrt(half * half - logarithm / a)
    # root - half, written so that it keeps its digits near 0
    return xp.sqrt(-logarithm / a / (root + half))


def _erfc(x: Any) -> Any:
    xp = namespace(x)
    z = abs(x)
    z = xp.minimum(z, 30.0)  # where the result has become 0
    t = 2 / (2 + z)
    y = _chebyshev(2 * t - 1, _erfcx_coefficients(30 if x.dtype == "float64" else 14))
    # exp(-z²), for which z² is split into what is exact and a small rest.
    near = xp.round(z * 16) / 16
    y *= t * xp.exp(-near * near) * xp.exp((near - z) * (near + z))
    return xp.where(x >= 0, y, 2 - y).astype(x.dtype, copy=False)


def _chebyshev(s: Any, coefficients: list[float]) -> Any:
    """The sum of coefficient k times the k-th Chebyshev polynomial of s: Clenshaw's recurrence."""
    first, *rest = coefficients
    ahead = behind = namespace(s).zeros_like(s)
    for coefficient in reversed(rest):
        ahead, behind = 2 * s * ahead - behind + coefficient, ahead
    return s * ahead - behind + first


@cache
def _erfcx_coefficients(degree: int) -> list[float]:
    """The Chebyshev series in 2 t - 1 of exp(z²) erfc(z) / t, which is smooth in t = 2 / (2 + z).

    Schonfelder 1978, "Chebyshev expansions for the error and related functions".
    """
    count = degree + 1
    angles = [math.pi * (i + 0.5) / count for i in range(count)]
    ts = [math.cos(angle / 2) ** 2 for angle in angles]
    ratios = [_erfcx(2 / t - 2) / t for t in ts]

    def coefficient(k: int) -> float:
        terms = [y * math.cos(k * angle) for y, angle in zip(ratios, angles, strict=True)]
        return math.fsum(terms) * (2 if k else 1) / count

    return [coefficient(k) for k in range(count)]


def _erfcx(z: float) -> float:
    """exp(z²) erfc(z) for z >= 0."""
    if z < 5:
        square = z * z
        rest = float(Fraction(z) ** 2 - Fraction(square))
        return math.exp(square) * (1 + rest) * math.erfc(z)
    fraction = z
    for k in range(60, 0, -1):  # Laplace's continued fraction
        fraction = z + k / 2 / fraction
    return 1 / (math.sqrt(math.pi) * fraction)
