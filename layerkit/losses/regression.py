"""Losses of numbers: errors, and the angle between vectors."""

from __future__ import annotations

import math
from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor

from ..symbolic import of_symbols
from .loss import Loss, _PlainLoss, pair


@of_symbols
def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean((y_true - y_pred)²) over the last axis."""
    y_true, y_pred = pair("mean_squared_error", y_true, y_pred)
    return K.mean(K.square(y_true - y_pred), axis=-1)


@of_symbols
def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean(|y_true - y_pred|) over the last axis."""
    y_true, y_pred = pair("mean_absolute_error", y_true, y_pred)
    return K.mean(K.abs(y_true - y_pred), axis=-1)


@of_symbols
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """100 mean(|y_true - y_pred| / |y_true|) over the last axis; |y_true| at least epsilon."""
    y_true, y_pred = pair("mean_absolute_percentage_error", y_true, y_pred)
    relative = K.abs((y_true - y_pred) / K.maximum(K.abs(y_true), K.epsilon()))
    return 100.0 * K.mean(relative, axis=-1)


@of_symbols
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean((log(1 + y_true) - log(1 + y_pred))²) over the last axis; both at least epsilon."""
    y_true, y_pred = pair("mean_squared_logarithmic_error", y_true, y_pred)
    log_true = K.log(K.maximum(y_true, K.epsilon()) + 1.0)
    log_pred = K.log(K.maximum(y_pred, K.epsilon()) + 1.0)
    return K.mean(K.square(log_true - log_pred), axis=-1)


@of_symbols
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Mean over the last axis of e²/2 where |e| <= delta, delta |e| - delta²/2 elsewhere."""
    y_true, y_pred = pair("huber", y_true, y_pred)
    error = y_pred - y_true
    distance = K.abs(error)
    inside, outside = 0.5 * K.square(error), delta * distance - 0.5 * delta**2
    return K.mean(K.where(distance <= delta, inside, outside), axis=-1)


@of_symbols
def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """mean(log(cosh(y_pred - y_true))) over the last axis."""
    y_true, y_pred = pair("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    return K.mean(error + K.softplus(-2.0 * error) - math.log(2.0), axis=-1)


@of_symbols
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between y_true and y_pred: -1 for the same direction."""
    y_true, y_pred = pair("cosine_similarity", y_true, y_pred)
    return -K.sum(unit(y_true, axis) * unit(y_pred, axis), axis=axis)


def unit(x: Tensor, axis: int) -> Tensor:
    """`x` scaled to Euclidean length 1 along `axis`; what is shorter than epsilon by 1/epsilon."""
    return x / K.sqrt(K.maximum(K.sum(K.square(x), axis=axis, keepdims=True), K.epsilon() ** 2))


class MeanSquaredError(_PlainLoss):
    """`mean_squared_error` as a loss."""

    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(_PlainLoss):
    """`mean_absolute_error` as a loss."""

    function = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(_PlainLoss):
    """`mean_absolute_percentage_error` as a loss."""

    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_PlainLoss):
    """`mean_squared_logarithmic_error` as a loss."""

    function = staticmethod(mean_squared_logarithmic_error)


class Huber(Loss):
    """`huber` as a loss."""

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.delta = delta

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return huber(y_true, y_pred, self.delta)


class LogCosh(_PlainLoss):
    """`log_cosh` as a loss."""

    function = staticmethod(log_cosh)


class CosineSimilarity(Loss):
    """`cosine_similarity` as a loss."""

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return cosine_similarity(y_true, y_pred, self.axis)
