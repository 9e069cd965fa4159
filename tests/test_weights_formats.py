"""Weights in several files and in NumPy archives: both ways, whole or not at all."""

from __future__ import annotations

import io
import json
import shutil
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from layerkit import Input, Model, Sequential, layers, optimizers, saving
from layerkit.layers import Dense
from layerkit.saving import shards

GOLDEN = Path(__file__).parent / "golden" / "files"
SMALL = 130 / 1024**3  # gigabytes


def mlp(trained: bool = False) -> Sequential:
    model = Sequential([layers.Input((6,)), Dense(5, "relu"), Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    if trained:
        model.fit(np.ones((4, 6), "float32"), np.array([0, 1, 2, 0]), epochs=2, verbose=0)
    return model


class Branches(Model):
    """Weights of its own, of a list, and of another dtype."""

    def __init__(self, dtype):
        super().__init__()
        self.blocks = [Dense(2), layers.BatchNormalization()]
        self.half = Dense(2, dtype=dtype)
        self.scale = self.add_weight(shape=(2,), name="scale")

    def call(self, x):
        return self.half(self.blocks[1](self.blocks[0](x))) * self.scale


def branches(dtype: str) -> Branches:
    model = Branches(dtype)
    model(np.ones((1, 3), "float32"))
    return model


def assert_same(first, second):
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(np.asarray(a, "float32"), np.asarray(b, "float32"))
    if first.optimizer is not None:
        own, other = first.optimizer.variables, second.optimizer.variables
        for a, b in zip(own, other, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def save(model, path, **kwargs):
    kwargs = {"max_shard_size": SMALL, **kwargs} if path.suffix == ".json" else kwargs
    model.save_weights(path, **kwargs)


no_bfloat16 = pytest.mark.numpy_only("the device of the tests has no bfloat16")


@pytest.mark.parametrize("name", ["a.npz", "a.weights.h5", "a.weights.json"])
@pytest.mark.parametrize("dtype", ["float16", pytest.param("bfloat16", marks=no_bfloat16)])
def test_weights_of_all_places_and_dtypes_come_back(name, dtype, tmp_path):
    model = branches(dtype)
    save(model, tmp_path / name)
    other = branches(dtype)
    other.load_weights(tmp_path / name)
    assert_same(other, model)


@pytest.mark.parametrize("name", ["a.npz", "a.weights.json"])
def test_weights_come_back_with_the_state(name, tmp_path):
    model = mlp(trained=True)
    save(model, tmp_path / name)
    other = mlp()
    other.load_weights(tmp_path / name)
    assert_same(other, model)


def test_arrays_of_an_archive_have_the_names_of_layers_and_variables(tmp_path):
    model = mlp(trained=True)
    model.save_weights(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        names = list(arrays)
        np.testing.assert_array_equal(arrays["layers/dense/kernel"], model.get_weights()[0])
    assert names[:4] == [f"layers/{x}" for x in NAMES] and "optimizer/iteration" in names


NAMES = ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]


def test_an_archive_of_named_arrays_that_numpy_wrote(tmp_path):
    model = mlp()
    arrays = [a + 1 for a in model.get_weights()]
    named = {f"layers/{x}": a for x, a in zip(NAMES, arrays, strict=True)}
    np.savez_compressed(tmp_path / "a.npz", **named)
    model.load_weights(tmp_path / "a.npz")
    np.testing.assert_array_equal(model.get_weights()[3], arrays[3])
    np.savez(tmp_path / "b.npz", *arrays)
    with pytest.raises(ValueError, match=r"arrays have no names. Load it by data = np.load"):
        model.load_weights(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", w=arrays[0])
    with pytest.raises(ValueError, match=r"\(the model itself\) .* nothing +\(6, 5\)"):
        model.load_weights(tmp_path / "c.npz")


def test_a_mismatch_in_other_formats_changes_nothing(tmp_path):
    wide = Sequential([layers.Input((6,)), Dense(5), Dense(4)])
    for path in (tmp_path / "a.npz", tmp_path / "a.weights.json"):
        save(wide, path)
        model = mlp()
        before = model.get_weights()
        with pytest.raises(ValueError, match=r"expected 'kernel' of shape \(5, 3\).*\(5, 4\)"):
            model.load_weights(path)
        np.testing.assert_array_equal(model.get_weights()[0], before[0])
        with pytest.warns(UserWarning, match="could not be loaded"):
            model.load_weights(path, skip_mismatch=True)
        np.testing.assert_array_equal(model.get_weights()[0], wide.get_weights()[0])


@pytest.mark.numpy_only("pickles are a matter of the host")
def test_no_pickle_in_an_archive_is_opened(tmp_path):
    model = mlp()
    named = dict.fromkeys((f"layers/{x}" for x in NAMES), np.array([{}], dtype=object))
    np.savez(tmp_path / "a.npz", **named)
    with pytest.raises(ValueError, match="Expected numbers|cannot be read|Refused to read"):
        model.load_weights(tmp_path / "a.npz")


def npy(shape) -> bytes:
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


ARCHIVES = {
    "a bomb": (npy((2**20, 2**20)), "declares 4398046511104 bytes. Do not trust this file"),
    "cut off": (npy((6, 5)), "declares 120 bytes. Do not trust this file"),
    "no literal": (npy((1,)).replace(b"{", b"("), "no archive of plain arrays: its member 'layers"),
    "zeros": (npy((1,)).replace(b"}", b"\0"), "no archive of plain arrays: its member 'layers/den"),
    "no array": (b"what", "is no archive of plain arrays: its member 'layers/dense/kernel.npy'"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_from_strangers(name, tmp_path):
    content, message = ARCHIVES[name]
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("layers/dense/kernel.npy", content)
    with pytest.raises(ValueError, match=message):
        mlp().load_weights(tmp_path / "a.npz")


# --- shards ------------------------------------------------------------------------------------


def test_shards_of_keras(tmp_path):
    expected = np.load(GOLDEN / "jax-sharded.npz")
    model = mlp()
    model.load_weights(GOLDEN / "jax-sharded.weights.json")
    for i, weight in enumerate(model.get_weights()):
        np.testing.assert_array_equal(weight, expected[f"weight_{i}"])
    for i, variable in enumerate(model.optimizer.variables):
        np.testing.assert_array_equal(variable.numpy(), expected[f"optimizer_{i}"])
    predicted = model.predict(expected["x"], verbose=0)
    np.testing.assert_allclose(predicted, expected["predictions"], atol=1e-5)
    # What we write is what Keras wrote: the same arrays in the same parts.
    model.save_weights(tmp_path / "jax-sharded.weights.json", max_shard_size=SMALL)
    for file in sorted(GOLDEN.glob("jax-sharded_*.h5")):
        with h5py.File(file) as theirs, h5py.File(tmp_path / file.name) as ours:
            theirs.visititems(lambda name, x, ours=ours: assert_equal(x, ours, name))
    theirs, ours = (
        json.loads((folder / "jax-sharded.weights.json").read_text())
        for folder in (GOLDEN, tmp_path)
    )
    assert ours["metadata"] == theirs["metadata"]
    assert {k: listed(x) for k, x in ours["weight_map"].items()} == theirs["weight_map"]


def listed(names):
    return [names] if isinstance(names, str) else names


def assert_equal(dataset, ours, name):
    if isinstance(dataset, h5py.Dataset):
        assert ours[name].dtype == dataset.dtype
        np.testing.assert_array_equal(ours[name][()], dataset[()])


def test_saving_again_leaves_no_old_part_and_fails_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.weights.json"
    first, second = mlp(trained=True), mlp(trained=True)
    save(first, path)
    assert sorted(p.name for p in tmp_path.glob("*.h5"))[0] == "a_00000.weights.h5"

    written = []

    def failing(path, part, write=shards._write_part):
        if len(written) == 1:
            raise OSError("no space left")
        written.append(path)
        write(path, part)

    monkeypatch.setattr(shards, "_write_part", failing)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="no space left"):
        save(second, path)
    assert sorted(tmp_path.iterdir()) == before
    other = mlp()
    other.load_weights(path)
    assert_same(other, first)

    monkeypatch.undo()
    for _ in range(2):
        save(second, path)
        other.load_weights(path)
        named = set(sum(map(listed, json.loads(path.read_text())["weight_map"].values()), []))
        there = {p.name for p in tmp_path.glob("*.h5")}
        assert there == named | {"a_00000.weights.h5"}  # which Keras opens first
    assert_same(other, second)
    with pytest.raises(FileExistsError):
        save(second, path, overwrite=False)


def test_shards_that_do_not_fit_are_told_of_as_one_file(tmp_path):
    mlp().save_weights(tmp_path / "a.weights.json", max_shard_size=SMALL)
    other = Sequential([layers.Input((3,)), Dense(1)])
    with pytest.raises(ValueError, match=r"^A total of \d+ objects could not be loaded") as caught:
        other.load_weights(tmp_path / "a.weights.json")
    assert "not a readable HDF5 file" not in str(caught.value)


def test_errors_of_sharded_saving(tmp_path):
    model = mlp()
    with pytest.raises(ValueError, match="in `.weights.json` when `max_shard_size` is specified"):
        model.save_weights(tmp_path / "a.weights.h5", max_shard_size=1)
    with pytest.raises(ValueError, match="in gigabytes and must be positive. Received: max_s"):
        model.save_weights(tmp_path / "a.weights.json", max_shard_size=0)
    message = "/layers/dense/vars/0 is 120 bytes which exceeds the maximum shard size 50 bytes"
    with pytest.raises(ValueError, match=message):
        model.save_weights(tmp_path / "a.weights.json", max_shard_size=50 / 1024**3)
    assert not list(tmp_path.iterdir())
    with pytest.raises(
        ValueError, match="must end in `.weights.h5`, or in .* filepath=a.weights.j"
    ):
        model.save_weights("a.weights.json")


def copied(tmp_path) -> Path:
    for file in GOLDEN.glob("jax-sharded*"):
        shutil.copy(file, tmp_path)
    return tmp_path / "jax-sharded.weights.json"


@pytest.mark.parametrize("name", ["../a.h5", "/etc/a.h5", "a.txt", "C:a.h5", 3])
def test_shards_that_lead_elsewhere_are_refused(name, tmp_path):
    path = tmp_path / "a.weights.json"
    path.write_text(json.dumps({"weight_map": {"/layers/dense/vars": name}}))
    with pytest.raises(ValueError, match="expected 'weight_map' with the names of files beside"):
        mlp().load_weights(path)


def test_a_part_that_is_missing_or_damaged(tmp_path):
    path = copied(tmp_path)
    part = tmp_path / "jax-sharded_00001.weights.h5"
    part.write_bytes(part.read_bytes()[:3000])
    with pytest.raises(ValueError, match="00001.weights.h5' is not a readable HDF5 file"):
        mlp().load_weights(path)
    part.unlink()
    with pytest.raises(FileNotFoundError, match="names 'jax-sharded_00001.weights.h5' as a part"):
        mlp().load_weights(path)


def test_weights_and_architectures_are_no_models(tmp_path):
    model = mlp()
    model.save_weights(tmp_path / "a.npz")
    for path in (tmp_path / "a.npz", GOLDEN / "jax-sharded.weights.json"):
        with pytest.raises(ValueError, match="This file holds weights only: build the model in c"):
            saving.load_model(path)
    (tmp_path / "a.json").write_text(model.to_json())
    with pytest.raises(ValueError, match="received an architecture in JSON. It holds no weights"):
        saving.load_model(tmp_path / "a.json")
    with pytest.raises(ValueError, match="holds no weights: received an architecture in JSON"):
        model.load_weights(tmp_path / "a.json")
    with pytest.raises(ValueError, match="`by_name` only supports loading legacy"):
        model.load_weights(tmp_path / "a.npz", by_name=True)


def test_a_whole_model_gives_its_weights(tmp_path):
    model = mlp(trained=True)
    for name in ("a.keras", "a.h5"):
        model.save(tmp_path / name)
        other = mlp()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            other.load_weights(tmp_path / name)
        np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


# --- the order in which each Keras walked ---------------------------------------------------------


class Walked(Model):
    """Lists in a list, a private list, and layers that stand in two places."""

    def __init__(self):
        super().__init__()
        self.zeta = layers.Dense(2)
        self.alpha = [[layers.Dense(3)], [layers.Dense(4)]]
        self._hidden = [layers.Dense(5), layers.Dense(6)]
        self.Upper = layers.Dense(7)
        self.stack = Sequential([layers.Dense(8), layers.Dropout(0.1), layers.Dense(9)])
        self.again = [self.zeta, layers.Dense(10)]

    def call(self, x):
        (third,), (fourth,) = self.alpha
        for layer in [self.zeta, third, fourth, *self._hidden, self.Upper, self.stack]:
            x = layer(x)
        return self.again[1](x)


# What the Kerases wrote for this class: the units of the layer at each path.
PATHS = {
    "tf.keras 2.12": "Upper _hidden/dense _hidden/dense_1 again/dense again/dense_1 layers/dense_1 "
    "layers/dense_2 layers/sequential/_layer_checkpoint_dependencies/dense "
    "layers/sequential/_layer_checkpoint_dependencies/dense_2",
    "tf_keras 2.17": "layers/dense_4 layers/dense_2 layers/dense_3 zeta layers/dense_5 "
    "layers/dense layers/dense_1 stack/layers/dense stack/layers/dense_1",
    "Keras 3.12": "Upper layers/dense_3 layers/dense_4 again/dense again/dense_1 layers/dense_1 "
    "layers/dense_2 layers/sequential/layers/dense layers/sequential/layers/dense_1",
    "Keras 3.15": "Upper layers/dense_3 layers/dense_4 again/dense again/dense_1 "
    "alpha/container/dense alpha/container_1/dense layers/sequential/layers/dense "
    "layers/sequential/layers/dense_1",
}
UNITS = (7, 5, 6, 2, 10, 3, 4, 8, 9)


@pytest.mark.parametrize("keras", list(PATHS))
def test_weights_of_subclassed_models_by_every_way_to_walk(keras, tmp_path):
    model = Walked()
    model(np.zeros((1, 4), "float32"))
    dense = {x.units: x for x in model._flatten_layers() if isinstance(x, layers.Dense)}
    with h5py.File(tmp_path / "all.weights.h5", "w") as file:
        for path, units in zip(PATHS[keras].split(), UNITS, strict=True):
            for key, weight in enumerate(dense[units].weights):
                file[f"{path}/vars/{key}"] = np.full(weight.shape, units + key / 2, "float32")
    model.load_weights(tmp_path / "all.weights.h5")
    for units, layer in dense.items():
        for key, weight in enumerate(layer.get_weights()):
            np.testing.assert_array_equal(weight, units + key / 2)


def test_private_layers_of_attention_in_tf_keras(tmp_path):
    x = Input((3, 4))
    model = Model(x, layers.MultiHeadAttention(1, 2, use_bias=False)(x, x))
    with h5py.File(tmp_path / "all.weights.h5", "w") as file:
        group = "_layer_checkpoint_dependencies/multi_head_attention"
        for number, (name, weight) in enumerate(
            zip(("query", "key", "value", "output"), model.weights, strict=True)
        ):
            file[f"{group}/_{name}_dense/vars/0"] = np.full(weight.shape, number, "float32")
    model.load_weights(tmp_path / "all.weights.h5")
    assert [w.max() for w in model.get_weights()] == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["a.weights.h5", "a.h5"])
def test_axes_of_normalization_in_the_order_of_the_config(name, tmp_path):
    model = Sequential([Input((2, 3)), layers.LayerNormalization(axis=[-1, -2], center=False)])
    gamma = np.arange(6, dtype="float32").reshape(3, 2)  # as before Keras 3.15
    with h5py.File(tmp_path / name, "w") as file:
        if name == "a.h5":
            file.attrs["layer_names"], file.attrs["keras_version"] = ["n"], "2.12.0"
            file.create_group("n").attrs["weight_names"] = ["gamma:0"]
            file["n/gamma:0"] = gamma
        else:
            file["layers/layer_normalization/vars/0"] = gamma
    model.load_weights(tmp_path / name)
    found = model.predict(np.array([[[1, 2, 3], [4, 5, 6]]], "float32"), verbose=0)[0]
    unscaled = np.array([-1.4635, -0.8781, -0.2927, 0.2927, 0.8781, 1.4635])  # by Keras 3.12
    np.testing.assert_allclose(found.ravel(), unscaled * np.arange(6), atol=1e-3)


@pytest.mark.parametrize("name", ["Adafactor", "Nadam"])
@pytest.mark.parametrize("ending", ["keras", "weights.h5", "h5"])
def test_what_keras_loses_of_an_inner_optimizer_is_in_no_file(name, ending, tmp_path):
    model = scaled(name)
    for _ in range(3):
        model.train_on_batch(np.ones((2, 2), "float32"), np.ones((2, 1), "float32"))
    path = tmp_path / f"a.{ending}"
    other = saved_and_loaded(model, path, scaled(name))
    if ending != "h5":
        with h5py.File(path if ending == "weights.h5" else unzipped(path)) as file:
            stored = [x.shape for x in file["optimizer/vars"].values()]
        assert len(stored) == {"Adafactor": 10, "Nadam": 10}[name]  # as in Keras 3.0 to 3.15
    for optimizer in (model.optimizer, other.optimizer):
        assert len(optimizer.variables) == {"Adafactor": 12, "Nadam": 11}[name]
    assert_same(other, model)


def test_states_with_all_of_an_inner_optimizer_load(tmp_path, monkeypatch):
    model = scaled("Nadam")
    for _ in range(3):
        model.train_on_batch(np.ones((2, 2), "float32"), np.ones((2, 1), "float32"))
    monkeypatch.setattr(model.optimizer.inner_optimizer, "is_inner", False)  # as layerkit did once
    assert_same(saved_and_loaded(model, tmp_path / "a.weights.h5", scaled("Nadam")), model)
    assert_same(saved_and_loaded(model, tmp_path / "a.h5", scaled("Nadam")), model)


def scaled(name: str) -> Sequential:
    model = Sequential([layers.Input((2,)), Dense(1)])
    model.compile(optimizers.LossScaleOptimizer(name, 4.0), "mse")
    return model


def saved_and_loaded(model, path, other):
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
        other.load_weights(path)
        return other
    model.save(path)
    return saving.load_model(path)


def unzipped(path):
    return io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))
