"""Rows of the operations that write at indices."""

from __future__ import annotations

import numpy as np

from .row import Op, distinct, normal

X, ZEROS = normal(4, 5), np.where(normal(4, 5) > 0, normal(4, 5, seed=1), 0.0)
PLACES = np.array([[0, 1], [3, 4], [2, 0]], "int32")
TWICE = np.array([[1], [3], [1]], "int32")
IDS = np.array([2, 0, 2, 3, 2, 7, -1], "int32")
ALL_IDS = np.array([2, 0, 2, 3, 1, 4, 0], "int32")
DATA = distinct(7, 2)
WITH_ZEROS = np.array([0.0, 2.0, 3.0, 0.0, 1.5, 2.5, 1.0])


def slice_update(inputs, start_indices, updates):
    y = inputs.copy()
    y[tuple(slice(i, i + n) for i, n in zip(start_indices, updates.shape, strict=True))] = updates
    return y


def scatter(indices, values, shape):
    y = np.zeros(shape)
    np.add.at(y, tuple(np.moveaxis(indices, -1, 0)), values)
    return y


def scatter_update(inputs, indices, updates, reduction=None):
    y, key = inputs.copy(), tuple(indices.T)
    if reduction is None:
        y[key] = updates
    else:
        names = {"add": "add", "max": "maximum", "min": "minimum", "mul": "multiply"}
        getattr(np, names[reduction]).at(y, key, updates)
    return y


def segments(function, empty):
    def reduce(data, segment_ids, num_segments=None):
        count = segment_ids.max() + 1 if num_segments is None else num_segments
        rows = [data[segment_ids == i] for i in range(count)]
        nothing = np.full(data.shape[1:], empty)
        return np.stack([function(row, axis=0) if len(row) else nothing for row in rows])

    return reduce


def segment(name, function, empty, ids, data=DATA, **options):
    reference = segments(function, empty)
    return Op(f"segment_{name}", reference, [data, ids], {"num_segments": 5}, **options)


def update(name, *inputs, **options):
    reduction = {"reduction": name[:3]}
    return Op(f"scatter_update:{name}", scatter_update, [*inputs], reduction, **options)


NO_MULTIPLY = {"numpy_only": "CuPy has no multiply.at"}


ROWS = [
    Op("slice_update", slice_update, [X, [1, 2], normal(2, 3)]),
    Op("scatter", scatter, [PLACES, normal(3)], {"shape": (4, 5)}),
    Op("scatter:added", scatter, [TWICE, normal(3, 2)], {"shape": (4, 2)}),
    Op("scatter_update", scatter_update, [X, PLACES, normal(3)]),
    update("add", X, TWICE, normal(3, 5)),
    update("max", distinct(4, 5), TWICE, distinct(3, 5) + 0.05),
    update("min", distinct(4, 5), TWICE, distinct(3, 5) + 0.05),
    segment("sum", np.sum, 0.0, IDS),
    Op("segment_sum:all", segments(np.sum, 0.0), [DATA, IDS]),
    segment("max", np.max, -np.inf, ALL_IDS),
    segment("min", np.min, np.inf, ALL_IDS),
    segment("max:empty", np.max, -np.inf, IDS, gradient=False),
    segment("min:empty", np.min, np.inf, IDS, gradient=False),
    update("mul", X, TWICE, normal(3, 5), **NO_MULTIPLY),
    update("mul zeros", ZEROS, TWICE, ZEROS[:3], **NO_MULTIPLY),
    segment("prod", np.prod, 1.0, IDS, **NO_MULTIPLY),
    segment("prod:zeros", np.prod, 1.0, IDS, WITH_ZEROS, **NO_MULTIPLY),
]
