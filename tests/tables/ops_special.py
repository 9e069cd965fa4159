"""Rows of the special functions."""

from __future__ import annotations

import numpy as np

from .row import Op, normal

X, Y = normal(3, 4), normal(3, 4, seed=1)
POSITIVE = normal(3, 4, low=0.5)
AWAY = np.sign(X) * POSITIVE  # no zeros
INTEGERS = np.array([[1, -2, 3, 0], [5, 6, 7, 8]], "int32")
LARGE = np.array([-30.0, 0.0, 60.0])

ROWS = [
    Op("cbrt", np.cbrt, [AWAY]),
    Op("cbrt:integers", np.cbrt, [INTEGERS], gradient=False),
    Op("exp2", np.exp2, [X]),
    Op("hypot", np.hypot, [AWAY, Y]),
    Op("hypot:number", np.hypot, [X, 2]),
    Op("hypot:origin", np.hypot, [np.zeros(2), np.zeros(2)], gradient=False),
    Op("i0", np.i0, [3 * X]),
    Op("i0:large", np.i0, [LARGE]),
    Op("logaddexp", np.logaddexp, [X, 3 * Y]),
    Op("logaddexp:number", np.logaddexp, [3 * X, 0]),
    Op("logaddexp2", np.logaddexp2, [X, normal(4)]),
    Op("sinc", np.sinc, [X]),
    Op("sinc:zero", np.sinc, [np.zeros(2)]),
]
