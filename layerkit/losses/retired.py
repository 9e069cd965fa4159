"""Losses whose numbers changed under one name, as Keras 1 and 2 computed them: for their files."""

from __future__ import annotations

from typing import Any

import layerkit.backend as K
from layerkit.backend import Tensor

from .loss import pair
from .regression import unit


def hinge_keras2(y_true: Any, y_pred: Any) -> Tensor:
    """mean(max(1 - y_true * y_pred, 0)), whose labels 0 are no -1: hinge before Keras 2.3."""
    y_true, y_pred = pair("hinge_keras2", y_true, y_pred)
    return K.mean(K.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


def squared_hinge_keras2(y_true: Any, y_pred: Any) -> Tensor:
    """mean(max(1 - y_true * y_pred, 0)²), whose labels 0 are no -1: as before Keras 2.3."""
    y_true, y_pred = pair("squared_hinge_keras2", y_true, y_pred)
    return K.mean(K.square(K.maximum(1.0 - y_true * y_pred, 0.0)), axis=-1)


def cosine_proximity_keras1(y_true: Any, y_pred: Any) -> Tensor:
    """Minus the cosine of their angle, divided by the size of the last axis: as in Keras 1."""
    y_true, y_pred = pair("cosine_proximity_keras1", y_true, y_pred)
    return -K.mean(unit(y_true, -1) * unit(y_pred, -1), axis=-1)
