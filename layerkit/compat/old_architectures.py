"""Architectures as YAML, which models of Keras 1 and 2 gave with `to_yaml`."""

from __future__ import annotations

from typing import Any

from .. import saving
from ..saving.legacy.yaml_text import parsed_yaml

__all__ = ["model_from_yaml"]

REMEDIES = {"model_from_yaml": "keep architectures with model.to_json() and model_from_json"}


def model_from_yaml(yaml_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model, without its weights, that `model.to_yaml()` of Keras 1 or 2 described.

    custom_objects: as in `models.model_from_json`. ValueError for a text that is no YAML, or that
    holds objects of Python other than tuples: they are never made. ImportError without PyYAML.
    """
    return saving.from_architecture(parsed_yaml(yaml_string, "model_from_yaml"), custom_objects)
