"""Losses of regions that overlap."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor

from ..symbolic import of_symbols
from .loss import Loss, pair


@of_symbols
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """1 - 2 |y_true ∩ y_pred| / (|y_true| + |y_pred|), sums over `axis` (all for None)."""
    y_true, y_pred = pair("dice", y_true, y_pred)
    overlap = K.sum(y_true * y_pred, axis=axis)
    sizes = K.sum(y_true, axis=axis) + K.sum(y_pred, axis=axis)
    return 1.0 - 2.0 * overlap / (sizes + K.epsilon())


@of_symbols
def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Tensor:
    """1 - overlap / (overlap + alpha missed + beta false), sums over `axis` (all for None).

    As in Keras, alpha weighs what y_pred misses and beta what it adds. Salehi et al. 2017,
    https://arxiv.org/abs/1706.05721.
    """
    y_true, y_pred = pair("tversky", y_true, y_pred)
    overlap = K.sum(y_true * y_pred, axis=axis)
    missed = K.sum(y_true * (1.0 - y_pred), axis=axis)
    false = K.sum((1.0 - y_true) * y_pred, axis=axis)
    return 1.0 - overlap / (overlap + alpha * missed + beta * false + K.epsilon())


class Dice(Loss):
    """`dice` as a loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return dice(y_true, y_pred, self.axis)


class Tversky(Loss):
    """`tversky` as a loss."""

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return tversky(y_true, y_pred, self.alpha, self.beta, self.axis)
