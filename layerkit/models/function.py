"""Function: the calls between symbolic tensors as one operation, without state of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerkit.backend import tree

from ..layers import Layer
from ..layers.shapes import map_shapes
from ..symbolic import KerasTensor, Operation
from .graph import Graph


class Function(Operation):
    """The function from `inputs` to `outputs`: all calls between them, made again on what it gets.

    `inputs`, `outputs`: symbolic tensors, or lists, tuples or dicts of them; inputs may be any
    tensors on the way. It is called on one structure like `inputs`, of tensors or symbolic ones,
    and gives one like `outputs`. It has no config: a file cannot hold it, a functional model's can.

    ValueError for what is no symbolic tensor, where an output needs what is not among `inputs`, and
    for a call on another structure or on other shapes.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None):
        super().__init__(name)
        check_symbolic(inputs, outputs)
        self._hold_graph(inputs, outputs)

    def _hold_graph(self, inputs: Any, outputs: Any) -> None:
        self._graph = Graph(tree.flatten(inputs), tree.flatten(outputs))
        self._inputs_struct, self._outputs_struct = inputs, outputs

    @property
    def operations(self) -> list[Any]:
        """The layers and the operations of the graph, those farthest from the outputs first."""
        return list(self._graph.operations)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs as a flat list."""
        return self._graph.inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs as a flat list."""
        return self._graph.outputs

    def call(self, inputs: Any) -> Any:
        return self._run(inputs, lambda operation, args, kwargs: operation(*args, **kwargs))

    def compute_output_spec(self, inputs: Any) -> Any:
        found = self._run(inputs, lambda x, args, kwargs: x.spec_of_call(*args, **kwargs))
        return tree.map_structure(fresh, found)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of these shapes, tuples in the structure."""
        inputs = map_shapes(KerasTensor, input_shape)
        typed = [
            KerasTensor(x.shape, own.dtype)
            for x, own in zip(tree.flatten(inputs), self.inputs, strict=True)
        ]
        outputs = self.compute_output_spec(tree.pack_sequence_as(inputs, typed))
        return tree.map_structure(lambda x: x.shape, outputs)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"Function '{self.name}' was made of symbolic tensors, which no config can hold: save "
            "the functional model Model(inputs, outputs) instead."
        )

    def _run(self, inputs: Any, call: Callable[[Any, tuple, dict], Any]) -> Any:
        self._check_structure(inputs)
        return tree.pack_sequence_as(
            self._outputs_struct, self._graph.run(tree.flatten(inputs), call)
        )

    def _check_structure(self, inputs: Any) -> None:
        if _form_of(inputs) != _form_of(self._inputs_struct):
            raise ValueError(
                "Function was called with an invalid input structure. Expected input structure: "
                f"{self._inputs_struct}\nReceived input structure: {inputs}"
            )
        for x, own in zip(tree.flatten(inputs), self.inputs, strict=True):
            if not fits(x.shape, own.shape):
                raise ValueError(
                    f"Function '{self.name}' was passed incompatible inputs. For input "
                    f"'{own.name}', expected shape {own.shape}, but received instead a tensor with "
                    f"shape {tuple(x.shape)}."
                )


def fresh(x: KerasTensor) -> KerasTensor:
    """A symbolic tensor like `x`, which no call has given."""
    y = KerasTensor(x.shape, x.dtype)
    y._keras_mask = x._keras_mask
    return y


def fits(shape: Any, expected: Any) -> bool:
    """Whether a shape is as expected, where neither has None."""
    return len(shape) == len(expected) and all(
        n == m or None in (n, m) for n, m in zip(shape, expected, strict=True)
    )


def _form_of(structure: Any) -> Any:
    return tree.map_structure(lambda _: None, structure)


def check_symbolic(inputs: Any, outputs: Any) -> None:
    """ValueError where one of them holds nothing, or what is no symbolic tensor."""
    for name, structure in (("inputs", inputs), ("outputs", outputs)):
        leaves = tree.flatten(structure)
        if not leaves:
            raise ValueError(
                f"`{name}` argument cannot be empty. Received:\ninputs={inputs}\noutputs={outputs}"
            )
        for x in leaves:
            if not isinstance(x, KerasTensor):
                received = f"of shape {tuple(x.shape)}" if hasattr(x, "shape") else x
                remedy = f" Call the layer: {name}=layer(x)." if isinstance(x, Layer) else ""
                raise ValueError(
                    f"All `{name}` values must be KerasTensors, as Input and calls on its result "
                    f"give. Received in `{name}`: {received} ({type(x)}).{remedy}"
                )
