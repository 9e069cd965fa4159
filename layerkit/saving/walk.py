"""Who in a model has weights, and under which paths files keep them.

The walk follows Keras's order exactly, for it decides the names in the file: an object that is
found in several places has the path of the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any, NamedTuple

from ..layers import Layer
from ..naming import snake_case
from .shared_layers import shared_layers

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
    yield from _Walk(way).of(root, "")


def all_places(root: Any) -> Iterator[tuple[str, Any]]:
    """`walk`, with shared layers at all their places: Keras makes a layer of each when it loads."""
    yield from dict(_Walk(KERAS_3, shared_layers(root)).of(root, "")).items()


class _Walk:
    """A walk in some way; `again`: the layers that it gives wherever models have them."""

    def __init__(self, way: Way, again: Collection[Layer] = ()):
        self.way = way
        self.again = {id(layer) for layer in again}
        self.seen: set[int] = set()

    def of(self, obj: Any, path: str) -> Iterator[tuple[str, Any]]:
        if id(obj) in self.seen:
            if id(obj) in self.again and path.split("/")[-2:-1] == ["layers"]:
                yield from _Walk(self.way).of(obj, path)
            return
        self.seen.add(id(obj))
        yield path, obj
        for name, value in _attributes(obj, self.way):
            yield from self._of_value(value, f"{path}/{name}" if path else name, set())

    def _of_value(self, value: Any, path: str, containers: set[int]) -> Iterator[tuple[str, Any]]:
        value = _standing_for(value)
        if _has_weights(value):
            yield from self.of(value, path)
        elif isinstance(value, (list, tuple, dict)) and id(value) not in containers:
            containers.add(id(value))
            count: Counter[str] = Counter()
            for item in list(value.values() if isinstance(value, dict) else value):
                if not _has_weights(item) and not self._is_followed(item):
                    continue
                if not self.way.counts_all and id(_standing_for(item)) in self.seen:
                    continue
                name = _kind(type(_standing_for(item))) if _has_weights(item) else "container"
                number = f"_{count[name]}" if count[name] else ""
                count[name] += 1
                yield from self._of_value(item, f"{path}/{name}{number}", containers)

    def _is_followed(self, value: Any) -> bool:
        return self.way.into_nested and isinstance(value, (list, tuple, dict))


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
