"""Rows: what batches are cut from. Arrays in memory, and such as are read where they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor


class StoredRows:
    """Rows that are read when a batch asks for them: of HDF5 files, memory maps, sparse matrices.

    `source` has a `shape`, a `dtype`, and gives rows by slices or by ascending arrays of indices.
    What is read comes as a NumPy array, floats as `floatx`. `first` and `last` cut a part.
    """

    def __init__(self, source: Any, first: int = 0, last: int | None = None):
        self._source = source
        self._first = first
        length = source.shape[0]
        self._last = length if last is None else last
        self.shape = (self._last - first, *source.shape[1:])
        floats = np.dtype(source.dtype).kind == "f"
        self.dtype = np.dtype(K.floatx() if floats else source.dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            return self._read(slice(self._first + start, self._first + stop))
        rows = np.asarray(rows)
        order = np.argsort(rows)  # files are read in one direction
        read = self._read(self._first + rows[order])
        result = np.empty_like(read)
        result[order] = read
        return result

    def part(self, rows: slice) -> StoredRows:
        """These rows, still where they lie."""
        start, stop, _ = rows.indices(len(self))
        return StoredRows(self._source, self._first + start, self._first + stop)

    def _read(self, rows: Any) -> np.ndarray:
        read = self._source[rows]
        read = read.toarray() if hasattr(read, "toarray") else np.asarray(read)
        return read.astype(self.dtype, copy=False)


def as_rows(x: Any) -> Any:
    """`x` as a NumPy array, or as StoredRows where it lies elsewhere; floats as `floatx`.

    ValueError for what are no numbers, or has no batch axis.
    """
    if hasattr(x, "tocsr"):  # a sparse matrix of SciPy
        return _checked(StoredRows(x.tocsr()), x)
    if _is_stored(x) and len(x.shape):
        return _checked(StoredRows(x), x)
    return _checked(to_host(x), x)


def as_array(x: Any) -> np.ndarray:
    """`x` as a NumPy array, wherever it lies; see `as_rows`."""
    return _checked(x.toarray() if hasattr(x, "toarray") else to_host(x), x)


def part(rows: Any, which: slice) -> Any:
    """Some of the rows that `as_rows` gave."""
    return rows.part(which) if isinstance(rows, StoredRows) else rows[which]


def to_host(x: Any) -> np.ndarray:
    """The values of a tensor of whichever library, a pandas object, numbers in lists."""
    if isinstance(x, Tensor) or K.is_array(x):
        return np.asarray(K.to_numpy(x))
    if hasattr(x, "to_numpy"):  # a pandas object; a Series is one column, as in Keras
        values = x.to_numpy()
        return values[:, None] if values.ndim == 1 else values
    if hasattr(x, "detach"):  # a tensor of PyTorch
        x = x.detach().cpu()
    try:
        return np.asarray(x)
    except ValueError:
        raise ValueError(
            "Expected rows of one length; received lists of different lengths. Pad them, as with "
            "utils.pad_sequences."
        ) from None


def _is_stored(x: Any) -> bool:
    """Whether `x` is an array in a file; those of HDF5 and Zarr have chunks."""
    if isinstance(x, np.memmap):
        return True
    if isinstance(x, Tensor) or K.is_array(x) or hasattr(x, "to_numpy"):
        return False
    is_array = hasattr(x, "shape") and hasattr(x, "dtype") and hasattr(x, "__getitem__")
    return is_array and (hasattr(x, "chunks") or not hasattr(x, "__array__"))


def is_text(rows: Any) -> bool:
    """Whether rows are strings, which stay NumPy arrays in a batch: layers of texts take them."""
    if rows.dtype != object:
        return rows.dtype.kind in "US"
    return all(isinstance(item, (str, bytes)) for item in np.ravel(rows))


def is_strings(x: Any) -> bool:
    """Whether `x` is a NumPy array of strings."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "OSU" and is_text(x)


def _checked(rows: Any, x: Any) -> Any:
    if rows.dtype.kind not in "biuf" and not (rows.shape and is_text(rows)):
        raise ValueError(
            f"Unrecognized data type: expected arrays of numbers, or of strings; received "
            f"{type(x).__name__} with dtype {rows.dtype}.{_remedy(rows, x)}"
        )
    if not rows.shape:
        raise ValueError(f"Expected arrays with a batch axis; received the scalar {rows}.")
    wrong_float = rows.dtype.kind == "f" and rows.dtype != K.floatx()
    return rows.astype(K.floatx()) if wrong_float else rows


def _remedy(rows: Any, x: Any) -> str:
    """What to do about `x`, whose rows are neither numbers nor strings."""
    if isinstance(x, (str, bytes)):
        return " Read the file first, as with numpy.load or pandas.read_csv."
    if callable(x):
        return " Call the function: give what it returns."
    if hasattr(x, "columns"):
        wrong = [name for name, dtype in x.dtypes.items() if dtype.kind not in "biuf"]
        return f" The columns {wrong} hold no numbers: encode them or leave them out."
    if rows.dtype.kind in "mM":
        return " Make numbers of dates, as days since the first one."
    kinds = sorted({type(item).__name__ for item in np.ravel(rows)[:100]})
    if all(np.ndim(item) for item in np.ravel(rows)):
        return f" It holds {' and '.join(kinds)}: pad them to one length and use numpy.stack."
    return f" It holds {' and '.join(kinds)}: use x.astype('float32') where all are numbers."
