"""Layers that went away with Keras 2 or 3, for the files and the scripts that name them."""

from __future__ import annotations

import math
from typing import Any

from layerkit.backend import SeedGenerator, image_data_format
from layerkit.backend.recording import effect

from .. import activations, constraints, initializers, ops, random, regularizers
from .arguments import fraction, int_tuple
from .bidirectional import Bidirectional
from .core import Embedding
from .input_spec import InputSpec
from .layer import Layer
from .normalization import BatchNormalization
from .preprocessing.image_geometry import RandomCrop
from .reshaping import UpSampling2D
from .wrapping import Wrapper


class L1L2OfBatch(regularizers.L1L2):
    """L1L2 times the number of samples: of an activity, which is divided by it, the sum."""

    def __call__(self, x: Any) -> Any:
        return super().__call__(x) * float(x.shape[0])


class DroppingEmbedding(Embedding):
    """An Embedding that in training drops a random share of all ids, wherever they stand.

    Vectors of the other ids are divided by 1 - dropout. Gal and Ghahramani, 2016.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(input_dim, output_dim, **kwargs)
        self.dropout, self.seed = fraction("dropout", dropout), seed
        self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        vectors = super().call(inputs)
        if not training:
            return vectors
        ones = ops.ones((self.input_dim, 1), dtype=vectors.dtype)
        kept = ops.take(
            random.dropout(ones, self.dropout, seed=self.seed_generator), inputs, axis=0
        )
        return vectors * kept


class HoldingBidirectional(Bidirectional):
    """Bidirectional whose outputs at masked steps are those of the step before, not zeros."""

    def __init__(self, layer: Layer, **kwargs: Any):
        super().__init__(layer, **kwargs)
        for part in (self.forward_layer, self.backward_layer):
            setattr(part, "zero_output_for_mask", False)  # noqa: B010  not every layer has it


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
        y = ops.einsum("bi,fio->bfo", x, self.kernel)
        return ops.max(y + self.bias if self.use_bias else y, axis=1)


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
        y, t = ops.matmul(x, self.kernel), ops.matmul(x, self.carry_kernel)
        if self.use_bias:
            y, t = y + self.bias, t + self.carry_bias
        t = ops.sigmoid(t)
        return t * self.activation(y) + (1 - t) * x


class ParametricSoftplus(Layer):
    """alpha * softplus(beta * x), both learned, one for each place of x."""

    def __init__(self, alpha_init: float = 0.2, beta_init: float = 5.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha_init, self.beta_init = alpha_init, beta_init

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape[1:])
        self.alphas = self.add_weight(shape, initializers.Constant(self.alpha_init), name="alphas")
        self.betas = self.add_weight(shape, initializers.Constant(self.beta_init), name="betas")

    def call(self, x: Any) -> Any:
        return ops.softplus(self.betas * x) * self.alphas


class SReLU(Layer):
    """The identity between two learned bounds, lines of learned slopes outside of them.

    `bounded`: where the slope on the left is negative its line ends at the right bound too.
    Jin et al., Deep Learning with S-shaped Rectified Linear Activation Units, 2015.
    """

    def __init__(
        self,
        t_left_init: Any = "zeros",
        a_left_init: Any = "glorot_uniform",
        t_right_init: Any = "glorot_uniform",
        a_right_init: Any = "ones",
        shared_axes: Any = None,
        bounded: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.bounded = bounded
        self.t_left_init = initializers.get(t_left_init)
        self.a_left_init = initializers.get(a_left_init)
        self.t_right_init = initializers.get(t_right_init)
        self.a_right_init = initializers.get(a_right_init)
        self.shared_axes = shared_axes

    def build(self, input_shape: Any) -> None:
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        self.t_left = self.add_weight(tuple(shape), self.t_left_init, name="t_left")
        self.a_left = self.add_weight(tuple(shape), self.a_left_init, name="a_left")
        self.t_right = self.add_weight(tuple(shape), self.t_right_init, name="t_right")
        self.a_right = self.add_weight(tuple(shape), self.a_right_init, name="a_right")

    def call(self, x: Any) -> Any:
        right = self.t_left + ops.abs(self.t_right)
        center = ops.minimum(ops.relu(x - self.t_left), right - self.t_left) + self.t_left
        left = self.a_left * ops.relu(self.t_left - x)
        if self.bounded:
            left = ops.maximum(left, self.t_left - right)
        return center - left + self.a_right * ops.relu(x - right)


class TheanoPooling(Layer):
    """The 'max' or 'average' of windows as Theano placed them for padding 'same'.

    The first window begins size - 1 places before the images, or size - 2 where its size is odd and
    above 2; what lies outside does not count. (batch, *space, channels), with as many places as
    padding 'same' gives; `data_format='channels_first'` puts the channels second.
    """

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        data_format: str | None = None,
        mode: str = "max",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        rank = len(pool_size)
        if mode not in ("max", "average"):
            raise ValueError(
                f"Layer '{self.name}' (TheanoPooling) expects mode='max' or 'average'. Received: "
                f"mode={mode!r}"
            )
        self.pool_size = int_tuple("pool_size", pool_size, rank)
        self.strides = int_tuple("strides", strides or self.pool_size, rank)
        self.data_format = data_format or image_data_format()
        self.mode = mode
        self.input_spec = InputSpec(ndim=len(self.pool_size) + 2)

    def call(self, x: Any) -> Any:
        if self.mode == "max":
            return self._over_windows(ops.max_pool, x, -math.inf)
        inside = self._over_windows(ops.average_pool, ops.ones_like(x), 0.0)
        return self._over_windows(ops.average_pool, x, 0.0) / inside

    def _over_windows(self, pool: Any, x: Any, outside: float) -> Any:
        padded = ops.pad(x, self._amounts(x.shape), constant_values=outside)
        pooled = pool(padded, self.pool_size, self.strides, "valid", self.data_format)
        return pooled[tuple(slice(size) for size in self.compute_output_shape(x.shape))]

    def _amounts(self, shape: Any) -> list[tuple[int, int]]:
        """How much to pad before and after, for each axis."""
        amounts = [(0, 0)] * len(shape)
        for axis, (window, stride) in enumerate(
            zip(self.pool_size, self.strides, strict=True), self._first_axis
        ):
            before = window - 2 if window > 2 and window % 2 else window - 1
            reach = (-(-shape[axis] // stride) - 1) * stride + window
            amounts[axis] = before, max(reach - before - shape[axis], 0)
        return amounts

    @property
    def _first_axis(self) -> int:
        return 1 if self.data_format == "channels_last" else 2

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = list(input_shape)
        for axis, stride in enumerate(self.strides, self._first_axis):
            sizes[axis] = sizes[axis] and -(-sizes[axis] // stride)
        return tuple(sizes)


class BatchNormalizationKeras2(BatchNormalization):
    """BatchNormalization as Keras 1 and 2 trained it.

    What it averages is n / (n - 1) times a batch's variance where the rank of the inputs is in
    `unbiased`, for n elements of a channel: TensorFlow's kernel for those gave it, and took no
    epsilon below 1.001e-5. `sampled`: Keras multiplied by n / (n - 1 - epsilon), after all.
    `shifted`: Theano had added epsilon before. `thaws`: where the layer is not `trainable`,
    training goes by the batch's statistics too; the averages stay, or with `always_moving` follow.
    `masks`: masks count, but for the kernel. In files it is BatchNormalization, and so today's.
    """

    written_as = "BatchNormalization"

    def __init__(
        self,
        unbiased: Any = (),
        sampled: bool = False,
        shifted: bool = False,
        thaws: bool = False,
        always_moving: bool = False,
        masks: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.unbiased, self.sampled, self.shifted = tuple(unbiased), sampled, shifted
        self.thaws, self.always_moving, self.masks = thaws, always_moving, masks

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if len(input_shape) in self.unbiased:
            self.epsilon = max(self.epsilon, 1.001e-5)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or self.trainable or not self.thaws:
            counts = self.masks and inputs.ndim not in self.unbiased
            return super().call(inputs, training=training, mask=mask if counts else None)
        axes = [axis for axis in range(inputs.ndim) if axis != self.axis % inputs.ndim]
        mean, variance = ops.moments(inputs, axes)
        if self.always_moving:
            effect(self._move, mean, self._averaged(variance, inputs))
        return self._by(mean, variance, inputs, self.gamma, self.beta)

    def _averaged(self, variance: Any, x: Any) -> Any:
        n = math.prod(x.shape) // x.shape[self.axis]
        if self.shifted:
            variance = variance + self.epsilon
        if x.ndim in self.unbiased:
            variance = variance * (n / max(n - 1, 1))
        return variance * (n / (n - 1 - self.epsilon)) if self.sampled else variance

    def get_config(self) -> dict[str, Any]:
        """That of BatchNormalization."""
        own = ("always_moving", "masks", "sampled", "shifted", "thaws", "unbiased")
        return {key: x for key, x in super().get_config().items() if key not in own}


class _OldNormalization(Layer):
    """gamma * (x - mean) / deviation + beta; its moving averages are weights even if unused."""

    supports_masking = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.axis, self.momentum, self.epsilon = axis, momentum, epsilon
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[self.axis],)
        self.gamma = self.add_weight(
            shape, self.gamma_initializer, name="gamma", regularizer=self.gamma_regularizer
        )
        self.beta = self.add_weight(
            shape, self.beta_initializer, name="beta", regularizer=self.beta_regularizer
        )
        self.moving_mean = self.add_weight(shape, "zeros", name="moving_mean", trainable=False)
        self.moving_deviation = self.add_weight(
            shape, "ones", name="moving_deviation", trainable=False
        )

    def _channels(self, v: Any, x: Any) -> Any:
        """`v`, one number for each channel, beside `x`."""
        shape = [1] * x.ndim
        shape[self.axis] = -1
        return ops.reshape(v, shape)

    def _over_batch(self, x: Any) -> tuple[Any, Any]:
        """The mean and the variance of each channel."""
        axes = [axis for axis in range(x.ndim) if axis != self.axis % x.ndim]
        return ops.mean(x, axes), ops.var(x, axes)

    def _normalized(self, x: Any, mean: Any, deviation: Any) -> Any:
        gamma, beta = self._channels(self.gamma, x), self._channels(self.beta, x)
        y = (x - self._channels(mean, x)) / self._channels(deviation, x)
        return gamma * y + beta

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class BatchNormalizationOfSamples(_OldNormalization):
    """BatchNormalization of Keras 1 with mode=1: mean and deviation of each sample's last axis.

    The deviation is sqrt(variance + epsilon) + epsilon, that of Keras 0 (`inner_epsilon=False`)
    sqrt(variance) + epsilon.
    """

    def __init__(self, inner_epsilon: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.inner_epsilon = inner_epsilon

    def call(self, x: Any) -> Any:
        mean, variance = ops.mean(x, -1, keepdims=True), ops.var(x, -1, keepdims=True)
        deviation = ops.sqrt(variance + self.epsilon if self.inner_epsilon else variance)
        return self.gamma * ((x - mean) / (deviation + self.epsilon)) + self.beta


class BatchNormalizationOfBatches(_OldNormalization):
    """BatchNormalization of Keras 1 with mode=2: by the batch's statistics, in predictions too."""

    def call(self, x: Any) -> Any:
        mean, variance = self._over_batch(x)
        return self._normalized(x, mean, ops.sqrt(variance + self.epsilon))


class BatchNormalizationOfDeviations(_OldNormalization):
    """BatchNormalization of Keras 0: the average of deviations, not of variances, is moved.

    A batch's deviation is sqrt(variance + epsilon); all are divided by with epsilon added.
    """

    def call(self, x: Any, training: bool | None = None) -> Any:
        mean, deviation = self.moving_mean, self.moving_deviation
        if training:
            mean, variance = self._over_batch(x)
            deviation = ops.sqrt(variance + self.epsilon)
            effect(self._move, mean, deviation)
        return self._normalized(x, mean, deviation + self.epsilon)

    def _move(self, mean: Any, deviation: Any) -> None:
        for moving, now in ((self.moving_mean, mean), (self.moving_deviation, deviation)):
            moving.assign(self.momentum * moving.array + (1 - self.momentum) * now)


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


class TimeFirst(Wrapper):
    """A recurrent layer of (time, batch, features), as those of Keras 2 with time_major=True."""

    supports_masking = True
    only_its_layer_in_paths = True  # of weights in files: there it was the layer itself

    def build(self, input_shape: Any = None) -> None:
        super().build((input_shape[1], input_shape[0], *input_shape[2:]))

    def call(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:
        x = ops.swapaxes(x, 0, 1)
        if mask is not None:
            mask = ops.swapaxes(mask, 0, 1)
        y = self.layer(x, training=training, mask=mask)
        return ops.swapaxes(y, 0, 1) if self.layer.return_sequences else y


class RandomCropKeras2(RandomCrop):
    """RandomCrop as tf.keras before 2.7 had it: predictions resize images, then cut the middle.

    They are resized to cover the height and width, the longer side rounded down. Today's takes the
    largest part of the right aspect ratio first. Images are (batch, rows, columns, channels).
    """

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if training:
            return super().transform_images(images, transformation, training)
        rows, columns = images.shape[1:3]
        size = self.height, int(self.height * columns / rows)
        if rows / columns > self.height / self.width:
            size = int(self.width * rows / columns), self.width
        y = ops.image.resize(
            ops.cast(images, self.compute_dtype), size, data_format="channels_last"
        )
        top, left = (size[0] - self.height) // 2, (size[1] - self.width) // 2
        return y[:, top : top + self.height, left : left + self.width]


class UpSampling2DKeras2(UpSampling2D):
    """UpSampling2D as Keras 2 had it on TensorFlow: with 'bilinear', between pixels' corners.

    Each pixel stays what it is, and the new ones after it lead on to the next one in equal steps;
    those after the last one are like it. Today's goes by the pixels' centres.
    """

    def __init__(self, size: Any = (2, 2), data_format: str | None = None, **kwargs: Any):
        super().__init__(size, data_format, **{**kwargs, "interpolation": "bilinear"})

    def call(self, x: Any) -> Any:
        first = 2 if self.data_format == "channels_first" else 1
        for axis, factor in enumerate(self.size, first):
            length = x.shape[axis]
            steps = ops.take(x, [*range(1, length), length - 1], axis=axis) - x
            between = [x + steps * (i / factor) for i in range(factor)]
            shape = (*x.shape[:axis], length * factor, *x.shape[axis + 1 :])
            x = ops.reshape(ops.stack(between, axis=axis + 1), shape)
        return x
