"""Short names of initializers."""

from __future__ import annotations

from ..initializers import Ones, RandomNormal, RandomUniform, Zeros

__all__ = ["normal", "one", "uniform", "zero"]

normal, uniform, one, zero = RandomNormal, RandomUniform, Ones, Zeros

REMEDIES = {
    name: f"use {value.__name__}" for name, value in list(vars().items()) if name in __all__
}
