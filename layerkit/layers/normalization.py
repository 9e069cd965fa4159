"""Normalization: mean 0 and variance 1, over the batch or over each sample's own features."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend.recording import effect

from .. import constraints, initializers, regularizers
from .arguments import is_int, known_size
from .input_spec import InputSpec
from .layer import Layer, Shape


class _Normalization(Layer):
    """What they share: after normalizing, `scale` multiplies by gamma, `center` adds beta."""

    supports_masking = True

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.axis: Any = axis if is_int(axis) else list(axis)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def _sizes(self, input_shape: Shape) -> tuple[int, ...]:
        """The sizes of the axes that gamma and beta have."""
        axes = [self.axis] if is_int(self.axis) else self.axis
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in axes):
            raise ValueError(
                f"Axis {self.axis} is out of bounds for input shape {input_shape} of layer "
                f"'{self.name}'. Received: axis={self.axis}"
            )
        return tuple(known_size(self, input_shape, axis) for axis in axes)

    def _add_gamma_and_beta(self, shape: tuple[int, ...]) -> None:
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )

    def _widened(self, inputs: Any) -> Any:
        """Halves in float32: squares of them overflow."""
        halves = self.compute_dtype in ("float16", "bfloat16")
        return K.cast(inputs, "float32") if halves else inputs

    def _narrowed(self, outputs: Any) -> Any:
        same = outputs.dtype == self.compute_dtype
        return outputs if same else K.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class BatchNormalization(_Normalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, one mean and variance per channel.

    In training they are those of the batch (the variance biased), and the moving averages follow:
    moving = momentum * moving + (1 - momentum) * batch's. Otherwise, and where the layer is not
    `trainable`, the moving averages are used. `axis`: the channels'. Ioffe and Szegedy 2015.
    """

    unavailable = {
        "renorm": False,
        "renorm_clipping": None,
        "renorm_momentum": 0.99,
        "synchronized": False,
    }

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        if isinstance(axis, (list, tuple)) and len(axis) == 1:  # as Keras 2 saved it
            axis = axis[0]
        if not is_int(axis):
            raise ValueError(f"`axis` of BatchNormalization must be an int. Received: axis={axis}")
        super().__init__(
            axis=int(axis),
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.momentum = float(momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Shape) -> None:
        (size,) = self._sizes(input_shape)
        self._add_gamma_and_beta((size,))
        self.moving_mean = self.add_weight(
            name="moving_mean",
            shape=(size,),
            initializer=self.moving_mean_initializer,
            trainable=False,
            autocast=False,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=(size,),
            initializer=self.moving_variance_initializer,
            trainable=False,
            autocast=False,
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = self._widened(inputs)
        if not (training and self.trainable):
            y = K.batch_normalization(
                x,
                self.moving_mean,
                self.moving_variance,
                axis=self.axis,
                offset=self.beta,
                scale=self.gamma,
                epsilon=self.epsilon,
            )
            return self._narrowed(y)
        y, mean, variance = K.batch_normalize(
            x, self.gamma, self.beta, axis=self.axis, epsilon=self.epsilon
        )
        effect(self._move, mean, variance)
        return self._narrowed(y)

    def _move(self, mean: Any, variance: Any) -> None:
        """Take the arrays of one batch into the moving averages."""
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(self.momentum * moving.array + (1 - self.momentum) * now)


class LayerNormalization(_Normalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, over `axis` of each sample.

    `axis`: an int or several; gamma and beta have their sizes. Ba et al. 2016.
    """

    unavailable = {"rms_scaling": False}

    def build(self, input_shape: Shape) -> None:
        self._add_gamma_and_beta(self._sizes(input_shape))

    def call(self, inputs: Any) -> Any:
        y = K.layer_normalization(
            self._widened(inputs), self.gamma, self.beta, axis=self.axis, epsilon=self.epsilon
        )
        return self._narrowed(y)


def unit_length(x: Any, axis: Any, epsilon: float) -> Any:
    """x divided by the root of the sum of its squares along `axis`, or by `epsilon` if larger."""
    squares = K.sum(K.square(x), axis=axis, keepdims=True)
    return x * K.rsqrt(K.maximum(squares, epsilon**2))
