"""Weights as a NumPy archive: arrays named by layer and variable, as 'layers/dense/kernel'.

np.load reads it without layerkit. The state of the optimizer is below 'optimizer'.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from .walk import walk
from .weights_file import load_from, names_of_variables, state_of

_SMALL = 64 * 2**20  # bytes that any array may unpack to
_RATIO = 100  # times its packed bytes that a larger one may


def write_npz(model: Any, file: BinaryIO) -> None:
    """Write all weights of `model`, and its optimizer's state, into the empty binary `file`.

    bfloat16 becomes float32, which holds the same numbers.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for path, obj in walk(model):
            state = state_of(obj)
            for name, array in zip(names_of_variables(obj, state), state.values(), strict=True):
                plain = array if array.dtype.kind in "fiub" else array.astype("float32")
                whole = f"{path}/{name}" if path else name
                with archive.open(f"{whole}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, plain, allow_pickle=False)


def read_npz(model: Any, path: str, skip_mismatch: bool = False) -> None:
    """Load what `write_npz` wrote, as `weights_file.read_weights` does."""
    with open_npz(path) as store:
        load_from(model, store, path, skip_mismatch)


@contextmanager
def open_npz(path: str) -> Iterator[NpzStore]:
    """The archive at `path`, open for reading. ValueError where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield NpzStore(archive, path)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError) as error:
        raise ValueError(
            f"'{path}' is not a readable NumPy archive (.npz): {error}. It is damaged: copy or "
            "download it again."
        ) from error


class NpzStore:
    """The arrays of an archive by the paths of the walk."""

    def __init__(self, archive: zipfile.ZipFile, path: str):
        self._groups: dict[str, dict[str, NpzArray]] = {}
        for info in archive.infolist():
            group, _, name = info.filename.removesuffix(".npy").rpartition("/")
            self._groups.setdefault(group, {})[name] = _array(archive, info, path)

    def arrays_at(self, path: str) -> dict[str, Any]:
        return dict(self._groups.get(path, {}))

    def shapes(self) -> dict[str, list[tuple[int, ...]]]:
        return {path: [array.shape for array in own.values()] for path, own in self._groups.items()}


@dataclass
class NpzArray:
    """An array of an archive, with what is asked of an HDF5 dataset; read by `array[()]`."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo
    shape: tuple[int, ...]
    dtype: np.dtype
    attrs: dict[str, Any] = field(default_factory=dict)
    chunks: None = None  # it is one piece

    @property
    def name(self) -> str:
        return self.info.filename.removesuffix(".npy")

    @property
    def id(self) -> NpzArray:
        return self

    def get_storage_size(self) -> int:
        """Bytes in the file."""
        return self.info.compress_size

    def __getitem__(self, _: Any) -> np.ndarray:
        with self.archive.open(self.info) as member:
            return np.lib.format.read_array(member, allow_pickle=False)


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str) -> NpzArray:
    """An array by its header. ValueError for what only an attacker, or not NumPy, makes."""
    try:
        with archive.open(info) as member:
            version = np.lib.format.read_magic(member)
            header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, _, dtype = header(member)
            start = member.tell()
    except Exception as error:  # NumPy looks at damaged headers with little care
        raise ValueError(
            f"'{path}' is no archive of plain arrays: its member '{info.filename}' cannot be read: "
            f"{error}. Save the weights again with model.save_weights('x.npz')."
        ) from None
    declared = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if declared > max(_SMALL, _RATIO * info.compress_size) or declared > info.file_size - start:
        raise ValueError(
            f"Refused to read '{path}': its member '{info.filename}' of {info.compress_size} bytes "
            f"declares {declared} bytes. Do not trust this file."
        )
    return NpzArray(archive, info, shape, dtype)
