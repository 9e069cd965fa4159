"""Settings of the whole process: dtypes, sessions, scopes of names, devices, what is shown."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import layerkit
from layerkit import Sequential, config, dtype_policies, layers
from layerkit import backend as K
from layerkit.callbacks import LambdaCallback
from layerkit.progress import say


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (None, "float32"),
        ("float16", "float16"),
        (np.float64, "float64"),
        (np.dtype("int8"), "int8"),
        (float, "float32"),
        (int, "int32"),
        ("int", "int32"),
        (bool, "bool"),
        (complex, "complex64"),
        ("torch.float32", "float32"),
        ("string", "string"),
    ],
)
def test_dtypes_are_named_as_in_keras(dtype, name):
    assert K.standardize_dtype(dtype) == name
    assert K.is_float_dtype(dtype) == name.startswith("float")
    assert K.is_int_dtype(dtype) == name.startswith("int")


def test_what_is_no_dtype_is_refused():
    with pytest.raises(ValueError, match="Invalid dtype: float33. Expected one of: bool, int8"):
        K.standardize_dtype("float33")
    with pytest.raises(ValueError, match="Strings take no part in arithmetic"):
        K.result_type("string", "int8")


# What Keras says on TensorFlow, where 64 bits stay 64 as they do here.
@pytest.mark.parametrize(
    ("dtypes", "result"),
    [
        ((), "float32"),
        (("int8",), "int8"),
        (("bool", "int8"), "int8"),
        (("int8", "uint8"), "int16"),
        (("uint32", "int32"), "int64"),
        (("int64", "float16"), "float16"),
        (("float16", "float32"), "float32"),
        (("float32", "float64"), "float64"),
        (("int64", "int32"), "int64"),
        (("bool", int), "int32"),
        (("int8", int), "int8"),
        (("int64", float), "float32"),
        (("float16", float), "float16"),
        ((int, float), "float32"),
        ((None, "float16"), "float32"),
        (("complex64", "float32"), "complex64"),
        (("bool", "bool"), "bool"),
    ],
)
def test_dtypes_promote_as_in_keras(dtypes, result):
    assert K.result_type(*dtypes) == result
    assert K.result_type(*reversed(dtypes)) == result


def test_bfloat16_promotes_with_float16_to_float32():
    pytest.importorskip("ml_dtypes")
    assert K.result_type("bfloat16", "float16") == "float32"
    assert K.is_float_dtype("bfloat16")


def test_a_session_counts_names_and_forgets():
    assert [K.get_uid("dense"), K.get_uid("dense"), K.get_uid()] == [1, 2, 1]
    assert layers.Dense(1).name == "dense_2"
    dtype_policies.set_dtype_policy("float16")
    K.clear_session()
    assert layers.Dense(1).name == "dense"
    assert config.dtype_policy().name == "float32"


def test_scopes_are_prefixes_of_paths():
    layer = layers.Dense(1, name="d")
    with layerkit.name_scope("outer"), layerkit.name_scope("inner"):
        assert K.Variable(1.0, name="v").path == "outer/inner/v"
        layer.build((1, 2))
    assert [w.path for w in layer.weights] == ["outer/inner/d/kernel", "outer/inner/d/bias"]
    assert K.Variable(1.0, name="v").path == "v"
    with pytest.raises(ValueError, match="cannot contain character `/`. Received: name=a/b"):
        layerkit.name_scope("a/b")


def test_a_device_is_where_arrays_are_born(device):
    for name in ("cpu", "CPU:0"):
        with layerkit.device(name):
            assert K.backend() == "numpy"
    with pytest.raises(ZeroDivisionError), layerkit.device("cpu"):
        raise ZeroDivisionError
    K.set_backend("device")
    with layerkit.device("gpu:0"):
        assert K.backend() == "device"
    with layerkit.device("cpu"):
        assert isinstance(K.ones((2,)).array, np.ndarray)
    assert K.backend() == "device"
    with pytest.raises(ValueError, match="invalid device name.*device_name='gpu:1'"):
        layerkit.device("gpu:1").__enter__()


def test_without_interactive_logging_lines_go_to_the_log(caplog, capsys):
    assert config.is_interactive_logging_enabled()
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    config.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, "layerkit"):
            callback = LambdaCallback(on_epoch_end=lambda epoch, logs: say("told"))
            model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=1, callbacks=[callback])
    finally:
        config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    told, line = (record.message for record in caplog.records)
    assert told == "told" and line.startswith("Epoch 1/1 - ") and "loss: " in line


def test_switches_that_have_nothing_to_switch_say_so():
    config.disable_traceback_filtering()
    assert not config.is_traceback_filtering_enabled()
    with pytest.warns(UserWarning, match="does not filter tracebacks"):
        config.enable_traceback_filtering()
    with pytest.warns(UserWarning, match="never runs code of a file"):
        config.enable_unsafe_deserialization()


def test_a_policy_casts_floats_alone():
    policy = dtype_policies.FloatDTypePolicy("mixed_float16")
    assert policy == dtype_policies.DTypePolicy("mixed_float16") and not policy.quantization_mode
    x = np.ones(2, "float32")
    assert policy.convert_input(x, True, "float16").dtype == "float16"
    assert policy.convert_input(x, False, "float16") is x
    assert policy.convert_input(np.ones(2, "int32"), True, "float16").dtype == "int32"
    assert policy.convert_input("text", True, "float16") == "text"


def test_version():
    assert layerkit.version() == layerkit.__version__


def test_a_model_goes_round_as_json():
    model = Sequential([layers.Input((3,)), layers.Dense(2, activation="relu", name="d")])
    again = layerkit.models.model_from_json(model.to_json(indent=1))
    assert again.get_config() == model.get_config()
    assert again.layers[0].kernel.shape == (3, 2)

    class Odd(layers.Dense):
        pass

    text = Sequential([layers.Input((3,)), Odd(2)]).to_json()
    assert type(layerkit.models.model_from_json(text, {"Odd": Odd}).layers[0]) is Odd
