"""Loss: the base class of losses, and how one value per sample is reduced to a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from layerkit import backend as K
from layerkit.backend import Tensor, tree
from layerkit.backend.registry import backend_of

from .. import configurable, dtype_policies
from ..configurable import Configurable, serialize
from ..masks import mask_of
from ..naming import auto_name

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
        y_pred = as_tensors(y_pred, self.dtype)
        y_true = beside(y_true, y_pred, self.dtype)
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
        values = self.fn(y_true, y_pred, **self._options)
        if values is None:
            raise ValueError(
                f"The loss '{self.name}' must return a tensor; it returned None. Does the function "
                "end without `return`?"
            )
        return values

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


def _reduce(values: Tensor, reduction: str | None) -> Tensor:
    if reduction in (None, "none") or values.shape in ((), (0,)):
        return values
    return K.sum(values) if reduction == "sum" else K.mean(values)


def _reduce_weighted(values: Tensor, weight: Any, mask: Any, reduction: str | None) -> Tensor:
    """The reduction of `values`, each times its weight; a mask only lets the valid ones count."""
    factors = []
    if mask is not None:
        mask = like(mask, values)
        if reduction in ("mean", "sum_over_batch_size"):  # a mean over the valid values only
            mask = mask * (mask.size / K.maximum(K.sum(mask), 1.0))
        factors.append(mask)
    if weight is not None:
        factors.append(like(weight, values))
    for factor in factors:  # any of them may give the values a last axis
        values, _ = squeeze_or_expand_to_same_rank(values, factor)
    weight = 1.0
    for factor in factors:
        values, factor = squeeze_or_expand_to_same_rank(values, factor)
        _check_weights(factor.shape, values.shape)
        weight = weight * with_axes_of(values, factor)
    values = values * weight
    if reduction != "mean_with_sample_weight" or values.shape in ((), (0,)):
        return _reduce(values, reduction)
    total = K.sum(weight)
    return K.where(total == 0, 0.0, K.sum(values) / K.where(total == 0, 1.0, total))


def with_axes_of(values: Tensor, weight: Tensor) -> Tensor:
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


def as_tensors(x: Any, dtype: str) -> Any:
    """`x` cast to `dtype`; a structure of tensors leaf by leaf, numbers in lists as one tensor."""
    if isinstance(x, Tensor) and x.dtype == dtype:
        return x
    if isinstance(x, (dict, list, tuple)) and any(hasattr(y, "dtype") for y in tree.flatten(x)):
        return tree.map_structure(lambda leaf: as_tensors(leaf, dtype), x)
    return K.cast(K.convert_to_tensor(x), dtype)


def beside(x: Any, reference: Any, dtype: str) -> Any:
    """`x` as tensors of `dtype`, on the backend on which `reference` lives."""
    reference = tree.flatten(reference)[0]
    return tree.map_structure(lambda leaf: move(leaf, reference), as_tensors(x, dtype))


def like(x: Any, reference: Tensor) -> Tensor:
    """`x` as a tensor of the dtype of `reference`, on its backend."""
    x = move(K.convert_to_tensor(x), reference)
    return x if x.dtype == reference.dtype else K.cast(x, reference.dtype)


def move(x: Tensor, reference: Tensor) -> Tensor:
    if type(x.array) is type(reference.array):
        return x
    return Tensor(backend_of(reference.array).asarray(x.array))


def pair(loss: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Targets and predictions as tensors of one dtype, backend and rank. ValueError otherwise."""
    y_pred = K.convert_to_tensor(y_pred)
    y_true = like(y_true, y_pred)
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
