"""Regularizers: functions of a weight (or an output) that give a penalty to add to the loss."""

from __future__ import annotations

import math
from typing import Any

import layerkit.backend as K
from layerkit.backend.names import explain_missing

from . import configurable
from .configurable import Configurable, serialize


class Regularizer(Configurable):
    """Base of all regularizers: override `__call__(x)`, which returns a scalar tensor."""

    keras_module = "keras.regularizers"
    accepts_callables = True

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError(
            f"Regularizer subclasses must implement `__call__(x)`: {type(self).__name__} has none."
        )


class L1(Regularizer):
    """l1 * sum(abs(x))."""

    def __init__(self, l1: float = 0.01):
        self.l1 = _strength("l1", l1)

    def __call__(self, x: Any) -> Any:
        return self.l1 * K.sum(K.abs(x))


class L2(Regularizer):
    """l2 * sum(square(x))."""

    def __init__(self, l2: float = 0.01):
        self.l2 = _strength("l2", l2)

    def __call__(self, x: Any) -> Any:
        return self.l2 * K.sum(K.square(x))


class L1L2(Regularizer):
    """l1 * sum(abs(x)) + l2 * sum(square(x))."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1 = _strength("l1", l1 or 0.0)
        self.l2 = _strength("l2", l2 or 0.0)

    def __call__(self, x: Any) -> Any:
        return self.l1 * K.sum(K.abs(x)) + self.l2 * K.sum(K.square(x))


class L1L2OfBatch(L1L2):
    """L1L2 times the number of samples: of an activity, which is divided by it, the sum.

    So Keras 1 and 2 had it: for their files.
    """

    def __call__(self, x: Any) -> Any:
        return super().__call__(x) * float(x.shape[0])


class OrthogonalRegularizer(Regularizer):
    """Keeps the rows (or 'columns') of a matrix orthogonal to each other.

    `factor` times the mean of abs(cosine) over all pairs. ValueError unless x has two axes.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(
                "Invalid value for argument `mode`. Expected one of "
                f'{{"rows", "columns"}}. Received: mode={mode}'
            )
        self.factor = _strength("factor", factor)
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        if len(x.shape) != 2:
            raise ValueError(
                "Inputs to OrthogonalRegularizer must have rank 2. Received: "
                f"inputs.shape={x.shape}"
            )
        rows = x if self.mode == "rows" else K.transpose(x)
        lengths = K.sqrt(K.maximum(K.sum(K.square(rows), axis=1, keepdims=True), K.epsilon() ** 2))
        unit = rows / lengths
        cosines = K.matmul(unit, K.transpose(unit))
        n = rows.shape[0]
        others = K.sum(K.abs(cosines)) - K.sum(K.abs(K.diagonal(cosines)))
        return self.factor * 0.5 * others / (n * (n - 1) / 2)


def _strength(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. "
            f"Received: {name}={value}"
        )
    return float(value)


def get(identifier: Any) -> Any:
    """The regularizer that a name, a config, a class or a function means; None for None."""
    return configurable.get(Regularizer, identifier)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer that `serialize` described."""
    return configurable.deserialize(config, custom_objects, family="regularizers")


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]

explain_missing(__name__)
