"""The `.keras` archive: a zip of metadata.json, config.json, model.weights.h5 and assets.

The same files in a folder are a model too. A config is text that names classes of the registry.
Nothing is imported, unpickled or run, and nothing unpacked to the disk but assets, to a temporary
folder.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from ..configurable import custom_object_scope
from ..version import __version__
from . import unzipped
from .assets import found_assets, load_assets
from .legacy.logits import take_logits_as_tensorflow
from .legacy.masks_that_end import with_copies
from .legacy.origin import origin_named
from .legacy.training import modern_description
from .model_config import parsed, rebuild, weights_for, without_code
from .older_versions import for_every_version
from .refusal import naming
from .shared_layers import described
from .weights_file import read_weights, write_weights

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"

_FORMAT = "3.0.0"  # the first version of Keras that reads these files
_TODAY = "3.15"  # the Keras that layerkit computes as
_SMALL = 64 * 2**20  # bytes that any member may unpack to
_RATIO = 100  # times its packed bytes that a larger one may
_MOST_ASSETS = 100_000
_MOST_METADATA = 2**20  # bytes of metadata.json
_MOST_CONFIG = 32 * 2**20  # bytes of config.json


# --- writing -----------------------------------------------------------------------------------


def write_keras(model: Any, file: BinaryIO, include_optimizer: bool = True) -> None:
    """Write `model` into the empty binary `file`."""
    import zipfile

    with zipfile.ZipFile(file, "w") as archive:
        for name, content in _members_of(model, include_optimizer):
            archive.writestr(name, content)


def write_unzipped(model: Any, folder: str, include_optimizer: bool = True) -> None:
    """Write what is in a `.keras` file into the empty `folder`."""
    unzipped.write(folder, _members_of(model, include_optimizer))


def _members_of(model: Any, include_optimizer: bool) -> Iterator[tuple[str, Any]]:
    """(name, bytes) of all that a `.keras` file holds."""
    description = described(model)
    if not include_optimizer:
        description.pop("compile_config", None)
    config = json.dumps(for_every_version(description))
    metadata = {
        "keras_version": _FORMAT,
        "layerkit_version": __version__,
        "date_saved": datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
    }
    weights = io.BytesIO()
    write_weights(model, weights, include_optimizer)
    yield METADATA, json.dumps(metadata).encode()
    yield CONFIG, config.encode()
    yield WEIGHTS, weights.getbuffer()
    yield from found_assets(model)


# --- reading -----------------------------------------------------------------------------------


def read_keras(path: Any, custom_objects: Any, compile: bool) -> Any:
    """The model in the `.keras` file at `path`, or in an open binary file."""
    config = read_config(path)
    weights = _member(path, WEIGHTS)
    with naming(path, "is not a model that can be read"), weights_for(len(weights), path):
        config = without_code(config, path, custom_objects)
        metadata = read_metadata(path)
        ours = "layerkit_version" in metadata
        origin = origin_named(_TODAY if ours else str(metadata.get("keras_version", _TODAY)))
        if origin.is_old:  # tf.keras gave its files this format too
            config = modern_description(config, origin)
        config = with_copies(config, origin)
        if not compile:
            config["compile_config"] = None
        with custom_object_scope(custom_objects):
            model = rebuild(config, path)
        if not ours:
            take_logits_as_tensorflow(model, origin, path)
        model.file_notes = origin.all_notes if origin.is_old or origin.all_notes else None
        read_weights(model, io.BytesIO(weights), path)
        _load_assets(model, path)
    return model


def read_metadata(path: Any) -> dict[str, Any]:
    """What the file says of its writer; {} where it says nothing that can be read."""
    written = METADATA in _sizes(path)
    content = _member(path, METADATA, _MOST_METADATA) if written else b"{}"
    try:
        metadata = json.loads(content)
    except (ValueError, RecursionError):
        metadata = None
    return metadata if isinstance(metadata, dict) else {}


def read_config(path: Any) -> dict[str, Any]:
    """The model's config as it is in the file. ValueError where that describes no model."""
    return parsed(_member(path, CONFIG, _MOST_CONFIG), path)


def read_weights_member(path: Any) -> BinaryIO:
    """The bytes of the weights file inside."""
    return io.BytesIO(_member(path, WEIGHTS))


def read_keras_weights(model: Any, path: str, skip_mismatch: bool) -> None:
    """Load the weights of the `.keras` file at `path` into `model`."""
    read_weights(model, read_weights_member(path), path, skip_mismatch)


def _load_assets(model: Any, path: Any) -> None:
    """Give the layers their files, in all no more than one of their size can hold."""
    found = {name: own for name, own in _sizes(path).items() if name.startswith("assets/")}
    packed = sum(own for own, _ in found.values())
    size = sum(own for _, own in found.values())
    if size > max(_SMALL, _RATIO * packed) or len(found) > _MOST_ASSETS:
        raise ValueError(
            f"Refused to read '{path}': its {len(found)} assets of {packed} bytes declare {size} "
            "bytes unpacked. Do not trust this file."
        )
    load_assets(model, list(found), lambda name: _member(path, name))


def _sizes(path: Any) -> dict[str, tuple[int, int]]:
    """{name: (packed bytes, unpacked bytes)} of all members."""
    import zipfile

    if unzipped.is_unzipped(path):
        return unzipped.sizes(path)
    with zipfile.ZipFile(path) as archive:
        return {x.filename: (x.compress_size, x.file_size) for x in archive.infolist()}


def _member(path: str, name: str, most: int | None = None) -> bytes:
    """The unpacked bytes of one member. ValueError for archives that only an attacker makes."""
    import zipfile

    if unzipped.is_unzipped(path):
        _check_size(name, *unzipped.size(path, name), path, most)
        return unzipped.read(path, name)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_names(archive.namelist(), path)
            info = archive.getinfo(name)
            if info.flag_bits & 1:
                raise ValueError(f"'{path}' is encrypted: unpack it and zip it without a password.")
            _check_size(name, info.compress_size, info.file_size, path, most)
            return archive.read(info)
    except Exception as error:  # of zipfile, or of what unpacks
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(
            f"'{path}' is not a readable `.keras` file: {error}. It is damaged: copy or download "
            "it again."
        ) from error


def _check_names(names: list[str], path: str) -> None:
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise ValueError(
                f"Refused to read '{path}': its member '{name}' leads out of the archive. Expected "
                "relative names, as Keras and layerkit write them. Do not trust this file."
            )
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(
                f"Refused to read '{path}': expected one member '{name}', found "
                f"{count}. Do not trust this file."
            )


def _check_size(name: str, packed: int, size: int, path: str, most: int | None) -> None:
    if size > max(_SMALL, _RATIO * packed) or (most is not None and size > most):
        raise ValueError(
            f"Refused to read '{path}': its member '{name}' of {packed} bytes declares {size} "
            "bytes unpacked. Do not trust this file, or zip it again without compression."
        )
