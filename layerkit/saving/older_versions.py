"""Descriptions of objects in the words that every Keras 3 understands, the first one too."""

from __future__ import annotations

import re
from typing import Any

from ..naming import snake_case

# Keys that older versions of Keras do not know, at the values that say nothing.
_NEWER_KEYS: dict[str, Any] = {
    "gradient_accumulation_steps": None,
    "input_axes": None,
    "optional": False,
    "output_axes": None,
    "quantization_config": None,
    "ragged": False,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
    "rms_scaling": False,
    "score_mode": "dot",  # which no version reads in legacy files: it takes it for an operation
    "use_gate": False,
}
_NEWER_KEYS_OF_LOSSES = {**_NEWER_KEYS, "axis": -1, "dtype": None}
# The first versions know these classes by their longer names only, later ones by both.
_LONGER_NAMES = {"Identity": "IdentityInitializer", "Orthogonal": "OrthogonalInitializer"}


def for_every_version(value: Any) -> Any:
    """What `serialize` gave, without what only newer versions of Keras 3 can read."""
    if isinstance(value, list):
        return [for_every_version(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("layers"), list):
        value = {**value, "layers": _without_own_names(value["layers"])}
    module = value.get("module")
    if module == "keras.losses" and isinstance(value.get("config"), dict):
        value = {**value, "config": _without(value["config"], _NEWER_KEYS_OF_LOSSES)}
    if module == "keras.initializers":
        name = value["class_name"]
        value = {**value, "class_name": _LONGER_NAMES.get(name, name)}
    return {key: for_every_version(item) for key, item in _without(value, _NEWER_KEYS).items()}


def _without_own_names(entries: list[Any]) -> list[Any]:
    """The layers and operations of a graph; operations without names that Keras gives by itself.

    Before Keras 3.11 operations take no name. Later ones need it only where the next free one may
    be that of a layer beside them.
    """
    own = [entry for entry in entries if _has_own_name(entry)]
    taken = [str(entry.get("name")) for entry in entries if entry not in own]
    return [
        {**entry, "config": {k: x for k, x in entry["config"].items() if k != "name"}}
        if entry in own and not any(map(_names_of(entry).fullmatch, taken))
        else entry
        for entry in entries
    ]


def _has_own_name(entry: Any) -> bool:
    operation = str(entry.get("module", "")).startswith("keras.src.ops")
    return operation and _names_of(entry).fullmatch(str(entry["config"].get("name"))) is not None


def _names_of(entry: Any) -> re.Pattern:
    """The names that Keras gives to operations of this class."""
    return re.compile(rf"{re.escape(snake_case(entry['class_name']))}(_\d+)?")


def _without(value: dict[str, Any], keys: dict[str, Any]) -> dict[str, Any]:
    return {key: x for key, x in value.items() if not (key in keys and keys[key] == x)}
