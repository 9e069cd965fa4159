"""Rescaling: numbers times a scale, plus an offset."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.registry import backend_of

from ..layer import Layer, Shape


class Rescaling(Layer):
    """inputs * scale + offset, in the layer's float type: Rescaling(1 / 255) takes bytes to [0, 1].

    `scale`, `offset`: numbers, or one per channel.
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: Any) -> Any:
        x = K.cast(inputs, self.compute_dtype)
        scale, offset = (self._per_channel(value, x) for value in (self.scale, self.offset))
        return x * scale + offset

    def _per_channel(self, value: Any, x: Any) -> Any:
        if not np.ndim(value):
            return float(value)
        values = np.asarray(value, dtype=self.compute_dtype)
        first = K.image_data_format() == "channels_first"
        values = values[:, None, None] if first and values.ndim == 1 else values
        return backend_of(x.array).constant(values)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
