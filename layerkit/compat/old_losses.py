"""Short and old names of losses and metrics."""

from __future__ import annotations

from typing import Any

from ..losses import (
    binary_crossentropy,
    cosine_similarity,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)

__all__ = [
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "Reduction",
    "bce",
    "cosine_proximity",
    "kld",
    "kullback_leibler_divergence",
    "logcosh",
    "mae",
    "mape",
    "mse",
    "msle",
]

bce = binary_crossentropy
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh


class Reduction:
    """Names of what becomes of a batch's losses."""

    AUTO = SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    NONE, SUM = "none", "sum"


def cosine_proximity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The negative cosine of the angle between targets and predictions."""
    return cosine_similarity(y_true, y_pred, axis)


REMEDIES = {
    "Reduction": "give reduction='sum', 'none' or 'sum_over_batch_size'",
    "bce": "use binary_crossentropy",
    "cosine_proximity": "use cosine_similarity",
    "logcosh": "use log_cosh",
    "mae": "use mean_absolute_error",
    "mse": "use mean_squared_error",
    "kld": "use kl_divergence",
    "kullback_leibler_divergence": "use kl_divergence",
}
