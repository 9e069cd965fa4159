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
    "bool",
    "cast",
    "concat",
    "config",
    "constant",
    "convert_to_tensor",
    "exp",
    "expand_dims",
    "float16",
    "float32",
    "float64",
    "function",
    "int32",
    "int64",
    "keras",
    "matmul",
    "newaxis",
    "ones",
    "random",
    "range",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_sum",
    "reshape",
    "shape",
    "square",
    "sqrt",
    "stack",
    "string",
    "test",
    "transpose",
    "uint8",
    "zeros",
]

keras = module_for("keras")

float16, float32, float64 = "float16", "float32", "float64"
int32, int64, uint8, bool, string = "int32", "int64", "uint8", "bool", "string"  # noqa: A001
newaxis = np.newaxis

cast, exp, expand_dims, matmul = ops.cast, ops.exp, ops.expand_dims, ops.matmul
reshape, shape, sqrt, square = ops.reshape, ops.shape, ops.sqrt, ops.square
stack, transpose, zeros, ones = ops.stack, ops.transpose, ops.zeros, ops.ones
concat, range = ops.concatenate, ops.arange  # noqa: A001
reduce_max, reduce_mean, reduce_min, reduce_sum = ops.max, ops.mean, ops.min, ops.sum
convert_to_tensor = ops.convert_to_tensor


def constant(value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """A tensor of this value."""
    y = K.convert_to_tensor(value, dtype)
    return y if shape is None else ops.broadcast_to(y, shape)


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
