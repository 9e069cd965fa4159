"""Rows of the operations on shapes, and of the creation of tensors."""

from __future__ import annotations

import numpy as np

from .row import Op, distinct, normal

X, CUBE, MATRIX = normal(3, 4), normal(2, 3, 4), normal(4, 5)
INTEGERS = np.arange(4, dtype="int32").reshape(1, 4)
PADS = ((0, 0), (2, 1))


def top_k(x, k):
    order = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, order, axis=-1), order


def pad(x, pad_width, mode="constant", constant_values=None):
    options = {} if constant_values is None else {"constant_values": constant_values}
    return np.pad(x, pad_width, mode=mode, **options)


def reshape(x, newshape):
    return np.reshape(x, newshape)


def tile(x, repeats):
    return np.tile(x, repeats)


def unstack(x, axis=0):
    return list(np.moveaxis(x, axis, 0))


def created(name, reference, *inputs, keeps_dtype=True, **options):
    return Op(name, reference, list(inputs), options, gradient=False, keeps_dtype=keeps_dtype)


ROWS = [
    Op("shape", np.shape, [CUBE], gradient=False),
    Op("ndim", np.ndim, [CUBE], gradient=False),
    Op("size", np.size, [CUBE], gradient=False),
    Op("copy", np.copy, [CUBE]),
    Op("reshape", reshape, [CUBE], {"newshape": (4, -1)}),
    Op("reshape:scalar", reshape, [np.array(2.0)], {"newshape": (1, 1)}),
    Op("ravel", np.ravel, [CUBE]),
    Op("expand_dims", np.expand_dims, [CUBE], {"axis": -2}),
    Op("expand_dims:several", np.expand_dims, [CUBE], {"axis": (0, 3)}),
    Op("squeeze", np.squeeze, [normal(1, 3, 1)]),
    Op("squeeze:axis", np.squeeze, [normal(1, 3, 1)], {"axis": -1}),
    Op("broadcast_to", np.broadcast_to, [normal(3, 1)], {"shape": (2, 3, 4)}),
    Op("transpose", np.transpose, [CUBE]),
    Op("transpose:axes", np.transpose, [CUBE], {"axes": (1, -1, 0)}),
    Op("swapaxes", np.swapaxes, [CUBE], {"axis1": 0, "axis2": -1}),
    Op("moveaxis", np.moveaxis, [CUBE], {"source": (0, 1), "destination": (-1, 0)}),
    Op("flip", np.flip, [CUBE]),
    Op("flip:axis", np.flip, [CUBE], {"axis": (0, -1)}),
    Op("roll", np.roll, [CUBE], {"shift": 5}),
    Op("roll:axes", np.roll, [CUBE], {"shift": (1, -2), "axis": (0, 2)}),
    Op("tril", np.tril, [MATRIX], {"k": 1}),
    Op("triu", np.triu, [CUBE], {"k": -1}),
    Op("diagonal", np.diagonal, [MATRIX], {"offset": 1}),
    Op("diagonal:axes", np.diagonal, [CUBE], {"offset": -1, "axis1": 0, "axis2": 2}),
    Op("diag", np.diag, [normal(3)]),
    Op("diag:above", np.diag, [normal(3)], {"k": 2}),
    Op("diag:below", np.diag, [normal(3)], {"k": -1}),
    Op("diag:matrix", np.diag, [MATRIX], {"k": 1}),
    Op("trace", np.trace, [CUBE], {"axis1": 1, "axis2": 2}),
    Op("sort", np.sort, [distinct(2, 3, 4)], {"axis": 1}),
    Op("sort:all", np.sort, [distinct(3, 4)], {"axis": None}),
    Op("argsort", np.argsort, [distinct(2, 3, 4)], {"axis": 0}, gradient=False),
    Op("top_k", top_k, [distinct(3, 5)], {"k": 2}),
    Op("concatenate", np.concatenate, [[X, normal(2, 4), normal(1, 4, seed=2)]]),
    Op("concatenate:axis", np.concatenate, [[X, normal(3, 1)]], {"axis": -1}),
    Op("concatenate:integers", np.concatenate, [[X, INTEGERS]]),
    Op("stack", np.stack, [[X, normal(3, 4, seed=1)]]),
    Op("stack:axis", np.stack, [[X, normal(3, 4, seed=1)]], {"axis": -1}),
    Op("split", np.split, [X], {"indices_or_sections": 3}),
    Op("split:indices", np.split, [X], {"indices_or_sections": [1, 3], "axis": -1}),
    Op("unstack", unstack, [CUBE]),
    Op("unstack:axis", unstack, [CUBE], {"axis": -1}),
    Op("tile", tile, [X], {"repeats": 2}),
    Op("tile:axes", tile, [X], {"repeats": (2, 1, 3)}),
    Op("tile:few", tile, [CUBE], {"repeats": (2,)}),
    Op("repeat", np.repeat, [X], {"repeats": 2}),
    Op("repeat:axis", np.repeat, [CUBE], {"repeats": 3, "axis": -2}),
    Op("repeat:each", np.repeat, [X], {"repeats": [2, 0, 1], "axis": 0}),
    Op("pad", pad, [X], {"pad_width": 1}),
    Op("pad:constant", pad, [X], {"pad_width": PADS, "constant_values": 3.0}),
    Op("pad:pair", pad, [X], {"pad_width": (1, 2)}),
    Op("pad:reflect", pad, [X], {"pad_width": PADS, "mode": "reflect"}),
    Op("pad:symmetric", pad, [X], {"pad_width": ((3, 1), (0, 2)), "mode": "symmetric"}),
    Op("pad:edge", pad, [X], {"pad_width": PADS, "mode": "edge"}),
    Op("pad:wrap", pad, [X], {"pad_width": PADS, "mode": "wrap"}),
    Op("view", lambda x, dtype: x.view(dtype), [INTEGERS], {"dtype": "int8"}, gradient=False),
    created("zeros", np.zeros, shape=(2, 3)),
    created("ones", np.ones, shape=4),
    created("full", np.full, shape=(2,), fill_value=1.5),
    created("zeros_like", np.zeros_like, X),
    created("ones_like", np.ones_like, INTEGERS),
    created("full_like", np.full_like, X, fill_value=2),
    created("arange", np.arange, 5),
    created("arange:floats", np.arange, 1.0, 2.0, 0.25),
    created("linspace", np.linspace, 0, 1, num=5),
    created("linspace:step", np.linspace, 0.0, 1.0, num=5, endpoint=False, retstep=True),
    created("eye", np.eye, 3, 4, k=1),
    created("identity", np.identity, 3),
]
