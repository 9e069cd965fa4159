"""Pooling in 1, 2 and 3 dimensions: the largest cell of each window, or the mean of its cells."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..allowance import check_parts, check_sample
from ..autodiff import Tensor, convert_to_tensor, primitive
from ..config import is_floating
from ..registry import backend_of
from .elementwise import cast, floating
from .windows import (
    Pads,
    channels_last,
    explicit_pads,
    from_channels_last,
    output_sizes,
    per_axis,
)

__all__ = ["average_pool", "max_pool"]


def max_pool(
    inputs: Any,
    pool_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest cell of each window, per channel; of equal ones the first gets the gradient.

    `inputs`: (batch, *spatial, channels), or (batch, channels, *spatial) for 'channels_first'.
    `strides`: None for `pool_size`. `padding`: 'valid', or 'same', which adds no candidates.
    Result in the layout and the type of the inputs (integers beyond 2**53 are rounded). ValueError
    where no window fits.
    """
    x = convert_to_tensor(inputs)
    if not is_floating(x.dtype):  # kernels are of floats; float64 holds integers as they are
        y = max_pool(cast(x, "float64"), pool_size, strides, padding, data_format)
        return cast(y, x.dtype)
    x = channels_last(x, data_format)
    geometry = _geometry(x, pool_size, strides, padding)
    return from_channels_last(_max_pool(x, *geometry), data_format)


def average_pool(
    inputs: Any,
    pool_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window's cells, per channel; padded cells are not counted.

    Arguments and result as in `max_pool`, but of integers in `floatx()`.
    """
    x = channels_last(convert_to_tensor(inputs), data_format)
    geometry = _geometry(x, pool_size, strides, padding)
    return from_channels_last(_average_pool(x, *geometry), data_format)


@primitive
def _max_pool(x: Any, /, window: tuple, strides: tuple, pads: Pads) -> tuple:
    backend, x = backend_of(x), floating(x)
    y, winner = backend.max_pool(x, window, strides, pads)
    return y, lambda g: backend.max_pool_grad(g, winner, x.shape, window, strides, pads)


@primitive
def _average_pool(x: Any, /, window: tuple, strides: tuple, pads: Pads) -> tuple:
    backend, x = backend_of(x), floating(x)
    dtype = np.promote_types(x.dtype, "float32")  # a window's sum may be too large for float16
    count = backend.constant(_cells(x.shape[1:-1], window, strides, pads).astype(dtype))
    y = backend.sum_pool(x.astype(dtype, copy=False), window, strides, pads) / count
    return (
        y.astype(x.dtype, copy=False),
        lambda g: backend.sum_pool_grad(g / count, x.shape, window, strides, pads),
    )


def _cells(sizes: tuple, window: tuple, strides: tuple, pads: Pads) -> np.ndarray:
    """How many cells of the image each window sees: (*output sizes, 1)."""
    counts = np.ones((1,), "float64")
    for n, k, s, pad in reversed(list(zip(sizes, window, strides, pads, strict=True))):
        (out,) = output_sizes((n,), (k,), (s,), (pad,), (1,))
        start = np.arange(out) * s - pad[0]
        seen = np.minimum(start + k, n) - np.maximum(start, 0)
        counts = seen.reshape(-1, *[1] * counts.ndim) * counts
    return counts


def _geometry(
    x: Tensor, pool_size: Any, strides: Any, padding: str
) -> tuple[tuple[int, ...], tuple[int, ...], Pads]:
    """(window, strides, pads) of a pooling, once it is known that something is left."""
    rank = x.ndim - 2
    if rank < 1:
        raise ValueError(
            "Pooling expects inputs (batch, *spatial, channels) with at least one spatial axis. "
            f"Received: inputs.shape={x.shape}"
        )
    window = per_axis(pool_size, rank, "pool_size")
    strides = window if strides is None else per_axis(strides, rank, "strides")
    sizes, dilation = x.shape[1:-1], (1,) * rank
    pads = explicit_pads(padding, sizes, window, strides, dilation)
    if min(output_sizes(sizes, window, strides, pads, dilation)) <= 0:
        raise ValueError(
            "Computed output size would be zero or negative. Received: "
            f"`inputs.shape={x.shape}` (channels last), `pool_size={window}`, "
            f"`strides={strides}`, `padding={padding}`. Give larger inputs, a smaller window, or "
            "padding='same'."
        )
    padded = [n + sum(pad) for n, pad in zip(sizes, pads, strict=True)]
    check_sample((x.shape[0], *padded, x.shape[-1]))
    check_parts(prod(window))
    return window, strides, pads
