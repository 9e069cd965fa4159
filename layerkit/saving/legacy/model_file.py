"""Whole models in legacy HDF5 files: architecture, weights, training configuration and state."""

from __future__ import annotations

import os
from typing import Any

from ...configurable import custom_object_scope
from .. import hdf5
from ..all_or_nothing import all_or_nothing
from ..model_config import described, rebuild, weights_for, without_code
from ..refusal import naming
from ..training_config import compile_as_saved
from . import arrays as files
from .configs import modern_model
from .optimizer_state import restore_optimizer
from .training import modern_training, note_rows_that_stayed
from .weights import load_by_name, load_by_position


def read_legacy_model(path: str, custom_objects: Any, compile: bool) -> Any:
    """The model in the legacy file at `path`."""
    with (
        open(path, "rb") as file,
        hdf5.open_hdf5(file, path) as root,
        weights_for(os.path.getsize(path), path),
    ):
        config = described(files.parsed(root, "model_config", path), path)
        training = files.parsed(root, "training_config", path) if compile else None
        origin = files.origin_of(root)
        shapes = {layer.name: layer.shapes for layer in files.stored_layers(root)}
        origin = origin._replace(shapes=shapes)
        config = without_code(config, path, custom_objects)
        with custom_object_scope(custom_objects), naming(path, "does not describe a model"):
            model = rebuild(modern_model(config, origin), path)
        parts = load_by_position(model, root, path)
        if training:
            with custom_object_scope(custom_objects):
                names = getattr(model, "output_names", ())
                training = modern_training(training, origin, names)
                if training is not None:
                    compile_as_saved(model, training)
            restore_optimizer(model, parts, root, origin, path)
            note_rows_that_stayed(model, origin)
        model.file_notes = origin.all_notes
    return model


def read_legacy_weights(
    model: Any, path: str, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Load the weights of a legacy file, of weights or of a whole model, into `model`."""
    load = load_by_name if by_name else load_by_position
    with (
        open(path, "rb") as file,
        hdf5.open_hdf5(file, path) as root,
        all_or_nothing(model),
    ):
        load(model, root, path, skip_mismatch)
