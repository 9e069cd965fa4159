"""The tables of preprocessing layers: plain data, so that Keras runs them too.

`ROWS`: layers of numbers, categories and texts, with what they adapt to and are called on.
`IMAGE_ROWS`: layers of images, with the transformation that is forced on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Row:
    """A layer by its class's name and arguments, and its inputs as lists."""

    layer: str
    inputs: Any
    arguments: dict[str, Any]
    adapt: Any = None  # what it learns from: a list is an array, a Batches several of them
    options: dict[str, Any] = field(default_factory=dict)  # of the call
    label: str = ""

    def __str__(self) -> str:
        return f"{self.layer}:{self.label}" if self.label else self.layer


class Batches(list):
    """Arrays that come one after the other."""


def row(layer: str, inputs: Any, label: str = "", **arguments: Any) -> Row:
    adapt = arguments.pop("adapt", None)
    options = arguments.pop("options", {})
    return Row(layer, inputs, arguments, adapt, options, label)


def array(x: Any) -> Any:
    """Inputs as a layer gets them; tuples are several of them."""
    if isinstance(x, tuple):
        return [array(part) for part in x]
    values = np.array(x)
    return values.astype("float32") if values.dtype.kind == "f" else values


def data(x: Any) -> Any:
    """What a layer adapts to."""
    return (array(batch) for batch in x) if isinstance(x, Batches) else array(x)


NUMBERS = [[0.5, -1.0, 3.0], [2.5, 0.0, -2.0], [1.0, 4.0, 0.25], [-0.5, 1.5, 2.0]]
CUBE = [[[1.0, 2.0], [3.0, 5.0]], [[2.0, -1.0], [0.5, 4.0]], [[0.0, 1.0], [7.0, 2.5]]]
SPREAD = [((i * 37) % 101) ** 2 / 97 for i in range(150)]
IDS = [[3, 1, 0], [1, 1, 2]]
WORDS = ["b", "a", "", "zz", "c", "b"]
NESTED = [["a", "b", "b"], ["zz", "", "y"]]
DOCUMENTS = [["a", "b", "b"], ["b", "c", "d"], ["b", "c", "a"], ["e", "e", "d"]]
ABC = ["a", "b", "c"]
TEXTS = ["The cat, the DOG!", "a  cat\tsat.", "É is déjà-vu; it's", ""]
CORPUS = ["the cat sat on the mat", "a dog sat", "The log: a dog's log", "mat, mat"]
MODES = ("one_hot", "multi_hot", "count")
LONG = ["", "ab", "abcdef", "a" * 12, "b" * 20, "c" * 40, "d" * 64, "e" * 65, "f" * 200]

ROWS = [
    row("Normalization", NUMBERS, adapt=NUMBERS),
    row("Normalization", NUMBERS, "invert", adapt=NUMBERS, invert=True),
    row("Normalization", CUBE, "axis", adapt=CUBE, axis=1),
    row("Normalization", CUBE, "axes", adapt=CUBE, axis=(1, 2)),
    row("Normalization", NUMBERS, "all", adapt=NUMBERS, axis=None),
    row("Normalization", NUMBERS, "batches", adapt=Batches([NUMBERS, NUMBERS[:1], NUMBERS[1:3]])),
    row("Normalization", NUMBERS, "given", axis=None, mean=1.0, variance=4.0),
    row("Normalization", NUMBERS, "each", mean=[1.0, 0.0, 2.0], variance=[4.0, 0.0, 1.0]),
    row("Normalization", CUBE, "last", axis=(1, 2), mean=[1.0, 0.0], variance=[4.0, 2.0]),
    row("Normalization", IDS, "integers", adapt=IDS),
    row("Discretization", NUMBERS, bin_boundaries=[-0.5, 0.0, 1.5]),
    row("Discretization", IDS, "integers", bin_boundaries=[1.0, 2.0]),
    row("Discretization", NUMBERS, "adapt", num_bins=4, adapt=NUMBERS),
    row("Discretization", NUMBERS, "coarse", num_bins=5, epsilon=0.05, adapt=SPREAD),
    row("Discretization", NUMBERS, "fine", num_bins=3, epsilon=0.01, adapt=SPREAD),
    row(
        "Discretization", NUMBERS, "batches", num_bins=3, adapt=Batches([SPREAD[:90], SPREAD[90:]])
    ),
    *[
        row("Discretization", NUMBERS, mode, bin_boundaries=[-0.5, 0.0, 1.5], output_mode=mode)
        for mode in MODES
    ],
    row("CategoryEncoding", IDS, num_tokens=4),
    row("CategoryEncoding", 2, "scalar", num_tokens=4, output_mode="one_hot"),
    row("CategoryEncoding", IDS[0], "one sample", num_tokens=4),
    row("CategoryEncoding", IDS, "one_hot", num_tokens=4, output_mode="one_hot"),
    row("CategoryEncoding", [[2], [0]], "column", num_tokens=4, output_mode="one_hot"),
    row("CategoryEncoding", IDS, "count", num_tokens=4, output_mode="count"),
    row(
        "CategoryEncoding",
        IDS,
        "weights",
        num_tokens=4,
        output_mode="count",
        options={"count_weights": [[0.5, 1.0, 2.0], [0.25, 0.5, 3.0]]},
    ),
    row("Hashing", LONG, num_bins=1000003),
    row("Hashing", LONG, "salt", num_bins=1000003, salt=133),
    row("Hashing", LONG, "salts", num_bins=1000003, salt=[133, 2**40 + 7]),
    row("Hashing", [[-3, 0, 12345678901]], "integers", num_bins=1000),
    row("Hashing", WORDS, "masked", num_bins=7, mask_value=""),
    row("Hashing", WORDS, "one bin", num_bins=1, mask_value=""),
    *[row("Hashing", NESTED, mode, num_bins=5, output_mode=mode) for mode in MODES],
    row("HashedCrossing", (LONG, list(range(-2, 7))), num_bins=1000003),
    row("HashedCrossing", ([[1], [2]], [["x"], ["yy"]], [[5], [5]]), "column", num_bins=50),
    row("HashedCrossing", ([1, 2], [3, 4]), "one_hot", num_bins=5, output_mode="one_hot"),
    row("HashedCrossing", ("a", "b"), "scalars", num_bins=50),
    row("StringLookup", NESTED, vocabulary=ABC),
    row("StringLookup", "a", "scalar", vocabulary=ABC),
    row("StringLookup", WORDS, "mask", vocabulary=ABC, mask_token=""),
    row("StringLookup", WORDS, "special", vocabulary=["", "?", "a"], mask_token="", oov_token="?"),
    row("StringLookup", LONG, "oov", vocabulary=ABC, num_oov_indices=5, mask_token=""),
    row("StringLookup", LONG, "salt", vocabulary=ABC, num_oov_indices=5, salt=[7, 8]),
    row("StringLookup", ["a", "c"], "none", vocabulary=ABC, num_oov_indices=0),
    row("StringLookup", [[0, 1], [2, 9]], "invert", vocabulary=ABC, invert=True),
    row("StringLookup", [0, 1, 2], "masked", vocabulary=ABC, invert=True, mask_token=""),
    row("StringLookup", NESTED, "adapt", adapt=DOCUMENTS),
    row("StringLookup", NESTED, "few", adapt=DOCUMENTS, max_tokens=4),
    row("StringLookup", NESTED, "batches", adapt=Batches(DOCUMENTS)),
    *[row("StringLookup", NESTED, mode, vocabulary=ABC, output_mode=mode) for mode in MODES],
    row("StringLookup", WORDS, "one sample", vocabulary=ABC, output_mode="count", mask_token=""),
    row(
        "StringLookup",
        NESTED,
        "padded",
        adapt=DOCUMENTS,
        output_mode="multi_hot",
        max_tokens=9,
        pad_to_max_tokens=True,
    ),
    row("StringLookup", NESTED, "tf_idf", adapt=DOCUMENTS, output_mode="tf_idf"),
    row("StringLookup", NESTED, "idf batches", adapt=Batches(DOCUMENTS), output_mode="tf-idf"),
    row(
        "StringLookup",
        NESTED,
        "idf padded",
        adapt=DOCUMENTS,
        output_mode="tf_idf",
        max_tokens=8,
        pad_to_max_tokens=True,
    ),
    row(
        "StringLookup",
        NESTED,
        "weights",
        vocabulary=ABC,
        idf_weights=[0.5, 1.0, 2.0],
        output_mode="tf_idf",
    ),
    row(
        "StringLookup",
        NESTED,
        "all weights",
        vocabulary=["[UNK]", "a", "b"],
        idf_weights=[0.5, 1.0, 2.0],
        output_mode="tf_idf",
    ),
    row("IntegerLookup", IDS, vocabulary=[1, 3]),
    row("IntegerLookup", IDS, "mask", vocabulary=[1, 3], mask_token=0),
    row("IntegerLookup", [[-7, 3, 10, 11]], "oov", vocabulary=[3], num_oov_indices=4),
    row(
        "IntegerLookup",
        [[-7, 3, 10, 11]],
        "farmhash",
        vocabulary=[3],
        num_oov_indices=4,
        oov_method="farmhash",
    ),
    row(
        "IntegerLookup",
        [[-7, 3, 10, 11]],
        "salt",
        vocabulary=[3],
        num_oov_indices=4,
        oov_method="farmhash",
        salt=3,
    ),
    row("IntegerLookup", IDS, "adapt", adapt=[[5, 1, 1], [3, 3, 0]]),
    row("IntegerLookup", [0, 1, 2, 8], "invert", vocabulary=[7, 9], invert=True, mask_token=0),
    row("IntegerLookup", IDS, "multi_hot", vocabulary=[1, 3], output_mode="multi_hot"),
    row("TextVectorization", TEXTS, adapt=CORPUS),
    row("TextVectorization", TEXTS, "vocabulary", vocabulary=["the", "cat"]),
    row("TextVectorization", [[text] for text in TEXTS], "column", adapt=CORPUS, max_tokens=5),
    row("TextVectorization", "the cat", "scalar", adapt=CORPUS),
    row("TextVectorization", TEXTS, "short", adapt=CORPUS, output_sequence_length=2),
    row("TextVectorization", TEXTS, "long", adapt=CORPUS, output_sequence_length=7),
    row("TextVectorization", TEXTS, "lower", adapt=CORPUS, standardize="lower"),
    row("TextVectorization", TEXTS, "strip", adapt=CORPUS, standardize="strip_punctuation"),
    row("TextVectorization", TEXTS, "as is", adapt=CORPUS, standardize=None),
    row("TextVectorization", TEXTS, "characters", adapt=CORPUS, split="character"),
    row("TextVectorization", TEXTS, "ngrams", adapt=CORPUS, ngrams=2),
    row("TextVectorization", TEXTS, "only ngrams", adapt=CORPUS, ngrams=(2, 3)),
    row("TextVectorization", CORPUS, "whole", adapt=CORPUS, split=None),
    row("TextVectorization", TEXTS, "batches", adapt=Batches([CORPUS[:3], CORPUS[3:]])),
    row("TextVectorization", TEXTS, "multi_hot", adapt=CORPUS, output_mode="binary"),
    row("TextVectorization", TEXTS, "count", adapt=CORPUS, output_mode="count"),
    row("TextVectorization", TEXTS, "tf_idf", adapt=CORPUS, output_mode="tf_idf"),
    row(
        "TextVectorization",
        TEXTS,
        "padded",
        adapt=CORPUS,
        output_mode="tf_idf",
        max_tokens=20,
        pad_to_max_tokens=True,
    ),
]
