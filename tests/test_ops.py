"""Every operation, from one row of the tables: value, derivative, dtype, inputs, strides."""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tables.row import Op

from layerkit import backend as K
from layerkit.backend import tree

FAMILIES = sorted(path.stem for path in Path(__file__).parent.glob("tables/ops_*.py"))
ROWS: list[Op] = [
    row for family in FAMILIES for row in importlib.import_module(f"tables.{family}").ROWS
]


def parameters(rows: list[Op]) -> list:
    def marks(row: Op) -> list:
        return [pytest.mark.numpy_only(row.numpy_only)] if row.numpy_only else []

    return [pytest.param(row, id=str(row), marks=marks(row)) for row in rows]


def function(row: Op):
    return partial(getattr(K, row.name.split(":")[0]), *row.leading)


def cast(inputs: list, dtype: str) -> list:
    def leaf(x):
        is_float = isinstance(x, np.ndarray) and x.dtype.kind == "f"
        return x.astype(dtype) if is_float else x

    return [tree.map_structure(leaf, x) for x in inputs]


def strided(x):
    """The same values in an array that is not contiguous."""
    if not isinstance(x, np.ndarray) or not x.ndim:
        return x
    wide = np.zeros((*x.shape[:-1], x.shape[-1] * 2), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def values(result) -> list[np.ndarray]:
    return [np.asarray(y) for y in tree.flatten(result)]


@pytest.mark.parametrize("row", parameters(ROWS))
def test_value_and_dtype(row: Op):
    expected = values(row.reference(*row.inputs, **row.options))
    inputs = cast(row.inputs, "float32")
    before = [x.copy() for x in values(inputs)]
    results = values(function(row)(*inputs, **row.options))
    assert len(results) == len(expected)
    for y, reference in zip(results, expected, strict=True):
        assert y.shape == reference.shape
        if reference.dtype.kind == "f" and row.keeps_dtype:
            assert y.dtype == np.float32
        np.testing.assert_allclose(y, reference, rtol=row.tolerance, atol=row.tolerance)
    for x, old in zip(values(inputs), before, strict=True):
        np.testing.assert_array_equal(x, old)


@pytest.mark.parametrize("row", parameters(ROWS))
def test_non_contiguous_inputs(row: Op):
    expected = values(function(row)(*row.inputs, **row.options))
    inputs = [tree.map_structure(strided, x) for x in row.inputs]
    for y, reference in zip(values(function(row)(*inputs, **row.options)), expected, strict=True):
        np.testing.assert_allclose(y, reference, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("row", parameters([row for row in ROWS if row.gradient]))
def test_gradient(row: Op):
    leaves = tree.flatten(row.inputs)

    def call(*tensors):
        return function(row)(*tree.pack_sequence_as(row.inputs, tensors), **row.options)

    K.check_gradient(call, *leaves)


@pytest.mark.parametrize("row", parameters([row for row in ROWS if row.gradient]))
def test_gradient_keeps_dtype_and_inputs(row: Op):
    inputs = cast(row.inputs, "float32")
    tensors = [
        K.convert_to_tensor(x) if isinstance(x, np.ndarray) else x for x in tree.flatten(inputs)
    ]
    watched = [t for t in tensors if isinstance(t, K.Tensor) and t.dtype.kind == "f"]
    before = [t.numpy().copy() for t in watched]
    with K.GradientTape() as tape:
        tape.watch(watched)
        result = function(row)(*tree.pack_sequence_as(inputs, tensors), **row.options)
        targets = [y for y in tree.flatten(result) if y.dtype.kind == "f"]
    for t, old, g in zip(watched, before, tape.gradient(targets, watched), strict=True):
        np.testing.assert_array_equal(t.numpy(), old)
        assert g is None or (g.dtype == t.dtype and g.shape == t.shape)


def test_every_operation_has_a_row():
    tested = {row.name.split(":")[0] for row in ROWS}
    missing = sorted(set(K.OPERATIONS) - tested)
    assert not missing, f"operations without a row in tests/tables: {missing}"
