"""`.keras` models as folders: what Keras writes with zipped=False, read and written here."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from layerkit import Input, Sequential, layers
from layerkit.__main__ import main
from layerkit.models import load_model, save_model
from layerkit.saving import atomic_folder, unzipped
from layerkit.saving.atomic_folder import replacing_folder

ARCHIVE = Path(__file__).parent / "golden" / "files" / "tensorflow-lookup.keras"

pytestmark = pytest.mark.numpy_only("files are written on the host")

X = np.arange(8, dtype="float32").reshape(2, 4)
WORDS = np.array([["ein"], ["zwei"]])


def trained():
    model = Sequential([Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(X, X[:, :2], epochs=2, verbose=0)
    return model


def with_assets():
    lookup = layers.StringLookup(output_mode="one_hot")
    lookup.adapt(["ein", "zwei"])
    return Sequential([Input((1,), dtype="string"), lookup, layers.Dense(2)])


def assert_same(model, other):
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_model_as_a_folder(tmp_path):
    model = trained()
    model.save(tmp_path / "a", zipped=False)
    assert sorted(os.listdir(tmp_path / "a")) == [
        "config.json", "metadata.json", "model.weights.h5"
    ]  # fmt: skip
    again = load_model(tmp_path / "a")
    assert_same(model, again)
    for each in (model, again):
        each.train_on_batch(X, X[:, :2])
    assert_same(model, again)
    other = trained()
    other.load_weights(tmp_path / "a")
    assert np.any(other.get_weights()[0] != model.get_weights()[0])
    assert_same(load_model(tmp_path / "a", compile=False), other)


def test_assets_in_a_folder(tmp_path):
    model = with_assets()
    save_model(model, tmp_path / "a", zipped=False)
    assert [path.name for path in (tmp_path / "a" / "assets").rglob("*.txt")] == ["vocabulary.txt"]
    again = load_model(tmp_path / "a")
    np.testing.assert_array_equal(again(WORDS), model(WORDS))


def test_an_archive_of_keras_unpacked(tmp_path):
    with zipfile.ZipFile(ARCHIVE) as files:
        files.extractall(tmp_path / "a")
    assert list((tmp_path / "a" / "assets").rglob("*.txt"))
    assert_same(load_model(tmp_path / "a"), load_model(ARCHIVE))


def test_inspect_and_convert_a_folder(tmp_path, capsys):
    trained().save(tmp_path / "a", zipped=False)
    assert main(["inspect", str(tmp_path / "a")]) == 0
    assert "a: an unzipped `.keras` model" in capsys.readouterr().out.replace("\n", " ")
    assert main(["convert", str(tmp_path / "a"), str(tmp_path / "b.keras")]) == 0
    assert main(["convert", str(tmp_path / "b.keras"), f"{tmp_path / 'c'}{os.sep}"]) == 0
    assert_same(load_model(tmp_path / "c"), load_model(tmp_path / "a"))


def test_where_a_file_is_needed(tmp_path):
    trained().save(tmp_path / "a", zipped=False)
    with pytest.raises(ValueError, match="an unzipped `.keras` model. Give the path of a file"):
        trained().load_state(tmp_path / "a")


def test_without_the_optimizer(tmp_path):
    model = trained()
    model.save(tmp_path / "a", zipped=False, include_optimizer=False)
    model.save(tmp_path / "a.keras", include_optimizer=False)
    model.save(tmp_path / "a.h5", include_optimizer=False, save_format="h5")
    for name in ("a", "a.keras", "a.h5"):
        again = load_model(tmp_path / name)
        assert again.optimizer is None
        assert_same(model, again)
    sizes = unzipped.sizes(str(tmp_path / "a"))
    model.save(tmp_path / "b", zipped=False)
    assert unzipped.sizes(str(tmp_path / "b"))["model.weights.h5"] > sizes["model.weights.h5"]


# --- links, devices, sizes ---------------------------------------------------------------------


def replaced(folder, name, make):
    (folder / name).unlink()
    make(folder / name)


@pytest.mark.parametrize("name", ["config.json", "metadata.json", "model.weights.h5"])
@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_members_that_are_no_files(name, kind, tmp_path):
    trained().save(tmp_path / "a", zipped=False)
    (tmp_path / "secret").write_text("{}")
    make = {
        "link": lambda path: path.symlink_to(tmp_path / "secret"),
        "folder": Path.mkdir,
        "pipe": os.mkfifo,
    }
    replaced(tmp_path / "a", name, make[kind])
    of_weights = [trained().load_weights] if name == "model.weights.h5" else []
    for load in (load_model, *of_weights):
        with pytest.raises(ValueError, match=f"its member '{name}' is a link, a folder, a pipe"):
            load(tmp_path / "a")


@pytest.mark.parametrize("place", ["assets", "assets/layers", "assets/layers/x.txt"])
def test_links_among_the_assets(place, tmp_path):
    with_assets().save(tmp_path / "a", zipped=False)
    assert (tmp_path / "a" / "assets" / "layers").is_dir()
    (tmp_path / "other").mkdir()
    path = tmp_path / "a" / place
    if path.exists():
        path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "other")
    with pytest.raises(ValueError, match=f"its member '{place}' is a link.*cp -rL"):
        load_model(tmp_path / "a")


def test_a_file_that_is_mostly_holes(tmp_path):
    trained().save(tmp_path / "a", zipped=False)
    with open(tmp_path / "a" / "model.weights.h5", "r+b") as file:
        file.truncate(2**33)
    with pytest.raises(ValueError, match="declares 8589934592 bytes unpacked"):
        load_model(tmp_path / "a")
    with open(tmp_path / "a" / "config.json", "ab") as file:
        file.write(b" " * 2**25)
    with pytest.raises(ValueError, match="its member 'config.json' of"):
        load_model(tmp_path / "a")


def test_what_else_lies_in_the_folder_is_left_alone(tmp_path):
    trained().save(tmp_path / "a", zipped=False)
    (tmp_path / "a" / "README.md").symlink_to("/dev/zero")
    load_model(tmp_path / "a")
    with pytest.raises(FileExistsError, match="holds other things than a model, as .'README.md'"):
        trained().save(tmp_path / "a", zipped=False)
    assert (tmp_path / "a" / "README.md").is_symlink()


# --- whole or not at all -----------------------------------------------------------------------


def test_an_older_folder_is_replaced_at_once(tmp_path):
    model = with_assets()
    model.save(tmp_path / "a", zipped=False)
    os.chmod(tmp_path / "a", 0o750)
    trained().save(tmp_path / "a", zipped=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
    assert not (tmp_path / "a" / "assets").exists()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o750
    with pytest.raises(FileExistsError, match="already exists and overwrite=False"):
        model.save(tmp_path / "a", overwrite=False, zipped=False)
    (tmp_path / "empty").mkdir()
    model.save(tmp_path / "empty", zipped=False)
    load_model(tmp_path / "empty")


def test_a_system_without_exchange(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic_folder.sys, "platform", "win32")
    model = trained()
    model.save(tmp_path / "a", zipped=False)
    before = (tmp_path / "a" / "model.weights.h5").read_bytes()
    with pytest.raises(FileExistsError, match="cannot exchange two folders at once. Remove it"):
        trained().save(tmp_path / "a", zipped=False)
    assert (tmp_path / "a" / "model.weights.h5").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def test_names_as_long_as_the_file_system_takes(tmp_path):
    name = "名" * 80  # 240 bytes
    model = trained()
    for _ in range(2):
        model.save(tmp_path / name, zipped=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    load_model(tmp_path / name)


def test_a_failed_save_leaves_the_old_folder(tmp_path, monkeypatch):
    model = trained()
    model.save(tmp_path / "a", zipped=False)
    before = (tmp_path / "a" / "metadata.json").read_bytes()

    def full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic_folder, "_sync", full)
    with pytest.raises(OSError, match="No space left on device. The folder there") as failed:
        model.save(tmp_path / "a", zipped=False)
    assert failed.value.errno == errno.ENOSPC
    with pytest.raises(OSError, match="Nothing was written"):
        model.save(tmp_path / "b", zipped=False)
    assert (tmp_path / "a" / "metadata.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


WRITER = """
import sys
from layerkit.saving.atomic_folder import replacing_folder

with replacing_folder(sys.argv[1], {"x"}) as folder:
    open(folder + "/x", "w").close()
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_writer_left_is_removed_and_a_living_one_is_not(tmp_path):
    target = tmp_path / "a"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(target)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    left = [Path(each.stdout.readline().strip()) for each in started]
    started[0].kill()
    started[0].communicate()
    with replacing_folder(str(target), {"x"}):
        assert not left[0].exists() and left[1].exists()
    _, errors = started[1].communicate(timeout=60)
    assert not errors and [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (target / "x").exists()


PLACES = {
    "a.keras": (ValueError, "should not end in `.keras`.*It names a folder: write 'a'"),
    "file": (FileExistsError, "expected a folder or a free name; received a file"),
    "no/a": (FileNotFoundError, "there is no folder '.*no'. Make it first"),
}


@pytest.mark.parametrize("name", PLACES)
def test_where_no_folder_can_be_written(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    error, message = PLACES[name]
    with pytest.raises(error, match=message):
        trained().save(name, zipped=False)
    assert os.listdir() == ["file"]


def test_an_unbuilt_model_is_told(tmp_path):
    with pytest.warns(UserWarning, match="not yet been built"):
        Sequential([layers.Dense(2)]).save(tmp_path / "a", zipped=False)
    assert json.loads((tmp_path / "a" / "config.json").read_text())["class_name"] == "Sequential"
