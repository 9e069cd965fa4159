"""Vocabularies that layers learned, in their configs: the only place for them in legacy files."""

from __future__ import annotations

import warnings
from typing import Any


def with_vocabularies(config: Any, model: Any) -> Any:
    """The config of `model` with what its lookup layers learned as if it had been given to them.

    Warns of layers inside a user's own, whose config is for that one to write.
    """
    learned = {layer.name: layer for layer in _layers_that_learned(model)}
    config = _filled(config, learned)
    if learned:
        warnings.warn(
            f"Legacy `.h5` files do not hold the vocabularies of {sorted(learned)}, which are "
            "inside layers of your own: save the model as `.keras`.",
            stacklevel=5,
        )
    return config


def _layers_that_learned(model: Any) -> list[Any]:
    keepers = [x for x in model._flatten_layers() if hasattr(type(x), "load_assets")]
    inside = {id(x) for keeper in keepers for x in keeper._flatten_layers() if x is not keeper}
    return [
        keeper
        for keeper in keepers
        if id(keeper) not in inside
        and keeper.get_config()["vocabulary"] is None
        and keeper.get_vocabulary(include_special_tokens=False)
    ]


def _filled(value: Any, learned: dict[str, Any]) -> Any:
    """`value` with vocabularies; their layers are taken out of `learned`."""
    if isinstance(value, list):
        return [_filled(item, learned) for item in value]
    if not isinstance(value, dict):
        return value
    filled = {key: _filled(item, learned) for key, item in value.items()}
    inner = filled.get("config")
    if isinstance(inner, dict) and "vocabulary" in inner and inner.get("name") in learned:
        filled["config"] = {**inner, **_learned_by(learned.pop(inner["name"]))}
    return filled


def _learned_by(layer: Any) -> dict[str, Any]:
    tokens = layer.get_vocabulary(include_special_tokens=False)
    first = layer.vocabulary_size() - len(tokens)
    weights = getattr(layer, "_lookup_layer", layer).idf_weights
    own = None if weights is None else weights[first : first + len(tokens)].tolist()
    return {"vocabulary": tokens, "idf_weights": own}
