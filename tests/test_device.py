"""Models on a device, without one: a strict stand-in for CuPy beside NumPy in one process.

A training step never waits for the device; losses and weights are those of NumPy; weights,
optimizers and files go from one backend to the other.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import strict_cupy
from fakes.device import strict_cupy_backend

import layerkit
from layerkit import backend as K
from layerkit import layers, losses
from layerkit.backend import registry
from layerkit.batching import Batches

pytestmark = pytest.mark.numpy_only("these tests bring a device of their own")

EXAMPLES = Path(__file__).parent.parent / "examples"
X = np.random.default_rng(0).random((24, 10, 9, 2), "float32")
LABELS = np.random.default_rng(1).integers(0, 5, 24)
ONE_HOT = np.eye(5, dtype="float32")[LABELS]


@pytest.fixture(autouse=True)
def device(monkeypatch):
    """A device of its own for each test, called 'device'; the default is NumPy."""
    for name in ("_loaded", "_makers"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    for name in ("_default", "one_home"):
        monkeypatch.setattr(registry, name, getattr(registry, name))
    K.register_backend("device", strict_cupy_backend())
    backend = K.get_backend("device")
    K.set_backend("numpy")
    return backend


def classifier(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=("accuracy",)):
    layerkit.utils.set_random_seed(3)
    model = layerkit.Sequential(
        [
            layers.Conv2D(4, 3, padding="same", activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(6, activation="gelu", kernel_constraint="max_norm"),
            layers.Dense(5, activation="softmax"),
        ]
    )
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def train(model, x=X, y=LABELS, steps=4, device=None):
    """Losses of some steps; from the second on, none of them may wait for the device."""
    batches = Batches(x, y, batch_size=-(-len(x) // steps))
    logs = []
    for step, batch in enumerate(batches):
        if device is None or not step:
            logs.append(dict(model.train_step(batch)))
        else:
            with strict_cupy.no_syncs(device.xp):
                logs.append(dict(model.train_step(batch)))
    return [{name: float(value) for name, value in entry.items()} for entry in logs]


def assert_same(model, other, tolerance=2e-5):
    for v, w in zip(model.variables, other.variables, strict=True):
        np.testing.assert_allclose(
            v.numpy(), w.numpy(), rtol=tolerance, atol=tolerance, err_msg=v.path
        )


def assert_same_logs(logs, others):
    for entry, other in zip(logs, others, strict=True):
        assert entry == pytest.approx(other, rel=2e-5, abs=2e-5)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd", "adamw", "nadam", "lion"])
def test_a_step_never_waits_and_gives_what_numpy_gives(device, optimizer):
    here = classifier(optimizer)
    logs = train(here)
    K.set_backend("device")
    there = classifier(optimizer)
    assert_same_logs(train(there, device=device), logs)
    assert all(isinstance(v.array, device.array_type) for v in there.variables)
    assert_same(there, here)


@pytest.mark.parametrize(
    "loss, metrics, y",
    [
        ("categorical_crossentropy", ["accuracy", "auc", "precision"], ONE_HOT),
        ("mse", ["mae", "root_mean_squared_error"], ONE_HOT),
        ("binary_crossentropy", ["binary_accuracy", "recall"], ONE_HOT),
        (losses.SparseCategoricalCrossentropy(), ["sparse_top_k_categorical_accuracy"], LABELS),
    ],
    ids=["categorical", "mse", "binary", "sparse"],
)
def test_losses_and_metrics_never_wait(device, loss, metrics, y):
    expected = train(classifier("sgd", loss, metrics), y=y)
    K.set_backend("device")
    assert_same_logs(train(classifier("sgd", loss, metrics), y=y, device=device), expected)


def test_more_steps_of_fit_wait_no_more(device):
    K.set_backend("device")
    waits = []
    for rows in (16, 24):
        model = classifier()
        model.fit(X[:8], LABELS[:8], verbose=0)
        device.xp.journal.clear()
        model.fit(X[:rows], LABELS[:rows], batch_size=4, verbose=0)
        waits.append(len(device.xp.journal.syncs))
    assert waits[0] == waits[1] < 16


def test_fit_evaluate_predict_give_what_numpy_gives(device):
    here = classifier()
    history = here.fit(X, LABELS, batch_size=8, epochs=2, verbose=0).history
    K.set_backend("device")
    there = classifier()
    for name, values in there.fit(X, LABELS, batch_size=8, epochs=2, verbose=0).history.items():
        assert values == pytest.approx(history[name], rel=1e-4)
    assert there.evaluate(X, LABELS, verbose=0) == pytest.approx(
        here.evaluate(X, LABELS, verbose=0), rel=1e-4
    )
    np.testing.assert_allclose(there.predict(X, verbose=0), here.predict(X, verbose=0), rtol=1e-3)


def test_labels_without_a_class_are_found_before_training(device):
    K.set_backend("device")
    model, labels = classifier(), LABELS.copy()
    labels[7] = 9
    with pytest.raises(ValueError, match=r"label value of 9 .*\[0, 5\)"):
        model.fit(X, labels, verbose=0)


@pytest.mark.parametrize("first, second", [("numpy", "device"), ("device", "numpy")])
def test_files_and_weights_go_to_the_other_backend(device, tmp_path, first, second):
    """A run begun on one backend goes on on the other, from a file, as if nothing had happened."""
    K.set_backend(first)
    model = classifier()
    train(model)
    model.save(tmp_path / "model.keras")
    weights, slots = model.get_weights(), [v.numpy() for v in model.optimizer.variables]
    K.set_backend(second)
    loaded = layerkit.models.load_model(tmp_path / "model.keras")
    kind = K.get_backend(second).array_type
    assert all(isinstance(v.array, kind) for v in loaded.variables)
    for old, new in zip(weights, loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    for old, new in zip(slots, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, new.numpy())
    copied = classifier()
    copied.build((None, *X.shape[1:]))
    copied.optimizer.build(copied.trainable_variables)
    copied.set_weights(model.weights)  # tensors of the other backend
    copied.optimizer.set_weights(model.optimizer.variables)
    layerkit.utils.set_random_seed(4)
    expected = [v.numpy() for v in model.variables], copied.predict(X, verbose=0)
    np.testing.assert_allclose(loaded.predict(X, verbose=0), expected[1], rtol=1e-5)
    for v, w in zip(copied.variables, expected[0], strict=True):
        np.testing.assert_array_equal(v.numpy(), w)


def test_two_backends_take_turns(device):
    here = classifier()
    K.set_backend("device")
    there = classifier()
    for step in range(0, 24, 8):
        K.set_backend("numpy")
        here.train_on_batch(X[step : step + 8], LABELS[step : step + 8])
        K.set_backend("device")
        there.train_on_batch(X[step : step + 8], LABELS[step : step + 8])
    assert_same(here, there)
    assert all(type(v.array) is np.ndarray for v in here.variables)


def kind(x):
    return "device" if not isinstance(x.array, np.ndarray) else "numpy"


def test_the_array_decides_where_work_runs(device):
    x = np.ones(3, "float32")
    on_host, on_device = K.Tensor(x), K.Tensor(device.asarray(x))
    for default in ("numpy", "device"):
        K.set_backend(default)
        assert kind(K.convert_to_tensor(x)) == kind(K.exp(x)) == kind(K.ones(3)) == default
        assert kind(K.exp(on_host)) == kind(on_host + x) == kind(on_host * 2.0) == "numpy"
        assert kind(K.exp(on_device)) == kind(on_device + x) == kind(x + on_device) == "device"
        assert kind(on_host + on_device) == kind(K.where(x > 0, on_device, x)) == "device"
        assert kind(K.take(on_device, np.array([0, 2]))) == "device"
        assert kind(on_device[np.array([0, 2])]) == "device"
        assert kind(K.concatenate([on_device, x])) == "device"


def test_gradients_come_back_to_where_the_source_lives(device):
    on_host, on_device = K.Variable(K.Tensor(np.ones(3, "float32"))), np.arange(3.0)
    with K.GradientTape() as tape:
        y = on_host * K.Tensor(device.asarray(on_device))
    gradient = tape.gradient(y, on_host, output_gradients=np.full(3, 2.0))
    assert kind(y) == "device" and kind(gradient) == "numpy"
    np.testing.assert_array_equal(gradient.numpy(), [0, 2, 4])


def test_variables_stay_where_they_are(device):
    for home, other in (("numpy", "device"), ("device", "numpy")):
        K.set_backend(home)
        variable = K.Variable([1.0, 2.0])
        K.set_backend(other)
        variable.assign([3.0, 4.0])
        variable.assign_add(K.ones(2))
        variable.assign_sub(np.ones(2))
        variable.assign_add(1)
        assert kind(variable) == home
        np.testing.assert_array_equal(variable.numpy(), [4.0, 5.0])


def example(name):
    """The model of an example, made anew on the default backend and not trained."""
    layerkit.utils.set_random_seed(2)
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.model


@pytest.mark.parametrize("name", ["mnist_logistic", "mnist_mlp", "mnist_modern", "mnist_cnn"])
def test_the_examples_models(device, monkeypatch, name):
    arguments = SimpleNamespace(epochs=1)
    digits = SimpleNamespace(arguments=lambda *_, **__: arguments, train=lambda *_, **__: None)
    monkeypatch.setitem(sys.modules, "digits", digits)
    here = example(name)
    x = np.random.default_rng(5).random((8, *here.input_shape[1:]), "float32")
    y = np.arange(8) % 10
    logs = train(here, x, y, steps=2)
    K.set_backend("device")
    there = example(name)
    assert_same_logs(train(there, x, y, steps=2, device=device), logs)
    assert_same(there, here, tolerance=1e-4)
