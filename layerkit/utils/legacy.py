"""Objects as Keras 2 described them: {"class_name": ..., "config": ...}, and no module.

What is read is looked up in the dicts that the caller hands over and among registered objects, and
nowhere else. Files are read and written by `layerkit.saving`.
"""

from __future__ import annotations

import inspect
from typing import Any

from layerkit.backend.names import explain_missing

from ..configurable import custom_object_scope, get_registered_name, get_registered_object

_PASSIVE = "__passive_serialization__"  # marks what stood in a config as an object


def serialize_keras_object(instance: Any) -> Any:
    """What describes `instance`: a dict for an object with a `get_config`, a function's name.

    None for None; ValueError for anything else.
    """
    instance = inspect.unwrap(instance) if callable(instance) else instance
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        config = {key: _item(value) for key, value in instance.get_config().items()}
        return {"class_name": get_registered_name(type(instance)), "config": config}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ValueError(
        f"Cannot serialize {instance} because it doesn't implement `get_config()`. Expected an "
        f"object that does, or a function; received {type(instance).__name__}."
    )


def _item(value: Any) -> Any:
    """A value of a config: objects and functions described, plain values as they are."""
    if not (hasattr(value, "get_config") or hasattr(value, "__name__")):
        return value
    described = serialize_keras_object(value)
    return {**described, _PASSIVE: True} if isinstance(described, dict) else described


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that `serialize_keras_object` described; functions and None stay what they are.

    A string names a function, or a class that is made without arguments. module_objects,
    custom_objects: {name: class or function}, beside those registered. printable_module_name: what
    an object is called in messages. ValueError for names that are in none of them.
    """
    if identifier is None or inspect.isfunction(identifier):
        return identifier
    if isinstance(identifier, str):
        found = _found(identifier, module_objects, custom_objects, printable_module_name)
        return found() if inspect.isclass(found) else found
    if not isinstance(identifier, dict):
        raise ValueError(
            f"Could not interpret serialized {printable_module_name}: {identifier}. Expected a "
            f"dict, a name, a function or None; received {type(identifier).__name__}."
        )
    if "class_name" not in identifier or "config" not in identifier:
        raise ValueError(
            f"Improper config format for {identifier}. Expecting python dict contains `class_name` "
            "and `config` as keys"
        )
    name = identifier["class_name"]
    cls = _found(name, module_objects, custom_objects, printable_module_name)
    config = identifier["config"]
    if isinstance(config, dict):
        config = {
            key: value if key == "name" else _revived(value, module_objects, custom_objects)
            for key, value in config.items()
        }
    with custom_object_scope(custom_objects):
        return cls.from_config(config) if hasattr(cls, "from_config") else cls(**config)


def _revived(value: Any, module_objects: Any, custom_objects: Any) -> Any:
    """A value of a config: marked objects made, names of known functions looked up."""
    if isinstance(value, dict) and _PASSIVE in value:
        return deserialize_keras_object(value, module_objects, custom_objects, "config_item")
    if isinstance(value, str):
        found = get_registered_object(value, custom_objects, module_objects)
        return found if inspect.isfunction(found) else value
    return value


def _found(name: Any, module_objects: Any, custom_objects: Any, kind: str) -> Any:
    found = get_registered_object(name, custom_objects, module_objects)
    if found is None:
        raise ValueError(
            f"Unknown {kind}: '{name}'. Please ensure you are using a "
            "`keras.utils.custom_object_scope` and that this object is included in the scope, or "
            "give it in `custom_objects` or `module_objects`."
        )
    return found


__all__ = ["deserialize_keras_object", "serialize_keras_object"]

explain_missing(__name__)
