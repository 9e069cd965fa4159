"""Layers for training alone, which hand on their inputs: Dropout, noise, a penalty on activity."""

from __future__ import annotations

import math
from typing import Any

from layerkit import backend as K
from layerkit.backend import SeedGenerator

from .. import regularizers
from .arguments import fraction, is_int
from .input_spec import InputSpec
from .layer import Layer, Shape


class _RandomLayer(Layer):
    """A layer of the inputs' shape that draws from a seed of its own."""

    supports_masking = True

    def __init__(self, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class Dropout(_RandomLayer):
    """In training sets a random `rate` of the inputs to zero, and divides the rest by 1 - rate.

    `noise_shape`: the shape of the mask, 1 where all elements along an axis share their fate,
    None for the inputs' own size. Srivastava et al. 2014.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, **kwargs)
        self.rate = fraction("rate", rate)
        self.noise_shape = _checked_noise_shape(noise_shape)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        return K.dropout(inputs, self.rate, self.noise_shape, seed=self.seed_generator)


class _SpatialDropout(Dropout):
    """Dropout of whole channels."""

    def get_config(self) -> dict[str, Any]:
        """What Keras's spatial dropout takes; it makes its own `noise_shape`."""
        config = super().get_config()
        del config["noise_shape"], config["trainable"]
        return config


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of (batch, steps, channels)."""

    input_hint = "SpatialDropout1D expects (batch, steps, channels)."

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(rate, noise_shape=(None, 1, None), seed=seed, **kwargs)
        self.input_spec = InputSpec(ndim=3)


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of images (batch, height, width, channels)."""

    input_hint = "SpatialDropout2D expects (batch, height, width, channels)."

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        data_format = K.standardize_data_format(data_format)
        last = data_format == "channels_last"
        noise_shape = (None, 1, 1, None) if last else (None, None, 1, 1)
        super().__init__(rate, noise_shape=noise_shape, seed=seed, **kwargs)
        self.data_format = data_format
        self.input_spec = InputSpec(ndim=4)


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of volumes (batch, depth, height, width, channels)."""

    input_hint = "SpatialDropout3D expects (batch, depth, height, width, channels)."

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        data_format = K.standardize_data_format(data_format)
        last = data_format == "channels_last"
        noise_shape = (None, 1, 1, 1, None) if last else (None, None, 1, 1, 1)
        super().__init__(rate, noise_shape=noise_shape, seed=seed, **kwargs)
        self.data_format = data_format
        self.input_spec = InputSpec(ndim=5)


class GaussianNoise(_RandomLayer):
    """In training adds normal noise of standard deviation `stddev`."""

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any):
        super().__init__(seed=seed, **kwargs)
        self.stddev = fraction("stddev", stddev)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training or self.stddev == 0:
            return inputs
        return inputs + _normal(inputs, 0.0, self.stddev, self.seed_generator)


class GaussianDropout(_RandomLayer):
    """In training multiplies by normal noise of mean 1 and variance rate / (1 - rate)."""

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(seed=seed, **kwargs)
        self.rate = _below_one(self, rate)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return inputs * _normal(inputs, 1.0, stddev, self.seed_generator)


class AlphaDropout(_RandomLayer):
    """Dropout for SELU: in training a random `rate` of the inputs becomes SELU's least value.

    All are then scaled and shifted such that mean 0 and variance 1 are kept. `noise_shape`: as in
    Dropout. Klambauer et al. 2017.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, **kwargs)
        self.rate = _below_one(self, rate)
        self.noise_shape = _checked_noise_shape(noise_shape)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        ones = K.ones_like(inputs)
        drawn = K.dropout(ones, self.rate, self.noise_shape, seed=self.seed_generator)
        kept = K.cast(drawn > 0, inputs.dtype)
        scale = ((1 - self.rate) * (1 + self.rate * _SELU_LEAST**2)) ** -0.5
        shift = -scale * _SELU_LEAST * self.rate
        return scale * (inputs * kept + _SELU_LEAST * (1 - kept)) + shift


_SELU_LEAST = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946


class ActivityRegularization(Layer):
    """Its inputs, on which it puts a penalty: l1 * sum(|x|) + l2 * sum(x²), over the batch size."""

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Keras's config, in which l1 and l2 stand for the regularizer."""
        config = super().get_config()
        del config["activity_regularizer"]
        return config


def _below_one(layer: Layer, rate: Any) -> float:
    if fraction("rate", rate) == 1:
        raise ValueError(f"`rate` of {type(layer).__name__} must be below 1. Received: rate=1")
    return rate


def _normal(like: Any, mean: float, stddev: float, seed: SeedGenerator) -> Any:
    return K.random_normal(like.shape, mean=mean, stddev=stddev, dtype=like.dtype.name, seed=seed)


def _checked_noise_shape(noise_shape: Any) -> tuple[int | None, ...] | None:
    if noise_shape is None:
        return None
    if not isinstance(noise_shape, (list, tuple)) or not all(
        n is None or (is_int(n) and n > 0) for n in noise_shape
    ):
        raise ValueError(
            "Invalid value received for argument `noise_shape`. Expected a tuple or list of "
            f"positive integers or None. Received: noise_shape={noise_shape}"
        )
    return tuple(noise_shape)
