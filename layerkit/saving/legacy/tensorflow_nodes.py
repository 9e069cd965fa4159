"""Nodes of TensorFlow's graphs in functional models of TensorFlow 1.15 to 2.3, as calls of ours.

There `x * 2` is a layer of class TensorFlowOpLayer: a node with an operation and its attributes,
and those of its inputs that are constants, by their place among all of them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Node(NamedTuple):
    """A node: its layer's name, its operation, its attributes as plain values, its inputs."""

    name: str
    operation: str
    attributes: dict[str, Any]
    inputs: list[Any]

    def refusal(self, why: str) -> ValueError:
        """The error for what layerkit does not compute."""
        return ValueError(
            f"Layer '{self.name}' calls TensorFlow's operation '{self.operation}'{why}. {REMEDY}"
        )

    def needs(self, **values: Any) -> None:
        """ValueError where an attribute has another value: layerkit computes only that one."""
        for key, value in values.items():
            found = self.attributes.get(key, value)
            if found != value:
                raise self.refusal(f" with {key}={found!r}; layerkit computes {key}={value!r} only")

    def constant(self, index: int) -> Any:
        """An input that layerkit takes as plain numbers. ValueError where a layer gives it."""
        value = self.inputs[index]
        if isinstance(value, dict):
            giver = value["config"]["keras_history"][0]
            raise self.refusal(
                f" with input {index} computed by layer '{giver}'; layerkit takes numbers there"
            )
        return value


Call = tuple[str, list[Any], dict[str, Any]]  # our operation, its arguments, those with names

REMEDY = (
    "Make the model in code, with a Layer that computes the same there, and use "
    "load_weights(filepath)."
)


def calls_of(entry: dict[str, Any], tensor: Callable[[Any], Any]) -> Iterator[Call]:
    """What a layer of the graph computes, for each of its calls.

    `tensor`: from an address to what stands for it. ValueError, with the layer's name, for an
    operation that is not in the tables.
    """
    config = entry["config"]
    described = config.get("node_def")
    if not isinstance(described, dict):
        raise ValueError(
            f"Layer '{entry['name']}' calls an operation of TensorFlow; its node_def must be a "
            f"dict. Received: {described!r:.80}. {REMEDY}"
        )
    operation = described["op"]
    attributes = {key: _plain(x) for key, x in described.get("attr", {}).items()}
    for call in entry["inbound_nodes"]:
        inputs = [tensor(address[:3]) for address in call]
        for index, value in sorted((int(i), x) for i, x in (config.get("constants") or {}).items()):
            inputs.insert(index, value)
        yield _call(Node(entry["name"], operation, attributes, inputs))


def _call(node: Node) -> Call:
    if node.operation in _ELEMENTWISE:
        return _ELEMENTWISE[node.operation], node.inputs, {}
    if node.operation in _REDUCTIONS:
        keepdims = node.attributes.get("keep_dims", False)
        options = {"axis": node.constant(1), "keepdims": keepdims}
        return _REDUCTIONS[node.operation], node.inputs[:1], options
    if node.operation in _OTHERS:
        return _OTHERS[node.operation](node)
    raise node.refusal(", for which layerkit has no operation")


def _plain(attribute: dict[str, Any]) -> Any:
    """The value of an attribute: {"i": "3"}, {"s": base64}, {"type": "DT_FLOAT"}, {"list": ...}."""
    kind: str
    value: Any
    kind, value = next(iter(attribute.items()), ("list", {}))
    if kind == "list":
        return [_plain({key: item}) for key, items in value.items() for item in items]
    if kind == "s":
        return base64.b64decode(value).decode()
    if kind == "type":
        return _DTYPES.get(value, value)
    return int(value) if kind == "i" else value


_DTYPES = {
    "DT_BFLOAT16": "bfloat16",
    "DT_BOOL": "bool",
    "DT_DOUBLE": "float64",
    "DT_FLOAT": "float32",
    "DT_HALF": "float16",
    "DT_INT16": "int16",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_INT8": "int8",
    "DT_UINT8": "uint8",
}

# TensorFlow's operation: ours, which takes the same inputs in the same order.
_ELEMENTWISE = {
    "Abs": "abs",
    "Acos": "arccos",
    "Acosh": "arccosh",
    "Add": "add",
    "AddV2": "add",
    "Asin": "arcsin",
    "Asinh": "arcsinh",
    "Atan": "arctan",
    "Atan2": "arctan2",
    "Atanh": "arctanh",
    "Ceil": "ceil",
    "ClipByValue": "clip",
    "Cos": "cos",
    "Cosh": "cosh",
    "Elu": "elu",
    "Equal": "equal",
    "Erf": "erf",
    "Exp": "exp",
    "Expm1": "expm1",
    "Floor": "floor",
    "FloorDiv": "floor_divide",
    "FloorMod": "mod",
    "Greater": "greater",
    "GreaterEqual": "greater_equal",
    "Identity": "copy",
    "Inv": "reciprocal",
    "IsFinite": "isfinite",
    "IsInf": "isinf",
    "IsNan": "isnan",
    "Less": "less",
    "LessEqual": "less_equal",
    "Log": "log",
    "Log1p": "log1p",
    "LogicalAnd": "logical_and",
    "LogicalNot": "logical_not",
    "LogicalOr": "logical_or",
    "LogSoftmax": "log_softmax",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Mul": "multiply",
    "Neg": "negative",
    "NotEqual": "not_equal",
    "OnesLike": "ones_like",
    "Pow": "power",
    "RealDiv": "true_divide",
    "Reciprocal": "reciprocal",
    "Relu": "relu",
    "Relu6": "relu6",
    "Round": "round",
    "Rsqrt": "rsqrt",
    "Select": "where",
    "SelectV2": "where",
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Sign": "sign",
    "Sin": "sin",
    "Sinh": "sinh",
    "Softmax": "softmax",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Sqrt": "sqrt",
    "Square": "square",
    "SquaredDifference": "squared_difference",
    "StopGradient": "stop_gradient",
    "Sub": "subtract",
    "Tan": "tan",
    "Tanh": "tanh",
    "ZerosLike": "zeros_like",
}
_REDUCTIONS = {
    "All": "all",
    "Any": "any",
    "Max": "max",
    "Mean": "mean",
    "Min": "min",
    "Prod": "prod",
    "Sum": "sum",
}


def _arg(name: str) -> Callable[[Node], Call]:
    def convert(node: Node) -> Call:
        return name, node.inputs[:1], {"axis": node.constant(1)}

    return convert


def _bias_add(node: Node) -> Call:
    node.needs(data_format="NHWC")
    return "add", node.inputs, {}


def _cast(node: Node) -> Call:
    return "cast", node.inputs, {"dtype": node.attributes["DstT"]}


def _concat(node: Node) -> Call:
    return "concatenate", [node.inputs[:-1]], {"axis": node.constant(-1)}


def _cumsum(node: Node) -> Call:
    node.needs(exclusive=False, reverse=False)
    return "cumsum", node.inputs[:1], {"axis": node.constant(1)}


def _einsum(node: Node) -> Call:
    return "einsum", node.inputs, {"subscripts": node.attributes["equation"]}


def _expand_dims(node: Node) -> Call:
    return "expand_dims", node.inputs[:1], {"axis": node.constant(1)}


def _gather(node: Node) -> Call:
    node.needs(batch_dims=0)
    return "take", node.inputs[:2], {"axis": node.constant(2)}


def _leaky_relu(node: Node) -> Call:
    return "leaky_relu", node.inputs, {"negative_slope": node.attributes["alpha"]}


def _matmul(node: Node) -> Call:
    turned = [
        bool(node.attributes.get(f"transpose_{side}") or node.attributes.get(f"adj_{other}"))
        for side, other in ("ax", "by")
    ]
    return product(node.inputs, *turned)


def product(pair: list[Any], first_turned: bool, second_turned: bool) -> Call:
    """The product of two matrices, the last axes of either perhaps exchanged before."""
    if not first_turned and not second_turned:
        return "matmul", pair, {}
    axes = "...ji" if first_turned else "...ij", "...kj" if second_turned else "...jk"
    return "einsum", pair, {"subscripts": f"{axes[0]},{axes[1]}->...ik"}


def _mirror_pad(node: Node) -> Call:
    mode = node.attributes["mode"].lower()
    return "pad", node.inputs[:1], {"pad_width": node.constant(1), "mode": mode}


def _one_hot(node: Node) -> Call:
    on, off = node.constant(2), node.constant(3)
    if (on, off) != (1, 0):
        raise node.refusal(f" with the values {on} and {off}; layerkit's are 1 and 0")
    options = {"axis": node.attributes.get("axis", -1), "dtype": node.attributes["T"]}
    return "one_hot", node.inputs[:1], {"num_classes": node.constant(1), **options}


def _pack(node: Node) -> Call:
    return "stack", [node.inputs], {"axis": node.attributes.get("axis", 0)}


def _pad(node: Node) -> Call:
    options = {"pad_width": node.constant(1)}
    if len(node.inputs) > 2:
        options["constant_values"] = node.constant(2)
    return "pad", node.inputs[:1], options


def _pool(name: str) -> Callable[[Node], Call]:
    def convert(node: Node) -> Call:
        node.needs(data_format="NHWC")
        sizes, strides = (node.attributes[key][1:-1] for key in ("ksize", "strides"))
        padding = node.attributes["padding"].lower()
        return name, node.inputs, {"pool_size": sizes, "strides": strides, "padding": padding}

    return convert


def _reshape(node: Node) -> Call:
    return "reshape", node.inputs[:1], {"newshape": node.constant(1)}


def _resize(interpolation: str) -> Callable[[Node], Call]:
    def convert(node: Node) -> Call:
        node.needs(align_corners=False, half_pixel_centers=True)
        options = {"size": node.constant(1), "interpolation": interpolation}
        return "resize", node.inputs[:1], options

    return convert


def _reverse(node: Node) -> Call:
    return "flip", node.inputs[:1], {"axis": node.constant(1)}


def _roll(node: Node) -> Call:
    return "roll", node.inputs[:1], {"shift": node.constant(1), "axis": node.constant(2)}


def _slice(node: Node) -> Call:
    return "get_item", node.inputs[:1], {"key": slices(node.constant(1), node.constant(2))}


def slices(begins: list[int], sizes: list[int]) -> list[dict[str, Any]]:
    """The slices of all axes from where they begin and how long they are; -1: to the end."""
    pairs = zip(begins, sizes, strict=True)
    return [_part(start, None if size == -1 else start + size) for start, size in pairs]


def _split(node: Node) -> Call:
    options = {"indices_or_sections": node.attributes["num_split"], "axis": node.constant(0)}
    return "split", node.inputs[1:], options


def _split_by_sizes(node: Node) -> Call:
    options = {"indices_or_sections": ends(node.constant(1)), "axis": node.constant(2)}
    return "split", node.inputs[:1], options


def ends(sizes: list[int]) -> list[int]:
    """Where each part but the last one ends."""
    return [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]


def _squeeze(node: Node) -> Call:
    return "squeeze", node.inputs, {"axis": node.attributes.get("squeeze_dims") or None}


def _strided_slice(node: Node) -> Call:
    """x[...], whose parts are in lists; masks say by bits which of those mean something else."""
    begins, ends, strides = (node.constant(i) for i in (1, 2, 3))
    masks = {key: x for key, x in node.attributes.items() if key.endswith("_mask")}

    def says(mask: str, place: int) -> bool:
        return bool(masks.get(f"{mask}_mask", 0) >> place & 1)

    key: list[Any] = []
    for i, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        if says("ellipsis", i):
            key.append({"class_name": "__ellipsis__", "config": {}})
        elif says("new_axis", i):
            key.append(None)
        elif says("shrink_axis", i):
            key.append(begin)
        else:
            ends_are = None if says("begin", i) else begin, None if says("end", i) else end
            key.append(_part(*ends_are, stride))
    return "get_item", node.inputs[:1], {"key": key}


def _part(start: int | None, stop: int | None, step: int | None = None) -> dict[str, Any]:
    return {"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": step}}


def _tile(node: Node) -> Call:
    return "tile", node.inputs[:1], {"repeats": node.constant(1)}


def _top_k(node: Node) -> Call:
    return "top_k", node.inputs[:1], {"k": node.constant(1), "sorted": node.attributes["sorted"]}


def _transpose(node: Node) -> Call:
    return "transpose", node.inputs[:1], {"axes": node.constant(1)}


def _unpack(node: Node) -> Call:
    return "unstack", node.inputs, {key: node.attributes[key] for key in ("num", "axis")}


_OTHERS: dict[str, Callable[[Node], Call]] = {
    "ArgMax": _arg("argmax"),
    "ArgMin": _arg("argmin"),
    "AvgPool": _pool("average_pool"),
    "BatchMatMul": _matmul,
    "BatchMatMulV2": _matmul,
    "BiasAdd": _bias_add,
    "Cast": _cast,
    "ConcatV2": _concat,
    "Cumsum": _cumsum,
    "Einsum": _einsum,
    "ExpandDims": _expand_dims,
    "GatherV2": _gather,
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "MaxPool": _pool("max_pool"),
    "MirrorPad": _mirror_pad,
    "OneHot": _one_hot,
    "Pack": _pack,
    "Pad": _pad,
    "PadV2": _pad,
    "Reshape": _reshape,
    "ResizeBilinear": _resize("bilinear"),
    "ResizeNearestNeighbor": _resize("nearest"),
    "ReverseV2": _reverse,
    "Roll": _roll,
    "Slice": _slice,
    "Split": _split,
    "SplitV": _split_by_sizes,
    "Squeeze": _squeeze,
    "StridedSlice": _strided_slice,
    "Tile": _tile,
    "TopKV2": _top_k,
    "Transpose": _transpose,
    "Unpack": _unpack,
}
