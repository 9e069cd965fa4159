"""MultiOptimizer: each variable is updated by its own optimizer, and nothing else changes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import layerkit
from layerkit import Input, Sequential, layers
from layerkit import backend as K
from layerkit.backend import Variable
from layerkit.callbacks import ReduceLROnPlateau, SwapEMAWeights, TensorBoard
from layerkit.optimizers import (
    SGD,
    Adam,
    LossScaleOptimizer,
    MultiOptimizer,
    OptimizerMap,
    RMSprop,
    deserialize,
    serialize,
)

X = np.random.default_rng(0).random((8, 3), "float32")
Y = X.sum(axis=1, keepdims=True)


def two():
    found = [Variable(np.ones((2, 2)), name="a"), Variable(np.ones(2), name="b")]
    found[0].path, found[1].path = "encoder/a", "decoder/b"
    return found


def gradients(step):
    random = np.random.default_rng(step)
    return [random.normal(size=shape).astype("float32") for shape in ((2, 2), (2,))]


def model(optimizer):
    K.clear_session()
    K.set_random_seed(1)
    found = Sequential([Input((3,)), layers.Dense(4, name="encoder"), layers.Dense(1, name="out")])
    found.compile(optimizer, "mse")
    return found


def by_map(**options):
    return MultiOptimizer(OptimizerMap(SGD(0.1), {".*encoder/.*": Adam(0.01)}), **options)


def by_function():
    adam, sgd = Adam(0.01), SGD(0.1)
    return MultiOptimizer(lambda variable: adam if "encoder" in variable.path else sgd)


@pytest.mark.parametrize("make", [by_map, by_function])
def test_each_variable_is_updated_by_its_own(make):
    (a, b), (c, d) = two(), two()
    multi, adam, sgd = make(), Adam(0.01), SGD(0.1)
    for step in range(3):
        multi.apply(gradients(step), [a, b])
        adam.apply(gradients(step)[:1], [c])
        sgd.apply(gradients(step)[1:], [d])
    np.testing.assert_array_equal(a.numpy(), c.numpy())
    np.testing.assert_array_equal(b.numpy(), d.numpy())
    assert int(multi.iterations) == 3
    assert [v.path.partition("/")[2] for v in multi.variables] == [
        "iteration",
        "learning_rate",
        "iteration",
        "learning_rate",
        "encoder_a_momentum",
        "encoder_a_velocity",
        "iteration",
        "learning_rate",
    ]
    multi.apply([])
    assert int(multi.iterations) == 3


def test_its_loss_scale_is_that_of_all():
    (a, b), (c, d) = two(), two()
    multi, plain = by_map(loss_scale_factor=8.0), by_map()
    assert float(multi.scale_loss(K.convert_to_tensor(2.0))) == 16.0
    multi.apply([8 * g for g in gradients(0)], [a, b])
    plain.apply(gradients(0), [c, d])
    np.testing.assert_array_equal(a.numpy(), c.numpy())


def test_decay_and_averages_are_handed_on():
    a, b = two()
    multi = MultiOptimizer(OptimizerMap(SGD(0.0, weight_decay=0.1, use_ema=True)))
    multi.exclude_from_weight_decay([a])
    multi.optimizers[0].learning_rate = 1.0
    multi.apply([np.zeros((2, 2)), np.zeros(2)], [a, b])
    np.testing.assert_allclose((a.numpy()[0], b.numpy()), (np.ones(2), np.full(2, 0.9)))
    assert [variable for variable, _ in multi.averages()] == [a, b]
    a.assign(np.zeros((2, 2)))
    multi.finalize_variable_values([a, b])
    np.testing.assert_allclose(a.numpy(), np.ones((2, 2)))


def test_scaled_dynamically():
    scaled = LossScaleOptimizer(by_map(), initial_scale=4.0)
    a, b = two()
    scaled.apply([np.full((2, 2), np.inf, "float32"), np.ones(2, "float32")], [a, b])
    np.testing.assert_array_equal(b.numpy(), np.ones(2))
    scaled.apply([2 * g for g in gradients(0)], [a, b])
    c, d = two()
    by_map().apply(gradients(0), [c, d])
    np.testing.assert_allclose(a.numpy(), c.numpy(), rtol=1e-6)


def test_config_and_file_go_round(tmp_path):
    trained = model(by_map())
    trained.fit(X, Y, verbose=0)
    config = json.loads(json.dumps(serialize(trained.optimizer)))
    assert config["config"]["optimizer_map"]["class_name"] == "OptimizerMap"
    assert deserialize(config).get_config() == trained.optimizer.get_config()
    trained.save(tmp_path / "m.keras")
    again = layerkit.models.load_model(tmp_path / "m.keras")
    for v, w in zip(again.optimizer.variables, trained.optimizer.variables, strict=True):
        np.testing.assert_array_equal(v.numpy(), w.numpy())
    for trained_one in (again, trained):
        trained_one.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(again.predict(X, verbose=0), trained.predict(X, verbose=0))


def test_callbacks_see_the_rates_of_all(tmp_path, capsys):
    trained = model(by_map())
    plateau = ReduceLROnPlateau("loss", patience=1, min_delta=1e9, min_lr=0.005, verbose=1)
    history = trained.fit(X, Y, epochs=3, verbose=0, callbacks=[plateau, TensorBoard(tmp_path)])
    rates = [history.history[f"learning_rate_{name}"] for name in ("adam", "sgd")]
    np.testing.assert_allclose(rates, [[0.01, 0.01, 0.005], [0.1, 0.1, 0.01]], rtol=1e-6)
    assert "reducing adam learning rate to 0.005." in capsys.readouterr().out
    with pytest.raises(ValueError, match="SwapEMAWeights must be used when"):
        trained.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])


def test_exact_paths_come_before_patterns():
    sgd, adam, rms = SGD(), Adam(), RMSprop()
    paths = OptimizerMap(rms, {"encoder/a": adam})
    paths["encoder/.*"] = sgd
    assert paths["encoder/a"] is adam and paths["encoder/b"] is sgd and paths["x"] is rms
    assert list(paths) == ["encoder/a", "encoder/.*"] and len(paths) == 2
    del paths["encoder/.*"]
    assert paths["encoder/b"] is rms


ERRORS = [
    (lambda: OptimizerMap("sgd"), TypeError, "must be an Optimizer instance.*Received: sgd"),
    (lambda: OptimizerMap(SGD(), [1]), TypeError, "must be a dictionary"),
    (lambda: OptimizerMap(SGD(), {3: SGD()}), ValueError, "key must be a string. Received: 3"),
    (lambda: OptimizerMap(SGD(), {"a": 1}), ValueError, "optimizer of 'a' must be an Optimizer"),
    (
        lambda: OptimizerMap(SGD(), {"a": LossScaleOptimizer(SGD())}),
        ValueError,
        "LossScaleOptimizer cannot be used inside a MultiOptimizer",
    ),
    (
        lambda: OptimizerMap(SGD(), {"a": SGD()}).__setitem__("a", SGD()),
        ValueError,
        "'a' already exists in the OptimizerMap",
    ),
    (
        lambda: OptimizerMap(SGD(), {"a.*": SGD(), ".*b": SGD()})["ab"],
        ValueError,
        "Multiple optimizers assigned to variable ab: its path matches",
    ),
    (
        lambda: MultiOptimizer(lambda variable: "sgd").apply(gradients(0), two()),
        ValueError,
        "The optimizer of encoder/a must be an Optimizer instance",
    ),
    (
        lambda: MultiOptimizer(lambda variable: by_map()).apply(gradients(0), two()),
        ValueError,
        "MultiOptimizer cannot be used inside a MultiOptimizer",
    ),
    (lambda: by_map().learning_rate, AttributeError, "cannot be accessed on a MultiOptimizer"),
    (
        lambda: setattr(by_map(), "learning_rate", 1.0),
        AttributeError,
        "cannot be set on a MultiOptimizer",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=[m for _, _, m in ERRORS])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
