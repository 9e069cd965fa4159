"""tensorflow.nn."""

from __future__ import annotations

from typing import Any

from .. import ops
from .. import random as keras_random
from . import tensorflow_functions, tensorflow_math, tensorflow_names

_FUNCTIONS = tensorflow_functions.functions("nn")
globals().update(_FUNCTIONS)
sigmoid, tanh = ops.sigmoid, ops.tanh
embedding_lookup, top_k = tensorflow_names.gather, tensorflow_math.top_k


def dropout(x: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """`x` with entries dropped and the others scaled up."""
    return keras_random.dropout(x, rate, noise_shape, seed)


def bias_add(value: Any, bias: Any) -> Any:
    """`value` plus a bias of (channels,), which are the last axis."""
    return value + bias


def l2_loss(t: Any) -> Any:
    """Half of the sum of squares."""
    return ops.sum(ops.square(t)) / 2


def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any) -> Any:
    """Entry by entry."""
    return ops.binary_crossentropy(labels, logits, from_logits=True)


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1) -> Any:
    """Of distributions along an axis."""
    return ops.categorical_crossentropy(labels, logits, from_logits=True, axis=axis)


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any) -> Any:
    """Of labels, along the last axis."""
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def conv2d(input: Any, filters: Any, strides: Any, padding: str) -> Any:  # noqa: A002
    """A convolution of images with channels last; 'SAME' or 'VALID'."""
    return ops.conv(input, filters, _of_space(strides), padding.lower(), "channels_last")


def max_pool2d(input: Any, ksize: Any, strides: Any, padding: str) -> Any:  # noqa: A002
    """The largest of each window of images with channels last."""
    sizes = _of_space(ksize), _of_space(strides)
    return ops.max_pool(input, *sizes, padding.lower(), "channels_last")


def avg_pool2d(input: Any, ksize: Any, strides: Any, padding: str) -> Any:  # noqa: A002
    """The mean of each window of images with channels last."""
    sizes = _of_space(ksize), _of_space(strides)
    return ops.average_pool(input, *sizes, padding.lower(), "channels_last")


max_pool, avg_pool = max_pool2d, avg_pool2d


def _of_space(sizes: Any) -> Any:
    """(rows, columns) of one number, two, or the four that include batch and channels."""
    if isinstance(sizes, int):
        return sizes
    return tuple(sizes[1:3]) if len(sizes) == 4 else tuple(sizes)


__all__ = [
    "avg_pool",
    "avg_pool2d",
    "bias_add",
    "conv2d",
    "dropout",
    "embedding_lookup",
    "l2_loss",
    "max_pool",
    "max_pool2d",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
    "tanh",
    "top_k",
    *_FUNCTIONS,
]
