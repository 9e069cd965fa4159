"""Rows of the complex numbers, which have no derivatives."""

from __future__ import annotations

import numpy as np

from .row import Op, normal

Z = normal(3, 2) + 1j * normal(3, 2, seed=1)


def polar(size, angle):
    return size * np.exp(1j * angle)


def view_as_real(z):
    return np.stack([z.real, z.imag], -1)


ROWS = [
    Op("polar", polar, [normal(3, 4, low=0.1), normal(3, 4)], gradient=False),
    Op("polar:number", polar, [2.0, normal(3, 4)], gradient=False),
    Op("view_as_complex", lambda x: x[..., 0] + 1j * x[..., 1], [normal(3, 2)], gradient=False),
    Op("view_as_real", view_as_real, [Z], gradient=False, keeps_dtype=False),
]
