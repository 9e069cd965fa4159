"""Rows of finding and counting."""

from __future__ import annotations

import numpy as np

from .row import Op, distinct, normal

X, CUBE = normal(3, 4), distinct(2, 3, 4)
IDS = np.array([[0, 4, 4], [2, 0, 4]], "int32")
EDGES = np.array([-1.0, 0.0, 0.5])


def found(name, reference, *inputs, **options):
    return Op(name, reference, list(inputs), options, gradient=False)


def rows_of_counts(x, weights):
    return np.stack([np.bincount(row, w, 7) for row, w in zip(x, weights, strict=True)])


ROWS = [
    # The order within the parts is the array module's own: of three with the middle one in its
    # place there is no choice.
    found("argpartition", np.argpartition, distinct(2, 3), kth=1),
    found("argpartition:axis", np.argpartition, distinct(3, 4), kth=1, axis=0),
    found("argpartition:all", np.argpartition, distinct(1, 3), kth=1, axis=None),
    found("bincount", np.bincount, IDS[0]),
    found("bincount:longer", np.bincount, IDS[0], minlength=7),
    Op("bincount:weights", np.bincount, [IDS[0], normal(3)]),
    Op(
        "bincount:rows",
        lambda x, w, minlength: rows_of_counts(x, w),
        [IDS, normal(2, 3)],
        {"minlength": 7},
    ),
    found("digitize", np.digitize, X, EDGES),
    found("isin", np.isin, IDS, np.array([4, 7])),
    found("isin:not", np.isin, IDS, np.array([4, 7]), invert=True),
    found("isin:floats", np.isin, X, X[1]),
    found("isin:bools", np.isin, X > 0, np.array([True])),
    found("isin:nothing", np.isin, IDS, np.zeros((0,))),
    found("isin:number", np.isin, 4, IDS),
    found("nonzero", np.nonzero, IDS),
    found("searchsorted", np.searchsorted, EDGES, X),
    found("searchsorted:right", np.searchsorted, EDGES, np.array([0.0, 2.0]), side="right"),
    found("searchsorted:number", np.searchsorted, EDGES, 0.2),
    found("unique", np.unique, IDS),
    found("unique:indices", np.unique, IDS, return_index=True, return_inverse=True),
    found("unique:counts", np.unique, IDS, return_counts=True),
    found(
        "unique:axis", np.unique, np.array([[1, 2], [0, 5], [1, 2]]), return_inverse=True, axis=0
    ),
]
