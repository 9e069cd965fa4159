"""Rows of the operations that pick elements."""

from __future__ import annotations

import numpy as np

from .row import Op, normal

X, CUBE = normal(5, 4), normal(2, 3, 4)
IDS = np.array([[0, 4, 4], [2, 0, 4]], "int32")
ALONG = np.array([[0, 3, 3], [1, 1, 0], [2, 2, 2], [0, 0, 0], [3, 2, 1]], "int32")


def getitem(name, x, key):
    return Op(f"getitem:{name}", lambda x, key: x[key], [x], {"key": key})


def one_hot(x, num_classes, axis=-1):
    return np.moveaxis(np.eye(num_classes)[x], -1, axis)


ROWS = [
    getitem("int", CUBE, 1),
    getitem("element", CUBE, (0, -1, 2)),
    getitem("slice", CUBE, slice(None, None, -1)),
    getitem("mixed", CUBE, (Ellipsis, slice(1, 3), None, 0)),
    getitem("mask", X, X[:, 0] > 0),
    getitem("whole mask", X, X > 0),
    getitem("integers", X, IDS),
    getitem("list", X, [0, 0, 3]),
    getitem("pairs", X, (np.array([0, 0, 1]), np.array([1, 1, -1]))),
    getitem("integers and slice", CUBE, (slice(None), np.array([2, 2, 0]), slice(1, None))),
    Op("take", np.take, [X, IDS]),
    Op("take:axis", np.take, [CUBE, np.array([3, 0, 0, -1])], {"axis": -1}),
    Op("take:int", np.take, [CUBE, 1], {"axis": 1}),
    Op("gather", lambda x, indices: x[indices], [X, IDS]),
    Op("take_along_axis", np.take_along_axis, [X, ALONG], {"axis": 1}),
    Op("take_along_axis:flat", np.take_along_axis, [X, IDS.ravel()], {"axis": None}),
    Op("embedding_lookup", lambda table, ids: table[ids], [X, IDS]),
    Op("one_hot", one_hot, [IDS], {"num_classes": 5}, gradient=False),
    Op("one_hot:axis", one_hot, [IDS], {"num_classes": 5, "axis": 0}, gradient=False),
]
