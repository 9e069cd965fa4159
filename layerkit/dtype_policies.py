"""Dtype policies: in which type a layer computes, and in which it keeps its weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
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
    "DTypePolicyMap",
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
    family = "dtype_policies"

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


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Policies by the paths of layers; as `dtype` it may be given to many layers at once.

    A key is a path ('encoder/query'), or a regular expression that the whole path must match
    ('encoder/.*'). `map[path]` is the policy of that very path, else of the one expression that
    matches, else `default_policy` (the global one of now where None); a layer looks there once it
    is built, for only then it has a path. ValueError where several expressions match, and for a
    key that is set twice.

    As a policy itself it is the default one.
    """

    keras_module = "keras.dtype_policies"

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None):
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError(
                "`default_policy` cannot be a `DTypePolicyMap`: give the policy of the layers that "
                "the map does not name."
            )
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                "If specified, `policy_map` must be a dict, {path: policy}. Received: "
                f"policy_map={policy_map} of type {type(policy_map)}"
            )
        self._given_default = default_policy
        self.default_policy: DTypePolicy = get(default_policy)
        self.name = f"map_{self.default_policy.name}"
        self.compute_dtype = self.default_policy.compute_dtype
        self.variable_dtype = self.default_policy.variable_dtype
        self._policies: dict[str, DTypePolicy] = {}
        self.update(policy_map or {})

    def __getitem__(self, path: str) -> DTypePolicy:
        if path in self._policies:
            return self._policies[path]
        matching = [key for key in self._policies if _matches(key, path)]
        if len(matching) > 1:
            raise ValueError(
                f"Path '{path}' matches multiple dtype policy specification keys: {matching}. Make "
                "sure that each path matches at most one key of the DTypePolicyMap."
            )
        return self._policies[matching[0]] if matching else self.default_policy

    def __setitem__(self, path: str, policy: Any) -> None:
        if not isinstance(path, str):
            raise TypeError(f"Keys of a DTypePolicyMap are paths of layers. Received: {path!r}")
        if path in self._policies:
            raise ValueError(
                f"{path} already exist in the DTypePolicyMap with value {self._policies[path]}. "
                "Delete it first: `del policy_map[path]`."
            )
        try:
            self._policies[path] = get(policy)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Cannot interpret the assigned value by `dtype_policies.get`. Received: {policy} "
                f"of type {type(policy)} for '{path}'."
            ) from error

    def __delitem__(self, path: str) -> None:
        del self._policies[path]

    def __contains__(self, path: Any) -> bool:
        return path in self._policies

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)

    def __bool__(self) -> bool:
        return True  # a policy, with or without entries

    def __eq__(self, other: Any) -> bool:  # and so without a hash, as other dicts
        if not isinstance(other, DTypePolicyMap):
            return False
        return (self.default_policy, self._policies) == (other.default_policy, other._policies)

    def __repr__(self) -> str:
        entries = [(path, policy.name) for path, policy in self._policies.items()]
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={entries}>"

    def get_config(self) -> dict[str, Any]:
        """Default and entries. A default of None stays None: the global one where it is loaded."""
        return {
            "default_policy": serialize(self._given_default),
            "policy_map": serialize(self._policies),
        }


def _matches(key: str, path: str) -> bool:
    try:
        return re.fullmatch(key, path) is not None
    except re.error as error:
        raise ValueError(
            f"The key '{key}' of a DTypePolicyMap is no regular expression ({error}), and not the "
            f"path '{path}' either."
        ) from error


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
