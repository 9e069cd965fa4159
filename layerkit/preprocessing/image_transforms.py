"""Random changes to one image of rank 3, drawn from NumPy's global generator, as in Keras 2."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit.backend import floatx, image_data_format

from ..utils.images import stretched
from .warping import apply_affine_transform


def random_rotation(
    x: Any,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """`x` turned by up to `rg` degrees; the rest as for `apply_affine_transform`."""
    theta = np.random.uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(
        x, theta, 0, 0, 0, 1, 1, *axes, fill_mode, cval, interpolation_order
    )


def random_shift(
    x: Any,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """`x` moved by up to the shares `wrg` of its width and `hrg` of its height."""
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(
        x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order
    )


def random_shear(
    x: Any,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """`x` sheared by up to `intensity` degrees."""
    shear = np.random.uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(
        x, 0, 0, 0, shear, 1, 1, *axes, fill_mode, cval, interpolation_order
    )


def random_zoom(
    x: Any,
    zoom_range: Any,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """`x` zoomed by factors from `zoom_range` (low, high), one for rows and one for columns."""
    _check_pair("zoom_range", zoom_range)
    zx, zy = 1, 1
    if zoom_range[0] != 1 or zoom_range[1] != 1:
        zx, zy = np.random.uniform(zoom_range[0], zoom_range[1], 2)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(
        x, 0, 0, 0, 0, zx, zy, *axes, fill_mode, cval, interpolation_order
    )


def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """`x` + `intensity`, kept within the least and the largest value of `x`."""
    x = np.asarray(x)
    return np.clip(x + intensity, np.min(x), np.max(x))


def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """`apply_channel_shift` by up to `intensity_range`."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range))


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> np.ndarray:
    """`x` times `brightness`, as bytes of a picture are: cut off, from 0 to 255. Result in floatx.

    scale: stretch the values to 0..255 first. Where they do not fit bytes they are stretched
    anyway, and without `scale` put back afterwards. A fourth channel, alpha, stays.
    """
    x = np.asarray(x, dtype=floatx())
    low, high = np.min(x), np.max(x)
    outside = bool(low < 0 or high > 255)
    pixels = (stretched(x) if outside or scale else x).astype("uint8")
    brighter = np.clip(np.float32(brightness) * pixels.astype("float32"), 0, 255).astype("uint8")
    channel_axis = 0 if image_data_format() == "channels_first" else 2
    if x.shape[channel_axis] == 4:
        alpha = (slice(None),) * channel_axis + (3,)
        brighter[alpha] = pixels[alpha]
    result = brighter.astype(floatx())
    return result / 255 * (high - low) + low if outside and not scale else result


def random_brightness(x: Any, brightness_range: Any, scale: bool = True) -> np.ndarray:
    """`apply_brightness_shift` by a factor from `brightness_range` (low, high)."""
    _check_pair("brightness_range", brightness_range)
    factor = np.random.uniform(brightness_range[0], brightness_range[1])
    return apply_brightness_shift(x, factor, scale)


def flip_axis(x: Any, axis: int) -> np.ndarray:
    """`x` the other way round along an axis."""
    return np.flip(np.asarray(x), axis)


def _check_pair(name: str, pair: Any) -> None:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(f"`{name}` should be a tuple or list of two floats. Received: {pair}")
