"""Labels and vectors in the form that models take."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Integer labels (batch,) or (batch, 1) as one-hot rows (batch, num_classes) of float32.

    A tensor gives a tensor where it is, anything else an array. `num_classes`: one more than the
    largest label where None. ValueError for a label outside.
    """
    if isinstance(x, Tensor):
        labels = K.reshape(x, x.shape[:-1]) if x.ndim > 1 and x.shape[-1] == 1 else x
        num_classes = _checked(labels.numpy().astype("int64"), num_classes)
        return K.one_hot(labels, num_classes, dtype="float32")
    labels = np.asarray(x, dtype="int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    return np.eye(_checked(labels, num_classes), dtype="float32")[labels]


def _checked(labels: np.ndarray, num_classes: int | None) -> int:
    """The number of classes. ValueError for labels outside."""
    if num_classes is None:
        num_classes = int(labels.max(initial=-1)) + 1
    if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
        raise ValueError(
            f"to_categorical expects labels from 0 to {num_classes - 1}; received labels from "
            f"{labels.min()} to {labels.max()}. Number them from 0, as with y - y.min(), or raise "
            "`num_classes`."
        )
    return num_classes


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """`x` divided by its norm of that order along `axis`; all-zero vectors stay zero."""
    x = np.asarray(x)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis, keepdims=True))
    norm[norm == 0] = 1
    return x / norm
