"""layerkit.backend, by custom `K`: tensors, the tape, and operations with their derivatives."""

from . import operators, registry, tree
from .autodiff import (
    GradientTape,
    Tensor,
    Variable,
    compute_in,
    convert_to_tensor,
    gradients,
    primitive,
)
from .base import Backend
from .config import (
    epsilon,
    floatx,
    image_data_format,
    is_floating,
    require_bfloat16,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    standardize_data_format,
)
from .dtypes import is_float_dtype, is_int_dtype, result_type, standardize_dtype
from .gradcheck import check_gradient
from .names import explain_missing
from .ops import *  # noqa: F403
from .ops import OPERATIONS
from .random import SeedGenerator, set_random_seed
from .recording import SymbolicScope, decided, each_step, per_step
from .registry import (
    available_backends,
    backend,
    device,
    free_memory,
    get_backend,
    is_array,
    memory_info,
    register_backend,
    set_backend,
)
from .session import clear_session, get_uid, name_scope
from .stateless_scope import StatelessScope
from .symbol import is_keras_tensor

operators.bind()


def to_numpy(x: object):
    """`x` (a tensor, an array of any backend, numbers in lists) as a NumPy array."""
    return (
        registry.backend_of(x).to_numpy(x) if registry.is_array(x) else convert_to_tensor(x).numpy()
    )


__all__ = [
    "OPERATIONS",
    "Backend",
    "GradientTape",
    "SeedGenerator",
    "StatelessScope",
    "SymbolicScope",
    "Tensor",
    "Variable",
    "available_backends",
    "backend",
    "check_gradient",
    "clear_session",
    "compute_in",
    "convert_to_tensor",
    "decided",
    "device",
    "each_step",
    "epsilon",
    "floatx",
    "free_memory",
    "get_backend",
    "get_uid",
    "gradients",
    "image_data_format",
    "is_array",
    "is_float_dtype",
    "is_floating",
    "is_int_dtype",
    "is_keras_tensor",
    "memory_info",
    "name_scope",
    "per_step",
    "primitive",
    "register_backend",
    "require_bfloat16",
    "result_type",
    "set_backend",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_random_seed",
    "standardize_data_format",
    "standardize_dtype",
    "to_numpy",
    "tree",
    *OPERATIONS,
]

explain_missing(__name__, parts=["testing"])
