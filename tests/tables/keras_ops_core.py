"""Rows of `keras.ops`' basic functions, those that take no functions."""

from __future__ import annotations

import numpy as np

from .golden_row import Row, distinct, normal

X = normal(4, 5)
WIDE = np.array([-3e9, -200.5, -1.0, 0.0, 0.7, 1.5, 300.0, 3e9, np.inf], "float32")
INTS = np.array([-70000, -129, -1, 0, 1, 127, 255, 70000], "int32")
PLACES = np.array([[0, 1], [3, 4], [2, 0]], "int32")
TWICE = np.array([[1], [3], [1]], "int32")

ROWS = [
    Row("cast", [X, "float16"], tolerance=2e-3),
    Row("cast:python", [X, int], gradient=False),
    Row("cast:bool", [INTS, "bool"]),
    *[Row(f"saturate_cast:{t}", [WIDE, t], gradient=False) for t in ("uint8", "int8", "int32")],
    Row("saturate_cast:float16", [np.array([-1e6, 2.5, 1e6], "float32"), "float16"]),
    *[Row(f"saturate_cast:ints to {t}", [INTS, t]) for t in ("uint8", "int8", "bool", "uint32")],
    Row("saturate_cast:ints to float16", [INTS, "float16"], tolerance=1e-3),
    Row("stop_gradient", [X], gradient=False),
    Row("unstack", [X]),
    Row("unstack:axis", [X], {"num": 5, "axis": -1}),
    Row("slice", [X, (1, 2), (2, 3)]),
    Row("slice:rest", [X, (1, 2), (-1, 2)]),
    Row("slice:moved", [X, (3, 4), (2, 2)]),
    Row("slice_update", [X, (1, 2), normal(2, 3)]),
    Row("slice_update:moved", [X, (3, 4), normal(2, 3)]),
    Row("scatter", [PLACES, normal(3)], {"shape": (4, 5)}),
    Row("scatter:added", [TWICE, normal(3, 2)], {"shape": (4, 2)}),
    Row("scatter:integers", [TWICE, np.array([1, 5, 7], "int32")], {"shape": (4,)}),
    Row("scatter_update", [X, PLACES, normal(3)]),
    Row("scatter_update:rows", [X, np.array([[3], [0]], "int32"), normal(2, 5)]),
    Row("scatter_update:add", [X, TWICE, normal(3, 5), "add"]),
    Row("scatter_update:max", [distinct(4, 5), TWICE, distinct(3, 5), "max"], gradient=False),
    Row("scatter_update:min", [distinct(4, 5), TWICE, distinct(3, 5), "MIN"], gradient=False),
    Row(
        "scatter_update:mul",
        [X, TWICE, normal(3, 5), "mul"],
        gradient=False,
        numpy_only="CuPy has no multiply.at",
    ),
    Row("scatter_update:integers", [INTS, TWICE, np.array([5, 6, 7], "int32"), "add"]),
]
