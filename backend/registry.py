"""Which backends there are, which one new arrays are born on, which one an array lives on."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .base import Backend

# A name and where its class is; the module is imported when the name is first asked for.
_CLASSES = {
    "numpy": (".numpy_backend", "NumpyBackend"),
    "numba": (".numba_backend", "NumbaBackend"),
    "cupy": (".cupy_backend", "CupyBackend"),
}
_ENTRY_POINTS = "layerkit.backends"  # the group in which packages name their backends' classes
_makers: dict[str, Callable[[], Backend]] = {}  # of `register_backend`
_loaded: dict[str, Backend] = {}
_default: Backend | None = None
_HOSTS = (None, "numpy", "numba")  # what LAYERKIT_BACKEND may be where all arrays are NumPy's
one_home = os.environ.get("LAYERKIT_BACKEND") in _HOSTS


def get_backend(name: str) -> Backend:
    """The backend called `name`, started when it is first asked for.

    ValueError for a name that no backend has. ImportError or RuntimeError, naming the part that is
    missing, for a backend that cannot start here.
    """
    if name not in _loaded:
        made = _maker(name)()
        if not isinstance(made, Backend):
            raise TypeError(f"Expected the backend '{name}' to be a Backend; received {made!r}.")
        made.name = name
        _loaded[name] = made
        global one_home
        one_home = one_home and made.array_type is np.ndarray
    return _loaded[name]


def register_backend(name: str, source: Backend | Callable[[], Backend]) -> None:
    """Let `name` stand for a backend: a Backend, or a class or function that makes one when asked.

    What had that name before is forgotten. Packages need no call of this: their backends are found
    by the entry points of the group `layerkit.backends`, each a name and a class.
    """
    _loaded.pop(name, None)
    _makers[name] = (lambda: source) if isinstance(source, Backend) else source


def available_backends() -> list[str]:
    """Names of the backends known here, those of installed packages too; some may not start."""
    return sorted({*_CLASSES, *_makers, *_entry_points()})


def _maker(name: str) -> Callable[[], Backend]:
    if name in _makers:
        return _makers[name]
    if name in _CLASSES:
        module, class_name = _CLASSES[name]
        return getattr(importlib.import_module(module, __package__), class_name)
    found = _entry_points()
    if name not in found:
        raise ValueError(
            f"Unknown backend: '{name}'. Available backends: {available_backends()}. "
            "Choose one with set_backend(name) or the environment variable LAYERKIT_BACKEND."
        )
    try:
        return found[name].load()
    except (ImportError, AttributeError) as error:
        raise ImportError(
            f"The backend '{name}' cannot be imported: {error}. An installed package names it by "
            f"the entry point '{found[name].value}': install what it needs, or mend the package."
        ) from error


def _entry_points() -> dict[str, Any]:
    from importlib.metadata import entry_points  # slow to import, and needed by few

    return {point.name: point for point in entry_points(group=_ENTRY_POINTS)}


def default_backend() -> Backend:
    """The backend on which new arrays are born.

    That of LAYERKIT_BACKEND; else 'numba' where the package numba is installed, or 'numpy'.
    """
    global _default
    if _default is None:
        found = importlib.util.find_spec("numba") is not None
        name = os.environ.get("LAYERKIT_BACKEND")
        _default = get_backend(("numba" if found else "numpy") if name is None else name)
    return _default


def set_backend(name: str) -> None:
    """Let new arrays be born on the backend `name`; arrays that exist stay where they are."""
    global _default
    _default = get_backend(name)


@contextmanager
def device(device_name: str) -> Iterator[None]:
    """In the `with` block, new arrays are born on the device: 'cpu' or 'gpu' (also 'cuda'), ':0'.

    ValueError for other names and for further devices: layerkit works on one GPU.
    """
    before = default_backend()
    kind, _, number = str(device_name).lower().partition(":")
    if kind not in ("cpu", "gpu", "cuda") or number not in ("", "0"):
        raise ValueError(
            "Received invalid device name. Expected 'cpu' or 'gpu', alone or with ':0', for there "
            f"is one of each. Received: device_name='{device_name}'"
        )
    on_host = before.xp is np
    if kind == "cpu":
        set_backend(before.name if on_host else "numpy")
    else:
        set_backend("cupy" if on_host else before.name)
    try:
        yield
    finally:
        set_backend(before.name)


def backend() -> str:
    """Name of the backend on which new arrays are born."""
    return default_backend().name


def backend_of(array: Any) -> Backend:
    """The backend on which `array` lives. TypeError for what is no array of any backend.

    Where several backends have the same arrays, it is the default one.
    """
    if _default is not None and isinstance(array, _default.array_type):
        return _default
    if isinstance(array, (np.ndarray, np.generic)):
        return default_backend() if _default is None and one_home else get_backend("numpy")
    for candidate in _loaded.values():
        if isinstance(array, candidate.array_type):
            return candidate
    raise TypeError(f"Expected an array of a backend {sorted(_loaded)}; received {type(array)}.")


def namespace(array: Any) -> Any:
    """The array module (`numpy` or its like) of `array`: what an operation's body computes with."""
    return np if type(array) is np.ndarray else backend_of(array).xp


def product(a: Any, b: Any) -> Any:
    """The product of matrices, by the backend where they live: see `Backend.matmul`."""
    return backend_of(a).matmul(a, b)


def is_array(x: Any) -> bool:
    """Whether `x` is an array of some loaded backend."""
    if isinstance(x, np.ndarray):
        return True
    return any(isinstance(x, candidate.array_type) for candidate in _loaded.values())


def memory_info(name: str | None = None) -> dict[str, int]:
    """Bytes of memory of the backend `name`, None for the default one.

    `used` by arrays, `pooled` by the process for arrays (used or not), `free` to everybody, and
    the device's `total`. Of 'numpy' and 'numba', which keep no pool, `used` and
    `pooled` are both what the whole process holds.
    """
    return _named(name).memory_info()


def free_memory(name: str | None = None) -> None:
    """Give memory that no array uses back to the device of the backend `name` (None: default)."""
    _named(name).free_memory()


def gathered(arrays: list, placed: list[bool]) -> list:
    """Operands on one backend: arrays of the host go to the device beside them.

    The array decides where work runs. One that is not `placed` (a NumPy array given as it is, not
    as a tensor) follows the others; alone it goes to the default backend.
    """
    homes = [
        backend_of(a)
        for a, at_home in zip(arrays, placed, strict=True)
        if hasattr(a, "dtype") and (at_home or not isinstance(a, np.ndarray))
    ]
    devices = [home for home in homes if home.array_type is not np.ndarray]
    home = (devices or homes or [default_backend()])[0]
    return [home.asarray(a) if hasattr(a, "dtype") else a for a in arrays]


def beside(array: Any, other: Any) -> Any:
    """`array` on the backend where `other` lives."""
    return array if one_home else backend_of(other).asarray(array)


def _named(name: str | None) -> Backend:
    return default_backend() if name is None else get_backend(name)
