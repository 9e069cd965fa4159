"""Boston housing: 506 districts with 13 numbers each (Harrison and Rubinfeld, 1978).

One of the numbers, "B", is built on the assumption that segregation raises prices: use
`california_housing` for anything but a lesson about such data.
"""

from __future__ import annotations

from pathlib import Path

from .house_prices import Split, check_test_split, read_table, split_table
from .keras_file import STORAGE, KerasFile

FILE = KerasFile(
    "boston_housing.npz",
    f"{STORAGE}boston_housing.npz",
    "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    max_bytes=1 << 20,
)


def load_data(
    path: str | Path = "boston_housing.npz", test_split: float = 0.2, seed: int | None = 113
) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): 404 and 102 districts.

    x: float64 (n, 13); y: float64 (n,), median prices in 1000 dollars, about 5 to 50.

    path: the name in Keras's folder `~/.keras/datasets` (`KERAS_HOME`), into which 57 KB are
        downloaded once and checked by SHA-256; or a path to such a file.
    test_split: the share of the test set, from 0 to below 1.
    seed: of the order of the districts.

    Raises DownloadError (a ConnectionError) if it cannot be reached, ValueError if it is damaged
    or for another `test_split`.
    """
    check_test_split(test_split)
    return split_table(*read_table(FILE.locate(path)), test_split, seed)
