"""The differentiable operations, by family; each family's `__all__` is its public list."""

from . import (
    activations,
    complex_numbers,
    convolution,
    crossentropy,
    ctc,
    decompositions,
    elementwise,
    error_functions,
    fourier,
    indexing,
    integers,
    linalg,
    normalization,
    patches,
    pooling,
    random,
    recurrent,
    reductions,
    scattering,
    searching,
    special,
)
from . import (
    shape as shaping,  # `shape` is an operation too
)
from .activations import *  # noqa: F403
from .complex_numbers import *  # noqa: F403
from .convolution import *  # noqa: F403
from .crossentropy import *  # noqa: F403
from .ctc import *  # noqa: F403
from .decompositions import *  # noqa: F403
from .elementwise import *  # noqa: F403
from .error_functions import *  # noqa: F403
from .fourier import *  # noqa: F403
from .indexing import *  # noqa: F403
from .integers import *  # noqa: F403
from .linalg import *  # noqa: F403
from .normalization import *  # noqa: F403
from .patches import *  # noqa: F403
from .pooling import *  # noqa: F403
from .random import *  # noqa: F403
from .recurrent import *  # noqa: F403
from .reductions import *  # noqa: F403
from .scattering import *  # noqa: F403
from .searching import *  # noqa: F403
from .shape import *  # noqa: F403
from .special import *  # noqa: F403

_FAMILIES = (
    elementwise,
    special,
    integers,
    reductions,
    shaping,
    indexing,
    searching,
    linalg,
    convolution,
    pooling,
    activations,
    normalization,
    crossentropy,
    ctc,
    random,
    recurrent,
    complex_numbers,
    patches,
    scattering,
    error_functions,
    fourier,
    decompositions,
)
OPERATIONS: list[str] = [name for family in _FAMILIES for name in family.__all__]
