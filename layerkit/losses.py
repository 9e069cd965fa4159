"""Losses: how far predictions are from targets, one number per sample, then reduced to one.

Each loss is a function `loss(y_true, y_pred, ...)` that keeps the samples apart, and a class that
holds its options and reduces: `MeanSquaredError()(y_true, y_pred, sample_weight)`. Functions take
tensors, arrays or lists, and compute in y_pred's dtype.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

from layerkit import backend as K
from layerkit.backend import Tensor, tree
from layerkit.backend.names import explain_missing
from layerkit.backend.registry import backend_of

from . import configurable, dtype_policies
from .configurable import Configurable, register_functions, serialize
from .naming import auto_name
from .symbolic import of_symbols

_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss(Configurable):
    """Base class of losses: implement `call(y_true, y_pred)`, one value per sample.

    `reduction` is 'sum_over_batch_size' or 'mean' (the sum by the number of values),
    'mean_with_sample_weight' (the sum by the sum of the weights), 'sum', or None or 'none'.
    `y_true` and `y_pred` are cast to `dtype`, `floatx()` unless given, before `call`.
    """

    keras_module = "keras.losses"
    accepts_callables = True
    aliases = {
        "mse": "MeanSquaredError",
        "mae": "MeanAbsoluteError",
        "mape": "MeanAbsolutePercentageError",
        "msle": "MeanSquaredLogarithmicError",
        "bce": "BinaryCrossentropy",
        "kld": "KLDivergence",
    }

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ):
        if reduction not in _REDUCTIONS:
            raise ValueError(
                "Invalid value for argument `reduction`. "
                f"Expected one of {_REDUCTIONS}. Received: reduction={reduction}"
            )
        self.name = name or auto_name(type(self))
        self.reduction = reduction
        self.dtype = dtype_policies.get(dtype or K.floatx()).compute_dtype

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """The loss of each sample, its last axis reduced: (batch, ...) from (batch, ..., d)."""
        raise NotImplementedError(f"{type(self).__name__} must implement `call(y_true, y_pred)`.")

    def valid(self, y_true: Any, values: Tensor) -> Any:
        """Which `values` of `call` count: a boolean tensor of their shape, or None for all."""
        return None

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> Tensor:
        """The reduced loss, a scalar (the values themselves for reduction None).

        `sample_weight` and `mask` (True where a value counts; by default that of y_pred) have the
        values' shape, or fewer axes, as (batch,). With a mask, means are over the values that
        count.
        """
        mask = mask_of(y_pred) if mask is None else mask
        y_pred = _as_tensors(y_pred, self.dtype)
        y_true = _beside(y_true, y_pred, self.dtype)
        values = self.call(y_true, y_pred)
        valid = self.valid(y_true, values)
        if valid is not None:
            mask = valid if mask is None else K.logical_and(mask, valid)
        if sample_weight is None and mask is None:
            return _reduce(values, self.reduction)
        return _reduce_weighted(values, sample_weight, mask, self.reduction)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if config["dtype"] == K.floatx():  # Keras's configs of losses have none
            del config["dtype"]
        return config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class LossFunctionWrapper(Loss):
    """A function `fn(y_true, y_pred, **kwargs)` with values per sample as a loss."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(name, reduction, dtype)
        self.fn = fn
        self._options = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        if isinstance(y_true, Tensor) and isinstance(y_pred, Tensor):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._options)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **serialize(self._options)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LossFunctionWrapper:
        return cls(**configurable.deserialize(config))


class _PlainLoss(Loss):
    """Base of the losses that are a function without options, and are called as it."""

    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name or self.function.__name__, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return self.function(y_true, y_pred)


def mask_of(x: Any) -> Any:
    """The mask that a layer has put on a tensor: a tensor of booleans, or None."""
    return getattr(x, "_keras_mask", None)


# --- reduction and shapes ----------------------------------------------------------------------


def _reduce(values: Tensor, reduction: str | None) -> Tensor:
    if reduction in (None, "none") or values.shape in ((), (0,)):
        return values
    return K.sum(values) if reduction == "sum" else K.mean(values)


def _reduce_weighted(values: Tensor, weight: Any, mask: Any, reduction: str | None) -> Tensor:
    """The reduction of `values`, each times its weight; a mask only lets the valid ones count."""
    factors = []
    if mask is not None:
        mask = _like(mask, values)
        if reduction in ("mean", "sum_over_batch_size"):  # a mean over the valid values only
            mask = mask * (mask.size / K.maximum(K.sum(mask), 1.0))
        factors.append(mask)
    if weight is not None:
        factors.append(_like(weight, values))
    weight = 1.0
    for factor in factors:
        values, factor = squeeze_or_expand_to_same_rank(values, factor)
        _check_weights(factor.shape, values.shape)
        weight = weight * _with_axes_of(values, factor)
    values = values * weight
    if reduction != "mean_with_sample_weight" or values.shape in ((), (0,)):
        return _reduce(values, reduction)
    total = K.sum(weight)
    return K.where(total == 0, 0.0, K.sum(values) / K.where(total == 0, 1.0, total))


def _with_axes_of(values: Tensor, weight: Tensor) -> Tensor:
    """A weight per sample as one that broadcasts over the further axes of `values`."""
    if not 0 < len(weight.shape) < len(values.shape):
        return weight
    return K.reshape(weight, weight.shape + (1,) * (len(values.shape) - len(weight.shape)))


def _check_weights(weights: tuple[int, ...], values: tuple[int, ...]) -> None:
    pairs = zip(weights, values, strict=False)
    if len(weights) > len(values) or any(n not in (1, m) for n, m in pairs):
        raise ValueError(
            "`sample_weight` (or the mask) must have the shape of the loss's values, or its first "
            f"axes; received {tuple(weights)} for values of shape {tuple(values)}: give one "
            "weight per sample."
        )


def squeeze_or_expand_to_same_rank(
    x1: Tensor, x2: Tensor, expand_rank_1: bool = True
) -> tuple[Tensor, Tensor]:
    """Two tensors whose ranks differ by a last axis of length 1, brought to one rank.

    Beside a (batch,) the (batch, 1) stays and the other is expanded, unless `expand_rank_1` is
    False; higher ranks lose their last axis. Others are returned as they are.
    """
    if len(x1.shape) == len(x2.shape):
        return x1, x2
    if len(x1.shape) < len(x2.shape):
        x2, x1 = squeeze_or_expand_to_same_rank(x2, x1, expand_rank_1)
        return x1, x2
    if len(x1.shape) == len(x2.shape) + 1 and x1.shape[-1] == 1:
        if len(x2.shape) == 1 and expand_rank_1:
            x2 = K.expand_dims(x2, axis=-1)
        else:
            x1 = K.squeeze(x1, axis=-1)
    return x1, x2


def _as_tensors(x: Any, dtype: str) -> Any:
    """`x` cast to `dtype`; a structure of tensors leaf by leaf, numbers in lists as one tensor."""
    if isinstance(x, Tensor) and x.dtype == dtype:
        return x
    if isinstance(x, (dict, list, tuple)) and any(hasattr(y, "dtype") for y in tree.flatten(x)):
        return tree.map_structure(lambda leaf: _as_tensors(leaf, dtype), x)
    return K.cast(K.convert_to_tensor(x), dtype)


def _beside(x: Any, reference: Any, dtype: str) -> Any:
    """`x` as tensors of `dtype`, on the backend on which `reference` lives."""
    reference = tree.flatten(reference)[0]
    return tree.map_structure(lambda leaf: _move(leaf, reference), _as_tensors(x, dtype))


def _like(x: Any, reference: Tensor) -> Tensor:
    """`x` as a tensor of the dtype of `reference`, on its backend."""
    x = _move(K.convert_to_tensor(x), reference)
    return x if x.dtype == reference.dtype else K.cast(x, reference.dtype)


def _move(x: Tensor, reference: Tensor) -> Tensor:
    if type(x.array) is type(reference.array):
        return x
    return Tensor(backend_of(reference.array).asarray(x.array))


def pair(loss: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Targets and predictions as tensors of one dtype, backend and rank. ValueError otherwise."""
    y_pred = K.convert_to_tensor(y_pred)
    y_true = _like(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        _check_broadcast(loss, y_true, y_pred)
    return y_true, y_pred


def _check_broadcast(loss: str, y_true: Tensor, y_pred: Tensor) -> None:
    pairs = zip(reversed(y_true.shape), reversed(y_pred.shape), strict=False)
    one_target = y_true.ndim and y_true.shape == y_pred.shape[:-1]  # beside several outputs
    if one_target or any(n != m and 1 not in (n, m) for n, m in pairs):
        raise ValueError(
            f"{loss}: expected `y_true` and `y_pred` of one shape; received "
            f"y_true.shape={tuple(y_true.shape)} and y_pred.shape={tuple(y_pred.shape)}. Let the "
            "model's last layer give as many outputs as each target has."
        )


# --- regression --------------------------------------------------------------------------------


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


# --- hinges ------------------------------------------------------------------------------------


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


# --- probabilities -----------------------------------------------------------------------------


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
    y_true = _move(K.convert_to_tensor(y_true), y_pred)
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
    labels = K.cast(_move(K.convert_to_tensor(y_true), y_pred), "int32")
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
    y_true = _like(y_true, y_pred)
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


# --- overlap of regions ------------------------------------------------------------------------


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


# --- sequences and embeddings ------------------------------------------------------------------


@of_symbols
def ctc(y_true: Any, y_pred: Any) -> Tensor:
    """-log of the probability that y_pred spells y_true, one value per sample.

    `y_true`: class numbers (batch, length), padded with 0, which is the blank; `y_pred`: logits
    (batch, time, classes). Computed in float32 at least. Graves et al. 2006.
    """
    y_pred = K.convert_to_tensor(y_pred)
    y_true = _move(K.convert_to_tensor(y_true), y_pred)
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
    others = y_pred if ref_embeddings is None else _like(ref_embeddings, y_pred)
    labels = K.reshape(_like(y_true, y_pred), (-1, 1))
    other_labels = labels if ref_labels is None else K.reshape(_like(ref_labels, y_pred), (-1, 1))
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


class CTC(_PlainLoss):
    """`ctc` as a loss."""

    function = staticmethod(ctc)


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


# --- by name -----------------------------------------------------------------------------------

FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    function.__name__: function
    for function in (
        mean_squared_error,
        mean_absolute_error,
        mean_absolute_percentage_error,
        mean_squared_logarithmic_error,
        huber,
        log_cosh,
        cosine_similarity,
        hinge,
        squared_hinge,
        categorical_hinge,
        kl_divergence,
        poisson,
        binary_crossentropy,
        binary_focal_crossentropy,
        categorical_crossentropy,
        categorical_focal_crossentropy,
        sparse_categorical_crossentropy,
        categorical_generalized_cross_entropy,
        dice,
        tversky,
        ctc,
        circle,
    )
}
register_functions(*FUNCTIONS.values())
_SHORT = {
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error,
    "bce": binary_crossentropy,
    "kld": kl_divergence,
}
_BY_NAME = FUNCTIONS | _SHORT | {name.upper(): function for name, function in _SHORT.items()}


def get(identifier: Any) -> Any:
    """The loss that `identifier` means: a function for 'mse', an object for 'MeanSquaredError'.

    A name, a short name, a config, a class, an object or a function; None is None. ValueError for
    anything else.
    """
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]
    return configurable.get(Loss, identifier)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that `serialize` described."""
    if isinstance(config, str):
        return get(config)
    return configurable.deserialize(config, custom_objects, family="losses")


explain_missing(__name__)
