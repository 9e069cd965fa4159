"""tensorflow.linalg."""

from __future__ import annotations

from . import tensorflow_functions, tensorflow_names

_FUNCTIONS = tensorflow_functions.functions("linalg")
globals().update(_FUNCTIONS)
norm = tensorflow_functions.functions()["norm"]
einsum, matmul = tensorflow_names.einsum, tensorflow_names.matmul

__all__ = ["einsum", "matmul", "norm", *_FUNCTIONS]
