"""python -m layerkit inspect and convert: what they say of files, and that they change nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import layerkit
from layerkit import Model, Sequential, layers, ops, saving
from layerkit.__main__ import main
from layerkit.layers import Dense

GOLDEN = Path(__file__).parent / "golden"

pytestmark = pytest.mark.numpy_only("files hold no backend")

OWN = """
import keras


class Twice(keras.layers.Layer):
    def call(self, x):
        return 2 * x


class Thrice(keras.layers.Layer):
    def call(self, x):
        return 3 * x
"""


class Twice(layers.Layer):
    def call(self, x):
        return 2 * x


class Thrice(layers.Layer):
    def call(self, x):
        return 3 * x


def own_model() -> Sequential:
    model = Sequential([layers.Input((4,)), Twice(), Thrice(), Dense(2)])
    model.compile("sgd", "mse")
    return model


def mlp(**kwargs) -> Sequential:
    model = Sequential([layers.Input((4,)), Dense(3, "relu"), Dense(2)], name="mlp", **kwargs)
    model.compile("adam", "mse", metrics=["mae"])
    x, y = np.ones((4, 4), "float32"), np.ones((4, 2), "float32")
    model.fit(x, y, epochs=3, verbose=0)
    return model


@pytest.fixture
def forget():
    """Classes of this file are not known to layerkit, as in a process of its own."""
    known = saving.get_custom_objects()
    taken = {name: known.pop(name) for name in ("Twice", "Thrice", "SavedUntold") if name in known}
    yield
    known.update(taken)


def called(capsys, *arguments):
    """(exit status, stdout, stderr)"""
    status = main(list(map(str, arguments)))
    out, err = capsys.readouterr()
    assert all(len(line) <= 80 or "/" in line for line in out.split("\n"))
    return status, " ".join(out.split()) if arguments[0] == "convert" else out, err


def legacy(archive: str, file: str, folder: Path) -> Path:
    with zipfile.ZipFile(GOLDEN / "legacy" / f"{archive}.zip") as files:
        return Path(files.extract(file, folder))


# --- inspect -----------------------------------------------------------------------------------


def test_inspect_of_a_model(tmp_path, capsys):
    mlp().save(tmp_path / "a.keras")
    status, out, _ = called(capsys, "inspect", tmp_path / "a.keras")
    assert status == 0
    for words in (
        "a.keras: a `.keras` model",
        f"Written by layerkit {layerkit.__version__}, for Keras 3.0.0 and later",
        "│ dense (Dense) ",
        "Total params: 71",
        "Optimizer: Adam, learning rate 0.001",
        "The optimizer's state is there: 10 arrays, after 3 steps.",
        "Loss: mse",
        "Metrics: [mae]",
    ):
        assert words in out
    assert out.endswith("It loads.\n")


OLD = {
    "keras-1.2.2-theano": ("recurrent_cpu.h5", "Written by Keras 1.2.2 on theano", " Note: hard_"),
    "keras-2.3.1-tensorflow": ("adam.h5", "Written by Keras 2.3.1 on tensorflow", "13 arrays, af"),
    "tf_keras-2.17.0": ("adam.keras", "Written by Keras 2.17.0, on", "after 3 steps"),
}


@pytest.mark.parametrize("archive", OLD)
def test_inspect_of_old_models(archive, tmp_path, capsys):
    file, *words = OLD[archive]
    status, out, _ = called(capsys, "inspect", legacy(archive, file, tmp_path))
    assert status == 0 and all(each in out for each in words), out


def test_inspect_of_weights(tmp_path, capsys):
    model = mlp()
    for name in ("a.weights.h5", "a.npz", "a.weights.json"):
        size = {"max_shard_size": 1} if name.endswith(".json") else {}
        model.save_weights(tmp_path / name, **size)
        status, out, _ = called(capsys, "inspect", tmp_path / name)
        assert status == 0 and "layers/dense" in out and "(4, 3), (3,)" in out
        assert "It holds arrays of 71 numbers" in out and "It holds weights only: build" in out
    path = legacy("keras-2.3.1-tensorflow", "apart.weights.h5", tmp_path)
    status, out, _ = called(capsys, "inspect", path)
    assert status == 0 and "legacy HDF5 weights" in out and "(4, 5), (5,)" in out


def test_inspect_of_an_architecture(tmp_path, capsys):
    (tmp_path / "a.json").write_text(mlp().to_json())
    status, out, _ = called(capsys, "inspect", tmp_path / "a.json")
    assert status == 0 and "an architecture in JSON" in out and "Total params: " in out
    assert "It holds no weights and no training configuration." in out


def test_a_graph_of_keras_0(tmp_path, capsys):
    for name in ("graph.json", "graph.weights.h5"):
        legacy("keras-0.3.3-theano", name, tmp_path)
    status, out, _ = called(capsys, "inspect", tmp_path / "graph.json")
    assert status == 0 and "an architecture in JSON" in out and "It loads." in out
    files = tmp_path / "graph.weights.h5", tmp_path / "a.keras"
    status, out, _ = called(capsys, "convert", *files, "--architecture", tmp_path / "graph.json")
    assert status == 0 and "outputs on random input (seed 0) 0" in " ".join(out.split())


def test_inspect_without_the_models_classes(tmp_path, capsys, forget):
    own_model().save(tmp_path / "a.keras")
    status, out, _ = called(capsys, "inspect", tmp_path / "a.keras")
    assert status == 1
    assert "  twice        Twice" in out.replace("    ", "  ") or "twice" in out
    assert "layers/dense/vars" in out and "(4, 2), (2,)" in out
    flat = " ".join(out.split())
    assert "Could not locate class 'Twice', nor 'Thrice'." in flat
    assert "custom_objects={'Twice': Twice, 'Thrice': Thrice}" in flat
    with pytest.raises(TypeError, match="Could not locate class 'Twice', nor 'Thrice'"):
        saving.load_model(tmp_path / "a.keras")


def test_inspect_with_the_models_classes_in_a_process_of_its_own(tmp_path):
    own_model().save(tmp_path / "a.keras")
    (tmp_path / "own.py").write_text(OWN)
    command = [sys.executable, "-m", "layerkit", "inspect", "a.keras", "--custom", "own.py"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0 and result.stdout.endswith("It loads.\n"), result.stderr


def test_inspect_runs_no_code_and_names_the_lambda(tmp_path, capsys):
    path = legacy("tf_keras-2.17.0", "lambda_code.keras", tmp_path)
    status, out, _ = called(capsys, "inspect", path)
    assert status == 1 and "Lambda" in out and "layers/dense/vars" in out
    assert "custom_objects={'lambda': function}" in " ".join(out.split())


def test_functions_for_lambda_layers(tmp_path, capsys):
    path = legacy("tf_keras-2.17.0", "lambda_code.keras", tmp_path)
    for arguments in (["inspect", path], ["convert", path, tmp_path / "b.h5"]):
        status, out, err = called(capsys, *arguments)
        assert status == 1 and "Here: --custom module.py" in " ".join((out + err).split())
    (tmp_path / "own.py").write_text(
        "import keras\n\n@keras.saving.register_keras_serializable()\ndef doubled(x):\n"
        "    return x * 2\n\ncustom_objects = {'lambda': doubled}\n"
    )
    own = [path.name, "b.h5", "--custom", "own.py"]
    command = [sys.executable, "-m", "layerkit", "convert", *own]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert SAME in " ".join(result.stdout.split())


def test_inspect_tells_what_would_be_left_out(tmp_path, capsys):
    mlp().save(tmp_path / "a.keras")
    saved = tmp_path / "a.keras"
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["compile_config"]["metrics"] = ["nobodys_metric"]
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    status, out, _ = called(capsys, "inspect", saved)
    assert status == 0 and "On loading: The model was loaded without parts of its" in out


def test_inspect_of_weights_that_fit_nowhere(tmp_path, capsys):
    mlp().save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (tmp_path / "w.h5").write_bytes(members["model.weights.h5"])
    with h5py.File(tmp_path / "w.h5", "r+") as root:
        root.create_dataset("layers/other/vars/0", data=np.ones(7))
        root.move("layers/dense_1", "layers/dense_7")
    members["model.weights.h5"] = (tmp_path / "w.h5").read_bytes()
    with zipfile.ZipFile(tmp_path / "b.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    status, out, _ = called(capsys, "inspect", tmp_path / "b.keras")
    assert status == 1 and "Layer 'dense_1' expected 2 variables, but received 0" in out
    assert "layers/other/vars [(7,)]" in " ".join(out.split())


def test_inspect_of_a_layer_alone(capsys):
    path = GOLDEN / "files" / "tensorflow-feature-space.keras"
    status, out, _ = called(capsys, "inspect", path)
    assert status == 0 and "It loads." in out


def test_inspect_of_another_file_and_of_none(tmp_path, capsys):
    (tmp_path / "a.keras").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    status, out, _ = called(capsys, "inspect", tmp_path / "a.keras")
    assert status == 1 and "a Git LFS pointer" in " ".join(out.split())
    status, out, _ = called(capsys, "inspect", tmp_path / "none.keras")
    assert status == 1 and out.startswith("File not found:")
    status, _, err = called(capsys, "inspect", tmp_path / "a.keras", "--custom", "none.py")
    assert status == 1 and "there is no 'none.py'" in err
    for arguments in (["inspect"], ["inspect", "a", "b"], ["convert", "a"]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 2


# --- convert -----------------------------------------------------------------------------------

SAME = "outputs on random input (seed 0) 0, weights 0"


@pytest.mark.parametrize("target", ["b.keras", "b.h5", "b.weights.h5", "b.npz", "b.json"])
@pytest.mark.parametrize("source", ["a.keras", "a.h5"])
def test_convert_a_model_and_back(source, target, tmp_path, capsys):
    model = mlp()
    model.save(tmp_path / source)
    status, out, _ = called(capsys, "convert", tmp_path / source, tmp_path / target)
    assert status == 0 and SAME in out, out
    if target == "b.json":
        assert json.loads((tmp_path / target).read_text())["class_name"] == "Sequential"
        return
    weights_only = target in ("b.weights.h5", "b.npz")
    given = ["--architecture", tmp_path / source] if weights_only else []
    status, out, _ = called(capsys, "convert", tmp_path / target, tmp_path / "c.keras", *given)
    assert status == 0 and f"{SAME}, the optimizer's state 0" in out, out
    again = saving.load_model(tmp_path / "c.keras")
    for own, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)


def test_convert_weights_with_an_architecture_in_json(tmp_path, capsys):
    model = mlp()
    model.save_weights(tmp_path / "a.npz")
    (tmp_path / "a.json").write_text(model.to_json())
    given = ["--architecture", tmp_path / "a.json"]
    status, out, _ = called(capsys, "convert", tmp_path / "a.npz", tmp_path / "a.h5", *given)
    assert status == 0 and SAME in out
    x = np.ones((1, 4), "float32")
    np.testing.assert_array_equal(saving.load_model(tmp_path / "a.h5")(x), model(x))


def test_convert_into_legacy_weights_and_back(tmp_path, capsys):
    model = mlp()
    model.save_weights(tmp_path / "a.npz")
    (tmp_path / "a.json").write_text(model.to_json())
    given = ["--architecture", tmp_path / "a.json"]
    files = tmp_path / "a.npz", tmp_path / "w.h5", tmp_path / "b.hdf5"
    for source, target in zip(files, files[1:], strict=False):
        status, out, _ = called(capsys, "convert", source, target, *given, "--weights-only")
        assert status == 0 and SAME in out and "state" not in out, out
        assert saving.identify.identify(target) == "legacy HDF5 weights"
    other = mlp()
    other.load_weights(tmp_path / "b.hdf5")
    for own, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(own, theirs)


def test_convert_into_parts(tmp_path, capsys):
    mlp().save(tmp_path / "a.keras")
    size = ["--max-shard-size", 60 / 1024**3]
    status, out, _ = called(
        capsys, "convert", tmp_path / "a.keras", tmp_path / "a.weights.json", *size
    )
    assert status == 0 and SAME in out and len(list(tmp_path.glob("a_*.weights.h5"))) > 2


def test_convert_a_model_of_keras_1(tmp_path, capsys):
    path = legacy("keras-1.2.2-theano", "adam.h5", tmp_path)
    status, out, _ = called(capsys, "convert", path, tmp_path / "a.keras")
    assert status == 0 and f"{SAME}, the optimizer's state 0" in out
    path = legacy("keras-1.2.2-theano", "apart.json", tmp_path)
    status, out, _ = called(capsys, "convert", path, tmp_path / "today.json")
    assert status == 0 and SAME in out


def test_convert_with_inputs_of_all_kinds(tmp_path, capsys):
    ids = layers.Input((None,), dtype="int32", name="ids")
    image = layers.Input((None, None, 1), name="image")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(2, 3)(ids))
    y = layers.Flatten()(layers.Conv2D(2, 5, strides=4)(layers.Conv2D(2, 9)(image)))
    y = layers.Lambda(lambda t: ops.mean(t, axis=-1, keepdims=True), name="mean")(y)
    model = Model({"ids": ids, "image": image}, layers.Concatenate()([x, y]))
    with pytest.raises(TypeError, match="A lambda cannot be saved"):
        model.save(tmp_path / "a.keras")
    model = Model({"ids": ids, "image": image}, [x, layers.GlobalMaxPooling2D()(image)])
    model.save(tmp_path / "a.keras")
    status, out, _ = called(capsys, "convert", tmp_path / "a.keras", tmp_path / "a.h5")
    assert status == 0 and SAME in out


class SavedUntold(Model):
    def __init__(self):
        super().__init__()
        self.dense = Dense(2)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {}


def test_convert_a_model_that_does_not_say_what_it_takes(tmp_path, capsys):
    model = SavedUntold()
    model(np.ones((1, 3), "float32"))
    model.save(tmp_path / "a.keras")
    status, out, _ = called(capsys, "convert", tmp_path / "a.keras", tmp_path / "a.npz")
    assert status == 0 and "weights 0" in out


def test_a_difference_is_told_and_is_no_success(tmp_path, capsys, monkeypatch):
    mlp().save(tmp_path / "a.keras")
    monkeypatch.setattr(
        "layerkit.saving.npz_file.state_of",
        lambda obj, state_of=saving.weights_file.state_of: {
            key: value + 1 if value.shape else value for key, value in state_of(obj).items()
        },
    )
    status, out, _ = called(capsys, "convert", tmp_path / "a.keras", tmp_path / "a.npz")
    assert status == 1 and "weights 1" in out


ERRORS = {
    ("a.keras", "b.onnx"): "The ending of OUT says its format: expected one of .weights.h5",
    ("a.npz", "b.keras"): "they do not say what model they belong to. Give it by --architecture",
    ("a.json", "b.keras"): "holds no weights, so it can become a `.json` only",
    ("a.keras", "b.weights.json"): "with --max-shard-size GIGABYTES; other formats are one file",
    ("a.keras", "b.h5", "--max-shard-size", "1"): "other formats are one file. Received",
    ("a.keras", "b.h5", "--architecture", "a.json"): "is for weights without a model; 'a.keras'",
    ("a.keras", "b.keras", "--weights-only"): "expected OUT to end in .h5 or .hdf5. Received: 'b",
    ("a.keras", "b.weights.h5", "--weights-only"): "Formats of weights need no such word.",
    ("none.keras", "b.h5"): "File not found: filepath=none.keras",
    ("a.keras", "no/b.h5"): "there is no folder",
}


@pytest.mark.parametrize("arguments", ERRORS, ids=" ".join)
def test_errors_of_convert(arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = mlp()
    model.save("a.keras")
    model.save_weights("a.npz")
    Path("a.json").write_text(model.to_json())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        status, _, err = called(capsys, "convert", *arguments)
    assert status == 1 and ERRORS[arguments] in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.keras", "a.npz"]


def test_a_script_called_as_a_command_runs_by_its_path(tmp_path):
    (tmp_path / "inspect").write_text("print('the script')")
    command = [sys.executable, "-m", "layerkit", "./inspect"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.stdout == "the script\n", result.stderr
