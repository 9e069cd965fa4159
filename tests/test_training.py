"""fit, evaluate and predict: equal to loops written by hand, and clear about bad data."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import layerkit
from layerkit import backend as K
from layerkit import layers, losses, optimizers


def blobs(n: int = 64, classes: int = 3, seed: int = 0):
    """Well separated clouds of points in four dimensions, and their labels."""
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, n)
    centers = np.random.default_rng(7).standard_normal((classes, 4)) * 3
    x = centers[y] + random.standard_normal((n, 4))
    return x.astype("float32"), y


def classifier(dropout: float = 0.0) -> layerkit.Sequential:
    return layerkit.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(3, activation="softmax"),
        ]
    )


def compiled(optimizer="sgd", **kwargs) -> layerkit.Sequential:
    model = classifier()
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, metrics=["accuracy"], **kwargs)
    return model


OPTIMIZERS = [
    lambda: optimizers.SGD(0.1, momentum=0.9),
    lambda: optimizers.RMSprop(0.01),
    lambda: optimizers.Adam(0.01),
]


@pytest.mark.parametrize("make_optimizer", OPTIMIZERS)
def test_fit_equals_the_loop_written_by_hand(make_optimizer):
    x, y = blobs()
    layerkit.utils.set_random_seed(3)
    model = classifier(dropout=0.3)
    model.compile(make_optimizer(), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=20, epochs=3, verbose=0)

    layerkit.utils.set_random_seed(3)
    by_hand = classifier(dropout=0.3)
    optimizer, loss_fn = make_optimizer(), losses.SparseCategoricalCrossentropy()
    for _ in range(3):
        order = K.random.generator(None).permutation(len(x))
        for start in range(0, len(x), 20):
            rows = order[start : start + 20]
            with K.GradientTape() as tape:
                loss = loss_fn(y[rows], by_hand(x[rows], training=True))
            gradients = tape.gradient(loss, by_hand.trainable_variables)
            optimizer.apply(gradients, by_hand.trainable_variables)

    for w, v in zip(model.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)


def test_same_seed_same_bits_in_another_process():
    code = (
        "import numpy as np, layerkit as lk; lk.utils.set_random_seed(5);"
        "from layerkit import layers as L;"
        "m = lk.Sequential([L.Input((4,)), L.Dense(8, 'relu'), L.Dropout(.5), L.Dense(2)]);"
        "m.compile('adam', 'mse'); r = np.random.default_rng(0);"
        "m.fit(r.normal(size=(50, 4)), r.normal(size=(50, 2)), epochs=2, verbose=0);"
        "print(b''.join(w.tobytes() for w in m.get_weights()).hex())"
    )

    def run(hash_seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
        ).stdout

    first = run("1")
    assert len(first) > 100
    assert run("2") == first


def test_fit_learns_and_reports():
    x, y = blobs(256)
    model = compiled(optimizers.Adam(0.01))
    history = model.fit(x, y, epochs=30, verbose=0, validation_data=blobs(64, seed=1))
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == list(range(30))
    assert history.history["val_accuracy"][-1] > 0.95
    assert history.history["loss"][-1] < history.history["loss"][0] / 3
    assert model.history is history


def test_evaluate_is_the_mean_over_all_rows():
    x, y = blobs(50)
    model = compiled()
    p = model.predict(x, verbose=0)
    loss, accuracy = model.evaluate(x, y, batch_size=16, verbose=0)
    assert loss == pytest.approx(-np.log(p[np.arange(50), y]).mean(), rel=1e-5)
    assert accuracy == pytest.approx((p.argmax(-1) == y).mean())
    assert model.evaluate(x, y, verbose=0, return_dict=True) == pytest.approx(
        {"loss": loss, "accuracy": accuracy}, rel=1e-5
    )


def test_evaluate_with_only_a_loss_returns_a_float():
    x, y = blobs()
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert isinstance(model.evaluate(x, y, verbose=0), float)


def test_sample_weight_and_class_weight():
    x, y = blobs(40)
    model = compiled(weighted_metrics=["accuracy"])
    p = model.predict(x, verbose=0)
    each = -np.log(p[np.arange(40), y])
    w = np.linspace(0, 2, 40).astype("float32")
    result = model.evaluate(x, y, sample_weight=w, verbose=0, return_dict=True)
    assert result["loss"] == pytest.approx((each * w).mean(), rel=1e-5)
    hits = p.argmax(-1) == y
    assert result["accuracy"] == pytest.approx(hits.mean())
    assert result["weighted_accuracy"] == pytest.approx((hits * w).sum() / w.sum(), rel=1e-5)
    weight = {0: 2.0, 1: 0.5}
    loss = model.train_on_batch(x, y, class_weight=weight, return_dict=True)["loss"]
    by_class = np.array([2.0, 0.5, 1.0])[y]
    assert loss == pytest.approx((each * by_class).mean(), rel=1e-5)


def test_validation_split_takes_the_last_rows_before_shuffling():
    x, y = blobs(40)
    seen = []

    class Spy(layerkit.Sequential):
        def train_step(self, data):
            seen.append(np.asarray(data[0]))
            return super().train_step(data)

    model = Spy([layers.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, y, validation_split=0.25, batch_size=10, verbose=0)
    trained = np.concatenate(seen)
    assert sorted(map(tuple, trained)) == sorted(map(tuple, x[:30]))
    assert not np.array_equal(trained, x[:30])


def test_initial_epoch_and_validation_freq():
    x, y = blobs()
    history = compiled().fit(
        x, y, epochs=6, initial_epoch=2, validation_data=(x, y), validation_freq=2, verbose=0
    )
    assert history.epoch == [2, 3, 4, 5]
    assert len(history.history["loss"]) == 4
    assert len(history.history["val_loss"]) == 2


def test_validation_after_listed_epochs():
    x, y = blobs()
    model = compiled()
    seen = []
    tell = layerkit.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append("val_loss" in logs)
    )
    options = {"validation_data": (x, y), "validation_freq": [1, 3]}
    model.fit(x, y, epochs=4, verbose=0, callbacks=[tell], **options)
    assert seen == [True, False, True, False]


def test_steps_get_what_was_given():
    got = []

    class Spy(layerkit.Model):
        def train_step(self, data):
            got.append(data)
            return {"steps": len(got)}

        test_step = train_step

        def call(self, inputs):
            return inputs[0] if isinstance(inputs, list) else inputs

        def predict_step(self, data):
            got.append(data)
            return data

    x, y = blobs(8)
    model = Spy()
    model.compile("sgd")
    model.fit(x, verbose=0)
    model.predict(x, verbose=0)
    model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.train_on_batch(x, y, np.ones(8))
    model.fit([x, x], verbose=0)
    lengths = [len(data) if isinstance(data, tuple) else None for data in got]
    assert lengths == [None, None, 2, 2, 3, 1]


def test_single_arrays_in_lists():
    x, y = blobs(8)
    w = np.arange(8.0)
    model = compiled(weighted_metrics=["accuracy"])
    np.testing.assert_array_equal(model.predict([x], verbose=0), model.predict(x, verbose=0))
    in_lists = model.evaluate([x], [y[:, None]], sample_weight=[w], verbose=0)
    assert in_lists == model.evaluate(x, y, sample_weight=w, verbose=0)


def test_add_loss_outside_call_is_refused():
    with pytest.raises(ValueError, match="only be called from inside `call"):
        classifier().add_loss(1.0)


@pytest.mark.parametrize("sees_training", [True, False])
def test_an_overridden_loss(sees_training):
    seen = []

    class Own(layerkit.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return 2 * super().compute_loss(x, y, y_pred, sample_weight)

    class Telling(Own):
        def compute_loss(self, x, y, y_pred, sample_weight, training=True):
            seen.append(training)
            return super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)

    x, y = blobs(8)
    model = (Telling if sees_training else Own)(classifier().layers)
    name = "sparse_categorical_crossentropy"
    model.compile("sgd", name, metrics=[name])
    loss, crossentropy = model.evaluate(x, y, verbose=0)
    assert loss == pytest.approx(2 * crossentropy, rel=1e-5)
    model.train_on_batch(x, y)
    assert seen == ([False, False, False, True] if sees_training else [])


def test_a_loss_among_the_metrics_keeps_its_name():
    model = classifier()
    model.compile("sgd", "mse", metrics=[losses.MeanAbsoluteError(), losses.Huber(name="h")])
    assert sorted(model.fit(X, ONE_HOT, verbose=0).history) == ["h", "loss", "mean_absolute_error"]


def test_metrics_of_layers_are_reported():
    class Watching(layers.Layer):
        def __init__(self):
            super().__init__()
            self.size = layerkit.metrics.Mean(name="size")

        def call(self, inputs):
            self.size.update_state(K.abs(inputs))
            return inputs

    x, y = blobs()
    model = layerkit.Sequential([Watching(), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert history["size"] == pytest.approx([np.abs(x).mean()] * 2, rel=1e-5)


def test_on_batch_siblings():
    x, y = blobs(10)
    model = compiled()
    loss, accuracy = model.test_on_batch(x, y)
    assert [loss, accuracy] == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-5)
    np.testing.assert_array_equal(model.predict_on_batch(x), model.predict(x, verbose=0))
    before = model.get_weights()
    model.train_on_batch(x, y)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_a_train_step_can_be_overridden():
    class Doubled(layerkit.Sequential):
        def train_step(self, data):
            x, y = data[:2]
            with K.GradientTape() as tape:
                loss = 2 * self.compute_loss(x, y, self(x, training=True))
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"twice": loss}

    x, y = blobs()
    model = Doubled([layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(x, y, epochs=2, verbose=0)
    assert list(history.history) == ["twice"]
    assert history.history["twice"][1] < history.history["twice"][0]


def test_a_subclassed_model_trains():
    class Net(layerkit.Model):
        def __init__(self):
            super().__init__()
            self.hidden = [layers.Dense(8, activation="relu") for _ in range(2)]
            self.dropout = layers.Dropout(0.5)
            self.out = layers.Dense(3, activation="softmax")

        def call(self, inputs):
            x = inputs
            for layer in self.hidden:
                x = layer(x)
            return self.out(self.dropout(x))  # `training` is handed down

    x, y = blobs(256)
    model = Net()
    model.compile(optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=20, verbose=0)
    assert model.evaluate(x, y, verbose=0)[1] > 0.9
    assert len(model.weights) == 6
    np.testing.assert_array_equal(model(x), model(x))
    assert (model(x, training=True).numpy() != model(x, training=True).numpy()).any()


def test_regularizers_and_added_losses_count():
    class Penalty(layers.Layer):
        def call(self, inputs):
            self.add_loss(0.5 * K.mean(K.square(inputs)))
            return inputs

    x, y = blobs(32)
    model = layerkit.Sequential(
        [Penalty(), layers.Dense(3, kernel_regularizer=layerkit.regularizers.L2(0.1))]
    )
    model.compile("sgd", "mse")
    target = np.zeros((32, 3), "float32")
    loss = model.evaluate(x, target, batch_size=32, verbose=0)
    kernel = model.get_weights()[0]
    expected = (model.predict(x, verbose=0) ** 2).mean() + 0.1 * (kernel**2).sum()
    assert loss == pytest.approx(expected + 0.5 * (x**2).mean(), rel=1e-5)
    model(x)
    assert len(model.losses) == 2


def test_frozen_layers_stay():
    x, y = blobs()
    model = compiled()
    model.layers[0].trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match="`trainable` state has changed.*layers: \\['dense'\\]"):
        model.fit(x, y, verbose=0)
    model.fit(x, y, verbose=0)  # it is said once
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert (before[2] != after[2]).any()


def test_integer_images_are_cast_as_the_input_says():
    images = np.random.default_rng(0).integers(0, 256, (8, 6, 6, 1)).astype("uint8")
    model = layerkit.Sequential([layers.Input((6, 6, 1)), layers.Conv2D(2, 3), layers.Flatten()])
    np.testing.assert_array_equal(
        model.predict(images, verbose=0), model.predict(images.astype("float32"), verbose=0)
    )


def test_a_last_axis_of_one_is_adjusted_as_in_keras():
    model = layerkit.Sequential([layers.Input((6, 6, 1)), layers.Conv2D(2, 3)])
    assert model.predict(np.zeros((5, 6, 6), "float32"), verbose=0).shape == (5, 4, 4, 2)
    model = layerkit.Sequential([layers.Input((4,)), layers.Dense(2)])
    assert model.predict(np.zeros((5, 4, 1), "float32"), verbose=0).shape == (5, 2)


X, Y = blobs(8)
ONE_HOT = np.eye(3, dtype="float32")[Y]
WITH_NAN = X.copy()
WITH_NAN[3, 1] = np.nan


def cnn() -> layerkit.Sequential:
    return layerkit.Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)])


# What is wrong; the model; its loss; x; y; words that the message must have.
BAD = [
    ("last axis", classifier, "mse", X[:, :3], ONE_HOT, ["'dense", "axis -1", "value 4"]),
    ("rank", cnn, "mse", np.zeros((8, 28, 28)), ONE_HOT, ["'conv2d'", "ndim=3", "x[..., None]"]),
    ("lengths", classifier, "mse", X, ONE_HOT[:5], ["cardinality", "'x' sizes: 8", "'y' sizes: 5"]),
    (
        "label too large",
        classifier,
        "sparse_categorical_crossentropy",
        X,
        np.array([0, 1, 2, 0, 1, 2, 7, 0]),
        ["7", "3"],
    ),
    (
        "label negative",
        classifier,
        "sparse_categorical_crossentropy",
        X,
        np.array([0, 1, 2, 0, 1, 2, -1, 0]),
        ["-1", "3"],
    ),
    (
        "labels for one-hot",
        classifier,
        "categorical_crossentropy",
        X,
        Y,
        ["sparse_categorical_crossentropy"],
    ),
    ("target shape", classifier, "mse", X, ONE_HOT[:, :2], ["(", "2)", "3)"]),
    ("labels beside outputs", classifier, "mse", X[:3], np.array([1, 0, 2]), ["(3,)", "(3, 3)"]),
    ("NaN in x", classifier, "mse", WITH_NAN, ONE_HOT, ["x", "NaN", "1 of 32", "x[3, 1]"]),
    (
        "missing Flatten",
        lambda: layerkit.Sequential([layers.Input((8, 4)), layers.Dense(3)]),
        "sparse_categorical_crossentropy",
        np.zeros((8, 8, 4)),
        Y,
        ["Flatten", "of the 8 rows"],
    ),
    (
        "other number of classes",
        classifier,
        "categorical_crossentropy",
        X,
        np.eye(4, dtype="float32")[Y],
        ["one unit for each class"],
    ),
    ("NaN in y", classifier, "mse", X, ONE_HOT * np.nan, ["`y` contains NaN: 24 of 24"]),
    ("no target", classifier, "mse", X, None, ["`y`"]),
    ("no samples", classifier, "mse", X[:0], ONE_HOT[:0], ["empty"]),
    ("objects", classifier, "mse", np.array([["a"] * 4] * 8), ONE_HOT, ["numbers"]),
]


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch"])
@pytest.mark.parametrize("case", BAD, ids=lambda case: case[0])
def test_bad_data_raises_and_changes_nothing(case, method):
    _, make_model, loss, x, y, words = case
    model = make_model()
    model.compile("sgd", loss)
    before = model.get_weights()
    options = {} if method == "train_on_batch" else {"verbose": 0}
    with pytest.raises(ValueError) as caught:
        getattr(model, method)(x, y, **options)
    for word in words:
        assert word in str(caught.value)
    for old, new in zip(before, model.get_weights(), strict=False):
        np.testing.assert_array_equal(old, new)


# What is done; what the message begins with or holds.
MISUSE = [
    ("fit before compile", lambda m: m.fit(X, Y), "You must call `compile()`"),
    ("fit without an optimizer", lambda m: m.compile(None, "mse") or m.fit(X, Y), "fit() needs an"),
    (
        "train_on_batch without an optimizer",
        lambda m: m.compile(None, "mse") or m.train_on_batch(X, Y),
        "train_on_batch() needs an optimizer, and model",
    ),
    ("evaluate before compile", lambda m: m.evaluate(X, Y), "You must call `compile()`"),
    ("unknown loss", lambda m: m.compile("sgd", "not_a_loss"), "Could not interpret loss"),
    ("unknown optimizer", lambda m: m.compile("adamm", "mse"), "Did you mean 'adam'"),
    (
        "unknown metric",
        lambda m: m.compile("sgd", "mse", metrics=["nope"]),
        "Could not interpret metric",
    ),
    (
        "metrics no list",
        lambda m: m.compile("sgd", "mse", metrics="accuracy"),
        "Expected `metrics` argument to be a list, tuple, or dict. Received instead: "
        "metrics=accuracy of type <class 'str'>. Write metrics=['accuracy']",
    ),
    ("no loss", lambda m: (m.compile("sgd"), m.fit(X, Y)), "No loss to compute"),
    (
        "both weights",
        lambda m: (
            m.compile("sgd", "mse"),
            m.fit(X, ONE_HOT, sample_weight=np.ones(8), class_weight={0: 1.0}),
        ),
        "`class_weight` and `sample_weight`",
    ),
    (
        "split too large",
        lambda m: (m.compile("sgd", "mse"), m.fit(X, ONE_HOT, validation_split=0.999)),
        "not sufficient to split",
    ),
    (
        "batch size",
        lambda m: (m.compile("sgd", "mse"), m.fit(X, ONE_HOT, batch_size=0)),
        "`batch_size` must be a positive integer",
    ),
    (
        "class weights by name",
        lambda m: (m.compile("sgd", "mse"), m.fit(X, ONE_HOT, class_weight={"cat": 2.0})),
        "weight of each label",
    ),
    (
        "class weights in a list",
        lambda m: (m.compile("sgd", "mse"), m.fit(X, ONE_HOT, class_weight=[1.0, 2.0])),
        "weight of each label",
    ),
    (
        "shuffle",
        lambda m: (m.compile("sgd", "mse"), m.fit(X, ONE_HOT, shuffle="epoch")),
        "`shuffle` must be True, False or 'batch'",
    ),
    (
        "validation frequency",
        lambda m: (m.compile("sgd", "mse"), m.fit(X, ONE_HOT, validation_freq=0)),
        "`validation_freq` must be a positive integer",
    ),
    (
        "validation data",
        lambda m: (m.compile("sgd", "mse"), m.fit(X, ONE_HOT, validation_data=X[:2])),
        "`validation_data` must be a tuple",
    ),
    (
        "two inputs",
        lambda m: (m.compile("sgd", "mse"), m.fit([X, X], ONE_HOT)),
        "expects 1 input(s), but it received 2",
    ),
    ("predict nothing", lambda m: m.predict(X[:0]), "length 0"),
    ("unknown layer", lambda m: m.get_layer("zzz"), "No such layer: zzz. Existing layers are"),
    ("layer index", lambda m: m.get_layer(index=9), "model only has 3 layers"),
    ("weights", lambda m: m.set_weights([X]), "expecting 4 weights"),
    ("same name", lambda m: m.add(layers.Dense(1, name="dense")), "unique names"),
    ("a second Input", lambda m: m.add(layers.Input((3,))), "different Input layer"),
    (
        "a late Input",
        lambda _: layerkit.Sequential([layers.Dense(2), layers.Input((3,))]),
        "put Input first",
    ),
]


@pytest.mark.parametrize("case", MISUSE, ids=lambda case: case[0])
def test_misuse_is_told(case):
    _, act, words = case
    with pytest.raises(ValueError) as caught:
        act(classifier())
    assert words in str(caught.value)


def test_adding_what_is_no_layer():
    with pytest.raises(TypeError, match="Only instances of `keras.Layer`"):
        layerkit.Sequential([layers.Dense])


def test_layers_keep_the_order_in_which_they_came():
    class Late(layerkit.Model):
        def __init__(self):
            super().__init__()
            self.blocks = []
            self.out = layers.Dense(1, name="out")
            self.blocks.append(layers.Dense(1, name="block"))

    assert [layer.name for layer in Late().layers] == ["out", "block"]


def test_a_layer_built_during_fit_is_trained():
    class Growing(layerkit.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(3), layers.Dense(3)

        def call(self, inputs, training=None):
            x = self.first(inputs)
            return self.second(x) if training else x

    x, _ = blobs()
    model = Growing()
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((64, 3)), verbose=0)
    before = model.second.get_weights()[0]
    model.fit(x, np.zeros((64, 3)), verbose=0)
    assert (model.second.get_weights()[0] != before).all()


def test_an_exception_leaves_no_bar_open():
    class Failing(layerkit.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyError("enough")

    x, y = blobs()
    model = compiled()
    callbacks = layerkit.callbacks.CallbackList.of([Failing()], model, 1, 1, 2, 64)
    with pytest.raises(KeyError):
        model.fit(x, y, callbacks=callbacks)
    assert callbacks.progbar._shown is None


def test_metrics_of_the_model_itself_are_reset_every_epoch():
    class Counting(layerkit.Sequential):
        def __init__(self, *args):
            super().__init__(*args)
            self.rows = layerkit.metrics.Sum(name="rows")

        def train_step(self, data):
            self.rows.update_state(K.ones(len(data[0])))
            return super().train_step(data)

    x, y = blobs()
    model = Counting([layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.fit(x, y, epochs=2, verbose=0).history["rows"] == [64.0, 64.0]


def test_two_outputs_of_one_name_are_both_listed():
    x = layerkit.Input((2,))
    both = layerkit.Model(x, [layers.Dense(1)(x), layers.Dense(2)(x)], name="both")
    y = layerkit.Input((2,))
    model = layerkit.Model(y, both(y))
    model.compile("sgd", ["mse", "mse"])
    values = model.train_on_batch(np.ones((3, 2)), [np.ones((3, 1)), np.ones((3, 2))])
    assert len(values) == 3 and values[1] == values[2]  # as in Keras


class Pair(layerkit.Model):
    """It has a training step, and no `call`."""

    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(2), layers.Dense(1)

    def train_step(self, data):
        with K.GradientTape() as tape:
            loss = K.mean(K.square(self.second(self.first(data))))
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


def test_a_model_without_call_trains_by_its_own_step():
    model = Pair()
    model.compile("sgd")
    losses_ = model.fit(np.ones((4, 3), "float32"), epochs=2, verbose=0).history["loss"]
    assert losses_[1] < losses_[0]


def test_a_model_without_an_optimizer_trains_by_its_own_step():
    class Own(Pair):
        def train_step(self, data):
            return {"loss": K.mean(self.second(self.first(data)))}

    model = Own()
    model.compile(optimizer=None)
    assert len(model.fit(np.ones((4, 3), "float32"), epochs=2, verbose=0).history["loss"]) == 2


def test_a_model_without_an_optimizer_evaluates_and_predicts():
    model = layerkit.Sequential([layerkit.Input((2,)), layers.Dense(1, dtype="mixed_float16")])
    model.dtype_policy = "mixed_float16"
    x, y = np.ones((3, 2), "float32"), np.ones((3, 1), "float32")
    model.compile(optimizer=None, loss="mse", metrics=["mae"])
    assert model.get_compile_config()["optimizer"] is None
    assert model.predict(x, verbose=0).shape == (3, 1)
    assert model.evaluate(x, y, verbose=0) == model.test_on_batch(x, y)
    model.compile("sgd", "mse")
    assert model.fit(x, y, verbose=0).epoch == [0]
