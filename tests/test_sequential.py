"""Sequential and Layer: building, names, weights, configs."""

from __future__ import annotations

import numpy as np
import pytest

import layerkit
from layerkit import backend as K
from layerkit import layers


def test_weights_are_made_at_once_with_an_input_and_on_data_without():
    ready = layerkit.Sequential([layers.Input((4,)), layers.Dense(3)])
    assert ready.built and [w.shape for w in ready.weights] == [(4, 3), (3,)]
    old_way = layerkit.Sequential([layers.Dense(3, input_shape=(4,))])
    assert old_way.built and old_way.input_shape == (None, 4)
    older_way = layerkit.Sequential([layers.Dense(3, input_dim=4)])
    assert older_way.built and older_way.output_shape == (None, 3)
    deferred = layerkit.Sequential([layers.Dense(3)])
    assert not deferred.built and deferred.weights == []
    assert deferred(np.zeros((2, 5), "float32")).shape == (2, 3)
    assert deferred.built and deferred.input_shape == (None, 5)


def test_build_add_and_pop():
    model = layerkit.Sequential()
    model.add(layers.Dense(3))
    model.build((None, 4))
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2) and len(model.weights) == 4
    assert model.pop().name == "dense_1"
    assert model.output_shape == (None, 3) and len(model.weights) == 2


def test_names_count_up_and_start_again():
    assert [layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]
    layerkit.utils.clear_session()
    assert layers.Dense(1).name == "dense"
    assert layers.Conv2D(1, 1).name == "conv2d"


def test_nested_models_share_everything():
    inner = layerkit.Sequential([layers.Dense(3), layers.BatchNormalization()])
    outer = layerkit.Sequential([layers.Input((4,)), inner, layers.Dense(2)])
    assert len(outer.weights) == 8 and len(outer.trainable_weights) == 6
    inner.trainable = False
    assert len(outer.trainable_weights) == 2


def test_config_round_trip():
    model = layerkit.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(2, 3, padding="same"),
            layers.Flatten(),
            layers.Dense(2),
        ],
        name="net",
    )
    twin = layerkit.Sequential.from_config(model.get_config())
    assert twin.get_config() == model.get_config()
    twin.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(3, 6, 6, 1))
    np.testing.assert_array_equal(model.predict(x, verbose=0), twin.predict(x, verbose=0))


class Scale(layers.Layer):
    """A user's layer, as the README shows it."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, inputs):
        return self.factor * self.scale * inputs


def test_a_users_layer():
    model = layerkit.Sequential([layers.Input((3,)), Scale(2.0), layers.Dense(1)])
    assert model.output_shape == (None, 1)
    np.testing.assert_array_equal(model.layers[0](np.ones((2, 3))), np.full((2, 3), 2.0))
    config = model.layers[0].get_config()
    assert config == {"name": "scale", "trainable": True, "dtype": "float32", "factor": 2.0}
    assert Scale.from_config(config).factor == 2.0
    assert model.layers[0].scale.path == "sequential/scale/scale"


class Cropped(layers.Layer):
    def call(self, inputs):
        return K.reshape(inputs[:, 1:-1], (-1, inputs.shape[1] - 2, 4))


def test_output_shapes_without_a_formula_come_from_a_run():
    assert Cropped().compute_output_shape((None, 7, 4)) == (None, 5, 4)
    assert Cropped().compute_output_shape((None, None, 4)) == (None, None, 4)
    assert Cropped().compute_output_shape((3, 7, 4)) == (3, 5, 4)


def test_a_layer_that_forgot_super():
    class Forgetful(layers.Layer):
        def __init__(self):
            self.units = 3

        def call(self, inputs):
            return inputs

    with pytest.raises(RuntimeError, match=r"you forgot to call `super\(\).__init__\(\)`"):
        Forgetful()(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Dense(3, unit=4), "Unrecognized keyword arguments passed to Dense"),
        (lambda: layers.Dense(3, activaton="relu"), "Did you mean 'activation'"),
        (lambda: layers.Dense("3"), "Received: units='3'"),
        (
            lambda: layers.Dense(3, dtype="float31"),
            "Cannot convert 'float31' to a mixed",
        ),
        (lambda: layers.Dense(3, name="a/b"), "cannot contain character `/`"),
        (lambda: layers.Dense(3).count_params(), "the layer isn't built"),
        (lambda: layers.Input((-1,)), "to a shape"),
        (lambda: layers.InputLayer(), "You must pass a `shape` argument"),
        (lambda: layers.InputLayer((1,), batch_shape=(1, 1)), "cannot pass both"),
    ],
)
def test_layer_errors(make, words):
    with pytest.raises(ValueError) as caught:
        make()
    assert words in str(caught.value)


def test_float64_layers_compute_in_float64():
    layer = layers.Dense(2, dtype="float64")
    assert layer(np.ones((1, 3), "float32")).dtype == np.float64
    assert layers.Dense(2)(np.ones((1, 3))).dtype == np.float32


def test_setting_weights_checks_every_shape_first():
    layer = layers.Dense(2)
    layer.build((None, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"\(2,\).*\(5,\)"):
        layer.set_weights([np.ones((3, 2)), np.ones(5)])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])
