"""Resampling of images: resize, affine maps, values between the pixels, blur; and histograms.

Images are (height, width, channels) or (batch, height, width, channels), or with the channels
before height and width where `data_format` is 'channels_first'. All are differentiable in the
images, and those that take coordinates in these too; integers are computed in floats and rounded.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autodiff import Tensor, convert_to_tensor, primitive
from ..config import floatx, standardize_data_format
from ..registry import backend_of, namespace
from .convolution import depthwise_conv
from .elementwise import (
    absolute,
    cast,
    clip,
    divide,
    exp,
    floor,
    maximum,
    minimum,
    sign,
    square,
    where,
)
from .elementwise import round as rounded
from .indexing import getitem, take
from .linalg import outer, tensordot
from .reductions import sum as total
from .shape import expand_dims, moveaxis, pad, reshape, squeeze, tile, transpose

__all__ = [
    "affine_transform",
    "equalize_histogram",
    "gaussian_blur",
    "map_coordinates",
    "resize_images",
]

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
ORDERS = {"nearest": 0, "bilinear": 1}  # what a sample is: a piecewise polynomial of this order


# Resize


def resize_images(
    images: Any,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """`images` in the height and width `size`, in their own dtype.

    `interpolation`: 'nearest', 'bilinear', 'bicubic' (Keys 1981, a = -1/2), 'lanczos3' or
    'lanczos5'; pixels are squares whose centres lie at the halves. `antialias` widens the kernel
    where an axis shrinks. With `crop_to_aspect_ratio` the largest centred window of the target's
    aspect ratio is taken first, with `pad_to_aspect_ratio` margins of `fill_value` are added
    first. ValueError for other arguments.
    """
    images, data_format = convert_to_tensor(images), standardize_data_format(data_format)
    if interpolation != "nearest" and interpolation not in _KERNELS:
        raise ValueError(
            "Invalid value for argument `interpolation`. Expected of one "
            f"{('nearest', *_KERNELS)}. Received: interpolation={interpolation}"
        )
    if fill_mode != "constant":
        raise ValueError(
            "Invalid value for argument `fill_mode`. Only `'constant'` is supported. "
            f"Received: fill_mode={fill_mode}"
        )
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`."
        )
    if len(size) != 2:
        raise ValueError(
            "Argument `size` must be a tuple of two elements (height, width). "
            f"Received: size={size}"
        )
    axes = spatial_axes(images, data_format)
    if crop_to_aspect_ratio:
        images = _cropped_to(images, size, axes)
    elif pad_to_aspect_ratio:
        images = _padded_to(images, size, axes, fill_value)
    if interpolation == "nearest":
        return _nearest(images, size, axes)
    x = images if images.dtype.kind == "f" else cast(images, floatx())
    for axis, n in zip(axes, size, strict=True):
        if x.shape[axis] != n:
            weights = _resize_weights(x.shape[axis], n, interpolation, antialias)
            matrix = backend_of(x.array).constant(weights.astype(x.dtype))
            x = moveaxis(tensordot(matrix, x, axes=([1], [axis])), 0, axis)
    return _as(images.dtype, x)


def spatial_axes(images: Any, data_format: str) -> tuple[int, int]:
    """The axes of height and width of an image or a batch. ValueError for other ranks."""
    if images.ndim not in (3, 4):
        raise ValueError(
            "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). "
            f"Received input with shape: images.shape={images.shape}"
        )
    first = images.ndim - (3 if data_format == "channels_last" else 2)
    return first, first + 1


def _cropped_to(x: Any, size: Sequence[int], axes: tuple[int, int]) -> Any:
    """The centred window of x that has the aspect ratio of `size`."""
    height, width = (x.shape[axis] for axis in axes)
    window = (
        max(min(height, int(width * size[0] / size[1])), 1),
        max(min(width, int(height * size[1] / size[0])), 1),
    )
    key: list[Any] = [slice(None)] * x.ndim
    for axis, n in zip(axes, window, strict=True):
        start = (x.shape[axis] - n) // 2
        key[axis] = slice(start, start + n)
    return getitem(x, tuple(key))


def _padded_to(x: Any, size: Sequence[int], axes: tuple[int, int], fill_value: float) -> Any:
    """x with margins at both ends of one axis, so that it has the aspect ratio of `size`."""
    height, width = (x.shape[axis] for axis in axes)
    margins = [(0, 0)] * x.ndim
    missing = (
        max(height, int(width * size[0] / size[1])) - height,
        max(width, int(height * size[1] / size[0])) - width,
    )
    for axis, n in zip(axes, missing, strict=True):
        margins[axis] = (n // 2, n // 2)
    return pad(x, margins, constant_values=fill_value) if max(missing) > 1 else x


def _nearest(x: Any, size: Sequence[int], axes: tuple[int, int]) -> Any:
    for axis, n in zip(axes, size, strict=True):
        if x.shape[axis] != n:
            indices = (2 * np.arange(n) + 1) * x.shape[axis] // (2 * n)
            x = take(x, backend_of(x.array).constant(indices.astype("int32")), axis=axis)
    return x


def _resize_weights(m: int, n: int, interpolation: str, antialias: bool) -> np.ndarray:
    """(n, m): how much each of m pixels counts for each of n new ones; rows sum to one."""
    step = m / n
    centres = (np.arange(n) + 0.5) * step - 0.5
    distances = np.abs(centres[:, None] - np.arange(m))
    weights = _KERNELS[interpolation](distances / max(step if antialias else 1.0, 1.0))
    return weights / weights.sum(axis=1, keepdims=True)


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - x)


def _keys(x: np.ndarray) -> np.ndarray:
    near = ((1.5 * x - 2.5) * x) * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x <= radius, np.sinc(x) * np.sinc(x / radius), 0)


_KERNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bilinear": _triangle,
    "bicubic": _keys,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def _as(dtype: Any, x: Any) -> Any:
    """Floats x in the dtype: rounded and held within its limits where it is an integer type."""
    if x.dtype == dtype:
        return x
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        x = clip(rounded(x), limits.min, limits.max)
    return cast(x, dtype)


# Values between the pixels


def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """`images` whose pixel (x, y) is the pixel of the input at the image of (x, y).

    `transform`: (8,) or (batch, 8) floats a0, a1, a2, b0, b1, b2, c0, c1; with
    k = c0 x + c1 y + 1, that place is ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k).
    `interpolation`: 'nearest' or 'bilinear'. `fill_mode` says what lies outside: 'constant'
    (`fill_value`), 'nearest', 'wrap' (abcd|abcd), 'mirror' (dcb|abcd) or 'reflect' (dcba|abcd).
    """
    images, transform = convert_to_tensor(images), convert_to_tensor(transform)
    data_format = standardize_data_format(data_format)
    if interpolation not in ORDERS:
        raise ValueError(
            f"Invalid value for argument `interpolation`. Expected of one {set(ORDERS)}. "
            f"Received: interpolation={interpolation}"
        )
    _check_fill_mode(fill_mode)
    spatial_axes(images, data_format)
    if transform.ndim not in (1, 2) or transform.shape[-1] != 8:
        raise ValueError(
            "Invalid transform rank: expected rank 1 (single transform) or rank 2 (batch of "
            "transforms), of 8 numbers each. Received input with shape: "
            f"transform.shape={transform.shape}"
        )
    single = images.ndim == 3
    x = expand_dims(images, 0) if single else images
    first = data_format == "channels_first"
    x = transpose(x, (0, 2, 3, 1)) if first else x
    y = _warped(x, transform, ORDERS[interpolation], fill_mode, fill_value)
    y = transpose(y, (0, 3, 1, 2)) if first else y
    return squeeze(y, 0) if single else y


def _warped(x: Any, transform: Any, order: int, fill_mode: str, fill_value: Any) -> Any:
    """x (batch, height, width, channels), every pixel read where its transform says."""
    batch, height, width, _ = x.shape
    narrow = transform.dtype.kind != "f" or transform.dtype.itemsize < 4
    transform = cast(transform, "float32") if narrow else transform
    constant = backend_of(x.array).constant
    rows = constant(np.arange(height, dtype=transform.dtype)[:, None])
    columns = constant(np.arange(width, dtype=transform.dtype)[None, :])
    a0, a1, a2, b0, b1, b2, c0, c1 = (transform[..., i, None, None] for i in range(8))
    k = c0 * columns + c1 * rows + 1
    places = [
        divide(b0 * columns + b1 * rows + b2, k),
        divide(a0 * columns + a1 * rows + a2, k),
    ]
    if transform.ndim == 1:
        places = [tile(expand_dims(place, 0), (batch, 1, 1)) for place in places]
    numbers = constant(np.arange(batch, dtype="int32")[:, None, None])
    return _sampled(x, (numbers,), places, order, fill_mode, fill_value)


def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0.0
) -> Any:
    """The values of `inputs` at `coordinates` (one row per axis, then any shape): that shape.

    `order`: 0 takes the nearest element, 1 interpolates linearly. `fill_mode`: as of
    `affine_transform`. ValueError where the rows are not as many as the axes.
    """
    inputs, coordinates = convert_to_tensor(inputs), convert_to_tensor(coordinates)
    if coordinates.ndim < 2 or coordinates.shape[0] != inputs.ndim:
        raise ValueError(
            "First dim of `coordinates` must be the same as the rank of `inputs`, and their rank "
            f"at least 2. Received inputs with shape: {inputs.shape} and coordinates with shape: "
            f"{coordinates.shape}"
        )
    _check_fill_mode(fill_mode)
    if order not in (0, 1):
        raise ValueError(
            f"Invalid value for argument `order`. Expected one of [0, 1]. Received: order={order}"
        )
    if coordinates.dtype.kind != "f":
        coordinates = cast(coordinates, floatx())
    places = [coordinates[axis] for axis in range(inputs.ndim)]
    return _sampled(inputs, (), places, order, fill_mode, fill_value)


def _check_fill_mode(fill_mode: str) -> None:
    if fill_mode not in FILL_MODES:
        raise ValueError(
            f"Invalid value for argument `fill_mode`. Expected of one {set(FILL_MODES)}. "
            f"Received: fill_mode={fill_mode}"
        )


def _sampled(
    x: Any, leading: tuple, places: list, order: int, fill_mode: str, fill_value: Any
) -> Any:
    """x at real `places` of the axes after those that `leading` indexes; axes after these stay."""
    sizes = x.shape[len(leading) : len(leading) + len(places)]
    behind = (Ellipsis, *(None,) * (x.ndim - len(leading) - len(places)))
    nodes = [_nodes(p, n, order, fill_mode) for p, n in zip(places, sizes, strict=True)]
    y: Any = 0
    for corner in itertools.product(*nodes):
        value = getitem(x, (*leading, *(index for index, _, _ in corner)))
        inside = [valid for _, valid, _ in corner if valid is not None]
        if inside:
            valid = inside[0]
            for other in inside[1:]:
                valid = valid & other
            value = where(valid[behind], value, fill_value)
        for _, _, weight in corner:
            value = value if weight is None else value * weight[behind]
        y = value + y
    if x.dtype.kind in "iu" and y.dtype.kind == "f":
        y = _half_away(y)
    return cast(y, x.dtype)


def _nodes(place: Any, size: int, order: int, fill_mode: str) -> list[tuple]:
    """What a place is interpolated from: (index, whether it is inside or None, weight or None)."""
    lower = _half_away(place) if order == 0 else floor(place)
    index = cast(lower, "int32")
    if order == 0:
        return [(*_held(index, size, fill_mode), None)]
    above = place - lower
    return [
        (*_held(index, size, fill_mode), 1 - above),
        (*_held(index + 1, size, fill_mode), above),
    ]


def _held(index: Any, size: int, fill_mode: str) -> tuple[Any, Any]:
    """`index` brought into [0, size) as the mode says; whether it was inside, where that counts."""
    last = size - 1
    if fill_mode == "wrap":
        return index % size, None
    if fill_mode == "mirror":
        return absolute((index + last) % max(2 * last, 1) - last), None
    if fill_mode == "reflect":
        twice = absolute((2 * index + 1 + 2 * size) % (4 * size) - 2 * size)
        return (twice - 1) // 2, None
    inside = (index >= 0) & (index < size) if fill_mode == "constant" else None
    return minimum(maximum(index, 0), last), inside


def _half_away(x: Any) -> Any:
    """x rounded, halves away from zero."""
    return sign(x) * floor(absolute(x) + 0.5)


# Blur


def gaussian_blur(
    images: Any,
    kernel_size: Sequence[int] = (3, 3),
    sigma: Any = (1.0, 1.0),
    data_format: str | None = None,
) -> Any:
    """`images` convolved with a Gaussian, with zeros outside of them.

    `kernel_size`: (width, height) in pixels; `sigma`: (2,), the standard deviations along them.
    """
    images, data_format = convert_to_tensor(images), standardize_data_format(data_format)
    spatial_axes(images, data_format)
    x = images if images.dtype.kind == "f" else cast(images, floatx())
    sigma = cast(convert_to_tensor(sigma), x.dtype)
    x = expand_dims(x, 0) if images.ndim == 3 else x
    channels = x.shape[-1 if data_format == "channels_last" else 1]
    across, down = (_gaussian(n, sigma[i]) for i, n in enumerate(kernel_size))
    kernel = reshape(outer(down, across), (kernel_size[1], kernel_size[0], 1, 1))
    kernel = tile(kernel, (1, 1, channels, 1))
    y = depthwise_conv(x, kernel, padding="same", data_format=data_format)
    return _as(images.dtype, squeeze(y, 0) if images.ndim == 3 else y)


def _gaussian(size: int, sigma: Tensor) -> Any:
    """(size,) weights of a Gaussian around the middle; their sum is one."""
    places = np.arange(size, dtype=sigma.dtype) - (size - 1) / 2
    x = backend_of(sigma.array).constant(places.astype(sigma.dtype))
    weights = exp(-0.5 * square(divide(x, sigma)))
    return weights / total(weights)


# Histograms


@primitive
def equalize_histogram(x: Any, /, bins: int = 256) -> tuple:
    """Floats x in [0, 255], each as the share of the values that are not above it, times 255.

    Values are told apart by their one of so many bins; where all are in one bin, x stays as it
    is. No derivative.
    """
    xp = namespace(x)
    numbers = xp.clip(x * ((bins - 1) / 255), 0, bins - 1).astype("int32")
    counts = xp.bincount(numbers.reshape(-1), minlength=bins)
    reached = xp.cumsum(counts)
    first = counts[numbers.min()]
    spread = reached[-1] - first
    table = xp.rint((reached - first) * 255 / xp.maximum(spread, 1)).clip(0, 255)
    return (xp.where(spread == 0, x, table.astype(x.dtype)[numbers]),)
