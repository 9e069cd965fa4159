"""A load that fails, at whatever point and for whatever reason, leaves everything as it was."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import Input, Model, Sequential, callbacks, config, layers, optimizers
from layerkit import backend as K
from layerkit.backend import Variable, session
from layerkit.backend.random import random_state
from layerkit.configurable import get_custom_objects
from layerkit.models import load_model
from layerkit.saving.all_or_nothing import optimizers_of

X = np.random.default_rng(0).random((8, 3, 2), "float32")
Y = X.sum(axis=(1, 2))[:, None]


def plain(trained):
    """Layers of all kinds of state, and an optimizer that is made of another one."""
    found = Sequential(
        [
            Input((3, 2), batch_size=8),
            layers.LSTM(2, stateful=True, return_sequences=True, name="lstm"),
            layers.BatchNormalization(name="normalization"),
            layers.Dropout(0.5, name="dropout"),
            layers.Flatten(name="flat"),
            layers.Dense(1, name="dense"),
        ],
        name="plain",
    )
    found.layers[1].trainable = False
    found.compile(optimizers.LossScaleOptimizer(optimizers.Adam(use_ema=True)), "mse")
    return fitted(found) if trained else found


def with_two_optimizers(trained):
    class Both(Model):
        def __init__(self):
            super().__init__(name="both")
            self.dense, self.numbers = layers.Dense(1), np.random.default_rng(1)
            self.second = optimizers.SGD(0.1, momentum=0.9)

        def call(self, x):
            return self.dense(x[:, 0])

        def train_step(self, data):
            logs = super().train_step(data)
            self.second.apply([w * self.numbers.random() for w in self.weights], self.weights)
            return logs

    found = Both()
    found.compile("adam", "mse")
    found(X)
    return fitted(found) if trained else found


def fitted(model):
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    return model


def everything(model):
    """All that a load could change."""
    return {
        "values": [v.numpy() for v in model.variables],
        "trainable": [v.trainable for v in model.variables],
        "layers": [layer.trainable for layer in model._flatten_layers()],
        "optimizers": [[v.numpy() for v in each.variables] for each in optimizers_of(model)],
        "built": [each.built for each in optimizers_of(model)],
        "kept": [s for x in model.layers for s in getattr(x, "_kept_states", list)()],
        "generators": [x.seed_generator.state for x in model.layers if "dropout" in x.name],
        "numbers": model.numbers.bit_generator.state if hasattr(model, "numbers") else None,
        "metrics": [v.numpy() for metric in model.metrics for v in metric.variables],
        "resumption": model._resumption,
        "process": {k: v for k, v in _of_the_process().items() if k != "names"},
    }


def save_sharded(model, path):
    model.save_weights(path, max_shard_size=1e-6)


def restore_backup(model, path):
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    path.rename(folder / "last.state")
    backup = callbacks.BackupAndRestore(folder)
    backup.set_model(model)
    try:
        backup.on_train_begin()
    finally:
        backup._release()
        (folder / "last.state").rename(path)


LOADERS = {
    "weights": ("a.weights.h5", Model.save_weights, Model.load_weights),
    "weights in parts": ("a.weights.json", save_sharded, Model.load_weights),
    "archive": ("a.npz", Model.save_weights, Model.load_weights),
    "weights of a model": ("a.keras", Model.save, Model.load_weights),
    "weights of a legacy model": ("a.h5", Model.save, Model.load_weights),
    "by name": ("a.h5", Model.save, lambda model, path: model.load_weights(path, by_name=True)),
    "with mismatches": (
        "a.weights.h5",
        Model.save_weights,
        lambda model, path: model.load_weights(path, skip_mismatch=True),
    ),
    "state": ("a.state", Model.save_state, Model.load_state),
    "backup": ("a.state", Model.save_state, restore_backup),
}


class Failed(Exception):
    """Nothing that the library raises."""


@pytest.fixture
def failing(monkeypatch):
    """Lets the so-manieth assignment from now on fail, and the ones behind it."""
    assign, left, kind = Variable.assign, [None], [Failed]

    def counted(self, value):
        if left[0] is not None:
            left[0] -= 1
            if left[0] < 0:
                raise kind[0]
        return assign(self, value)

    def begin(number, error=Failed):
        left[0], kind[0] = number, error

    monkeypatch.setattr(Variable, "assign", counted)
    return begin


ROWS = [(plain, loader) for loader in LOADERS]
ROWS += [(with_two_optimizers, loader) for loader in ("weights", "weights of a model", "state")]


@pytest.mark.parametrize(("make", "loader"), ROWS)
def test_a_load_that_fails_at_any_variable(make, loader, tmp_path, failing):
    name, save, load = LOADERS[loader]
    save(make(trained=True), tmp_path / name)
    for trained, error in ((False, Failed), (True, KeyboardInterrupt)):
        model = make(trained)
        for number in (0, 1, 4, 9, 17, 200):
            before = everything(model)
            failing(number, error)
            try:
                load(model, tmp_path / name)
            except (error, ValueError, UserWarning) as raised:
                failing(None)
                assert error is Failed or isinstance(raised, KeyboardInterrupt)
                now = everything(model)
                np.testing.assert_equal(now, before, f"{number}")
            else:
                failing(None)
                break
        assert number > 1


@pytest.mark.parametrize("name", ["a.keras", "a.h5"])
def test_a_model_that_cannot_be_loaded_leaves_no_trace(name, tmp_path, failing):
    plain(trained=True).save(tmp_path / name)
    for number, error in ((0, Failed), (3, KeyboardInterrupt), (12, KeyboardInterrupt)):
        before = _of_the_process()
        failing(number, error)
        with pytest.raises((error, ValueError, UserWarning)):
            load_model(tmp_path / name)
        failing(None)
        np.testing.assert_equal(_of_the_process(), before)


def _of_the_process():
    return {
        "random": random_state(),
        "names": session._used.copy(),
        "settings": [K.floatx(), K.epsilon(), K.image_data_format(), config.dtype_policy()],
        "registered": dict(get_custom_objects()),
    }
