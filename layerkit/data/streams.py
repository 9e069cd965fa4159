"""Streams: generators, data loaders and other iterables of batches."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor, tree

from .class_weights import check_class_weight, refuse_both_weights, weights_of_classes
from .packing import unpack_x_y_sample_weight
from .random_sources import random_sources
from .rows import as_array, is_text
from .source import Source, raise_on_nan


class Stream(Source):
    """The batches of an iterable: (x,), (x, y) or (x, y, sample_weight), of arrays or tensors.

    An iterator, as a generator, can be passed through once; passes go on where it was left. Other
    iterables start anew with each pass, may have a length, and may give x alone where it is an
    array or a dict. `class_weight`: {label: weight}, for batches without weights.
    """

    def __init__(self, iterable: Any, class_weight: dict[int, float] | None = None):
        check_class_weight(class_weight)
        self._iterable = iterable
        self._class_weight = class_weight
        self._peeked: Iterator[Any] | None = None
        self._state_before_peek: Any = None
        self._once = hasattr(iterable, "__next__")
        self._given = 0  # batches of an iterator, over all passes
        self._kind = kind_of(iterable)
        self.num_batches = _length(iterable)

    def batches_from(self, first: int) -> Iterator[Any]:
        """Those before `first` are made and left alone; an iterator is where it was left."""
        batches = self._begun()
        deque(islice(batches, 0 if self._once else first), maxlen=0)
        return self._rest(batches)

    def random_sources(self) -> list[Any]:
        return random_sources(self._iterable)

    def random_state_of_pass(self) -> Any:
        peeked = self._peeked is not None and not self._once
        return self._state_before_peek if peeked else super().random_state_of_pass()

    def get_state(self) -> Any:
        if type(self._iterable).__module__.startswith("tensorflow"):
            warnings.warn(
                f"The random numbers behind a {self._kind} are TensorFlow's, and not in the saved "
                "state of the training: if it shuffles or draws, the training does not go on to "
                "the same bits. layerkit.data.dataset.Dataset has the same methods, and goes on.",
                stacklevel=8,
            )
        if self._once:
            return self._given
        return None if self._peeked is None else self._state_before_peek

    def set_state(self, state: Any) -> None:
        """An iterator gives again what it gave: the batches that were trained on are left alone.

        What had been tried with a batch of the coming pass is tried so again.
        """
        if not self._once:
            self._peeked = None  # made under another random state than that of the coming pass
            if state is not None:
                self.begin_at(state)
                self._peek()
            return
        batches = self._begun()
        for number in range(state or 0):
            if next(batches, None) is None:
                raise ValueError(
                    f"Cannot go on after {state} batches: the {self._kind} gave only {number}. A "
                    f"{self._kind} must begin anew, as in the process that was cut off: the "
                    "batches that were trained on are skipped."
                )
        self._peeked, self._given = batches, state or 0

    def _begun(self) -> Iterator[Any]:
        batches, self._peeked = self._peeked, None
        return iter(self._iterable) if batches is None else batches

    def _rest(self, batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            self._given += 1
            yield self._standardized(batch)

    def sample(self, with_y: bool) -> tuple[Any, str]:
        """The first batch, which the next pass begins with; see `Source.sample`."""
        return checked_sample(self._standardized(self._peek()), with_y)

    def _peek(self) -> Any:
        """The first batch of the coming pass, still to come."""
        self._state_before_peek = super().random_state_of_pass()
        batches = self._begun()
        first = next(batches, None)
        if first is None:
            raise ValueError(
                f"The data is empty: no batch came. When passing a {self._kind} to a model, it "
                f"must give at least one batch. Received an empty {self._kind}."
            )
        self._peeked = chain([first], batches)
        return first

    def _standardized(self, batch: Any) -> Any:
        return standardized(batch, self._kind, self._class_weight)


def is_stream(x: Any) -> bool:
    """Whether `x` gives batches one after the other, and is no array or structure of arrays."""
    if isinstance(x, (str, bytes, list, tuple, dict, set)) or K.is_array(x):
        return False
    array = ("shape", "__array__", "to_numpy", "tocsr")
    return hasattr(x, "__iter__") and not any(hasattr(x, name) for name in array)


def kind_of(x: Any) -> str:
    """What `x` is called in messages."""
    if hasattr(x, "__next__"):
        return "generator"
    return "torch DataLoader" if _is_data_loader(x) else type(x).__name__


def standardized(batch: Any, kind: str, class_weight: dict[int, float] | None) -> Any:
    """A batch as a tuple of tensors, or x alone; weighted by class where `class_weight` says so."""
    lists = kind in ("PyDataset", "torch DataLoader")
    if isinstance(batch, list) and lists:
        batch = tuple(batch)
    alone = kind != "generator" and (isinstance(batch, dict) or hasattr(batch, "shape"))
    if not alone and (not isinstance(batch, tuple) or not 1 <= len(batch) <= 3):
        raise ValueError(
            f"When passing a {kind} to a model, it must give tuples, either (input,) or "
            "(inputs, targets) or (inputs, targets, sample_weights). "
            f"Received a {type(batch).__name__} {_outlined(batch)}"
        )
    x, y, sample_weight = map(_on_host_or_tensors, unpack_x_y_sample_weight(batch))
    if class_weight is not None:
        if sample_weight is not None:
            refuse_both_weights()
        sample_weight = weights_of_classes(_labels(y), class_weight)
    parts = {"x": x, "y": y, "sample_weight": sample_weight}
    x, y, sample_weight = (_as_tensors(name, part) for name, part in parts.items())
    if sample_weight is not None:
        return x, y, sample_weight
    return (x, y) if y is not None else (x,)


def _outlined(batch: Any) -> str:
    """What a batch is, without its numbers."""
    if isinstance(batch, (list, tuple)):
        return f"of {len(batch)}" + (": yield (x, y), not [x, y]." if len(batch) <= 3 else ".")
    return f"of shape {tuple(batch.shape)}." if hasattr(batch, "shape") else f": {str(batch)[:100]}"


def checked_sample(batch: Any, with_y: bool) -> tuple[Any, str]:
    """What `Source.sample` gives of a first batch."""
    parts = dict(zip(("x", "y", "sample_weight"), unpack_x_y_sample_weight(batch), strict=True))
    if any(x is not None and x.shape[:1] == (0,) for x in tree.flatten(parts["x"])):
        raise ValueError("The data is empty: the first batch has no rows.")
    for name, part in parts.items():
        if name != "y" or with_y:
            raise_on_nan(name, part)
    return batch, "the shapes of the first batch"


def _on_host_or_tensors(part: Any) -> Any:
    """Tensors and arrays of this process's devices stay where they are."""

    def leaf(x: Any) -> Any:
        on_device = K.is_array(x) and not isinstance(x, np.ndarray)
        return x if x is None or isinstance(x, Tensor) or on_device else as_array(x)

    return tree.map_structure(leaf, part)


def _labels(y: Any) -> Any:
    return tree.map_structure(lambda x: x.numpy() if isinstance(x, Tensor) else x, y)


def _as_tensors(name: str, part: Any) -> Any:
    convert = _as_tensor_or_texts if name == "x" else _as_tensor
    try:
        return tree.map_structure(convert, part)
    except ValueError as error:
        raise ValueError(f"{error} (This is `{name}`.)") from error


def _as_tensor(x: Any) -> Any:
    return x if x is None else K.convert_to_tensor(x)


def _as_tensor_or_texts(x: Any) -> Any:
    texts = isinstance(x, np.ndarray) and x.dtype.kind in "USO" and is_text(x)
    return x if texts else _as_tensor(x)


def _length(iterable: Any) -> int | None:
    """Its length, where it has one: data sets without end or of unknown length raise TypeError."""
    try:
        return len(iterable)
    except TypeError:
        return None


def _is_data_loader(x: Any) -> bool:
    kinds = (f"{kind.__module__}.{kind.__name__}" for kind in type(x).__mro__)
    return any("torch.utils.data" in kind and kind.endswith(".DataLoader") for kind in kinds)
