"""Windows of a series as a data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.dataset import Dataset
from .batched import any_seed, batched


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> Dataset:
    """Batches of windows (batch, sequence_length, ...) of `data`, or (windows, targets).

    data: an array (time, ...). targets: `targets[i]` belongs to the window that begins at `i`; None
        for no targets.
    sequence_stride: steps from one window's beginning to the next one's.
    sampling_rate: steps from one value in a window to the next.
    batch_size: None for single windows.
    shuffle, seed: whether every pass has another order; it is the seed's.
    start_index, end_index: use `data` from the one on, and up to the other, which is excluded.

    ValueError for numbers that do not fit the series.
    """
    _check_range(len(data), start_index, end_index)
    for name, value in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        _check_step(name, value, len(data))
    start, end = start_index or 0, end_index or len(data)
    series = np.asarray(data[start:end])
    wanted = None if targets is None else np.asarray(targets[start:end])
    count = end - start - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets))
    starts = np.arange(0, count, sequence_stride)
    seed = any_seed(seed)
    if shuffle:
        np.random.RandomState(seed).shuffle(starts)
    offsets = np.arange(sequence_length) * sampling_rate

    def read(indices: np.ndarray) -> Any:
        begin = starts[indices]
        windows = series[begin[:, None] + offsets]
        return windows if wanted is None else (windows, wanted[begin])

    return batched(read, len(starts), batch_size, shuffle, seed)


def _check_range(length: int, start: int | None, end: int | None) -> None:
    if start and start < 0:
        raise ValueError(f"`start_index` must be 0 or greater. Received: start_index={start}")
    if start and start >= length:
        raise ValueError(
            "`start_index` must be lower than the length of the data. Received: "
            f"start_index={start}, for data of length {length}"
        )
    if end is None:
        return
    if end <= (start or 0):
        raise ValueError(
            f"`end_index` must be higher than `start_index`. Received: start_index={start}, and "
            f"end_index={end}"
        )
    if end >= length:
        raise ValueError(
            "`end_index` must be lower than the length of the data. Received: "
            f"end_index={end}, for data of length {length}"
        )


def _check_step(name: str, value: int, length: int) -> None:
    if value <= 0:
        raise ValueError(f"`{name}` must be higher than 0. Received: {name}={value}")
    if value >= length:
        raise ValueError(
            f"`{name}` must be lower than the length of the data. Received: {name}={value}, for "
            f"data of length {length}"
        )
