"""`add_weight` with the name first, as layers of Keras 2 call it: add_weight('kernel', (3, 4))."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ..layers import Layer
from .deprecated import warn_once

_PLACES = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")


def name_weights_first() -> None:
    """Let `add_weight` take its arguments in the order that they had in Keras 2."""
    setattr(Layer, "add_weight", _name_first(Layer.add_weight))  # noqa: B010


def _name_first(add_weight: Callable) -> Callable:
    @wraps(add_weight)
    def added(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not args or not isinstance(args[0], str):
            return add_weight(self, *args, **kwargs)
        warn_once("add_weight with the name in front", "give name=... and shape=...")
        given = dict(zip(_PLACES, args, strict=False))
        return add_weight(self, **given, **kwargs)

    return added
