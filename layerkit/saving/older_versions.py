"""Descriptions of objects in the words that every Keras 3 understands, the first one too."""

from __future__ import annotations

from typing import Any

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
    module = value.get("module")
    if module == "keras.losses" and isinstance(value.get("config"), dict):
        value = {**value, "config": _without(value["config"], _NEWER_KEYS_OF_LOSSES)}
    if module == "keras.initializers":
        name = value["class_name"]
        value = {**value, "class_name": _LONGER_NAMES.get(name, name)}
    return {key: for_every_version(item) for key, item in _without(value, _NEWER_KEYS).items()}


def _without(value: dict[str, Any], keys: dict[str, Any]) -> dict[str, Any]:
    return {key: x for key, x in value.items() if not (key in keys and keys[key] == x)}
