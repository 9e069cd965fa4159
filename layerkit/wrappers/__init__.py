"""Models as scikit-learn's estimators. Needs scikit-learn, the extra 'sklearn', when used.

`SKLearnClassifier`, `SKLearnRegressor` and `SKLearnTransformer` are Keras 3's; the module
`scikit_learn` has Keras 2's `KerasClassifier` and `KerasRegressor`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import scikit_learn
    from .estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer", "scikit_learn"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'layerkit.wrappers' has no attribute '{name}'")
    from ..utils.optional import optional

    optional("sklearn", "scikit-learn", "sklearn", f"layerkit.wrappers.{name}")
    if name == "scikit_learn":
        return importlib.import_module("layerkit.wrappers.scikit_learn")
    return getattr(importlib.import_module("layerkit.wrappers.estimators"), name)
