"""Normalization: numbers with mean 0 and variance 1, by what was seen or is given."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.registry import backend_of

from ..layer import Layer, Shape
from .host import batches, on_host


class Normalization(Layer):
    """(inputs - mean) / sqrt(variance), in the layer's float type; the other way with `invert`.

    `axis`: the axes (an int or several) of which each index has a mean and a variance of its own;
    None for one of all numbers. `mean`, `variance`: numbers, or arrays over these axes; where they
    are None, `adapt` learns them, and they are weights.
    """

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        axis = () if axis is None else axis
        self.axis = (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean = _plain(mean)
        self.input_variance = _plain(variance)
        self.invert = invert
        self.supports_masking = True
        self._check_given()

    def _check_given(self) -> None:
        mean, variance = self.input_mean, self.input_variance
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Received: mean={mean} and variance={variance}"
            )
        if np.shape(mean) != np.shape(variance):
            raise ValueError(
                "When setting values directly, `mean` and `variance` must have the same shape. "
                f"Received: mean shape {np.shape(mean)} and variance shape {np.shape(variance)}"
            )
        if np.ndim(mean) > len(self.axis):
            raise ValueError(
                "The rank of `mean` must be less than or equal to the number of axes "
                f"({len(self.axis)}). Received: mean shape {np.shape(mean)} for axis {self.axis}"
            )

    def build(self, input_shape: Shape) -> None:
        ndim = len(input_shape)
        if any(not -ndim <= a < ndim for a in self.axis):
            raise ValueError(
                "All `axis` values must be in the range [-ndim, ndim). Received inputs with "
                f"ndim={ndim}, while axis={self.axis}"
            )
        kept = sorted(a % ndim for a in self.axis)
        unknown = [a for a in kept if input_shape[a] is None]
        if unknown:
            raise ValueError(
                f"All `axis` values to be kept must have a known shape. Received axis={self.axis}, "
                f"inputs.shape={input_shape}, with unknown axis at index {unknown[0]}"
            )
        self._kept, self._reduced = kept, tuple(a for a in range(ndim) if a not in kept)
        self._shape = tuple((input_shape[a] or 0) if a in kept else 1 for a in range(ndim))
        if self.input_mean is None:
            shape = tuple(input_shape[a] for a in kept)
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", "int32", trainable=False, name="count")

    def adapt(self, data: Any) -> None:
        """Learn mean and variance of `data`: an array, a tensor, or an iterable of batches.

        What was learned before is forgotten. Of batches (inputs, targets) the inputs count.
        """
        if isinstance(data, (np.ndarray, Tensor)) or K.is_array(data):
            self._build_or_check(data.shape)
            array = on_host(data)
            mean, variance = array.mean(axis=self._reduced), array.var(axis=self._reduced)
        elif hasattr(data, "__iter__") or hasattr(data, "__getitem__"):
            mean, variance = self._moments_of(batches(data))
        else:
            raise TypeError(
                f"Unsupported data type: {type(data)}. `adapt` supports NumPy arrays, tensors, and "
                "iterables of batches (e.g. list, generator)."
            )
        if self.input_mean is None:
            self.adapt_mean.assign(mean)
            self.adapt_variance.assign(variance)

    def _moments_of(self, data: Any) -> tuple[Any, Any]:
        """Mean and variance of all batches, merged one by one (Chan, Golub, LeVeque 1979)."""
        first = next(data, None)
        if first is None:
            raise ValueError(
                "adapt() received an empty iterable (no batches). Expected at least one batch. "
                "Pass a non-empty iterable of arrays or tensors, e.g. layer.adapt([x])."
            )
        mean: Any = 0.0
        variance: Any = 0.0
        total = 0
        for batch in itertools.chain([first], data):
            if not hasattr(batch, "shape"):
                raise TypeError(
                    "adapt() expects an iterable that yields arrays or tensors with a `.shape` "
                    f"attribute. Got an element of type {type(batch).__name__}: make it an array."
                )
            self._build_or_check(batch.shape)
            array = on_host(batch).astype(self.compute_dtype)
            count = math.prod(array.shape[a] for a in self._reduced)
            total += count
            new, old = count / total, 1 - count / total
            batch_mean = array.mean(axis=self._reduced)
            merged = mean * old + batch_mean * new
            variance = (variance + (mean - merged) ** 2) * old
            variance = variance + (array.var(axis=self._reduced) + (batch_mean - merged) ** 2) * new
            mean = merged
        return mean, variance

    def _build_or_check(self, shape: Any) -> None:
        if not self.built:
            self.build(tuple(shape))
        if len(shape) != len(self._shape) or any(shape[a] != self._shape[a] for a in self._kept):
            raise ValueError(
                f"The layer was built with input_shape={self._build_shape}, but adapt() is being "
                f"called with data with an incompatible shape, data.shape={tuple(shape)}"
            )

    @property
    def mean(self) -> Any:
        """The mean, of a shape that broadcasts against the inputs; None before it is known."""
        return self._broadcast("mean", self.input_mean)

    @property
    def variance(self) -> Any:
        """The variance, of a shape that broadcasts against the inputs; None before it is known."""
        return self._broadcast("variance", self.input_variance)

    def _broadcast(self, name: str, given: Any) -> Any:
        if not self.built:
            return None
        if given is None:
            weight = getattr(self, f"adapt_{name}")
            return K.cast(K.reshape(weight, self._shape), self.compute_dtype)
        values = np.asarray(given, self.compute_dtype)
        sizes = dict(zip(self._kept[::-1], values.shape[::-1], strict=False))
        values = values.reshape([sizes.get(a, 1) for a in range(len(self._shape))])
        return K.convert_to_tensor(np.broadcast_to(values, self._shape))

    def call(self, inputs: Any) -> Any:
        x = K.cast(inputs, self.compute_dtype)
        mean, variance = (
            self._beside(x, name, given)
            for name, given in (("mean", self.input_mean), ("variance", self.input_variance))
        )
        deviation = K.maximum(K.sqrt(variance), K.epsilon())
        return mean + x * deviation if self.invert else (x - mean) / deviation

    def _beside(self, x: Any, name: str, given: Any) -> Any:
        """Mean or variance where `x` lives: a device keeps what is constant."""
        value = self._broadcast(name, given)
        return value if given is None else backend_of(x.array).constant(value.numpy())

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """With the mean and the variance given to the constructor; learned ones are weights."""
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {**super().get_config(), **given}


def _plain(x: Any) -> Any:
    """Arrays and tensors as lists, or as numbers."""
    if x is None or isinstance(x, (int, float)):
        return x
    return np.asarray(K.to_numpy(x) if isinstance(x, Tensor) else x).tolist()
