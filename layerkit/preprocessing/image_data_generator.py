"""`ImageDataGenerator`: images changed at random while a model is trained, as in Keras 2."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from layerkit.backend import floatx
from layerkit.backend.config import standardize_data_format

from .image_iterators import (
    DataFrameIterator,
    DirectoryIterator,
    NumpyArrayIterator,
    warn_of_channels,
)
from .image_transforms import apply_brightness_shift, apply_channel_shift, flip_axis
from .warping import apply_affine_transform


class ImageDataGenerator:
    """Batches of images that are normalized, and changed at random within the ranges given.

    featurewise_center, featurewise_std_normalization: by the means and deviations of the channels
        that `fit` found. samplewise_center, samplewise_std_normalization: by those of each image.
    zca_whitening, zca_epsilon: whiten by the matrix that `fit` found.
    rotation_range, shear_range: degrees. width_shift_range, height_shift_range: shares (below 1),
        pixels, or a list of pixels to choose from. zoom_range: [low, high], or x for
        [1 - x, 1 + x]. fill_mode, cval: what comes into the image, see `apply_affine_transform`.
    brightness_range: factors (low, high). channel_shift_range: what is added to all values.
    horizontal_flip, vertical_flip: flip every other image. rescale: a factor for all values.
    preprocessing_function: of one image, called after the changes and before `rescale`.
    data_format: of the images; by default the global one. validation_split: the share of the subset
        "validation". interpolation_order: 0 or 1. dtype: by default floatx.

    Everything is drawn from NumPy's global generator, in the same order as in Keras.
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: str | None = None,
    ):
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.zoom_range = _as_range(zoom_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval = fill_mode, cval
        self.interpolation_order = interpolation_order
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.dtype = dtype or floatx()
        self.data_format = standardize_data_format(data_format)
        first = self.data_format == "channels_first"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)
        if brightness_range is not None and (
            not isinstance(brightness_range, (tuple, list)) or len(brightness_range) != 2
        ):
            raise ValueError(
                "`brightness_range should be tuple or list of two floats. "
                f"Received: {brightness_range}"
            )
        self.brightness_range = brightness_range
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(
                f"`validation_split` must be strictly between 0 and 1. Received: {validation_split}"
            )
        self._validation_split = validation_split
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None
        self._settle()

    def _settle(self) -> None:
        """Normalizations that need or exclude one another, with a warning for each change."""
        if self.zca_whitening and self.featurewise_std_normalization:
            self._override("zca_whitening", "featurewise_std_normalization", False)
        for name, needed in (
            ("zca_whitening", "featurewise_center"),
            ("featurewise_std_normalization", "featurewise_center"),
            ("samplewise_std_normalization", "samplewise_center"),
        ):
            if getattr(self, name) and not getattr(self, needed):
                self._override(name, needed, True)

    def _override(self, name: str, other: str, value: bool) -> None:
        setattr(self, other, value)
        warnings.warn(
            f"This ImageDataGenerator specifies `{name}`, which overrides setting of `{other}`.",
            stacklevel=4,
        )

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of an array of images; the arguments are those of `NumpyArrayIterator`."""
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            ignore_class_split=ignore_class_split,
            subset=subset,
            dtype=self.dtype,
        )

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Batches of the pictures below a folder, one subfolder a class. Needs Pillow.

        target_size, color_mode, interpolation, keep_aspect_ratio: as for `load_img`. classes: the
        subfolders, by default all. class_mode: "categorical" (one-hot), "binary" or "sparse"
        (numbers), "input" (the images themselves) or None. subset: "training" or "validation".
        """
        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            keep_aspect_ratio=keep_aspect_ratio,
            classes=classes,
            class_mode=class_mode,
            data_format=self.data_format,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            dtype=self.dtype,
        )

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
    ) -> DataFrameIterator:
        """Batches of the pictures that the column `x_col` names, in `directory`. Needs Pillow.

        dataframe: pandas's, or anything whose columns are sequences. y_col: the column of classes
        (strings, or lists of them); with class_mode "multi_output" or "raw" a list of columns,
        whose values are given as they are. weight_col: the column of sample weights.
        validate_filenames: leave out files that do not exist. The rest as `flow_from_directory`.
        """
        return DataFrameIterator(
            dataframe,
            directory,
            self,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            data_format=self.data_format,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            validate_filenames=validate_filenames,
            dtype=self.dtype,
        )

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """An image or a batch normalized as asked for; floats are changed in place."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._fitted("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._fitted(
            "featurewise_std_normalization", self.std
        ):
            x /= self.std + 1e-6
        if self.zca_whitening and self._fitted("zca_whitening", self.zca_whitening_matrix):
            flat = x.reshape(-1, math.prod(x.shape[-3:]))
            x = np.reshape(flat @ self.zca_whitening_matrix, x.shape)
        return x

    def _fitted(self, name: str, found: Any) -> bool:
        if found is None:
            warnings.warn(
                f"This ImageDataGenerator specifies `{name}`, but it hasn't been fit on any "
                "training data. Fit it first by calling `.fit(numpy_data)`.",
                stacklevel=3,
            )
        return found is not None

    def get_random_transform(
        self, img_shape: tuple[int, ...], seed: int | None = None
    ) -> dict[str, Any]:
        """A random change for images of this shape, which `apply_transform` takes."""
        if seed is not None:
            np.random.seed(seed)
        rows, cols = img_shape[self.row_axis - 1], img_shape[self.col_axis - 1]
        theta = _symmetric(self.rotation_range)
        tx, ty = _shift(self.height_shift_range, rows), _shift(self.width_shift_range, cols)
        shear = _symmetric(self.shear_range)
        zx, zy = 1, 1
        if self.zoom_range != [1, 1]:
            zx, zy = np.random.uniform(*self.zoom_range, 2)
        flip_horizontal = (np.random.random() < 0.5) * self.horizontal_flip
        flip_vertical = (np.random.random() < 0.5) * self.vertical_flip
        shift, brightness = None, None
        if self.channel_shift_range:
            shift = _symmetric(self.channel_shift_range)
        if self.brightness_range is not None:
            brightness = np.random.uniform(*self.brightness_range)
        return {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": shear,
            "zx": zx,
            "zy": zy,
            "flip_horizontal": flip_horizontal,
            "flip_vertical": flip_vertical,
            "channel_shift_intensity": shift,
            "brightness": brightness,
        }

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, Any]) -> np.ndarray:
        """An image with a change, as `get_random_transform` gives it; keys may be left out."""
        change = transform_parameters
        row, col, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        x = apply_affine_transform(
            x,
            change.get("theta", 0),
            change.get("tx", 0),
            change.get("ty", 0),
            change.get("shear", 0),
            change.get("zx", 1),
            change.get("zy", 1),
            row_axis=row,
            col_axis=col,
            channel_axis=channel,
            fill_mode=self.fill_mode,
            cval=self.cval,
            order=self.interpolation_order,
        )
        if change.get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, change["channel_shift_intensity"], channel)
        if change.get("flip_horizontal", False):
            x = flip_axis(x, col)
        if change.get("flip_vertical", False):
            x = flip_axis(x, row)
        if change.get("brightness") is not None:
            x = apply_brightness_shift(x, change["brightness"], False)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """An image with a random change."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Find the means, deviations and the whitening matrix of images (n, rows, cols, channels).

        augment: of the images changed at random, `rounds` times. seed: of these changes.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ValueError(
                f"Input to `.fit()` should have rank 4. Got array with shape: {x.shape}"
            )
        warn_of_channels("ImageDataGenerator.fit", x.shape, self.data_format)
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            images = [self.random_transform(image) for _ in range(rounds) for image in x]
            x = np.array(images, dtype=self.dtype)
        if self.featurewise_center:
            self.mean = self._per_channel(np.mean, x)
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = self._per_channel(np.std, x)
            x /= self.std + 1e-6
        if self.zca_whitening:
            flat = x.reshape(len(x), -1)
            u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(x)) / (s + self.zca_epsilon))) @ u.T

    def _per_channel(self, function: Callable[..., Any], x: np.ndarray) -> np.ndarray:
        shape = [1, 1, 1]
        shape[self.channel_axis - 1] = x.shape[self.channel_axis]
        return function(x, axis=(0, self.row_axis, self.col_axis)).reshape(shape)


def _as_range(zoom_range: Any) -> list[float]:
    if isinstance(zoom_range, (float, int)):
        return [1 - zoom_range, 1 + zoom_range]
    if len(zoom_range) == 2 and all(isinstance(value, (float, int)) for value in zoom_range):
        return list(zoom_range)
    raise ValueError(
        f"`zoom_range` should be a float or a tuple or list of two floats. Received: {zoom_range}"
    )


def _symmetric(limit: float) -> float:
    return np.random.uniform(-limit, limit) if limit else 0


def _shift(limit: Any, size: int) -> float:
    """Pixels to move by: up to `limit`, or one of its items, or below it where it is an int."""
    if not limit:
        return 0
    if isinstance(limit, float):
        shift = np.random.uniform(-limit, limit)
    else:
        shift = np.random.choice(limit) * np.random.choice([-1, 1])
    return shift * size if np.max(limit) < 1 else shift
