"""Small helpers that scripts use beside the layers."""

from typing import TYPE_CHECKING

from layerkit.backend import (
    clear_session,
    is_keras_tensor,
    set_random_seed,
    standardize_dtype,
)
from layerkit.backend.names import explain_missing

from ..config import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
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
from ..data import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from ..symbolic import get_source_inputs
from . import bounding_boxes, legacy
from .audio_dataset import audio_dataset_from_directory
from .downloads import get_file
from .image_dataset import image_dataset_from_directory
from .images import array_to_img, img_to_array, load_img, save_img
from .named_values import Config
from .numerical import normalize, to_categorical
from .plot_model import model_to_dot, plot_model
from .progbar import Progbar
from .sequences import pad_sequences
from .splitting import split_dataset
from .text_dataset import text_dataset_from_directory
from .timeseries_dataset import timeseries_dataset_from_array

if TYPE_CHECKING:
    from .feature_space import FeatureSpace

Sequence = PyDataset  # its name in Keras 2

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "bounding_boxes",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "legacy",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

# It stands above the layers, and most of the package is below it.
explain_missing(__name__, {"FeatureSpace": "layerkit.utils.feature_space"})
