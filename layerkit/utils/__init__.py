"""Small helpers that scripts use beside the layers."""

from layerkit.backend import set_random_seed

from ..configurable import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from ..configurable import custom_object_scope as CustomObjectScope
from ..configurable import deserialize as deserialize_keras_object
from ..configurable import serialize as serialize_keras_object
from .downloads import get_file
from .numerical import normalize, to_categorical
from .session import clear_session

__all__ = [
    "CustomObjectScope",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "to_categorical",
]
