"""Names that keras.utils had."""

from __future__ import annotations

from typing import Any

from ..utils import normalize, plot_model

__all__ = ["HDF5Matrix", "multi_gpu_model", "normalize", "plot", "probas_to_classes"]

STILL_THERE = {"normalize"}
REMEDIES = {
    "HDF5Matrix": "open the file with h5py, and give its dataset to fit",
    "plot": "use plot_model",
}

plot = plot_model


def HDF5Matrix(
    datapath: Any, dataset: str, start: int = 0, end: int | None = None, normalizer: Any = None
) -> Any:
    """Rows `start` to `end` of a dataset in an HDF5 file, as an array."""
    import h5py

    with h5py.File(datapath, "r") as file:
        rows = file[dataset][start:end]
    return rows if normalizer is None else normalizer(rows)


def probas_to_classes(y_pred: Any) -> Any:
    """The most probable class of each row, or 0 and 1 of a single column."""
    return y_pred.argmax(axis=-1) if y_pred.shape[1] > 1 else (y_pred > 0.5).astype("int32")


def multi_gpu_model(*_: Any, **__: Any) -> Any:
    """NotImplementedError."""
    raise NotImplementedError("layerkit trains on one device: use the model as it is.")
