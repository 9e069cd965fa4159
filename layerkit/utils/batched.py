"""Data sets whose batches are made when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from layerkit.backend import tree

from ..data.dataset import Dataset


def batched(
    read: Callable[[np.ndarray], Any],
    samples: int,
    batch_size: int | None,
    shuffle: bool,
    seed: int,
) -> Dataset:
    """The data set whose batch of samples is `read(indices)`.

    batch_size: None for single samples, the first and only row of `read`'s arrays.
    shuffle: in every pass another order, which `seed` decides.
    """
    rng = np.random.RandomState(seed)
    size = batch_size or 1

    def make() -> Iterator[Any]:
        order = np.arange(samples)
        if shuffle:
            rng.shuffle(order)
        for start in range(0, samples, size):
            batch = read(order[start : start + size])
            yield batch if batch_size else tree.map_structure(lambda rows: rows[0], batch)

    return Dataset(make, math.ceil(samples / size))


def any_seed(seed: int | None) -> int:
    """`seed`, or one from NumPy's global generator, which `set_random_seed` seeds."""
    return int(np.random.randint(1_000_000)) if seed is None else seed
