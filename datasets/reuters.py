"""Reuters: 11,228 newswires as lists of words, on 46 topics (the Reuters-21578 collection)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .keras_file import STORAGE, KerasFile
from .pickled import load_npz
from .word_lists import as_array, limited, shifted, shorter_than, shuffled

Split = tuple[np.ndarray, np.ndarray]

FILE = KerasFile(
    "reuters.npz",
    f"{STORAGE}reuters.npz",
    "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    max_bytes=8 << 20,
)
WORD_INDEX = KerasFile(
    "reuters_word_index.json",
    f"{STORAGE}reuters_word_index.json",
    "4d44cc38712099c9e383dc6e5f11a921",
    max_bytes=2 << 20,
)
_TOPICS = """
cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship
cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin
strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr
gas silver wpi hog lead
"""


def load_data(
    path: str | Path = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int | None = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): 8,982 and 2,246 newswires.

    x: object arrays of lists of ints, one list a newswire, the words numbered from
    `index_from` + 1 by how often they occur; y: int64 topics from 0 to 45 (`get_label_names`).

    path: the name in Keras's folder `~/.keras/datasets` (`KERAS_HOME`), into which 2 MB are
        downloaded once and checked by SHA-256; or a path to such a file.
    num_words: words numbered from this on become `oov_char`; by default only the rarest is.
    skip_top: so do words numbered below this.
    maxlen: leave out newswires of this many words or more.
    test_split: the share of the test set, from 0 to 1.
    seed: of the order of the newswires.
    start_char: what every newswire begins with; None for nothing.
    oov_char: None leaves such words out.

    The file is read without being unpickled. Raises DownloadError (a ConnectionError) if it cannot
    be reached, ValueError if it is damaged or no newswire is short enough.
    """
    arrays = load_npz(FILE.locate(path))
    x, y = shuffled(np.random.RandomState(seed), arrays["x"], arrays["y"])
    texts, y = shorter_than(maxlen, shifted(x, start_char, index_from), y)
    texts = limited(texts, num_words, skip_top, oov_char)
    end = int(len(texts) * (1 - test_split))
    return (as_array(texts[:end]), y[:end]), (as_array(texts[end:]), y[end:])


def get_word_index(path: str | Path = "reuters_word_index.json") -> dict[str, int]:
    """{word: number} before `index_from` is added; `path` as for `load_data` (checked by MD5)."""
    return json.loads(WORD_INDEX.locate(path).read_text(encoding="utf-8"))


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of their numbers."""
    return tuple(_TOPICS.split())
