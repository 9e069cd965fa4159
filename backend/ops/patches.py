"""Windows of images as columns, and columns added up in images: each the other's adjoint."""

from __future__ import annotations

from itertools import product
from typing import Any

from ..allowance import check_parts, check_sample
from ..autodiff import convert_to_tensor, primitive
from ..base import output_size as count_windows
from ..registry import namespace

__all__ = ["fold", "unfold"]

Sizes = int | tuple[int, ...]


def unfold(
    x: Any, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Any:
    """The windows of images (batch, channels, height, width), one column for each.

    Result: (batch, channels * window cells, windows). `padding`: zeros on both sides of each axis.
    ValueError for inputs that are not 4-dimensional, or that no window fits.
    """
    x = convert_to_tensor(x)
    if x.ndim != 4:
        raise ValueError(f"Input must be a 4D tensor. Received: input.shape={x.shape}")
    return _unfold(x, *_windows(x.shape[2:], kernel_size, dilation, padding, stride))


def fold(
    x: Any,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Any:
    """Columns (batch, channels * window cells, windows), added up in images of `output_size`.

    Result: (batch, channels, *output_size). ValueError for inputs that are not 3-dimensional, or
    whose columns are not those of such images.
    """
    x, size = convert_to_tensor(x), _pair(output_size)
    if x.ndim != 3:
        raise ValueError(f"Input must be a 3D tensor. Received: input.shape={x.shape}")
    geometry = _windows(size, kernel_size, dilation, padding, stride)
    (kh, kw), _, _, _, (rows, columns) = geometry
    if x.shape[1] % (kh * kw) or x.shape[2] != rows * columns:
        raise ValueError(
            f"fold expects (batch, channels * {kh * kw}, {rows * columns}), a column for each of "
            f"the {rows} * {columns} windows in images of {size}. Received: input.shape={x.shape}"
        )
    return _fold(x, size, *geometry)


def _pair(value: Sizes) -> tuple[int, int]:
    first, second = (value, value) if isinstance(value, int) else value
    return int(first), int(second)


def _windows(size: tuple, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> tuple:
    """(kernel, dilation, padding, stride, windows along each axis)."""
    kernel, dilation, padding, stride = map(_pair, (kernel, dilation, padding, stride))
    pads = [(p, p) for p in padding]
    counts = tuple(map(count_windows, size, kernel, stride, pads, dilation))
    if min(counts) < 1:
        raise ValueError(
            f"No window fits: images of {size} with kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}. Give larger images, more padding or a smaller window."
        )
    return kernel, dilation, padding, stride, counts


@primitive
def _unfold(
    x: Any, /, kernel: tuple, dilation: tuple, padding: tuple, stride: tuple, counts: tuple
) -> tuple:
    geometry = kernel, dilation, padding, stride, counts
    return _columns(x, *geometry), lambda g: _images(g, x.shape[2:], *geometry)


@primitive
def _fold(
    x: Any,
    /,
    size: tuple,
    kernel: tuple,
    dilation: tuple,
    padding: tuple,
    stride: tuple,
    counts: tuple,
) -> tuple:
    geometry = kernel, dilation, padding, stride, counts
    return _images(x, size, *geometry), lambda g: _columns(g, *geometry)


def _columns(
    x: Any, kernel: tuple, dilation: tuple, padding: tuple, stride: tuple, counts: tuple
) -> Any:
    xp, (p, q) = namespace(x), padding
    check_sample((*x.shape[:2], x.shape[2] + 2 * p, x.shape[3] + 2 * q), x.dtype)
    check_sample((*x.shape[:2], *kernel, *counts), x.dtype)
    check_parts(kernel[0] * kernel[1])
    if p or q:
        x = xp.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
    cells = [x[seen] for _, seen in _cells(kernel, dilation, stride, counts)]
    batch, channels = x.shape[:2]
    return xp.stack(cells, 2).reshape(batch, channels * len(cells), counts[0] * counts[1])


def _images(
    columns: Any,
    size: tuple,
    kernel: tuple,
    dilation: tuple,
    padding: tuple,
    stride: tuple,
    counts: tuple,
) -> Any:
    batch, (kh, kw), (p, q) = len(columns), kernel, padding
    channels = columns.shape[1] // (kh * kw)
    windows = columns.reshape(batch, channels, kh, kw, *counts)
    padded = (size[0] + 2 * p, size[1] + 2 * q)
    check_sample((batch, channels, *padded), columns.dtype)
    x = namespace(columns).zeros((batch, channels, *padded), columns.dtype)
    for (i, j), seen in _cells(kernel, dilation, stride, counts):
        x[seen] += windows[:, :, i, j]
    return x[:, :, p : p + size[0], q : q + size[1]]


def _cells(kernel: tuple, dilation: tuple, stride: tuple, counts: tuple) -> list:
    """Each cell of the window, and what all windows together see through it."""

    def along(i: int, axis: int) -> slice:
        start, step = i * dilation[axis], stride[axis]
        return slice(start, start + (counts[axis] - 1) * step + 1, step)

    return [
        ((i, j), (slice(None), slice(None), along(i, 0), along(j, 1)))
        for i, j in product(range(kernel[0]), range(kernel[1]))
    ]
