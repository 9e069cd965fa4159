"""Saving: models and weights in Keras's files, written whole or not at all, read without trust.

The modules of the formats are imported when a file is touched: training needs none of them.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from layerkit.backend.names import explain_missing
from layerkit.backend.random import random_state_kept_on_failure
from layerkit.backend.session import names_kept_on_failure

from .. import configurable
from ..configurable import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from ..configurable import serialize as serialize_keras_object
from .paths import path_of
from .training_config import compile_as_saved, describe_training

if TYPE_CHECKING:
    from .file_editor import KerasFileEditor

_UNBUILT = (
    "You are {doing} a model that has not yet been built. {consequence}Try building the model "
    "first by calling it on some data or by using `build()`."
)


def save_model(
    model: Any,
    filepath: str | os.PathLike,
    overwrite: bool = True,
    zipped: bool | None = None,
    *,
    include_optimizer: bool = True,
    save_format: str | None = None,
) -> None:
    """Save architecture, weights, optimizer and compile arguments as a `.keras` or `.h5` file.

    Real Keras 3 reads both, unless the model computes what only older versions did: a warning tells
    of it. An older file is replaced only when the new one is whole on the disk.
    zipped: False writes what is in a `.keras` file as a folder.
    include_optimizer: False leaves out the optimizer and the other arguments of `compile`.
    save_format: as in Keras 2, "h5" or "keras", which must be what the extension says.

    ValueError for another extension, FileExistsError with `overwrite=False` where there is one.
    """
    from .atomic import replacing
    from .only_here import warn_of_what_is_only_here

    path = path_of(filepath)
    if zipped is not None and not zipped:
        _save_unzipped(model, path, overwrite, include_optimizer)
        return warn_of_what_is_only_here(model, path)
    write = _writer_for(path)
    _check_format(save_format, path)
    _warn_if_unbuilt(model)
    with replacing(path, overwrite) as file:
        write(model, file, include_optimizer)
    warn_of_what_is_only_here(model, path)


def _save_unzipped(model: Any, path: str, overwrite: bool, include_optimizer: bool) -> None:
    from .atomic_folder import replacing_folder
    from .keras_file import write_unzipped
    from .unzipped import MEMBERS

    if path.endswith(".keras"):
        raise ValueError(
            "When using `zipped=False`, the `filepath` argument should not end in `.keras`. "
            f"Received: filepath={path}. It names a folder: write '{path.removesuffix('.keras')}'."
        )
    _warn_if_unbuilt(model)
    with replacing_folder(path, MEMBERS, overwrite) as folder:
        write_unzipped(model, folder, include_optimizer)


def _warn_if_unbuilt(model: Any) -> None:
    if not model.built:
        consequence = "It might not contain any weights yet. "
        warnings.warn(_UNBUILT.format(doing="saving", consequence=consequence), stacklevel=4)


def _check_format(save_format: str | None, path: str) -> None:
    formats = {"h5": (".h5", ".hdf5"), "hdf5": (".h5", ".hdf5"), "keras": (".keras",)}
    if save_format is not None and not path.endswith(formats.get(save_format, ())):
        raise ValueError(
            f"The extension of `filepath` says the format. Received: filepath={path}, save_format="
            f"'{save_format}'. Write a name that ends in `.keras`, or in `.h5`, and leave "
            "save_format out. TensorFlow's SavedModel ('tf') is not written here."
        )


def _writer_for(path: str) -> Callable[[Any, Any, bool], None]:
    """What writes a whole model into a file of this name."""
    if path.endswith(".weights.h5"):
        raise ValueError(
            f"A whole model is saved as `.keras` or `.h5`. Received: filepath={path}. Use "
            "model.save_weights(filepath) for weights only."
        )
    if path.endswith((".h5", ".hdf5")):
        from .legacy.writing import write_legacy_model

        return write_legacy_model
    if path.endswith(".keras"):
        from .keras_file import write_keras

        return write_keras
    raise ValueError(
        "Invalid filepath extension for saving. Please add either a `.keras` extension for the "
        "native Keras format (recommended) or a `.h5` extension. Received: filepath="
        f"{path}."
    )


def packed(model: Any) -> bytes:
    """The model as the bytes of a `.keras` file: how models are pickled and deep-copied."""
    from .keras_file import write_keras

    file = io.BytesIO()
    write_keras(model, file)
    return file.getvalue()


def unpacked(content: bytes) -> Any:
    """The model that `packed` gave the bytes of."""
    from .keras_file import read_keras

    return read_keras(io.BytesIO(content), None, compile=True)


def load_model(
    filepath: str | os.PathLike,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """The model that `save_model`, here or in Keras 3, wrote; with its optimizer's state.

    custom_objects: {name: class or function} that the file names, where they are not registered.
    compile: compile as the saved model was. What cannot be restored is left out with a warning.
    safe_mode: Keras's permission to run code of the file when False. Files with code are refused
    either way: nothing in a file is ever run here.

    FileNotFoundError, or ValueError that says what the file is; TypeError for a class that nobody
    registered. Where it fails, nothing is left of it: no names given, no random numbers drawn.
    """
    from .identify import ARCHITECTURE, KERAS, LEGACY_MODEL, UNZIPPED, YAML, identify
    from .keras_file import read_keras

    path = path_of(filepath)
    kind = identify(path)
    with random_state_kept_on_failure(), names_kept_on_failure():
        if kind in (KERAS, UNZIPPED):
            return read_keras(path, custom_objects, compile)
        if kind == LEGACY_MODEL:
            from .legacy.model_file import read_legacy_model

            return read_legacy_model(path, custom_objects, compile)
    if kind in (ARCHITECTURE, YAML):
        raise ValueError(
            f"'{path}' is not a model: expected a `.keras` or `.h5` file; received {kind}. It "
            f"holds no weights: make the model with {_FROM_TEXT[kind == YAML]} and load them with "
            "model.load_weights(filepath)."
        )
    raise ValueError(
        f"'{path}' is not a model: expected a `.keras` or `.h5` file; received {kind}. This file "
        "holds weights only: build the model in code and use model.load_weights(filepath)."
    )


_FROM_TEXT = (
    "models.model_from_json(text)",
    "keras.models.model_from_yaml(text), in a Keras script,",
)


def from_architecture(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model, without weights, that a config of any Keras describes: that of its `to_json`."""
    from .legacy.configs import modern_architecture
    from .legacy.keras0 import node_order
    from .model_config import described, rebuild, weights_for_architecture, without_code
    from .refusal import expecting_a_config, naming

    name = "the architecture"
    with (
        naming(name, "is not one of a model"),
        expecting_a_config(),
        weights_for_architecture(name),
    ):
        config = without_code(config, name, custom_objects)
        with custom_object_scope(custom_objects):
            order = node_order(config)
            config, notes = modern_architecture(config)
            model = rebuild(described(config, name), name)
    model.file_notes = notes
    if order:
        model.file_order = order  # of its weights, in files of Keras 0
    return model


def from_json(text: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model, without weights, of a JSON text: see `from_architecture`.

    ValueError for a text that describes no model, or weights of more than 2 GiB; TypeError for
    what is no text.
    """
    from .json_text import check_whole, text_of
    from .model_config import read_json

    config = read_json(text_of(text), "the architecture")
    check_whole(config)
    return from_architecture(config, custom_objects)


def save_weights(
    model: Any,
    filepath: str | os.PathLike,
    overwrite: bool = True,
    max_shard_size: float | None = None,
) -> None:
    """Save the weights as a file of the kind that its ending says.

    `.weights.h5`, `.npz`: with the optimizer's state. Any other `.h5` or `.hdf5`: the weights
    alone, layer by layer, as Keras 2 wrote them; every Keras since reads it, by_name too.
    max_shard_size: gigabytes; with it `filepath` ends in `.weights.json`, and the weights lie
    beside it in parts of at most this size.

    ValueError for another extension or a model without weights yet, FileExistsError with
    `overwrite=False` where there is a file.
    """
    from .atomic import replacing

    path = path_of(filepath)
    if not model.built:
        raise ValueError(_UNBUILT.format(doing="saving", consequence=""))
    if max_shard_size is not None:
        from .shards import write_sharded_weights

        if not path.endswith(".weights.json"):
            when = " when `max_shard_size` is specified"
            raise ValueError(_wrong_ending(path, ".weights.json", when))
        return write_sharded_weights(model, path, max_shard_size, overwrite)
    write = _weights_writer_for(path)
    with replacing(path, overwrite) as file:
        write(model, file)


def _weights_writer_for(path: str) -> Callable[[Any, Any], None]:
    """What writes weights into a file of this name."""
    if path.endswith(".weights.h5"):
        from .weights_file import write_weights

        return write_weights
    if path.endswith((".h5", ".hdf5")):
        from .legacy.writing import write_legacy_weights

        return write_legacy_weights
    if path.endswith(".npz"):
        from .npz_file import write_npz

        return write_npz
    raise ValueError(_wrong_ending(path, ".weights.h5", ", or in `.h5` for the layout of Keras 2"))


def _wrong_ending(path: str, ending: str, when: str) -> str:
    folder, name = os.path.split(path)
    example = os.path.join(folder, name.partition(".")[0] + ending)
    return (
        f"The filename must end in `{ending}`{when}. Received: filepath={path}. Write, for "
        f"example, '{example}'."
    )


def load_weights(
    model: Any,
    filepath: str | os.PathLike,
    skip_mismatch: bool = False,
    by_name: bool = False,
) -> None:
    """Load the weights of a file that `save_weights` or `save` wrote, with the optimizer's state,
    or those of a legacy `.h5` file of weights or of a whole model, as in Keras without that state:
    load_model restores it.

    All or nothing: where anything does not fit, ValueError shows file and model side by side and
    nothing is changed. skip_mismatch: load the rest instead, and warn of what was left out.
    by_name, of legacy files: load the layers that have the same names, rather than one after
    another.
    """
    from .identify import (
        KERAS,
        LEGACY_MODEL,
        LEGACY_WEIGHTS,
        NPZ,
        SHARDED,
        UNZIPPED,
        WEIGHTS,
        YAML,
        identify,
    )
    from .keras_file import read_keras_weights
    from .npz_file import read_npz
    from .shards import read_sharded_weights
    from .weights_file import read_weights

    path = path_of(filepath)
    kind = identify(path)
    if not model.built:
        raise ValueError(_UNBUILT.format(doing="loading weights into", consequence=""))
    if kind in (LEGACY_MODEL, LEGACY_WEIGHTS):
        from .legacy.model_file import read_legacy_weights

        return read_legacy_weights(model, path, skip_mismatch, by_name)
    if by_name:
        raise ValueError(
            "`by_name` only supports loading legacy '.h5' or '.hdf5' files, whose layers have "
            f"names. Received: {path}, {kind}. Leave by_name out."
        )
    if kind == WEIGHTS:
        with open(path, "rb") as file:
            return read_weights(model, file, path, skip_mismatch)
    readers = {
        KERAS: read_keras_weights,
        UNZIPPED: read_keras_weights,
        SHARDED: read_sharded_weights,
        NPZ: read_npz,
    }
    if kind not in readers:
        raise ValueError(_NO_WEIGHTS.format(path=path, kind=kind, by=_FROM_TEXT[kind == YAML]))
    readers[kind](model, path, skip_mismatch)


_NO_WEIGHTS = (
    "'{path}' holds no weights: received {kind}. It describes a model only: make it with "
    "{by}, and load weights from the file that has them."
)


def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """The object that `serialize_keras_object` described.

    custom_objects, safe_mode: see `load_model`. TypeError for a name that nobody registered.
    """
    return configurable.deserialize(config, custom_objects)


CustomObjectScope = custom_object_scope


__all__ = [
    "CustomObjectScope",
    "KerasFileEditor",
    "compile_as_saved",
    "custom_object_scope",
    "describe_training",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

explain_missing(__name__, {"KerasFileEditor": "layerkit.saving.file_editor"})
