"""Histograms: values put where they stand among all."""

from __future__ import annotations

from typing import Any

from ..autodiff import primitive
from ..registry import namespace

__all__ = ["equalize_histogram"]


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
