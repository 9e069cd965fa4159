"""Random numbers, choices and arrays, drawn from a seed: what random configurations are made of."""

from __future__ import annotations

from typing import Any

import numpy as np


class Draw:
    """Draws from a seed: the same things in the same order, whoever asks."""

    def __init__(self, *seed: int):
        self.random = np.random.default_rng(seed)

    def chance(self, p: float = 0.5) -> bool:
        """Whether something of probability `p` happens."""
        return bool(self.random.random() < p)

    def size(self, most: int = 4, least: int = 1) -> int:
        """A whole number from `least` to `most`."""
        return int(self.random.integers(least, most + 1))

    def sizes(self, count: int, most: int = 4, least: int = 1) -> tuple[int, ...]:
        return tuple(self.size(most, least) for _ in range(count))

    def pick(self, *choices: Any) -> Any:
        return choices[self.random.integers(len(choices))]

    def some(self, **choices: list) -> dict[str, Any]:
        """About half of the arguments, each with one of its choices."""
        return {name: self.pick(*values) for name, values in choices.items() if self.chance()}

    def per_axis(self, rank: int, most: int = 3) -> Any:
        """A size for all axes, or one per axis."""
        if self.chance() or rank == 1:
            return self.size(most)
        return self.sizes(rank, most)

    def pair(self, most: int = 2) -> tuple[int, int]:
        """What is added or taken away before and after."""
        return self.size(most, 0), self.size(most, 0)

    def floats(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.random.standard_normal(shape).astype("float32")

    def ids(self, shape: tuple[int, ...], below: int) -> np.ndarray:
        return self.random.integers(below, size=shape).astype("int32")

    def mask(self, shape: tuple[int, ...], p: float = 0.3) -> np.ndarray | None:
        """None mostly; else booleans, some rows of which may be False throughout."""
        return self.random.random(shape) < 0.6 if self.chance(p) else None
