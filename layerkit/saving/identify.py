"""What a file is, said by its content: the formats of Keras by name, anything else by an error."""

from __future__ import annotations

import io
import os
import re
import stat
from typing import Any

from .hdf5 import open_hdf5
from .hdf5_structure import SIGNATURE as HDF5
from .unzipped import is_unzipped

KERAS, UNZIPPED, WEIGHTS, LEGACY_MODEL, LEGACY_WEIGHTS, SHARDED, NPZ, ARCHITECTURE, YAML = (
    "a `.keras` model",
    "an unzipped `.keras` model",
    "Keras weights",
    "a legacy HDF5 model",
    "legacy HDF5 weights",
    "sharded Keras weights",
    "weights in a NumPy archive",
    "an architecture in JSON",
    "an architecture in YAML",
)

_SSTABLE_END = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
_DOWNLOAD = "Download it again, and look at the address: it must lead to the file itself."
_PICKLE = "A pickle can run any code and is never opened here: ask for a `.keras` file."
_TENSORFLOW = "Load it with TensorFlow and save it with model.save('model.keras')."
_CHECKPOINT = (
    "Load it with TensorFlow, by model.load_weights, and save it with "
    "model.save_weights('model.weights.h5')."
)
_TENSORFLOW_JS = "Convert it with tensorflowjs_converter --output_format keras."
_OTHER_LIBRARY = "Read it with its own library, then model.set_weights(...)."
_MOST_JSON = 64 * 2**20  # bytes
_SIGNATURES = [  # how a file begins, what that is, what to do
    (b"version https://git-lfs.github.com", "a Git LFS pointer, not the file it stands for",
     "Fetch the file with `git lfs pull`."),
    (b"PK\x03\x04", "a zip archive that is damaged or was cut off", _DOWNLOAD),
    (b"\x93NUMPY", "a NumPy array (.npy)", "Load it with np.load(path)."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"BZh", "a bzip2 archive", "Unpack it first."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first."),
    (b"(\xb5/\xfd", "a zstandard archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9", "a PyTorch checkpoint", _PICKLE),
    (b"\x80\x02", "a pickle", _PICKLE),
    (b"\x80\x03", "a pickle", _PICKLE),
    (b"\x80\x04", "a pickle", _PICKLE),
    (b"\x80\x05", "a pickle", _PICKLE),
    (b"(dp0", "a pickle", _PICKLE),
    (b"(lp0", "a pickle", _PICKLE),
    (b"ccopy_reg", "a pickle", _PICKLE),
    (b"}q\x00", "a pickle", _PICKLE),
    (b"]q\x00", "a pickle", _PICKLE),
    (b"404: Not Found", "the answer of a server that has no such file", _DOWNLOAD),
    (b"/annex/objects/", "a git-annex pointer, not the file it stands for",
     "Fetch the file with `git annex get`."),
    (b"MATLAB ", "a MATLAB file", _OTHER_LIBRARY),
    (b"\x08\x01\x12", "the saved_model.pb of a TensorFlow SavedModel", _TENSORFLOW),
    (b"GGUF", "a GGUF file", _OTHER_LIBRARY),
    (b"model_checkpoint_path:", "the list of a TensorFlow checkpoint", _CHECKPOINT),
]  # fmt: skip
# How `to_yaml` began, whose keys were in order: in Keras 1 and 2, then in Keras 0.
_YAML_BEGINS = (b"backend:", b"class_name:", b"input_config:", b"layers:")


def identify(path: str) -> str:
    """KERAS, UNZIPPED, LEGACY_MODEL, WEIGHTS, LEGACY_WEIGHTS, SHARDED, NPZ, ARCHITECTURE or
    YAML.

    FileNotFoundError where there is no file; ValueError, which says what it is and what to do,
    for anything else. Only regular files are opened.
    """
    if is_unzipped(path):
        return UNZIPPED
    check_regular(path)
    with open(path, "rb") as file:
        start = file.read(512)
        file.seek(0)
        if start.startswith(HDF5):
            _check_length(path, start)
            with open_hdf5(file, path) as root:
                return _identify_hdf5(path, root)
        kind = _identify_zip(path, file)
        if kind is None and start.lstrip(_BLANK)[:1] == b"{":
            file.seek(0)
            kind = _identify_json(path, file.read(_MOST_JSON + 1))
        if start.lstrip(_BLANK).startswith(_YAML_BEGINS):
            kind = YAML
        end = b""
        if kind is None and len(start) > 48:
            file.seek(-8, os.SEEK_END)
            end = file.read()
    if kind is not None:
        return kind
    raise ValueError(_unsupported(path, *_recognize(path, start, end)))


_BLANK = b"\xef\xbb\xbf \t\r\n"


def check_regular(path: str) -> None:
    """FileNotFoundError where there is nothing, ValueError for folders, pipes and devices."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        if os.path.exists(f"{path}.index"):
            raise ValueError(_unsupported(path, "a TensorFlow checkpoint", _CHECKPOINT)) from None
        raise FileNotFoundError(
            f"File not found: filepath={path}. Please ensure the file is an accessible `.keras` "
            f"zip file or a `.weights.h5` file. The working folder is '{os.getcwd()}'."
            f"{_nearest(path)}"
        ) from None
    if stat.S_ISDIR(mode):
        raise ValueError(_unsupported(path, *_recognize_folder(path)))
    if not stat.S_ISREG(mode):
        raise ValueError(_unsupported(path, "a pipe or a device", "Give the path of a file."))


def _nearest(path: str) -> str:
    """What may have been meant where there is no file."""
    import difflib

    if os.path.islink(path):
        return f" It is a link to '{os.readlink(path)}', and there is nothing."
    home = os.path.expanduser(path)
    if home != path and os.path.exists(home):
        return f" There is '{home}': use os.path.expanduser(path)."
    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return f" There is no folder '{folder}'."
    near = difflib.get_close_matches(name, names[:10_000], n=3)
    return f" There is {_few(near)}." if near else ""


def _check_length(path: str, start: bytes) -> None:
    """ValueError for an HDF5 file that is shorter than its first bytes say."""
    size = os.path.getsize(path)
    places = {0: 40, 1: 44, 2: 28, 3: 28}  # of the length, after addresses of 8 bytes
    version = start[8] if len(start) > 8 else 0
    place = places.get(version, 0)
    whole = int.from_bytes(start[place : place + 8], "little") if place else 0
    if len(start) < 48 or size < whole:
        of = f" of {whole}" if len(start) >= 48 else ""
        raise ValueError(
            f"'{path}' is an HDF5 file that was cut off: it has {size}{of} bytes. Copy or download "
            "it again, or take an older one if its writer was interrupted."
        )


def _identify_hdf5(path: str, root: Any) -> str:
    if "model_config" in root.attrs:
        return LEGACY_MODEL
    if {"layer_names", "layer_names0", "nb_layers"} & set(root.attrs) or "model_weights" in root:
        return LEGACY_WEIGHTS
    if {"layers", "optimizer", "vars", "_layer_checkpoint_dependencies"} & set(root.keys()):
        return WEIGHTS
    if list(root.keys()) == ["graph"] and "param_0" in root["graph"]:  # of a Graph of Keras 0
        return LEGACY_WEIGHTS
    names = list(root.keys())[:5]
    remedy = f"It holds {names}: read it with h5py." if names else "Save the model again."
    raise ValueError(_unsupported(path, "an HDF5 file that Keras did not write", remedy))


def _identify_zip(path: str, file: io.BufferedReader) -> str | None:
    import zipfile

    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except Exception:  # of zipfile, which looks at damaged bytes with little care
        return None
    if "config.json" in names and "model.weights.h5" in names:
        return KERAS
    arrays = all(name.endswith(".npy") for name in names) and "arr_0.npy" not in names
    if arrays and (names or path.endswith(".npz")):
        return NPZ
    raise ValueError(_unsupported(path, *_recognize_zip(names)))


def _identify_json(path: str, text: bytes) -> str | None:
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found.get("weight_map"), dict):
        if any(str(name).endswith(".safetensors") for name in found["weight_map"].values()):
            what = "the index of a model in safetensors files"
            raise ValueError(_unsupported(path, what, _OTHER_LIBRARY))
        return SHARDED
    if "modelTopology" in found or found.get("format") == "layers-model":
        raise ValueError(_unsupported(path, "a TensorFlow.js model", _TENSORFLOW_JS))
    of_keras_0 = any(isinstance(found.get(key), list) for key in ("layers", "node_config"))
    return ARCHITECTURE if {"class_name", "config"} <= found.keys() or of_keras_0 else None


def _recognize_zip(names: list[str]) -> tuple[str, str]:
    inside = next((name for name in names if name.endswith("/config.json")), None)
    if inside:
        return (
            f"a zip archive with the model inside its folder '{inside.rpartition('/')[0]}'",
            "Zip config.json and model.weights.h5 themselves, without their folder.",
        )
    if "model.weights.npz" in names:
        return "a `.keras` model with weights as .npz", "Save it with weights_format='h5'."
    if "config.json" in names:
        return (
            "a zip archive with config.json but without model.weights.h5",
            "Save the model again with model.save('model.keras').",
        )
    if any(name.endswith("data.pkl") for name in names):
        return "a PyTorch checkpoint", _PICKLE
    model = next((name for name in names if name.endswith((".h5", ".hdf5", ".keras"))), None)
    if model:
        return f"a zip archive with '{model}' inside", "Unzip it, and give the path of that file."
    if any(name.endswith("saved_model.pb") for name in names):
        return "a zip archive with a TensorFlow SavedModel inside", _TENSORFLOW
    if names and all(name.endswith(".npy") for name in names):
        remedy = (
            "Load it by data = np.load(path); model.set_weights([data[k] for k in data.files])."
        )
        return "a NumPy archive (.npz) whose arrays have no names", remedy
    return (
        f"a zip archive without config.json; it holds {names[:5]}",
        "Give a file that model.save('model.keras') wrote.",
    )


def _recognize(path: str, start: bytes, end: bytes) -> tuple[str, str]:
    if not start:
        return "an empty file", "Its writer was interrupted, or the disk was full: save it again."
    for signature, what, remedy in _SIGNATURES:
        if start.startswith(signature):
            return what, remedy
    if HDF5.startswith(start) or b"PK\x03\x04".startswith(start):
        return f"the first {len(start)} bytes of a file that was cut off", _DOWNLOAD
    if not start.strip(b"\0"):
        return "a file that begins with nothing but zeros: its copy did not end", _DOWNLOAD
    if start[4:8] == b"TFL3":
        return (
            "a TensorFlow Lite model",
            "It cannot be turned back: ask for the model it came from.",
        )
    if path.endswith(".onnx") or start[:1] == b"\x08" and start[2:3] == b"\x12":
        return "an ONNX model", _OTHER_LIBRARY
    if path.endswith(".pb"):
        return "a graph of TensorFlow (.pb)", _TENSORFLOW
    if end == _SSTABLE_END or re.search(r"\.data-\d{5}-of-\d{5}$", path):
        return "a part of a TensorFlow checkpoint", _CHECKPOINT
    text = start.lstrip(_BLANK).lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml", b"<!--")):
        return "an HTML or XML page: the download got one instead of the file", _DOWNLOAD
    if text.startswith((b"{", b"[")):
        return "a JSON text", "It holds no weights. Give the `.keras` or `.weights.h5` file."
    if start[257:262] == b"ustar":
        return "a tar archive", "Unpack it first."
    if start[8:10] == b'{"':
        return "a safetensors file", _OTHER_LIBRARY
    return (
        f"a file of another kind, which begins with {start[:8]!r}",
        "Give a file that model.save or model.save_weights wrote.",
    )


def _recognize_folder(path: str) -> tuple[str, str]:
    if os.path.exists(os.path.join(path, "saved_model.pb")):
        return "a TensorFlow SavedModel folder", _TENSORFLOW
    try:
        names = sorted(os.listdir(path))
    except PermissionError:
        return "a folder that may not be read", "Give the path of a file."
    if is_unzipped(path):
        return "an unzipped `.keras` model", "Give the path of a file."
    if "config.json" in names:
        remedy = f"It holds {_few(names)}: give one that model.save(path, zipped=False) wrote."
        return "a folder with config.json but without model.weights.h5", remedy
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return "a folder with a TensorFlow checkpoint", _CHECKPOINT
    if "model.json" in names and any(name.endswith(".bin") for name in names):
        return "a folder with a TensorFlow.js model", _TENSORFLOW_JS
    if "_CHECKPOINT_METADATA" in names:
        return "a folder with an Orbax checkpoint", _OTHER_LIBRARY
    files = [name for name in names if name.endswith((".keras", ".h5", ".hdf5", ".weights.json"))]
    if files:
        inside = os.path.join(path, files[0])
        return f"a folder with {_few(files)} inside", f"Give the path of the file: '{inside}'."
    return "a folder", "Give the path of a file."


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(f"'{name}'" for name in names[:3]) + more


def _unsupported(path: str, what: str, remedy: str) -> str:
    return (
        f"File format not supported: filepath={path}. Expected a `.keras` or `.h5` model, or "
        f"weights (`.weights.h5`, `.weights.json`, `.npz`); received {what}. {remedy}"
    )
