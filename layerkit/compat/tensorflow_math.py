"""tensorflow.math."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import ops
from . import tensorflow_functions, tensorflow_names

_FUNCTIONS = {
    name: function
    for name, function in tensorflow_functions.functions().items()
    if tensorflow_functions.TABLE[name][1] in ("x", "x y", "input_tensor axis keepdims")
}
_FUNCTIONS |= tensorflow_functions.functions("math")
globals().update(_FUNCTIONS)
argmax, argmin = tensorflow_names.argmax, tensorflow_names.argmin
cumsum = tensorflow_functions.functions()["cumsum"]
l2_normalize = tensorflow_functions.functions("nn")["l2_normalize"]


class TopK(NamedTuple):
    """The largest entries and their places."""

    values: Any
    indices: Any


def top_k(input: Any, k: int = 1, sorted: bool = True) -> TopK:  # noqa: A002
    """The k largest entries along the last axis."""
    return TopK(*ops.top_k(input, k, sorted))


def confusion_matrix(labels: Any, predictions: Any, num_classes: int | None = None) -> Any:
    """int32 (classes, classes): how often a label, the row, was predicted as the column."""
    rows, columns = (np.ravel(ops.convert_to_numpy(x)).astype(int) for x in (labels, predictions))
    size = num_classes or int(max(rows.max(initial=-1), columns.max(initial=-1))) + 1
    counts = np.bincount(rows * size + columns, minlength=size * size)
    return ops.convert_to_tensor(counts.reshape(size, size).astype("int32"))


__all__ = ["argmax", "argmin", "confusion_matrix", "cumsum", "l2_normalize", "top_k", *_FUNCTIONS]
