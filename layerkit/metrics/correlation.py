"""Correlations: how predictions go with targets, one number per sample, as means over samples."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor

from ..configurable import register_functions
from ..losses import pair
from .metric import MeanMetricWrapper


def pearson_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Tensor:
    """Pearson's coefficient over `axis`: 1 where y_pred is a rising linear function of y_true."""
    y_true, y_pred = pair("pearson_correlation", y_true, y_pred)
    return K.mean(_standardized(y_true, axis) * _standardized(y_pred, axis), axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Tensor:
    """Twice the covariance over `axis` by both variances and the means' squared distance.

    1 where y_pred is y_true. Lin 1989, https://doi.org/10.2307/2532051.
    """
    y_true, y_pred = pair("concordance_correlation", y_true, y_pred)
    mean_true = K.mean(y_true, axis=axis, keepdims=True)
    mean_pred = K.mean(y_pred, axis=axis, keepdims=True)
    spread = K.var(y_true, axis=axis, keepdims=True) + K.var(y_pred, axis=axis, keepdims=True)
    spread = spread + K.square(mean_true - mean_pred)
    covariance = (y_true - mean_true) * (y_pred - mean_pred)
    return K.mean(2.0 * covariance / (spread + K.epsilon()), axis=axis)


def _standardized(x: Tensor, axis: Any) -> Tensor:
    x = x - K.mean(x, axis=axis, keepdims=True)
    return x / K.std(x, axis=axis, keepdims=True)


register_functions(pearson_correlation, concordance_correlation)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation`."""

    _direction = "up"

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: Any = -1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation`."""

    _direction = "up"

    def __init__(
        self, name: str | None = "concordance_correlation", dtype: Any = None, axis: Any = -1
    ):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
