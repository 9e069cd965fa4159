"""Losses of embeddings beside one another: Circle."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor

from ..symbolic import of_symbols
from .loss import Loss, like


@of_symbols
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """How near each embedding is to those of other classes, and far from those of its own.

    `y_true`: class numbers (batch,) or (batch, 1); `y_pred`: embeddings (batch, d) of length 1,
    compared with `ref_embeddings` (n, d) of `ref_labels` (n,), at first with themselves, except,
    for `remove_diagonal`, each with itself. Result: (batch,); 0 where there is nothing to compare.
    Sun et al. 2020, https://arxiv.org/abs/2002.10857.
    """
    y_pred = K.convert_to_tensor(y_pred)
    others = y_pred if ref_embeddings is None else like(ref_embeddings, y_pred)
    labels = K.reshape(like(y_true, y_pred), (-1, 1))
    other_labels = labels if ref_labels is None else K.reshape(like(ref_labels, y_pred), (-1, 1))
    positive = labels == K.transpose(other_labels)
    negative = K.logical_not(positive)
    if remove_diagonal:
        itself = K.eye(labels.shape[0], other_labels.shape[0], dtype="bool")
        positive = K.logical_and(positive, K.logical_not(itself))
    distance = K.maximum(1.0 - K.matmul(y_pred, K.transpose(others)), 0.0)
    far = gamma * (margin + distance) * (distance - margin)
    near = gamma * K.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    nothing = -1.5e4 if y_pred.dtype == "float16" else -1e30  # log(0), finite added to itself
    pull = K.logsumexp(K.where(positive, far, nothing), axis=1)
    push = K.logsumexp(K.where(negative, near, nothing), axis=1)
    return K.softplus(pull + push)


class Circle(Loss):
    """`circle` as a loss; means are over the samples that have something to compare with."""

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return circle(
            y_true,
            y_pred,
            remove_diagonal=self.remove_diagonal,
            gamma=self.gamma,
            margin=self.margin,
        )

    def valid(self, y_true: Any, values: Tensor) -> Any:
        return values > 0
