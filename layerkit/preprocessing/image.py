"""Images: `keras.preprocessing.image` of Keras 2 and 3."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor

from ..utils.images import array_to_img, img_to_array, load_img, save_img
from ..utils.resampling import INTERPOLATIONS, resize_with_crop
from .image_data_generator import ImageDataGenerator
from .image_iterators import DataFrameIterator, DirectoryIterator, Iterator, NumpyArrayIterator
from .image_transforms import (
    apply_brightness_shift,
    apply_channel_shift,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from .warping import apply_affine_transform

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "img_to_array",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
]


def smart_resize(
    x: Any, size: Any, interpolation: str = "bilinear", data_format: str = "channels_last"
) -> Any:
    """Images (rows, columns, channels), or a batch of them, resized without being distorted.

    What does not fit the shape of `size` (height, width) is cut off on both sides. interpolation:
    as for `image_dataset_from_directory`. Arrays give float32 arrays; tensors, which are resized
    on the host, give tensors.
    """
    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers, but got: {size}.")
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"Argument `interpolation` should be one of {INTERPOLATIONS}. "
            f"Received: interpolation={interpolation}"
        )
    images = x.numpy() if isinstance(x, Tensor) else np.asarray(x)
    if images.ndim not in (3, 4):
        raise ValueError(
            "Expected an image array with shape `(height, width, channels)`, or `(batch_size, "
            "height, width, channels)`, but got input with incorrect rank, of shape "
            f"{images.shape}."
        )
    first = data_format == "channels_first"
    images = np.moveaxis(images, -3, -1) if first else images
    resized = resize_with_crop(images, tuple(size), interpolation)
    resized = np.moveaxis(resized, -1, -3) if first else resized
    return K.convert_to_tensor(resized) if isinstance(x, Tensor) else resized
