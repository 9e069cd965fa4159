"""Which tensors of an old graph have masks, and where different ones meet: dicts alone are read."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ...configurable import builtins_named
from .names import is_address

# Layers that merge, which Keras 3.4 made take masks in another way. Those that look at the values
# of masked steps differ wherever there are masks; the others where there is not one mask alone.
_BY_STEPS = ("Add", "Average", "Concatenate", "Merge", "Subtract")
_BY_VALUES = ("Maximum", "Minimum", "Multiply")
MASKS_MEET = ("Add", "Average", "Concatenate", "Subtract", *_BY_VALUES)
_END_MASKS = (
    *("Dot", "Flatten", "Lambda", "GlobalAveragePooling1D", "Reshape"),
    *("SlicingOpLambda", "TFOpLambda", "TensorFlowOpLayer"),
)


class Masks:
    """The masks of a graph, told apart by names.

    `entries`: the layers of an old functional model. `inner`: whether it is inside of another one,
    whose masks may come in with the inputs.
    """

    def __init__(self, entries: list[dict[str, Any]], inner: bool):
        self.entries = {entry["name"]: entry for entry in entries}
        self.inner = inner
        self._makers = {entry["name"] for entry in entries if makes_masks(entry)}
        self._known: dict[tuple[str, int] | None, Hashable] = {}

    def meet_in(self, name: Any) -> bool:
        """Whether a layer that merges gives something else today for the masks of its inputs."""
        entry = self.entries.get(name)
        if entry is None:
            return False
        by_values = entry["class_name"] in _BY_VALUES or entry["config"].get("mode") in (
            "max",
            "mul",
        )
        for node in entry["inbound_nodes"]:
            masks = {self.of(address) for address in _addresses(node)}
            if len(masks) > 1 or by_values and masks != {None}:
                return True
        return False

    def of(self, address: Any) -> Hashable:
        """A name for the mask of the tensor at `address`: None for no mask."""
        call = self._call_of(address)
        if call is None:
            return None
        todo, begun = [call], set()
        while todo:  # without recursion, for graphs may be deep
            call = todo[-1]
            entry, addresses = self._entry_and_inputs(call)
            needed = [self._call_of(each) for each in addresses]
            missing = [c for c in needed if c is not None and c not in self._known]
            if missing and call not in begun:  # a graph with a loop is refused later
                begun.add(call)
                todo += missing
                continue
            if call not in self._known:
                self._known[call] = self._made(entry, call, [self._known.get(c) for c in needed])
            todo.pop()
        return self._known[call]

    def _call_of(self, address: Any) -> tuple[str, int] | None:
        """The name and the number of the call that gave the tensor at `address`, if it may mask."""
        entry = self.entries.get(address[0])
        if entry is None or address[2] > 0 and "layers" not in entry["config"]:  # a state
            return None
        return address[0], min(address[1], max(len(entry["inbound_nodes"]) - 1, 0))

    def _entry_and_inputs(self, call: tuple[str, int]) -> tuple[dict[str, Any], list[Any]]:
        entry = self.entries[call[0]]
        nodes = entry["inbound_nodes"]  # calls of models inside may be counted from 1
        return entry, _addresses(nodes[call[1]]) if nodes else []

    def _made(self, entry: dict[str, Any], key: tuple, inputs: list[Hashable]) -> Hashable:
        """The mask that a layer makes of those of its inputs."""
        name, config = entry["class_name"], entry["config"]
        if not isinstance(config, dict) or "layers" in config:
            return key if any(inputs) or key[0] in self._makers else None
        if name == "InputLayer":
            return key if self.inner else None
        if key[0] in self._makers:
            return key
        found = list(dict.fromkeys(mask for mask in inputs if mask is not None))
        if not found or _ends_masks(name, config):
            return None
        if name in (*_BY_STEPS, *_BY_VALUES):
            alone = len(found) == 1 and name not in ("Concatenate", "Merge")
            return found[0] if alone else key
        return inputs[0]


def makes_masks(value: Any) -> bool:
    """Whether a layer that a config describes, or one inside of it, makes masks."""
    todo = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if value.get("class_name") == "Masking" or value.get("mask_zero") is True:
                return True
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    return False


def _ends_masks(name: str, config: dict[str, Any]) -> bool:
    """Whether a layer hands no mask on."""
    inner = config.get("layer")
    if name == "Bidirectional" and isinstance(inner, dict):
        config = inner["config"]
    if "return_sequences" in config:
        return not config["return_sequences"]
    if name in (*_END_MASKS, "Normalization", "TimeDistributed"):
        return name in _END_MASKS
    cls: Any = builtins_named(name).get("layers")
    return cls is not None and not cls.supports_masking


def _addresses(node: Any) -> list[Any]:
    """The addresses of the tensors that a layer was called on."""
    if is_address(node):
        return [node]
    return [each for each in node if is_address(each)] if isinstance(node, list) else []
