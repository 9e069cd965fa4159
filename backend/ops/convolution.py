"""Convolutions in 1, 2 and 3 dimensions: plain, grouped, depthwise, separable, transposed.

All rest on three kernels of the backend, `conv` and its two gradients; transposed convolution is
`conv`'s input gradient used forwards. Kernels are (*window, channels / groups, filters).
"""

from __future__ import annotations

from typing import Any

from ..allowance import check_sample, is_sampled
from ..autodiff import Tensor, convert_to_tensor, primitive, remembered
from ..registry import backend_of
from .elementwise import floating, promote
from .linalg import floats_with_bias, fusable
from .shape import reshape
from .windows import (
    Pads,
    channels_last,
    explicit_pads,
    from_channels_last,
    output_sizes,
    per_axis,
)

__all__ = [
    "conv",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "conv_transpose",
    "depthwise_conv",
    "depthwise_conv1d",
    "depthwise_conv2d",
    "separable_conv",
]


def conv(
    inputs: Any,
    kernel: Any,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
    bias: Any = None,
    activation: Any = None,
) -> Tensor:
    """Convolution (cross-correlation, as everywhere in deep learning) over 1, 2 or 3 axes.

    `inputs`: (batch, *spatial, channels), or (batch, channels, *spatial) for 'channels_first'.
    `kernel`: (*window, channels / groups, filters); the number of groups follows from it.
    `padding`: 'valid', 'same' (output ceil(n / stride), the odd cell at the end) or, in 1-d,
    'causal'. `bias` (filters,) is added and `activation` applied as in `dense`. Result:
    (batch, *spatial, filters) in the same layout. ValueError where shapes do not fit or nothing
    would be left.
    """
    x, kernel = _operands("conv", inputs, kernel, data_format)
    channels, (depth, filters) = x.shape[-1], kernel.shape[-2:]
    if channels % depth:
        raise ValueError(
            "The number of input channels must be evenly divisible by kernel's in_channels. "
            f"Received input channels {channels} and kernel in_channels {depth}: a kernel for "
            f"these inputs has shape (*window, {channels}, filters)."
        )
    groups = channels // depth
    if filters % groups:
        raise ValueError(
            "The number of filters must be evenly divisible by the number of groups. "
            f"Received filters {filters} and groups {groups} ({channels} input channels / "
            f"{depth} kernel in_channels)."
        )
    geometry = _geometry(x, kernel, strides, padding, dilation_rate)
    return _activated(x, kernel, bias, activation, (*geometry, groups), data_format)


def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
    bias: Any = None,
    activation: Any = None,
) -> Tensor:
    """Convolution of each channel with its own `depth_multiplier` filters.

    `kernel`: (*window, channels, depth_multiplier); result: channels * depth_multiplier
    channels, those of one input channel side by side. Else as `conv`.
    """
    x, kernel = _operands("depthwise_conv", inputs, kernel, data_format)
    _check_channels(x.shape[-1], kernel.shape[-2], data_format)
    *window, channels, multiplier = kernel.shape
    geometry = _geometry(x, kernel, strides, padding, dilation_rate)
    kernel = reshape(kernel, (*window, 1, channels * multiplier))
    return _activated(x, kernel, bias, activation, (*geometry, channels), data_format)


def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
    bias: Any = None,
    activation: Any = None,
) -> Tensor:
    """`depthwise_conv`, then a convolution whose window is one cell.

    `pointwise_kernel`: (1, ..., 1, channels * depth_multiplier, filters).
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, data_format=data_format, bias=bias, activation=activation)


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    output_padding: int | tuple[int, ...] | None = None,
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
    bias: Any = None,
    activation: Any = None,
) -> Tensor:
    """The transpose (adjoint) of `conv`: every input cell adds its kernel to the output.

    `kernel`: (*window, filters, channels). Spatial sizes for window w = (k - 1) * dilation + 1:
    (n - 1) * stride + max(w, stride) for 'valid', n * stride for 'same'; with `output_padding`
    (n - 1) * stride + w + output_padding and (n - 1) * stride + w % 2 + output_padding.
    """
    x, kernel = _operands("conv_transpose", inputs, kernel, data_format)
    _check_channels(x.shape[-1], kernel.shape[-1], data_format)
    rank = x.ndim - 2
    strides = per_axis(strides, rank, "strides")
    dilation = per_axis(dilation_rate, rank, "dilation_rate")
    extra = output_padding if isinstance(output_padding, (tuple, list)) else [output_padding] * rank
    axes = [
        _transposed_axis(*axis, padding)
        for axis in zip(x.shape[1:-1], kernel.shape[:-2], strides, dilation, extra, strict=True)
    ]
    shape = (x.shape[0], *(size for size, _ in axes), kernel.shape[-2])
    if min(shape[1:-1]) <= 0:
        raise ValueError(_too_small(x, kernel, dilation, strides, padding))
    pads = tuple(pad for _, pad in axes)
    fused = fusable(activation)
    y = _conv_transpose(x, kernel, bias, fused or "linear", shape, strides, pads, dilation)
    y = from_channels_last(y, data_format)
    return y if fused else activation(y)


def conv1d(inputs: Any, kernel: Any, *args: Any, **options: Any) -> Tensor:
    """`conv` over one spatial axis: inputs (batch, steps, channels)."""
    return conv(_of_rank(1, inputs, "conv1d"), kernel, *args, **options)


def conv2d(inputs: Any, kernel: Any, *args: Any, **options: Any) -> Tensor:
    """`conv` over two spatial axes: inputs (batch, height, width, channels)."""
    return conv(_of_rank(2, inputs, "conv2d"), kernel, *args, **options)


def conv3d(inputs: Any, kernel: Any, *args: Any, **options: Any) -> Tensor:
    """`conv` over three spatial axes: inputs (batch, depth, height, width, channels)."""
    return conv(_of_rank(3, inputs, "conv3d"), kernel, *args, **options)


def conv1d_transpose(inputs: Any, kernel: Any, *args: Any, **options: Any) -> Tensor:
    """`conv_transpose` over one spatial axis."""
    return conv_transpose(_of_rank(1, inputs, "conv1d_transpose"), kernel, *args, **options)


def conv2d_transpose(inputs: Any, kernel: Any, *args: Any, **options: Any) -> Tensor:
    """`conv_transpose` over two spatial axes."""
    return conv_transpose(_of_rank(2, inputs, "conv2d_transpose"), kernel, *args, **options)


def conv3d_transpose(inputs: Any, kernel: Any, *args: Any, **options: Any) -> Tensor:
    """`conv_transpose` over three spatial axes."""
    return conv_transpose(_of_rank(3, inputs, "conv3d_transpose"), kernel, *args, **options)


def depthwise_conv1d(inputs: Any, kernel: Any, *args: Any, **options: Any) -> Tensor:
    """`depthwise_conv` over one spatial axis."""
    return depthwise_conv(_of_rank(1, inputs, "depthwise_conv1d"), kernel, *args, **options)


def depthwise_conv2d(inputs: Any, kernel: Any, *args: Any, **options: Any) -> Tensor:
    """`depthwise_conv` over two spatial axes."""
    return depthwise_conv(_of_rank(2, inputs, "depthwise_conv2d"), kernel, *args, **options)


def _activated(
    x: Tensor, kernel: Tensor, bias: Any, activation: Any, geometry: tuple, data_format: str | None
) -> Tensor:
    """activation(convolution + bias) in the layout `data_format`."""
    fused = fusable(activation)
    y = from_channels_last(_conv(x, kernel, bias, fused or "linear", *geometry), data_format)
    return y if fused else activation(y)


@primitive
def _conv(
    x: Any,
    w: Any,
    b: Any,
    /,
    activation: str,
    strides: tuple,
    pads: Pads,
    dilation: tuple,
    groups: int,
) -> tuple:
    backend, geometry = backend_of(x), (strides, pads, dilation, groups)
    x, w, b = floats_with_bias(x, w, b)
    _check_sizes(x.shape, w, *geometry[:3])
    y = backend.conv_bias_activation(x, w, b, activation, *geometry)
    dz = remembered(lambda g: backend.bias_activation_grad(g, y, activation))
    return (
        y,
        lambda g: backend.conv_input_grad(dz(g), w, x.shape, *geometry),
        lambda g: backend.conv_kernel_grad(x, dz(g), w.shape, *geometry),
        lambda g: backend.sum_rows(dz(g)),
    )


def _check_sizes(shape: tuple, w: Any, strides: tuple, pads: Pads, dilation: tuple) -> None:
    """`check_sample` of images of `shape` with their padding, and of what a convolution gives."""
    if not is_sampled():
        return
    check_sample(
        (shape[0], *[n + sum(p) for n, p in zip(shape[1:-1], pads, strict=True)], shape[-1])
    )
    sizes = output_sizes(shape[1:-1], w.shape[:-2], strides, pads, dilation)
    check_sample((shape[0], *sizes, w.shape[-1]))


@primitive
def _conv_transpose(
    x: Any,
    w: Any,
    b: Any,
    /,
    activation: str,
    shape: tuple,
    strides: tuple,
    pads: Pads,
    dilation: tuple,
) -> tuple:
    backend, geometry = backend_of(x), (strides, pads, dilation, 1)
    x, w = _floats(x, w)
    _check_sizes(shape, w, *geometry[:3])
    if b is not None:
        _, _, b = floats_with_bias(x, w.swapaxes(-1, -2), b)
    y = backend.conv_input_grad(x, w, shape, *geometry)
    y = backend.bias_activation(y, b, activation, out=y)
    dz = remembered(lambda g: backend.bias_activation_grad(g, y, activation))
    return (
        y,
        lambda g: backend.conv(dz(g), w, *geometry),
        lambda g: backend.conv_kernel_grad(dz(g), x, w.shape, *geometry),
        lambda g: backend.sum_rows(dz(g)),
    )


def _floats(x: Any, w: Any) -> tuple:
    """Images and kernel as floats: integer images in the kernel's dtype, else in `floatx()`."""
    x, w = promote(x, w)
    return floating(x), floating(w)


def _operands(
    name: str, inputs: Any, kernel: Any, data_format: str | None
) -> tuple[Tensor, Tensor]:
    """The inputs, channels last, and the kernel, both as tensors of one rank."""
    inputs, kernel = convert_to_tensor(inputs), convert_to_tensor(kernel)
    if inputs.ndim != kernel.ndim or inputs.ndim < 3:
        raise ValueError(
            f"{name} expects inputs (batch, *spatial, channels) and a kernel (*window, channels, "
            f"filters) of the same rank. Received: inputs.shape={inputs.shape}, "
            f"kernel.shape={kernel.shape}"
        )
    return channels_last(inputs, data_format), kernel


def _geometry(
    x: Tensor, kernel: Tensor, strides: Any, padding: str, dilation_rate: Any
) -> tuple[tuple[int, ...], Pads, tuple[int, ...]]:
    """(strides, pads, dilation) of a convolution, once it is known that something is left."""
    sizes, window, rank = x.shape[1:-1], kernel.shape[:-2], x.ndim - 2
    strides = per_axis(strides, rank, "strides")
    dilation = per_axis(dilation_rate, rank, "dilation_rate")
    allowed = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
    pads = explicit_pads(padding, sizes, window, strides, dilation, allowed)
    if min(output_sizes(sizes, window, strides, pads, dilation)) <= 0:
        raise ValueError(_too_small(x, kernel, dilation, strides, padding))
    return strides, pads, dilation


def _transposed_axis(
    n: int, k: int, stride: int, dilation: int, extra: int | None, padding: str
) -> tuple[int, tuple[int, int]]:
    """Output size along one axis, and the pads of the convolution that this one transposes."""
    kind, w = str(padding).lower(), (k - 1) * dilation + 1
    if kind == "valid":
        before, total = 0, -(max(w, stride) - w if extra is None else extra)
    elif kind == "same":
        total = w - stride if extra is None else w - w % 2 - extra
        grown = 2 * (w - 1) - total  # cells that a convolution over spread-out inputs would add
        before = w - 1 - min((grown + 1) // 2, w - 1)
    else:
        raise ValueError(
            f"The `padding` argument must be one of 'valid', 'same'. Received: padding={padding}"
        )
    return (n - 1) * stride + w - total, (before, total - before)


def _check_channels(channels: int, expected: int, data_format: str | None) -> None:
    if channels != expected:
        raise ValueError(
            "The number of input channels must match the kernel's input channels. "
            f"Received: input channels={channels}, kernel input channels={expected}, "
            f"data_format={data_format!r}: is the layout right?"
        )


def _of_rank(rank: int, inputs: Any, name: str) -> Tensor:
    inputs = convert_to_tensor(inputs)
    if inputs.ndim != rank + 2:
        raise ValueError(
            f"{name} expects inputs of rank {rank + 2} (batch, channels and {rank} spatial "
            f"{'axis' if rank == 1 else 'axes'}). Received: inputs.shape={inputs.shape}"
        )
    return inputs


def _too_small(x: Tensor, kernel: Tensor, dilation: Any, strides: Any, padding: str) -> str:
    return (
        "Computed output size would be zero or negative. Received "
        f"`inputs shape={x.shape}` (channels last), `kernel shape={kernel.shape}`, "
        f"`dilation_rate={dilation}`, `strides={strides}`, `padding={padding}`. Give larger "
        "inputs, a smaller window, or padding='same'."
    )
