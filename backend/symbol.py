"""What stands for a tensor without values. What it can do is said on the floors above."""

from __future__ import annotations

from typing import Any


class Symbol:
    """Base of symbolic tensors."""


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is symbolic: a shape and a dtype, and no values."""
    return isinstance(x, Symbol)
