"""Whole models in legacy HDF5 files: architecture, weights, training configuration and state."""

from __future__ import annotations

from typing import Any

from ...configurable import custom_object_scope
from .. import hdf5
from ..model_config import check_config, rebuild
from . import arrays as files
from .configs import modern
from .weights import load_by_position


def read_legacy_model(path: str, custom_objects: Any, compile: bool) -> Any:
    """The model in the legacy file at `path`."""
    with open(path, "rb") as file, hdf5.open_hdf5(file, path) as root:
        config = files.parsed(root, "model_config", path)
        training = files.parsed(root, "training_config", path) if compile else None
        origin = files.origin_of(root)
        check_config(config, path, True)
        with custom_object_scope(custom_objects):
            model = rebuild(modern(config, origin), path)
        load_by_position(model, root, path)
    return model
