"""A model as a drawing: a box for each layer, an arrow for each tensor that goes between two."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from .drawing import BAD, GOOD, Box, Cell, Graph


class Shown(NamedTuple):
    """What the boxes tell of their layers."""

    shapes: bool = False
    dtype: bool = False
    layer_names: bool = True
    layer_activations: bool = False
    trainable: bool = False


class Facts(NamedTuple):
    """What a layer takes and gives in this model: shapes and a dtype; None where unknown."""

    input_shape: Any = None
    output_shape: Any = None
    dtype: Any = None


class Edge(NamedTuple):
    """A tensor that goes from one layer to another: which output of the one, input of the other."""

    source: Any
    target: Any
    output: int = 0
    input: int = 0


def drawing_of(model: Any, shown: Shown, expand_nested: bool = False) -> Graph:
    """The boxes and arrows of a model; a model without known layers is a single box.

    expand_nested: show models inside the model as frames around their own boxes.
    """
    layers, edges, facts = _structure(model)
    graph = Graph(_key(model), model.name)
    if not layers:
        graph.items = [_box(model, facts.get(model, Facts()), shown)]
        return graph
    for layer in layers:
        nested = expand_nested and _structure(layer)[0]
        graph.items.append(
            drawing_of(layer, shown, expand_nested)
            if nested
            else _box(layer, facts.get(layer, Facts()), shown)
        )
    for edge in edges:
        graph.connect(
            _end(edge.source, edge.output, False, expand_nested),
            _end(edge.target, edge.input, True, expand_nested),
        )
    return graph


def _key(layer: Any) -> Hashable:
    return id(layer)


def _structure(model: Any) -> tuple[list[Any], list[Edge], dict[Any, Facts]]:
    """Layers in order, edges between them, and facts.

    Of a functional model the graph of calls tells; of a Sequential the order. Layers of any other
    model have no known order: there are none then.
    """
    if hasattr(model, "_graph"):
        return _functional(model._graph)
    if _is_chain(model):
        layers = list(model.layers)
        edges = [Edge(a, b) for a, b in zip(layers, layers[1:], strict=False)]
        return layers, edges, _facts_of_chain(model, layers)
    return [], [], {}


def _is_chain(model: Any) -> bool:
    """Whether it is a Sequential, known by its way to grow: this floor is below the models."""
    return all(hasattr(model, name) for name in ("layers", "add", "pop"))


def _functional(graph: Any) -> tuple[list[Any], list[Edge], dict[Any, Facts]]:
    edges, facts = [], {}
    for node in graph.nodes:
        for index, tensor in enumerate(node.input_tensors):
            made = tensor._keras_history
            edges.append(Edge(made.operation, node.operation, made.tensor_index, index))
        inputs = [tensor.shape for tensor in node.input_tensors]
        outputs = node.output_tensors
        facts[node.operation] = Facts(
            _only(inputs), _only([x.shape for x in outputs]), _only([x.dtype for x in outputs])
        )
    return list(graph.operations), edges, facts


def _only(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values or None


def _facts_of_chain(model: Any, layers: list[Any]) -> dict[Any, Facts]:
    shape = getattr(model, "input_shape", None)
    facts = {}
    for layer in layers:
        output = None if shape is None else layer.compute_output_shape(shape)
        facts[layer] = Facts(shape, output, layer.compute_dtype)
        shape = output
    return facts


def _end(layer: Any, index: int, is_target: bool, expand_nested: bool) -> Hashable:
    """The box that an arrow to, or from, a layer ends at: inside of a frame, its first or last."""
    while expand_nested:
        if hasattr(layer, "_graph"):
            tensors = layer._graph.inputs if is_target else layer._graph.outputs
            made = tensors[min(index, len(tensors) - 1)]._keras_history
            layer, index = made.operation, made.tensor_index
        elif _is_chain(layer) and layer.layers:
            layer = layer.layers[0 if is_target else -1]
        else:
            break
    return _key(layer)


def _box(layer: Any, facts: Facts, shown: Shown) -> Box:
    kind = getattr(layer, "class_name", type(layer).__name__)  # operations have the former
    title = f"{layer.name} ({kind})" if shown.layer_names else kind
    rows: list[tuple[Cell, ...]] = []
    activation = getattr(layer, "activation", None)
    if shown.layer_activations and activation is not None:
        rows.append((Cell(_name_of(activation), "Activation"),))
    cells = []
    if shown.shapes:
        if kind != "InputLayer":
            cells.append(Cell(_readable(facts.input_shape), "Input shape"))
        cells.append(Cell(_readable(facts.output_shape), "Output shape"))
    if shown.dtype:
        cells.append(Cell(_readable(facts.dtype), "Output dtype"))
    if shown.trainable and getattr(layer, "weights", None):
        cells.append(Cell("Trainable", "", GOOD) if layer.trainable else _FROZEN)
    if cells:
        rows.append(tuple(cells))
    return Box(_key(layer), title, tuple(rows))


_FROZEN = Cell("Non-trainable", "", BAD)


def _name_of(activation: Any) -> str:
    if isinstance(activation, str):
        return activation
    name = getattr(activation, "name", None) or getattr(activation, "__name__", None)
    return name or type(activation).__name__


def _readable(fact: Any) -> str:
    if fact is None:
        return "?"
    if isinstance(fact, dict):
        return ", ".join(f"{key}: {value}" for key, value in fact.items())
    return str(fact)
