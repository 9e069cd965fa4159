"""One row of the table of operations: what every operation is checked for, from one line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Op:
    """An operation, its plain NumPy twin, and inputs to compare them on."""

    name: str  # the public name in layerkit.backend; "name:variant" for further rows of one op
    reference: Callable[..., Any]  # the same signature over NumPy arrays, in float64
    inputs: list[Any]  # the tensor arguments: float64 arrays (cast to float32 too), ints, lists
    options: dict[str, Any] = field(default_factory=dict)
    gradient: bool = True  # whether the operation has a derivative with respect to its floats
    keeps_dtype: bool = True  # whether float32 in gives float32 out
    tolerance: float = 1e-5
    leading: tuple = ()  # what the operation takes before its tensors: einsum's formula
    numpy_only: str = ""  # why CuPy cannot do it

    def __str__(self) -> str:
        return self.name


def normal(*shape: int, seed: int = 0, low: float | None = None) -> np.ndarray:
    """Standard normal numbers; with `low`, their absolute values plus `low` (away from zero)."""
    values = np.random.default_rng([seed, *shape]).standard_normal(shape)
    return values if low is None else np.abs(values) + low


def distinct(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers 0.1 apart in random order: no ties for maxima, no kink within a step."""
    count = int(np.prod(shape))
    values = np.random.default_rng([seed, *shape]).permutation(count)
    return (values - count / 2 + 0.5).reshape(shape) * 0.1
