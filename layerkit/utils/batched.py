"""Data sets whose batches are made when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from layerkit.backend import tree


class Dataset:
    """Batches that can be gone through again and again, each time made anew.

    `make`: called for every pass, gives its iterator; `length`: how many there are. A batch is an
    array, or a tuple (x, y) of arrays.
    """

    class_names: list[str] | None = None  # of data sets that were read from folders
    file_paths: list[str] | None = None

    def __init__(self, make: Callable[[], Iterator[Any]], length: int):
        self._make = make
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Any]:
        return self._make()

    def map(self, function: Callable[..., Any]) -> Dataset:
        """The results of `function`, called with each batch: `lambda x, y: (x / 255, y)`."""

        def make() -> Iterator[Any]:
            for batch in self:
                yield function(*batch) if isinstance(batch, tuple) else function(batch)

        return Dataset(make, len(self))

    def take(self, count: int) -> Dataset:
        """The first `count` of them."""
        return Dataset(lambda: islice(iter(self), count), min(count, len(self)))

    def skip(self, count: int) -> Dataset:
        """All but the first `count` of them."""
        return Dataset(lambda: islice(iter(self), count, None), max(len(self) - count, 0))

    def batch(self, batch_size: int) -> Dataset:
        """Each `batch_size` of them as one, stacked along a new first axis; the last may be less.

        Arrays are stacked, structures of arrays leaf by leaf.
        """

        def make() -> Iterator[Any]:
            elements = iter(self)
            while group := list(islice(elements, batch_size)):
                yield tree.map_structure(lambda *leaves: np.stack(leaves), *group)

        return Dataset(make, math.ceil(len(self) / batch_size))


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
