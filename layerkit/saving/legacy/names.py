"""Names of layers in configs: where they stand, and underscores for the slashes of Keras 2."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any


def without_slashes(config: Any) -> Any:
    """The description of a model whose layers' names, and what refers to them, have no slashes."""
    names: set[str] = set()
    todo = [config]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            names |= _names_in(value)
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    new = {name: without_slash(name) for name in names if "/" in name}
    return _renamed(config, new) if new else config


def without_slash(name: str) -> str:
    """A name as Keras 3 allows it."""
    return name.replace("/", "_")


def free_names(name: str, taken: set[str]) -> Iterator[str]:
    """`name`, then `name` with numbers, but for those that are `taken`."""
    numbered = (f"{name}_{number}" if number else name for number in count())
    return (each for each in numbered if each not in taken)


def _names_in(value: dict[str, Any]) -> set[str]:
    """The names of the layer that a dict describes."""
    if "class_name" not in value:
        return set()
    config = value.get("config")
    inside = config.get("name") if isinstance(config, dict) else None
    return {name for name in (value.get("name"), inside) if isinstance(name, str)}


def _renamed(x: Any, new: dict[str, str]) -> Any:
    if isinstance(x, dict):
        named = {"name": new[x["name"]]} if _is_one(x.get("name"), new) else {}
        return {key: _renamed(item, new) for key, item in x.items()} | named
    if not isinstance(x, list):
        return x
    if is_address(x) and x[0] in new:
        x = [new[x[0]], *x[1:]]
    return [_renamed(item, new) for item in x]


def _is_one(name: Any, new: dict[str, str]) -> bool:
    return isinstance(name, str) and name in new


def is_address(x: Any) -> bool:
    """Whether this is where a tensor comes from: [layer, call, output] or with options behind.

    So Keras 3 writes the inputs and outputs of a model, Keras 1 and 2 the arguments of calls too.
    """
    return (
        isinstance(x, (list, tuple))
        and len(x) in (3, 4)
        and isinstance(x[0], str)
        and all(isinstance(n, int) and not isinstance(n, bool) for n in x[1:3])
    )


def addressed(x: Any) -> dict[str, int]:
    """{name: largest number of a call} of the layers addressed in nested lists and dicts."""
    largest: dict[str, int] = {}
    todo = [x]
    while todo:
        value = todo.pop()
        if is_address(value):
            largest[value[0]] = max(value[1], largest.get(value[0], 0))
            value = value[3:]
        if isinstance(value, (dict, list)):
            todo += value.values() if isinstance(value, dict) else value
    return largest
