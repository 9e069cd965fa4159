"""Arrays out of pickles, without unpickling: nothing in a file names what is run.

The original files of CIFAR, IMDB and Reuters are pickles. Here a pickle may hold numbers, strings,
lists, dicts and NumPy arrays; for an array, pickles name three things of NumPy, and each stands
here for a class of this file that checks what it is given. Any other name is refused.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

MAX_BYTES = 1 << 30  # of one member of an .npz, decompressed


def load(file: IO[bytes]) -> Any:
    """What the pickle in `file` holds; strings of Python 2 are bytes.

    ValueError (expected, received) for anything but numbers, strings, lists, dicts and arrays.
    """
    try:
        return _finished(_Reader(file, encoding="bytes").load())
    except _DAMAGED as error:
        raise ValueError(f"Cannot read this pickle: {error}") from error


def load_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name, arrays of lists of numbers among them.

    ValueError for other files, and for arrays of anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                info.filename.removesuffix(".npy"): _member(archive, info)
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read as an .npz of a data set: {error}") from error


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    if info.file_size > MAX_BYTES:
        raise ValueError(f"expected at most {MAX_BYTES} bytes in {info.filename}; received more")
    file = io.BytesIO(archive.read(info))
    shape, dtype = _header(file)
    if not dtype.hasobject:
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    array = load(file)
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        raise ValueError(f"expected {info.filename} to hold an array of lists of shape {shape}")
    return array


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype from the header of an .npy file (its format's version 1 or 2)."""
    readers = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    version, _ = np.lib.format.read_magic(file)
    if version not in readers:
        raise ValueError(f"expected an .npy of version 1 or 2; received version {version}")
    shape, _, dtype = readers[version](file)
    return shape, dtype


class _Reader(pickle.Unpickler):
    """Knows the names that an array needs, and means by them what stands below."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                "expected numbers, strings, lists, dicts and NumPy arrays; received "
                f"{module}.{name}"
            ) from None

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("expected a pickle by itself; received a persistent id")


class _Dtype:
    """Stands for numpy.dtype: bools, numbers, or lists ("O"), in native or given byte order."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any, *_: Any):
        code = code.decode("latin1") if isinstance(code, bytes) else str(code)
        if code not in _CODES:
            raise pickle.UnpicklingError(f"expected a dtype of numbers or lists; received {code}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        order = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stands for an array that is being made; `finished` checks its parts and joins them."""

    __slots__ = ("parts",)

    def __setstate__(self, state: Any) -> None:
        self.parts = state

    def finished(self) -> np.ndarray:
        _, shape, dtype, fortran, content = self.parts
        if not isinstance(dtype, _Dtype) or not all(isinstance(size, int) for size in shape):
            raise pickle.UnpicklingError("expected an array's shape and dtype; received others")
        array = (_of_lists if dtype.dtype.hasobject else _of_numbers)(content, shape, dtype.dtype)
        return array.reshape(shape, order="F" if fortran else "C")


def _of_numbers(content: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    expected = math.prod(shape) * dtype.itemsize
    if not isinstance(content, bytes) or len(content) != expected:
        raise pickle.UnpicklingError(f"expected {expected} bytes for an array of shape {shape}")
    return np.frombuffer(content, dtype).astype(dtype.newbyteorder("="))


def _of_lists(content: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if not isinstance(content, list) or len(content) != math.prod(shape):
        raise pickle.UnpicklingError(f"expected {math.prod(shape)} lists for the shape {shape}")
    array = np.empty(len(content), dtype)
    for index, row in enumerate(content):
        if type(row) is not list or not set(map(type, row)) <= {int, float}:
            raise pickle.UnpicklingError("expected an array of lists of numbers; received others")
        array[index] = row
    return array


def _new_array(*_: Any) -> _Array:
    return _Array()


def _encoded(text: str, encoding: str) -> bytes:
    """What pickles of protocol 2 call for bytes: text whose characters are the bytes."""
    return text.encode("latin1")


def _array_type(*_: Any) -> Any:
    raise pickle.UnpicklingError("expected an array to be made by its own function")


def _finished(value: Any) -> Any:
    """`value` with its arrays made, and nothing else in it but plain values."""
    if isinstance(value, _Array):
        return value.finished()
    if isinstance(value, list):
        return value if set(map(type, value)) <= _PLAIN else [_finished(item) for item in value]
    if isinstance(value, dict):
        return {key: _finished(item) for key, item in value.items()}
    if type(value) in _PLAIN:
        return value
    raise pickle.UnpicklingError(f"expected plain values and arrays; received {type(value)}")


_DAMAGED = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    LookupError,
    OverflowError,
    RecursionError,
    TypeError,
)
_PLAIN = {bool, int, float, str, bytes, type(None)}
_CODES = {"O", "O4", "O8", "b1", *(f"{k}{n}" for k in "iu" for n in (1, 2, 4, 8)), "f4", "f8"}
_NAMES = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _array_type,
    ("numpy.core.multiarray", "_reconstruct"): _new_array,
    ("numpy._core.multiarray", "_reconstruct"): _new_array,
    ("_codecs", "encode"): _encoded,
}
