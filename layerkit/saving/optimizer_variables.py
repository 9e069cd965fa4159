"""Which stored array is which of an optimizer's variables: their order has changed with Keras.

Keras 3 keeps step, learning rate, averages, accumulators and slots; tf.keras leaves out the
learning rate, or every single number but the step, and versions of Keras 3 have Nadam's product of
momenta in different places. Between arrays of one shape the order is the same in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def matched(own: Sequence[Any], stored: Sequence[Any]) -> list[Any] | None:
    """For each of `own`, one of `stored` (None where the file leaves it out); None if they differ.

    Both have a `shape`.
    """
    if not any(x.shape for x in own):  # without slots: tf.keras keeps those of SGD, all zeros
        stored = [x for x in stored if not x.shape]
    numbers = [i for i, x in enumerate(own) if not x.shape]  # the step, the learning rate, others
    kept = sum(not x.shape for x in stored)
    left_out = {len(numbers) - 1: numbers[1:2], 1: numbers[1:], len(numbers): []}.get(kept, [])
    unused, found = list(stored), [None] * len(own)
    for i in (i for i in range(len(own)) if i not in left_out):
        shape = tuple(own[i].shape)
        match = next((k for k, x in enumerate(unused) if tuple(x.shape) == shape), None)
        if match is None:
            return None
        found[i] = unused.pop(match)
    return None if unused else found
