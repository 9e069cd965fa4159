"""Images resized on the host: along each axis one matrix of weights, the same as TensorFlow's."""

from __future__ import annotations

import numpy as np

from ..interpolation import BLURRING, INTERPOLATIONS, weights

__all__ = ["INTERPOLATIONS", "resize", "resize_with_crop", "resize_with_pad"]


def resize(
    images: np.ndarray, size: tuple[int, int], interpolation: str = "bilinear"
) -> np.ndarray:
    """Images (..., height, width, channels) resized to `size` (height, width), in float32.

    interpolation: one of INTERPOLATIONS. Pixels are squares, so the corners of the pictures meet;
    nothing is smoothed before a picture is made smaller (Keras's `antialias=False`).
    """
    x = np.asarray(images, dtype="float32")
    for axis, length in ((-3, size[0]), (-2, size[1])):
        if x.shape[axis] != length or interpolation in BLURRING:
            shares = weights(x.shape[axis], length, interpolation).astype("float32")
            x = np.moveaxis(np.tensordot(shares, x, axes=(1, axis)), 0, axis)
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
