"""Elements of data sets: tuples and dicts of tensors, of texts, and of data sets (windows).

On their way they are NumPy arrays, and tensors where a function gave such; who asks for an element
gets tensors. Lists are values, as in tf.data: [1, 2] is an array, (1, 2) is two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor, tree
from layerkit.backend.autodiff import natural_dtype


class Texts(np.ndarray):
    """Strings, which no tensor can hold: an object array that answers `numpy()` as one does."""

    def numpy(self) -> Any:
        """The strings as a plain array; of a scalar, the string itself."""
        return np.asarray(self) if self.ndim else self.item()

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return found if isinstance(found, np.ndarray) else as_texts(found)


class TensorSpec(NamedTuple):
    """The shape (None where it is free) and the name of the dtype of a tensor."""

    shape: tuple[int | None, ...] = ()
    dtype: Any = "float32"
    name: str | None = None


def is_structure(x: Any) -> bool:
    """Whether `x` holds parts of an element: a tuple or a dict, and no TensorSpec."""
    return isinstance(x, (tuple, dict)) and not isinstance(x, TensorSpec)


def map_parts(function: Callable, *structures: Any) -> Any:
    """`function` of each part of structures of one shape; the result has that shape."""
    first = structures[0]
    if not is_structure(first):
        return function(*structures)
    for other in structures[1:]:
        if type(other) is not type(first) or len(other) != len(first):
            raise ValueError(
                f"Expected elements of one structure; received {type(first).__name__} of "
                f"{len(first)} beside {other!r}."
            )
    if isinstance(first, dict):
        return {key: map_parts(function, *(s[key] for s in structures)) for key in first}
    parts = [map_parts(function, *group) for group in zip(*structures, strict=True)]
    return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)


def parts_of(element: Any) -> list[Any]:
    """The parts of an element, one after the other."""
    if not is_structure(element):
        return [element]
    inside = element.values() if isinstance(element, dict) else element
    return [part for item in inside for part in parts_of(item)]


def packed(structure: Any, parts: Iterable[Any]) -> Any:
    """Parts in the structure of an element: the inverse of `parts_of`."""
    remaining = iter(parts)
    return map_parts(lambda _: next(remaining), structure)


def held(element: Any) -> Any:
    """The element as it is kept on its way: arrays, tensors and data sets."""
    return map_parts(_held, element)


def _held(x: Any) -> Any:
    if isinstance(x, Tensor) or hasattr(x, "as_numpy_iterator"):
        return x
    if K.is_array(x) and not isinstance(x, np.ndarray):
        return Tensor(x)
    if isinstance(x, (np.ndarray, np.generic)) or hasattr(x, "__array__"):
        array = np.asarray(x)
    elif isinstance(x, (list, int, float, str, bytes)):
        leaves = tree.map_structure(lambda v: v.numpy() if isinstance(v, Tensor) else v, x)
        array = _array_of(leaves)
    else:
        raise TypeError(
            "An element of a Dataset is a tensor, or a tuple or dict of such: numbers, strings, "
            f"arrays. Received: {x!r} (of type {type(x).__name__})"
        )
    return as_texts(array) if array.dtype.kind in "USO" else array


def _array_of(value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            "A list in a Dataset is one array, and its rows must have one length; received rows of "
            "unequal length. Pad them, or make the Dataset by from_generator and padded_batch."
        ) from None
    return array if array.dtype.kind in "USO" else array.astype(natural_dtype(array))


def as_texts(x: Any) -> Texts:
    """Strings as `Texts`."""
    return np.asarray(x, object).view(Texts)


def shown(element: Any) -> Any:
    """The element as functions and loops get it: tensors on the default backend, and texts."""
    return map_parts(_shown, element)


def _shown(x: Any) -> Any:
    return K.convert_to_tensor(x) if isinstance(x, np.ndarray) and x.dtype != object else x


def on_host(element: Any) -> Any:
    """The element as NumPy arrays, scalars as NumPy's scalars, texts as strings."""
    return map_parts(_on_host, element)


def _on_host(x: Any) -> Any:
    array = x.numpy() if isinstance(x, (Tensor, Texts)) else x
    return array[()] if isinstance(array, np.ndarray) and not array.ndim else array


def call_with(function: Callable, element: Any) -> Any:
    """`function` of an element: a tuple's parts are its arguments."""
    element = shown(element)
    return function(*element) if type(element) is tuple else function(element)


def stacked(elements: Sequence[Any]) -> Any:
    """Several elements as one, along a new first axis. ValueError where shapes differ."""
    return map_parts(_stack, *elements)


def _stack(*parts: Any) -> Any:
    shapes = sorted({p.shape for p in parts})
    if len(shapes) > 1:
        raise ValueError(
            f"Cannot batch tensors with different shapes: received {shapes[0]} and {shapes[1]}. "
            "padded_batch() fills them up to one shape."
        )
    if any(isinstance(part, Tensor) for part in parts):
        return K.stack([K.convert_to_tensor(part) for part in parts])
    return as_texts(np.stack(parts)) if isinstance(parts[0], Texts) else np.stack(parts)


def padded(part: Any, shape: Sequence[int], value: Any) -> Any:
    """A part filled up at its ends with `value` (None: 0, or '') to a shape."""
    array = part.numpy() if isinstance(part, Tensor) else np.asarray(part)
    if any(had > n for n, had in zip(shape, array.shape, strict=True)):
        raise ValueError(
            f"Attempted to pad to a smaller size than the input element: shape {array.shape}, "
            f"and padded_shapes {tuple(shape)}."
        )
    if value is None:
        value = "" if array.dtype == object else 0
    filled = np.full(shape, value, array.dtype)
    filled[tuple(slice(had) for had in array.shape)] = array
    return as_texts(filled) if filled.dtype == object else filled


def spec_of(element: Any) -> Any:
    """The TensorSpecs of an element."""
    return map_parts(_spec, element)


def _spec(x: Any) -> Any:
    if hasattr(x, "element_spec"):
        return x
    return TensorSpec(tuple(x.shape), "string" if x.dtype == object else str(x.dtype))


def conforming(element: Any, specs: Any) -> Any:
    """The element in the dtypes of TensorSpecs. TypeError, ValueError for what does not fit."""
    if isinstance(specs, (tuple, dict)) and is_structure(specs) != is_structure(element):
        element = tuple(element) if isinstance(element, list) else element
    if is_structure(specs) != is_structure(element) or len(parts_of(specs)) != len(
        parts_of(element)
    ):
        raise TypeError(
            "`generator` yielded an element that does not match the expected structure. Expected "
            f"{specs}; received: {str(element)[:200]}"
        )
    return map_parts(_conforming, specs, element)


def _conforming(spec: TensorSpec, x: Any) -> Any:
    part = _held(x)
    if (spec.dtype == "string") != isinstance(part, Texts):
        raise TypeError(
            f"`generator` yielded an element of type {part.dtype} where {spec.dtype} was expected. "
            f"Received: {str(x)[:200]}"
        )
    shape = spec.shape
    fits = shape is None or (
        len(shape) == part.ndim
        and all(n in (None, -1, had) for n, had in zip(shape, part.shape, strict=True))
    )
    if not fits:
        raise ValueError(
            f"`generator` yielded an element of shape {part.shape} where an element of shape "
            f"{tuple(shape)} was expected."
        )
    if isinstance(part, Texts):
        return part
    return K.cast(part, spec.dtype) if isinstance(part, Tensor) else part.astype(spec.dtype)
