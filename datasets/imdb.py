"""IMDB: 50,000 film reviews as lists of words, liked or not (Maas et al., 2011)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .keras_file import STORAGE, KerasFile
from .pickled import load_npz
from .word_lists import as_array, limited, shifted, shorter_than, shuffled

Split = tuple[np.ndarray, np.ndarray]

FILE = KerasFile(
    "imdb.npz",
    f"{STORAGE}imdb.npz",
    "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    max_bytes=32 << 20,
)
WORD_INDEX = KerasFile(
    "imdb_word_index.json",
    f"{STORAGE}imdb_word_index.json",
    "bfafd718b763782e994055a2d397834f",
    max_bytes=4 << 20,
)


def load_data(
    path: str | Path = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int | None = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): 25,000 reviews each.

    x: object arrays of lists of ints, one list a review, the words numbered from `index_from` + 1
    by how often they occur; y: int64 labels, 1 for reviews that liked the film.

    path: the name in Keras's folder `~/.keras/datasets` (`KERAS_HOME`), into which 17 MB are
        downloaded once and checked by SHA-256; or a path to such a file.
    num_words: words numbered from this on become `oov_char`; by default only the rarest is.
    skip_top: so do words numbered below this.
    maxlen: leave out reviews of this many words or more.
    seed: of the order of the reviews.
    start_char: what every review begins with; None for nothing.
    oov_char: None leaves such words out.

    The file is read without being unpickled. Raises DownloadError (a ConnectionError) if it cannot
    be reached, ValueError if it is damaged or no review is short enough.
    """
    arrays = load_npz(FILE.locate(path))
    rng = np.random.RandomState(seed)
    x_train, y_train = shuffled(rng, arrays["x_train"], arrays["y_train"])
    x_test, y_test = shuffled(rng, arrays["x_test"], arrays["y_test"])
    train, y_train = shorter_than(maxlen, shifted(x_train, start_char, index_from), y_train)
    test, y_test = shorter_than(maxlen, shifted(x_test, start_char, index_from), y_test)
    texts = limited(train + test, num_words, skip_top, oov_char)
    x_train, x_test = as_array(texts[: len(train)]), as_array(texts[len(train) :])
    return (x_train, y_train), (x_test, y_test)


def get_word_index(path: str | Path = "imdb_word_index.json") -> dict[str, int]:
    """{word: number} before `index_from` is added; `path` as for `load_data` (checked by MD5)."""
    return json.loads(WORD_INDEX.locate(path).read_text(encoding="utf-8"))
