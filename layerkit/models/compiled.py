"""What `compile` was given, made ready: the loss, and the metrics updated together."""

from __future__ import annotations

from typing import Any

from layerkit.backend import tree

from .. import losses
from .. import metrics as metrics_module
from ..losses import Loss, LossFunctionWrapper
from ..metrics import Metric


def compiled_loss(identifier: Any) -> Any:
    """The loss that `compile` was given, as a Loss; None for None.

    'crossentropy' becomes the one that fits the shapes of the first batch.
    """
    if identifier in ("crossentropy", "ce") if isinstance(identifier, str) else False:
        return _CrossentropyByShape()
    loss = losses.get(identifier)
    if loss is None or isinstance(loss, Loss):
        return loss
    return LossFunctionWrapper(loss, name=getattr(loss, "__name__", None))


def only_leaf(data: Any) -> Any:
    """The one tensor in a list or a dict; others as they are. NotImplementedError for several."""
    leaves = tree.flatten(data)
    if len(leaves) > 1:
        raise NotImplementedError(
            f"A compiled loss or metric is for one output; received {len(leaves)} tensors of "
            "targets or outputs: override `compute_loss` and `compute_metrics` to combine them."
        )
    return leaves[0]


class _CrossentropyByShape:
    """Binary, categorical or sparse categorical cross-entropy, as targets and outputs say."""

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        kind = metrics_module.accuracy_metric_for(y_true.shape, y_pred.shape).__name__
        loss = getattr(losses, kind.replace("Accuracy", "Crossentropy"))
        return loss()(y_true, y_pred, sample_weight)


class CompiledMetrics:
    """Metrics and weighted metrics of one output. ValueError unless each is a list or tuple."""

    def __init__(self, metrics: Any, weighted_metrics: Any):
        self._given = [
            (identifier, weighted)
            for weighted, group in ((False, metrics), (True, weighted_metrics))
            for identifier in _as_list("weighted_metrics" if weighted else "metrics", group)
        ]
        for identifier, _ in self._given:
            if not _is_accuracy(identifier):
                metrics_module.get(identifier)  # a wrong name is told at compile time
        self._built: list[tuple[Metric, bool]] | None = None

    @property
    def metrics(self) -> list[Metric]:
        return [metric for metric, _ in self._built or ()]

    def build(self, y: Any, y_pred: Any) -> None:
        """Make the metrics; 'accuracy' becomes the one that fits the shapes."""
        if self._built is not None:
            return
        self._built = []
        names: set[str] = set()
        for identifier, weighted in self._given:
            metric = _resolve(identifier, only_leaf(y), only_leaf(y_pred))
            metric.name = _unique(metric.name, names, weighted)
            names.add(metric.name)
            self._built.append((metric, weighted))

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if not self._given:
            return
        y, y_pred, sample_weight = map(only_leaf, (y, y_pred, sample_weight))
        self.build(y, y_pred)
        assert self._built is not None
        for metric, weighted in self._built:
            if weighted:
                metric.update_state(y, y_pred, sample_weight=sample_weight)
            else:
                metric.update_state(y, y_pred)


def _as_list(name: str, group: Any) -> list:
    if group is None:
        return []
    if isinstance(group, (str, Metric)) or not isinstance(group, (list, tuple)):
        remedy = (
            "Metrics by output come with models of several outputs, which are not available yet."
            if isinstance(group, dict)
            else f"Write {name}=[{group!r}]."
        )
        raise ValueError(
            f"Expected `{name}` argument to be a list or a tuple. Received instead: "
            f"{name}={group} of type {type(group)}. {remedy}"
        )
    return list(group)


def _is_accuracy(identifier: Any) -> bool:
    return identifier in ("accuracy", "acc") if isinstance(identifier, str) else False


def _resolve(identifier: Any, y: Any, y_pred: Any) -> Metric:
    if _is_accuracy(identifier):
        kind: Any = metrics_module.accuracy_metric_for(y.shape, y_pred.shape)
        return kind(name=identifier)
    metric = metrics_module.get(identifier)
    if isinstance(metric, Metric):
        if isinstance(identifier, str):
            metric.name = identifier
        return metric
    name = getattr(metric, "__name__", None) or getattr(metric, "name", type(metric).__name__)
    return metrics_module.MeanMetricWrapper(metric, name="lambda" if name == "<lambda>" else name)


def _unique(name: str, taken: set[str], weighted: bool) -> str:
    if name not in taken:
        return name
    if weighted and f"weighted_{name}" not in taken:
        return f"weighted_{name}"
    index = 1
    while f"{name}_{index}" in taken:
        index += 1
    return f"{name}_{index}"
