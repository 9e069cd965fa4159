"""Rows of the windows of images as columns, and back."""

from __future__ import annotations

import itertools

import numpy as np

from .row import Op, normal

EVERYTHING = {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (2, 1), "stride": (2, 1)}


def pairs(*values):
    return [(v, v) if isinstance(v, int) else v for v in values]


def windows(size, kernel, dilation, padding, stride):
    """For each window, in order: the rows and the columns of its cells in the padded image."""
    starts = [
        range(0, n + 2 * p - (k - 1) * d, s)
        for n, k, d, p, s in zip(size, kernel, dilation, padding, stride, strict=True)
    ]
    for corner in itertools.product(*starts):
        yield np.ix_(
            *[c + np.arange(k) * d for c, k, d in zip(corner, kernel, dilation, strict=True)]
        )


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    kernel, dilation, (p, q), stride = pairs(kernel_size, dilation, padding, stride)
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
    seen = windows(x.shape[2:], kernel, dilation, (p, q), stride)
    return np.stack([padded[:, :, i, j].reshape(len(x), -1) for i, j in seen], -1)


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    size, kernel, dilation, (p, q), stride = pairs(
        output_size, kernel_size, dilation, padding, stride
    )
    channels = x.shape[1] // (kernel[0] * kernel[1])
    y = np.zeros((len(x), channels, size[0] + 2 * p, size[1] + 2 * q))
    for n, (i, j) in enumerate(windows(size, kernel, dilation, (p, q), stride)):
        y[:, :, i, j] += x[:, :, n].reshape(len(x), channels, *kernel)
    return y[:, :, p : p + size[0], q : q + size[1]]


ROWS = [
    Op("unfold", unfold, [normal(2, 3, 5, 4)], {"kernel_size": 2}),
    Op("unfold:everything", unfold, [normal(2, 3, 5, 6)], EVERYTHING),
    Op("fold", fold, [normal(2, 12, 12)], {"output_size": (5, 4), "kernel_size": 2}),
    Op("fold:everything", fold, [normal(2, 18, 24)], {"output_size": (5, 6), **EVERYTHING}),
]
