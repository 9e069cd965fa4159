"""Images resized on the host: along each axis one matrix of weights, the same as TensorFlow's."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np


def resize(
    images: np.ndarray, size: tuple[int, int], interpolation: str = "bilinear"
) -> np.ndarray:
    """Images (..., height, width, channels) resized to `size` (height, width), in float32.

    interpolation: one of INTERPOLATIONS. Pixels are squares, so the corners of the pictures meet;
    nothing is smoothed before a picture is made smaller (Keras's `antialias=False`).
    """
    x = np.asarray(images, dtype="float32")
    for axis, length in ((-3, size[0]), (-2, size[1])):
        if x.shape[axis] != length or interpolation in _BLURRING:
            weights = _weights(x.shape[axis], length, interpolation)
            x = np.moveaxis(np.tensordot(weights, x, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(x)


def resize_with_crop(x: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """As `resize`, after the largest part in the middle that has the target's shape was cut out."""
    height, width = x.shape[-3:-1]
    crop_height = max(min(height, int(width * size[0] / size[1])), 1)
    crop_width = max(min(width, int(height * size[1] / size[0])), 1)
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    x = x[..., top : top + crop_height, left : left + crop_width, :]
    return resize(x, size, interpolation)


def resize_with_pad(x: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """As `resize`, but all of the picture in its own shape, with zeros around it."""
    height, width = x.shape[-3:-1]
    ratio = max(height / size[0], width / size[1])
    inner = (max(int(height / ratio), 1), max(int(width / ratio), 1))
    top, left = (int((size[i] - n / ratio) / 2) for i, n in enumerate((height, width)))
    padded = np.zeros((*x.shape[:-3], *size, x.shape[-1]), "float32")
    region = (..., slice(top, top + inner[0]), slice(left, left + inner[1]), slice(None))
    padded[region] = resize(x, inner, interpolation)
    return padded


@lru_cache(64)
def _weights(old: int, new: int, interpolation: str) -> np.ndarray:
    """(new, old): what each old pixel gives to each new one; every row sums up to 1."""
    if interpolation == "area":
        edges = np.arange(new + 1) * (old / new)
        pixels = np.arange(old)
        ends = np.minimum(edges[1:, None], pixels + 1)
        starts = np.maximum(edges[:-1, None], pixels)
        weights = np.maximum(ends - starts, 0)
    else:
        centres = (np.arange(new) + 0.5) * (old / new)
        if interpolation == "nearest":
            nearest = np.minimum(centres.astype(int), old - 1)
            return np.eye(old, dtype="float32")[nearest]
        kernel, radius = _KERNELS[interpolation]
        distance = np.arange(old) + 0.5 - centres[:, None]
        weights = np.where(np.abs(distance) < radius, kernel(distance), 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")


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
_BLURRING = ("gaussian", "mitchellcubic")  # even where the size stays
INTERPOLATIONS = ("nearest", "area", *_KERNELS)
