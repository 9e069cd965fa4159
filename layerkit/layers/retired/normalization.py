"""BatchNormalization as Keras 0, 1 and 2 computed and trained it."""

from __future__ import annotations

import math
from typing import Any

from layerkit.backend.recording import effect

from ... import initializers, ops, regularizers
from ..layer import Layer
from ..normalization import BatchNormalization


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
