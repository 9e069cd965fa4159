"""Layers that move, repeat or pad elements and change none of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.registry import backend_of

from ..interpolation import weights
from ..symbolic import KerasTensor
from .arguments import int_tuple, is_int, margins, positive_int
from .input_spec import InputSpec
from .layer import Layer, Shape


class _Moving(Layer):
    """Base of layers that move numbers, and compute none."""

    def compute_output_spec(self, inputs: Any) -> KerasTensor:
        """Integers stay what they are."""
        dtype = self.compute_dtype if K.is_floating(np.dtype(inputs.dtype)) else inputs.dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)


class Flatten(_Moving):
    """(batch, ...) becomes (batch, features): all axes but the first in one.

    With `data_format='channels_first'` the channels are moved to the end first, so that both
    layouts give the same rows.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 2:
            inputs = K.transpose(inputs, (0, *range(2, rank), 1))
        return K.reshape(inputs, self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], _product(input_shape[1:]))


class Reshape(_Moving):
    """(batch, ...) becomes (batch, *target_shape); one -1 in it takes what is left over."""

    def __init__(self, target_shape: Any, **kwargs: Any):
        super().__init__(**kwargs)
        shape = (target_shape,) if is_int(target_shape) else tuple(target_shape)
        if not all(is_int(n) and n >= -1 for n in shape) or shape.count(-1) > 1:
            raise ValueError(
                "`target_shape` must hold sizes without the batch axis, with -1 at most once. "
                f"Received: target_shape={target_shape}"
            )
        self.target_shape = tuple(int(n) for n in shape)

    def call(self, inputs: Any) -> Any:
        return K.reshape(inputs, self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        size = _product(input_shape[1:])
        known = math.prod(n for n in self.target_shape if n != -1)
        if size is None:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        rest = size // known if -1 in self.target_shape and known else 1
        if known * rest != size:
            raise ValueError(
                "The total size of the tensor must be unchanged. Layer "
                f"'{self.name}' cannot make target_shape={self.target_shape} of samples with "
                f"{size} elements. Received: input_shape={input_shape}"
            )
        return (input_shape[0], *(rest if n == -1 else n for n in self.target_shape))


class Permute(_Moving):
    """Reorders the axes after the first: `dims` counts them from 1, so (2, 1) swaps two."""

    def __init__(self, dims: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in "
                f"`dims` must be consecutive and start from 1. Received dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return K.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))


class RepeatVector(_Moving):
    """(batch, features) becomes (batch, n, features): each row n times."""

    input_hint = "RepeatVector expects (batch, features)."

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.n = positive_int("n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return K.repeat(K.expand_dims(inputs, 1), self.n, axis=1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.n, input_shape[1])


class ZeroPadding1D(_Moving):
    """Zeros before and after the steps of (batch, steps, channels).

    `padding`: an int, or a pair (before, after).
    """

    input_hint = "ZeroPadding1D expects (batch, steps, channels)."

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = int_tuple("padding", padding, 2, allow_zero=True)
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return K.pad(inputs, _around((self.padding,), self.data_format))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return _grown(input_shape, _around((self.padding,), self.data_format))


class ZeroPadding2D(_Moving):
    """Rows and columns of zeros around images (batch, height, width, channels).

    `padding`: an int, a pair (height, width), or ((top, bottom), (left, right)).
    """

    input_hint = (
        "ZeroPadding2D expects (batch, height, width, channels): for images without a channel "
        "axis add one, x[..., None]."
    )

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = margins("padding", padding, 2)
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        return K.pad(inputs, _around(self.padding, self.data_format))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return _grown(input_shape, _around(self.padding, self.data_format))


class ZeroPadding3D(_Moving):
    """Zeros around volumes (batch, depth, height, width, channels).

    `padding`: an int, three of them, or three pairs (before, after).
    """

    input_hint = "ZeroPadding3D expects (batch, depth, height, width, channels)."

    def __init__(
        self,
        padding: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.padding = margins("padding", padding, 3)
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        return K.pad(inputs, _around(self.padding, self.data_format))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return _grown(input_shape, _around(self.padding, self.data_format))


class Cropping1D(_Moving):
    """Cuts steps off both ends of (batch, steps, channels); `cropping`: an int or a pair."""

    input_hint = "Cropping1D expects (batch, steps, channels)."

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any):
        super().__init__(**kwargs)
        self.cropping = int_tuple("cropping", cropping, 2, allow_zero=True)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return _cropped(self, inputs, _around((self.cropping,), "channels_last"))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return _shrunk(self, input_shape, _around((self.cropping,), "channels_last"))


class Cropping2D(_Moving):
    """Cuts rows and columns off images (batch, height, width, channels).

    `cropping`: an int, a pair (height, width), or ((top, bottom), (left, right)).
    """

    input_hint = ZeroPadding2D.input_hint.replace("ZeroPadding2D", "Cropping2D")

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.cropping = margins("cropping", cropping, 2)
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        return _cropped(self, inputs, _around(self.cropping, self.data_format))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return _shrunk(self, input_shape, _around(self.cropping, self.data_format))


class Cropping3D(_Moving):
    """Cuts the ends off volumes (batch, depth, height, width, channels).

    `cropping`: an int, three of them, or three pairs (before, after).
    """

    input_hint = "Cropping3D expects (batch, depth, height, width, channels)."

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.cropping = margins("cropping", cropping, 3)
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        return _cropped(self, inputs, _around(self.cropping, self.data_format))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return _shrunk(self, input_shape, _around(self.cropping, self.data_format))


class UpSampling1D(Layer):
    """Repeats each step of (batch, steps, channels) `size` times."""

    input_hint = "UpSampling1D expects (batch, steps, channels)."

    def __init__(self, size: int = 2, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = positive_int("size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return K.repeat(inputs, self.size, axis=1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return _scaled(input_shape, 1, (self.size,))


_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class UpSampling2D(Layer):
    """Makes images (batch, height, width, channels) `size` times as high and wide.

    `interpolation`: 'nearest' repeats pixels; 'bilinear', 'bicubic' (Keys 1981), 'lanczos3' and
    'lanczos5' interpolate between their centres.
    """

    input_hint = ZeroPadding2D.input_hint.replace("ZeroPadding2D", "UpSampling2D")

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.size = int_tuple("size", size, 2)
        self.data_format = K.standardize_data_format(data_format)
        interpolation = str(interpolation).lower()
        if interpolation not in _INTERPOLATIONS:
            raise ValueError(
                "`interpolation` argument of layer 'UpSampling2D' must be one of "
                f"{list(_INTERPOLATIONS)}. Received: interpolation={interpolation}"
            )
        self.interpolation = interpolation
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        for axis, factor in enumerate(self.size, _first_spatial(self.data_format)):
            if self.interpolation == "nearest":
                inputs = K.repeat(inputs, factor, axis=axis)
            else:
                inputs = _interpolate(inputs, factor, axis, self.interpolation)
        return inputs

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return _scaled(input_shape, _first_spatial(self.data_format), self.size)


class UpSampling3D(Layer):
    """Repeats each place of volumes (batch, depth, height, width, channels), `size` along an axis.

    `size`: an int, or three of them.
    """

    input_hint = "UpSampling3D expects (batch, depth, height, width, channels)."

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = int_tuple("size", size, 3)
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        for axis, factor in enumerate(self.size, _first_spatial(self.data_format)):
            inputs = K.repeat(inputs, factor, axis=axis)
        return inputs

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return _scaled(input_shape, _first_spatial(self.data_format), self.size)


def _product(shape: Shape) -> int | None:
    return None if None in shape else math.prod(shape)  # type: ignore[arg-type]


def _first_spatial(data_format: str) -> int:
    return 2 if data_format == "channels_first" else 1


def _around(ends: tuple, data_format: str) -> tuple[tuple[int, int], ...]:
    """A pair for every axis of images or sequences: `ends` for the spatial ones, else (0, 0)."""
    none = ((0, 0),)
    return (*none * 2, *ends) if data_format == "channels_first" else (*none, *ends, *none)


def _grown(shape: Shape, around: tuple) -> Shape:
    return tuple(
        None if n is None else n + before + after
        for n, (before, after) in zip(shape, around, strict=True)
    )


def _shrunk(layer: Any, shape: Shape, around: tuple) -> Shape:
    cut = tuple(
        None if n is None else n - before - after
        for n, (before, after) in zip(shape, around, strict=True)
    )
    if any(n is not None and n <= 0 < sum(ends) for n, ends in zip(cut, around, strict=True)):
        raise ValueError(
            f"Values in `cropping` argument of layer '{layer.name}' should be smaller than the "
            "corresponding spatial dimension of the input. Received: "
            f"input_shape={shape}, cropping={layer.cropping}"
        )
    return cut


def _cropped(layer: Any, inputs: Any, around: tuple) -> Any:
    sizes = _shrunk(layer, inputs.shape, around)
    return inputs[
        tuple(slice(before, before + n) for n, (before, _) in zip(sizes, around, strict=True))
    ]


def _scaled(shape: Shape, first: int, factors: tuple[int, ...]) -> Shape:
    sizes = list(shape)
    for axis, factor in enumerate(factors, first):
        size = sizes[axis]
        sizes[axis] = None if size is None else size * factor
    return tuple(sizes)


def _interpolate(x: Any, factor: int, axis: int, interpolation: str) -> Any:
    """Interpolation along an axis, as one matrix product with the matrix of its weights."""
    shape = x.shape
    rows = K.reshape(x, (*shape[:axis], shape[axis], math.prod(shape[axis + 1 :])))
    matrix = weights(shape[axis], shape[axis] * factor, interpolation).astype(x.dtype.name)
    shares = K.Tensor(backend_of(x.array).constant(matrix))
    new = (*shape[:axis], shape[axis] * factor, *shape[axis + 1 :])
    return K.reshape(K.matmul(shares, rows), new)
