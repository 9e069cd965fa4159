"""Layers that merge, with masks as before Keras 3.4: a step counts where every mask has it."""

from __future__ import annotations

from functools import reduce
from typing import Any

from ... import ops
from .. import merging
from ..merging import masks_of_each, spread


class _MaskedByAny(merging._Merge):
    """Masked steps are merged as others are; the mask is that of steps which no input masks.

    An input without a mask masks nothing. Since Keras 3.4 masked steps are left out of products and
    extremes, and a step is masked only where all inputs mask it.
    """

    def merge(self, xs: list[Any], masks: list[Any]) -> Any:
        return super().merge(xs, [None] * len(xs))

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        masks = [mask for mask in masks_of_each(self, inputs, previous_mask) if mask is not None]
        return reduce(ops.logical_and, masks) if masks else None


class AddKeras2(_MaskedByAny, merging.Add):
    """Add with masks as before Keras 3.4."""


class AverageKeras2(_MaskedByAny, merging.Average):
    """Average with masks as before Keras 3.4."""


class ConcatenateKeras2(merging.Concatenate):
    """Concatenate whose steps count where no input masks any of their features."""

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        masks = masks_of_each(self, inputs, previous_mask)
        if all(mask is None for mask in masks):
            return None
        masks = [spread(mask, x) for mask, x in zip(masks, inputs, strict=True)]
        return ops.all(ops.concatenate(masks, axis=self.axis), axis=-1)


class MaximumKeras2(_MaskedByAny, merging.Maximum):
    """Maximum with masks as before Keras 3.4."""


class MinimumKeras2(_MaskedByAny, merging.Minimum):
    """Minimum with masks as before Keras 3.4."""


class MultiplyKeras2(_MaskedByAny, merging.Multiply):
    """Multiply with masks as before Keras 3.4."""


class SubtractKeras2(_MaskedByAny, merging.Subtract):
    """Subtract with masks as before Keras 3.4."""
