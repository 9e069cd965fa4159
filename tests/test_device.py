"""Models on a device, without one: a strict stand-in for CuPy beside NumPy in one process.

A training step never waits for the device; losses and weights are those of NumPy; weights,
optimizers and files go from one backend to the other.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import strict_cupy
from tables import layers as layer_rows
from tables import losses_metrics as rows

import layerkit
from layerkit import backend as K
from layerkit import callbacks, constraints, initializers, layers, losses, metrics, regularizers
from layerkit.backend.base import Backend
from layerkit.data import Batches
from layerkit.optimizers import LossScaleOptimizer

pytestmark = pytest.mark.numpy_only("these tests bring a device of their own")

EXAMPLES = Path(__file__).parent.parent / "examples"
GOLDEN = np.load(Path(__file__).parent / "golden" / "optimizers.npz")
SCHEDULES = json.loads(str(GOLDEN["schedules"]))
OPERATIONS = [
    row
    for path in sorted(Path(__file__).parent.glob("tables/ops_*.py"))
    for row in importlib.import_module(f"tables.{path.stem}").ROWS
]
X = np.random.default_rng(0).random((24, 10, 9, 2), "float32")
LABELS = np.random.default_rng(1).integers(0, 5, 24)
ONE_HOT = np.eye(5, dtype="float32")[LABELS]


@pytest.fixture(autouse=True)
def beside_a_device(device):
    """The default stays NumPy."""


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
    """Losses of some steps; from the second on, none may wait for the device, or send it more than
    its batch."""
    batches = Batches(x, y, batch_size=-(-len(x) // steps))
    logs = []
    for step, batch in enumerate(batches):
        if device is None or not step:
            logs.append(dict(model.train_step(batch)))
        else:
            batch = tuple(map(device.asarray, batch))
            device.xp.journal.h2d.clear()
            with strict_cupy.no_syncs(device.xp):
                logs.append(dict(model.train_step(batch)))
            assert not device.xp.journal.h2d
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


def alone(device, function):
    """What `function` gives at its second call, in which it may neither wait nor transfer."""
    function()
    device.xp.journal.h2d.clear()
    with strict_cupy.no_syncs(device.xp):
        result = function()
    assert not device.xp.journal.h2d
    return result


def stepped(optimizer, device=None, steps=9):
    """Weights and the optimizer's state after each step, in which the device was left alone.

    Gradients are not finite at two of the steps where the optimizer scales the loss.
    """
    random = np.random.default_rng(0)
    scales = isinstance(optimizer, LossScaleOptimizer)
    variables = [K.Variable(random.normal(size=s).astype("float32")) for s in [(4, 3), (3,)]]
    variables[0].constraint = constraints.MaxNorm(1.5)
    history = []
    for step in range(steps):
        arrays = [random.normal(size=v.shape).astype("float32") for v in variables]
        if scales and step in (2, 6):
            arrays[step % 4 // 2][0] = (np.inf, np.nan)[step == 6]
        gradients = [K.convert_to_tensor(g) for g in arrays]
        with contextlib.ExitStack() as stack:
            if device and step:
                device.xp.journal.h2d.clear()
                stack.enter_context(strict_cupy.no_syncs(device.xp))
            optimizer.apply([g * optimizer.scale_loss(1.0) for g in gradients], variables)
            if device and step:
                assert not device.xp.journal.h2d
        state = [*variables, *optimizer.variables, K.convert_to_tensor(optimizer.iterations)]
        history.append([v.numpy() for v in state])
    return history


def assert_same_steps(make, device):
    expected = stepped(make())
    K.set_backend("device")
    for step, (now, then) in enumerate(zip(stepped(make(), device), expected, strict=True)):
        for a, b in zip(now, then, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6, err_msg=f"step {step}")


FALLING = {
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
}
CLASSES = ["SGD", "RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Lamb", "Lion"]
CLASSES += ["Adagrad", "Adadelta", "Ftrl", "Adafactor", "Muon", "ScheduleFreeAdamW"]
OPTIONS = [
    {"clipnorm": 0.5},
    {"global_clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"weight_decay": 0.1},
    {"use_ema": True, "ema_momentum": 0.5},
    {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
    {"gradient_accumulation_steps": 2},
    {"gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 2},
    {"learning_rate": FALLING},
]
UPDATES = [
    *((name, {}) for name in CLASSES),
    *(("Adam", options) for options in OPTIONS),
    ("SGD", {"momentum": 0.9, "nesterov": True, "global_clipnorm": 0.5}),
    ("Nadam", {"gradient_accumulation_steps": 3}),
    ("Adam", {"amsgrad": True}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
    ("Ftrl", {"beta": 0.1, "l1_regularization_strength": 0.01}),
]
each_update = pytest.mark.parametrize("name, options", UPDATES, ids=str)


def made_optimizer(name, options):
    config = {"learning_rate": 0.05, **options}
    return layerkit.optimizers.get({"class_name": name, "config": config})


def test_every_optimizer_has_a_row():
    classes = [getattr(layerkit.optimizers, name) for name in layerkit.optimizers.__all__]
    rules = {c.__name__ for c in classes if isinstance(c, type) and "slots" in dir(c)}
    assert rules - {"Optimizer", "LossScaleOptimizer", "MultiOptimizer"} == set(CLASSES)


@each_update
def test_updates_neither_wait_nor_transfer(device, name, options):
    assert_same_steps(lambda: made_optimizer(name, options), device)


def test_a_constant_loss_scale_neither_waits_nor_transfers(device):
    assert_same_steps(lambda: made_optimizer("Adam", {"loss_scale_factor": 8.0}), device)


@each_update
def test_loss_scaling_neither_waits_nor_transfers(device, name, options):
    """The scale is halved and the update left out at two steps, and doubled after two good ones."""

    def make():
        return LossScaleOptimizer(made_optimizer(name, options), 8.0, dynamic_growth_steps=2)

    scales = [float(state[5]) for state in stepped(make())]
    assert scales == [8, 16, 8, 8, 16, 16, 8, 8, 16]
    assert_same_steps(make, device)


@pytest.mark.parametrize("name", CLASSES)
def test_rules_take_rates_and_counts_of_the_device(device, name):
    options = {"learning_rate": FALLING, "weight_decay": 0.1}
    assert_same_steps(lambda: LossScaleOptimizer(made_optimizer(name, options), 8.0), device)


def test_an_optimizer_that_counts_on_the_device(device, tmp_path):
    """What users see of it, and its state on the way to the other backend and back."""
    K.set_backend("device")
    variable = K.Variable([1.0, 2.0])
    optimizer = LossScaleOptimizer(made_optimizer("Nadam", {"learning_rate": FALLING}), 4.0)
    for gradient in ([4.0, 4.0], [np.inf, 4.0], [4.0, 4.0]):
        optimizer.apply([np.array(gradient)], [variable])
    assert (int(optimizer.iterations), float(optimizer.dynamic_scale)) == (2, 2.0)
    assert float(optimizer.learning_rate) == pytest.approx(0.1 * 0.5 ** (2 / 3))
    assert kind(optimizer.inner_optimizer.iterations) == kind(optimizer.step_counter) == "device"
    store: dict = {}
    optimizer.save_own_variables(store)
    K.set_backend("numpy")
    here = LossScaleOptimizer(made_optimizer("Nadam", {"learning_rate": FALLING}), 4.0)
    other = K.Variable(variable.numpy())
    here.build([other])
    here.load_own_variables(store)
    for o, v in (optimizer, variable), (here, other):
        o.apply([np.array([1.0, -1.0])], [v])
    np.testing.assert_allclose(other.numpy(), variable.numpy(), rtol=1e-5)
    assert int(here.iterations) == 3 and kind(here.inner_optimizer.iterations) == "numpy"


@pytest.mark.parametrize("i", range(len(SCHEDULES)), ids=[f"{n}-{a}" for n, a in SCHEDULES])
def test_schedules_compute_where_the_step_is(device, i):
    name, arguments = SCHEDULES[i]
    schedule = getattr(layerkit.optimizers.schedules, name)(*arguments)
    steps = [int(step) for step in GOLDEN["schedule_steps"]]
    queued = [K.Tensor(device.asarray(np.asarray(step, "int32"))) for step in steps]
    device.xp.journal.h2d.clear()
    with strict_cupy.no_syncs(device.xp):
        rates = [schedule(step) for step in queued]
    assert not device.xp.journal.h2d and {kind(rate) for rate in rates} == {"device"}
    here = [schedule(step) for step in steps]
    for rate in here + rates:
        assert rate.dtype == "float32" and not isinstance(rate.array, np.generic)
    expected = [float(rate) for rate in here]
    np.testing.assert_allclose([float(rate) for rate in rates], expected, rtol=2e-6, atol=1e-9)


def test_mixed_precision_neither_waits_nor_transfers(device):
    def model():
        layerkit.config.set_dtype_policy("mixed_float16")
        return classifier("adam")

    try:
        logs, there = train(model()), None
        K.set_backend("device")
        there = model()
        for entry, other in zip(train(there, device=device), logs, strict=True):
            assert entry == pytest.approx(other, rel=2e-2, abs=2e-2)
    finally:
        layerkit.config.set_dtype_policy("float32")
    assert isinstance(there.optimizer, LossScaleOptimizer)
    assert int(there.optimizer.iterations) > 0


NOT_ON_A_DEVICE = {"GaussianNoise", "GaussianDropout"}  # their numbers are drawn on the host


@pytest.mark.parametrize("row", [row for row in layer_rows.ROWS if row.is_plain], ids=str)
def test_layers_neither_wait_nor_transfer(device, row):
    K.set_backend("device")
    layer = getattr(layers, row.layer)(**row.arguments)
    x = np.random.default_rng(1).random(row.shape).astype("float32")
    if row.ids_below:
        x = (x * row.ids_below).astype("int32")
    x, options = K.convert_to_tensor(x), {}
    if layer._training_index is not None:
        options = {"training": row.training}
    if row.layer in NOT_ON_A_DEVICE and row.training:
        pytest.skip("draws its numbers on the host")

    def step():
        with K.GradientTape() as tape:
            if not row.ids_below:
                tape.watch(x)
            y = layer(x, **options)
        tape.gradient(y, [*layer.trainable_variables, *([] if row.ids_below else [x])])

    alone(device, step)


@pytest.mark.parametrize("row", rows.LOSSES, ids=str)
def test_losses_neither_wait_nor_transfer(device, row):
    K.set_backend("device")
    name, options, kind = row
    loss, (y_true, y_pred) = getattr(losses, name)(**options), rows_of(kind)

    def step():
        with K.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        return tape.gradient(value, y_pred)

    alone(device, step)


@pytest.mark.parametrize("row", rows.METRICS, ids=str)
def test_metrics_neither_wait_nor_transfer(device, row):
    K.set_backend("device")
    name, options, kind = row
    if "num_regressors" in options:
        pytest.skip("warns by the number of samples, which it waits for")
    metric, batch = getattr(metrics, name)(**options), rows_of(kind)

    def step():
        metric.update_state(*batch)
        return metric.result()

    alone(device, step)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind_of_mean", [metrics.Sum, metrics.Mean])
def test_sums_and_means_neither_wait_nor_transfer(device, kind_of_mean, weighted):
    K.set_backend("device")
    metric, values = kind_of_mean(), K.convert_to_tensor(X)
    weights = K.convert_to_tensor(X[:, 0, 0, 0]) if weighted else None

    def step():
        metric.update_state(values, weights)
        return metric.result()

    alone(device, step)


# Numbers drawn on the host, results whose shape hangs on values, and indices given by the host.
NOT_ALONE = ("random_", "linspace", "where:condition alone", "getitem:mask", "getitem:whole mask")
NOT_ALONE += ("getitem:integers", "getitem:list", "getitem:pairs", "bincount", "nonzero", "unique")
NOT_ALONE += ("equalize_histogram", "segment_sum:all", "lstm:mask", "gru:mask")


@pytest.mark.parametrize("row", OPERATIONS, ids=str)
def test_operations_neither_wait_nor_transfer(device, row):
    if row.name.startswith(NOT_ALONE) or row.numpy_only:
        pytest.skip(row.numpy_only or "needs the host")
    K.set_backend("device")
    operation = functools.partial(getattr(K, row.name.split(":")[0]), *row.leading)

    def there(x):
        return K.convert_to_tensor(x) if isinstance(x, np.ndarray) else x

    inputs = [K.tree.map_structure(there, x) for x in row.inputs]
    floats = [x for x in K.tree.flatten(inputs) if is_float(x)] if row.gradient else []

    def step():
        with K.GradientTape() as tape:
            for x in floats:
                tape.watch(x)
            y = operation(*inputs, **row.options)
        if floats:
            tape.gradient([t for t in K.tree.flatten(y) if is_float(t)], floats)

    alone(device, step)


def is_float(x):
    return isinstance(x, K.Tensor) and x.dtype.kind == "f"


@pytest.mark.parametrize("row", rows.ACTIVATIONS, ids=str)
def test_activations_neither_wait_nor_transfer(device, row):
    K.set_backend("device")
    name, options = row
    x = K.convert_to_tensor(rows.activation_input())

    def step():
        with K.GradientTape() as tape:
            tape.watch(x)
            y = layerkit.activations.get(name)(x, **options)
        return tape.gradient(y, x)

    alone(device, step)


ON_WEIGHTS = [constraints.MaxNorm(), constraints.MinMaxNorm(), constraints.NonNeg()]
ON_WEIGHTS += [constraints.UnitNorm(), regularizers.L1(), regularizers.L2(), regularizers.L1L2()]
ON_WEIGHTS += [regularizers.OrthogonalRegularizer()]


@pytest.mark.parametrize("function", ON_WEIGHTS, ids=lambda function: type(function).__name__)
def test_constraints_and_regularizers_neither_wait_nor_transfer(device, function):
    K.set_backend("device")
    variable = K.Variable(X[:4, :5, 0, 0])
    alone(device, lambda: function(variable))


def test_constants_go_to_the_device_once(device):
    places = {id(device.constant(np.array([1.5, 2.0]))) for _ in range(3)}
    assert len(places) == 1 and len(device.xp.journal.h2d) == 1
    for other in (np.array([1.5, 3.0]), np.array([[1.5, 2.0]]), np.array([1.5, 2.0], "float32")):
        constant = device.constant(other)
        assert isinstance(constant, device.array_type) and constant.dtype == other.dtype
        np.testing.assert_array_equal(device.to_numpy(constant), other)
    assert len(device.xp.journal.h2d) == 4


def rows_of(kind):
    return tuple(map(K.convert_to_tensor, rows.data(kind)))


def test_more_steps_of_fit_wait_no_more(device):
    K.set_backend("device")
    waits = []
    for size in (16, 24):
        model = classifier()
        model.fit(X[:8], LABELS[:8], verbose=0)
        device.xp.journal.clear()
        model.fit(X[:size], LABELS[:size], batch_size=4, verbose=0)
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


@pytest.fixture(params=["numpy", "device"])
def elsewhere(request, device):
    """A float tensor that is not on the default backend, and the other one's name."""
    K.set_backend(request.param)
    other = {"numpy": "device", "device": "numpy"}[request.param]
    x = np.linspace(0.1, 0.9, 6, dtype="float32").reshape(2, 3)
    return K.Tensor(K.get_backend(other).asarray(x))


def here(x):
    """The same numbers on the default backend."""
    return K.convert_to_tensor(np.array(x))


NUMBERS_BESIDE = {  # operations whose other operands are numbers, in lists or alone
    "binary_crossentropy": lambda x: K.binary_crossentropy(1.0, x[0, 0]),
    "clip": lambda x: K.clip(0.5, x, None),
    "clip above": lambda x: K.clip(0.5, None, x),
    "embedding_lookup": lambda x: K.embedding_lookup(x, 1),
    "take_along_axis": lambda x: K.take_along_axis(x, [[0, 1, 0]], 0),
    "take_along_axis of all": lambda x: K.take_along_axis(x, [4, 0]),
    "where": lambda x: K.where(True, x, 0.0),
    "random_shuffle": lambda x: K.random_shuffle(x, seed=1),
}


@pytest.mark.parametrize("name", NUMBERS_BESIDE)
def test_numbers_come_to_the_array(elsewhere, name):
    y = NUMBERS_BESIDE[name](elsewhere)
    assert kind(y) == kind(elsewhere) != K.backend()
    expected = NUMBERS_BESIDE[name](here(elsewhere))
    np.testing.assert_array_equal(y.numpy(), expected.numpy())


def test_indices_come_to_the_array(elsewhere):
    y = elsewhere[here([1, 0, 1])]
    assert kind(y) == kind(elsewhere) != K.backend()
    np.testing.assert_array_equal(y.numpy(), elsewhere.numpy()[[1, 0, 1]])


BORN = {
    "full of a tensor": lambda x: K.full((4, 2, 3), x),
    "random_normal": lambda x: K.random_normal((2,)),
    "Constant of an array": lambda x: K.Tensor(initializers.Constant(x.array)((2, 3))),
    "Ones": lambda x: K.Tensor(initializers.Ones()((2,))),
}


@pytest.mark.parametrize("name", BORN)
def test_new_tensors_are_on_the_default_backend(elsewhere, name):
    y = BORN[name](elsewhere)
    assert kind(y) == K.backend() != kind(elsewhere)
    if "of" in name:
        np.testing.assert_array_equal(y.numpy(), np.broadcast_to(elsewhere.numpy(), y.shape))


def test_filling_another_backend_loses_no_gradient(device):
    x = here(3.0)
    K.set_backend("device")
    with K.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(TypeError, match="another backend would lose the gradient"):
            K.full((2,), x)


def test_what_is_kept_holds_arrays(device):
    """Not the scalars of NumPy that its reductions give."""
    for name in ("numpy", "device"):
        K.set_backend(name)
        metric = metrics.Accuracy()
        metric.update_state([1, 2], [1, 3])
        for x in (K.sum(K.ones(3)), metric.result(), K.Variable(1.0).assign_add(1.0)):
            assert isinstance(x.array, K.get_backend(name).array_type)


def apart(default, device, *arrays):
    """Of the arrays the last one as a tensor on the default backend, the others not there."""
    K.set_backend(default)
    other = {"numpy": device.asarray, "device": np.asarray}[default]
    *others, last = arrays
    others = [None if x is None else K.Tensor(other(x)) for x in others]
    return [*others, K.convert_to_tensor(last)]


each_default = pytest.mark.parametrize("default", ["numpy", "device"])


@each_default
@pytest.mark.parametrize("row", rows.LOSSES, ids=str)
def test_losses_follow_the_predictions(device, default, row):
    name, options, kind_of_rows = row
    loss, data = getattr(losses, name)(**options), rows.data(kind_of_rows)
    expected = loss(*data).numpy()
    y_true, y_pred = apart(default, device, *data)
    value = loss(y_true, y_pred)
    assert kind(value) == default != kind(y_true)
    np.testing.assert_allclose(value.numpy(), expected, rtol=2e-5, atol=1e-6)


@each_default
@pytest.mark.parametrize("row", rows.METRICS, ids=str)
def test_metrics_follow_the_predictions(device, default, row):
    name, options, kind_of_rows = row
    y_true, y_pred = rows.data(kind_of_rows)
    weights = rows.weights(0) if rows.takes_weights(*row) else None
    if name == "MeanIoU":  # one per pixel
        weights = np.linspace(0.5, 2, y_true.size).reshape(y_true.shape)
    results = []
    for batch in (y_true, y_pred, weights), None:
        if batch is None:
            y_true, weights, y_pred = apart(default, device, y_true, weights, y_pred)
            batch = y_true, y_pred, weights
        metric = getattr(metrics, name)(**options)
        metric.update_state(*batch)
        results.append(metric.result().numpy())
    np.testing.assert_allclose(results[1], results[0], rtol=2e-5, atol=1e-6)


@each_default
def test_masks_follow_the_targets(device, default):
    labels, scores = rows.data("labels")
    mask, weights = np.arange(len(labels)) % 3 > 0, rows.weights(0)
    kept = mask & (labels != 1)
    each = losses.SparseCategoricalCrossentropy(reduction=None)(labels, scores).numpy()
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=1)
    mask, weights, labels = apart(default, device, mask, weights, labels)
    metric.update_state(labels, scores, weights, mask=mask)
    expected = np.average(each, weights=kept * rows.weights(0))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


@each_default
def test_fit_takes_arrays_of_every_kind(device, default):
    """Of another backend, tensors and lists: they train as those of NumPy do."""
    K.set_backend(default)
    weights = []
    there = device.asarray
    for place in (np.array, np.ndarray.tolist, there, lambda x: K.Tensor(there(x)), K.Tensor):
        assert type(Batches(place(X[:8])).x) is np.ndarray  # as shuffling and splitting need it
        model = classifier("sgd")
        model.fit(place(X[:8]), place(LABELS[:8]), shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for others in weights[1:]:
        for w, v in zip(weights[0], others, strict=True):
            np.testing.assert_array_equal(w, v)


@each_default
def test_predictions_are_arrays_of_the_host(device, default):
    K.set_backend(default)
    model, outputs = classifier(), []
    seen = callbacks.LambdaCallback(on_predict_batch_end=lambda _, logs: outputs.append(logs))
    whole = model.predict(X[:8], batch_size=4, callbacks=[seen], verbose=0)
    parts = [logs["outputs"] for logs in outputs]
    for array in (whole, model.predict_on_batch(X[:8]), *parts):
        assert type(array) is np.ndarray
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_predictions_do_not_pile_up_on_the_device(device):
    K.set_backend("device")
    model, used = classifier(), []
    look = callbacks.LambdaCallback(
        on_predict_batch_end=lambda batch, logs: used.append(device.memory_info()["used"])
    )
    model.predict(X, batch_size=4, callbacks=[look], verbose=0)
    assert len(set(used[1:])) == 1


@pytest.mark.parametrize("options", [{}, {"global_clipnorm": 0.1}], ids=str)
@each_default
def test_an_optimizer_of_variables_on_both_backends(device, default, options):
    K.set_backend(default)
    numbers = np.array([1.0, 2.0, 3.0], "float32")
    states = []
    for places in ([np.array] * 2, [np.array, device.asarray], [device.asarray, np.array]):
        variables = [K.Variable(K.Tensor(place(numbers))) for place in places]
        optimizer = made_optimizer("Nadam", options)
        for _ in range(3):
            optimizer.apply([K.Tensor(v.array + 1) for v in variables], variables)
        slots = [optimizer.add_variable_from_reference(v) for v in variables]
        assert [kind(v) for v in variables] == [kind(slot) for slot in slots]
        states.append([v.numpy() for v in variables])
    for others in states[1:]:
        for array, expected in zip(others, states[0], strict=True):
            np.testing.assert_allclose(array, expected, rtol=2e-6)


def test_an_empty_list_is_no_samples():
    with pytest.raises(ValueError, match=r"predict\(\) got no samples"):
        classifier().predict([], verbose=0)


def test_the_reference_on_a_device(device):
    """What a backend that overrides none of it does: constants and batches are its arrays."""

    class Plain(Backend):
        name, xp, array_type = "plain", device.xp, device.array_type

    plain = Plain()
    for x in (plain.constant(X), *next(plain.feeder([X, LABELS], 4)(None))):
        assert isinstance(x, device.array_type)


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
