"""tensorflow.random: its seed, and numbers drawn by layerkit's generators."""

from __future__ import annotations

from typing import Any

from layerkit.backend import set_random_seed

from .. import random as keras_random

__all__ = ["normal", "set_seed", "uniform"]

set_seed = set_random_seed


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers."""
    return keras_random.normal(shape, mean, stddev, dtype, seed)


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Uniform numbers."""
    return keras_random.uniform(shape, minval, maxval, dtype, seed)
