"""Rows of the element by element operations."""

from __future__ import annotations

import math

import numpy as np

from .row import Op, distinct, normal

X, Y = normal(3, 4), normal(3, 4, seed=1)
POSITIVE = normal(3, 4, low=0.5)
AWAY = np.sign(X) * POSITIVE  # no zeros, no kink within a step
INSIDE = np.tanh(X) * 0.9
INTEGERS = np.array([[1, -2, 3, 0], [5, 6, 7, 8], [0, 0, 1, 2]], "int32")
OTHERS = np.array([3, 2, 1, 4], "int32")
SPECIAL = np.array([1.0, np.nan, np.inf, -np.inf, 0.0])
TRUE, FALSE = np.array([True, False, True]), np.array([True, True, False])


def largest_to_zero(x, nan=0.0, posinf=None, neginf=None):
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


ROWS = [
    Op("add", np.add, [X, Y]),
    Op("add:broadcast", np.add, [X, normal(4)]),
    Op("add:broadcast both", np.add, [normal(3, 1), normal(1, 4)]),
    Op("add:number", np.add, [X, 2.5]),
    Op("add:scalar", np.add, [np.array(1.5), X]),
    Op("subtract", np.subtract, [X, Y]),
    Op("subtract:reflected", np.subtract, [1.0, X]),
    Op("multiply", np.multiply, [X, Y]),
    Op("multiply:broadcast", np.multiply, [normal(2, 1, 4), normal(3, 1)]),
    Op("multiply:integers", np.multiply, [INTEGERS, X]),
    Op("divide", np.divide, [X, AWAY]),
    Op("divide:number", np.divide, [2.0, AWAY]),
    Op("divide:integers", np.divide, [INTEGERS, 4], gradient=False),
    Op("true_divide", np.true_divide, [X, AWAY]),
    Op("floor_divide", np.floor_divide, [X, 0.7], gradient=False),
    Op("mod", np.mod, [X, POSITIVE]),
    Op("mod:negative", np.mod, [X, -0.7]),
    Op("power", np.power, [POSITIVE, Y]),
    Op("power:square", np.power, [X, 2]),
    Op("power:one", np.power, [POSITIVE, 1.0]),
    Op("power:zero", np.power, [X, 0]),
    Op("power:cube", np.power, [X, np.array([1.0, 2.0, 3.0, 0.0])[None].astype("int32")]),
    Op("power:base", np.power, [2.0, X]),
    Op("negative", np.negative, [X]),
    Op("abs", np.abs, [AWAY]),
    Op("absolute", np.abs, [AWAY]),
    Op("sign", np.sign, [SPECIAL[[0, 2, 3, 4]]], gradient=False),
    Op("square", np.square, [X]),
    Op("reciprocal", np.reciprocal, [AWAY]),
    Op("sqrt", np.sqrt, [POSITIVE]),
    Op("rsqrt", lambda x: 1 / np.sqrt(x), [POSITIVE]),
    Op("exp", np.exp, [X]),
    Op("exp:integers", np.exp, [INTEGERS], gradient=False, tolerance=1e-3),
    Op("expm1", np.expm1, [X]),
    Op("log", np.log, [POSITIVE]),
    Op("log1p", np.log1p, [POSITIVE]),
    Op("log2", np.log2, [POSITIVE]),
    Op("log10", np.log10, [POSITIVE]),
    Op("erf", np.vectorize(math.erf), [3 * X], tolerance=5e-7),
    Op("sin", np.sin, [X]),
    Op("cos", np.cos, [X]),
    Op("tan", np.tan, [INSIDE]),
    Op("arcsin", np.arcsin, [INSIDE]),
    Op("arccos", np.arccos, [INSIDE]),
    Op("arctan", np.arctan, [X]),
    Op("arctan2", np.arctan2, [X, AWAY]),
    Op("sinh", np.sinh, [X]),
    Op("cosh", np.cosh, [X]),
    Op("tanh", np.tanh, [X]),
    Op("arcsinh", np.arcsinh, [X]),
    Op("arccosh", np.arccosh, [POSITIVE + 1]),
    Op("arctanh", np.arctanh, [INSIDE]),
    Op("maximum", np.maximum, [distinct(3, 4), distinct(3, 4, seed=1) + 0.05]),
    Op("maximum:number", np.maximum, [AWAY, 0]),
    Op("minimum", np.minimum, [distinct(3, 4), distinct(3, 4, seed=1) + 0.05]),
    Op("minimum:number", np.minimum, [0.0, AWAY]),
    Op("clip", np.clip, [distinct(3, 4), -0.33, 0.33]),
    Op("clip:tensors", np.clip, [distinct(3, 4), np.full(4, -0.33), np.full((3, 1), 0.33)]),
    Op("where", np.where, [X > 0, X, Y]),
    Op("where:number", np.where, [X > 0, X, 0.0]),
    Op("where:broadcast", np.where, [X > 0, normal(4), normal(3, 1)]),
    Op("where:numbers", np.where, [X > 0, 1.0, 0], gradient=False),
    Op("where:condition alone", np.where, [X > 0], gradient=False),
    Op("nan_to_num", largest_to_zero, [SPECIAL], {"posinf": 9.0, "neginf": -9.0}, gradient=False),
    Op("nan_to_num:finite", largest_to_zero, [X]),
    Op("cast", lambda x, dtype: x.astype(dtype), [X], {"dtype": "float64"}, keeps_dtype=False),
    Op("cast:integer", lambda x, dtype: x.astype(dtype), [X], {"dtype": "int32"}, gradient=False),
    Op("stop_gradient", lambda x: x, [X], gradient=False),
    Op("round", np.round, [X], {"decimals": 1}, gradient=False),
    Op("floor", np.floor, [X], gradient=False),
    Op("ceil", np.ceil, [X], gradient=False),
    Op("equal", np.equal, [INTEGERS, OTHERS], gradient=False),
    Op("not_equal", np.not_equal, [INTEGERS, OTHERS], gradient=False),
    Op("less", np.less, [X, 0.1], gradient=False),
    Op("less_equal", np.less_equal, [INTEGERS, OTHERS], gradient=False),
    Op("greater", np.greater, [X, Y], gradient=False),
    Op("greater_equal", np.greater_equal, [INTEGERS, 2], gradient=False),
    Op("logical_and", np.logical_and, [TRUE, FALSE], gradient=False),
    Op("logical_or", np.logical_or, [TRUE, FALSE], gradient=False),
    Op("logical_xor", np.logical_xor, [TRUE, FALSE], gradient=False),
    Op("logical_not", np.logical_not, [INTEGERS], gradient=False),
    Op("bitwise_and", np.bitwise_and, [INTEGERS, OTHERS], gradient=False),
    Op("bitwise_or", np.bitwise_or, [INTEGERS, 1], gradient=False),
    Op("bitwise_xor", np.bitwise_xor, [TRUE, FALSE], gradient=False),
    Op("bitwise_not", np.bitwise_not, [TRUE], gradient=False),
    Op("isnan", np.isnan, [SPECIAL], gradient=False),
    Op("isinf", np.isinf, [SPECIAL], gradient=False),
    Op("isfinite", np.isfinite, [SPECIAL], gradient=False),
    Op("isclose", np.isclose, [SPECIAL, SPECIAL + 1e-4], {"atol": 1e-3}, gradient=False),
]
