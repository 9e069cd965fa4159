"""Batches: arrays checked, weighted, split, shuffled and cut; nothing here knows of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import tree
from layerkit.backend.random import generator
from layerkit.backend.registry import default_backend


class Batches:
    """Arrays cut into batches of tensors: x, (x, y) or (x, y, sample_weight), as Keras packs them.

    `x`, `y`, `sample_weight`: arrays, tensors or structures of them with one length. Floats become
    `floatx`. With `shuffle`, every pass draws a new permutation from the global generator.
    `class_weight`: {label: weight}, in place of `sample_weight`. The data should stay as it is
    while there are passes over it: a device may hold a copy (see `Backend.feeder`).
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        shuffle: bool = False,
        class_weight: dict[int, float] | None = None,
    ):
        self.x = tree.map_structure(_as_array, _rows(x))
        self.y = None if y is None else tree.map_structure(_as_array, _rows(y))
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError("You cannot use `class_weight` and `sample_weight` together.")
            sample_weight = weights_of_classes(self.y, class_weight)
        self.sample_weight = (
            None if sample_weight is None else tree.map_structure(_as_array, _rows(sample_weight))
        )
        self.size = _common_length(self.x, self.y, self.sample_weight)
        self.batch_size = 32 if batch_size is None else positive("batch_size", batch_size)
        if not isinstance(shuffle, (bool, np.bool_)):
            raise ValueError(f"`shuffle` must be True or False. Received: shuffle={shuffle!r}")
        self.shuffle = shuffle
        self._feeders: dict[str, Callable[[Any], Iterator[list[Any]]]] = {}

    def __len__(self) -> int:
        return -(-self.size // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        order = generator(None).permutation(self.size) if self.shuffle else None
        for arrays in self._feeder()(order):
            yield self._packed(arrays)

    def take(self, rows: Any) -> Any:
        """The batch of these rows (a slice or an array of indices)."""
        return self._packed([a[rows] for a in self._arrays()])

    def _feeder(self) -> Callable[[Any], Iterator[list[Any]]]:
        """The default backend's; what it sends to a device stays there as long as these batches."""
        backend = default_backend()
        if backend.name not in self._feeders:
            self._feeders[backend.name] = backend.feeder(self._arrays(), self.batch_size)
        return self._feeders[backend.name]

    def _arrays(self) -> list[np.ndarray]:
        parts = (self.x, self.y, self.sample_weight)
        return [a for part in parts if part is not None for a in tree.flatten(part)]

    def _packed(self, arrays: list[Any]) -> Any:
        """A batch of these arrays in the places of those of `_arrays`, as tensors."""
        tensors = map(K.convert_to_tensor, arrays)
        x, y, sample_weight = (
            None if part is None else tree.map_structure(lambda _: next(tensors), part)
            for part in (self.x, self.y, self.sample_weight)
        )
        return pack_x_y_sample_weight(x, y, sample_weight)


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """What steps get: x, (x, y) or (x, y, sample_weight); (x,) where x itself is a list."""
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch given as x, (x,), (x, y) or (x, y, sample_weight)."""
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) > 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, "
            f"found a tuple of {len(data)}."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def split_validation(
    arrays: tuple[Any, Any, Any], validation_split: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """(x, y, sample_weight) cut in two: the last `validation_split` of the rows come second."""
    if not 0 < validation_split < 1:
        raise ValueError(
            f"`validation_split` must be between 0 and 1, received: {validation_split}"
        )
    x, y, sample_weight = (
        None if part is None else tree.map_structure(_as_array, _rows(part)) for part in arrays
    )
    size = _common_length(x, y, sample_weight)
    border = int(np.floor(size * (1 - validation_split)))
    if border in (0, size):
        raise ValueError(
            f"Training data contains {size} samples, which is not sufficient to split it into a "
            f"validation and training set as specified by `validation_split={validation_split}`. "
            "Either provide more data, or a different value for the `validation_split` argument."
        )

    def part(rows: slice) -> tuple[Any, Any, Any]:
        first, second, third = (
            None if a is None else tree.map_structure(lambda array: array[rows], a)
            for a in (x, y, sample_weight)
        )
        return first, second, third

    return part(slice(0, border)), part(slice(border, None))


def weights_of_classes(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    """One weight per row of `y` (labels, or one-hot rows); classes not named weigh 1."""
    if not isinstance(y, np.ndarray):
        raise ValueError("`class_weight` needs one array of labels `y`.")
    if not isinstance(class_weight, dict) or not all(
        isinstance(label, (int, np.integer)) for label in class_weight
    ):
        raise ValueError(
            "`class_weight` must be a dict of the weight of each label, as {0: 1.0, 1: 2.5}. "
            f"Received: class_weight={class_weight}"
        )
    if y.ndim > 1 and y.shape[-1] > 1:
        y = y.argmax(axis=-1)
    labels = np.round(y).astype("int64").reshape(len(y))
    weights = np.ones(len(labels), K.floatx())
    for label, weight in class_weight.items():
        weights[labels == label] = weight
    return weights


def raise_on_nan(name: str, arrays: Any) -> None:
    """ValueError where a float array holds NaN: how many, and where the first is."""
    for array in tree.flatten(arrays):
        if isinstance(array, np.ndarray) and array.dtype.kind == "f" and np.isnan(array.sum()):
            found = np.argwhere(np.isnan(array))
            if len(found):
                where = tuple(int(i) for i in found[0])
                raise ValueError(
                    f"`{name}` contains NaN: {len(found)} of {array.size} values, the first at "
                    f"{name}[{', '.join(map(str, where))}]. Training would turn every weight into "
                    "NaN: clean the data first (for example with np.nan_to_num)."
                )


def _rows(data: Any) -> Any:
    """Plain lists of numbers are one array; lists of arrays are a structure."""
    if isinstance(data, (list, tuple)):
        if not data:
            return np.asarray(data, K.floatx())
        if not any(hasattr(leaf, "shape") for leaf in tree.flatten(data)):
            return np.asarray(data)
    return data


def _as_array(x: Any) -> np.ndarray:
    if hasattr(x, "to_numpy"):  # a pandas object
        x = x.to_numpy()
    array = K.to_numpy(x) if K.is_array(x) else np.asarray(x)
    if array.dtype == object or array.dtype.kind not in "biuf":
        raise ValueError(
            f"Unrecognized data type: expected arrays of numbers; received {type(x).__name__} "
            f"with dtype {array.dtype}."
        )
    if not array.ndim:
        raise ValueError(f"Expected arrays with a batch axis; received the scalar {array}.")
    wrong_float = array.dtype.kind == "f" and array.dtype != K.floatx()
    return array.astype(K.floatx()) if wrong_float else array


def _common_length(x: Any, y: Any, sample_weight: Any) -> int:
    parts = {"x": x, "y": y, "sample_weight": sample_weight}
    sizes = {
        name: [len(a) for a in tree.flatten(part)]
        for name, part in parts.items()
        if part is not None
    }
    lengths = {n for group in sizes.values() for n in group}
    if len(lengths) > 1:
        listed = "\n".join(
            f"'{name}' sizes: {', '.join(map(str, group))}" for name, group in sizes.items()
        )
        raise ValueError(
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of "
            f"samples.\n{listed}"
        )
    return lengths.pop()


def positive(name: str, value: Any) -> int:
    """`value` as an int; ValueError unless it is a whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value}")
    return int(value)
