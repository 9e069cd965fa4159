"""Losses as metrics: means over samples of regression errors, hinges and crossentropies."""

from __future__ import annotations

from typing import Any

from layerkit.backend import Tensor

from .. import losses
from ..masks import mask_of
from .metric import FunctionMean, Mean, MeanMetricWrapper, array, beside, same_rank, tensor


class MeanSquaredError(FunctionMean):
    """The mean of `losses.mean_squared_error`."""

    function = staticmethod(losses.mean_squared_error)


class MeanAbsoluteError(FunctionMean):
    """The mean of `losses.mean_absolute_error`."""

    function = staticmethod(losses.mean_absolute_error)


class MeanAbsolutePercentageError(FunctionMean):
    """The mean of `losses.mean_absolute_percentage_error`."""

    function = staticmethod(losses.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FunctionMean):
    """The mean of `losses.mean_squared_logarithmic_error`."""

    function = staticmethod(losses.mean_squared_logarithmic_error)


class RootMeanSquaredError(Mean):
    """The square root of the mean of squared errors."""

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None):
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take in a batch; `sample_weight` has y_true's shape, or fewer axes, as (batch,)."""
        y_pred = array(y_pred).astype(self.dtype, copy=False)
        y_true = beside(y_true, y_pred).astype(self.dtype, copy=False)
        y_true, y_pred = same_rank(y_true, y_pred)
        super().update_state((y_pred - y_true) ** 2, sample_weight)

    def result(self) -> Tensor:
        return tensor(super().result().array ** 0.5)


class LogCoshError(FunctionMean):
    """The mean of `losses.log_cosh`."""

    function = staticmethod(losses.log_cosh)

    def __init__(self, name: str | None = "logcosh", dtype: Any = None):
        super().__init__(name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between y_true and y_pred along `axis`: 1 for equal directions.

    The loss of the same name is minus this.
    """

    _direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1):
        super().__init__(_cosine, name, dtype, axis=axis)
        self.axis = axis


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    return -losses.cosine_similarity(y_true, y_pred, axis)


class Hinge(FunctionMean):
    """The mean of `losses.hinge`."""

    function = staticmethod(losses.hinge)


class SquaredHinge(FunctionMean):
    """The mean of `losses.squared_hinge`."""

    function = staticmethod(losses.squared_hinge)


class CategoricalHinge(FunctionMean):
    """The mean of `losses.categorical_hinge`."""

    function = staticmethod(losses.categorical_hinge)


class KLDivergence(FunctionMean):
    """The mean of `losses.kl_divergence`."""

    function = staticmethod(losses.kl_divergence)


class Poisson(FunctionMean):
    """The mean of `losses.poisson`."""

    function = staticmethod(losses.poisson)


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of `losses.binary_crossentropy`."""

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        super().__init__(
            losses.binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.categorical_crossentropy`."""

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.sparse_categorical_crossentropy`.

    As in Keras, a label that is ignored counts as a sample with value 0 unless there are weights.
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> None:
        if self.ignore_class is not None and sample_weight is not None:
            valid = array(y_true) != self.ignore_class
            mask = mask_of(y_pred) if mask is None else mask
            mask = valid if mask is None else valid & beside(mask, valid)
        super().update_state(y_true, y_pred, sample_weight, mask)
