"""Tables of houses with their prices: how the two data sets of them are read and split."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

Split = tuple[np.ndarray, np.ndarray]


def check_test_split(test_split: float) -> None:
    """ValueError unless `test_split` is from 0 to below 1."""
    if not 0 <= test_split < 1:
        raise ValueError(
            f"Invalid `test_split` argument: {test_split}. It must be between 0 and 1 (exclusive "
            "of 1)."
        )


def read_table(path: Path) -> Split:
    """The arrays x and y of an .npz file; never unpickles anything."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["x"], arrays["y"]
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read as an .npz of x and y: {error}") from error


def split_table(x: np.ndarray, y: np.ndarray, test_split: float, seed: Any) -> tuple[Split, Split]:
    """The rows in the order of NumPy's `RandomState(seed)`, the last of them for testing."""
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    end = int(len(x) * (1 - test_split))
    train, test = order[:end], order[end:]
    return (x[train], y[train]), (x[test], y[test])
