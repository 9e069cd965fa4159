"""Keras's `ops`: functions of tensors, symbolic ones too, under Keras's names."""

from . import core, nn
from .core import *  # noqa: F403
from .nn import *  # noqa: F403

__all__ = ["nn", *nn.__all__, *core.__all__]
