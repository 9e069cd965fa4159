"""Files spoiled at random, and those that once broke something: `fuzz_files.py` in short."""

from __future__ import annotations

import io
import json
import os
import struct
import sys
import zipfile

import h5py
import numpy as np
import pytest

if sys.platform != "linux":
    pytest.skip("the fuzzer reads /proc", allow_module_level=True)
import fuzz_files
from fuzzing import mutations

import layerkit
from layerkit import layers, models, saving
from layerkit.backend import Variable
from layerkit.backend.allowance import allowance, check_sample, is_limited, sampling, spend
from layerkit.saving.hdf5_structure import problem_of
from layerkit.utils.archives import extract_archive

pytestmark = pytest.mark.numpy_only("about files")


# --- at random ---------------------------------------------------------------------------------

SHORT = {  # how many cases of each format
    "keras": 15,
    "keras_weights": 12,
    "weights": 15,
    "legacy": 15,
    "legacy_weights": 15,
    "json": 40,
    "archive": 30,
    "npz": 20,
    "state": 15,
}


@pytest.mark.parametrize("name", SHORT)
def test_spoiled_files_end_in_success_or_in_an_error_of_layerkit(name, tmp_path):
    for case in range(SHORT[name]):
        outcome, details = fuzz_files.run_case(name, 0, case, str(tmp_path))
        assert outcome in ("loaded", "refused"), f"case {case}: {outcome}: {details}"


def test_an_optimizer_that_is_a_list_is_left_out_once(tmp_path):
    fuzz_files.sequential_model().save(tmp_path / "a.keras")
    inner = mutations.members((tmp_path / "a.keras").read_bytes())
    config = json.loads(inner["config.json"])
    config["compile_config"]["optimizer"] = [1, 2]  # was restored part by part, for ever
    inner["config.json"] = json.dumps(config).encode()
    (tmp_path / "a.keras").write_bytes(mutations.zipped(list(inner.items())))
    with pytest.warns(UserWarning, match="optimizer: Could not interpret optimizer") as told:
        assert saving.load_model(tmp_path / "a.keras").optimizer is None
    assert [str(each.message).count("optimizer:") for each in told] == [1]


def test_a_thousand_metrics_are_left_out_together(tmp_path):
    fuzz_files.sequential_model().save(tmp_path / "a.keras")
    inner = mutations.members((tmp_path / "a.keras").read_bytes())
    config = json.loads(inner["config.json"])
    config["compile_config"]["metrics"] = ["nope"] * 1000
    inner["config.json"] = json.dumps(config).encode()
    (tmp_path / "a.keras").write_bytes(mutations.zipped(list(inner.items())))
    with pytest.warns(UserWarning, match="metrics: "):
        assert saving.load_model(tmp_path / "a.keras").compiled


def test_the_judge_knows_an_error_of_layerkit():
    def outcome(function):
        try:
            function()
        except Exception as error:
            return fuzz_files.judged(error)[0]

    assert outcome(lambda: layerkit.activations.get("nope")) == "refused"
    assert outcome(lambda: {}["a"]) == "bare"
    assert outcome(lambda: np.zeros(3).reshape(2)) == "bare"
    assert outcome(lambda: np.zeros((2**40, 2**20), "u1")) == "memory"


# --- what HDF5's library cannot survive --------------------------------------------------------


def small_hdf5() -> bytearray:
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        for number in range(40):
            root.create_group(f"g{number}")
        root["d"] = [1.0, 2.0]
        root.attrs["model_config"] = "x" * 100
    return bytearray(file.getvalue())


def endless_text(data: bytearray) -> None:
    """An object of the heap with the texts of attributes gets the size 0."""
    place = data.index(b"GCOL") + 16
    struct.pack_into("<H6xQ", data, place, 0, 0)


def endless_free_list(data: bytearray) -> None:
    place = data.index(b"HEAP")
    (start,) = struct.unpack_from("<Q", data, place + 24)
    struct.pack_into("<Q", data, place + 16, 16)
    struct.pack_into("<QQ", data, start + 16, 16, 32)


def tree_in_itself(data: bytearray) -> None:
    place = data.index(b"TREE")
    data[place + 5] = 1
    struct.pack_into("<Q", data, place + 32, place)


def node_twice(data: bytearray) -> None:
    place = data.index(b"TREE")
    child = len(data)
    data += data[place : place + 24]
    data[place + 5], data[place + 6] = 1, 2
    struct.pack_into("<Q", data, place + 32, child)
    struct.pack_into("<Q", data, place + 48, child)


def another_beginning(data: bytearray) -> None:
    data[:1] = b"x"


def short_addresses(data: bytearray) -> None:
    data[13] = 4


STRUCTURES = {
    endless_text: "a global heap has an object of no size",
    endless_free_list: "the free blocks of a local heap are a circle",
    tree_in_itself: "a B-tree contains a node that does not belong below",
    node_twice: "a B-tree contains a node twice",
    another_beginning: "does not begin as an HDF5 file does",
    short_addresses: "its addresses are not of 8 bytes",
}


@pytest.mark.parametrize("change", STRUCTURES, ids=lambda change: change.__name__)
def test_structures_that_the_library_would_follow_for_ever(change, tmp_path):
    data = small_hdf5()
    assert problem_of(io.BytesIO(data)) == ""
    change(data)
    assert STRUCTURES[change] in problem_of(io.BytesIO(data))
    if data.startswith(b"\x89HDF"):
        (tmp_path / "a.h5").write_bytes(data)
        with pytest.raises(ValueError, match=STRUCTURES[change]):
            saving.load_model(tmp_path / "a.h5")


def test_a_structure_at_the_border_of_two_parts_is_seen():
    data = small_hdf5()
    endless_text(data)
    heap = data[data.index(b"GCOL") :]
    start = small_hdf5()[:96]
    for place in range(2**18 - 4, 2**18 + 2):
        whole = start + bytes(place - len(start)) + heap
        assert "no size" in problem_of(io.BytesIO(whole))


# --- attacks, in every format ------------------------------------------------------------------

LOADS = ("weights.h5", "keras", "keras weights", "h5", "h5 weights")


def model() -> models.Sequential:
    return models.Sequential([layers.Input((4,)), layers.Dense(3, name="dense", use_bias=False)])


def attacked(how: str, change, folder):
    """A file of `model` after `change`(group of the kernel, its name), and what opens it."""
    whole = model()
    name = {"weights.h5": "a.weights.h5"}.get(how, "a.h5" if how.startswith("h5") else "a.keras")
    path = folder / name
    (whole.save_weights if how == "weights.h5" else whole.save)(path)
    inner = mutations.members(path.read_bytes()) if name.endswith("keras") else {}
    content = io.BytesIO(inner.get("model.weights.h5") or path.read_bytes())
    with h5py.File(content, "r+") as root:
        found = []
        root.visititems(lambda _, x: found.append(x) if isinstance(x, h5py.Dataset) else None)
        group, key = found[0].parent, found[0].name.rpartition("/")[2]
        change(group, key)
    if inner:
        path.write_bytes(
            mutations.zipped(list({**inner, "model.weights.h5": content.getvalue()}.items()))
        )
    else:
        path.write_bytes(content.getvalue())
    return path, (
        whole.load_weights if how.split()[-1].startswith("weights") else saving.load_model
    )


def soft_link(group, key):
    del group[key]
    group[key] = h5py.SoftLink("/vars")


def external_link(group, key):
    del group[key]
    group[key] = h5py.ExternalLink("/etc/secret.h5", "/x")


def external_storage(group, key):
    del group[key]
    group.create_dataset(key, (4, 3), "f4", external=[("/etc/passwd", 0, 48)])


def virtual(group, key):
    del group[key]
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[...] = h5py.VirtualSource("/etc/secret.h5", "x", (4, 3))
    group.create_virtual_dataset(key, layout)


def shape_bomb(group, key):
    del group[key]
    group.create_dataset(key, (2**20, 2**20), "f4", chunks=(1024, 1024))


def text_for_numbers(group, key):
    del group[key]
    group[key] = "text"


def group_for_numbers(group, key):
    del group[key]
    group.create_group(key)


HDF5_ATTACKS = {
    soft_link: "it is a link",
    external_link: "it is a link",
    external_storage: "its numbers lie outside of the file",
    virtual: "its numbers lie outside of the file",
    shape_bomb: "far larger arrays than it holds|the file holds shape",
    text_for_numbers: "numbers",
    group_for_numbers: "expected 1 variables|there is no dataset",
}


@pytest.mark.parametrize("how", LOADS)
@pytest.mark.parametrize("attack", HDF5_ATTACKS, ids=lambda attack: attack.__name__)
def test_hdf5_attacks_are_refused_in_every_format(attack, how, tmp_path):
    path, load = attacked(how, attack, tmp_path)
    with pytest.raises(ValueError, match=HDF5_ATTACKS[attack]):
        load(path)


def layer(module, name, config, **more):
    return {"module": module, "class_name": name, "config": config, "registered_name": None, **more}


# Rows of what Keras checks: code, imports, its own functions, other files, types, sizes.
CODE = {"name": "l", "function": {"class_name": "__lambda__", "config": {"code": "4w=="}}}
TABLE = {"input_dim": 10**9, "output_dim": 10**6}
UNKNOWN = "Could not locate class"
LAYER_ATTACKS = {
    "marshalled code": (layer("keras.layers", "Lambda", CODE), "never runs code"),
    "an import": (layer("os", "system", "true"), UNKNOWN),
    "a function of Keras": (layer("keras.utils", "get_file", {"origin": "http://x"}), UNKNOWN),
    "a loader": (layer("keras.models", "load_model", {"filepath": "x"}), UNKNOWN),
    "unsafe mode": (layer("keras.config", "enable_unsafe_deserialization", {}), UNKNOWN),
    "a pickle": (layer("keras.layers", "TorchModuleWrapper", {"module": "x"}), UNKNOWN),
    "a SavedModel": (layer("keras.layers", "TFSMLayer", {"filepath": "x"}), UNKNOWN),
    "no config": (layer("keras.layers", "Dense", "x"), "Expected 'config' to be a dict"),
    "no layer": (layer("keras.losses", "MeanSquaredError", {}), "Only instances of"),
    "a huge layer": (
        layer("keras.layers", "Dense", {"units": 10**9, "name": "big"}),
        "declares 'kernel' of shape",
    ),
    "a huge table": (layer("keras.layers", "Embedding", TABLE), "declares 'embeddings' of shape"),
    "another file": (
        layer("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
        "vocabulary",
    ),
}


@pytest.mark.parametrize("how", ["keras", "h5", "json"])
@pytest.mark.parametrize("attack", LAYER_ATTACKS)
def test_layers_that_attack_are_refused_in_every_format(attack, how, tmp_path):
    entry, message = LAYER_ATTACKS[attack]
    path = tmp_path / f"a.{how}"
    config = json.loads(model().to_json())
    config["config"]["layers"].append(entry)
    if how == "json":
        with pytest.raises((ValueError, TypeError), match=message):
            models.model_from_json(json.dumps(config))
        return
    model().save(path)
    if how == "keras":
        inner = mutations.members(path.read_bytes())
        inner["config.json"] = json.dumps(config).encode()
        path.write_bytes(mutations.zipped(list(inner.items())))
    else:
        with h5py.File(path, "r+") as root:
            root.attrs["model_config"] = json.dumps(config)
    with pytest.raises((ValueError, TypeError), match=message):
        saving.load_model(path)


# --- limits ------------------------------------------------------------------------------------


def test_an_allowance_counts_variables_and_looks_at_samples():
    with allowance(100, "a.keras"):
        assert is_limited()
        spend((4, 5), "float32", "kernel")
        with pytest.raises(ValueError, match=r"'a.keras' declares 'w' of shape \(3, 3\): 36 bytes"):
            spend((3, 3), "float32", "w")
        check_sample((2**20, 2**20), "float32")  # which is no sample
        with sampling():
            check_sample((2**14, 2**14), "float32")
            with pytest.raises(ValueError, match="declares tensors of shape .*at most 1073741824"):
                check_sample((2**20, 2**20), "float32")
    assert not is_limited()
    spend((2**40,), "float32", "kernel")
    with sampling():
        check_sample((2**40,), "float32")


def test_large_initial_values_are_made_last_and_only_where_they_stay():
    made = []

    def counted(shape, dtype):
        made.append(shape)
        return np.full(shape, 2, dtype)

    with allowance(2**24, "a.keras"):
        small = Variable(counted, (3,))
        stays, loaded = Variable(counted, (2**19,)), Variable(counted, (2**20,))
        assert made == [(3,)] and small.numpy()[0] == 2 and stays.numpy()[0] == 0
        loaded.assign(np.ones(2**20, "float32"))
    assert made == [(3,), (2**19,)]
    assert stays.numpy()[-1] == 2 and loaded.numpy()[-1] == 1
    with pytest.raises(ValueError, match="declares"), allowance(2**24, "a.keras"):
        Variable(counted, (2**21,)), Variable(counted, (2**22,))
    with (
        pytest.raises(ValueError, match="its initial value has shape"),
        allowance(2**24, "a.keras"),
    ):
        Variable(lambda shape, dtype: np.zeros(3, dtype), (2**20,))
    assert made == [(3,), (2**19,)]


def test_an_architecture_has_the_values_that_its_layers_would_have():
    kernel = {"class_name": "GlorotUniform", "config": {"seed": 3}}
    model = models.Sequential(
        [layers.Input((700,)), layers.Dense(600, kernel_initializer=kernel, name="large")]
    )
    same = models.model_from_json(model.to_json())
    assert np.array_equal(same.layers[0].kernel, model.layers[0].kernel)


def test_a_load_that_fails_leaves_an_optimizer_that_was_never_used(tmp_path):
    trained = fuzz_files.trained(fuzz_files.small_model())
    trained.save_weights(tmp_path / "a.weights.h5")
    with h5py.File(tmp_path / "a.weights.h5", "r+") as root:
        del root["layers/dense/vars/0"]
    fresh = fuzz_files.small_model()
    before = fuzz_files._state_of(fresh)
    with pytest.raises(ValueError, match="could not be loaded"):
        fresh.load_weights(tmp_path / "a.weights.h5")
    assert fuzz_files._state_of(fresh) == before and not fresh.optimizer.built


def test_links_to_devices_are_not_opened(tmp_path):
    for target in ("/dev/zero", "/proc/self/fd"):
        (tmp_path / "a.keras").unlink(missing_ok=True)
        os.symlink(target, tmp_path / "a.keras")
        for load in (saving.load_model, model().load_weights):
            with pytest.raises(ValueError, match="a pipe or a device|a folder"):
                load(tmp_path / "a.keras")


def test_assets_that_unpack_to_far_more_than_they_are(tmp_path):
    model().save(tmp_path / "a.keras")
    items = list(mutations.members((tmp_path / "a.keras").read_bytes()).items())
    items += [(f"assets/{i}", bytes(40 << 20)) for i in range(2)]
    (tmp_path / "a.keras").write_bytes(mutations.zipped(items, zipfile.ZIP_DEFLATED))
    with pytest.raises(ValueError, match="its 2 assets of .* declare 83886080 bytes"):
        saving.load_model(tmp_path / "a.keras")


def test_a_damaged_archive_is_called_so(tmp_path):
    content = mutations.zipped([("a.txt", b"x" * 99)], zipfile.ZIP_DEFLATED)
    (tmp_path / "a.zip").write_bytes(content.replace(b"a.txt", b"b.txt", 1))
    with pytest.raises(ValueError, match="expected a whole zip archive; received a damaged one"):
        extract_archive(tmp_path / "a.zip", tmp_path / "out")


def test_a_config_of_too_many_letters():
    with pytest.raises(ValueError, match="has 33554434 characters; expected at most 33554432"):
        models.model_from_json("{" + " " * (2**25 + 1))


def test_odd_attributes_are_not_read(tmp_path):
    model().save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as root:
        del root.attrs["model_config"]
        value = np.empty(1, object)
        value[0] = np.arange(3)
        root.attrs.create("model_config", value, dtype=h5py.vlen_dtype("i4"))
    with pytest.raises(ValueError, match="'model_config' is no text and no number"):
        saving.load_model(tmp_path / "a.h5")


def test_groups_nested_too_deep(tmp_path):
    model().save_weights(tmp_path / "a.weights.h5")
    with h5py.File(tmp_path / "a.weights.h5", "r+") as root:
        group = root
        for _ in range(150):
            group = group.create_group("g")
    with pytest.raises(ValueError, match="too many groups, or too deep ones"):
        model().load_weights(tmp_path / "a.weights.h5")
