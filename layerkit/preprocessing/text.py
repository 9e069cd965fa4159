"""Texts as lists of words and of numbers: `keras.preprocessing.text` of Keras 2."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(
    input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """The words of a text: parts between `split`, which the letters in `filters` stand for too."""
    text = input_text.lower() if lower else input_text
    text = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in text.split(split) if word]


def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """`hashing_trick` with its default hash: each word as a number from 1 to n - 1."""
    return hashing_trick(
        input_text, n, filters=filters, lower=lower, split=split, analyzer=analyzer
    )


def hashing_trick(
    text: str,
    n: int,
    hash_function: Any = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Each word as a number from 1 to n - 1: its hash. Different words may get the same.

    hash_function: of a word to an int; by default "md5", whose numbers are the same in every
        process. (Keras's default is Python's `hash`, which differs from one process to the next.)
    analyzer: what splits the text, in place of `filters`, `lower` and `split`.
    """
    if hash_function is None or hash_function == "md5":
        hash_function = _md5
    words = _words(text, analyzer, filters, lower, split)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


def _words(
    text: str, analyzer: Callable[[str], list[str]] | None, filters: str, lower: bool, split: str
) -> list[str]:
    if analyzer is not None:
        return analyzer(text)
    return text_to_word_sequence(text, filters=filters, lower=lower, split=split)


class Tokenizer:
    """Words numbered by how often they occur in the texts it was fitted on, 1 the most frequent.

    num_words: only words numbered below this are kept in sequences and matrices. filters, lower,
    split: as for `text_to_word_sequence`. char_level: letters are the words. oov_token: stands for
    words that are not kept or not known, and is numbered 1; without it they are left out. analyzer:
    what splits a text into words. A text may also be a list of words.

    `word_counts`, `word_docs`, `word_index`, `index_word`, `index_docs` and `document_count` hold
    what was found.
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
        document_count: int = 0,
    ):
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.document_count = document_count
        self.word_counts: dict[str, int] = {}
        self.word_docs: dict[str, int] = defaultdict(int)
        self.index_docs: dict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of the texts, and number all words met so far."""
        for text in texts:
            self.document_count += 1
            words = list(self._split(text))
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        ordered = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        if self.oov_token is not None:
            ordered.insert(0, self.oov_token)
        self.word_index = {word: number for number, word in enumerate(ordered, start=1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Any) -> None:
        """Count the documents and their numbers, for `sequences_to_matrix` with "tfidf"."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """The numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """As `texts_to_sequences`, one text after the other."""
        for text in texts:
            numbers = (self._kept(self.word_index.get(word)) for word in self._split(text))
            yield [number for number in numbers if number is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The words with these numbers, joined with spaces."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """As `sequences_to_texts`, one sequence after the other."""
        for sequence in sequences:
            known = (number if number in self.index_word else None for number in sequence)
            numbers = (self._kept(number) for number in known)
            yield " ".join(self.index_word[number] for number in numbers if number is not None)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """As `sequences_to_matrix`, of texts."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> np.ndarray:
        """float64 (len(sequences), num_words): a row a sequence, a column a number.

        mode: "binary" (whether it occurs), "count", "freq" (its share of the sequence), or "tfidf":
            (1 + log count) * log(1 + documents / (1 + documents with it)).
        """
        if mode not in ("binary", "count", "freq", "tfidf"):
            raise ValueError(
                f"Unknown vectorization mode: {mode}. Expected binary, count, freq or tfidf."
            )
        if not self.num_words and not self.word_index:
            raise ValueError(
                "Specify a dimension (`num_words` argument), or fit on some text data first."
            )
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Fit the Tokenizer on some data before using tfidf mode.")
        size = self.num_words or len(self.word_index) + 1
        x = np.zeros((len(sequences), size))
        for row, sequence in zip(x, sequences, strict=True):
            for number, count in Counter(sequence).items():
                if number < size:
                    row[number] = self._weight(mode, number, count, len(sequence))
        return x

    def get_config(self) -> dict[str, Any]:
        """What `tokenizer_from_json` makes it from again; the counts are JSON texts."""
        settings = ("num_words", "filters", "lower", "split", "char_level", "oov_token")
        counts = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {
            **{name: getattr(self, name) for name in settings},
            "document_count": self.document_count,
            **{name: json.dumps(getattr(self, name)) for name in counts},
        }

    def to_json(self, **kwargs: Any) -> str:
        """All of it but `analyzer` as JSON, which Keras reads too; `kwargs` are `json.dumps`'s."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **kwargs)

    def _split(self, text: Any) -> Iterable[str]:
        if isinstance(text, list):
            return [word.lower() for word in text] if self.lower else text
        if self.char_level:
            return text.lower() if self.lower else text
        return _words(text, self.analyzer, self.filters, self.lower, self.split)

    def _kept(self, number: int | None) -> int | None:
        """A word's number, or that of `oov_token`, if there is one, for what is not kept."""
        if number is None or (self.num_words and number >= self.num_words):
            return None if self.oov_token is None else self.word_index.get(self.oov_token)
        return number

    def _weight(self, mode: str, number: int, count: int, length: int) -> float:
        if mode == "binary":
            return 1
        if mode == "count":
            return count
        if mode == "freq":
            return count / length
        idf = np.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
        return (1 + np.log(count)) * idf


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The Tokenizer that `to_json`, here or in Keras, described."""
    config = json.loads(json_string)["config"]
    names = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    counts = {name: json.loads(config.pop(name)) for name in names}
    tokenizer = Tokenizer(**config)
    for name, found in counts.items():
        by_number = name in ("index_docs", "index_word")  # JSON's keys are texts
        setattr(tokenizer, name, {int(k): v for k, v in found.items()} if by_number else found)
    return tokenizer
