"""Keras's `ops`: functions of tensors, symbolic ones too, under Keras's names."""

from . import core, image, linalg, math, nn
from .core import *  # noqa: F403
from .linalg import *  # noqa: F403
from .math import *  # noqa: F403
from .nn import *  # noqa: F403

__all__ = ["image", "linalg", "nn", *nn.__all__, *core.__all__, *math.__all__, *linalg.__all__]
