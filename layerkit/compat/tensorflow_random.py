"""tensorflow.random: its seed, and numbers drawn by layerkit's generators."""

from __future__ import annotations

from typing import Any

from layerkit.backend import set_random_seed

from .. import ops
from .. import random as keras_random

__all__ = ["categorical", "normal", "set_seed", "shuffle", "truncated_normal", "uniform"]

set_seed = set_random_seed
categorical = keras_random.categorical


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers."""
    return keras_random.normal(_ints(shape), mean, stddev, dtype, seed)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers, those beyond two standard deviations drawn again."""
    return keras_random.truncated_normal(_ints(shape), mean, stddev, dtype, seed)


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = None, seed: Any = None
) -> Any:
    """Uniform numbers, below 1 unless told; integers, for which `maxval` is needed, below it."""
    if dtype is not None and "int" in str(dtype):
        if maxval is None:
            raise ValueError(f"Must specify maxval for integer dtype {dtype}.")
        return keras_random.randint(_ints(shape), minval, maxval, dtype, seed)
    return keras_random.uniform(_ints(shape), minval, 1 if maxval is None else maxval, dtype, seed)


def shuffle(value: Any, seed: Any = None) -> Any:
    """The rows in a random order."""
    return keras_random.shuffle(ops.convert_to_tensor(value), 0, seed)


def _ints(shape: Any) -> tuple[int, ...]:
    """A shape, which may be a tensor, or hold such."""
    return tuple(int(n) for n in shape)
