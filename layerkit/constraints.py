"""Constraints: functions of a weight's value that give the nearest one allowed.

An optimizer applies a variable's constraint after each update.
"""

from __future__ import annotations

from typing import Any

from layerkit.backend import Tensor, convert_to_tensor, epsilon
from layerkit.backend.names import explain_missing
from layerkit.backend.registry import namespace

from . import configurable
from .configurable import Configurable, serialize

Axis = int | tuple[int, ...]


class Constraint(Configurable):
    """Base of all constraints: override `__call__(w)`, which returns the allowed value."""

    keras_module = "keras.constraints"
    accepts_callables = True

    def __call__(self, w: Any) -> Any:
        raise NotImplementedError(
            f"Constraint subclasses must implement `__call__(w)`: {type(self).__name__} has none."
        )


class NonNeg(Constraint):
    """Nothing below zero."""

    def __call__(self, w: Any) -> Tensor:
        w = convert_to_tensor(w).array
        return Tensor(namespace(w).maximum(w, 0))


class MinMaxNorm(Constraint):
    """Norms along `axis` between `min_value` and `max_value`, approached at `rate` (1: at once).

    `axis`: 0 for a Dense kernel (inputs, outputs), [0, 1, 2] for a Conv2D kernel.
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: Axis = 0,
    ):
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w, norms = _with_norms(w, self.axis)
        clipped = namespace(w).clip(norms, self.min_value, self.max_value)
        wanted = self.rate * clipped + (1 - self.rate) * norms
        return Tensor(w * (wanted / (epsilon() + norms)))


class MaxNorm(Constraint):
    """Norms along `axis` of at most `max_value`; Srivastava et al., 2014."""

    def __init__(self, max_value: float = 2, axis: Axis = 0):
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w, norms = _with_norms(w, self.axis)
        return Tensor(w * (namespace(w).clip(norms, 0, self.max_value) / (epsilon() + norms)))


class UnitNorm(Constraint):
    """Norms of one along `axis`."""

    def __init__(self, axis: Axis = 0):
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w, norms = _with_norms(w, self.axis)
        return Tensor(w / (epsilon() + norms))


def _with_norms(w: Any, axis: Any) -> tuple[Any, Any]:
    """The array of `w` and its norms along `axis`, which keeps a length of one."""
    w = convert_to_tensor(w).array
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    return w, namespace(w).sqrt((w * w).sum(axis=axis, keepdims=True))


def get(identifier: Any) -> Any:
    """The constraint that a name, a config, a class or a function means; None for None."""
    return configurable.get(Constraint, identifier)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint that `serialize` described."""
    return configurable.deserialize(config, custom_objects, family="constraints")


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

explain_missing(__name__)
