"""Who in a model has weights, and under which paths files keep them.

The walk follows Keras's order exactly, for it decides the names in the file: an object that is
found in several places has the path of the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from ..layers import Layer
from ..naming import snake_case

_NOT_WALKED = {"_layers", "_compile_config"}  # holds what `layers` and `optimizer` give, too
_NOT_WALKED |= {"lr"}  # which tells scripts of Keras 2 that it is `learning_rate` now


class Way(NamedTuple):
    """How a Keras walked through objects."""

    order: str = "letters"  # of attributes: capitals, small letters, private ones; see `_in_order`
    into_nested: bool = True  # whether lists in lists are followed
    counts_all: bool = True  # whether numbers count objects that have a path already


KERAS_3 = Way()
OLDER_WAYS = (
    Way(into_nested=False),  # before Keras 3.13
    Way("backwards", into_nested=False, counts_all=False),  # tf.keras 2.13 and later
    Way("codes", into_nested=False),  # tf.keras 2.12
)


def walk(root: Any, way: Way = KERAS_3) -> Iterator[tuple[str, Any]]:
    """(path, object) for `root` and all below it that can have weights, each object once.

    Lists and dicts give each of their objects the snake case of its class, numbered where it
    repeats.
    """
    yield from _walk(root, "", set(), way)


def _walk(obj: Any, path: str, seen: set[int], way: Way) -> Iterator[tuple[str, Any]]:
    if id(obj) in seen:
        return
    seen.add(id(obj))
    yield path, obj
    for name, value in _attributes(obj, way):
        yield from _walk_value(value, f"{path}/{name}" if path else name, seen, set(), way)


def _walk_value(
    value: Any, path: str, seen: set[int], containers: set[int], way: Way
) -> Iterator[tuple[str, Any]]:
    value = _standing_for(value)
    if _has_weights(value):
        yield from _walk(value, path, seen, way)
    elif isinstance(value, (list, tuple, dict)) and id(value) not in containers:
        containers.add(id(value))
        count: Counter[str] = Counter()
        for item in list(value.values() if isinstance(value, dict) else value):
            if not _has_weights(item) and not _is_followed(item, way):
                continue
            if not way.counts_all and id(_standing_for(item)) in seen:
                continue
            name = _kind(type(_standing_for(item))) if _has_weights(item) else "container"
            number = f"_{count[name]}" if count[name] else ""
            count[name] += 1
            yield from _walk_value(item, f"{path}/{name}{number}", seen, containers, way)


def _is_followed(value: Any, way: Way) -> bool:
    return way.into_nested and isinstance(value, (list, tuple, dict))


def _standing_for(value: Any) -> Any:
    """What paths name in the place of `value`: of a wrapper that no old file has, its layer."""
    return value.layer if getattr(type(value), "only_its_layer_in_paths", False) else value


def _kind(cls: type) -> str:
    """What paths call an object of a class."""
    return snake_case(vars(cls).get("written_as", cls.__name__))


def _attributes(obj: Any, way: Way) -> Iterator[tuple[str, Any]]:
    """(name, value) of all attributes that Keras would look at."""
    if getattr(type(obj), "layers_come_first", False):  # as in Sequential
        yield "layers", obj.layers
    skipped = _names_of_a_plain_layer() if isinstance(obj, Layer) else frozenset()
    for name in _in_order(dir(obj), way.order):
        if name.startswith("__") or name in skipped or name in _NOT_WALKED:
            continue
        try:
            value = getattr(obj, name)
        except Exception:  # a property of the user's may raise anything
            continue
        yield name, value


def _in_order(names: list[str], order: str) -> list[str]:
    if order == "letters":
        return sorted(names, key=lambda name: f"~{name}" if name[0] == "_" else name)
    return sorted(names, reverse=order == "backwards")


@cache
def _names_of_a_plain_layer() -> frozenset[str]:
    return frozenset(dir(Layer(name="plain")))


def _has_weights(value: Any) -> bool:
    return callable(getattr(type(value), "save_own_variables", None))
