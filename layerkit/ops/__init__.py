"""Keras's `ops`: functions of tensors, symbolic ones too, under Keras's names."""

from . import core, image, linalg, math, nn, numpy
from .core import *  # noqa: F403
from .linalg import *  # noqa: F403
from .math import *  # noqa: F403
from .nn import *  # noqa: F403
from .numpy import *  # noqa: F403

__all__ = [
    "image",
    "linalg",
    "nn",
    "numpy",
    *core.__all__,
    *linalg.__all__,
    *math.__all__,
    *nn.__all__,
    *numpy.__all__,
]
