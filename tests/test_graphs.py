"""Graphs of any shape: deep ones, models inside models inside models, and their files."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

import layerkit
from layerkit import Input, Model, Sequential, layers, ops
from layerkit import backend as K
from layerkit.models import clone_model, model_from_json
from layerkit.saving import register_keras_serializable

X = np.arange(12, dtype="float32").reshape(4, 3)
W = np.array([1, 2, 3], "float32")


def doubled(inputs, outputs) -> Model:
    """A model, inside another one."""
    inner = Model(inputs, outputs)
    return Model(x := Input((3,)), inner(x) * 2)


# Called once more, on other symbolic tensors.


def test_a_model_in_a_model_is_called_again():
    outer = doubled(x := Input((3,)), layers.Dense(2)(x))
    assert outer(Input(batch_shape=(4, 3))).shape == (4, 2)
    assert outer.compute_output_shape((5, 3)) == (5, 2)
    assert Sequential([Input((3,)), outer]).output_shape == (None, 2)
    assert Sequential([outer]).compute_output_spec(Input((3,))).shape == (None, 2)
    np.testing.assert_array_equal(Model(y := Input((3,)), outer(y))(X).numpy(), outer(X).numpy())


def test_so_is_one_of_dicts():
    a, b = Input((3,), name="b"), Input((3,), name="a")
    inner = Model({"b": a, "a": b}, {"o": a - 2 * b, "p": b})
    c, d = Input((3,)), Input((3,))
    outer = Model([c, d], inner({"b": c, "a": d}))
    outputs = Model(x := Input((3,)), outer([x, x + 1]))(X)
    np.testing.assert_array_equal(outputs["o"].numpy(), X - 2 * (X + 1))
    np.testing.assert_array_equal(outputs["p"].numpy(), X + 1)


# Operations in files: their tensors come in order, also where options stand between.

OPERATIONS = {
    "average": lambda x: ops.average(x, axis=1, weights=ops.abs(x) + 1),
    "average of all": lambda x: ops.average(x, weights=ops.abs(x) + 1),
    "pad": lambda x: ops.pad(x, [[0, 0], [1, 1]], constant_values=3.0),
    "batch_normalization": lambda x: ops.batch_normalization(x, W, W, -1, offset=W, scale=W),
    "without offset": lambda x: ops.batch_normalization(x, W, W, axis=-1, scale=W),
    "einsum": lambda x: ops.einsum("bi,bj->bij", x, x + 1),
    "meshgrid": lambda x: ops.meshgrid(x[0], x[1], indexing="ij"),
    "linspace": lambda x: ops.linspace(x, x + 1, 4),
    "attention": lambda x: ops.dot_product_attention(
        *[x[:, :, None, None]] * 3, mask=(x > 2)[:, None, None, :]
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_come_back(name: str):
    x = Input((3,))
    model = Model(x, OPERATIONS[name](x))
    again = model_from_json(model.to_json())
    for made in (again, clone_model(again), model_from_json(again.to_json())):
        for expected, got in zip(K.tree.flatten(model(X)), K.tree.flatten(made(X)), strict=True):
            np.testing.assert_array_equal(got.numpy(), expected.numpy())


def test_keras_s_layer_normalization_comes_back():
    model = Model(x := Input((3,)), ops.layer_normalization(x, W, W))
    config = json.loads(model.to_json())
    config["config"]["layers"][1]["config"]["rms_scaling"] = False
    np.testing.assert_array_equal(model_from_json(json.dumps(config))(X).numpy(), model(X).numpy())
    config["config"]["layers"][1]["config"]["rms_scaling"] = True
    with pytest.raises(TypeError, match="rms_scaling"):
        model_from_json(json.dumps(config))


# Options of calls in files.


@register_keras_serializable()
class Scaled(layers.Layer):
    """By 2, by 3 where told None."""

    def call(self, x, twice=True):
        return x * 3 if twice is None else x * 2


def test_none_as_an_option_comes_back():
    model = Model(x := Input((3,)), Scaled()(x, twice=None))
    np.testing.assert_array_equal(model_from_json(model.to_json())(X).numpy(), 3 * X)


@register_keras_serializable()
class Told(layers.Layer):
    """By the second item of a list that looks like an address in files of Keras 2."""

    def call(self, x, what):
        return x * what[1]


def test_a_list_as_an_option_is_no_address():
    model = Model(x := Input((3,)), Told()(x, ["times", 2, 3]))
    np.testing.assert_array_equal(model_from_json(model.to_json())(X).numpy(), 2 * X)


def test_training_false_of_a_layer_comes_back():
    model = Model(x := Input((3,)), layers.BatchNormalization()(x, training=False))
    for made in (model, model_from_json(model.to_json())):
        made(X, training=True)
        np.testing.assert_array_equal(made.layers[1].moving_mean.numpy(), np.zeros(3))


@pytest.mark.parametrize("layer", [layers.RandomFlip("horizontal"), layers.GaussianNoise(1.0)])
def test_keras_s_default_of_training_is_nobody_s_wish(layer):
    config = json.loads(Model(x := Input((4, 4, 1)), layer(x)).to_json())
    default = isinstance(layer, layers.RandomFlip)
    config["config"]["layers"][1]["inbound_nodes"][0]["kwargs"] = {"training": default}
    model, images = model_from_json(json.dumps(config)), np.random.rand(64, 4, 4, 1)
    images = images.astype("float32")
    np.testing.assert_array_equal(model(images, training=False).numpy(), images)
    assert (model(images, training=True).numpy() != images).any()


# Deep graphs.


def test_a_layer_that_is_shared_between_many_others():
    """Each pass over the config lets two more calls be made."""
    dense, x = layers.Dense(3), Input((3,))
    y = x
    for _ in range(60):
        y = layers.Activation("relu")(dense(y))
    model = Model(x, y)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(X).numpy(), model(X).numpy())


def pickled(model):
    return pickle.loads(pickle.dumps(model))


numpy_only = pytest.mark.numpy_only("arrays of the stand-in for CuPy cannot be pickled")


@pytest.mark.parametrize("copied", [copy.deepcopy, pytest.param(pickled, marks=numpy_only)])
def test_deep_graphs_are_copied(copied):
    y = x = Input((3,))
    for _ in range(300):
        y = layers.Activation("relu")(y)
    model = Model(x, layers.Dense(2)(y))
    model.compile("sgd", "mse")
    again = copied(model)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    again.fit(X, X[:, :2], verbose=0)
    assert (again.get_weights()[0] != model.get_weights()[0]).any()


# Masks.


@pytest.mark.parametrize(
    "make", [lambda x, layer: Model(x, layer(x)), lambda x, m: Sequential([m])]
)
def test_a_mask_that_is_given_is_not_left_on_the_caller_s_tensor(make):
    model = make(Input((3, 2)), layers.SimpleRNN(2))
    x = ops.ones((2, 3, 2))
    plain = model(x).numpy()
    masked = model(x, mask=np.array([[True, True, False]] * 2)).numpy()
    assert (plain != masked).any()
    np.testing.assert_array_equal(model(x).numpy(), plain)


def test_a_sequential_hands_masks_on_and_does_not_warn():
    inner = Sequential([layers.SimpleRNN(2, return_sequences=True), layers.Activation("relu")])
    x = layers.Embedding(9, 3, mask_zero=True)(start := Input((4,)))
    y = Model(start, inner(x))(np.array([[1, 2, 0, 0]]))
    np.testing.assert_array_equal(y._keras_mask.numpy(), [[True, True, False, False]])


# The rest.


def test_a_clone_on_a_computed_tensor_keeps_its_dtype():
    model = Sequential([layers.Embedding(5, 3)])
    tensor = Input((4,), dtype="int32") + 1
    assert clone_model(model, input_tensors=tensor).input.dtype == "int32"


@pytest.mark.parametrize("shape", [[(None, 3), (None, 3)], {0: (None, 3), 1: (None, 3)}])
def test_models_of_several_inputs_are_built_from_their_shapes(shape):
    class Sum(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, both):
            return self.dense(both[0]) + self.dense(both[1])

    model = Sum()
    model.build(shape)
    assert [w.shape for w in model.weights] == [(3, 2), (2,)]


def test_a_regularizer_that_raises_leaves_no_call_open():
    def broken(y):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        layers.Dense(2, activity_regularizer=broken)(X)
    with pytest.raises(ValueError, match="can only be called from inside"):
        layers.Dense(2).add_loss(1.0)


def test_a_batch_size_without_a_shape_is_no_argument():
    assert layers.Dense(3, batch_size=5, input_shape=(2,)).batch_input_shape == (5, 2)
    with pytest.raises(ValueError, match="Unrecognized keyword arguments passed to Dense"):
        layers.Dense(3, batch_size=5)


@pytest.mark.parametrize("given", [{}, {"name": "dense", "index": 0}])
def test_get_layer_takes_a_name_or_an_index(given):
    model = layerkit.Sequential([layers.Dense(2, name="dense")])
    with pytest.raises(ValueError, match="Provide either a layer name or a layer index"):
        model.get_layer(**given)
