"""How much each pixel of a line counts for each pixel of a longer or shorter one.

The kernels are functions of distances in pixels, `x`, by the functions of `of`: NumPy, or the
backend's differentiable operations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np


@lru_cache(64)
def weights(old: int, new: int, interpolation: str, antialias: bool = False) -> np.ndarray:
    """(new, old) of float64: what each old pixel gives to each new one; rows sum up to 1.

    `interpolation`: one of INTERPOLATIONS. Pixels are squares, so the corners of the pictures meet.
    `antialias`: where there are fewer new ones, each is an average of all old ones that it covers.
    """
    if interpolation == "area":
        edges = np.arange(new + 1) * (old / new)
        pixels = np.arange(old)
        ends = np.minimum(edges[1:, None], pixels + 1)
        starts = np.maximum(edges[:-1, None], pixels)
        given = np.maximum(ends - starts, 0)
    else:
        centres = (np.arange(new) + 0.5) * (old / new)
        if interpolation == "nearest":
            nearest = np.minimum(centres.astype(int), old - 1)
            return np.eye(old)[nearest]
        distance = np.arange(old) + 0.5 - centres[:, None]
        given = share(distance / (max(old / new, 1) if antialias else 1), interpolation, np)
    return given / given.sum(axis=1, keepdims=True)


def share(x: Any, interpolation: str, of: Any) -> Any:
    """What pixels at the distances `x` count, before their sum is made 1."""
    kernel, radius = _KERNELS[interpolation]
    return of.where(of.absolute(x) < radius, kernel(x, of), 0.0)


def _triangle(x: Any, of: Any) -> Any:
    return 1 - of.absolute(x)


def _cubic(b: float, c: float) -> Callable[[Any, Any], Any]:
    """Mitchell and Netravali's family, 1988; Keys's cubic of a = -1/2 is b = 0, c = 1/2."""

    def kernel(x: Any, of: Any) -> Any:
        x = of.absolute(x)
        near = (12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b
        far = (-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x
        return of.where(x < 1, near, far + 8 * b + 24 * c) / 6

    return kernel


def _lanczos(radius: int) -> Callable[[Any, Any], Any]:
    """The product of two sincs. Duchon 1979, "Lanczos filtering in one and two dimensions"."""
    return lambda x, of: of.sinc(x) * of.sinc(x / radius)


def _gaussian(x: Any, of: Any) -> Any:
    return of.exp(-2 * x * x)  # a standard deviation of half a pixel


_KERNELS: dict[str, tuple[Callable[[Any, Any], Any], float]] = {
    "bilinear": (_triangle, 1),
    "bicubic": (_cubic(0, 1 / 2), 2),
    "lanczos3": (_lanczos(3), 3),
    "lanczos5": (_lanczos(5), 5),
    "gaussian": (_gaussian, 1.5),
    "mitchellcubic": (_cubic(1 / 3, 1 / 3), 2),
}
BLURRING = ("gaussian", "mitchellcubic")  # even where the size stays
INTERPOLATIONS = ("nearest", "area", *_KERNELS)
