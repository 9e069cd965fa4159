"""Rows: random numbers, against NumPy's generator under the same key, and dropout's bits."""

from __future__ import annotations

import numpy as np

from .row import Op, normal

KEY = [7, 0]  # what the seed 7 stands for


def drawn(method):
    return lambda shape, *args, seed, **options: getattr(np.random.default_rng(KEY), method)(
        *args, size=shape, **options
    )


def dropout(x, rate, noise_shape=None, seed=None):
    """Element i lives by the i-th 16-bit number of the Philox stream."""
    shape = x.shape if noise_shape is None else noise_shape
    size = int(np.prod(shape))
    words = np.random.Philox(key=seed, counter=[0, 0, 0, 0]).random_raw(size)
    numbers = [(int(words[i // 4]) >> 16 * (i % 4)) & 0xFFFF for i in range(size)]
    kept = np.array(numbers).reshape(shape) >= round(rate * 65536)
    return x * kept / (1 - rate)


def truncated_normal(shape, seed):
    draw = np.random.default_rng(KEY)
    kept = []
    while len(kept) < np.prod(shape):
        kept += [z for z in draw.normal(size=int(np.prod(shape))) if abs(z) <= 2]
    return np.array(kept[: int(np.prod(shape))]).reshape(shape)


def categorical(logits, num_samples, seed):
    draw = np.random.default_rng(KEY)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return np.array([draw.choice(len(row), num_samples, p=row) for row in p])


def shuffle(x, axis=0, seed=None):
    return np.random.default_rng(KEY).permutation(x, axis=axis)


def row(name, reference, inputs, **options):
    return Op(f"random_{name}", reference, inputs, {"seed": 7, **options}, gradient=False)


ROWS = [
    Op("dropout", dropout, [normal(4, 5)], {"rate": 0.3, "seed": 7}),
    Op("dropout:noise", dropout, [normal(4, 5)], {"rate": 0.5, "noise_shape": (4, 1), "seed": 3}),
    Op("dropout:none", lambda x, rate: x, [normal(4, 5)], {"rate": 0}),
    Op("dropout:all", lambda x, rate: x * 0, [normal(4, 5)], {"rate": 1}),
    row("uniform", drawn("uniform"), [(3, 4), -2.0, 5.0]),
    row("normal", drawn("normal"), [(3, 4), 1.0, 2.0]),
    row("truncated_normal", truncated_normal, [(3, 40)]),
    row("randint", drawn("integers"), [(3, 4), 2, 9], dtype="int32"),
    row("gamma", drawn("gamma"), [(3, 4), 2.0]),
    row("beta", drawn("beta"), [(3, 4), 2.0, 3.0]),
    row("binomial", drawn("binomial"), [(3, 4), 9, 0.3]),
    row("categorical", categorical, [normal(3, 4), 20]),
    Op("random_shuffle", shuffle, [normal(5, 3)], {"seed": 7}),
    Op("random_shuffle:axis", shuffle, [normal(5, 3)], {"axis": 1, "seed": 7}),
]
