"""Constraints by their names in Keras 1."""

from __future__ import annotations

from ..constraints import MaxNorm, NonNeg, UnitNorm

__all__ = ["maxnorm", "nonneg", "unitnorm"]

maxnorm, nonneg, unitnorm = MaxNorm, NonNeg, UnitNorm

REMEDIES = {
    name: f"use {value.__name__}" for name, value in list(vars().items()) if name in __all__
}
