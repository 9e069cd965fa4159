"""The differentiable operations, by family; each family's `__all__` is its public list."""

from . import (
    activations,
    color,
    convolution,
    crossentropy,
    elementwise,
    image,
    indexing,
    linalg,
    normalization,
    pooling,
    random,
    recurrent,
    reductions,
)
from . import (
    shape as shaping,  # `shape` is an operation too
)
from .activations import *  # noqa: F403
from .color import *  # noqa: F403
from .convolution import *  # noqa: F403
from .crossentropy import *  # noqa: F403
from .elementwise import *  # noqa: F403
from .image import *  # noqa: F403
from .indexing import *  # noqa: F403
from .linalg import *  # noqa: F403
from .normalization import *  # noqa: F403
from .pooling import *  # noqa: F403
from .random import *  # noqa: F403
from .recurrent import *  # noqa: F403
from .reductions import *  # noqa: F403
from .shape import *  # noqa: F403

_FAMILIES = (
    elementwise,
    reductions,
    shaping,
    indexing,
    linalg,
    convolution,
    pooling,
    activations,
    normalization,
    crossentropy,
    random,
    recurrent,
    image,
    color,
)
OPERATIONS: list[str] = [name for family in _FAMILIES for name in family.__all__]
