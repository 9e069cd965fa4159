"""Imports of keras and tensorflow.keras, answered with layerkit's modules."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from layerkit.backend.names import did_you_mean

from .deprecated import warn_once

ROOTS = ("keras", "tensorflow", "tf_keras")

# Names under which packages have held Keras; what follows is a path inside it.
_PREFIXES = (
    "tensorflow.compat.v1.keras",
    "tensorflow.compat.v2.keras",
    "tensorflow.python.keras",
    "tensorflow.keras",
    "keras.src",
    "tf_keras",
    "keras",
)

# Where names of a module are looked for, in this order; all other modules are layerkit's own.
_SOURCES = {
    "": ("layerkit.compat.old_names", "layerkit"),
    "constraints": ("layerkit.compat.old_constraints", "layerkit.constraints"),
    "initializers": ("layerkit.compat.old_initializers", "layerkit.initializers"),
    "optimizers": ("layerkit.compat.old_optimizers", "layerkit.optimizers"),
    "regularizers": ("layerkit.compat.old_regularizers", "layerkit.regularizers"),
    "backend": (
        "layerkit.compat.old_backend",
        "layerkit.compat.old_networks",
        "layerkit.compat.old_recurrence",
        "layerkit.ops",
        "layerkit.backend",
    ),
    "callbacks": ("layerkit.compat.old_callbacks", "layerkit.callbacks"),
    "layers": ("layerkit.compat.old_layers", "layerkit.layers"),
    "losses": ("layerkit.compat.old_losses", "layerkit.losses"),
    "metrics": ("layerkit.compat.old_losses", "layerkit.metrics"),
    "models": ("layerkit.compat.old_architectures", "layerkit.models"),
    "utils": ("layerkit.compat.old_utils", "layerkit.utils", "layerkit.saving"),
    "tensorflow": ("layerkit.compat.tensorflow_names",),
    **{
        f"tensorflow.{part}": (f"layerkit.compat.tensorflow_{part}",)
        for part in ("config", "data", "image", "linalg", "math", "nn", "random", "strings", "test")
    },
}

_LAYERS = (  # noqa: SIM905
    "advanced_activations attention convolutional convolutional_recurrent core cudnn_recurrent "
    "embeddings experimental experimental.preprocessing local merge merging noise normalization "
    "pooling preprocessing recurrent regularization reshaping rnn wrappers"
).split()
_UTILS = (  # noqa: SIM905
    "all_utils conv_utils data_utils generic_utils io_utils layer_utils np_utils "
    "numerical_utils training_utils vis_utils visualize_util"
).split()

# Paths of earlier versions, and where their names are now.
MOVED = {
    **{f"layers.{name}": "layers" for name in _LAYERS},
    **{f"utils.{name}": "utils" for name in _UTILS},
    "applications.imagenet_utils": "applications",
    "callbacks.callbacks": "callbacks",
    "engine": "",
    "engine.base_layer": "",
    "engine.functional": "models",
    "engine.input_layer": "layers",
    "engine.network": "models",
    "engine.sequential": "models",
    "engine.topology": "",
    "engine.training": "models",
    "initializations": "initializers",
    "initializers.initializers_v2": "initializers",
    "mixed_precision.experimental": "mixed_precision",
    "models.functional": "models",
    "objectives": "losses",
    "optimizer_v2": "optimizers",
    "optimizers.legacy": "optimizers",
    "optimizers.learning_rate_schedule": "optimizers.schedules",
}


class Namespace(ModuleType):
    """A module of Keras whose names come from several modules of layerkit."""

    __path__: list[str] = []

    def __init__(self, path: str, sources: tuple[str, ...]):
        super().__init__(path if _is_of_tensorflow(path) else f"keras.{path}".rstrip("."), None)
        self._path, self._names_of = path, sources

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__version__", "__all__"):
            raise AttributeError(name)
        if name == "__all__":
            return self._of_today()
        path = f"{self._path}.{name}" if self._path else name
        if path in _SOURCES:
            return _namespace(path)
        if path in MOVED and not self._is_old_name(name):
            return _submodule(path)
        for source in self._names_of:
            module = importlib.import_module(source)
            if name in _public(module) or name == "__version__" and hasattr(module, name):
                if ".old_" in source and name not in getattr(module, "STILL_THERE", ()):
                    warn_once(f"{self.__name__}.{name}", getattr(module, "REMEDIES", {}).get(name))
                return getattr(module, name)
        inside = _submodule(path)
        if inside is not None:
            return inside
        raise self._missing(name)

    def _is_old_name(self, name: str) -> bool:
        """Whether it is a name of earlier versions, as the function `merge` is beside a module."""
        old = [importlib.import_module(s) for s in self._names_of if ".old_" in s]
        return any(name in _public(module) for module in old)

    def _missing(self, name: str) -> AttributeError:
        hint = did_you_mean(name, [n for n in dir(self) if not n.startswith("_")])
        if _is_of_tensorflow(self._path):
            ops = importlib.import_module("layerkit.ops")
            near = did_you_mean(name.removeprefix("reduce_"), ops.__all__)
            near = near.replace("Did you mean", "keras.ops has").replace("?", ".")
            hint = f" It stands in for the few names that scripts use beside keras.{hint}{near}"
        return AttributeError(
            f"module '{self.__name__}' has no attribute '{name}' in layerkit.{hint}"
        )

    def _of_today(self) -> list[str]:
        """What `import *` gives: names of earlier versions are imported one by one."""
        names: set[str] = set()
        for source in self._names_of:
            module = importlib.import_module(source)
            old = ".old_" in source
            names |= set(getattr(module, "STILL_THERE", ()) if old else _public(module))
        return sorted(names)

    def __dir__(self) -> list[str]:
        found = {n for s in self._names_of for n in _public(importlib.import_module(s))}
        return sorted(found | set(vars(self)))


def _is_of_tensorflow(path: str) -> bool:
    return path.partition(".")[0] == "tensorflow"


def _public(module: ModuleType) -> Any:
    return getattr(module, "__all__", None) or [n for n in vars(module) if n[0] != "_"]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules of Keras; importing one gives the module of layerkit in its place."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in ROOTS or module_for(name) is None:
            return None
        return ModuleSpec(name, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        found = module_for(module.__name__)
        assert found is not None
        sys.modules[module.__name__] = found


_finder = _Finder()
_made: dict[str, ModuleType] = {}


def module_for(name: str) -> ModuleType | None:
    """The module of layerkit for a name of Keras, 'tensorflow.keras.layers' for one, or None."""
    for prefix in _PREFIXES:
        if name == prefix or name.startswith(f"{prefix}."):
            return _submodule(name[len(prefix) + 1 :], name)
    return _namespace(name) if name in _SOURCES else _part_of_tensorflow(name)


def _part_of_tensorflow(name: str) -> ModuleType | None:
    """tensorflow.python and tensorflow.compat, which hold nothing but keras."""
    if name in ("tensorflow.python", "tensorflow.compat", "tensorflow.compat.v1", "tensorflow.v1"):
        return _made.setdefault(name, Namespace(name, ()))
    return None


def _submodule(path: str, asked: str | None = None) -> ModuleType | None:
    """The module of a path inside Keras; None where layerkit has none."""
    if path in MOVED:
        new = f"keras.{MOVED[path]}" if MOVED[path] else "keras"
        warn_once(f"The module {asked or f'keras.{path}'}", f"import from {new}")
        path = MOVED[path]
    if path in _SOURCES:
        return _namespace(path)
    name = f"layerkit.{path}"
    try:
        if path.startswith(("compat", "backend.")) or importlib.util.find_spec(name) is None:
            return None
    except ModuleNotFoundError:
        return None
    return importlib.import_module(name)


def _namespace(path: str) -> ModuleType:
    if path not in _made:
        _made[path] = Namespace(path, _SOURCES[path])
    return _made[path]


def find_keras_here() -> bool:
    """Answer imports of Keras from now on; False where it was so already."""
    if _finder in sys.meta_path:
        return False
    there = [name for name in ROOTS if name in sys.modules]
    if there:
        raise RuntimeError(
            f"install_as_keras() came too late: {', '.join(there)} has been imported from "
            f"{getattr(sys.modules[there[0]], '__file__', None)}. Call it before any import of "
            "Keras, or run the script by `python -m layerkit script.py`."
        )
    sys.meta_path.insert(0, _finder)
    return True
