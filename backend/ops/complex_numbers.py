"""Complex tensors, made of real ones and taken apart again. They have no derivatives.

A tape does not follow what goes through them; the Fourier transforms of `fourier`, which have
derivatives, take and give pairs of real tensors instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import primitive
from ..registry import namespace
from .elementwise import floating, promote

__all__ = ["polar", "view_as_complex", "view_as_real"]


@primitive
def polar(abs_: Any, angle: Any, /) -> tuple:
    """The complex numbers of absolute value `abs_` and angle `angle` in radians."""
    size, angle = map(floating, promote(abs_, angle))
    xp = namespace(angle if hasattr(angle, "dtype") else size)
    return (to_complex(xp, size * xp.cos(angle), size * xp.sin(angle)),)


@primitive
def view_as_complex(x: Any, /) -> tuple:
    """x[..., 0] + i x[..., 1]. ValueError where the last axis is no pair."""
    if not x.ndim or x.shape[-1] != 2:
        raise ValueError(
            "Last dimension of input must be size 2 (real and imaginary). "
            f"Received shape: {x.shape}"
        )
    x = floating(x)
    return (to_complex(namespace(x), x[..., 0], x[..., 1]),)


@primitive
def view_as_real(x: Any, /) -> tuple:
    """The real and the imaginary parts, side by side along a new last axis of length 2."""
    return (namespace(x).stack((x.real, x.imag), -1),)


def to_complex(xp: Any, real: Any, imaginary: Any) -> Any:
    """real + i imaginary, in a type of the size of theirs (complex64 for halves)."""
    parts = "float64" if real.dtype == "float64" else "float32"
    z = xp.empty((*np.broadcast_shapes(real.shape, imaginary.shape), 2), parts)
    z[..., 0], z[..., 1] = real, imaginary
    return z.view("complex128" if parts == "float64" else "complex64")[..., 0]
