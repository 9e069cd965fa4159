"""Keras's `ops`: functions of tensors, symbolic ones too, under Keras's names."""

from . import nn
from .nn import *  # noqa: F403

__all__ = ["nn", *nn.__all__]
