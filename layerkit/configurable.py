"""Configurable: objects that are described by a config and found by their class's name.

One mechanism for layers, losses, metrics, optimizers, schedules, initializers, regularizers and
constraints. A class is registered by being defined; a config is read from the attributes that
carry the names of the constructor's parameters; a string, a dict, a class or an instance becomes
an object by `get`. Reading a config can only ever name what is registered, or what a closed list of
this package says is defined in a module of it: a word of a file is never imported.

A family is a class that inherits from `Configurable` directly and says in `keras_module` under
which module Keras's files keep it; its members inherit that, or say their own.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import BuiltinFunctionType, FunctionType
from typing import Any, ClassVar, TypeVar

import numpy as np

from layerkit.backend import Tensor, convert_to_tensor
from layerkit.backend.names import did_you_mean, plain

from .constructors import PACKAGE, first_without_own_config, is_ours, parameters_in
from .naming import snake_case

_KERAS = ("keras", "tf_keras", "tensorflow", PACKAGE)  # packages whose names mean our classes
_NEWER_DEFAULTS = {
    "autocast": True,
    "renorm_momentum": 0.99,
}  # keys of newer Keras versions, beside None and False

_builtin: dict[tuple[str, str], type] = {}  # (family, class name): the classes of this package
_unloaded: dict[str, str] = {}  # class name: module of this package, loaded when it is named
_functions: dict[str, Callable] = {}  # the functions of this package that configs may name
_custom: dict[str, Any] = {}  # the user's classes and functions: 'Package>Name' and 'Name'
_registered_names: dict[Any, str] = {}  # ... and the other way round
_scope: ContextVar[dict[str, Any]] = ContextVar("custom_objects", default={})  # noqa: B039
_in_memory: ContextVar[bool] = ContextVar("in_memory", default=False)  # no file is written

_T = TypeVar("_T")


class Configurable:
    """Base of everything with a config. Store constructor parameters under their own names."""

    keras_module: ClassVar[str | None] = None  # where Keras's files keep the class
    former_name: ClassVar[str]  # what older files call the class
    keras_name: ClassVar[str]  # ... and what they call it, where that is not the class's name
    written_as: ClassVar[str]  # ... and what files are to call it, where that is another class
    family: ClassVar[str] = ""  # the last part of `keras_module` of the family's base class
    aliases: ClassVar[dict[str, str]] = {}  # further names that `get` takes: {'zero': 'Zeros'}
    accepts_callables: ClassVar[bool] = False  # whether `get` lets a plain function pass
    takes_more: ClassVar[bool] = False  # whether constructors take keywords that they do not name
    _arguments: dict[str, Any] | None = {}  # noqa: RUF012 - see note_arguments

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if Configurable in cls.__bases__ and "family" not in vars(cls):
            cls.family = (cls.keras_module or "").rpartition(".")[2]
        if is_ours(cls):
            _builtin[cls.family, _keras_name(cls)] = cls
            if "former_name" in vars(cls):
                _builtin[cls.family, cls.former_name] = cls
        else:
            _custom[cls.__name__] = cls

    def get_config(self) -> dict[str, Any]:
        """What the constructor was called with, as plain values: {parameter: value}.

        NotImplementedError where no attribute carries a parameter's name, and for arguments
        without names.
        """
        names, _ = parameters_in(first_without_own_config(type(self)))
        noted = self._arguments
        if noted is None:
            raise NotImplementedError(_WITHOUT_NAMES.format(cls=type(self)))
        missing = [name for name in names if name not in noted and not hasattr(self, name)]
        if missing:
            raise NotImplementedError(_NOT_SERIALIZABLE.format(cls=type(self), missing=missing))
        return {name: self._serialized(name, noted) for name in names}

    def _serialized(self, name: str, noted: dict[str, Any]) -> Any:
        try:
            return serialize(noted[name] if name in noted else getattr(self, name))
        except TypeError as error:
            raise TypeError(f"{error} Received as `{name}` of {_called(self)}.") from error

    @classmethod
    def from_config(cls: type[_T], config: dict[str, Any]) -> _T:
        """A new object from what `get_config` gave. ValueError for keys that `cls` cannot use."""
        names, open_ended = parameters_in((cls, *cls.__mro__[1:]))
        known = {key: value for key, value in config.items() if key in names}
        other = {
            key: value
            for key, value in config.items()
            if key not in names and not _is_newer_default(key, value)
        }
        if other and not open_ended and not cls.takes_more:  # type: ignore[attr-defined]
            raise ValueError(
                f"Unrecognized keyword arguments passed to {cls.__name__}: {other}. "
                f"{cls.__name__} takes {sorted(names)}: remove the others from its config."
            )
        return cls(**{key: _revive(value) for key, value in (known | other).items()})


_WITHOUT_NAMES = (
    "Object {cls.__name__} was created by passing positional only or variadic positional "
    "arguments (as `*args`) to `__init__()`, which a config has no names for. Give each a name, or "
    "override `get_config()` and `from_config()`."
)

_NOT_SERIALIZABLE = """
Object {cls.__name__} was created by passing
non-serializable argument values in `__init__()`,
and therefore the object must override `get_config()` in
order to be serializable: it has no attributes {missing}.
Store each parameter under its own name, or please implement `get_config()`.

Example:

class CustomLayer(layerkit.layers.Layer):
    def __init__(self, arg1, arg2, **kwargs):
        super().__init__(**kwargs)
        self.arg1 = arg1
        self.arg2 = arg2

    def get_config(self):
        config = super().get_config()
        config.update({{
            "arg1": self.arg1,
            "arg2": self.arg2,
        }})
        return config"""


def _called(obj: Any) -> str:
    """What messages call an object: by its class, and its name where it has one."""
    name = getattr(obj, "name", None)
    return type(obj).__name__ + (f" '{name}'" if name else "")


def _keras_name(cls: type) -> str:
    return vars(cls).get("keras_name", cls.__name__)


def name_in_files(cls: type) -> str:
    """What files call a class: its own name, or that of the class that it is written as."""
    return vars(cls).get("written_as") or _keras_name(cls)


def _is_newer_default(key: str, value: Any) -> bool:
    """Whether an unknown key says no more than that a newer Keras's feature is not used."""
    return value is None or value is False or _NEWER_DEFAULTS.get(key) == value


# --- objects to configs ------------------------------------------------------------------------


def serialize(obj: Any) -> Any:
    """`obj` as plain values: numbers, strings, lists, and Keras's description of an object.

    That is {"module", "class_name", "config", "registered_name"}, with "build_config" and
    "compile_config" where the object has `get_build_config`, `get_compile_config`. TypeError for
    objects without `get_config`.
    """
    if obj is None or isinstance(obj, (bool, int, float, str)) and not isinstance(obj, np.generic):
        return obj
    if isinstance(obj, (list, tuple)):
        return [serialize(item) for item in obj]
    if isinstance(obj, dict):
        return {key: serialize(value) for key, value in obj.items()}
    if isinstance(obj, np.dtype):
        return obj.name
    if isinstance(obj, np.generic) or isinstance(obj, np.ndarray) and not obj.ndim:
        return obj.item()
    if isinstance(obj, (np.ndarray, Tensor)):
        kind = "__numpy__" if isinstance(obj, np.ndarray) else "__tensor__"
        return _describe(kind, value=obj.tolist(), dtype=obj.dtype.name)
    if isinstance(obj, bytes):
        return _describe("__bytes__", value=obj.decode())
    if isinstance(obj, slice):
        return _describe("__slice__", start=obj.start, stop=obj.stop, step=obj.step)
    if obj is Ellipsis:
        return _describe("__ellipsis__")
    if isinstance(obj, (FunctionType, BuiltinFunctionType)):
        return _serialize_function(obj)
    return _serialize_object(obj)


def copy_of(obj: Any, **settings: Any) -> Any:
    """A new object of the same class and config, apart from `settings`.

    Functions in the config, lambdas among them, stay what they are.
    """
    token = _in_memory.set(True)
    try:
        return type(obj).from_config({**obj.get_config(), **settings})
    finally:
        _in_memory.reset(token)


def _describe(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def _serialize_function(function: Any) -> Any:
    if _in_memory.get():
        return function
    name = get_registered_name(function)
    if name == "<lambda>":
        raise TypeError(
            "A lambda cannot be saved: a file never holds code. Define a function with `def` and "
            "register it with `@layerkit.saving.register_keras_serializable()`."
        )
    if name in _functions and _functions[name] is not function:
        name = f"{function.__module__}>{name}"  # or the file would mean the builtin one
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }


def _serialize_object(obj: Any) -> dict[str, Any]:
    if not hasattr(obj, "get_config") or isinstance(obj, type):
        raise TypeError(
            f"Cannot serialize object {obj} of type {type(obj)}. To be serializable, a class must "
            "implement the `get_config()` method."
        )
    config = obj.get_config()
    if not isinstance(config, dict):
        raise TypeError(
            f"The `get_config()` method of {obj} should return a dict. It returned: {config}"
        )
    description = {**_address(type(obj)), "config": serialize(config)}
    description["registered_name"] = description.pop("registered_name")  # Keras's order of keys
    for key in ("build_config", "compile_config"):
        extra = getattr(obj, f"get_{key}", lambda: None)()
        if extra is not None:
            description[key] = serialize(extra)
    return description


def _address(cls: Any) -> dict[str, Any]:
    """Under which names Keras's files keep a class."""
    if is_ours(cls) and cls.keras_module:
        private = cls.keras_module.startswith("keras.src")
        return {
            "module": cls.keras_module,
            "class_name": name_in_files(cls),
            "registered_name": cls.__name__ if private else None,
        }
    return {
        "module": None if cls.__module__ == "__main__" else cls.__module__,
        "class_name": cls.__name__,
        "registered_name": get_registered_name(cls),
    }


# --- configs to objects ------------------------------------------------------------------------


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, family: str = "") -> Any:
    """The object that `serialize` described; the inverse of it, and of Keras 3's `serialize`.

    `custom_objects` are {name: class or function}, tried before anything else; `family` (as
    'losses') is where a description without a module looks. TypeError for a name that nobody
    registered.
    """
    if custom_objects:
        with custom_object_scope(custom_objects):
            return deserialize(config, family=family)
    if isinstance(config, (list, tuple)):
        return [deserialize(item) for item in config]
    if not isinstance(config, dict):
        return config
    if not _is_description(config):
        return {key: deserialize(value) for key, value in config.items()}
    name, inner = config["class_name"], config["config"]
    if not isinstance(name, str):
        raise TypeError(f"Expected 'class_name' to be the name of a class; received {name!r:.80}.")
    if name in _PLAIN:
        return _PLAIN[name](inner)
    if name == "function":
        return _find_function(inner)
    return _build(_find_class(config, family), config)


def _is_description(config: Any) -> bool:
    return isinstance(config, dict) and "class_name" in config and "config" in config


def _refuse_lambda(_: Any) -> Any:
    raise ValueError(
        "Requested the deserialization of a Python lambda. This carries a potential risk of "
        "arbitrary code execution and thus it is disallowed: a file never runs code here. Define "
        "the function with `def` and pass it in custom_objects."
    )


def _array(value: Any, dtype: Any) -> np.ndarray:
    """ValueError for a dtype of long texts: a few letters would fill the memory."""
    if np.dtype(dtype).itemsize > _LARGEST_ITEM:
        raise ValueError(
            f"A file's array has the dtype {str(dtype)[:80]!r}; expected one of numbers. Do not "
            "trust this file."
        )
    return np.array(value, dtype=dtype)


_LARGEST_ITEM = np.dtype("complex128").itemsize

_PLAIN: dict[str, Callable[[dict], Any]] = {
    "__numpy__": lambda c: _array(c["value"], c["dtype"]),
    "__tensor__": lambda c: convert_to_tensor(_array(c["value"], c["dtype"])),
    "__bytes__": lambda c: c["value"].encode(),
    "__slice__": lambda c: slice(c["start"], c["stop"], c["step"]),
    "__ellipsis__": lambda c: Ellipsis,
    "__lambda__": _refuse_lambda,
    "FloatDTypePolicy": lambda c: c["name"],  # the name of DTypePolicy in Keras before 3.3
}


def _revive(value: Any) -> Any:
    """A config's value as the constructor takes it.

    Short descriptions, as old files have them, stay as they are where their name alone could mean
    several things: the constructor's own `get` knows the family.
    """
    if isinstance(value, (list, tuple)):
        return [_revive(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not _is_description(value):
        return {key: _revive(item) for key, item in value.items()}
    if "module" not in value and len(builtins_named(value["class_name"])) > 1:
        return value
    return deserialize(value)


def _build(cls: Any, config: dict[str, Any]) -> Any:
    """An object of `cls`, built and compiled where its description says how."""
    if not hasattr(cls, "from_config"):
        return cls  # custom_objects may give a function for a class's name
    inner = config["config"]
    if not isinstance(inner, (dict, list, type(None))):
        raise TypeError(
            f"Expected 'config' to be a dict for {config['class_name']}; received {type(inner)}."
        )
    obj = cls.from_config({} if inner is None else inner)
    if config.get("build_config") and not getattr(obj, "built", True):
        obj.build_from_config(config["build_config"])
    if config.get("compile_config"):
        obj.compile_from_config(config["compile_config"])
    return obj


def _find_class(config: dict[str, Any], family: str) -> Any:
    """The class that a description names: of the scope, of this package, of the user."""
    name = config["class_name"]
    names = [n for n in (config.get("registered_name"), name) if n]
    scope = _scope.get()
    found = [
        *(scope[n] for n in names if n in scope),
        *_builtins_meant(config, family),
        *(_custom[n] for n in names if n in _custom),
    ]
    if not found:
        raise TypeError(_not_located("class", name))
    return found[0]


def _builtins_meant(config: dict[str, Any], family: str) -> list[type]:
    """The classes of this package that a description can mean, by its name and its module."""
    classes = builtins_named(config["class_name"])
    if "module" not in config:  # an old file: the name has to be enough
        meant = [cls for f, cls in classes.items() if f == (family or f)]
        return meant if len(meant) == 1 else []
    module = config["module"]
    if not isinstance(module, str) or module.split(".")[0] not in _KERAS:
        return []
    family = _family_of(module)
    return [cls for f, cls in classes.items() if f == (family or f)]


def defined_in(modules: Mapping[str, str]) -> None:
    """Let configs name classes of modules that are not loaded yet: {class name: module}."""
    _unloaded.update(modules)


def builtins_named(name: str) -> dict[str, type]:
    """{family: class} of the classes of this package called `name`."""
    if name in _unloaded:
        importlib.import_module(_unloaded[name])
    return {family: cls for (family, n), cls in _builtin.items() if n == name}


def _family_of(module: str) -> str:
    """The family that a module path of Keras means: of 'keras.src.optimizers.adam', 'optimizers'.

    '' where it means any: 'keras' itself.
    """
    parts = module.split(".")[1:]
    families = {family for family, _ in _builtin}
    named = [part for part in parts if part in families]
    if "models" in parts or "engine" in parts:
        return "layers"
    return named[-1] if named else ("" if parts in ([], ["src"]) else module)


def _find_function(name: Any) -> Any:
    found = None
    if isinstance(name, str):
        scope, short = _scope.get(), name.rpartition(">")[2]
        found = scope.get(name) or scope.get(short) or _functions.get(name) or _custom.get(name)
    if found is None:
        raise TypeError(_not_located("function", name))
    return found


def _not_located(kind: str, name: Any) -> str:
    builtin = {n for _, n in _builtin} if kind == "class" else set(_functions)
    known = builtin | set(_custom) | set(_scope.get())
    short = str(name).rpartition(">")[2]
    return (
        f"Could not locate {kind} '{name}'. Make sure custom classes and functions are decorated "
        "with `@layerkit.saving.register_keras_serializable()`, or pass "
        f"custom_objects={{'{short}': {short}}}.{did_you_mean(str(name), known)}"
    )


# --- what users say, to objects ----------------------------------------------------------------


def get(family: type[Configurable], identifier: Any) -> Any:
    """The object of a family that `identifier` means, as users may say it.

    An object itself, its class, its name ('GlorotUniform', 'glorot_uniform' or an alias), its
    config, or a function where the family `accepts_callables`; None is None. ValueError for
    anything else.
    """
    if identifier is None or isinstance(identifier, family):
        return identifier
    found = identifier
    if _is_description(identifier):
        found = deserialize(identifier, family=family.family)
    elif isinstance(identifier, str):
        found = _find_member(family, identifier)
    if isinstance(found, type) and issubclass(found, family):
        found = found()
    if isinstance(found, family) or (family.accepts_callables and callable(found)):
        return found
    raise ValueError(not_interpreted(family, identifier))


def _find_member(family: type[Configurable], name: str) -> Any:
    """The class or function called `name`: the scope's, the builtin, or the user's."""
    if name in _scope.get():
        return _scope.get()[name]
    members = _members(family)
    return members.get(plain(name)) or _custom.get(name)


def _members(family: type[Configurable]) -> dict[str, type]:
    """The builtin classes of a family by their plain names, aliases included."""
    classes = {n: cls for (f, n), cls in _builtin.items() if f == family.family}
    members = {plain(n): cls for n, cls in classes.items()}
    return members | {plain(alias): classes[n] for alias, n in family.aliases.items()}


def not_interpreted(family: type[Configurable], identifier: Any) -> str:
    """The message for an identifier that means nothing: what was received, and what is near."""
    names = [n for f, n in _builtin if f == family.family and n != family.__name__ and n[0] != "_"]
    known = {snake_case(n) for n in names} | set(family.aliases)
    kind = snake_case(family.__name__).replace("_", " ")
    hint = ""
    if isinstance(identifier, str):
        hint = found_elsewhere(identifier) or did_you_mean(identifier, known)
        hint = hint or f" `layerkit.{family.family}` has the names that there are."
    return f"Could not interpret {kind} identifier: {identifier}.{hint}"


def found_elsewhere(name: str) -> str:
    """' That is ...' for a name given in the wrong place, of a member of another family; or ''."""
    families = {
        family
        for (family, known), cls in _builtin.items()
        if family != "layers" and plain(name) in map(plain, (known, *getattr(cls, "aliases", ())))
    }
    if name in _functions and not families:
        families = {_functions[name].__module__.rpartition("layerkit.")[2].partition(".")[0]}
    listed = " and ".join(f"`layerkit.{family}`" for family in sorted(families))
    return f" That is a name of {listed}: give it there." if listed else ""


# --- the user's classes and functions ----------------------------------------------------------


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[_T], _T]:
    """Decorator: let files name a class or a function as 'package>name'. The last one wins."""

    def register(thing: Any) -> Any:
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(
                "Cannot register a class that does not have a get_config() method: "
                f"{thing.__name__}. Inherit from a class of layerkit, or implement it."
            )
        short = name or thing.__name__
        _custom[f"{package}>{short}"] = _custom[short] = thing
        _registered_names[thing] = f"{package}>{short}"
        return thing

    return register


def register_functions(*functions: Callable) -> None:
    """Let configs name these functions of this package: activations, losses, metrics."""
    _functions.update({function.__name__: function for function in functions})


@contextmanager
def custom_object_scope(custom_objects: dict[str, Any] | None = None) -> Iterator[None]:
    """In the `with` block, these {name: class or function} are found before all others."""
    token = _scope.set({**_scope.get(), **(custom_objects or {})})
    try:
        yield
    finally:
        _scope.reset(token)


def get_custom_objects() -> dict[str, Any]:
    """The user's classes and functions that files may name: a dict that may be added to."""
    return _custom


def get_registered_name(obj: Any) -> str:
    """The name under which files keep a user's class or function."""
    return _registered_names.get(obj, obj.__name__)


def get_registered_object(
    name: str,
    custom_objects: dict[str, Any] | None = None,
    module_objects: dict[str, Any] | None = None,
) -> Any:
    """The class or function that files call `name`; None where there is none.

    Of the scope, of the user's, of `custom_objects`, of `module_objects`, in this order.
    """
    places = (_scope.get(), _custom, custom_objects or {}, module_objects or {})
    return next((place[name] for place in places if name in place), None)
