"""What `compile` was given, made ready: the losses and the metrics of each output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from layerkit.backend import Tensor, Variable, tree
from layerkit.backend.recording import effect

from .. import losses
from .. import metrics as metrics_module
from ..losses import Loss, LossFunctionWrapper
from ..metrics import Mean, Metric
from .outputs import Mismatch, Outputs, is_config, leaves_of, map_leaves


class CompiledLoss:
    """The sum of the losses of all outputs, each times its weight.

    `loss`: one for every output, or a list, tuple or dict of them, None for an output without;
    `loss_weights`: likewise, numbers. ValueError for a name that is none, and, with the first data,
    where they do not match the outputs.
    """

    def __init__(self, loss: Any, loss_weights: Any, output_names: Sequence[str] | None):
        if loss_weights is not None and not isinstance(
            loss_weights, (int, float, list, tuple, dict)
        ):
            raise ValueError(
                "Expected `loss_weights` argument to be a float (single output case) or a list, "
                "tuple, or dict (multiple output case). Received instead: "
                f"loss_weights={loss_weights} of type {type(loss_weights)}"
            )
        if not all(isinstance(weight, (int, float)) for weight in leaves_of(loss_weights)):
            raise ValueError(
                f"`loss_weights` must be numbers. Received: loss_weights={loss_weights}. (Metrics "
                "come after them: write metrics=[...].)"
            )
        self._given, self._weights = loss, loss_weights
        self._names = output_names
        self._by_output = map_leaves(_Named, loss)
        self._outputs: Outputs | None = None
        self._terms: list[_Term] = []
        self._reported: list[_Term] = []

    @property
    def losses(self) -> list[Any]:
        """All losses."""
        return [named.loss for named in leaves_of(self._by_output)]

    @property
    def metrics(self) -> list[Metric]:
        """The running means of the losses, without their weights, where there are several.

        In the order of the outputs; of a dict of outputs in that of a dict `loss`, as in Keras.
        """
        return [term.tracker for term in self._reported] if len(self._terms) > 1 else []

    def build(self, y_pred: Any) -> None:
        """Match losses and weights to the outputs."""
        if self._outputs is not None:
            return
        outputs = Outputs(y_pred, self._names)
        for_all = isinstance(self._by_output, _Named)
        named = [self._by_output] * outputs.count if for_all else self._spread_losses(outputs)
        weights = self._spread_weights(outputs, named)
        self._terms = [
            _Term(index, loss.loss, weight, _tracker(outputs.name_of_loss(index, loss.name)))
            for index, (loss, weight) in enumerate(zip(named, weights, strict=True))
            if loss is not None
        ]
        self._outputs = outputs
        self._reported = self._terms
        if isinstance(y_pred, dict) and isinstance(self._given, dict):
            places = list(self._given)
            self._reported = sorted(
                self._terms, key=lambda term: places.index(outputs.paths[term.output][0])
            )

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Tensor | None:
        """The total; None where no output has a loss. `sample_weight`: one, or one by output."""
        self.build(y_pred)
        targets, predictions = self._targets(y), tree.flatten(y_pred)
        weights = self._sample_weights(sample_weight)
        total, values = None, []
        for index, loss, weight, _ in self._terms:
            if targets[index] is None:
                raise ValueError(
                    f"The loss of output {self._describe(index)} needs targets: give them in `y`, "
                    "or None as its loss in `compile()`."
                )
            try:
                value = loss(targets[index], predictions[index], weights[index])
            except ValueError as error:
                if len(predictions) == 1:
                    raise
                raise ValueError(f"{error} (Output {self._describe(index)}.)") from error
            values.append(value)
            value = value if weight is None else value * weight
            total = value if total is None else total + value
        self._track(values, predictions)
        return total

    def _track(self, values: list, predictions: list) -> None:
        if len(self._terms) < 2:
            return
        trackers = [term.tracker for term in self._terms]
        rows = [predictions[term.output].shape[0] for term in self._terms]

        def update(*arrays: Any) -> None:
            for tracker, array, count in zip(trackers, arrays, rows, strict=True):
                tracker.update_state(Tensor(array), sample_weight=count)

        effect(update, *values)

    def _spread_losses(self, outputs: Outputs) -> list:
        try:
            return outputs.spread(self._by_output)
        except Mismatch as error:
            given = self._given
            if isinstance(given, dict) and outputs.names is not None:
                begin = f"Expected keys {outputs.names} in loss dict, but found loss.keys()="
                begin += f"{list(given)}"
            else:
                begin = f"The path: {error.path} in the `loss` argument, can't be found in the "
                begin += "model's output (`y_pred`)"
            raise ValueError(
                f"{begin}: {error}. Give a loss for each output, or None; the outputs are "
                f"{outputs.outline()}."
            ) from error

    def _spread_weights(self, outputs: Outputs, named: list) -> list:
        given = self._weights
        if given is None:
            return [None] * outputs.count
        for_all = isinstance(given, (int, float)) and isinstance(self._by_output, _Named)
        try:
            weights = [given] * outputs.count if for_all else outputs.spread(given)
            missing = [i for i, loss in enumerate(named) if loss is not None and weights[i] is None]
            if missing:
                raise Mismatch(f"output {self._describe(missing[0], outputs)} has none")
        except Mismatch as error:
            count = len(given) if isinstance(given, (list, tuple, dict)) else 1
            raise ValueError(
                f"`loss_weights` must match the number of losses, got "
                f"{sum(loss is not None for loss in named)} losses and {count} weights: {error}."
            ) from error
        return weights

    def _targets(self, y: Any) -> list:
        outputs = self._outputs
        assert outputs is not None
        try:
            return outputs.spread(y)
        except Mismatch as error:
            leaves = tree.flatten(y)
            if len(leaves) == len(self._terms) < outputs.count:  # of the outputs with a loss
                targets: list = [None] * outputs.count
                for term, leaf in zip(self._terms, leaves, strict=True):
                    targets[term.output] = leaf
                return targets
            raise _different_structures("y_true", y, outputs, error) from error

    def _sample_weights(self, sample_weight: Any) -> list:
        outputs = self._outputs
        assert outputs is not None
        if not isinstance(sample_weight, (list, tuple, dict)):
            return [sample_weight] * outputs.count
        try:
            return outputs.spread(sample_weight)
        except Mismatch as error:
            raise _different_structures("sample_weight", sample_weight, outputs, error) from error

    def _describe(self, index: int, outputs: Outputs | None = None) -> str:
        outputs = outputs or self._outputs
        assert outputs is not None
        name = outputs.prefixes[index]
        return str(index) if name is None else f"'{name}'"


class _Named:
    """A loss as a Loss, and the name under which it is reported."""

    def __init__(self, identifier: Any):
        self.loss = _as_loss(identifier)
        self.name = identifier if isinstance(identifier, str) else self.loss.name


class _Term(NamedTuple):
    """The loss of one output."""

    output: int
    loss: Any
    weight: float | None
    tracker: Mean  # of the loss without its weight


class _CrossentropyByShape:
    """Binary, categorical or sparse categorical cross-entropy, as targets and outputs say."""

    name = "crossentropy"

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        kind = metrics_module.accuracy_metric_for(y_true.shape, y_pred.shape).__name__
        loss = getattr(losses, kind.replace("Accuracy", "Crossentropy"))
        return loss()(y_true, y_pred, sample_weight)


class CompiledMetrics:
    """Metrics and weighted metrics of all outputs, updated and reported together.

    Each a list of metrics (of one output), or a list, tuple or dict of lists by output; single ones
    need no list there. ValueError for a name that is none, and, with the first data, where they do
    not match the outputs.
    """

    name = "compile_metrics"

    def __init__(self, metrics: Any, weighted_metrics: Any, output_names: Sequence[str] | None):
        self._given = {"metrics": metrics, "weighted_metrics": weighted_metrics}
        self._names = output_names
        for argument, group in self._given.items():
            _check_group(argument, group)
            for identifier in leaves_of(group):
                if not _is_accuracy(identifier):
                    metrics_module.get(identifier)  # a wrong name is told at compile time
        self._any = any(leaves_of(group) for group in self._given.values())
        self._outputs: Outputs | None = None
        self._built: list[tuple[int, Metric, bool]] = []  # output, metric, weighted
        self.by_name: dict[str, Metric] = {}  # as they are reported

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self._any

    @property
    def metrics(self) -> list[Metric]:
        """All of them, once they are built."""
        return list(self.by_name.values())

    @property
    def variables(self) -> list[Variable]:
        return [variable for metric in self.metrics for variable in metric.variables]

    def build(self, y: Any, y_pred: Any) -> None:
        """Make the metrics; 'accuracy' becomes the one that fits the shapes."""
        if self._outputs is not None or not self:
            return
        outputs = Outputs(y_pred, self._names)
        targets, predictions = self._targets(outputs, y), tree.flatten(y_pred)
        built: list[tuple[int, Metric, bool]] = []
        by_name: dict[str, Metric] = {}
        for argument, group in self._given.items():
            weighted = argument == "weighted_metrics"
            for index, identifiers in enumerate(_by_output(argument, group, outputs)):
                for identifier in identifiers:
                    if targets[index] is None:
                        raise ValueError(
                            f"The metrics of output {outputs.prefixes[index] or index} need "
                            f"targets: give them in `y`. Received: {argument}={group}"
                        )
                    metric = _resolve(identifier, targets[index], predictions[index])
                    name = _unique(metric.name, outputs.prefixes[index], by_name, weighted)
                    by_name[name] = metric
                    built.append((index, metric, weighted))
        self._outputs, self._built, self.by_name = outputs, built, by_name

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if not self:
            return
        self.build(y, y_pred)
        assert self._outputs is not None
        targets, predictions = self._targets(self._outputs, y), tree.flatten(y_pred)
        weights = [sample_weight] * len(predictions)
        if isinstance(sample_weight, (list, tuple, dict)):
            weights = self._outputs.spread(sample_weight)
        for index, metric, weighted in self._built:
            if weighted:
                metric.update_state(
                    targets[index], predictions[index], sample_weight=weights[index]
                )
            else:
                metric.update_state(targets[index], predictions[index])

    def reset_state(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def running_values(self) -> dict[str, Any]:
        """The state of each metric, for a file."""
        return {name: metric.running_values() for name, metric in self.by_name.items()}

    def set_running_values(self, values: dict[str, Any]) -> None:
        """Go on with what `running_values` gave. ValueError for other metrics."""
        if list(values) != list(self.by_name):
            raise ValueError(
                f"The saved state is of the metrics {list(values)}; the model was compiled with "
                f"{list(self.by_name)}. Compile it with the same metrics."
            )
        for name, metric in self.by_name.items():
            metric.set_running_values(values[name])

    def result(self) -> dict[str, Any]:
        """The running value of each metric, by the name under which it is reported."""
        return {name: metric.result() for name, metric in self.by_name.items()}

    def _targets(self, outputs: Outputs, y: Any) -> list:
        try:
            return outputs.spread(y)
        except Mismatch as error:
            raise _different_structures("y_true", y, outputs, error) from error


def _tracker(name: str) -> Mean:
    tracker = Mean(name=f"{name}_loss")
    tracker._direction = "down"
    return tracker


def _as_loss(identifier: Any) -> Any:
    """A loss as a Loss; 'crossentropy' becomes the one that fits the shapes of the data."""
    if isinstance(identifier, str) and identifier in ("crossentropy", "ce"):
        return _CrossentropyByShape()
    loss = losses.get(identifier)
    if isinstance(loss, Loss):
        return loss
    return LossFunctionWrapper(loss, name=getattr(loss, "__name__", None))


def _different_structures(name: str, data: Any, outputs: Outputs, error: Mismatch) -> ValueError:
    outline = tree.map_structure(lambda _: "*", data)
    return ValueError(
        f"{name} and y_pred have different structures.\n{name}: {outline}\n"
        f"y_pred: {outputs.outline()}\n({error}.) Give one for each of the outputs"
        f"{f' {outputs.names}' if outputs.names else ''}."
    )


def _check_group(argument: str, group: Any) -> None:
    if group is not None and (not isinstance(group, (list, tuple, dict)) or is_config(group)):
        raise ValueError(
            f"Expected `{argument}` argument to be a list, tuple, or dict. Received instead: "
            f"{argument}={group} of type {type(group)}. Write {argument}=[{group!r}]."
        )


def _by_output(argument: str, group: Any, outputs: Outputs) -> list[list]:
    """A list of metrics for each output."""
    if not group:
        return [[] for _ in outputs.paths]
    try:
        if outputs.count == 1:
            outputs.check_keys(group)
            return [leaves_of(group)]
        return [leaves_of(metrics) for metrics in outputs.spread(group)]
    except Mismatch as error:
        names = outputs.names
        by_name = f"the output names of the functional model {names} or " if names else ""
        raise ValueError(
            f"Invalid `{argument}`. `{argument}` should contain metrics objects and either be a "
            f"dict or a list matching {by_name}the output structure of the model: "
            f"{outputs.outline()}.\nReceived: {argument}={group}\n({error}.)"
        ) from error


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


def _unique(name: str, prefix: str | None, taken: Any, weighted: bool) -> str:
    """The name under which a metric is reported: like no other."""

    def prefixed(name: str) -> str:
        return name if prefix is None else f"{prefix}_{name}"

    if prefixed(name) not in taken:
        return prefixed(name)
    name = prefixed(f"weighted_{name}" if weighted else name)
    if name not in taken:
        return name
    index = 1
    while f"{name}_{index}" in taken:
        index += 1
    return f"{name}_{index}"
