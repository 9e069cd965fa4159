"""The whole state of a training: what was cut off anywhere and goes on ends in the same bits."""

from __future__ import annotations

import functools
import io
import json
import operator
import random
import re
import shutil
import signal
import struct
import sys
import tempfile
import zipfile
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from kill_training import kill_trainings

from layerkit import Input, Model, Sequential, callbacks, layers, losses, metrics, optimizers
from layerkit import backend as K
from layerkit.backend.random import random_state
from layerkit.callbacks import Callback
from layerkit.data import PyDataset
from layerkit.data.dataset import Dataset
from layerkit.data.random_sources import get_random_state, put_random_state, random_sources
from layerkit.preprocessing.image import ImageDataGenerator
from layerkit.saving.state_file import read_state, write_state

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


def two_trained_in_turn():
    """As generative adversarial networks are: several optimizers, generators of the model's."""

    class Both(Model):
        def __init__(self):
            super().__init__()
            self.one, self.other = layers.Dense(1), layers.Dense(1)
            self.numbers, self.seeds = np.random.default_rng(1), K.SeedGenerator(2)

        def compile(self, one, other):
            super().compile()
            self.optimizer_of_one, self.optimizer_of_other = one, other

        def call(self, x):
            return self.one(x) + self.other(x)

        def train_step(self, data):
            x, y = data
            x = x + K.random_normal((1, 3), seed=self.seeds) * self.numbers.random()
            losses = {}
            for name in ("one", "other"):
                part, optimizer = getattr(self, name), getattr(self, f"optimizer_of_{name}")
                with K.GradientTape() as tape:
                    losses[name] = ((part(x) - y) ** 2).mean()
                gradients = tape.gradient(losses[name], part.trainable_variables)
                optimizer.apply(gradients, part.trainable_variables)
            return losses

    found = Both()
    found.compile(optimizers.Adam(0.1), optimizers.SGD(0.1, momentum=0.9))
    found(X)
    return found


class Noisy(layers.Layer):
    """A layer of a user's: weights, a generator, and a loss."""

    def build(self, shape):
        self.seeds = K.SeedGenerator(4)
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, x, training=None):
        self.add_loss((self.scale**2).sum() * 0.01)
        return x * self.scale + (K.random_normal(x.shape, seed=self.seeds) if training else 0)


class Largest(metrics.Metric):
    """A metric of a user's, whose state is no mean."""

    def __init__(self, name="largest"):
        super().__init__(name=name)
        self.largest = self.add_weight(name="largest", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest.assign(max(float(self.largest), float(np.max(K.to_numpy(y_pred)))))

    def result(self):
        return self.largest


class NoisyLoss(losses.Loss):
    """A loss of a user's, which draws."""

    def __init__(self):
        super().__init__()
        self.seeds = K.SeedGenerator(8)

    def call(self, y_true, y_pred):
        return (y_pred - y_true) ** 2 * K.random_uniform(y_pred.shape, seed=self.seeds)


class Scaled(layers.Layer):
    """A layer of a user's that can be traced."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, x):
        return x * self.scale


def of_a_users_own():
    found = Sequential([Input((3,)), Noisy(), layers.Dense(1)])
    found.compile("adam", NoisyLoss(), metrics=[Largest()])
    return found


def traced():
    found = Sequential([Input((3,)), Scaled(), layers.Dropout(0.5), layers.Dense(1)])
    found.compile("adam", "mse", jit_compile=True)
    return found


def several_inputs():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    hidden = layers.Dropout(0.3)(layers.concatenate([a, b]))
    outputs = {"sum": layers.Dense(1, name="sum")(hidden), "mean": layers.Dense(1, name="mean")(b)}
    found = Model({"a": a, "b": b}, outputs)
    found.compile("adam", {"sum": "mse", "mean": "mae"}, metrics={"sum": ["mae"]})
    return found


def in_several_parts(**options):
    weights = {"sum": np.arange(10.0), "mean": np.ones(10)}
    x, y = {"a": X, "b": X[::-1]}, {"sum": Y, "mean": Y / 3}
    return {"x": x, "y": y, "sample_weight": weights, "batch_size": 3}


def trained_before():
    found = dense()
    found.fit(X, Y, verbose=0)
    return found


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


class Prepared(PyDataset):
    """Batches by their numbers, prepared ahead by threads."""

    def __init__(self):
        super().__init__(workers=2, max_queue_size=2)

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return X[2 * index : 2 * index + 2], Y[2 * index : 2 * index + 2]


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


class Jittered(Loader):
    """Draws from NumPy's global state for each batch, too."""

    def __iter__(self):
        return ((x + np.float32(np.random.random()), y) for x, y in Loader.__iter__(self))


class Drawing(PyDataset):
    """Draws from a generator of its own, and orders its rows when a pass begins."""

    def __init__(self):
        super().__init__()
        self.numbers, self.order = np.random.default_rng(3), np.arange(len(X))

    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = self.order[3 * index : 3 * index + 3]
        return X[rows] + self.numbers.random((1, 3), "float32"), Y[rows]

    def on_epoch_begin(self):
        self.order = self.numbers.permutation(len(X))


def of_noisy_rows():
    """Augmented outside of the model, as scripts do: by a layer, and NumPy's generator."""
    noise, numbers = layers.GaussianNoise(0.1), np.random.default_rng(5)

    def changed(x, y):
        return noise(x, training=True) * numbers.random(), y

    return Dataset.from_tensor_slices((X, Y)).shuffle(6, seed=2).map(changed)


def drawing():
    numbers, python = np.random.default_rng(np.random.randint(99)), random.Random(1)
    while True:
        rows = numbers.integers(0, 10, 3)
        yield X[rows] * python.random(), Y[rows]


def stored():
    file = h5py.File(io.BytesIO(), "w")
    return {"x": file.create_dataset("x", data=X), "y": Y, "batch_size": 3, "shuffle": True}


def mapped():
    with tempfile.TemporaryFile() as file:
        x = np.memmap(file, "float32", "w+", shape=X.shape)
    x[:] = X
    return {"x": x, "y": Y, "batch_size": 3}


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


class Freezes(Callback):
    """Sets a rate when fit begins; in the second epoch another one, and freezes a layer."""

    def on_train_begin(self, logs=None):
        self.model.optimizer.learning_rate = 0.1

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model.optimizer.learning_rate = 0.01
            self.model.layers[0].trainable = False


def fine_tuning(folder):
    return [Freezes()]


def averages(folder):
    return [callbacks.SwapEMAWeights(swap_on_epoch=True)]


EMA = {"use_ema": True, "ema_momentum": 0.5}
AVERAGED = {**EMA, "ema_overwrite_frequency": 3}


def images(**options):
    pictures = np.random.default_rng(1).random((10, 6, 6, 1))
    flow = ImageDataGenerator(rotation_range=90, horizontal_flip=True).flow
    return {"x": flow(pictures, Y, batch_size=3, **options)}


def augmenting():
    augments = [layers.RandomFlip(), layers.RandomRotation(0.2, seed=3), layers.RandomZoom(0.2)]
    found = Sequential([Input((6, 6, 1)), *augments, layers.Flatten(), layers.Dense(1)])
    found.compile("adam", "mse")
    return found


def of_images():
    found = Sequential([Input((6, 6, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(1)])
    found.compile("adam", "mse")
    return found


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
    "PyDataset, threads": (dense, lambda: {"x": Prepared(), "shuffle": True}, no_callbacks),
    "images": (of_images, images, no_callbacks),
    "images, seeded": (of_images, lambda: images(seed=3), no_callbacks),
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
    "HDF5": (dense, stored, no_callbacks),
    "memory-mapped": (dense, mapped, no_callbacks),
    "weights of classes": (
        lambda: dense(compiled_metrics=["accuracy"]),
        lambda: {"x": X, "y": (Y > 1.5) * 1, "batch_size": 3, "class_weight": {0: 1.0, 1: 3.0}},
        no_callbacks,
    ),
    "several inputs and outputs": (several_inputs, in_several_parts, no_callbacks),
    "Dataset": (dense, lambda: {"x": of_noisy_rows().batch(3)}, no_callbacks),
    "Dataset without end": (
        dense,
        lambda: {"x": of_noisy_rows().repeat().batch(3), "steps_per_epoch": 3},
        no_callbacks,
    ),
    "validated by a Dataset": (
        dense,
        lambda: arrays(validation_data=of_noisy_rows().batch(4))(),
        no_callbacks,
    ),
    "validated by a loader": (
        dense,
        lambda: {**arrays()(), "validation_data": Jittered()},
        no_callbacks,
    ),
    "PyDataset that draws": (dense, lambda: {"x": Drawing()}, no_callbacks),
    "generator that draws": (
        dense,
        lambda: {"x": drawing(), "steps_per_epoch": 3},
        no_callbacks,
    ),
    "augmenting layers": (
        augmenting,
        lambda: {"x": np.random.default_rng(1).random((9, 6, 6, 1)), "y": Y[:9], "batch_size": 3},
        no_callbacks,
    ),
    "several optimizers of an own step": (two_trained_in_turn, arrays(), no_callbacks),
    "own layer, loss and metric": (of_a_users_own, arrays(), no_callbacks),
    "own layer, traced": (traced, arrays(), no_callbacks),
    "fine-tuning": (lambda: dense("sgd"), arrays(), fine_tuning),
    "second fit": (trained_before, arrays(initial_epoch=1, epochs=3), no_callbacks),
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


_EVERY = {True: 2, False: 5}  # so manieth state is tried: of other backends fewer


@pytest.mark.parametrize("case", CASES)
def test_goes_on_from_any_step_to_the_same_bits(case, tmp_path):
    make, data, make_callbacks = CASES[case]
    expected = run(make, data, make_callbacks, tmp_path / "whole")
    states = tmp_path / "states"
    states.mkdir()
    saves = SavesAlways(states, tmp_path / "saved")
    assert_same(run(make, data, make_callbacks, tmp_path / "saved", None, saves), expected)
    assert saves.number >= 6 or case == "executions"
    for number in range(list(CASES).index(case) % 2, saves.number, _EVERY[K.backend() == "numpy"]):
        beside = states / f"{number}.beside"
        found = run(make, data, make_callbacks, beside, states / f"{number}.state")
        assert_same(found, expected)


@pytest.mark.numpy_only("trains in processes of their own")
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_trainings_go_on_to_the_same_bits(tmp_path):
    found = kill_trainings(3, seed=3, folder=tmp_path, most=1)
    assert found["kills"] == 3


@pytest.mark.parametrize("frequency", ["epoch", 1])
def test_goes_on_from_what_model_checkpoint_saved(frequency, tmp_path):
    """Told last, though first in the list: what the others count is in its file."""

    def watched(folder):
        path = folder / "{epoch}-{loss:.3f}.state"
        best = {"initial_value_threshold": 9.0, "save_best_only": True, "save_freq": frequency}
        return [callbacks.ModelCheckpoint(path, "loss", **best), *all_callbacks(folder)]

    data = arrays(validation_split=0.3, epochs=3)
    expected = run(dense, data, watched, tmp_path / "whole")
    saved = sorted((tmp_path / "whole").glob("*.state"))
    assert len(saved) > 1
    for path in saved:
        found = run(dense, data, watched, tmp_path / "whole", path)
        assert_same(found, expected)


# What a state is good for besides.


class CutOff(Exception):
    """What ends a training in the middle."""


def cut_off(model, path, at="on_train_batch_end", epoch=0, batch=1):
    """Save a state at this batch of the epoch, then end the training."""

    def save(number, logs):
        if (model._place.epoch, number) == (epoch, batch):
            model.save_state(path)
            raise CutOff

    with pytest.raises(CutOff):
        model.fit(
            **arrays()(), verbose=0, epochs=2, callbacks=callbacks.LambdaCallback(**{at: save})
        )


def bits(model):
    optimizer = model.optimizer
    return [v.numpy() for v in (*model.variables, *(optimizer.variables if optimizer else ()))]


def test_a_state_saved_outside_of_fit(tmp_path):
    K.set_random_seed(1)
    model = dense()
    model.fit(X, Y, verbose=0)
    model.save_state(tmp_path / "a.state")
    before = bits(model)
    model.fit(X, Y, verbose=0, epochs=2)
    after = bits(model)
    model.load_state(tmp_path / "a.state")
    np.testing.assert_equal(bits(model), before)
    history = model.fit(X, Y, verbose=0, epochs=2)
    assert history.epoch == [0, 1]
    np.testing.assert_equal(bits(model), after)
    with pytest.raises(FileExistsError, match="overwrite=False"):
        model.save_state(tmp_path / "a.state", overwrite=False)


def test_only_the_next_fit_goes_on(tmp_path):
    model = dense()
    cut_off(model, tmp_path / "a.state")
    again = dense()
    again.load_state(tmp_path / "a.state")
    assert again.fit(**arrays()(), verbose=0, epochs=2).epoch == [0, 1]
    assert int(again.optimizer.iterations) == 8
    assert again.fit(**arrays()(), verbose=0, epochs=1).epoch == [0]
    assert int(again.optimizer.iterations) == 12


def test_more_epochs_than_before(tmp_path):
    model = dense()
    cut_off(model, tmp_path / "a.state", "on_epoch_end", epoch=2)  # after two epochs, from 0
    model.load_state(tmp_path / "a.state")
    assert model.fit(**arrays()(), verbose=0, epochs=3).epoch == [0, 2]


def test_the_bar_of_an_epoch_goes_on(tmp_path, capsys):
    model = dense()
    cut_off(model, tmp_path / "a.state")
    model.load_state(tmp_path / "a.state")
    model.fit(**arrays()(), verbose=2, epochs=1)
    assert "Epoch 1/1" in capsys.readouterr().out


def test_where_no_state_can_be_saved(tmp_path):
    model, path = dense(), tmp_path / "a.state"
    for at in ("on_train_batch_begin", "on_test_begin", "on_test_batch_end"):
        saving = callbacks.LambdaCallback(**{at: lambda *args, **logs: model.save_state(path)})
        with pytest.raises(ValueError, match="in the middle of a .*In a callback, call save"):
            model.fit(X, Y, verbose=0, validation_data=VALIDATION, callbacks=[saving])
    unbuilt = Sequential([layers.Dense(1)], name="late")
    with pytest.raises(ValueError, match="Model 'late' has no weights yet, so no state"):
        unbuilt.save_state(path)
    dense().save_state(path)
    with pytest.raises(ValueError, match="Model 'late' has no weights yet to load a state into"):
        unbuilt.load_state(path)


def other_width():
    found = Sequential([Input((3,)), layers.Dense(5), layers.Dense(1)])
    found.compile("adam", "mse")
    return found


def uncompiled():
    return Sequential([Input((3,)), *dense().layers])


def without_dropout():
    found = Sequential([Input((3,)), *(x for x in dense().layers if x.name[:4] != "drop")])
    found.compile("adam", "mse")
    return found


OTHERS = {
    "shapes": (other_width, r"has 4 variables, the file holds 8,"),
    "optimizer": (lambda: dense("sgd"), "it has Adam; model '.*' has SGD. Nothing was changed"),
    "slots": (lambda: dense(optimizers.Adam(amsgrad=True)), "Adam has 20 variables, the file"),
    "none": (uncompiled, "it has Adam; model '.*' has no optimizer"),
    "generators": (without_dropout, "it has 1 random generators; model '.*' has 0"),
    "other optimizers": (two_trained_in_turn, "model 'both' has .* the file holds"),
    "dtype": (
        lambda: dense(optimizers.LossScaleOptimizer("adam"), "mixed_float16"),
        "it has Adam; model '.*' has LossScaleOptimizer",
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_model_is_left_as_it_is(other, tmp_path):
    make, message = OTHERS[other]
    trained = dense()
    trained.fit(X, Y, verbose=0)
    trained.save_state(tmp_path / "a.state")
    model = make()
    before, seeds = bits(model), random_state()
    with pytest.raises(ValueError, match=f"is the state of another training: .*{message}"):
        model.load_state(tmp_path / "a.state")
    np.testing.assert_equal(bits(model), before)
    np.testing.assert_equal(random_state(), seeds)
    assert model.optimizer is None or not model.optimizer.built


def test_other_data_other_metrics_other_callbacks(tmp_path):
    model, path = dense(), tmp_path / "a.state"
    cut_off(model, path)
    model.load_state(path)
    with pytest.raises(ValueError, match=r"expected rows and batches {'size': 10, 'batches': 4}"):
        model.fit(X, Y, batch_size=5, verbose=0)
    for others, message in ((["mse"], "of the metrics"), ([], "of 2 metrics; the model has 1")):
        other = dense(compiled_metrics=others)
        other.load_state(path)
        with pytest.raises(ValueError, match=f"The saved state is {message}"):
            other.fit(**arrays()(), verbose=0)
    model = dense()
    save = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: model.save_state(path))
    model.fit(**arrays()(), verbose=0, callbacks=[Counter(), save])
    model.load_state(path)
    keeps = callbacks.LambdaCallback()
    keeps.get_state = lambda: {"function": print}
    with pytest.raises(TypeError, match=r"\['LambdaCallback'\]\['function'\] cannot be kept"):
        dense().fit(X, Y, verbose=0, callbacks=[keeps, SavesAlways(tmp_path, tmp_path)])
    with pytest.warns(UserWarning, match="callbacks that this fit was not given: Counter"):
        model.fit(**arrays()(), verbose=0)


def test_a_fit_that_cannot_go_on_may_be_tried_again(tmp_path):
    expected = dense()
    cut_off(expected, tmp_path / "a.state")
    expected.load_state(tmp_path / "a.state")
    expected.fit(**arrays()(), verbose=0, epochs=2)
    model, path = dense(), tmp_path / "a.state"
    model.load_state(path)
    before, seeds = bits(model), random_state()
    with pytest.raises(ValueError, match="Cannot go on in the middle of the data"):
        model.fit(X, Y, batch_size=5, verbose=0)
    np.testing.assert_equal(bits(model), before)
    np.testing.assert_equal(random_state(), seeds)
    assert model.fit(**arrays()(), verbose=0, epochs=2).epoch == [0, 1]
    np.testing.assert_equal(bits(model), bits(expected))


def with_state(model, path, **changes):
    """Save the state in the middle of an epoch, with other contents."""
    cut_off(model, path)
    state = read_state(str(path))
    state.update(changes)
    with open(path, "wb") as file:
        write_state(state, file)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("epoch", "x"),
        ("epoch", -1),
        ("passes came", -1),
        ("logs", [1.0]),
        ("metrics", None),
        ("callbacks", {"History": None}),
        ("passes", {}),
        ("passes came", None),
        ("passes began global", {}),
        ("passes began global layerkit", [-1, 0]),
        ("passes began global numpy", 3),
        ("passes own", None),
    ],
)
def test_a_place_in_fit_that_was_tampered_with(place, value, tmp_path):
    path = tmp_path / "a.state"
    cut_off(dense(), path)
    state = read_state(str(path))
    *outer, last = ("fit " + place).split()
    functools.reduce(operator.getitem, outer, state)[last] = value
    with open(path, "wb") as file:
        write_state(state, file)
    model = dense()
    before = bits(model)
    with pytest.raises(ValueError, match=r"a.state"):
        model.load_state(path)
        before = bits(model)
        model.fit(**arrays()(), verbose=0, epochs=2)
    np.testing.assert_equal(bits(model), before)


TAMPERED = [  # what a callback kept, and what a file may say in its place
    (callbacks.History, None, 3),
    (callbacks.History, "epoch", ["x"]),
    (callbacks.History, "history", {"loss": 1.0}),
    (callbacks.History, "epochs", [[0]]),
    (callbacks.EarlyStopping, None, {"best": 1.0}),
    (callbacks.EarlyStopping, "best", "low"),
    (callbacks.EarlyStopping, "best", [1.0]),
    (callbacks.EarlyStopping, "wait", 1.5),
    (callbacks.EarlyStopping, "stopped_epoch", -1),
    (callbacks.EarlyStopping, "best_epoch", True),
    (callbacks.EarlyStopping, "best_weights", [1]),
    (callbacks.EarlyStopping, "best_weights", 1),
    (callbacks.ReduceLROnPlateau, "best", np.zeros(2)),
    (callbacks.ReduceLROnPlateau, "cooldown_counter", None),
    (callbacks.ModelCheckpoint, "_epoch", "2"),
    (callbacks.ModelCheckpoint, "batches", [0]),
    (callbacks.BackupAndRestore, "batches", [0, None]),
    (callbacks.BackupAndRestore, "batches", [0, -2]),
    (callbacks.CSVLogger, "bytes", -1),
    (callbacks.CSVLogger, "bytes", "1"),
    (callbacks.CSVLogger, "fields", "epoch"),
    (callbacks.CSVLogger, "fields", [1]),
    (callbacks.TensorBoard, "batches", 0.5),
    (callbacks.SwapEMAWeights, "swapped", 1),
]


@pytest.mark.parametrize(("kind", "key", "value"), TAMPERED)
def test_what_a_callback_kept_and_was_tampered_with(kind, key, value, tmp_path):
    arguments = {
        callbacks.ModelCheckpoint: [tmp_path / "a.keras"],
        callbacks.BackupAndRestore: [tmp_path / "backup"],
        callbacks.CSVLogger: [tmp_path / "a.csv"],
        callbacks.TensorBoard: [tmp_path / "logs"],
    }
    monitors = kind in (callbacks.EarlyStopping, callbacks.ReduceLROnPlateau)
    made = kind(*arguments.get(kind, []), **({"monitor": "loss"} if monitors else {}))
    model, path = dense(optimizers.Adam(use_ema=True)), tmp_path / "a.state"
    save = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: model.save_state(path))
    model.fit(**arrays()(), verbose=0, callbacks=[made, save])
    state = read_state(str(path))
    kept = state["fit"]["callbacks"]
    if key is None:
        kept[kind.__name__] = value
    else:
        assert key in kept[kind.__name__]
        kept[kind.__name__][key] = value
    with open(path, "wb") as file:
        write_state(state, file)
    model.load_state(path)
    with pytest.raises(ValueError, match="a.state' is a state of a training that layerkit did not"):
        model.fit(**arrays()(), verbose=0, epochs=2, callbacks=[made])


def test_what_computes_otherwise_is_told(tmp_path):
    path = tmp_path / "a.state"
    with_state(dense(), path, computed={"backend": "abacus", "threads": 99})
    told = r"perhaps not .*: backend: abacus when it was saved, \w.* now; threads: 99 when"
    with pytest.warns(UserWarning, match=told):
        dense().load_state(path)
    cut_off(dense(optimizers.Adam(beta_1=0.8, weight_decay=0.1)), path)
    told = (
        r"adam.*\.weight_decay: 0.1 when it was saved, None now; adam.*\.beta_1: 0.8 when .*0.9 now"
    )
    with pytest.warns(UserWarning, match=told):
        dense(optimizers.Adam()).load_state(path)


def test_data_whose_random_numbers_are_unknown(tmp_path):
    class Shuffles(Prepared):
        def on_epoch_end(self):
            pass

    model, path = dense(), tmp_path / "a.state"
    save = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: model.save_state(path))
    with pytest.warns(
        UserWarning, match="Shuffles has a method `on_epoch_end`, and no `get_state`"
    ):
        model.fit(Shuffles(), verbose=0, callbacks=[save])

    class OfTensorFlow(Loader):
        pass

    OfTensorFlow.__module__ = "tensorflow.python.data.ops"
    with pytest.warns(UserWarning, match="numbers behind a OfTensorFlow are TensorFlow's, and not"):
        model.fit(OfTensorFlow(), verbose=0, callbacks=[save])
    model.fit(of_noisy_rows().batch(3), verbose=0, callbacks=[save])
    model.load_state(path)
    with pytest.warns(UserWarning, match="from 1 random generators of its own; .* there were 3"):
        model.fit(Drawing(), verbose=0, epochs=2)


def test_the_random_numbers_of_torch(monkeypatch, tmp_path):
    """A DataLoader draws from a generator of its own, or from torch's global one."""

    class Generator:
        def __init__(self, numbers):
            self.numbers = np.asarray(numbers, "uint8")

        def get_state(self):
            return SimpleNamespace(numpy=self.numbers.copy)

        def set_state(self, numbers):
            self.numbers = numbers

    Generator.__module__ = "torch._C"
    default = Generator([1, 2])
    torch = SimpleNamespace(default_generator=default, from_numpy=np.copy)
    monkeypatch.setitem(sys.modules, "torch", torch)

    class DataLoader(Loader):
        def __init__(self):
            self.generator = Generator([3])

    DataLoader.__module__ = "torch.utils.data.dataloader"
    loader = DataLoader()
    found = random_sources(loader)
    assert found == [loader.generator, default]
    states = [get_random_state(each) for each in found]
    for each, state in zip(found, [[7], [8]], strict=True):
        put_random_state(each, np.asarray(state, "uint8"))
    assert (loader.generator.numbers, default.numbers) == (7, 8)
    np.testing.assert_equal(states, [np.array([3], "uint8"), np.array([1, 2], "uint8")])


GLOBAL = np.random.default_rng(1)


def test_random_sources_are_found_wherever_data_holds_them():
    first, default, closed, bound = (
        K.SeedGenerator(1),
        np.random.RandomState(2),
        random.Random(3),
        np.random.RandomState(5),
    )
    kinds = [first, default, closed, bound, GLOBAL]
    layer = layers.Dropout(0.5, seed=4)

    def uses(x, numbers=default):
        return helper(x) + closed.random() + numbers.random()

    def helper(x):
        return [GLOBAL.random() for _ in x]

    class Held:
        def __init__(self):
            self.deep = {"a": [(first,)], "layer": layer, "self": self}
            self.method, self.part = self.called, functools.partial(uses, numbers=bound)
            self.data, self.rows = list(range(2000)), X

        def called(self):
            return uses

    found = random_sources([Held(), Held, "text", None])
    assert set(map(id, found)) == set(map(id, [*kinds, layer.seed_generator]))
    for each in kinds:
        before = get_random_state(each)
        drawn = each.next() if isinstance(each, K.SeedGenerator) else each.random()
        put_random_state(each, before)
        assert drawn == (each.next() if isinstance(each, K.SeedGenerator) else each.random())


def test_variables_that_are_not_set_yet():
    def uses():
        return late

    assert random_sources(uses) == []
    late = np.random.default_rng(0)
    assert random_sources(uses) == [late]


def test_a_generator_that_gives_less_than_before(tmp_path):
    model, path = dense(), tmp_path / "a.state"
    save = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: model.save_state(path))
    model.fit(endless(), steps_per_epoch=3, verbose=0, callbacks=[save])
    model.load_state(path)
    with pytest.raises(ValueError, match="Cannot go on after 3 batches: the generator gave only 1"):
        model.fit(iter([(X, Y)]), steps_per_epoch=3, epochs=2, verbose=0)


def test_a_csv_file_that_is_gone(tmp_path):
    model, path = dense(), tmp_path / "a.state"
    save = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: model.save_state(path))
    log = callbacks.CSVLogger(tmp_path / "log.csv")
    model.fit(**arrays()(), verbose=0, callbacks=[log, save])
    (tmp_path / "log.csv").unlink()
    model.load_state(path)
    with pytest.raises(ValueError, match="CSVLogger cannot go on with '.*log.csv': expected"):
        model.fit(**arrays()(), verbose=0, epochs=2, callbacks=[log])


# The file.


def test_what_a_state_may_hold(tmp_path):
    state = {
        "plain": [None, True, -3, 2**100, 0.1, float("inf"), "ä", []],
        "arrays": [np.arange(6, dtype=">i4").reshape(2, 3).T, np.float16(0.5), np.zeros((0, 2))],
        "array": {"dict": {"array": np.array(True)}, "dtype": 1},
        "tuple": (1, 2),
    }
    with open(tmp_path / "a", "wb") as file:
        write_state(state, file)
    found = read_state(str(tmp_path / "a"))
    np.testing.assert_equal(found, state | {"tuple": [1, 2]})
    assert [a.dtype.name for a in found["arrays"]] == ["int32", "float16", "float64"]


def test_bfloat16_is_kept(tmp_path):
    pytest.importorskip("ml_dtypes")
    value = np.asarray([1.5, -0.25]).astype("bfloat16")
    with open(tmp_path / "a", "wb") as file:
        write_state({"x": value}, file)
    found = read_state(str(tmp_path / "a"))["x"]
    assert found.dtype == value.dtype and found.tobytes() == value.tobytes()


@pytest.mark.parametrize(
    "content",
    [
        {"array": 0, "dtype": "<f4", "shape": [float("inf")]},
        {"array": 0, "dtype": "<f4", "shape": 1},
        {"array": 0, "dtype": "<f4", "shape": [-1]},
        {"array": 0, "dtype": "|O", "shape": [1]},
        {"array": 1, "dtype": "<f4", "shape": [1]},
        {"array": float("inf"), "dtype": "<f4", "shape": [1]},
        {"array": 0, "shape": [1]},
        {"dict": 1},
    ],
)
def test_an_array_that_a_state_does_not_describe(content, tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        index = {"format": "layerkit training state", "version": 2, "state": {"a": content}}
        archive.writestr("state.json", json.dumps(index))
        archive.writestr("0", b"\0" * 4)
    with pytest.raises(ValueError, match="'.*a' is not a readable state of a training: "):
        read_state(str(tmp_path / "a"))


def test_a_state_is_not_packed(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state.json", "[" * 10**5)
    with pytest.raises(ValueError, match="its state.json declares 100000 bytes of "):
        read_state(str(tmp_path / "a"))


def test_a_member_that_lies_before_the_file(tmp_path):
    path = tmp_path / "a"
    with open(path, "wb") as file:
        write_state({"a": 1}, file)
    content = bytearray(path.read_bytes())
    struct.pack_into("<L", content, content.index(b"PK\5\6") + 16, 2**31)  # of the directory
    path.write_bytes(content)
    with pytest.raises(ValueError, match="'.*a' is not a readable state of a training: "):
        read_state(str(path))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [object()]}, r"state\['a'\]\[0\] cannot be kept in a file: .* received object"),
        ({"a": {1: 2}}, r"state\['a'\] cannot be kept in a file: .* received dict"),
        ({"a": np.array(["text"])}, r"state\['a'\] cannot .* received dtype <U4"),
    ],
)
def test_what_a_state_may_not_hold(value, message, tmp_path):
    with open(tmp_path / "a", "wb") as file, pytest.raises(TypeError, match=message):
        write_state(value, file)


def test_damaged_files_are_found_out(tmp_path):
    path = tmp_path / "a.state"
    model = dense()
    model.save_state(path)
    content = path.read_bytes()
    before = bits(model)
    places = np.random.default_rng(0).integers(0, len(content), 60)
    for cut in places[:20]:
        path.write_bytes(content[:cut])
        with pytest.raises(ValueError, match="is not a readable state of a training"):
            model.load_state(path)
    for place in places:
        path.write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
        try:
            model.load_state(path)  # what nobody reads may differ: dates of the archive
        except ValueError as error:
            assert re.search("is not a readable state|did not write", str(error))
        np.testing.assert_equal(bits(model), before)


def written(path, index, **members):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("state.json", index)
        for name, content in members.items():
            archive.writestr(name.lstrip("n"), content)


STRANGE = {
    "no json": "{",
    "another format": '{"format": "mine"}',
    "a later version": '{"format": "layerkit training state", "version": 3}',
    "too deep": "[" * 100_000,
    "a list": "[]",
}
ARRAY = '{"format": "layerkit training state", "version": 2, "state": {"array": %s}}'
STRANGE |= {
    "too large": ARRAY % '0, "dtype": "<f4", "shape": [1000000000000]',
    "objects": ARRAY % '0, "dtype": "|O", "shape": [1]',
    "negative": ARRAY % '0, "dtype": "<f4", "shape": [-1, -2]',
    "no dtype": ARRAY % '0, "dtype": "what", "shape": [2]',
    "no member": ARRAY % '1, "dtype": "<f4", "shape": [2]',
    "no state": '{"format": "layerkit training state", "version": 2, "state": {"names": []}}',
}


@pytest.mark.parametrize("kind", STRANGE)
def test_strange_files_are_refused(kind, tmp_path):
    written(tmp_path / "a.state", STRANGE[kind], n0=bytes(8))
    with pytest.raises(ValueError, match="not a readable state|did not write"):
        dense().load_state(tmp_path / "a.state")


def test_other_files_are_no_states(tmp_path):
    model = dense()
    model.save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match="is not a readable state of a training"):
        model.load_state(tmp_path / "a.keras")
    with pytest.raises(FileNotFoundError):
        model.load_state(tmp_path / "b.state")
