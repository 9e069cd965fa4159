"""Keras's `ops.image`: colours, cutting and filling up, patches, filters, comparing, resampling.

Images are (batch, height, width, channels) or without the batch; channels come before height where
`data_format` is 'channels_first', None stands for `image_data_format()`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.names import explain_missing

from ..symbolic import operation
from .resampling import (
    _FILL_MODES,
    _ORDERS,
    _check,
    _floats,
    _images,
    affine_transform,
    map_coordinates,
    perspective_transform,
    resize,
    sample,
    scale_and_translate,
)

__all__ = [
    "affine_transform",
    "crop_images",
    "elastic_transform",
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "hsv_to_rgb",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "resize",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "scale_and_translate",
    "sobel_edges",
    "ssim",
]

Sizes = int | tuple[int, ...]


def _channels_last(data_format: str | None) -> bool:
    return K.standardize_data_format(data_format) == "channels_last"


# Colours


@operation
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Tensor:
    """The luma 0.2989 red + 0.587 green + 0.114 blue, in one channel; gray images as they are.

    Integers are computed in floats and cut off. ValueError unless there are 1 or 3 channels.
    """
    images = _images(images)
    axis = -1 if _channels_last(data_format) else -3
    if images.shape[axis] not in (1, 3):
        raise ValueError(
            "Invalid channel size: expected 3 (RGB) or 1 (Grayscale). "
            f"Received input with shape: images.shape={images.shape}"
        )
    if images.shape[axis] == 1:
        return images
    weights = np.array([0.2989, 0.587, 0.114])
    gray = K.tensordot(_floats(images), weights.astype(_floats(images).dtype), axes=(axis, 0))
    return K.cast(K.expand_dims(gray, axis), images.dtype)


@operation
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Tensor:
    """Hue, saturation and value in [0, 1] of red, green and blue in [0, 1].

    Smith 1978, "Color gamut transform pairs". ValueError for integers and other channels.
    """
    images, axis = _colours(images, data_format)
    eps = float(np.finfo(images.dtype).eps)
    images = K.where(K.less(K.absolute(images), eps), 0.0, images)
    red, green, blue = K.unstack(images, axis=axis)
    value = K.maximum(K.maximum(red, green), blue)
    chroma = value - K.minimum(K.minimum(red, green), blue)
    coloured = K.greater(chroma, 0)
    bright = K.greater(value, 0)
    saturation = K.where(bright, chroma / K.where(bright, value, 1.0), 0.0)
    sixth = 1 / (6 * K.where(coloured, chroma, 1.0))
    hue = K.where(
        K.equal(value, green), sixth * (blue - red) + 2 / 6, sixth * (red - green) + 4 / 6
    )
    hue = K.where(K.equal(value, red), sixth * (green - blue), hue)
    hue = K.where(coloured, hue, 0.0) + K.cast(K.less(hue, 0), hue.dtype)
    return K.stack([hue, saturation, value], axis)


@operation
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Tensor:
    """Red, green and blue in [0, 1] of hue, saturation and value: the inverse of `rgb_to_hsv`."""
    images, axis = _colours(images, data_format)
    hue, saturation, value = K.unstack(images, axis=axis)
    sector = K.mod(hue, 1.0) * 6.0
    full = [
        K.clip(K.absolute(sector - 3.0) - 1.0, 0.0, 1.0),
        K.clip(2.0 - K.absolute(sector - 2.0), 0.0, 1.0),
        K.clip(2.0 - K.absolute(sector - 4.0), 0.0, 1.0),
    ]
    return K.stack([value * (1.0 - saturation + saturation * colour) for colour in full], axis)


def _colours(images: Any, data_format: str | None) -> tuple[Tensor, int]:
    """Float images of three channels, and the axis of those."""
    images = _images(images)
    axis = images.ndim - 1 if _channels_last(data_format) else images.ndim - 3
    if not K.is_floating(images.dtype):
        raise ValueError(
            "Invalid images dtype: expected float dtype. "
            f"Received: images.dtype={images.dtype}: divide by 255."
        )
    if images.shape[axis] != 3:
        raise ValueError(
            f"Invalid channel size: expected 3. Received input with shape: images.shape="
            f"{images.shape}"
        )
    return images, axis


# Cutting and filling up


@operation
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with rows and columns of zeros around them.

    Of top, bottom and target height two are given, of left, right and target width two; the third
    follows. ValueError otherwise, and where less than nothing would be added.
    """
    images = _images(images)
    height, width = _sizes(images, data_format)
    rows = {"top_padding": top_padding, "bottom_padding": bottom_padding}
    columns = {"left_padding": left_padding, "right_padding": right_padding}
    widths = [
        _frame({**rows, "target_height": target_height}, height, 1),
        _frame({**columns, "target_width": target_width}, width, 1),
    ]
    widths = [*widths, (0, 0)] if _channels_last(data_format) else [(0, 0), *widths]
    return K.pad(images, [(0, 0)] * (images.ndim - 3) + widths)


@operation
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images without some rows and columns at their edges.

    Of top, bottom and target height two are given, of left, right and target width two; the third
    follows. ValueError otherwise, and where more than there is would be cut off.
    """
    images = _images(images)
    height, width = _sizes(images, data_format)
    rows = {"top_cropping": top_cropping, "bottom_cropping": bottom_cropping}
    columns = {"left_cropping": left_cropping, "right_cropping": right_cropping}
    top, bottom = _frame({**rows, "target_height": target_height}, height, -1)
    left, right = _frame({**columns, "target_width": target_width}, width, -1)
    key = (slice(top, height - bottom), slice(left, width - right))
    return images[(..., *key, slice(None)) if _channels_last(data_format) else (..., *key)]


def _sizes(images: Tensor, data_format: str | None) -> tuple[int, int]:
    """Height and width."""
    height, width = images.shape[-3:-1] if _channels_last(data_format) else images.shape[-2:]
    return height, width


def _frame(given: dict[str, int | None], length: int, sign: int) -> tuple[int, int]:
    """What is added (sign 1) or cut off (-1) before and behind, where one of three is None."""
    if list(given.values()).count(None) != 1:
        received = ", ".join(f"{name}={value}" for name, value in given.items())
        raise ValueError(f"Must specify exactly two of {', '.join(given)}. Received: {received}")
    before, after, target = given.values()
    if target is None:
        target = length + sign * (before + after)  # type: ignore[operator]
    elif before is None:
        before = sign * (target - length) - after  # type: ignore[operator]
    else:
        after = sign * (target - length) - before
    for name, value in zip(given, (before, after, target), strict=True):
        if value < 0:  # type: ignore[operator]
            raise ValueError(
                f"{name} must be >= 0. Received: {name}={value}, for images of length {length} "
                "along that axis."
            )
    return before, after  # type: ignore[return-value]


# Patches


@operation
def extract_patches(
    images: Any,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Windows of images, each as the channels of one pixel: cell by cell, all channels of a cell.

    `size`: an int or (height, width); of three numbers, as in `extract_patches_3d`. `strides`: None
    for `size`, so that windows lie side by side. `padding`: 'valid' or 'same'. TypeError and
    ValueError for other sizes.
    """
    if not isinstance(size, int) and not isinstance(size, (tuple, list)):
        raise TypeError(
            "Invalid `size` argument. Expected an int or a tuple. "
            f"Received: size={size} of type {type(size).__name__}"
        )
    if not isinstance(size, int) and len(size) not in (2, 3):
        raise ValueError(
            "Invalid `size` argument. Expected a tuple of length 2 or 3. "
            f"Received: size={size} with length {len(size)}"
        )
    rank = 2 if isinstance(size, int) else len(size)
    return _patches(images, size, strides, dilation_rate, padding, data_format, rank)


@operation
def extract_patches_3d(
    volumes: Any,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """`extract_patches` of volumes (batch, depth, height, width, channels) or without the batch."""
    return _patches(volumes, size, strides, dilation_rate, padding, data_format, 3)


def _patches(
    images: Any,
    size: Sizes,
    strides: Sizes | None,
    dilation_rate: Sizes,
    padding: str,
    data_format: str | None,
    rank: int,
) -> Tensor:
    """A convolution whose filters pick one number of the window each."""
    images = K.convert_to_tensor(images)
    if images.ndim not in (rank + 1, rank + 2):
        raise ValueError(
            f"Invalid images rank: expected rank {rank + 1} (single image) or rank {rank + 2} "
            f"(batch of images). Received input with shape: images.shape={images.shape}"
        )
    window = (size,) * rank if isinstance(size, int) else tuple(size)
    single = images.ndim == rank + 1
    x = K.expand_dims(images, 0) if single else images
    channels = x.shape[-1] if _channels_last(data_format) else x.shape[1]
    count = channels * int(np.prod(window))
    kernel = K.reshape(K.eye(count, dtype=_floats(x).dtype), (*window, channels, count))
    y = K.conv(x, kernel, strides or window, padding, data_format, dilation_rate)
    return K.cast(K.squeeze(y, 0) if single else y, images.dtype)


# Filters


@operation
def gaussian_blur(
    images: Any,
    kernel_size: tuple[int, int] = (3, 3),
    sigma: Any = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Images averaged with weights exp(-(x² / sx² + y² / sy²) / 2), zeros beyond the edges.

    `kernel_size`, `sigma`: how many pixels the window has, and (sx, sy), along x and along y.
    """
    images = _images(images)
    x = _floats(images)
    sigma = K.cast(sigma, x.dtype)
    along_x, along_y = (_bell(n, sigma[i]) for i, n in enumerate(kernel_size))
    kernel = K.outer(along_y, along_x)
    return K.cast(_filtered(x, kernel, "same", data_format), images.dtype)


def _bell(size: int, sigma: Tensor) -> Tensor:
    """`size` weights of a normal distribution around the middle, of sum 1."""
    distance = K.arange(size, dtype=sigma.dtype) - (size - 1) / 2
    weights = K.exp(-0.5 * K.square(distance / sigma))
    return weights / K.sum(weights)


def _filtered(x: Tensor, kernel: Tensor, padding: str, data_format: str | None) -> Tensor:
    """Each channel of images convolved with the matrix `kernel`."""
    single = x.ndim == 3
    x = K.expand_dims(x, 0) if single else x
    channels = x.shape[-1] if _channels_last(data_format) else x.shape[1]
    filters = K.reshape(kernel, (*kernel.shape, 1, 1))
    filters = K.tile(filters, (1, 1, channels, 1))
    y = K.depthwise_conv(x, filters, padding=padding, data_format=data_format)
    return K.squeeze(y, 0) if single else y


@operation
def sobel_edges(images: Any, data_format: str | None = None) -> Tensor:
    """How fast images change along y and along x, side by side in a new last axis.

    Zeros beyond the edges. Sobel and Feldman 1968. ValueError unless the rank is 4.
    """
    images = _images(images)
    if images.ndim != 4:
        raise ValueError(
            "sobel_edges expects a batch of images, of rank 4. "
            f"Received: images.shape={images.shape}"
        )
    x = _floats(images)
    along_x = np.outer([1, 2, 1], [-1, 0, 1]).astype(x.dtype)
    edges = [
        _filtered(x, K.convert_to_tensor(kernel), "same", data_format)
        for kernel in (np.ascontiguousarray(along_x.T), along_x)
    ]
    return K.cast(K.stack(edges, -1), images.dtype)


@operation
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Images whose pixels are moved by smooth random fields, each image by its own.

    The fields are normal numbers with deviation `sigma`, blurred over `sigma` pixels, times
    `alpha`. `seed`: an int, a `SeedGenerator`, or None; the rest as in `affine_transform`. Simard
    et al. 2003, "Best practices for convolutional neural networks applied to visual document
    analysis".
    """
    _check("interpolation", interpolation, _ORDERS)
    _check("fill_mode", fill_mode, _FILL_MODES)
    images, last = _images(images), _channels_last(data_format)
    height, width = _sizes(images, data_format)
    batch = 1 if images.ndim == 3 else images.shape[0]
    noise = K.random_normal((2, batch, height, width), 0.0, sigma, K.floatx(), seed)
    window = int(6 * sigma) | 1
    fields = K.reshape(noise, (2 * batch, height, width, 1))
    fields = gaussian_blur(fields, (window, window), (sigma, sigma), "channels_last")
    along_y, along_x = K.unstack(K.reshape(fields, (2, batch, height, width)) * alpha, axis=0)
    rows, columns = (grid.astype(K.floatx()) for grid in np.mgrid[:height, :width])
    places = along_y + rows, along_x + columns
    return sample(images, places, interpolation, fill_mode, fill_value, last)


# Comparing


@operation
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """The structural similarity of images in [0, max_val], 1 for equal ones: (batch,) or a scalar.

    Means and variances are taken over windows of `filter_size` pixels, weighted normally with
    deviation `filter_sigma`. Wang et al. 2004, "Image quality assessment: from error visibility to
    structural similarity".
    """
    first, second = _images(image1), _images(image2)
    x, y = _floats(first), _floats(second)
    kernel = _bell(filter_size, K.cast(filter_sigma, x.dtype))
    kernel = K.outer(kernel, kernel)

    def mean(images: Tensor) -> Tensor:
        return _filtered(images, kernel, "valid", data_format)

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean_x, mean_y = mean(x), mean(y)
    var_x, var_y = mean(x * x) - mean_x * mean_x, mean(y * y) - mean_y * mean_y
    covariance = mean(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    likeness = likeness / ((mean_x * mean_x + mean_y * mean_y + c1) * (var_x + var_y + c2))
    return K.cast(K.mean(likeness, (-3, -2, -1)), first.dtype)


explain_missing(__name__)
