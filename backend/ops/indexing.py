"""Picking elements by index. What is picked several times gets the sum of its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..allowance import check_picked, check_sample, check_together
from ..autodiff import Tensor, convert_to_tensor, primitive
from ..config import floatx
from ..registry import backend_of, beside, is_array, namespace

__all__ = ["embedding_lookup", "gather", "getitem", "one_hot", "take", "take_along_axis"]


@primitive
def getitem(x: Any, /, key: Any) -> tuple:
    """x[key]: ints, slices, None, Ellipsis, boolean masks, integer arrays, and tuples of them."""
    key = _plain(key, x)
    return x[key], lambda g: backend_of(x).scatter_add(x, key, g)


def _plain(key: Any, x: Any) -> Any:
    """An index without Tensors in it, whose arrays live where `x` does."""
    if isinstance(key, tuple):
        return tuple(_plain(part, x) for part in key)
    if isinstance(key, slice):
        return slice(*(_plain(part, x) for part in (key.start, key.stop, key.step)))
    if isinstance(key, Tensor):
        key = key.array if key.ndim else key.item()
    return beside(key, x) if is_array(key) else key


@primitive
def take(x: Any, indices: Any, /, axis: int | None = None) -> tuple:
    """The elements of x at `indices` along `axis`; of the flattened x for None."""
    check_picked(x, indices, axis)
    y = x.take(indices, axis=axis)
    if axis is None:
        flat = x.reshape(-1)
        return y, lambda g: backend_of(x).scatter_add(flat, indices, g).reshape(x.shape)
    key = (*(slice(None),) * (axis % x.ndim), indices)
    return y, lambda g: backend_of(x).scatter_add(x, key, g)


def gather(x: Any, indices: Any) -> Any:
    """The slices of x at `indices` along its first axis: shape indices.shape + x.shape[1:]."""
    return take(x, indices, axis=0)


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Along `axis`, the elements at `indices`, whose other axes run beside those of x.

    With axis None both are flattened: the partner of `argsort`.
    """
    if not isinstance(indices, Tensor):
        x = convert_to_tensor(x)
        indices = Tensor(beside(convert_to_tensor(indices).array, x.array))
    if axis is not None:
        return _take_along_axis(x, indices, axis)
    return take(x, _flat(indices))


@primitive
def _flat(indices: Any, /) -> tuple:
    return (indices.reshape(-1),)


@primitive
def _take_along_axis(x: Any, indices: Any, /, axis: int) -> tuple:
    xp = namespace(x)
    key = [
        xp.arange(n).reshape([-1 if i == along else 1 for i in range(x.ndim)])
        for along, n in enumerate(x.shape)
    ]
    key[axis] = indices
    place = tuple(key)
    check_together(*place)
    return x[place], lambda g: backend_of(x).scatter_add(x, place, g)


@primitive
def embedding_lookup(embeddings: Any, ids: Any, /) -> tuple:
    """The rows of the table `embeddings` at `ids`: shape ids.shape + (embeddings.shape[1],).

    IndexError for an id that is negative or has no row; on a device it is undefined.
    """
    if not hasattr(ids, "dtype"):
        ids = beside(convert_to_tensor(ids).array, embeddings)
    rows = len(embeddings)
    ids = ids if ids.dtype.kind in "iu" else ids.astype("int32")
    # Only ids on the host are checked: a device would have to be waited for, at every step.
    if (
        isinstance(ids, np.ndarray)
        and ids.size
        and not 0 <= int(ids.min()) <= int(ids.max()) < rows
    ):
        wrong = int(ids.min()) if int(ids.min()) < 0 else int(ids.max())
        raise IndexError(
            f"embedding_lookup expects ids from 0 to {rows - 1}, the table has {rows} rows; "
            f"received the id {wrong}: raise `input_dim` to the largest id plus one, or map the "
            "unknown ids to a row of their own."
        )
    check_picked(embeddings, ids, 0)
    return embeddings[ids], lambda g: backend_of(g).scatter_add(embeddings, ids, g)


@primitive
def one_hot(x: Any, /, num_classes: int, axis: int = -1, dtype: Any = None) -> tuple:
    """1 at the position of each integer along a new `axis` of length `num_classes`, else 0.

    An integer outside of [0, num_classes) gives zeros only.
    """
    xp = namespace(x)
    check_sample((*x.shape, num_classes), dtype or floatx())
    hits = x[..., None] == xp.arange(num_classes)
    return (xp.moveaxis(hits, -1, axis).astype(dtype or floatx()),)
