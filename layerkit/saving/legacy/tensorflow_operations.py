"""Calls of TensorFlow's functions in functional models of tf.keras, as calls of layerkit.ops.

tf.keras writes `x * 2` as a layer of class TFOpLambda that names the function, 'math.multiply',
and keeps its other arguments with the address of the first tensor.
"""

from __future__ import annotations

from typing import Any

CLASSES = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")

_CONSTANT = "_CONSTANT_VALUE"  # stands for a name where the first argument is no tensor

# TensorFlow's function: our operation, and what its arguments are called here, the first apart.
_BINARY = {"y": "x2"}
_REDUCTION = {"axis": "axis", "keepdims": "keepdims"}
_UNARY: dict[str, str] = {}
_OPERATIONS: dict[str, tuple[str, dict[str, str]]] = {
    "__operators__.add": ("add", _BINARY),
    "__operators__.eq": ("equal", {"other": "x2"}),
    "__operators__.getitem": ("get_item", {"slice_spec": "key"}),
    "__operators__.ne": ("not_equal", {"other": "x2"}),
    "argmax": ("argmax", {"axis": "axis"}),
    "cast": ("cast", {"dtype": "dtype"}),
    "clip_by_value": ("clip", {"clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "concat": ("concatenate", {"axis": "axis"}),
    "expand_dims": ("expand_dims", {"axis": "axis"}),
    "identity": ("identity_of", _UNARY),
    "linalg.l2_normalize": ("normalize", {"axis": "axis"}),
    "linalg.matmul": ("matmul", {"b": "x2"}),
    "math.abs": ("abs", _UNARY),
    "math.add": ("add", _BINARY),
    "math.argmax": ("argmax", {"axis": "axis"}),
    "math.ceil": ("ceil", _UNARY),
    "math.cos": ("cos", _UNARY),
    "math.cumsum": ("cumsum", {"axis": "axis"}),
    "math.divide": ("true_divide", _BINARY),
    "math.equal": ("equal", _BINARY),
    "math.exp": ("exp", _UNARY),
    "math.floor": ("floor", _UNARY),
    "math.floordiv": ("floor_divide", _BINARY),
    "math.greater": ("greater", _BINARY),
    "math.greater_equal": ("greater_equal", _BINARY),
    "math.less": ("less", _BINARY),
    "math.less_equal": ("less_equal", _BINARY),
    "math.log": ("log", _UNARY),
    "math.log1p": ("log1p", _UNARY),
    "math.logical_and": ("logical_and", _BINARY),
    "math.logical_not": ("logical_not", _UNARY),
    "math.logical_or": ("logical_or", _BINARY),
    "math.maximum": ("maximum", _BINARY),
    "math.minimum": ("minimum", _BINARY),
    "math.multiply": ("multiply", _BINARY),
    "math.negative": ("negative", _UNARY),
    "math.not_equal": ("not_equal", _BINARY),
    "math.pow": ("power", _BINARY),
    "math.reduce_all": ("all", _REDUCTION),
    "math.reduce_any": ("any", _REDUCTION),
    "math.reduce_max": ("max", _REDUCTION),
    "math.reduce_mean": ("mean", _REDUCTION),
    "math.reduce_min": ("min", _REDUCTION),
    "math.reduce_prod": ("prod", _REDUCTION),
    "math.reduce_std": ("std", _REDUCTION),
    "math.reduce_sum": ("sum", _REDUCTION),
    "math.reduce_variance": ("var", _REDUCTION),
    "math.rsqrt": ("rsqrt", _UNARY),
    "math.scalar_mul": ("multiply", {"x": "x2"}),
    "math.sigmoid": ("sigmoid", _UNARY),
    "math.sign": ("sign", _UNARY),
    "math.sin": ("sin", _UNARY),
    "math.softplus": ("softplus", _UNARY),
    "math.sqrt": ("sqrt", _UNARY),
    "math.square": ("square", _UNARY),
    "math.subtract": ("subtract", _BINARY),
    "math.tanh": ("tanh", _UNARY),
    "math.truediv": ("true_divide", _BINARY),
    "nn.elu": ("elu", _UNARY),
    "nn.gelu": ("gelu", {"approximate": "approximate"}),
    "nn.leaky_relu": ("leaky_relu", {"alpha": "negative_slope"}),
    "nn.log_softmax": ("log_softmax", {"axis": "axis"}),
    "nn.relu": ("relu", _UNARY),
    "nn.relu6": ("relu6", _UNARY),
    "nn.selu": ("selu", _UNARY),
    "nn.sigmoid": ("sigmoid", _UNARY),
    "nn.silu": ("silu", _UNARY),
    "nn.softmax": ("softmax", {"axis": "axis"}),
    "nn.softplus": ("softplus", _UNARY),
    "nn.softsign": ("softsign", _UNARY),
    "nn.tanh": ("tanh", _UNARY),
    "one_hot": ("one_hot", {"depth": "num_classes", "axis": "axis", "dtype": "dtype"}),
    "repeat": ("repeat", {"repeats": "repeats", "axis": "axis"}),
    "reshape": ("reshape", {"shape": "newshape"}),
    "reverse": ("flip", {"axis": "axis"}),
    "squeeze": ("squeeze", {"axis": "axis"}),
    "stack": ("stack", {"axis": "axis"}),
    "stop_gradient": ("stop_gradient", _UNARY),
    "tile": ("tile", {"multiples": "repeats"}),
    "transpose": ("transpose", {"perm": "axes"}),
}
# What old gradients' seeds, names and TensorFlow's own defaults say where it changes nothing.
_HARMLESS: dict[str, Any] = {
    "name": None,
    "adjoint_a": False,
    "adjoint_b": False,
    "a_is_sparse": False,
    "b_is_sparse": False,
    "exclusive": False,
    "transpose_a": False,
    "transpose_b": False,
    "output_type": None,
    "conjugate": False,
    "epsilon": 1e-12,
}


def operation_of(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry of a graph for a call of TensorFlow's; ValueError for one not in the table."""
    function = entry["config"].get("function", "in its graph")  # which TensorFlow 1 kept instead
    if function not in _OPERATIONS:
        raise ValueError(
            f"Layer '{entry['name']}' calls TensorFlow's function '{function}', for which layerkit "
            "has no operation. Make the model in code, with a Layer that computes the same there, "
            "and use load_weights(filepath)."
        )
    operation, names = _OPERATIONS[function]
    class_name = "".join(part.capitalize() for part in operation.split("_"))
    nodes = [_call(entry["name"], node, names) for node in entry["inbound_nodes"]]
    return {
        "module": "keras.src.ops",
        "class_name": class_name,
        "config": {"name": entry["name"]},
        "name": entry["name"],
        "inbound_nodes": nodes,
    }


def _call(name: str, node: Any, names: dict[str, str]) -> dict[str, Any]:
    """Positional and named arguments of one call."""
    several = not isinstance(node[0], str)
    first = [_argument(each[:3]) for each in node] if several else _argument(node[:3])
    last = node[0] if several else node
    given = last[3] if len(last) > 3 else {}
    args, kwargs = [first], {}
    for key, value in given.items():
        if key in names and names[key] == "x2":
            args.append(_argument(value))
        elif key in names:
            kwargs[names[key]] = _key(value) if key == "slice_spec" else _argument(value)
        elif key not in _HARMLESS or value not in (None, _HARMLESS[key]):
            raise ValueError(
                f"Layer '{name}' calls a function of TensorFlow with {key}={value!r}, which "
                f"layerkit's operation does not have. It knows {sorted(names)}."
            )
    return {"args": args, "kwargs": kwargs}


def _argument(value: Any) -> Any:
    """A tensor's mark for an address; any other value as it is."""
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
    return spec
