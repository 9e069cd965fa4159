"""`layerkit.ops` against real Keras: values, dtypes and gradients, from the tables of its rows."""

from __future__ import annotations

import importlib
from functools import cache, reduce
from pathlib import Path

import numpy as np
import pytest
from tables.golden_row import Row, flat, weight_of

from layerkit import backend as K
from layerkit import ops

TABLES = ["nn", "core", "math", "linalg", "image"]
ROWS = [
    pytest.param(
        table,
        row,
        id=str(row),
        marks=[pytest.mark.numpy_only(row.numpy_only)] if row.numpy_only else [],
    )
    for table in TABLES
    for row in importlib.import_module(f"tables.keras_ops_{table}").ROWS
]


@cache
def golden(table: str) -> dict[str, np.ndarray]:
    return dict(np.load(Path(__file__).parent / "golden" / f"keras_ops_{table}.npz"))


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@pytest.mark.parametrize(("table", "row"), ROWS)
def test_values_dtypes_and_gradients_equal_keras(table: str, row: Row):
    expected = golden(table)
    tensors = [K.convert_to_tensor(x) for x in row.arrays()]
    watched = [tensors[i] for i in row.watched()]
    before = [x.copy() for x in row.arrays()]
    with K.GradientTape() as tape:
        tape.watch(watched)
        result = reduce(getattr, row.function.split("."), ops)(
            *row.with_arrays(tensors), **row.options
        )
    results = flat(tuple(result) if isinstance(result, tuple) else result)
    for i, y in enumerate(results):
        value = expected[f"{row}/value{i}"]
        assert K.to_numpy(y).dtype == value.dtype
        assert_close(y, value, row, f"result {i}")
    assert f"{row}/value{len(results)}" not in expected
    floats = [y for y in results if y.dtype.kind == "f"] if watched else []
    if floats:
        upstream = [weight_of(expected[f"{row}/value{i}"]) for i, y in enumerate(results)]
        upstream = [g for g, y in zip(upstream, results, strict=True) if y.dtype.kind == "f"]
        gradients = tape.gradient(floats, watched, output_gradients=upstream)
        for i, x, g in zip(row.watched(), watched, gradients, strict=True):
            of_keras = expected[f"{row}/gradient{i}"]
            g = K.zeros_like(x) if g is None else g
            assert g.dtype == x.dtype
            assert_close(g, of_keras, row, f"gradient of array {i}")
    for x, old in zip(tensors, before, strict=True):
        np.testing.assert_array_equal(x.numpy(), old)


def assert_close(y, expected, row: Row, what: str) -> None:
    np.testing.assert_allclose(
        K.to_numpy(y), expected, rtol=row.tolerance, atol=row.tolerance / 2, err_msg=what
    )
