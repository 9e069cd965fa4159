"""The IDX format (http://yann.lecun.com/exdb/mnist/), and data sets of four IDX files like MNIST.

An IDX file: two zero bytes, a byte for the type, a byte for the rank, the shape as big-endian
32-bit integers, then the values in row-major order.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .download import fetch, home, sha256_of

Split = tuple[np.ndarray, np.ndarray]

_DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_CODES = {np.dtype(name).newbyteorder("="): code for code, name in _DTYPES.items()}
_MAX_BYTES = 1 << 30
_NPZ_KEYS = ("x_train", "y_train", "x_test", "y_test")


def read_idx(path: str | Path, max_bytes: int = _MAX_BYTES) -> np.ndarray:
    """The array in an IDX file, gzipped or not (told by its content, not its name).

    ValueError for a damaged file, or one of more than `max_bytes` when decompressed.
    """
    return decode(_content(Path(path), max_bytes))


def decode(content: bytes) -> np.ndarray:
    """The array that the bytes of an IDX file stand for. ValueError for other bytes."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _DTYPES:
        raise ValueError(
            "Not an IDX file: expected two zero bytes and one of the types "
            f"{sorted(_DTYPES)} at its beginning; received {list(content[:4])}."
        )
    dtype, rank = np.dtype(_DTYPES[content[2]]), content[3]
    start = 4 + 4 * rank
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    expected = start + dtype.itemsize * math.prod(shape)
    if len(content) != expected:
        raise ValueError(
            f"Damaged IDX file: expected {expected} bytes for the shape {shape} in its header; "
            f"received {len(content)} bytes."
        )
    values = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="))


def encode(array: np.ndarray) -> bytes:
    """The bytes of the IDX file that holds `array`."""
    code = _CODES[array.dtype]
    header = bytes([0, 0, code, array.ndim])
    shape = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + shape + array.astype(_DTYPES[code]).tobytes()


class IdxFile(NamedTuple):
    """One file of a data set: its name, the shape of its uint8 array, and its hash.

    `sha256` is that of the decompressed content; `gzip_sha256` that of the compressed file, for a
    data set of which only this one is published.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str | None = None
    gzip_sha256: str | None = None

    @property
    def size(self) -> int:
        """Bytes of the decompressed file."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)

    def read(self, path: Path) -> np.ndarray:
        """The array in `path`. ValueError (expected, received) if it is not this file's."""
        if self.gzip_sha256 and _is_gzip(path):
            _check_hash("the compressed file", self.gzip_sha256, sha256_of(path))
        content = _content(path, self.size)
        if self.sha256:
            _check_hash("the decompressed content", self.sha256, _sha256(content))
        array = decode(content)
        if array.shape != self.shape or array.dtype != np.uint8:
            raise ValueError(
                f"Expected a uint8 array of shape {self.shape}; "
                f"received {array.dtype} of shape {array.shape}."
            )
        return array

    def holds(self, array: np.ndarray) -> bool:
        """Whether `array` is, to the last byte, what this file holds."""
        return array.dtype == np.uint8 and _sha256(encode(array)) == self.sha256


class IdxDataset(NamedTuple):
    """Four IDX files: training images, training labels, test images, test labels."""

    name: str
    mirrors: tuple[str, ...]
    files: tuple[IdxFile, ...]
    remedy: str

    @property
    def folder(self) -> Path:
        """Where the files are kept."""
        return home() / "datasets" / self.name

    def load(self, path: str | Path | None = None) -> tuple[Split, Split]:
        """((x_train, y_train), (x_test, y_test)) from `path`, or from the cache and the mirrors.

        path: a folder with the four files, gzipped or not, or an .npz with the arrays x_train,
            y_train, x_test, y_test. They may hold other images than the original's, of any number.
        """
        if path is None:
            return _splits([self._cached(file) for file in self.files])
        path = Path(path).expanduser()
        if path.is_dir():
            return _splits([_read_named(_find(path, file.name)) for file in self.files])
        if path.is_file():
            return _splits(read_npz(path))
        raise FileNotFoundError(
            f"`path` should be a folder of IDX files or an .npz file. Received: path={path}, which "
            f"does not exist. {self.advice()}"
        )

    def advice(self) -> str:
        """What a user without a network can do."""
        names = ", ".join(file.name for file in self.files)
        return (
            f"Without a network: put {names} (gzipped, .gz, or not) into {self.folder}, or pass "
            f"path= a folder that holds them or an .npz file{self.remedy}."
        )

    def _cached(self, file: IdxFile) -> np.ndarray:
        plain = self.folder / file.name
        if plain.is_file():  # put there by the user: a download is always gzipped
            try:
                return file.read(plain)
            except ValueError as error:
                raise ValueError(f"{plain}: {error} Delete it to download it anew.") from error
        return fetch(
            self.folder / f"{file.name}.gz",
            [f"{mirror}{file.name}.gz" for mirror in self.mirrors],
            file.read,
            max_bytes=file.size + file.size // 1000 + 1024,  # gzip never adds more
            remedy=self.advice(),
        )


def read_npz(path: Path) -> list[np.ndarray]:
    """The arrays x_train, y_train, x_test, y_test of an .npz file; never unpickles anything."""
    import zipfile
    import zlib

    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: expected an .npz file or a folder of IDX files.")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            missing = sorted(set(_NPZ_KEYS) - set(arrays.files))
            if missing:
                raise ValueError(f"expected {list(_NPZ_KEYS)}; received {arrays.files}")
            return [arrays[key] for key in _NPZ_KEYS]
    except (ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read as an .npz of a data set: {error}") from error


def _find(folder: Path, name: str) -> Path:
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    received = sorted(entry.name for entry in folder.iterdir())[:20]
    raise FileNotFoundError(f"{folder}: expected {name} or {name}.gz in it; received {received}.")


def _read_named(path: Path) -> np.ndarray:
    try:
        return read_idx(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _splits(arrays: list[np.ndarray]) -> tuple[Split, Split]:
    x_train, y_train, x_test, y_test = arrays
    for name, x, y in (("training", x_train, y_train), ("test", x_test, y_test)):
        if x.ndim < 1 or y.ndim < 1 or len(x) != len(y):
            raise ValueError(
                f"Expected as many {name} labels as {name} images; received images of shape "
                f"{x.shape} and labels of shape {y.shape}."
            )
    return (x_train, y_train), (x_test, y_test)


def _is_gzip(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _content(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file, decompressed if it is gzipped, and never more than `max_bytes`."""
    import gzip
    import zlib

    try:
        with gzip.open(path) if _is_gzip(path) else open(path, "rb") as file:
            content = file.read(max_bytes + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"Damaged gzip file: {error}.") from error
    if len(content) > max_bytes:
        raise ValueError(f"Expected at most {max_bytes} decompressed bytes; received more.")
    return content


def _sha256(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _check_hash(what: str, expected: str, received: str) -> None:
    if received != expected:
        raise ValueError(f"Expected SHA-256 {expected} of {what}; received {received}.")
