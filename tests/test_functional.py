"""Functional models: Keras's order, values and configs; structures, masks, sharing, mistakes."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from tables.functional import RECIPES, data, weights

import layerkit
from layerkit import Input, Model, Sequential, layers, name_scope, ops
from layerkit import backend as K
from layerkit.backend import tree
from layerkit.backend.replay import NotReplayable
from layerkit.models import clone_model, model_from_json

GOLDEN = Path(__file__).parent / "golden"
ARRAYS = dict(np.load(GOLDEN / "functional.npz"))
KERAS = json.loads((GOLDEN / "functional.json").read_text())["models"]

every = pytest.mark.parametrize("name", RECIPES)


def made(name: str):
    model = RECIPES[name].make(layerkit)
    model.set_weights(weights(model))
    return model


def predicted(name: str, model):
    return tree.flatten(model.predict(data(RECIPES[name]), verbose=0))


def assert_golden(name: str, model) -> None:
    outputs = predicted(name, model)
    expected = [value for key, value in ARRAYS.items() if key.startswith(f"{name}/")]
    assert len(outputs) == len(expected)
    for y, golden in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(y, golden, rtol=1e-5, atol=1e-5)


@every
def test_predictions_are_those_of_keras(name: str):
    assert_golden(name, made(name))


@every
def test_order_of_layers_and_weights_is_that_of_keras(name: str):
    model = made(name)
    assert [layer.name for layer in model.layers] == KERAS[name]["layers"]
    assert [[w.name, list(w.shape)] for w in model.weights] == KERAS[name]["weights"]
    assert model.output_names == KERAS[name]["output_names"]


@every
def test_keras_s_config_makes_the_model(name: str):
    model = model_from_json(json.dumps(KERAS[name]["config"]))
    model.set_weights(weights(model))
    assert_golden(name, model)


@every
def test_graph_in_config_is_that_of_keras(name: str):
    ours, theirs = json.loads(made(name).to_json()), KERAS[name]["config"]
    assert {key: ours[key] for key in ("module", "class_name", "registered_name")} == {
        key: theirs[key] for key in ("module", "class_name", "registered_name")
    }
    for key in ("input_layers", "output_layers"):
        assert ours["config"][key] == theirs["config"][key]
    listed = [x for x in theirs["config"]["layers"] if x["class_name"] != "NotEqual"]  # a mask
    for own, other in zip(ours["config"]["layers"], listed, strict=True):
        assert own["name"] == other["name"]
        for key in ("module", "class_name", "registered_name"):
            assert own[key] == other[key]
        assert as_called(own["inbound_nodes"]) == as_called(other["inbound_nodes"])
        if own["module"].startswith("keras.src.ops"):
            assert own["config"] == other["config"]


def as_called(nodes):
    """Without `mask` and `training: False`, which Keras adds to calls where nobody gave them."""
    return [
        {**n, "kwargs": {k: x for k, x in n["kwargs"].items() if k not in ("mask", "training")}}
        for n in nodes
    ]


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "masked"])
def test_summary_is_that_of_keras(name: str):
    """Keras lists the operation that makes a mask, too."""
    printed = []
    made(name).summary(100, expand_nested=True, show_trainable=True, print_fn=printed.append)
    assert printed == [KERAS[name]["summary"]]


@every
def test_saved_and_loaded(name: str, tmp_path):
    model = made(name)
    model.save(tmp_path / "m.keras")
    assert_golden(name, layerkit.models.load_model(tmp_path / "m.keras"))
    model.save_weights(tmp_path / "m.weights.h5")
    other = RECIPES[name].make(layerkit)
    other.load_weights(tmp_path / "m.weights.h5")
    assert_golden(name, other)


@every
def test_clone(name: str):
    model = made(name)
    clone = clone_model(model)
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    clone.set_weights(weights(clone))
    assert_golden(name, clone)


@every
def test_it_is_traced_to_the_same_bits(name: str):
    def trained(jit):
        layerkit.utils.set_random_seed(1)
        model = made(name)
        targets = tree.map_structure(lambda y: np.ones_like(y), model.predict(data(RECIPES[name])))

        model.compile("sgd", jit_compile=jit)
        model.compute_loss = lambda x, y, y_pred, sample_weight=None, training=True: sum(
            K.mean(K.square(p - t))
            for p, t in zip(tree.flatten(y_pred), tree.flatten(y), strict=True)
        )
        for _ in range(4):
            model.train_on_batch(data(RECIPES[name]), targets)
        return model.get_weights()

    if name == "masked" and K.backend() == "cupy":
        with pytest.raises(NotReplayable, match="cannot be captured in layer 'lstm_cell'"):
            trained(True)  # a masked recurrence asks the host which kernel fits its mask
        return
    for plain, traced in zip(trained(False), trained(True), strict=True):
        np.testing.assert_array_equal(plain, traced)


# What it is fed.


def test_dicts_lists_and_keyword_order():
    a, b = Input((2,), name="a"), Input((2,), name="b")
    model = Model([b, a], a - 2 * b)
    x, y = np.ones((3, 2), "float32"), np.full((3, 2), 5, "float32")
    expected = np.full((3, 2), 3, "float32")
    for fed in ([x, y], (x, y), {"a": y, "b": x}, {"b": x, "a": y, "c": "not asked for"}):
        np.testing.assert_array_equal(model(fed).numpy(), expected)


def test_a_dict_of_inputs_takes_a_list_in_the_order_of_its_keys():
    inputs = {"a": Input((2,), name="a"), "b": Input((2,), name="b")}
    model = Model(inputs, inputs["a"] - inputs["b"])
    with pytest.warns(UserWarning, match="The structure of `inputs` doesn't match the expected"):
        y = model([np.full((1, 2), 3.0), np.ones((1, 2))])
    np.testing.assert_array_equal(y.numpy(), [[2, 2]])


def test_rank_and_dtype_are_fitted():
    x = Input((4,), dtype="int32")
    model = Model(x, layers.Dense(2)(ops.cast(x, "float32")))
    assert model(np.ones((3, 4, 1))).shape == (3, 2)
    whole = Model(x, x * 2)([[1.7, 2.0, -0.5, 3.9]])
    assert whole.dtype == "int32"
    np.testing.assert_array_equal(whole.numpy(), [[2, 4, 0, 6]])
    x = Input((4, 1))
    assert Model(x, x * 2.0)(np.ones((3, 4))).shape == (3, 4, 1)


def test_an_optional_input_may_be_none():
    class First(layers.Layer):
        def call(self, inputs):
            return inputs[0] if inputs[1] is None else inputs[0] + inputs[1]

        def compute_output_shape(self, input_shape):
            return input_shape[0]

    a, b = Input((2,), name="a"), Input((2,), name="b", optional=True)
    model = Model([a, b], First()([a, b]))
    np.testing.assert_array_equal(model([np.ones((1, 2)), None]).numpy(), [[1, 1]])
    np.testing.assert_array_equal(model([np.ones((1, 2)), np.ones((1, 2))]).numpy(), [[2, 2]])
    with pytest.raises(ValueError, match="'a' is not optional"):
        model([None, np.ones((1, 2))])


def test_outputs_keep_their_structure():
    x = Input((2,))
    assert isinstance(Model(x, (x * 1.0, [x * 2.0]))(np.ones((1, 2))), tuple)
    assert Model([x], [x * 2.0])(np.ones((1, 2))).shape == (1, 2)
    assert list(Model(x, {"z": x * 1.0, "y": x * 2.0}).predict(np.ones((1, 2)), verbose=0)) == [
        "z",
        "y",
    ]


# Graphs.


def test_a_model_between_tensors_of_another_shares_its_layers():
    x = Input((4,))
    hidden = layers.Dense(3, activation="relu", name="hidden")(x)
    whole = Model(x, layers.Dense(2, name="top")(hidden))
    bottom, top = Model(x, hidden), Model(hidden, whole.output)
    data = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(top(bottom(data)).numpy(), whole(data).numpy())
    assert top.layers[-1] is whole.layers[-1]
    assert [w.name for w in top.weights] == ["kernel", "bias"]


def test_features_of_a_sequential():
    model = layerkit.Sequential(
        [Input((6, 6, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)]
    )
    features = Model(model.inputs, [layer.output for layer in model.layers])
    outputs = features(np.ones((2, 6, 6, 1)))
    assert [y.shape for y in outputs] == [(2, 4, 4, 2), (2, 32), (2, 3)]
    np.testing.assert_array_equal(outputs[-1].numpy(), model(np.ones((2, 6, 6, 1))).numpy())


def test_freezing_a_base_and_training_on_top():
    base = Model(x := Input((4,)), layers.Dense(3, name="base_dense")(x), name="base")
    base.trainable = False
    y = layers.Dense(1, name="head")(base(z := Input((4,)), training=False))
    model = Model(z, y)
    assert [w.path for w in model.trainable_weights] == ["head/kernel", "head/bias"]
    before = base.get_weights()
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)
    for old, new in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_training_that_was_given_stays():
    x = Input((1000,))
    dropout = layers.Dropout(0.5, seed=1)
    ones = np.ones((1, 1000), "float32")

    def dropped(**given):
        model = Model(x, dropout(x, **given))
        again = model_from_json(model.to_json())
        return [
            bool((m(ones, training=t).numpy() == 0).any()) for m in (model, again) for t in (0, 1)
        ]

    assert dropped() == [False, True] * 2
    assert dropped(training=True) == [True, True] * 2
    inner = Model(x, dropout(x))
    model = Model(x, inner(x, training=False))
    assert not (model(ones, training=True).numpy() == 0).any()


def test_a_subclass_made_of_a_graph():
    class Made(Model):
        def __init__(self, width):
            x = Input((3,))
            super().__init__(x, layers.Dense(width)(x), name="made")
            self.width = width

        def train_step(self, data):
            self.steps = getattr(self, "steps", 0) + 1
            return super().train_step(data)

    model = Made(2)
    assert isinstance(model, layerkit.models.Functional)
    assert model.get_config()["width"] == 2
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), batch_size=2, verbose=0)
    assert model.steps == 2
    assert model(np.ones((1, 3))).shape == (1, 2)


def test_a_subclassed_model_inside():
    class Twice(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(4)

        def call(self, inputs, training=None):
            return self.dense(self.dense(inputs))

    x = Input((4,))
    model = Model(x, Twice()(x))
    assert model.count_params() == 20
    assert model.output_shape == (None, 4)


def test_shapes_of_free_axes():
    x = Input((None, None, 3))
    y = layers.Conv2D(4, 3, strides=2)(x)
    assert y.shape == (None, None, None, 4)
    assert ops.mean(y, axis=(1, 2)).shape == (None, 4)
    assert (y + 1.0).shape == (None, None, None, 4)


def test_running_on_zeros_leaves_no_trace():
    class Counting(layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, inputs):
            self.count.assign_add(1.0)
            self.add_loss(K.sum(inputs))
            return inputs * 2.0

    layer = Counting()
    layer(Input((3,)))
    assert float(layer.count) == 0 and not layer.losses


def test_losses_added_in_a_functional_model():
    x = Input((3,))
    y = layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")(x)
    model = Model(x, y)
    model(np.ones((2, 3)))
    assert len(model.losses) == 2


def test_several_arguments_by_name():
    class Scaled(layers.Layer):
        def build(self, value_shape, scale_shape):
            self.shapes = value_shape, scale_shape

        def call(self, value, scale, offset=None):
            return value * scale if offset is None else value * scale + offset

        def compute_output_shape(self, value_shape, scale_shape, offset_shape=None):
            return value_shape

    a, b = Input((3,)), Input((1,))
    layer = Scaled()
    y = layer(value=a, scale=b, offset=a)
    assert layer.shapes == ((None, 3), (None, 1))
    model = Model([a, b], y)
    np.testing.assert_array_equal(
        model([np.ones((1, 3)), np.full((1, 1), 4.0)]).numpy(), [[5, 5, 5]]
    )
    with pytest.raises(TypeError, match="expects `value`"):
        layer(scale=b)


# Masks.


class Masks(layers.Layer):
    """Notes the mask that it got."""

    def call(self, inputs, mask=None):
        self.got = mask
        return inputs


def test_masks_are_handed_on():
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    noting = Masks()
    noting.supports_masking = True
    y = noting(layers.Embedding(5, 2, mask_zero=True)(ids))
    expected = ids != 0
    np.testing.assert_array_equal(noting.got.numpy(), expected)
    np.testing.assert_array_equal(y._keras_mask.numpy(), expected)
    noting(np.ones((1, 2, 2)), mask=np.array([[True, False]]))
    np.testing.assert_array_equal(noting.got.numpy(), [[True, False]])


def test_a_layer_that_knows_no_masks_says_so():
    x = layers.Embedding(5, 2, mask_zero=True)(np.array([[1, 0]]))
    with pytest.warns(UserWarning, match="does not support masking"):
        y = Masks(name="forgets")(x)
    assert getattr(y, "_keras_mask", None) is None or y is x


def test_masks_by_argument():
    class Pair(layers.Layer):
        def call(self, query, value, query_mask=None, value_mask=None):
            self.got = query_mask, value_mask
            return query

        def compute_mask(self, query, previous_mask):
            return None

    x = layers.Embedding(5, 2, mask_zero=True)(np.array([[1, 0]]))
    layer = Pair()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layer(np.ones((1, 2, 2)), x)
    assert layer.got[0] is None
    np.testing.assert_array_equal(layer.got[1].numpy(), [[True, False]])


# Mistakes.


def x_and_y():
    x, y = Input((2,), name="x"), Input((2,), name="y")
    return x, y, x + y


MISTAKES = {
    "array for inputs": (
        lambda: Model(np.ones((2, 2)), Input((2,))),
        ValueError,
        "All `inputs` values must be KerasTensors",
    ),
    "array for outputs": (
        lambda: Model(Input((2,)), np.ones(2)),
        ValueError,
        "All `outputs` values must be KerasTensors",
    ),
    "input left out": (
        lambda: (lambda x, y, z: Model(x, z))(*x_and_y()),
        ValueError,
        "is not connected to `inputs`: it needs the Input 'y'",
    ),
    "names": (
        lambda: (lambda x: Model(x, layers.Dense(2, name="d")(layers.Dense(2, name="d")(x))))(
            Input((2,))
        ),
        ValueError,
        'The name "d" is used 2 times in the model. All operation names should be unique',
    ),
    "too few": (
        lambda: (lambda x, y, z: Model([x, y], z)([np.ones((1, 2))]))(*x_and_y()),
        ValueError,
        "expects 2 input(s), but it received 1 input tensors",
    ),
    "missing key": (
        lambda: (lambda x, y, z: Model([x, y], z)({"x": np.ones((1, 2))}))(*x_and_y()),
        ValueError,
        "Missing data for input \"y\". You passed a data dictionary with keys ['x']. Expected the "
        "following keys: ['x', 'y']",
    ),
    "wrong shape": (
        lambda: (lambda x, y, z: Model([x, y], z)([np.ones((1, 2)), np.ones((1, 3))]))(*x_and_y()),
        ValueError,
        "Input 1 with name 'y' of layer 'functional' is incompatible with the layer: expected "
        "shape=(None, 2), found shape=(1, 3)",
    ),
    "numpy": (lambda: np.asarray(Input((2,))), TypeError, "You cannot convert it to a NumPy array"),
    "ufunc": (lambda: np.exp(Input((2,))), TypeError, "layerkit.ops in place of np.exp"),
    "bool": (lambda: bool(Input((2,)) > 0), TypeError, "cannot be used as a boolean"),
    "iteration": (lambda: list(Input((2,))), TypeError, "Iterating over it is not supported"),
    "length": (lambda: len(Input((2,))), TypeError, "no length"),
    "number": (lambda: float(Input((2,))), TypeError, "cannot make a number"),
    "made by hand": (
        lambda: Model(x := Input((2,)), [x, layerkit.KerasTensor((None, 2))]),
        ValueError,
        "is not the output of a layer",
    ),
    "never called": (
        lambda: layers.Dense(2, name="alone").output,
        AttributeError,
        "The layer alone has never been called",
    ),
    "ragged": (lambda: Input((2,), ragged=True), ValueError, "`ragged` of InputLayer is not"),
    "clone without function": (
        lambda: clone_model(made("shared"), recursive=True),
        ValueError,
        "give one",
    ),
    "clone of a Sequential with call_function": (
        lambda: clone_model(layerkit.Sequential([layers.Dense(1)]), call_function=print),
        ValueError,
        "`call_function` is for functional models",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told(name: str):
    act, error, words = MISTAKES[name]
    with pytest.raises(error) as caught:
        act()
    assert words in str(caught.value)


def test_a_loop_in_a_config_is_told():
    config = json.loads(made("shared").to_json())
    for layer in config["config"]["layers"]:
        if layer["name"] == "shared":
            for node in layer["inbound_nodes"]:
                node["args"][0]["config"]["keras_history"] = ["out", 0, 0]
    with pytest.raises(ValueError, match="loop, or calls on what nothing gives"):
        model_from_json(json.dumps(config))
    config = json.loads(made("shared").to_json())
    config["config"]["layers"][0]["name"] = "someone else"
    with pytest.raises(ValueError, match="unknown layer"):
        model_from_json(json.dumps(config))


def test_keys_that_are_not_the_names_are_told():
    with pytest.warns(UserWarning, match="Received key 'k' mapping to value"):
        x = Input((2,), name="x")
        Model({"k": x}, x * 1.0)


# Cloning.


def test_clone_with_functions():
    model = made("shared")

    def wider(layer):
        config = layer.get_config()
        return type(layer).from_config({**config, "units": 5} if "units" in config else config)

    assert clone_model(model, clone_function=wider).output_shape == (None, 5)

    def with_dropout(layer, *args, **kwargs):
        y = layer(*args, **kwargs)
        return layers.Dropout(0.5)(y) if isinstance(layer, layers.Dense) else y

    clone = clone_model(model, call_function=with_dropout)
    assert sum(isinstance(layer, layers.Dropout) for layer in clone.layers) == 3
    x = Input((4,), name="new")
    assert clone_model(model, input_tensors=[x, x]).inputs[0] is x


def test_clone_goes_into_models_where_asked():
    seen = []

    def noting(layer):
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    clone_model(made("nested"), clone_function=noting, recursive=True)
    assert {"inner_dense", "s1", "first"} <= set(seen)


def thrice(x):
    return x * 3.0


def test_clone_keeps_functions_that_no_file_could_name():
    x = Input((2,))
    y = layers.Lambda(lambda x: x + 1.0)(layers.Lambda(thrice)(x))
    y = layers.Dense(2, activation=lambda x: -x, kernel_initializer="ones")(y)
    model = Model(x, y)
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    data = np.array([[1.0, 2.0]], "float32")
    np.testing.assert_allclose(clone.predict(data, verbose=0), [[-11.0, -11.0]])
    both = layers.Bidirectional(layers.LSTM(2, activation=lambda x: x))
    assert both.forward_layer.activation is both.backward_layer.activation


def test_losses_of_symbolic_tensors():
    x = Input((3,))
    y = Input((3,))
    model = Model([x, y], layerkit.losses.mean_squared_error(x, ops.relu(y)))
    assert model.output_shape == (None,)
    found = model.predict([np.ones((2, 3)), np.full((2, 3), 3.0)], verbose=0)
    np.testing.assert_allclose(found, [4.0, 4.0])
    with pytest.raises(TypeError, match="Cannot serialize the call of mean_squared_error"):
        model.get_config()


def test_model_from_config_makes_a_functional_model():
    model = Model.from_config(made("shared").get_config())
    model.set_weights(weights(model))
    assert_golden("shared", model)


class Masked(layers.Layer):
    """A mean over the steps that its mask, which it needs, counts."""

    def call(self, inputs, mask=None):
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        return ops.sum(inputs * weights, axis=1) / ops.sum(weights, axis=1)

    def compute_mask(self, inputs, previous_mask=None):
        return None


@pytest.mark.parametrize("kind", ["plain", "functional", "sequential"])
def test_a_layer_that_needs_a_mask_has_it_symbolically_too(kind: str):
    inputs = Input((None,), dtype="int32")
    embedded = layers.Embedding(9, 3, mask_zero=True)
    if kind == "functional":
        inner = Input((None,), dtype="int32")
        embedded = Model(inner, layers.Dropout(0.5)(embedded(inner)))
    elif kind == "sequential":
        embedded = layerkit.Sequential([embedded, layers.Activation("linear")])
    y = embedded(inputs)
    assert y._keras_mask.shape == (None, None)
    model = Model(inputs, Masked()(y))
    assert model.output_shape == (None, 3)
    ids = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    table = model.get_weights()[0]
    expected = np.stack([table[[1, 2]].mean(0), table[3]])
    np.testing.assert_allclose(model.predict(ids, verbose=0), expected, rtol=1e-5)


class Positions(layers.Layer):
    """Adds the row of a table to each step."""

    def __init__(self, steps, **kwargs):
        super().__init__(**kwargs)
        self.steps = steps
        self.table = layers.Embedding(steps, 3)

    def call(self, inputs):
        return inputs + self.table(ops.arange(ops.shape(inputs)[1]))


@pytest.mark.parametrize("steps", [2, 5, 12, 200])
def test_a_table_of_positions_may_be_short(steps: int):
    inputs = Input((None, 3))
    y = Positions(steps)(inputs)
    assert y.shape == (None, None, 3)
    assert Model(inputs, y).predict(np.zeros((1, 2, 3)), verbose=0).shape == (1, 2, 3)


class Passing(Model):
    """A subclass that hands its arguments on."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tracker = layerkit.metrics.Mean(name="tracker")


def test_a_subclass_that_hands_its_arguments_on_is_saved(tmp_path):
    inputs = Input((4,))
    model = Passing(inputs, layers.Dense(2)(inputs))
    model.save(tmp_path / "m.keras")
    again = layerkit.saving.load_model(tmp_path / "m.keras", custom_objects={"Passing": Passing})
    assert type(again) is Passing
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_model_from_config_takes_custom_objects():
    inputs = Input((None, 3))
    model = Model(inputs, Positions(5, name="positions")(inputs))
    again = Model.from_config(model.get_config(), custom_objects={"Positions": Positions})
    assert again.get_layer("positions").steps == 5


@pytest.mark.parametrize(
    "attention", [layers.MultiHeadAttention(2, 4), layers.GroupQueryAttention(4, 2, 1)]
)
def test_scores_of_attention_are_an_output_of_their_own(attention):
    query, value = Input((4, 8)), Input((None, 8))
    outputs = attention(query, value, return_attention_scores=True)
    assert [y.shape for y in outputs] == [(None, 4, 8), (None, 2, 4, None)]
    y, scores = layers.Attention()([query, value], return_attention_scores=True)
    assert (y.shape, scores.shape) == ((None, 4, 8), (None, 4, None))
    model = Model([query, value], [*outputs, y, scores])
    found = model.predict([np.ones((3, 4, 8)), np.ones((3, 6, 8))], verbose=0)
    np.testing.assert_allclose(found[3], np.full((3, 4, 6), 1 / 6), rtol=1e-6)
    np.testing.assert_allclose(found[1], np.full((3, 2, 4, 6), 1 / 6), rtol=1e-6)


def test_several_shapes_of_a_build_are_in_its_config_as_in_keras_s():
    query, value = Input((4, 8)), Input((6, 5))
    layer = layers.MultiHeadAttention(2, 4)
    layer(query, value)
    shapes = {"query_shape": (None, 4, 8), "value_shape": (None, 6, 5)}
    assert layer.get_build_config() == {"shapes_dict": shapes}
    again = layers.MultiHeadAttention.from_config(layer.get_config())
    again.build_from_config({"shapes_dict": {key: list(x) for key, x in shapes.items()}})
    assert [w.shape for w in again.weights] == [w.shape for w in layer.weights]


def test_sources_of_a_tensor():
    a, b, c = Input((2,)), Input((2,)), Input((2,))
    y = layers.Add()([a * 2.0, b]) + a
    assert list(map(id, layerkit.utils.get_source_inputs(y))) == [id(a), id(b)]
    assert layerkit.utils.is_keras_tensor(c) and not layerkit.utils.is_keras_tensor(np.ones(2))


@pytest.mark.parametrize("dtype, expected", [("int32", "int32"), ("float32", "float16")])
def test_flat_integers_stay_integers(dtype: str, expected: str):
    layer = layers.Flatten(dtype="float16")
    assert layer(Input((2, 3), dtype=dtype)).dtype == expected
    assert layer(np.ones((1, 2, 3), dtype)).dtype == expected


def test_layers_of_masked_branches_come_in_the_order_of_keras():
    """Keras's graphs compute masks, which moves what they are computed from away from the end."""
    x, y = layers.Input((3, 4), name="x"), layers.Input((3, 4), name="y")
    ids = layers.Input((3,), name="ids", dtype="int32")
    a = layers.Masking(name="masking")(layers.Dense(4, name="a")(x))
    both = layers.Concatenate(axis=1, name="both")([a, layers.Embedding(5, 4, name="e")(ids)])
    b = layers.Flatten(name="flat")(layers.Dense(4, name="c")(layers.Dense(4, name="b")(y)))
    ends = [b, layers.LSTM(3, name="lstm")(a), layers.LSTM(2, name="lstm2")(both)]
    model = Model([x, y, ids], layers.Concatenate(name="joined")(ends))
    assert " ".join(layer.name for layer in model.layers) == (
        "x a masking ids e y b c both flat lstm lstm2 joined"
    )


def test_paths_of_weights_say_below_which_layers_they_are():
    class Whole(Model):
        def __init__(self):
            super().__init__(name="whole")
            self.steps = layers.TimeDistributed(layers.Dense(2, name="d"), name="steps")
            self.parts = [Sequential([layers.Dense(2, name="e")], name="stack")]
            self.own = layers.MultiHeadAttention(1, 2, name="own", use_bias=False)

        def call(self, x):
            y = self.steps(x)
            return self.parts[0](self.own(y, y))

    model = Whole()
    with name_scope("outside"):
        model(np.ones((2, 3, 4), "float32"))
    assert [w.path.removeprefix("outside/whole/") for w in model.weights] == [
        "steps/d/kernel",
        "steps/d/bias",
        "stack/e/kernel",
        "stack/e/bias",
        "own/query/kernel",
        "own/key/kernel",
        "own/value/kernel",
        "own/attention_output/kernel",
    ]
    stack = Sequential([layers.Dense(2, name="d")], name="in")
    within = Sequential([layers.Input((4,)), stack], name="out")
    assert [w.path for w in within.weights] == ["out/in/d/kernel", "out/in/d/bias"]
