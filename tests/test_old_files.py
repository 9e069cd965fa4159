"""Files that Keras of every age wrote: they open, and compute what their own Keras computed."""

from __future__ import annotations

import fnmatch
import importlib.util
import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tables.legacy_files import OTHER_PREDICTIONS, OTHER_TRAINING, REFUSED

import layerkit
from layerkit import layers, ops

FOLDER = Path(__file__).parent / "golden" / "legacy"
MANIFESTS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}

pytestmark = pytest.mark.numpy_only("files hold no backend")


class Scale(layers.Layer):
    """What a user wrote: multiplies by a weight to a power."""

    def __init__(self, power=1, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, x):
        return x * self.scale**self.power


class Registered(Scale):
    """A class that its file calls `golden>Registered`."""


def own_loss(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def own_metric(y_true, y_pred):
    return ops.max(ops.abs(y_true - y_pred))


def own_activation(x):
    return ops.tanh(x) * 2.0


def registered_activation(x):
    return ops.tanh(x) * 3.0


def doubled(x):
    return x * 2.0


OWN = {
    "Scale": Scale,
    "golden>Scale": Scale,
    "golden>Registered": Registered,
    "golden>registered_activation": registered_activation,
    "doubled": doubled,
    "own_activation": own_activation,
    "own_loss": own_loss,
    "own_metric": own_metric,
}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """Folder with the files of an archive."""
    folders = {}

    def unpack(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            with zipfile.ZipFile(FOLDER / f"{name}.zip") as archive:
                archive.extractall(folders[name])
        return folders[name]

    return unpack


def models():
    for name, manifest in MANIFESTS.items():
        for row, entry in manifest["rows"].items():
            for file in entry["files"]:
                if file.endswith((".h5", ".hdf5", ".keras")) and "weights" not in file:
                    yield pytest.param(name, row, file, id=f"{name}-{file}")


def architectures():
    for name, manifest in MANIFESTS.items():
        for row, entry in manifest["rows"].items():
            described = [file for file in entry["files"] if file.endswith(".json")]
            for file in entry["files"]:
                if described and file.endswith("weights.h5"):
                    yield pytest.param(name, row, described[0], file, id=f"{name}-{file}")


def listed(table, name, row):
    for (names, rows), reason in table.items():
        if fnmatch.fnmatch(name, names) and fnmatch.fnmatch(row, rows):
            return reason
    return None


def arrays_of(folder, row):
    with np.load(folder / "arrays.npz") as stored:
        kept = {key.partition("/")[2]: stored[key] for key in stored if key.startswith(f"{row}/")}
    return lambda what: [kept[f"{what}{i}"] for i in range(len(kept)) if f"{what}{i}" in kept]


def one(values):
    return values[0] if len(values) == 1 else values


def predictions(model, inputs):
    feed = one(inputs)
    if isinstance(getattr(model, "input", None), dict):
        feed = dict(zip(sorted(model.input), inputs, strict=True))
    predicted = model.predict(feed, batch_size=len(inputs[0]), verbose=0)
    if isinstance(predicted, dict):
        return [predicted[key] for key in sorted(predicted)]
    return list(predicted) if isinstance(predicted, (list, tuple)) else [predicted]


def load(path, row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is left out: other tests ask for those
        names = ["lambda", *(f"lambda_{i}" for i in range(20))] if row == "lambda_named" else []
        return layerkit.models.load_model(path, {**OWN, **dict.fromkeys(names, doubled)})


@pytest.mark.parametrize(("name", "row", "file"), [*models()])
def test_a_model_computes_what_its_own_keras_computed(name, row, file, unpacked):
    arrays = arrays_of(unpacked(name), row)
    refused = listed(REFUSED, name, row)
    if refused:
        with pytest.raises((ValueError, TypeError), match=refused):
            load(unpacked(name) / file, row)
        return
    model = load(unpacked(name) / file, row)
    expected = arrays("prediction")
    if not expected or listed(OTHER_PREDICTIONS, name, row):
        return
    close = 2e-3 if row == "mixed" else 2e-5  # float16 holds three digits
    assert_close(predictions(model, arrays("x")), expected, close)
    if arrays("next_prediction") and not listed(OTHER_TRAINING, name, row):
        for _ in range(MANIFESTS[name]["rows"][row]["more_steps"]):
            model.train_on_batch(one(arrays("x")), one(arrays("y")))
        assert_close(predictions(model, arrays("x")), arrays("next_prediction"), 3e-4)


def assert_close(found, expected, close):
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=close, atol=close)


@pytest.mark.parametrize(("name", "row", "architecture", "weights"), [*architectures()])
def test_architecture_and_weights_apart(name, row, architecture, weights, unpacked):
    folder = unpacked(name)
    arrays = arrays_of(folder, row)
    model = layerkit.models.model_from_json((folder / architecture).read_text(), OWN)
    model.load_weights(folder / weights)
    if not listed(OTHER_PREDICTIONS, name, row):
        assert_close(predictions(model, arrays("x")), arrays("prediction"), 2e-5)


def classes():
    """The subclassed models whose weights are in golden/legacy, made of layerkit's layers."""
    spec = importlib.util.spec_from_file_location(
        "legacy_subclassed", FOLDER.parent / "legacy_subclassed.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.classes(layerkit)


@pytest.mark.parametrize("row", ["subclassed", "containers"])
@pytest.mark.parametrize("name", [name for name in MANIFESTS if name.startswith("keras-3")])
def test_weights_and_state_of_subclassed_models(name, row, unpacked):
    arrays = arrays_of(unpacked(name), row)
    model = classes()[row]()
    if row == "containers":
        model.compile(layerkit.optimizers.SGD(0.02, momentum=0.9), "mse")
    model(one(arrays("x")))
    model.load_weights(unpacked(name) / f"{row}.weights.h5")
    assert_close(predictions(model, arrays("x")), arrays("prediction"), 2e-5)
    for _ in range(MANIFESTS[name]["rows"][row].get("more_steps", 0)):
        model.train_on_batch(one(arrays("x")), one(arrays("y")))
    assert_close(
        predictions(model, arrays("x")), (arrays("next_prediction") or arrays("prediction")), 3e-4
    )


@pytest.mark.parametrize("name", [n for n in MANIFESTS if "sharded" in MANIFESTS[n]["rows"]])
def test_weights_in_parts(name, unpacked):
    arrays = arrays_of(unpacked(name), "sharded")
    model = layerkit.Sequential([layers.Input((4,)), *map(layers.Dense, (5, 6, 2))])
    model.load_weights(unpacked(name) / "sharded.weights.json")
    assert_close(predictions(model, arrays("x")), arrays("prediction"), 2e-5)
