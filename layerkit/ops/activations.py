"""Activation functions, as Keras's `ops` names them: elementwise but for `glu` and softmax's kin.

Integers become `floatx()` where the result is not an integer. `x`: any shape; so is the result.
"""

from __future__ import annotations

import warnings
from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor

from ..symbolic import operation

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]


@operation
def relu(x: Any) -> Tensor:
    """max(x, 0)."""
    return K.relu(x)


@operation
def relu6(x: Any) -> Tensor:
    """min(max(x, 0), 6)."""
    return K.relu6(x)


@operation
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """x where positive, negative_slope x elsewhere."""
    return K.leaky_relu(x, negative_slope)


@operation
def hard_sigmoid(x: Any) -> Tensor:
    """min(max(x / 6 + 1 / 2, 0), 1)."""
    return K.hard_sigmoid(x)


@operation
def hard_silu(x: Any) -> Tensor:
    """x hard_sigmoid(x). Howard et al. 2019."""
    return K.hard_silu(x)


hard_swish = hard_silu


@operation
def hard_tanh(x: Any) -> Tensor:
    """min(max(x, -1), 1)."""
    return K.hard_tanh(x)


@operation
def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x where its absolute value exceeds `threshold`, 0 elsewhere."""
    return K.hard_shrink(x, threshold)


@operation
def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x moved towards 0 by `threshold`, 0 within it."""
    return K.soft_shrink(x, threshold)


@operation
def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """x where it exceeds `threshold`, `default_value` elsewhere."""
    return K.threshold(x, threshold, default_value)


@operation
def sparse_plus(x: Any) -> Tensor:
    """0 up to -1, (x + 1)² / 4 up to 1, x from there on."""
    return K.sparse_plus(x)


@operation
def sparse_sigmoid(x: Any) -> Tensor:
    """min(max((x + 1) / 2, 0), 1)."""
    return K.sparse_sigmoid(x)


@operation
def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x))."""
    return K.sigmoid(x)


@operation
def log_sigmoid(x: Any) -> Tensor:
    """log(1 / (1 + exp(-x)))."""
    return K.log_sigmoid(x)


@operation
def softplus(x: Any) -> Tensor:
    """log(1 + exp(x))."""
    return K.softplus(x)


@operation
def softsign(x: Any) -> Tensor:
    """x / (1 + |x|)."""
    return K.softsign(x)


@operation
def squareplus(x: Any, b: float = 4) -> Tensor:
    """(x + sqrt(x² + b)) / 2. Barron 2021."""
    return K.squareplus(x, b)


@operation
def silu(x: Any) -> Tensor:
    """x sigmoid(x), also called swish. Ramachandran et al. 2017."""
    return K.silu(x)


swish = silu


@operation
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where positive, alpha (exp(x) - 1) elsewhere. Clevert et al. 2016."""
    return K.elu(x, alpha)


@operation
def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where positive, alpha (exp(x / alpha) - 1) elsewhere. Barron 2017."""
    return K.celu(x, alpha)


@operation
def selu(x: Any) -> Tensor:
    """`elu` with the scale and alpha that keep mean 0 and variance 1. Klambauer et al. 2017."""
    return K.selu(x)


@operation
def gelu(x: Any, approximate: bool = True) -> Tensor:
    """x Φ(x), Φ the normal distribution function; `approximate` takes its form with tanh."""
    return K.gelu(x, approximate)


@operation
def tanh_shrink(x: Any) -> Tensor:
    """x - tanh(x)."""
    return K.tanh_shrink(x)


@operation
def glu(x: Any, axis: int = -1) -> Tensor:
    """a sigmoid(b), a and b the halves of x along `axis`. ValueError where its size is odd."""
    return K.glu(x, axis)


@operation
def softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along `axis`, one or several; a warning where there is but one entry."""
    shape = K.shape(x)
    if isinstance(axis, int) and -len(shape) <= axis < len(shape) and shape[axis] == 1:
        warnings.warn(
            f"You are using a softmax over axis {axis} of a tensor of shape {shape}. This axis has "
            "size 1, so that every result is 1: for one output use a sigmoid.",
            stacklevel=2,
        )
    return K.softmax(x, axis)


@operation
def log_softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Tensor:
    """log(softmax(x)) along `axis`, one or several, computed without overflow."""
    return K.log_softmax(x, axis)


@operation
def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """The nearest point to x with entries >= 0 of sum 1 along `axis`.

    Martins and Astudillo 2016, https://arxiv.org/abs/1602.02068.
    """
    return K.sparsemax(x, axis)
