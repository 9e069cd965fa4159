"""A limit to what is allocated while a stranger's file says how large things are.

A few letters of a file can declare weights that fill the memory. Whoever reads such a file says
how many bytes are enough; variables, and arrays from which shapes are found, ask here first. So do
operations whose results can be far larger than what they get. Large initial values are made last,
when all that was declared is known to be allowed, and not at all where the file gave others: a few
letters cost no more than that either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import zip_longest
from math import prod
from typing import Any

import numpy as np

LARGEST_SAMPLE = 1 << 30  # bytes of one array of a run that only finds shapes
_LARGE = 1 << 20  # bytes of a variable whose initial value waits
_MOST_PRODUCTS = 1 << 40  # multiplications of one product of matrices there
_MOST_STEPS = 1 << 33  # ... and of what decomposes matrices, which is slower
_NUMBER = 32  # bytes of one of Python's numbers in a list
_PART = 1 << 10  # bytes of the objects that stand for one of many results


class _Allowance:
    def __init__(self, left: int, name: str):
        self.left, self.name = left, name
        self.waiting: list[Callable[[], None]] = []


_allowance: ContextVar[_Allowance | None] = ContextVar("allowance", default=None)
_samples_for: ContextVar[str | None] = ContextVar("samples_for", default=None)  # a file's name


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


def spend_list(count: Any, what: str) -> None:
    """`spend` for a list of so many of Python's numbers."""
    spend((count, _NUMBER), "uint8", what)


@contextmanager
def sampling() -> Iterator[None]:
    """In the `with` block operations run to find shapes only: where a limit is set, on no more
    than a model can need."""
    limit = _allowance.get()
    token = _samples_for.set(None if limit is None else limit.name)
    try:
        yield
    finally:
        _samples_for.reset(token)


def is_sampled() -> bool:
    """Whether what is computed is to be looked at: in `sampling`, where there is a limit."""
    return _samples_for.get() is not None


def check_sample(shape: Any, dtype: Any = "float32") -> None:
    """ValueError where an array of this shape is to be made to find shapes, and is huge.

    Lengths that are no integers are left to whoever makes the array.
    """
    name = _samples_for.get()
    if name is None:
        return
    try:
        nbytes = _nbytes(shape if isinstance(shape, Iterable) else (shape,), dtype)
    except (TypeError, ValueError, OverflowError):
        return
    if nbytes > LARGEST_SAMPLE:
        raise ValueError(
            f"'{name}' declares tensors of shape {_shown(shape)}, of {nbytes} bytes; at most "
            f"{LARGEST_SAMPLE} are tried. Do not trust this file, or make the model in code and "
            "load its weights."
        )


def check_parts(count: Any) -> None:
    """`check_sample` of an operation with so many results."""
    check_sample((count, _PART), "uint8")


def check_together(*arrays: Any) -> None:
    """`check_sample` of what these arrays give when they are broadcast against each other, if
    they can be."""
    if _samples_for.get() is None:
        return
    shapes = [x.shape for x in arrays if hasattr(x, "shape")]
    axes = zip_longest(*map(reversed, shapes), fillvalue=1)
    if all(len({*lengths} - {1}) < 2 for lengths in axes):
        check_sample(_joined(shapes))


def check_product(x1: Any, x2: Any) -> None:
    """`check_sample` of the product of matrices, of two arrays of rank 2 or more."""
    if _samples_for.get() is not None:
        shape = (*_joined([x1.shape[:-2], x2.shape[:-2]]), x1.shape[-2], x2.shape[-1])
        check_sample(shape)
        _check_steps((*shape, x1.shape[-1]), _MOST_PRODUCTS)


def check_decomposition(x: Any) -> None:
    """ValueError where matrices (..., rows, columns) are to be inverted, or the like, to find
    shapes, and that would take minutes."""
    if _samples_for.get() is not None:
        _check_steps((*x.shape, min(x.shape[-2:])), _MOST_STEPS)


def _check_steps(lengths: Any, most: int) -> None:
    if prod(lengths) > most:
        raise ValueError(
            f"'{_samples_for.get()}' declares a computation with matrices of {prod(lengths)} "
            f"steps; at most {most} are tried. Do not trust this file, or make the model in code "
            "and load its weights."
        )


def check_picked(x: Any, indices: Any, axis: int | None) -> None:
    """`check_sample` of the elements of x at `indices` along `axis`; of all x for None."""
    if _samples_for.get() is None:
        return
    others = [] if axis is None else [n for i, n in enumerate(x.shape) if i != axis % x.ndim]
    check_sample((*np.shape(indices), *others), x.dtype)


def _joined(shapes: list[Any]) -> list[int]:
    """What shapes give when they are broadcast against each other."""
    return [max(lengths) for lengths in zip_longest(*map(reversed, shapes), fillvalue=1)][::-1]


def _nbytes(shape: Any, dtype: Any) -> int:
    """Of Python's integers, which do not overflow."""
    return prod(max(0, int(n)) for n in shape) * np.dtype(dtype).itemsize


def _shown(shape: Any) -> str:
    return str(tuple(shape) if isinstance(shape, Iterable) else shape)[:200]
