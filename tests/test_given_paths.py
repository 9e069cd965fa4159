"""What users give where a path, or the text of an architecture, is expected."""

from __future__ import annotations

import io
import json
from pathlib import Path

import h5py
import pytest

from layerkit import Input, Sequential, layers, models, saving

pytestmark = pytest.mark.numpy_only("files hold no backend")


def small_model():
    return Sequential([Input((4,)), layers.Dense(2)])


PATHS = {
    "bytes of a file": (b"PK\3\4", TypeError, "Received: bytes. Write its bytes to a file first"),
    "an open file": (io.BytesIO(), TypeError, "Received: BytesIO. Write its bytes to a file first"),
    "the model": (small_model, TypeError, "Received: Sequential. Give its path"),
    "None": (None, TypeError, "a string or a pathlib.Path. Received: NoneType"),
    "file://": ("file:///tmp/a.keras", ValueError, "Give the path without it: '/tmp/a.keras'"),
    "https://": ("https://b.org/a.h5", ValueError, r"get_file\('model.keras', origin='https://b"),
    "a zero": ("a\0b.keras", ValueError, r"zero .* no name of a file has: filepath='a.x00b.keras'"),
    "s3://": ("s3://bucket/a.h5", ValueError, "must be the path of a file on this machine"),
}


@pytest.mark.parametrize("case", PATHS)
def test_what_is_no_path(case):
    given, error, message = PATHS[case]
    given = given() if callable(given) else given
    for use in (
        models.load_model,
        small_model().load_weights,
        small_model().save,
        small_model().save_weights,
    ):
        with pytest.raises(error, match=message):
            use(given)


def test_an_open_hdf5_file(tmp_path):
    small_model().save(tmp_path / "a.h5")
    message = "give its name, as `file.filename` says it"
    with h5py.File(tmp_path / "a.h5") as file, pytest.raises(TypeError, match=message):
        models.load_model(file)


def test_no_file_but_one_that_is_called_alike(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    small_model().save(tmp_path / "model.h5")
    with pytest.raises(FileNotFoundError, match="There is 'model.h5'"):
        models.load_model(tmp_path / "modle.h5")
    with pytest.raises(FileNotFoundError, match=r"model.h5': use os.path.expanduser\(path\)"):
        models.load_model("~/model.h5")
    with pytest.raises(FileNotFoundError, match="There is no folder 'nowhere'"):
        models.load_model("nowhere/model.h5")


FORMATS = {"a.h5": "keras", "a.keras": "h5", "b.keras": "tf"}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_that_is_not_the_extension_s(name, tmp_path):
    with pytest.raises(ValueError, match="The extension of `filepath` says the format. Received: "):
        small_model().save(tmp_path / name, save_format=FORMATS[name])
    assert not list(tmp_path.iterdir())


def layer_config():
    return saving.serialize_keras_object(layers.Dense(2))


TEXTS = {
    "path": ("model.json", ValueError, r"the name of a file. Read it first: Path\('model.json'\)"),
    "path of a model": ("m.h5", ValueError, r"A whole model is loaded with load_model\(path\)"),
    "pathlib.Path": (Path("m.json"), TypeError, r"give the text of the file, path.read_text\(\)"),
    "open file": (io.StringIO("{}"), TypeError, r"give its text, file.read\(\)"),
    "config": (small_model().get_config, TypeError, r"as in Sequential.from_config\(config\)"),
    "number": (3, TypeError, "Received: int. Give the text"),
    "text of the config alone": (
        lambda: json.dumps(small_model().get_config()),
        ValueError,
        "Use from_config of the model.s class",
    ),
    "YAML": (
        "class_name: Sequential\nconfig:\n",
        ValueError,
        "a text in YAML. Use keras.models.mo",
    ),
    "empty": ("", ValueError, "an empty text. The file may not have been written whole"),
    "other": ("<html>", ValueError, "Received: '<html>'"),
    "cut off": ('{"class_name": "Seq', ValueError, "its config is no valid JSON"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_no_architecture(case):
    given, error, message = TEXTS[case]
    with pytest.raises(error, match=message):
        models.model_from_json(given() if callable(given) else given)


def test_texts_as_bytes_and_with_a_byte_order_mark():
    text = small_model().to_json()
    for given in (text.encode(), bytearray(text.encode()), "\ufeff" + text, "\n " + text):
        assert models.model_from_json(given).to_json() == text
