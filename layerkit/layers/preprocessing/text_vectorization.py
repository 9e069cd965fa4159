"""Texts as the numbers of their words: TextVectorization."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np

from ...configurable import serialize
from ..layer import Shape
from .host import HostLayer, batches, is_batches, on_host, one_of, refuse_sparse
from .lookup import StringLookup

_STANDARDIZATIONS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLITS = ("whitespace", "character")
_LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
_OF_LOOKUP = {"vocabulary_size", "has_input_vocabulary"}  # what a saved layer says

Rows = list  # of lists of tokens, one for each text


class TextVectorization(HostLayer):
    """Texts, cut into tokens, as the tokens' numbers in a vocabulary.

    Inputs: strings of shape (), (batch,) or (batch, 1). `standardize`: what is done to the texts
    first, one of 'lower_and_strip_punctuation' (of ASCII), 'lower', 'strip_punctuation', None, or
    a function of an array of str. `split`: 'whitespace', 'character', None, or a function of an
    array of str that gives lists of tokens. `ngrams`: n for all runs of up to n tokens, or a tuple
    of lengths. `output_mode`: 'int' (batch, longest or `output_sequence_length`), padded by 0, or
    'multi_hot', 'count', 'tf_idf' over the vocabulary, which is given or learned by `adapt`.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ):
        of_lookup = {key: kwargs.pop(key) for key in _OF_LOOKUP & kwargs.keys()}
        super().__init__(name=name, **kwargs)
        if ragged:
            raise ValueError(
                "`ragged=True` of TextVectorization is not available in layerkit, which has no "
                "ragged tensors: leave it at False, rows are padded by 0. Received: ragged=True"
            )
        self.standardize = _choice("standardize", standardize, _STANDARDIZATIONS)
        self.split = _choice("split", split, _SPLITS)
        self.ngrams = _checked_ngrams(ngrams)
        self.sparse = refuse_sparse("TextVectorization", sparse)
        self.ragged = False
        self.encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=output_mode,
            encoding=encoding,
            **of_lookup,
        )
        self.output_mode = self._lookup_layer.output_mode
        self.output_sequence_length = output_sequence_length
        self._check_length()

    def _check_length(self) -> None:
        length = self.output_sequence_length
        if self.output_mode != "int" and length is not None:
            raise ValueError(
                "`output_sequence_length` must not be set if `output_mode` is not 'int'. "
                f"Received output_sequence_length={length}."
            )
        if length is not None and not isinstance(length, int):
            raise ValueError(
                "`output_sequence_length` must be either None or an integer when `output_mode` is "
                f"'int'. Received: output_sequence_length={length}"
            )

    # The vocabulary.

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary from `data`: strings in an array or a list, or batches of them."""
        self.reset_state()
        if is_batches(data):
            for batch in batches(data, steps):
                self.update_state(batch)
        else:
            texts = on_host(data)
            self.update_state(texts[:, None] if texts.ndim == 1 else texts)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of one batch of texts."""
        self._lookup_layer.update_state(self._tokens(on_host(data)))

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list:
        """The tokens in the order of their numbers, with '' (padding) and '[UNK]' or without."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """How many numbers there are, those of padding and of unknown words included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take `vocabulary`, as `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights=idf_weights)

    # What becomes of texts.

    def call(self, inputs: Any) -> Any:
        tokens = self._tokens(inputs)
        if isinstance(tokens, list):
            tokens = self._padded(tokens)
            tokens = tokens if inputs.ndim else tokens[0]
        elif self.output_sequence_length is not None and self.ngrams is None:
            tokens = _of_length(tokens, self.output_sequence_length)
        return self._lookup_layer.call(tokens)

    def _tokens(self, inputs: np.ndarray) -> Any:
        """A list of lists of tokens, one for each text; an array where texts are not split."""
        if inputs.dtype.kind != "O" and inputs.size:
            raise TypeError(
                f"Layer '{self.name}' (TextVectorization) expects strings; received {inputs.dtype}."
            )
        texts = self._standardized(inputs)
        if self.split is not None:
            return self._with_ngrams(self._cut(texts))
        if self.ngrams is not None:
            rows = texts.reshape(-1, texts.shape[-1] if texts.ndim > 1 else 1)
            return self._with_ngrams(rows.tolist())
        return texts

    def _standardized(self, texts: np.ndarray) -> np.ndarray:
        if self.standardize is None:
            return texts
        if callable(self.standardize):
            return on_host(self.standardize(texts.astype(str)))
        table = _LOWER if "lower" in self.standardize else None
        marks = string.punctuation.encode() if "strip_punctuation" in self.standardize else b""
        clean = np.empty(texts.size, object)
        # Bytes are far faster, and those of ASCII are no part of another character in UTF-8.
        clean[:] = [t.encode().translate(table, marks).decode() for t in texts.ravel().tolist()]
        return clean.reshape(texts.shape)

    def _cut(self, texts: np.ndarray) -> Rows:
        if texts.ndim > 1:
            if texts.shape[-1] != 1 or texts.ndim > 2:
                raise ValueError(
                    "When using `TextVectorization` to tokenize strings, the input rank must be 1 "
                    f"or the last shape dimension must be 1. Received: inputs.shape={texts.shape} "
                    f"with rank={texts.ndim}"
                )
            texts = texts[:, 0]
        if callable(self.split):
            return [[str(token) for token in row] for row in self.split(texts.astype(str))]
        cut: Callable[[str], list[str]] = _words if self.split == "whitespace" else list
        return [cut(text) for text in texts.ravel().tolist()]

    def _with_ngrams(self, rows: Rows) -> Rows:
        if self.ngrams is None:
            return rows
        counts = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [
            [" ".join(row[i : i + n]) for n in counts for i in range(len(row) - n + 1)]
            for row in rows
        ]

    def _padded(self, rows: Rows) -> np.ndarray:
        """Lists of tokens as one array, with '' behind the short ones."""
        if self.output_mode == "one_hot":
            raise ValueError(
                f"Layer '{self.name}': `output_mode='one_hot'` of texts that are split gives rows "
                "of unequal length, and layerkit has no ragged tensors: use 'multi_hot', or "
                "`split=None`."
            )
        length = self.output_sequence_length
        if length is None:
            length = max((len(row) for row in rows), default=0)
        padded = np.full((len(rows), length), "", object)
        for target, row in zip(padded, rows, strict=True):
            target[: len(row)] = row[:length]
        return padded

    @property
    def input_dtype(self) -> str | None:
        """'string'."""
        return "string"

    @property
    def output_dtype(self) -> str:
        """int64; a float for 'tf_idf'."""
        return self._lookup_layer.output_dtype

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.split is None and self.ngrams is None and self.output_sequence_length is None:
            return self._lookup_layer.compute_output_shape(tuple(input_shape))
        batch = tuple(input_shape)[:1]
        if self.output_mode == "int":
            return (*batch, self.output_sequence_length)
        return self._lookup_layer.compute_output_shape((*batch, None))

    # Files.

    def get_config(self) -> dict[str, Any]:
        """With the vocabulary given to the constructor; a learned one is in the assets."""
        lookup = self._lookup_layer.get_config()
        known = ("max_tokens", "pad_to_max_tokens", "vocabulary", "idf_weights", "vocabulary_size")
        own = ("standardize", "split", "ngrams", "output_mode", "output_sequence_length")
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self._dtype_config(),
            **{key: serialize(getattr(self, key)) for key in (*own, "sparse", "ragged")},
            **{key: lookup[key] for key in known},
            "encoding": self.encoding,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """ValueError where the config names a file, as of StringLookup."""
        if isinstance(config.get("vocabulary"), str):
            return StringLookup.from_config(config)  # which refuses it
        return super().from_config(config)

    def get_build_config(self) -> dict[str, Any] | None:
        """Nothing: there are no weights to make."""
        return {}

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of 'tf_idf' into `store`."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of 'tf_idf' from `store`."""
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: str) -> None:
        """Write a learned vocabulary to `vocabulary.txt` in the folder."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Take the vocabulary from `vocabulary.txt` in the folder."""
        self._lookup_layer.load_assets(dir_path)


def _words(text: str) -> list[str]:
    """What lies between spaces of ASCII: `bytes.split` knows only those, `str.split` others too."""
    spaced = b" ".join(text.encode().split())
    return spaced.decode().split(" ") if spaced else []


def _choice(name: str, value: Any, allowed: tuple[str, ...]) -> Any:
    if value is None or callable(value):
        return value
    return one_of("TextVectorization", name, value, allowed)


def _checked_ngrams(ngrams: Any) -> int | tuple[int, ...] | None:
    ngrams = tuple(ngrams) if isinstance(ngrams, list) else ngrams
    is_tuple = isinstance(ngrams, tuple) and all(isinstance(n, int) for n in ngrams)
    if not (ngrams is None or isinstance(ngrams, int) or is_tuple):
        raise ValueError(
            f"`ngrams` must be None, an integer, or a tuple of integers. Received: ngrams={ngrams}"
        )
    return ngrams


def _of_length(tokens: np.ndarray, length: int) -> np.ndarray:
    """The last axis cut or padded by '' to a length."""
    cut = tokens[..., :length]
    margins = [(0, 0)] * (cut.ndim - 1) + [(0, length - cut.shape[-1])]
    return np.pad(cut, margins, constant_values="")
