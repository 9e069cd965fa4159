"""Computing in halves with float32 variables: dtypes, gradients, loss scaling, files of Keras."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from tables.layers import ROWS, Row

import layerkit
from layerkit import DTypePolicy, Sequential, config, dtype_policies, layers, mixed_precision
from layerkit import backend as K
from layerkit.backend import registry
from layerkit.optimizers import SGD, LossScaleOptimizer

GOLDEN = Path(__file__).parent / "golden"
KERAS = json.loads((GOLDEN / "mixed_precision.json").read_text())
ARRAYS = dict(np.load(GOLDEN / "layers.npz"))
MIXED = ["mixed_float16", "mixed_bfloat16"]


@pytest.fixture
def policy(request):
    if "bfloat16" in request.param:
        pytest.importorskip("ml_dtypes")
    config.set_dtype_policy(request.param)
    return config.dtype_policy()


under_each = pytest.mark.parametrize("policy", MIXED, indirect=True)


def golden(row: Row, prefix: str) -> list[np.ndarray]:
    start = f"{row}/{prefix}"
    keys = [key for key in ARRAYS if key.startswith(start) and key[len(start) :].isdigit()]
    return [ARRAYS[key] for key in sorted(keys, key=lambda key: int(key[len(start) :]))]


@under_each
@pytest.mark.parametrize("row", [row for row in ROWS if row.is_plain], ids=str)
def test_layers_compute_in_halves_and_keep_float32_weights(row: Row, policy):
    if "bfloat16" in getattr(policy, "name", str(policy)) and not registry.one_home:
        pytest.skip("CuPy takes no bfloat16 arrays from the host")
    layer = getattr(layers, row.layer)(**row.arguments)
    layer.build((None, *row.shape[1:]))
    layer.set_weights(golden(row, "w"))
    assert [str(w.dtype) for w in layer.weights] == KERAS["dtypes"][str(row)][1]
    x = K.convert_to_tensor(ARRAYS[f"{row}/x0"])
    options = {"training": row.training} if layer._training_index is not None else {}
    if row.state:
        options["initial_state"] = golden(row, "s")
    with K.GradientTape() as tape:
        y = layer(x, **options)
        loss = K.sum(K.cast(y, "float32"))
    assert y.dtype.name == KERAS["dtypes"][str(row)][0].replace("float16", policy.compute_dtype)
    digits = 2e-2 if policy.compute_dtype == "float16" else 1e-1
    expected = ARRAYS[f"{row}/y0"]
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(y.numpy().astype("float32"), expected, atol=digits * scale)
    variables = layer.trainable_variables
    for gradient in tape.gradient(loss, variables) if variables else ():
        assert gradient.dtype == np.float32


@under_each
def test_gradient_of_a_product_is_that_of_the_rounded_numbers(policy):
    layer = layers.Dense(2, use_bias=False)
    x = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    layer.build((None, 2))
    with K.GradientTape() as tape:
        y = layer(x)
    np.testing.assert_array_equal(tape.gradient(y, layer.kernel).numpy(), [[4.0, 4.0], [6.0, 6.0]])
    rounded = layer.kernel.numpy().astype(policy.compute_dtype).astype("float32")
    expected = (x @ rounded).astype(policy.compute_dtype)
    np.testing.assert_array_equal(y.numpy(), expected)


def test_only_the_layers_of_the_policy_cast():
    class Outer(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(3,), initializer="ones", name="w")
            self.exact = self.add_weight(shape=(3,), name="exact", autocast=False)
            self.inner = layers.Dense(2, dtype="float32")

        def call(self, x):
            seen.append((x * self.w).dtype.name)
            seen.append((K.cast(x, "float32") * self.exact).dtype.name)
            seen.append(self.inner(x).dtype.name)
            seen.append((x * self.w).dtype.name)
            return x

    seen: list[str] = []
    outer = Outer(dtype="mixed_float16")
    outer(np.ones((1, 3), "float32"))
    assert seen == ["float16", "float32", "float32", "float16"]
    assert (outer.w * 1).dtype == np.float32
    with pytest.raises(TypeError):
        outer(np.ones((1, 3), "float32"), None)
    assert (outer.w * 1).dtype == np.float32


@under_each
def test_normalization_of_what_overflows_float16(policy):
    x = np.array([[-30000.0], [30000.0]], "float32")
    y = layers.BatchNormalization()(x, training=True)
    np.testing.assert_allclose(y.numpy().astype("float32"), [[-1], [1]], atol=1e-2)


def mlp():
    layerkit.utils.set_random_seed(3)
    return Sequential([layers.Dense(16, activation="tanh"), layers.Dense(3, activation="softmax")])


def fitted(**options):
    random = np.random.default_rng(0)
    x = random.standard_normal((128, 4)).astype("float32")
    model = mlp()
    model.compile(
        layerkit.optimizers.Adam(0.02),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        **options,
    )
    model.fit(x, x[:, :3].argmax(1), epochs=6, verbose=0)
    return model


@under_each
def test_training_follows_float32(policy):
    model = fitted()
    config.set_dtype_policy("float32")
    expected = fitted().history.history
    for name, values in model.history.history.items():
        np.testing.assert_allclose(values, expected[name], atol=3e-2)
    assert {str(w.dtype) for w in model.weights} == {"float32"}
    scales = isinstance(model.optimizer, LossScaleOptimizer)
    assert scales == (policy.name == "mixed_float16")


def test_the_optimizer_is_wrapped_only_where_it_helps():
    model = mlp()
    model.compile("sgd", "mse")
    assert isinstance(model.optimizer, SGD)
    model.dtype_policy = "mixed_float16"
    model.compile("sgd", "mse", auto_scale_loss=False)
    assert isinstance(model.optimizer, SGD)
    scaling = LossScaleOptimizer(SGD())
    model.compile(scaling, "mse")
    assert model.optimizer is scaling


def test_fit_scales_the_loss_by_a_factor_and_divides_the_gradients():
    x = np.ones((4, 2), "float32")
    weights = []
    for factor in (None, 64.0):
        model = mlp()
        model.compile(SGD(0.1, loss_scale_factor=factor), "sparse_categorical_crossentropy")
        model.fit(x, np.arange(4) % 3, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("case", KERAS["scaling"], ids=lambda case: case["optimizer"])
def test_loss_scaling_is_that_of_keras(case):
    inner = layerkit.optimizers.get({"class_name": case["optimizer"], "config": case["options"]})
    optimizer = LossScaleOptimizer(inner, **case["arguments"])
    variable = K.Variable([1.0, -1.0])
    for i, step in enumerate(case["gradients"]):
        scale = float(optimizer.scale_loss(K.convert_to_tensor(1.0)))
        optimizer.apply([np.array([float(x) for x in step], "float32") * scale], [variable])
        assert float(optimizer.dynamic_scale) == case["scales"][i]
        assert int(optimizer.step_counter) == case["counters"][i]
        assert int(optimizer.iterations) == case["iterations"][i]
        np.testing.assert_allclose(variable.numpy(), case["weights"][i], rtol=1e-5)
    names = [v.path.split("/")[-1] for v in optimizer.variables]
    assert names[:6] == case["variables"][:6] and len(names) == len(case["variables"])


def test_a_step_that_overflows_changes_nothing_and_warns_of_nothing():
    model = mlp()
    model.dtype_policy = "mixed_float16"
    for layer in model.layers:
        layer.dtype_policy = "mixed_float16"
    model.compile(LossScaleOptimizer(SGD(), initial_scale=2.0**40), "mse")
    x, y = np.ones((2, 4), "float32"), np.zeros((2, 3), "float32")
    model.build((None, 4))
    before = model.get_weights()
    model.train_on_batch(x, y)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert float(model.optimizer.dynamic_scale) == 2.0**39


def test_loss_scale_optimizer_is_its_inner_one_outside():
    optimizer = LossScaleOptimizer("adam", 8.0)
    optimizer.learning_rate = 0.5
    assert float(optimizer.inner_optimizer.learning_rate) == 0.5 == float(optimizer.learning_rate)
    again = layerkit.optimizers.deserialize(
        json.loads(json.dumps(layerkit.optimizers.serialize(optimizer)))
    )
    assert again.get_config() == optimizer.get_config()
    assert float(again.scale_loss(1.0)) == 8.0


def test_file_of_keras():
    golden = KERAS["file"]
    model = layerkit.saving.load_model(GOLDEN / "files" / "mixed_precision.keras")
    assert model.dtype_policy.name == "mixed_float16"
    assert [layer.dtype_policy.name for layer in model.layers] == [
        *["mixed_float16"] * 2,
        "float32",
    ]
    assert isinstance(model.optimizer, LossScaleOptimizer)
    for variable, expected in zip(model.optimizer.variables, golden["optimizer"], strict=True):
        np.testing.assert_array_equal(variable.numpy(), np.array(expected, variable.dtype))
    y = model(np.array(golden["x"], "float32"))
    np.testing.assert_allclose(y.numpy(), golden["y"], atol=2e-3)


def test_file_round_trip(tmp_path):
    config.set_dtype_policy("mixed_float16")
    model = fitted()
    model.save(tmp_path / "model.keras")
    again = layerkit.saving.load_model(tmp_path / "model.keras")
    assert again.dtype_policy == model.dtype_policy
    for one, other in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_sequential_hands_its_inputs_on_unrounded():
    config.set_dtype_policy("mixed_float16")
    model = Sequential([layers.Rescaling(1.0, dtype="float32")])
    assert model(np.array([[3001.0]], "float32")).numpy() == 3001.0  # float16 would say 3000


def test_configs_name_plain_policies_and_describe_mixed_ones():
    assert layers.Dense(2).get_config()["dtype"] == "float32"
    description = layers.Dense(2, dtype="mixed_float16").get_config()["dtype"]
    assert description == {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": "mixed_float16"},
        "registered_name": None,
    }
    for dtype in (description, "mixed_float16", DTypePolicy("mixed_float16")):
        layer = layers.Dense.from_config({"units": 2, "dtype": dtype})
        assert (layer.compute_dtype, layer.variable_dtype, layer.dtype) == (
            *("float16", "float32", "float32"),
        )
    old = {**description, "class_name": "FloatDTypePolicy"}
    assert dtype_policies.get(old) == DTypePolicy("mixed_float16")
    assert (
        dtype_policies.deserialize(dtype_policies.serialize(layer.dtype_policy))
        == layer.dtype_policy
    )


def test_the_global_policy():
    assert config.dtype_policy().name == "float32"
    K.set_floatx("float64")
    assert layers.Dense(2).compute_dtype == "float64"
    mixed_precision.set_global_policy("mixed_float16")
    assert mixed_precision.global_policy() == mixed_precision.Policy("mixed_float16")
    assert layers.Dense(2).dtype_policy == DTypePolicy()
    layerkit.utils.clear_session()
    assert config.dtype_policy().name == "float64"


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: DTypePolicy("mixed_float8"),
            ValueError,
            "Cannot convert 'mixed_float8'",
        ),
        (lambda: DTypePolicy("mixd_float16"), ValueError, "Did you mean 'mixed_float16'"),
        (lambda: DTypePolicy(3), TypeError, "'name' must be a string"),
        (lambda: dtype_policies.get(object()), ValueError, "Cannot interpret `dtype` argument"),
        (lambda: config.set_dtype_policy("float31"), ValueError, "Did you mean 'float32'"),
        (lambda: LossScaleOptimizer("sgd", dynamic=False), ValueError, "no longer supports"),
        (lambda: LossScaleOptimizer("sgd", clipnorm=1.0), ValueError, "Instead, set `clipnorm`"),
        (lambda: LossScaleOptimizer("sgd", growth=1), ValueError, "does not support `growth`"),
    ],
)
def test_errors(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)


def test_bfloat16_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ImportError) as caught:
        DTypePolicy("mixed_bfloat16")
    assert "pip install 'layerkit[bfloat16]'" in str(caught.value)


def test_an_upstream_gradient_is_widened_once(monkeypatch):
    """The vjps of a Dense layer share the gradient before its activation, in halves too."""
    calls, backend = [], K.get_backend(K.backend())
    slope = type(backend).bias_activation_grad
    monkeypatch.setattr(
        type(backend),
        "bias_activation_grad",
        lambda *args: calls.append(args[-1]) or slope(*args),
    )
    layer = layers.Dense(3, activation="relu", dtype="mixed_float16")
    with K.GradientTape() as tape:
        loss = K.sum(layer(np.ones((2, 4), "float32")))
    tape.gradient(loss, layer.trainable_variables)
    assert calls == ["relu"]


def test_a_map_of_policies():
    policies = dtype_policies.DTypePolicyMap("float32", {"block/d": "float64"})
    policies["block/.*"] = DTypePolicy("mixed_float16")
    policies["head"] = np.float16
    found = [policies[path].name for path in ("block/d", "block/e", "head", "head/d")]
    assert found == ["float64", "mixed_float16", "float16", "float32"]
    assert list(policies) == ["block/d", "block/.*", "head"] and len(policies) == 3
    assert "head" in policies and "block/e" not in policies
    assert policies.name == "map_float32" and policies.compute_dtype == "float32"
    assert not policies.is_mixed
    again = dtype_policies.deserialize(json.loads(json.dumps(dtype_policies.serialize(policies))))
    assert again == policies != dtype_policies.DTypePolicyMap("float32")
    del again["block/.*"]
    assert again["block/e"] == DTypePolicy("float32") and again != policies
    assert dtype_policies.get(policies) is policies
    assert "mapping=[('block/d', 'float64')" in repr(policies)


def test_a_map_without_a_default_takes_the_global_policy():
    policies = dtype_policies.DTypePolicyMap()
    described = dtype_policies.serialize(policies)
    assert policies and described["config"] == {"default_policy": None, "policy_map": {}}
    config.set_dtype_policy("mixed_float16")
    assert policies["d"].name == "float32"  # of when it was made
    assert dtype_policies.deserialize(described)["d"].name == "mixed_float16"


MAP = dtype_policies.DTypePolicyMap("float32", {"a/.*": "float16", "a/b/.*": "float64"})
BROKEN = dtype_policies.DTypePolicyMap("float32", {"(": "float16"})


@pytest.mark.parametrize(
    "mistake, error, message",
    [
        (lambda: dtype_policies.DTypePolicyMap(MAP), ValueError, "cannot be a `DTypePolicyMap`"),
        (lambda: dtype_policies.DTypePolicyMap(None, [1]), TypeError, "must be a dict, {path: po"),
        (lambda: MAP.update({"a/.*": "float16"}), ValueError, "already exist in the DTypePolicyM"),
        (lambda: MAP.update({"e": 1}), ValueError, "Cannot interpret the assigned value by .* 'e'"),
        (lambda: MAP.update({"e": "mixed"}), ValueError, "Received: mixed of type <class 'str'>"),
        (lambda: MAP.update({1: "float16"}), TypeError, "are paths of layers. Received: 1"),
        (
            lambda: MAP["a/b/c"],
            ValueError,
            r"'a/b/c' matches multiple .*: \['a/\.\*', 'a/b/\.\*'\]",
        ),
        (lambda: BROKEN["c"], ValueError, r"The key '\(' .* is no regular expression"),
        (lambda: MAP.__delitem__("e"), KeyError, "e"),
    ],
)
def test_mistakes_with_maps_of_policies(mistake, error, message):
    with pytest.raises(error, match=message):
        mistake()


def test_layers_take_the_policy_for_their_path(tmp_path):
    policies = dtype_policies.DTypePolicyMap("float32", {"a/q.*": "float16", "d": "float64"})
    x = np.ones((2, 3, 4), "float32")
    attention = layers.MultiHeadAttention(1, 2, dtype=policies, name="a")
    attention(x, x)
    kinds = {w.path: w.dtype.name for w in attention.weights}
    assert kinds["a/query/kernel"] == kinds["a/query/bias"] == "float16"
    assert kinds["a/key/kernel"] == "float32" and attention.path == "a"

    late = layers.Dense(2, dtype=policies, name="d")
    assert late.path is None and late.compute_dtype == "float32"
    assert late(np.float32([[0.1]])).dtype == late(np.float32([[0.1]])).dtype == "float64"
    assert late.dtype_policy is policies and late.dtype == "float64"

    ends = layerkit.Input((3,), name="x")
    model = layerkit.Model(ends, layers.Dense(2, dtype=policies, name="d")(ends))
    assert model.output.dtype == "float64"
    model.save(tmp_path / "m.keras")
    loaded = layerkit.models.load_model(tmp_path / "m.keras")
    assert [w.dtype for w in loaded.weights] == ["float64"] * 2
    assert loaded.layers[1].dtype_policy == policies

    late.dtype_policy = "float16"  # of a layer that has a path: in the map
    assert policies["d"].name == late.compute_dtype == "float16"
    assert loaded.layers[1].compute_dtype == "float64"


def test_paths_of_layers():
    model = Sequential([layers.Input((2,)), layers.Dense(1, name="d")], name="s")
    assert (model.path, model.layers[0].path) == ("s", "s/d")
    ends = layerkit.Input((2,))
    dropout = layers.Dropout(0.5, name="n")
    assert dropout.path is None
    assert layerkit.Model(ends, dropout(ends), name="f").path == "f" and dropout.path == "n"
