"""compile(jit_compile=True): replayed and traced training give the bits of training as it is.

Replayed on a stand-in for CuPy, which computes nothing while it captures and refuses what CuPy
refuses; traced on NumPy.
"""

from __future__ import annotations

import dataclasses
import gc
import importlib
from pathlib import Path

import numpy as np
import pytest
from fakes import strict_cupy
from tables import layers as layer_rows
from tables import losses_metrics as table

import layerkit
from layerkit import backend as K
from layerkit import callbacks, layers, losses, metrics, optimizers
from layerkit.backend import Backend, registry
from layerkit.backend.random import global_generator
from layerkit.backend.replay import NotReplayable
from layerkit.optimizers import schedules

pytestmark = pytest.mark.numpy_only("these tests bring a device of their own")

X = np.random.default_rng(0).random((22, 5), "float32")
Y = np.random.default_rng(1).random((22, 5), "float32")


@pytest.fixture(autouse=True, params=["device", "numpy"])
def home(request, device):
    """Where arrays are born."""
    K.set_backend(request.param)
    return request.param


on_the_device = pytest.mark.parametrize("home", ["device"], indirect=True)
on_numpy = pytest.mark.parametrize("home", ["numpy"], indirect=True)


class Scale(layers.Layer):
    """The simplest layer with weights."""

    def build(self, input_shape):
        self.scale = self.add_weight(input_shape[-1:], "ones", name="scale")
        self.shift = self.add_weight(input_shape[-1:], "zeros", name="shift")

    def call(self, inputs):
        return inputs * self.scale + self.shift


def small(jit_compile, optimizer="sgd", **options):
    layerkit.utils.clear_session()
    layerkit.utils.set_random_seed(3)
    model = layerkit.Sequential([Scale(), layers.Dropout(0.3), layers.BatchNormalization()])
    model.compile(optimizer, "mse", metrics=["mae"], jit_compile=jit_compile, **options)
    return model


def launches(device):
    """Of graphs, if arrays are born on the device."""
    return sum("graph of" in launch for launch in device.xp.journal.launches)


def assert_same_bits(run, make=small):
    """`run(model)` gives the same values, weights and optimizer state, replayed or not."""
    found = []
    for jit_compile in (False, True):
        model = make(jit_compile)
        values = run(model)
        state = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
        found.append((values, state, global_generator().state))
    (values, state, seed), (replayed, replayed_state, replayed_seed) = found
    assert seed == replayed_seed
    for old, new in zip(state, replayed_state, strict=True):
        np.testing.assert_array_equal(new, old)
    np.testing.assert_equal(replayed, values)
    return values


def fit(model, **options):
    options = {"batch_size": 4, "epochs": 4, "verbose": 0} | options
    return model.fit(X, Y, **options).history


def test_epochs_with_an_uneven_last_batch_and_validation(device):
    history = assert_same_bits(lambda model: fit(model, validation_split=0.2))
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    assert (
        K.backend() == "numpy" or launches(device) == 2 + 3 * 4 + 2
    )  # 4 steps an epoch of 4, and one of 1 row


OPTIMIZERS = {
    **{name: name for name in ("sgd", "adam", "rmsprop", "adamw", "nadam", "lion", "lamb")},
    **{name: name for name in ("adamax", "adagrad", "adadelta", "ftrl")},
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "schedule": lambda: optimizers.Adam(schedules.ExponentialDecay(0.1, 3, 0.5, staircase=True)),
    "function": lambda: optimizers.SGD(lambda: 0.25),
    "decay and averages": lambda: optimizers.SGD(
        0.1, weight_decay=0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3
    ),
    "accumulation": lambda: optimizers.Adam(0.1, gradient_accumulation_steps=3),
    "scaled": lambda: optimizers.LossScaleOptimizer("adam", dynamic_growth_steps=3),
    "adafactor": lambda: optimizers.Adafactor(0.1),
    "muon": lambda: optimizers.Muon(0.1, nesterov=False),
    "schedule-free": lambda: optimizers.ScheduleFreeAdamW(0.1, warmup_steps=3),
    "clipped": lambda: optimizers.RMSprop(0.1, global_clipnorm=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(device, name):
    kind = OPTIMIZERS[name]

    def make(jit_compile):
        return small(jit_compile, kind if isinstance(kind, str) else kind())

    def run(model):
        history = fit(model)
        return history, int(model.optimizer.iterations), float(model.optimizer.learning_rate)

    assert_same_bits(run, make)
    assert K.backend() == "numpy" or launches(device) > 8


def steps_of(model, x, y, count=4):
    return [model.train_on_batch(x, y, return_dict=True) for _ in range(count)]


def around(layer, jit_compile, with_floats=True):
    """A model in which the layer has weights before and behind it."""
    layerkit.utils.clear_session()
    layerkit.utils.set_random_seed(3)
    before = [Scale()] if with_floats else []
    model = layerkit.Sequential([*before, layer, layers.Flatten(name="flat"), Scale()])
    model.compile("adam", "mse", jit_compile=jit_compile)
    return model


@pytest.mark.parametrize(
    "row", [r for r in layer_rows.ROWS if r.is_plain and "Gaussian" not in r.layer], ids=str
)
@pytest.mark.filterwarnings("ignore:.*does not support masking")
def test_every_layer(device, row):
    if row.layer == "EinsumDense" and K.backend() != "numpy":
        pytest.skip("CuPy's einsum calls cuBLAS in ways that a graph cannot hold")
    random = np.random.default_rng(1)
    x = random.standard_normal(row.shape).astype("float32")
    if row.ids_below is not None:
        x = random.integers(0, row.ids_below, row.shape)
    with_floats = row.ids_below is None and x.ndim > 1
    target = np.zeros(around(made(row), False, with_floats).predict(x).shape, "float32")
    assert_same_bits(
        lambda model: steps_of(model, x, target),
        lambda jit_compile: around(made(row), jit_compile, with_floats),
    )
    assert K.backend() == "numpy" or launches(device) == 2


def made(row):
    return getattr(layers, row.layer)(**row.arguments)


@pytest.mark.parametrize(
    "layer, shape",
    [
        (lambda: layers.Dropout(0.5, noise_shape=(None, 1), seed=3), (4, 5)),
        (lambda: layers.SpatialDropout1D(0.5), (4, 5, 3)),
        (lambda: layers.SpatialDropout2D(0.5, seed=2**40), (4, 5, 2, 3)),
        (lambda: layers.Activation("relu", activity_regularizer="l2"), (4, 5)),
        (lambda: layers.Dense(3, kernel_regularizer="l2", kernel_constraint="max_norm"), (4, 5)),
    ],
)
def test_layers_that_act_in_training(layer, shape):
    x = np.random.default_rng(1).random(shape, "float32")
    target = np.zeros(around(layer(), False).predict(x).shape, "float32")
    assert_same_bits(
        lambda model: steps_of(model, x, target, 5),
        lambda jit_compile: around(layer(), jit_compile),
    )


@pytest.mark.parametrize("row", table.LOSSES, ids=str)
def test_every_loss(row):
    name, options, kind = row
    loss = getattr(losses, name)(**options)
    assert_same_bits(*scored(kind, loss=loss))


@pytest.mark.parametrize("row", [r for r in table.METRICS if "num_regressors" not in r[1]], ids=str)
def test_every_metric(row):
    name, options, kind = row
    assert_same_bits(*scored(kind, metric=lambda: getattr(metrics, name)(**options)))


def squared(y_true, y_pred):
    return K.mean(y_pred**2, axis=-1)


def scored(kind, loss=squared, metric=None):
    """How to train on a table's targets and predictions, and what."""
    y, x = table.data(kind)

    def make(jit_compile):
        layerkit.utils.clear_session()
        model = layerkit.Sequential([Scale()])
        model.compile("sgd", loss, metrics=metric and [metric()], jit_compile=jit_compile)
        return model

    x = x.astype("float32").reshape(len(x), -1) if x.ndim == 1 else x.astype("float32")
    return lambda model: steps_of(model, x, y), make


@pytest.mark.parametrize("name", ["logistic", "mlp", "modern", "cnn", "convnet"])
def test_the_five_models(device, monkeypatch, name):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    workloads = importlib.import_module("peers.workloads")
    monkeypatch.setitem(workloads.WORKLOADS, name, narrowed(workloads.WORKLOADS[name]))
    x, y = workloads.data(name, 20)

    def make(jit_compile):
        layerkit.utils.clear_session()
        layerkit.utils.set_random_seed(3)
        options = {"jit_compile": jit_compile, "metrics": ["accuracy"]}
        return workloads.keras_like(layerkit, name, **options)

    def run(model):
        history = model.fit(x, y, batch_size=6, epochs=3, verbose=0, validation_data=(x, y)).history
        return history, model.predict(x, verbose=0).tolist()

    assert_same_bits(run, make)
    assert K.backend() == "numpy" or launches(device) == 1 + 3 + 3 + 1


def narrowed(workload):
    """A model of the benchmarks with fewer units and filters: the stand-in is slow."""
    less = {"dense": 20, "conv": 4}
    rows = [(k, -(-n[0] // less[k]), *n[1:]) if k in less else (k, *n) for k, *n in workload.layers]
    return dataclasses.replace(workload, layers=tuple(rows))


@pytest.mark.filterwarnings("ignore:A layer.s `trainable`")
def test_what_is_set_between_replays_is_followed():
    """Learning rate, weights, optimizer state, metrics, seeds, and what is trained."""

    def run(model):
        logs = steps_of(model, X, Y, 3)
        model.optimizer.learning_rate = 0.5
        logs += steps_of(model, X, Y, 1)
        model.set_weights([w + 0.25 for w in model.get_weights()])
        logs += steps_of(model, X, Y, 1)
        model.optimizer.set_weights([v.numpy() * 2 for v in model.optimizer.variables])
        logs += steps_of(model, X, Y, 1)
        layerkit.utils.set_random_seed(9)
        model.layers[1].seed_generator.state = 4, 2
        logs += steps_of(model, X, Y, 1)
        model.layers[0].trainable = False
        logs += steps_of(model, X, Y, 4)
        model.layers[0].trainable = True
        logs += steps_of(model, X, Y, 1)
        return logs, model.layers[1].seed_generator.state, int(model.optimizer.iterations)

    def make(jit_compile):
        return small(jit_compile, optimizers.SGD(0.1, momentum=0.9))

    assert_same_bits(run, make)


def test_callbacks_and_schedules():
    def run(model):
        rates = []
        seen = callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: rates.append((dict(logs), rate(model)))
        )
        halved = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        stop = callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True)
        return fit(model, callbacks=[seen, halved, stop]), rates

    def rate(model):
        return float(model.optimizer.learning_rate)

    history, rates = assert_same_bits(run)
    assert rates[-1][1] == pytest.approx(0.01 / 2 ** len(history["loss"]))


def test_a_model_goes_on_from_a_file(tmp_path):
    def run(model):
        fit(model)
        model.save(tmp_path / "model.keras")
        other = layerkit.models.load_model(
            tmp_path / "model.keras", custom_objects={"Scale": Scale}
        )
        other.compile(other.optimizer, "mse", jit_compile=model.get_compile_config()["jit_compile"])
        model.save_weights(tmp_path / "model.weights.h5")
        fit(model, epochs=1)
        model.load_weights(tmp_path / "model.weights.h5")
        return fit(model), fit(other), other.get_weights()[0].tolist()

    assert_same_bits(run, lambda jit_compile: small(jit_compile, "adam"))


def test_two_models_take_turns(device):
    def make(jit_compile):
        return small(jit_compile, "adam"), small(jit_compile, "rmsprop")

    found = []
    for jit_compile in (False, True):
        one, other = make(jit_compile)
        logs = [steps_of(model, X, Y, 1) for _ in range(5) for model in (one, other)]
        found.append((logs, [w.tolist() for w in one.get_weights() + other.get_weights()]))
    assert found[0] == found[1]


class Own(layerkit.Model):
    """With its own step, its own metric, and a weight of the loss that callbacks may set."""

    def __init__(self):
        super().__init__()
        self.layer = Scale()
        self.tracked = metrics.Mean(name="tracked")
        self.loss_weight = K.Variable(1.0, trainable=False)

    def call(self, inputs):
        return self.layer(inputs)

    def train_step(self, data):
        x, y = data
        with K.GradientTape() as tape:
            loss = K.mean((self(x, training=True) - y) ** 2) * self.loss_weight
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.tracked.update_state(loss)
        count, rate = self.optimizer.iterations, self.optimizer.learning_rate
        return {"tracked": self.tracked.result(), "count": count * 1, "rate": rate * 1.0}


@on_the_device
def test_a_step_of_ones_own():
    def make(jit_compile):
        layerkit.utils.clear_session()
        model = Own()
        rate = schedules.InverseTimeDecay(0.5, 1, 1.0)
        model.compile(optimizers.Adam(rate), jit_compile=jit_compile)
        return model

    def run(model):
        logs = steps_of(model, X, Y)
        model.loss_weight.assign(3.0)
        return logs + steps_of(model, X, Y, 2)

    logs = assert_same_bits(run, make)
    assert [entry["count"] for entry in logs] == [1, 2, 3, 4, 5, 6]
    assert logs[3]["rate"] == pytest.approx(0.5 / 5) and logs[4]["tracked"] > 2 * logs[3]["tracked"]


class Waits(layers.Layer):
    """Reads a number from the device, by which it decides."""

    def call(self, inputs):
        return inputs * (2.0 if float(K.sum(inputs)) > 0 else 1.0)


@on_the_device
@pytest.mark.parametrize(
    "layer, message",
    [
        (Waits, r"in layer 'waits': .*synchronous.*\(test_replayed_training.py:\d+, in call: ret"),
        (lambda: layers.GaussianNoise(0.1), r"in layer 'gaussian_noise': Only the host can do"),
        (lambda: layers.GaussianDropout(0.1), r"in layer 'gaussian_dropout': Only the host can do"),
    ],
    ids=["waits", "noise", "noisy dropout"],
)
def test_what_cannot_be_captured(device, layer, message):
    """The third step raises; everything is as before it, and goes on with jit_compile=False."""

    def make():
        layerkit.utils.clear_session()
        layerkit.utils.set_random_seed(3)
        penalized = Scale(activity_regularizer="l2")
        return layerkit.Sequential([penalized, layers.Dropout(0.5), layer(), Scale()])

    def state(model):
        variables = [v.numpy().tolist() for v in (*model.variables, *model.optimizer.variables)]
        seeds = [layer.seed_generator.state for layer in model.layers if hasattr(layer, "seed")]
        return variables, seeds, global_generator().state, [v.version for v in model.variables]

    expected = make()
    expected.compile("adam", "mse")
    steps_of(expected, X, Y, 2)
    model = make()
    model.compile("adam", "mse", jit_compile=True)
    steps_of(model, X, Y, 2)
    stream, before = device.xp.cuda.get_current_stream(), state(model)
    model.reset_metrics()
    used = device.xp._machine.used_bytes
    message = (
        f"^jit_compile=True: the training step of model 'sequential' cannot be captured {message}"
        r".*\)\. Compile the model with jit_compile=False to run it as it is.$"
    )
    for _ in range(2):
        with pytest.raises(NotReplayable, match=message):
            model.train_on_batch(X, Y)
        assert state(model) == before == state(expected)
        assert model.losses == []  # those of the capture hold nothing
        assert device.xp.cuda.get_current_stream() == stream
        assert device.xp._machine.recording is None
    gc.collect()
    assert device.xp._machine.used_bytes <= used
    model.compile(model.optimizer, "mse", jit_compile=False)
    assert steps_of(model, X, Y, 2) == steps_of(expected, X, Y, 2)
    assert state(model) == state(expected)


@on_the_device
def test_replays_do_not_wait_nor_take_memory(device):
    model = small(True, "adam")
    steps_of(model, X, Y, 3)
    gc.collect()
    used, batch = device.xp._machine.used_bytes, (K.convert_to_tensor(X), K.convert_to_tensor(Y))
    with strict_cupy.no_syncs(device.xp):
        for _ in range(15):
            model._training_step(batch)
    device.xp.journal.syncs.clear()
    for _ in range(5):  # by now the host is 16 launches ahead, and waits for the first of them
        model._training_step(batch)
    assert all("Event.synchronize at cupy_graph.py" in wait for wait in device.xp.journal.syncs)
    assert 0 < len(device.xp.journal.syncs) <= 5
    del batch
    gc.collect()
    assert device.xp._machine.used_bytes == used
    assert len(device.xp.journal.launches) > 20


@on_the_device
def test_captures_are_forgotten_with_the_model(device):
    used = []
    for _ in range(2):
        model = small(True, "adam")
        steps_of(model, X, Y, 4)
        del model
        gc.collect()
        used.append(device.xp._machine.used_bytes)
    assert used[0] == used[1]


class Plain(Backend):
    """Arrays of a device that replays nothing."""

    xp, array_type = np, frozenset


@on_numpy
def test_where_there_is_nothing_to_compile(monkeypatch):
    model = layerkit.Sequential([Scale()])
    K.register_backend("plain", Plain())
    monkeypatch.setattr(registry, "_default", K.get_backend("plain"))
    with pytest.warns(UserWarning, match="True: the backend 'plain' has nothing.*set_backend"):
        model.compile("sgd", "mse", jit_compile=True)
    assert model._replayed_step is None
    assert model.get_compile_config()["jit_compile"] is True
    model.compile("sgd", "mse", jit_compile="auto")  # without a warning


def test_the_argument():
    assert small("auto")._replayed_step is None
    assert small("auto").get_compile_config()["jit_compile"] == "auto"
    model = layerkit.Sequential([Scale()])
    with pytest.raises(ValueError, match=r"must be True, False or 'auto'. Received: .*='yes'"):
        model.compile("sgd", "mse", jit_compile="yes")
    assert not model.compiled


@on_the_device
def test_a_score_that_is_decided_on_the_host_is_named():
    model = layerkit.Sequential([Scale()])
    model.compile("sgd", "mse", metrics=[metrics.R2Score(num_regressors=2)], jit_compile=True)
    steps_of(model, X, Y, 2)
    with pytest.raises(NotReplayable, match=r"cannot be captured: .*in _adjusted: freedom = "):
        model.train_on_batch(X, Y)


@on_the_device
def test_mixed_precision(device):
    def make(jit_compile):
        layerkit.utils.clear_session()
        layerkit.utils.set_random_seed(3)
        model = layerkit.Sequential([layers.Dense(4, "relu"), layers.Dropout(0.2), Scale()])
        model.add(layers.Dense(5, dtype="float32"))
        optimizer = optimizers.LossScaleOptimizer("adam", 2.0**60, 2)  # at first, it overflows
        model.compile(optimizer, "mse", jit_compile=jit_compile)
        return model

    layerkit.config.set_dtype_policy("mixed_float16")
    try:
        assert_same_bits(lambda model: (fit(model), int(model.optimizer.iterations)), make)
    finally:
        layerkit.config.set_dtype_policy("float32")
    assert K.backend() == "numpy" or launches(device) > 8
