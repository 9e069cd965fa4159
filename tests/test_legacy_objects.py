"""Keras 2's descriptions of objects, which say a class's name and config, and no module."""

from __future__ import annotations

import json

import pytest

from layerkit import initializers, layers, legacy, losses, models, utils
from layerkit.layers import Dense, Layer
from layerkit.utils.legacy import deserialize_keras_object, serialize_keras_object


class Holder(Layer):
    """Its config holds objects, as those of Keras 2's users did."""

    def __init__(self, inner=None, function=None, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.function, self.factor = inner, function, factor

    def get_config(self):
        return {
            "name": self.name,
            "inner": self.inner,
            "function": self.function,
            "factor": self.factor,
            "nothing": None,
            "list": [1, 2],
        }

    @classmethod
    def from_config(cls, config):
        kept = {key: config[key] for key in ("name", "inner", "function", "factor")}
        return cls(**kept)


def double(x):
    return 2 * x


def test_classes_and_functions_that_are_missing_are_named_in_one_error():
    kinds = [
        {"class_name": "MineAlone", "config": {"name": "m", "batch_input_shape": [None, 2]}},
        {"class_name": "Dense", "config": {"name": "d", "units": 1, "activation": "my_swish"}},
        {"class_name": "LSTM", "config": {"name": "l", "units": 1, "activation": "my_tanh"}},
    ]
    text = json.dumps({"class_name": "Sequential", "config": kinds, "keras_version": "2.3.1"})
    message = (
        r"Could not locate class 'MineAlone', nor 'my_swish', 'my_tanh'\. .*or pass "
        "custom_objects={'MineAlone': MineAlone, 'my_swish': my_swish, 'my_tanh': my_tanh}"
    )
    with pytest.raises(TypeError, match=message):
        models.model_from_json(text)
    with pytest.raises(TypeError, match="Could not locate function 'my_swish', nor 'my_tanh'"):
        models.model_from_json(text, custom_objects={"MineAlone": Dense})


def test_what_keras_gives_for_the_same_objects():
    """Read off Keras 3.15.1: `keras.legacy.saving.serialize_keras_object` of these."""
    described = serialize_keras_object(initializers.Constant(3.0))
    assert described == {"class_name": "Constant", "config": {"value": 3.0}}
    assert serialize_keras_object(None) is None
    assert serialize_keras_object(double) == "double"
    scale = Holder(initializers.Zeros(), double, name="double")
    assert serialize_keras_object(scale) == {
        "class_name": "Holder",
        "config": {
            "name": "double",
            "inner": {"class_name": "Zeros", "config": {}, "__passive_serialization__": True},
            "function": "double",
            "factor": 2.0,
            "nothing": None,
            "list": [1, 2],
        },
    }


def test_objects_come_back():
    scale = Holder(initializers.Constant(3.0), double, 5.0, name="double")
    described = serialize_keras_object(scale)
    there = {"Holder": Holder, "Constant": initializers.Constant}
    again = deserialize_keras_object(described, there, {"double": double})
    assert (again.name, again.factor, again.function) == ("double", 5.0, double)
    assert again.inner.value == 3.0
    assert described == serialize_keras_object(again)


def test_a_layer_comes_back():
    dense = Dense(3, "relu", name="d")
    described = serialize_keras_object(dense)
    assert described["class_name"] == "Dense"
    again = deserialize_keras_object(described, vars(layers))
    assert again.get_config() == dense.get_config()


def test_names_and_functions():
    there = {"Zeros": initializers.Zeros, "double": double}
    assert isinstance(deserialize_keras_object("Zeros", there), initializers.Zeros)
    assert deserialize_keras_object("double", there) is double
    assert deserialize_keras_object(double) is double
    assert deserialize_keras_object(None) is None
    with utils.custom_object_scope({"double": double}):
        assert deserialize_keras_object("double") is double
    made = {"class_name": "make", "config": {"delta": 2.0}}
    assert deserialize_keras_object(made, {"make": losses.Huber}).delta == 2.0
    twice = {"class_name": "twice", "config": {"x": 4}}
    assert deserialize_keras_object(twice, {"twice": lambda x: 2 * x}) == 8


def test_all_names_are_the_same_functions():
    assert legacy.saving.serialize_keras_object is serialize_keras_object
    assert legacy.saving.deserialize_keras_object is utils.legacy.deserialize_keras_object


REFUSED = [
    (lambda: serialize_keras_object(3), "Cannot serialize 3 because it doesn't implement"),
    (lambda: deserialize_keras_object({"config": {}}), "Improper config format for"),
    (
        lambda: deserialize_keras_object("Nothing", printable_module_name="layer"),
        "Unknown layer: 'Nothing'. Please ensure you are using",
    ),
    (
        lambda: deserialize_keras_object({"class_name": "Nothing", "config": {}}),
        "Unknown object: 'Nothing'",
    ),
    (lambda: deserialize_keras_object(3), "Could not interpret serialized object: 3"),
]


@pytest.mark.parametrize("act, message", REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()
