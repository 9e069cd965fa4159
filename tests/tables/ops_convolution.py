"""Rows: convolutions, against a loop over output cells."""

from __future__ import annotations

import numpy as np

from .row import Op, normal


def conv(x, w, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Every output cell as one sum over its window."""
    if data_format == "channels_first":
        y = conv(np.moveaxis(x, 1, -1), w, strides, padding, None, dilation_rate)
        return np.moveaxis(y, -1, 1)
    rank = x.ndim - 2
    s, d = (v if isinstance(v, tuple) else (v,) * rank for v in (strides, dilation_rate))
    window = w.shape[:-2]
    reach = [(k - 1) * di + 1 for k, di in zip(window, d, strict=True)]
    pads = [(0, 0)] * rank
    if padding == "same":
        total = [
            max((-(-n // si) - 1) * si + r - n, 0)
            for n, si, r in zip(x.shape[1:-1], s, reach, strict=True)
        ]
        pads = [(t // 2, t - t // 2) for t in total]
    if padding == "causal":
        pads = [(reach[0] - 1, 0)]
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    sizes = [(n - r) // si + 1 for n, r, si in zip(x.shape[1:-1], reach, s, strict=True)]
    groups = x.shape[-1] // w.shape[-2]
    y = np.zeros((len(x), *sizes, w.shape[-1]))
    for cell in np.ndindex(*sizes):
        for position in np.ndindex(*window):
            at = tuple(c * si + p * di for c, si, p, di in zip(cell, s, position, d, strict=True))
            seen = np.split(x[(slice(None), *at)], groups, axis=-1)
            weights = np.split(w[position], groups, axis=-1)
            parts = [a @ b for a, b in zip(seen, weights, strict=True)]
            y[(slice(None), *cell)] += np.concatenate(parts, axis=-1)
    return y


def depthwise(x, w, *args, **options):
    *window, channels, multiplier = w.shape
    return conv(x, w.reshape(*window, 1, channels * multiplier), *args, **options)


def separable(x, depthwise_kernel, pointwise_kernel, **options):
    return conv(depthwise(x, depthwise_kernel, **options), pointwise_kernel)


def transposed(x, w, strides, size, before):
    """Every input cell adds its kernel; `before` cells are cut off, `size` cells kept."""
    rank = x.ndim - 2
    full = [(n - 1) * strides + k for n, k in zip(x.shape[1:-1], w.shape, strict=False)]
    y = np.zeros((len(x), *(max(f, size + before) for f in full), w.shape[-2]))
    for cell in np.ndindex(*x.shape[1:-1]):
        for position in np.ndindex(*w.shape[:rank]):
            at = tuple(c * strides + p for c, p in zip(cell, position, strict=True))
            y[(slice(None), *at)] += x[(slice(None), *cell)] @ w[position].T
    return y[(slice(None), *[slice(before, before + size)] * rank)]


def transposed_to(size, before):
    return lambda x, w, strides=1, padding="valid", output_padding=None: transposed(
        x, w, strides, size, before
    )


IMAGE, KERNEL = normal(2, 5, 6, 3), normal(3, 2, 3, 4)

ROWS = [
    Op("conv", conv, [IMAGE, KERNEL]),
    Op("conv:same", conv, [IMAGE, KERNEL], {"padding": "same"}),
    Op("conv:strides", conv, [IMAGE, KERNEL], {"strides": (2, 3), "padding": "same"}),
    Op("conv:valid strides", conv, [IMAGE, KERNEL], {"strides": 2}),
    Op("conv:dilation", conv, [IMAGE, KERNEL], {"dilation_rate": 2, "padding": "same"}),
    Op("conv:1x1", conv, [IMAGE, normal(1, 1, 3, 4)]),
    Op("conv:1x1 strides", conv, [IMAGE, normal(1, 1, 3, 4)], {"strides": 2}),
    Op("conv:groups", conv, [normal(2, 5, 5, 4), normal(3, 3, 2, 6)], {"padding": "same"}),
    Op("conv:channel groups", conv, [IMAGE, normal(2, 2, 1, 6)], {"strides": 2}),
    Op(
        "conv:channels first",
        conv,
        [normal(2, 3, 5, 6), KERNEL],
        {"data_format": "channels_first", "padding": "same"},
    ),
    Op("conv:1d causal", conv, [normal(2, 7, 3), normal(3, 3, 2)], {"padding": "causal"}),
    Op("conv1d", conv, [normal(2, 7, 3), normal(3, 3, 2)], {"dilation_rate": 2}),
    Op("conv2d", conv, [IMAGE, KERNEL]),
    Op("conv3d", conv, [normal(1, 4, 3, 4, 2), normal(2, 2, 3, 2, 3)], {"padding": "same"}),
    Op("depthwise_conv", depthwise, [IMAGE, normal(3, 3, 3, 2)], {"padding": "same"}),
    Op("depthwise_conv:one", depthwise, [IMAGE, normal(2, 2, 3, 1)], {"strides": 2}),
    Op("depthwise_conv1d", depthwise, [normal(2, 7, 3), normal(3, 3, 2)]),
    Op("depthwise_conv2d", depthwise, [IMAGE, normal(3, 3, 3, 2)], {"dilation_rate": 2}),
    Op(
        "separable_conv",
        separable,
        [IMAGE, normal(3, 3, 3, 2), normal(1, 1, 6, 4)],
        {"padding": "same"},
    ),
    Op(
        "conv_transpose",
        transposed_to(9, 0),
        [normal(2, 4, 4, 3), normal(3, 3, 2, 3)],
        {"strides": 2},
    ),
    Op(
        "conv_transpose:same",
        transposed_to(8, 0),
        [normal(2, 4, 4, 3), normal(3, 3, 2, 3)],
        {"strides": 2, "padding": "same"},
    ),
    Op(
        "conv_transpose:same 1",
        transposed_to(4, 1),
        [normal(2, 4, 4, 3), normal(3, 3, 2, 3)],
        {"padding": "same"},
    ),
    Op(
        "conv_transpose:gaps",
        transposed_to(12, 0),
        [normal(2, 4, 4, 3), normal(2, 2, 2, 3)],
        {"strides": 3},
    ),
    Op(
        "conv1d_transpose",
        transposed_to(10, 0),
        [normal(2, 4, 3), normal(3, 2, 3)],
        {"strides": 2, "output_padding": 1},
    ),
    Op("conv2d_transpose", transposed_to(6, 0), [normal(1, 4, 4, 2), normal(3, 3, 3, 2)]),
    Op(
        "conv3d_transpose",
        transposed_to(5, 0),
        [normal(1, 2, 2, 2, 2), normal(3, 3, 3, 1, 2)],
        {"strides": 2},
    ),
]
