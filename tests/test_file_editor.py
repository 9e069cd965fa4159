"""KerasFileEditor: what it prints, finds different, edits and refuses, beside Keras's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from tables.file_editor import ERRORS, FILE, INPUTS, STEPS, UNITS

from layerkit import Sequential
from layerkit.layers import LSTM, Dense, Input
from layerkit.saving import KerasFileEditor, load_model

HERE = Path(__file__).parent
FILES = HERE / "golden" / "files"
GOLDEN = json.loads((HERE / "golden" / "file_editor.json").read_text())


def arguments(row):
    return [
        {name: np.zeros(shape, "float32") for name, shape in value.items()}
        if isinstance(value, dict)
        else value
        for value in row
    ]


def in_order(lines: list[str]) -> list[str]:
    """Without the names of layers, which Keras finds but does not print, and Keras's order."""
    return sorted(re.sub(r" \('\w+'\)|[├└]─ |> ", "", line).replace("│", " ") for line in lines)


def test_steps_of_editing_print_what_keras_prints(capsys):
    model = Sequential([Input((INPUTS,)), *map(Dense, UNITS)])
    editor = KerasFileEditor(FILES / FILE)
    capsys.readouterr()
    for (method, *row), golden in zip(STEPS, GOLDEN["steps"], strict=True):
        if method != "compare":
            getattr(editor, method)(*arguments(row))
        found = editor.compare(model)
        compared = capsys.readouterr().out.partition("─")[0].splitlines()
        assert (found["status"], compared) == (golden["status"], golden["compared"])
        assert found["error_count"] == sum(line.startswith("...") for line in compared)
        editor.summary()
        assert in_order(capsys.readouterr().out.splitlines()) == in_order(golden["summary"])
    assert found == {"status": "success", "error_count": 0, "match_count": 6}


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors_begin_as_keras_s(number):
    method, *row = ERRORS[number]
    editor = KerasFileEditor(FILES / FILE)
    before = dict(editor.weights_dict)
    with pytest.raises(ValueError) as raised:
        getattr(editor, method)(*arguments(row))
    assert (
        str(raised.value)
        .replace("weights_", "")
        .startswith(GOLDEN["errors"][number].replace("weights_", "").rstrip("."))
    )
    assert editor.weights_dict == before


def test_what_is_printed_of_a_file(capsys):
    KerasFileEditor(FILES / "jax-subclassed.weights.h5")
    assert capsys.readouterr().out == f"Keras model file '{FILES}/jax-subclassed.weights.h5'\n"
    editor = KerasFileEditor(FILES / "jax-functional.keras")
    assert re.fullmatch(
        r"Keras model file '.*'\nSaved with Keras 3\.15\.1 - date: \d+-\d+-\d+@\d+:\d+:\d+\n",
        capsys.readouterr().out,
    )
    assert editor.metadata["keras_version"] == "3.15.1"
    assert editor.config["class_name"] == "Functional"
    assert editor.object_metadata["/layers/dense"] == {"name": "shared"}
    editor.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["Weights structure", "  > layers", "  │   ├─ dense ('shared')"]
    assert "  └─ optimizer ('adam')" in lines


@pytest.mark.parametrize("name", ["jax-recurrent.keras", "jax-functional.keras"])
def test_a_file_saved_again_holds_the_same_numbers(name, tmp_path):
    """Weights of objects in objects too, which Keras 3.15.1 leaves out."""
    model = load_model(FILES / name)
    before = model.get_weights()
    editor = KerasFileEditor(FILES / name)
    assert editor.compare(model)["status"] == "success"
    editor.resave_weights(tmp_path / "a.weights.h5")
    model.set_weights([np.zeros_like(value) for value in before])
    model.load_weights(tmp_path / "a.weights.h5")
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    again = KerasFileEditor(tmp_path / "a.weights.h5")
    assert again.object_metadata == editor.object_metadata
    assert [path.name for path in tmp_path.iterdir()] == ["a.weights.h5"]


def test_a_weight_of_the_model_itself_is_kept(tmp_path):
    model = Sequential([Input((3,)), Dense(2)])
    model.save_weights(tmp_path / "a.weights.h5")
    editor = KerasFileEditor(tmp_path / "a.weights.h5")
    editor.add_object("scale", {"0": np.float32(3)})
    editor.weights_dict["0"] = np.arange(3.0)
    editor.save(tmp_path / "b.weights.h5")
    with h5py.File(tmp_path / "b.weights.h5") as file:
        assert file["vars/0"][()].tolist() == [0, 1, 2]
        assert file["scale/vars/0"][()] == 3
        assert file["layers/dense/vars"].attrs["name"] == model.layers[0].name


def test_a_name_moves_with_its_object(tmp_path):
    editor = KerasFileEditor(FILES / "jax-recurrent.keras")
    editor.rename_object("lstm", "gru")
    assert editor.object_metadata["/layers/gru/cell"] == {"name": "lstm_cell"}
    editor.delete_object("gru")
    assert "/layers/gru/cell" not in editor.object_metadata
    assert "/layers/lstm_1/cell" in editor.object_metadata


def test_an_object_in_place_of_a_weight_is_a_difference(capsys):
    model = Sequential([Input((4, 3)), LSTM(2)])
    editor = KerasFileEditor(FILES / "jax-mlp.keras")
    editor.weights_dict = {"layers": {"lstm": {"cell": np.zeros(2), "7": {"0": np.zeros(2)}}}}
    found = editor.compare(model)
    assert found == {"status": "error", "error_count": 3, "match_count": 0}
    printed = capsys.readouterr().out
    assert "...Object /layers/lstm/cell present in reference model, missing from saved" in printed
    assert "...Weight /layers/lstm/cell present in saved file, missing from reference" in printed


def vars_of_dense(file):
    return file["layers/dense/vars"]


def soft_link(file):
    file["layers/other"] = h5py.SoftLink("/layers/dense")


def external_link(file):
    del vars_of_dense(file)["0"]
    vars_of_dense(file)["0"] = h5py.ExternalLink("/etc/secret.h5", "/x")


def circle(file):
    file["layers/dense/inner"] = file["layers"]


def deep(file):
    file.create_group("/".join("a" * 300))


def shape_bomb(file):
    del vars_of_dense(file)["0"]
    vars_of_dense(file).create_dataset("0", (2**20, 2**20), "f4", chunks=(1024, 1024))


def words(file):
    vars_of_dense(file)["9"] = b"words"


def array_outside(file):
    file["layers/dense/kernel"] = np.zeros(3)


REFUSED = {
    soft_link: "it is a link",
    external_link: "it is a link",
    circle: "expected groups, each in one place",
    deep: "expected groups, each in one place",
    shape_bomb: "no far larger array than the file holds",
    words: "expected numbers",
    array_outside: "arrays only in groups 'vars'",
}


@pytest.mark.parametrize("change", REFUSED, ids=lambda change: change.__name__)
def test_files_from_strangers(change, tmp_path):
    Sequential([Input((4,)), Dense(5)]).save_weights(tmp_path / "a.weights.h5")
    with h5py.File(tmp_path / "a.weights.h5", "r+") as file:
        change(file)
    with pytest.raises(ValueError, match=f"Refused to read .*{REFUSED[change]}"):
        KerasFileEditor(tmp_path / "a.weights.h5")


def test_other_files(tmp_path):
    with pytest.raises(ValueError, match=r"Invalid filename: expected a `\.keras` `\.weights\.h5`"):
        KerasFileEditor("a.h5")
    with pytest.raises(FileNotFoundError, match="File not found: filepath=.*none.keras"):
        KerasFileEditor(tmp_path / "none.keras")
    (tmp_path / "a.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    with pytest.raises(ValueError, match="is not a readable HDF5 file"):
        KerasFileEditor(tmp_path / "a.weights.h5")
    (tmp_path / "a.keras").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"is not a readable `\.keras` file"):
        KerasFileEditor(tmp_path / "a.keras")


def test_nothing_is_overwritten_by_accident(tmp_path):
    editor = KerasFileEditor(FILES / FILE)
    for act in (
        lambda: editor.rename_object("dense_1", "dense"),
        lambda: editor.add_object("layers/dense", {"0": np.zeros(1)}),
    ):
        with pytest.raises(ValueError, match="'layers/dense' is in the file already. Delete it"):
            act()
    (tmp_path / "a.weights.h5").write_bytes(b"old")
    editor.weights_dict["layers"]["dense"]["0"] = object()
    with pytest.raises(TypeError):
        editor.save(tmp_path / "a.weights.h5")
    assert (tmp_path / "a.weights.h5").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["", ".", "vars", "a/b", 3])
def test_names_that_no_weight_can_have(name):
    editor = KerasFileEditor(FILES / FILE)
    with pytest.raises(ValueError, match="Expected the name of an object or a weight: a string"):
        editor.add_weights("layers/dense", {name: np.zeros(1)})


def test_more_errors():
    editor = KerasFileEditor(FILES / FILE)
    with pytest.raises(ValueError, match="Expected the name or path of an object. Received: '/'"):
        editor.delete_object("/")
    with pytest.raises(ValueError, match="received 'layers/dense/0', a weight"):
        editor.add_weights("layers/dense/0", {"1": np.zeros(1)})
    with pytest.raises(ValueError, match="should hold arrays of numbers. Received: '1' of dtype"):
        editor.add_weights("layers/dense", {"1": np.zeros(2, complex)})
    with pytest.raises(ValueError, match="one of 'layers/dense/0', 'layers/dense_1/0'"):
        editor.delete_object("0")
