"""Convolutions: a window that moves over the spatial axes, the same weights at every place.

Images are (batch, height, width, channels), sequences (batch, steps, channels), volumes have one
axis more; `data_format='channels_first'` puts the channels second. `strides`, `kernel_size` and
`dilation_rate` are ints, or one int per spatial axis.
"""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from .. import activations, constraints, initializers, regularizers
from .arguments import int_tuple, known_size, padding_mode, positive_int
from .input_spec import InputSpec
from .layer import Layer, Shape

_INPUTS = {
    1: "(batch, steps, channels): for sequences of single numbers add a channel axis, ",
    2: "(batch, height, width, channels): for images without a channel axis add one, ",
    3: "(batch, depth, height, width, channels): for volumes without a channel axis add one, ",
}


class _Convolution(Layer):
    """What all convolutions share: the window, a bias, an activation."""

    rank: int  # number of spatial axes
    allow_causal = False

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        bias_initializer: Any = "zeros",
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = int_tuple("kernel_size", kernel_size, self.rank)
        self.strides = int_tuple("strides", strides, self.rank)
        self.padding = padding_mode(padding, self.allow_causal)
        self.data_format = K.standardize_data_format(data_format)
        self.dilation_rate = int_tuple("dilation_rate", dilation_rate, self.rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.input_hint = f"{type(self).__name__} expects {_INPUTS[self.rank]}x[..., None]."

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def _channels(self, input_shape: Shape) -> int:
        """The number of input channels, which the inputs must have from now on."""
        self.check_input_shape(input_shape)
        channels = known_size(self, input_shape, self._channel_axis)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        self.compute_output_shape(input_shape)  # raises where the window is larger than the input
        return channels

    def _add_bias(self, size: int) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(size,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _add_kernel(self, kind: str, shape: tuple[int, ...]) -> Any:
        """The weight `kind` or `kind`_kernel with the initializer and so on of that name."""
        return self.add_weight(
            name="kernel" if kind == "kernel" else f"{kind}_kernel",
            shape=shape,
            initializer=getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )

    def _output_shape(self, input_shape: Shape, channels: int) -> Shape:
        """The input's shape with its spatial axes as the window leaves them."""
        first = 1 if self.data_format == "channels_last" else 2
        spatial = tuple(
            self._output_size(size, axis)
            for axis, size in enumerate(input_shape[first : first + self.rank])
        )
        if any(n is not None and n <= 0 for n in spatial):
            raise ValueError(
                "Computed output size would be zero or negative. Received `inputs shape="
                f"{input_shape}`, `kernel_size={self.kernel_size}`, `dilation_rate="
                f"{self.dilation_rate}`, `strides={self.strides}`, `padding={self.padding}` in "
                f"layer '{self.name}': use larger inputs, a smaller kernel, or padding='same'."
            )
        if self.data_format == "channels_last":
            return (input_shape[0], *spatial, channels)
        return (input_shape[0], channels, *spatial)

    def _output_size(self, size: int | None, axis: int) -> int | None:
        if size is None:
            return None
        if self.padding == "valid":
            size -= self.dilation_rate[axis] * (self.kernel_size[axis] - 1)
        return -(-size // self.strides[axis])


class _Conv(_Convolution):
    """activation(convolution(inputs, kernel) + bias)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.filters = positive_int("filters", filters)
        self.groups = positive_int("groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={groups}, filters={filters}."
            )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: Shape) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number of groups. "
                f"Received groups={self.groups} in layer '{self.name}', but the input has "
                f"{channels} channels (full input shape is {input_shape})."
            )
        self.kernel = self._add_kernel(
            "kernel", (*self.kernel_size, channels // self.groups, self.filters)
        )
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        return K.conv(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            bias=self.bias,
            activation=self.activation,
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self._output_shape(input_shape, self.filters)


class Conv1D(_Conv):
    """Convolution over sequences (batch, steps, channels) -> (batch, new steps, filters).

    `padding`: 'valid', 'same', or 'causal', where no output sees a later input. `groups` parts of
    the channels are convolved apart. Weights: kernel (window, channels / groups, filters), bias.
    """

    rank = 1
    allow_causal = True


class Conv2D(_Conv):
    """Convolution over images (batch, height, width, channels) -> (batch, ..., filters).

    `padding`: 'valid' or 'same'. `groups` parts of the channels are convolved apart. Weights:
    kernel (height, width, channels / groups, filters), bias (filters,).
    """

    rank = 2


class Conv3D(_Conv):
    """Convolution over volumes (batch, depth, height, width, channels) -> (batch, ..., filters)."""

    rank = 3


class _ConvTranspose(_Convolution):
    """activation(transposed convolution(inputs, kernel) + bias)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.filters = positive_int("filters", filters)
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = int_tuple(
                "output_padding", output_padding, self.rank, allow_zero=True
            )
            if any(p >= s for p, s in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    "`output_padding` must be strictly less than `strides` for all dimensions. "
                    f"Received: output_padding={output_padding}, strides={strides}"
                )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: Shape) -> None:
        channels = self._channels(input_shape)
        self.kernel = self._add_kernel("kernel", (*self.kernel_size, self.filters, channels))
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        return K.conv_transpose(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            bias=self.bias,
            activation=self.activation,
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self._output_shape(input_shape, self.filters)

    def _output_size(self, size: int | None, axis: int) -> int | None:
        if size is None:
            return None
        stride = self.strides[axis]
        window = (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1
        if self.output_padding is None:
            return size * stride + (max(window - stride, 0) if self.padding == "valid" else 0)
        if self.padding == "same":
            window -= 2 * (window // 2)
        return (size - 1) * stride + window + self.output_padding[axis]


class Conv1DTranspose(_ConvTranspose):
    """The transpose of a convolution over sequences: with strides it makes them longer.

    Weights: kernel (window, filters, channels), bias (filters,).
    """

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """The transpose of a convolution over images: with strides it makes them larger.

    Weights: kernel (height, width, filters, channels), bias (filters,).
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """The transpose of a convolution over volumes: with strides it makes them larger.

    Weights: kernel (depth, height, width, filters, channels), bias (filters,).
    """

    rank = 3


class _DepthwiseConv(_Convolution):
    """activation(each channel convolved with its own kernels + bias)."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = positive_int("depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def build(self, input_shape: Shape) -> None:
        channels = self._channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Any) -> Any:
        return K.depthwise_conv(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            bias=self.bias,
            activation=self.activation,
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        channels = known_size(self, input_shape, self._channel_axis)
        return self._output_shape(input_shape, channels * self.depth_multiplier)


class DepthwiseConv1D(_DepthwiseConv):
    """Each channel of a sequence convolved with `depth_multiplier` kernels of its own."""

    rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """Each channel of an image convolved with `depth_multiplier` kernels of its own.

    (batch, height, width, channels) -> (batch, ..., channels * depth_multiplier). Weights: kernel
    (height, width, channels, depth_multiplier), bias.
    """

    rank = 2


class _SeparableConv(_Convolution):
    """activation(a depthwise convolution, then one of window 1 across channels, + bias)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.filters = positive_int("filters", filters)
        self.depth_multiplier = positive_int("depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: Shape) -> None:
        channels = self._channels(input_shape)
        self.depthwise_kernel = self._add_kernel(
            "depthwise", (*self.kernel_size, channels, self.depth_multiplier)
        )
        self.pointwise_kernel = self._add_kernel(
            "pointwise", (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        )
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        return K.separable_conv(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            bias=self.bias,
            activation=self.activation,
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self._output_shape(input_shape, self.filters)


class SeparableConv1D(_SeparableConv):
    """A depthwise convolution over sequences, then a mix of the channels into `filters`."""

    rank = 1


class SeparableConv2D(_SeparableConv):
    """A depthwise convolution over images, then a mix of the channels into `filters`.

    Weights: depthwise_kernel (height, width, channels, depth_multiplier), pointwise_kernel
    (1, 1, channels * depth_multiplier, filters), bias (filters,).
    """

    rank = 2


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
