"""Random numbers and dropout: drawn from (seed, counter), the same on every backend.

`seed` is everywhere a `SeedGenerator` (every call counts on), an int (every call gives the same),
or None (the global generator). Distributions are drawn on the host in float64, then cast.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..autodiff import Tensor, convert_to_tensor, primitive
from ..config import floatx, is_floating
from ..random import draw_key, generator
from ..recording import per_step
from ..registry import backend_of, default_backend, namespace
from .indexing import take

__all__ = [
    "dropout",
    "random_beta",
    "random_binomial",
    "random_categorical",
    "random_gamma",
    "random_normal",
    "random_randint",
    "random_shuffle",
    "random_truncated_normal",
    "random_uniform",
]

Shape = tuple[int, ...] | list[int]


def dropout(
    inputs: Any, rate: float, noise_shape: tuple[int | None, ...] | None = None, seed: Any = None
) -> Tensor:
    """`inputs` with elements set to zero with probability `rate`, the others / (1 - rate).

    `noise_shape`: the shape of the mask, broadcast against the inputs; None in it stands for the
    inputs' size. ValueError for a rate outside [0, 1] (Srivastava et al., 2014).
    """
    inputs = convert_to_tensor(inputs)
    if not 0 <= rate <= 1:
        raise ValueError(
            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. "
            f"Received: rate={rate}"
        )
    if not is_floating(inputs.dtype):
        raise TypeError(f"dropout expects floating inputs; received {inputs.dtype}: cast them.")
    if rate == 0:
        return inputs
    shape = inputs.shape
    if noise_shape is not None:
        if len(noise_shape) != inputs.ndim:
            raise ValueError(
                f"`noise_shape` must have one entry per axis of the inputs, of shape {shape}. "
                f"Received: noise_shape={noise_shape}"
            )
        shape = tuple(n if m is None else m for n, m in zip(shape, noise_shape, strict=True))
    return _dropout(inputs, rate, shape, per_step(lambda: draw_key(seed), "uint64", 3))


@primitive
def _dropout(x: Any, /, rate: float, shape: tuple[int, ...], key: tuple) -> tuple:
    if rate == 1:
        return namespace(x).zeros_like(x), lambda g: namespace(g).zeros_like(g)
    mask = backend_of(x).dropout_mask(key, shape, rate, x.dtype)
    return x * mask, lambda g: g * mask


def random_uniform(
    shape: Shape, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Uniform numbers in [minval, maxval)."""
    dtype = np.dtype(dtype or floatx())
    numbers = generator(seed).uniform(minval, maxval, shape).astype(dtype)
    if dtype.kind == "f" and minval < maxval:  # rounding to `dtype` must not reach maxval
        numbers = np.minimum(numbers, np.nextafter(dtype.type(maxval), dtype.type(minval)))
    return _born(numbers, dtype)


def random_normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Normal numbers."""
    return _born(generator(seed).normal(mean, stddev, shape), dtype)


def random_truncated_normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Normal numbers; those more than two standard deviations from the mean are drawn again."""
    draw, size = generator(seed), prod(shape)
    kept = np.empty(0)
    while len(kept) < size:
        batch = draw.normal(mean, stddev, size)
        within = (batch >= mean - 2 * stddev) & (batch <= mean + 2 * stddev)
        kept = np.append(kept, batch[within])
    return _born(kept[:size].reshape(shape), dtype)


def random_randint(
    shape: Shape, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None
) -> Tensor:
    """Integers from minval to maxval - 1. ValueError for a dtype that is no integer type."""
    if np.dtype(dtype).kind not in "iu":
        raise ValueError(f"`randint` requires an integer `dtype`. Received: dtype={dtype}")
    return _born(generator(seed).integers(minval, maxval, shape, dtype=dtype), dtype)


def random_gamma(shape: Shape, alpha: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers of the gamma distribution with shape parameter `alpha` and scale 1."""
    return _born(generator(seed).gamma(alpha, 1.0, shape), dtype)


def random_beta(shape: Shape, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers of the beta distribution with parameters `alpha` and `beta`."""
    return _born(generator(seed).beta(alpha, beta, shape), dtype)


def random_binomial(
    shape: Shape, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> Tensor:
    """How many of `counts` trials succeed, each with its probability."""
    return _born(generator(seed).binomial(counts, probabilities, shape), dtype)


def random_categorical(
    logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None
) -> Tensor:
    """Class numbers (batch, num_samples) by unnormalized log-probabilities (batch, classes)."""
    rows, draw = convert_to_tensor(logits).numpy(), generator(seed)
    if rows.ndim != 2:
        raise ValueError(f"`logits` must have shape (batch, classes). Received: {rows.shape}")
    samples = np.empty((len(rows), num_samples), "int64")
    for sample, row in zip(samples, rows, strict=True):
        p = np.exp(row - row.max())
        sample[:] = draw.choice(len(row), num_samples, p=p / p.sum())
    return _born(samples, dtype)


def random_shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """`x` with its slices along `axis` in random order."""
    x = convert_to_tensor(x)
    return take(x, generator(seed).permutation(x.shape[axis]), axis)


def _born(numbers: np.ndarray, dtype: Any) -> Tensor:
    """Numbers drawn on the host as a tensor of the default backend."""
    return Tensor(default_backend().asarray(numbers.astype(dtype or floatx())))
