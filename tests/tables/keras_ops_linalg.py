"""Rows of the functions of `keras.ops.linalg`."""

from __future__ import annotations

import numpy as np

from .golden_row import Row, normal

UNIT = np.eye(3, dtype="float32")
SQUARES = normal(2, 3, 3) + 2 * UNIT
DEFINITE = SQUARES @ SQUARES.swapaxes(-1, -2) + UNIT
LOW = np.tril(normal(3, 3)) + 2 * UNIT
TALL, WIDE, CUBE = normal(2, 4, 3), normal(2, 3, 4), normal(2, 3, 4, seed=1)
RANK_ONE = np.array([[1.0, 2.0], [2.0, 4.0]], "float32")


def norm(ord, **options):
    name = "-".join(map(str, [ord, *options.values()]))
    x = CUBE[0] if "axis" not in options else CUBE
    return Row(f"norm:{name}", [x], {"ord": ord, **options})


ROWS = [
    Row("cholesky", [DEFINITE]),
    Row("cholesky:upper", [DEFINITE], {"upper": True}),
    Row("cholesky_inverse", [LOW]),
    Row("cholesky_inverse:upper", [LOW.T.copy()], {"upper": True}),
    Row("det", [SQUARES]),
    Row("inv", [SQUARES]),
    Row("eigh", [DEFINITE]),
    Row("linalg.eigh", [DEFINITE[0]]),
    Row("solve", [SQUARES, normal(2, 3, 2)]),
    Row("solve:vector", [SQUARES[0], normal(3)]),
    Row("solve_triangular", [SQUARES, normal(2, 3, 2)]),
    Row("solve_triangular:lower", [SQUARES[0], normal(3)], {"lower": True}),
    Row("lu_factor", [SQUARES]),
    Row("lu_factor:tall", [TALL], gradient=False),
    Row("lu_factor:wide", [WIDE], gradient=False),
    Row("qr", [TALL]),
    Row("qr:complete", [TALL], {"mode": "complete"}, gradient=False),
    Row("svd", [SQUARES]),
    Row("svd:reduced", [TALL], {"full_matrices": False}),
    Row("svd:full", [TALL], gradient=False),
    Row("svd:values", [WIDE], {"compute_uv": False}),
    Row("lstsq", [TALL[0], normal(4, 2)]),
    Row("lstsq:vector", [TALL[0], normal(4)]),
    Row("lstsq:short", [WIDE[0], normal(3)]),
    Row("pinv", [TALL]),
    Row("pinv:rank", [RANK_ONE], gradient=False),
    Row("matrix_rank", [np.stack([UNIT, normal(3, 1) * normal(1, 3)])]),
    Row("matrix_rank:tol", [np.diag(np.array([1.0, 0.5, 1e-3], "float32"))], {"tol": 0.01}),
    norm(None),
    norm(None, axis=1),
    norm("fro"),
    norm("nuc", axis=(1, 2)),
    *[norm(ord, axis=-1) for ord in (1, 2, 3, np.inf, -np.inf)],
    Row("norm:zeros", [CUBE.round(), 0, 1], gradient=False),
    *[norm(ord, axis=(0, 2), keepdims=True) for ord in (1, -1, 2, -2, np.inf, -np.inf, "fro")],
    norm(1),
    Row("norm:integers", [np.arange(4, dtype="int32")]),
]
