"""A limit to what is allocated while a stranger's file says how large things are.

A few letters of a file can declare weights that fill the memory. Whoever reads such a file says
how many bytes are enough; variables, and arrays from which shapes are found, ask here first.
Large initial values are made last, when all that was declared is known to be allowed, and not at
all where the file gave others: a few letters cost no more than that either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from typing import Any

import numpy as np

LARGEST_SAMPLE = 1 << 30  # bytes of one array of a run that only finds shapes
_LARGE = 1 << 20  # bytes of a variable whose initial value waits


class _Allowance:
    def __init__(self, left: int, name: str):
        self.left, self.name = left, name
        self.waiting: list[Callable[[], None]] = []


_allowance: ContextVar[_Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def allowance(nbytes: int, name: str) -> Iterator[None]:
    """In the `with` block variables of at most `nbytes` together are made, for the file `name`.

    Where there is a limit already, it stays the one that counts.
    """
    outer = _allowance.get()
    inner = outer or _Allowance(nbytes, name)
    token = _allowance.set(inner)
    try:
        yield
    finally:
        _allowance.reset(token)
    if outer is None:
        for fill in inner.waiting:
            fill()


def is_limited() -> bool:
    """Whether there is a limit now."""
    return _allowance.get() is not None


def spend(shape: Any, dtype: Any, what: str) -> None:
    """Count a variable of this shape, called `what`. ValueError where the limit is passed."""
    limit = _allowance.get()
    if limit is None:
        return
    nbytes = _nbytes(shape, dtype)
    limit.left -= nbytes
    if limit.left < 0:
        raise ValueError(
            f"'{limit.name}' declares '{what}' of shape {_shown(shape)}: {nbytes} bytes, where "
            f"{max(0, limit.left + nbytes)} are left of what a file of its size may need. Do not "
            "trust this file, or make the model in code and load its weights."
        )


def waits(shape: Any, dtype: Any) -> bool:
    """Whether a variable of this shape is made of zeros first, and filled by `at_the_end`."""
    return is_limited() and _nbytes(shape, dtype) >= _LARGE


def at_the_end(fill: Callable[[], None]) -> None:
    """Call `fill()` when the outermost `with` block has ended without an error."""
    limit = _allowance.get()
    assert limit is not None
    limit.waiting.append(fill)


def check_sample(shape: Any, dtype: Any) -> None:
    """ValueError where a limit is set and an array of this shape, made to find shapes, is huge."""
    limit = _allowance.get()
    if limit is not None and _nbytes(shape, dtype) > LARGEST_SAMPLE:
        raise ValueError(
            f"'{limit.name}' declares tensors of shape {_shown(shape)}, of "
            f"{_nbytes(shape, dtype)} bytes; at most {LARGEST_SAMPLE} are tried. Do not trust this "
            "file, or make the model in code and load its weights."
        )


def _nbytes(shape: Any, dtype: Any) -> int:
    """Of Python's integers, which do not overflow."""
    return prod(max(0, int(n)) for n in shape) * np.dtype(dtype).itemsize


def _shown(shape: Any) -> str:
    return str(tuple(shape))[:200]
