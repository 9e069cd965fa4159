"""One row of the tables that real Keras computed the values for: a function and its arguments.

It is read by the scripts in tests/golden, where Keras is and layerkit is not, and by the tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Row:
    """A call of a function of Keras's `ops`."""

    name: str  # "softmax", "image.resize"; "name:variant" for further rows of one function
    inputs: list[Any]  # the arguments by position; arrays are tensors, and may stand in lists
    options: dict[str, Any] = field(default_factory=dict)
    gradient: bool | tuple[int, ...] = True  # of all float arrays; of those with these numbers
    numpy_only: str = ""  # why CuPy cannot do it
    tolerance: float = 1e-4

    def __str__(self) -> str:
        return self.name

    @property
    def function(self) -> str:
        return self.name.split(":")[0]

    def arrays(self) -> list[np.ndarray]:
        """The arrays among the inputs, in order."""
        return [x for x in flat(self.inputs) if isinstance(x, np.ndarray)]

    def watched(self) -> list[int]:
        """Which of the arrays get gradients."""
        if isinstance(self.gradient, tuple):
            return list(self.gradient)
        floats = [i for i, x in enumerate(self.arrays()) if x.dtype.kind == "f"]
        return floats if self.gradient else []

    def with_arrays(self, arrays: list[Any]) -> list[Any]:
        """The inputs with other things in the places of their arrays."""
        return _replaced(self.inputs, iter(arrays))


def flat(x: Any) -> list[Any]:
    """What stands in nested lists and tuples, from left to right."""
    return [leaf for item in x for leaf in flat(item)] if isinstance(x, (list, tuple)) else [x]


def _replaced(x: Any, arrays: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)(_replaced(item, arrays) for item in x)
    return next(arrays) if isinstance(x, np.ndarray) else x


def weight_of(y: np.ndarray) -> np.ndarray:
    """An upstream gradient of the shape and dtype of `y`, the same wherever it is computed."""
    return np.cos(1.0 + 0.7 * np.arange(y.size)).reshape(y.shape).astype(y.dtype)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Standard normal numbers in float32."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype("float32")


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers from 0.3 on."""
    return np.abs(normal(*shape, seed=seed)) + np.float32(0.3)


def distinct(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers 0.1 apart in random order: no ties for maxima."""
    count = int(np.prod(shape))
    order = np.random.default_rng([seed, *shape]).permutation(count)
    return ((order - count / 2 + 0.5).reshape(shape) * 0.1).astype("float32")
