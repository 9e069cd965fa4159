"""Saving: whole files or none, Keras's layout both ways, and no trust in what is read."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import re
import signal
import stat
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import layerkit
from layerkit import Model, Sequential, layers, losses, saving
from layerkit.commands.inspect import inspect
from layerkit.layers import Dense
from layerkit.saving.atomic import replacing
from layerkit.saving.hdf5 import open_hdf5, read
from layerkit.saving.walk import walk

GOLDEN = Path(__file__).parent / "golden" / "files"


def dense_model(units: int = 3, compiled: bool = True) -> Sequential:
    model = Sequential(
        [layers.Input((4,)), Dense(5, "relu", name="hidden"), Dense(units, name="d")]
    )
    if compiled:
        model.compile("adam", "mse", metrics=["mae"])
    return model


def fitted_model() -> Sequential:
    model = dense_model()
    rng = np.random.default_rng(0)
    model.fit(
        rng.normal(size=(8, 4)).astype("float32"),
        rng.normal(size=(8, 3)).astype("float32"),
        epochs=2,
        verbose=0,
    )
    return model


def assert_same(first, second):
    first, second = list(first), list(second)
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def groups(path) -> dict[str, list]:
    """{path of each `vars` group: [its name, shapes...]} of a weights file."""
    found = {}

    def visit(name, thing):
        if name.rpartition("/")[2] == "vars":
            shapes = [thing[key].shape for key in sorted(thing, key=int)]
            found[name] = [thing.attrs["name"], *shapes]

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


# --- atomic writing ----------------------------------------------------------------------------


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with replacing(str(path)) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_new_file_gets_the_mode_of_any_new_file(tmp_path):
    with replacing(str(tmp_path / "a.bin")) as file:
        file.write(b"new")
    (tmp_path / "b.bin").write_bytes(b"")
    assert (tmp_path / "a.bin").stat().st_mode == (tmp_path / "b.bin").stat().st_mode


def test_an_error_while_writing_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(str(path)) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.bin").write_bytes(b"old")
    (tmp_path / "link.bin").symlink_to("real.bin")
    with replacing(str(tmp_path / "link.bin")) as file:
        file.write(b"new")
    assert (tmp_path / "link.bin").is_symlink()
    assert (tmp_path / "real.bin").read_bytes() == b"new"


def test_where_nothing_can_be_written(tmp_path):
    model = dense_model(compiled=False)
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(OSError, match="expected a file or a free name; received a folder"):
        model.save(tmp_path / "folder.keras")
    with pytest.raises(FileNotFoundError, match="there is no folder .*Make it first"):
        model.save(tmp_path / "nowhere" / "a.keras")
    model.save(tmp_path / "a.keras")
    with pytest.raises(FileExistsError, match="already exists and overwrite=False"):
        model.save(tmp_path / "a.keras", overwrite=False)


def test_a_writer_that_fails_leaves_the_old_model(tmp_path):
    class Failing(Dense):
        def save_own_variables(self, store):
            super().save_own_variables(store)
            raise RuntimeError("disk on fire")

    model = fitted_model()
    model.save(tmp_path / "a.keras")
    before = (tmp_path / "a.keras").read_bytes()
    model.add(Failing(2))
    with pytest.raises(RuntimeError, match="disk on fire"):
        model.save(tmp_path / "a.keras")
    assert (tmp_path / "a.keras").read_bytes() == before
    assert os.listdir(tmp_path) == ["a.keras"]


WRITER = """
import sys, numpy as np
from layerkit.saving.atomic import replacing
i = 0
while True:
    with replacing(sys.argv[1]) as file:
        for _ in range(64):
            file.write(bytes([i % 256]) * 65536)
    i += 1
    print(i, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_process_leaves_a_whole_file(tmp_path):
    path = tmp_path / "a.bin"
    for delay in (0.001, 0.004, 0.009):  # somewhere within a write
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        assert_whole(path)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert_whole(path)


def assert_whole(path):
    """All of what WRITER writes in one go, and of one go only."""
    written = path.read_bytes()
    assert len(written) == 64 * 65536 and len(set(written[::4096])) == 1


# --- round trips -------------------------------------------------------------------------------


def test_a_model_comes_back_with_its_training_state(tmp_path):
    model = fitted_model()
    model.save(tmp_path / "a.keras")
    again = saving.load_model(tmp_path / "a.keras")
    x, y = np.ones((2, 4), "float32"), np.zeros((2, 3), "float32")
    assert_same(model.get_weights(), again.get_weights())
    assert_same(model.optimizer.variables, again.optimizer.variables)
    assert_same([model.predict(x, verbose=0)], [again.predict(x, verbose=0)])
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    model.train_on_batch(x, y)
    again.train_on_batch(x, y)
    assert_same(model.get_weights(), again.get_weights())


def test_weights_come_back_with_the_optimizer_state(tmp_path):
    model = fitted_model()
    for name in ("a.weights.h5", "a.keras"):
        model.save_weights(tmp_path / name) if "h5" in name else model.save(tmp_path / name)
        again = dense_model()
        again.load_weights(tmp_path / name)
        assert_same(model.get_weights(), again.get_weights())
        assert_same(model.optimizer.variables, again.optimizer.variables)


def test_without_compile_nothing_of_the_training_is_read(tmp_path):
    fitted_model().save(tmp_path / "a.keras")
    again = saving.load_model(tmp_path / "a.keras", compile=False)
    assert not again.compiled and again.optimizer is None


def test_a_nested_model_and_a_registered_class(tmp_path):
    @saving.register_keras_serializable("tests")
    class Doubled(layers.Layer):
        def call(self, inputs):
            return inputs * 2.0

    model = Sequential([layers.Input((4,)), Sequential([Dense(3), Doubled()]), Dense(2)])
    model.save(tmp_path / "a.keras")
    x = np.ones((2, 4), "float32")
    again = saving.load_model(tmp_path / "a.keras")
    assert_same([model.predict(x, verbose=0)], [again.predict(x, verbose=0)])


def test_an_unbuilt_model(tmp_path):
    model = Sequential([Dense(3)])
    with pytest.warns(UserWarning, match="saving a model that has not yet been built"):
        model.save(tmp_path / "a.keras")
    assert not saving.load_model(tmp_path / "a.keras").built
    with pytest.raises(ValueError, match="You are saving a model that has not yet been built"):
        model.save_weights(tmp_path / "a.weights.h5")
    dense_model().save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(ValueError, match="You are loading weights into a model that has not yet"):
        model.load_weights(tmp_path / "a.weights.h5")


def test_the_file_is_one_that_every_keras_3_reads(tmp_path):
    model = dense_model()
    model.save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        text = archive.read("config.json").decode()
    config = json.loads(text)
    assert config["module"] == "keras" and config["class_name"] == "Sequential"
    dense = config["config"]["layers"][1]
    assert (dense["module"], dense["registered_name"]) == ("keras.layers", None)
    assert dense["config"]["dtype"] == "float32"
    optimizer = config["compile_config"]["optimizer"]
    assert (optimizer["module"], optimizer["class_name"], optimizer["registered_name"]) == (
        "keras.optimizers",
        "Adam",
        None,
    )
    for newer in ("quantization_config", "gradient_accumulation_steps", "input_axes", "optional"):
        assert newer not in text


# --- the layout --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.keras", "a.h5"])
def test_names_and_keys_that_the_first_keras_3_knows(name, tmp_path):
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model = Sequential([layers.Input((4, 3)), layers.SimpleRNN(2)])
    model.compile("adam", loss)
    model.save(tmp_path / name)
    text = written_text(tmp_path / name)
    assert '"OrthogonalInitializer"' in text and '"Orthogonal"' not in text
    assert '"from_logits": true' in text and '"axis"' not in text and '"optional"' not in text
    loss = losses.SparseCategoricalCrossentropy(axis=1)
    model.compile("adam", loss)
    model.save(tmp_path / name)
    assert '"axis": 1' in written_text(tmp_path / name)
    measured = [
        layerkit.metrics.SparseCategoricalCrossentropy(),
        layerkit.metrics.SparseTopKCategoricalAccuracy(2),
    ]
    model.compile("adam", loss, metrics=measured)
    model.save(tmp_path / name)
    text = written_text(tmp_path / name)
    assert '"ignore_class"' not in text and '"from_sorted_ids"' not in text
    assert saving.load_model(tmp_path / name).loss.axis == 1


def written_text(path) -> str:
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            return file.attrs["model_config"] + file.attrs["training_config"]
    with zipfile.ZipFile(path) as archive:
        return archive.read("config.json").decode()


def test_the_layout_of_a_sequential(tmp_path):
    model = Sequential(
        [layers.Input((4,)), Dense(3, name="x"), layers.Dropout(0.5, name="y"), Dense(2, name="z")],
        name="s",
    )
    model.compile("sgd", "mse")
    model.save_weights(tmp_path / "a.weights.h5")
    assert groups(tmp_path / "a.weights.h5") == {
        "layers/dense/vars": ["x", (4, 3), (3,)],
        "layers/dropout/vars": ["y"],
        "layers/dense_1/vars": ["z", (3, 2), (2,)],
        "optimizer/vars": [model.optimizer.name, (), ()],
        "vars": ["s"],
    }


class Attributes(Model):
    """The example of Keras's walk: names on both sides of 'layers'."""

    def __init__(self):
        super().__init__()
        self.zeta = Dense(2)
        self.alpha = Dense(2)
        self.Upper = Dense(2)
        self._p = Dense(2)
        self.layer_list = [Dense(2)]

    def call(self, x):
        for layer in [self.zeta, self.alpha, self.Upper, self._p, *self.layer_list]:
            x = layer(x)
        return x


def test_the_layout_of_a_subclassed_model(tmp_path):
    model = Attributes()
    model(np.ones((1, 2), "float32"))
    model.save_weights(tmp_path / "a.weights.h5")
    assert set(groups(tmp_path / "a.weights.h5")) == {
        "Upper/vars",
        "alpha/vars",
        "layer_list/dense/vars",
        "layers/dense/vars",
        "layers/dense_3/vars",
        "vars",
    }
    again = Attributes()
    again(np.ones((1, 2), "float32"))
    again.load_weights(tmp_path / "a.weights.h5")
    assert_same(model.get_weights(), again.get_weights())


def test_the_walk_through_containers_and_shared_layers():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.d = [Dense(2), Dense(2)]
            self.dct = {"z": Dense(2), "a": self.d[0]}
            self.nest = [[Dense(2)], (self.d[1], Dense(2))]
            self.nest.append(self.nest)

        @property
        def broken(self):
            raise RuntimeError("not now")

    assert [path for path, _ in walk(Block())] == [
        "",
        "d/dense",
        "d/dense_1",
        "dct/dense",
        "nest/container/dense",
        "nest/container_1/dense_1",
    ]


def test_the_layers_of_a_subclassed_sequential_come_first():
    class Mine(Sequential):
        def __init__(self):
            super().__init__()
            self.a = Dense(2)
            self.extra = Dense(2)
            self.add(self.a)

    assert [path for path, _ in walk(Mine())] == ["", "layers/dense", "extra"]


# --- what real Keras wrote ---------------------------------------------------------------------


class Subclassed(Model):
    """The twin of the class in golden/make_saving_golden.py."""

    def __init__(self):
        super().__init__()
        self.zeta = Dense(4, activation="relu")
        self.alpha = Dense(4)
        self.Upper = Dense(4)
        self._private = Dense(4)
        self.blocks = [Dense(4), Dense(4)]
        self.named = {"z": Dense(4), "a": Dense(4)}
        self.stack = Sequential([Dense(4, activation="tanh"), Dense(2)])

    def call(self, x):
        for layer in [self.zeta, self.alpha, self.Upper, self._private, *self.blocks]:
            x = layer(x)
        return self.stack(self.named["a"](self.named["z"](x)))


def load_golden(name: str, golden) -> Model:
    if not name.endswith("subclassed"):
        return saving.load_model(GOLDEN / f"{name}.keras")
    model = Subclassed()
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    model(golden["x"])
    model.load_weights(GOLDEN / f"{name}.weights.h5")
    return model


def fed(model: Model, x: np.ndarray):
    """As in `golden/make_saving_golden.py`."""
    if model.name != "functional_model":
        return x
    return {"a": x[:, :4], "b": x[:, 4:8], "ids": np.abs(3 * x[:, 8:]).astype("int32") % 6}


def numbered(golden, name: str) -> list[np.ndarray]:
    keys = [key for key in golden.files if key.rpartition("_")[0] == name]
    return [golden[f"{name}_{index}"] for index in range(len(keys))]


MODELS = ("mlp", "convnet", "settings", "dropout", "recurrent", "functional", "subclassed")


@pytest.mark.parametrize("name", [f"{b}-{m}" for b in ("torch", "jax") for m in MODELS])
def test_a_file_of_keras(name):
    golden = np.load(GOLDEN / f"{name}.npz")
    model = load_golden(name, golden)
    x = fed(model, golden["x"])
    predictions = model.predict(x, verbose=0)
    np.testing.assert_allclose(predictions, golden["predictions"], atol=1e-5)
    assert_same(model.get_weights(), numbered(golden, "weight"))
    assert_same(model.optimizer.variables, numbered(golden, "optimizer"))
    expected = numbered(golden, "next_weight")
    if expected:  # the next step is the one that Keras took
        model.train_on_batch(x, golden["y"])
        for weight, value in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_allclose(weight, value, atol=1e-5)


# --- all or nothing ----------------------------------------------------------------------------


def test_a_mismatch_changes_nothing_and_shows_both_sides(tmp_path):
    fitted_model().save_weights(tmp_path / "a.weights.h5")
    model = dense_model(units=7)
    before = model.get_weights()
    with pytest.raises(ValueError, match="^A total of 1 objects could not be loaded.") as raised:
        model.load_weights(tmp_path / "a.weights.h5")
    assert_same(model.get_weights(), before)
    message = str(raised.value)
    assert "Layer 'd' expected 'kernel' of shape (5, 7), but the file holds shape (5, 3)" in message
    rows = [" ".join(line.split()) for line in message.splitlines()]
    assert "layers/dense hidden kernel (4, 5), bias (5,) (4, 5), (5,)" in rows
    assert "layers/dense_1 d kernel (5, 7), bias (7,) (5, 3), (3,) <- not loaded" in rows


def test_skip_mismatch_loads_the_rest_and_names_what_it_left(tmp_path):
    saved = fitted_model()
    saved.save_weights(tmp_path / "a.weights.h5")
    model = dense_model(units=7)
    with pytest.warns(UserWarning) as caught:
        model.load_weights(tmp_path / "a.weights.h5", skip_mismatch=True)
    text = "\n".join(str(warning.message) for warning in caught)
    assert "kernel (5, 7), bias (7,)" in text and "(5, 3), (3,)" in text
    assert "Skipping variable loading for optimizer 'adam" in text
    assert_same(model.layers[0].get_weights(), saved.layers[0].get_weights())


def test_a_missing_layer_and_a_layer_too_many(tmp_path):
    small = Sequential([layers.Input((4,)), Dense(5)])
    large = dense_model(compiled=False)
    small.save_weights(tmp_path / "small.weights.h5")
    large.save_weights(tmp_path / "large.weights.h5")
    sentence = "Layer 'd' expected 2 variables, but received 0 variables during loading. Expected: "
    with pytest.raises(ValueError, match=sentence):
        large.load_weights(tmp_path / "small.weights.h5")
    with pytest.warns(UserWarning, match=r"no place for.*layers/dense_1/vars \[\(5, 3\), \(3,\)\]"):
        small.load_weights(tmp_path / "large.weights.h5")
    assert_same(small.get_weights(), large.get_weights()[:2])


def test_a_layer_that_was_never_built(tmp_path):
    class Late(Model):
        def __init__(self, used):
            super().__init__()
            self.first, self.used = Dense(2), used

        def call(self, x):
            return self.first(x) if self.used else x

    used, unused = Late(True), Late(False)
    for model in (used, unused):
        model(np.ones((1, 2), "float32"))
    used.save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(ValueError, match="was never built and thus it doesn't have any variables"):
        unused.load_weights(tmp_path / "a.weights.h5")


def test_an_own_way_to_load_that_fails_is_undone(tmp_path):
    class Picky(Dense):
        def load_own_variables(self, store):
            super().load_own_variables(store)
            raise ValueError("not to my taste")

    fitted_model().save_weights(tmp_path / "a.weights.h5")
    model = Sequential([layers.Input((4,)), Dense(5), Picky(3)])
    model.layers[1].__class__.__name__ = "Dense"  # its name in files
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"^A total of 1 objects could not[\s\S]*not to my taste"):
        model.load_weights(tmp_path / "a.weights.h5")
    assert_same(model.get_weights(), before)
    with pytest.warns(UserWarning, match="not to my taste"):
        model.load_weights(tmp_path / "a.weights.h5", skip_mismatch=True)
    assert_same(model.get_weights()[2:], before[2:])
    assert not np.array_equal(model.get_weights()[0], before[0])


def test_numbers_of_other_types_are_converted_and_others_refused(tmp_path):
    model = dense_model(compiled=False)
    model.save_weights(tmp_path / "a.weights.h5")
    kernel = model.layers[0].kernel.numpy()
    with h5py.File(tmp_path / "a.weights.h5", "r+") as file:
        group = file["layers/dense/vars"]
        del group["0"], group["1"]
        group.create_dataset("0", data=kernel.astype("float64"), compression="gzip")
        bias = group.create_dataset("1", data=np.array([0x3F80] * 5, "<u2").view("V2"))
        bias.attrs["dtype"] = "bfloat16"
    model.load_weights(tmp_path / "a.weights.h5")
    assert_same(model.layers[0].get_weights(), [kernel, np.ones(5, "float32")])
    with h5py.File(tmp_path / "a.weights.h5", "r+") as file:
        del file["layers/dense/vars/1"]
        file["layers/dense/vars"]["1"] = ["a"] * 5
    with pytest.raises(ValueError, match="Expected numbers"):
        model.load_weights(tmp_path / "a.weights.h5")


# --- the training configuration never stands in the way ----------------------------------------


def edit_config(path, change) -> None:
    """Write the `.keras` file again with `change` made to its config."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    members["config.json"] = json.dumps(change(config) or config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in members.items():
            archive.writestr(name, value)


def test_a_metric_that_nobody_knows_is_left_out_with_one_warning(tmp_path):
    fitted_model().save(tmp_path / "a.keras")

    def change(config):
        config["compile_config"]["metrics"] = ["mae", "my_own", "other_own"]
        config["compile_config"]["sharding"] = [2.0]

    edit_config(tmp_path / "a.keras", change)
    with pytest.warns(UserWarning) as caught:
        model = saving.load_model(tmp_path / "a.keras")
    assert len(caught) == 1
    text = str(caught[0].message)
    assert "my_own" in text and "other_own" in text and "sharding=[2.0]" in text
    model.evaluate(np.ones((1, 4), "float32"), np.ones((1, 3), "float32"), verbose=0)
    assert list(model.get_metrics_result()) == ["loss", "mae"]


def test_a_loss_or_an_optimizer_that_nobody_knows(tmp_path):
    saved = fitted_model()
    saved.save(tmp_path / "a.keras")
    edit_config(tmp_path / "a.keras", lambda c: c["compile_config"].update(loss="my_loss"))
    with pytest.warns(UserWarning, match="my_loss"):
        model = saving.load_model(tmp_path / "a.keras")
    assert_same(model.optimizer.variables, saved.optimizer.variables)
    edit_config(tmp_path / "a.keras", lambda c: c["compile_config"].update(optimizer="mine"))
    with pytest.warns(UserWarning, match="optimizer: Could not interpret optimizer identifier"):
        model = saving.load_model(tmp_path / "a.keras")
    assert model.optimizer is None and model.loss is None and model.metrics_names[1:]


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_loss_and_metrics_are_kept_without_their_optimizer(ending, tmp_path):
    x, y = np.ones((2, 4), "float32"), np.ones((2, 3), "float32")
    saved, path = dense_model(), tmp_path / f"a.{ending}"
    saved.compile(None, "mse", metrics=["mae"])
    expected = saved.evaluate(x, y, verbose=0)
    with pytest.warns(UserWarning, match="Keras 3 cannot compile .* load it there with compile="):
        saved.save(path)
    with pytest.warns(UserWarning, match="without .*\n.*optimizer: the file has none"):
        model = saving.load_model(path)
    assert model.optimizer is None and model.evaluate(x, y, verbose=0) == expected
    with pytest.raises(
        ValueError, match=r"fit\(\) needs an optimizer, and model '.*' was compiled"
    ):
        model.fit(x, y)


def test_an_optimizer_that_nobody_knows_costs_neither_loss_nor_metrics(tmp_path):
    x, y = np.ones((2, 4), "float32"), np.ones((2, 3), "float32")
    saved = fitted_model()
    saved.save(tmp_path / "a.keras")
    edit_config(tmp_path / "a.keras", lambda c: c["compile_config"].update(optimizer="mine"))
    with pytest.warns(UserWarning, match="optimizer: Could not interpret optimizer identifier"):
        model = saving.load_model(tmp_path / "a.keras")
    assert model.evaluate(x, y, verbose=0) == saved.evaluate(x, y, verbose=0)


def test_a_lambda_as_loss_does_not_prevent_saving(tmp_path):
    model = dense_model()
    model.compile("sgd", lambda y, p: (y - p) ** 2, metrics=["mae", lambda y, p: y - p])
    with pytest.warns(UserWarning, match="saved without.*\n.*loss: A lambda cannot be saved"):
        model.save(tmp_path / "a.keras")
    again = saving.load_model(tmp_path / "a.keras")
    assert again.loss is None and again.compiled


def test_a_model_that_compiles_in_its_own_way(tmp_path):
    class Own(Sequential):
        def compile(self, **kwargs):
            super().compile("sgd", "mse")

    model = Own([layers.Input((2,)), Dense(1)])
    model.compile()
    model.save(tmp_path / "a.keras")
    with pytest.warns(UserWarning, match="its class overrides compile"):
        saving.load_model(tmp_path / "a.keras")


# --- names and what files really are -----------------------------------------------------------


def test_wrong_extensions(tmp_path):
    model = dense_model()
    with pytest.raises(ValueError, match="Invalid filepath extension for saving. Please add eithe"):
        model.save(tmp_path / "foo")
    with pytest.raises(ValueError, match="A whole model is saved as `.keras` or `.h5`. Received:"):
        model.save(tmp_path / "foo.weights.h5")
    with pytest.raises(ValueError, match="must end in `.weights.h5`, or in `.h5` for the lay"):
        model.save_weights(tmp_path / "foo")


def hdf5(**attributes) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_group("something")
        file.attrs.update(attributes)
    return buffer.getvalue()


def zipped(**members) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, value in members.items():
            plain = name if "/" in name else name.replace("__", "/").replace("_", ".")
            archive.writestr(plain, value)
    return buffer.getvalue()


def array_file(save) -> bytes:
    buffer = io.BytesIO()
    save(buffer, np.ones(3))
    return buffer.getvalue()


SSTABLE_END = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
IMPOSTORS = {
    "empty": (b"", "an empty file"),
    "html": (b"\n<!DOCTYPE html><html>404</html>", "an HTML or XML page"),
    "not found": (b"404: Not Found", "the answer of a server that has no such file. Download it"),
    "annex": (b"/annex/objects/SHA256E-s1--a", "a git-annex pointer.*Fetch the file with `git ann"),
    "matlab": (b"MATLAB 7.3 MAT-file" + b" " * 99, "a MATLAB file. Read it with its own library"),
    "zeros": (bytes(999), "begins with nothing but zeros: its copy did not end"),
    "binary pickle": (pickle.dumps({"a": 1}, protocol=1), "a pickle"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git LFS pointer"),
    "pickle": (pickle.dumps({"a": 1}), "a pickle"),
    "json": (b'{"class_name": "Sequential"}', "a JSON text"),
    "npy": (array_file(np.save), r"a NumPy array \(.npy\)"),
    "npz": (array_file(np.savez), r"a NumPy archive \(.npz\)"),
    "gzip": (b"\x1f\x8b\x08\x00", "a gzip archive"),
    "other": (b"what is this?", "a file of another kind"),
    "hdf5": (hdf5(), "an HDF5 file that Keras did not write"),
    "cut hdf5": (hdf5()[:900], r"an HDF5 file that was cut off: it has 900 of \d+ bytes. Copy or"),
    "first bytes of hdf5": (hdf5()[:30], "an HDF5 file that was cut off: it has 30 bytes"),
    "fewer bytes of hdf5": (hdf5()[:3], "the first 3 bytes of a file that was cut off. Download"),
    "cut zip": (zipped(config_json="{}")[:-30], "a zip archive that is damaged or was cut off"),
    "zip": (zipped(a_txt="x"), r"a zip archive without config.json; it holds \['a.txt'\]"),
    "model in a zip": (zipped(a_h5="x"), "a zip archive with 'a.h5' inside. Unzip it, and give"),
    "savedmodel in a zip": (zipped(**{"m/saved_model.pb": "x"}), "a TensorFlow SavedModel inside."),
    "zip in a folder": (zipped(m__config_json="{}"), "with the model inside its folder 'm'"),
    "zip without weights": (zipped(config_json="{}"), "but without model.weights.h5"),
    "torch": (zipped(model__data_pkl="x"), "a PyTorch checkpoint"),
    "old torch": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "a PyTorch checkpoint. A pickle"),
    "old pickle": (pickle.dumps({"a": 1}, protocol=0), "a pickle"),
    "bzip2": (b"BZh91AY", "a bzip2 archive"),
    "xz": (b"\xfd7zXZ\0", "an xz archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    "zstandard": (b"(\xb5/\xfd\x04", "a zstandard archive"),
    "rar": (b"Rar!\x1a\x07", "a RAR archive"),
    "tar": (b"\0" * 257 + b"ustar\0" + b"\0" * 249, "a tar archive. Unpack it first"),
    "saved_model.pb": (b"\x08\x01\x12\x9a", "the saved_model.pb of a TensorFlow SavedModel"),
    "onnx": (b"\x08\x09\x12\x07pytorch", "an ONNX model. Read it with its own library"),
    "tflite": (b"\x1c\0\0\0TFL3", "a TensorFlow Lite model. It cannot be turned back"),
    "safetensors": (b'\x20\0\0\0\0\0\0\0{"w":{}}', "a safetensors file. Read it with its own lib"),
    "safetensors' index": (b'{"weight_map": {"w": "a.safetensors"}}', "a model in safetensors f"),
    "gguf": (b"GGUF\3\0", "a GGUF file"),
    "tensorflow.js": (b'{"modelTopology": {}}', "a TensorFlow.js model. Convert it with"),
    "checkpoint list": (b'model_checkpoint_path: "a"', "the list of a TensorFlow checkpoint"),
    "checkpoint index": (b"\0" * 99 + SSTABLE_END, "a part of a TensorFlow checkpoint. Load it"),
    "keras npz": (zipped(config_json="{}", model_weights_npz=""), "model with weights as .npz"),
}


@pytest.mark.parametrize("name", IMPOSTORS)
def test_what_a_file_really_is(name, tmp_path):
    content, message = IMPOSTORS[name]
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        saving.load_model(path)
    with pytest.raises(ValueError, match=message):
        dense_model().load_weights(path)
    text, loads = inspect(str(path), {})
    assert not loads and re.search(message, " ".join(text.split()))


FOLDERS = {
    "saved_model.pb": "a TensorFlow SavedModel folder. Load it with TensorFlow and save it",
    "config.json": "a folder with config.json but without model.weights.h5. It holds .config.json",
    "checkpoint": "a folder with a TensorFlow checkpoint. Load it with TensorFlow, by model.load_w",
    "model.ckpt.index": "a folder with a TensorFlow checkpoint",
    "_CHECKPOINT_METADATA": "a folder with an Orbax checkpoint",
    "model.json": "a folder with a TensorFlow.js model. Convert it with tensorflowjs_converter",
    "best.keras": "a folder with 'best.keras' inside. Give the path of the file: '.*best.keras'",
    "readme.txt": "a folder. Give the path of a file",
}


@pytest.mark.parametrize("name", FOLDERS)
def test_what_a_folder_is(name, tmp_path):
    (tmp_path / name).write_bytes(b"")
    (tmp_path / "weights.bin").write_bytes(b"")
    for load in (saving.load_model, dense_model().load_weights):
        with pytest.raises(ValueError, match=FOLDERS[name]):
            load(tmp_path)
    text, loads = inspect(str(tmp_path), {})
    assert not loads and re.search(FOLDERS[name], " ".join(text.split()))


NAMES = {
    "a.ckpt": ("a.ckpt.index", "a TensorFlow checkpoint. Load it with TensorFlow, by model.load"),
    "a.ckpt.data-00000-of-00001": (None, "a part of a TensorFlow checkpoint"),
    "a.onnx": (None, "an ONNX model"),
    "a.pb": (None, r"a graph of TensorFlow \(.pb\)"),
}


@pytest.mark.parametrize("name", NAMES)
def test_what_a_name_says(name, tmp_path):
    written, message = NAMES[name]
    (tmp_path / (written or name)).write_bytes(b"\1\2\3")
    with pytest.raises(ValueError, match=message):
        saving.load_model(tmp_path / name)


def test_weights_are_no_model(tmp_path):
    dense_model().save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(ValueError, match="This file holds weights only: build the model in code"):
        saving.load_model(tmp_path / "a.weights.h5")


def test_no_file_and_what_is_no_regular_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="^File not found: filepath=nope.keras. Please ens"):
        saving.load_model("nope.keras")
    with pytest.raises(ValueError, match="received a folder"):
        saving.load_model(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match="a TensorFlow SavedModel folder"):
        saving.load_model(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.keras")  # opening it would wait for ever
        with pytest.raises(ValueError, match="a pipe or a device"):
            saving.load_model(tmp_path / "pipe.keras")


def test_a_link_to_nothing(tmp_path):
    (tmp_path / "a.h5").symlink_to("nowhere.h5")
    with pytest.raises(
        FileNotFoundError, match="It is a link to 'nowhere.h5', and there is nothin"
    ):
        saving.load_model(tmp_path / "a.h5")


@pytest.mark.parametrize("libver", ["earliest", "v108", "v110", "latest"])
def test_hdf5_of_any_layout_that_was_cut_off(libver, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w", libver=libver) as file:
        file["numbers"] = np.ones(2000)
    whole = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(whole[:-1])
    message = f"cut off: it has {len(whole) - 1} of {len(whole)} bytes"
    with pytest.raises(ValueError, match=message):
        saving.load_model(tmp_path / "a.h5")


def test_a_right_file_under_a_wrong_name(tmp_path):
    model = fitted_model()
    model.save(tmp_path / "a.keras")
    (tmp_path / "a.keras").rename(tmp_path / "download")
    assert_same(saving.load_model(tmp_path / "download").get_weights(), model.get_weights())


# --- files from strangers ----------------------------------------------------------------------


def tampered_weights(tmp_path, change) -> Path:
    """A weights file of `dense_model` after change(group of the first layer, file)."""
    path = tmp_path / "a.weights.h5"
    dense_model(compiled=False).save_weights(path)
    with h5py.File(path, "r+") as file:
        group = file["layers/dense/vars"]
        del group["0"]
        change(group)
    return path


def soft_link(group):
    group["0"] = h5py.SoftLink("/layers/dense_1/vars/0")


def external_link(group):
    group["0"] = h5py.ExternalLink("/etc/secret.h5", "/x")


def linked_group(group):
    layers_group = group.file["layers"]
    del layers_group["dense"]
    layers_group["dense"] = h5py.ExternalLink("/etc/secret.h5", "/x")


def external_storage(group):
    group.create_dataset("0", (4, 5), "f4", external=[("/etc/passwd", 0, 80)])


def virtual(group):
    layout = h5py.VirtualLayout((4, 5), "f4")
    layout[...] = h5py.VirtualSource("/etc/secret.h5", "x", (4, 5))
    group.create_virtual_dataset("0", layout)


def shape_bomb(group):
    group.create_dataset("0", (2**20, 2**20), "f4", chunks=(1024, 1024))


ATTACKS = {
    soft_link: "it is a link",
    external_link: "it is a link",
    linked_group: "it is a link",
    external_storage: "its numbers lie outside of the file",
    virtual: "its numbers lie outside of the file",
    shape_bomb: "the file holds shape",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_hdf5_attacks_are_refused_before_reading(attack, tmp_path):
    path = tampered_weights(tmp_path, attack)
    model = dense_model(compiled=False)
    before = model.get_weights()
    with pytest.raises(ValueError, match=ATTACKS[attack]):
        model.load_weights(path)
    assert_same(model.get_weights(), before)


def test_a_shape_bomb_for_a_layer_that_loads_in_its_own_way(tmp_path):
    class Own(Dense):
        def load_own_variables(self, store):
            raise AssertionError("not reached")

    path = tampered_weights(tmp_path, shape_bomb)
    model = Sequential([layers.Input((4,)), Own(5), Dense(3)])
    model.layers[0].__class__.__name__ = "Dense"
    with pytest.raises(ValueError, match="declares far larger arrays than it holds"):
        model.load_weights(path)


def test_damage_inside_of_a_whole_looking_file(tmp_path):
    fitted_model().save_weights(tmp_path / "a.weights.h5")
    content = (tmp_path / "a.weights.h5").read_bytes()
    rng = np.random.default_rng(0)
    model = dense_model()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damage to an optimizer's state is only told
        for _ in range(60):
            damaged = bytearray(content)
            for place in rng.integers(len(content), size=40):
                damaged[place] = rng.integers(256)
            (tmp_path / "b.weights.h5").write_bytes(damaged)
            before = model.get_weights()
            try:
                model.load_weights(tmp_path / "b.weights.h5")
            except (ValueError, OSError):
                assert_same(model.get_weights(), before)


def rezip(path, **kwargs):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= kwargs.pop("members", {})
    with zipfile.ZipFile(path, "w", **kwargs) as archive:
        for name, value in members.items():
            archive.writestr(name, value)


def test_a_deflated_archive_is_read(tmp_path):
    model = fitted_model()
    model.save(tmp_path / "a.keras")
    rezip(tmp_path / "a.keras", compression=zipfile.ZIP_DEFLATED)
    assert_same(saving.load_model(tmp_path / "a.keras").get_weights(), model.get_weights())


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil.txt", "a/../../evil.txt", "C:\\evil"])
def test_members_that_lead_out_of_the_archive(name, tmp_path):
    dense_model().save(tmp_path / "a.keras")
    rezip(tmp_path / "a.keras", members={name: b"x"})
    with pytest.raises(ValueError, match="leads out of the archive"):
        saving.load_model(tmp_path / "a.keras")


def test_a_zip_bomb(tmp_path):
    dense_model().save(tmp_path / "a.keras")
    bomb = {"model.weights.h5": bytes(65 * 2**20)}
    rezip(tmp_path / "a.keras", members=bomb, compression=zipfile.ZIP_DEFLATED)
    for load in (saving.load_model, dense_model().load_weights):
        with pytest.raises(ValueError, match="declares 68157440 bytes unpacked"):
            load(tmp_path / "a.keras")


def test_a_member_twice(tmp_path):
    dense_model().save(tmp_path / "a.keras")
    twice = pytest.warns(UserWarning, match="Duplicate name")
    with zipfile.ZipFile(tmp_path / "a.keras", "a") as archive, twice:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match="expected one member 'config.json', found 2"):
        saving.load_model(tmp_path / "a.keras")


def test_a_damaged_member(tmp_path):
    dense_model().save(tmp_path / "a.keras")
    content = bytearray((tmp_path / "a.keras").read_bytes())
    content[content.index(b'"class_name"') + 3] ^= 1
    (tmp_path / "a.keras").write_bytes(content)
    with pytest.raises(ValueError, match="not a readable `.keras` file: Bad CRC-32"):
        saving.load_model(tmp_path / "a.keras")


LAMBDAS = {
    "Keras 3": {"class_name": "__lambda__", "config": {"code": "4wAAAA==", "defaults": None}},
    "Keras 2": ["4wEAAAAA", None, None],
}


@pytest.mark.parametrize("name", LAMBDAS)
def test_code_in_a_file_is_refused(name, tmp_path):
    dense_model().save(tmp_path / "a.keras")
    layer = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "l", "function": LAMBDAS[name]},
        "registered_name": None,
    }
    edit_config(tmp_path / "a.keras", lambda c: c["config"]["layers"].append(layer))
    with pytest.raises(ValueError, match="Requested the deserialization of a `Lambda` layer whose"):
        saving.load_model(tmp_path / "a.keras")
    message = "layerkit never runs code from a file, with or without safe_mode"
    with pytest.raises(ValueError, match=message):
        saving.load_model(tmp_path / "a.keras", safe_mode=False)


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("subprocess", "Popen"), ("builtins", "eval"), ("keras.utils", "get_file")],
)
def test_a_file_can_only_name_registered_classes(module, name, tmp_path):
    dense_model().save(tmp_path / "a.keras")
    layer = {"module": module, "class_name": name, "config": {"x": 1}, "registered_name": None}
    edit_config(tmp_path / "a.keras", lambda c: c["config"]["layers"].append(layer))
    with pytest.raises(TypeError, match=f"Could not locate class '{name}'"):
        saving.load_model(tmp_path / "a.keras")


def nested_config(config):
    inner: list = []
    for _ in range(300):
        inner = [inner]
    return {**config, "config": inner}


CONFIGS = {
    "no model": (lambda c: {"a": 1}, "describes no model"),
    "another thing": (lambda c: c["compile_config"]["optimizer"], "expected a model in config"),
    "nested": (nested_config, "nested deeper than 200 levels"),
    "missing keys": (lambda c: {**c, "config": {"name": "s"}}, "does not describe a model that c"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configs_that_describe_no_model(name, tmp_path):
    change, message = CONFIGS[name]
    dense_model().save(tmp_path / "a.keras")
    edit_config(tmp_path / "a.keras", change)
    with pytest.raises(ValueError, match=message):
        saving.load_model(tmp_path / "a.keras")


def test_a_config_too_deep_for_the_parser(tmp_path):
    dense_model().save(tmp_path / "a.keras")
    rezip(tmp_path / "a.keras", members={"config.json": b"[" * 200_000})
    with pytest.raises(ValueError, match="its config is no valid JSON"):
        saving.load_model(tmp_path / "a.keras")


def test_importing_layerkit_imports_no_file_format():
    code = "import sys, layerkit; print([m for m in ('h5py', 'zipfile') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def huber(y_true, y_pred):
    """A user's loss that happens to bear the name of one of ours."""
    return 100 * layerkit.backend.mean(layerkit.backend.square(y_true - y_pred), axis=-1)


def test_a_users_loss_is_not_mistaken_for_ours_of_the_same_name(tmp_path):
    model = layerkit.Sequential([layerkit.layers.Input((2,)), layerkit.layers.Dense(1)])
    model.compile("sgd", huber)
    path = tmp_path / "model.keras"
    model.save(path)
    with pytest.warns(UserWarning, match="huber"):
        assert layerkit.models.load_model(path)._compiled_loss is None
    loaded = layerkit.models.load_model(path, custom_objects={"huber": huber})
    x, y = np.ones((4, 2)), np.ones((4, 1))
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


def test_scalars_of_a_file_are_arrays(tmp_path):
    with h5py.File(tmp_path / "scalar.h5", "w") as file:
        file["x"] = np.float32(2)
    with open(tmp_path / "scalar.h5", "rb") as file, open_hdf5(file, "scalar.h5") as root:
        array = read(root["x"])
    assert type(array) is np.ndarray and array == 2


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_copies_of_models_go_on_as_the_model_does(kind, copied):
    parts = [layers.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2)]
    model = layerkit.Sequential(parts)
    if kind == "functional":
        model = layerkit.Model(model.input, model.output)
    model.compile("adam", "mse")
    x, y = np.ones((8, 4), "float32"), np.ones((8, 2), "float32")
    model.fit(x, y, batch_size=2, epochs=2, verbose=0)
    other = copied(model)
    for each in (model, other):
        each.fit(x, y, batch_size=2, verbose=0, shuffle=False)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# --- layers in several models ------------------------------------------------------------------


def models_that_share_a_layer() -> Model:
    base = Sequential([layers.Input((3,)), Dense(4, "tanh", name="both"), Dense(2)], name="base")
    tail = Model(base.inputs, Dense(3)(base.layers[0].output), name="tail")
    inputs = layers.Input((3,))
    model = Model(inputs, [base(inputs), tail(inputs), tail(tail(inputs))])
    model.compile("adam", "mse")
    model.train_on_batch(*data_of_shared())
    return model


def data_of_shared():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 3)).astype("float32")
    return x, [np.ones((4, units), "float32") for units in (2, 3, 3)]


@pytest.mark.parametrize("name", ["a.keras", "a.h5", "folder"])
def test_a_layer_that_models_share_is_one_layer_again(name, tmp_path):
    model, (x, y) = models_that_share_a_layer(), data_of_shared()
    with pytest.warns(UserWarning, match="Keras 3 makes .* copies that train apart.*: 'both'"):
        model.save(tmp_path / name, zipped=None if "." in name else False)
    again = saving.load_model(tmp_path / name)
    assert again.get_layer("base").layers[0] is again.get_layer("tail").get_layer("both")
    assert_same(again.get_weights(), model.get_weights())
    for each in (model, again):
        each.fit(x, y, epochs=2, shuffle=False, verbose=0)
    assert_same(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("name", ["w.weights.h5", "w.weights.json", "w.h5", "w.npz"])
def test_weights_of_a_layer_that_models_share(name, tmp_path):
    model, (x, _) = models_that_share_a_layer(), data_of_shared()
    again = layerkit.models.model_from_json(model.to_json())
    model.save_weights(tmp_path / name, max_shard_size=1e-6 if name.endswith("json") else None)
    again.load_weights(tmp_path / name)
    assert len(again.weights) == len(model.weights) == 6
    assert_same(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_the_weights_of_a_shared_layer_lie_where_keras_looks_for_each(tmp_path):
    models_that_share_a_layer().save_weights(tmp_path / "a.weights.h5")
    found = [
        path for path, (name, *_) in groups(tmp_path / "a.weights.h5").items() if name == "both"
    ]
    assert found == ["layers/functional/layers/dense/vars", "layers/sequential/layers/dense/vars"]


def test_numbers_of_shared_layers_that_do_not_fit_are_overlooked():
    config = json.loads(models_that_share_a_layer().to_json())
    base, tail = config["config"]["layers"][1:3]
    base["config"]["layers"][1]["config"]["activation"] = (
        "relu"  # no longer that of the other model
    )
    again = layerkit.models.model_from_json(json.dumps(config))
    assert again.get_layer("base").layers[0] is not again.get_layer("tail").layers[1]
    for number in ("one", [0], None):
        base["config"]["layers"][1]["shared_layer"] = number
        layerkit.models.model_from_json(json.dumps(config))


def test_the_build_of_a_subclassed_model_makes_its_own_weights(tmp_path):
    class Scaled(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(2)

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")
            super().build(input_shape)

        def call(self, x):
            return self.dense(x) * self.scale

    x = np.ones((2, 3), "float32")
    model, again = Scaled(), Scaled()
    model(x), again(x)
    assert len(model.weights) == 3
    model.save_weights(tmp_path / "a.weights.h5")
    again.load_weights(tmp_path / "a.weights.h5")
    assert_same(again(x), model(x))


@pytest.mark.parametrize("axis", [None, [1, 2]])
def test_all_axes_are_kept_in_h5(axis, tmp_path):
    layer = layers.Normalization(axis=axis)
    layer.adapt(np.arange(24, dtype="float32").reshape(2, 3, 4))
    model = Sequential([layers.Input((3, 4)), layer])
    model.save(tmp_path / "a.h5")
    again = saving.load_model(tmp_path / "a.h5")
    assert again.layers[0].axis == tuple(axis or ())
    assert_same(again(np.ones((2, 3, 4))), model(np.ones((2, 3, 4))))
    with h5py.File(tmp_path / "a.h5") as file:
        described = json.loads(file.attrs["model_config"])["config"]["layers"][1]
    assert described["module"] == "keras.layers"  # without it Keras reads single axes only
