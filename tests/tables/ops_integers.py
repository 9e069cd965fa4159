"""Rows of remainders, whole numbers and bits."""

from __future__ import annotations

import numpy as np

from .row import Op, normal

X, POSITIVE = normal(3, 4), normal(3, 4, low=0.5)
INTEGERS = np.array([[1, -2, 3, 0], [5, 6, 7, 8], [0, 0, 1, 2]], "int32")
OTHERS = np.array([3, 2, 1, 4], "int32")

ROWS = [
    Op("fmod", np.fmod, [X, POSITIVE]),
    Op("fmod:number", np.fmod, [X, -0.7]),
    Op("gcd", np.gcd, [INTEGERS, OTHERS], gradient=False),
    Op("lcm", np.lcm, [INTEGERS, OTHERS], gradient=False),
    Op("ldexp", np.ldexp, [X, OTHERS]),
    Op("ldexp:integers", np.ldexp, [INTEGERS, -OTHERS], gradient=False),
    Op("left_shift", np.left_shift, [INTEGERS, OTHERS], gradient=False),
    Op("right_shift", np.right_shift, [INTEGERS, 1], gradient=False),
    Op("nextafter", np.nextafter, [X, 1.0], gradient=False),
    Op("signbit", np.signbit, [np.append(X, -0.0)], gradient=False),
    Op("signbit:integers", np.signbit, [INTEGERS], gradient=False),
    Op("trunc", np.trunc, [3 * X], gradient=False),
    Op("trunc:integers", np.trunc, [INTEGERS], gradient=False),
]
