"""Python's operators and NumPy's habits on tensors, bound to the operations of the same meaning.

`==` compares element by element, while hashing stays by identity. `ndarray + tensor` gives a
Tensor. NumPy's other ufuncs compute on plain arrays, so on a watched tensor they raise instead of
losing its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import ops
from .autodiff import Tensor, raise_if_tracked
from .registry import is_array

BINARY = {
    "add": ops.add,
    "sub": ops.subtract,
    "mul": ops.multiply,
    "truediv": ops.divide,
    "floordiv": ops.floor_divide,
    "mod": ops.mod,
    "pow": ops.power,
    "matmul": ops.matmul,
    "and": ops.bitwise_and,
    "or": ops.bitwise_or,
    "xor": ops.bitwise_xor,
}
COMPARISONS = {
    "eq": ops.equal,
    "ne": ops.not_equal,
    "lt": ops.less,
    "le": ops.less_equal,
    "gt": ops.greater,
    "ge": ops.greater_equal,
}
UNARY = {"neg": ops.negative, "abs": ops.absolute, "invert": ops.bitwise_not}

# The ufuncs behind NumPy's operators, and what stands for them when one side is a Tensor.
_UFUNCS = {
    **{getattr(np, operation.__name__): operation for operation in COMPARISONS.values()},
    **{getattr(np, operation.__name__): operation for operation in BINARY.values()},
    np.negative: ops.negative,
    np.absolute: ops.absolute,
    np.invert: ops.bitwise_not,
}


def bind() -> None:
    """Give Tensor its operators; done once, when the package is imported."""
    for name, operation in BINARY.items():
        setattr(Tensor, f"__{name}__", _forward(operation))
        setattr(Tensor, f"__r{name}__", _reflected(operation))
    for name, operation in COMPARISONS.items():
        setattr(Tensor, f"__{name}__", _forward(operation))
    for name, operation in UNARY.items():
        setattr(Tensor, f"__{name}__", operation)
    for reduction in (ops.sum, ops.mean, ops.var, ops.std, ops.max, ops.min, ops.prod):
        setattr(Tensor, reduction.__name__, _reduction(reduction))
    for reduction in (ops.argmax, ops.argmin, ops.any, ops.all):
        setattr(Tensor, reduction.__name__, _reduction(reduction))
    for name, method in _METHODS.items():
        setattr(Tensor, name, method)


_OPERANDS = (Tensor, float, int, np.ndarray, np.generic, list, tuple)


def _forward(operation: Callable) -> Callable:
    def operator(self: Tensor, other: Any) -> Any:
        if isinstance(other, _OPERANDS) or is_array(other):
            return operation(self, other)
        return NotImplemented

    return operator


def _reflected(operation: Callable) -> Callable:
    def operator(self: Tensor, other: Any) -> Any:
        if isinstance(other, _OPERANDS) or is_array(other):
            return operation(other, self)
        return NotImplemented

    return operator


def _array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """What NumPy calls where one of its ufuncs meets a Tensor."""
    if method == "__call__" and not options and ufunc in _UFUNCS:
        return _UFUNCS[ufunc](*inputs)
    name = ufunc.__name__
    known = name in ops.OPERATIONS
    remedy = f"use layerkit.backend.{name}" if known else "use the operations of layerkit.backend"
    for x in inputs:
        if isinstance(x, Tensor):
            raise_if_tracked(x, f"np.{name}", remedy)
    arrays = [x.numpy() if isinstance(x, Tensor) else x for x in inputs]
    return getattr(ufunc, method)(*arrays, **options)


def _reduction(operation: Callable) -> Callable:
    """The reduction as a method, with the arguments that NumPy's functions pass along."""

    def method(
        self: Tensor,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: bool = False,
        ddof: int = 0,
    ) -> Any:
        if out is not None or ddof:
            raise TypeError(
                "Reductions of a Tensor take no `out` and no `ddof`: convert it to an array "
                "first, with x.numpy()."
            )
        y = operation(self, axis, keepdims=keepdims)
        return y if dtype is None else ops.cast(y, dtype)

    return method


def _reshape(self: Tensor, *shape: Any, order: str = "C") -> Any:
    """x.reshape(2, 3) or x.reshape((2, 3))."""
    if order != "C":
        raise ValueError(f"A Tensor is reshaped in order 'C' only; received order={order!r}.")
    return ops.reshape(self, shape[0] if len(shape) == 1 else shape)


def _transpose(self: Tensor, *axes: Any) -> Any:
    """x.transpose(), x.transpose(1, 0) or x.transpose((1, 0))."""
    return ops.transpose(self, axes[0] if len(axes) == 1 and not _is_int(axes[0]) else axes or None)


def _is_int(x: Any) -> bool:
    return isinstance(x, (int, np.integer))


_METHODS = {
    "__array_ufunc__": _array_ufunc,
    "__getitem__": ops.getitem,
    "__pos__": lambda self: self,
    "T": property(ops.transpose),
    "reshape": _reshape,
    "transpose": _transpose,
    "squeeze": lambda self, axis=None: ops.squeeze(self, axis),
    "flatten": lambda self: ops.ravel(self),
    "ravel": lambda self: ops.ravel(self),
    "astype": lambda self, dtype: ops.cast(self, dtype),
    "tolist": lambda self: self.numpy().tolist(),
}
