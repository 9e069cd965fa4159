"""The whole state of a training: what was cut off anywhere and goes on ends in the same bits."""

from __future__ import annotations

import random
import shutil

import numpy as np
import pytest

from layerkit import Input, Model, Sequential, callbacks, layers, metrics, optimizers
from layerkit import backend as K
from layerkit.backend.random import random_state
from layerkit.callbacks import Callback
from layerkit.data import PyDataset

X = np.random.default_rng(0).random((10, 3), "float32")
Y = X.sum(axis=1, keepdims=True)
VALIDATION = (X[:4], Y[:4])


def dense(optimizer="adam", policy=None, compiled_metrics=("mae",), **options):
    found = Sequential(
        [
            Input((3,)),
            layers.Dense(4, activation="relu", dtype=policy),
            layers.BatchNormalization(dtype=policy),
            layers.Dropout(0.5, dtype=policy),
            layers.Dense(1, dtype=policy),
        ]
    )
    found.compile(optimizer, "mse", metrics=list(compiled_metrics), **options)
    return found


def two_optimizers():
    nadam, lion = optimizers.Nadam(), optimizers.Lion()
    return optimizers.MultiOptimizer(lambda v: nadam if v.name == "kernel" else lion)


def recurrent():
    found = Sequential(
        [Input((3, 1), batch_size=5), layers.LSTM(2, stateful=True, dropout=0.3), layers.Dense(1)]
    )
    found.compile("rmsprop", "mse")
    return found


def own_step():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense, self.noise = layers.Dense(1), layers.GaussianNoise(0.1)
            self.mean = metrics.Mean(name="mean")

        def call(self, x, training=None):
            return self.dense(self.noise(x, training=training))

        def train_step(self, data):
            logs = super().train_step(data)
            self.mean.update_state(logs["loss"] + np.random.random() + random.random())
            return {"loss": logs["loss"], "nested": {"mean": self.mean.result()}}

    found = Own()
    found.compile("sgd", "mse")
    found(X)
    return found


class Batches(PyDataset):
    """Shuffles its rows itself, and changes them at random, as data sets with augmentation do."""

    def __init__(self):
        super().__init__()
        self.order, self.scale = np.arange(len(X)), np.float32(1)

    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = self.order[3 * index : 3 * index + 3]
        return X[rows] * self.scale + np.float32(np.random.normal()), Y[rows]

    def on_epoch_begin(self):
        self.scale = np.float32(np.random.random())

    def on_epoch_end(self):
        np.random.shuffle(self.order)

    def get_state(self):
        return {"order": self.order}

    def set_state(self, state):
        self.order = state["order"].copy()


class Counter(Callback):
    """A callback of a user's: it changes training by what it counts."""

    def __init__(self):
        super().__init__()
        self.batches, self.seen = 0, {"array": np.zeros(2), "dict": [None, "text", (1, 2.5)]}

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1
        self.seen["array"] += logs["loss"]
        if self.batches % 3 == 0:
            self.model.optimizer.learning_rate = 0.1 / self.batches

    def get_state(self):
        return {"batches": self.batches, "seen": self.seen}

    def set_state(self, state):
        self.batches, self.seen = state["batches"], state["seen"]


def endless():
    while True:
        rows = np.random.randint(0, 10, 3)
        yield X[rows], Y[rows]


class Loader:
    """An iterable that begins anew, in an order drawn from NumPy's global state."""

    def __len__(self):
        return 3

    def __iter__(self):
        order = np.random.permutation(10)
        return ((X[rows], Y[rows]) for rows in np.array_split(order, 3))


def arrays(**options):
    return lambda: {"x": X, "y": Y, "batch_size": 3, **options}


def no_callbacks(folder):
    return []


def all_callbacks(folder):
    return [
        Counter(),
        callbacks.EarlyStopping(
            "loss", patience=1, min_delta=10.0, start_from_epoch=1, restore_best_weights=True
        ),
        callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=10.0, cooldown=1),
        callbacks.ModelCheckpoint(folder / "best.keras", "loss", save_best_only=True),
        callbacks.ModelCheckpoint(folder / "c.weights.h5", save_weights_only=True, save_freq=3),
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.TensorBoard(folder / "board", write_graph=False, update_freq=2),
        callbacks.TerminateOnNaN(),
        callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
    ]


def schedule(folder):
    return [callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7)]


def averages(folder):
    return [callbacks.SwapEMAWeights(swap_on_epoch=True)]


EMA = {"use_ema": True, "ema_momentum": 0.5}
AVERAGED = {**EMA, "ema_overwrite_frequency": 3}

CASES = {
    "arrays": (dense, arrays(), no_callbacks),
    "in order": (dense, arrays(shuffle=False), no_callbacks),
    "within batches": (dense, arrays(shuffle="batch"), no_callbacks),
    "validation": (dense, arrays(validation_data=VALIDATION, validation_freq=2), schedule),
    "split": (dense, arrays(validation_split=0.3, epochs=4), all_callbacks),
    "passes over several epochs": (dense, arrays(steps_per_epoch=2, epochs=4), no_callbacks),
    "executions": (lambda: dense(steps_per_execution=3), arrays(), no_callbacks),
    "executions of all": (lambda: dense(steps_per_execution=2), arrays(), no_callbacks),
    "no tracing": (lambda: dense(jit_compile=False), arrays(), no_callbacks),
    "momentum, averages": (
        lambda: dense(optimizers.SGD(0.1, 0.9, **AVERAGED)),
        arrays(validation_data=VALIDATION),
        averages,
    ),
    "accumulation": (
        lambda: dense(optimizers.Adam(gradient_accumulation_steps=3, **EMA)),
        arrays(),
        no_callbacks,
    ),
    "mixed_float16": (
        lambda: dense(
            optimizers.LossScaleOptimizer(
                optimizers.Adam(), initial_scale=2.0**14, dynamic_growth_steps=2
            ),
            "mixed_float16",
        ),
        arrays(),
        no_callbacks,
    ),
    "several optimizers": (
        lambda: dense(two_optimizers()),
        arrays(),
        no_callbacks,
    ),
    "schedule": (
        lambda: dense(optimizers.Adafactor(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5))),
        arrays(),
        no_callbacks,
    ),
    "metrics": (
        lambda: dense(compiled_metrics=["mae", metrics.R2Score(), metrics.AUC(multi_label=True)]),
        lambda: {"x": X, "y": (Y > 1.5).astype("float32"), "batch_size": 3},
        no_callbacks,
    ),
    "stateful": (
        recurrent,
        lambda: {"x": X[:, :, None], "y": Y, "batch_size": 5},
        no_callbacks,
    ),
    "own step": (own_step, arrays(), no_callbacks),
    "PyDataset": (dense, lambda: {"x": Batches()}, no_callbacks),
    "PyDataset, shuffled": (
        dense,
        lambda: {"x": Batches(), "shuffle": True, "validation_data": Batches()},
        no_callbacks,
    ),
    "generator": (dense, lambda: {"x": endless(), "steps_per_epoch": 3, "epochs": 3}, no_callbacks),
    "validated by a generator": (
        dense,
        lambda: {
            **arrays(validation_steps=2)(),
            "validation_data": ((X[[i % 10]], Y[[i % 10]]) for i in range(99)),
        },
        no_callbacks,
    ),
    "loader": (dense, lambda: {"x": Loader(), "shuffle": False}, no_callbacks),
}


class SavesAlways(Callback):
    """A state in a file of its own after every step and every epoch."""

    told_last = True
    reads_batch_logs = False

    def __init__(self, folder, beside):
        super().__init__()
        self.folder, self.beside, self.number = folder, beside, 0

    def on_train_batch_end(self, batch, logs=None):
        self._save()

    def on_epoch_end(self, epoch, logs=None):
        self._save()

    def _save(self):
        self.model.save_state(self.folder / f"{self.number}.state")
        shutil.copytree(self.beside, self.folder / f"{self.number}.beside")
        self.number += 1


def run(make, data, make_callbacks, folder, state=None, *extra):
    """Train to the end; everything that there is to compare."""
    folder.mkdir(exist_ok=True)
    K.clear_session()
    K.set_random_seed(1)
    model = make()
    if state is not None:  # nothing may come from the seeds and weights of this process
        model.set_weights([np.ones_like(w) for w in model.get_weights()])
        K.set_random_seed(99)
        model.load_state(state)
    given = [*make_callbacks(folder), *extra]
    options = {"epochs": 2, "verbose": 0, **data()}
    history = model.fit(callbacks=given, **options)
    log = folder / "log.csv"
    return {
        "weights": model.get_weights(),
        "optimizer": [v.numpy() for v in model.optimizer.variables],
        "history": history.history,
        "epochs": history.epoch,
        "random": random_state(),
        "recurrent": [s for x in model.layers for s in getattr(x, "_kept_states", list)()],
        "callbacks": [callback.get_state() for callback in given if callback not in extra],
        "rows": log.read_text() if log.exists() else "",
    }


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key in expected:
        np.testing.assert_equal(found[key], expected[key], key)


@pytest.mark.parametrize("case", CASES)
def test_goes_on_from_any_step_to_the_same_bits(case, tmp_path):
    make, data, make_callbacks = CASES[case]
    expected = run(make, data, make_callbacks, tmp_path / "whole")
    states = tmp_path / "states"
    states.mkdir()
    saves = SavesAlways(states, tmp_path / "saved")
    assert_same(run(make, data, make_callbacks, tmp_path / "saved", None, saves), expected)
    assert saves.number >= 6 or case == "executions"
    for number in range(saves.number):
        beside = states / f"{number}.beside"
        found = run(make, data, make_callbacks, beside, states / f"{number}.state")
        assert_same(found, expected)
