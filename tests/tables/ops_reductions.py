"""Rows of the reductions."""

from __future__ import annotations

import numpy as np

from .row import Op, distinct, normal

X, CUBE = normal(3, 4), normal(2, 3, 4)
ONE_ZERO = np.array([[1.0, 0.0, 2.0], [3.0, 4.0, 5.0], [0.0, 0.0, 7.0]])
BOOLS = CUBE > 0.5
HUGE = np.array([[1000.0, 999.0], [-1000.0, -1001.0]])


def logsumexp(x, axis=None, keepdims=False):
    largest = x.max(axis=axis, keepdims=True)
    y = np.log(np.exp(x - largest).sum(axis=axis, keepdims=True)) + largest
    return y if keepdims else y.squeeze() if axis is None else y.squeeze(axis)


def moments(x, axes, keepdims=False):
    return np.mean(x, axes, keepdims=keepdims), np.var(x, axes, keepdims=keepdims)


def over_axes(name, reference, x):
    """Rows with every kind of `axis`."""
    return [
        Op(name, reference, [x]),
        Op(f"{name}:axis", reference, [x], {"axis": -1}),
        Op(f"{name}:axes", reference, [x], {"axis": (0, -1)}),
        Op(f"{name}:keepdims", reference, [x], {"axis": 1, "keepdims": True}),
        Op(f"{name}:all kept", reference, [x], {"keepdims": True}),
    ]


def norm(ord, axis=None):
    options = {"ord": ord} if axis is None else {"ord": ord, "axis": axis}
    x = normal(12, low=0.2) if axis is None else normal(3, 4, low=0.2)
    return Op(f"norm:{ord}", np.linalg.norm, [x], options)


ROWS = [
    *over_axes("sum", np.sum, CUBE),
    Op("sum:bools", np.sum, [BOOLS], gradient=False),
    Op("sum:scalar", np.sum, [np.array(2.0)]),
    *over_axes("mean", np.mean, CUBE),
    Op("mean:integers", np.mean, [np.arange(6, dtype="int32")], gradient=False),
    *over_axes("var", np.var, CUBE),
    *over_axes("std", np.std, CUBE),
    *over_axes("max", np.max, distinct(2, 3, 4)),
    Op("max:initial", np.max, [distinct(3, 4)], {"axis": 0, "initial": 0.27}),
    *over_axes("min", np.min, distinct(2, 3, 4)),
    Op("min:initial", np.min, [distinct(3, 4)], {"axis": 0, "initial": -0.27}),
    Op("max:nothing", np.max, [np.zeros((0, 3))], {"axis": 0, "initial": 1.5}, gradient=False),
    *over_axes("prod", np.prod, CUBE),
    Op("prod:zeros", np.prod, [ONE_ZERO], {"axis": 1}),
    *over_axes("logsumexp", logsumexp, CUBE),
    Op("logsumexp:huge", logsumexp, [HUGE], {"axis": 1}),
    Op("moments", moments, [CUBE], {"axes": (0, 1)}),
    Op("moments:keepdims", moments, [CUBE], {"axes": -1, "keepdims": True}),
    Op("norm", np.linalg.norm, [X]),
    Op("norm:axis", np.linalg.norm, [X], {"axis": 1, "keepdims": True}),
    Op("norm:matrix", np.linalg.norm, [CUBE], {"ord": "fro", "axis": (1, 2)}),
    norm(1),
    norm(2),
    norm(3),
    Op("norm:0", np.linalg.norm, [X * (X > 0)], {"ord": 0, "axis": 1}, gradient=False),
    norm(np.inf, axis=0),
    norm(-np.inf, axis=-1),
    Op("cumsum", np.cumsum, [X]),
    Op("cumsum:axis", np.cumsum, [CUBE], {"axis": -2}),
    Op("cumprod", np.cumprod, [X]),
    Op("cumprod:axis", np.cumprod, [CUBE], {"axis": -2}),
    Op("cumprod:zeros", np.cumprod, [ONE_ZERO], {"axis": 1}),
    Op("argmax", np.argmax, [CUBE], gradient=False),
    Op("argmax:axis", np.argmax, [CUBE], {"axis": -1, "keepdims": True}, gradient=False),
    Op("argmin", np.argmin, [CUBE], {"axis": 0}, gradient=False),
    Op("any", np.any, [BOOLS], {"axis": (0, 1)}, gradient=False),
    Op("all", np.all, [BOOLS], {"axis": 2, "keepdims": True}, gradient=False),
    Op("count_nonzero", np.count_nonzero, [BOOLS], {"axis": 1}, gradient=False),
]
