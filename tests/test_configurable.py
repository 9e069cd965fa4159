"""Configs, the registry and names."""

import json

import numpy as np
import pytest

from layerkit import configurable, initializers, layers, optimizers
from layerkit.backend import Tensor, clear_session
from layerkit.configurable import (
    Configurable,
    custom_object_scope,
    deserialize,
    get,
    register_functions,
    register_keras_serializable,
    serialize,
)
from layerkit.naming import auto_name, snake_case


class Base(Configurable):
    keras_module = "keras.things"

    def __init__(self, name=None, trainable=True):
        self.name = name
        self.trainable = trainable


class Scale(Base):
    def __init__(self, factor, kernel_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.kernel_initializer = initializers.get(kernel_initializer)


class Deeper(Scale):
    pass


def through_json(value):
    return json.loads(json.dumps(value))


def test_config_reads_the_constructors_parameters():
    config = Scale(3, name="s").get_config()
    assert list(config) == ["name", "trainable", "factor", "kernel_initializer"]
    assert config["kernel_initializer"] == {
        "module": "keras.initializers",
        "class_name": "Zeros",
        "config": {},
        "registered_name": None,
    }
    assert Deeper(3, name="s").get_config() == config


def test_round_trip():
    again = deserialize(through_json(serialize(Deeper(3, initializers.HeNormal(seed=1)))))
    assert type(again) is Deeper
    assert again.factor == 3
    assert again.kernel_initializer.seed == 1


def test_missing_attribute():
    class Forgetful(Base):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(NotImplementedError, match="(?s)Object Forgetful was created by.*'units'"):
        Forgetful(3).get_config()


def test_arguments_without_names():
    class Sized(layers.Layer):
        def __init__(self, units, *sizes):
            super().__init__()
            self.units = units

    assert Sized(3).get_config()["units"] == 3
    with pytest.raises(NotImplementedError, match="Object Sized was created by .*Give each a name"):
        Sized(3, 4).get_config()


def test_get_config_as_keras_users_write_it():
    class Own(Base):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.n = units

        def get_config(self):
            config = super().get_config()
            config.update({"units": self.n})
            return config

    assert Own(3).get_config() == {"name": None, "trainable": True, "units": 3}
    assert deserialize(serialize(Own(3))).n == 3


def test_unknown_keys():
    config = {"factor": 2, "quantization_config": None, "sparse": False, "renorm_momentum": 0.99}
    assert Scale.from_config(config).factor == 2
    with pytest.raises(
        ValueError, match="Unrecognized keyword arguments passed to Scale: {'rank': 1}"
    ):
        Scale.from_config({"factor": 2, "rank": 1})


PLAIN = [
    None,
    True,
    3,
    0.5,
    "text",
    [1, [2, None]],
    {"a": [1], "b": {"c": 2}},
    slice(1, None, 2),
    ...,
    b"bytes",
]


@pytest.mark.parametrize("value", PLAIN, ids=str)
def test_plain_values(value):
    assert deserialize(through_json(serialize(value))) == value


def test_arrays_and_tuples():
    assert serialize((1, (2, 3))) == [1, [2, 3]]
    assert serialize(np.float32(0.5)) == 0.5
    assert serialize(np.dtype("float32")) == "float32"
    assert serialize(np.arange(2)) == {
        "class_name": "__numpy__",
        "config": {"value": [0, 1], "dtype": "int64"},
    }
    again = deserialize(serialize(np.arange(2)))
    np.testing.assert_array_equal(again, [0, 1])
    again = deserialize(serialize(Tensor(np.ones(2, "float32"))))
    assert isinstance(again, Tensor)
    assert again.dtype == "float32"


def test_address_of_users_classes():
    assert serialize(Scale(1))["registered_name"] == "Scale"

    @register_keras_serializable(package="pkg")
    class Marked(Base):
        pass

    description = serialize(Marked())
    assert (description["class_name"], description["registered_name"]) == ("Marked", "pkg>Marked")
    assert type(deserialize(through_json(description))) is Marked
    assert configurable.get_registered_name(Marked) == "pkg>Marked"
    assert configurable.get_registered_object("pkg>Marked") is Marked
    assert configurable.get_registered_object("Other", {"Other": 1}, {"Other": 2}) == 1
    assert configurable.get_registered_object("Other", None, {"Other": 2}) == 2
    assert configurable.get_registered_object("Other") is None


def test_last_definition_wins():
    classes = [type("Twice", (Base,), {}) for _ in range(2)]
    description = {"module": None, "class_name": "Twice", "config": {}, "registered_name": "Twice"}
    assert type(deserialize(description)) is classes[-1]


def test_builtin_names_are_not_shadowed():
    type("HeNormal", (initializers.Initializer,), {})
    description = serialize(initializers.HeNormal(1))
    assert type(deserialize(description)) is initializers.HeNormal
    assert type(initializers.get("he_normal")) is initializers.HeNormal


def test_custom_objects_come_first():
    class Mine(initializers.Zeros):
        pass

    description = serialize(initializers.HeNormal(1)) | {"config": {}}
    assert type(deserialize(description, custom_objects={"HeNormal": Mine})) is Mine
    with custom_object_scope({"mine": Mine}):
        assert type(initializers.get("mine")) is Mine
    assert type(initializers.get("Mine")) is Mine


def test_functions():
    def plus(x):
        return x

    described = serialize(plus)
    assert described == {
        "module": "builtins",
        "class_name": "function",
        "config": "plus",
        "registered_name": "function",
    }
    with pytest.raises(TypeError, match="Could not locate function 'plus'. Make sure custom"):
        deserialize(described)
    assert deserialize(described, custom_objects={"plus": plus}) is plus
    register_keras_serializable("pkg")(plus)
    assert serialize(plus)["config"] == "pkg>plus"
    assert deserialize(serialize(plus)) is plus
    register_functions(sorted_by_name := lambda x: x)
    assert deserialize({**described, "config": sorted_by_name.__name__}) is sorted_by_name
    configurable._functions.pop(sorted_by_name.__name__)


def test_lambdas_are_refused():
    with pytest.raises(TypeError, match="A lambda cannot be saved"):
        serialize(lambda x: x)
    with pytest.raises(ValueError, match="Requested the deserialization of a Python lambda"):
        deserialize({"class_name": "__lambda__", "config": {"value": "bytes"}})


@pytest.mark.parametrize("module", ["os", "subprocess", "keras.src.utils", "layerkit.configurable"])
def test_nothing_is_imported(module):
    with pytest.raises(TypeError, match="Could not locate class 'system'. Make sure custom"):
        deserialize({"module": module, "class_name": "system", "config": {}})


def test_unknown_class_names_near_ones():
    with pytest.raises(TypeError, match="custom_objects={'HeNormale': HeNormale}.*'HeNormal'"):
        deserialize({"module": "keras.initializers", "class_name": "HeNormale", "config": {}})


@pytest.mark.parametrize(
    "module",
    ["keras.initializers", "keras.src.initializers.random_initializers", "keras.initializers.v2"],
)
def test_modules_mean_families(module):
    described = {"module": module, "class_name": "HeNormal", "config": {"seed": 2}}
    assert deserialize(described).seed == 2


def test_wrong_configs():
    with pytest.raises(TypeError, match="Expected 'config' to be a dict for HeNormal"):
        deserialize({"module": "keras.initializers", "class_name": "HeNormal", "config": 3})
    with pytest.raises(TypeError, match="Cannot serialize object"):
        serialize(object())
    with pytest.raises(ValueError, match="does not have a get_config"):
        register_keras_serializable()(type("Bare", (), {}))


def test_get_keeps_to_the_family():
    with pytest.raises(ValueError, match="Could not interpret optimizer identifier"):
        get(optimizers.Optimizer, initializers.Zeros())
    with pytest.raises(ValueError, match="Could not interpret optimizer identifier: glorot"):
        optimizers.get("glorot_uniform")


NAMES = {
    "Conv2D": "conv2d",
    "ReLU": "re_lu",
    "PReLU": "p_re_lu",
    "ELU": "elu",
    "BatchNormalization": "batch_normalization",
    "GlobalAveragePooling2D": "global_average_pooling2d",
    "RMSprop": "rm_sprop",
    "AdamW": "adam_w",
    "SimpleRNN": "simple_rnn",
    "LSTMCell": "lstm_cell",
    "StackedRNNCells": "stacked_rnn_cells",
    "ConvLSTM2D": "conv_lstm2d",
    "UpSampling2D": "up_sampling2d",
    "L1L2": "l1l2",
    "IoU": "io_u",
    "AUC": "auc",
}


@pytest.mark.parametrize("name", NAMES)
def test_snake_case(name):
    assert snake_case(name) == NAMES[name]


def test_auto_names_count():
    clear_session()
    assert [auto_name("Dense"), auto_name("Dense"), auto_name(Scale)] == [
        "dense",
        "dense_1",
        "scale",
    ]
    clear_session()
    assert auto_name("Dense") == "dense"
