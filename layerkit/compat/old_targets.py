"""Targets of shape (batch,) beside predictions of (batch, 1), as functions of metrics got them.

Keras 1 and 2 gave the targets an axis more; Keras 3 does so for losses alone, and a metric that is
a function of the script would broadcast the two to (batch, batch).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from layerkit import backend as K
from layerkit.backend import tree

from ..models.compiled import CompiledMetrics


def expand_targets() -> None:
    """Let metrics get targets of the rank of the predictions."""
    update = _expanding(CompiledMetrics.update_state)
    setattr(CompiledMetrics, "update_state", update)  # noqa: B010


def _expanding(update: Callable) -> Callable:
    @wraps(update)
    def updated(self: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        predictions = tree.flatten(y_pred)
        if isinstance(y, (list, tuple)) and len(y) == len(predictions):
            y = [_beside(x, own) for x, own in zip(y, predictions, strict=True)]
        elif len(predictions) == 1:
            y = _beside(y, predictions[0])
        update(self, y, y_pred, sample_weight)

    return updated


def _beside(y: Any, y_pred: Any) -> Any:
    shapes = getattr(y, "shape", None), y_pred.shape
    return K.expand_dims(y, -1) if shapes == (y_pred.shape[:1], (*y_pred.shape[:1], 1)) else y
