"""Rows of the recurrent operations."""

from __future__ import annotations

import numpy as np

from .row import Op, normal

X, W, R, B = normal(3, 5, 2), normal(2, 16), normal(4, 16), normal(16)
H, C = normal(3, 4), normal(3, 4, seed=1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm(x, w, r, b=None, h=None, c=None, go_backwards=False, mask=None):
    h, c = (np.zeros((len(x), len(r))) if s is None else s for s in (h, c))
    outputs = []
    for t in range(x.shape[1])[:: -1 if go_backwards else 1]:
        i, f, g, o = np.split(x[:, t] @ w + h @ r + (0 if b is None else b), 4, axis=1)
        new = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = kept(mask, t, sigmoid(o) * np.tanh(new), h)
        c = kept(mask, t, new, c)
        outputs.append(h)
    return np.stack(outputs, axis=1), h, c


def gru(x, w, r, b=None, rb=None, h=None, go_backwards=False, mask=None):
    h = np.zeros((len(x), len(r))) if h is None else h
    outputs = []
    for t in range(x.shape[1])[:: -1 if go_backwards else 1]:
        a = np.split(x[:, t] @ w + (0 if b is None else b), 3, axis=1)
        s = np.split(h @ r + (0 if rb is None else rb), 3, axis=1)
        z, reset = sigmoid(a[0] + s[0]), sigmoid(a[1] + s[1])
        candidate = np.tanh(a[2] + reset * s[2])
        h = kept(mask, t, z * h + (1 - z) * candidate, h)
        outputs.append(h)
    return np.stack(outputs, axis=1), h


def kept(mask, t, new, old):
    return new if mask is None else np.where(np.array(mask, bool)[:, t, None], new, old)


W3, R3, B3, RB3 = normal(2, 12), normal(4, 12), normal(12), normal(12, seed=1)
MASK = [[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]]

ROWS = [
    Op("lstm", lstm, [X, W, R, B, H, C]),
    Op("lstm:zeros", lstm, [X, W, R]),
    Op("lstm:bias", lstm, [X, W, R, B]),
    Op("lstm:backwards", lstm, [X, W, R, B, H, C], {"go_backwards": True}),
    Op("lstm:one step", lstm, [X[:, :1], W, R, B, H, C]),
    Op("lstm:far", lstm, [30 * X, W, R, B, H, C]),
    Op("lstm:integers", lstm, [np.arange(12).reshape(2, 3, 2) % 3, W, R, B]),
    Op("lstm:mask", lstm, [X, W, R, B, H, C], {"mask": MASK}),
    Op("lstm:mask backwards", lstm, [X, W, R, B], {"mask": MASK, "go_backwards": True}),
    Op("gru", gru, [X, W3, R3, B3, RB3, H]),
    Op("gru:zeros", gru, [X, W3, R3]),
    Op("gru:bias", gru, [X, W3, R3, B3]),
    Op("gru:backwards", gru, [X, W3, R3, B3, RB3, H], {"go_backwards": True}),
    Op("gru:one step", gru, [X[:, :1], W3, R3, B3, RB3, H]),
    Op("gru:far", gru, [30 * X, W3, R3, B3, RB3, H]),
    Op("gru:mask", gru, [X, W3, R3, B3, RB3, H], {"mask": MASK}),
    Op("gru:mask backwards", gru, [X, W3, R3, B3, RB3], {"mask": MASK, "go_backwards": True}),
]
