"""Whole models in legacy HDF5 files: architecture, weights, training configuration and state."""

from __future__ import annotations

from typing import Any

from ...configurable import custom_object_scope
from .. import hdf5
from ..model_config import described, rebuild, without_code
from ..training_config import compile_as_saved
from . import arrays as files
from .configs import Origin, modern, with_data_format
from .optimizer_state import modern_optimizer, restore_optimizer
from .weights import load_by_name, load_by_position


def read_legacy_model(path: str, custom_objects: Any, compile: bool) -> Any:
    """The model in the legacy file at `path`."""
    with open(path, "rb") as file, hdf5.open_hdf5(file, path) as root:
        config = described(files.parsed(root, "model_config", path), path)
        training = files.parsed(root, "training_config", path) if compile else None
        origin = files.origin_of(root)
        config = without_code(config, path, custom_objects)
        with custom_object_scope(custom_objects):
            model = rebuild(modern(config, with_data_format(origin, config)), path)
        model.file_notes = tuple(note for notes in origin.notes for note in notes)
        parts = load_by_position(model, root, path)
        if training:
            with custom_object_scope(custom_objects):
                compile_as_saved(model, modern_training(training, origin))
            restore_optimizer(model, parts, root, origin, path)
    return model


def read_legacy_weights(
    model: Any, path: str, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Load the weights of a legacy file, of weights or of a whole model, into `model`."""
    load = load_by_name if by_name else load_by_position
    with open(path, "rb") as file, hdf5.open_hdf5(file, path) as root:
        load(model, root, path, skip_mismatch)


def modern_training(config: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """A training configuration of any age as `compile_as_saved` takes it."""
    config = dict(config)
    optimizer = config.pop("optimizer_config", None)
    if isinstance(optimizer, dict):
        config["optimizer"] = modern_optimizer(optimizer, origin)
    if config.get("sample_weight_mode") in (None, "temporal"):  # the weights' shape says it now
        config.pop("sample_weight_mode", None)
    for key, family in _FAMILIES.items():
        if key in config:
            config[key] = _of_family(config[key], family)
    return config


_FAMILIES = {"loss": "losses", "metrics": "metrics", "weighted_metrics": "metrics"}


def _of_family(value: Any, family: str) -> Any:
    """Losses or metrics as they were given, with the module that old files leave out."""
    if isinstance(value, list):
        return [_of_family(item, family) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {key: _of_family(item, family) for key, item in value.items()}
    function = value["config"].get("fn") if isinstance(value["config"], dict) else None
    if isinstance(function, str):  # tf.keras keeps what it made of a function's name
        return function
    if "module" in value:
        return value
    config = {key: x for key, x in value["config"].items() if (key, x) != ("reduction", "auto")}
    return {"module": f"keras.{family}", **value, "config": config}
