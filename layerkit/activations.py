"""Activations: functions of a layer's output by name, each an operation of the backend."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from types import FunctionType
from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.by_value import BY_VALUE, FUSED
from layerkit.backend.names import did_you_mean, explain_missing

from . import configurable
from .configurable import register_functions
from .symbolic import KerasTensor, class_name, named, of_symbols


def _of_symbols(function: Callable) -> Callable:
    """`function`, whose call on a symbolic tensor is the operation of that name in `ops`: Keras's
    files know those."""
    name = {"exponential": "Exp"}.get(function.__name__) or class_name(function)

    @wraps(function)
    def called(x: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(x, KerasTensor):
            return function(x, *args, **kwargs)
        given = signature(function).bind(x, *args, **kwargs)
        given.apply_defaults()  # which are not those of `ops` everywhere
        return named(name)(*given.args)

    return called


def linear(x: Any) -> Any:
    """`x` itself."""
    return x


@_of_symbols
def exponential(x: Any) -> Tensor:
    """exp(x)."""
    return K.exp(x)


def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Tensor:
    """max(x, 0), or more generally: `max_value` where x is at least that, x from `threshold` on,
    negative_slope (x - threshold) below."""
    if max_value is None and threshold == 0.0:
        return leaky_relu(x, negative_slope) if negative_slope else _relu(x)
    return _bounded_relu(x, negative_slope, max_value, threshold)


@_of_symbols
def _relu(x: Any) -> Tensor:
    return K.relu(x)


@of_symbols
def _bounded_relu(
    x: Any, negative_slope: float, max_value: float | None, threshold: float
) -> Tensor:
    x = K.convert_to_tensor(x)
    above = x if max_value is None else K.clip(x, 0.0, max_value)
    below = negative_slope * (x - threshold) if negative_slope else 0.0
    return K.where(x > threshold, above, below)


@_of_symbols
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """x where positive, negative_slope x elsewhere."""
    return K.leaky_relu(x, negative_slope)


@_of_symbols
def relu6(x: Any) -> Tensor:
    """min(max(x, 0), 6)."""
    return K.relu6(x)


@_of_symbols
def softmax(x: Any, axis: Any = -1) -> Tensor:
    """exp(x) / sum(exp(x)) over `axis`: positive, with sum 1."""
    return K.softmax(x, axis=axis)


@_of_symbols
def log_softmax(x: Any, axis: Any = -1) -> Tensor:
    """log(softmax(x)), computed without overflow."""
    return K.log_softmax(x, axis=axis)


@_of_symbols
def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """The nearest point to x whose entries are not negative and have sum 1 over `axis`.

    Martins and Astudillo 2016, https://arxiv.org/abs/1602.02068.
    """
    return K.sparsemax(x, axis=axis)


@_of_symbols
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where positive, alpha (exp(x) - 1) elsewhere."""
    return K.elu(x, alpha)


@_of_symbols
def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where positive, alpha (exp(x / alpha) - 1) elsewhere."""
    return K.celu(x, alpha)


@_of_symbols
def selu(x: Any) -> Tensor:
    """elu with the scale and alpha that keep mean 0 and variance 1. Klambauer et al. 2017."""
    return K.selu(x)


@_of_symbols
def softplus(x: Any) -> Tensor:
    """log(1 + exp(x))."""
    return K.softplus(x)


@_of_symbols
def softsign(x: Any) -> Tensor:
    """x / (1 + |x|)."""
    return K.softsign(x)


@_of_symbols
def squareplus(x: Any, b: float = 4) -> Tensor:
    """(x + sqrt(x² + b)) / 2."""
    return K.squareplus(x, b)


@_of_symbols
def sparse_plus(x: Any) -> Tensor:
    """0 up to -1, (x + 1)² / 4 up to 1, x from there on."""
    return K.sparse_plus(x)


@_of_symbols
def silu(x: Any) -> Tensor:
    """x sigmoid(x), also called swish."""
    return K.silu(x)


@_of_symbols
def gelu(x: Any, approximate: bool = False) -> Tensor:
    """x Φ(x), Φ the normal distribution function; `approximate` takes its form with tanh."""
    return K.gelu(x, approximate=approximate)


@_of_symbols
def glu(x: Any, axis: int = -1) -> Tensor:
    """a sigmoid(b), a and b the halves of x along `axis`."""
    return K.glu(x, axis=axis)


def mish(x: Any) -> Tensor:
    """x tanh(softplus(x))."""
    if isinstance(x, KerasTensor):  # by operations that files of Keras know
        return x * tanh(softplus(x))
    return K.mish(x)


@_of_symbols
def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return K.tanh(x)


@_of_symbols
def tanh_shrink(x: Any) -> Tensor:
    """x - tanh(x)."""
    return K.tanh_shrink(x)


@_of_symbols
def hard_tanh(x: Any) -> Tensor:
    """x between -1 and 1, -1 and 1 outside."""
    return K.hard_tanh(x)


@_of_symbols
def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x))."""
    return K.sigmoid(x)


@_of_symbols
def log_sigmoid(x: Any) -> Tensor:
    """log(sigmoid(x)), computed without overflow."""
    return K.log_sigmoid(x)


@_of_symbols
def hard_sigmoid(x: Any) -> Tensor:
    """x / 6 + 1 / 2 between -3 and 3, 0 and 1 outside."""
    return K.hard_sigmoid(x)


@of_symbols
def hard_sigmoid_keras2(x: Any) -> Tensor:
    """x / 5 + 1 / 2 between -2.5 and 2.5, 0 and 1 outside: hard_sigmoid before Keras 3."""
    return K.clip(0.2 * K.convert_to_tensor(x) + 0.5, 0.0, 1.0)


@_of_symbols
def sparse_sigmoid(x: Any) -> Tensor:
    """(x + 1) / 2 between -1 and 1, 0 and 1 outside."""
    return K.sparse_sigmoid(x)


@_of_symbols
def hard_silu(x: Any) -> Tensor:
    """x hard_sigmoid(x), also called hard_swish."""
    return K.hard_silu(x)


@_of_symbols
def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x moved towards 0 by `threshold`, and 0 where it would pass it."""
    return K.soft_shrink(x, threshold)


@_of_symbols
def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x where |x| > threshold, 0 elsewhere."""
    return K.hard_shrink(x, threshold)


@_of_symbols
def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """x where x > threshold, default_value elsewhere."""
    return K.threshold(x, threshold, default_value)


swish, hard_swish = silu, hard_silu

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: thing
    for name, thing in list(globals().items())
    if isinstance(thing, FunctionType) and thing.__module__ == __name__ and name[0] != "_"
}
register_functions(*FUNCTIONS.values())
FUSED.update({FUNCTIONS[name]: name for name in BY_VALUE})


def get(identifier: Any) -> Callable[..., Any]:
    """The activation that `identifier` means; None is `linear`.

    A name, a config, or anything that can be called. ValueError for others.
    """
    if identifier is None:
        return linear
    found = identifier
    if isinstance(identifier, dict):
        found = configurable.deserialize(identifier)
    elif isinstance(identifier, str):
        found = FUNCTIONS.get(identifier) or configurable.get_registered_object(identifier)
    if not callable(found):
        hint = ""
        if isinstance(identifier, str):
            elsewhere = configurable.found_elsewhere(identifier)
            hint = elsewhere or did_you_mean(identifier, FUNCTIONS)
        raise ValueError(f"Could not interpret activation function identifier: {identifier}.{hint}")
    if isinstance(found, type):
        raise ValueError(
            f"Could not interpret activation function identifier: {identifier}. That is a class: "
            f"give an object of it, {found.__name__}()."
        )
    return found


def serialize(activation: Callable[..., Any]) -> Any:
    """The name of an activation of this module; of others, the description that `get` takes."""
    name = getattr(activation, "__name__", None)
    if name in FUNCTIONS and FUNCTIONS[name] is activation:
        return name
    return configurable.serialize(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Callable[..., Any]:
    """The activation that `serialize` described; `custom_objects` are {name: function}."""
    if not custom_objects:
        return get(config)
    with configurable.custom_object_scope(custom_objects):
        return get(custom_objects.get(config, config) if isinstance(config, str) else config)


explain_missing(__name__)
