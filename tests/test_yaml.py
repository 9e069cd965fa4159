"""Architectures in YAML, as Keras 1 and 2 wrote them: read, and nothing in them is run."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from layerkit import Input, Sequential, layers, models
from layerkit.commands.convert import convert
from layerkit.commands.inspect import inspect
from layerkit.compat.old_architectures import model_from_yaml

LEGACY = Path(__file__).parent / "golden" / "legacy"
FILES = [
    (path.stem, row, file)
    for path in sorted(LEGACY.glob("*.json"))
    for row, entry in json.loads(path.read_text())["rows"].items()
    for file in entry["files"]
    if file.endswith(".yaml")
]

pytestmark = pytest.mark.numpy_only("files hold no backend")


@pytest.mark.parametrize(("archive", "row", "file"), FILES, ids="-".join)
def test_a_model_from_yaml_computes_what_its_own_keras_computed(archive, row, file, tmp_path):
    with zipfile.ZipFile(LEGACY / f"{archive}.zip") as files:
        text = files.read(file).decode()
        weights = files.extract(f"{row}.weights.h5", tmp_path)
        arrays = np.load(io.BytesIO(files.read("arrays.npz")))
        x, expected = arrays[f"{row}/x0"], arrays[f"{row}/prediction0"]
    model = model_from_yaml(text)
    model.load_weights(weights)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=2e-5, atol=2e-5)


LAUGHS = "\n".join(["a0: &a0 [x]"] + [f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]" for i in range(1, 12)])
REFUSED = {
    "code": ("!!python/object/apply:os.system ['exit 1']", "plain values and tuples.*os.system"),
    "name": ("a: !!python/name:os.system", "plain values and tuples.*python/name"),
    "no yaml": ("a: [", "plain values and tuples"),
    "laughs": (LAUGHS, "repeats itself to more than 1000000 values"),
    "endless": ("&a [*a]", "repeats itself"),
    "deep": ("[" * 5000, "plain values and tuples"),
    "another": ("a: 1", "describes no model"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_architecture_is_refused(name):
    text, message = REFUSED[name]
    with pytest.raises(ValueError, match=f"(?s){message}"):
        model_from_yaml(text)


def test_without_pyyaml_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ImportError, match=r"pip install pyyaml, or pip install 'layerkit\[yaml\]'"):
        model_from_yaml("a: 1")


@pytest.mark.parametrize(("archive", "row", "file"), FILES, ids="-".join)
def test_the_commands_take_yaml_as_they_take_json(archive, row, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(LEGACY / f"{archive}.zip") as files:
        files.extract(file), files.extract(f"{row}.weights.h5")
        arrays = np.load(io.BytesIO(files.read("arrays.npz")))
        x, expected = arrays[f"{row}/x0"], arrays[f"{row}/prediction0"]
    text, loads = inspect(file, {})
    assert loads and "an architecture in YAML" in text and "Total params: " in text
    assert convert(file, "out.json", {})[1]
    assert models.model_from_json(Path("out.json").read_text()).layers
    told, holds = convert(f"{row}.weights.h5", "out.keras", {}, architecture=file)
    assert holds and "Largest difference" in told
    model = models.load_model("out.keras")
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=2e-5, atol=2e-5)


def test_a_file_in_yaml_is_no_model_and_holds_no_weights(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("backend: theano\n")
    message = r"an architecture in YAML.* with keras.models.model_from_yaml\(text\), in a Ker"
    with pytest.raises(ValueError, match=message):
        models.load_model(path)
    with pytest.raises(ValueError, match=message):
        Sequential([Input((2,)), layers.Dense(1)]).load_weights(path)
    text, loads = inspect(str(path), {})
    assert not loads and "describes no model" in " ".join(text.split())
    path.write_text("class_name: !!python/name:os.system\n")
    text, loads = inspect(str(path), {})
    assert not loads and "take its line out of the text" in " ".join(text.split())
