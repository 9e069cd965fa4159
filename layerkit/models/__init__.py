"""Models: Sequential, and Model to subclass."""

from __future__ import annotations

import json
from typing import Any

from layerkit.backend.names import explain_missing

from .. import configurable
from ..saving import load_model, save_model
from .model import Model
from .sequential import Sequential


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """A new model, with new weights, from what `Model.to_json` gave, here or in Keras 3.

    custom_objects: {name: class or function} that it names, where they are not registered.
    TypeError for a class that nobody registered.
    """
    return configurable.deserialize(json.loads(json_string), custom_objects)


__all__ = ["Model", "Sequential", "load_model", "model_from_json", "save_model"]

explain_missing(__name__)
