"""Symbolic tensors, and what happens when something is called on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable)


def operation(function: F) -> F:
    """`function` of tensors, which takes symbolic ones too and then gives symbolic ones."""
    return function
