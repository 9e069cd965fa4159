"""Batches of arrays: checked, weighted, split, shuffled and cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import tree
from layerkit.backend.base import batch_rows
from layerkit.backend.random import generator
from layerkit.backend.registry import default_backend

from .class_weights import refuse_both_weights, weights_of_classes
from .packing import pack_x_y_sample_weight
from .py_dataset import PyDataset
from .rows import StoredRows, as_rows, is_text, part, to_host
from .source import Source, positive, raise_on_nan
from .streams import is_stream


class Batches(Source):
    """Arrays cut into batches of tensors: x, (x, y) or (x, y, sample_weight), as Keras packs them.

    `x`, `y`, `sample_weight`: arrays, tensors or structures of them with one length. Floats become
    `floatx`. What lies in a file or is sparse is read batch by batch, see `StoredRows`.
    `batch_size`: 32 by default, or what makes `steps` batches. With `shuffle`, every pass draws a
    new permutation from the global generator; 'batch' permutes only the rows of each batch.
    `class_weight`: {label: weight}, in place of `sample_weight`. The data should stay as it is
    while there are passes over it: a device may hold a copy (see `Backend.feeder`).
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        shuffle: bool | str = False,
        class_weight: dict[int, float] | None = None,
        steps: int | None = None,
    ):
        self.x, self.y = _as_rows("x", x), _as_rows("y", y)
        if class_weight is not None:
            if sample_weight is not None:
                refuse_both_weights()
            sample_weight = weights_of_classes(self.y, class_weight)
        self.sample_weight = _as_rows("sample_weight", sample_weight)
        _check_weights(self.y, self.sample_weight)
        self.size: int = _common_length(self.x, self.y, self.sample_weight)
        if batch_size is None:
            self.batch_size = max(1, -(-self.size // steps)) if steps else 32
        else:
            self.batch_size = positive("batch_size", batch_size)
        if not (isinstance(shuffle, (bool, np.bool_)) or shuffle == "batch"):
            raise ValueError(
                f"`shuffle` must be True, False or 'batch'. Received: shuffle={shuffle!r}"
            )
        self.shuffle = shuffle
        self.num_batches: int = len(self)
        self._feeders: dict[str, Callable[[Any], Iterator[list[Any]]]] = {}

    def __len__(self) -> int:
        return -(-self.size // self.batch_size)

    def batches_from(self, first: int) -> Iterator[Any]:
        if not self.shuffle:
            fed: Iterator[list[Any]] = islice(self._feeder()(None), first, None)
        else:
            fed = self._feeder()(self._order()[first * self.batch_size :])
        return (self._packed(arrays) for arrays in fed)

    def take(self, rows: Any) -> Any:
        """The batch of these rows (a slice or an array of indices)."""
        return self._packed([a[rows] for a in self._arrays()])

    def sample(self, with_y: bool) -> tuple[Any, str]:
        """A few rows, of labels those with the smallest and the largest; see `Source.sample`."""
        if not self.size:
            raise ValueError("The data is empty: `x` has length 0.")
        raise_on_nan("x", self.x)
        raise_on_nan("sample_weight", self.sample_weight)
        if with_y:
            raise_on_nan("y", self.y)
            _raise_on_text(self.y)
        rows = _telling_rows(self.y)
        count = len(np.arange(self.size)[rows])
        return self.take(rows), f"the shapes of {count} of the {self.size} rows, tried first"

    def _order(self) -> np.ndarray:
        if self.shuffle != "batch":
            return generator(None).permutation(self.size)
        starts = range(0, self.size, self.batch_size)
        lengths = (min(self.batch_size, self.size - start) for start in starts)
        parts = zip(starts, lengths, strict=True)
        return np.concatenate([s + generator(None).permutation(n) for s, n in parts])

    def _feeder(self) -> Callable[[Any], Iterator[list[Any]]]:
        """The default backend's; what it sends to a device stays there as long as these batches."""
        backend = default_backend()
        if backend.name not in self._feeders:
            arrays = self._arrays()
            stored = any(isinstance(a, StoredRows) or is_text(a) for a in arrays)
            feeder = self._from_host if stored else backend.feeder
            self._feeders[backend.name] = feeder(arrays, self.batch_size)
        return self._feeders[backend.name]

    def _from_host(
        self, arrays: list[Any], batch_size: int
    ) -> Callable[[Any], Iterator[list[Any]]]:
        """A feeder of what no backend takes whole: rows in files, and strings."""

        def epoch(order: Any) -> Iterator[list[Any]]:
            for rows in batch_rows(self.size, batch_size, order):
                yield [a[rows] for a in arrays]

        return epoch

    def _arrays(self) -> list[Any]:
        return [a for a in tree.flatten((self.x, self.y, self.sample_weight)) if a is not None]

    def _packed(self, arrays: list[Any]) -> Any:
        """A batch of these arrays in the places of those of `_arrays`, as tensors."""
        tensors = map(_as_tensor, arrays)
        x, y, sample_weight = (
            tree.map_structure(lambda leaf: None if leaf is None else next(tensors), part)
            for part in (self.x, self.y, self.sample_weight)
        )
        return pack_x_y_sample_weight(x, y, sample_weight)


def split_validation(
    arrays: tuple[Any, Any, Any], validation_split: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """(x, y, sample_weight) cut in two: the last `validation_split` of the rows come second."""
    if not 0 < validation_split < 1:
        raise ValueError(
            f"`validation_split` must be between 0 and 1, received: {validation_split}"
        )
    if isinstance(arrays[0], PyDataset) or is_stream(arrays[0]):
        raise ValueError(
            "Argument `validation_split` is only supported for tensors or NumPy arrays. Found "
            f"incompatible type in the input: {type(arrays[0]).__name__}. Give `validation_data`."
        )
    rows = tuple(map(_as_rows, ("x", "y", "sample_weight"), arrays))
    size = _common_length(*rows)
    border = int(np.floor(size * (1 - validation_split)))
    if border in (0, size):
        raise ValueError(
            f"Training data contains {size} samples, which is not sufficient to split it into a "
            f"validation and training set as specified by `validation_split={validation_split}`. "
            "Either provide more data, or a different value for the `validation_split` argument."
        )

    def cut(which: slice) -> tuple[Any, Any, Any]:
        def cut_leaf(leaf: Any) -> Any:
            return None if leaf is None else part(leaf, which)

        x, y, sample_weight = (tree.map_structure(cut_leaf, leaf) for leaf in rows)
        return x, y, sample_weight

    return cut(slice(0, border)), cut(slice(border, None))


def _as_rows(name: str, data: Any) -> Any:
    """A structure of rows; plain lists of numbers are one array, lists of arrays a structure.

    ValueError for other things, which tells the argument's `name`.
    """
    if data is None:
        return None
    if isinstance(data, (list, tuple)) and not data:
        return np.asarray(data, K.floatx())
    plain = isinstance(data, (list, tuple)) and not any(
        hasattr(leaf, "shape") for leaf in tree.flatten(data)
    )
    try:
        data = to_host(data) if plain else data
        return tree.map_structure(lambda leaf: None if leaf is None else as_rows(leaf), data)
    except ValueError as error:
        raise ValueError(f"{error} (This is `{name}`.)") from error


def _raise_on_text(y: Any) -> None:
    """ValueError for targets that are strings: no loss takes them."""
    for rows in tree.flatten(y):
        if rows is not None and is_text(rows):
            first = str(np.ravel(rows[:1])[0])
            raise ValueError(
                f"`y` holds strings, as {first!r}; losses need numbers. For labels from 0 use "
                "numpy.unique(y, return_inverse=True)[1], or StringLookup."
            )


def _as_tensor(rows: Any) -> Any:
    text = isinstance(rows, np.ndarray) and is_text(rows)
    return rows if text else K.convert_to_tensor(rows)


def _telling_rows(y: Any) -> Any:
    """Rows to check a data set by: the first one and, of labels, the smallest and the largest."""
    if isinstance(y, np.ndarray) and y.size == len(y):
        return np.unique([0, y.argmin(), y.argmax()])
    return slice(0, 1)


def _check_weights(y: Any, sample_weight: Any) -> None:
    """Of several outputs: one weight per row for all, or weights for each."""
    if sample_weight is None or not isinstance(y, (list, tuple, dict)):
        return
    if not isinstance(sample_weight, (list, tuple, dict)):
        if sample_weight.shape[1:] not in ((), (1,)) and len(tree.flatten(y)) > 1:
            raise ValueError(
                "For a model with multiple outputs, when providing a single `sample_weight` array, "
                "it should only have one scalar score per sample (i.e. shape `(num_samples,)`); "
                f"received shape {sample_weight.shape}. If you want to use non-scalar sample "
                "weights, pass a `sample_weight` argument with one array per model output."
            )
    elif len(tree.flatten(sample_weight)) != len(tree.flatten(y)):
        raise ValueError(
            "You should provide one `sample_weight` array per output in `y`, or None for one that "
            "has none. The two structures did not match:\n"
            f"- y: {_outline(y)}\n- sample_weight: {_outline(sample_weight)}"
        )


def _outline(data: Any) -> Any:
    return tree.map_structure(lambda leaf: None if leaf is None else leaf.shape, data)


def _common_length(x: Any, y: Any, sample_weight: Any) -> int:
    parts = {"x": x, "y": y, "sample_weight": sample_weight}
    sizes = {
        name: [len(leaf) for leaf in tree.flatten(part) if leaf is not None]
        for name, part in parts.items()
        if part is not None
    }
    lengths = {n for group in sizes.values() for n in group}
    if not lengths:
        raise ValueError(
            "Expected data: `x` is None. Give arrays, or something that gives batches."
        )
    if len(lengths) > 1:
        listed = "\n".join(f"'{name}' sizes: {_listed(group)}" for name, group in sizes.items())
        stacked = "\nA list is an array for each input: make one array of it with numpy.stack(x)."
        many = isinstance(x, list) and len(x) > 1 and len(x) in sizes.get("y", ())
        raise ValueError(
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of "
            f"samples.\n{listed}{stacked if many else ''}"
        )
    return lengths.pop()


def _listed(sizes: list[int]) -> str:
    listed = ", ".join(map(str, sizes[:5]))
    return listed if len(sizes) <= 5 else f"{listed}, ... ({len(sizes)} arrays)"
