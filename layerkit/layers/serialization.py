"""Layers as configs and back."""

from __future__ import annotations

from typing import Any

from .. import configurable
from .layer import Layer


def serialize(layer: Layer) -> dict[str, Any]:
    """The layer as plain values: {"module", "class_name", "config", ...}, without its weights."""
    return configurable.serialize(layer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Layer:
    """The layer that `serialize` described; ValueError where it described something else.

    `custom_objects`: {name: class or function}, tried before anything else.
    """
    layer = configurable.deserialize(config, custom_objects, family="layers")
    if not isinstance(layer, Layer):
        raise ValueError(
            f"`keras.layers.deserialize` was passed a `config` object that is not a "
            f"`keras.layers.Layer`. Received: {config}"
        )
    return layer
