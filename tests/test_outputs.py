"""Training for several outputs, with weights and masks, as real Keras does it; and its messages.

`golden/training.json` was computed by real Keras, see `golden/make_training_golden.py`.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from tables import training as table

import layerkit
from layerkit import backend as K
from layerkit import layers, losses, metrics, optimizers

GOLDEN = json.loads((Path(__file__).parent / "golden" / "training.json").read_text())


class Two(layerkit.Model):
    """Two outputs: a tuple, a dict, or a list with names."""

    def __init__(self, kind="list"):
        super().__init__()
        self.a = layers.Dense(2, name="a")
        self.b = layers.Dense(3, activation="softmax", name="b")
        self.kind = kind
        if kind == "list":
            self.output_names = ["a", "b"]

    def call(self, inputs):
        a, b = self.a(inputs), self.b(inputs)
        return {"dict": {"a": a, "b": b}, "tuple": (a, b)}.get(self.kind, [a, b])


class Masked(layerkit.Model):
    """A sequence of ids: what comes of the id 0 has no weight."""

    def __init__(self):
        super().__init__()
        self.embedding, self.out = layers.Embedding(6, 4), layers.Dense(3, activation="softmax")

    def call(self, inputs):
        y = self.out(self.embedding(inputs))
        y._keras_mask = K.not_equal(inputs, 0)
        return y


def made(kind):
    if kind == "sequence":
        model, weights = Masked(), "sequence"
        model(table.IDS)
    elif kind == "one":
        model, weights = layerkit.Sequential([layers.Dense(3, "softmax", name="out")]), "one"
        model(table.X)
    else:
        model, weights = Two(kind), "two"
        model(table.X)
    model.set_weights(table.initial_weights(weights))
    return model


@pytest.mark.parametrize("row", table.ROWS, ids=str)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["as it is", "compiled"])
def test_training_is_that_of_keras(row, jit_compile):
    expected = GOLDEN[row.name]
    model = made(row.model)
    model.compile(optimizers.SGD(0.1), **row.compile, jit_compile=jit_compile)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Your input ran out|Gradients do not exist")
        history = model.fit(**table.fit_arguments(row, layerkit)).history
    assert list(history) == list(expected["history"])
    close = {"rtol": 2e-5, "atol": 1e-6}
    for name, values in expected["history"].items():
        np.testing.assert_allclose(history[name], values, err_msg=name, **close)
    for weight, values in zip(model.get_weights(), expected["weights"], strict=True):
        np.testing.assert_allclose(weight.ravel(), values, **close)
    assert model.metrics_names == expected["metrics_names"]
    options = table.evaluate_arguments(row)
    logs = model.evaluate(**options, return_dict=True)
    assert sorted(logs) == sorted(expected["logs"])
    for name, value in expected["logs"].items():
        np.testing.assert_allclose(logs[name], value, err_msg=name, **close)
    given = np.atleast_1d(model.evaluate(**options))
    values = list(dict.fromkeys(expected["evaluate"]))  # Keras gives equal names more than once
    np.testing.assert_allclose(list(dict.fromkeys(given)), values, **close)


def test_steps_of_several_outputs_and_masks_are_traced():
    if K.backend() != "numpy":
        pytest.skip("steps are traced on the CPU alone")
    for row in (table.ROWS[0], next(row for row in table.ROWS if row.name == "mask")):
        model = made(row.model)
        model.compile("sgd", **row.compile, jit_compile=True)
        model.fit(**table.fit_arguments(row, layerkit))
        assert all(model._training_pass._kinds.values())


def compiled(kind="list", **options):
    model = made(kind)
    model.compile("sgd", **options)
    return model


def test_order_of_arguments_is_that_of_keras():
    model = made("list")
    model.compile("sgd", ["mse", "mse"], [1.0, 2.0], [["mae"], None], [None, ["mse"]], True, 3)
    config = model.get_compile_config()
    assert config["loss_weights"] == [1.0, 2.0]
    assert config["weighted_metrics"] == [None, ["mse"]]
    assert (model.run_eagerly, model.steps_per_execution, model.jit_compile) == (True, 3, False)
    assert model._training_pass is layerkit.Model._pass


def test_running_eagerly_wins_over_compiling():
    with pytest.warns(UserWarning, match="If `run_eagerly` is True, then `jit_compile` cannot"):
        model = compiled("one", loss=table.SPARSE, run_eagerly=True, jit_compile=True)
    assert model.jit_compile is False


def test_train_on_batch_reports_in_the_order_of_evaluate():
    model = compiled(loss=[table.MSE, table.SPARSE], metrics=[["mae"], ["accuracy"]])
    before = model.evaluate(table.X, [table.A, table.B], verbose=0)
    for on_batch in (model.test_on_batch, model.train_on_batch):
        assert on_batch(table.X, [table.A, table.B]) == pytest.approx(before, rel=1e-5)
    names = ["a_loss", "a_mae", "b_accuracy", "b_loss", "loss"]
    assert sorted(model.train_on_batch(table.X, [table.A, table.B], return_dict=True)) == names


@pytest.mark.parametrize("form", [list, tuple, dict], ids=lambda form: form.__name__)
def test_targets_may_be_lists_tuples_or_dicts(form):
    y = {"a": table.A, "b": table.B} if form is dict else form([table.A, table.B])
    model = compiled(loss=[table.MSE, table.SPARSE], metrics=[["mae"], ["accuracy"]])
    expected = model.evaluate(table.X, [table.A, table.B], verbose=0)
    assert model.evaluate(table.X, y, verbose=0) == expected


class Nested(layerkit.Model):
    """Outputs in a list in a dict."""

    def __init__(self):
        super().__init__()
        self.layers_ = [layers.Dense(2) for _ in range(3)]

    def call(self, inputs):
        a, b, c = (layer(inputs) for layer in self.layers_)
        return {"pair": [a, b], "one": c}


def test_nested_outputs():
    model, target = Nested(), table.A
    loss = {"pair": ["mse", "mae"], "one": "mse"}
    model.compile("sgd", loss, metrics={"pair": [["mae"], None]}, loss_weights=[1, [2, 3]])
    targets = {"pair": [target, target], "one": target}
    logs = model.evaluate(table.X, targets, verbose=0, return_dict=True)
    one, first, second = logs["one_loss"], logs["pair/mse_loss"], logs["pair/mae_loss"]
    assert logs["loss"] == pytest.approx(one + 2 * first + 3 * second)
    predicted = model.predict(table.X, verbose=0)
    assert second == pytest.approx(np.abs(predicted["pair"][1] - target).mean(), rel=1e-5)
    assert logs["mae"] == pytest.approx(np.abs(predicted["pair"][0] - target).mean(), rel=1e-5)


def test_losses_by_shape_for_each_output():
    model = compiled("tuple", loss=["mse", "crossentropy"])
    exact = compiled("tuple", loss=["mse", table.SPARSE])
    data = table.X, [table.A, table.B]
    assert model.evaluate(*data, verbose=0)[0] == exact.evaluate(*data, verbose=0)[0]


def test_callbacks_may_watch_a_loss_or_metric_of_an_output():
    model = compiled(loss=[table.MSE, table.SPARSE], metrics=[["mae"], ["accuracy"]])
    watch = [
        layerkit.callbacks.EarlyStopping(name, patience=9)
        for name in ("val_a_loss", "val_b_accuracy")
    ]
    data = table.X, [table.A, table.B]
    model.fit(*data, validation_data=data, epochs=2, verbose=0, callbacks=watch)
    assert [callback._sign for callback in watch] == [-1, 1]


def test_compile_arguments_by_output_come_back_from_a_file(tmp_path):
    config = compiled(
        "dict",
        loss={"a": "mse", "b": losses.SparseCategoricalCrossentropy()},
        loss_weights={"a": 2.0, "b": 1.0},
        metrics={"a": ["mae"], "b": [metrics.SparseCategoricalAccuracy(name="hits")]},
    ).get_compile_config()
    config = json.loads(json.dumps(config))
    model = made("dict")
    model.compile_from_config(config)
    logs = model.evaluate(**table.DICT, verbose=0, return_dict=True)
    assert sorted(logs) == ["a_loss", "a_mae", "b_hits", "b_loss", "loss"]
    assert logs["loss"] == pytest.approx(2 * logs["a_loss"] + logs["b_loss"])


def test_what_cannot_come_back_leaves_its_place():
    model = compiled("list", loss=["mse", lambda y, p: p], metrics=[["mae"], [lambda y, p: p]])
    with pytest.warns(UserWarning, match="was saved without parts.*\n  - loss.*\n  - metrics"):
        config = model.get_compile_config()
    assert config["loss"] == ["mse", None] and config["metrics"] == [["mae"], [None]]
    config["loss"] = ["nobody_knows", "mae"]
    other = made("list")
    with pytest.warns(UserWarning, match="loss: Could not interpret loss.*nobody_knows"):
        other.compile_from_config(config)
    assert other.get_compile_config()["loss"] == [None, "mae"]


# Masks


PREDICTED = np.array([[[0.2], [0.5], [0.4]], [[0.1], [0.9], [0.3]]], "float32")
TARGETS = np.array([[[1], [0], [0]], [[1], [1], [0]]], "float32")
MASK = np.array([[True, True, False], [True, False, False]])


def masked_prediction():
    y = K.convert_to_tensor(PREDICTED)
    y._keras_mask = K.convert_to_tensor(MASK)
    return y


def test_losses_take_the_mask_of_the_predictions():
    squares = (PREDICTED - TARGETS)[..., 0] ** 2
    for reduction, expected in (
        ("sum_over_batch_size", squares[MASK].mean()),
        ("mean", squares[MASK].mean()),
        ("sum", squares[MASK].sum()),
        ("none", np.where(MASK, squares, 0)),
    ):
        loss = losses.MeanSquaredError(reduction=reduction)(TARGETS, masked_prediction())
        np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-6)
    weights = np.array([2.0, 0.5], "float32")
    weighted = losses.MeanSquaredError()(TARGETS, masked_prediction(), weights)
    np.testing.assert_allclose(weighted, (squares * weights[:, None])[MASK].mean(), rtol=1e-6)


def test_a_mask_that_lets_nothing_count():
    y = masked_prediction()
    y._keras_mask = K.convert_to_tensor(np.zeros((2, 3), bool))
    assert float(losses.MeanSquaredError()(TARGETS, y)) == 0
    metric = metrics.MeanAbsoluteError()
    metric.update_state(TARGETS, y)
    assert float(metric.result()) == 0


def test_metrics_take_the_mask_of_the_predictions():
    errors = np.abs(PREDICTED - TARGETS)[..., 0]
    metric = metrics.MeanAbsoluteError()
    metric.update_state(TARGETS, masked_prediction())
    np.testing.assert_allclose(metric.result(), errors[MASK].mean(), rtol=1e-6)
    weights = np.array([2.0, 0.5], "float32")
    metric.reset_state()
    metric.update_state(TARGETS, masked_prediction(), sample_weight=weights)
    every = np.broadcast_to(weights[:, None], MASK.shape)[MASK]
    expected = (errors[MASK] * every).sum() / every.sum()
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)


# What is refused


TWO = [table.MSE, table.SPARSE]
REFUSED = {
    "loss weights": (
        lambda: compiled(loss=TWO, loss_weights="x"),
        "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, or "
        "dict (multiple output case). Received instead: loss_weights=x of type <class 'str'>",
    ),
    "weights without a loss": (
        lambda: compiled(loss_weights=[1.0, 2.0]),
        "`loss_weights` weigh the losses of `loss`: give both, or none.",
    ),
    "metrics in the place of weights": (
        lambda: made("one").compile("sgd", "mse", ["accuracy"]),
        "`loss_weights` must be numbers. Received: loss_weights=['accuracy']. (Metrics come after",
    ),
    "number of weights": (
        lambda: fitted(loss=TWO, loss_weights=[1.0, 2.0, 3.0]),
        "`loss_weights` must match the number of losses, got 2 losses and 3 weights: ",
    ),
    "missing weight": (
        lambda: fitted(loss=TWO, loss_weights={"a": 1.0}),
        "got 2 losses and 1 weights: output 'b' has none",
    ),
    "unknown weight": (lambda: fitted(loss=TWO, loss_weights={"a": 1, "c": 1}), "'c' is none"),
    "one weight": (lambda: fitted(loss=TWO, loss_weights=0.5), "got 2 losses and 1 weights"),
    "unknown name": (
        lambda: fitted(loss={"a": "mse", "c": "mse"}),
        "Expected keys ['a', 'b'] in loss dict, but found loss.keys()=['a', 'c']: 'c' "
        "is none of the outputs ['a', 'b']. Give a loss for each output, or None",
    ),
    "unknown key": (
        lambda: fitted("dict", loss={"a": "mse", "c": "mse"}),
        "The path: ('c',) in the `loss` argument, can't be found in the model's output (`y_pred`)"
        ": 'c' is none of the outputs ['a', 'b']",
    ),
    "number of losses": (
        lambda: fitted(loss=["mse"] * 3),
        "can't be found in the model's output (`y_pred`): at the top level there is a list of 2, "
        "and a list of 3 was given",
    ),
    "losses of one output": (
        lambda: compiled("one", loss=["mse", "mae"]).fit(table.X, table.HOT),
        "there is one output, and 2 were given",
    ),
    "loss of another output": (
        lambda: named_one(loss={"other": "mse"}).fit(table.X, table.HOT),
        "Expected keys ['out'] in loss dict, but found loss.keys()=['other']",
    ),
    "unknown loss": (lambda: compiled(loss=["mse", "mee"]), "Could not interpret loss"),
    "unknown metric": (
        lambda: compiled(loss=TWO, metrics={"a": ["mae", "mee"]}),
        "Could not interpret metric",
    ),
    "metrics of an unknown output": (
        lambda: fitted(loss=TWO, metrics={"c": "mae"}),
        "Invalid `metrics`. `metrics` should contain metrics objects and either be a dict or a "
        "list matching the output names of the functional model ['a', 'b'] or the output "
        "structure of the model: ['*', '*'].\nReceived: metrics={'c': 'mae'}",
    ),
    "number of metrics": (
        lambda: fitted("dict", loss=TWO, weighted_metrics=["mae"] * 3),
        "Invalid `weighted_metrics`. `weighted_metrics` should contain metrics objects and either "
        "be a dict or a list matching the output structure of the model: {'a': '*', 'b': '*'}.",
    ),
    "metrics without targets": (
        lambda: compiled(loss=[None, table.SPARSE], metrics=[["mae"], None]).fit(
            table.X, [None, table.B]
        ),
        "The metrics of output a need targets",
    ),
    "shape of a target": (
        lambda: compiled(loss="mse").fit(table.X, [table.A, table.A]),
        " (Output 'b'.) (These are the shapes of 1 of the 10 rows, tried first.)",
    ),
    "number of targets": (
        lambda: compiled(loss=TWO).fit(table.X, [table.A] * 3),
        "y_true and y_pred have different structures.\ny_true: ['*', '*', '*']\ny_pred: ['*', '*']",
    ),
    "one target": (
        lambda: compiled(loss=TWO).fit(table.X, table.A),
        "y_true and y_pred have different structures.\ny_true: *\n",
    ),
    "unknown target": (
        lambda: compiled(loss=TWO).fit(table.X, {"a": table.A, "c": table.B}),
        "'c' is none of the outputs ['a', 'b']",
    ),
    "missing target": (
        lambda: compiled(loss=TWO).fit(table.X, {"a": table.A}),
        "The loss of output 'b' needs targets: give them in `y`, or None as its loss",
    ),
    "weights of an unknown output": (
        lambda: compiled(loss=TWO).fit(
            table.X, [table.A, table.B], sample_weight={"a": table.W, "c": table.W}
        ),
        "sample_weight and y_pred have different structures",
    ),
    "no loss at all": (
        lambda: compiled(loss=[None, None]).fit(table.X, [table.A, table.B]),
        "No loss to compute. Provide a `loss` argument in `compile()`",
    ),
    "evaluate before compile": (
        lambda: made("one").evaluate(table.X, table.B),
        "You must call `compile()` before using the model",
    ),
}


def fitted(kind="list", **options):
    return compiled(kind, **options).fit(table.X, [table.A, table.B], verbose=0)


def named_one(**options):
    model = made("one")
    model.compile("sgd", **options)
    return model


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    act, words = REFUSED[case]
    with pytest.raises(ValueError) as caught:
        act()
    assert words in str(caught.value)


def test_a_loss_by_the_name_of_the_only_output():
    for model in (named_one(loss={"out": table.SPARSE}), named_one(loss=[table.SPARSE])):
        expected = compiled("one", loss=table.SPARSE).evaluate(table.X, table.B, verbose=0)
        assert model.evaluate(table.X, {"out": table.B}, verbose=0) == expected
        assert model.evaluate(table.X, [table.B], verbose=0) == expected


def test_a_model_in_which_nothing_trains():
    model = made("one")
    model.trainable = False
    model.compile("sgd", table.SPARSE)
    before = model.get_weights()
    expected = model.evaluate(table.X, table.B, verbose=0)
    with pytest.warns(UserWarning, match="The model does not have any trainable weights."):
        history = model.fit(table.X, table.B, verbose=0, epochs=2).history
    assert history["loss"] == pytest.approx([expected] * 2)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_variables_without_a_gradient_are_warned_of():
    model = compiled(loss=[None, table.SPARSE])
    with pytest.warns(UserWarning, match=r"do not exist for variables \['two/a/kernel', 'two/a"):
        model.fit(table.X, [table.A, table.B], verbose=0)


def test_freezing_after_compile_is_warned_of_once():
    model = compiled("one", loss=table.SPARSE)
    model.train_on_batch(table.X, table.B)
    model.layers[0].trainable = False
    model.layers[0].trainable = True
    model.fit(table.X, table.B, verbose=0)  # it is as it was
    model.layers[0].trainable = False
    message = "A layer's `trainable` state has changed since the model was compiled.*recompile"
    with pytest.warns(UserWarning) as caught:
        model.train_on_batch(table.X, table.B)
        model.train_on_batch(table.X, table.B)
    first, *others = [str(warning.message) for warning in caught]
    assert first.startswith(message.partition(".*")[0]) and first.endswith("layers: ['out']")
    assert all("any trainable weights" in text for text in others)
    model.compile("sgd", table.SPARSE)
    model.layers[0].trainable = True
    with pytest.warns(UserWarning, match=message):
        model.fit(table.X, table.B, verbose=0)


# Without state


def norm_model():
    model = layerkit.Sequential(
        [layers.Dense(4, kernel_regularizer="l2"), layers.BatchNormalization(), layers.Dense(2)]
    )
    model.build((None, 4))
    return model


def test_a_stateless_call_is_that_of_a_model_with_these_weights():
    model = norm_model()
    random = np.random.default_rng(0)
    before = model.get_weights()
    trained = [random.random(v.shape, "float32") for v in model.trainable_variables]
    kept = [random.random(v.shape, "float32") for v in model.non_trainable_variables]
    y, state, penalties = model.stateless_call(
        trained, kept, table.X, training=True, return_losses=True
    )
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    twin = norm_model()
    for variable, value in zip(twin.trainable_variables, trained, strict=True):
        variable.assign(value)
    for variable, value in zip(twin.non_trainable_variables, kept, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(y, twin(table.X, training=True))
    for value, variable in zip(state, twin.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(value, variable)
    assert [float(p) for p in penalties] == [float(p) for p in twin.losses]
    outputs, _ = model.stateless_call(model.trainable_variables, kept, table.X)
    assert outputs.shape == (10, 2)


def test_gradients_go_through_a_stateless_call():
    layer = layers.Dense(3)
    layer.build((None, 4))
    kernel, bias = (K.convert_to_tensor(v.numpy() + 1) for v in layer.variables)
    with K.GradientTape() as tape:
        tape.watch([kernel, bias])
        first, _ = layer.stateless_call([kernel, bias], [], table.X)
        again, _ = layer.stateless_call([kernel * 2.0, bias], [], table.X)
        loss = K.sum(first * first) + K.sum(again)
    found = tape.gradient(loss, [kernel, bias])
    y = table.X @ kernel.numpy() + bias.numpy()
    ones = np.ones_like(y)
    np.testing.assert_allclose(found[0], table.X.T @ (2 * y + 2 * ones), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[1], (2 * y + ones).sum(0), rtol=1e-4)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "LossScaleOptimizer"])
def test_a_training_loop_without_state(kind):
    def optimizer():
        inner = optimizers.Adam(0.1) if kind == "LossScaleOptimizer" else 0.1
        return getattr(optimizers, kind)(inner)

    layer = layers.Dense(2)
    layer.build((None, 4))
    start, rule = layer.get_weights(), optimizer()
    rule.build(layer.trainable_variables)
    trained = list(layer.trainable_variables)
    state = [variable.numpy() for variable in rule.variables]
    before = [variable.numpy() for variable in rule.variables]

    def gradients(trained):
        trained = [K.convert_to_tensor(np.asarray(v)) for v in trained]
        with K.GradientTape() as tape:
            tape.watch(trained)
            y, _ = layer.stateless_call(trained, [], table.X)
            loss = losses.MeanSquaredError()(table.A, y)
        return tape.gradient(loss, trained)

    for _ in range(3):
        trained, state = rule.stateless_apply(state, gradients(trained), trained)
    for variable, value in zip(layer.trainable_variables, start, strict=True):
        np.testing.assert_array_equal(variable, value)
    for variable, value in zip(rule.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    other = optimizer()
    for _ in range(3):
        other.apply(gradients(layer.trainable_variables), layer.trainable_variables)
    for a, b in zip(trained, layer.trainable_variables, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


STATELESS = {
    "unbuilt layer": (
        lambda: layers.Dense(2).stateless_call([], [], table.X),
        "To call stateless_call, Dense 'dense' must be built",
    ),
    "trained": (
        lambda: norm_model().stateless_call([], [], table.X),
        "Argument `trainable_variables` must be a list of tensors corresponding 1:1 to "
        "Sequential().trainable_variables. Received list with length 0, but expected 6 variables.",
    ),
    "kept": (
        lambda: norm_model().stateless_call([0] * 6, [], table.X),
        "Argument `non_trainable_variables` must be a list of tensors",
    ),
    "shape": (
        lambda: norm_model().stateless_call([0] * 6, [0] * 2, table.X),
        "has shape (4, 4); received a value of shape ()",
    ),
    "unbuilt optimizer": (
        lambda: optimizers.SGD().stateless_apply([], [], []),
        "To call `stateless_apply`, SGD must be built",
    ),
    "state": (
        lambda: built_optimizer().stateless_apply([], [], []),
        "Argument `optimizer_variables` must be a list of tensors corresponding 1:1",
    ),
    "variables": (
        lambda: built_optimizer().stateless_apply([0, 0.1], [], []),
        "Argument `trainable_variables` must be a list of tensors corresponding 1:1",
    ),
}


def built_optimizer():
    optimizer = optimizers.SGD()
    optimizer.build([K.Variable([1.0])])
    return optimizer


@pytest.mark.parametrize("case", STATELESS)
def test_what_has_no_state_to_begin_with(case):
    act, words = STATELESS[case]
    with pytest.raises(ValueError) as caught:
        act()
    assert words in str(caught.value)


def test_losses_of_a_dict_come_in_the_order_of_compile_and_logs_by_name():
    model = compiled("dict", loss={"b": table.SPARSE, "a": "mae"})
    model.fit(table.X, {"a": table.A, "b": table.B}, verbose=0)
    assert model.metrics_names == ["loss", "b_loss", "a_loss"]
    logs = model.evaluate(table.X, {"a": table.A, "b": table.B}, verbose=0, return_dict=True)
    assert list(logs) == ["a_loss", "b_loss", "loss"]
    total, b, a = model.evaluate(table.X, {"a": table.A, "b": table.B}, verbose=0)
    assert (a, b, total) == (logs["a_loss"], logs["b_loss"], logs["loss"])
    assert total == pytest.approx(a + b, rel=1e-6)
