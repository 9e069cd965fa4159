"""What fit, evaluate and predict take, as batches: arrays, files, generators, loaders, PyDatasets.

`source_of` finds the adapter; every one is a `Source`. `Passes` cuts a source into epochs. Nothing
here knows of models.
"""

from __future__ import annotations

from typing import Any

from .arrays import Batches, split_validation
from .packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from .passes import Passes
from .py_dataset import PyDataset, PyDatasetBatches
from .source import Source, not_negative, positive
from .streams import Stream, is_stream, kind_of

_IN_A_STREAM = {"y": "the targets", "sample_weight": "the sample weights"}


def source_of(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: dict[int, float] | None = None,
    steps: int | None = None,
) -> Source:
    """The batches of whatever was given to `fit`. ValueError for what has no place beside `x`."""
    if not (isinstance(x, PyDataset) or is_stream(x)):
        return Batches(x, y, sample_weight, batch_size, shuffle, class_weight, steps)
    kind = "PyDataset" if isinstance(x, PyDataset) else kind_of(x)
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"When providing `x` as a {kind}, `{name}` should not be passed. Instead, "
                f"{_IN_A_STREAM[name]} should be included as part of the {kind}."
            )
    if batch_size is not None:
        raise ValueError(
            f"When providing `x` as a {kind}, `batch_size` should not be passed: its batches come "
            f"as they are. Received: batch_size={batch_size}"
        )
    if shuffle == "batch":
        raise ValueError(
            f"shuffle='batch' is for arrays; a {kind} makes its batches itself. Leave it out."
        )
    if isinstance(x, PyDataset):
        return PyDatasetBatches(x, bool(shuffle), class_weight)
    return Stream(x, class_weight)


__all__ = [
    "Batches",
    "Passes",
    "PyDataset",
    "PyDatasetBatches",
    "Source",
    "Stream",
    "is_stream",
    "not_negative",
    "pack_x_y_sample_weight",
    "positive",
    "source_of",
    "split_validation",
    "unpack_x_y_sample_weight",
]
