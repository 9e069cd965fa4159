"""Functional: a model that is a graph of calls between symbolic inputs and outputs."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from inspect import Parameter, signature
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor, tree

from ..layers import Layer
from ..layers.shapes import map_shapes, with_rank_of
from ..masks import carrying
from ..symbolic import KerasTensor, node_of
from .function import Function, check_symbolic, fits, fresh
from .graph import on_new_inputs
from .graph_config import describe, revive
from .model import Model


class Functional(Function, Model):
    """The model of all layers between `inputs` and `outputs`, as `Model(inputs, outputs)` makes it.

    `inputs`, `outputs`: symbolic tensors, or lists, tuples or dicts of them; data comes, and
    predictions leave, in the same structures. Inputs may be tensors inside another model: layers
    are shared then. `training` that a layer was called with stays, whatever the model is called
    with: `base(x, training=False)` never changes its statistics. ValueError for what is no
    symbolic tensor, and where an output needs an Input that is not given.
    """

    keras_module = "keras.src.models.functional"
    layers_come_first = True  # in files, before the attributes of a subclass

    def __init__(
        self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True, **kwargs
    ):
        check_symbolic(inputs, outputs)
        _warn_of_keys(inputs)
        if not all(node_of(x).is_input for x in tree.flatten(inputs)):
            inputs, outputs = on_new_inputs(inputs, outputs)
        Model.__init__(self, name=name, **kwargs)
        self._hold_graph(inputs, outputs)
        self._layers = [x for x in self._graph.operations if isinstance(x, Layer)]
        self.output_names = [node_of(x).operation.name for x in self.outputs]
        self._find_path()
        self.built = True
        if not trainable:
            self.trainable = False

    @property
    def layers(self) -> list[Layer]:
        """The layers of the graph, those farthest from the outputs first."""
        return list(self._layers)

    @property
    def input(self) -> Any:
        """The symbolic inputs as they were given."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs as they were given."""
        return self._outputs_struct

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs, in the order of `inputs`."""
        return [x.name for x in self.inputs]

    @property
    def input_shape(self) -> Any:
        """Shapes of the inputs in their structure, batch axis included."""
        return tree.map_structure(lambda x: x.shape, _single(self._inputs_struct))

    @property
    def output_shape(self) -> Any:
        """Shapes of the outputs in their structure, batch axis included."""
        return tree.map_structure(lambda x: x.shape, _single(self._outputs_struct))

    def build(self, input_shape: Any = None) -> None:
        """Nothing: its layers were built when they were called."""

    def _build_for(self, *args: Any, **kwargs: Any) -> None:
        """Nothing, likewise."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        with nullcontext() if mask is None else carrying(inputs, mask):
            outputs = self._graph.run(inputs, lambda layer, args, kwargs: layer(*args, **kwargs))
        return tree.pack_sequence_as(_single(self._outputs_struct), outputs)

    def _hand_mask_on(self, inputs: Any, outputs: Any, mask: Any) -> None:
        """Nothing: its layers took the mask, and handed on what they hand on."""

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return self._spec_with_masks(self._convert(args[0]))

    def _spec_with_masks(self, *args: Any, **kwargs: Any) -> Any:
        outputs = self._graph.run(
            args[0], lambda operation, args, kwargs: operation.spec_of_call(*args, **kwargs)
        )
        return tree.pack_sequence_as(_single(self._outputs_struct), [fresh(x) for x in outputs])

    def compute_output_shape(self, input_shape: Any) -> Any:
        inputs = map_shapes(KerasTensor, input_shape)
        outputs = self.compute_output_spec(inputs)
        return tree.map_structure(lambda x: x.shape, outputs)

    def get_config(self) -> dict[str, Any]:
        """Name, layers and their calls, as Keras writes them; a subclass's own parameters where
        its constructor takes others than this one."""
        if not _takes_graph(type(self)):
            return Model.get_config(self)
        graph = describe(self._graph, self._inputs_struct, self._outputs_struct)
        return {"name": self.name, "trainable": self.trainable, **graph}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of a config that `get_config`, here or in Keras, made."""
        if "input_layers" not in config:
            return super().from_config(config)
        others = {key: x for key, x in config.items() if key not in _OF_GRAPH}
        inputs, outputs = revive(config, custom_objects)
        return cls(inputs=inputs, outputs=outputs, **others)

    def get_build_config(self) -> dict[str, Any] | None:
        return {"input_shape": None}

    # What it is fed: data in the structure of the inputs, as a flat list of tensors.

    def _convert(self, inputs: Any) -> list[Any]:
        flat = tree.flatten(self._in_our_structure(inputs))
        return [self._fitted(x, own) for x, own in zip(flat, self.inputs, strict=True)]

    def _in_our_structure(self, inputs: Any) -> Any:
        struct = _single(self._inputs_struct)
        if isinstance(struct, KerasTensor):
            struct = [struct]
            if isinstance(inputs, (Tensor, KerasTensor)) or K.is_array(inputs):
                return inputs
            if isinstance(inputs, (list, tuple)) and not any(
                isinstance(x, (Tensor, KerasTensor)) or K.is_array(x) for x in tree.flatten(inputs)
            ):
                return K.convert_to_tensor(inputs)
        if isinstance(inputs, dict):
            return self._by_name(inputs, struct)
        flat = tree.flatten(inputs)
        if len(flat) != len(self.inputs):
            shapes = [getattr(x, "shape", x) for x in flat]
            raise ValueError(
                f'Layer "{self.name}" expects {len(self.inputs)} input(s), but it received '
                f"{len(flat)} input tensors. Inputs received: {shapes}; expected: "
                f"{self.input_names}."
            )
        if isinstance(struct, dict):
            self._refuse_order(struct)
        if len(flat) > 1 and _outline(inputs) != _outline(struct):
            names = tree.map_structure(lambda x: x.name, struct)
            shapes = tree.map_structure(lambda x: tuple(getattr(x, "shape", ())), inputs)
            warnings.warn(
                "The structure of `inputs` doesn't match the expected structure.\nExpected: "
                f"{names}\nReceived: inputs with shapes {shapes}, taken in this order.",
                stacklevel=2,
            )
        return inputs

    def _by_name(self, inputs: dict, struct: Any) -> Any:
        """The parts of a dict in the order of our inputs; others in it are left alone."""
        keys = list(struct) if isinstance(struct, dict) else self.input_names
        missing = [key for key in keys if key not in inputs]
        if missing:
            raise ValueError(
                f'Missing data for input "{missing[0]}". You passed a data dictionary with keys '
                f"{list(inputs)}. Expected the following keys: {keys}"
            )
        return [inputs[key] for key in (sorted(keys) if isinstance(struct, dict) else keys)]

    def _refuse_order(self, struct: dict) -> None:
        if list(struct) != sorted(struct):
            raise ValueError(
                "The structure of `inputs` doesn't match the expected structure.\n"
                f"Expected: a dict with keys {list(struct)}, whose order a list does not tell."
            )

    def _fitted(self, x: Any, own: KerasTensor) -> Any:
        """`x` as the symbolic input `own` says: its dtype, its rank."""
        if x is None:
            if not getattr(node_of(own).operation, "optional", False):
                raise ValueError(
                    f"The input '{own.name}' is not optional, but None was passed. Please provide "
                    "a valid tensor, or make it Input(..., optional=True)."
                )
            return None
        if own.dtype == "string":
            there = isinstance(x, (KerasTensor, Tensor))
            return x if there else with_rank_of(np.asarray(x), own.shape)
        y = x if isinstance(x, KerasTensor) else K.convert_to_tensor(x)
        if isinstance(y, Tensor) and y.dtype != own.dtype:
            y = K.cast(y, own.dtype)
        if isinstance(y, Tensor):
            y = with_rank_of(y, own.shape)
        mask = getattr(x, "_keras_mask", None)
        if mask is not None and isinstance(y, Tensor):
            y._keras_mask = mask
        return y

    def _check_input(self, inputs: Any) -> None:
        for index, (x, own) in enumerate(zip(inputs, self.inputs, strict=True)):
            if x is None:
                continue
            if len(x.shape) != len(own.shape) or not fits(x.shape[1:], own.shape[1:]):
                raise ValueError(
                    f"Input {index} with name '{own.name}' of layer '{self.name}' is incompatible "
                    f"with the layer: expected shape={own.shape}, found shape={tuple(x.shape)}. "
                    "The shape of an Input leaves the batch axis out."
                )


Model.functional = Functional

_OF_GRAPH = ("layers", "input_layers", "output_layers")


def _takes_graph(cls: type) -> bool:
    """Whether the constructor is called as this class's own, with inputs and outputs."""
    names = {"inputs", "outputs"}
    own = vars(cls).get("__init__")
    if own is None:
        return True
    parameters = signature(own).parameters
    handed_on = {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}
    return names <= set(parameters) or handed_on <= {x.kind for x in parameters.values()}


def _single(structure: Any) -> Any:
    """A list of one tensor counts as that tensor."""
    if isinstance(structure, (list, tuple)) and len(structure) == 1:
        return structure[0]
    return structure


def _outline(structure: Any) -> Any:
    """The nesting of a structure; lists and tuples are the same."""
    if isinstance(structure, dict):
        return {key: _outline(item) for key, item in structure.items()}
    if isinstance(structure, (list, tuple)):
        return tuple(map(_outline, structure))
    return None


def _warn_of_keys(inputs: Any) -> None:
    for key, x in inputs.items() if isinstance(inputs, dict) else ():
        if isinstance(x, KerasTensor) and key != x.name:
            warnings.warn(
                "When providing `inputs` as a dict, all keys in the dict must match the names of "
                f"the corresponding tensors. Received key '{key}' mapping to value {x} which has "
                f"name '{x.name}'. Change the tensor name to '{key}' (via `Input(..., "
                f"name='{key}')`)",
                stacklevel=3,
            )
