"""Layers of texts and categories: they work on the host, on NumPy arrays, and take strings."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.recording import host_only

from ...symbolic import KerasTensor
from ..layer import Layer


class HostLayer(Layer):
    """A layer whose `call` gets NumPy arrays: numbers, or Python strings in arrays of objects.

    Its inputs may be strings or numbers in lists, NumPy arrays of them, bytes (in UTF-8), or
    tensors. It has no derivative and no place in a recorded step.
    """

    def _convert(self, inputs: Any) -> Any:
        host_only(f"the work of layer '{self.name}' ({type(self).__name__})")
        return on_host(inputs)

    @property
    def input_dtype(self) -> str | None:
        """Name of the type of the inputs, 'string' for texts; None where it may be any."""
        return None

    @property
    def output_dtype(self) -> str:
        """Name of the type of the outputs."""
        return self.compute_dtype

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic tensor that a call on symbolic tensors gives, of `output_dtype`."""
        spec = super().compute_output_spec(*args, **kwargs)
        return KerasTensor(spec.shape, self.output_dtype)


def on_host(x: Any) -> Any:
    """`x` as a NumPy array on the host, strings as objects; what is symbolic stays.

    ValueError for rows of unequal length.
    """
    if isinstance(x, KerasTensor):
        return x
    if isinstance(x, Tensor) or (K.is_array(x) and not isinstance(x, np.ndarray)):
        x = K.to_numpy(x)
    try:
        array = np.asarray(x)
        if array.dtype.kind in "OSU":
            array = np.array(x, dtype=object)
    except ValueError:
        raise ValueError(
            f"Expected rows of one length; received {_shortened(x)}: pad them."
        ) from None
    return _decoded(array) if array.dtype.kind == "O" else array


def _has_values(x: Any) -> bool:
    return isinstance(x, (Tensor, np.generic)) or K.is_array(x)


def _decoded(array: np.ndarray) -> np.ndarray:
    """An array of objects, each of them a str."""
    decoded = np.empty(array.size, object)
    decoded[:] = [as_text(item) for item in array.ravel().tolist()]
    return decoded.reshape(array.shape)


def as_text(item: Any, encoding: str = "utf-8") -> str:
    """A str, or bytes decoded. TypeError for anything else."""
    if isinstance(item, bytes):
        return item.decode(encoding)
    if not isinstance(item, str):
        raise TypeError(
            f"Expected strings; received {_shortened(item)} of type {type(item).__name__}, beside "
            "strings or in an array of objects: convert all to str, or use an array of integers."
        )
    return str(item)


def _shortened(x: Any) -> str:
    text = repr(x)
    return text if len(text) <= 60 else f"{text[:57]}..."


def is_batches(data: Any) -> bool:
    """Whether `data` is a dataset that gives batch after batch: no array and no list of samples."""
    plain = isinstance(data, (str, bytes, list, tuple)) or _has_values(data)
    return not plain and (hasattr(data, "__iter__") or hasattr(data, "__getitem__"))


def batches(data: Any, steps: int | None = None) -> Iterator[Any]:
    """The inputs of the first `steps` batches of a dataset; of (inputs, targets) the inputs."""
    indexed = hasattr(data, "__getitem__")
    each = map(data.__getitem__, range(len(data))) if indexed else data
    for batch in itertools.islice(each, steps):
        yield batch[0] if isinstance(batch, tuple) else batch


def encoded(indices: np.ndarray, output_mode: str, depth: int, dtype: str) -> np.ndarray:
    """Integer `indices` as 'one_hot', 'multi_hot' or 'count' rows of length `depth`.

    The rows of the latter two are over the second axis, or over the only one. Indices outside of
    [0, depth) count nothing. A last axis of length 1 makes no axis of its own in 'one_hot'.
    """
    indices = np.atleast_1d(indices)
    if output_mode == "one_hot":
        if indices.ndim > 1 and indices.shape[-1] == 1:
            indices = indices[..., 0]
        return (indices[..., None] == np.arange(depth)).astype(dtype)
    moved = np.moveaxis(indices, 1 if indices.ndim > 1 else 0, -1)
    rows = moved.reshape(-1, moved.shape[-1])
    inside = (rows >= 0) & (rows < depth)
    places = (np.arange(len(rows))[:, None] * depth + np.where(inside, rows, 0))[inside]
    counts = np.bincount(places, minlength=len(rows) * depth).reshape(*moved.shape[:-1], depth)
    return (counts > 0 if output_mode == "multi_hot" else counts).astype(dtype)


def one_of(layer: str, name: str, value: Any, allowed: tuple[str, ...]) -> Any:
    """`value`, which must be one of the strings allowed. ValueError otherwise."""
    if value not in allowed:
        raise ValueError(
            f"Invalid value for argument `{name}` of layer {layer}. Expected one of {allowed}. "
            f"Received: {name}={value}"
        )
    return value


def refuse_sparse(layer: str, sparse: bool) -> bool:
    """ValueError where sparse outputs are asked for."""
    if sparse:
        raise ValueError(
            f"`sparse=True` of {layer} is not available in layerkit, which has no sparse tensors: "
            "leave it at False. Received: sparse=True"
        )
    return False


def two_salts(layer: str, salt: Any) -> list[int] | None:
    """A key of two integers, given as one or as two; None for no key."""
    if salt is None:
        return None
    if isinstance(salt, (tuple, list)) and len(salt) == 2:
        return [int(number) for number in salt]
    if isinstance(salt, int):
        return [salt, salt]
    raise ValueError(
        f"The `salt` argument for `{layer}` can only be a tuple of 2 integers, or a single "
        f"integer. Received: salt={salt}."
    )
