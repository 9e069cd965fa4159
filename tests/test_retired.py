"""Layers and losses that compute what older versions of Keras did, for the files that mean them."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from layerkit import Input, Model, Sequential, layers, losses, models, regularizers
from layerkit.layers import retired
from layerkit.saving.legacy import theano
from layerkit.saving.legacy.configs import modern_architecture

FOLDER = Path(__file__).parent / "golden" / "legacy"
files_only = pytest.mark.numpy_only("files hold no backend")
X = np.random.default_rng(0).standard_normal((4, 3)).astype("float32")


# --- files ---------------------------------------------------------------------------------------

ROWS = [
    ("keras-1.2.2-theano", "activations", "SReLU", None),
    ("keras-1.2.2-theano", "batch_modes", "BatchNormalizationOfBatches", "with mode=2"),
    ("keras-1.2.2-theano", "batch_modes", "BatchNormalizationOfSamples", "with mode=1"),
    ("keras-1.2.2-theano", "masks", "DroppingEmbedding", None),
    ("keras-1.2.2-theano", "masks", "HoldingBidirectional", "outputs at masked steps"),
    ("keras-1.2.2-theano", "pooling_th", "TheanoPooling", "begin further left"),
    ("keras-1.2.2-theano", "regularized", "L1L2OfBatch", "not divided by the batch size"),
]


def opened(archive, row, folder):
    """The model of a row with its inputs; warnings of the training configuration do not matter."""
    with zipfile.ZipFile(FOLDER / f"{archive}.zip") as stored:
        stored.extract(f"{row}.h5", folder)
        with np.load(stored.open("arrays.npz")) as arrays:
            inputs = [arrays[key] for key in arrays if key.startswith(f"{row}/x")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return models.load_model(folder / f"{row}.h5"), inputs


@files_only
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[1]}-{row[2]}")
def test_layers_that_went_away_come_back_and_are_told_of(row, tmp_path):
    archive, name, retired_name, note = row
    model, inputs = opened(archive, name, tmp_path)
    if note:
        told = []
        model.summary(print_fn=told.append)
        assert note in " ".join(" ".join(told).split())
    expected = model.predict(inputs, batch_size=len(inputs[0]), verbose=0)
    for ending in ("keras", "h5"):
        path = tmp_path / f"again.{ending}"
        with pytest.warns(UserWarning, match=rf"Keras 3 cannot read '.*know .*{retired_name}"):
            model.save(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            again = models.load_model(path)
        found = again.predict(inputs, batch_size=len(inputs[0]), verbose=0)
        np.testing.assert_equal(found, expected)


@files_only
def test_batch_normalization_of_old_files_is_written_as_that_of_today(tmp_path):
    model, inputs = opened("tf.keras-2.4.0", "normalized", tmp_path)
    told = []
    model.summary(print_fn=told.append)
    assert "unbiased variances in its average" in " ".join(" ".join(told).split())
    expected = model.predict(inputs, verbose=0)
    for ending in ("keras", "h5"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.save(tmp_path / f"again.{ending}")
        again = models.load_model(tmp_path / f"again.{ending}")
        names = {type(layer).__name__ for layer in again.layers}
        assert "BatchNormalization" in names and "BatchNormalizationKeras2" not in names
        np.testing.assert_equal(again.predict(inputs, verbose=0), expected)


@files_only
def test_cells_that_the_file_forgot_are_made_in_code(tmp_path):
    with zipfile.ZipFile(FOLDER / "keras-2.0.9-tensorflow.zip") as stored:
        stored.extract("cells.h5", tmp_path)
        with np.load(stored.open("arrays.npz")) as arrays:
            own = {key[6:]: arrays[key] for key in arrays if key.startswith("cells/")}
    x, start = Input((4, 3)), Input((2,))
    then = {"recurrent_activation": "hard_sigmoid_keras2"}
    cells = [layers.LSTMCell(2, **then), layers.GRUCell(3, reset_after=False, **then)]
    gru = layers.GRU(2, reset_after=False, return_state=True, **then)
    output, state = gru(x, initial_state=start)
    ends = [layers.RNN(cells)(x), output, state, layers.SimpleRNN(2)(x, initial_state=state)]
    model = Model([x, start], ends)
    model.load_weights(tmp_path / "cells.h5")
    for i, found in enumerate(model.predict([own["x0"], own["x1"]], verbose=0)):
        np.testing.assert_allclose(found, own[f"prediction{i}"], rtol=1e-5, atol=1e-6)


@files_only
def test_an_architecture_says_what_its_names_meant():
    text = json.loads(Sequential([Input((4, 3)), layers.GRU(2)]).to_json())
    del text["module"], text["registered_name"]
    text["keras_version"] = "2.0.4"
    for layer in text["config"]["layers"]:
        layer.pop("module"), layer.pop("registered_name"), layer["config"].pop("dtype")
    text["config"]["layers"][1]["config"].pop("reset_after")
    model = models.model_from_json(json.dumps(text))
    assert model.file_notes == ("GRU has reset_after=False, as in the Keras that wrote the file.",)


# --- configs -------------------------------------------------------------------------------------


def in_keras_1(class_name, **config):
    """The layer that a Sequential of Keras 1 on Theano has, by its class and config of today."""
    layer = {"class_name": class_name, "config": {"name": "a", **config}}
    text = {"class_name": "Sequential", "config": [layer], "keras_version": "1.2.2"}
    modern, _ = modern_architecture({**text, "backend": "theano"})
    return modern["config"]["layers"][-1]


def test_a_regularizer_that_went_away_is_told_of():
    with pytest.warns(UserWarning, match="without its kernel_regularizer .*EigenvalueRegularizer"):
        layer = in_keras_1("Dense", W_regularizer={"name": "EigenvalueRegularizer", "k": 0.1})
    assert layer["config"]["kernel_regularizer"] is None


@pytest.mark.parametrize(("how", "factor"), [("cpu", 0.1), ("mem", 0.1), ("gpu", 0.2)])
@pytest.mark.parametrize("name", ["GRU", "LSTM"])
def test_recurrent_kernels_that_keras_1_2_regularized_as_the_others(name, how, factor):
    penalties = {
        f"{which}_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": value}
        for which, value in (("W", 0.1), ("U", 0.2))
    }
    layer = in_keras_1(name, output_dim=2, consume_less=how, **penalties)
    assert layer["config"]["kernel_regularizer"]["config"]["l2"] == 0.1
    assert layer["config"]["recurrent_regularizer"]["config"]["l2"] == factor


# Variances that real Kerases had averaged after one step, by version, backend and `trainable`.
MOVED = [
    ("1.0.8", "theano", True, [1.125, 2.7109375]),
    ("1.2.2", "theano", True, [1.175, 2.7609375]),
    ("1.2.2", "theano", False, [1.175, 2.7609375]),
    ("2.0.9", "theano", False, [1.175, 2.7609375]),
    ("2.0.9", "tensorflow", False, [1.125, 2.7109375]),
    ("2.3.1", "theano", True, [1.4310344, 3.6185341]),
    ("2.3.1", "theano", False, [1.0, 1.0]),
]


@files_only
@pytest.mark.parametrize(("version", "backend", "trainable", "variances"), MOVED)
def test_what_batch_normalization_averaged(version, backend, trainable, variances):
    config = {"batch_input_shape": [None, 2], "epsilon": 0.1, "momentum": 0.5, "name": "n"}
    described = {"class_name": "BatchNormalization", "config": {**config, "trainable": trainable}}
    text = {"class_name": "Sequential", "config": [described]}
    text |= {"keras_version": version, "backend": backend}
    model = Sequential([models.model_from_json(json.dumps(text)), layers.Dense(2)])
    model.compile("sgd", "mse")
    x = np.array([[0, 0.5], [1, -2], [2, 2.5], [3, 3.5]], "float32")
    model.train_on_batch(x, x)
    layer = model.layers[0].layers[0]
    np.testing.assert_allclose(layer.moving_variance, variances, rtol=1e-6)
    moved = variances != [1.0, 1.0]
    np.testing.assert_allclose(layer.moving_mean, np.array([0.75, 0.5625]) * moved, rtol=1e-6)


DISTRIBUTED = [
    ("2.2.4", "BatchNormalization", {}, "its averages move at each"),
    ("2.3.1", "Dense", {"units": 1, "activity_regularizer": "l2"}, "counted it twice"),
    ("2.4.0", "Dense", {"units": 1, "activity_regularizer": "l2"}, "by the number of steps, too"),
]


@files_only
@pytest.mark.parametrize(("version", "name", "config", "note"), DISTRIBUTED)
def test_layers_that_saw_all_steps_together_are_noted(version, name, config, note):
    inner = {"class_name": name, "config": {"name": "a", **config}}
    wrapper = {"name": "t", "batch_input_shape": [None, 3, 2], "layer": inner}
    described = {"class_name": "TimeDistributed", "config": wrapper}
    text = {"class_name": "Sequential", "config": [described], "keras_version": version}
    assert note in " ".join(models.model_from_json(json.dumps(text)).file_notes)


@files_only
@pytest.mark.parametrize(("backend", "told"), [("theano", True), ("tensorflow", False)])
def test_zeros_before_the_first_step_that_counts_are_noted(backend, told):
    masking = {"batch_input_shape": [1, 2, 1], "mask_value": 0.0, "name": "m"}
    rnn = {"output_dim": 1, "stateful": True, "return_sequences": True, "name": "r"}
    described = [("Masking", masking), ("SimpleRNN", rnn)]
    entries = [{"class_name": name, "config": config} for name, config in described]
    text = {"class_name": "Sequential", "config": entries, "keras_version": "1.2.2"}
    model = models.model_from_json(json.dumps({**text, "backend": backend}))
    assert ("they put out zeros there" in " ".join(model.file_notes)) is told


WINDOW = {"nb_filter": 1, "nb_row": 2, "nb_col": 3, "subsample": [1, 1], "border_mode": "same"}
WRONG = [
    (lambda: retired.TheanoPooling([2], mode="sum"), r"expects mode='max' or 'average'. Received:"),
    (lambda: retired.TheanoPooling([0]), "The `pool_size` argument must be a tuple of 1 integers"),
    (
        lambda: in_keras_1("BatchNormalization", mode=3),
        r"Layer 'a' \(BatchNormalization\) expects a mode of 0, 1 or 2",
    ),
    (
        lambda: in_keras_1("Deconvolution2D", **WINDOW),
        r"Layer 'a' \(Conv2DTranspose\) has padding 'same' and a window of even length, \[2, 3\]",
    ),
]


@pytest.mark.parametrize(("act", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_cannot_be_computed(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def test_theano_leaves_alone_what_it_computed_as_others():
    conv = {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "name": "a"}
    described = {"class_name": "Conv2D", "config": conv}
    assert theano.layers_for(described, print) == [described]


# --- layers --------------------------------------------------------------------------------------


def test_pooling_as_theano_padded():
    x = np.arange(6, dtype="float32").reshape(1, 6, 1)
    pooled = {
        mode: np.asarray(retired.TheanoPooling([3], [2], mode=mode)(x)).ravel()
        for mode in ("max", "average")
    }
    np.testing.assert_array_equal(pooled["max"], [1, 3, 5])
    np.testing.assert_array_equal(pooled["average"], [0.5, 2, 4])
    first = retired.TheanoPooling([2], data_format="channels_first")
    np.testing.assert_array_equal(first(x.reshape(1, 1, 6)).numpy().ravel(), [0, 2, 4])
    assert first.compute_output_shape((None, 2, None)) == (None, 2, None)


def test_normalization_by_deviations():
    layer = retired.BatchNormalizationOfDeviations(epsilon=0.5, momentum=0.75)
    deviation = np.sqrt(X.var(0) + 0.5)
    y = np.asarray(layer(X, training=True))
    np.testing.assert_allclose(y, (X - X.mean(0)) / (deviation + 0.5), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.moving_mean, 0.25 * X.mean(0), rtol=1e-5)
    moved = 0.75 + 0.25 * deviation
    np.testing.assert_allclose(layer.moving_deviation, moved, rtol=1e-5)
    y = (X - 0.25 * X.mean(0)) / (moved + 0.5)
    np.testing.assert_allclose(np.asarray(layer(X)), y, rtol=1e-5, atol=1e-6)


def test_normalization_of_samples_in_keras_0():
    layer = retired.BatchNormalizationOfSamples(inner_epsilon=False, epsilon=0.5)
    y = (X - X.mean(1, keepdims=True)) / (X.std(1, keepdims=True) + 0.5)
    np.testing.assert_allclose(np.asarray(layer(X)), y, rtol=1e-5, atol=1e-6)


def test_an_embedding_drops_ids_wherever_they_stand():
    layer = retired.DroppingEmbedding(50, 2, dropout=0.5, seed=3)
    ids = np.arange(50)[None].repeat(2, 0)
    plain, dropped = np.asarray(layer(ids)), np.asarray(layer(ids, training=True))
    kept = dropped[0] != 0
    np.testing.assert_array_equal(dropped[0], dropped[1])
    np.testing.assert_allclose(dropped[0], kept * 2 * plain[0], rtol=1e-6)
    assert 10 < kept[:, 0].sum() < 40


def test_only_the_map_of_a_highway_is_regularized_and_constrained():
    layer = retired.Highway(kernel_regularizer="l2", kernel_constraint="max_norm")
    layer.build((None, 3))
    assert layer.kernel.regularizer and layer.kernel.constraint
    assert not layer.carry_kernel.regularizer and not layer.carry_kernel.constraint


def test_bidirectional_holds_its_outputs_at_masked_steps():
    layer = retired.HoldingBidirectional(layers.SimpleRNN(1, return_sequences=True))
    x = np.ones((1, 3, 2), "float32")
    y = np.asarray(layer(x, mask=np.array([[True, True, False]])))
    assert y[0, 2, 0] == y[0, 1, 0] != 0


def test_the_penalty_of_a_batch_is_a_sum():
    x = Input((3,))
    penalty = regularizers.L1L2OfBatch(l1=0.5, l2=0.25)
    model = Model(x, layers.Activation("linear", activity_regularizer=penalty)(x))
    model(X)
    expected = 0.5 * np.abs(X).sum() + 0.25 * np.square(X).sum()
    np.testing.assert_allclose(float(model.losses[0]), expected, rtol=1e-5)


# --- losses --------------------------------------------------------------------------------------


def test_losses_as_they_were():
    labels = (X > 0).astype("float32")
    margins = np.maximum(1 - labels * X, 0)
    by_name = {
        "hinge_keras2": margins.mean(-1),
        "squared_hinge_keras2": np.square(margins).mean(-1),
        "cosine_proximity_keras1": np.asarray(losses.cosine_similarity(labels, X)) / 3,
    }
    for name, expected in by_name.items():
        np.testing.assert_allclose(losses.get(name)(labels, X), expected, rtol=1e-5, atol=1e-6)
