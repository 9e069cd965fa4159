"""Labels and vectors in the form that models take."""

from __future__ import annotations

from typing import Any

import numpy as np


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Integer labels (batch,) or (batch, 1) as one-hot rows (batch, num_classes) of float32.

    `num_classes`: one more than the largest label where None. ValueError for a label outside.
    """
    labels = np.asarray(x, dtype="int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        num_classes = int(labels.max(initial=-1)) + 1
    if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
        raise ValueError(
            f"to_categorical expects labels from 0 to {num_classes - 1}; received labels from "
            f"{labels.min()} to {labels.max()}."
        )
    return np.eye(num_classes, dtype="float32")[labels]


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """`x` divided by its norm of that order along `axis`; all-zero vectors stay zero."""
    x = np.asarray(x)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis, keepdims=True))
    norm[norm == 0] = 1
    return x / norm
