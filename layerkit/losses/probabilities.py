"""Losses of probabilities: cross-entropies, divergence, Poisson."""

from __future__ import annotations

import warnings
from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor

from ..symbolic import of_symbols
from .loss import Loss, _PlainLoss, like, move, pair


@of_symbols
def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """sum(y_true log(y_true / y_pred)) over the last axis; both clipped to [epsilon, 1]."""
    y_true, y_pred = pair("kl_divergence", y_true, y_pred)
    y_true, y_pred = K.clip(y_true, K.epsilon(), 1.0), K.clip(y_pred, K.epsilon(), 1.0)
    return K.sum(y_true * K.log(y_true / y_pred), axis=-1)


@of_symbols
def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """mean(y_pred - y_true log(y_pred)) over the last axis."""
    y_true, y_pred = pair("poisson", y_true, y_pred)
    return K.mean(y_pred - y_true * K.log(y_pred + K.epsilon()), axis=-1)


@of_symbols
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Mean over `axis` of -(y log(p) + (1 - y) log(1 - p)), p = y_pred or its sigmoid."""
    y_true, y_pred = pair("binary_crossentropy", y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, 2)
    return K.mean(K.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


@of_symbols
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Binary crossentropy times (1 - p_t)^gamma, p_t the probability of the true class.

    `apply_class_balancing` weighs class 1 by alpha and class 0 by 1 - alpha. Lin et al. 2018,
    https://arxiv.org/abs/1708.02002.
    """
    y_true, y_pred = pair("binary_focal_crossentropy", y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, 2)
    p = K.sigmoid(y_pred) if from_logits else y_pred
    p_t = y_true * p + (1.0 - y_true) * (1.0 - p)
    values = K.power(1.0 - p_t, gamma) * K.binary_crossentropy(y_true, p)
    if apply_class_balancing:
        values = values * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return K.mean(values, axis=axis)


@of_symbols
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """-sum(y log(p)) over the classes on `axis`: y_true one-hot, p = y_pred or its softmax."""
    y_true, y_pred = _classes("categorical_crossentropy", y_true, y_pred, axis)
    y_true = _smooth(y_true, label_smoothing, y_true.shape[-1])
    return K.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@of_symbols
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """-sum(alpha (1 - p)^gamma y log(p)) over the classes on `axis`.

    Lin et al. 2018, https://arxiv.org/abs/1708.02002.
    """
    y_true, y_pred = _classes("categorical_focal_crossentropy", y_true, y_pred, axis)
    y_true = _smooth(y_true, label_smoothing, y_true.shape[-1])
    p = K.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = p / K.sum(p, axis=axis, keepdims=True)
    p = K.clip(p, K.epsilon(), 1.0 - K.epsilon())
    return -K.sum(alpha * K.power(1.0 - p, gamma) * y_true * K.log(p), axis=axis)


@of_symbols
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Tensor:
    """-log(p) of the class that y_true names by its number, p = y_pred or its softmax on `axis`.

    y_true has y_pred's shape without `axis` (or with 1 there). Where it is `ignore_class`, the
    value is 0. ValueError for other labels that y_pred has no class for.
    """
    y_pred = K.convert_to_tensor(y_pred)
    y_true = move(K.convert_to_tensor(y_true), y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = K.squeeze(y_true, axis=axis)
    valid = None if ignore_class is None else y_true != ignore_class
    if valid is not None:
        y_true = K.where(valid, y_true, 0)
    values = K.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    return values if valid is None else K.where(valid, values, 0.0)


@of_symbols
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Tensor:
    """(1 - p^q) / q, p the probability of the class that y_true names: robust to wrong labels.

    Zhang and Sabuncu 2018, https://arxiv.org/abs/1805.07836.
    """
    y_pred = K.convert_to_tensor(y_pred)
    labels = K.cast(move(K.convert_to_tensor(y_true), y_pred), "int32")
    p = K.sum(y_pred * K.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype), axis=-1)
    return (1.0 - K.power(p, q)) / q


def _smooth(y_true: Tensor, smoothing: float, classes: int) -> Tensor:
    """Labels moved towards 1 / classes by the share `smoothing`."""
    return y_true * (1.0 - smoothing) + smoothing / classes if smoothing else y_true


def _classes(loss: str, y_true: Any, y_pred: Any, axis: int) -> tuple[Tensor, Tensor]:
    """One-hot targets and predictions as tensors of one shape. ValueError otherwise."""
    if isinstance(axis, bool):
        raise ValueError(
            f"`axis` must be of type `int`. Received: axis={axis} of type {type(axis)}"
        )
    y_pred = K.convert_to_tensor(y_pred)
    y_true = like(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        classes = y_pred.shape[axis] if y_pred.shape else 1
        remedy = (
            "expects one-hot targets; for integer labels use sparse_categorical_crossentropy, or "
            f"make them one-hot with layerkit.utils.to_categorical(y, num_classes={classes})."
        )
        if y_true.ndim == y_pred.ndim and y_true.shape[axis] > 1:
            remedy = "needs one unit for each class of the targets: change the last layer's units."
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. Received: "
            f"target.shape={tuple(y_true.shape)}, output.shape={tuple(y_pred.shape)}. {loss} "
            f"{remedy}"
        )
    if y_pred.shape[-1] == 1:
        warnings.warn(
            f"In loss {loss}, expected y_pred.shape to be (batch_size, num_classes) with "
            f"num_classes > 1. Received: y_pred.shape={tuple(y_pred.shape)}. Consider using "
            "'binary_crossentropy' if you only have 2 classes.",
            SyntaxWarning,
            stacklevel=3,
        )
    return y_true, y_pred


class KLDivergence(_PlainLoss):
    """`kl_divergence` as a loss."""

    function = staticmethod(kl_divergence)


class Poisson(_PlainLoss):
    """`poisson` as a loss."""

    function = staticmethod(poisson)


class BinaryCrossentropy(Loss):
    """`binary_crossentropy` as a loss."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return binary_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


class BinaryFocalCrossentropy(Loss):
    """`binary_focal_crossentropy` as a loss."""

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return binary_focal_crossentropy(
            y_true,
            y_pred,
            self.apply_class_balancing,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )


class CategoricalCrossentropy(Loss):
    """`categorical_crossentropy` as a loss."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


class CategoricalFocalCrossentropy(Loss):
    """`categorical_focal_crossentropy` as a loss."""

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return categorical_focal_crossentropy(
            y_true,
            y_pred,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )


class SparseCategoricalCrossentropy(Loss):
    """`sparse_categorical_crossentropy` as a loss; means are over labels not ignored."""

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        if len(y_true.shape) < len(y_pred.shape) - 1:
            y_true = K.expand_dims(y_true, axis=self.axis)
        return sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis
        )

    def valid(self, y_true: Any, values: Tensor) -> Any:
        return None if self.ignore_class is None else y_true != self.ignore_class


class CategoricalGeneralizedCrossEntropy(Loss):
    """`categorical_generalized_cross_entropy` as a loss; 0 < q < 1."""

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ):
        if not 0 < q < 1:
            raise ValueError(f"q must be in the interval (0, 1). Received: q={q}")
        super().__init__(name, reduction, dtype)
        self.q = q

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return categorical_generalized_cross_entropy(y_true, y_pred, self.q)
