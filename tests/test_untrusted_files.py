"""Files that mean harm: each is refused, or loads without anything else happening.

"Nothing else" is what Python's audit events tell: no module of the file's choice is imported, no
process started, no connection made, no file read or written but the model's own. And no memory is
taken that a file of that size has no use for.
"""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import pickletools
import sys
import tempfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import h5py
import numpy as np
import pytest
from fuzzing import mutations
from tables.untrusted_files import (
    CANARY,
    COMPILED,
    GRAPHS,
    HARMLESS_OPERATIONS,
    LAMBDA,
    LAYERS,
    OPERATIONS,
    Attack,
    N,
    described,
    function,
    layer,
    model_of,
)

import layerkit
from layerkit import layers, models, saving
from layerkit.__main__ import main
from layerkit.backend import allowance
from layerkit.saving import KerasFileEditor, hdf5, keras_file, shards

pytestmark = pytest.mark.numpy_only("about files")

MEMORY = 96 << 20  # bytes that a small file may take
SECRET = "/etc/passwd"  # read by nobody


# --- what happened ------------------------------------------------------------------------------

_events: list[tuple[str, str]] | None = None  # while somebody listens
_FORBIDDEN = (
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.startfile",
    "os.system",
    "shutil.rmtree",
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "urllib.Request",
)


def _listen(event: str, arguments: tuple) -> None:
    if _events is None:
        return
    if event in _FORBIDDEN:
        _events.append((event, str(arguments)))
    elif event == "open" and isinstance(arguments[0], (str, bytes)):
        name = os.fsdecode(arguments[0])
        writes = bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if writes or name == SECRET:
            _events.append(("written" if writes else "read", os.path.realpath(name)))
    elif event == "import" and CANARY in str(arguments[0]):
        _events.append((event, str(arguments[0])))


sys.addaudithook(_listen)


@contextmanager
def nothing_happens(folder: Path) -> Iterator[None]:
    """In the `with` block nothing but files below `folder` is written."""
    global _events
    _events = []
    before = set(folder.parent.iterdir())
    try:
        yield
    finally:
        happened, _events = _events, None
    own = os.path.realpath(folder)
    assert [e for e in happened if not (e[0] == "written" and e[1].startswith(own))] == []
    assert set(folder.parent.iterdir()) == before
    assert CANARY not in sys.modules


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder of its own, beside a module that nobody may import."""
    (tmp_path / f"{CANARY}.py").write_text("raise SystemExit('the canary was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    inside = tmp_path / "in"
    inside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    return inside


@pytest.fixture
def small_limits(monkeypatch) -> None:
    """Limits of a megabyte, for files that are made quickly."""
    for module, limit in [(hdf5, "_SMALL"), (hdf5, "_TOTAL"), (keras_file, "_SMALL")]:
        monkeypatch.setattr(module, limit, 1 << 20)
    monkeypatch.setattr(hdf5, "_TOTAL_RATIO", 1)
    monkeypatch.setattr(keras_file, "_MOST_CONFIG", 1 << 19)
    monkeypatch.setattr(keras_file, "_MOST_ASSETS", 100)
    monkeypatch.setattr(shards, "_MOST_PARTS", 100)


def expect(attack: Attack, opening) -> None:
    """`opening()` is refused in the words of the attack's row, or does nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not attack.refused:
            opening()
            return
        with pytest.raises((ValueError, TypeError), match=attack.refused) as caught:
            opening()
    assert is_printable(str(caught.value)) and len(str(caught.value)) < 30_000


def is_printable(text: str) -> bool:
    return all(c.isprintable() or c in "\n " for c in text)


def inspected(path: Path, capsys) -> str:
    """What `python -m layerkit inspect` says, which is never a traceback."""
    assert main(["inspect", str(path)]) in (0, 1)
    told = capsys.readouterr()
    assert told.err == "" and told.out and is_printable(told.out)
    told.out.encode()  # no half characters
    return told.out


# --- whole files, to be spoiled -------------------------------------------------------------------

_whole: dict[str, bytes] = {}


def whole(ending: str) -> bytes:
    """The bytes of a file of a small compiled model, made once."""
    if ending not in _whole:
        model = small()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"whole.{ending}")
            (model.save_weights if "weights" in ending else model.save)(path)
            _whole[ending] = path.read_bytes()
    return _whole[ending]


def small() -> models.Sequential:
    model = models.Sequential([layers.Input((4,)), layers.Dense(3, name="first")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def spoiled(folder: Path, change=None, **members: bytes) -> Path:
    """A `.keras` file after change(config), with other members besides."""
    inner = mutations.members(whole("keras"))
    config = json.loads(inner["config.json"])
    if change is not None:
        config = change(config) or config
    inner["config.json"] = json.dumps(config).encode()
    path = folder / "a.keras"
    path.write_bytes(mutations.zipped(list((inner | members).items()), zipfile.ZIP_DEFLATED))
    return path


def legacy_file(folder: Path, change, key: str = "model_config") -> Path:
    """An `.h5` file after change(what an attribute says)."""
    content = io.BytesIO(whole("h5"))
    with h5py.File(content, "r+") as root:
        config = json.loads(root.attrs[key])
        config = change(config) or config
        root.attrs[key] = json.dumps(config)
    path = folder / "a.h5"
    path.write_bytes(content.getvalue())
    return path


def with_layer(entry):
    return lambda config: config["config"]["layers"].append(entry)


# --- the tables -----------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", LAYERS, ids=lambda attack: attack.name)
def test_layers(attack, folder, capsys):
    path = spoiled(folder, with_layer(attack.what))
    config = {"name": "s", "layers": [layer("InputLayer", batch_shape=[None, 4]), attack.what]}
    text = json.dumps(described("keras", "Sequential", config))
    with nothing_happens(folder), little_memory() if "gap" in attack.name else nullcontext():
        expect(attack, lambda: saving.load_model(path, safe_mode="k2" not in attack.name))
        if attack.name.startswith(("k1 ", "gap")):
            expect(attack, lambda: models.model_from_json(text))
        told = inspected(path, capsys)
        assert ("It loads." in told) == (not attack.refused)


@pytest.mark.parametrize(
    "attack", [a for a in LAYERS if a.name[:2] in ("k1", "k3")], ids=lambda attack: attack.name
)
def test_k10_cve_2025_9905_layers_in_old_files(attack, folder):
    path = legacy_file(folder, with_layer(attack.what))
    with nothing_happens(folder):
        expect(attack, lambda: saving.load_model(path, safe_mode=False))


@pytest.mark.parametrize("attack", COMPILED, ids=lambda attack: attack.name)
def test_training_configurations(attack, folder, capsys):
    path = spoiled(folder, lambda c: c["compile_config"].update(copy.deepcopy(attack.what)))
    old = legacy_file(
        folder,
        lambda c: c.update(
            {{"optimizer": "optimizer_config"}.get(k, k): v for k, v in attack.what.items()}
        ),
        "training_config",
    )
    with nothing_happens(folder), little_memory() if "gap" in attack.name else nullcontext():
        for each in (path, old):
            with pytest.warns(
                UserWarning, match="was loaded without parts of its training"
            ) as told:
                saving.load_model(each)
            assert all(is_printable(str(each.message)) for each in told)
        if attack.name.startswith("more"):
            inspected(path, capsys)


@pytest.mark.parametrize("call", OPERATIONS, ids=lambda call: f"gap-{call.operation}")
def test_operations_that_would_fill_the_memory(call, monkeypatch):
    monkeypatch.setattr(allowance, "LARGEST_SAMPLE", 16 << 20)
    text = json.dumps(model_of(call))
    with little_memory(), pytest.raises(ValueError, match="declares (tensors|a computation)"):
        models.model_from_json(text)


@pytest.mark.parametrize("call", HARMLESS_OPERATIONS, ids=lambda call: call.operation)
def test_operations_that_only_look_so(call):
    with little_memory():
        assert models.model_from_json(json.dumps(model_of(call)))


@pytest.mark.parametrize("attack", GRAPHS, ids=lambda attack: attack.name)
def test_graphs(attack, folder, monkeypatch):
    monkeypatch.setattr(allowance, "LARGEST_SAMPLE", 16 << 20)
    with nothing_happens(folder), little_memory():
        expect(attack, lambda: models.model_from_json(json.dumps(attack.what)))


# --- whole files ----------------------------------------------------------------------------------


def zeros(name: str, count: int):
    return lambda folder: spoiled(folder, **{name: bytes(count)})


def many_members(folder: Path) -> Path:
    return spoiled(folder, **{f"assets/{i}": b"" for i in range(101)})


def config_text(text: bytes):
    return lambda folder: spoiled(folder, **{"config.json": text})


def attribute(key: str, value):
    """An `.h5` with another attribute at its root."""

    def make(folder: Path) -> Path:
        content = io.BytesIO(whole("h5"))
        with h5py.File(content, "r+") as root:
            if key in root.attrs:
                del root.attrs[key]
            root.attrs.create(key, value, dtype=getattr(value, "dtype", None))
        (folder / "a.h5").write_bytes(content.getvalue())
        return folder / "a.h5"

    return make


def dataset_without_numbers(folder: Path) -> Path:
    content = io.BytesIO(whole("h5"))
    with h5py.File(content, "r+") as root:
        found = []
        root["model_weights"].visititems(lambda name, x: found.append(name))
        kernel = next(name for name in found if name.endswith("kernel"))
        del root["model_weights"][kernel]
        root["model_weights"][kernel] = h5py.Empty("f4")
    (folder / "a.h5").write_bytes(content.getvalue())
    return folder / "a.h5"


def json_file(value):
    def make(folder: Path) -> Path:
        (folder / "a.weights.json").write_text(json.dumps(value))
        return folder / "a.weights.json"

    return make


def orbax(folder: Path) -> Path:
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "_CHECKPOINT_METADATA").write_text("{}")
    return folder / "checkpoint"


def npz(**arrays):
    def make(folder: Path) -> Path:
        np.savez(folder / "a.npz", **arrays)
        return folder / "a.npz"

    return make


def npz_that_declares(shape: tuple):
    """An archive whose array has a header and nothing behind it."""

    def make(folder: Path) -> Path:
        header = io.BytesIO()
        description = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, description)
        content = mutations.zipped([("layers/first/kernel.npy", header.getvalue())])
        (folder / "a.npz").write_bytes(content)
        return folder / "a.npz"

    return make


def sized_datasets(folder: Path) -> Path:
    """Arrays that are each small enough, and too much together."""
    content = io.BytesIO(whole("weights.h5"))
    with h5py.File(content, "r+") as root:
        for i in range(8):
            root.create_dataset(f"layers/first{i}/vars/0", (1 << 19,), "u1", chunks=(1 << 19,))
    (folder / "a.weights.h5").write_bytes(content.getvalue())
    return folder / "a.weights.h5"


class _Pickled:
    """Whose pickle starts a process."""

    def __reduce__(self):
        return os.system, ("true",)


FILES = [
    Attack(
        "k15 a config that unpacks to much more",
        zeros("config.json", 2 << 20),
        "declares 2097152 bytes",
    ),
    Attack(
        "k15 weights that unpack to much more",
        zeros("model.weights.h5", 2 << 20),
        "declares 2097152 bytes",
    ),
    Attack("k15 a long config", zeros("config.json", 3 << 18), "declares 786432 bytes"),
    Attack("k16 many assets", many_members, "its 101 assets"),
    Attack(
        "k16 an asset that unpacks to much more",
        zeros("assets/x", 2 << 20),
        "declare 2097152 bytes",
    ),
    Attack("k16 what nobody asks for", zeros("more", 2 << 20)),
    Attack(
        "k18 an asset that leads elsewhere", zeros("assets/../../x", 1), "leads out of the archive"
    ),
    Attack("k18 an asset by a drive", zeros("assets\\..\\..\\x", 1), "leads out of the archive"),
    Attack(
        "k17 an object in an archive of arrays",
        npz(**{"layers/first/kernel": np.array([_Pickled()])}),
        "holds weights only",
    ),
    Attack("k19 a folder of another format", orbax, "a folder with an Orbax checkpoint"),
    Attack(
        "k25 numbers of 5000 digits",
        config_text(b'{"class_name": ' + b"9" * 5000 + b"}"),
        "no valid JSON",
    ),
    Attack("k25 no end", config_text(b"[" * 100_000), "no valid JSON"),
    Attack(
        "k25 no numbers",
        config_text(b'{"class_name": NaN, "config": Infinity}'),
        "Expected 'class_name' to be the name of a class",
    ),
    Attack(
        "k25 another encoding",
        config_text('{"class_name": "x"}'.encode("utf-16")),
        "describes no model",
    ),
    Attack("k25 bytes", config_text(b"\xff\xfe\x00"), "no valid JSON"),
    Attack("k25 not text", config_text(b"\x80\x04\x95."), "no valid JSON"),
    Attack(
        "gap a long attribute",
        attribute("model_config", "x" * (2 << 20)),
        "too large|no valid JSON",
    ),
    Attack(
        "gap an attribute of numbers", attribute("model_config", np.zeros(3)), "not a readable HDF5"
    ),
    Attack(
        "more a number for a model", attribute("model_config", "1.5"), "describes no model|made"
    ),
    Attack("more an array of no shape", dataset_without_numbers, "a.h5"),
    Attack("gap an attribute of steering", attribute("keras_version", "\x1b[2J\x07")),
    Attack(
        "more shards of another folder",
        json_file({"weight_map": {"/vars": "../../etc/passwd.h5"}}),
        "sharded Keras weights",
    ),
]


@pytest.mark.parametrize("attack", FILES, ids=lambda attack: attack.name)
def test_files(attack, folder, capsys, small_limits):
    path = attack.what(folder)
    with nothing_happens(folder):
        expect(attack, lambda: saving.load_model(path))
        inspected(path, capsys)


WEIGHTS = [
    Attack("gap arrays that are too much together", sized_datasets),
    Attack(
        "k15 weights in an archive that unpacks",
        zeros("model.weights.h5", 2 << 20),
        "declares 2097152 bytes",
    ),
    Attack(
        "k17 an object in an archive",
        npz(**{"layers/first/kernel": np.array([_Pickled()])}),
        "of plain arrays|declares|numbers|object",
    ),
    Attack(
        "k17 CVE-2026-0897 an array without its bytes",
        npz_that_declares((2**20, 2**20)),
        "declares 4398046511104 bytes",
    ),
    Attack(
        "more a shard elsewhere",
        json_file({"weight_map": {"/vars": "../../etc/passwd.h5"}}),
        "is not the JSON of sharded",
    ),
    Attack(
        "more a shard that is a device",
        json_file({"weight_map": {"/vars": "/dev/zero.h5"}}),
        "is not the JSON of sharded",
    ),
    Attack(
        "more shards that are no names",
        json_file({"weight_map": {"/vars": [3, {}]}}),
        "is not the JSON of sharded",
    ),
    Attack(
        "more many shards",
        json_file({"weight_map": {str(i): f"{i}.h5" for i in range(101)}}),
        "is not the JSON of sharded",
    ),
]


@pytest.mark.parametrize("attack", WEIGHTS, ids=lambda attack: attack.name)
def test_weights(attack, folder, capsys, small_limits):
    path, model = attack.what(folder), small()
    before = model.get_weights()
    with nothing_happens(folder), little_memory():
        expect(attack, lambda: model.load_weights(path, skip_mismatch=not attack.refused))
        inspected(path, capsys)
    if attack.refused:
        for a, b in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "attack",
    [
        Attack(
            "k23 weights that unpack", zeros("model.weights.h5", 2 << 20), "declares 2097152 bytes"
        ),
        Attack("k23 many arrays", sized_datasets, "far larger array|declares"),
    ],
    ids=lambda attack: attack.name,
)
def test_the_editor_of_files(attack, folder, small_limits):
    path = attack.what(folder)
    with nothing_happens(folder), little_memory():
        expect(attack, lambda: KerasFileEditor(path))


# --- what training goes on from -------------------------------------------------------------------


def state_file(folder: Path, change=lambda index: index, **members: bytes) -> Path:
    """A state of a training after change(its index), with other members besides."""
    path = folder / "backup" / "last.state"
    path.parent.mkdir()
    model = small()
    model.fit(np.zeros((2, 4)), np.zeros((2, 3)), verbose=0)
    model.save_state(path)
    inner = mutations.members(path.read_bytes())
    index = json.loads(inner["state.json"])
    inner["state.json"] = json.dumps(change(index)).encode()
    path.write_bytes(mutations.zipped(list((inner | members).items())))
    return path


def in_state(key: str, value):
    def change(index):
        index["state"][key] = value
        return index

    return lambda folder: state_file(folder, change)


def array(**changes):
    return {"array": 0, "dtype": "<f4", "shape": [4, 3]} | changes


_NO_STATE = (
    "is not a readable state of a training|a state of a training that layerkit did not write"
)
STATES = [
    Attack("more an array of objects", in_state("weights", [array(dtype="O")]), _NO_STATE),
    Attack(
        "more an array of long texts", in_state("weights", [array(dtype="S1000000000")]), _NO_STATE
    ),
    Attack(
        "more a shape without its bytes", in_state("weights", [array(shape=[2**40])]), _NO_STATE
    ),
    Attack("more a negative shape", in_state("weights", [array(shape=[-1])]), _NO_STATE),
    Attack("more an array that is not there", in_state("weights", [array(array=N)]), _NO_STATE),
    Attack("more another number of weights", in_state("weights", []), _NO_STATE),
    Attack(
        "more a text for weights", in_state("weights", "kernel"), "another training|did not write"
    ),
    Attack("more no seeds", in_state("random", {"x": 1}), _NO_STATE),
    Attack(
        "more code for an optimizer", in_state("optimizers", [described(CANARY, "sing")]), _NO_STATE
    ),
    Attack("more no index", lambda f: state_file(f, **{"state.json": b"[" * 100_000}), _NO_STATE),
    Attack(
        "more a pickle",
        lambda f: state_file(f, **{"state.json": pickle.dumps(_Pickled())}),
        _NO_STATE,
    ),
    Attack("more another index", lambda f: state_file(f, lambda index: [index]), _NO_STATE),
]


@pytest.mark.parametrize("attack", STATES, ids=lambda attack: attack.name)
def test_states_of_training(attack, folder):
    path, model = attack.what(folder), small()
    backup = layerkit.callbacks.BackupAndRestore(path.parent)
    x, y = np.zeros((2, 4)), np.zeros((2, 3))
    before = model.get_weights()
    with nothing_happens(folder):
        expect(attack, lambda: model.load_state(path))
        expect(attack, lambda: model.fit(x, y, verbose=0, callbacks=[backup]))
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


# --- the rest -------------------------------------------------------------------------------------


def test_k5_the_users_own_names_do_not_shadow_ours(folder):
    """Unless they are given for this very file."""
    before = dict(saving.get_custom_objects())

    @saving.register_keras_serializable(name="relu")
    def shadow(x):
        return x - 1000

    try:
        config = function("relu")
        assert saving.deserialize_keras_object(config) is layerkit.activations.relu
        assert saving.deserialize_keras_object(config, {"relu": shadow}) is shadow
        assert saving.deserialize_keras_object(function("Custom>relu")) is shadow
    finally:
        saving.get_custom_objects().clear()
        saving.get_custom_objects().update(before)


def test_k26_pickles_of_models_name_one_function_of_ours():
    text = pickle.dumps(small(), protocol=4)
    names = {arg for op, arg, _ in pickletools.genops(text) if op.name == "SHORT_BINUNICODE"}
    assert names == {"layerkit.saving", "unpacked"}
    with pytest.raises(ValueError, match="never runs code from a file"):
        with zipfile.ZipFile(io.BytesIO(whole("keras"))) as archive:
            config = json.loads(archive.read("config.json"))
            config["config"]["layers"].append(layer("Lambda", name="l", function=LAMBDA))
            inner = {name: archive.read(name) for name in archive.namelist()}
        inner["config.json"] = json.dumps(config).encode()
        saving.unpacked(mutations.zipped(list(inner.items())))


def test_folders_of_images_are_not_left_by_links(folder):
    (folder / "a").mkdir()
    image = layerkit.utils.array_to_img(np.zeros((4, 4, 3)))
    image.save(folder / "a" / "0.png")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    image.save(elsewhere / "1.png")
    (folder / "a" / "b").symlink_to(elsewhere)
    dataset = layerkit.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(4, 4), verbose=False, batch_size=None, shuffle=False
    )
    assert [Path(p).name for p in dataset.file_paths] == ["0.png", "1.png"]


def test_convert_tries_no_model_that_fills_the_memory(folder, capsys):
    resampling = layer("RepeatVector", n=N)
    path = spoiled(folder, with_layer(resampling))
    with nothing_happens(folder), little_memory():
        assert main(["convert", str(path), str(folder / "b.keras")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "outputs were not compared: 'the model' declares tensors of shape" in told


def test_what_happens_would_be_heard(folder):
    for act in (
        lambda: os.system("true"),
        lambda: open(SECRET).close(),
        lambda: (folder.parent / "elsewhere").write_text(""),
    ):
        with pytest.raises(AssertionError), nothing_happens(folder):
            act()
    with pytest.raises(AssertionError), little_memory():
        bytes(MEMORY)
