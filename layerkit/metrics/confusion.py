"""Metrics from the confusion of positives and negatives, at one threshold or at many.

The counts at all thresholds come from one histogram: a prediction falls into the bucket of the
number of thresholds below it, and is positive for exactly those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.allowance import spend_list
from layerkit.backend.registry import backend_of, namespace

from .metric import Metric, array, beside, divide_no_nan, same_rank, tensor

_NEVER = -1e10  # a score below every threshold


class _Confusion(Metric):
    """Base: weighted counts of the confusion at each threshold; `kept` says which are needed."""

    kept: ClassVar[tuple[str, ...]]

    def __init__(self, thresholds: Any, name: str | None = None, dtype: Any = None):
        super().__init__(dtype, name)
        self.thresholds = thresholds
        self._add_counts((len(thresholds),))

    def _add_counts(self, shape: Sequence[int]) -> None:
        for count in self.kept:
            setattr(self, count, self.add_variable(shape, name=count))

    def _add(self, y_true: Any, y_pred: Any, weights: Any, per_label: bool = False) -> None:
        counts = _confusion(y_true, y_pred, self.thresholds, weights, per_label)
        for count in self.kept:
            getattr(self, count).assign_add(counts[count])

    def _count(self, name: str) -> Any:
        return getattr(self, name).array

    def _rate(self, part: str, rest: str) -> Any:
        """part / (part + rest), 0 where there is neither."""
        return divide_no_nan(self._count(part), self._count(part) + self._count(rest))


class _AtThresholds(_Confusion):
    """Base of the metrics whose user gives the thresholds: a number, a list, 0.5 for None."""

    def __init__(self, thresholds: Any, default: float, name: str | None, dtype: Any):
        self._given = thresholds
        thresholds = [default] if thresholds is None else np.ravel(thresholds).tolist()
        invalid = [t for t in thresholds if t != default and not (t is not None and 0 <= t <= 1)]
        if invalid:
            raise ValueError(f"Threshold values must be in [0, 1]. Received: {invalid}")
        super().__init__(thresholds, name, dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self._given}

    def _one_or_all(self, values: Any) -> Tensor:
        return tensor(values[0] if len(self.thresholds) == 1 else values.copy())


class _Count(_AtThresholds):
    """Base of the four counts, each the one count that it keeps."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(thresholds, 0.5, name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """`y_true` of 0 and 1, `y_pred` from 0 to 1, of one shape."""
        self._add(*_prepare(y_true, y_pred, sample_weight))

    def result(self) -> Tensor:
        return self._one_or_all(self._count(self.kept[0]))


class TruePositives(_Count):
    """How many samples with y_true 1 have y_pred above the threshold."""

    kept = ("true_positives",)


class TrueNegatives(_Count):
    """How many samples with y_true 0 have y_pred not above the threshold."""

    kept = ("true_negatives",)


class FalsePositives(_Count):
    """How many samples with y_true 0 have y_pred above the threshold."""

    kept = ("false_positives",)


class FalseNegatives(_Count):
    """How many samples with y_true 1 have y_pred not above the threshold."""

    kept = ("false_negatives",)


class _Share(_AtThresholds):
    """Base of precision and recall: the share of true positives in the counts that it keeps.

    With `top_k` a prediction is positive if it is among the k best of its sample; `class_id`
    looks at one class only.
    """

    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(thresholds, 0.5 if top_k is None else _NEVER, name, dtype)
        self.top_k = top_k
        self.class_id = class_id

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """`y_true` of 0 and 1, `y_pred` from 0 to 1, of one shape."""
        self._add(*_prepare(y_true, y_pred, sample_weight, self.top_k, self.class_id))

    def result(self) -> Tensor:
        return self._one_or_all(self._rate(*self.kept))


class Precision(_Share):
    """Which share of what is predicted positive is positive: TP / (TP + FP)."""

    kept = ("true_positives", "false_positives")


class Recall(_Share):
    """Which share of what is positive is predicted positive: TP / (TP + FN)."""

    kept = ("true_positives", "false_negatives")


class _BestUnderConstraint(_Confusion):
    """Base: the best of one rate over the thresholds at which another is at least `value`."""

    kept = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    _direction = "up"
    _constrained: ClassVar[tuple[str, str]]
    _best: ClassVar[tuple[str, str]]

    def __init__(
        self,
        what: str,
        value: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: Any,
    ):
        if not 0 <= value <= 1:
            raise ValueError(
                f"Argument `{what}` must be in the range [0, 1]. Received: {what}={value}"
            )
        if num_thresholds <= 0:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 0. "
                f"Received: num_thresholds={num_thresholds}"
            )
        spend_list(num_thresholds, "num_thresholds")
        thresholds = np.linspace(0, 1, num_thresholds).tolist() if num_thresholds > 1 else [0.5]
        super().__init__(thresholds, name, dtype)
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = class_id

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """`y_true` of 0 and 1, `y_pred` from 0 to 1, of one shape."""
        self._add(*_prepare(y_true, y_pred, sample_weight, class_id=self.class_id))

    def result(self) -> Tensor:
        best = self._rate(*self._best)
        feasible = self._rate(*self._constrained) >= self.value
        return tensor(namespace(best).where(feasible, best, 0.0).max())


_SENSITIVITY = ("true_positives", "false_negatives")  # also called recall
_SPECIFICITY = ("true_negatives", "false_positives")
_PRECISION = ("true_positives", "false_positives")


class SensitivityAtSpecificity(_BestUnderConstraint):
    """The best sensitivity TP / (TP + FN) where specificity is at least `specificity`."""

    _best, _constrained = _SENSITIVITY, _SPECIFICITY

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__("specificity", specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity


class SpecificityAtSensitivity(_BestUnderConstraint):
    """The best specificity TN / (TN + FP) where sensitivity is at least `sensitivity`."""

    _best, _constrained = _SPECIFICITY, _SENSITIVITY

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__("sensitivity", sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity


class PrecisionAtRecall(_BestUnderConstraint):
    """The best precision TP / (TP + FP) where recall is at least `recall`."""

    _best, _constrained = _PRECISION, _SENSITIVITY

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__("recall", recall, num_thresholds, class_id, name, dtype)
        self.recall = recall


class RecallAtPrecision(_BestUnderConstraint):
    """The best recall TP / (TP + FN) where precision is at least `precision`."""

    _best, _constrained = _SENSITIVITY, _PRECISION

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__("precision", precision, num_thresholds, class_id, name, dtype)
        self.precision = precision


class AUC(_Confusion):
    """The area under the ROC curve, or under the curve of precision over recall (`curve='PR'`).

    The curve is known at `num_thresholds` thresholds (or at `thresholds` between 0 and 1), its
    area taken between them by `summation_method`: 'interpolation', 'minoring' or 'majoring'.
    With `multi_label` each label has its own curve and the areas are averaged, weighted by
    `label_weights`. 'PR' interpolates as Davis and Goadrich 2006,
    https://doi.org/10.1145/1143844.1143874; 'PRGAIN' is Flach and Kull 2015.
    """

    kept = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ):
        Metric.__init__(self, dtype, name)
        self.curve = _one_of("AUC curve", curve.upper(), ("PR", "ROC", "PRGAIN"))
        self.summation_method = _one_of(
            "AUC summation method",
            summation_method.lower(),
            ("interpolation", "majoring", "minoring"),
        )
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 1. "
                f"Received: num_thresholds={num_thresholds}"
            )
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        self._given = None if thresholds is None else sorted(thresholds)
        if thresholds is None:
            spend_list(num_thresholds, f"num_thresholds of {self.name}")
        inner = self._given or np.linspace(0, 1, num_thresholds)[1:-1].tolist()
        self.thresholds = [-K.epsilon(), *inner, 1.0 + K.epsilon()]
        self.num_thresholds = len(self.thresholds)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = (
            None if label_weights is None else np.asarray(label_weights, self.dtype)
        )
        self.from_logits = from_logits
        self._built = not multi_label or bool(num_labels)
        if self._built:
            self._add_counts([self.num_thresholds] + ([num_labels] if num_labels else []))

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "thresholds": self._given}
        if self.label_weights is not None:
            config["label_weights"] = self.label_weights.tolist()
        return config

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """`y_true` of 0 and 1, `y_pred` from 0 to 1 (any with `from_logits`), of one shape."""
        if self.from_logits:
            y_pred = K.sigmoid(array(y_pred))
        y_true, y_pred, weights = _prepare(y_true, y_pred, sample_weight)
        if not self._built:
            self._build(y_pred.shape)
        if self.label_weights is not None and not self.multi_label:
            weights = weights * backend_of(y_pred).constant(self.label_weights)
        self._add(y_true, y_pred.clip(0.0, 1.0), weights, per_label=self.multi_label)

    def _build(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2:
            raise ValueError(
                f"`y_pred` must have rank 2 when `multi_label=True`. Found rank {len(shape)}. "
                f"Full shape received for `y_pred`: {shape}"
            )
        self._add_counts((self.num_thresholds, shape[1]))
        self._built = True

    def result(self) -> Tensor:
        if not self._built:
            return tensor(np.zeros((), self.dtype))
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = self._interpolated_pr_areas()
        else:
            x, y = self._points()
            areas = (x[:-1] - x[1:]) * self._heights(y)
        by_label = areas.sum(axis=0)
        if not self.multi_label:
            return tensor(by_label)
        if self.label_weights is None:
            return tensor(by_label.mean())
        weights = backend_of(by_label).constant(self.label_weights)
        return tensor(divide_no_nan((by_label * weights).sum(), weights.sum()))

    def _points(self) -> tuple[Any, Any]:
        """The curve: x and y at each threshold, x falling."""
        recall = self._rate(*_SENSITIVITY)
        if self.curve == "ROC":
            return self._rate("false_positives", "true_negatives"), recall
        if self.curve == "PR":
            return recall, self._rate(*_PRECISION)
        return self._gains()

    def _gains(self) -> tuple[Any, Any]:
        tp, fp, tn, fn = (self._count(name) for name in self.kept)
        where = namespace(tp).where
        odds = divide_no_nan(tp + fn, tn + fp)
        recall_gain = where(tp == 0, 0.0, 1.0 - odds * divide_no_nan(fn, tp))
        precision_gain = where(tp == 0, 1.0, 1.0 - odds * divide_no_nan(fp, tp))
        return recall_gain.clip(0.0, None), precision_gain

    def _heights(self, y: Any) -> Any:
        """The heights between neighbouring points of the curve."""
        xp = namespace(y)
        if self.summation_method == "interpolation":
            return (y[:-1] + y[1:]) / 2.0
        return (xp.minimum if self.summation_method == "minoring" else xp.maximum)(y[:-1], y[1:])

    def _interpolated_pr_areas(self) -> Any:
        """Between two thresholds TP grows linearly in P = TP + FP: TP = a + b P.

        So precision a / P + b integrates over recall to b (ΔTP + a log(P₀ / P₁)) / (TP + FN).
        """
        tp, fp, _, fn = (self._count(name) for name in self.kept)
        xp = namespace(tp)
        p = tp + fp
        rise = tp[:-1] - tp[1:]
        b = divide_no_nan(rise, (p[:-1] - p[1:]).clip(0.0, None))
        a = tp[1:] - b * p[1:]
        both = (p[:-1] > 0) & (p[1:] > 0)
        ratio = xp.where(both, divide_no_nan(p[:-1], p[1:]), 1.0)
        ratio = xp.where(ratio > 0, ratio, 1.0)
        return divide_no_nan(b * (rise + a * xp.log(ratio)), tp[1:] + fn[1:])


# --- counting ----------------------------------------------------------------------------------


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        expected = ", ".join(f'"{name}"' for name in allowed)
        raise ValueError(f'Invalid {what} value: "{value}". Expected values are [{expected}]')
    return value


def _prepare(
    y_true: Any, y_pred: Any, weights: Any, top_k: int | None = None, class_id: int | None = None
) -> tuple[Any, Any, Any]:
    """Targets, predictions and weights as raw arrays of one shape."""
    y_pred = array(y_pred).astype(K.floatx(), copy=False)
    y_true = beside(y_true, y_pred)
    y_pred, y_true = same_rank(y_pred, y_true)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "Confusion metrics expect `y_true` and `y_pred` of one shape; received "
            f"y_true.shape={tuple(y_true.shape)} and y_pred.shape={tuple(y_pred.shape)}: make "
            "integer labels one-hot with layerkit.utils.to_categorical, or take one class's score."
        )
    xp = namespace(y_pred)
    if weights is None:
        weights = xp.ones((1,) * y_pred.ndim, y_pred.dtype)
    else:
        weights = beside(weights, y_pred).astype(y_pred.dtype, copy=False)[..., None]
        weights = same_rank(y_true, weights, expand_rank_1=False)[1]
    weights = xp.broadcast_to(weights, y_pred.shape)
    if top_k is not None:
        best = (-y_pred).argsort(axis=-1, kind="stable").argsort(axis=-1) < top_k
        y_pred = xp.where(best, y_pred, y_pred.dtype.type(_NEVER))
    if class_id is not None:
        if y_pred.ndim == 1:
            raise ValueError(
                "When class_id is provided, y_pred must be a 2D array with shape (num_samples, "
                f"num_classes), found shape: {tuple(y_pred.shape)}"
            )
        y_true, y_pred, weights = (x[..., class_id, None] for x in (y_true, y_pred, weights))
    return y_true, y_pred, weights


def _confusion(
    y_true: Any, y_pred: Any, thresholds: Sequence[float], weights: Any, per_label: bool
) -> dict[str, Any]:
    """The four weighted counts at each threshold: (thresholds,), or (thresholds, labels)."""
    xp = namespace(y_pred)
    limits = np.asarray(thresholds, y_pred.dtype)
    order = np.argsort(limits, kind="stable")
    labels = y_pred.shape[-1] if per_label else 1
    constant = backend_of(y_pred).constant
    bucket = xp.searchsorted(constant(limits[order]), y_pred.ravel())  # thresholds below
    cell = bucket * labels + xp.arange(y_pred.size) % labels if per_label else bucket

    def above(w: Any) -> Any:
        """The weight of all predictions, then of those above each threshold."""
        histogram = xp.zeros((len(limits) + 1) * labels, w.dtype)
        xp.add.at(histogram, cell, w.ravel())
        sums = histogram.reshape(-1, labels)[::-1].cumsum(axis=0)[::-1]
        return sums if per_label else sums[:, 0]

    is_positive = y_true.astype(bool)
    positive, negative = above(weights * is_positive), above(weights * ~is_positive)
    counts = {
        "true_positives": positive[1:],
        "false_positives": negative[1:],
        "true_negatives": negative[0] - negative[1:],
        "false_negatives": positive[0] - positive[1:],
    }
    rank = constant(np.argsort(order))
    return {name: count[rank] for name, count in counts.items()}
