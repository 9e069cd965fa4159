"""Seeds and counters: the same pair gives the same numbers on every backend.

A draw is keyed by (seed, counter). A `SeedGenerator` hands out pairs and counts on; its two
numbers are all its state. Numbers are drawn on the host by NumPy's generator keyed with the pair.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .recording import host_only


class SeedGenerator:
    """A seed and a counter: every `next()` is a new pair, the same again for the same seed.

    `seed` is a non-negative int; None takes one from the global generator. `state` (a pair of
    ints) can be read and set, so that a run can be resumed.
    """

    def __init__(self, seed: int | None = None):
        if seed is None:
            seed = make_seed()
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(
                "Argument `seed` must be a non-negative integer or None. "
                f"Received: seed={seed} (of type {type(seed)})"
            )
        self.seed = int(seed)
        self.counter = 0

    @property
    def state(self) -> tuple[int, int]:
        return self.seed, self.counter

    @state.setter
    def state(self, state: tuple[int, int]) -> None:
        self.seed, self.counter = (int(number) for number in state)

    def next(self) -> tuple[int, int]:
        """The next (seed, counter)."""
        pair = self.state
        self.counter += 1
        return pair


_global: SeedGenerator | None = None


def global_generator() -> SeedGenerator:
    """The generator behind every draw that was given no seed of its own."""
    global _global
    if _global is None:
        _global = SeedGenerator(int.from_bytes(os.urandom(4), "little"))
    return _global


def set_random_seed(seed: int) -> None:
    """Seed layerkit, NumPy and Python: what is built and trained next gives the same bits again.

    ValueError unless `seed` is an int from 0 to 2**32 - 1.
    """
    import random  # slow to import, and needed by nothing else

    global _global
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(
            f"Expected `seed` argument to be an integer from 0 to 2**32 - 1. Received: seed={seed} "
            f"(of type {type(seed)})"
        )
    random.seed(int(seed))
    np.random.seed(int(seed))
    _global = SeedGenerator(int(seed))


def random_state() -> dict[str, Any]:
    """All that `set_random_seed` seeds, as it is now: plain values and arrays."""
    python = sys.modules.get("random")  # who never imported it never drew from it
    return {
        "layerkit": list(global_generator().state),
        "numpy": np.random.get_state(legacy=False),
        "python": None if python is None else python.getstate(),
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Go on with the random numbers where `random_state` gave `state`."""
    global_generator().state = state["layerkit"]
    np.random.set_state(state["numpy"])
    if state["python"] is not None:
        import random

        version, words, gauss = state["python"]
        random.setstate((version, tuple(words), gauss))


@contextmanager
def random_state_kept_on_failure() -> Iterator[None]:
    """Whatever fails in the `with` block has drawn no numbers."""
    before = random_state()
    try:
        yield
    except BaseException:
        set_random_state(before)
        raise


def make_seed() -> int:
    """A fresh seed from the global generator: an int from 0 to 2**31 - 1."""
    return int(generator(None).integers(2**31))


def draw_seed(seed: Any) -> tuple[int, int]:
    """The (seed, counter) behind one draw: of a SeedGenerator, an int, or None (the global one)."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return global_generator().next()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return int(seed), 0
    raise ValueError(
        "Argument `seed` must be either an integer or an instance of `SeedGenerator`. "
        f"Received: seed={seed} (of type {type(seed)})"
    )


def draw_key(seed: Any) -> tuple[int, int, int]:
    """One draw as three words of 64 bits: the low and the high one of its seed, its counter."""
    number, counter = draw_seed(seed)
    return number % 2**64, number >> 64, counter % 2**64


def generator(seed: Any) -> np.random.Generator:
    """NumPy's generator keyed with the next (seed, counter) of `seed`."""
    host_only("drawing random numbers of a distribution, or a permutation")
    return np.random.default_rng(draw_seed(seed))
