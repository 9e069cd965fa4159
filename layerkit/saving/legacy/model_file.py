"""Whole models in legacy HDF5 files: architecture, weights, training configuration and state."""

from __future__ import annotations

import os
from typing import Any

from ...configurable import custom_object_scope
from ...layers import IntegerLookup, StringLookup, TextVectorization
from .. import hdf5
from ..all_or_nothing import all_or_nothing
from ..model_config import described, rebuild, weights_for, without_code
from ..refusal import naming, tell
from ..training_config import compile_as_saved
from . import arrays as files
from .configs import modern_model
from .logits import take_logits_as_tensorflow
from .masks_that_end import with_copies
from .optimizer_state import restore_optimizer
from .training import modern_training, note_rows_that_stayed
from .weights import load_by_name, load_by_position
from .weights_alone import tell_what_meant_otherwise


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
            config = modern_model(config, origin)
            ours = origin.keras == (3, 0, 0)  # as files that layerkit writes say
            if not ours:
                config = with_copies(config, origin)
            model = rebuild(config, path)
        parts = load_by_position(model, root, path)
        if training:
            with custom_object_scope(custom_objects):
                names = getattr(model, "output_names", ())
                training = modern_training(training, origin, names)
                if training is not None:
                    compile_as_saved(model, training)
            if not ours:
                take_logits_as_tensorflow(model, origin, path)
            restore_optimizer(model, parts, root, origin, path)
            note_rows_that_stayed(model, origin)
        model.file_notes = origin.all_notes
    _tell_of_empty_vocabularies(model, path)
    return model


def _tell_of_empty_vocabularies(model: Any, path: str) -> None:
    """A warning where layers have learned a vocabulary that the file cannot hold."""
    empty = [layer.name for layer in model._flatten_layers() if _is_empty(layer)]
    if empty:
        tell(
            f"Layers {empty} of '{path}' have no vocabulary: legacy files do not hold what was "
            "learned. Give it to them by set_vocabulary() or adapt() before using the model.",
            stacklevel=5,
        )


def _is_empty(layer: Any) -> bool:
    own = type(layer) in (IntegerLookup, StringLookup, TextVectorization)
    return own and not layer.get_vocabulary(include_special_tokens=False)


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
        tell_what_meant_otherwise(model, root, path)
