"""Dtypes by name: what users may say, what kind they are, and which two of them make together."""

from __future__ import annotations

from functools import cache
from typing import Any

from .config import floatx, require_bfloat16

_PYTHON = {bool: "bool", int: "int32", "int": "int32", float: "float32", complex: "complex64"}
_ALLOWED = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128", "string"),
)

# The lattice of JAX, which Keras promotes by: what stands directly above each type. 'int' and
# 'float' are Python's numbers, which take the type of what they meet.
_ABOVE: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("int8", "uint8"),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "float": ("float16", "bfloat16"),
    "float16": ("float32",),
    "bfloat16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype: a name, a Python or NumPy type, a dtype object; None is `floatx()`.

    ValueError for anything else.
    """
    if dtype is None:
        return floatx()
    known = _PYTHON.get(dtype) if isinstance(dtype, (str, type)) else None
    name = known or getattr(dtype, "name", None) or getattr(dtype, "__name__", dtype)
    name = str(name).rpartition(".")[2]  # 'torch.float32'
    if name not in _ALLOWED:
        raise ValueError(f"Invalid dtype: {dtype}. Expected one of: {', '.join(_ALLOWED)}.")
    if name == "bfloat16":
        require_bfloat16()
    return name


def is_float_dtype(dtype: Any) -> bool:
    """Whether it is a float type, bfloat16 included. ValueError for what is no dtype."""
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Whether it is an integer type, signed or not. ValueError for what is no dtype."""
    return "int" in standardize_dtype(dtype)


def result_type(*dtypes: Any) -> str:
    """The dtype of arithmetic between tensors of these dtypes; none are `floatx()`.

    Python's `int` and `float` stand for its numbers, which leave the tensors' dtype alone. 64 bits
    stay 64, as everywhere here; Keras has that on TensorFlow only. ValueError for strings.
    """
    if not dtypes:
        return floatx()
    plain = [d for d in dtypes if d is not int and d is not float]
    names = {standardize_dtype(d) for d in plain}
    if "string" in names:
        raise ValueError(f"Strings take no part in arithmetic. Received: dtypes={dtypes}")
    names |= {"int" for d in dtypes if d is int} | {"float" for d in dtypes if d is float}
    common = set.intersection(*(_bounds(name) for name in names))
    (least,) = (c for c in common if common <= _bounds(c))
    return {"float": floatx(), "int": f"int{floatx()[-2:]}"}.get(least, least)


@cache
def _bounds(name: str) -> set[str]:
    """The type itself and all that stand above it."""
    return {name}.union(*(_bounds(above) for above in _ABOVE[name]))
