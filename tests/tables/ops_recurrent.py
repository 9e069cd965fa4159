"""Rows of the recurrent operations."""

from __future__ import annotations

import numpy as np

from .row import Op, normal

X, W, R, B = normal(3, 5, 2), normal(2, 16), normal(4, 16), normal(16)
H, C = normal(3, 4), normal(3, 4, seed=1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm(x, w, r, b=None, h=None, c=None, go_backwards=False):
    h, c = (np.zeros((len(x), len(r))) if s is None else s for s in (h, c))
    outputs = []
    for t in range(x.shape[1])[:: -1 if go_backwards else 1]:
        i, f, g, o = np.split(x[:, t] @ w + h @ r + (0 if b is None else b), 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1), h, c


ROWS = [
    Op("lstm", lstm, [X, W, R, B, H, C]),
    Op("lstm:zeros", lstm, [X, W, R]),
    Op("lstm:bias", lstm, [X, W, R, B]),
    Op("lstm:backwards", lstm, [X, W, R, B, H, C], {"go_backwards": True}),
    Op("lstm:one step", lstm, [X[:, :1], W, R, B, H, C]),
    Op("lstm:far", lstm, [30 * X, W, R, B, H, C]),
    Op("lstm:integers", lstm, [np.arange(12).reshape(2, 3, 2) % 3, W, R, B]),
]
