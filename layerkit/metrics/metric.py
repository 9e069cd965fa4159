"""Metric: a number that is gathered batch by batch; and its plainest kinds, sums and means.

Metrics have no gradients: they compute on raw arrays, on the backend where the predictions are,
and an update never waits for a device.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from layerkit import backend as K
from layerkit.backend import StatelessScope, Tensor, Variable, registry, tree
from layerkit.backend.registry import namespace

from .. import configurable, dtype_policies, initializers, losses
from ..configurable import Configurable, serialize
from ..masks import mask_of
from ..naming import auto_name


class Metric(Configurable):
    """Base class of metrics: state in variables, `update_state(...)`, `result()`.

    Make the state with `add_variable` in the constructor and keep it in attributes. A subclass
    may say in `_direction` whether 'up' or 'down' is better; callbacks ask.
    """

    keras_module = "keras.metrics"
    aliases = {
        "mse": "MeanSquaredError",
        "mae": "MeanAbsoluteError",
        "mape": "MeanAbsolutePercentageError",
        "msle": "MeanSquaredLogarithmicError",
        "bce": "BinaryCrossentropy",
    }
    accepts_callables = True
    _direction: str
    _default_dtype: str | None = None

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or auto_name(type(self))
        policy = dtype_policies.get(dtype or self._default_dtype or K.floatx())
        self.dtype = policy.variable_dtype

    def add_variable(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: Any = None,
        name: Any = None,
    ) -> Variable:
        """A new state variable, zeros unless an `initializer` is given; keep it in an attribute."""
        self._check_made()
        return Variable(
            initializers.get("zeros" if initializer is None else initializer),
            shape=tuple(shape),
            dtype=dtype or K.floatx(),
            trainable=False,
            name=name,
        )

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: Any = None,
        name: Any = None,
    ) -> Variable:
        """The same as `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name)

    @property
    def variables(self) -> list[Variable]:
        """The state: the variables in attributes, then those of metrics in attributes."""
        leaves = [leaf for value in vars(self).values() for leaf in tree.flatten(value)]
        own = [leaf for leaf in leaves if isinstance(leaf, Variable)]
        inner = [leaf.variables for leaf in leaves if isinstance(leaf, Metric)]
        return own + [variable for variables in inner for variable in variables]

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in one batch."""
        raise NotImplementedError(f"{type(self).__name__} must implement `update_state()`.")

    def result(self) -> Any:
        """The metric over all batches since the last `reset_state`, as a tensor."""
        raise NotImplementedError(f"{type(self).__name__} must implement `result()`.")

    def reset_state(self) -> None:
        """Forget all batches: every variable becomes zero."""
        for variable in self.variables:
            variable.assign(namespace(variable.array).zeros_like(variable.array))

    def running_values(self) -> dict[str, list]:
        """The state by attribute, for a file: arrays, and the same of metrics in attributes."""
        found = {}
        for name, value in vars(self).items():
            leaves = [x for x in tree.flatten(value) if isinstance(x, (Variable, Metric))]
            if leaves:
                found[name] = [_running(leaf) for leaf in leaves]
        return found

    def set_running_values(self, values: dict[str, list]) -> None:
        """Go on with what `running_values` gave; makes what only the first batch makes."""
        for name, saved in values.items():
            if name not in vars(self):
                (array,) = saved
                setattr(self, name, self.add_variable(array.shape, dtype=array.dtype, name=name))
                self._built = True
            leaves = tree.flatten(getattr(self, name))
            leaves = [x for x in leaves if isinstance(x, (Variable, Metric))]
            for leaf, value in zip(leaves, saved, strict=True):
                if isinstance(leaf, Metric):
                    leaf.set_running_values(value)
                else:
                    leaf.assign(value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`update_state`, then `result`."""
        self._check_made()
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list:
        """The state after an update from the state `metric_variables`; the metric keeps its own."""
        with self._borrow(metric_variables) as scope:
            self.update_state(*args, **kwargs)
        return [scope.get_current_value(variable) for variable in self.variables]

    def stateless_result(self, metric_variables: Any) -> Any:
        """The result for the state `metric_variables`."""
        with self._borrow(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list:
        """The state of a metric that has seen nothing."""
        with self._borrow(self.variables) as scope:
            self.reset_state()
        return [scope.get_current_value(variable) for variable in self.variables]

    def _borrow(self, values: Any) -> StatelessScope:
        """A scope in which the state is `values`."""
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                "Argument `metric_variables` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().variables. Received list with length {len(values)}, but "
                f"expected {len(variables)} variables."
            )
        return StatelessScope(zip(variables, values, strict=True))

    def _check_made(self) -> None:
        if not hasattr(self, "name"):
            raise RuntimeError(
                f"In metric '{type(self).__name__}', you forgot to call `super().__init__()` in "
                "the `__init__()` method. Go add it, as its first statement!"
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _running(leaf: Any) -> Any:
    return leaf.running_values() if isinstance(leaf, Metric) else leaf.numpy()


class Sum(Metric):
    """The weighted sum of all values."""

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype=self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """`values` of any shape; `sample_weight` of that shape, or fewer axes, as (batch,)."""
        values = array(values)
        if sample_weight is not None:
            values, weights = _weigh(values, sample_weight, "sum", self.dtype)
            values = values * weights
        self.total.assign_add(values.sum(dtype=self.dtype))

    def result(self) -> Tensor:
        return tensor(self.total.array.copy())


class Mean(Metric):
    """The weighted mean of all values: sum(weight value) / sum(weight), over the samples."""

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype=self.dtype, name="total")
        self.count = self.add_variable(dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """`values` of any shape; `sample_weight` of that shape, or fewer axes, as (batch,)."""
        values = array(values)
        if sample_weight is None:
            total = values.sum(dtype=self.dtype)
            self.total.assign_add(total / math.prod(values.shape[1:]) if values.ndim > 1 else total)
            self.count.assign_add(values.shape[0] if values.shape else 1)
            return
        if not values.shape and isinstance(sample_weight, (int, float)):  # a batch's loss
            self.total.assign_add(values * sample_weight)
            self.count.assign_add(sample_weight)
            return
        values, weights = _weigh(values, sample_weight, "mean", self.dtype)
        values = values * weights
        self.total.assign_add(_mean_per_sample(values).sum())
        self.count.assign_add(_mean_per_sample(weights).sum())

    def result(self) -> Tensor:
        return tensor(divide_no_nan(self.total.array, self.count.array))


class MeanMetricWrapper(Mean):
    """The weighted mean of `fn(y_true, y_pred, **kwargs)`, which gives one value per sample."""

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ):
        super().__init__(name, dtype)
        self.fn = fn
        self._options = kwargs
        if isinstance(fn, losses.Loss) or fn in losses.FUNCTIONS.values():
            self._direction = "down"

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> None:
        """Take in a batch; `sample_weight` and `mask` have y_true's shape, or fewer axes.

        `mask`: True where a value counts; by default that of y_pred.
        """
        mask = mask_of(y_pred) if mask is None else mask
        if mask is not None:
            sample_weight = _masked(sample_weight, mask, self.dtype)
        super().update_state(self.fn(y_true, y_pred, **self._options), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **serialize(self._options)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        if "fn" not in config:
            return super().from_config(config)
        return cls(**configurable.deserialize(config))


class FunctionMean(MeanMetricWrapper):
    """Base of the means of a function without options, and called as it."""

    function: ClassVar[Callable[..., Any]]

    def __init__(self, name: str | None = None, dtype: Any = None):
        super().__init__(self.function, name or self.function.__name__, dtype)


# --- raw arrays --------------------------------------------------------------------------------


def array(x: Any) -> Any:
    """The raw array of `x`: a tensor, an array, numbers in lists."""
    return x.array if isinstance(x, Tensor) else K.convert_to_tensor(x).array


def tensor(x: Any) -> Tensor:
    """A raw array, or a NumPy scalar, as a tensor."""
    return Tensor(np.asarray(x) if isinstance(x, np.generic) else x)


def beside(x: Any, reference: Any) -> Any:
    """The raw array of `x`, on the backend on which the array `reference` lives."""
    return registry.beside(array(x), reference)


def divide_no_nan(x: Any, y: Any) -> Any:
    """x / y, and 0 where y is 0."""
    if type(y) is np.ndarray and not y.ndim:  # after every batch: `where` takes ten times as long
        return x / y if y else np.zeros_like(x)
    xp = namespace(x)
    zero = y == 0
    return xp.where(zero, 0, x / xp.where(zero, 1, y))


def same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Two raw arrays whose ranks differ by a last axis of length 1, brought to one rank.

    Beside a (batch,) the (batch, 1) stays, unless `expand_rank_1` is False.
    """
    if x1.ndim < x2.ndim:
        x2, x1 = same_rank(x2, x1, expand_rank_1)
    elif x1.ndim == x2.ndim + 1 and x1.shape[-1] == 1:
        if x2.ndim == 1 and expand_rank_1:
            x2 = x2[:, None]
        else:
            x1 = x1[..., 0]
    return x1, x2


def _weigh(values: Any, weights: Any, reduce: str, dtype: str) -> tuple[Any, Any]:
    """Values with as many axes as the weights, and the weights broadcast to their shape."""
    if isinstance(weights, (int, float)):
        weights = namespace(values).full((), weights, dtype)
    weights = beside(weights, values).astype(dtype, copy=False)
    values, weights = same_rank(values.astype(dtype, copy=False), weights)
    if values.ndim > weights.ndim:  # ('sum' or 'mean' over the axes that the weights do not have)
        values = getattr(values, reduce)(axis=tuple(range(weights.ndim, values.ndim)))
    if values.shape == weights.shape:
        return values, weights
    try:
        return values, namespace(values).broadcast_to(weights, values.shape)
    except ValueError:
        raise ValueError(
            "`sample_weight` must have the shape of the metric's values, or its first axes; "
            f"received {tuple(weights.shape)} for values of shape {tuple(values.shape)}: give one "
            "weight per sample."
        ) from None


def _mean_per_sample(x: Any) -> Any:
    return x if x.ndim < 2 else x.mean(axis=tuple(range(1, x.ndim)))


def _masked(weights: Any, mask: Any, dtype: str) -> Any:
    mask = array(mask).astype(dtype)
    if weights is None:
        return mask
    mask, weights = same_rank(mask, beside(weights, mask).astype(dtype))
    if 0 < weights.ndim < mask.ndim:  # a weight per sample
        weights = weights.reshape(weights.shape + (1,) * (mask.ndim - weights.ndim))
    return mask * weights
