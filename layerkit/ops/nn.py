"""Keras's `ops.nn`: activations, convolutions, normalizations, cross-entropies, attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.names import explain_missing

from ..symbolic import operation
from .activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from .convolution import (
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    conv,
    conv_transpose,
    depth_to_space,
    depthwise_conv,
    fold,
    max_pool,
    separable_conv,
    space_to_depth,
    unfold,
)
from .ctc import (
    ctc_decode,
    ctc_loss,
)

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "celu",
    "conv",
    "conv_transpose",
    "ctc_decode",
    "ctc_loss",
    "depth_to_space",
    "depthwise_conv",
    "dot_product_attention",
    "elu",
    "fold",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "layer_normalization",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "max_pool",
    "moments",
    "multi_hot",
    "normalize",
    "one_hot",
    "polar",
    "psnr",
    "relu",
    "relu6",
    "rms_normalization",
    "selu",
    "separable_conv",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "space_to_depth",
    "sparse_categorical_crossentropy",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
    "unfold",
]

Axes = int | tuple[int, ...] | list[int]


# Class numbers as rows of zeros and ones


@operation
def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """1 at the position of each integer along a new `axis` of length `num_classes`, else 0.

    An integer outside of [0, num_classes) gives zeros only. `dtype`: None for `floatx()`.
    ValueError for `sparse`.
    """
    _refuse_sparse("one_hot", sparse)
    return K.one_hot(x, num_classes, axis, dtype)


@operation
def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
) -> Tensor:
    """1 at the positions of all integers of a sample, else 0.

    `inputs`: (batch, n) or (n,); result: (batch, num_classes) or (num_classes,), with the classes
    along `axis`. `dtype`: None for `floatx()`. ValueError for `sparse`, and without `num_classes`.
    """
    _refuse_sparse("multi_hot", sparse)
    if num_classes is None:
        raise ValueError(
            "Argument `num_classes` must be specified: the largest number plus 1, or more."
        )
    inputs = K.convert_to_tensor(inputs)
    return K.max(K.one_hot(inputs, num_classes, axis, dtype), axis=1 if inputs.ndim > 1 else 0)


def _refuse_sparse(name: str, sparse: bool) -> None:
    if sparse:
        raise ValueError(
            f"{name} expects sparse=False: layerkit has no sparse tensors. Received: sparse=True"
        )


# Cross-entropies


@operation
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """-sum(target log(output)) along `axis`, of distributions of one shape: (..., classes)."""
    return K.categorical_crossentropy(target, output, from_logits, axis)


@operation
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """-log(output[target]) along `axis`; `target`: class numbers, of the output's other axes."""
    return K.sparse_categorical_crossentropy(target, output, from_logits, axis)


@operation
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """-(target log(output) + (1 - target) log(1 - output)), element by element."""
    return K.binary_crossentropy(target, output, from_logits)


# Normalization


@operation
def moments(
    x: Any, axes: Axes, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """The mean and the variance along `axes`. ValueError for `synchronized`: one device."""
    return K.moments(x, axes, keepdims, synchronized)


@operation
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, for statistics that are given.

    `mean`, `variance`, `offset`, `scale`: one number per entry of `axis`. Ioffe and Szegedy 2015.
    """
    return K.batch_normalization(x, mean, variance, axis, offset, scale, epsilon)


@operation
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Axes = -1, epsilon: float | None = None
) -> Tensor:
    """`x` with mean 0 and variance 1 along `axis`, times `gamma`, plus `beta`.

    `gamma`, `beta`: of the shape of `axis`, or None. `epsilon`: None for `epsilon()`.
    Ba et al. 2016.
    """
    return K.layer_normalization(x, gamma, beta, axis, epsilon)


@operation
def rms_normalization(
    x: Any, scale: Any = None, axis: Axes = -1, epsilon: float | None = None
) -> Tensor:
    """`x` divided by the root of its mean square along `axis`, times `scale` (or None).

    `scale`: of the shape of `axis`. `epsilon`: None for `epsilon()`. Zhang and Sennrich 2019.
    """
    return K.rms_normalization(x, scale, axis, epsilon)


@operation
def normalize(x: Any, axis: Axes = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """`x` divided by its norm of `order` along `axis`, or by `epsilon` where the norm is smaller.

    `order`: an int >= 1, else ValueError. `epsilon`: None for `epsilon()`.
    """
    if not isinstance(order, int) or isinstance(order, bool) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order}")
    epsilon = K.epsilon() if epsilon is None else epsilon
    x = K.convert_to_tensor(x)
    x = x if K.is_floating(x.dtype) else K.cast(x, K.floatx())
    wide = _wide(x if x.ndim else K.expand_dims(x, 0))
    if order == 2:
        # The bound stands inside the root, where the gradient of a norm of 0 is not infinite.
        squares = K.sum(K.square(wide), axis, keepdims=True)
        y = K.multiply(wide, K.rsqrt(K.maximum(squares, epsilon**2)))
    else:
        y = K.divide(wide, K.maximum(K.norm(wide, order, axis, keepdims=True), epsilon))
    return K.cast(y, x.dtype)


# Attention


@operation
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """softmax(scale query keyᵀ + bias) value, head by head. Vaswani et al. 2017.

    `query` (batch, T, heads, dim), `key` and `value` (batch, S, key heads, dim), where each key
    head serves as many query heads. `bias` is added to the logits; `mask` is True where a query
    may look at a key; both broadcast to (batch, heads, T, S). `is_causal`: query t sees the keys
    up to t. `scale`: None for 1 / sqrt(dim). Result: (batch, T, heads, dim). A query that sees no
    key gets the mean of all values. ValueError for other ranks, `flash_attention=True` and
    `attn_logits_soft_cap`: what they ask for is not there.
    """
    if attn_logits_soft_cap is not None:
        raise ValueError(
            "attn_logits_soft_cap is only supported for JAX on TPU. "
            f"Received: attn_logits_soft_cap={attn_logits_soft_cap}; set it to None."
        )
    if flash_attention:
        raise ValueError(
            "Flash attention is not supported: dot_product_attention expects flash_attention None "
            f"or False. Received: flash_attention={flash_attention}"
        )
    query, key, value = map(K.convert_to_tensor, (query, key, value))
    if not query.ndim == key.ndim == value.ndim == 4:
        raise ValueError(
            "`dot_product_attention` only supports 4D inputs. Received: "
            f"query.shape={query.shape}, key.shape={key.shape}, value.shape={value.shape}."
        )
    heads, key_heads, size = query.shape[2], key.shape[2], query.shape[3]
    if heads % key_heads:
        raise ValueError(
            "dot_product_attention expects a number of query heads that is a multiple of the "
            f"number of key heads. Received: {heads} and {key_heads}."
        )
    q, k, v = (K.transpose(x, (0, 2, 1, 3)) for x in (query, key, value))
    if heads != key_heads:
        k, v = (K.repeat(x, heads // key_heads, axis=1) for x in (k, v))
    logits = _wide(K.matmul(q, K.swapaxes(k, 2, 3)))
    logits = logits * (1 / math.sqrt(size) if scale is None else scale)
    if bias is not None:
        logits = logits + _per_head(bias)
    probabilities = K.softmax(_masked(logits, mask, is_causal))
    return K.transpose(K.matmul(K.cast(probabilities, v.dtype), v), (0, 2, 1, 3))


def _wide(x: Tensor) -> Tensor:
    """Halves in float32: sums need its digits."""
    return K.cast(x, "float32") if x.dtype.itemsize == 2 else x


def _per_head(x: Any) -> Tensor:
    """A bias or a mask of (batch, T, S) with an axis for the heads; others as they are."""
    x = K.convert_to_tensor(x)
    return K.expand_dims(x, 1) if x.ndim == 3 else x


def _masked(logits: Tensor, mask: Any, is_causal: bool) -> Tensor:
    """The logits, so low where a query may not look that a softmax gives 0."""
    seen = None if mask is None else K.cast(_per_head(mask), "bool")
    if is_causal:
        up_to_itself = K.tril(K.ones(logits.shape[2:], "bool"))
        seen = up_to_itself if seen is None else K.logical_and(seen, up_to_itself)
    if seen is None:
        return logits
    return K.where(seen, logits, -0.7 * float(np.finfo(logits.dtype).max))


# Others


@operation
def polar(abs_: Any, angle: Any) -> Tensor:
    """The complex numbers of absolute value `abs_` and angle `angle` in radians; no derivative."""
    return K.polar(abs_, angle)


@operation
def psnr(x1: Any, x2: Any, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio in decibels: 20 log10(max_val) - 10 log10(mean((x1 - x2)²)).

    A scalar. ValueError where the shapes differ.
    """
    x1, x2 = K.convert_to_tensor(x1), K.convert_to_tensor(x2)
    if x1.shape != x2.shape:
        raise ValueError(
            f"Input shapes {x1.shape} and {x2.shape} must match for PSNR calculation: reshape or "
            "crop one of them."
        )
    error = K.mean(K.square(x1 - x2))
    return 20 * math.log10(max_val) - 10 * K.log10(error)


explain_missing(__name__)
