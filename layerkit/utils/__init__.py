"""Small helpers that scripts use beside the layers."""

from layerkit.backend import clear_session, set_random_seed
from layerkit.backend.names import explain_missing

from .numerical import normalize, to_categorical

__all__ = ["clear_session", "normalize", "set_random_seed", "to_categorical"]

explain_missing(__name__)
