"""Masks of predictions, taken along where the predictions come back as new tensors."""

from __future__ import annotations

from typing import Any

from layerkit.backend import Tensor, tree

from ..losses import mask_of


def masks_of(y_pred: Any) -> dict[int, Tensor]:
    """The masks of the tensors in `y_pred`, by their places in it."""
    masks = {index: mask_of(leaf) for index, leaf in enumerate(tree.flatten(y_pred))}
    return {index: mask for index, mask in masks.items() if mask is not None}


def put_masks(y_pred: Any, masks: dict[int, Tensor]) -> None:
    """Put the masks that `masks_of` gave on the tensors in `y_pred`."""
    if masks:
        leaves = tree.flatten(y_pred)
        for index, mask in masks.items():
            leaves[index]._keras_mask = mask
