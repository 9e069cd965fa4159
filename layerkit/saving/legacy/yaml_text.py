"""Architectures as YAML, which models of Keras 1 and 2 gave with `to_yaml`: read, and never run."""

from __future__ import annotations

from typing import Any

from ...utils.optional import optional

_MOST_VALUES = 1_000_000  # that a text may stand for, the repeated ones counted each time


def parsed_yaml(text: Any, what: str) -> Any:
    """The plain values in a text, tuples as lists.

    `what`: who reads it, for messages. ValueError for a text that is no YAML, or that holds other
    objects of Python: they are never made. ImportError without PyYAML.
    """
    yaml = optional("yaml", "pyyaml", "yaml", what)

    class Loader(yaml.SafeLoader):  # type: ignore[name-defined, misc]
        """Plain values, and tuples as lists."""

    Loader.add_constructor("tag:yaml.org,2002:python/tuple", Loader.construct_yaml_seq)
    try:
        config = yaml.load(text, Loader)
        _check_size(config)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(
            f"{what} expects the text that model.to_yaml() of Keras 1 or 2 gave: plain values and "
            f"tuples. Received: {str(text)[:80]!r}: {error or 'too deep'}. "
            "Where an object of Python is in the way, take its line out of the text."
        ) from None
    return config


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
