"""Files of weights, apart from legacy ones, opened as stores of arrays by the paths of the walk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from . import hdf5
from .identify import KERAS, NPZ, SHARDED, UNZIPPED
from .keras_file import read_weights_member
from .npz_file import open_npz
from .shards import open_sharded
from .weights_file import HDF5Store, Store


@contextmanager
def open_store(path: str, kind: str) -> Iterator[Store]:
    """The weights in the file at `path`, which `identify` found to be of this kind."""
    if kind == NPZ:
        with open_npz(path) as arrays:
            yield arrays
    elif kind == SHARDED:
        with open_sharded(path) as shards:
            yield shards
    else:
        inside = kind in (KERAS, UNZIPPED)
        file = read_weights_member(path) if inside else open(path, "rb")  # noqa: SIM115
        with file, hdf5.open_hdf5(file, path) as root:
            yield HDF5Store(root)
