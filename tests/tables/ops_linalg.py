"""Rows of the products."""

from __future__ import annotations

from functools import partial

import numpy as np

from layerkit import backend as K

from .row import Op, normal

VECTOR, MATRIX, CUBE = normal(4), normal(3, 4), normal(2, 3, 4)
SQUARES = normal(2, 3, 3) + np.array([1.0, -1.0])[:, None, None] * np.eye(3)
INTEGERS = np.arange(8, dtype="int32").reshape(4, 2)


def einsum(subscripts, *operands):
    name, reference = f"einsum:{subscripts}", partial(np.einsum, subscripts)
    return Op(name, reference, list(operands), leading=(subscripts,))


def dense(x, w, b=None, activation=None):
    z = x @ w + (0 if b is None else b)
    return z if activation is None else PLAIN[activation](z)


def cubed(x):
    """An activation that no backend knows."""
    return x**3


PLAIN = {K.sigmoid: lambda z: 1 / (1 + np.exp(-z)), cubed: cubed}  # the first is fused

ROWS = [
    Op("dense", dense, [MATRIX, normal(4, 5)]),
    Op("dense:bias", dense, [CUBE, normal(4, 5), normal(5)]),
    Op("dense:sigmoid", dense, [CUBE, normal(4, 5), normal(5)], {"activation": K.sigmoid}),
    Op("dense:cubed", dense, [MATRIX, normal(4, 5), normal(5)], {"activation": cubed}),
    Op("dot", np.dot, [MATRIX, normal(4, 5)]),
    Op("dot:vectors", np.dot, [VECTOR, normal(4, seed=1)]),
    Op("dot:matrix and vector", np.dot, [MATRIX, VECTOR]),
    Op("dot:vector and matrix", np.dot, [VECTOR, normal(4, 5)]),
    Op("dot:images and matrix", np.dot, [CUBE, normal(4, 5)]),
    Op("dot:images", np.dot, [CUBE, normal(5, 4, 2)]),
    Op("dot:vector and images", np.dot, [VECTOR, normal(5, 4, 2)]),
    Op("dot:number", np.dot, [MATRIX, 2.0]),
    Op("dot:integers", np.dot, [MATRIX, INTEGERS]),
    Op("matmul", np.matmul, [MATRIX, normal(4, 5)]),
    Op("matmul:batches", np.matmul, [CUBE, normal(2, 4, 5)]),
    Op("matmul:broadcast", np.matmul, [normal(2, 1, 3, 4), normal(5, 4, 2)]),
    Op("matmul:one matrix", np.matmul, [CUBE, normal(4, 5)]),
    Op("matmul:one matrix first", np.matmul, [MATRIX, normal(2, 4, 5)]),
    Op("matmul:vectors", np.matmul, [VECTOR, normal(4, seed=1)]),
    Op("matmul:vector first", np.matmul, [VECTOR, normal(2, 4, 5)]),
    Op("matmul:vector last", np.matmul, [CUBE, VECTOR]),
    Op("tensordot", np.tensordot, [CUBE, normal(3, 4, 5)]),
    Op("tensordot:one", np.tensordot, [CUBE, normal(4, 5)], {"axes": 1}),
    Op("tensordot:none", np.tensordot, [VECTOR, normal(2, 3)], {"axes": 0}),
    Op("tensordot:pairs", np.tensordot, [CUBE, normal(4, 5, 2)], {"axes": ([0, -1], [2, 0])}),
    Op("tensordot:pair", np.tensordot, [CUBE, normal(5, 3)], {"axes": (1, 1)}),
    Op("outer", np.outer, [VECTOR, MATRIX]),
    einsum("ij,jk->ik", MATRIX, normal(4, 5)),
    einsum("ij,jk", MATRIX, normal(4, 5)),
    einsum("bij,bkj->bik", CUBE, normal(2, 5, 4)),
    einsum("ij->j", MATRIX),
    einsum("ij->", MATRIX),
    einsum("ij->ji", MATRIX),
    einsum("ij,k->k", MATRIX, normal(5)),
    einsum("i,ij,j->", normal(3), MATRIX, VECTOR),
    einsum("...ij,...jk->...ik", CUBE, normal(4, 5)),
    einsum("...i,i", CUBE, VECTOR),
    einsum("...i->...", CUBE),
    einsum("ii->i", SQUARES[0]),
    einsum("ii", SQUARES[0]),
    einsum("bii,bj->bij", SQUARES, normal(2, 4)),
    einsum("...ijij->...i", normal(2, 3, 2, 3, 2)),
    Op("slogdet", np.linalg.slogdet, [SQUARES]),
    Op("slogdet:one", np.linalg.slogdet, [SQUARES[1]]),
    einsum("bij,bjk->bik", normal(1, 3, 4), normal(2, 4, 5)),
]
