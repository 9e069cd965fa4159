"""Losses: values and gradients as real Keras gives them, reductions, names, messages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tables import losses_metrics as rows

from layerkit import backend as K
from layerkit import losses

GOLDEN = np.load(Path(__file__).parent / "golden" / "losses_metrics.npz")
parametrize = pytest.mark.parametrize("row", rows.LOSSES, ids=lambda row: rows.key(*row))


@parametrize
def test_value_and_gradient_as_in_keras(row):
    name, options, kind = row
    loss = getattr(losses, name)(**options)
    y_true, y_pred = rows.data(kind)
    y_pred = K.convert_to_tensor(y_pred)
    with K.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred)
    key = rows.key("loss", *row)
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, GOLDEN[key], rtol=2e-5, atol=1e-6)
    gradient = tape.gradient(value, y_pred)
    np.testing.assert_allclose(gradient, GOLDEN[key + " gradient"], rtol=1e-4, atol=2e-6)
    if key + " weighted" in GOLDEN:
        value = loss(y_true, y_pred, sample_weight=rows.weights())
        np.testing.assert_allclose(value, GOLDEN[key + " weighted"], rtol=2e-5, atol=1e-6)


@parametrize
def test_gradient_by_difference(row):
    name, options, kind = row
    loss = getattr(losses, name)(**options, dtype="float64")
    y_true, y_pred = rows.data(kind)
    y_true = y_true.astype("float64") if y_true.dtype.kind == "f" else y_true

    def call(y_pred):
        return loss(y_true, y_pred)

    K.check_gradient(call, y_pred)


@parametrize
def test_config_round_trip(row):
    name, options, kind = row
    loss = getattr(losses, name)(**options)
    config = losses.serialize(loss)
    assert config["module"] == "keras.losses" and config["class_name"] == name
    assert "dtype" not in config["config"]
    again = losses.deserialize(config)
    assert again.get_config() == loss.get_config()
    y_true, y_pred = rows.data(kind)
    np.testing.assert_array_equal(again(y_true, y_pred), loss(y_true, y_pred))


def test_every_loss_has_a_row():
    classes = {
        name
        for name, thing in vars(losses).items()
        if isinstance(thing, type) and issubclass(thing, losses.Loss) and name[0] != "_"
    }
    assert classes - {"Loss", "LossFunctionWrapper"} == {name for name, _, _ in rows.LOSSES}


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_mask_lets_only_valid_values_count(reduction):
    y_true, y_pred = rows.data("sequence")
    y_true = np.eye(rows.CLASSES)[y_true]
    mask = np.arange(3) < np.array([[1], [2], [3], [3], [2], [1]])
    values = losses.categorical_crossentropy(y_true, y_pred).numpy()[mask]
    masked = losses.CategoricalCrossentropy(reduction=reduction)(y_true, y_pred, mask=mask)
    expected = values.sum() if reduction == "sum" else values.mean()
    np.testing.assert_allclose(masked, expected, rtol=1e-6)
    weight = rows.weights()
    weighted = losses.CategoricalCrossentropy(reduction="sum")(y_true, y_pred, weight, mask)
    per_value = np.broadcast_to(weight[:, None], mask.shape)[mask]
    np.testing.assert_allclose(weighted, (values * per_value).sum(), rtol=1e-6)


def test_one_weight_per_sample_of_a_sequence():
    y_true, y_pred = rows.data("sequence")
    values = losses.sparse_categorical_crossentropy(y_true, y_pred).numpy()
    loss = losses.SparseCategoricalCrossentropy()(y_true, y_pred, rows.weights())
    np.testing.assert_allclose(loss, (values * rows.weights()[:, None]).mean(), rtol=1e-6)


def test_all_weights_zero():
    y_true, y_pred = rows.data("real")
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight"):
        loss = losses.MeanSquaredError(reduction=reduction)
        assert float(loss(y_true, y_pred, np.zeros(rows.BATCH))) == 0.0


def test_lists_and_structures():
    assert float(losses.MeanSquaredError()([[0, 1]], [[0.5, 0.5]])) == 0.25

    class OfADict(losses.Loss):
        def call(self, y_true, y_pred):
            return K.abs(y_true["a"] - y_pred["a"]) + y_pred["b"]

    y_pred = {"a": np.ones(3, "float32"), "b": np.zeros(3, "float32")}
    assert float(OfADict()({"a": np.arange(3)}, y_pred)) == pytest.approx(2 / 3)


def test_custom_function():
    def distance(y_true, y_pred, scale=1.0):
        return scale * K.mean(K.abs(y_true - y_pred), axis=-1)

    loss = losses.LossFunctionWrapper(distance, name="mine", scale=2.0)
    y_true, y_pred = rows.data("column")  # (batch,) beside (batch, 1)
    np.testing.assert_allclose(
        loss(y_true, y_pred), 2 * np.abs(y_true[:, None] - y_pred).mean(), rtol=1e-6
    )
    config = losses.LossFunctionWrapper(losses.huber, delta=0.5).get_config()
    assert losses.LossFunctionWrapper.from_config(config).get_config() == config
    assert losses.get(distance) is distance


@pytest.mark.parametrize("short", ["mse", "mae", "mape", "msle", "bce", "kld"])
def test_short_names(short):
    assert losses.get(short) is losses.get(short.upper()) is losses._SHORT[short]


def test_get():
    assert losses.get(None) is None
    assert losses.get("mean_squared_error") is losses.mean_squared_error
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    config = {"class_name": "CategoricalCrossentropy", "config": {"from_logits": True}}
    assert losses.get(config).from_logits is True
    assert losses.deserialize(losses.serialize(losses.huber)) is losses.huber
    with pytest.raises(ValueError, match="Could not interpret loss identifier: not_a_loss\\."):
        losses.get("not_a_loss")
    with pytest.raises(ValueError, match="Did you mean 'mean_squared_error'"):
        losses.get("mean_squared_eror")


def test_messages_of_shapes():
    y_pred = np.full((8, 3), 1 / 3, "float32")
    with pytest.raises(ValueError, match=r"y_true.shape=\(8, 2\) and y_pred.shape=\(8, 3\)"):
        losses.MeanSquaredError()(np.zeros((8, 2)), y_pred)
    match = r"must have the same shape. Received: target.shape=\(8,\), output.shape=\(8, 3\)."
    with pytest.raises(ValueError, match=match + ".*sparse_.*to_categorical"):
        losses.CategoricalCrossentropy()(np.zeros(8, "int64"), y_pred)
    with pytest.raises(ValueError, match=r"up until the last dimension: target.shape=\(8, 2\)"):
        losses.SparseCategoricalCrossentropy()(np.zeros((8, 2)), y_pred)
    with pytest.raises(ValueError, match=r"`sample_weight`.*\(5,\) for values of shape \(8,\)"):
        losses.MeanSquaredError()(y_pred, y_pred, np.ones(5))


def test_labels_without_a_class():
    """Of arrays on the host: looking at labels on a device would mean waiting for it."""
    y_pred = K.Tensor(np.full((8, 3), 1 / 3, "float32"))
    with pytest.raises(ValueError, match=r"label value of 7 .*\[0, 3\).*3 classes"):
        losses.SparseCategoricalCrossentropy()(np.array([0, 1, 2, 7, 0, 0, 0, 0]), y_pred)
    with pytest.raises(ValueError, match=r"label value of -1"):
        losses.sparse_categorical_crossentropy(np.array([0, 1, 2, -1, 0, 0, 0, 0]), y_pred)


def test_other_messages():
    with pytest.raises(ValueError, match="Invalid value for argument `reduction`"):
        losses.MeanSquaredError(reduction="avg")
    with pytest.raises(ValueError, match=r"q must be in the interval \(0, 1\)"):
        losses.CategoricalGeneralizedCrossEntropy(q=1.0)
    with pytest.raises(ValueError, match="`axis` must be of type `int`"):
        losses.categorical_crossentropy(np.ones((2, 3)), np.ones((2, 3)), axis=True)
    with pytest.raises(NotImplementedError, match="must implement `call"):
        losses.Loss()(np.ones(2), np.ones(2))
    with pytest.warns(SyntaxWarning, match="Consider using 'binary_crossentropy'"):
        losses.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1), "float32"))


def test_ctc_of_what_it_cannot_take():
    with pytest.raises(ValueError, match=r"in integer format. Received: y_true.shape=\(2,\)"):
        losses.ctc([1, 2], np.zeros((2, 3, 4), "float32"))
    with pytest.raises(ValueError, match=r"num_classes\)`. Received: y_pred.shape=\(2, 3\)"):
        losses.ctc([[1], [2]], np.zeros((2, 3), "float32"))


def test_ctc_of_a_target_longer_than_its_time_is_large_and_finite():
    y_pred = K.convert_to_tensor(np.zeros((1, 2, 4), "float32"))
    with K.GradientTape() as tape:
        tape.watch(y_pred)
        value = losses.ctc([[1, 1, 2]], y_pred)
    assert 1e4 < float(value[0]) < np.inf
    assert np.isfinite(tape.gradient(value, y_pred).numpy()).all()
    assert losses.ctc([[1]], np.zeros((1, 2, 4), "float16")).dtype == "float32"


def test_circle_against_references():
    labels, embeddings = rows.data("embeddings")
    itself = losses.circle(labels, embeddings, remove_diagonal=False)
    other = losses.circle(labels, embeddings, labels[:, None], embeddings, remove_diagonal=False)
    np.testing.assert_array_equal(other, itself)
    for dtype in ("float16", "float32"):
        alone = losses.circle([3], embeddings[:1].astype(dtype))  # nothing to compare with
        assert float(alone[0]) == 0.0 and alone.dtype == dtype


def test_a_column_of_weights_beside_a_mask_is_a_weight_per_sample():
    labels = np.array([2, 2, 1, 2, 1, 2])
    logits = np.random.default_rng(3).standard_normal((6, 4)).astype("float32")
    weights = np.linspace(0.2, 2, 6).astype("float32")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
    values = losses.sparse_categorical_crossentropy(labels, logits, from_logits=True).numpy()
    expected = (values * weights)[labels != 1].sum() / 4
    for weight in (weights, weights[:, None]):
        np.testing.assert_allclose(
            loss(labels, logits, sample_weight=weight).numpy(), expected, rtol=1e-6
        )
