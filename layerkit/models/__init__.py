"""Models: Sequential, and Model to subclass."""

from layerkit.backend.names import explain_missing

from ..saving import load_model, save_model
from .model import Model
from .sequential import Sequential

__all__ = ["Model", "Sequential", "load_model", "save_model"]

explain_missing(__name__)
