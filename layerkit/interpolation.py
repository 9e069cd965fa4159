"""How much each pixel of a line counts for each pixel of a longer or shorter one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np


@lru_cache(64)
def weights(old: int, new: int, interpolation: str) -> np.ndarray:
    """(new, old) of float64: what each old pixel gives to each new one; rows sum up to 1.

    `interpolation`: one of INTERPOLATIONS. Pixels are squares, so the corners of the pictures meet.
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
        kernel, radius = _KERNELS[interpolation]
        distance = np.arange(old) + 0.5 - centres[:, None]
        given = np.where(np.abs(distance) < radius, kernel(distance), 0)
    return given / given.sum(axis=1, keepdims=True)


def _triangle(x: np.ndarray) -> np.ndarray:
    return 1 - np.abs(x)


def _cubic(b: float, c: float) -> Callable[[np.ndarray], np.ndarray]:
    """Mitchell and Netravali's family, 1988; Keys's cubic of a = -1/2 is b = 0, c = 1/2."""

    def kernel(x: np.ndarray) -> np.ndarray:
        x = np.abs(x)
        near = (12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b
        far = (-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x
        return np.where(x < 1, near, far + 8 * b + 24 * c) / 6

    return kernel


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.sinc(x) * np.sinc(x / radius)


def _gaussian(x: np.ndarray) -> np.ndarray:
    return np.exp(-2 * x * x)  # a standard deviation of half a pixel


_KERNELS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "bilinear": (_triangle, 1),
    "bicubic": (_cubic(0, 1 / 2), 2),
    "lanczos3": (_lanczos(3), 3),
    "lanczos5": (_lanczos(5), 5),
    "gaussian": (_gaussian, 1.5),
    "mitchellcubic": (_cubic(1 / 3, 1 / 3), 2),
}
BLURRING = ("gaussian", "mitchellcubic")  # even where the size stays
INTERPOLATIONS = ("nearest", "area", *_KERNELS)
