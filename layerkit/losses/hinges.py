"""Hinge losses: of labels that are -1 or 1, and of classes."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor

from ..symbolic import of_symbols
from .loss import _PlainLoss, pair


@of_symbols
def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """mean(max(1 - y_true y_pred, 0)) over the last axis; labels -1 and 1, or 0 and 1."""
    y_true, y_pred = pair("hinge", y_true, y_pred)
    return K.mean(K.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


@of_symbols
def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """mean(max(1 - y_true y_pred, 0)²) over the last axis; labels -1 and 1, or 0 and 1."""
    y_true, y_pred = pair("squared_hinge", y_true, y_pred)
    return K.mean(K.square(K.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


def _signs(labels: Tensor) -> Tensor:
    """Labels 0 and 1 as -1 and 1; others as they are."""
    binary = K.all(K.logical_or(labels == 0, labels == 1))
    return K.where(binary, 2.0 * labels - 1.0, labels)


@of_symbols
def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """max(neg - pos + 1, 0), pos the score of the true class, neg the best of the others."""
    y_true, y_pred = pair("categorical_hinge", y_true, y_pred)
    pos = K.sum(y_true * y_pred, axis=-1)
    neg = K.max((1.0 - y_true) * y_pred, axis=-1)
    return K.maximum(neg - pos + 1.0, 0.0)


class Hinge(_PlainLoss):
    """`hinge` as a loss."""

    function = staticmethod(hinge)


class SquaredHinge(_PlainLoss):
    """`squared_hinge` as a loss."""

    function = staticmethod(squared_hinge)


class CategoricalHinge(_PlainLoss):
    """`categorical_hinge` as a loss."""

    function = staticmethod(categorical_hinge)
