"""Rows: normalizations, against their formulas."""

from __future__ import annotations

import numpy as np

from .row import Op, normal


def along(x, axis):
    shape = [1] * x.ndim
    for a in axis if isinstance(axis, tuple) else (axis,):
        shape[a] = x.shape[a]
    return shape


def given(x, mean, variance, offset=None, scale=None, axis=-1, epsilon=1e-3):
    """batch_normalization, with the options last."""
    shape = along(x, axis)
    y = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + epsilon)
    y = y if scale is None else y * scale.reshape(shape)
    return y if offset is None else y + offset.reshape(shape)


def batch(x, gamma=None, beta=None, axis=-1, epsilon=1e-3):
    others = tuple(i for i, n in enumerate(along(x, axis)) if n == 1)
    mean, variance = x.mean(others), x.var(others)
    return given(x, mean, variance, beta, gamma, axis, epsilon), mean, variance


def layer(x, gamma=None, beta=None, axis=-1, epsilon=1e-7):
    shape = along(x, axis)
    y = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + epsilon)
    y = y if gamma is None else y * gamma.reshape(shape)
    return y if beta is None else y + beta.reshape(shape)


def rms(x, scale=None, axis=-1, epsilon=1e-7):
    y = x / np.sqrt((x**2).mean(axis, keepdims=True) + epsilon)
    return y if scale is None else y * scale.reshape(along(x, axis))


X = normal(4, 3, 2, 5) * 2 + 1
G5, B5, M5, V5 = normal(5, low=0.5), normal(5), normal(5, seed=1), normal(5, seed=2, low=0.5)

ROWS = [
    Op(
        "batch_normalization",
        lambda x, mean, variance, axis: given(x, mean, variance, axis=axis),
        [X, M5, V5],
        {"axis": -1},
    ),
    Op(
        "batch_normalization:scaled",
        lambda x, mean, variance, axis, offset, scale: given(
            x, mean, variance, offset, scale, axis, 1e-3
        ),
        [X, M5[:3], V5[:3], 1, B5[:3], G5[:3]],
    ),
    Op("batch_normalize", batch, [X, G5, B5]),
    Op("batch_normalize:axis", batch, [X, G5[:3], B5[:3]], {"axis": 1, "epsilon": 0.1}),
    Op("batch_normalize:plain", batch, [X]),
    Op("batch_normalize:vectors", batch, [normal(7, 5), G5, B5]),
    Op("layer_normalization", layer, [X, G5, B5], {"epsilon": 1e-3}),
    Op("layer_normalization:plain", layer, [X]),
    Op("layer_normalization:axis", layer, [X, G5[:3], B5[:3]], {"axis": 1}),
    Op(
        "layer_normalization:axes",
        layer,
        [X, normal(2, 5), normal(2, 5, seed=1)],
        {"axis": (-2, -1)},
    ),
    Op("rms_normalization", rms, [X, G5]),
    Op("rms_normalization:plain", rms, [X], {"axis": (1, 2), "epsilon": 0.1}),
]
