"""Adaptive pooling: so many windows along each axis, whatever the size of the input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerkit import backend as K

from ..ops import adaptive_average_pool, adaptive_max_pool
from .arguments import int_tuple
from .input_spec import InputSpec
from .layer import Layer, Shape
from .pooling import hint


class _AdaptivePooling(Layer):
    """As many windows along each spatial axis as `output_size` says, all nearly of one size.

    Window i of m over n places reaches from floor(i n / m) to ceil((i + 1) n / m). `output_size`:
    an int, or one per spatial axis.
    """

    rank: int
    pool: Callable[..., Any]  # the operation

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.output_size = int_tuple("output_size", output_size, self.rank)
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.input_hint = hint(self)

    def call(self, inputs: Any) -> Any:
        return self.pool(inputs, self.output_size, self.data_format)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.data_format == "channels_last":
            return (input_shape[0], *self.output_size, input_shape[-1])
        return (*input_shape[:2], *self.output_size)


class _AdaptiveAveragePooling(_AdaptivePooling):
    pool = staticmethod(adaptive_average_pool)


class _AdaptiveMaxPooling(_AdaptivePooling):
    pool = staticmethod(adaptive_max_pool)


class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """The means of `output_size` windows of steps, channel by channel."""

    rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """The means of `output_size` windows of an image, channel by channel."""

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """The means of `output_size` windows of a volume, channel by channel."""

    rank = 3


class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """The largest values in `output_size` windows of steps, channel by channel."""

    rank = 1


class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """The largest values in `output_size` windows of an image, channel by channel."""

    rank = 2


class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """The largest values in `output_size` windows of a volume, channel by channel."""

    rank = 3
