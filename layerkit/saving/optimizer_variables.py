"""Which stored array is which of an optimizer's variables: their order has changed with Keras.

Keras 3 keeps step, learning rate, averages, accumulators and slots; tf.keras leaves out the
learning rate, and versions of Keras 3 have Nadam's product of momenta in different places.
Between arrays of one shape the order is the same in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_LEARNING_RATE = 1  # its place among the variables, where it is one of them


def matched(own: Sequence[Any], stored: Sequence[Any]) -> list[Any] | None:
    """For each of `own`, one of `stored` (None where the file leaves it out); None if they differ.

    Both have a `shape`.
    """
    if not any(x.shape for x in own):  # without slots: tf.keras keeps those of SGD, all zeros
        stored = [x for x in stored if not x.shape]
    wanted = list(range(len(own)))
    if len(stored) == len(own) - 1:
        wanted.remove(_LEARNING_RATE)
    unused, found = list(stored), [None] * len(own)
    for i in wanted:
        shape = tuple(own[i].shape)
        match = next((k for k, x in enumerate(unused) if tuple(x.shape) == shape), None)
        if match is None:
            return None
        found[i] = unused.pop(match)
    return None if unused else found
