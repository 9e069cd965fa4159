"""Sequences for models: `keras.preprocessing.sequence` of Keras 2 and 3."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np

from layerkit.backend.names import explain_missing

from ..data import PyDataset
from ..utils.sequences import pad_sequences

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a series, each with the target of the step after it.

    data: an array or a list, time first. targets: as long as `data`. length: steps back that a
    window reaches. sampling_rate: steps between two values in it. stride: steps between two
    windows. start_index, end_index: the first and the last step to use. shuffle: windows at random
    places, in place of one after the other. reverse: the latest step first. batch_size: windows.

    `len(generator)` batches; `generator[i]` is (windows (batch, steps, ...), targets (batch, ...)).
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ):
        super().__init__()
        if len(data) != len(targets):
            raise ValueError(
                f"Data and targets have to be of same length. Data length is {len(data)} while "
                f"target length is {len(targets)}"
            )
        self.data, self.targets, self.length = data, targets, length
        self.sampling_rate, self.stride = sampling_rate, stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"`start_index+length={self.start_index} > end_index={self.end_index}` is "
                "disallowed, as no part of the sequence would be left to be used as current step."
            )

    def __len__(self) -> int:
        steps = self.batch_size * self.stride
        return (self.end_index - self.start_index + steps) // steps

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if not -len(self) <= index < len(self):  # ends a loop over the generator, too
            raise IndexError(f"Expected a batch below {len(self)}. Received: {index}")
        rows = self._rows(index % len(self))
        step = self.sampling_rate
        samples = np.array([self.data[row - self.length : row : step] for row in rows])
        targets = np.array([self.targets[row] for row in rows])
        return (samples[:, ::-1] if self.reverse else samples), targets

    def get_config(self) -> dict[str, Any]:
        """The settings; data and targets as JSON texts. TypeError where they are not numbers."""
        return {
            "data": _as_json("Data", self.data),
            "targets": _as_json("Targets", self.targets),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs: Any) -> str:
        """The settings as JSON; `kwargs` are those of `json.dumps`."""
        return json.dumps(
            {"class_name": type(self).__name__, "config": self.get_config()}, **kwargs
        )

    def _rows(self, index: int) -> np.ndarray:
        if self.shuffle:
            return np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        steps = self.batch_size * self.stride
        first = self.start_index + steps * index
        return np.arange(first, min(first + steps, self.end_index + 1), self.stride)


def _as_json(name: str, values: Any) -> str:
    try:
        return json.dumps(values.tolist() if isinstance(values, np.ndarray) else values)
    except TypeError as error:
        raise TypeError(f"{name} not JSON Serializable: {values}") from error


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """float64 (size,): the probability with which to keep the word of each rank, in skipgrams.

    word2vec's min(1, sqrt(f) / f), with f = frequency / sampling_factor, where frequencies follow
    Zipf's law: 1 / (rank (log rank + gamma) + 1/2 - 1/(12 rank)).
    """
    gamma = 0.577
    rank = np.arange(size)
    rank[:1] = 1
    inverse_frequency = rank * (np.log(rank) + gamma) + 0.5 - 1.0 / (12.0 * rank)
    f = sampling_factor * inverse_frequency
    return np.minimum(1.0, f / np.sqrt(f))


def skipgrams(
    sequence: Any,
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """(couples, labels): pairs of words near one another (label 1), and random pairs (label 0).

    sequence: word numbers; 0 is no word. vocabulary_size: the largest number + 1. window_size: how
    far apart a pair may be. negative_samples: random pairs for each pair. shuffle: mix them.
    categorical: labels [0, 1] and [1, 0]. sampling_table: the probability to use a word, by number.
    seed: of the mixing; the rest is drawn from Python's global generator, as in Keras.

    Mikolov et al., Efficient estimation of word representations in vector space, 2013.
    """
    couples: list[list[int]] = []
    for i, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        for j in range(max(0, i - window_size), min(len(sequence), i + window_size + 1)):
            if j != i and sequence[j]:
                couples.append([word, sequence[j]])
    positive, negative = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [positive] * len(couples)
    if negative_samples > 0:
        count = int(len(labels) * negative_samples)
        words = [couple[0] for couple in couples]
        random.shuffle(words)
        couples += [
            [words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)
        ]
        labels += [negative] * count
    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        for values in (couples, labels):
            random.seed(seed)
            random.shuffle(values)
    return couples, labels


explain_missing(__name__)
