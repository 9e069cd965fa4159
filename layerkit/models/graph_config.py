"""Functional models as plain values, in the form of Keras's files, and back.

A config lists the operations with the calls of each, its inbound nodes. Where a call takes what
another gave, stands the address of that tensor: name, number of the call, number of the output.
Calls are counted within the model, from 0 for each operation; only where the addresses of the
inputs and outputs name a functional model inside this one, Keras counts from 1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from heapq import heappop, heappush
from inspect import signature
from typing import Any, NamedTuple

from layerkit.backend import tree

from ..configurable import deserialize, serialize
from ..saving.legacy.names import is_address
from ..saving.shared_layers import layer_of
from ..symbolic import FunctionOperation, KerasTensor, Node, Operation, class_name, named
from .graph import Graph

Address = tuple[str, int, int]


def describe(graph: Graph, inputs: Any, outputs: Any) -> dict[str, Any]:
    """The config of a graph: {"layers", "input_layers", "output_layers"}."""
    calls: dict[Any, list[Node]] = {operation: [] for operation in graph.operations}
    ours = set(graph.nodes)
    for operation, nodes in calls.items():
        nodes += [node for node in operation._inbound_nodes if node in ours]

    def address(tensor: KerasTensor) -> Address:
        operation, index, number = tensor._keras_history
        return operation.name, calls[operation].index(operation._inbound_nodes[index]), number

    def end(tensor: KerasTensor) -> list:
        name, index, number = address(tensor)
        return [name, index + _is_functional(tensor._keras_history.operation), number]

    return {
        "layers": [_described(operation, nodes, address) for operation, nodes in calls.items()],
        "input_layers": tree.map_structure(end, inputs),
        "output_layers": tree.map_structure(end, outputs),
    }


def _is_functional(operation: Any) -> bool:
    return hasattr(operation, "_graph")


def _described(operation: Any, nodes: list[Node], address: Callable) -> dict[str, Any]:
    def argument(x: Any) -> Any:
        return _describe_tensor(x, address(x)) if isinstance(x, KerasTensor) else x

    def call(args: Any, kwargs: Any) -> dict[str, Any]:
        args, kwargs = tree.map_structure(argument, (list(args), kwargs))
        return {"args": serialize(args), "kwargs": serialize(kwargs)}

    if isinstance(operation, FunctionOperation):
        tensors, options = operation.options(nodes[0])
        config, calls = _describe_operation(operation, options), [call(tensors, {})]
    else:
        config = serialize(operation)
        calls = [call(node.args, node.kwargs) for node in nodes if not node.is_input]
    return {**config, "name": operation.name, "inbound_nodes": calls}


def _describe_tensor(x: KerasTensor, address: Address) -> dict[str, Any]:
    config = {"shape": x.shape, "dtype": x.dtype, "keras_history": list(address)}
    return {"class_name": "__keras_tensor__", "config": config}


def _describe_operation(operation: FunctionOperation, options: dict[str, Any]) -> dict[str, Any]:
    from .. import ops

    name = class_name(operation.function)
    parts = (ops.numpy, ops.nn, ops.math, ops.linalg, ops.image, ops.core)
    module = next((part for part in parts if operation.function.__name__ in part.__all__), None)
    if module is None:
        raise TypeError(
            f"Cannot serialize the call of {operation.function.__name__}: a model's file can only "
            "name layers and the functions of layerkit.ops. Call it inside a Layer of your own."
        )
    return {
        "module": f"keras.src.ops.{module.__name__.rpartition('.')[2]}",
        "class_name": name,
        "config": {"name": operation.name, **serialize(options)},
        "registered_name": name,
    }


def revive(config: dict[str, Any], custom_objects: Any = None) -> tuple[Any, Any]:
    """Inputs and outputs of the graph that a config describes, all its calls made anew."""
    operations: dict[str, Any] = {}
    waiting: list[_Waiting] = []
    for entry in config["layers"]:
        operation = layer_of(entry, partial(_made, entry, custom_objects))
        name = entry.get("name") or operation.name
        operations[name] = operation
        calls = [_Call(call, _addresses(call)) for call in entry.get("inbound_nodes", ())]
        waiting.append(_Waiting(name, operation, deque(calls)))
    made = {name: _Calls(operation) for name, operation in operations.items()}
    _call_all(waiting, made, custom_objects)

    def tensor(address: list) -> KerasTensor:
        name, index, number = address[:3]
        return _tensor((name, index - _is_functional(operations.get(name)), number), made)

    return _ends(config["input_layers"], tensor), _ends(config["output_layers"], tensor)


class _Calls:
    """The calls of an operation in this graph, which come after those in models that share it."""

    def __init__(self, operation: Any):
        self._operation = operation
        self._first = sum(not node.is_input for node in operation._inbound_nodes)

    def __len__(self) -> int:
        return len(self._operation._inbound_nodes) - self._first

    def __getitem__(self, index: int) -> Node:
        return self._operation._inbound_nodes[self._first + index]


class _Call(NamedTuple):
    """A call that waits for the tensors at its addresses."""

    entry: Any
    addresses: list[Address]


class _Waiting(NamedTuple):
    """An operation with the calls that are to come, which stay in order."""

    name: str
    operation: Any
    calls: deque[_Call]


def _call_all(waiting: list[_Waiting], made: dict[str, _Calls], custom_objects: Any) -> None:
    """Make all calls, as if one went through `waiting` again and again and made those that can be.

    Only operations whose tensors may have come meanwhile are looked at again, for a file may list
    a hundred thousand backwards.
    """
    turns = [(0, place) for place in range(len(waiting))]  # (which time, where in `waiting`)
    blocked: dict[str, list[int]] = {}  # places of those that wait for a call of that name
    while turns:
        turn, place = heappop(turns)
        name, operation, calls = waiting[place]
        while calls:
            missing = next((x for x in calls[0].addresses if not _is_there(x, made)), None)
            if missing is not None:
                blocked.setdefault(missing[0], []).append(place)
                break
            _call(operation, calls.popleft().entry, made, custom_objects)
            for other in blocked.pop(name, ()):
                heappush(turns, (turn + (other <= place), other))
    left = {operation.name for _, operation, calls in waiting if calls}
    if left:
        raise ValueError(
            "Invalid Functional model configuration: its graph has a loop, or calls on what "
            f"nothing gives. These layers could not be called: {sorted(left)}"
        )


def _call(operation: Any, entry: Any, made: dict[str, _Calls], custom_objects: Any) -> None:
    args, kwargs = _arguments(entry, made, custom_objects)
    kwargs = _given(operation, kwargs)
    if isinstance(operation, FunctionOperation):
        args, kwargs = operation.with_options(args, kwargs)
    operation(*args, **kwargs)


def _given(operation: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The options of a call without those that Keras filled in: its defaults, or no mask.

    To be called without `training` and with its default are two things: only then it is inherited.
    """
    parameters = signature(operation.call).parameters
    defaults = {key: parameters[key].default if key in parameters else None for key in kwargs}
    return {key: value for key, value in kwargs.items() if value is not defaults[key]}


def _tensor(address: Any, made: dict[str, _Calls]) -> KerasTensor:
    name, index, number = address
    if not _is_there(address, made):
        raise ValueError(
            f"Invalid Functional model configuration: layer '{name}' has no call number {index}."
        )
    return made[name][max(index, 0)].output_tensors[number]


def _is_there(address: Any, made: dict[str, _Calls]) -> bool:
    if address[0] not in made:
        raise ValueError(f"Invalid Functional model configuration: unknown layer '{address[0]}'.")
    return address[1] < len(made[address[0]])


def _made(entry: dict[str, Any], custom_objects: Any) -> Any:
    """The layer or operation of an entry of "layers"."""
    if str(entry.get("module", "")).startswith("keras.src.ops"):
        options = dict(entry["config"])
        name = options.pop("name", entry.get("name"))
        if options.get("rms_scaling") is False:  # LayerNorm's in Keras's files; here it is never
            del options["rms_scaling"]
        try:
            function = named(entry["class_name"])
        except KeyError:
            raise TypeError(
                f"The model calls the operation {entry['class_name']} of {entry['module']}, which "
                "layerkit does not have."
            ) from None
        return _WithOptions(function, name, deserialize(options))
    if "name" in entry and isinstance(entry.get("config"), dict):
        entry = {**entry, "config": {"name": entry["name"], **entry["config"]}}
    operation = deserialize(entry, custom_objects=custom_objects, family="layers")
    if not isinstance(operation, Operation):
        raise ValueError(
            f"Unexpected object from deserialization, expected a layer or operation, got "
            f"{type(operation)}"
        )
    return operation


class _WithOptions(FunctionOperation):
    """An operation of a file, which keeps the options of its call."""

    def __init__(self, function: Callable, name: str | None, options: dict[str, Any]):
        super().__init__(getattr(function, "__wrapped__", function), name)
        self.given = options

    def with_options(self, tensors: Sequence[Any], kwargs: dict[str, Any]) -> tuple[tuple, dict]:
        return super().with_options(tensors, {**self.given, **kwargs})


def _addresses(call: Any) -> list[Address]:
    """The addresses of the tensors in the arguments of a call."""
    return _marked_addresses(call) if isinstance(call, dict) else _old_addresses(call)


def _marked_addresses(x: Any) -> list[Address]:
    if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
        return [tuple(x["config"]["keras_history"])]
    return [address for item in _items(x) for address in _marked_addresses(item)]


def _old_addresses(x: Any) -> list[Address]:
    if is_address(x):
        return [tuple(x[:3]), *_old_addresses(x[3:])]
    return [address for item in _items(x) for address in _old_addresses(item)]


def _items(x: Any) -> Iterable[Any]:
    if isinstance(x, dict):
        return x.values()
    return x if isinstance(x, (list, tuple)) else ()


def _arguments(call: Any, made: dict[str, _Calls], custom_objects: Any) -> tuple[tuple, dict]:
    """Positional and named arguments of a call, of Keras 3's form or of Keras 2's."""

    def value(x: Any) -> Any:
        if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
            return _tensor(x["config"]["keras_history"], made)
        if not isinstance(call, dict) and is_address(x):
            return _tensor(x[:3], made)
        if isinstance(x, (list, tuple)):
            return type(x)(value(item) for item in x)
        if isinstance(x, dict) and not ("class_name" in x and "config" in x):
            return {key: value(item) for key, item in x.items()}
        return deserialize(x, custom_objects=custom_objects)

    if isinstance(call, dict):
        kwargs = {key: value(x) for key, x in call["kwargs"].items()}
        return tuple(value(call["args"])), kwargs
    entries = [call] if is_address(call) else call
    tensors = [value(entry[:3]) for entry in entries]
    options = entries[0][3] if len(entries[0]) > 3 else {}
    return (tensors[0] if len(tensors) == 1 else tensors,), value(options)


def _ends(structure: Any, tensor: Callable[[list], KerasTensor]) -> Any:
    if is_address(structure):
        return tensor(structure)
    if isinstance(structure, dict):
        return {key: _ends(item, tensor) for key, item in structure.items()}
    return [_ends(item, tensor) for item in structure]
