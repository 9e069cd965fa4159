"""Rows: activations, against their textbook formulas, and far from zero."""

from __future__ import annotations

import math

import numpy as np

from .row import Op, distinct, normal


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def gelu(x, approximate=True):
    if approximate:
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def glu(x, axis=-1):
    a, b = np.split(x, 2, axis)
    return a * sigmoid(b)


def sparsemax(x, axis=-1):
    """By bisection of the threshold."""
    low, high = x.max(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


X = distinct(5, 24) + 0.013  # from -6 to 6, away from every kink
FAR = np.array([-1000.0, -50.0, 50.0, 1000.0])


def row(name, reference, x=X, options=None):
    return Op(name, reference, [x], options or {})


def limit(*values):
    return lambda x, **_: np.array(values)


def far(name, *values, options=None):
    """The values of an activation at -1000, -50, 50 and 1000: no overflow, no warning."""
    return Op(f"{name}:far", limit(*values), [FAR], options or {})


ROWS = [
    row("relu", lambda x: np.maximum(x, 0)),
    row("relu6", lambda x: np.clip(x * 2, 0, 12) / 2),
    row("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x)),
    row(
        "leaky_relu:slope",
        lambda x, negative_slope: np.where(x > 0, x, negative_slope * x),
        options={"negative_slope": 1.5},
    ),
    row("hard_sigmoid", lambda x: np.clip(x + 3, 0, 6) / 6),
    row("hard_silu", lambda x: x * np.clip(x + 3, 0, 6) / 6),
    row("hard_swish", lambda x: x * np.clip(x + 3, 0, 6) / 6),
    row("hard_tanh", lambda x: np.clip(x, -1, 1)),
    row("sparse_sigmoid", lambda x: np.clip(0.5 * (x + 1), 0, 1)),
    row(
        "sparse_plus",
        lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    ),
    row("soft_shrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0)),
    row("hard_shrink", lambda x: np.where(np.abs(x) > 0.5, x, 0)),
    row(
        "threshold",
        lambda x, threshold, default_value: np.where(x > threshold, x, default_value),
        options={"threshold": 0.6, "default_value": -2.0},
    ),
    row("sigmoid", sigmoid),
    row("log_sigmoid", lambda x: np.log(sigmoid(x))),
    row("softplus", lambda x: np.log(1 + np.exp(x))),
    row("silu", lambda x: x * sigmoid(x)),
    row("swish", lambda x: x * sigmoid(x)),
    row("mish", lambda x: x * np.tanh(np.log(1 + np.exp(x)))),
    row("elu", elu),
    row("elu:alpha", elu, options={"alpha": 0.5}),
    row("selu", lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772)),
    row(
        "celu",
        lambda x, alpha: np.where(x > 0, x, alpha * (np.exp(x / alpha) - 1)),
        options={"alpha": 2.0},
    ),
    row("gelu", gelu),
    row("gelu:exact", gelu, options={"approximate": False}),
    row("glu", glu, normal(3, 6)),
    row("glu:axis", glu, normal(4, 3), {"axis": 0}),
    row("tanh_shrink", lambda x: x - np.tanh(x)),
    row("softsign", lambda x: x / (1 + np.abs(x))),
    row("squareplus", lambda x: (x + np.sqrt(x**2 + 4)) / 2),
    row("squareplus:b", lambda x, b: (x + np.sqrt(x**2 + b)) / 2, options={"b": 2.0}),
    row("softmax", softmax, normal(3, 5)),
    row("softmax:axes", softmax, normal(3, 4, 5), {"axis": (0, 2)}),
    row("log_softmax", lambda x, axis: np.log(softmax(x, axis)), normal(3, 5), {"axis": 0}),
    row("sparsemax", sparsemax, distinct(3, 5)),
    row("sparsemax:axis", sparsemax, distinct(3, 5), {"axis": 0}),
    far("relu", 0, 0, 50, 1000),
    far("sigmoid", 0, np.exp(-50), 1, 1),
    far("log_sigmoid", -1000, -50, 0, 0),
    far("softplus", 0, 0, 50, 1000),
    far("silu", 0, 0, 50, 1000),
    far("mish", 0, 0, 50, 1000),
    far("elu", -1, -1, 50, 1000),
    far("celu", -1, -1, 50, 1000),
    far("gelu", 0, 0, 50, 1000),
    far("gelu", 0, 0, 50, 1000, options={"approximate": False}),
    far("squareplus", 0.001, 0.019992, 50.019992, 1000.001),
    far("softmax", 0, 0, 0, 1),
    far("log_softmax", -2000, -1050, -950, 0),
]
