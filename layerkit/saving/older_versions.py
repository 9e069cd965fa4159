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
_NEWER_KEYS_OF_LOSSES = {"axis": -1, "dtype": None}
_NEWER_KEYS_OF: dict[str, dict[str, Any]] = {
    "Dice": {"axis": None},
    "GroupQueryAttention": {"seed": None, "sliding_window": None},
    "MultiHeadAttention": {"seed": None, "sliding_window": None},
    "RandomBrightness": {"data_format": "channels_last"},
    "RandomContrast": {"data_format": "channels_last", "value_range": (0, 255)},
    "RandomFlip": {"data_format": "channels_last"},
    "Resizing": {
        "antialias": False,
        "fill_mode": "constant",
        "fill_value": 0.0,
        "pad_to_aspect_ratio": False,
    },
    "SparseCategoricalCrossentropy": {"ignore_class": None},
    "SparseTopKCategoricalAccuracy": {"from_sorted_ids": False},
    "Tversky": {"axis": None},
    "ZeroPadding1D": {"data_format": "channels_last"},
}
# The first versions know this class by its longer name only, later ones by both.
_LONGER_NAMES = {"Orthogonal": "OrthogonalInitializer"}


def for_every_version(value: Any) -> Any:
    """What `serialize` gave, without what only newer versions of Keras 3 can read."""
    if isinstance(value, list):
        return [for_every_version(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("layers"), list):
        value = {**value, "layers": _without_own_names(value["layers"])}
    if str(value.get("module")).startswith("keras") and isinstance(value.get("config"), dict):
        value = {**value, **_described_for_every_version(value)}
    return {key: for_every_version(item) for key, item in value.items()}


def _described_for_every_version(value: dict[str, Any]) -> dict[str, Any]:
    """Name and config of an object whose class is one of Keras's."""
    name, module = str(value.get("class_name")), value["module"]
    of_losses = _NEWER_KEYS_OF_LOSSES if module == "keras.losses" else {}
    keys = {**_NEWER_KEYS, **of_losses, **_NEWER_KEYS_OF.get(name, {})}
    if module == "keras.initializers":
        name = _LONGER_NAMES.get(name, name)
    kept = {k: x for k, x in value["config"].items() if not (k in keys and _same(keys[k], x))}
    return {"class_name": name, "config": kept}


def _same(default: Any, value: Any) -> bool:
    return default == (tuple(value) if isinstance(value, list) else value)


def _without_own_names(entries: list[Any]) -> list[Any]:
    """The layers and operations of a graph; operations without names that Keras gives by itself.

    Before Keras 3.11 operations take no name. Later ones need it only where the next free one may
    be that of a layer beside them.
    """
    own = [_has_own_name(entry) for entry in entries]
    others = [str(e.get("name")) for e, is_own in zip(entries, own, strict=True) if not is_own]
    taken = {_without_number(name) for name in others}
    return [
        {**entry, "config": {k: x for k, x in entry["config"].items() if k != "name"}}
        if is_own and snake_case(entry["class_name"]) not in taken
        else entry
        for entry, is_own in zip(entries, own, strict=True)
    ]


def _has_own_name(entry: Any) -> bool:
    if not str(entry.get("module", "")).startswith("keras.src.ops"):
        return False
    return _without_number(str(entry["config"].get("name"))) == snake_case(entry["class_name"])


def _without_number(name: str) -> str:
    return re.sub(r"_\d+$", "", name)
