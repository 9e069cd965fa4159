"""Activations: values as real Keras gives them, names, configs, messages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tables import losses_metrics as rows

import layerkit
from layerkit import Input, Model, activations, layers
from layerkit import backend as K
from layerkit.configurable import register_keras_serializable
from layerkit.models import load_model

GOLDEN = np.load(Path(__file__).parent / "golden" / "losses_metrics.npz")
parametrize = pytest.mark.parametrize("row", rows.ACTIVATIONS, ids=lambda row: rows.key(*row))


@parametrize
def test_value_as_in_keras(row):
    name, options = row
    result = activations.get(name)(K.convert_to_tensor(rows.activation_input()), **options)
    assert result.dtype == np.float32
    expected = GOLDEN[rows.key("activation", *row)]
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=2e-6)


@parametrize
def test_gradient(row):
    name, options = row
    K.check_gradient(lambda x: activations.get(name)(x, **options), rows.activation_input())


@parametrize
def test_symbolic_tensors_as_in_a_functional_model(row, tmp_path):
    name, options = row
    function, x = activations.get(name), rows.activation_input().astype("float32")
    inputs = Input(batch_shape=x.shape)
    y = function(inputs, **options)
    model = Model(inputs, layers.Activation("linear")(y))
    expected = GOLDEN[rows.key("activation", *row)]
    assert y.shape == expected.shape
    models = [model]
    if not {"max_value", "threshold"} & set(options):  # no operation of Keras's, which files name
        model.save(tmp_path / "model.keras")
        models.append(load_model(tmp_path / "model.keras"))
    for known in models:
        np.testing.assert_allclose(known(x), expected, rtol=1e-5, atol=2e-6)


def test_every_activation_has_a_row():
    tested = {name for name, _ in rows.ACTIVATIONS} | {"sparsemax", "hard_sigmoid_keras2"}
    assert set(activations.FUNCTIONS) == tested


def test_hard_sigmoid_as_before_keras_3():
    x = np.array([-4.0, -2.5, -1.0, 0.0, 1.0, 2.5, 4.0], "float32")
    np.testing.assert_allclose(activations.hard_sigmoid_keras2(x), [0, 0, 0.3, 0.5, 0.7, 1, 1])


def test_sparsemax_is_the_nearest_distribution():
    """Keras 3.15 gives other numbers, of sum above 1, where several entries are positive."""
    x = np.random.default_rng(0).standard_normal((20, 5))
    p = activations.sparsemax(x).numpy()
    np.testing.assert_allclose(p.sum(-1), 1)
    assert (p >= 0).all() and (p == 0).any()
    threshold = np.max(x - p, axis=-1, keepdims=True, where=p > 0, initial=-np.inf)
    np.testing.assert_allclose(p, np.maximum(x - threshold, 0), atol=1e-12)
    K.check_gradient(activations.sparsemax, x)


@pytest.mark.parametrize("name", sorted(activations.FUNCTIONS))
def test_builtin_as_a_plain_string(name):
    function = activations.get(name)
    assert activations.serialize(function) == {"swish": "silu", "hard_swish": "hard_silu"}.get(
        name, name
    )
    assert activations.deserialize(name) is function


def test_get():
    assert activations.get(None) is activations.linear
    assert activations.get(np.tanh) is np.tanh
    with pytest.raises(ValueError, match="activation function identifier: reluu. Did you mean"):
        activations.get("reluu")
    with pytest.raises(ValueError, match="Could not interpret activation function identifier: 3"):
        activations.get(3)


def test_custom_function():
    @register_keras_serializable("pkg", "twice")
    def twice(x):
        return 2 * x

    config = activations.serialize(twice)
    assert config == {
        "module": "builtins",
        "class_name": "function",
        "config": "pkg>twice",
        "registered_name": "function",
    }
    assert activations.deserialize(config) is twice
    assert activations.get("twice") is twice


def test_custom_objects():
    def thrice(x):
        return 3 * x

    assert activations.deserialize("thrice", {"thrice": thrice}) is thrice
    config = activations.serialize(thrice)
    assert activations.deserialize(config, {"thrice": thrice}) is thrice


@pytest.mark.numpy_only("shapes are found on the host")
@pytest.mark.parametrize("name", sorted(set(activations.FUNCTIONS) - {"threshold"}))
def test_an_activation_takes_symbolic_tensors_with_its_own_defaults(name: str):
    activation = activations.FUNCTIONS[name]
    inputs = layerkit.Input((4,))
    model = layerkit.Model(inputs, activation(inputs))
    x = np.linspace(-2, 2, 8, dtype="float32").reshape(2, 4)
    np.testing.assert_array_equal(model(x).numpy(), K.to_numpy(activation(x)))


@pytest.mark.numpy_only("shapes are found on the host")
def test_activations_with_options_take_symbolic_tensors():
    inputs = layerkit.Input((4,))
    outputs = activations.relu(activations.elu(inputs, 0.5), negative_slope=0.1, max_value=1.0)
    x = np.linspace(-2, 2, 8, dtype="float32").reshape(2, 4)
    expected = activations.relu(activations.elu(x, 0.5), negative_slope=0.1, max_value=1.0)
    model = layerkit.Model(inputs, outputs)
    np.testing.assert_array_equal(model(x).numpy(), expected.numpy())
