"""Architectures as YAML, which models of Keras 1 and 2 gave with `to_yaml`."""

from __future__ import annotations

from typing import Any

from .. import saving
from ..utils.optional import optional

__all__ = ["model_from_yaml"]

REMEDIES = {"model_from_yaml": "keep architectures with model.to_json() and model_from_json"}

_MOST_VALUES = 1_000_000  # that a text may stand for, the repeated ones counted each time


def model_from_yaml(yaml_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model, without its weights, that `model.to_yaml()` of Keras 1 or 2 described.

    custom_objects: as in `models.model_from_json`. ValueError for a text that is no YAML, or that
    holds objects of Python other than tuples: they are never made. ImportError without PyYAML.
    """
    yaml = optional("yaml", "pyyaml", "yaml", "model_from_yaml")

    class Loader(yaml.SafeLoader):  # type: ignore[name-defined, misc]
        """Plain values, and tuples as lists."""

    Loader.add_constructor("tag:yaml.org,2002:python/tuple", Loader.construct_yaml_seq)
    try:
        config = yaml.load(yaml_string, Loader)
        _check_size(config)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(
            "model_from_yaml expects the text that model.to_yaml() of Keras 1 or 2 gave: plain "
            f"values and tuples. Received: {str(yaml_string)[:80]!r}: {error or 'too deep'}. "
            "Where an object of Python is in the way, take its line out of the text."
        ) from None
    return saving.from_architecture(config, custom_objects)


def _check_size(config: Any) -> None:
    """ValueError where aliases make a small text stand for a huge or endless value."""
    if _size(config, {}) > _MOST_VALUES:
        raise ValueError(
            f"Refused to read the YAML: it repeats itself to more than {_MOST_VALUES} values. "
            "Expected a model's architecture. Do not trust this text."
        )


def _size(value: Any, known: dict[int, float]) -> float:
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) not in known:
        known[id(value)] = float("inf")  # of what holds itself
        items = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(item, known) for item in items)
    return known[id(value)]
