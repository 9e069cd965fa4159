"""Weights of old Kerases in models made in code: what meant something else is told."""

from __future__ import annotations

import json
import warnings

import h5py
import numpy as np
import pytest

from layerkit import Input, Sequential, layers, models

WAS = "x / 5 . 1 / 2, here called 'hard_sigmoid_keras2'"
BY_DEFAULT = "recurrent_activation was 'hard_sigmoid_keras2' by default, and is 'sigmoid'"
EPSILON = "epsilon was 1e-6 by default in Keras 0, 1e-5 in 1.0, and is 1e-3"


def dense(**kwargs):
    return layers.Dense(2, name="d", **kwargs)


def recurrent(cls, **kwargs):
    return lambda: cls(2, name="d", **kwargs)


def convolutional():
    return layers.ConvLSTM1D(2, 2, name="d")


def normalized(**kwargs):
    return lambda: layers.BatchNormalization(name="d", **kwargs)


# a layer, the version that wrote the file, what is told
CASES = {
    "activation": (lambda: dense(activation="hard_sigmoid"), "2.3.1", f"{WAS} .d."),
    "activation of tf.keras": (lambda: dense(activation="hard_sigmoid"), "2.12.0", f"{WAS} .d."),
    "activation of Keras 3": (lambda: dense(activation="hard_sigmoid"), "3.1.0", ""),
    "old activation": (lambda: dense(activation="hard_sigmoid_keras2"), "2.3.1", ""),
    "other activation": (lambda: dense(activation="tanh"), "2.3.1", ""),
    "layer": (lambda: layers.Activation("hard_sigmoid", name="a"), "2.2.4", f"{WAS} .a."),
    "gates": (recurrent(layers.LSTM, recurrent_activation="hard_sigmoid"), "2.4.0", f"{WAS} .d."),
    "LSTM": (recurrent(layers.LSTM), "2.2.4", f"{BY_DEFAULT} .d."),
    "LSTM of TensorFlow 1": (recurrent(layers.LSTM), "2.2.4-tf", f"{BY_DEFAULT} .d."),
    "LSTM of Keras 2.3": (recurrent(layers.LSTM), "2.3.0", ""),
    "LSTM of TensorFlow 2": (recurrent(layers.LSTM), "2.4.0", ""),
    "own gates": (recurrent(layers.LSTM, recurrent_activation="relu"), "2.2.4", ""),
    "GRU": (recurrent(layers.GRU, reset_after=False), "2.2.4", f"{BY_DEFAULT} .d."),
    "cell": (
        lambda: layers.RNN(layers.LSTMCell(2, name="c"), name="r"),
        "2.2.4",
        f"{BY_DEFAULT} .c.",
    ),
    "ConvLSTM": (convolutional, "2.12.0", f"{BY_DEFAULT} .d."),
    "ConvLSTM of Keras 3": (convolutional, "3.0.5", ""),
    "epsilon": (normalized(), "1.0.8", f"{EPSILON} .d."),
    "epsilon, later": (normalized(), "1.2.2", ""),
    "own epsilon": (normalized(epsilon=1e-5), "1.0.8", ""),
}


def model_of(layer):
    shape = (4, 3, 2) if isinstance(layer, layers.ConvLSTM1D) else (3, 2)
    return Sequential([Input(shape), layer, layers.Dense(1, name="last")])


def written(model, path, version):
    """The weights as another Keras keeps them, where that is as layerkit does."""
    model.save_weights(path)
    with h5py.File(path, "r+") as root:
        root.attrs["keras_version"] = version
        root.attrs["backend"] = "tensorflow"
    return path


@pytest.mark.parametrize("case", CASES)
def test_what_meant_something_else(case, tmp_path):
    make, version, told = CASES[case]
    path = written(model_of(make()), tmp_path / "w.h5", version)
    model = model_of(make())
    if not told:
        return model.load_weights(path)
    by = version.removesuffix("-tf")
    with pytest.warns(
        UserWarning, match=f"w.h5' are of Keras {by}, .*{told}.* as they were"
    ) as seen:
        model.load_weights(path)
    assert len(seen) == 1 and seen[0].filename == __file__
    with pytest.warns(UserWarning, match=told):
        model.load_weights(path, by_name=True)


def test_models_of_files_know_what_their_keras_meant(tmp_path):
    model = model_of(layers.LSTM(2, name="d"))
    config = {"name": "d", "units": 2, "recurrent_activation": "hard_sigmoid"}
    kinds = [
        {"class_name": "LSTM", "config": {**config, "batch_input_shape": [None, 3, 2]}},
        {"class_name": "Dense", "config": {"name": "last", "units": 1}},
    ]
    text = {"class_name": "Sequential", "config": kinds, "keras_version": "2.2.4"}
    path = written(model, tmp_path / "w.h5", "2.2.4")
    again = models.model_from_json(json.dumps(text))
    again.load_weights(path)
    assert again.layers[0].get_config()["recurrent_activation"] == "hard_sigmoid_keras2"
    today = models.model_from_json(model.to_json())
    with pytest.warns(UserWarning, match=BY_DEFAULT):
        today.load_weights(path)


@pytest.mark.parametrize("gates", ["sigmoid", "hard_sigmoid"])
def test_files_of_whole_models_say_what_they_had(gates, tmp_path):
    model = model_of(layers.LSTM(2, recurrent_activation=gates, name="d"))
    path = tmp_path / "a.h5"
    model.save(path)
    with h5py.File(path, "r+") as root:
        for group in (root, root["model_weights"]):
            group.attrs["keras_version"] = "2.2.4"
    other = model_of(recurrent(layers.LSTM)())
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        other.load_weights(path)
    told = [str(each.message) for each in seen]
    assert len(told) == (gates == "hard_sigmoid")
    assert all(
        BY_DEFAULT in text and "Or open the model with load_model('" in text for text in told
    )


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_gru_of_the_other_kind_is_told_how_to_be_made(reset_after, tmp_path):
    make = recurrent(layers.GRU, reset_after=reset_after)
    path = written(model_of(make()), tmp_path / "w.h5", "2.4.0")
    other = model_of(recurrent(layers.GRU, reset_after=not reset_after)())
    before = other.get_weights()
    with pytest.raises(ValueError, match=rf"file holds .* with reset_after={reset_after}, as it"):
        other.load_weights(path)
    for ours, theirs in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
