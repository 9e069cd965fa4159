"""Convolutions, pooling, resizing and padding by their names in keras.backend."""

from __future__ import annotations

from typing import Any

from layerkit.backend import image_data_format

from .. import ops
from ..layers.retired import local_conv1d, local_conv2d

__all__ = [
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "depthwise_conv2d",
    "local_conv1d",
    "local_conv2d",
    "pool2d",
    "pool3d",
    "resize_images",
    "resize_volumes",
    "separable_conv2d",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "temporal_padding",
]
REMEDIES = {
    **dict.fromkeys(["conv1d", "conv2d", "conv3d"], "use keras.ops.conv"),
    **dict.fromkeys(["pool2d", "pool3d"], "use keras.ops.max_pool or average_pool"),
    **{name: "use keras.ops.pad" for name in __all__ if name.endswith("_padding")},
    "conv2d_transpose": "use keras.ops.conv_transpose",
    "depthwise_conv2d": "use keras.ops.depthwise_conv",
    "resize_images": "use keras.ops.repeat, or keras.ops.image.resize",
    "resize_volumes": "use keras.ops.repeat",
    "separable_conv2d": "use keras.ops.separable_conv",
}


def conv1d(
    x: Any,
    kernel: Any,
    strides: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int = 1,
) -> Any:
    """A convolution of sequences; padding='causal' lets no step see later ones."""
    if padding == "causal":
        x = temporal_padding(x, (dilation_rate * (kernel.shape[0] - 1), 0))
        padding = "valid"
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """A convolution of images."""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv3d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Any:
    """A convolution of volumes."""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """A transposed convolution of images. ValueError where `output_shape` is another one."""
    y = ops.conv_transpose(x, kernel, strides, padding, None, data_format)
    wanted = tuple(output_shape)[1:]
    if any(isinstance(n, int) and n != had for n, had in zip(wanted, y.shape[1:], strict=True)):
        raise ValueError(
            f"conv2d_transpose gives shape {tuple(y.shape)} here, not output_shape="
            f"{tuple(output_shape)}: use keras.ops.conv_transpose(output_padding=...)."
        )
    return y


def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """A convolution of each channel by itself."""
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """A convolution of each channel, then one of size 1 over all of them."""
    kernels = depthwise_kernel, pointwise_kernel
    return ops.separable_conv(x, *kernels, strides, padding, data_format, dilation_rate)


def pool2d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:
    """'max' or 'avg' pooling of images."""
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def pool3d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:
    """'max' or 'avg' pooling of volumes."""
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def _pool(mode: str) -> Any:
    modes = {"max": ops.max_pool, "avg": ops.average_pool}
    if mode not in modes:
        raise ValueError(f"Invalid pooling mode: {mode}. Expected 'max' or 'avg'.")
    return modes[mode]


def resize_images(
    x: Any,
    height_factor: int,
    width_factor: int,
    data_format: str | None = None,
    interpolation: str = "nearest",
) -> Any:
    """Images this many times as large: entries repeated, or interpolated 'bilinear'."""
    axis = 2 if _is_first(data_format) else 1
    if interpolation == "nearest":
        return ops.repeat(ops.repeat(x, height_factor, axis), width_factor, axis + 1)
    size = (x.shape[axis] * height_factor, x.shape[axis + 1] * width_factor)
    format_ = data_format or image_data_format()
    return ops.image.resize(x, size, interpolation, data_format=format_)


def resize_volumes(
    x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None = None
) -> Any:
    """Volumes this many times as large, entries repeated."""
    axis = 2 if _is_first(data_format) else 1
    for factor in (depth_factor, height_factor, width_factor):
        x, axis = ops.repeat(x, factor, axis), axis + 1
    return x


def temporal_padding(x: Any, padding: Any = (1, 1)) -> Any:
    """Zeros before and after the steps of (batch, steps, features)."""
    return ops.pad(x, [[0, 0], list(padding), [0, 0]])


def spatial_2d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Zeros around images."""
    return _padded(x, padding, data_format)


def spatial_3d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Zeros around volumes."""
    return _padded(x, padding, data_format)


def _padded(x: Any, padding: Any, data_format: str | None) -> Any:
    sides = [list(pair) for pair in padding]
    none = [0, 0]
    return ops.pad(x, [none, none, *sides] if _is_first(data_format) else [none, *sides, none])


def _is_first(data_format: str | None) -> bool:
    return (data_format or image_data_format()) == "channels_first"
