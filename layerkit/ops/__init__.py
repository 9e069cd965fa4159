"""Keras's `ops`: functions of tensors, symbolic ones too, under Keras's names."""

from layerkit.backend.names import explain_missing

from . import axes, core, image, linalg, math, nn, numpy
from .axes import *  # noqa: F403
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
    *axes.__all__,
    *core.__all__,
    *linalg.__all__,
    *math.__all__,
    *nn.__all__,
    *numpy.__all__,
]

explain_missing(__name__)
