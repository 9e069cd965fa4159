"""Pooling, up-sampling and cropping of images as older Kerases and their backends did it."""

from __future__ import annotations

import math
from typing import Any

from layerkit.backend import image_data_format

from ... import ops
from ..arguments import int_tuple
from ..input_spec import InputSpec
from ..layer import Layer
from ..preprocessing.image_geometry import RandomCrop
from ..reshaping import UpSampling2D


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
