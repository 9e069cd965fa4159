"""Masks: which places of a sequence count. They travel on tensors, as `_keras_mask`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from layerkit.backend import Tensor, tree

from .symbolic import KerasTensor


def mask_of(x: Any) -> Any:
    """The mask that a layer has put on a tensor: a tensor of booleans, or None."""
    return getattr(x, "_keras_mask", None)


def masks_of(x: Any) -> Any:
    """The mask of a tensor; of a structure of them their masks in it; None where none has one."""
    if isinstance(x, Tensor):
        return mask_of(x)
    masks = tree.map_structure(mask_of, x)
    return None if all(mask is None for mask in tree.flatten(masks)) else masks


@contextmanager
def carrying(inputs: Any, masks: Any) -> Iterator[None]:
    """The tensors of `inputs` with these masks, for a while: they are the caller's."""
    tensors = tree.flatten(inputs)
    before = [masks_of(x) for x in tensors]
    given = before if masks is None else tree.flatten(masks)
    try:
        for x, old, mask in zip(tensors, before, given, strict=True):
            if x is not None:
                x._keras_mask = old if mask is None else mask
        yield
    finally:
        for x, old in zip(tensors, before, strict=True):
            if x is not None:
                x._keras_mask = old


def put_masks(outputs: Any, masks: Any) -> None:
    """Put masks on the outputs of a call that have none yet."""
    for y, mask in zip(tree.flatten(outputs), tree.flatten(masks), strict=False):
        if mask is not None and isinstance(y, (Tensor, KerasTensor)) and masks_of(y) is None:
            y._keras_mask = mask


# Taken along where tensors come back as new ones, as from a trace.


def masks_by_place(y_pred: Any) -> dict[int, Tensor]:
    """The masks of the tensors in `y_pred`, by their places in it."""
    masks = {index: mask_of(leaf) for index, leaf in enumerate(tree.flatten(y_pred))}
    return {index: mask for index, mask in masks.items() if mask is not None}


def put_masks_by_place(y_pred: Any, masks: dict[int, Tensor]) -> None:
    """Put the masks that `masks_by_place` gave on the tensors in `y_pred`."""
    if masks:
        leaves = tree.flatten(y_pred)
        for index, mask in masks.items():
            leaves[index]._keras_mask = mask
