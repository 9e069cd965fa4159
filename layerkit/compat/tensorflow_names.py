"""The few names of tensorflow that Keras scripts use beside keras."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import GradientTape, Tensor
from layerkit.data.elements import TensorSpec

from .. import ops
from ..initializers import Constant, Ones, RandomNormal, RandomUniform, Zeros
from . import tensorflow_functions
from .finder import module_for

__version__ = "2.20.0"  # scripts ask whether it is above 2

keras = module_for("keras")
data, image, linalg = (module_for(f"tensorflow.{part}") for part in ("data", "image", "linalg"))
math, nn, random = (module_for(f"tensorflow.{part}") for part in ("math", "nn", "random"))
initializers, losses = module_for("keras.initializers"), module_for("keras.losses")
metrics, optimizers = module_for("keras.metrics"), module_for("keras.optimizers")
strings = module_for("tensorflow.strings")
config, test = module_for("tensorflow.config"), module_for("tensorflow.test")

float16, float32, float64, bfloat16 = "float16", "float32", "float64", "bfloat16"
int8, int16, int32, int64 = "int8", "int16", "int32", "int64"
uint8, bool, string = "uint8", "bool", "string"  # noqa: A001
newaxis = np.newaxis

constant_initializer, ones_initializer, zeros_initializer = Constant, Ones, Zeros
random_normal_initializer, random_uniform_initializer = RandomNormal, RandomUniform

_FUNCTIONS = tensorflow_functions.functions()
globals().update(_FUNCTIONS)


class _OfVariables(type):
    def __instancecheck__(cls, x: Any) -> builtins.bool:
        return isinstance(x, K.Variable)


class Variable(K.Variable, metaclass=_OfVariables):
    """A Variable by tensorflow's arguments; those of layers count as instances too."""

    def __init__(
        self,
        initial_value: Any,
        trainable: builtins.bool = True,
        name: str | None = None,
        dtype: Any = None,
        shape: Any = None,
    ):
        value = initial_value() if callable(initial_value) else initial_value
        super().__init__(value, shape, dtype, trainable=trainable, name=name)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A tensor of this value, repeated or put into `shape`; strings as an array of objects."""
    if np.asarray(value).dtype.kind in "USO":
        from layerkit.data.elements import as_texts

        return as_texts(value)
    y = K.convert_to_tensor(value, dtype)
    if shape is None:
        return y
    return ops.reshape(y, shape) if y.size > 1 else ops.broadcast_to(ops.reshape(y, ()), shape)


def range(  # noqa: A001
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None
) -> Any:
    """Numbers from `start` (0 if there is no `limit`) to below `limit`."""
    start, limit = (0, start) if limit is None else (start, limit)
    return ops.arange(start, limit, delta, dtype)


def identity(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """The tensor itself."""
    return K.convert_to_tensor(input)


def einsum(equation: str, *inputs: Any) -> Any:
    """Products and sums by a formula of the axes."""
    return ops.einsum(equation, *inputs)


def matmul(a: Any, b: Any, transpose_a: builtins.bool = False, transpose_b: Any = False) -> Any:
    """The product of matrices, either one transposed."""
    a, b = (
        ops.swapaxes(m, -1, -2) if turn else m for m, turn in ((a, transpose_a), (b, transpose_b))
    )
    return ops.matmul(a, b)


def gather(params: Any, indices: Any, axis: int | None = None) -> Any:
    """Entries along an axis, the first one unless told."""
    return ops.take(params, indices, axis=0 if axis is None else axis)


def argmax(input: Any, axis: int | None = None, output_type: Any = "int64") -> Any:  # noqa: A002
    """The places of the largest entries along an axis, the first one unless told."""
    return ops.cast(ops.argmax(input, axis=0 if axis is None else axis), output_type)


def argmin(input: Any, axis: int | None = None, output_type: Any = "int64") -> Any:  # noqa: A002
    """The places of the smallest entries along an axis, the first one unless told."""
    return ops.cast(ops.argmin(input, axis=0 if axis is None else axis), output_type)


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Entries of `x` or `y`; of a condition alone the places where it holds, (places, axes)."""
    if x is None and y is None:
        return ops.cast(ops.stack(ops.nonzero(condition), axis=-1), "int64")
    return ops.where(condition, x, y)


def boolean_mask(tensor: Any, mask: Any) -> Any:
    """The rows for which `mask`, of one axis, holds."""
    return ops.take(tensor, ops.nonzero(mask)[0], axis=0)


def one_hot(indices: Any, depth: int, axis: int = -1, dtype: Any = None) -> Any:
    """Indices as one-hot vectors."""
    return ops.one_hot(indices, int(depth), axis, dtype)


def split(value: Any, num_or_size_splits: Any, axis: int = 0) -> list[Any]:
    """So many equal parts along an axis, or parts of these sizes."""
    if isinstance(num_or_size_splits, int):
        return ops.split(value, num_or_size_splits, axis)
    return ops.split(value, np.cumsum(num_or_size_splits)[:-1].tolist(), axis)


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    """Entries put around: 'CONSTANT', 'REFLECT' or 'SYMMETRIC'."""
    value = {"constant_values": constant_values} if mode.upper() == "CONSTANT" else {}
    return ops.pad(tensor, np.asarray(paddings).tolist(), mode.lower(), **value)


def print(*inputs: Any, **options: Any) -> None:  # noqa: A001
    """Print values."""
    builtins.print(*(str(x) for x in inputs), **options)


def executing_eagerly() -> builtins.bool:
    """True."""
    return True


def function(func: Callable | None = None, **options: Any) -> Any:
    """The function as it is, whatever `options` say of tracing it.

    In tensorflow it becomes a graph, which is about speed; what it computes is the same.
    """
    return func if func is not None else lambda f: f


__all__ = [
    "GradientTape",
    "Tensor",
    "TensorSpec",
    "Variable",
    "argmax",
    "argmin",
    "bfloat16",
    "bool",
    "boolean_mask",
    "config",
    "constant",
    "constant_initializer",
    "data",
    "einsum",
    "executing_eagerly",
    "float16",
    "float32",
    "float64",
    "function",
    "gather",
    "identity",
    "image",
    "initializers",
    "int16",
    "int32",
    "int64",
    "int8",
    "keras",
    "linalg",
    "losses",
    "math",
    "matmul",
    "metrics",
    "newaxis",
    "nn",
    "one_hot",
    "ones_initializer",
    "optimizers",
    "pad",
    "print",
    "random",
    "random_normal_initializer",
    "random_uniform_initializer",
    "range",
    "split",
    "string",
    "strings",
    "test",
    "uint8",
    "where",
    "zeros_initializer",
    *_FUNCTIONS,
]
