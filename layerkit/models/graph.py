"""Graph: the calls between symbolic inputs and outputs, in an order in which they can be run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from layerkit.backend import tree

from ..layers import Input, InputLayer
from ..symbolic import KerasTensor, Node, node_of


class Graph:
    """All nodes that `outputs` need, down to `inputs`: symbolic tensors.

    `nodes` come in an order of running, `operations` (layers and operations) in Keras's order,
    which decides that of the weights: farthest from the outputs first, then as they are met on the
    way back. ValueError where an output needs an Input that is not given, and for two operations
    of one name.
    """

    def __init__(self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]):
        self.nodes, met = nodes_between(inputs, outputs)  # first: see Functional on copies
        self.inputs, self.outputs = list(inputs), list(outputs)
        given = [node_of(x) for x in self.inputs if hasattr(x, "_keras_history")]
        entries = [node for node in given if node.is_input]
        for node in self.nodes:
            if node.is_input and node not in entries:
                raise ValueError(
                    f"Output '{self._output_above(node)}' is not connected to `inputs`: it needs "
                    f"the Input '{node.operation.name}', and `inputs` are "
                    f"{[tensor.name for tensor in self.inputs]}. Add it to them."
                )
        depths = _depths(self.nodes)
        for node in entries:  # those that no output needs come last
            if node.operation not in depths:
                depths[node.operation], met[node.operation] = 0, -1
                self.nodes.append(node)
        self.operations = sorted(depths, key=lambda x: (-depths[x], met[x]))
        _raise_on_equal_names(self.operations)

    def _output_above(self, entry: Node) -> str:
        """The name of an output that needs the node `entry`."""
        needing = (x for x in self.outputs if entry in nodes_between(self.inputs, [x])[0])
        return node_of(next(needing)).operation.name

    @property
    def input_layers(self) -> list[InputLayer]:
        return [node_of(tensor).operation for tensor in self.inputs]

    def run(self, values: Sequence[Any], call: Callable[[Any, tuple, dict], Any]) -> list[Any]:
        """The outputs for `values` in place of the inputs; None stands for what is left out.

        `call(operation, args, kwargs)` makes one call.
        """
        known = {id(tensor): value for tensor, value in zip(self.inputs, values, strict=True)}
        for node in self.nodes:
            if not node.is_input:
                args, kwargs = node.arguments_from(known)
                results = tree.flatten(call(node.operation, args, kwargs))
                known.update(zip(map(id, node.output_tensors), results, strict=True))
        return [known[id(tensor)] for tensor in self.outputs]


def nodes_between(
    inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]
) -> tuple[list[Node], dict[Any, int]]:
    """The nodes that `outputs` need, each after those that it needs; and when operations were met.

    The way back ends at `inputs`, whose own nodes count only where they are those of an Input.
    """
    ends = set(map(id, inputs))
    done: dict[Node, None] = {}
    met: dict[Any, int] = {}
    stack: list[tuple[Node, list[KerasTensor]]] = []

    def enter(tensor: KerasTensor) -> None:
        if id(tensor) in ends and not hasattr(tensor, "_keras_history"):
            return
        node = node_of(tensor)
        if node not in done and (node.is_input or id(tensor) not in ends):
            met.setdefault(node.operation, len(met))
            stack.append((node, node.input_tensors[::-1]))

    for output in outputs:
        enter(output)
        while stack:
            node, waiting = stack[-1]
            if waiting:
                enter(waiting.pop())
            else:
                done[node] = None
                stack.pop()
    return list(done), met


def on_new_inputs(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """The structures with a new Input for each tensor that is no Input's, and all calls from there.

    The layers are shared; their calls are made once more.
    """
    given = tree.flatten(inputs)
    fresh = [x if node_of(x).is_input else Input(batch_shape=x.shape, dtype=x.dtype) for x in given]
    known = {id(x): y for x, y in zip(given, fresh, strict=True)}
    for node in nodes_between(given, tree.flatten(outputs))[0]:
        if node.is_input:
            known.setdefault(id(node.outputs), node.outputs)
        else:
            args, kwargs = node.arguments_from(known)
            results = tree.flatten(node.operation(*args, **kwargs))
            known.update(zip(map(id, node.output_tensors), results, strict=True))
    found = tree.map_structure(lambda x: known[id(x)], outputs)
    return tree.pack_sequence_as(inputs, fresh), found


def _depths(nodes: list[Node]) -> dict[Any, int]:
    """Of each operation: how many calls lie between it and an output, the longest way.

    Keras's graphs compute masks too. Ours do not, but count these calls: the order of layers, which
    that of weights follows, is to be the same.
    """
    inside = set(nodes)
    of_nodes: dict[Node, int] = {}
    depths: dict[Any, int] = {}
    for node in reversed(nodes):
        depth = max(of_nodes.get(node, 0), depths.get(node.operation, 0))
        of_nodes[node] = depths[node.operation] = depth
        for parent in inside.intersection(node.parent_nodes):
            of_nodes[parent] = max(depth + 1, of_nodes.get(parent, 0))
        for tensor, operations in _ways_to_masks(node):
            if (parent := node_of(tensor)) in inside:
                of_nodes[parent] = max(depth + 1 + operations, of_nodes.get(parent, 0))
    return depths


def _ways_to_masks(node: Node) -> list[tuple[KerasTensor, int]]:
    """What the masks that a call takes are computed from, and by how many operations in Keras."""
    if not getattr(node.operation, "_masks_taken", ()):
        return []
    masks = [x._keras_mask for x in node.input_tensors if x._keras_mask is not None]
    return [way for mask in masks for way in mask._ways]


def _raise_on_equal_names(operations: list[Any]) -> None:
    for name, count in Counter(operation.name for operation in operations).items():
        if count > 1:
            raise ValueError(
                f'The name "{name}" is used {count} times in the model. All operation names '
                "should be unique: give one of these layers another `name`."
            )
