"""layerkit: Keras-like layers and models that train on plain NumPy.

import layerkit
from layerkit import layers

model = layerkit.Sequential([layers.Dense(620, activation="sigmoid"), layers.Dense(10)])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

try:
    import layerkit.backend as backend
except ModuleNotFoundError as error:  # the folder is importable from a checkout, its parts are not
    if error.name != "layerkit.backend":
        raise
    raise ImportError(
        "layerkit is not installed: its parts live in folders that only an installation joins. "
        "Run `pip install -e .` in the checkout."
    ) from error

from layerkit.backend import GradientTape, Tensor, Variable

from . import (
    activations,
    callbacks,
    config,
    constraints,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    tree,
    utils,
)
from .dtype_policies import DTypePolicy
from .initializers import Initializer
from .layers import Input, InputSpec, Layer
from .losses import Loss
from .metrics import Metric
from .models import Model, Sequential
from .optimizers import Optimizer
from .regularizers import Regularizer
from .symbolic import KerasTensor
from .version import __version__

if TYPE_CHECKING:
    from layerkit import applications, datasets

__all__ = [
    "DTypePolicy",
    "GradientTape",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Tensor",
    "Variable",
    "__version__",
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
]


def __getattr__(name: str) -> Any:
    if name in ("applications", "datasets"):  # side buildings, entered when somebody asks
        return importlib.import_module(f"layerkit.{name}")
    raise AttributeError(f"module 'layerkit' has no attribute '{name}'")
