"""Fourier transforms. Complex numbers are pairs of real tensors: (real, imaginary).

The adjoint of a transform is the transform back without its scale, so a gradient is one transform
of the upstream gradients (Cooley and Tukey 1965 for the algorithm, which is the array module's).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..allowance import check_sample
from ..autodiff import convert_to_tensor, primitive, remembered
from ..config import is_floating
from ..registry import namespace
from .complex_numbers import to_complex

__all__ = ["fft", "fft2", "ifft2", "irfft", "rfft"]


def fft(x: Any) -> tuple[Any, Any]:
    """The discrete Fourier transform along the last axis.

    `x`: a pair of float tensors of one shape, the real and the imaginary parts; so is the result.
    ValueError for anything else.
    """
    return _transform(*_parts(x), forward="fft", back="ifft")


def fft2(x: Any) -> tuple[Any, Any]:
    """The two-dimensional transform along the last two axes of a pair; see `fft`."""
    return _transform(*_parts(x), forward="fft2", back="ifft2")


def ifft2(x: Any) -> tuple[Any, Any]:
    """The inverse of `fft2`, of a pair."""
    return _transform(*_parts(x), forward="ifft2", back="fft2")


def rfft(x: Any, fft_length: int | None = None) -> tuple[Any, Any]:
    """The first fft_length // 2 + 1 numbers of the transform of real `x` along the last axis.

    `fft_length`: the axis is cut off or filled with zeros to that length; None for its own.
    Result: the pair of real and imaginary parts. ValueError for inputs that are no floats.
    """
    x = convert_to_tensor(x)
    if not is_floating(x.dtype):
        raise ValueError(f"rfft expects a float tensor; received {x.dtype}: cast it.")
    return _rfft(x, x.shape[-1] if fft_length is None else int(fft_length))


def irfft(x: Any, fft_length: int | None = None) -> Any:
    """The real inverse of `rfft`, of length `fft_length` (None: 2 * (length - 1)), of a pair."""
    real, imaginary = _parts(x)
    length = 2 * (real.shape[-1] - 1) if fft_length is None else int(fft_length)
    return _irfft(real, imaginary, length)


def _parts(x: Any) -> tuple[Any, Any]:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(
            "Input `x` should be a tuple of two tensors - real and imaginary. "
            f"Received: x of type {type(x).__name__}"
        )
    real, imaginary = map(convert_to_tensor, x)
    if real.shape != imaginary.shape:
        raise ValueError(
            "Input `x` should be a tuple of two tensors - real and imaginary. Both the real and "
            "imaginary parts should have the same shape. Received: "
            f"x[0].shape = {real.shape}, x[1].shape = {imaginary.shape}"
        )
    if not is_floating(real.dtype) or not is_floating(imaginary.dtype):
        raise ValueError(
            "At least one tensor in input `x` is not of type float. "
            f"Received: {real.dtype} and {imaginary.dtype}: cast them."
        )
    return real, imaginary


@primitive
def _transform(real: Any, imaginary: Any, /, forward: str, back: str) -> tuple:
    xp = namespace(real)
    y = getattr(xp.fft, forward)(to_complex(xp, real, imaginary))
    adjoint = getattr(xp.fft, back)  # norm="forward" has no scale on the way back, and 1/n forth
    pull = remembered(lambda *gs: adjoint(_upstream(gs), norm="forward"))
    return (
        _pair(y, real.dtype),
        lambda *gs: pull(*gs).real,
        lambda *gs: pull(*gs).imag,
    )


@primitive
def _rfft(x: Any, /, length: int) -> tuple:
    transforms = namespace(x).fft
    check_sample((*x.shape[:-1], length), "complex64")

    def vjp(*gs: Any) -> Any:
        g = transforms.ifft(_upstream(gs), length, norm="forward").real
        return _to_length(g, x.shape[-1])

    return _pair(transforms.rfft(x, length), x.dtype), vjp


@primitive
def _irfft(real: Any, imaginary: Any, /, length: int) -> tuple:
    xp = namespace(real)
    check_sample((*real.shape[:-1], length), "complex64")
    y = xp.fft.irfft(to_complex(xp, real, imaginary), length)

    @remembered
    def pull(g: Any) -> Any:
        z = xp.fft.rfft(g, norm="forward")
        z[..., 1 : (length + 1) // 2] *= 2  # these stand for their conjugates as well
        return _to_length(z, real.shape[-1])

    return y.astype(real.dtype, copy=False), lambda g: pull(g).real, lambda g: pull(g).imag


def _pair(z: Any, dtype: Any) -> tuple[Any, Any]:
    return z.real.astype(dtype, copy=False), z.imag.astype(dtype, copy=False)


def _upstream(gs: tuple) -> Any:
    """The upstream gradients of a pair as one complex array; zeros for the part nothing used."""
    real, imaginary = gs
    like = imaginary if real is None else real
    zeros: Callable = namespace(like).zeros_like
    return to_complex(
        namespace(like),
        zeros(like) if real is None else real,
        zeros(like) if imaginary is None else imaginary,
    )


def _to_length(x: Any, length: int) -> Any:
    """The last axis cut off, or filled with zeros."""
    if x.shape[-1] >= length:
        return x[..., :length]
    y = namespace(x).zeros((*x.shape[:-1], length), x.dtype)
    y[..., : x.shape[-1]] = x
    return y
