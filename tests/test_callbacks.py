"""Callbacks: who is told what and when, and what each callback of the library does about it."""

from __future__ import annotations

import builtins
import io
import math
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from layerkit import Input, Sequential, callbacks, layers
from layerkit.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ProgbarLogger,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from layerkit.callbacks.callback import HOOKS


class FakeModel:
    """A model whose epochs end with given logs; its only weight counts the epochs trained."""

    def __init__(self, *metrics):
        self.metrics = metrics
        self.optimizer = SimpleNamespace(learning_rate=1.0)
        self.stop_training = False
        self.history = None
        self.weights = [np.zeros(1)]
        self.saved = []

    def get_weights(self):
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        self.weights = weights

    def save(self, filepath, overwrite):
        self.saved.append(filepath)

    def save_weights(self, filepath, overwrite):
        self.saved.append(f"weights {filepath}")

    def fit(self, epochs, *given, verbose=0, samples=None, initial_epoch=0):
        """`epochs`: the logs of every epoch; or a pair, those of its batches and its own."""
        steps = max(len(e[0]) if isinstance(e, tuple) else 1 for e in epochs)
        total = initial_epoch + len(epochs)
        listed = CallbackList.of(list(given), self, verbose, total, steps, samples)
        self.stop_training = False
        listed.on_train_begin()
        for epoch, logs in enumerate(epochs, initial_epoch):
            batches, logs = logs if isinstance(logs, tuple) else ([logs], logs)
            listed.on_epoch_begin(epoch)
            for step, values in enumerate(batches):
                listed.on_train_batch_begin(step)
                listed.on_train_batch_end(step, values)
                if self.stop_training:
                    break
            self.weights = [np.full(1, epoch + 1.0)]
            if any(name.startswith("val_") for name in logs):
                listed.on_test_begin()
                listed.on_test_batch_begin(0)
                listed.on_test_batch_end(0, {})
                listed.on_test_end({})
            listed.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        listed.on_train_end(logs)
        return self.history


def metric(name, direction=None):
    return SimpleNamespace(name=name, _direction=direction)


def losses(*values, name="loss"):
    return [{name: value} for value in values]


class Scalar:
    """A number on a device: reading it costs, so it counts how often it is read."""

    def __init__(self, value):
        self.value, self.reads = value, 0

    def __float__(self):
        self.reads += 1
        return float(self.value)


# Who is told what, and when.


class Recorder(Callback):
    def __init__(self):
        super().__init__()
        self.events = []


for _hook in HOOKS:
    setattr(Recorder, _hook, lambda self, *a, _hook=_hook, **k: self.events.append((_hook, *a, k)))


def test_order_and_arguments_of_events():
    # As Keras 3 calls them: epochs by position, batch logs by name, never None.
    recorder = Recorder()
    FakeModel().fit([([{"loss": 2}, {"loss": 1}], {"val_loss": 3, "loss": 1})], recorder)
    assert recorder.events == [
        ("on_train_begin", {}, {}),
        ("on_epoch_begin", 0, {}, {}),
        ("on_train_batch_begin", 0, {"logs": {}}),
        ("on_train_batch_end", 0, {"logs": {"loss": 2.0}}),
        ("on_train_batch_begin", 1, {"logs": {}}),
        ("on_train_batch_end", 1, {"logs": {"loss": 1.0}}),
        ("on_test_begin", {}, {}),
        ("on_test_batch_begin", 0, {"logs": {}}),
        ("on_test_batch_end", 0, {"logs": {}}),
        ("on_test_end", {}, {}),
        ("on_epoch_end", 0, {"loss": 1.0, "val_loss": 3.0}, {}),
        ("on_train_end", {"loss": 1.0, "val_loss": 3.0}, {}),
    ]


def test_batch_hooks_call_their_short_names():
    seen = []
    short = LambdaCallback(
        on_batch_begin=lambda batch, logs: seen.append(("begin", batch, logs)),
        on_batch_end=lambda batch, logs: seen.append(("end", batch, logs)),
    )
    FakeModel().fit(losses(1), short)
    assert seen == [("begin", 0, {}), ("end", 0, {"loss": 1.0})]


def test_logs_are_floats_in_order_of_names():
    logs = {"loss": np.float32(0.5), "b": {"z": 1, "y": np.array(2)}, "a": Scalar(3), "s": "text"}
    expected = {"a": 3.0, "z": 1.0, "y": 2.0, "loss": 0.5, "s": "text"}
    history = FakeModel().fit([logs])
    assert list(history.history) == ["a", "y", "z", "loss", "s"]
    assert history.history == {name: [value] for name, value in expected.items()}
    assert all(type(history.history[name][0]) is float for name in ("a", "y", "z", "loss"))


def test_logs_that_are_arrays_stay_arrays():
    history = FakeModel().fit([{"per_class": np.array([1.0, 2.0])}])
    np.testing.assert_array_equal(history.history["per_class"], [[1.0, 2.0]])


def test_all_callbacks_share_one_dict():
    adds = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(added=epoch))
    logs = {"loss": 1.0}
    assert FakeModel().fit([logs], adds).history == {"loss": [1.0], "added": [0]}
    assert logs == {"loss": 1.0}


@pytest.mark.parametrize(
    "given, reads",
    [
        ([], 0),
        (
            [
                EarlyStopping("loss"),
                ModelCheckpoint("m.keras"),
                LearningRateScheduler(lambda e: 1.0),
            ],
            0,
        ),
        ([ModelCheckpoint("m.keras", save_freq=10)], 0),
        ([ModelCheckpoint("m.keras", save_freq=2)], 1),
        ([TerminateOnNaN()], 3),
        ([TerminateOnNaN(), LambdaCallback(on_train_batch_end=lambda batch, logs: None)], 3),
    ],
    ids=["none", "epochs only", "rare", "every second batch", "every batch", "two share"],
)
def test_batch_logs_are_read_only_where_needed(given, reads):
    value = Scalar(1.0)
    FakeModel().fit([([{"loss": value}] * 3, {"loss": 1.0})], *given)
    assert value.reads == reads


def test_callbacks_that_are_no_Callback_and_methods_set_late():
    seen = []

    class Late(Callback):
        def on_train_begin(self, logs=None):
            self.on_train_batch_end = lambda batch, logs: seen.append(logs["loss"])

    FakeModel().fit(losses(1, 2), Late())
    assert seen == [1.0, 2.0]


# The list.


def test_of_puts_history_and_progress_last():
    first = Callback()
    listed = CallbackList.of([first], FakeModel(), "auto", epochs=3, steps=2, samples=7)
    assert [type(c) for c in listed.callbacks] == [Callback, History, ProgbarLogger]
    assert first.params == {"verbose": "auto", "epochs": 3, "steps": 2}
    assert first.model is listed.model
    assert listed.progbar.samples == 7


@pytest.mark.parametrize("given", [None, [], Callback(), [[Callback()], (Callback(),)]])
def test_of_takes_none_one_or_many(given):
    listed = CallbackList.of(given, FakeModel(), 0, epochs=1, steps=1)
    assert isinstance(listed.callbacks[-1], History)
    assert not any(isinstance(c, ProgbarLogger) for c in listed.callbacks)


def test_of_keeps_history_and_list_of_the_user():
    history = History()
    listed = CallbackList.of([history], FakeModel(), 0, epochs=1, steps=1)
    assert listed.callbacks == [history]
    model = FakeModel()
    assert CallbackList.of(listed, model, 1, epochs=1, steps=1) is listed
    own = CallbackList([history], epochs=1)
    assert CallbackList.of(own, model, 1, epochs=1, steps=1).model is model


def test_evaluate_keeps_the_history_of_fit():
    model = FakeModel()
    history = model.fit(losses(1))
    listed = CallbackList.of(None, model, 0, epochs=1, steps=1)
    listed.on_test_begin()
    listed.on_test_end({"loss": 2.0})
    assert model.history is history


def test_unknown_verbose_is_told():
    with pytest.raises(ValueError, match="`verbose` must be 'auto', 0 .* Received: verbose=3"):
        CallbackList.of(None, FakeModel(), 3, epochs=1, steps=1)


# History.


def test_history():
    model = FakeModel()
    epochs = [{"loss": 3.0}, {"loss": 2.0, "val_loss": 4.0}, {"loss": 1.0}]
    history = model.fit(epochs, initial_epoch=2)
    assert history is model.history
    assert history.epoch == [2, 3, 4]
    assert history.history == {"loss": [3.0, 2.0, 1.0], "val_loss": [4.0]}
    assert history.params == {"verbose": 0, "epochs": 5, "steps": 1}


def test_plot_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=re.escape('pip install "layerkit[plot]"')):
        FakeModel().fit(losses(1)).plot()


def test_plot(tmp_path):
    pytest.importorskip("matplotlib")
    epochs = [{"loss": 3.0, "accuracy": 0.1}, {"loss": 2.0, "accuracy": 0.2, "val_loss": 4.0}]
    figure = FakeModel().fit(epochs).plot(tmp_path / "history.png")
    assert (tmp_path / "history.png").stat().st_size > 0
    loss, accuracy = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    curves = {line.get_label(): line.get_xydata().tolist() for line in loss.lines}
    assert curves == {"training": [[1, 3], [2, 2]], "validation": [[2, 4]]}
    assert len(accuracy.lines) == 1


def test_plot_of_nothing():
    pytest.importorskip("matplotlib")
    with pytest.raises(ValueError, match="nothing to plot before an epoch"):
        History().plot()


# EarlyStopping. Stopping epochs as Keras 3 has them.


@pytest.mark.parametrize(
    "options, values, stopped, weight",
    [
        ({}, [3, 2, 2, 1], 2, 3),
        ({}, [3, 4, 1], 1, 2),
        ({"patience": 0}, [1, 1], 1, 2),
        ({"patience": 2}, [3, 4, 2, 5, 4, 1], 4, 5),
        ({"patience": 2}, [3, 4, 2, 5, 1], 0, 5),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.6, 2.4, 2.0], 1, 2),
        ({"patience": 2, "min_delta": -0.5}, [3, 2.6, 2.4, 2.0], 0, 4),
        ({"mode": "max"}, [1, 2, 1], 2, 3),
        ({"baseline": 1.0, "patience": 3}, [5, 4, 3, 2], 0, 4),
        ({"baseline": 1.0, "patience": 2}, [5, 4, 6, 0.5], 2, 3),
        ({"baseline": 5.0, "patience": 2}, [4, 6, 4, 3], 2, 3),
        ({"start_from_epoch": 2}, [1, 2, 3, 4, 5], 3, 4),
        ({"patience": 2, "restore_best_weights": True}, [3, 1, 2, 2, 0], 3, 2),
        ({"patience": 9, "restore_best_weights": True}, [3, 1, 2], 0, 2),
        ({"start_from_epoch": 1, "restore_best_weights": True}, [0, 3, 4], 2, 2),
        ({"restore_best_weights": True}, [math.nan, math.nan, 1], 1, 1),
    ],
)
def test_early_stopping(options, values, stopped, weight):
    model, callback = FakeModel(), EarlyStopping("loss", **options)
    for _ in range(2):  # an instance can be used again
        model.fit(losses(*values), callback)
        assert (callback.stopped_epoch, model.weights[0][0]) == (stopped, weight)


def test_early_stopping_messages(capsys):
    callback = EarlyStopping("loss", patience=1, verbose=1, restore_best_weights=True)
    FakeModel().fit(losses(2, 1, 3), callback)
    assert capsys.readouterr().out == (
        "Epoch 3: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )


def test_early_stopping_warns_where_the_metric_is_missing():
    message = (
        "Early stopping conditioned on metric `val_loss` which is not available. "
        "Available metrics are: accuracy,loss"
    )
    with pytest.warns(UserWarning, match=message):
        FakeModel().fit([{"loss": 1.0, "accuracy": 1.0}] * 3, EarlyStopping())


@pytest.mark.parametrize(
    "monitor, values, stopped",
    [
        ("val_loss", [1, 2], 1),
        ("accuracy", [2, 1], 1),
        ("val_accuracy", [2, 1], 1),
        ("error", [1, 2], 1),
        ("accuracy", [1, 2], 0),
        ("error", [2, 1], 0),
    ],
)
def test_auto_mode_asks_the_metric(monitor, values, stopped):
    model = FakeModel(metric("loss"), metric("accuracy", "up"), metric("error", "down"))
    callback = EarlyStopping(monitor)
    model.fit(losses(*values, name=monitor), callback)
    assert callback.stopped_epoch == stopped


def test_auto_mode_of_a_metric_without_direction():
    message = (
        "EarlyStopping callback received monitor=speed, but Keras isn't able to automatically "
        "determine whether that metric should be maximized or minimized. Pass `mode='max'`"
    )
    with pytest.raises(ValueError, match=message):
        FakeModel(metric("speed")).fit(losses(1, 2, name="speed"), EarlyStopping("speed"))


def test_unknown_mode_warns():
    with pytest.warns(UserWarning, match="EarlyStopping mode 'best' is unknown, fallback to auto"):
        EarlyStopping(mode="best")


# Learning rates.


def rates(callback, values):
    """The rate in the logs of every epoch: the one that the epoch was trained with."""
    return FakeModel().fit(losses(*values), callback).history["learning_rate"]


@pytest.mark.parametrize(
    "options, values, expected",
    [
        ({"patience": 1}, [1, 1, 1], [1, 1, 0.1]),
        ({"patience": 2}, [1, 1, 1, 1], [1, 1, 1, 0.1]),
        ({"patience": 1, "factor": 0.5}, [1, 1, 1, 1], [1, 1, 0.5, 0.25]),
        ({"patience": 1, "factor": 0.5, "cooldown": 1}, [1] * 5, [1, 1, 0.5, 0.25, 0.125]),
        ({"patience": 1, "factor": 0.5, "cooldown": 2}, [1] * 5, [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "factor": 0.5, "min_lr": 0.4}, [1] * 5, [1, 1, 0.5, 0.4, 0.4]),
        ({"patience": 1, "min_delta": 0.5}, [1, 0.6, 0.4], [1, 1, 0.1]),
        ({"patience": 1, "mode": "max"}, [1, 2, 1, 1], [1, 1, 1, 0.1]),
    ],
)
def test_reduce_lr_on_plateau(options, values, expected):
    callback = ReduceLROnPlateau("loss", **options)
    for _ in range(2):
        assert rates(callback, values) == pytest.approx(expected)


def test_reduce_lr_on_plateau_messages(capsys):
    rates(ReduceLROnPlateau("loss", patience=1, factor=0.5, verbose=1), [1, 1])
    expected = "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.5.\n"
    assert capsys.readouterr().out == expected
    message = "Learning rate reduction is conditioned on metric `val_loss` which is not available. "
    message += "Available metrics are: loss,learning_rate."
    with pytest.warns(UserWarning, match=message):
        rates(ReduceLROnPlateau(), [1])
    with pytest.raises(ValueError, match="does not support a factor >= 1.0. Received factor=1.5"):
        ReduceLROnPlateau(factor=1.5)


@pytest.mark.parametrize(
    "schedule, expected",
    [
        (lambda epoch, rate: rate / 2, [0.5, 0.25, 0.125]),
        (lambda epoch: 1.0 - epoch / 4, [1.0, 0.75, 0.5]),
        (lambda epoch, rate=None: np.float32(0.5), [0.5, 0.5, 0.5]),
    ],
)
def test_learning_rate_scheduler(schedule, expected):
    assert rates(LearningRateScheduler(schedule), [1, 1, 1]) == expected


def test_learning_rate_scheduler_messages(capsys):
    rates(LearningRateScheduler(lambda epoch: 0.25, verbose=1), [1])
    expected = "Epoch 1: LearningRateScheduler setting learning rate to 0.25.\n"
    assert capsys.readouterr().out == expected
    with pytest.raises(ValueError, match="`schedule` function should be a float. Got: None"):
        rates(LearningRateScheduler(lambda epoch: None), [1])
    model = FakeModel()
    model.optimizer = None
    with pytest.raises(ValueError, match='Optimizer must have a "learning_rate" attribute.'):
        model.fit(losses(1), LearningRateScheduler(lambda epoch: 0.25))


def test_errors_inside_a_schedule_are_not_swallowed():
    def schedule(epoch, rate):
        raise TypeError("inside")

    with pytest.raises(TypeError, match="inside"):
        rates(LearningRateScheduler(schedule), [1])


# ModelCheckpoint.


@pytest.mark.parametrize(
    "options, values, expected",
    [
        ({}, [2, 3, 1], ["1-2.00", "2-3.00", "3-1.00"]),
        ({"save_best_only": True}, [2, 3, 1], ["1-2.00", "3-1.00"]),
        ({"save_best_only": True, "mode": "max"}, [2, 3, 1], ["1-2.00", "2-3.00"]),
        ({"save_best_only": True, "initial_value_threshold": 1.5}, [2, 3, 1], ["3-1.00"]),
    ],
)
def test_model_checkpoint(tmp_path, options, values, expected):
    model = FakeModel()
    path = tmp_path / "new" / "{epoch}-{val_loss:.2f}.keras"
    model.fit(losses(*values, name="val_loss"), ModelCheckpoint(path, **options))
    assert model.saved == [str(tmp_path / "new" / f"{name}.keras") for name in expected]
    assert (tmp_path / "new").is_dir()


def test_model_checkpoint_of_weights(tmp_path):
    model = FakeModel()
    path = f"{tmp_path}/a.weights.h5"
    model.fit(losses(1), ModelCheckpoint(path, save_weights_only=True))
    assert model.saved == [f"weights {path}"]


@pytest.mark.parametrize(
    "save_freq, expected",
    [(1, ["1-1", "1-2", "1-3", "2-1", "2-2", "2-3"]), (2, ["1-2", "2-1", "2-3"])],
)
def test_model_checkpoint_every_few_batches(tmp_path, save_freq, expected):
    model = FakeModel()
    epoch = (losses(3, 2, 1), {"loss": 1})
    model.fit(
        [epoch, epoch], ModelCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=save_freq)
    )
    assert model.saved == [str(tmp_path / f"{name}.keras") for name in expected]


def test_model_checkpoint_messages(tmp_path, capsys):
    path = f"{tmp_path}/m.keras"
    FakeModel().fit(losses(0.5, 0.75), ModelCheckpoint(path, "loss", 1, save_best_only=True))
    assert capsys.readouterr().out == (
        f"Epoch 1: loss improved from None to 0.50000, saving model to {path}\n"
        f"Epoch 1: finished saving model to {path}\n"
        "Epoch 2: loss did not improve from 0.50000\n"
    )
    FakeModel().fit(losses(0.5), ModelCheckpoint(path, verbose=1))
    assert capsys.readouterr().out == (
        f"Epoch 1: saving model to {path}\nEpoch 1: finished saving model to {path}\n"
    )


def test_model_checkpoint_saves_where_the_metric_is_missing(tmp_path):
    model = FakeModel()
    with pytest.warns(UserWarning, match="Can save best model only with val_loss available."):
        model.fit(losses(1), ModelCheckpoint(tmp_path / "m.keras", save_best_only=True))
    assert len(model.saved) == 1


@pytest.mark.parametrize(
    "filepath, options, message",
    [
        ("m.foo", {}, "filepath provided must end in `.keras` .* Received: filepath=m.foo"),
        ("m.ckpt", {"save_weights_only": True}, "must end in `.weights.h5` .* filepath=m.ckpt"),
        ("m.keras", {"save_freq": "batch"}, "Unrecognized save_freq: batch. Expected save_freq"),
    ],
)
def test_model_checkpoint_refuses(filepath, options, message):
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint(filepath, **options)


def test_model_checkpoint_paths_that_cannot_be(tmp_path):
    with pytest.raises(
        KeyError, match="Failed to format this callback filepath: .*val_loss.*Available"
    ):
        FakeModel().fit(losses(1), ModelCheckpoint(tmp_path / "{val_loss}.keras"))
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(OSError, match="Please specify a non-directory filepath"):
        FakeModel().fit(losses(1), ModelCheckpoint(tmp_path / "folder.keras"))


# CSVLogger. Contents as Keras 3 writes them.


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    model = FakeModel()
    model.fit([{"loss": 2, "a": 0.5}, {"loss": 1, "a": 1, "val_loss": 3}], CSVLogger(path))
    first = "epoch,a,loss,val_a,val_loss\r\n0,0.5,2.0,NA,NA\r\n1,1.0,1.0,NA,3.0\r\n"
    assert path.read_bytes().decode() == first
    model.fit(
        [{"loss": 0, "a": 2, "val_loss": 3, "val_a": 4}],
        CSVLogger(path, append=True),
        initial_epoch=2,
    )
    assert path.read_bytes().decode() == first + "2,2.0,0.0,4.0,3.0\r\n"
    model.fit([{"loss": 0.0, "val_loss": np.array([1, 2])}], CSVLogger(str(path), separator=";"))
    expected = 'epoch;loss;val_loss\r\n0;0.0;"""[1, 2]"""\r\n'
    assert path.read_bytes().decode() == expected


def test_csv_logger_appends_to_a_new_file_with_a_header(tmp_path):
    callback = CSVLogger(tmp_path / "log.csv", append=True)
    for _ in range(2):
        FakeModel().fit([{"loss": 1.0, "val_loss": 2.0}], callback)
    text = (tmp_path / "log.csv").read_text()
    assert text.split() == ["epoch,loss,val_loss", "0,1.0,2.0", "0,1.0,2.0"]


# TerminateOnNaN, LambdaCallback.


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_terminate_on_nan(bad, capsys):
    model = FakeModel()
    seen = []
    count = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    epoch = (losses(1, bad, 1), {"loss": bad})
    model.fit([epoch, epoch], count, TerminateOnNaN())
    assert seen == [0, 1]
    assert model.stop_training
    assert capsys.readouterr().out == "Batch 1: Invalid loss, terminating training\n"
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 1. Loss value"):
        model.fit([epoch], TerminateOnNaN(raise_error=True))


def test_lambda_callback_refuses_what_is_no_hook():
    with pytest.raises(TypeError, match="got 'on_epoch_finish', which is no method of Callback"):
        LambdaCallback(on_epoch_finish=print)


# Progress.


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


EPOCHS = [
    ([{"loss": 2.0}, {"loss": 1.0}], {"loss": 1.0, "val_loss": 3e-4}),
    ([{"loss": 0.75}, {"loss": 0.5}], {"loss": 0.5, "val_loss": 0.25}),
]
LINE = r"Epoch {}/2 - 0s - \d+(ms|us)/step - \d+ samples/s - loss: {} - val_loss: {}"


def test_lines_where_the_output_is_no_terminal(capsys):
    for verbose in ("auto", 1, 2):
        FakeModel().fit(EPOCHS, verbose=verbose, samples=60)
        first, second = capsys.readouterr().out.splitlines()
        assert re.fullmatch(LINE.format(1, "1.0000", "3.0000e-04"), first)
        assert re.fullmatch(LINE.format(2, "0.5000", "0.2500"), second)


def test_bar_on_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stdout", Terminal())
    FakeModel().fit(EPOCHS, verbose=1, samples=60)
    lines = sys.stdout.getvalue().split("\n")
    assert len(lines) == 3 and lines[2] == ""
    for line, epoch, loss in ((lines[0], 1, "1.0000"), (lines[1], 2, "0.5000")):
        states = line.split("\r")
        assert f"Epoch {epoch}/2   0%|" in states[1]
        assert " 50%|" in line  # the first batch is shown at once
        assert re.fullmatch(
            rf"Epoch {epoch}/2 100%\|█{{7}}\| 00:00, +[\d.]+k? samples/s, "
            rf"loss: {loss} - val_loss: [\de.-]+ *",
            states[-1],
        )


def test_metrics_too_long_for_the_terminal_wrap_at_the_end(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys, "stdout", Terminal())
    logs = {f"metric_{n}": float(n) for n in range(9)}
    FakeModel().fit([logs], verbose=1)
    states = sys.stdout.getvalue().split("\n")[0].split("\r")
    assert states[-1].rstrip().endswith("metric_8: 8.0000")
    assert all(len(state) <= 60 for state in states[:-1])


def test_lines_on_a_terminal_when_asked_for(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    FakeModel().fit(EPOCHS, verbose=2, samples=60)
    assert re.fullmatch(LINE.format(1, "1.0000", ".*"), sys.stdout.getvalue().split("\n")[0])


def test_silence(capsys):
    FakeModel().fit(EPOCHS, verbose=0)
    FakeModel().fit(EPOCHS, ProgbarLogger(), verbose=0)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [1, 2])
def test_what_callbacks_print_does_not_tear_the_bar(monkeypatch, verbose):
    monkeypatch.setattr(sys, "stdout", Terminal())
    FakeModel().fit(
        EPOCHS,
        LambdaCallback(on_epoch_end=lambda epoch, logs: print("printed")),
        ModelCheckpoint("m.keras", verbose=1),
        verbose=verbose,
        samples=60,
    )
    shown = [line.split("\r")[-1].strip() for line in sys.stdout.getvalue().split("\n")]
    assert [re.split(r":| -| +\d+%", line)[0] for line in shown] == [
        "printed",
        "Epoch 1",
        "Epoch 1",
        "Epoch 1/2",
        "printed",
        "Epoch 2",
        "Epoch 2",
        "Epoch 2/2",
        "",
    ]


def test_a_message_within_an_epoch_does_not_tear_the_bar(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    FakeModel().fit([(losses(1, math.nan, 1), {"loss": math.nan})], TerminateOnNaN(), verbose=1)
    message, bar, _ = (line.split("\r")[-1] for line in sys.stdout.getvalue().split("\n"))
    assert message == "Batch 1: Invalid loss, terminating training"
    assert " 67%|" in bar and "loss: nan" in bar


def test_the_bar_shows_what_callbacks_added(capsys):
    FakeModel().fit(losses(1), LearningRateScheduler(lambda epoch: 0.5), verbose=2)
    assert "learning_rate: 0.5000 - loss: 1.0000" in capsys.readouterr().out


def test_the_bar_reads_metrics_only_when_it_redraws(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    value = Scalar(1.0)
    FakeModel().fit([([{"loss": value}] * 1000, {"loss": 1.0})], verbose=1)
    assert 1 <= value.reads < 100


def run(kind, verbose, steps=2):
    listed = CallbackList.of(None, FakeModel(), verbose, epochs=1, steps=steps, samples=20)
    getattr(listed, f"on_{kind}_begin")()
    for step in range(steps):
        getattr(listed, f"on_{kind}_batch_begin")(step)
        getattr(listed, f"on_{kind}_batch_end")(step, {"loss": 1.0})
    getattr(listed, f"on_{kind}_end")({"loss": 0.5} if kind == "test" else None)


def test_lines_of_evaluate_and_predict(capsys):
    run("test", "auto")
    line = capsys.readouterr().out
    assert re.fullmatch(r"Evaluate - 0s - \d+\ws/step - \d+ samples/s - loss: 0.5000\n", line)
    run("predict", "auto")
    assert capsys.readouterr().out == ""
    run("predict", 2)
    line = capsys.readouterr().out
    assert re.fullmatch(r"Predict - 0s - \d+\ws/step - \d+ samples/s\n", line)


def test_bars_of_evaluate_and_predict(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    run("test", "auto")
    run("predict", "auto")
    first, second, _ = (line.split("\r")[-1] for line in sys.stdout.getvalue().split("\n"))
    assert re.match(r"Evaluate 100%\|.*loss: 0.5000 *$", first)
    assert re.match(r"Predict 100%\|.*samples/s *$", second)


# With a real model.


def test_a_real_fit(tmp_path):
    x = np.random.default_rng(0).random((20, 4), "float32")
    model = Sequential([Input((4,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x,
        np.arange(20) % 2,
        batch_size=8,
        epochs=3,
        validation_split=0.2,
        verbose=0,
        callbacks=[
            EarlyStopping("val_accuracy", patience=3, restore_best_weights=True),
            ReduceLROnPlateau("loss", patience=1, min_delta=100.0, factor=0.5),
            ModelCheckpoint(tmp_path / "{epoch}.keras", monitor="val_loss"),
            ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
            TerminateOnNaN(),
        ],
    )
    assert history is model.history
    names = ["accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"]
    assert list(history.history) == names
    assert history.history["learning_rate"] == pytest.approx([0.01, 0.01, 0.005])
    assert history.params == {"verbose": 0, "epochs": 3, "steps": 2}
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{epoch}{ending}" for epoch in (1, 2, 3) for ending in (".keras", ".weights.h5")
    }


def test_public_names():
    assert set(callbacks.__all__) <= set(vars(callbacks))


@pytest.mark.parametrize("callback", ["checkpoint", EarlyStopping, print])
def test_what_is_no_callback_is_refused(callback):
    with pytest.raises(TypeError, match="`callbacks` must be Callback objects"):
        CallbackList([callback])
