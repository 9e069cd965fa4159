"""Rows of solving and taking apart matrices."""

from __future__ import annotations

import numpy as np

from .row import Op, normal

SQUARES = normal(2, 3, 3) + 2 * np.eye(3)
TALL, WIDE = normal(2, 4, 3), normal(2, 3, 4)
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
UNIT = np.eye(3)


def symmetric(x):
    return (x + x.swapaxes(-1, -2)) / 2


def definite(x):
    return x @ x.swapaxes(-1, -2) + UNIT


def cholesky(x, upper=False):
    low = np.linalg.cholesky(symmetric(x))
    return low.swapaxes(-1, -2) if upper else low


def solve(a, b):
    return np.linalg.solve(a, b[..., None])[..., 0] if b.ndim < a.ndim else np.linalg.solve(a, b)


def solve_triangular(a, b, lower=False):
    return solve(np.tril(a) if lower else np.triu(a), b)


def svd(x, full_matrices=True):
    return tuple(np.linalg.svd(x, full_matrices))


def lu_factor(x):
    """One matrix after the other, Doolittle's way."""
    lu = x.reshape(-1, *x.shape[-2:]).copy()
    swaps = []
    for a in lu:
        for k in range(min(a.shape)):
            swaps.append(k + np.argmax(np.abs(a[k:, k])))
            a[[k, swaps[-1]]] = a[[swaps[-1], k]]
            for i in range(k + 1, len(a)):
                a[i, k] /= a[k, k]
                a[i, k + 1 :] -= a[i, k] * a[k, k + 1 :]
    return lu.reshape(x.shape), np.array(swaps, "int32").reshape(*x.shape[:-2], min(x.shape[-2:]))


ROWS = [
    Op("inv", np.linalg.inv, [SQUARES]),
    Op("det", np.linalg.det, [SQUARES]),
    Op("det:singular", lambda x: np.float64(0), [SINGULAR]),
    Op("logdet", lambda x: np.linalg.slogdet(x)[1], [SQUARES]),
    Op("solve", solve, [SQUARES, normal(2, 3, 2)]),
    Op("solve:vectors", solve, [SQUARES, normal(2, 3)]),
    Op("solve:one matrix", solve, [SQUARES[0], normal(2, 3, 2)]),
    Op("solve_triangular", solve_triangular, [SQUARES, normal(2, 3, 2)]),
    Op("solve_triangular:lower", solve_triangular, [SQUARES, normal(2, 3)], {"lower": True}),
    Op("cholesky", cholesky, [definite(SQUARES)]),
    Op("cholesky:upper", cholesky, [definite(SQUARES[0])], {"upper": True}),
    Op("eigh", lambda x: tuple(np.linalg.eigh(symmetric(x))), [SQUARES]),
    Op("eig", lambda x: tuple(np.linalg.eig(x)), [SQUARES], gradient=False),
    Op("qr", lambda x: tuple(np.linalg.qr(x)), [TALL]),
    Op("qr:square", lambda x, mode: tuple(np.linalg.qr(x)), [SQUARES], {"mode": "complete"}),
    Op("qr:wide", lambda x: tuple(np.linalg.qr(x)), [WIDE], gradient=False),
    Op("svd", svd, [SQUARES]),
    Op("svd:tall", svd, [TALL], {"full_matrices": False}),
    Op("svd:wide", svd, [WIDE], {"full_matrices": False}),
    Op("svd:full", svd, [TALL], gradient=False),
    Op("singular_values", lambda x: np.linalg.svd(x, compute_uv=False), [TALL]),
    Op("pinv", np.linalg.pinv, [TALL]),
    Op("pinv:wide", np.linalg.pinv, [WIDE]),
    Op("pinv:rank", np.linalg.pinv, [SINGULAR], gradient=False),
    Op("lu_factor", lu_factor, [SQUARES]),
    Op("lu_factor:wide", lu_factor, [WIDE], gradient=False),
    Op("lu_factor:tall", lu_factor, [TALL[0]], gradient=False),
]
