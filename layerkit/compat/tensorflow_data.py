"""tensorflow.data: its Dataset is layerkit's."""

from __future__ import annotations

from typing import Any

from ..data.dataset import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset

AUTOTUNE = -1


class experimental:
    """Names from before they moved."""

    AUTOTUNE = AUTOTUNE
    INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = INFINITE_CARDINALITY, UNKNOWN_CARDINALITY

    @staticmethod
    def cardinality(dataset: Dataset) -> Any:
        """`dataset.cardinality()`."""
        return dataset.cardinality()


__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "experimental"]
