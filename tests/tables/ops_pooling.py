"""Rows: pooling, against a loop over windows."""

from __future__ import annotations

import numpy as np

from .row import Op, distinct, normal


def pool(reduce):
    def pooled(x, pool_size, strides=None, padding="valid", data_format=None):
        if data_format == "channels_first":
            return np.moveaxis(pooled(np.moveaxis(x, 1, -1), pool_size, strides, padding), -1, 1)
        rank = x.ndim - 2
        window = pool_size if isinstance(pool_size, tuple) else (pool_size,) * rank
        s = window if strides is None else strides
        s = s if isinstance(s, tuple) else (s,) * rank
        axes = list(zip(x.shape[1:-1], window, s, strict=True))
        sizes, before = [(n - k) // si + 1 for n, k, si in axes], [0] * rank
        if padding == "same":
            sizes = [-(-n // si) for n, _, si in axes]
            before = [
                max((o - 1) * si + k - n, 0) // 2 for o, (n, k, si) in zip(sizes, axes, strict=True)
            ]
        y = np.empty((len(x), *sizes, x.shape[-1]))
        for cell in np.ndindex(*sizes):
            starts = [c * si - b for c, si, b in zip(cell, s, before, strict=True)]
            seen = [slice(max(a, 0), a + k) for a, k in zip(starts, window, strict=True)]
            y[(slice(None), *cell)] = reduce(x[(slice(None), *seen)], tuple(range(1, rank + 1)))
        return y

    return pooled


largest, mean = pool(np.max), pool(np.mean)

ROWS = [
    Op("max_pool", largest, [distinct(2, 4, 6, 3)], {"pool_size": 2}),
    Op("max_pool:rest", largest, [distinct(2, 5, 7, 3)], {"pool_size": 2}),
    Op("max_pool:overlap", largest, [distinct(2, 6, 5, 2)], {"pool_size": 3, "strides": 2}),
    Op(
        "max_pool:same",
        largest,
        [distinct(2, 6, 5, 2) - 9],
        {"pool_size": (3, 2), "strides": (2, 1), "padding": "same"},
    ),
    Op("max_pool:gaps", largest, [distinct(1, 7, 7, 2)], {"pool_size": 2, "strides": 3}),
    Op("max_pool:large window", largest, [distinct(1, 20, 20, 1)], {"pool_size": 17}),
    Op("max_pool:1d", largest, [distinct(2, 7, 3)], {"pool_size": 3, "strides": 1}),
    Op("max_pool:3d", largest, [distinct(1, 4, 4, 4, 2)], {"pool_size": 2}),
    Op(
        "max_pool:channels first",
        largest,
        [distinct(2, 3, 4, 6)],
        {"pool_size": 2, "data_format": "channels_first"},
    ),
    Op("average_pool", mean, [normal(2, 4, 6, 3)], {"pool_size": 2}),
    Op(
        "average_pool:same",
        mean,
        [normal(2, 5, 6, 3)],
        {"pool_size": 3, "strides": 2, "padding": "same"},
    ),
    Op("average_pool:1d", mean, [normal(2, 7, 3)], {"pool_size": 3, "padding": "same"}),
    Op("average_pool:3d", mean, [normal(1, 4, 4, 4, 2)], {"pool_size": (2, 1, 2)}),
    Op(
        "average_pool:channels first",
        mean,
        [normal(2, 3, 4, 6)],
        {"pool_size": 2, "data_format": "channels_first"},
    ),
]
