"""Names at the top of keras that layerkit has elsewhere or not at all."""

from __future__ import annotations

from ..layers import Input, InputLayer, InputSpec, Layer
from ..models import Functional

__version__ = "3.15.1"  # of the Keras whose names and numerics these are

Network = Container = Functional

__all__ = ["Container", "Input", "InputLayer", "InputSpec", "Layer", "Network"]

STILL_THERE = {"Input", "InputLayer", "InputSpec", "Layer"}
REMEDIES = {"Container": "it is Model now", "Network": "it is Model now"}
