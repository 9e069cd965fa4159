"""keras.backend of Keras 1 and 2, apart from what `layerkit.ops` has under the same name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from layerkit import backend as K

from .. import activations, initializers, ops
from .. import random as keras_random
from ..layers import Input
from ..models import Functional
from ..symbolic import KerasTensor, is_symbolic

# Names and settings.

backend = K.backend
epsilon, set_epsilon = K.epsilon, K.set_epsilon
floatx, set_floatx = K.floatx, K.set_floatx
image_data_format, set_image_data_format = K.image_data_format, K.set_image_data_format


def clear_session() -> None:
    """As `utils.clear_session`."""
    from ..utils import clear_session

    clear_session()


reset_uids = clear_session


def image_dim_ordering() -> str:
    """'tf' where images have channels last, 'th' where first."""
    return "tf" if image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """'tf' or 'th'."""
    set_image_data_format({"tf": "channels_last", "th": "channels_first"}[dim_ordering])


def learning_phase() -> int:
    """0: outside of a call with `training=True` nothing is in training."""
    return 0


def set_learning_phase(value: Any) -> None:
    """NotImplementedError: training is an argument of the call."""
    raise NotImplementedError(
        "set_learning_phase() has no counterpart: call the model or layer with training=True or "
        "training=False."
    )


# Making tensors.


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Any:
    """A Variable with this value."""
    made = K.Variable(np.asarray(value, dtype or floatx()), name=name)
    made.constraint = constraint
    return made


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Any:
    """A tensor with this value, repeated to `shape`."""
    array = np.asarray(value, dtype or floatx())
    return K.convert_to_tensor(array if shape is None else np.broadcast_to(array, shape).copy())


def placeholder(
    shape: Any = None, ndim: int | None = None, dtype: Any = None, name: str | None = None
) -> KerasTensor:
    """A symbolic tensor of `shape`, batch axis included, or of `ndim` free axes."""
    if shape is None and ndim is None:
        raise ValueError("placeholder() needs `shape` or `ndim`.")
    full = tuple(shape) if shape is not None else (None,) * (ndim or 0)
    return Input(batch_shape=full, dtype=dtype, name=name)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A Variable of zeros."""
    return variable(np.zeros(shape), dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A Variable of ones."""
    return variable(np.ones(shape), dtype, name)


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers."""
    return keras_random.normal(shape, mean, stddev, dtype, seed)


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Uniform numbers."""
    return keras_random.uniform(shape, minval, maxval, dtype, seed)


def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: Any = None) -> Any:
    """1 with probability `p`, else 0."""
    return ops.cast(keras_random.uniform(shape, seed=seed) < p, dtype or floatx())


random_binomial = random_bernoulli


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers, those beyond two standard deviations drawn again."""
    return initializers.TruncatedNormal(mean, stddev, seed)(tuple(shape), dtype)


# Looking at tensors and changing variables.


def int_shape(x: Any) -> tuple | None:
    """The shape, None for free axes."""
    return tuple(x.shape) if hasattr(x, "shape") else None


def ndim(x: Any) -> int:
    """How many axes a tensor has."""
    return len(x.shape)


def dtype(x: Any) -> str:
    """The name of a tensor's type."""
    return str(x.dtype)


def count_params(x: Any) -> int:
    """How many numbers a tensor holds."""
    return int(np.prod(x.shape))


def get_value(x: Any) -> np.ndarray:
    """The value as a NumPy array."""
    return K.to_numpy(x)


eval = get_value


def set_value(x: Any, value: Any) -> None:
    """Assign a variable."""
    x.assign(value)


def batch_get_value(tensors: Sequence[Any]) -> list[np.ndarray]:
    """The values of several tensors."""
    return [get_value(x) for x in tensors]


def batch_set_value(tuples: Sequence[tuple[Any, Any]]) -> None:
    """Assign several variables: pairs of variable and value."""
    for x, value in tuples:
        set_value(x, value)


def update(x: Any, new_x: Any) -> Any:
    """Assign a variable; returns it."""
    return x.assign(new_x)


def update_add(x: Any, increment: Any) -> Any:
    """Add to a variable; returns it."""
    return x.assign_add(increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """Subtract from a variable; returns it."""
    return x.assign_sub(decrement)


def moving_average_update(x: Any, value: Any, momentum: float) -> Any:
    """Let a variable follow `value`."""
    return x.assign(x * momentum + value * (1 - momentum))


def function(inputs: Any, outputs: Any, updates: Any = None, name: str | None = None) -> Callable:
    """A function of a list of arrays that gives the outputs as a list of arrays.

    `inputs` and `outputs` are symbolic; `learning_phase()` among the inputs says whether the call
    is one of training. NotImplementedError for `updates`.
    """
    if updates:
        raise NotImplementedError(
            "K.function(updates=...) is not available: assign the variables in a function of your "
            "own, after calling this one."
        )
    given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    symbols = [x for x in given if isinstance(x, KerasTensor)]
    model = Functional(symbols, list(outputs) if isinstance(outputs, (list, tuple)) else [outputs])

    def call(values: Any) -> list[np.ndarray]:
        values = list(values) if isinstance(values, (list, tuple)) else [values]
        data = [v for x, v in zip(given, values, strict=True) if isinstance(x, KerasTensor)]
        phase = [v for x, v in zip(given, values, strict=True) if not isinstance(x, KerasTensor)]
        results = model(data, training=bool(phase[0]) if phase else False)
        results = results if isinstance(results, (list, tuple)) else [results]
        found = [K.to_numpy(y) for y in results]
        return found if isinstance(outputs, (list, tuple)) else found[0]

    return call


def gradients(loss: Any, variables: Any) -> Any:
    """NotImplementedError: symbolic tensors have no gradients."""
    raise NotImplementedError(
        "K.gradients() of symbolic tensors is not available: compute inside `with "
        "GradientTape() as tape:` and call tape.gradient(loss, variables)."
    )


def print_tensor(x: Any, message: str = "") -> Any:
    """Print a tensor's value; returns the tensor."""
    if not is_symbolic(x):
        print(message, K.to_numpy(x))
    return x


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` where `training` is true, else `alt`; functions are called."""
    chosen = x if training else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`alt` where `training` is true, else `x`; functions are called."""
    return in_train_phase(alt, x, training)


# Arithmetic and shapes under other names.

pow = ops.power
gather = ops.take
permute_dimensions = ops.transpose
reverse = ops.flip


def batch_flatten(x: Any) -> Any:
    """All axes but the first as one."""
    return ops.reshape(x, (-1, int(np.prod(x.shape[1:]))))


def flatten(x: Any) -> Any:
    """All axes as one."""
    return ops.reshape(x, (-1,))


def cast_to_floatx(x: Any) -> Any:
    """`x` as `floatx`: arrays stay arrays."""
    return ops.cast(x, floatx()) if ops.is_tensor(x) or is_symbolic(x) else np.asarray(x, floatx())


def repeat(x: Any, n: int) -> Any:
    """(batch, features) repeated n times: (batch, n, features)."""
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Each element `rep` times along an axis."""
    return ops.repeat(x, rep, axis=axis)


def one_hot(indices: Any, num_classes: int) -> Any:
    """Indices as one-hot vectors."""
    return ops.one_hot(indices, num_classes)


def l2_normalize(x: Any, axis: int | None = None) -> Any:
    """`x` divided by its norm along an axis."""
    return x / ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Products sample by sample, as the layer Dot computes them."""
    from ..layers import dot as dot_layer

    if axes is None:
        axes = (x.ndim - 1, y.ndim - 2 if y.ndim > 2 else y.ndim - 1)
    return dot_layer([x, y], axes=axes)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """`x` plus a bias of (channels,)."""
    if (data_format or image_data_format()) == "channels_first" and len(x.shape) > 2:
        return x + ops.reshape(bias, (-1, *(1,) * (len(x.shape) - 2)))
    return x + bias


def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """`x` with entries dropped and the others scaled up."""
    return keras_random.dropout(x, level, noise_shape, seed)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Entries of one or the other tensor; functions are called."""
    then = then_expression() if callable(then_expression) else then_expression
    other = else_expression() if callable(else_expression) else else_expression
    return ops.where(condition, then, other)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Entry by entry."""
    return ops.binary_crossentropy(target, output, from_logits)


def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Of one-hot targets, along an axis."""
    return ops.categorical_crossentropy(target, output, from_logits, axis)


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Of labels, along an axis."""
    return ops.sparse_categorical_crossentropy(target, output, from_logits, axis)


def _by_default(function: Callable, **defaults: Any) -> Callable:
    """The function with the defaults that it had."""

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **(kwargs if len(args) > 1 else {**defaults, **kwargs}))

    return called


argmax, argmin = _by_default(ops.argmax, axis=-1), _by_default(ops.argmin, axis=-1)
concatenate = _by_default(ops.concatenate, axis=-1)
cumprod, cumsum = _by_default(ops.cumprod, axis=0), _by_default(ops.cumsum, axis=0)
expand_dims = _by_default(ops.expand_dims, axis=-1)


def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    """`x` between two bounds."""
    return ops.clip(x, min_value, max_value)


def identity(x: Any, name: str | None = None) -> Any:
    """The tensor itself."""
    return x


def eye(size: int, dtype: Any = None, name: str | None = None) -> Any:
    """A Variable of the matrix with ones on its diagonal."""
    return variable(np.eye(size), dtype, name)


def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: Any = None, seed: Any = None
) -> Any:
    """A Variable of uniform numbers."""
    return variable(random_uniform(shape, low, high, dtype, seed).numpy(), dtype, name)


def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: Any = None, seed: Any = None
) -> Any:
    """A Variable of normal numbers."""
    return variable(random_normal(shape, mean, scale, dtype, seed).numpy(), dtype, name)


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0) -> Any:
    """`x` above `threshold`, at most `max_value`; below it `alpha * (x - threshold)`."""
    return activations.relu(x, alpha, max_value, threshold)


__all__ = [
    name
    for name, value in vars().items()
    if name[0] != "_" and (callable(value)) and name not in ("Any", "Callable", "Sequence", "wraps")
]
STILL_THERE = {
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
}
_OTHERWISE = {
    "argmax": "keras.ops.argmax needs axis=-1",
    "argmin": "keras.ops.argmin needs axis=-1",
    "concatenate": "keras.ops.concatenate needs axis=-1",
    "cumprod": "keras.ops.cumprod needs axis=0",
    "cumsum": "keras.ops.cumsum needs axis=0",
    "expand_dims": "keras.ops.expand_dims needs axis=-1",
    "eye": "use keras.Variable(keras.ops.eye(n))",
    "identity": "use the tensor itself",
    "ones": "use keras.Variable(keras.ops.ones(shape))",
    "zeros": "use keras.Variable(keras.ops.zeros(shape))",
}
REMEDIES = {
    name: f"use keras.ops.{name}" for name in __all__ if name in getattr(ops, "__all__", ())
} | _OTHERWISE
