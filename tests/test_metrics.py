"""Metrics: results over three batches as real Keras gives them, state, names, messages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tables import losses_metrics as rows

from layerkit import backend as K
from layerkit import losses, metrics

GOLDEN = np.load(Path(__file__).parent / "golden" / "losses_metrics.npz")
parametrize = pytest.mark.parametrize("row", rows.METRICS, ids=lambda row: rows.key(*row))


def make(row):
    name, options, _ = row
    return getattr(metrics, name)(**options)


def stream(metric, kind, weighted=False):
    for step in range(3):
        y_true, y_pred = rows.data(kind, step)
        metric.update_state(y_true, y_pred, rows.weights(step) if weighted else None)
    return metric.result()


@parametrize
@pytest.mark.parametrize("weighted", [False, True])
def test_three_batches_as_in_keras(row, weighted):
    key = rows.key("metric", *row, weighted)
    if weighted and not rows.takes_weights(*row):
        assert key not in GOLDEN
        return
    result = stream(make(row), row[2], weighted)
    assert isinstance(result, K.Tensor) and result.dtype == np.float32
    np.testing.assert_allclose(result, GOLDEN[key], rtol=2e-5, atol=1e-6)


@parametrize
def test_reset_state(row):
    metric = make(row)
    first = stream(metric, row[2]).numpy()
    metric.reset_state()
    assert all(not variable.numpy().any() for variable in metric.variables)
    np.testing.assert_array_equal(stream(metric, row[2]), first)


@parametrize
def test_stateless_as_stateful(row):
    metric = make(row)
    expected = stream(metric, row[2]).numpy()
    before = [variable.numpy() for variable in metric.variables]
    state = metric.stateless_reset_state()
    for step in range(3):
        state = metric.stateless_update_state(state, *rows.data(row[2], step))
    np.testing.assert_array_equal(metric.stateless_result(state), expected)
    for variable, old in zip(metric.variables, before, strict=True):
        np.testing.assert_array_equal(variable, old)


@parametrize
def test_config_round_trip(row):
    metric = make(row)
    config = metrics.serialize(metric)
    assert config["module"] == "keras.metrics" and config["class_name"] == row[0]
    again = metrics.deserialize(config)
    assert again.get_config() == metric.get_config()
    np.testing.assert_array_equal(stream(again, row[2]), stream(metric, row[2]))


def test_every_metric_has_a_row():
    classes = {
        name
        for name in metrics.__all__
        if isinstance(getattr(metrics, name), type)
        and issubclass(getattr(metrics, name), metrics.Metric)
    }
    plain = {"Metric", "Mean", "Sum", "MeanMetricWrapper"}
    assert classes - plain == {name for name, _, _ in rows.METRICS}


@pytest.mark.parametrize(
    "values, weights, total, mean",
    [
        (3.0, None, 3.0, 3.0),
        (3.0, 4.0, 12.0, 3.0),
        ([1.0, 3.0], None, 4.0, 2.0),
        ([1.0, 3.0], [1.0, 3.0], 10.0, 2.5),
        ([[1.0, 3.0], [5.0, 7.0]], None, 16.0, 4.0),
        ([[1.0, 3.0], [5.0, 7.0]], [0.0, 1.0], 12.0, 6.0),
        ([[1.0, 3.0], [5.0, 7.0]], [[0.0, 1.0], [1.0, 0.0]], 8.0, 4.0),
        ([1, 3], [[1], [0]], 1.0, 1.0),
    ],
)
def test_sum_and_mean(values, weights, total, mean):
    assert float(metrics.Sum()(values, weights)) == total
    assert float(metrics.Mean()(values, weights)) == mean


def test_mean_of_nothing():
    assert float(metrics.Mean().result()) == 0.0


def test_a_metric_of_ones_own():
    class Largest(metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.largest = self.add_weight(shape=(), initializer="zeros", name="largest")
            self.inner = metrics.Mean()

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.largest.assign(K.maximum(self.largest, K.max(y_pred)))
            self.inner.update_state(y_pred)

        def result(self):
            return self.largest + self.inner.result()

    metric = Largest()
    assert float(metric(None, np.array([1.0, 5.0]))) == 8.0
    assert [v.name for v in metric.variables] == ["largest", "total", "count"]
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_mean_metric_wrapper():
    def distance(y_true, y_pred, scale=1.0):
        return scale * K.abs(y_true - y_pred)

    metric = metrics.MeanMetricWrapper(distance, name="mine", scale=2.0)
    assert float(metric(np.zeros(4), np.full(4, 3.0))) == 6.0
    again = metrics.MeanMetricWrapper(losses.huber, name="h", delta=0.5).get_config()
    assert metrics.MeanMetricWrapper.from_config(again).get_config() == again


def test_mask():
    y_true, y_pred = rows.data("labels")
    mask = np.arange(rows.BATCH) < 4
    metric = metrics.SparseCategoricalAccuracy()
    metric.update_state(y_true, y_pred, mask=mask)
    expected = (y_pred.argmax(-1) == y_true)[:4].mean()
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)


def test_names():
    assert metrics.MeanSquaredError().name == "mean_squared_error"
    assert metrics.LogCoshError().name == "logcosh"
    first, second = metrics.AUC().name, metrics.AUC().name
    assert first.startswith("auc") and second.startswith("auc_") and first != second


@pytest.mark.parametrize(
    "name, cls",
    [
        ("mse", "MeanSquaredError"),
        ("MAE", "MeanAbsoluteError"),
        ("bce", "BinaryCrossentropy"),
        ("mean_absolute_error", "MeanAbsoluteError"),
        ("AUC", "AUC"),
        ("auc", "AUC"),
        ("sparse_categorical_accuracy", "SparseCategoricalAccuracy"),
        ("RootMeanSquaredError", "RootMeanSquaredError"),
    ],
)
def test_get(name, cls):
    assert type(metrics.get(name)) is getattr(metrics, cls)


def test_get_others():
    assert metrics.get(None) is None
    assert metrics.get(losses.huber) is losses.huber
    with pytest.raises(ValueError, match="Could not interpret metric identifier: nope"):
        metrics.get("nope")
    with pytest.raises(ValueError, match="Did you mean 'precision'"):
        metrics.get("precison")


@pytest.mark.parametrize(
    "true, pred, cls",
    [
        ((8,), (8, 1), metrics.BinaryAccuracy),
        ((8, 1), (8, 1), metrics.BinaryAccuracy),
        ((8,), (8, 3), metrics.SparseCategoricalAccuracy),
        ((8, 1), (8, 3), metrics.SparseCategoricalAccuracy),
        ((8, 3), (8, 3), metrics.CategoricalAccuracy),
        ((8, 5), (8, 5, 3), metrics.SparseCategoricalAccuracy),
    ],
)
def test_accuracy_by_shapes(true, pred, cls):
    assert metrics.accuracy_metric_for(true, pred) is cls


def test_directions():
    for name, _, _ in rows.METRICS:
        cls = getattr(metrics, name)
        better = getattr(cls, "_direction", "down")
        smaller = issubclass(cls, metrics.MeanMetricWrapper) and hasattr(losses, name)
        if smaller and name != "CosineSimilarity" or name in ("RootMeanSquaredError",):
            assert better == "down"
    assert metrics.MeanSquaredError()._direction == "down"
    assert metrics.AUC()._direction == "up"
    assert not hasattr(metrics.Mean(), "_direction")


def test_messages():
    y_pred = np.ones((8, 3), "float32")
    with pytest.raises(ValueError, match=r"one integer label.*y_true.shape=\(8, 3\)"):
        metrics.SparseCategoricalAccuracy()(np.ones((8, 3)), y_pred)
    with pytest.raises(ValueError, match=r"one shape.*\(8, 2\).*\(8, 3\)"):
        metrics.CategoricalAccuracy()(np.ones((8, 2)), y_pred)
    with pytest.raises(ValueError, match=r"Confusion metrics expect.*\(8,\).*to_categorical"):
        metrics.Precision()(np.ones(8), y_pred)
    with pytest.raises(ValueError, match=r"`sample_weight`.*\(5,\).*\(8,\)"):
        metrics.MeanSquaredError()(y_pred, y_pred, np.ones(5))
    with pytest.raises(ValueError, match=r"Threshold values must be in \[0, 1\]"):
        metrics.Precision(thresholds=[0.2, 1.5])
    with pytest.raises(ValueError, match="y_pred must be a 2D array"):
        metrics.Precision(class_id=1)(np.ones(8), np.ones(8))
    with pytest.raises(ValueError, match='Invalid AUC curve value: "XYZ"'):
        metrics.AUC(curve="xyz")
    with pytest.raises(ValueError, match="Invalid AUC summation method value"):
        metrics.AUC(summation_method="sum")
    with pytest.raises(ValueError, match="`num_thresholds` must be an integer > 1"):
        metrics.AUC(num_thresholds=1)
    with pytest.raises(ValueError, match="`num_labels` is needed only when"):
        metrics.AUC(num_labels=2)
    with pytest.raises(ValueError, match="`y_pred` must have rank 2"):
        metrics.AUC(multi_label=True)(np.ones(8), np.ones(8))
    with pytest.raises(ValueError, match=r"`recall` must be in the range \[0, 1\]"):
        metrics.PrecisionAtRecall(2.0)
    with pytest.raises(ValueError, match="`num_thresholds` must be an integer > 0"):
        metrics.PrecisionAtRecall(0.5, num_thresholds=0)
    with pytest.raises(ValueError, match="Invalid `average` argument value"):
        metrics.F1Score(average="mean")
    with pytest.raises(ValueError, match="Invalid `beta` argument value. It should be > 0"):
        metrics.FBetaScore(beta=-1.0)
    with pytest.raises(ValueError, match="Invalid `beta` argument value. It should be a Python"):
        metrics.FBetaScore(beta=1)
    with pytest.raises(ValueError, match="should verify 0 < threshold <= 1"):
        metrics.F1Score(threshold=0.0)
    with pytest.raises(ValueError, match="Invalid `threshold` .* Python float"):
        metrics.F1Score(threshold=1)
    with pytest.raises(ValueError, match="FBetaScore expects 2D inputs"):
        metrics.F1Score()(np.ones(8), np.ones(8))
    with pytest.raises(ValueError, match="argument `class_aggregation`"):
        metrics.R2Score(class_aggregation="mean")
    with pytest.raises(ValueError, match="argument `num_regressors`"):
        metrics.R2Score(num_regressors=-1)
    with pytest.raises(ValueError, match="Target class id 3 is out of range"):
        metrics.IoU(3, [0, 3])
    with pytest.raises(ValueError, match="corresponding 1:1 to Mean"):
        metrics.Mean().stateless_result([1.0])


def test_adjusted_r2_of_few_samples_warns():
    for regressors, message in ((9, "More independent predictors"), (7, "Division by zero")):
        metric = metrics.R2Score(num_regressors=regressors)
        metric.update_state(np.arange(8.0).reshape(8, 1), np.ones((8, 1)))
        with pytest.warns(UserWarning, match=message):
            metric.result()


def test_forgotten_super_init():
    class Forgetful(metrics.Metric):
        def __init__(self):
            self.total = self.add_weight()

    with pytest.raises(RuntimeError, match="forgot to call `super"):
        Forgetful()
