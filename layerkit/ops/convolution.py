"""Operations over windows of images: convolution, pooling, patches, blocks of pixels.

Images are (batch, *spatial, channels), or (batch, channels, *spatial) where `data_format` is
'channels_first'; None stands for `image_data_format()`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.allowance import check_sample
from layerkit.backend.registry import backend_of

from ..symbolic import operation

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "conv",
    "conv_transpose",
    "depth_to_space",
    "depthwise_conv",
    "fold",
    "max_pool",
    "separable_conv",
    "space_to_depth",
    "unfold",
]

Sizes = int | tuple[int, ...]


@operation
def conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Convolution (cross-correlation) over 1, 2 or 3 axes.

    `kernel`: (*window, channels / groups, filters); the number of groups follows from it.
    `padding`: 'valid' or 'same'. ValueError where shapes do not fit or nothing would be left.
    """
    return K.conv(inputs, kernel, strides, padding, data_format, dilation_rate)


@operation
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Convolution of each channel with its own `depth_multiplier` filters.

    `kernel`: (*window, channels, depth_multiplier). Result: channels * depth_multiplier channels.
    """
    return K.depthwise_conv(inputs, kernel, strides, padding, data_format, dilation_rate)


@operation
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """`depthwise_conv`, then a convolution whose window is one cell.

    `pointwise_kernel`: (1, ..., 1, channels * depth_multiplier, filters).
    """
    return K.separable_conv(
        inputs, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate
    )


@operation
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """The transpose of `conv`: every input cell adds its kernel to the output.

    `kernel`: (*window, filters, channels). `output_padding`: cells added to one side of the
    output, per axis; None for the size that the strides give.
    """
    return K.conv_transpose(
        inputs, kernel, strides, padding, output_padding, data_format, dilation_rate
    )


@operation
def max_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest cell of each window, per channel. `strides`: None for `pool_size`."""
    return K.max_pool(inputs, pool_size, strides, padding, data_format)


@operation
def average_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window's cells, per channel; padded cells are not counted."""
    return K.average_pool(inputs, pool_size, strides, padding, data_format)


@operation
def adaptive_average_pool(
    inputs: Any, output_size: Sizes, data_format: str | None = None
) -> Tensor:
    """The mean of windows that cover the image evenly, `output_size` of them along each axis.

    Window i of n over a length L runs from floor(i L / n) to ceil((i + 1) L / n). ValueError
    unless there are 1, 2 or 3 spatial axes.
    """
    return _adaptive(_mean_along, inputs, output_size, data_format, "adaptive_average_pool")


@operation
def adaptive_max_pool(inputs: Any, output_size: Sizes, data_format: str | None = None) -> Tensor:
    """The largest cell of windows as in `adaptive_average_pool`.

    Of equal cells the first one, row by row, gets the gradient, as in `max_pool`.
    """
    return _adaptive(_max_along, inputs, output_size, data_format, "adaptive_max_pool")


def _adaptive(
    pool: Callable[[Tensor, int, int], Tensor],
    inputs: Any,
    output_size: Sizes,
    data_format: str | None,
    name: str,
) -> Tensor:
    """`pool` along one spatial axis after the other: windows are products of intervals.

    The last axis comes first, so that what is first in a window is so row by row.
    """
    y = K.convert_to_tensor(inputs)
    rank = y.ndim - 2
    if rank not in (1, 2, 3):
        raise ValueError(
            f"{name} supports only 1D/2D/3D inputs, with axes for batch and channels of rank 3, 4 "
            f"or 5. Received: inputs.shape={y.shape}"
        )
    sizes = (output_size,) * rank if isinstance(output_size, int) else tuple(output_size)
    if len(sizes) != rank or min(sizes) < 1:
        raise ValueError(
            f"{name} expects `output_size` to be a positive integer or a tuple of {rank} of them, "
            f"one per spatial axis. Received: output_size={output_size}"
        )
    first = 1 if K.standardize_data_format(data_format) == "channels_last" else 2
    for axis, size in reversed(list(enumerate(sizes, start=first))):
        y = pool(y, axis, size)
    return y


def _intervals(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each of `count` windows over `length` cells starts, and where it stops."""
    i = np.arange(count)
    return i * length // count, -(-(i + 1) * length // count)


def _mean_along(x: Tensor, axis: int, count: int) -> Tensor:
    length, dtype = x.shape[axis], x.dtype if K.is_floating(x.dtype) else K.floatx()
    check_sample((length, count), "float64")
    start, stop = _intervals(length, count)
    cell = np.arange(length)[:, None]
    share = ((start <= cell) & (cell < stop)) / (stop - start)
    shares = K.Tensor(backend_of(x.array).constant(share.astype(dtype)))
    return K.moveaxis(K.dot(K.moveaxis(x, axis, -1), shares), -1, axis)


def _max_along(x: Tensor, axis: int, count: int) -> Tensor:
    check_sample((count, x.shape[axis] // count + 2), "int64")
    start, stop = _intervals(x.shape[axis], count)
    cells = start[:, None] + np.arange((stop - start).max())
    cells = np.minimum(cells, stop[:, None] - 1)  # shorter windows see their last cell again
    windows = K.take(x, backend_of(x.array).constant(cells), axis)
    first = K.argmax(windows, axis + 1, keepdims=True)
    return K.squeeze(K.take_along_axis(windows, first, axis + 1), axis + 1)


# Patches: windows laid out as columns, and back. Channels come first, as in PyTorch's pair.


@operation
def unfold(
    x: Any, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Tensor:
    """The windows of images (batch, channels, height, width), one column for each.

    Result: (batch, channels * window cells, windows). `padding`: zeros on both sides of each axis.
    ValueError for inputs that are not 4-dimensional.
    """
    return K.unfold(x, kernel_size, dilation, padding, stride)


@operation
def fold(
    x: Any,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Tensor:
    """Columns as `unfold` gives them, added up in images of `output_size`: its transpose.

    `x`: (batch, channels * window cells, windows). Result: (batch, channels, *output_size).
    ValueError for inputs that are not 3-dimensional.
    """
    return K.fold(x, output_size, kernel_size, dilation, padding, stride)


@operation
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Channels moved into blocks of `block_size` by `block_size` pixels; the inverse of
    `space_to_depth`. ValueError where the channels are no multiple of the block's pixels."""
    x, last = _blocked("depth_to_space", x, block_size, data_format)
    if last:
        n, h, w, c = x.shape
    else:
        n, c, h, w = x.shape
    b = block_size
    if c % b**2:
        raise ValueError(
            f"depth_to_space expects channels that are a multiple of block_size² = {b * b}; "
            f"received {c}: x.shape={x.shape}."
        )
    if last:
        x = K.transpose(K.reshape(x, (n, h, w, b, b, c // b**2)), (0, 1, 3, 2, 4, 5))
        return K.reshape(x, (n, h * b, w * b, c // b**2))
    x = K.transpose(K.reshape(x, (n, c // b**2, b, b, h, w)), (0, 1, 4, 2, 5, 3))
    return K.reshape(x, (n, c // b**2, h * b, w * b))


@operation
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of `block_size` by `block_size` pixels moved into channels: (height / block_size,
    width / block_size, channels * block_size²). ValueError where blocks do not fill the image."""
    x, last = _blocked("space_to_depth", x, block_size, data_format)
    if last:
        n, h, w, c = x.shape
    else:
        n, c, h, w = x.shape
    b = block_size
    if h % b or w % b:
        raise ValueError(
            f"space_to_depth expects a height and a width that are multiples of block_size={b}; "
            f"received {h} and {w}: x.shape={x.shape}."
        )
    if last:
        x = K.transpose(K.reshape(x, (n, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
        return K.reshape(x, (n, h // b, w // b, c * b**2))
    x = K.transpose(K.reshape(x, (n, c, h // b, b, w // b, b)), (0, 1, 3, 5, 2, 4))
    return K.reshape(x, (n, c * b**2, h // b, w // b))


def _blocked(name: str, x: Any, block_size: int, data_format: str) -> tuple[Tensor, bool]:
    """The images as a tensor, and whether their channels are last."""
    if block_size < 2:
        raise ValueError(f"`block_size` must be at least 2. Received: block_size={block_size}")
    x = K.convert_to_tensor(x)
    if x.ndim != 4:
        raise ValueError(f"{name} expects images of rank 4. Received: x.shape={x.shape}")
    return x, K.standardize_data_format(data_format) == "channels_last"
