"""Layers that several models inside one model share.

Keras's description of a model holds those of all models inside it, each with its own layers: a
layer that stands in two of them is described twice. Here both descriptions have the layer's number
beside them, which Keras overlooks, so that one layer comes of them again. Its weights lie at all of
its places, so that Keras, which makes a layer of each description, finds them for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..configurable import serialize
from ..layers import InputLayer, Layer

_KEY = "shared_layer"

_made: ContextVar[dict[int, tuple[Any, Layer]] | None] = ContextVar("made", default=None)


def parts_of(model: Any) -> list[Layer]:
    """The layers that the description of `model` holds those of; [] for what is no such model."""
    graph = getattr(model, "_graph", None)
    found = getattr(model, "_layers", []) if graph is None else graph.operations
    ours = graph is not None or getattr(type(model), "layers_come_first", False)
    return [x for x in found if isinstance(x, Layer) and not isinstance(x, InputLayer) and ours]


def shared_layers(model: Any) -> list[Layer]:
    """The layers that stand in several of the models which `model` is made of, it among them."""
    met: set[Layer] = set()
    shared: dict[Layer, None] = {}
    todo = [model]
    while todo:
        for layer in parts_of(todo.pop()):
            if layer in met:
                shared[layer] = None
            else:
                met.add(layer)
                todo.append(layer)
    return list(shared)


def described(model: Any) -> dict[str, Any]:
    """The description of `model` that `serialize` gives, with the numbers of shared layers."""
    description = serialize(model)
    numbers = {layer: number for number, layer in enumerate(shared_layers(model))}
    if numbers:
        _mark(model, description, numbers)
    return description


def _mark(model: Any, description: Any, numbers: dict[Layer, int]) -> None:
    layers = {layer.name: layer for layer in parts_of(model)}
    for entry in description["config"].get("layers", ()) if layers else ():
        layer = layers.get(entry.get("name", entry["config"].get("name")))
        if layer in numbers:
            entry[_KEY] = numbers[layer]
        if layer is not None:
            _mark(layer, entry, numbers)


@contextmanager
def shared_layers_restored() -> Iterator[None]:
    """A scope in which descriptions with one number become one layer."""
    token = _made.set({})
    try:
        yield
    finally:
        _made.reset(token)


def layer_of(entry: dict[str, Any], make: Callable[[], Any]) -> Any:
    """What an entry among a model's layers describes: a layer that is there, or what `make` makes.

    Two entries with one number that describe different layers are two layers.
    """
    made, number = _made.get(), entry.get(_KEY)
    if made is None or not isinstance(number, int):
        return make()
    description = (entry.get("class_name"), entry.get("config"))
    if number in made and made[number][0] == description:
        return made[number][1]
    layer = make()
    made[number] = (description, layer)
    return layer
