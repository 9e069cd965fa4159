"""Masks in models of Keras 3.0 to 3.3, where layers that merge neither read nor gave any.

Copies of the tensors, which have no masks, stand where masks ended, so that Keras 3 of today reads
what is written again as the same model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..refusal import expecting_a_config
from .masks import MASKS_MEET, Masks, makes_masks
from .names import free_names
from .origin import Origin

_NO_MASKS_ON = "Lambda"  # stands for all classes that hand no mask on


def with_copies(config: Any, origin: Origin) -> Any:
    """The description of a model with copies where masks ended in the Keras that wrote it."""
    if not (3,) <= origin.keras < (3, 4) or not makes_masks(config):
        return config
    with expecting_a_config():
        return _with_copies(config, origin, inner=False)


def _with_copies(description: Any, origin: Origin, inner: bool) -> Any:
    config = description.get("config") if isinstance(description, dict) else None
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return description
    entries = [_with_copies(entry, origin, inner=True) for entry in config["layers"]]
    if "input_layers" in config:
        entries = _Graph(entries, inner).changed(origin)
    return {**description, "config": {**config, "layers": entries}}


class _Graph:
    """The entries of one functional model, with copies of tensors on the way to some calls."""

    def __init__(self, entries: list[dict[str, Any]], inner: bool):
        self.entries = entries
        self.masks = Masks([_as_it_masked(entry) for entry in entries], inner)
        self._names = free_names("copy", {entry["name"] for entry in entries})
        self._copies: dict[tuple, list[Any]] = {}

    def changed(self, origin: Origin) -> list[dict[str, Any]]:
        """The entries, with copies before those that take them."""
        found = []
        for entry in self.entries:
            if not _merges(entry):
                found.append(entry)
                continue
            made: list[dict[str, Any]] = []
            nodes = [self._without_masks(node, made) for node in entry["inbound_nodes"]]
            if made:
                origin.note(_NOTE)
            found += [*made, {**entry, "inbound_nodes": nodes}]
        return found

    def _without_masks(self, node: Any, made: list[dict[str, Any]]) -> Any:
        """A call with copies of what has masks, which are added to `made` where they are new."""

        def copied(tensor: dict[str, Any]) -> dict[str, Any]:
            masked = self.masks.of(tensor["config"]["keras_history"]) is not None
            return self._copied(tensor, made) if masked else tensor

        return _mapped(node, copied)

    def _copied(self, tensor: dict[str, Any], made: list[dict[str, Any]]) -> dict[str, Any]:
        config = tensor["config"]
        key = tuple(config["keras_history"])
        if key not in self._copies:
            name = next(self._names)
            self._copies[key] = [name, 0, 0]
            node = {"args": [tensor], "kwargs": {}}
            made.append({**_COPY, "config": {"name": name}, "name": name, "inbound_nodes": [node]})
        return {**tensor, "config": {**config, "keras_history": self._copies[key]}}


_COPY = {"module": "keras.src.ops.numpy", "class_name": "Copy", "registered_name": "Copy"}
_NOTE = (
    "Copies of tensors stand before layers that merge, which took no masks into account in Keras "
    "before 3.4 and gave none."
)


def _merges(entry: dict[str, Any]) -> bool:
    """Whether an entry is a layer that merges, not an operation called alike."""
    return entry["class_name"] in MASKS_MEET and not _is_operation(entry)


def _is_operation(entry: dict[str, Any]) -> bool:
    return ".ops" in str(entry.get("module"))


def _as_it_masked(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as `Masks` reads them: nodes as lists of addresses, and what hands no mask on."""
    nodes = [[[*each, {}] for each in _histories(node)] for node in entry.get("inbound_nodes", ())]
    ends = _is_operation(entry) or _merges(entry)
    return {**entry, "class_name": _NO_MASKS_ON if ends else entry["class_name"]} | {
        "inbound_nodes": nodes
    }


def _histories(node: Any) -> Iterator[list[Any]]:
    """The addresses of the tensors that a call was given by position."""
    found: list[list[Any]] = []
    _mapped(node.get("args"), lambda tensor: found.append(tensor["config"]["keras_history"]))
    yield from found


def _mapped(value: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    """`value` with `change` of each tensor in it."""
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__keras_tensor__":
        return change(value)
    return {key: _mapped(item, change) for key, item in value.items()}
