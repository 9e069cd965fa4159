"""Copies of models with layers and weights of their own, and models from their JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerkit.backend import tree

from .. import saving
from ..configurable import copy_of
from ..layers import Input, InputLayer, Layer
from ..symbolic import FunctionOperation, KerasTensor, node_of
from .functional import Functional
from .model import Model
from .sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """A model of the same layers, made anew: its weights are fresh ones, it is not compiled.

    `input_tensors`: symbolic tensors for the copy to stand on. `clone_function(layer)` gives the
    layer in a layer's place, by its config where None; `call_function(layer, *args, **kwargs)`
    calls it, in functional models. `recursive`: models inside are cloned in the same way.
    A model of a class with a `call` of its own is made from its config. ValueError for arguments
    that its kind of model cannot use.
    """
    if recursive and clone_function is None:
        raise ValueError(
            "`recursive=True` hands `clone_function` to the models inside: give one. Received: "
            "clone_function=None"
        )
    clone = _Clone(clone_function, call_function, recursive)
    if isinstance(model, Sequential):
        return clone.of_sequential(model, input_tensors)
    if isinstance(model, Functional):
        return clone.of_functional(model, input_tensors)
    if not isinstance(model, Model):
        raise ValueError(f"clone_model expects a Model; received: {model!r}")
    if input_tensors is not None or clone_function is not None or call_function is not None:
        raise ValueError(
            "Arguments `clone_function`, `call_function` and `input_tensors` are only supported "
            f"for Sequential and functional models. Received a {type(model).__name__}: its layers "
            "are called by its own `call`."
        )
    return copy_of(model)


class _Clone:
    """How layers are cloned and called; each layer is cloned once."""

    def __init__(
        self,
        clone_function: Callable[[Any], Any] | None,
        call_function: Callable[..., Any] | None,
        recursive: bool,
    ):
        self._clone_function = clone_function or copy_of
        self._call_function = call_function
        self._recursive = recursive
        self._clones: dict[Any, Any] = {}

    def of(self, layer: Any) -> Any:
        if layer not in self._clones:
            self._clones[layer] = self._made(layer)
        return self._clones[layer]

    def _made(self, layer: Any) -> Any:
        if isinstance(layer, FunctionOperation):
            return FunctionOperation(layer.function, layer.name)
        if not isinstance(layer, Layer):
            return copy_of(layer)
        if self._recursive and isinstance(layer, Functional):
            return self.of_functional(layer, None)
        if self._recursive and isinstance(layer, Sequential):
            return _Clone(self._clone_function, None, True).of_sequential(layer, None)
        if isinstance(layer, InputLayer):
            return copy_of(layer)
        return self._clone_function(layer)

    def of_sequential(self, model: Sequential, input_tensors: Any) -> Any:
        if self._call_function is not None:
            raise ValueError(
                "`call_function` is for functional models: the layers of a Sequential are listed, "
                f"not called, when it is made. Received: Sequential '{model.name}' with "
                f"call_function={self._call_function}"
            )
        layers = [self.of(layer) for layer in model._layers]
        if input_tensors is not None:
            given = tree.flatten(input_tensors)
            if len(given) != 1 or not isinstance(given[0], KerasTensor):
                raise ValueError(
                    "Argument `input_tensors` must contain a single KerasTensor for a Sequential. "
                    f"Received: input_tensors={input_tensors}"
                )
            layers = [x for x in layers if not isinstance(x, InputLayer)]
            first = given[0] if node_of(given[0]).is_input else None
            if first is None:
                first = Input(batch_shape=given[0].shape, dtype=given[0].dtype)
            layers.insert(0, first)
        return type(model)(layers, name=model.name, trainable=model.trainable)

    def of_functional(self, model: Functional, input_tensors: Any) -> Any:
        if input_tensors is None:
            given = [self.of(layer).output for layer in model._graph.input_layers]
        else:
            given = tree.flatten(input_tensors)
        if len(given) != len(model.inputs):
            raise ValueError(
                f"Argument `input_tensors` must hold {len(model.inputs)} tensors, as the model "
                f"has inputs. Received: {len(given)}"
            )
        outputs = model._graph.run(given, self._call)
        return type(model)(
            inputs=tree.pack_sequence_as(model.input, given),
            outputs=tree.pack_sequence_as(model.output, outputs),
            name=model.name,
            trainable=model.trainable,
        )

    def _call(self, operation: Any, args: tuple, kwargs: dict) -> Any:
        clone = self.of(operation)
        if self._call_function is not None and isinstance(clone, Layer):
            return self._call_function(clone, *args, **kwargs)
        return clone(*args, **kwargs)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model, without its weights, that `model.to_json()` described, here or in any Keras.

    `custom_objects`: {name: class or function} that it names, where they are not registered; for
    Lambda layers with code, {name of the layer: function}.
    """
    return saving.from_json(json_string, custom_objects)
