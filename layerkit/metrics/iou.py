"""Intersection over union: how well predicted regions cover the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.backend import Tensor, epsilon, floatx
from layerkit.backend.allowance import spend_list
from layerkit.backend.registry import backend_of, namespace

from .metric import Metric, array, beside, tensor


class IoU(Metric):
    """The mean over `target_class_ids` of TP / (TP + FP + FN).

    `y_true` and `y_pred` hold class numbers, or scores on `axis` where `sparse_y_true` or
    `sparse_y_pred` is False. Labels outside 0 ... num_classes - 1, and `ignore_class`, do not
    count.
    """

    _direction = "up"
    _default_dtype = "int32"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(dtype, name)
        spend_list(len(target_class_ids), f"target_class_ids of {self.name}")
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Target class id {max(target_class_ids)} is out of range, which is "
                f"[0, {num_classes})."
            )
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), dtype=self.dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch of any shape; `sample_weight` has the labels' shape."""
        y_pred = array(y_pred)
        y_true = beside(y_true, y_pred)
        xp = namespace(y_pred)
        y_pred = (y_pred if self.sparse_y_pred else y_pred.argmax(axis=self.axis)).ravel()
        y_true = (y_true if self.sparse_y_true else y_true.argmax(axis=self.axis)).ravel()
        y_true, y_pred = y_true.astype("int64"), y_pred.astype("int64")
        n = self.num_classes
        counts = (y_true >= 0) & (y_true < n) & (y_pred >= 0) & (y_pred < n)
        if self.ignore_class is not None:
            counts &= y_true != self.ignore_class
        weights = counts.astype(self.dtype)
        if sample_weight is not None:
            weights = weights * beside(sample_weight, y_pred).astype(self.dtype).ravel()
        cells = xp.zeros(n * n, self.dtype)
        xp.add.at(cells, xp.where(counts, y_true * n + y_pred, 0), weights)
        self.total_cm.assign_add(cells.reshape(n, n))

    def result(self) -> Tensor:
        matrix = self.total_cm.array.astype(floatx())
        hits = matrix.diagonal()
        union = matrix.sum(axis=0) + matrix.sum(axis=1) - hits
        ids = backend_of(matrix).constant(np.asarray(self.target_class_ids))
        hits, union = hits[ids], union[ids]
        return tensor(
            (hits / (union + epsilon())).sum() / ((union > 0).sum(dtype=union.dtype) + epsilon())
        )


class BinaryIoU(IoU):
    """IoU of the two classes y_pred < threshold and y_pred >= threshold."""

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """`y_true` of 0 and 1, `y_pred` from 0 to 1."""
        super().update_state(y_true, array(y_pred) >= self.threshold, sample_weight)


class MeanIoU(IoU):
    """The mean IoU of all classes; see IoU."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(
            num_classes,
            range(num_classes),
            name,
            dtype,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
        )


class OneHotIoU(IoU):
    """IoU for one-hot y_true and scores y_pred; see IoU."""

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )


class OneHotMeanIoU(MeanIoU):
    """The mean IoU of all classes for one-hot y_true and scores y_pred; see IoU."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
