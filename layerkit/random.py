"""Keras's `random`: numbers of distributions, drawn from seeds and counters.

The same seed and counter give the same numbers on every backend. `seed` is everywhere an int (every
call gives the same numbers), a `SeedGenerator` (every call counts on), or None (the global
generator, which `utils.set_random_seed` seeds). `dtype` None is `floatx()`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import SeedGenerator, Tensor
from layerkit.backend.dtypes import is_float_dtype, is_int_dtype, standardize_dtype
from layerkit.backend.names import explain_missing

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]

Shape = tuple[int, ...] | list[int]


def uniform(
    shape: Shape, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Uniform numbers in [minval, maxval). ValueError for a dtype that is no float type."""
    if not is_float_dtype(dtype):
        raise ValueError(
            "`uniform` requires a floating point `dtype`. "
            f"Received: dtype={dtype}: `randint` draws integers."
        )
    return K.random_uniform(shape, minval, maxval, standardize_dtype(dtype), seed)


def normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Normal numbers."""
    return K.random_normal(shape, mean, stddev, standardize_dtype(dtype), seed)


def truncated_normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Normal numbers, where those beyond two standard deviations are drawn again."""
    return K.random_truncated_normal(shape, mean, stddev, standardize_dtype(dtype), seed)


def randint(
    shape: Shape, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None
) -> Tensor:
    """Integers from `minval` to `maxval` - 1. ValueError for a dtype that is no integer type."""
    dtype = "int32" if dtype is None else dtype
    if not is_int_dtype(dtype):
        raise ValueError(
            "`randint` requires an integer `dtype`. "
            f"Received: dtype={dtype}: `uniform` draws floats."
        )
    return K.random_randint(shape, minval, maxval, standardize_dtype(dtype), seed)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Class numbers (batch, num_samples) by unnormalized log-probabilities (batch, classes).

    ValueError for logits that are no matrix.
    """
    shape = K.shape(logits)
    if len(shape) != 2:
        raise ValueError(
            "`logits` should be a 2-D tensor with shape [batch_size, num_classes]. "
            f"Received: logits of shape {shape}"
        )
    return K.random_categorical(logits, num_samples, standardize_dtype(dtype or "int32"), seed)


def gamma(shape: Shape, alpha: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers of the gamma distribution with shape parameter `alpha`, broadcast, and scale 1."""
    return K.random_gamma(shape, _host(alpha), standardize_dtype(dtype), seed)


def beta(shape: Shape, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers of the beta distribution with parameters `alpha` and `beta`, broadcast."""
    return K.random_beta(shape, _host(alpha), _host(beta), standardize_dtype(dtype), seed)


def binomial(
    shape: Shape, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> Tensor:
    """How many of `counts` trials succeed, each with its probability; both are broadcast."""
    counts = np.asarray(_host(counts)).astype("int64")  # NumPy takes no floats for them
    return K.random_binomial(shape, counts, _host(probabilities), standardize_dtype(dtype), seed)


def dropout(
    inputs: Any, rate: float, noise_shape: tuple[int | None, ...] | None = None, seed: Any = None
) -> Tensor:
    """`inputs` with elements set to 0 with probability `rate`, the others divided by 1 - rate.

    `noise_shape`: the shape of the mask, broadcast against the inputs; None in it stands for the
    inputs' size. ValueError for a rate outside of [0, 1]. Srivastava et al. 2014.
    """
    return K.dropout(inputs, rate, noise_shape, seed)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """`x` with its slices along `axis` in random order."""
    return K.random_shuffle(x, axis, seed)


def _host(parameter: Any) -> Any:
    """A distribution's parameter as NumPy takes it; numbers are drawn on the host."""
    return parameter if isinstance(parameter, (int, float)) else K.to_numpy(parameter)


explain_missing(__name__)
