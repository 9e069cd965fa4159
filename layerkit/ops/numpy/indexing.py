"""Picking, choosing, sorting and searching. Indices are int32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit import backend as K

from ...data.rows import is_strings
from ...symbolic import operation

argpartition = operation(K.argpartition)
argsort = operation(K.argsort)
diag = operation(K.diag)
nonzero = operation(K.nonzero)
sort = operation(K.sort)
take = operation(K.take)
take_along_axis = operation(K.take_along_axis)
tril = operation(K.tril)
triu = operation(K.triu)
where = operation(K.where)


@operation
def get_item(x: Any, key: Any) -> Any:
    """x[key], where a list is a tuple: Keras's files know no tuples."""
    key = tuple(key) if isinstance(key, list) else key
    return x[key] if is_strings(x) else K.getitem(x, key)


@operation
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each element of x1 is among those of x2; `invert`: is not.

    `assume_unique` promises that neither has an element twice; the answer is the same without.
    """
    return K.isin(x1, x2, invert)


@operation
def diagflat(x: Any, k: int = 0) -> Any:
    """The square matrix whose k-th diagonal has the elements of x, zeros elsewhere."""
    return K.diag(K.ravel(x), k)


@operation
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of the matrices in two axes, as the last axis. ValueError for equal axes."""
    x = K.convert_to_tensor(x)
    if x.ndim < 2:
        raise ValueError(
            "`diagonal` requires an array of at least two dimensions, but "
            f"`x` is of shape {x.shape}."
        )
    if axis1 % x.ndim == axis2 % x.ndim:
        raise ValueError(
            f"`axis1` and `axis2` cannot be the same. Received: axis1={axis1}, axis2={axis2}"
        )
    return K.diagonal(x, offset, axis1, axis2)


@operation
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """The choice of the first condition that holds, element by element; `default` where none does.

    ValueError for lists that are empty, or of different lengths.
    """
    if not isinstance(condlist, (list, tuple)) or not isinstance(choicelist, (list, tuple)):
        raise ValueError(
            "condlist and choicelist must be lists. Received: "
            f"type(condlist) = {type(condlist)}, type(choicelist) = {type(choicelist)}"
        )
    if not condlist or len(condlist) != len(choicelist):
        raise ValueError(
            "condlist and choicelist must not be empty, and of one length. Received: "
            f"{len(condlist)} conditions and {len(choicelist)} choices"
        )
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = K.where(condition, choice, result)
    return result


@operation
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Where to insert `values` into a rising vector: before equal elements, or behind ("right").

    ValueError for anything but a vector.
    """
    _expect_vector(sorted_sequence, "`searchsorted` only supports 1-D sorted sequences. Received: ")
    return K.searchsorted(sorted_sequence, values, side)


@operation
def digitize(x: Any, bins: Any) -> Any:
    """The number of the bin of each x: how many of the rising edges `bins` are <= x."""
    _expect_vector(bins, f"`bins` must be a 1D array. Received: bins={bins} with ")
    return K.digitize(x, bins)


def _expect_vector(x: Any, message: str) -> None:
    shape = K.shape(x)
    if len(shape) != 1:
        raise ValueError(f"{message}shape {shape}")


@operation
def unravel_index(indices: Any, shape: Sequence[int]) -> tuple:
    """Indices into a flattened tensor of that shape as one index per axis, in their dtype."""
    indices, found = K.convert_to_tensor(indices), []
    for length in reversed(shape):
        found.append(K.mod(indices, length))
        indices = K.floor_divide(indices, length)
    return tuple(reversed(found))


@operation
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements of x, or its distinct slices along `axis`.

    As asked for, in this order: the index at which each first occurs, for every element the index
    of its value, and how often each occurs. `size` cuts the values, or fills them up with
    `fill_value` (0) that occurs 0 times. `sorted=False` allows any order; the rising one is given.
    """
    options = (return_index, return_inverse, return_counts)
    found = K.unique(x, *options, axis=axis)
    found = list(found) if isinstance(found, tuple) else [found]
    if size is not None:
        found[0] = _sized(found[0], size, axis or 0, 0 if fill_value is None else fill_value)
        if return_index:
            found[1] = _sized(found[1], size, 0, 0)
        if return_counts:
            found[-1] = _sized(found[-1], size, 0, 0)
    return tuple(found) if len(found) > 1 else found[0]


def _sized(x: Any, size: int, axis: int, fill_value: Any) -> Any:
    """x with the length `size` along `axis`."""
    axis %= x.ndim
    if x.shape[axis] >= size:
        return x[(*(slice(None),) * axis, slice(size))]
    widths = [(0, size - x.shape[i] if i == axis else 0) for i in range(x.ndim)]
    return K.pad(x, widths, constant_values=fill_value)
