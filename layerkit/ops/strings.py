"""Strings: they are NumPy arrays, for no tensor holds them, and operations of shapes take them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from ..data.rows import is_strings, is_text

F = TypeVar("F", bound=Callable)


def or_strings(function: F, of_strings: Callable) -> F:
    """`function` of a tensor and options; what NumPy's `of_strings` gives for an array of strings.

    The options of both are the same, in the same order.
    """

    @wraps(function)
    def called(x: Any, *args: Any, **kwargs: Any) -> Any:
        if is_strings(x):
            return of_strings(x, *args, *kwargs.values())
        return function(x, *args, **kwargs)

    return called  # type: ignore[return-value]


def as_strings(x: Any) -> np.ndarray | None:
    """A str, or nested lists of str, as a NumPy array; None for anything else."""
    if isinstance(x, (str, bytes, list, tuple, np.ndarray)):
        try:
            array = np.asarray(x)
        except ValueError:  # rows of unequal length
            return None
        if array.dtype.kind in "OSU" and array.size and is_text(array):
            return array
    return None
