"""Colors of images: red, green and blue as gray, and as hue, saturation and value.

Images are (height, width, 3) or (batch, height, width, 3), or with the channels before height and
width where `data_format` is 'channels_first'.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import convert_to_tensor
from ..config import floatx, is_floating, standardize_data_format
from .elementwise import absolute, cast, clip, maximum, minimum, where
from .image import spatial_axes
from .shape import split, squeeze, stack

__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]

_LUMA = (0.2989, 0.5870, 0.1140)  # ITU-R BT.601


def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """The luma of RGB `images`, with one channel, in their dtype; gray images as they are."""
    images = convert_to_tensor(images)
    axis = _channels_axis(images, data_format)
    if images.shape[axis] not in (1, 3):
        raise ValueError(
            "Invalid channel size: expected 3 (RGB) or 1 (Grayscale). "
            f"Received input with shape: images.shape={images.shape}"
        )
    if images.shape[axis] == 1:
        return images
    x = images if is_floating(images.dtype) else cast(images, floatx())
    red, green, blue = split(x, 3, axis)
    return cast(red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2], images.dtype)


def rgb_to_hsv(images: Any, data_format: str | None = None) -> Any:
    """RGB `images` with values in [0, 1] as hue, saturation and value, all in [0, 1]."""
    images = convert_to_tensor(images)
    axis = _channels_axis(images, data_format)
    _check_floats(images)
    tiny = float(np.finfo(images.dtype).eps)
    images = where(absolute(images) < tiny, 0.0, images)
    red, green, blue = (squeeze(x, axis) for x in split(images, 3, axis))
    value = maximum(maximum(red, green), blue)
    spread = value - minimum(minimum(red, green), blue)
    colored = spread > 0
    saturation = where(value > 0, spread / where(value > 0, value, 1.0), 0.0)
    sixth = 1 / (6 * where(colored, spread, 1.0))
    hue = where(value == green, sixth * (blue - red) + 2 / 6, sixth * (red - green) + 4 / 6)
    hue = where(value == red, sixth * (green - blue), hue)
    hue = where(colored, where(hue < 0, hue + 1, hue), 0.0)
    return stack([hue, saturation, value], axis)


def hsv_to_rgb(images: Any, data_format: str | None = None) -> Any:
    """`images` of hue, saturation and value, all in [0, 1], as RGB; hues go round."""
    images = convert_to_tensor(images)
    axis = _channels_axis(images, data_format)
    _check_floats(images)
    hue, saturation, value = (squeeze(x, axis) for x in split(images, 3, axis))
    hue = hue % 1 * 6
    pure = (
        clip(absolute(hue - 3) - 1, 0, 1),
        clip(2 - absolute(hue - 2), 0, 1),
        clip(2 - absolute(hue - 4), 0, 1),
    )
    return stack([value * (1 - saturation + saturation * p) for p in pure], axis)


def _channels_axis(images: Any, data_format: str | None) -> int:
    data_format = standardize_data_format(data_format)
    spatial_axes(images, data_format)
    return images.ndim - (1 if data_format == "channels_last" else 3)


def _check_floats(images: Any) -> None:
    if not is_floating(images.dtype):
        raise ValueError(
            "Invalid images dtype: expected float dtype. "
            f"Received: images.dtype={images.dtype.name}. Divide them by 255 first."
        )
