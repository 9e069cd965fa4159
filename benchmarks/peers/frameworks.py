"""The frameworks that are compared: names, environments, and a model's interface in each."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import workloads


@dataclass(frozen=True)
class Framework:
    """`environment` is the one it lives in, None for the running interpreter's."""

    title: str
    module: str
    packages: tuple[str, ...]  # what a user installs for it
    environment: str | None = None
    variables: tuple[tuple[str, str], ...] = ()


def _keras(title: str, backend: str, package: str) -> Framework:
    variables = (("KERAS_BACKEND", backend), ("TF_CPP_MIN_LOG_LEVEL", "3"))
    return Framework(f"Keras on {title}", "keras", ("keras", package), backend, variables)


def _layerkit(title: str, backend: str, *packages: str) -> Framework:
    variables = (("LAYERKIT_BACKEND", backend),)
    environment = None if backend == "numpy" else backend
    return Framework(title, "layerkit", ("layerkit", *packages), environment, variables)


FRAMEWORKS = {
    "layerkit": _layerkit("layerkit", "numpy"),
    "layerkit-numba": _layerkit("layerkit with numba", "numba", "numba"),
    "keras-tensorflow": _keras("TensorFlow", "tensorflow", "tensorflow-cpu"),
    "keras-jax": _keras("JAX", "jax", "jax"),
    "keras-torch": _keras("PyTorch", "torch", "torch"),
    "torch": Framework("PyTorch", "torch", ("torch",), "torch"),
}
OURS = tuple(name for name, framework in FRAMEWORKS.items() if framework.module == "layerkit")
PEERS = tuple(name for name in FRAMEWORKS if name not in OURS)


def model(framework: str, workload: str) -> Any:
    """`fit(x, y, batch_size, epochs)`, `predict(x, batch_size)`, and a call with a NumPy array."""
    if framework == "torch":
        from .torch_models import faster

        return faster(workload)
    return KerasLike(importlib.import_module(FRAMEWORKS[framework].module), workload)


class KerasLike:
    """A workload by `layerkit` or `keras`; `options` go to `compile`."""

    def __init__(self, module: Any, workload: str, **options: Any):
        self.model = workloads.keras_like(module, workload, **options)
        self.to_numpy = module.ops.convert_to_numpy if hasattr(module, "ops") else np.asarray

    def fit(self, x: np.ndarray, y: np.ndarray, batch_size: int, epochs: int) -> float:
        """The mean loss of the last epoch: a number on the host, so it is over."""
        fit = self.model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)
        return float(fit.history["loss"][-1])

    def predict(self, x: np.ndarray, batch_size: int) -> np.ndarray:
        return self.model.predict(x, batch_size=batch_size, verbose=0)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.to_numpy(self.model(x))
