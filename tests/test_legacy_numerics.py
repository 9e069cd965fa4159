"""What the names of old files computed, where golden files do not show it, and what is refused."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from layerkit import Input, Model, Sequential, initializers, layers, models, ops, optimizers
from layerkit.optimizers import LossScaleOptimizer, Nadam
from layerkit.saving.legacy import tensorflow_nodes, tensorflow_operations
from layerkit.saving.legacy.configs import modern, modern_model
from layerkit.saving.legacy.origin import origin_named
from layerkit.saving.legacy.training import modern_optimizer
from layerkit.saving.optimizer_variables import matched
from layerkit.saving.walk import walk
from layerkit.symbolic import is_operation

pytestmark = pytest.mark.numpy_only("files hold no backend")

TF1 = origin_named("2.2.4-tf", "tensorflow")
TF2 = origin_named("2.12.0", "tensorflow")


def graph(*entries, output):
    """A functional model of tf.keras: an Input 'x' of (None, 4), then these layers."""
    x = {
        "class_name": "InputLayer",
        "name": "x",
        "config": {"batch_input_shape": [None, 4], "dtype": "float32", "name": "x"},
        "inbound_nodes": [],
    }
    config = {"name": "m", "layers": [x, *entries]}
    config |= {"input_layers": [["x", 0, 0]], "output_layers": [[output, 0, 0]]}
    return {"class_name": "Functional", "config": config}


def node(operation, *inputs, constants=None, **attributes):
    described = {"name": "n", "op": operation, "attr": attributes}
    config = {"name": "n", "node_def": described, "constants": constants or {}}
    called = [[name, 0, 0, {}] for name in inputs or ("x",)]
    return {
        "class_name": "TensorFlowOpLayer",
        "name": "n",
        "config": config,
        "inbound_nodes": [called],
    }


def function(name, arguments=None, address="x", called="n"):
    return {
        "class_name": "TFOpLambda",
        "name": called,
        "config": {"name": called, "function": name},
        "inbound_nodes": [[address, 0, 0, arguments or {}]],
    }


def made(description, origin=TF2):
    return models.model_from_json(_json(modern_model(description, origin)))


def _json(config):
    import json

    return json.dumps(config)


def test_every_operation_that_tables_name_is_there():
    names = [name for name, _ in tensorflow_operations._OPERATIONS.values()]
    names += tensorflow_nodes._ELEMENTWISE.values()
    names += tensorflow_nodes._REDUCTIONS.values()
    names = {name for name in names if name != "squared_difference"}
    assert not [n for n in names if not is_operation("".join(p.capitalize() for p in n.split("_")))]


BATCH = {"s": "TkNIVw=="}  # NCHW
REFUSED = [
    (node("Qr"), "'n' calls TensorFlow's operation 'Qr', for which layerkit has no operation"),
    (node("BiasAdd", constants={"1": [0.0]}, data_format=BATCH), "with data_format='NCHW'; layer"),
    (node("GatherV2", "x", "x", "x"), "'GatherV2' with input 2 computed by layer 'x'; layerkit"),
    (node("OneHot", constants={"1": 3, "2": 5.0, "3": 0.0}), "with the values 5.0 and 0.0"),
    ({**node("Relu"), "config": {"name": "n", "node_def": "CgE="}}, "its node_def must be a dict"),
    (function("linalg.qr"), "'n' calls TensorFlow's function 'linalg.qr', for which layerkit has"),
    (function("math.cumsum", {"reverse": True}), "'math.cumsum' with reverse=True, which layer"),
    (function("compat.v1.shape"), "calls TensorFlow's function 'shape', for which layerkit has"),
]


@pytest.mark.parametrize("entry, message", REFUSED, ids=[message for _, message in REFUSED])
def test_functions_of_tensorflow_that_are_refused(entry, message):
    with pytest.raises(ValueError, match=message):
        modern_model(graph(entry, output="n"), TF2)


X = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
SAID = [
    (node("MatMul", "x", "x", transpose_a={"b": True}), X.T @ X),
    (node("Sum", constants={"1": [1]}, keep_dims={"b": True}), X.sum(1, keepdims=True)),
    (node("SplitV", constants={"1": [1, 3], "2": 1}), X[:, :1]),
    (
        node("MirrorPad", constants={"1": [[0, 0], [1, 0]]}, mode={"s": "UkVGTEVDVA=="}),
        np.pad(X, [[0, 0], [1, 0]], "reflect"),
    ),
    (node("Squeeze", squeeze_dims={"list": {}}), X),
    (node("ClipByValue", constants={"1": -0.5, "2": 0.5}), X.clip(-0.5, 0.5)),
    (function("math.argmax"), X.argmax(0)),
    (function("nn.gelu"), None),
    (function("slice", {"begin": [0, 1], "size": [-1, 2]}), X[:, 1:3]),
    (function("math.squared_difference", {"y": 1.0}), (X - 1) ** 2),
    (function("sort", {"axis": -1, "direction": "ASCENDING"}), np.sort(X, -1)),
    (
        {
            **function("math.accumulate_n"),
            "inbound_nodes": [[["x", 0, 0, {}], ["x", 0, 0, {}]]],
        },
        2 * X,
    ),
]


@pytest.mark.parametrize("entry, expected", SAID, ids=range(len(SAID)))
def test_functions_of_tensorflow(entry, expected):
    found = np.asarray(made(graph(entry, output="n"))(X))
    if expected is None:
        expected = ops.gelu(X, approximate=False)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_sizes_for_reshape_are_left_out():
    entries = [
        function("compat.v1.shape", called="s"),
        {
            **function("", {"slice_spec": 0}, "s", "size"),
            "class_name": "SlicingOpLambda",
            "config": {"name": "size", "function": "__operators__.getitem"},
        },
        function("reshape", {"shape": [["size", 0, 0], 2, 2]}),
    ]
    model = made(graph(*entries, output="n"))
    assert [layer.name for layer in model.layers] == ["x"]
    assert model.predict(X, verbose=0).shape == (3, 2, 2)
    entries.append(function("math.add", {"y": 1}, "size", "more"))
    with pytest.raises(ValueError, match="'shape', for which layerkit has no operation"):
        modern_model(graph(*entries, output="more"), TF2)


def test_names_with_slashes():
    config = {"name": "a/b", "units": 2}
    entry = {"class_name": "Dense", "name": "a/b", "config": config}
    entry["inbound_nodes"] = [[["x", 0, 0, {}]]]
    assert made(graph(entry, output="a/b")).layers[-1].name == "a_b"


MALFORMED = [
    ({"layers": None}, ValueError, "Expected the layers of a model to be a list. Received: None"),
    ({"layers": [7]}, ValueError, "Expected layer 0 of a model to be a dict .* Received: 7"),
    (
        {"layers": [{"class_name": ["Dense"], "config": {}}]},
        ValueError,
        r"Expected layer 0 of a model to be a dict .* Received: {'class_name': \['Dense'\]",
    ),
    (
        {"layers": [{"class_name": "Dense", "config": {"name": "d", "kernel_constraint": {}}}]},
        ValueError,
        r"expected a config .* is missing, or of another kind \(KeyError: 'name'\)",
    ),
    (
        {"layers": [{"class_name": "Dense", "config": {"name": "d"}}]},
        TypeError,
        r"'the architecture' .*: expected a config .*\(TypeError: .* 'units'\)",
    ),
]


@pytest.mark.parametrize(("config", "kind", "message"), MALFORMED)
def test_malformed_configs_say_what_was_expected(config, kind, message):
    with pytest.raises(kind, match=message):
        models.model_from_json(_json({"class_name": "Sequential", "config": config}))


def test_classes_of_modern_configs_have_names():
    config = {"class_name": "Sequential", "module": "keras", "config": {"layers": []}}
    config["config"]["layers"] = [{"class_name": ["Dense"], "module": "keras", "config": {}}]
    with pytest.raises(TypeError, match=r"Expected 'class_name' to be the name of a class"):
        models.model_from_json(_json(config))


TRAININGS = [
    ([7], "TypeError: cannot convert dictionary"),
    ({"optimizer_config": {"class_name": "Adam"}, "loss": "mse"}, "KeyError: 'config'"),
    (
        {"optimizer_config": {"class_name": "LossScaleOptimizer", "config": None}},
        "TypeError: 'NoneType' object is not iterable",
    ),
]


@pytest.mark.parametrize(("training", "why"), TRAININGS)
def test_models_load_without_malformed_training_configurations(tmp_path, training, why):
    model = models.Sequential([Input((4,)), layers.Dense(2)])
    model.compile("adam", "mse")
    model.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file.attrs["training_config"] = json.dumps(training)
    with pytest.warns(UserWarning, match=f"without its training configuration: .*{why}") as told:
        again = models.load_model(tmp_path / "a.h5")
    assert told[0].filename == __file__ and again.optimizer is None
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_what_a_users_class_raises_stays_as_it_is():
    def from_config(config):
        raise KeyError("mine")

    own = type("Own", (layers.Layer,), {"from_config": from_config})
    config = {"layers": [{"class_name": "Own", "config": {"name": "own"}}]}
    with pytest.raises(ValueError, match="can be made: KeyError: 'mine'"):
        models.model_from_json(
            _json({"class_name": "Sequential", "config": config}), custom_objects={"Own": own}
        )


# (rows and columns of the image, of the result), what TensorFlow 2.4 predicts of arange ** 1.5
CROPS = [
    ((4, 6), (2, 2), [[8.5543003, 14.4130001], [61.9070015, 74.0386963]]),
    (
        (7, 5),
        (3, 4),
        [
            [23.9861393, 29.4864197, 35.3650284, 41.5979614],
            [58.8329010, 66.2847977, 74.0145035, 82.0126419],
            [104.5537109, 113.4933929, 122.6665497, 132.0674896],
        ],
    ),
]


@pytest.mark.parametrize(("before", "after", "expected"), CROPS)
def test_random_crops_before_tf_keras_2_7(before, after, expected):
    height, width = after
    image = (np.arange(np.prod(before), dtype="float32") ** 1.5).reshape(1, *before, 1)
    crop = {"name": "c", "height": height, "width": width, "batch_input_shape": [None, *before, 1]}
    config = {"name": "m", "layers": [{"class_name": "RandomCrop", "config": crop}]}
    described = {"class_name": "Sequential", "config": config, "keras_version": "2.4.0"}
    model = models.model_from_json(_json(described))
    np.testing.assert_allclose(model.predict(image, verbose=0)[0, ..., 0], expected, rtol=1e-5)
    assert "before 2.7, which in predictions resized" in model.file_notes[0]
    trained = np.asarray(model(image, training=True))
    assert set(trained.ravel()) <= set(image.ravel())
    later = models.model_from_json(_json({**described, "keras_version": "2.7.0"}))
    assert type(later.layers[-1]) is layers.RandomCrop


def test_weights_of_layers_with_time_first_have_the_paths_of_the_layer(tmp_path):
    recurrent = {"name": "r", "units": 2, "time_major": True, "return_sequences": True}
    inputs = {"batch_input_shape": [3, 4, 2], "name": "x"}
    described = [
        {"class_name": "InputLayer", "config": inputs},
        {"class_name": "LSTM", "config": {**recurrent, "name": "first"}},
        {"class_name": "LSTM", "config": {"name": "second", "units": 2, "time_major": False}},
    ]
    config = {"name": "m", "layers": described}
    old = {"class_name": "Sequential", "config": config, "keras_version": "2.12.0"}
    model, other = (models.model_from_json(_json(old)) for _ in range(2))
    path = str(tmp_path / "a.weights.h5")
    model.save_weights(path)
    assert [p for p in dict(walk(model)) if p.endswith("cell")] == [
        "layers/lstm/cell",
        "layers/lstm_1/cell",
    ]
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_states_with_time_first_are_refused():
    config = {"name": "r", "units": 2, "time_major": True, "return_state": True}
    entry = {"class_name": "LSTM", "name": "r", "config": config}
    with pytest.raises(ValueError, match=r"Layer 'r' \(LSTM\) has time_major=True and states"):
        modern_model(graph({**entry, "inbound_nodes": [[["x", 0, 0, {}]]]}, output="r"), TF2)


def test_nadam_of_old_files_keeps_its_momenta():
    config = {"lr": 0.1, "schedule_decay": 0.004, "beta_1": 0.9}
    old = optimizers.deserialize(
        modern_optimizer({"class_name": "Nadam", "config": config}, origin_named("2.2.4"))
    )
    assert old.get_config()["decay"] == 0.004
    again = Nadam.from_config(old.get_config())
    weights = [layers.Dense(1, name="d") for _ in range(3)]
    for layer in weights:
        layer.build((None, 1))
    new = Nadam(0.1)
    for optimizer, layer in zip((old, again, new), weights, strict=True):
        layer.kernel.assign([[1.0]])
        for _ in range(3):
            optimizer.apply([np.float32([[0.5]])], [layer.kernel])
    assert float(old._u_product) == float(again._u_product) != float(new._u_product)
    kernels = [float(layer.kernel[0, 0]) for layer in weights]
    assert kernels[0] == kernels[1] != kernels[2]
    product = float(old._u_product)
    old._u_product.assign(1.0)
    old.restore_product()
    assert float(old._u_product) == pytest.approx(product, rel=1e-6)


def test_which_stored_numbers_are_which():
    number, slot = np.zeros(()), np.ones(3)
    own = [number, number, slot, slot, number]
    assert matched(own, [number, slot, slot])[1::3] == [None, None]
    assert matched(own, [number, slot, slot, number])[1] is None
    assert matched(own, own) is not None
    assert matched(own, [number, number, number, slot]) is None


SCALES = [
    {"inner_optimizer": {"class_name": "SGD", "config": {"lr": 0.1}}, "initial_scale": 8.0},
    {
        "optimizer": {"class_name": "SGD", "config": {"lr": 0.1}},
        "loss_scale": {
            "class_name": "DynamicLossScale",
            "config": {"initial_loss_scale": 8.0, "increment_period": 5, "multiplier": 2.0},
        },
    },
]
FIXED = [
    {**SCALES[0], "dynamic": False, "dynamic_growth_steps": None},
    {
        "optimizer": {"class_name": "SGD", "config": {"lr": 0.1}},
        "loss_scale": {"class_name": "FixedLossScale", "config": {"loss_scale_value": 8.0}},
    },
]


@pytest.mark.parametrize("config", SCALES + FIXED)
def test_scaled_losses(config):
    described = {"class_name": "LossScaleOptimizer", "config": config}
    optimizer = optimizers.deserialize(modern_optimizer(described, TF2), None)
    if config in FIXED:
        assert optimizer.loss_scale_factor == 8.0
    else:
        assert isinstance(optimizer, LossScaleOptimizer)
        assert optimizer.initial_scale == 8.0
        assert float(optimizer.inner_optimizer.learning_rate) == np.float32(0.1)


def test_reshape_where_nobody_knows_how_many():
    x = Input((3, 4))
    y = ops.reshape(ops.reshape(x, (-1, 4)), (-1, 3, 4))
    assert y.shape == (None, 3, 4)
    values = np.ones((2, 3, 4), "float32")
    np.testing.assert_array_equal(Model(x, y).predict(values, verbose=0), values)


def one_layer(class_name, shape=(4, 2), **config):
    """A functional model of tf.keras that is one layer."""
    entry = {"class_name": class_name, "name": "n", "config": {"name": "n", **config}}
    described = graph({**entry, "inbound_nodes": [[["x", 0, 0, {}]]]}, output="n")
    described["config"]["layers"][0]["config"]["batch_input_shape"] = [None, *shape]
    return described


def test_causal_separable_convolutions():
    config = {"filters": 2, "kernel_size": [2], "dilation_rate": [2], "padding": "causal"}
    model = made(one_layer("SeparableConv1D", data_format="channels_last", **config))
    shapes = [w.shape for w in model.get_weights()]
    model.set_weights([np.sin(np.arange(1, np.prod(s) + 1)).reshape(s) for s in shapes])
    found = model.predict(np.cos(np.arange(8)).reshape(1, 4, 2).astype("float32"), verbose=0)
    expected = [[0.902515, 1.347076], [0.897785, 0.288879], [1.510962, 1.381223]]
    np.testing.assert_allclose(found[0], [*expected, [0.453274, 1.827162]], atol=1e-5)  # of 2.12
    assert model.layers[-1].name == "n"


def test_hashing_gives_whole_numbers_whatever_its_dtype():
    model = made(one_layer("Hashing", (1,), num_bins=3, dtype="float32"))
    assert model.layers[-1].output.dtype == "int64"


# What real Kerases made of LINE in two steps with epsilon beside the root.
BESIDE = [
    ("2.3.1", "RMSprop", {"rho": 0.7, "epsilon": 0.1}, [0.52445489, -0.22260724, 0.1509543]),
    ("2.3.1", "Adagrad", {"epsilon": 0.5}, [0.51064444, -0.23725562, 0.13592388]),
    (
        "2.4.0",
        "RMSprop",
        {"rho": 0.7, "epsilon": 0.1, "centered": True},
        [0.5289858, -0.21630298, 0.15671791],
    ),
]


@pytest.mark.parametrize(("version", "name", "options", "expected"), BESIDE)
def test_large_epsilons_stay_beside_the_root(version, name, options, expected, tmp_path):
    origin = origin_named(version)
    described = {"class_name": name, "config": {"lr": 0.01, "name": name, **options}}
    optimizer = optimizers.get(modern_optimizer(described, origin))
    assert f"{name}Keras2 is {name} that adds its epsilon to the root" in origin.all_notes[0]
    assert optimizer.fused(0.1, 1, "float32") is None  # the kernels are of today's rules
    model = Sequential([Input((2,)), layers.Dense(1)])
    model.set_weights([np.array([[0.5], [-0.25]]), np.array([0.125])])
    model.compile(optimizer, "mse")
    x = np.array([[0, 0.5], [1, -2], [2, 2.5], [3, 3.5]], "float32")
    for _ in range(2):
        model.train_on_batch(x, np.ones((4, 1)))
    found = np.concatenate([np.ravel(w) for w in model.get_weights()])
    np.testing.assert_allclose(found, expected, rtol=2e-6)
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras").optimizer
    assert type(again).__name__ == name and again.epsilon == options["epsilon"] ** 2
    for own, kept in zip(optimizer.variables, again.variables, strict=True):
        np.testing.assert_array_equal(own, kept)


def test_a_decay_beside_a_schedule_is_refused():
    schedule = {"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 0.1}}
    config = {"learning_rate": schedule, "decay": 0.2}
    with pytest.raises(ValueError, match=r"SGD has decay=0.2 and a learning rate schedule, which"):
        modern_optimizer({"class_name": "SGD", "config": config}, TF2)


def tensor(name):
    history = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": history}


@pytest.mark.parametrize("name, expected", [("Subtract", 0 * X), ("Minimum", X)])
def test_operations_of_keras_3_that_are_called_as_layers_are(name, expected):
    node_ = {"args": [tensor("x"), tensor("x")], "kwargs": {}}
    entry = {"class_name": name, "name": "n", "config": {"name": "n"}, "inbound_nodes": [node_]}
    model = made(graph(entry, output="n"), origin_named("3.6.0"))
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


def test_grouped_query_attention_by_the_name_of_its_class():
    config = {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1, "name": "n"}
    described = {"class_name": "GroupedQueryAttention", "config": config}
    assert modern(described, origin_named("3.6.0"))["class_name"] == "GroupQueryAttention"


def test_orthogonal_weights_of_half_precision():
    q = initializers.Orthogonal(seed=1)((3, 3), "float16")
    assert q.dtype == "float16"
    np.testing.assert_allclose(q.astype("float32") @ q.T.astype("float32"), np.eye(3), atol=1e-2)


def test_lookups_of_tf_keras_24():
    said = {"max_values": None, "mask_value": 0, "oov_value": -1, "num_oov_indices": 1}
    said |= {"vocabulary": [5, 7], "invert": False, "dtype": "int64"}
    config = {"name": "n", "pad_to_max_tokens": True, **said}
    entry = {"class_name": "IntegerLookup", "name": "n", "config": config}
    model = made(graph({**entry, "inbound_nodes": [[["x", 0, 0, {}]]]}, output="n"))
    found = model.get_layer("n")(np.array([[5, 9, 0, 7]]))
    np.testing.assert_array_equal(found, [[2, 1, 0, 3]])  # as TensorFlow 2.4 found them
