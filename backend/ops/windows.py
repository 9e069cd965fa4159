"""What convolution and pooling share: their arguments `strides`, `padding` and `data_format`."""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor
from ..base import output_size
from ..config import standardize_data_format
from .shape import moveaxis

Pads = tuple[tuple[int, int], ...]


def per_axis(value: Any, rank: int, name: str) -> tuple[int, ...]:
    """`value` (an int, or one int per spatial axis) as a tuple of `rank` positive ints."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    if len(values) != rank or not all(_is_int(v) and v > 0 for v in values):
        raise ValueError(
            f"The `{name}` argument must be a positive integer or a tuple of {rank} positive "
            f"integers, one per spatial axis. Received: {name}={value}"
        )
    return tuple(int(v) for v in values)


def explicit_pads(
    padding: str,
    sizes: tuple[int, ...],
    window: tuple[int, ...],
    strides: tuple[int, ...],
    dilation: tuple[int, ...],
    allowed: tuple[str, ...] = ("valid", "same"),
) -> Pads:
    """Cells to add (before, after) each spatial axis; 'same' puts the odd one at the end."""
    kind = str(padding).lower()
    if kind not in allowed:
        raise ValueError(
            f"The `padding` argument must be one of {', '.join(map(repr, allowed))}. "
            f"Received: padding={padding}"
        )
    if kind == "valid":
        return ((0, 0),) * len(sizes)
    pads = []
    for n, k, s, d in zip(sizes, window, strides, dilation, strict=True):
        reach = (k - 1) * d
        if kind == "causal":
            pads.append((reach, 0))
        else:
            total = max((-(-n // s) - 1) * s + reach + 1 - n, 0)
            pads.append((total // 2, total - total // 2))
    return tuple(pads)


def output_sizes(
    sizes: tuple[int, ...],
    window: tuple[int, ...],
    strides: tuple[int, ...],
    pads: Pads,
    dilation: tuple[int, ...],
) -> tuple[int, ...]:
    """How many windows fit along each spatial axis."""
    return tuple(map(output_size, sizes, window, strides, pads, dilation))


def channels_last(x: Tensor, data_format: str | None) -> Tensor:
    """`x` with its channels as the last axis."""
    if standardize_data_format(data_format) == "channels_last":
        return x
    return moveaxis(x, 1, -1)


def from_channels_last(y: Tensor, data_format: str | None) -> Tensor:
    """`y`, whose channels are last, in the layout `data_format`."""
    if standardize_data_format(data_format) == "channels_last":
        return y
    return moveaxis(y, -1, 1)


def _is_int(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)
