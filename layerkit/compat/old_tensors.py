"""What layers told of their symbolic tensors, and losses made of such: layer.output_shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from layerkit.backend import tree

from .. import ops
from ..layers import Layer
from ..models import Functional
from ..models.graph import Graph
from ..symbolic import KerasTensor, is_symbolic
from .deprecated import warn_once

_SHAPES = {"input_shape": "input", "output_shape": "output"}


def give_old_attributes() -> None:
    """Give layers the attributes and arguments that they had."""
    setattr(Layer, "__getattr__", _with_shapes(Layer.__getattr__))  # noqa: B010
    setattr(Layer, "add_loss", _with_inputs(Layer.add_loss))  # noqa: B010
    for method in (get_input_at, get_output_at, get_input_shape_at, get_output_shape_at):
        setattr(Layer, method.__name__, method)


def _with_shapes(getattr_: Callable) -> Callable:
    @wraps(getattr_)
    def found(self: Any, name: str) -> Any:
        if name in _SHAPES and not isinstance(getattr(type(self), name, None), property):
            shapes = _shapes(getattr(self, _SHAPES[name]))
            warn_once(f"layer.{name}", f"use layer.{_SHAPES[name]}.shape")
            return shapes
        return getattr_(self, name)

    return found


def get_input_at(self: Any, node_index: int) -> Any:
    """The symbolic inputs of the layer's call number `node_index`."""
    warn_once("layer.get_input_at")
    args = _node(self, node_index).args
    return args[0] if len(args) == 1 else args


def get_output_at(self: Any, node_index: int) -> Any:
    """The symbolic outputs of the layer's call number `node_index`."""
    warn_once("layer.get_output_at")
    return _node(self, node_index).outputs


def get_input_shape_at(self: Any, node_index: int) -> Any:
    """The shapes of `get_input_at`."""
    return _shapes(get_input_at(self, node_index))


def get_output_shape_at(self: Any, node_index: int) -> Any:
    """The shapes of `get_output_at`."""
    return _shapes(get_output_at(self, node_index))


def _node(layer: Any, index: int) -> Any:
    if index >= len(layer._inbound_nodes):
        raise ValueError(
            f"Asked for call {index} of layer {layer.name}, but it has been called only "
            f"{len(layer._inbound_nodes)} times on symbolic tensors."
        )
    return layer._inbound_nodes[index]


def _shapes(tensors: Any) -> Any:
    return tree.map_structure(lambda x: x.shape, tensors)


class AddLoss(Layer):
    """Hands its first input on and adds the mean of its second one to what is minimized."""

    def call(self, inputs: Any) -> Any:
        output, loss = inputs
        self.add_loss(ops.mean(loss))
        return output

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]


def _with_inputs(add_loss: Callable) -> Callable:
    @wraps(add_loss)
    def added(self: Any, loss: Any, inputs: Any = None) -> None:
        if inputs is not None:
            warn_once("add_loss's argument `inputs`", "it has no effect: leave it out")
        if not is_symbolic(loss):
            add_loss(self, loss)
        elif isinstance(self, Functional):
            warn_once("add_loss() of symbolic tensors", "call add_loss() in a Layer of your own")
            for one in tree.flatten(loss):
                _add_to_graph(self, one)
        else:
            raise ValueError(
                f"add_loss() of '{self.name}' got a symbolic tensor: only a functional model takes "
                f"such, before it is compiled. Received: {loss}"
            )

    return added


def _add_to_graph(model: Any, loss: KerasTensor) -> None:
    """Let the first output come through a layer that adds the loss."""
    names = model.output_names
    first, *others = tree.flatten(model.output)
    outputs = [AddLoss()([first, loss]), *others]
    model._outputs_struct = tree.pack_sequence_as(model.output, outputs)
    model._graph = Graph(model.inputs, outputs)
    model._layers = [x for x in model._graph.operations if isinstance(x, Layer)]
    model.output_names = names
