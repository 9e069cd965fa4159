"""The few names of tensorflow that Keras scripts use beside keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import GradientTape, Tensor, Variable

from .. import ops
from . import tensorflow_random as random
from .finder import module_for

__version__ = "2.20.0"  # scripts ask whether it is above 2

__all__ = [
    "GradientTape",
    "Tensor",
    "Variable",
    "abs",
    "argmax",
    "argmin",
    "bool",
    "cast",
    "clip_by_value",
    "concat",
    "config",
    "constant",
    "convert_to_tensor",
    "equal",
    "executing_eagerly",
    "exp",
    "expand_dims",
    "float16",
    "float32",
    "float64",
    "function",
    "gather",
    "int32",
    "int64",
    "keras",
    "log",
    "math",
    "matmul",
    "maximum",
    "minimum",
    "newaxis",
    "nn",
    "one_hot",
    "ones",
    "ones_like",
    "pow",
    "random",
    "range",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_sum",
    "reshape",
    "shape",
    "sigmoid",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "string",
    "tanh",
    "test",
    "tile",
    "transpose",
    "uint8",
    "where",
    "zeros",
    "zeros_like",
]

keras = module_for("keras")

float16, float32, float64 = "float16", "float32", "float64"
int32, int64, uint8, bool, string = "int32", "int64", "uint8", "bool", "string"  # noqa: A001
newaxis = np.newaxis

cast, exp, expand_dims, matmul = ops.cast, ops.exp, ops.expand_dims, ops.matmul
reshape, shape, sqrt, square = ops.reshape, ops.shape, ops.sqrt, ops.square
stack, transpose, zeros, ones = ops.stack, ops.transpose, ops.zeros, ops.ones
concat = ops.concatenate
abs, argmax, argmin, clip_by_value = ops.abs, ops.argmax, ops.argmin, ops.clip  # noqa: A001
equal, gather, log, maximum, minimum = ops.equal, ops.take, ops.log, ops.maximum, ops.minimum
one_hot, ones_like, zeros_like, pow = ops.one_hot, ops.ones_like, ops.zeros_like, ops.power  # noqa: A001
sigmoid, squeeze, tanh, tile, where = ops.sigmoid, ops.squeeze, ops.tanh, ops.tile, ops.where
reduce_max, reduce_mean, reduce_min, reduce_sum = ops.max, ops.mean, ops.min, ops.sum
convert_to_tensor = ops.convert_to_tensor


def constant(value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """A tensor of this value."""
    y = ops.convert_to_tensor(value, dtype)
    return y if shape is None else ops.broadcast_to(y, shape)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None) -> Any:  # noqa: A001
    """Numbers from `start` (0 if there is no `limit`) to below `limit`."""
    return (
        ops.arange(0, start, delta, dtype)
        if limit is None
        else ops.arange(start, limit, delta, dtype)
    )


def executing_eagerly() -> Any:
    """True."""
    return True


class math:
    """Functions of tensors."""

    abs, exp, log, sqrt, square, pow = abs, exp, log, sqrt, square, pow
    argmax, maximum, minimum, sigmoid, tanh = argmax, maximum, minimum, sigmoid, tanh
    reduce_max, reduce_mean, reduce_min, reduce_sum = (
        reduce_max,
        reduce_mean,
        reduce_min,
        reduce_sum,
    )
    add, multiply, subtract, divide = ops.add, ops.multiply, ops.subtract, ops.divide
    equal = equal


class nn:
    """Activations."""

    relu, softmax, sigmoid, tanh, elu = ops.relu, ops.softmax, sigmoid, tanh, ops.elu
    leaky_relu, gelu, selu, softplus = ops.leaky_relu, ops.gelu, ops.selu, ops.softplus


def function(func: Any = None, **_: Any) -> Any:
    """The function as it is: nothing is compiled."""
    return func if func is not None else lambda f: f


class config:
    """What devices there are."""

    @staticmethod
    def list_physical_devices(device_type: str | None = None) -> list[str]:
        """Names of the processors, or of the GPUs where CuPy's backend is the default."""
        gpus = ["/physical_device:GPU:0"] if K.backend() == "cupy" else []
        cpus = ["/physical_device:CPU:0"]
        return {"GPU": gpus, "CPU": cpus}.get(device_type or "", [*cpus, *gpus])


class test:
    """Questions about the installation."""

    @staticmethod
    def is_gpu_available() -> Any:
        """Whether CuPy's backend is the default."""
        return K.backend() == "cupy"

    @staticmethod
    def gpu_device_name() -> str:
        """The name of the GPU in use, '' where there is none."""
        return "/device:GPU:0" if K.backend() == "cupy" else ""
