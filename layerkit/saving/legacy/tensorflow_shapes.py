"""Sizes that graphs of TensorFlow compute to reshape by: ours are -1, which reshape finds itself.

`tf.reshape(x, (tf.shape(x)[0], 12))` is four layers: the shape, one of its sizes, perhaps the two
numbers as a tensor, and reshape.
"""

from __future__ import annotations

from typing import Any

from .names import addressed
from .tensorflow_operations import CLASSES, function_of


def without_shapes(entries: list[dict[str, Any]], ends: Any) -> list[dict[str, Any]]:
    """The layers of a graph without those that compute sizes for reshape alone.

    `ends`: addresses of the graph's outputs. Where sizes go elsewhere, nothing is changed.
    """
    found = _Sizes()
    changed = [found.seen(entry) if entry["class_name"] in CLASSES else entry for entry in entries]
    left_out = {*found.shapes, *found.sizes, *found.lists}
    kept = [entry for entry in changed if entry["name"] not in left_out]
    used = addressed([ends, [entry["inbound_nodes"] for entry in kept]])
    return entries if left_out & used.keys() else kept


class _Sizes:
    """Which layers give shapes, single sizes, and lists of sizes and numbers."""

    def __init__(self) -> None:
        self.shapes: set[str] = set()
        self.sizes: set[str] = set()
        self.lists: dict[str, list[Any]] = {}

    def seen(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Note what a layer gives; a reshape by noted sizes comes back with numbers."""
        name, function, calls = entry["name"], function_of(entry), entry["inbound_nodes"]
        if function in ("shape", "Shape"):
            self.shapes.add(name)
        if len(calls) != 1 or not calls[0]:
            return entry
        first = calls[0] if isinstance(calls[0][0], str) else calls[0][0]
        if first[0] in self.shapes and _is_one(function, entry, first):
            self.sizes.add(name)
        elif function in ("stack", "Pack"):
            numbers = self._numbers(_listed(entry, calls[0]))
            if numbers is not None:
                self.lists[name] = numbers
        elif function in ("reshape", "Reshape"):
            return self._by_numbers(entry, calls[0], first)
        return entry

    def _by_numbers(self, entry: dict[str, Any], call: Any, first: Any) -> dict[str, Any]:
        if function_of(entry) == "reshape":
            shape = first[3]["shape"]
            numbers = self._numbers(shape) if isinstance(shape, list) else None
            if numbers is None:
                return entry
            return {**entry, "inbound_nodes": [[*first[:3], {**first[3], "shape": numbers}]]}
        if len(call) < 2 or call[1][0] not in self.lists:
            return entry
        config = {**entry["config"], "constants": {"1": self.lists[call[1][0]]}}
        return {**entry, "config": config, "inbound_nodes": [[call[0]]]}

    def _numbers(self, parts: list[Any]) -> list[Any] | None:
        """`parts` with -1 for the one that is a size; None where there are others."""
        if parts and isinstance(parts[0], str):  # the address of a list
            return self.lists.get(parts[0])
        sizes = [
            isinstance(x, list) and isinstance(x[0], str) and x[0] in self.sizes for x in parts
        ]
        numbers = [-1 if size else part for part, size in zip(parts, sizes, strict=True)]
        plain = all(isinstance(number, int) for number in numbers)
        return numbers if plain and any(sizes) and numbers.count(-1) == 1 else None


def _is_one(function: str, entry: dict[str, Any], first: Any) -> bool:
    """Whether a layer gives single sizes of the shape that it is called on."""
    if function == "StridedSlice":
        attributes = entry["config"]["node_def"].get("attr", {})
        return attributes.get("shrink_axis_mask") == {"i": "1"}
    if function == "__operators__.getitem":
        return isinstance(first[3].get("slice_spec"), int)
    return function in ("unstack", "Unpack")


def _listed(entry: dict[str, Any], call: Any) -> list[Any]:
    """The parts of a list that becomes a tensor: addresses and numbers."""
    if "node_def" not in entry["config"]:
        return [part[2] if part[0] == "_CONSTANT_VALUE" else part for part in call]
    parts = list(call)
    for index, value in sorted((int(i), x) for i, x in entry["config"]["constants"].items()):
        parts.insert(index, value)
    return parts
