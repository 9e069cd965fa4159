"""What hangs below a layer: its layers and variables, found by walking attributes."""

from __future__ import annotations

from typing import Any


class Structure:
    """All layers and variables below a layer, as they were when `builds` layers had been built."""

    builds = 0  # in this process

    def __init__(self, root: Any):
        self.built = Structure.builds
        found: dict[int, Any] = {}
        self._collect(root, found)
        self.layers = list(found.values())
        unique = {id(v): v for layer in self.layers for v in layer._own_variables()}
        self.variables = list(unique.values())
        self.metrics: list | None = None  # of these layers, once a model has asked for them

    def _collect(self, layer: Any, found: dict[int, Any]) -> None:
        if id(layer) not in found:
            found[id(layer)] = layer
            for child in layer._sublayers():
                self._collect(child, found)


def found_in(kind: type | tuple[type, ...], value: Any) -> list[Any]:
    """The objects of `kind` in a value, its lists and its dicts, each once, in their order."""
    found: dict[int, Any] = {}
    _find(kind, value, found)
    return list(found.values())


def _find(kind: type | tuple[type, ...], value: Any, found: dict[int, Any]) -> None:
    if isinstance(value, kind):
        found.setdefault(id(value), value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _find(kind, item, found)
    elif isinstance(value, dict):
        for item in value.values():
            _find(kind, item, found)
