"""Callbacks that write somewhere: event files for TensorBoard, backups, averages, a server."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import zlib
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import numpy as np
import pytest
from fakes import event_reader

from layerkit import Input, Model, Sequential, layers, optimizers
from layerkit import backend as K
from layerkit.callbacks import (
    BackupAndRestore,
    Callback,
    LambdaCallback,
    RemoteMonitor,
    SwapEMAWeights,
    TensorBoard,
)
from layerkit.callbacks.event_file import EventFile, crc32c, png, varint

X = np.random.default_rng(0).random((12, 3), "float32")
Y = X.sum(axis=1, keepdims=True)


def model(optimizer="sgd", **options):
    K.clear_session()
    K.set_random_seed(1)
    found = Sequential(
        [Input((3,)), layers.Dense(4, name="d"), layers.Dropout(0.5), layers.Dense(1)]
    )
    found.compile(optimizer, "mse", metrics=["mae"], **options)
    return found


def fit(trained, *callbacks, epochs=2, **options):
    return trained.fit(
        X, Y, batch_size=4, epochs=epochs, verbose=0, callbacks=list(callbacks), **options
    )


# TensorBoard.


def test_checksums_and_numbers_as_others_write_them():
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    assert [varint(n) for n in (0, 127, 300)] == [b"\x00", b"\x7f", b"\xac\x02"]


def test_metrics_of_epochs(tmp_path):
    history = fit(model(), TensorBoard(tmp_path), validation_data=(X, Y)).history
    version, graph, *events = event_reader.read(tmp_path / "train")
    assert version == {"version": "brain.Event:2"}
    assert graph["tag"] == "keras" and graph["plugin"] == "graph_keras_model"
    assert json.loads(graph["value"][0])["class_name"] == "Sequential"
    assert [(e["tag"], e["step"], e["plugin"]) for e in events] == [
        (f"epoch_{name}", epoch, "scalars")
        for epoch in (0, 1)
        for name in ("loss", "mae", "learning_rate")
    ]
    assert events[0]["value"] == pytest.approx(history["loss"][0])
    assert events[5]["value"] == pytest.approx(0.01)
    _, *events = event_reader.read(tmp_path / "validation")
    assert [(e["tag"], e["step"]) for e in events] == [
        (tag, step)
        for epoch in (0, 1)
        for tag, step in (
            ("evaluation_loss_vs_iterations", 3 * (epoch + 1)),
            ("evaluation_mae_vs_iterations", 3 * (epoch + 1)),
            ("epoch_loss", epoch),
            ("epoch_mae", epoch),
        )
    ]
    assert events[-1]["value"] == pytest.approx(history["val_mae"][1])


def test_metrics_of_batches_and_speed(tmp_path):
    log = TensorBoard(tmp_path, write_graph=False, update_freq=2, write_steps_per_second=True)
    fit(model(), log)
    _, *events = event_reader.read(tmp_path / "train")
    batches = [e for e in events if e["tag"].startswith("batch_")]
    assert [(e["tag"], e["step"]) for e in batches] == [
        (f"batch_{name}", step)
        for step in (2, 4, 6)
        for name in ("steps_per_second", "loss", "mae")
    ]
    speeds = [e["value"] for e in events if e["tag"].endswith("steps_per_second")]
    assert len(speeds) == 5 and min(speeds) > 0


def test_an_evaluation_alone_writes_its_results(tmp_path):
    trained = model()
    fit(trained, epochs=1)
    loss, _ = trained.evaluate(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path)])
    assert [p.name for p in tmp_path.iterdir()] == ["validation"]
    _, event, _ = event_reader.read(tmp_path / "validation")
    assert (event["tag"], event["step"]) == ("evaluation_loss_vs_iterations", 3)
    assert event["value"] == pytest.approx(loss)


def test_weights_as_histograms_and_images(tmp_path):
    trained = model()
    log = TensorBoard(tmp_path, histogram_freq=2, write_images=True, write_graph=False)
    weights = []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(trained.get_weights()))
    fit(trained, log, keep, epochs=3)
    events = {(e["tag"], e["step"]): e for e in event_reader.read(tmp_path / "train")[1:]}
    assert (f"{trained.name}/d/kernel/histogram", 1) not in events
    histogram = events[f"{trained.name}/d/kernel/histogram", 2]["value"]
    kernel = weights[2][0]
    assert histogram.shape == (30, 3) and histogram[:, 2].sum() == kernel.size
    np.testing.assert_array_equal(histogram[1:, 0], histogram[:-1, 1])
    np.testing.assert_allclose((histogram[0, 0], histogram[-1, 1]), (kernel.min(), kernel.max()))
    width, height, image = events[f"{trained.name}/d/kernel/image", 0]["value"]
    assert (width, height, image[:4]) == (b"4", b"3", b"\x89PNG")


def test_kernels_of_convolutions_are_images(tmp_path):
    trained = Sequential([Input((4, 4, 3)), layers.Conv2D(5, 2, name="c"), layers.Flatten()])
    trained.compile("sgd", "mse")
    log = TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    trained.fit(np.ones((2, 4, 4, 3)), np.ones((2, 45)), verbose=0, callbacks=[log])
    events = {e.get("tag"): e for e in event_reader.read(tmp_path / "train")}
    # (2, 2, 3, 5) is no image of one, three or four colors
    assert f"{trained.name}/c/kernel/image" not in events
    assert events[f"{trained.name}/c/bias/image"]["value"][:2] == [b"1", b"5"]


def test_png_holds_the_pixels():
    pixels = np.arange(24, dtype="uint8").reshape(2, 4, 3)
    data = png(pixels)
    start = data.index(b"IDAT") + 4
    rows = np.frombuffer(zlib.decompress(data[start:]), "uint8").reshape(2, 13)
    np.testing.assert_array_equal(rows[:, 1:].reshape(2, 4, 3), pixels)


def test_histograms_leave_out_what_is_not_finite(tmp_path):
    file = EventFile(tmp_path)
    file.histogram("h", np.array([np.nan, 1.0, np.inf, 1.0]), 0)
    file.histogram("nothing", np.array([np.nan]), 0)
    file.flush()
    _, event = event_reader.read(tmp_path)
    assert event["value"][:, 2].sum() == 2


def test_a_model_that_is_no_chain_has_no_graph(tmp_path):
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    trained = Own()
    trained.compile("sgd", "mse")
    fit(trained, TensorBoard(tmp_path), epochs=1)
    assert [e["tag"] for e in event_reader.read(tmp_path / "train")[1:]] == [
        "epoch_loss",
        "epoch_learning_rate",
    ]


def test_a_chain_that_cannot_be_described_warns(tmp_path):
    class Own(layers.Layer):
        def __init__(self, table):
            super().__init__()

        def call(self, inputs):
            return inputs

    trained = Sequential([Input((3,)), Own(np.ones(2)), layers.Dense(1)])
    trained.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="Model failed to serialize as JSON"):
        fit(trained, TensorBoard(tmp_path), epochs=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile_batch": 2}, r"profile_batch=2 \(must be 0\)"),
        ({"embeddings_freq": 1}, r"embeddings_freq=1 \(must be 0\)"),
        ({"update_freq": "epochs"}, "`update_freq` must be 'epoch', 'batch' or a positive integer"),
    ],
)
def test_what_tensorboard_cannot_do(options, message):
    with pytest.raises(ValueError, match=message):
        TensorBoard(**options)


# SwapEMAWeights.


class Seen(Callback):
    """The first weight at the ends of epochs and at the beginnings of evaluations."""

    def __init__(self):
        super().__init__()
        self.epochs, self.tests = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(self.model.weights[0].numpy())

    def on_test_batch_begin(self, batch, logs=None):
        self.tests.append(self.model.weights[0].numpy())


def test_averages_are_evaluated_and_taken_back():
    options = {"use_ema": True, "ema_momentum": 0.5}
    plain, swapped, seen = Seen(), Seen(), Seen()
    fit(model(optimizers.SGD(0.1, **options)), plain, validation_data=(X[:4], Y[:4]))
    trained = model(optimizers.SGD(0.1, **options))
    fit(trained, SwapEMAWeights(), swapped, validation_data=(X[:4], Y[:4]))
    for with_averages, without in zip(swapped.epochs, plain.epochs, strict=True):
        np.testing.assert_array_equal(with_averages, without)
    averages = [average.numpy() for _, average in trained.optimizer.averages()]
    np.testing.assert_array_equal(swapped.tests[-1], averages[0])
    assert not np.array_equal(swapped.tests[0], plain.tests[0])
    before = trained.get_weights()
    trained.predict(X, verbose=0, callbacks=[SwapEMAWeights(), seen])
    for w, same in zip(trained.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, same)


@pytest.mark.parametrize("stopping", [False, True])
def test_averages_are_seen_at_the_ends_of_epochs(stopping):
    trained = model(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
    seen = Seen()
    stop = LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(trained, "stop_training", stopping and epoch == 0)
    )
    fit(trained, stop, SwapEMAWeights(swap_on_epoch=True), seen)
    np.testing.assert_array_equal(seen.epochs[-1], trained.weights[0].numpy())
    np.testing.assert_array_equal(seen.epochs[-1], trained.optimizer.averages()[0][1].numpy())
    assert len(seen.epochs) == (1 if stopping else 2)


def test_averages_that_are_not_there():
    with pytest.raises(ValueError, match="must be used when `use_ema=True`.*use_ema=False on"):
        fit(model(), SwapEMAWeights(), validation_data=(X, Y))
    with pytest.raises(ValueError, match="there are none before the first step"):
        model(optimizers.SGD(use_ema=True)).evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])


# BackupAndRestore.


class CutOff(Exception):
    """What ends a training in the middle."""


def cut_off(epoch, batch=0):
    """Ends training at a batch of an epoch, both counted from 0."""
    state = {}

    def on_batch_end(at, logs):
        if (state["epoch"], at) == (epoch, batch):
            raise CutOff

    return LambdaCallback(
        on_epoch_begin=lambda epoch, logs: state.update(epoch=epoch),
        on_train_batch_end=on_batch_end,
    )


def test_training_that_was_cut_off_goes_on_to_the_same_bits(tmp_path):
    folder = tmp_path / "backup"
    whole = model("adam")
    expected = fit(whole, epochs=4).history["loss"]
    with pytest.raises(CutOff):
        fit(model("adam"), BackupAndRestore(folder), cut_off(2, 1), epochs=4)
    assert [p.name for p in folder.iterdir()] == ["last.state"]
    again = model("adam")
    again.set_weights([np.zeros_like(w) for w in again.get_weights()])
    K.set_random_seed(99)
    history = fit(again, BackupAndRestore(folder), epochs=4)
    assert history.epoch == [0, 1, 2, 3] and history.history["loss"] == expected
    for w, same in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(w, same)
    assert not folder.exists()


def test_backups_of_batches_go_on_at_the_next_batch(tmp_path):
    expected = fit(model()).history
    keep = BackupAndRestore(tmp_path, save_freq=2, delete_checkpoint=False)
    with pytest.raises(CutOff):
        fit(model(), keep, cut_off(1, 1))
    trained, seen = model(), []
    batches = LambdaCallback(on_train_batch_begin=lambda batch, logs: seen.append(batch))
    assert fit(trained, BackupAndRestore(tmp_path), batches).history == expected
    assert seen == [1, 2]
    assert int(trained.optimizer.iterations) == 6


def test_the_backup_before_serves_where_the_last_cannot_be_read(tmp_path):
    (tmp_path / "mine.txt").write_text("stays")
    with pytest.raises(CutOff):
        fit(model(), BackupAndRestore(tmp_path, double_checkpoint=True), cut_off(2), epochs=3)
    (tmp_path / "last.state").write_bytes(b"torn")
    trained, seen = model(), []
    epochs = LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    with pytest.warns(UserWarning, match="so training goes on from the one before"):
        fit(trained, BackupAndRestore(tmp_path), epochs, epochs=3)
    assert seen == [1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_lost_backup_raises(tmp_path):
    with pytest.raises(CutOff):
        fit(model(), BackupAndRestore(tmp_path), cut_off(1))
    (tmp_path / "last.state").write_bytes(b"torn")
    with pytest.raises(ValueError, match="last.state' is not a readable state of a training"):
        fit(model(), BackupAndRestore(tmp_path))


def test_a_backup_of_another_training_raises(tmp_path):
    with pytest.raises(CutOff):
        fit(model("adam"), BackupAndRestore(tmp_path), cut_off(1))
    with pytest.raises(ValueError, match="is the state of another training"):
        fit(model("sgd"), BackupAndRestore(tmp_path))


OTHER = """
import fcntl, sys
file = open(sys.argv[1], "ab")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="needs locks of files")
def test_a_folder_that_another_process_trains_with(tmp_path, monkeypatch):
    command = [sys.executable, "-c", OTHER, str(tmp_path / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(OSError, match="Another process is training with the folder") as told:
            fit(model(), BackupAndRestore(tmp_path))
        assert told.value.errno == errno.EBUSY
        other.communicate()
    fit(model(), BackupAndRestore(tmp_path, delete_checkpoint=False))
    assert os.listdir(tmp_path) == ["last.state"]

    def refused(file, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("layerkit.callbacks.backup.fcntl.lockf", refused)
    fit(model(), BackupAndRestore(tmp_path))


def test_what_cannot_be_backed_up(tmp_path):
    with pytest.raises(ValueError, match="Empty `backup_dir` argument"):
        BackupAndRestore("")
    with pytest.raises(ValueError, match="'epoch' or a positive integer. Received: save_freq=0"):
        BackupAndRestore(tmp_path, save_freq=0)

    class Late(Model):
        def call(self, inputs):
            return inputs

    late = Late(name="late")
    late.compile("sgd", "mse")
    backup = BackupAndRestore(tmp_path)
    backup.set_model(late)
    late._initial_epoch = 0
    with pytest.raises(ValueError, match="Model late is unbuilt"):
        backup.on_train_begin()


# RemoteMonitor.


@pytest.fixture
def server():
    """A server on this machine that keeps what it is sent, and answers as it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802 - http.server's name
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.received.append((self.path, dict(self.headers), body))
            self.send_response(found.answer)
            self.end_headers()

        def log_message(self, *args):
            pass

    found = HTTPServer(("127.0.0.1", 0), Handler)
    found.received, found.answer = [], 200
    found.root = f"http://127.0.0.1:{found.server_port}"
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


LOGS = {"loss": 0.5, "array": np.float32(0.25), "many": np.array([1.0, 2.0])}


def test_logs_reach_a_server(server):
    RemoteMonitor(server.root, field="f", headers={"X-Run": "7"}).on_epoch_end(3, LOGS)
    RemoteMonitor(server.root, "/there", send_as_json=True).on_epoch_end(4, LOGS)
    (path, headers, body), (other_path, other_headers, other_body) = server.received
    expected = {"epoch": 3, "loss": 0.5, "array": 0.25, "many": [1.0, 2.0]}
    assert path == "/publish/epoch/end/" and headers["X-Run"] == "7"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert json.loads(parse_qs(body)["f"][0]) == expected
    assert other_path == "/there" and other_headers["Content-Type"] == "application/json"
    assert json.loads(other_body) == expected | {"epoch": 4}


def test_a_server_that_is_not_there_is_warned_of(server):
    server.answer = 500
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server at .*500"):
        RemoteMonitor(server.root).on_epoch_end(0, {})
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server at"):
        RemoteMonitor("http://127.0.0.1:1").on_epoch_end(0, {})
