"""Layers of Keras 2.3 on Theano by their architectures: predictions and losses are the same."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from layerkit import Input, Model, configurable, layers, losses, models
from layerkit.layers import retired
from layerkit.saving.legacy.origin import origin_named
from layerkit.saving.legacy.training import modern_training

GOLDEN = json.loads((Path(__file__).parent / "golden" / "legacy_layers.json").read_text())

pytestmark = pytest.mark.numpy_only("files hold no backend")


def values(shape):
    return np.linspace(-0.6, 0.7, int(np.prod(shape)), dtype="float32").reshape(shape)


def inputs(shape):
    """Two samples, of sequences with steps of zeros: what Masking leaves out."""
    x = values((2, *shape[1:])) * 2
    x[0, 0], x[1, -1] = 0, 0
    return x


def weights_file(path, shapes):
    """A file of weights as that Keras wrote it."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.3.1", b"theano"
        file.attrs["layer_names"] = [name.encode() for name in shapes]
        for name, of_layer in shapes.items():
            group = file.create_group(name)
            names = [f"{name}/w{number}".encode() for number in range(len(of_layer))]
            group.attrs["weight_names"] = names
            for each, shape in zip(names, of_layer, strict=True):
                group[each.decode()] = values(shape)


@pytest.mark.parametrize("row", sorted(GOLDEN))
def test_what_keras_2_computed_on_theano(row, tmp_path):
    entry = GOLDEN[row]
    model = models.model_from_json(json.dumps(entry["architecture"]))
    order = [layer["config"]["name"] for layer in entry["architecture"]["config"]["layers"]]
    weights_file(tmp_path / "w.h5", {name: entry["weights"][name] for name in order})
    model.load_weights(tmp_path / "w.h5")
    given = [inputs(x.shape) for x in model.inputs]
    given = given if len(given) > 1 else given[0]
    found = model.predict(given, verbose=0)
    found = found if isinstance(found, (list, tuple)) else [found]
    for ours, theirs in zip(found, entry["predictions"], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=3e-6)
    if "masked" in row:  # Keras 2.3 divided masked losses by all steps
        return
    model.compile("sgd", "mse")
    zeros = [np.zeros_like(y) for y in found]
    loss = model.evaluate(given, zeros if len(zeros) > 1 else zeros[0], verbose=0)
    np.testing.assert_allclose(np.ravel(loss)[0], entry["loss"], rtol=1e-5)


def test_masks_reach_layers_that_are_not_given_states_too():
    layer = retired.MaskedWithStates(layers.SimpleRNN(2))
    x = layers.Masking()(inputs((None, 4, 2)))
    assert x._keras_mask is not None
    np.testing.assert_allclose(layer(x), layer.layer(x), rtol=1e-6)


# --- training configurations ---------------------------------------------------------------------

SHARED = [  # (version, losses and metrics by names, both in the order of the outputs)
    ("2.2.4-tf", {"a": "mse", "a_1": "mae"}, ["mse", "mae"], {"a_1": "mae"}, [[], ["mae"]]),
    ("2.3.1", {"a": "mse"}, ["mse", "mse"], {"a": ["mae"]}, [["mae"], ["mae"]]),
]


@pytest.mark.parametrize(("version", "said", "expected", "metrics", "lists"), SHARED)
def test_losses_by_name_of_a_layer_that_gives_two_outputs(version, said, expected, metrics, lists):
    layer, x, y = layers.Dense(1, name="a"), Input((2,)), Input((2,))
    model = Model([x, y], [layer(x), layer(y)])
    config = {
        "optimizer_config": {"class_name": "SGD", "config": {}},
        "loss": said,
        "metrics": metrics,
        "loss_weights": dict.fromkeys(said, 0.5),
    }
    training = modern_training(config, origin_named(version), model.output_names)
    assert training["loss"] == expected
    assert training["metrics"] == lists
    model.compile("sgd", training["loss"], training["loss_weights"], training["metrics"])
    x = np.ones((2, 2), "float32")
    total = model.evaluate([x, 2 * x], [x[:, :1]] * 2, verbose=0)[0]
    ends = zip(expected, model.predict([x, 2 * x], verbose=0), strict=True)
    each = [float(np.mean(losses.get(name)(x[:, :1], y))) for name, y in ends]
    np.testing.assert_allclose(total, 0.5 * sum(each), rtol=1e-5)


@pytest.mark.parametrize(
    "said", ["logcosh", {"class_name": "MeanMetricWrapper", "config": {"fn": "log_cosh"}}]
)
def test_the_metric_logcosh(said):
    config = {"optimizer_config": {"class_name": "SGD", "config": {}}, "loss": "logcosh"}
    training = modern_training({**config, "metrics": [said]}, origin_named("2.12.0"), ["a"])
    x = Input((3,))
    model = Model(x, layers.Activation("linear")(x))
    model.compile("sgd", training["loss"], metrics=configurable.deserialize(training["metrics"]))
    found = model.evaluate(np.ones((2, 3)), np.zeros((2, 3)), verbose=0, return_dict=True)
    assert found == pytest.approx({"loss": np.log(np.cosh(1)), "logcosh": np.log(np.cosh(1))})


# --- architectures that do not say what they ran on ----------------------------------------------


def of_keras_1(**config):
    """An architecture of Keras 1 with one layer that pads."""
    shape = {"batch_input_shape": [None, 5, 1]}
    layer = {"class_name": "MaxPooling1D", "config": {"name": "pool", **shape, **config}}
    return {"class_name": "Sequential", "config": [layer], "keras_version": "1.2.2"}


def test_what_depends_on_theano_is_told():
    config = of_keras_1(pool_length=2, stride=2, border_mode="same")
    with pytest.warns(UserWarning, match=r"layers \['pool'\] computed something else.*theano"):
        model = models.model_from_json(json.dumps(config))
    assert type(model.layers[0]) is layers.MaxPooling1D
    model = models.model_from_json(json.dumps({**config, "backend": "theano"}))
    assert type(model.layers[0]) is retired.TheanoPooling


def test_only_theano_padded_fully():
    config = of_keras_1(pool_length=2, stride=2, border_mode="same")
    window = {"nb_filter": 1, "filter_length": 3, "subsample_length": 1, "border_mode": "full"}
    layer = {"class_name": "Convolution1D", "config": {"name": "conv", **window}}
    model = models.model_from_json(json.dumps({**config, "config": [*config["config"], layer]}))
    assert type(model.layers[0]) is retired.TheanoPooling
    assert model.output_shape == (None, 5, 1)
