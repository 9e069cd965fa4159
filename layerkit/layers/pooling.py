"""Pooling: the maximum or the mean of windows, or of all places at once.

Images are (batch, height, width, channels), sequences (batch, steps, channels);
`data_format='channels_first'` puts the channels second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from layerkit import backend as K

from .arguments import int_tuple, padding_mode
from .input_spec import InputSpec
from .layer import Layer, Shape

_INPUTS = {
    1: "(batch, steps, channels)",
    2: "(batch, height, width, channels)",
    3: "(batch, depth, height, width, channels)",
}


class _Pooling(Layer):
    """What windows are reduced to is the subclass's `pool`.

    `pool_size`, `strides`: ints, or one per spatial axis; windows do not overlap where `strides`
    is None. `padding`: 'valid', or 'same', which ignores what lies outside.
    """

    rank: int
    pool: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.pool_size = int_tuple("pool_size", pool_size, self.rank)
        strides = self.pool_size if strides is None else strides
        self.strides = int_tuple("strides", strides, self.rank)
        self.padding = padding_mode(padding)
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.input_hint = hint(self)

    def build(self, input_shape: Shape) -> None:
        self.check_input_shape(input_shape)
        self.compute_output_shape(input_shape)  # raises where the window is larger than the input

    def call(self, inputs: Any) -> Any:
        return type(self).pool(
            inputs,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sizes = list(input_shape)
        first = 1 if self.data_format == "channels_last" else 2
        for axis, (window, stride) in enumerate(
            zip(self.pool_size, self.strides, strict=True), first
        ):
            size = sizes[axis]
            if size is not None:
                size = size if self.padding == "same" else size - window + 1
                sizes[axis] = -(-size // stride)
        if any(n is not None and n <= 0 for n in sizes[first : first + self.rank]):
            raise ValueError(
                "Computed output size would be zero or negative. Received `inputs shape="
                f"{input_shape}`, `pool_size={self.pool_size}`, `padding={self.padding}` in layer "
                f"'{self.name}': use larger inputs, a smaller window, or padding='same'."
            )
        return tuple(sizes)


class MaxPooling1D(_Pooling):
    """The largest value in each window of steps, channel by channel."""

    rank = 1
    pool = K.max_pool


class MaxPooling2D(_Pooling):
    """The largest value in each window of an image, channel by channel."""

    rank = 2
    pool = K.max_pool


class MaxPooling3D(_Pooling):
    """The largest value in each window of a volume, channel by channel."""

    rank = 3
    pool = K.max_pool


class AveragePooling1D(_Pooling):
    """The mean of each window of steps, channel by channel."""

    rank = 1
    pool = K.average_pool


class AveragePooling2D(_Pooling):
    """The mean of each window of an image, channel by channel."""

    rank = 2
    pool = K.average_pool


class AveragePooling3D(_Pooling):
    """The mean of each window of a volume, channel by channel."""

    rank = 3
    pool = K.average_pool


class _GlobalPooling(Layer):
    """One value per channel; `keepdims` leaves spatial axes of size one."""

    rank: int
    reduce: ClassVar[Callable[..., Any]]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = K.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.input_hint = hint(self)

    @property
    def _spatial_axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def call(self, inputs: Any) -> Any:
        keepdims = bool(self.keepdims)
        return type(self).reduce(inputs, axis=self._spatial_axes, keepdims=keepdims)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        axes = self._spatial_axes
        sizes = [1 if axis in axes else n for axis, n in enumerate(input_shape)]
        return tuple(n for axis, n in enumerate(sizes) if self.keepdims or axis not in axes)


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over all steps: (batch, steps, channels) -> (batch, channels).

    With a `mask` (batch, steps), over those that are not masked out.
    """

    supports_masking = True
    rank = 1
    reduce = K.mean

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        (steps,) = self._spatial_axes
        mask, keepdims = K.expand_dims(K.cast(mask, "bool"), 3 - steps), bool(self.keepdims)
        total = K.sum(K.where(mask, inputs, 0), axis=steps, keepdims=keepdims)
        count = K.sum(K.cast(mask, inputs.dtype), axis=steps, keepdims=keepdims)
        return total / count

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean over all places: (batch, height, width, channels) -> (batch, channels)."""

    rank = 2
    reduce = K.mean


class GlobalAveragePooling3D(_GlobalPooling):
    """The mean over all places of a volume: (batch, channels)."""

    rank = 3
    reduce = K.mean


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest value over all steps: (batch, steps, channels) -> (batch, channels)."""

    rank = 1
    reduce = K.max


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest value over all places: (batch, height, width, channels) -> (batch, channels)."""

    rank = 2
    reduce = K.max


class GlobalMaxPooling3D(_GlobalPooling):
    """The largest value over all places of a volume: (batch, channels)."""

    rank = 3
    reduce = K.max


def hint(layer: Any) -> str:
    return (
        f"{type(layer).__name__} expects {_INPUTS[layer.rank]}: where there is no channel axis "
        "add one, x[..., None]."
    )


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D, GlobalMaxPool3D = GlobalAveragePooling3D, GlobalMaxPooling3D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
