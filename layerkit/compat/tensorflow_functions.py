"""Functions of tensorflow that are functions of `layerkit.ops` by other names: a table.

A row: the name in tensorflow, the one in ops, and tensorflow's parameters in the order in which
ops takes its own, with a default where it is another one. `name`, which labels an operation of a
graph, may be given and means nothing, for there is no graph.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from .. import ops

_UNARY = """
    abs abs, acos arccos, asin arcsin, atan arctan, cos cos, cosh cosh, math.erf erf, exp exp,
    math.expm1 expm1, floor floor, math.log log, math.log1p log1p, logical_not logical_not,
    negative negative,
    round round, math.rsqrt rsqrt, sigmoid sigmoid, sign sign, sin sin, sinh sinh, sqrt sqrt,
    square square, tan tan, tanh tanh, math.ceil ceil, math.conj conj, math.imag imag,
    math.is_finite isfinite, math.is_inf isinf, math.is_nan isnan, math.real real,
    math.reciprocal reciprocal, math.softplus softplus
"""
_BINARY = """
    add add, atan2 arctan2, divide divide, equal equal, greater greater,
    greater_equal greater_equal, less less, less_equal less_equal, logical_and logical_and,
    logical_or logical_or, maximum maximum, minimum minimum, multiply multiply,
    not_equal not_equal, pow power, subtract subtract, truediv true_divide, math.mod mod,
    math.floormod mod, math.floordiv floor_divide, math.divide_no_nan divide_no_nan,
    math.logical_xor logical_xor
"""
_REDUCTIONS = """
    reduce_all all, reduce_any any, reduce_max max, reduce_mean mean, reduce_min min,
    reduce_prod prod, reduce_sum sum, reduce_logsumexp logsumexp, math.reduce_std std,
    math.reduce_variance var
"""
_REDUCED = "input_tensor axis keepdims"
_OF_FEATURES = """
    nn.elu elu, nn.relu relu, nn.relu6 relu6, nn.selu selu, nn.softplus softplus,
    nn.softsign softsign, nn.silu silu, nn.swish silu
"""

_OTHERS = {
    "argsort": ("argsort", "values axis=-1"),
    "broadcast_to": ("broadcast_to", "input shape"),
    "cast": ("cast", "x dtype"),
    "clip_by_value": ("clip", "t clip_value_min clip_value_max"),
    "concat": ("concatenate", "values axis"),
    "cond": ("cond", "pred true_fn false_fn"),
    "convert_to_tensor": ("convert_to_tensor", "value dtype"),
    "cumsum": ("cumsum", "x axis=0"),
    "expand_dims": ("expand_dims", "input axis"),
    "eye": ("eye", "num_rows num_columns"),
    "fill": ("full", "dims value"),
    "is_tensor": ("is_tensor", "x"),
    "linspace": ("linspace", "start stop num"),
    "map_fn": ("map", "fn elems"),
    "norm": ("norm", "tensor ord axis keepdims"),
    "ones": ("ones", "shape dtype"),
    "ones_like": ("ones_like", "input dtype"),
    "rank": ("ndim", "input"),
    "repeat": ("repeat", "input repeats axis"),
    "reshape": ("reshape", "tensor shape"),
    "reverse": ("flip", "tensor axis"),
    "roll": ("roll", "input shift axis"),
    "shape": ("shape", "input"),
    "size": ("size", "input"),
    "sort": ("sort", "values axis=-1"),
    "squeeze": ("squeeze", "input axis"),
    "stack": ("stack", "values axis=0"),
    "stop_gradient": ("stop_gradient", "input"),
    "tensordot": ("tensordot", "a b axes"),
    "tile": ("tile", "input multiples"),
    "transpose": ("transpose", "a perm"),
    "unstack": ("unstack", "value num axis=0"),
    "while_loop": ("while_loop", "cond body loop_vars"),
    "zeros": ("zeros", "shape dtype"),
    "zeros_like": ("zeros_like", "input dtype"),
    "image.flip_left_right": ("flip", "image axis=-2"),
    "image.flip_up_down": ("flip", "image axis=-3"),
    "image.rgb_to_grayscale": ("image.rgb_to_grayscale", "images"),
    "linalg.det": ("det", "input"),
    "linalg.diag_part": ("diagonal", "input offset=0 axis1=-2 axis2=-1"),
    "linalg.inv": ("inv", "input"),
    "math.count_nonzero": ("count_nonzero", "input axis"),
    "math.cumprod": ("cumprod", "x axis=0"),
    "nn.gelu": ("gelu", "features approximate=False"),
    "nn.l2_normalize": ("normalize", "x axis"),
    "nn.leaky_relu": ("leaky_relu", "features alpha=0.2"),
    "nn.log_softmax": ("log_softmax", "logits axis=-1"),
    "nn.moments": ("moments", "x axes keepdims"),
    "nn.softmax": ("softmax", "logits axis=-1"),
}


def _pairs(text: str, parameters: str) -> dict[str, tuple[str, str]]:
    return {name: (own, parameters) for name, own in map(str.split, text.split(","))}


TABLE = {
    **_pairs(_UNARY, "x"),
    **_pairs(_BINARY, "x y"),
    **_pairs(_REDUCTIONS, _REDUCED),
    **_pairs(_OF_FEATURES, "features"),
    **_OTHERS,
}


def functions(prefix: str = "") -> dict[str, Callable]:
    """{name: function} of tensorflow itself, or with "nn" for instance of tensorflow.nn."""
    at = f"{prefix}." if prefix else ""
    names = [n for n in TABLE if n.startswith(at) and "." not in n[len(at) :]]
    return {name[len(at) :]: _function(name) for name in names}


def _function(name: str) -> Callable:
    own, parameters = TABLE[name]
    function: Any = ops
    for part in own.split("."):
        function = getattr(function, part)
    if parameters == _REDUCED:
        function = _of_lists_too(function)
    return with_parameters(function, parameters, f"tf.{name}")


def _of_lists_too(reduction: Callable) -> Callable:
    """The reduction, also of tensors in a list, which a tape may watch."""

    @wraps(reduction)
    def reduced(x: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, (list, tuple)) and any(map(ops.is_tensor, x)):
            x = ops.stack(x)
        return reduction(x, *args, **kwargs)

    return reduced


def with_parameters(function: Any, parameters: str, name: str) -> Callable:
    """The function, called by these parameters, "values axis=0", in the places of its own."""
    items = [item.partition("=") for item in parameters.split()]
    names = [item[0] for item in items]
    defaults = {key: ast.literal_eval(value) for key, _, value in items if value}
    own = list(inspect.signature(function).parameters)

    def renamed(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("name", None)
        given = {**defaults, **dict(zip(names, args, strict=False))}
        twice = [key for key in kwargs if key in names[: len(args)]]
        unknown = [key for key in kwargs if key not in names]
        if twice or unknown or len(args) > len(names):
            raise TypeError(
                f"{name}() takes here the arguments {names}; received {len(args)} by place, and "
                f"{sorted(kwargs)} by name."
            )
        given |= kwargs
        places = [n for n in range(len(names)) if names[n] in given]
        first = next((n for n in range(len(names)) if n not in places), len(names))
        by_name = {own[n]: given[names[n]] for n in places if n > first}
        return function(*(given[key] for key in names[:first]), **by_name)

    renamed.__name__ = name.rpartition(".")[2]
    renamed.__doc__ = f"`keras.ops.{getattr(function, '__name__', '?')}` as {name}."
    return renamed
