"""Rows of the functions beside erf."""

from __future__ import annotations

import math

import numpy as np

from .row import Op

LARGE = np.array([-8.0, 5.5, 9.0, 27.5])


def erfc(x):
    return np.vectorize(math.erfc)(x)


ROWS = [
    Op("erfc", erfc, [np.linspace(-3, 3, 13)]),
    Op("erfc:large", lambda x: np.where(x < 9.2, erfc(x), 0), [LARGE], tolerance=1e-6),
    Op("erfinv", lambda x: Y, [np.vectorize(math.erf)(Y := np.linspace(-1.4, 1.5, 12))]),
    Op(
        "erfinv:edges",
        lambda x: np.array([-np.inf, 0.0, np.inf, np.nan]),
        [np.array([-1.0, 0.0, 1.0, 1.5])],
        gradient=False,
    ),
]
