"""Rearranging axes by a pattern of their names. Rogozhnikov 2022, "Einops: clear and reliable
tensor manipulations with Einstein-like notation"."""

from __future__ import annotations

import re
from math import prod
from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor

from ..symbolic import operation

__all__ = ["rearrange"]


@operation
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Tensor:
    """`tensor` with its axes in the order of a pattern: "b (h p) w c -> b w h (p c)".

    Names in parentheses are parts of one axis; of their lengths all but one have to be given by
    name. ValueError where pattern, lengths and tensor do not fit.
    """
    x = K.convert_to_tensor(tensor)
    left, arrow, right = pattern.partition("->")
    before, after = _axes(left), _axes(right)
    names, wanted = ([name for axis in axes for name in axis] for axes in (before, after))
    if not arrow or sorted(names) != sorted(wanted) or len(set(names)) != len(names):
        raise ValueError(
            "rearrange expects a pattern 'names -> names' with the same names on both sides, each "
            f"once; received '{pattern}'."
        )
    if set(axes_lengths) - set(names) or len(before) != x.ndim:
        raise ValueError(
            f"rearrange: the pattern '{pattern}' has {len(before)} axes, of the names {names}; "
            f"received a tensor of shape {x.shape} and lengths of {list(axes_lengths)}."
        )
    lengths: dict[str, int] = {}
    for axis, size in zip(before, x.shape, strict=True):
        lengths |= _lengths(axis, size, axes_lengths)
    parts = K.reshape(x, [lengths[name] for name in names])
    turned = K.transpose(parts, [names.index(name) for name in wanted])
    return K.reshape(turned, [prod(lengths[name] for name in axis) for axis in after])


def _axes(side: str) -> list[list[str]]:
    """The names of each axis: one, or those in parentheses."""
    return [token.strip("()").split() for token in re.findall(r"\([^()]*\)|[^\s()]+", side)]


def _lengths(axis: list[str], size: int, given: dict[str, int]) -> dict[str, int]:
    """The length of each name of an axis, one of which follows from the others."""
    known = prod(given[name] for name in axis if name in given)
    missing = [name for name in axis if name not in given]
    if len(missing) > 1 or size % known or (not missing and size != known):
        raise ValueError(
            f"rearrange: the axis ({' '.join(axis)}) has length {size}; received {given}: give the "
            "lengths of all its parts but one, such that their product divides it."
        )
    return {name: int(given.get(name, size // known)) for name in axis}
