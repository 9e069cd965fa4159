"""Dtype policies: in which type a layer computes, and in which it keeps its weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import floatx, require_bfloat16
from layerkit.backend.names import did_you_mean, explain_missing
from layerkit.backend.session import at_clear_session

from . import configurable
from .configurable import Configurable, serialize

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_PLAIN = ("float16", "float32", "float64", "bfloat16")


class DTypePolicy(Configurable):
    """A name that gives two types: 'mixed_float16', 'mixed_bfloat16' or the name of one dtype.

    The mixed ones compute in halves and keep float32 variables; under one dtype both are it.
    `name` None is the global policy. bfloat16 needs ml_dtypes: ImportError says how to get it.
    """

    keras_module = "keras"

    def __init__(self, name: str | None = None):
        self.name: str = dtype_policy().name if name is None else name
        self.compute_dtype, self.variable_dtype = _types_of(self.name)

    quantization_mode = None  # layerkit does not quantize

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """`x`, cast to `dtype` if it is an array of another float type and `autocast` is True."""
        if not (autocast and hasattr(x, "dtype") and K.is_float_dtype(dtype)):
            return x
        x = K.convert_to_tensor(x)
        differs = K.is_floating(x.dtype) and x.dtype != K.standardize_dtype(dtype)
        return K.cast(x, dtype) if differs else x

    @property
    def is_mixed(self) -> bool:
        """Whether the variables have another type than the computation."""
        return self.compute_dtype != self.variable_dtype

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicy) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy  # its name in Keras before 3.3


def get(identifier: Any) -> DTypePolicy:
    """The policy that a name, a dtype, a config or a policy means; None is the global one."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, dict):
        identifier = deserialize(identifier)
    if isinstance(identifier, DTypePolicy):
        return identifier
    try:
        name = identifier if isinstance(identifier, str) else np.dtype(identifier).name
    except TypeError:
        raise ValueError(
            "Cannot interpret `dtype` argument. Expected a string or an instance of DTypePolicy. "
            f"Received: dtype={identifier}"
        ) from None
    return DTypePolicy(name)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The policy that `serialize` described."""
    return configurable.deserialize(config, custom_objects)


_global: DTypePolicy | None = None


def dtype_policy() -> DTypePolicy:
    """The policy of layers made without `dtype`: that of `floatx()` unless one was set."""
    return _global or DTypePolicy(floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of the layers made from now on, by name or object; None: of `floatx()`."""
    global _global
    _global = None if policy is None else get(policy)


at_clear_session(lambda: set_dtype_policy(None))


def _types_of(name: Any) -> tuple[str, str]:
    """The types to compute in and to keep variables in."""
    if not isinstance(name, str):
        raise TypeError(
            "'name' must be a string, such as 'mixed_float16'. "
            f"Received: name={name} (of type {type(name)})"
        )
    if name in ("bfloat16", "mixed_bfloat16"):
        require_bfloat16()
    if name in _MIXED:
        return _MIXED[name], "float32"
    try:
        plain = np.dtype(name)
    except TypeError:
        plain = None
    if plain is None or (plain.kind not in "biuf" and name != "bfloat16"):
        raise ValueError(
            f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid policies include "
            "'mixed_float16', 'mixed_bfloat16', and the name of any float dtype such as "
            f"'float32'.{did_you_mean(name, (*_MIXED, *_PLAIN))}"
        )
    return plain.name, plain.name


explain_missing(__name__)
