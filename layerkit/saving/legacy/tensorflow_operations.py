"""Calls of TensorFlow's functions in functional models of tf.keras, as calls of layerkit.ops.

tf.keras writes `x * 2` as a layer of class TFOpLambda that names the function, 'math.multiply',
and keeps its other arguments with the address of the first tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .tensorflow_nodes import REMEDY, Call, calls_of, ends, product, slices

CLASSES = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")

_CONSTANT = "_CONSTANT_VALUE"  # stands for a name where the first argument is no tensor

# TensorFlow's function: our operation, and what its arguments are called here, the first apart.
# `_NEXT`: it is one of ours without a name.
_NEXT = ""
_BINARY = {"y": _NEXT}
_POOLING = {"ksize": "pool_size", "strides": "strides", "padding": "padding"}
_REDUCTION = {"axis": "axis", "keepdims": "keepdims"}
_UNARY: dict[str, str] = {}
_OPERATIONS: dict[str, tuple[str, dict[str, str]]] = {
    "__operators__.add": ("add", _BINARY),
    "__operators__.eq": ("equal", {"other": _NEXT}),
    "__operators__.getitem": ("get_item", {"slice_spec": "key"}),
    "__operators__.ne": ("not_equal", {"other": _NEXT}),
    "argmax": ("argmax", {"axis": "axis"}),
    "argmin": ("argmin", {"axis": "axis"}),
    "broadcast_to": ("broadcast_to", {"shape": "shape"}),
    "cast": ("cast", {"dtype": "dtype"}),
    "clip_by_value": ("clip", {"clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "concat": ("concatenate", {"axis": "axis"}),
    "convert_to_tensor": ("copy", _UNARY),
    "expand_dims": ("expand_dims", {"axis": "axis"}),
    "floor_div": ("floor_divide", _BINARY),
    "gather": ("take", {"indices": _NEXT, "axis": "axis"}),
    "identity": ("copy", _UNARY),
    "image.resize": (
        "resize",
        {"size": "size", "method": "interpolation", "antialias": "antialias"},
    ),
    "linalg.l2_normalize": ("normalize", {"axis": "axis"}),
    "linalg.matmul": ("matmul", {"b": _NEXT}),
    "math.abs": ("abs", _UNARY),
    "math.acos": ("arccos", _UNARY),
    "math.add": ("add", _BINARY),
    "math.argmax": ("argmax", {"axis": "axis"}),
    "math.asin": ("arcsin", _UNARY),
    "math.atan": ("arctan", _UNARY),
    "math.atan2": ("arctan2", {"x": _NEXT}),
    "math.ceil": ("ceil", _UNARY),
    "math.cos": ("cos", _UNARY),
    "math.cosh": ("cosh", _UNARY),
    "math.count_nonzero": ("count_nonzero", {"axis": "axis"}),
    "math.cumprod": ("cumprod", {"axis": "axis"}),
    "math.cumsum": ("cumsum", {"axis": "axis"}),
    "math.divide": ("true_divide", _BINARY),
    "math.divide_no_nan": ("divide_no_nan", _BINARY),
    "math.equal": ("equal", _BINARY),
    "math.erf": ("erf", _UNARY),
    "math.exp": ("exp", _UNARY),
    "math.expm1": ("expm1", _UNARY),
    "math.floor": ("floor", _UNARY),
    "math.floordiv": ("floor_divide", _BINARY),
    "math.floormod": ("mod", _BINARY),
    "math.greater": ("greater", _BINARY),
    "math.greater_equal": ("greater_equal", _BINARY),
    "math.is_finite": ("isfinite", _UNARY),
    "math.is_inf": ("isinf", _UNARY),
    "math.is_nan": ("isnan", _UNARY),
    "math.l2_normalize": ("normalize", {"axis": "axis"}),
    "math.less": ("less", _BINARY),
    "math.less_equal": ("less_equal", _BINARY),
    "math.log": ("log", _UNARY),
    "math.log1p": ("log1p", _UNARY),
    "math.log_sigmoid": ("log_sigmoid", _UNARY),
    "math.logical_and": ("logical_and", _BINARY),
    "math.logical_not": ("logical_not", _UNARY),
    "math.logical_or": ("logical_or", _BINARY),
    "math.logical_xor": ("logical_xor", _BINARY),
    "math.maximum": ("maximum", _BINARY),
    "math.minimum": ("minimum", _BINARY),
    "math.multiply": ("multiply", _BINARY),
    "math.negative": ("negative", _UNARY),
    "math.not_equal": ("not_equal", _BINARY),
    "math.pow": ("power", _BINARY),
    "math.reciprocal": ("reciprocal", _UNARY),
    "math.reduce_all": ("all", _REDUCTION),
    "math.reduce_any": ("any", _REDUCTION),
    "math.reduce_logsumexp": ("logsumexp", _REDUCTION),
    "math.reduce_max": ("max", _REDUCTION),
    "math.reduce_mean": ("mean", _REDUCTION),
    "math.reduce_min": ("min", _REDUCTION),
    "math.reduce_prod": ("prod", _REDUCTION),
    "math.reduce_std": ("std", _REDUCTION),
    "math.reduce_sum": ("sum", _REDUCTION),
    "math.reduce_variance": ("var", _REDUCTION),
    "math.round": ("round", _UNARY),
    "math.rsqrt": ("rsqrt", _UNARY),
    "math.scalar_mul": ("multiply", {"x": _NEXT}),
    "math.sigmoid": ("sigmoid", _UNARY),
    "math.sign": ("sign", _UNARY),
    "math.sin": ("sin", _UNARY),
    "math.sinh": ("sinh", _UNARY),
    "math.softplus": ("softplus", _UNARY),
    "math.sqrt": ("sqrt", _UNARY),
    "math.square": ("square", _UNARY),
    "math.squared_difference": ("squared_difference", _BINARY),
    "math.subtract": ("subtract", _BINARY),
    "math.tan": ("tan", _UNARY),
    "math.tanh": ("tanh", _UNARY),
    "math.top_k": ("top_k", {"k": "k", "sorted": "sorted"}),
    "math.truediv": ("true_divide", _BINARY),
    "nn.avg_pool2d": ("average_pool", _POOLING),
    "nn.bias_add": ("add", {"bias": _NEXT}),
    "nn.elu": ("elu", _UNARY),
    "nn.gelu": ("gelu", {"approximate": "approximate"}),
    "nn.l2_normalize": ("normalize", {"axis": "axis"}),
    "nn.leaky_relu": ("leaky_relu", {"alpha": "negative_slope"}),
    "nn.log_softmax": ("log_softmax", {"axis": "axis"}),
    "nn.max_pool2d": ("max_pool", _POOLING),
    "nn.relu": ("relu", _UNARY),
    "nn.relu6": ("relu6", _UNARY),
    "nn.selu": ("selu", _UNARY),
    "nn.sigmoid": ("sigmoid", _UNARY),
    "nn.silu": ("silu", _UNARY),
    "nn.softmax": ("softmax", {"axis": "axis"}),
    "nn.softplus": ("softplus", _UNARY),
    "nn.softsign": ("softsign", _UNARY),
    "nn.tanh": ("tanh", _UNARY),
    "norm": ("norm", _REDUCTION),
    "one_hot": ("one_hot", {"depth": "num_classes", "axis": "axis", "dtype": "dtype"}),
    "ones_like": ("ones_like", {"dtype": "dtype"}),
    "pad": (
        "pad",
        {"paddings": "pad_width", "mode": "mode", "constant_values": "constant_values"},
    ),
    "repeat": ("repeat", {"repeats": "repeats", "axis": "axis"}),
    "reshape": ("reshape", {"shape": "newshape"}),
    "reverse": ("flip", {"axis": "axis"}),
    "roll": ("roll", {"shift": "shift", "axis": "axis"}),
    "slice": ("get_item", {"begin": "begin", "size": "size"}),
    "sort": ("sort", {"axis": "axis"}),
    "split": ("split", {"num_or_size_splits": "indices_or_sections", "axis": "axis"}),
    "squeeze": ("squeeze", {"axis": "axis"}),
    "stack": ("stack", {"axis": "axis"}),
    "stop_gradient": ("stop_gradient", _UNARY),
    "tensordot": ("tensordot", {"b": _NEXT, "axes": "axes"}),
    "tile": ("tile", {"multiples": "repeats"}),
    "transpose": ("transpose", {"perm": "axes"}),
    "unstack": ("unstack", {"num": "num", "axis": "axis"}),
    "where": ("where", {"x": _NEXT, "y": _NEXT}),
    "zeros_like": ("zeros_like", {"dtype": "dtype"}),
}
# What TensorFlow's functions do where a call does not say, and ours otherwise.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "argmax": {"axis": 0},
    "cumprod": {"axis": 0},
    "cumsum": {"axis": 0},
    "gelu": {"approximate": False},
    "split": {"axis": 0},
    "take": {"axis": 0},
}
# Arguments that ours do not have, with the values that change nothing, beside None.
_HARMLESS: dict[str, tuple[Any, ...]] = {
    "adjoint_a": (False,),
    "adjoint_b": (False,),
    "a_is_sparse": (False,),
    "b_is_sparse": (False,),
    "batch_dims": (0,),
    "conjugate": (False,),
    "data_format": ("NHWC",),
    "direction": ("ASCENDING",),
    "epsilon": (1e-12,),
    "exclusive": (False,),
    "ord": ("euclidean", 2),
    "output_type": ("int32", "int64"),
    "preserve_aspect_ratio": (False,),
    "reverse": (False,),
    "transpose_a": (False,),
    "transpose_b": (False,),
}
# What is a layer here.
_LAYERS = {
    "AddN": "Add",
    "keras.backend.batch_flatten": "Flatten",
    "math.accumulate_n": "Add",
    "math.add_n": "Add",
}


def entries_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of a graph for calls of TensorFlow's; ValueError for one not in the tables."""
    name, function = entry["name"], function_of(entry)
    if function in _LAYERS:
        cls = _LAYERS[function]
        return [{**entry, "class_name": cls, "config": {"name": name}}]
    if entry["class_name"] == "TensorFlowOpLayer":
        calls = [*calls_of(entry, _argument)]
    else:
        calls = [_call(name, function, node) for node in entry["inbound_nodes"]]
    operation = calls[0][0]
    nodes = [{"args": args, "kwargs": kwargs} for _, args, kwargs in calls]
    if operation != "squared_difference":
        return [_operation(name, operation, nodes)]
    difference = f"{name}_difference"
    given = [_argument([difference, number, 0]) for number in range(len(nodes))]
    squares = [{"args": [each], "kwargs": {}} for each in given]
    return [_operation(difference, "subtract", nodes), _operation(name, "square", squares)]


def function_of(entry: dict[str, Any]) -> str:
    """The name of TensorFlow's function, without the mark of old ones, or of its operation."""
    config = entry["config"]
    if isinstance(config.get("node_def"), dict):
        return str(config["node_def"].get("op"))
    return str(config.get("function", "__operators__.getitem")).removeprefix("compat.v1.")


def _operation(name: str, operation: str, nodes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "module": "keras.src.ops",
        "class_name": "".join(part.capitalize() for part in operation.split("_")),
        "config": {"name": name},
        "name": name,
        "inbound_nodes": nodes,
    }


def _call(name: str, function: str, node: Any) -> Call:
    """Our operation, with positional and named arguments, for one call."""
    if function not in _OPERATIONS:
        raise ValueError(
            f"Layer '{name}' calls TensorFlow's function '{function}', for which layerkit has no "
            f"operation. {REMEDY}"
        )
    several = not isinstance(node[0], str)
    first = [_argument(each[:3]) for each in node] if several else _argument(node[:3])
    last = node[0] if several else node
    given = {key: x for key, x in (last[3] if len(last) > 3 else {}).items() if x is not None}
    given.pop("name", None)
    if function == "linalg.matmul":
        turned = given.pop("transpose_a", False), given.pop("transpose_b", False)
        if any(turned):
            return product([first, _argument(given.pop("b"))], *turned)
    operation, names = _OPERATIONS[function]
    args, kwargs = [first], dict(_DEFAULTS.get(operation, {}))
    for key, value in given.items():
        if key in names and names[key] == _NEXT:
            args.append(_argument(value))
        elif key in names:
            kwargs[names[key]] = _CONVERTED.get(key, _argument)(value)
        elif value not in _HARMLESS.get(key, ()):
            raise ValueError(
                f"Layer '{name}' calls TensorFlow's function '{function}' with {key}={value!r}, "
                f"which layerkit's operation does not have. It knows {sorted(names)}. {REMEDY}"
            )
    if operation == "pad" and kwargs.get("mode", "constant") != "constant":
        kwargs.pop("constant_values", None)
    if function == "slice":
        kwargs = {"key": slices(kwargs["begin"], kwargs["size"])}
    return operation, args, kwargs


def _argument(value: Any) -> Any:
    """A tensor's mark for an address (name, call, index); any other value as it is."""
    if isinstance(value, list) and len(value) == 3 and value[0] == _CONSTANT:
        return value[2]
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": value}}
    return value


def _key(spec: Any) -> Any:
    """What stands in the brackets of x[...]."""
    if isinstance(spec, list):
        return [_key(part) for part in spec]
    if isinstance(spec, dict) and "start" in spec:
        return {"class_name": "__slice__", "config": spec}
    if isinstance(spec, dict) and spec.get("class_name") == "__ellipsis__":
        return {"class_name": "__ellipsis__", "config": {}}
    return spec


def _ends(parts: Any) -> Any:
    """How many parts, or from the sizes of all where each but the last one ends."""
    return ends(parts) if isinstance(parts, list) else parts


_CONVERTED: dict[str, Callable[[Any], Any]] = {
    "mode": str.lower,
    "num_or_size_splits": _ends,
    "padding": str.lower,
    "slice_spec": _key,
}
