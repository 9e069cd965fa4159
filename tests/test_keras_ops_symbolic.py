"""`layerkit.ops` on symbolic tensors: shapes and dtypes are those of Keras's values."""

from __future__ import annotations

import importlib
from functools import cache, reduce
from pathlib import Path

import numpy as np
import pytest
from tables.golden_row import Row, flat

from layerkit import ops
from layerkit.symbolic import KerasTensor

# Their shapes are found by computing with zeros, of which these know no inverse.
NOT_OF_ZEROS = (
    *("cholesky", "cholesky_inverse", "inv", "solve", "solve_triangular"),
    "image.perspective_transform",
)
ROWS = [
    pytest.param(table, row, id=str(row))
    for table in ("nn", "core", "math", "linalg", "image")
    for row in importlib.import_module(f"tables.keras_ops_{table}").ROWS
    if row.function not in NOT_OF_ZEROS
]

pytestmark = pytest.mark.numpy_only("shapes are found on the host")


@cache
def golden(table: str) -> dict[str, np.ndarray]:
    return dict(np.load(Path(__file__).parent / "golden" / f"keras_ops_{table}.npz"))


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@pytest.mark.parametrize(("table", "row"), ROWS)
def test_specs_equal_keras(table: str, row: Row):
    symbols = [KerasTensor(x.shape, str(x.dtype)) for x in row.arrays()]
    function = reduce(getattr, row.function.split("."), ops)
    result = function(*row.with_arrays(symbols), **row.options)
    for i, y in enumerate(flat(tuple(result) if isinstance(result, tuple) else result)):
        expected = golden(table)[f"{row}/value{i}"]
        assert isinstance(y, KerasTensor)
        assert tuple(y.shape) == expected.shape
        assert y.dtype == expected.dtype


def test_free_axes_stay_free():
    x = KerasTensor((None, 8, 8, 3))
    assert ops.image.resize(x, (4, 5)).shape == (None, 4, 5, 3)
    assert ops.max_pool(x, 2).shape == (None, 4, 4, 3)
    assert ops.rearrange(x, "b (h p) w c -> b h w (p c)", p=2).shape == (None, 4, 8, 6)
    assert ops.shape(x) == (None, 8, 8, 3)
    assert ops.dtype(x) == "float32"
    assert ops.is_tensor(x) is False
