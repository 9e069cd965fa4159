"""Texts as lists of word numbers: how IMDB and Reuters are shuffled, shifted, cut and split.

Words are numbered by how often they occur, 1 the most frequent one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Text = list[int]


def shuffled(rng: np.random.RandomState, *arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays in one new order, the next that `rng` gives."""
    order = np.arange(len(arrays[0]))
    rng.shuffle(order)
    return [array[order] for array in arrays]


def shifted(texts: Any, start_char: int | None, index_from: int | None) -> list[Text]:
    """The texts with `index_from` added to each word, and `start_char` put before them."""
    offset = index_from or 0
    start = [] if start_char is None else [start_char]
    return [start + [word + offset for word in text] for text in texts]


def shorter_than(
    maxlen: int | None, texts: list[Text], labels: np.ndarray
) -> tuple[list[Text], np.ndarray]:
    """The texts of fewer than `maxlen` words, with their labels. ValueError where none is left."""
    if not maxlen:
        return texts, labels
    kept = [index for index, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. "
            "Increase maxlen."
        )
    return [texts[index] for index in kept], labels[kept]


def limited(
    texts: list[Text], num_words: int | None, skip_top: int, oov_char: int | None
) -> list[Text]:
    """The texts without words below `skip_top` or from `num_words` (the largest of all) on.

    `oov_char` stands in their place, or, where it is None, nothing.
    """
    end = num_words or max(map(max, texts))
    if oov_char is None:
        return [[word for word in text if skip_top <= word < end] for text in texts]
    return [[word if skip_top <= word < end else oov_char for word in text] for text in texts]


def as_array(texts: list[Text]) -> np.ndarray:
    """An object array of lists."""
    return np.array(texts, dtype="object")
