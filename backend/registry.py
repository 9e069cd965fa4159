"""Which backends there are, which one new arrays are born on, which one an array lives on."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np

from .base import Backend

# A name and where its class is; the module is imported when the name is first asked for.
_CLASSES = {"numpy": (".numpy_backend", "NumpyBackend")}
_loaded: dict[str, Backend] = {}
_default: Backend | None = None


def get_backend(name: str) -> Backend:
    """The backend called `name`. ValueError for a name that no backend has."""
    if name not in _loaded:
        if name not in _CLASSES:
            raise ValueError(
                f"Unknown backend: '{name}'. Available backends: {sorted(_CLASSES)}. "
                "Choose one with set_backend(name) or the environment variable LAYERKIT_BACKEND."
            )
        module, class_name = _CLASSES[name]
        _loaded[name] = getattr(importlib.import_module(module, __package__), class_name)()
    return _loaded[name]


def default_backend() -> Backend:
    """The backend on which new arrays are born."""
    global _default
    if _default is None:
        _default = get_backend(os.environ.get("LAYERKIT_BACKEND", "numpy"))
    return _default


def set_backend(name: str) -> None:
    """Let new arrays be born on the backend `name`; arrays that exist stay where they are."""
    global _default
    _default = get_backend(name)


def backend() -> str:
    """Name of the backend on which new arrays are born."""
    return default_backend().name


def backend_of(array: Any) -> Backend:
    """The backend on which `array` lives. TypeError for what is no array of any backend."""
    if isinstance(array, (np.ndarray, np.generic)):
        return get_backend("numpy")
    for candidate in _loaded.values():
        if isinstance(array, candidate.array_type):
            return candidate
    raise TypeError(f"Expected an array of a backend {sorted(_CLASSES)}; received {type(array)}.")


def namespace(array: Any) -> Any:
    """The array module (`numpy` or its like) of `array`: what an operation's body computes with."""
    return np if type(array) is np.ndarray else backend_of(array).xp


def is_array(x: Any) -> bool:
    """Whether `x` is an array of some loaded backend."""
    if isinstance(x, np.ndarray):
        return True
    return any(isinstance(x, candidate.array_type) for candidate in _loaded.values())
