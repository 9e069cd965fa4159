"""Pictures in folders as a data set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.backend.config import standardize_data_format

from .directories import dataset_from_directory
from .images import COLOR_MODES, in_color_mode
from .optional import optional
from .resampling import INTERPOLATIONS, resize, resize_with_crop, resize_with_pad

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: str | os.PathLike,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    *,
    verbose: bool = True,
) -> Any:
    """Batches of the pictures (.bmp, .gif, .jpg, .png) below a folder: (images, labels).

    images: float32 (batch, height, width, channels), 0 to 255, or with the channels before the
    rows where `data_format`, by default the global one, is channels_first. labels: int32 (batch,),
    with `label_mode="categorical"` one-hot float32 (batch, classes), with "binary" float32
    (batch, 1); with None there are none. The data set can be gone through again and again; its
    attributes `class_names` and `file_paths` tell of the files. Needs Pillow.

    labels: "inferred" for one subfolder a class; None; or one int a file, in their names' order.
    class_names: the subfolders to take, in another than their names' order.
    color_mode: "rgb", "rgba" or "grayscale".
    batch_size: None for single pictures.
    image_size: (height, width), or an int for both.
    shuffle, seed: whether every pass has another order; it is the seed's.
    validation_split, subset: the share of the files that is kept for validation, and whether to
        get the "training", the "validation" files, or, as a list of two, "both".
    interpolation: of the resizing, as TensorFlow does it without smoothing: "bilinear", "nearest",
        "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic".
    crop_to_aspect_ratio, pad_to_aspect_ratio: keep the shape of what is shown: cut the picture
        to the largest part that fits, or put zeros around it.
    verbose: print how many files were found.
    """
    if color_mode not in COLOR_MODES:
        raise ValueError(
            '`color_mode` must be one of {"rgb", "rgba", "grayscale"}. '
            f"Received: color_mode={color_mode}"
        )
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        raise ValueError(
            "Invalid `image_size` value. Expected a tuple of 2 integers. "
            f"Received: image_size={image_size}"
        )
    interpolation = interpolation.lower()
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"Argument `interpolation` should be one of {INTERPOLATIONS}. "
            f"Received: interpolation={interpolation}"
        )
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to `True`."
        )
    fit = resize_with_crop if crop_to_aspect_ratio else resize
    fit = resize_with_pad if pad_to_aspect_ratio else fit
    channels_first = standardize_data_format(data_format) == "channels_first"
    pillow = optional("PIL.Image", "pillow", "images", "image_dataset_from_directory")

    def read(path: str) -> np.ndarray:
        with pillow.open(path) as image:
            x = np.asarray(in_color_mode(image, color_mode), "float32")
        x = fit(x[..., None] if x.ndim == 2 else x, tuple(size), interpolation)
        return x.transpose(2, 0, 1) if channels_first else x

    return dataset_from_directory(
        directory,
        read,
        np.stack,
        what="images",
        formats=FORMATS,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        verbose=verbose,
    )
