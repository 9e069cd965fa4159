"""A model's config from a file: read as text, checked before anything is made, never run."""

from __future__ import annotations

import json
from typing import Any

from ..configurable import deserialize
from ..layers import Layer

_DEEPEST = 200  # levels of lists and dicts in a config


def parsed(text: bytes, path: str) -> dict[str, Any]:
    """The config in the bytes of config.json. ValueError for what describes no model."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"'{path}': its config is no valid JSON: {error}.") from None
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        raise ValueError(
            f"'{path}': its config describes no model: expected a dict with 'class_name' and "
            f"'config'; received {str(config)[:80]}."
        )
    return config


def check_config(config: Any, path: str, safe_mode: bool) -> None:
    """ValueError for lambdas, which are code, and for a nesting that only an attacker makes."""
    todo = [(config, 0)]
    while todo:
        value, depth = todo.pop()
        if depth > _DEEPEST:
            raise ValueError(
                f"Refused to read '{path}': its config is nested deeper than {_DEEPEST} "
                "levels. Do not trust this file."
            )
        if isinstance(value, dict):
            if _is_code(value):
                raise ValueError(_LAMBDA.format(path=path) + ("" if safe_mode else _NEVER))
            todo += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list):
            todo += [(item, depth + 1) for item in value]


def _is_code(config: dict[str, Any]) -> bool:
    if config.get("class_name") == "__lambda__":
        return True
    inner = config.get("config")
    if config.get("class_name") != "Lambda" or not isinstance(inner, dict):
        return False
    return inner.get("function_type") == "lambda" or isinstance(inner.get("function"), list)


_LAMBDA = (
    "Requested the deserialization of a `Lambda` layer whose `function` is a Python lambda. This "
    "carries a potential risk of arbitrary code execution and thus it is disallowed by default. "
    "'{path}' was not loaded. Write the function as a registered Layer and save the model with "
    "it, or make the model in code and use load_weights."
)
_NEVER = " safe_mode=False does not change that: layerkit never runs code from a file."


def rebuild(config: dict[str, Any], path: str) -> Any:
    """The model that a config describes. ValueError where it describes none that can be made."""
    try:
        model = deserialize(config)
    except (KeyError, AttributeError, IndexError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"'{path}': its config does not describe a model that can be made: "
            f"{type(error).__name__}: {error}."
        ) from error
    if not isinstance(model, Layer):
        raise ValueError(
            f"'{path}': expected a model in config.json; received {config['class_name']}."
        )
    return model
