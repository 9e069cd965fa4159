"""A data set in two parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..data.dataset import Dataset


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Dataset, Dataset]:
    """Two data sets of samples: the first ones of `dataset`, and the last ones.

    dataset: an array, a list or a tuple of arrays with one length (a sample is then a tuple), or
        a `Dataset`, whose elements are kept as they are.
    left_size, right_size: a share between 0 and 1, a number of samples, or None for the rest.
    shuffle, seed: whether to put the samples into another order first; it is the seed's.

    `.batch(32)` on each makes batches of them. TypeError or ValueError for what cannot be split.
    """
    if left_size is None and right_size is None:
        raise ValueError(
            "At least one of the `left_size` or `right_size` must be specified. "
            "Received: left_size=None and right_size=None"
        )
    samples = _samples(dataset)
    if shuffle:
        import random

        random.Random(random.randint(0, 10**6) if seed is None else seed).shuffle(samples)
    left, right = _sizes(left_size, right_size, len(samples))
    return _dataset(samples[:left]), _dataset(samples[len(samples) - right :])


def _samples(dataset: Any) -> list[Any]:
    if isinstance(dataset, (list, tuple)):
        if not dataset:
            raise ValueError(
                "Received an empty list dataset. Please provide a non-empty list of arrays."
            )
        for index, array in enumerate(dataset):
            if not isinstance(array, np.ndarray):
                raise ValueError(
                    f"Expected a {type(dataset).__name__} of `numpy.ndarray` objects, Received: "
                    f"{type(array)} at index {index}."
                )
            if len(array) != len(dataset[0]):
                raise ValueError(
                    "Received a list of NumPy arrays with different lengths. Mismatch found at "
                    f"index {index}, Expected shape={dataset[0].shape} Received "
                    f"shape={array.shape}. Please provide NumPy arrays of the same length."
                )
        return list(zip(*dataset, strict=True))
    if isinstance(dataset, np.ndarray):
        return list(dataset)
    if isinstance(dataset, Dataset):
        return list(dataset.as_numpy_iterator())
    raise TypeError(
        "The `dataset` argument must be an array, a list/tuple of arrays, or a `Dataset`. "
        f"Received: {type(dataset)}"
    )


def _dataset(samples: list[Any]) -> Dataset:
    def make() -> Iterator[Any]:
        return iter(samples)

    return Dataset(make, len(samples))


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    """Both sizes as numbers of samples that are there. TypeError, ValueError for others."""
    for name, size in (("left_size", left), ("right_size", right)):
        _check_size(name, size, total)
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ValueError(
            "The sum of `left_size` and `right_size` is greater than 1. It must be less than or "
            f"equal to 1. Received: {left} and {right}"
        )
    left, right = (round(n * total) if isinstance(n, float) else n for n in (left, right))
    left = total - right if left is None else left
    right = total - left if right is None else right
    if left + right > total:
        raise ValueError(
            f"The sum of `left_size` and `right_size` should be smaller than the {total}. "
            f"Received: left_size + right_size = {left + right} and total_length = {total}"
        )
    for side, size in (("left", left), ("right", right)):
        if size == 0:
            raise ValueError(
                f"With `dataset` of length={total}, `left_size`={left} and `right_size`={right}. "
                f"Resulting {side} side dataset split will be empty. Adjust any of the "
                "aforementioned parameters"
            )
    return left, right


def _check_size(name: str, size: Any, total: int) -> None:
    if size is None:
        return
    if type(size) not in (int, float):
        raise TypeError(
            f"Invalid `{name}` Type. Expected: int or float or None, Received: "
            f"type({name})={type(size)}"
        )
    if not 0 < size < (1 if isinstance(size, float) else total):
        raise ValueError(
            f"`{name}` should be either a positive integer smaller than {total}, or a float "
            f"within the range `[0, 1]`. Received: {name}={size}"
        )
