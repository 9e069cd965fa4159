"""Connectionist temporal classification: labels without positions for sequences of outputs.

Graves et al. 2006, "Connectionist temporal classification: labelling unsegmented sequence data".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.allowance import check_sample

from ..symbolic import operation

__all__ = ["ctc_decode", "ctc_loss"]


@operation
def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> Tensor:
    """-log of the probability of the labels, summed over all their alignments: (batch,).

    `target`: class numbers (batch, labels). `output`: logits (batch, steps, classes).
    `target_length`, `output_length`: (batch,), how many of those count. `mask_index`: the class
    that stands for no label. ValueError for other ranks.
    """
    target, output = K.convert_to_tensor(target), K.convert_to_tensor(output)
    if target.ndim != 2 or output.ndim != 3:
        raise ValueError(
            "ctc_loss expects `target` of shape (batch, labels) and `output` of shape (batch, "
            f"steps, classes). Received: target.shape={target.shape}, output.shape={output.shape}"
        )
    return K.ctc_loss(target, _at_least_float32(output), target_length, output_length, mask_index)


def _at_least_float32(x: Tensor) -> Tensor:
    return x if x.dtype.name in ("float32", "float64") else K.cast(x, "float32")


@operation
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """The labels that outputs stand for, and how good they are; no derivatives.

    `inputs`: logits or log-probabilities (batch, steps, classes); `sequence_lengths`: (batch,).
    `strategy`: 'greedy' takes the best class of every step, `merge_repeated` counts equal
    neighbours once; 'beam_search' keeps the `beam_width` likeliest beginnings and returns
    `top_paths` of them (on the host). `mask_index`: the class that stands for no label.
    Result: int32 labels (paths, batch, steps), -1 behind the last; and scores (batch, paths): the
    negative sum of the best outputs, or the logarithms of the paths' probabilities.
    ValueError for another strategy.
    """
    inputs = _at_least_float32(K.convert_to_tensor(inputs))
    if strategy == "greedy":
        return _greedy(inputs, K.cast(sequence_lengths, "int32"), merge_repeated, mask_index)
    if strategy == "beam_search":
        lengths = K.to_numpy(sequence_lengths)
        log_p = K.to_numpy(K.log_softmax(inputs))
        rows = [
            _beam_search(sample[:length], beam_width, top_paths, mask_index)
            for sample, length in zip(log_p, lengths.tolist(), strict=True)
        ]
        return _packed(rows, top_paths, log_p)
    raise ValueError(
        f"Invalid strategy {strategy}. Supported values are 'greedy' and 'beam_search'."
    )


def _greedy(
    inputs: Tensor, lengths: Tensor, merge_repeated: bool, mask_index: int
) -> tuple[Tensor, Tensor]:
    batch, steps, _ = inputs.shape
    inside = K.less(K.arange(steps), K.reshape(lengths, (-1, 1)))
    scores = K.sum(K.where(inside, K.max(inputs, -1), 0.0), 1, keepdims=True)
    best = K.where(inside, K.argmax(inputs, -1), mask_index)
    label = K.not_equal(best, mask_index)
    if merge_repeated:
        new = K.concatenate([K.ones((batch, 1), "bool"), K.not_equal(best[:, 1:], best[:, :-1])], 1)
        label = K.logical_and(label, new)
    labels = K.where(label, best, -1)
    order = K.argsort(K.logical_not(label), axis=-1)  # labels first, in the order of the steps
    labels = K.cast(K.take_along_axis(labels, order, -1), "int32")
    return K.expand_dims(labels, 0), -scores


Beams = dict[tuple[int, ...], tuple[float, float]]


def _beam_search(
    log_p: np.ndarray, width: int, top_paths: int, mask_index: int
) -> list[tuple[tuple[int, ...], float]]:
    """The likeliest label sequences of one sample (steps, classes), best first, with scores.

    A beginning has two scores: of the alignments that end on its last label, and on a blank.
    """
    beams: Beams = {(): (-np.inf, 0.0)}
    for t, at_t in enumerate(log_p.tolist()):
        classes = list(range(len(at_t)))
        if t == 0:  # the first step is pruned by its classes
            classes = sorted(classes, key=at_t.__getitem__)[-width:]
        grown: Beams = {}
        for path, scores in beams.items():
            for c in classes:
                _extend(grown, path, scores, c, at_t[c], mask_index)
        beams = dict(_best(grown, width))
    return [(path, _log_add(*scores)) for path, scores in _best(beams, top_paths)]


def _extend(
    grown: Beams, path: tuple, scores: tuple[float, float], c: int, log_p: float, mask_index: int
) -> None:
    """Add what becomes of a beginning when class `c` comes next."""
    label, blank = scores
    if c == mask_index:
        _count(grown, path, -np.inf, _log_add(label, blank) + log_p)
    elif path and path[-1] == c:  # the label goes on; behind a blank it is a new one
        _count(grown, path, label + log_p, -np.inf)
        _count(grown, (*path, c), blank + log_p, -np.inf)
    else:
        _count(grown, (*path, c), _log_add(label, blank) + log_p, -np.inf)


def _count(beams: Beams, path: tuple, label: float, blank: float) -> None:
    old_label, old_blank = beams.get(path, (-np.inf, -np.inf))
    beams[path] = _log_add(old_label, label), _log_add(old_blank, blank)


def _best(beams: Beams, count: int) -> list:
    return sorted(beams.items(), key=lambda item: _log_add(*item[1]), reverse=True)[:count]


def _log_add(x: float, y: float) -> float:
    return float(np.logaddexp(x, y))


def _packed(rows: list, top_paths: int, log_p: np.ndarray) -> tuple[Tensor, Tensor]:
    check_sample((top_paths, len(rows), log_p.shape[1]), "int32")
    labels = np.full((top_paths, len(rows), log_p.shape[1]), -1, "int32")
    scores = np.full((len(rows), top_paths), -np.inf, log_p.dtype)
    for i, row in enumerate(rows):
        for j, (path, score) in enumerate(row):
            labels[j, i, : len(path)] = path
            scores[i, j] = score
    return K.convert_to_tensor(labels), K.convert_to_tensor(scores)
