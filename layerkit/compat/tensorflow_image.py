"""tensorflow.image: what Keras scripts do to images (height, width, channels), or batches."""

from __future__ import annotations

from typing import Any

from .. import ops
from .. import random as keras_random
from . import tensorflow_functions

_FUNCTIONS = tensorflow_functions.functions("image")
globals().update(_FUNCTIONS)


class ResizeMethod:
    """Names of interpolations."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC = "bilinear", "nearest", "bicubic"
    LANCZOS3, LANCZOS5 = "lanczos3", "lanczos5"


def resize(images: Any, size: Any, method: str = "bilinear", antialias: bool = False) -> Any:
    """Images of another (height, width), as float32; 'nearest' keeps the type."""
    images = ops.convert_to_tensor(images)
    x = images if method == "nearest" else ops.cast(images, "float32")
    return ops.image.resize(x, tuple(size), method, antialias, data_format="channels_last")


def grayscale_to_rgb(images: Any) -> Any:
    """One channel three times."""
    return ops.repeat(images, 3, axis=-1)


def convert_image_dtype(image: Any, dtype: Any) -> Any:
    """Integers as floats from 0 to 1: the type's largest number is 1."""
    image = ops.convert_to_tensor(image)
    if image.dtype.kind == "f" or not str(dtype).startswith("float"):
        raise ValueError(
            "convert_image_dtype() makes floats of integers here; received "
            f"{image.dtype} and dtype={dtype}: scale and tf.cast the image instead."
        )
    return ops.cast(image, dtype) / (256.0**image.dtype.itemsize - 1)


def random_flip_left_right(image: Any, seed: Any = None) -> Any:
    """The image, or with probability 1/2 its mirror image; each image of a batch by itself."""
    return _flipped(image, -2, seed)


def random_flip_up_down(image: Any, seed: Any = None) -> Any:
    """The image, or with probability 1/2 upside down; each image of a batch by itself."""
    return _flipped(image, -3, seed)


def random_crop(value: Any, size: Any, seed: Any = None) -> Any:
    """A part of this shape from a random place."""
    room = [had - int(n) for had, n in zip(value.shape, size, strict=True)]
    if min(room) < 0:
        raise ValueError(f"Need value.shape >= size, got {value.shape} and {tuple(size)}.")
    drawn = ops.convert_to_numpy(keras_random.uniform((len(room),), seed=seed))
    starts = [int(u * (n + 1)) for u, n in zip(drawn, room, strict=True)]
    return value[tuple(slice(s, s + int(n)) for s, n in zip(starts, size, strict=True))]


def random_brightness(image: Any, max_delta: float, seed: Any = None) -> Any:
    """A number from -max_delta to max_delta added."""
    return image + keras_random.uniform((), -max_delta, max_delta, seed=seed)


def per_image_standardization(image: Any) -> Any:
    """Images of mean 0 and deviation 1; a deviation counts as at least 1 / sqrt(their size)."""
    x = ops.cast(image, "float32")
    axes = (-3, -2, -1)
    least = (x.shape[-1] * x.shape[-2] * x.shape[-3]) ** -0.5
    deviation = ops.maximum(ops.std(x, axis=axes, keepdims=True), least)
    return (x - ops.mean(x, axis=axes, keepdims=True)) / deviation


def _flipped(image: Any, axis: int, seed: Any) -> Any:
    shape = (*image.shape[:-3], 1, 1, 1)
    turned = keras_random.uniform(shape, seed=seed) < 0.5
    return ops.where(turned, ops.flip(image, axis), image)


__all__ = [
    "ResizeMethod",
    "convert_image_dtype",
    "grayscale_to_rgb",
    "per_image_standardization",
    "random_brightness",
    "random_crop",
    "random_flip_left_right",
    "random_flip_up_down",
    "resize",
    *_FUNCTIONS,
]
