"""Dense layers that went away with Keras 2, and convolutions that went away with Keras 3."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from .. import ops as K
from ..layers import InputSpec, Layer
from . import old_networks

__all__ = ["Highway", "LocallyConnected1D", "LocallyConnected2D", "MaxoutDense"]


class MaxoutDense(Layer):
    """The largest of `nb_feature` linear maps: (batch, features) to (batch, units).

    Goodfellow et al., Maxout Networks, 2013.
    """

    def __init__(
        self,
        units: int,
        nb_feature: int = 4,
        kernel_initializer: Any = "glorot_uniform",
        use_bias: bool = True,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.nb_feature, self.use_bias = units, nb_feature, use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=2)

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            (self.nb_feature, input_shape[-1], self.units),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = self.use_bias and self.add_weight(
            (self.nb_feature, self.units),
            "zeros",
            name="bias",
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def call(self, x: Any) -> Any:
        y = K.einsum("bi,fio->bfo", x, self.kernel)
        return K.max(y + self.bias if self.use_bias else y, axis=1)


class Highway(Layer):
    """t * activation(x W + b) + (1 - t) * x with t = sigmoid(x W_carry + b_carry).

    Srivastava et al., Highway Networks, 2015.
    """

    def __init__(
        self,
        kernel_initializer: Any = "glorot_uniform",
        activation: Any = None,
        use_bias: bool = True,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=2)

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        options = {"regularizer": self.kernel_regularizer, "constraint": self.kernel_constraint}
        self.kernel = self.add_weight(
            (size, size), self.kernel_initializer, name="kernel", **options
        )
        self.carry_kernel = self.add_weight(
            (size, size), self.kernel_initializer, name="carry_kernel", **options
        )
        if self.use_bias:
            options = {"regularizer": self.bias_regularizer, "constraint": self.bias_constraint}
            self.bias = self.add_weight((size,), "zeros", name="bias", **options)
            carried = initializers.Constant(-2.0)  # begins by handing on what it gets
            self.carry_bias = self.add_weight((size,), carried, name="carry_bias")

    def call(self, x: Any) -> Any:
        y, t = K.matmul(x, self.kernel), K.matmul(x, self.carry_kernel)
        if self.use_bias:
            y, t = y + self.bias, t + self.carry_bias
        t = K.sigmoid(t)
        return t * self.activation(y) + (1 - t) * x


class LocallyConnected1D(Layer):
    """A convolution with a kernel of its own at each place: (batch, steps, channels).

    Kernels are (places, size * channels, filters), the bias is (places, filters).
    """

    _rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if padding != "valid":
            raise ValueError(
                f"{type(self).__name__} '{self.name}' knows padding='valid' only; received "
                f"padding={padding!r}: put ZeroPadding{self._rank}D before it."
            )
        self.filters, self.padding = filters, padding
        self.kernel_size, self.strides = self._sizes(kernel_size), self._sizes(strides)
        self.data_format = data_format or old_networks.image_data_format()
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _sizes(self, given: Any) -> tuple[int, ...]:
        return (given,) * self._rank if isinstance(given, int) else tuple(given)

    def build(self, input_shape: Any) -> None:
        first = self.data_format == "channels_first"
        space, channels = input_shape[1:-1], input_shape[-1]
        if first:
            channels, space = input_shape[1], input_shape[2:]
        if None in space:
            raise ValueError(
                f"{type(self).__name__} '{self.name}' has weights for each place, and needs the "
                f"whole shape of its inputs but the batch. Received: {input_shape}"
            )
        places = [
            (n - k) // s + 1 for n, k, s in zip(space, self.kernel_size, self.strides, strict=True)
        ]
        number, window = 1, channels
        for n, k in zip(places, self.kernel_size, strict=True):
            number, window = number * n, window * k
        self.kernel = self.add_weight(
            (number, window, self.filters),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.filters, *places) if first else (*places, self.filters),
                self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, x: Any) -> Any:
        y = self._convolved(x)
        return self.activation(y + self.bias if self.use_bias else y)

    def _convolved(self, x: Any) -> Any:
        options = self.kernel_size, self.strides, self.data_format
        return old_networks.local_conv1d(x, self.kernel, *options)


class LocallyConnected2D(LocallyConnected1D):
    """A convolution with a kernel of its own at each place: (batch, rows, columns, channels).

    Kernels are (places, rows * columns * channels, filters), the bias is (new rows, new columns,
    filters).
    """

    _rank = 2

    def _convolved(self, x: Any) -> Any:
        options = self.kernel_size, self.strides, None, self.data_format
        return old_networks.local_conv2d(x, self.kernel, *options)
