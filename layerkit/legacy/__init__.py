"""What Keras keeps of Keras 2's interfaces under this name."""

from layerkit.backend.names import explain_missing

from . import saving

__all__ = ["saving"]

explain_missing(__name__)
