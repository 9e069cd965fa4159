"""Accuracies: the share of predictions that are right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit.backend import Tensor, floatx
from layerkit.backend.registry import namespace

from ..configurable import register_functions
from .metric import FunctionMean, MeanMetricWrapper, array, beside, same_rank, tensor


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where y_true equals y_pred, 0 elsewhere; of their shape."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _as_floats(y_true == y_pred)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """1 where y_true equals y_pred > threshold, 0 elsewhere; of their shape."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _as_floats(y_true == (y_pred > threshold))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest of y_true and of y_pred on the last axis stand at the same place.

    Both (..., classes), the result (...).
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return _as_floats(y_true.argmax(axis=-1) == y_pred.argmax(axis=-1))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest of y_pred on the last axis stands at the place y_true.

    y_true (...) or (..., 1), y_pred (..., classes), the result (...).
    """
    y_pred = array(y_pred)
    return _as_floats(_labels(y_true, y_pred) == y_pred.argmax(axis=-1))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """1 where the class of y_true is among the k that y_pred scores best.

    Both (..., classes), the result (...).
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return _as_floats(_in_top_k(y_true.argmax(axis=-1), y_pred, k))


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """1 where y_true is among the k classes that y_pred scores best.

    y_true (...) or (..., 1), y_pred (..., classes), the result (...). With `from_sorted_ids`
    y_pred holds the numbers of classes, best first.
    """
    y_pred = array(y_pred)
    y_true = _labels(y_true, y_pred)
    if from_sorted_ids:
        return _as_floats((y_true[..., None] == y_pred[..., :k]).any(axis=-1))
    return _as_floats(_in_top_k(y_true.astype("int32", copy=False), y_pred, k))


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = array(y_pred)
    y_true, y_pred = same_rank(beside(y_true, y_pred), y_pred)
    pairs = zip(reversed(y_true.shape), reversed(y_pred.shape), strict=False)
    if any(n != m and 1 not in (n, m) for n, m in pairs):
        raise ValueError(
            "This accuracy expects `y_true` and `y_pred` of one shape; received "
            f"y_true.shape={tuple(y_true.shape)} and y_pred.shape={tuple(y_pred.shape)}. For "
            "integer labels beside scores of all classes use SparseCategoricalAccuracy."
        )
    return y_true, y_pred


def _labels(y_true: Any, y_pred: Any) -> Any:
    """Labels of the shape of y_pred without its last axis."""
    y_true = beside(y_true, y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    if y_true.shape != y_pred.shape[:-1]:
        raise ValueError(
            "Sparse accuracies expect one integer label in `y_true` where `y_pred` has the scores "
            f"of all classes on its last axis; received y_true.shape={tuple(y_true.shape)} and "
            f"y_pred.shape={tuple(y_pred.shape)}. For one-hot targets use the accuracy without "
            "'sparse' in its name."
        )
    return y_true


def _in_top_k(labels: Any, scores: Any, k: int) -> Any:
    """Whether fewer than k classes score better than the label's."""
    own = namespace(scores).take_along_axis(scores, labels[..., None], axis=-1)
    return (scores > own).sum(axis=-1) < k


def _as_floats(matches: Any) -> Tensor:
    return tensor(matches.astype(floatx()))


FUNCTIONS = {
    function.__name__: function
    for function in (
        accuracy,
        binary_accuracy,
        categorical_accuracy,
        sparse_categorical_accuracy,
        top_k_categorical_accuracy,
        sparse_top_k_categorical_accuracy,
    )
}
register_functions(*FUNCTIONS.values())


class Accuracy(FunctionMean):
    """How often y_true equals y_pred."""

    _direction = "up"
    function = staticmethod(accuracy)


class BinaryAccuracy(MeanMetricWrapper):
    """How often y_true (0 or 1) equals y_pred > threshold."""

    _direction = "up"

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(FunctionMean):
    """How often the class of y_true (one-hot) is the one that y_pred scores best."""

    _direction = "up"
    function = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(FunctionMean):
    """How often y_true (a class's number) is the class that y_pred scores best."""

    _direction = "up"
    function = staticmethod(sparse_categorical_accuracy)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of y_true (one-hot) is among the k that y_pred scores best."""

    _direction = "up"

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often y_true (a class's number) is among the k that y_pred scores best."""

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        self.k = k
        self.from_sorted_ids = from_sorted_ids


def accuracy_metric_for(
    y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]
) -> type[MeanMetricWrapper]:
    """The class that 'accuracy' means for targets and predictions of these shapes."""
    if y_pred_shape[-1] == 1:
        return BinaryAccuracy
    one_label = y_true_shape[-1:] == (1,) or list(y_true_shape[-1:]) == [1]
    if len(y_true_shape) < len(y_pred_shape) or one_label:
        return SparseCategoricalAccuracy
    return CategoricalAccuracy
