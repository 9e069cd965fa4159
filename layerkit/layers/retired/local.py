"""Convolutions with a kernel of its own at each place, of Keras 1 and 2."""

from __future__ import annotations

from typing import Any

from layerkit.backend import image_data_format

from ... import activations, constraints, initializers, ops, regularizers
from ..input_spec import InputSpec
from ..layer import Layer


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
        self.data_format = data_format or image_data_format()
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
        return local_conv1d(x, self.kernel, *options)


class LocallyConnected2D(LocallyConnected1D):
    """A convolution with a kernel of its own at each place: (batch, rows, columns, channels).

    Kernels are (places, rows * columns * channels, filters), the bias is (new rows, new columns,
    filters).
    """

    _rank = 2

    def _convolved(self, x: Any) -> Any:
        options = self.kernel_size, self.strides, None, self.data_format
        return local_conv2d(x, self.kernel, *options)


def local_conv1d(
    inputs: Any, kernel: Any, kernel_size: Any, strides: Any, data_format: str | None = None
) -> Any:
    """Sequences, (batch, steps, channels), convolved with a kernel of its own at each place.

    kernel: (places, size * channels, filters); the result is (batch, places, filters). With
    data_format='channels_first' the channels come before the steps, and before the size.
    """
    first = (data_format or image_data_format()) == "channels_first"
    x = ops.expand_dims(inputs, 2 if first else 1)
    format_ = "channels_first" if first else "channels_last"
    y = local_conv2d(x, kernel, (1, *kernel_size), (1, *strides), None, format_)
    return ops.squeeze(y, 2 if first else 1)


def local_conv2d(
    inputs: Any,
    kernel: Any,
    kernel_size: Any,
    strides: Any,
    output_shape: Any = None,
    data_format: str | None = None,
) -> Any:
    """Images, (batch, rows, columns, channels), convolved with a kernel of its own at each place.

    kernel: (places, rows * columns * channels, filters), the places row by row; the result is
    (batch, new rows, new columns, filters). With data_format='channels_first' the channels come
    first in all of them. `output_shape` follows from the others: ValueError where it does not.
    """
    first = (data_format or image_data_format()) == "channels_first"
    x = ops.transpose(inputs, (0, 2, 3, 1)) if first else inputs
    channels = x.shape[-1]
    patches = ops.image.extract_patches(
        x, tuple(kernel_size), tuple(strides), padding="valid", data_format="channels_last"
    )
    rows, columns = patches.shape[1:3]
    if output_shape is not None and tuple(output_shape) != (rows, columns):
        raise ValueError(
            f"local_conv2d gives {rows} rows and {columns} columns here; received output_shape="
            f"{tuple(output_shape)}."
        )
    if first:
        patches = ops.reshape(
            patches, (-1, rows * columns, patches.shape[-1] // channels, channels)
        )
        patches = ops.swapaxes(patches, 2, 3)
    patches = ops.reshape(patches, (-1, rows * columns, kernel.shape[1]))
    y = ops.einsum("bpi,pif->bpf", patches, kernel)
    y = ops.reshape(y, (-1, rows, columns, kernel.shape[2]))
    return ops.transpose(y, (0, 3, 1, 2)) if first else y
