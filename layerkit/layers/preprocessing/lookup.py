"""Tokens as the numbers that a vocabulary gives them, and back: StringLookup, IntegerLookup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.allowance import spend
from layerkit.backend.recording import in_symbolic_scope

from ..layer import Shape
from .fingerprint import buckets
from .host import (
    HostLayer,
    as_text,
    batches,
    encoded,
    is_batches,
    on_host,
    one_of,
    refuse_sparse,
    two_salts,
)

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
_OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
_IGNORED = np.iinfo("int64").max  # the number of what counts nothing


class _IndexLookup(HostLayer):
    """What the lookups share: the vocabulary, how it is learned, and what becomes of numbers.

    Numbers: 0 for the mask token, where there is one and `output_mode` is 'int'; then
    `num_oov_indices` for what is out of the vocabulary; then the tokens'.
    """

    vocabulary_dtype: Any  # 'string' or 'int64'

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        sparse: bool,
        pad_to_max_tokens: bool,
        oov_method: str,
        salt: Any,
        name: str | None,
        **kwargs: Any,
    ):
        size = kwargs.pop("vocabulary_size", None)  # of a saved layer
        is_given = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        super().__init__(name=name, **kwargs)
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = invert
        self.output_mode = _OLD_MODES.get(output_mode, output_mode)
        self.sparse = refuse_sparse(type(self).__name__, sparse)
        self.pad_to_max_tokens = pad_to_max_tokens
        self.oov_method = oov_method
        self.salt = two_salts(type(self).__name__, salt)
        self.vocabulary = None if isinstance(vocabulary, str) else _listed(vocabulary)
        self.input_idf_weights = _listed(idf_weights)
        self._check_arguments()
        self.idf_weights: np.ndarray | None = None
        self._tokens: list = []  # those after the mask's and the OOV tokens
        self._numbers: dict[Any, int] = {}  # the number of each
        self._frozen_size = size
        self._has_input_vocabulary = is_given
        self._seen: Counter = Counter()  # how often, since the last `reset_state`
        self._seen_in: Counter = Counter()  # in how many documents
        self._documents = 0
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _check_arguments(self) -> None:
        name = type(self).__name__
        if self.max_tokens is not None and self.max_tokens <= 1:
            raise ValueError(
                f"If set, `max_tokens` of {name} must be greater than 1. "
                f"Received: max_tokens={self.max_tokens}"
            )
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ValueError(
                f"If pad_to_max_tokens is True, must set `max_tokens` of {name}. "
                f"Received: max_tokens={self.max_tokens}"
            )
        if self.num_oov_indices < 0:
            raise ValueError(
                f"The value of `num_oov_indices` argument for `{name}` must be >= 0. "
                f"Received: num_oov_indices={self.num_oov_indices}"
            )
        one_of(name, "oov_method", self.oov_method, ("floormod", "farmhash"))
        one_of(name, "output_mode", self.output_mode, MODES)
        if self.salt and self.vocabulary_dtype != "string" and self.oov_method != "farmhash":
            raise ValueError(
                "`salt` can only be used when `oov_method='farmhash'`. "
                f"Received: oov_method={self.oov_method}"
            )
        if self.invert and self.output_mode != "int":
            raise ValueError(
                "`output_mode` must be `'int'` when `invert` is true. "
                f"Received: output_mode={self.output_mode}"
            )
        weights = self.input_idf_weights
        if weights is not None and self.output_mode != "tf_idf":
            raise ValueError(
                "`idf_weights` should only be set if `output_mode` is `'tf_idf'`. "
                f"Received: idf_weights={weights} and output_mode={self.output_mode}"
            )
        if self.vocabulary is not None and weights is None and self.output_mode == "tf_idf":
            raise ValueError(
                "When specifying the `vocabulary` argument, in TF-IDF output mode, the "
                "`idf_weights` argument must also be provided."
            )

    # The vocabulary.

    def get_vocabulary(self, include_special_tokens: bool = True) -> list:
        """The tokens in the order of their numbers, with or without the mask's and OOV tokens."""
        special = self._special_tokens() if include_special_tokens else []
        return [*special, *self._tokens]

    def vocabulary_size(self) -> int:
        """How many numbers there are, those of the mask and OOV tokens included."""
        return self._token_start() + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take `vocabulary`: tokens in an array or a list, or the path of a file of one a line.

        It may begin with the mask's and the OOV tokens. `idf_weights`: one for each of its
        entries, for 'tf_idf'. ValueError for tokens that are repeated or reserved, or too many.
        """
        self._check_idf_weights(idf_weights)
        is_path = isinstance(vocabulary, str)
        tokens = self._read(vocabulary) if is_path else self._as_tokens(vocabulary)
        if not tokens:
            raise ValueError(f"Cannot set an empty vocabulary. Received: vocabulary={vocabulary}")
        special = self._special_tokens()
        found_special = not is_path and tokens[: len(special)] == special
        given, tokens = tokens, tokens[len(special) :] if found_special else tokens
        self._check_tokens(tokens, given)
        self._take(tokens)
        if self.output_mode == "tf_idf":
            self._take_idf_weights(idf_weights, len(given), found_special)

    def _check_idf_weights(self, idf_weights: Any) -> None:
        if self.output_mode == "tf_idf" and idf_weights is None:
            raise ValueError("`idf_weights` must be set if output_mode is 'tf_idf'.")
        if self.output_mode != "tf_idf" and idf_weights is not None:
            raise ValueError(
                "`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: "
                f"output_mode={self.output_mode} and idf_weights={idf_weights}"
            )

    def _read(self, path: str) -> list:
        if not Path(path).exists():
            raise ValueError(f"Vocabulary file {path} does not exist.")
        if self.output_mode == "tf_idf":
            raise ValueError(
                "output_mode `'tf_idf'` does not support loading a vocabulary from file: it has no "
                "weights. Pass the tokens and `idf_weights`."
            )
        return self._parsed(Path(path).read_text(encoding="utf-8"))

    def _parsed(self, text: str) -> list:
        """The tokens of a vocabulary file, one a line; empty lines at its end do not count."""
        lines = text.rstrip("\n").split("\n") if text else []
        return lines if self.vocabulary_dtype == "string" else [int(line) for line in lines]

    def _as_tokens(self, vocabulary: Any) -> list:
        listed = _listed(vocabulary) or []
        if self.vocabulary_dtype == "string":
            return [as_text(token) for token in listed]
        return [int(token) for token in listed]

    def _check_tokens(self, tokens: list, given: list) -> None:
        name = type(self).__name__
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        if repeated:
            raise ValueError(
                "The passed vocabulary has at least one repeated term. Please uniquify your "
                f"dataset. The repeated terms are: {repeated}"
            )
        reserved = {"mask": self.mask_token, "OOV": self.oov_token if self.invert else None}
        for kind, token in reserved.items():
            if token is not None and token in tokens:
                raise ValueError(
                    f"Found reserved {kind} token at unexpected location in `vocabulary` of {name}."
                    " Either remove all mask and OOV tokens, or include them only at the start of "
                    f"the vocabulary in precisely this order: {self._special_tokens()}. Received: "
                    f"{kind.lower()}_token={token} at vocabulary index {given.index(token)}"
                )
        size = self._token_start() + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. Received "
                f"vocabulary size is {size}; `max_tokens` is {self.max_tokens}."
            )

    def _take(self, tokens: list) -> None:
        start = self._token_start()
        size = start + len(tokens)
        fixed = self.output_mode != "int" and not self.pad_to_max_tokens
        if fixed and self._frozen_size not in (None, size):
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, the "
                "vocabulary size cannot be changed after it was set. Old vocab size is "
                f"{self._frozen_size}, new vocab size is {size}: make a new layer, or set "
                "`max_tokens` and `pad_to_max_tokens=True`."
            )
        self._tokens = tokens
        self._numbers = {token: number for number, token in enumerate(tokens, start)}
        self._frozen_size = size

    def _take_idf_weights(self, idf_weights: Any, tokens: int, found_special: bool) -> None:
        weights = np.array(_listed(idf_weights), dtype=K.floatx())
        if weights.shape != (tokens,):
            raise ValueError(
                "`idf_weights` must be the same length as vocabulary. len(idf_weights) is "
                f"{weights.shape}; len(vocabulary) is {tokens}"
            )
        front = 0 if found_special else self._token_start()
        self._set_idf_weights(np.pad(weights, (front, 0), constant_values=weights.mean()))

    def _set_idf_weights(self, weights: np.ndarray) -> None:
        missing = self._depth() - len(weights)
        self.idf_weights = np.pad(weights, (0, missing)).astype(K.floatx())

    def _special_tokens(self) -> list:
        spend((self.num_oov_indices,), "int64", f"num_oov_indices of {self.name}")
        return [self.mask_token] * self._oov_start() + [self.oov_token] * self.num_oov_indices

    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    def _token_start(self) -> int:
        return self._oov_start() + self.num_oov_indices

    def _depth(self) -> int:
        """The length of the rows that are no numbers."""
        if self.pad_to_max_tokens:
            return self.max_tokens or 0
        if self._frozen_size is None:
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, you "
                f"must set the vocabulary of layer '{self.name}' before calling it. Either pass a "
                "`vocabulary` argument to the layer, or call `adapt` with some sample data."
            )
        return self._frozen_size

    # How it is learned.

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary from `data`: an array, a list, or a dataset of `steps` batches.

        The most frequent tokens come first, equally frequent ones in descending order. Each row is
        a document of its own for 'tf_idf'; the weight of a token is
        log(1 + documents / (1 + documents with the token)).
        """
        self.reset_state()
        if is_batches(data):
            for batch in batches(data, steps):
                self.update_state(batch)
        else:
            data = self._checked(on_host(data))
            self.update_state(data[:, None] if data.ndim == 1 else data)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of one batch: rows of tokens, which need not have one length."""
        if self._has_input_vocabulary:
            raise ValueError(
                f"Cannot adapt layer '{self.name}' after setting a static vocabulary via "
                "`vocabulary` argument: make it without one."
            )
        for row in self._rows(data):
            self._seen.update(row)
            if self.output_mode == "tf_idf":
                self._seen_in.update(set(row))
                self._documents += 1

    def _rows(self, data: Any) -> Iterable[list]:
        """Documents as lists of tokens; one document of what has no rows."""
        if isinstance(data, list) and all(isinstance(row, list) for row in data):
            return data
        array = self._checked(on_host(data))
        return array.reshape(array.shape[0] if array.ndim > 1 else 1, -1).tolist()

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        if self._has_input_vocabulary or not self._seen:
            return
        for token in (self.mask_token, self.oov_token):
            self._seen.pop(token, None)
        ordered = sorted(self._seen.items(), key=lambda item: item[::-1], reverse=True)
        room = None if self.max_tokens is None else self.max_tokens - self._token_start()
        self._take([token for token, _ in ordered[:room]])
        if self.output_mode == "tf_idf":
            documents = np.array([self._seen_in[token] for token in self._tokens])
            weights = np.log(1 + self._documents / (1 + documents))
            front = (self._token_start(), 0)
            self._set_idf_weights(np.pad(weights, front, constant_values=weights.mean()))
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what was counted."""
        self._seen, self._seen_in, self._documents = Counter(), Counter(), 0

    # What becomes of tokens.

    def call(self, inputs: Any) -> Any:
        if self.invert:
            return self._tokens_of(inputs)
        numbers = self._numbers_of(self._checked(inputs))
        if self.output_mode == "int":
            return K.convert_to_tensor(numbers)
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        output = encoded(numbers, mode, self._depth(), "int64")
        if self.output_mode == "tf_idf":
            if self.idf_weights is None:
                raise ValueError(
                    f"Layer '{self.name}' ({type(self).__name__}) has output_mode='tf_idf' and no "
                    "`idf_weights`: adapt() it, or give them to set_vocabulary(vocabulary, "
                    "idf_weights)."
                )
            output = output.astype(K.floatx()) * self.idf_weights
        return K.convert_to_tensor(output)

    def _checked(self, inputs: np.ndarray) -> np.ndarray:
        """`inputs`, which must be of the vocabulary's kind."""
        kind = inputs.dtype.kind
        if self.vocabulary_dtype == "string":
            if kind != "O" and inputs.size:
                raise TypeError(
                    f"Layer '{self.name}' ({type(self).__name__}) expects strings; received "
                    f"{inputs.dtype}: use IntegerLookup for integers."
                )
            return inputs
        if kind not in "iub" and not (kind == "f" and np.all(inputs == np.floor(inputs))):
            raise TypeError(
                f"Layer '{self.name}' ({type(self).__name__}) expects integers; received "
                f"{'strings' if kind == 'O' else inputs.dtype}: use StringLookup for strings, "
                "Discretization for floats."
            )
        return inputs.astype("int64")

    def _numbers_of(self, tokens: np.ndarray) -> np.ndarray:
        flat = tokens.ravel().tolist()
        found = map(self._numbers.get, flat, repeat(-1))
        numbers = np.fromiter(found, "int64", len(flat))
        numbers = numbers.reshape(tokens.shape)
        masked = np.zeros(tokens.shape, bool)
        if self.mask_token is not None:
            masked = np.asarray(tokens == self.mask_token, bool)
            numbers[masked] = 0 if self.output_mode == "int" else _IGNORED
        unknown = (numbers == -1) & ~masked
        if unknown.any():
            numbers[unknown] = self._oov_numbers(tokens[unknown])
        return numbers

    def _oov_numbers(self, tokens: np.ndarray) -> Any:
        """The numbers of tokens that are out of the vocabulary."""
        if self.num_oov_indices == 0:
            if in_symbolic_scope():  # of a sample, which is in no vocabulary
                return 0
            raise ValueError(
                "When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values "
                f"{tokens[:5].tolist()} in the inputs of layer '{self.name}', consider setting "
                "`num_oov_indices=1`."
            )
        if self.num_oov_indices == 1:
            number: Any = 0
        elif self.vocabulary_dtype != "string" and self.oov_method == "floormod":
            number = tokens % self.num_oov_indices
        else:
            number = buckets(tokens, self.num_oov_indices, self.salt)
        return number + self._oov_start()

    def _tokens_of(self, numbers: np.ndarray) -> Any:
        if numbers.dtype.kind not in "iu":
            raise TypeError(
                f"Layer '{self.name}' ({type(self).__name__}) with `invert=True` expects integers; "
                f"received {numbers.dtype}."
            )
        by_number = dict(enumerate(self.get_vocabulary()))
        tokens = [by_number.get(number, self.oov_token) for number in numbers.ravel().tolist()]
        if self.vocabulary_dtype == "string":
            return np.array(tokens, dtype=str).reshape(numbers.shape)
        return K.convert_to_tensor(np.array(tokens, "int64").reshape(numbers.shape))

    @property
    def input_dtype(self) -> str | None:
        """'string' or int64."""
        return "int64" if self.invert else self.vocabulary_dtype

    @property
    def output_dtype(self) -> str:
        """int64; a float for 'tf_idf'; 'string' or int64 for tokens."""
        if self.invert:
            return self.vocabulary_dtype
        return K.floatx() if self.output_mode == "tf_idf" else "int64"

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.output_mode == "int":
            return tuple(input_shape)
        if self.output_mode == "one_hot" and not (len(input_shape) > 1 and input_shape[-1] == 1):
            return (*input_shape, self._depth())
        return (*input_shape[:-1], self._depth())

    # Files.

    def get_config(self) -> dict[str, Any]:
        """With the vocabulary given to the constructor; a learned one is in the assets."""
        config = super().get_config()
        config["idf_weights"] = self.input_idf_weights
        config["vocabulary_size"] = self._frozen_size
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """ValueError where the config names a file: reading one could open any file there is."""
        if isinstance(config.get("vocabulary"), str):
            raise ValueError(
                "Requested the loading of a vocabulary file outside of the model archive. This "
                "carries a potential risk of loading arbitrary and sensitive files and thus it is "
                f"disallowed. Vocabulary file: '{config['vocabulary']}'. Read it yourself, and "
                "pass its tokens to `set_vocabulary`."
            )
        return super().from_config(config)

    def get_build_config(self) -> dict[str, Any] | None:
        """Nothing: there are no weights to make."""
        return {}

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of 'tf_idf' into `store`."""
        if self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of 'tf_idf' from `store`."""
        if self.output_mode == "tf_idf":
            self.idf_weights = np.array(store["idf_weights"], dtype=K.floatx())

    def save_assets(self, dir_path: str) -> None:
        """Write a learned vocabulary to `vocabulary.txt` in the folder, a token a line."""
        if self.vocabulary is None:
            text = "\n".join(str(token) for token in self.get_vocabulary())
            Path(dir_path, "vocabulary.txt").write_bytes(text.encode())

    def load_assets(self, dir_path: str) -> None:
        """Take the vocabulary from `vocabulary.txt` in the folder."""
        if self.vocabulary is not None:
            return
        tokens = self._parsed(Path(dir_path, "vocabulary.txt").read_bytes().decode())
        if not tokens:
            return
        weights = None if self.idf_weights is None else self.idf_weights[: len(tokens)]
        self.set_vocabulary(tokens, weights)


class StringLookup(_IndexLookup):
    """Strings as the numbers that a vocabulary gives them.

    The vocabulary is given (`vocabulary`: tokens, or the path of a file) or learned by `adapt`,
    from the most frequent token on, up to `max_tokens`. What is out of it gets one of
    `num_oov_indices` numbers, by FarmHash or, with a `salt`, SipHash; `mask_token` gets 0.
    `output_mode`: 'int', 'one_hot', 'multi_hot', 'count' (all int64), or 'tf_idf': counts times
    `idf_weights`. `invert`: numbers to a NumPy array of str.
    """

    vocabulary_dtype = "string"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        oov_method: str = "floormod",
        **kwargs: Any,
    ):
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens,
            oov_method=oov_method,
            salt=salt,
            name=name,
            **kwargs,
        )
        if encoding.lower().replace("-", "") != "utf8":
            raise ValueError(
                "StringLookup expects strings in UTF-8, as they come from Python: decode others "
                f"first. Received: encoding={encoding}"
            )
        self.encoding = encoding


class IntegerLookup(_IndexLookup):
    """Integers as the numbers that a vocabulary gives them.

    As StringLookup; what is out of the vocabulary gets its number by the remainder of the
    division by `num_oov_indices`, or by the hash of its digits where `oov_method` is 'farmhash'.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        if vocabulary_dtype != "int64":
            raise ValueError(
                "Only `vocabulary_dtype='int64'` is supported at this time. "
                f"Received: vocabulary_dtype={vocabulary_dtype}"
            )
        self.vocabulary_dtype = vocabulary_dtype
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens,
            oov_method=oov_method,
            salt=salt,
            name=name,
            **kwargs,
        )


def _listed(x: Any) -> Sequence | None:
    """An array, a tensor or a sequence as a list; None is None."""
    if x is None or isinstance(x, list):
        return x
    return x.tolist() if isinstance(x, np.ndarray) else list(on_host(x).tolist())
