"""Small files as Keras publishes them, and the arguments with which they are loaded.

`write` makes them; the golden script hands them to real Keras, the tests to layerkit.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import tarfile
from typing import Any

import numpy as np

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("boston_housing", {}),
    ("boston_housing", {"test_split": 0.35, "seed": 7}),
    ("boston_housing", {"test_split": 0.0}),
    ("california_housing", {}),
    ("california_housing", {"version": "small", "test_split": 0.5, "seed": 1}),
    ("cifar100", {}),
    ("cifar100", {"label_mode": "coarse"}),
    ("imdb", {}),
    ("imdb", {"num_words": 30, "skip_top": 5}),
    ("imdb", {"maxlen": 8, "seed": 3}),
    ("imdb", {"num_words": 20, "oov_char": None, "start_char": None}),
    ("imdb", {"start_char": None, "index_from": 0, "num_words": 25}),
    ("reuters", {}),
    ("reuters", {"num_words": 30, "skip_top": 5, "test_split": 0.4}),
    ("reuters", {"maxlen": 8, "seed": 3}),
    ("reuters", {"num_words": 20, "oov_char": None, "start_char": None}),
    ("reuters", {"start_char": None, "index_from": 0, "num_words": 25}),
]


def key(name: str, options: dict[str, Any]) -> str:
    return json.dumps([name, options])


def files() -> dict[str, bytes]:
    """The content of each small file, by its name in Keras's cache."""
    rng = np.random.default_rng(3)
    train, test, wires = (_texts(rng, n) for n in (12, 9, 15))
    return {
        "boston_housing.npz": _npz(x=rng.normal(size=(23, 13)), y=rng.normal(size=23)),
        "california_housing.npz": _npz(
            x=rng.normal(size=(700, 8)).astype("float32"), y=rng.integers(0, 9, 700) * 1.5
        ),
        "imdb.npz": _npz(x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1]),
        "imdb_word_index.json": '{"the": 1, "naïve": 2}'.encode(),
        "reuters.npz": _npz(x=wires[0], y=wires[1]),
        "reuters_word_index.json": b'{"oil": 1, "wheat": 2}',
        "cifar-10-batches-py-target_archive": _tar(
            {
                f"cifar-10-batches-py/{name}": _pickled_by_python_2(
                    {
                        b"batch_label": b"training batch",
                        b"labels": [int(label) for label in rng.integers(0, 10, 4)],
                        b"data": rng.integers(0, 256, (4, 3072), dtype=np.uint8),
                        b"filenames": [b"a.png", b"b.png", b"c.png", b"d.png"],
                    }
                )
                for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
            }
        ),
        "cifar-100-python-target_archive": _tar(
            {
                f"cifar-100-python/{name}": _pickled_by_python_2(
                    {
                        b"fine_labels": [int(label) for label in rng.integers(0, 100, n)],
                        b"coarse_labels": [int(label) for label in rng.integers(0, 20, n)],
                        b"data": rng.integers(0, 256, (n, 3072), dtype=np.uint8),
                    }
                )
                for name, n in (("train", 6), ("test", 3))
            }
        ),
    }


def described(splits: Any) -> list[Any]:
    """Arrays in a form that JSON can hold: lists as they are, numbers by their hash."""
    (x_train, y_train), (x_test, y_test) = splits
    return [describe(np.asarray(array)) for array in (x_train, y_train, x_test, y_test)]


def describe(array: np.ndarray) -> list[Any]:
    content = (
        [list(row) for row in array]
        if array.dtype.hasobject
        else hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    )
    return [str(array.dtype), list(array.shape), content]


def _texts(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    texts = np.empty(n, object)
    for index in range(n):
        texts[index] = [int(word) for word in rng.integers(1, 60, 3 + index % 10)]
    return texts, rng.integers(0, 2, n)


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _tar(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


class _Python2Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Writes bytes as Python 2 wrote its strings, which the originals were pickled from."""

    dispatch = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_string(self, text: bytes) -> None:
        short = len(text) < 256
        size = bytes([len(text)]) if short else struct.pack("<i", len(text))
        self.write((b"U" if short else b"T") + size + text)
        self.memoize(text)

    dispatch[bytes] = save_string


def _pickled_by_python_2(value: Any) -> bytes:
    file = io.BytesIO()
    _Python2Pickler(file, protocol=2).dump(value)
    return file.getvalue()
