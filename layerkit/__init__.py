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

from layerkit.backend import (
    GradientTape,
    StatelessScope,
    SymbolicScope,
    Tensor,
    Variable,
    device,
    name_scope,
)
from layerkit.backend.names import missing

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
    optimizers,
    regularizers,
    saving,
)
from .dtype_policies import DTypePolicy, FloatDTypePolicy
from .initializers import Initializer
from .layers import Input, InputSpec, Layer
from .losses import Loss
from .metrics import Metric
from .models import Model, Sequential
from .models.function import Function
from .optimizers import Optimizer
from .regularizers import Regularizer
from .symbolic import KerasTensor, Operation
from .version import __version__, version

if TYPE_CHECKING:
    from layerkit import (
        applications,
        datasets,
        legacy,
        ops,
        preprocessing,
        random,
        tree,
        utils,
        wrappers,
    )
    from layerkit.compat import install_as_keras

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
    "GradientTape",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "StatelessScope",
    "SymbolicScope",
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
    "device",
    "dtype_policies",
    "initializers",
    "install_as_keras",
    "layers",
    "legacy",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
    "version",
    "wrappers",
]

# Side buildings and what few scripts need: entered when somebody asks.
_ON_DEMAND = (
    "applications",
    "datasets",
    "legacy",
    "ops",
    "preprocessing",
    "random",
    "tree",
    "utils",
    "wrappers",
)


def __getattr__(name: str) -> Any:
    if name in _ON_DEMAND:
        return importlib.import_module(f"layerkit.{name}")
    if name == "install_as_keras":
        return importlib.import_module("layerkit.compat").install_as_keras
    raise missing(__name__, name)
