"""Rows: cross-entropies from probabilities and from logits."""

from __future__ import annotations

from itertools import product

import numpy as np

from .row import Op, normal


def softmax(x, axis):
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def categorical(target, output, from_logits=False, axis=-1):
    p = softmax(output, axis) if from_logits else output / output.sum(axis=axis, keepdims=True)
    return -(target * np.log(p)).sum(axis=axis)


def sparse(target, output, from_logits=False, axis=-1):
    rows = np.moveaxis(output, axis, -1)
    one_hot = np.eye(rows.shape[-1])[target.reshape(rows.shape[:-1])]
    return categorical(one_hot, rows, from_logits)


def binary(target, output, from_logits=False):
    p = 1 / (1 + np.exp(-output)) if from_logits else output
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def ctc(target, output, target_length, output_length, mask_index=0):
    """By all paths: the probabilities of those that spell the target."""
    p = softmax(output, -1)
    losses = []
    for labels, logits, length, time in zip(target, p, target_length, output_length, strict=True):
        total = 0.0
        for path in product(range(output.shape[-1]), repeat=int(time)):
            merged = [c for c, before in zip(path, (None, *path), strict=False) if c != before]
            if [c for c in merged if c != mask_index] == list(labels[:length]):
                total += np.prod(logits[np.arange(time), path])
        losses.append(-np.log(total))
    return np.array(losses)


LOGITS = normal(4, 5)
POSITIVE = normal(4, 5, seed=1, low=0.1)
TARGET = softmax(normal(4, 5, seed=2), -1)
LABELS = np.array([0, 4, 2, 2])
CHANCE = softmax(normal(3, 4, 2), -1)[..., 0]

ROWS = [
    Op("categorical_crossentropy", categorical, [TARGET, POSITIVE]),
    Op("categorical_crossentropy:axis", categorical, [TARGET, POSITIVE], {"axis": 0}),
    Op("categorical_crossentropy:logits", categorical, [TARGET, LOGITS], {"from_logits": True}),
    Op("categorical_crossentropy:one-hot", categorical, [np.eye(5, dtype="int32")[:4], POSITIVE]),
    Op(
        "categorical_crossentropy:far",
        lambda target, output, from_logits: np.array([2000.0, 0.0]),
        [np.eye(2), np.array([[-1000.0, 1000.0], [-1000.0, 1000.0]])],
        {"from_logits": True},
    ),
    Op(
        "ctc_loss",
        ctc,
        [np.array([[1, 2, 0], [2, 2, 1]]), normal(2, 6, 3), np.array([2, 3]), np.array([6, 6])],
    ),
    Op(
        "ctc_loss:lengths",
        ctc,
        [
            np.array([[1, 1], [0, 1], [2, 2]]),
            normal(3, 5, 3, seed=1),
            np.array([2, 1, 0]),
            np.array([5, 2, 3]),
        ],
        {"mask_index": 2},
    ),
    Op("sparse_categorical_crossentropy", sparse, [LABELS, POSITIVE]),
    Op("sparse_categorical_crossentropy:logits", sparse, [LABELS, LOGITS], {"from_logits": True}),
    Op("sparse_categorical_crossentropy:column", sparse, [LABELS[:, None], POSITIVE]),
    Op(
        "sparse_categorical_crossentropy:axis",
        sparse,
        [np.array([[0, 1, 2], [3, 0, 1]]), normal(2, 4, 3)],
        {"from_logits": True, "axis": 1},
    ),
    Op("binary_crossentropy", binary, [CHANCE, CHANCE[::-1]]),
    Op("binary_crossentropy:logits", binary, [CHANCE, normal(3, 4)], {"from_logits": True}),
    Op(
        "binary_crossentropy:far",
        lambda target, output, from_logits: np.array([1000.0, 0.0, 0.0, 1000.0]),
        [np.array([1.0, 0.0, 1.0, 0.0]), np.array([-1000.0, -1000.0, 1000.0, 1000.0])],
        {"from_logits": True},
    ),
]
