"""Legacy `.h5` files that layerkit writes, and loading them by position and by name."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from layerkit import (
    Input,
    Model,
    Sequential,
    callbacks,
    configurable,
    layers,
    losses,
    models,
    ops,
    optimizers,
    saving,
)
from layerkit.layers.retired import Highway
from layerkit.saving import older_versions

pytestmark = pytest.mark.numpy_only("files hold no backend")

X = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")
Y = np.random.default_rng(1).standard_normal((8, 2)).astype("float32")


def dense(units=3, last="last"):
    return Sequential(
        [
            Input((4,)),
            layers.Dense(units, "tanh", name="first"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(2, name=last),
        ]
    )


def two_ends():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = layers.Dense(3, name="shared")
    inner = Sequential([Input((3,)), layers.Dense(3), layers.BatchNormalization()], name="inner")
    h = inner(shared(a)) * 2.0
    ends = [layers.Dense(2, name="o")(h), layers.Concatenate(name="c")([shared(b), h])]
    return Model([a, b], ends)


OTHERS = ["Adadelta", "Adafactor", "Adagrad", "Adamax", "AdamW"]
OTHERS += ["Ftrl", "Lamb", "Lion", "Muon", "ScheduleFreeAdamW"]
OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1, momentum=0.9),
    "adam": lambda: optimizers.Adam(0.01, amsgrad=True, use_ema=True),
    "nadam": lambda: optimizers.Nadam(0.01),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "schedule": lambda: optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "plain": lambda: optimizers.SGD(0.1),
    "loss_scale": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.01), 8.0, 2),
    "loss_scale of SGD": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1), 8.0, 2),
    "multi": lambda: optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.Adam(), {"first/.*": optimizers.Lion(0.1)})
    ),
    **{name: getattr(optimizers, name) for name in OTHERS},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_to_the_same_bits(name, tmp_path):
    model = dense()
    model.compile(OPTIMIZERS[name](), "mse", metrics=["mae"])
    model.train_on_batch(X, Y)
    model.save(tmp_path / "a.h5")
    again = models.load_model(tmp_path / "a.h5")
    assert again.get_config() == model.get_config()
    for each in (model, again):
        each.train_on_batch(X, Y)
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    pairs = zip(model.optimizer.variables, again.optimizer.variables, strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)


def test_graphs_come_back_with_operations_and_models_inside(tmp_path):
    model = two_ends()
    saving.save_model(model, tmp_path / "a.hdf5")
    again = models.load_model(tmp_path / "a.hdf5")
    for ours, theirs in zip(model.predict([X, X]), again.predict([X, X]), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_keras_3_looks_for_in_a_file(tmp_path):
    model = dense()
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    model.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as root:
        config = json.loads(root.attrs["model_config"])
        assert config["class_name"] == "Sequential"
        assert all("module" not in layer for layer in config["config"]["layers"])
        training = json.loads(root.attrs["training_config"])
        assert training["loss"] == "mean_squared_error"  # Keras 3 does not know 'mse' there
        assert training["optimizer_config"]["class_name"] == "Adam"
        group = root["model_weights"]
        assert [n.decode() for n in group.attrs["layer_names"]] == ["first", "norm", "last"]
        names = [n.decode() for n in group["first"].attrs["weight_names"]]
        np.testing.assert_array_equal(group["first"][names[0]], model.layers[0].kernel)
        assert len(root["optimizer_weights"].attrs["weight_names"]) == 14


@pytest.mark.parametrize("name", ["w.h5", "w.hdf5"])
def test_weights_alone_in_the_layout_of_keras_2(name, tmp_path):
    model, other = dense(), dense()
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    model.save_weights(tmp_path / name)
    with h5py.File(tmp_path / name) as root:
        # Keras 2 decodes these, knows only its own backends, and reads arrays in this order.
        assert root.attrs["keras_version"].decode() == "3.0.0"
        assert root.attrs["backend"].decode() == "tensorflow"
        assert [n.decode() for n in root.attrs["layer_names"]] == ["first", "norm", "last"]
        names = [n.decode().rpartition("/")[2] for n in root["norm"].attrs["weight_names"]]
        assert names == ["gamma", "beta", "moving_mean", "moving_variance"]
        assert "optimizer_weights" not in root and "model_config" not in root.attrs
    for by_name in (False, True):
        other.load_weights(tmp_path / name, by_name=by_name)
        for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        other = dense()
    with pytest.raises(FileExistsError):
        model.save_weights(tmp_path / name, overwrite=False)
    with pytest.raises(ValueError, match="This file holds weights only: build the model in code"):
        models.load_model(tmp_path / name)
    with pytest.raises(ValueError, match="saving a model that has not yet been built"):
        Sequential([layers.Dense(2)]).save_weights(tmp_path / "x.h5")


class Own(Model):
    """Layers in a list, a model, and weights of its own."""

    def __init__(self):
        super().__init__()
        self.last = layers.Dense(2)
        self.blocks = [layers.Dense(3), layers.BatchNormalization()]
        self.inner = Sequential([layers.Dense(3), layers.BatchNormalization()])
        self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")

    def call(self, x):
        for layer in [*self.blocks, self.inner]:
            x = layer(x)
        return self.last(x) * self.scale


def test_weights_alone_of_a_class_of_ones_own(tmp_path):
    model, other = Own(), Own()
    for each in (model, other):
        each(X)
    model.set_weights([a + i for i, a in enumerate(model.get_weights(), 1)])
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as root:
        stored = [n.decode() for n in root.attrs["layer_names"]]
        assert stored == [layer.name for layer in model.layers]
    other.load_weights(tmp_path / "w.h5")
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with h5py.File(tmp_path / "w.h5", "r+") as root:
        own = root["top_level_model_weights"]
        (name,) = own.attrs["weight_names"]
        del own[name]
        own[name] = np.ones(3)
    with pytest.raises(ValueError, match=r"for weight 'scale': it expects shape \(2,\).*\(3,\)"):
        other.load_weights(tmp_path / "w.h5")


class CountsFirst(Model):
    """A weight of its own that is not trained, before one that is."""

    def __init__(self):
        super().__init__()
        self.count = self.add_weight(shape=(2,), initializer="zeros", name="count", trainable=False)
        self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")
        self.last = layers.Dense(2)

    def call(self, x):
        return self.last(x) * self.scale + self.count


def test_a_model_s_own_weights_that_are_trained_come_first(tmp_path):
    model = CountsFirst()
    model(X)
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as root:
        own = root["top_level_model_weights"]
        values = [own[name][()].tolist() for name in own.attrs["weight_names"]]
    assert values == [[1, 1], [0, 0]]  # as tf.keras has them


def test_a_checkpoint_of_weights_alone(tmp_path):
    model, other = dense(), dense()
    model.compile("sgd", "mse")
    kept = callbacks.ModelCheckpoint(tmp_path / "w-{epoch}.hdf5", save_weights_only=True)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[kept])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w-1.hdf5", "w-2.hdf5"]
    other.load_weights(tmp_path / "w-2.hdf5")
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_long_lists_of_layers_are_spread_over_attributes(tmp_path):
    many = [layers.Dense(1, name=f"{'long' * 40}_{i}") for i in range(450)]
    model = Sequential([Input((1,)), *many])
    model.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as root:
        assert "layer_names" not in root["model_weights"].attrs
        assert "layer_names1" in root["model_weights"].attrs
    again = models.load_model(tmp_path / "a.h5")
    assert [x.name for x in again.layers] == [x.name for x in model.layers]


@pytest.mark.parametrize("name", ["a.keras", "a.h5"])
def test_what_keras_does_not_have_is_told_once(name, tmp_path):
    hard = layers.LSTM(2, recurrent_activation="hard_sigmoid_keras2", name="old")
    inner = Sequential([Input((2,)), Highway(name="high"), layers.Dense(2)])
    model = Sequential([Input((3, 2)), hard, inner])
    with pytest.warns(UserWarning, match="Keras 3 cannot read '.*', which layerkit can") as told:
        model.save(tmp_path / name)
    (text,) = [str(each.message) for each in told]
    assert "it does not know hard_sigmoid_keras2 (layer 'lstm_cell" in text
    assert ", Highway (layer 'high'): only older" in text and told[0].filename == __file__
    models.load_model(tmp_path / name)
    model.save_weights(tmp_path / "w.h5")  # which names no classes: any Keras takes it


def test_keys_that_older_versions_of_keras_refuse_are_left_out_at_their_defaults(tmp_path):
    x = Input((4, 4))
    y = layers.ZeroPadding1D(1)(layers.MultiHeadAttention(1, 2)(x, x))
    y = layers.Concatenate(axis=1, name="add_99")([ops.relu(y), ops.add(y, 1.0)])
    model = Model([x], [layers.Softmax(axis=1)(ops.multiply(y, ops.relu(y)))])
    config = older_versions.for_every_version(configurable.serialize(model))
    found = {entry["name"]: entry["config"] for entry in config["config"]["layers"]}
    heads = next(c for name, c in found.items() if name.startswith("multi_head"))
    padding = next(c for name, c in found.items() if name.startswith("zero_padding"))
    assert not {"seed", "sliding_window", "use_gate", "quantization_config"} & heads.keys()
    assert "data_format" not in padding
    named = {
        name: "name" in c
        for name, c in found.items()
        if name.startswith(("add", "multiply", "relu"))
    }
    # Operations get the next free name when a file is loaded: it must not be that of a layer.
    assert [has for name, has in named.items() if name[:3] != "add"] == [False] * 3
    assert all(has for name, has in named.items() if name[:3] == "add")
    model.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as root:
        entries = json.loads(root.attrs["model_config"])["config"]["layers"]
    assert [e["config"]["axis"] for e in entries if "axis" in e["config"]] == [[1], [1]]
    data = np.ones((2, 4, 4), "float32")
    for name in ("a.h5", "a.keras"):
        model.save(tmp_path / name)
        again = models.load_model(tmp_path / name)
        np.testing.assert_array_equal(again.predict(data), model.predict(data))


def looked_up(mode, path):
    words = layers.StringLookup(output_mode=mode, name="words")
    words.adapt(np.array(["a", "b", "b"]))
    texts = layers.TextVectorization(output_mode=mode, name="texts")
    texts.adapt(["the cat sat", "the dog"])
    for layer, data in ((words, "b"), (texts, "the cow")):
        model = Sequential([Input((1,), dtype="string"), layer])
        model.save(path)
        again = models.load_model(path)
        assert again.layers[0].get_vocabulary() == layer.get_vocabulary()
        yield model.predict(np.array([[data]])), again.predict(np.array([[data]]))


@pytest.mark.parametrize("mode", ["int", "multi_hot", "tf_idf"])
def test_vocabularies_that_were_learned_come_back(mode, tmp_path):
    for own, again in looked_up(mode, tmp_path / "a.h5"):
        np.testing.assert_allclose(own, again, rtol=1e-6)


def test_losses_without_keys_that_older_versions_refuse():
    for loss in (losses.Tversky(), losses.Dice(), losses.CategoricalCrossentropy()):
        described = older_versions.for_every_version(configurable.serialize(loss))
        assert "axis" not in described["config"]
        assert configurable.deserialize(described).get_config() == loss.get_config()


class OwnLookup(layers.Layer):
    """A lookup that its config does not tell of."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = layers.StringLookup(name="words")

    def call(self, x):
        return self.words(x)


def test_a_vocabulary_that_a_legacy_file_cannot_hold_is_told(tmp_path):
    layer = OwnLookup()
    layer.words.adapt(np.array(["a", "b"]))
    model = Sequential([Input((1,), dtype="string"), layer])
    with pytest.warns(UserWarning, match=r"do not hold the vocabularies of \['words'\].* `.keras`"):
        model.save(tmp_path / "a.h5")


def test_keys_of_ones_own_classes_are_kept_whatever_their_names(tmp_path):
    class Own(layers.Layer):
        def __init__(self, ragged=True, seed=1, **kwargs):
            super().__init__(**kwargs)
            self.ragged, self.seed = ragged, seed

        def call(self, x):
            return x

    model = Sequential([Input((2,)), Own(ragged=False, seed=None)])
    for name in ("a.keras", "a.h5"):
        model.save(tmp_path / name)
        layer = models.load_model(tmp_path / name, {"Own": Own}).layers[0]
        assert layer.ragged is False and layer.seed is None


def saved(tmp_path, model):
    model.save(tmp_path / "a.h5")
    return tmp_path / "a.h5"


def kernels(model):
    return {layer.name: layer.get_weights() for layer in model.layers}


def test_weights_by_position_whatever_the_names(tmp_path):
    model, other = dense(), dense(last="other")
    other.load_weights(saved(tmp_path, model))
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_by_name(tmp_path):
    model, other = dense(), dense(last="other")
    before = kernels(other)
    with pytest.warns(UserWarning, match=r"does not have: \['other'\].*does not have: \['last'\]"):
        other.load_weights(saved(tmp_path, model), by_name=True)
    np.testing.assert_array_equal(kernels(other)["first"][0], kernels(model)["first"][0])
    np.testing.assert_array_equal(kernels(other)["other"][0], before["other"][0])


def test_another_number_of_layers(tmp_path):
    path = saved(tmp_path, dense())
    other = Sequential([Input((4,)), layers.Dense(3, name="d"), layers.Dense(2, name="e")])
    with pytest.raises(ValueError, match="Model expected 2 layers, found 3 saved layers") as told:
        other.load_weights(path)
    assert "d                  (4, 3), (3,)  first" in str(told.value)
    assert "pass by_name=True" in str(told.value)


def test_another_shape_changes_nothing_or_is_skipped(tmp_path):
    model, other = dense(), dense(units=5)
    path, before = saved(tmp_path, model), other.get_weights()
    message = r"Shape mismatch in layer 'first' for weight 'kernel': it expects shape \(4, 5\); the"
    with pytest.raises(ValueError, match=message):
        other.load_weights(path)
    for ours, theirs in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.warns(UserWarning, match="Skipped, as asked: Shape mismatch in layer 'first'.*The"):
        other.load_weights(path, skip_mismatch=True)


@pytest.mark.parametrize("by_name", [False, True])
def test_arrays_that_fit_are_loaded_beside_those_that_are_skipped(by_name, tmp_path):
    def model(classes, bias=True):
        inner = [Input((4,)), layers.Dense(3, name="a"), layers.Dense(classes, name="b")]
        last = layers.Dense(2, name="last", use_bias=bias)
        return Sequential([Input((4,)), Sequential(inner, name="inner"), last])

    whole, other = model(5), model(6, bias=False)
    path, before = saved(tmp_path, whole), [v.numpy() for v in other.weights]
    with pytest.warns(UserWarning, match="Skipped, as asked: Shape mismatch in layer 'b'") as told:
        other.load_weights(path, skip_mismatch=True, by_name=by_name)
    for variable, theirs, old in zip(other.weights, whole.weights, before, strict=False):
        fits = "/a/" in variable.path
        np.testing.assert_array_equal(variable.numpy(), theirs.numpy() if fits else old)
    lines = [line.split(maxsplit=1) for line in str(told[0].message).splitlines()[2:]]
    assert lines[:2] == [
        ["inner/b/kernel", "(3, 6)   inner             (3, 5)"],
        ["inner/b/bias", "(6,)     inner             (5,)"],
    ]
    assert lines[2:] == [["last", "(6, 2)   last              (5, 2), (2,)"]]


def test_another_number_of_weights(tmp_path):
    path = saved(tmp_path, Sequential([Input((4,)), layers.Dense(2, name="d", use_bias=False)]))
    message = "Weight count mismatch for layer 'd': it expects 2 arrays; the file holds 1"
    with pytest.raises(ValueError, match=message):
        Sequential([Input((4,)), layers.Dense(2, name="d")]).load_weights(path)


def test_by_name_is_for_legacy_files(tmp_path):
    model = dense()
    model.save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(ValueError, match="`by_name` only supports loading legacy '.h5' or '.hdf5'"):
        model.load_weights(tmp_path / "a.weights.h5", by_name=True)


def test_an_optimizers_state_that_does_not_fit_is_told(tmp_path):
    model = dense()
    model.compile(optimizers.Adam(), "mse")
    model.train_on_batch(X, Y)
    path = saved(tmp_path, model)
    with h5py.File(path, "r+") as root:
        training = json.loads(root.attrs["training_config"])
        training["optimizer_config"] = {"class_name": "Adagrad", "config": {}}
        root.attrs["training_config"] = json.dumps(training)
    with pytest.warns(UserWarning, match="The state of optimizer 'adagrad' in .* was not restored"):
        again = models.load_model(path)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_state_without_a_number_of_steps(tmp_path):
    """Keras 1 and 2 kept no more than the accumulators, of Adagrad and others."""
    model = Sequential([Input((4,)), layers.Dense(2, use_bias=False)])
    model.compile(optimizers.Adagrad(0.1), "mse")
    model.train_on_batch(X, Y)
    path = saved(tmp_path, model)
    with h5py.File(path, "r+") as root:
        state = root["optimizer_weights"]
        training = json.loads(root.attrs["training_config"])
        optimizer = {"class_name": "Adagrad", "config": {"lr": 0.1, "decay": 0.5, "epsilon": 1e-7}}
        root.attrs["training_config"] = json.dumps({**training, "optimizer_config": optimizer})
        names = [name.decode() for name in state.attrs["weight_names"]]
        accumulators = state[next(name for name in names if "accumulator" in name)][()]
        for name in list(state):
            del state[name]
        state.attrs["weight_names"] = [b"Variable:0"]
        state["Variable:0"] = accumulators
        for group in (root, root["model_weights"]):
            group.attrs["keras_version"] = "1.2.2"
    with pytest.warns(UserWarning, match="does not say how many steps optimizer 'adagrad.*' took"):
        again = models.load_model(path)
    np.testing.assert_array_equal(again.optimizer.variables[-1], accumulators)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_rows_that_stayed_are_noted(momentum, tmp_path):
    model = Sequential([Input((2,)), layers.Embedding(3, 2)])
    model.compile(optimizers.SGD(momentum=momentum), "mse")
    path = saved(tmp_path, model)
    with h5py.File(path, "r+") as root:
        for group in (root, root["model_weights"]):
            group.attrs["keras_version"] = "2.2.4-tf"
    notes = " ".join(models.load_model(path).file_notes)
    assert ("those rows stayed whose ids a batch did not have" in notes) is bool(momentum)


def test_clipped_places_are_noted(tmp_path):
    model = Sequential([Input((2,)), layers.Embedding(3, 2)])
    model.compile(optimizers.SGD(clipvalue=0.5), "mse")
    path = saved(tmp_path, model)
    with h5py.File(path, "r+") as root:
        for group in (root, root["model_weights"]):
            group.attrs["keras_version"] = "2.3.1"
    notes = " ".join(models.load_model(path).file_notes)
    assert "limited the gradient of each place in the batch" in notes


@pytest.mark.parametrize("name", ["hinge", "cosine_proximity"])
def test_names_of_retired_losses_are_those_of_metrics_too(name, tmp_path):
    model = Sequential([Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    path = saved(tmp_path, model)
    with h5py.File(path, "r+") as root:
        for group in (root, root["model_weights"]):
            group.attrs["keras_version"] = "1.2.2"
        training = json.loads(root.attrs["training_config"])
        root.attrs["training_config"] = json.dumps({**training, "metrics": [name]})
    again = models.load_model(path)
    found = again.evaluate(np.ones((2, 2)), np.ones((2, 1)), return_dict=True, verbose=0)
    assert any(key.startswith(f"{name}_keras") for key in found)


def test_a_sequential_without_the_shape_of_its_inputs(tmp_path):
    """Keras 2.2 and 2.3 left out the InputLayer that a Sequential began with."""
    path = saved(tmp_path, Sequential([Input((2,)), layers.Dense(1)]))
    with h5py.File(path, "r+") as root:
        described = json.loads(root.attrs["model_config"])
        described["config"]["layers"] = described["config"]["layers"][1:]
        described["config"].pop("build_input_shape", None)
        described["config"]["layers"][0].pop("build_config", None)
        root.attrs["model_config"] = json.dumps(described)
        root.attrs["keras_version"] = "2.3.1"
    with pytest.raises(ValueError, match="expected 0 layers, found 1 .* with an Input of that"):
        models.load_model(path)
    Sequential([Input((2,)), layers.Dense(1)]).load_weights(path)


def test_gates_of_keras_1_together_and_apart_in_one_inner_model(tmp_path):
    gru = layers.GRU(2, reset_after=False, recurrent_activation="tanh", return_sequences=True)
    lstm = layers.LSTM(2, recurrent_activation="tanh")
    model = Sequential([Input((4, 3)), Sequential([Input((4, 3)), gru, lstm], name="inner")])
    expected = [np.random.default_rng(0).random(w.shape) for w in model.get_weights()]
    apart = [a[..., i : i + 2] for i in (0, 2, 4) for a in expected[:3]]
    names = [f"w{i}" for i in range(12)]
    with h5py.File(tmp_path / "w.h5", "w") as root:
        root.attrs["layer_names"], root.attrs["keras_version"] = ["inner"], "1.2.2"
        root.create_group("inner").attrs["weight_names"] = names
        for name, array in zip(names, [*apart, *expected[3:]], strict=True):
            root["inner"][name] = array.astype("float32")
    model.load_weights(tmp_path / "w.h5")
    for own, stored in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(own, stored, rtol=1e-6)


def test_lambdas_take_functions_by_the_layers_names(tmp_path):
    model = Sequential([Input((4,)), layers.Dense(2, name="d"), layers.Lambda(np.abs, name="l")])
    path = tmp_path / "a.h5"
    Sequential([Input((4,)), layers.Dense(2, name="d"), layers.ReLU(name="l")]).save(path)
    with h5py.File(path, "r+") as root:
        config = json.loads(root.attrs["model_config"])
        code = {"name": "l", "function": ["4wEAAAAA", None, None], "function_type": "lambda"}
        config["config"]["layers"][-1] = {"class_name": "Lambda", "config": code}
        root.attrs["model_config"] = json.dumps(config)
    with pytest.raises(ValueError, match=r"custom_objects=\{'l': function\}"):
        models.load_model(path)
    again = models.load_model(path, custom_objects={"l": lambda x: x * 2.0})
    expected = X @ again.layers[0].kernel.numpy() * 2.0
    np.testing.assert_allclose(again.predict(X), expected, rtol=1e-5)
    assert model.layers[-1].name == again.layers[-1].name


def test_old_numerics_are_told_in_the_summary(tmp_path):
    path = tmp_path / "a.h5"
    Sequential([Input((4, 3)), layers.LSTM(2, recurrent_activation="hard_sigmoid")]).save(path)
    with h5py.File(path, "r+") as root:
        root.attrs["keras_version"] = "2.2.4"
        root["model_weights"].attrs["keras_version"] = "2.2.4"
    model, told = models.load_model(path), []
    model.summary(print_fn=told.append)
    assert "hard_sigmoid_keras2 is x / 5 + 1 / 2 between 0 and 1" in "".join(told)
    assert model.layers[0].recurrent_activation(np.float32(1.0)).numpy() == pytest.approx(0.7)
    with pytest.warns(UserWarning, match="Keras 3 cannot read .*not know hard_sigmoid_keras2"):
        model.save(tmp_path / "b.keras")
    again = models.load_model(tmp_path / "b.keras")
    assert again.layers[0].recurrent_activation(np.float32(1.0)).numpy() == pytest.approx(0.7)


def test_ones_own_recurrent_layer_in_a_file_of_keras_1(tmp_path):
    class OwnGRU(layers.GRU):
        pass

    path = tmp_path / "a.h5"
    Sequential([Input((4, 3)), layers.GRU(2, reset_after=False, name="l")]).save(path)
    with h5py.File(path, "r+") as root:
        config = {
            "name": "l",
            "output_dim": 2,
            "inner_activation": "sigmoid",
            "consume_less": "cpu",
        }
        config |= {"batch_input_shape": [None, 4, 3]}
        described = {"class_name": "Sequential"}
        described["config"] = [{"class_name": "OwnGRU", "config": config}]
        root.attrs["model_config"] = json.dumps(described)
        for group in (root, root["model_weights"]):
            group.attrs["keras_version"] = "1.2.2"
    layer = models.load_model(path, {"OwnGRU": OwnGRU}).layers[0]
    assert type(layer) is OwnGRU and layer.units == 2 and layer.reset_after is False


def test_a_vocabulary_that_a_file_of_keras_does_not_hold_is_told(tmp_path):
    layer = layers.StringLookup(name="words")
    layer.adapt(np.array(["a", "b"]))
    model = Sequential([Input((1,), dtype="string"), layer])
    model.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:  # as Keras writes it: not learned yet
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["config"]["vocabulary"] = None
        file.attrs["model_config"] = json.dumps(config)
    with pytest.warns(UserWarning, match=r"\['words'\] of '.*a.h5' have no vocabulary: legacy"):
        models.load_model(tmp_path / "a.h5")


def test_counts_weighted_by_nothing():
    said = {"output_mode": "tf_idf", "pad_to_max_tokens": True, "max_tokens": 5}
    layer = layers.StringLookup(name="words", **said)
    with pytest.raises(ValueError, match=r"'words' \(StringLookup\) has output_mode='tf_idf' and"):
        layer(np.array([["a"]]))


class Keyed(Model):
    """Layers in a dict whose keys are not in their order."""

    def __init__(self):
        super().__init__()
        self.parts = {"z": layers.Dense(2), "a": layers.Dense(2)}
        self.last = layers.Dense(2)

    def call(self, x):
        return self.last(self.parts["a"](self.parts["z"](x)))


def test_layers_in_dicts_come_by_their_keys_in_files_of_tf_keras(tmp_path):
    model = Keyed()
    model(np.zeros((1, 2), "float32"))
    with h5py.File(tmp_path / "a.h5", "w") as file:  # so wrote TensorFlow 2.4
        names = ["dense_1", "dense", "dense_2"]
        file.attrs["layer_names"], file.attrs["keras_version"] = names, "2.4.0"
        for number, name in enumerate(names):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel:0", f"{name}/bias:0"]
            group[f"{name}/kernel:0"] = np.full((2, 2), number, "float32")
            group[f"{name}/bias:0"] = np.full(2, number, "float32")
    model.load_weights(tmp_path / "a.h5")
    order = (model.parts["a"], model.parts["z"], model.last)
    assert [layer.bias.numpy().max() for layer in order] == [0, 1, 2]


def test_tf_keras_takes_written_layers_in_dicts_by_their_keys(tmp_path):
    model = Keyed()
    model(np.zeros((1, 2), "float32"))
    with pytest.warns(UserWarning, match="in the order of their keys"):
        model.save_weights(tmp_path / "a.h5")
