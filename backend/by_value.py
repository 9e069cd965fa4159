"""Activations whose derivative can be told from their value: one row each, for ops and kernels.

With the value alone, an activation can overwrite what it is applied to, and a backend can compute
it in the same pass as a bias. `value(xp, z, out)` writes into `out`, which may be z itself;
`slope(xp, g, y, out)` writes the upstream gradient g times the derivative where the value is y
into an array of its own. `cuda_value` of z and `cuda_derivative` where the value is y say the same
in CUDA C, for numbers of type A.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class ByValue(NamedTuple):
    value: Callable[[Any, Any, Any], Any]
    slope: Callable[[Any, Any, Any, Any], Any]
    cuda_value: str
    cuda_derivative: str


def _linear(xp: Any, z: Any, out: Any) -> Any:
    if out is not z:
        out[...] = z
    return out


def _relu_slope(xp: Any, g: Any, y: Any, out: Any) -> Any:
    out[...] = y > 0  # faster on NumPy than to multiply floats by booleans
    out *= g
    return out


def _sigmoid(xp: Any, z: Any, out: Any) -> Any:
    y = xp.negative(z, out=out)
    with np.errstate(over="ignore"):  # exp(-z) may become infinite, of which the inverse is 0
        xp.exp(y, out=y)
    y += 1
    return xp.reciprocal(y, out=y)


def _softplus(xp: Any, z: Any, out: Any) -> Any:
    positive = xp.maximum(z, 0)
    y = xp.negative(xp.abs(z), out=out)
    xp.exp(y, out=y)
    xp.log1p(y, out=y)
    y += positive
    return y


def _times(derivative: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any, Any], Any]:
    return lambda xp, g, y, out: xp.multiply(g, derivative(xp, y), out=out)


BY_VALUE = {
    "linear": ByValue(_linear, lambda xp, g, y, out: _linear(xp, g, out), "z", "1"),
    "relu": ByValue(
        lambda xp, z, out: xp.maximum(z, 0, out=out),
        _relu_slope,
        "z <= 0 ? A(0) : z",
        "y > 0 ? A(1) : A(0)",
    ),
    "relu6": ByValue(
        lambda xp, z, out: xp.clip(z, 0, 6, out=out),
        _times(lambda xp, y: (y > 0) & (y < 6)),
        "z <= 0 ? A(0) : z >= 6 ? A(6) : z",
        "y > 0 && y < 6 ? A(1) : A(0)",
    ),
    "sigmoid": ByValue(
        _sigmoid,
        _times(lambda xp, y: y * (1 - y)),
        "(z >= 0 ? A(1) : exp(z)) / (1 + exp(z >= 0 ? -z : z))",
        "y * (1 - y)",
    ),
    "tanh": ByValue(
        lambda xp, z, out: xp.tanh(z, out=out),
        _times(lambda xp, y: 1 - y * y),
        "tanh(z)",
        "1 - y * y",
    ),
    "softplus": ByValue(
        _softplus,
        _times(lambda xp, y: -xp.expm1(-y)),
        "(z > 0 ? z : A(0)) + log1p(exp(z > 0 ? -z : z))",
        "-expm1(-y)",
    ),
}

# Functions of a tensor that are one of the rows, and its name: layers fuse these with the bias.
FUSED: dict[Callable[..., Any], str] = {}
