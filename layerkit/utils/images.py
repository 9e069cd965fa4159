"""Images between files, Pillow and arrays, as `keras.utils` has them. Needs Pillow when used."""

from __future__ import annotations

import io
import os
import pathlib
import warnings
from typing import Any

import numpy as np

from layerkit.backend import floatx
from layerkit.backend.config import standardize_data_format

from .optional import optional

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
COLOR_MODES = {"grayscale": 1, "rgb": 3, "rgba": 4}  # and their channels


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """The picture in a file, as a Pillow image.

    path: a path, or the file's content as `io.BytesIO`.
    color_mode: "rgb", "rgba" or "grayscale" (pictures of 16 or 32 bits keep them).
    target_size: (height, width) to resize to.
    interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
    keep_aspect_ratio: cut the picture to the shape of `target_size` around its centre first.

    ValueError for another colour mode or interpolation, TypeError for what is no path.
    """
    pillow = optional("PIL.Image", "pillow", "images", "load_img")
    if isinstance(path, (str, bytes, os.PathLike)):
        with open(path, "rb") as file:
            path = io.BytesIO(file.read())
    elif not isinstance(path, io.BytesIO):
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    image = in_color_mode(pillow.open(path), color_mode)
    if target_size is None:
        return image
    size = (target_size[1], target_size[0])
    if image.size == size:
        return image
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are "
            f"{', '.join(INTERPOLATIONS)}"
        )
    box = _centre(*image.size, *size) if keep_aspect_ratio else None
    return image.resize(size, getattr(pillow.Resampling, interpolation.upper()), box=box)


def in_color_mode(image: Any, color_mode: str) -> Any:
    """A Pillow image with the channels of `color_mode`."""
    if color_mode not in COLOR_MODES:
        raise ValueError(
            f'color_mode must be "grayscale", "rgb", or "rgba". Received: color_mode={color_mode}'
        )
    if color_mode == "grayscale":
        return image if image.mode in ("L", "I;16", "I") else image.convert("L")
    return image if image.mode == color_mode.upper() else image.convert(color_mode.upper())


def _centre(width: int, height: int, to_width: int, to_height: int) -> tuple[int, int, int, int]:
    """The largest box (left, top, right, bottom) in the middle, of the target's shape."""
    box_height = min(height, width * to_height // to_width)
    box_width = min(width, height * to_width // to_height)
    left, top = (width - box_width) // 2, (height - box_height) // 2
    return left, top, left + box_width, top + box_height


def img_to_array(img: Any, data_format: str | None = None, dtype: str | None = None) -> np.ndarray:
    """A Pillow image, or anything like an array, as (height, width, channels) of `dtype` (floatx).

    (channels, height, width) where `data_format`, by default the global one, is channels_first.
    """
    data_format = standardize_data_format(data_format)
    x = np.asarray(img, dtype=dtype or floatx())
    if x.ndim not in (2, 3):
        raise ValueError(f"Unsupported image shape: {x.shape}. Expected one image of rank 2 or 3.")
    x = x[..., None] if x.ndim == 2 else x
    return x.transpose(2, 0, 1) if data_format == "channels_first" else x


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: str | None = None
) -> Any:
    """(height, width, channels) of 1, 3 or 4 channels as a Pillow image of bytes.

    scale: stretch the values so that the least is 0 and the largest 255. Otherwise they are taken
        as they are; a grey picture with values above 255 is kept in 32 bits.
    dtype: what to compute in, by default floatx.
    """
    pillow = optional("PIL.Image", "pillow", "images", "array_to_img")
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise ValueError(
            f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}"
        )
    if standardize_data_format(data_format) == "channels_first":
        x = x.transpose(1, 2, 0)
    if x.shape[2] not in COLOR_MODES.values():
        raise ValueError(f"Unsupported channel number: {x.shape[2]}. Expected 1, 3 or 4.")
    x = stretched(x) if scale else x
    if x.shape[2] > 1:
        return pillow.fromarray(x.astype("uint8"))
    grey = x[:, :, 0]
    return pillow.fromarray(grey.astype("int32" if grey.max() > 255 else "uint8"))


def stretched(x: np.ndarray) -> np.ndarray:
    """Values moved and scaled to 0..255; all 0 where they are all the same."""
    x = x - np.min(x)
    largest = np.max(x)
    if largest != 0:
        x /= largest
    x *= 255
    return x


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as a picture, in the format of the path's ending or of `file_format`.

    `path` may be an open binary file. `kwargs` are those of Pillow's `Image.save`.
    """
    if file_format is None and isinstance(path, (str, pathlib.Path)):
        file_format = pathlib.Path(path).suffix[1:].lower()
    if file_format and file_format.lower() == "jpg":
        file_format = "jpeg"
    image = array_to_img(x, data_format=data_format, scale=scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warnings.warn(
            "The JPEG format does not support RGBA images, converting to RGB.", stacklevel=2
        )
        image = image.convert("RGB")
    image.save(path, format=file_format or None, **kwargs)
