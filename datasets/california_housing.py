"""California housing: 20,640 districts with 8 numbers each (Pace and Barry, 1997)."""

from __future__ import annotations

from pathlib import Path

from .house_prices import Split, check_test_split, read_table, split_table
from .keras_file import STORAGE, KerasFile

FILE = KerasFile(
    "california_housing.npz",
    f"{STORAGE}california_housing.npz",
    "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    max_bytes=8 << 20,
)
_SMALL = 600


def load_data(
    version: str = "large",
    path: str | Path = "california_housing.npz",
    test_split: float = 0.2,
    seed: int | None = 113,
) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)) of the "large" table, or the "small" one of 600 rows.

    x: floats (n, 8): median income, age of the houses, rooms and bedrooms a household, population,
    people a household, latitude, longitude; y: floats (n,), median prices in dollars.

    path: the name in Keras's folder `~/.keras/datasets` (`KERAS_HOME`), into which it is
        downloaded once and checked by SHA-256; or a path to such a file.
    test_split: the share of the test set, from 0 to below 1.
    seed: of the order of the districts.

    Raises DownloadError (a ConnectionError) if it cannot be reached, ValueError if it is damaged
    or for another `version` or `test_split`.
    """
    check_test_split(test_split)
    if version not in ("small", "large"):
        raise ValueError(
            f"Argument `version` must be one of 'small', 'large'. Received: version={version}"
        )
    x, y = read_table(FILE.locate(path))
    rows = slice(_SMALL if version == "small" else None)
    return split_table(x[rows], y[rows], test_split, seed)
