"""Small helpers that scripts use beside the layers."""

from layerkit.backend import set_random_seed

from ..data import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from .numerical import normalize, to_categorical
from .session import clear_session

Sequence = PyDataset

__all__ = [
    "PyDataset",
    "Sequence",
    "clear_session",
    "normalize",
    "pack_x_y_sample_weight",
    "set_random_seed",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
