"""A model's config from a file: read as text, checked before anything is made, never run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from layerkit.backend.allowance import allowance

from .. import activations
from ..configurable import (
    builtins_named,
    deserialize,
    get_custom_objects,
    get_registered_object,
)
from ..layers import Layer
from .refusal import expecting_a_config, naming
from .shared_layers import shared_layers_restored

_LONGEST = 32 * 2**20  # characters of a config
_DEEPEST = 200  # levels of lists and dicts in a config
_SPARE = 64 * 2**20  # bytes of weights that any file may declare
_OF_ARCHITECTURE = 2 * 2**30  # bytes of weights that one without weights may declare
_PER_BYTE = 4  # ... and for each byte of weights in it: halves may be stored of doubles


def parsed(text: str | bytes, path: str) -> dict[str, Any]:
    """The config in the text of config.json. ValueError for what describes no model."""
    return described(read_json(text, path), path)


def read_json(text: str | bytes, path: str) -> Any:
    """What the JSON text says. ValueError where it is none, or nested deeper than Python reads."""
    if len(text) > _LONGEST:
        raise ValueError(
            f"Refused to read '{path}': its config has {len(text)} characters; expected at most "
            f"{_LONGEST}. Do not trust this file."
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"'{path}': its config is no valid JSON: {error}.") from None


def described(config: Any, path: str) -> dict[str, Any]:
    """`config`, which must be a dict with "class_name" and "config"; ValueError for another."""
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        raise ValueError(
            f"'{path}': its config describes no model: expected a dict with 'class_name' and "
            f"'config'; received {str(config)[:80]}."
        )
    return config


def weights_for(nbytes: int, path: Any) -> Any:
    """A scope in which no more weights are made than a file with `nbytes` of them can fill."""
    return allowance(_SPARE + _PER_BYTE * nbytes, str(path))


def weights_for_architecture(name: str) -> Any:
    """A scope in which no more weights are made than an architecture alone may declare."""
    return allowance(_OF_ARCHITECTURE, name)


def without_code(config: Any, path: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """`config` with the user's own functions in the place of Lambda layers' code.

    custom_objects: {name of a Lambda layer: function}. ValueError, which names every layer whose
    function is missing, and for a nesting that only an attacker makes.
    """
    _check_depth(config, path)
    known = {**get_custom_objects(), **(custom_objects or {})}
    missing: list[str] = []
    replaced = _replaced(config, known, missing)
    if missing:
        raise ValueError(_LAMBDA.format(path=path, entries=_entries(missing)))
    return replaced


def _check_depth(config: Any, path: str) -> None:
    todo = [(config, 0)]
    while todo:
        value, depth = todo.pop()
        if depth > _DEEPEST:
            raise ValueError(
                f"Refused to read '{path}': its config is nested deeper than {_DEEPEST} "
                "levels. Do not trust this file."
            )
        items = value.values() if isinstance(value, dict) else value
        todo += [(x, depth + 1) for x in items if isinstance(x, (dict, list))]


def _replaced(value: Any, known: dict[str, Any], missing: list[str]) -> Any:
    if isinstance(value, list):
        return [_replaced(item, known, missing) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__lambda__":
        missing.append("")
        return value
    inner = value.get("config")
    if value.get("class_name") in ("Lambda", "Merge") and isinstance(inner, dict):
        value = {**value, "config": _own_function(inner, known, missing)}
    return {  # what cannot be restored of the training configuration is left out later
        key: x if key == "compile_config" else _replaced(x, known, missing)
        for key, x in value.items()
    }


def _own_function(
    config: dict[str, Any], known: dict[str, Any], missing: list[str]
) -> dict[str, Any]:
    """A Lambda's config with a function of the user's where the file has code."""
    if not any(_is_code(config, key) for key in _FUNCTIONS):
        return config
    name = str(config.get("name"))
    if name not in known:
        missing.append(name)
        return {key: x for key, x in config.items() if key not in _FUNCTIONS}
    kept = {k: x for k, x in config.items() if not _is_code(config, k) and not _is_about(k)}
    return {**kept, "function": known[name]}


_FUNCTIONS = ("function", "mode", "output_shape", "mask", "output_mask")


def _is_about(key: str) -> bool:
    """Whether a key of a Lambda says of what kind another is."""
    return key.endswith(("_type", "_module")) or key == "module"


def _is_code(config: dict[str, Any], key: str) -> bool:
    value = config.get(key)
    if isinstance(value, dict) and value.get("class_name") == "__lambda__":
        return True
    if config.get(f"{key}_type") == "lambda":
        return True
    return key in ("function", "mode") and isinstance(value, list)


def _entries(missing: list[str]) -> str:
    names = [name for name in dict.fromkeys(missing) if name]
    return "custom_objects={" + ", ".join(f"'{name}': function" for name in names) + "}"


_LAMBDA = (
    "Requested the deserialization of a `Lambda` layer whose `function` is a Python lambda. This "
    "carries a potential risk of arbitrary code execution and thus it is disallowed: layerkit "
    "never runs code from a file, with or without safe_mode. '{path}' was not loaded. Pass "
    "functions of your own by the layers' names, as in load_model(path, {entries})."
)


def rebuild(config: dict[str, Any], path: str) -> Any:
    """The model that a config describes. ValueError where it describes none that can be made."""
    with (
        naming(path, "does not describe a model that can be made"),
        expecting_a_config(),
        shared_layers_restored(),
    ):
        try:
            model = deserialize(config)
        except (TypeError, ValueError) as error:
            classes, functions = unknown_classes(config), _unknown_functions(config)
            named = len(classes) + len(functions) == 1 and "custom_objects" in str(error)
            if named or not classes + functions:
                raise
            raise TypeError(_not_located(classes, functions)) from error
    if not isinstance(model, Layer):
        raise ValueError(
            f"'{path}': expected a model in config.json; received {config['class_name']}."
        )
    return model


def _not_located(classes: list[str], functions: list[str]) -> str:
    kind = "class" if classes else "function"
    first, *others = map(repr, classes + functions)
    nor = f", nor {', '.join(others)}" if others else ""
    return (
        f"Could not locate {kind} {first}{nor}. Make sure custom classes and functions are "
        "decorated with `@layerkit.saving.register_keras_serializable()`, or pass "
        f"{entries(classes + functions)}."
    )


def entries(names: list[str]) -> str:
    """The argument `custom_objects` that gives these names."""
    short = [str(name).rpartition(">")[2] for name in names]
    return "custom_objects={" + ", ".join(f"'{name}': {name}" for name in short) + "}"


def unknown_classes(config: Any) -> list[str]:
    """Names of the classes in a config that nobody registered; its training configuration aside."""
    found: list[str] = []
    todo = [config]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if _is_of_unknown_class(value):
                found.append(str(value.get("registered_name") or value["class_name"]))
            todo += [x for key, x in reversed(value.items()) if key != "compile_config"]
        elif isinstance(value, list):
            todo += reversed(value)
    return list(dict.fromkeys(found))


def _is_of_unknown_class(value: dict[str, Any]) -> bool:
    if not {"class_name", "config"} <= value.keys() or not isinstance(value["class_name"], str):
        return False
    names = [n for n in (value.get("registered_name"), value["class_name"]) if isinstance(n, str)]
    if names[-1].startswith("__") or names[-1] in ("function", "FloatDTypePolicy"):
        return False
    if ".ops" in str(value.get("module")):  # an operation
        return False
    ours = str(value.get("module", "keras")).partition(".")[0] in ("keras", "tf_keras", "layerkit")
    registered = any(get_registered_object(name) is not None for name in names)
    return not registered and not (ours and builtins_named(names[-1]))


def _unknown_functions(config: Any) -> list[str]:
    """Names of the functions in a config that nobody registered, activations above all."""
    found: list[str] = []
    todo = [("", config)]
    while todo:
        key, value = todo.pop()
        if isinstance(value, dict):
            name = value.get("config")
            if value.get("class_name") == "function" and isinstance(name, str):
                found += [] if _is_known(deserialize, value) else [name]
            else:
                todo += [(k, x) for k, x in reversed(value.items()) if k != "compile_config"]
        elif isinstance(value, list):
            todo += [("", x) for x in reversed(value)]
        elif isinstance(value, str) and key.endswith("activation"):
            found += [] if _is_known(activations.get, value) else [value]
    return list(dict.fromkeys(found))


def _is_known(get: Callable[[Any], Any], identifier: Any) -> bool:
    try:
        get(identifier)
    except (TypeError, ValueError):
        return False
    return True
