"""Losses of sequences of labels whose places are not known: CTC."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor

from ..symbolic import of_symbols
from .loss import _PlainLoss, move


@of_symbols
def ctc(y_true: Any, y_pred: Any) -> Tensor:
    """-log of the probability that y_pred spells y_true, one value per sample.

    `y_true`: class numbers (batch, length), padded with 0, which is the blank; `y_pred`: logits
    (batch, time, classes). Computed in float32 at least. Graves et al. 2006.
    """
    y_pred = K.convert_to_tensor(y_pred)
    y_true = move(K.convert_to_tensor(y_true), y_pred)
    if y_true.ndim != 2:
        raise ValueError(
            "Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` in "
            f"integer format. Received: y_true.shape={tuple(y_true.shape)}"
        )
    if y_pred.ndim != 3:
        raise ValueError(
            "Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, "
            f"num_classes)`. Received: y_pred.shape={tuple(y_pred.shape)}"
        )
    batch, time, _ = y_pred.shape
    labels = K.sum(K.cast(y_true != 0, "int32"), axis=-1)
    y_pred = K.cast(y_pred, K.result_type(y_pred.dtype, "float32"))
    return K.ctc_loss(K.cast(y_true, "int32"), y_pred, labels, K.full((batch,), time, "int32"))


class CTC(_PlainLoss):
    """`ctc` as a loss."""

    function = staticmethod(ctc)
