"""Scores of whole models: F-scores for classes, R² for regressions."""

from __future__ import annotations

import warnings
from typing import Any

from layerkit.backend import Tensor, epsilon
from layerkit.backend.registry import namespace

from .metric import Metric, array, beside, same_rank, tensor


class FBetaScore(Metric):
    """(1 + beta²) precision recall / (beta² precision + recall), of each class or averaged.

    `average` is None (one score per class), 'micro' (all classes as one), 'macro' (their mean) or
    'weighted' (by how often each occurs). A class is predicted where y_pred is above `threshold`,
    or, without one, where it is the largest of its sample.
    """

    _direction = "up"
    _counts = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ):
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                "Invalid `average` argument value. Expected one of: "
                f"(None, 'micro', 'macro', 'weighted'). Received: average={average}"
            )
        if not isinstance(beta, float):
            raise ValueError(
                "Invalid `beta` argument value. It should be a Python float. "
                f"Received: beta={beta} of type '{type(beta)}'"
            )
        if beta <= 0.0:
            raise ValueError(
                f"Invalid `beta` argument value. It should be > 0. Received: beta={beta}"
            )
        if threshold is not None and not isinstance(threshold, float):
            raise ValueError(
                "Invalid `threshold` argument value. It should be a Python float. "
                f"Received: threshold={threshold} of type '{type(threshold)}'"
            )
        if threshold is not None and not 0.0 < threshold <= 1.0:
            raise ValueError(
                "Invalid `threshold` argument value. It should verify 0 < threshold <= 1. "
                f"Received: threshold={threshold}"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """`y_true` of 0 and 1 and `y_pred`, both (batch, classes); `sample_weight` (batch,)."""
        y_pred = array(y_pred).astype(self.dtype, copy=False)
        y_true = beside(y_true, y_pred).astype(self.dtype, copy=False)
        _check_2d("FBetaScore", y_true, y_pred)
        if not self._built:
            for count in self._counts:
                shape = () if self.average == "micro" else y_pred.shape[1:]
                setattr(self, count, self.add_variable(shape, dtype=self.dtype, name=count))
            self._built = True
        if self.threshold is None:
            predicted = (y_pred >= y_pred.max(axis=-1, keepdims=True)) & (abs(y_pred) > 1e-9)
        else:
            predicted = y_pred > self.threshold
        weights = 1.0
        if sample_weight is not None:
            weights = beside(sample_weight, y_pred).astype(self.dtype, copy=False).reshape(-1, 1)
        values = (predicted * y_true, predicted * (1 - y_true), ~predicted * y_true, y_true)
        for count, value in zip(self._counts, values, strict=True):
            axis = None if self.average == "micro" else 0
            getattr(self, count).assign_add((value * weights).sum(axis=axis))

    def result(self) -> Tensor:
        tp, fp, fn, occurrences = (getattr(self, count).array for count in self._counts)
        precision = tp / (tp + fp + epsilon())
        recall = tp / (tp + fn + epsilon())
        mean = precision * recall / (self.beta**2 * precision + recall + epsilon())
        score = mean * (1 + self.beta**2)
        if self.average == "weighted":
            score = (score * occurrences / (occurrences.sum() + epsilon())).sum()
        elif self.average is not None:
            score = score.mean()
        return tensor(score)


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall), of each class or averaged; see FBetaScore."""

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ):
        super().__init__(average, 1.0, threshold, name, dtype)


class R2Score(Metric):
    """1 - sum((y_true - y_pred)²) / sum((y_true - mean)²): 1 is perfect, 0 no better than the mean.

    `class_aggregation` is 'uniform_average', 'variance_weighted_average' or None (one score per
    output); `num_regressors` adjusts for the number of independent variables.
    """

    _direction = "up"
    _sums = ("squared_sum", "sum", "total_mse", "count")

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ):
        super().__init__(dtype, name)
        allowed = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in allowed:
            raise ValueError(
                "Invalid value for argument `class_aggregation`. Expected one of "
                f"{allowed}. Received: class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ValueError(
                "Invalid value for argument `num_regressors`. Expected a value >= 0. "
                f"Received: num_regressors={num_regressors}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable(name="num_samples")
        self._built = False

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """`y_true` and `y_pred` (batch, outputs); `sample_weight` (batch,) or of their shape."""
        y_pred = array(y_pred).astype(self.dtype, copy=False)
        y_true, y_pred = same_rank(beside(y_true, y_pred).astype(self.dtype, copy=False), y_pred)
        _check_2d("R2Score", y_true, y_pred)
        if not self._built:
            for name in self._sums:
                setattr(self, name, self.add_variable(y_pred.shape[1:], name=name))
            self._built = True
        xp = namespace(y_pred)
        weights = xp.ones((1, 1), self.dtype)
        if sample_weight is not None:
            weights = beside(sample_weight, y_pred).astype(self.dtype, copy=False)
            weights = weights[:, None] if weights.ndim == 1 else weights
        weights = xp.broadcast_to(weights, y_true.shape)
        error = (y_true - y_pred) ** 2
        values = (y_true * y_true * weights, y_true * weights, error * weights, weights)
        for name, value in zip(self._sums, values, strict=True):
            getattr(self, name).assign_add(value.sum(axis=0))
        self.num_samples.assign_add(y_true.size)

    def result(self) -> Tensor:
        squares, sums, errors, count = (getattr(self, name).array for name in self._sums)
        xp = namespace(sums)
        total = squares - sums * sums / count
        flat = total == 0  # targets that do not vary have no R²; Keras gives 0
        scores = xp.where(flat, 0.0, 1.0 - errors / xp.where(flat, 1.0, total))
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (total * scores).sum() / total.sum()
        return tensor(self._adjusted(scores))

    def _adjusted(self, scores: Any) -> Any:
        if not self.num_regressors:
            return scores
        freedom = float(self.num_samples) - self.num_regressors - 1
        if freedom <= 0:
            warnings.warn(
                (
                    "More independent predictors than datapoints in adjusted R2 score."
                    if freedom < 0
                    else "Division by zero in Adjusted R2 score."
                )
                + " Falling back to standard R2 score.",
                stacklevel=3,
            )
            return scores
        return 1.0 - (1.0 - scores) * (freedom + self.num_regressors) / freedom


def _check_2d(metric: str, y_true: Any, y_pred: Any) -> None:
    if y_true.ndim != 2 or y_pred.ndim != 2:
        raise ValueError(
            f"{metric} expects 2D inputs with shape (batch_size, output_dim). Received input "
            f"shapes: y_pred.shape={tuple(y_pred.shape)} and y_true.shape={tuple(y_true.shape)}."
        )
