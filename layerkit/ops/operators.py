"""Python's operators on symbolic tensors: each adds the operation of that name to the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..symbolic import KerasTensor
from . import numpy as ops

_BINARY = {
    "add": ops.add,
    "sub": ops.subtract,
    "mul": ops.multiply,
    "truediv": ops.true_divide,
    "floordiv": ops.floor_divide,
    "mod": ops.mod,
    "pow": ops.power,
    "matmul": ops.matmul,
    "and": ops.logical_and,
    "or": ops.logical_or,
    "xor": ops.logical_xor,
}
_OTHERS = {
    "eq": ops.equal,
    "ne": ops.not_equal,
    "lt": ops.less,
    "le": ops.less_equal,
    "gt": ops.greater,
    "ge": ops.greater_equal,
    "neg": ops.negative,
    "abs": ops.absolute,
    "invert": ops.logical_not,
}


def bind() -> None:
    """Give symbolic tensors the operators and methods that tensors have."""
    for name, function in {**_BINARY, **_OTHERS}.items():
        setattr(KerasTensor, f"__{name}__", _method(function))
    for name, function in _BINARY.items():
        setattr(KerasTensor, f"__r{name}__", _reflected(function))
    for name, method in _METHODS.items():
        setattr(KerasTensor, name, method)


def _method(function: Callable) -> Callable:
    return lambda self, *others: function(self, *others)


def _reflected(function: Callable) -> Callable:
    return lambda self, other: function(other, self)


def _getitem(self: KerasTensor, key: Any) -> Any:
    """A list picks rows; Keras's files hold a tuple as a list."""
    return ops.get_item(self, np.array(key) if isinstance(key, list) else key)


def _reshape(self: KerasTensor, *shape: Any) -> Any:
    return ops.reshape(self, shape[0] if len(shape) == 1 else shape)


_METHODS: dict[str, Any] = {
    "__getitem__": _getitem,
    "__hash__": lambda self: id(self),
    "T": property(lambda self: ops.transpose(self)),
    "reshape": _reshape,
    "squeeze": lambda self, axis=None: ops.squeeze(self, axis),
}
