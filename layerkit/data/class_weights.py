"""Class weights: a weight by label as a weight by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K


def check_class_weight(class_weight: Any) -> None:
    """ValueError unless `class_weight` is None or a dict of the weight of each label."""
    if class_weight is not None and (
        not isinstance(class_weight, dict)
        or not all(isinstance(label, (int, np.integer)) for label in class_weight)
    ):
        raise ValueError(
            "`class_weight` must be a dict of the weight of each label, as {0: 1.0, 1: 2.5}. "
            f"Received: class_weight={class_weight}"
        )


def weights_of_classes(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    """One weight per row of `y` (labels, or one-hot rows); classes not named weigh 1."""
    check_class_weight(class_weight)
    if isinstance(y, (list, tuple, dict)) or not hasattr(y, "dtype"):
        received = "none" if y is None else f"a {type(y).__name__} of {len(y)}"
        raise ValueError(
            "`class_weight` is only supported for Models with a single output: it needs one array "
            f"of labels `y`; received {received}. Give `sample_weight` by output instead."
        )
    y = y[:]  # where it lies in a file
    if y.ndim > 1 and y.shape[-1] > 1:
        y = y.argmax(axis=-1)
    labels = np.round(y).astype("int64").reshape(len(y))
    weights = np.ones(len(labels), K.floatx())
    for label, weight in class_weight.items():
        weights[labels == label] = weight
    return weights


def refuse_both_weights() -> None:
    """The error for class and sample weights at once."""
    raise ValueError("You cannot use `class_weight` and `sample_weight` together.")
