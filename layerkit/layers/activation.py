"""Activations as layers, for those that have parameters."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from .. import activations, constraints, initializers, regularizers
from .arguments import is_int, known_size
from .input_spec import InputSpec
from .layer import Layer, Shape


class _Elementwise(Layer):
    """A layer whose output has the inputs' shape."""

    supports_masking = True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class ReLU(_Elementwise):
    """max(x, 0), cut off at `max_value`; negative_slope * (x - threshold) below `threshold`."""

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _not_negative("max_value", max_value)
        self.negative_slope = _not_negative("negative_slope", negative_slope)
        self.threshold = _not_negative("threshold", threshold)

    def call(self, inputs: Any) -> Any:
        return activations.relu(
            inputs,
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )


class LeakyReLU(_Elementwise):
    """x where it is positive, negative_slope * x elsewhere. Maas et al. 2013."""

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        if "alpha" in kwargs:  # its name before Keras 3
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        self.negative_slope = _not_negative("negative_slope", negative_slope)

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)


class ELU(_Elementwise):
    """x where it is positive, alpha * (exp(x) - 1) elsewhere. Clevert et al. 2015."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, alpha=self.alpha)


class Softmax(_Elementwise):
    """exp(x) / sum(exp(x)) along `axis`, or along several axes at once.

    What a `mask`, broadcast against the inputs, excludes gets 0, and the rest has the sum 1.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis if is_int(axis) else tuple(axis)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return activations.softmax(inputs, axis=self.axis)
        mask = self._checked_mask(K.convert_to_tensor(mask), inputs)
        lowest = -3e4 if inputs.dtype == "float16" else -1e9
        y = activations.softmax(K.where(mask, inputs, lowest), axis=self.axis)
        return K.where(mask, y, 0)  # also where everything is excluded

    def _checked_mask(self, mask: Any, inputs: Any) -> Any:
        sizes = zip(reversed(mask.shape), reversed(inputs.shape), strict=False)
        if mask.ndim > inputs.ndim or any(m not in (1, n) for m, n in sizes):
            raise ValueError(
                "The `mask` must be broadcastable to `inputs` and must not have more dimensions. "
                f"Layer '{self.name}' received: inputs.shape={inputs.shape}, "
                f"mask.shape={mask.shape}"
            )
        return mask if mask.dtype == "bool" else mask > 0.5


class PReLU(_Elementwise):
    """x where it is positive, alpha * x elsewhere, with one learned alpha per element.

    `shared_axes`: axes, counted from 1, along which alpha is the same: (1, 2) gives one per channel
    of an image. He et al. 2015.
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if is_int(shared_axes):
            shared_axes = [shared_axes]
        self.shared_axes = None if shared_axes is None else list(shared_axes)

    def build(self, input_shape: Shape) -> None:
        shared = [axis % len(input_shape) for axis in self.shared_axes or []]
        own = [axis for axis in range(1, len(input_shape)) if axis not in shared]
        sizes: dict[int, int | None] = {axis: known_size(self, input_shape, axis) for axis in own}
        self.alpha = self.add_weight(
            name="alpha",
            shape=[sizes.get(axis, 1) for axis in range(1, len(input_shape))],
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs) - self.alpha * K.relu(-inputs)


def _not_negative(name: str, value: Any) -> float:
    if value is None or isinstance(value, bool) or value < 0:
        raise ValueError(
            f"`{name}` cannot be None or negative value. Expected a float >= 0. "
            f"Received: {name}={value}"
        )
    return value
