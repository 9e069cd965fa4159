"""What a file is, said by its content: the formats of Keras by name, anything else by an error."""

from __future__ import annotations

import io
import os
import stat
from typing import Any

from .hdf5 import open_hdf5

KERAS, WEIGHTS, LEGACY_MODEL, LEGACY_WEIGHTS = (
    "a `.keras` model",
    "Keras weights",
    "a legacy HDF5 model",
    "legacy HDF5 weights",
)

_HDF5 = b"\x89HDF\r\n\x1a\n"
_DOWNLOAD = "Download it again, and look at the address: it must lead to the file itself."
_PICKLE = "A pickle can run any code and is never opened here: ask for a `.keras` file."
_SIGNATURES = [  # how a file begins, what that is, what to do
    (b"version https://git-lfs.github.com", "a Git LFS pointer, not the file it stands for",
     "Fetch the file with `git lfs pull`."),
    (b"PK\x03\x04", "a zip archive that is damaged or was cut off", _DOWNLOAD),
    (b"\x93NUMPY", "a NumPy array (.npy)", "Load it with np.load(path)."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"BZh", "a bzip2 archive", "Unpack it first."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first."),
    (b"\x80\x02", "a pickle", _PICKLE),
    (b"\x80\x03", "a pickle", _PICKLE),
    (b"\x80\x04", "a pickle", _PICKLE),
    (b"\x80\x05", "a pickle", _PICKLE),
]  # fmt: skip


def identify(path: str) -> str:
    """KERAS, WEIGHTS, LEGACY_MODEL or LEGACY_WEIGHTS.

    FileNotFoundError where there is no file; ValueError, which says what it is and what to do,
    for anything else. Only regular files are opened.
    """
    check_regular(path)
    with open(path, "rb") as file:
        start = file.read(512)
        file.seek(0)
        if start.startswith(_HDF5):
            with open_hdf5(file, path) as root:
                return _identify_hdf5(path, root)
        kind = _identify_zip(path, file)
    if kind is not None:
        return kind
    raise ValueError(_unsupported(path, *_recognize(start)))


def check_regular(path: str) -> None:
    """FileNotFoundError where there is nothing, ValueError for folders, pipes and devices."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        raise FileNotFoundError(
            f"File not found: filepath={path}. Please ensure the file is an accessible `.keras` "
            f"zip file or a `.weights.h5` file. The working folder is '{os.getcwd()}'."
        ) from None
    if stat.S_ISDIR(mode):
        raise ValueError(_unsupported(path, *_recognize_folder(path)))
    if not stat.S_ISREG(mode):
        raise ValueError(_unsupported(path, "a pipe or a device", "Give the path of a file."))


def _identify_hdf5(path: str, root: Any) -> str:
    if "model_config" in root.attrs:
        return LEGACY_MODEL
    if {"layer_names", "layer_names0", "nb_layers"} & set(root.attrs) or "model_weights" in root:
        return LEGACY_WEIGHTS
    if {"layers", "vars", "_layer_checkpoint_dependencies"} & set(root.keys()):
        return WEIGHTS
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
    raise ValueError(_unsupported(path, *_recognize_zip(names)))


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
    if names and all(name.endswith(".npy") for name in names):
        return "a NumPy archive (.npz)", "Load it with np.load(path), then model.set_weights(...)."
    return (
        f"a zip archive without config.json; it holds {names[:5]}",
        "Give a file that model.save('model.keras') wrote.",
    )


def _recognize(start: bytes) -> tuple[str, str]:
    if not start:
        return "an empty file", "Its writer was interrupted, or the disk was full: save it again."
    for signature, what, remedy in _SIGNATURES:
        if start.startswith(signature):
            return what, remedy
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml", b"<!--")):
        return "an HTML page: the download got a web page instead of the file", _DOWNLOAD
    if text.startswith((b"{", b"[")):
        return "a JSON text", "It holds no weights. Give the `.keras` or `.weights.h5` file."
    if start[257:262] == b"ustar":
        return "a tar archive", "Unpack it first."
    if start[8:10] == b'{"':
        return "a safetensors file", "Read it with its own library, then model.set_weights(...)."
    return (
        f"a file of another kind, which begins with {start[:8]!r}",
        "Give a file that model.save or model.save_weights wrote.",
    )


def _recognize_folder(path: str) -> tuple[str, str]:
    if os.path.exists(os.path.join(path, "saved_model.pb")):
        return (
            "a TensorFlow SavedModel folder",
            "Load it with TensorFlow and save it with model.save('model.keras').",
        )
    if os.path.exists(os.path.join(path, "config.json")):
        return (
            "an unzipped `.keras` folder",
            "Zip config.json and model.weights.h5 themselves, without their folder.",
        )
    return "a folder", "Give the path of a file."


def _unsupported(path: str, what: str, remedy: str) -> str:
    return (
        f"File format not supported: filepath={path}. Expected a `.keras` model or Keras weights "
        f"in HDF5 (`.weights.h5`); received {what}. {remedy}"
    )
