"""Mathematics beside NumPy's: segments, the largest of many, error functions, Fourier transforms.

Complex numbers are pairs of real tensors, (real, imaginary), where nothing else is said.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.allowance import check_sample, check_together

from ..symbolic import operation
from ..window_functions import window as named_window

__all__ = [
    "cdist",
    "erf",
    "erfc",
    "erfinv",
    "extract_sequences",
    "fft",
    "fft2",
    "ifft2",
    "in_top_k",
    "irfft",
    "istft",
    "logdet",
    "logsumexp",
    "rfft",
    "rsqrt",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "stft",
    "top_k",
    "view_as_complex",
    "view_as_real",
]

Pair = tuple[Tensor, Tensor]

# Segments: rows of `data` (n, ...) by the integers `segment_ids` (n,), into (num_segments, ...).
# None is the largest id plus 1; ids outside are left out. `sorted` says that the ids are in order,
# which changes nothing here.


@operation
def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The sum of the rows of each segment, 0 of none."""
    return K.segment_sum(data, segment_ids, num_segments)


@operation
def segment_prod(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The product of the rows of each segment, 1 of none. CuPy cannot compute it."""
    return K.segment_prod(data, segment_ids, num_segments)


@operation
def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The maximum of the rows of each segment; of none -inf, of integers their least number."""
    return K.segment_max(data, segment_ids, num_segments)


@operation
def segment_min(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The minimum of the rows of each segment; of none inf, of integers their greatest number."""
    return K.segment_min(data, segment_ids, num_segments)


# The largest of many


@operation
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements along the last axis, and their int32 indices.

    In descending order, the first of equal ones first. `sorted=False` allows any order; this one
    is given. ValueError where the axis has fewer than `k`.
    """
    return K.top_k(x, k, sorted)


@operation
def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """Whether fewer than `k` classes have larger predictions than the target; bools (batch,).

    `targets`: class numbers (batch,). `predictions`: (batch, classes).
    """
    predictions = K.convert_to_tensor(predictions)
    targets = K.expand_dims(K.convert_to_tensor(targets), -1)
    of_target = K.take_along_axis(predictions, targets, -1)
    if K.is_floating(predictions.dtype):
        of_target = K.where(K.isnan(of_target), -np.inf, of_target)
    return K.less(K.sum(K.cast(K.greater(predictions, of_target), "int32"), -1), k)


@operation
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) along `axis` (None: all), without overflow."""
    return K.logsumexp(x, axis, keepdims)


# Element by element


@operation
def rsqrt(x: Any) -> Tensor:
    """1 / sqrt(x)."""
    return K.rsqrt(x)


@operation
def erf(x: Any) -> Tensor:
    """The error function: 2 / sqrt(pi) times the integral of exp(-t²) from 0 to x."""
    return K.erf(x)


@operation
def erfc(x: Any) -> Tensor:
    """1 - erf(x), with all its digits where erf is close to 1."""
    return K.erfc(x)


@operation
def erfinv(x: Any) -> Tensor:
    """y with erf(y) = x: infinite for -1 and 1, nan beyond."""
    return K.erfinv(x)


@operation
def view_as_complex(x: Any) -> Tensor:
    """x[..., 0] + i x[..., 1], without derivative, in complex64. ValueError for other shapes."""
    return K.cast(K.view_as_complex(x), "complex64")


@operation
def view_as_real(x: Any) -> Tensor:
    """The real and the imaginary parts side by side along a new last axis; no derivative."""
    return K.view_as_real(x)


# Matrices


@operation
def logdet(x: Any) -> Tensor:
    """log(abs(determinant)) of square matrices (..., n, n)."""
    return K.logdet(x)


@operation
def cdist(x: Any, y: Any) -> Tensor:
    """The Euclidean distances of all rows of `x` from all rows of `y`.

    `x` (..., m, size), `y` (..., n, size), whose first axes broadcast; result (..., m, n). Where
    rows are equal the derivative is 0. ValueError for other shapes.
    """
    x, y = K.convert_to_tensor(x), K.convert_to_tensor(y)
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError(
            f"`cdist` inputs must have rank >= 2. Received: x.shape={x.shape}, y.shape={y.shape}"
        )
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(
            "Last dimension of inputs to `cdist` must match. "
            f"Received: x.shape={x.shape}, y.shape={y.shape}"
        )
    x, y = K.expand_dims(x, -2), K.expand_dims(y, -3)
    check_together(x, y)
    return K.norm(x - y, axis=-1)


# Signals: the last axis is time


@operation
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Tensor:
    """Pieces of `sequence_length`, each starting `sequence_stride` after the one before.

    `x`: (..., time); result: (..., pieces, sequence_length), without what is left at the end.
    """
    x = K.convert_to_tensor(x)
    count = max(0, 1 + (x.shape[-1] - sequence_length) // sequence_stride)
    check_sample((count, sequence_length), "int64")
    starts = np.arange(count)[:, None] * sequence_stride
    return K.take(x, starts + np.arange(sequence_length), -1)


@operation
def fft(x: Pair) -> Pair:
    """The discrete Fourier transform along the last axis, of a pair."""
    return K.fft(x)


@operation
def fft2(x: Pair) -> Pair:
    """The two-dimensional Fourier transform along the last two axes, of a pair."""
    return K.fft2(x)


@operation
def ifft2(x: Pair) -> Pair:
    """The inverse of `fft2`, of a pair."""
    return K.ifft2(x)


@operation
def rfft(x: Any, fft_length: int | None = None) -> Pair:
    """The first fft_length // 2 + 1 numbers of the transform of a real tensor, as a pair.

    `fft_length`: the last axis is cut off or filled with zeros to that length; None for its own.
    """
    return K.rfft(x, fft_length)


@operation
def irfft(x: Pair, fft_length: int | None = None) -> Tensor:
    """The real inverse of `rfft`, of length `fft_length`; None for 2 * (length - 1)."""
    return K.irfft(x, fft_length)


@operation
def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Pair:
    """The short-time Fourier transform: `rfft` of windowed pieces of the signal, as a pair.

    `x`: float32 or float64 (..., time), else TypeError. `fft_length`: at least `sequence_length`,
    which is centred in it. `window`: 'hann', 'hamming', `sequence_length` numbers, or None.
    `center`: the signal is mirrored by fft_length // 2 at both ends, so that piece i has its
    centre at i * sequence_stride. Result: (..., pieces, fft_length // 2 + 1). ValueError for other
    values.
    """
    x = K.convert_to_tensor(x)
    if x.dtype.name not in ("float32", "float64"):
        raise TypeError(
            "Invalid input type. Expected `float32` or `float64`. "
            f"Received: input type={x.dtype}: cast it."
        )
    weights = _window(window, sequence_length, sequence_stride, fft_length, x.dtype)
    if center:
        side = fft_length // 2
        x = K.pad(x, [(0, 0)] * (x.ndim - 1) + [(side, side)], mode="reflect")
    return K.rfft(extract_sequences(x, fft_length, sequence_stride) * weights, fft_length)


@operation
def istft(
    x: Pair,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """The signal whose short-time Fourier transform comes nearest to the pair `x`.

    Pieces are windowed again, added up, and divided by the sum of the squared windows (Griffin and
    Lim 1984). `length`: how much of the signal is wanted; None for all but the mirrored ends. The
    other arguments are those of `stft`, the pair (..., pieces, fft_length // 2 + 1).
    """
    pieces = K.irfft(x, fft_length)
    if pieces.ndim < 2:
        raise ValueError(
            "Input `x` must have at least 2 dimensions, (..., pieces, frequencies). "
            f"Received shape: {K.shape(x[0])}"
        )
    weights = _window(window, sequence_length, sequence_stride, fft_length, pieces.dtype)
    overlap = _added_up(np.tile(weights**2, (pieces.shape[-2], 1)), sequence_stride)
    signal = _added_up(pieces * weights, sequence_stride)
    signal = signal / K.where(K.greater(overlap, 1e-10), overlap, 1.0)
    start = fft_length // 2 if center else 0
    stop = signal.shape[-1] - start if length is None else start + length
    return signal[..., start:stop]


def _window(
    window: Any, sequence_length: int, sequence_stride: int, fft_length: int, dtype: Any
) -> np.ndarray:
    """The weights of a piece of `fft_length`, zeros around those of the sequence."""
    if not isinstance(sequence_stride, int) or sequence_stride <= 0:
        raise ValueError(
            "`sequence_stride` must be a positive integer. "
            f"Received: sequence_stride={sequence_stride}"
        )
    if fft_length < sequence_length:
        raise ValueError(
            "`fft_length` must equal or larger than `sequence_length`. "
            f"Received: sequence_length={sequence_length}, fft_length={fft_length}"
        )
    check_sample(fft_length, "float64")
    if window is None:
        return np.ones(fft_length, dtype)
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(
                "If a string is passed to `window`, it must be one of `hann`, `hamming`. "
                f"Received: window={window}"
            )
        weights = named_window(window, sequence_length)
    else:
        weights = K.to_numpy(window)
        if weights.shape != (sequence_length,):
            raise ValueError(
                f"The shape of `window` must be equal to [sequence_length], [{sequence_length}]. "
                f"Received: window shape={weights.shape}"
            )
    before = (fft_length - sequence_length) // 2
    return np.pad(weights, (before, fft_length - sequence_length - before)).astype(dtype)


def _added_up(pieces: Any, stride: int) -> Tensor:
    """Pieces (..., count, length), `stride` apart, added up in one signal: (..., time)."""
    pieces = K.convert_to_tensor(pieces)
    *batch, count, length = pieces.shape
    time = length + stride * (count - 1)
    columns = K.swapaxes(K.reshape(pieces, (-1, count, length)), 1, 2)
    return K.reshape(K.fold(columns, (1, time), (1, length), stride=(1, stride)), (*batch, time))
