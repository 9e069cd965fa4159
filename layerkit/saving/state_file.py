"""Files of a training's state: nested plain values and arrays, with a checksum for every byte.

A zip archive, not compressed: `state.json`, and the bytes of each array, little-endian, as a member
of its own, whose dtype and shape stand in the JSON. Nothing in it can be run.
"""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO

import numpy as np

from layerkit.backend.config import require_bfloat16

from .identify import check_regular

_FORMAT = "layerkit training state"
_VERSION = 2
_INDEX = "state.json"
_ARRAY = "array"  # the key of a dict that stands for an array
_KINDS = "biufc"  # of dtypes
_BFLOAT16 = "bfloat16"  # which NumPy itself does not know
_MOST_INDEX = 2**26  # bytes of JSON


def write_state(state: dict[str, Any], file: BinaryIO) -> None:
    """Write dicts, lists, strings, numbers and arrays of numbers into the empty `file`.

    Tuples become lists. TypeError, with the place, for anything else.
    """
    import zipfile

    arrays: list[np.ndarray] = []
    content = _plain(state, "state", arrays)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        index = {"format": _FORMAT, "version": _VERSION, "state": content}
        archive.writestr(_INDEX, json.dumps(index))
        for number, array in enumerate(arrays):
            with archive.open(str(number), "w", force_zip64=True) as member:
                member.write(array.reshape(-1).view("uint8").data if array.size else b"")


def read_state(path: str) -> dict[str, Any]:
    """What `write_state` wrote. FileNotFoundError; ValueError for another or a damaged file."""
    import zipfile

    check_regular(path)
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _read(archive, path)
        except (zipfile.BadZipFile, *_OF_ZIPFILE) as error:
            raise ValueError(
                f"'{path}' is not a readable state of a training: {error}. Expected a whole file "
                "that model.save_state(filepath) wrote; it is another file, or damaged."
            ) from error


_OF_ZIPFILE = (EOFError, KeyError, NotImplementedError, OSError, RuntimeError)  # of damaged ones


def _plain(value: Any, place: str, arrays: list[np.ndarray]) -> Any:
    """`value` as JSON takes it; its arrays go into `arrays`."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain_array(np.asarray(value), place, arrays)
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{place}[{i}]", arrays) for i, item in enumerate(value)]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        items = {key: _plain(item, f"{place}[{key!r}]", arrays) for key, item in value.items()}
        return {"dict": items} if _ARRAY in items or "dict" in items else items
    raise TypeError(
        f"{place} cannot be kept in a file: expected None, numbers, strings, arrays, and lists and "
        f"dicts (by strings) of them; received {type(value).__name__}."
    )


def _plain_array(array: np.ndarray, place: str, arrays: list[np.ndarray]) -> dict[str, Any]:
    name, array = array.dtype.name, _without_bfloat16(array)
    if array.dtype.kind not in _KINDS:
        raise TypeError(
            f"{place} cannot be kept in a file: expected an array of numbers; received dtype "
            f"{array.dtype}."
        )
    array = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    arrays.append(array)
    dtype = _BFLOAT16 if name == _BFLOAT16 else array.dtype.str
    return {_ARRAY: len(arrays) - 1, "dtype": dtype, "shape": list(array.shape)}


def _without_bfloat16(array: np.ndarray) -> np.ndarray:
    return array.view("uint16") if array.dtype.name == _BFLOAT16 else array


def _read(archive: Any, path: str) -> dict[str, Any]:
    info = archive.getinfo(_INDEX)
    if info.compress_type or info.file_size > min(_MOST_INDEX, info.compress_size):
        raise KeyError(f"its {_INDEX} declares {info.file_size} bytes of {info.compress_size}")
    try:
        index = json.loads(archive.read(info))
        if index["format"] != _FORMAT:
            raise KeyError(f"it says that it is a {index['format']!r}")
        if index["version"] != _VERSION:
            raise KeyError(f"it is of version {index['version']}; this layerkit reads {_VERSION}")
        return _restored(index["state"], archive)
    except (ArithmeticError, AttributeError, RecursionError, TypeError, ValueError) as error:
        raise KeyError(f"its {_INDEX} is not what layerkit writes ({error})") from error


def _restored(value: Any, archive: Any) -> Any:
    if isinstance(value, list):
        return [_restored(item, archive) for item in value]
    if not isinstance(value, dict):
        return value
    if _ARRAY in value:
        return _restored_array(archive, value[_ARRAY], value["dtype"], value["shape"])
    items = value.get("dict", value)
    return {key: _restored(item, archive) for key, item in items.items()}


def _restored_array(archive: Any, number: int, dtype: str, shape: list[int]) -> np.ndarray:
    kind = np.dtype("<u2" if dtype == _BFLOAT16 else str(dtype))
    info = archive.getinfo(str(int(number)))
    if kind.kind not in _KINDS or any(int(n) < 0 for n in shape):
        raise ValueError(f"an array of dtype {dtype} and shape {shape}")
    if info.compress_type or info.file_size != math.prod(shape) * kind.itemsize:
        raise ValueError(f"{info.file_size} bytes for an array of dtype {dtype} and shape {shape}")
    array = np.frombuffer(bytearray(archive.read(info)), kind).reshape(shape)
    array = array.astype(kind.newbyteorder("="), copy=False)
    if dtype == _BFLOAT16:
        require_bfloat16()
        return array.view(_BFLOAT16)
    return array
