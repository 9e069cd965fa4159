"""Losses: how far predictions are from targets, one number per sample, then reduced to one.

Each loss is a function `loss(y_true, y_pred, ...)` that keeps the samples apart, and a class that
holds its options and reduces: `MeanSquaredError()(y_true, y_pred, sample_weight)`. Functions take
tensors, arrays or lists, and compute in y_pred's dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerkit.backend import Tensor
from layerkit.backend.names import explain_missing

from .. import configurable
from ..configurable import register_functions, serialize
from .embeddings import Circle, circle
from .hinges import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from .loss import Loss, LossFunctionWrapper, pair, squeeze_or_expand_to_same_rank
from .overlap import Dice, Tversky, dice, tversky
from .probabilities import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from .regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    unit,
)
from .retired import cosine_proximity_keras1, hinge_keras2, squared_hinge_keras2
from .sequences import CTC, ctc

FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    function.__name__: function
    for function in (
        mean_squared_error,
        mean_absolute_error,
        mean_absolute_percentage_error,
        mean_squared_logarithmic_error,
        huber,
        log_cosh,
        cosine_similarity,
        hinge,
        squared_hinge,
        categorical_hinge,
        kl_divergence,
        poisson,
        binary_crossentropy,
        binary_focal_crossentropy,
        categorical_crossentropy,
        categorical_focal_crossentropy,
        sparse_categorical_crossentropy,
        categorical_generalized_cross_entropy,
        dice,
        tversky,
        ctc,
        circle,
    )
}
_RETIRED = (cosine_proximity_keras1, hinge_keras2, squared_hinge_keras2)  # which files name
register_functions(*FUNCTIONS.values(), *_RETIRED)
_SHORT = {
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error,
    "bce": binary_crossentropy,
    "kld": kl_divergence,
}
_BY_NAME = FUNCTIONS | {function.__name__: function for function in _RETIRED} | _SHORT
_BY_NAME |= {name.upper(): function for name, function in _SHORT.items()}


def get(identifier: Any) -> Any:
    """The loss that `identifier` means: a function for 'mse', an object for 'MeanSquaredError'.

    A name, a short name, a config, a class, an object or a function; None is None. ValueError for
    anything else.
    """
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]
    return configurable.get(Loss, identifier)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that `serialize` described."""
    if isinstance(config, str):
        return get(config)
    return configurable.deserialize(config, custom_objects, family="losses")


__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CTC",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "FUNCTIONS",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pair",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "squeeze_or_expand_to_same_rank",
    "tversky",
    "unit",
]

explain_missing(__name__)
