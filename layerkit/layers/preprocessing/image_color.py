"""Layers that change colors: brightness, contrast, hue, saturation, sharpness and the like.

`value_range`: the lowest and the highest value of the images, (0, 255) or (0, 1) in most cases.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.registry import backend_of

from ...ops import image
from .image_layer import ImageLayer, RandomImageLayer, interval, rescaled, symmetric, two_numbers


class _ColorLayer(RandomImageLayer):
    """A random layer that changes each value by its own color and that of its surroundings."""

    def __init__(self, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any):
        super().__init__(seed=seed, **kwargs)
        self.value_range = two_numbers("value_range", value_range)

    def _clipped(self, images: Any) -> Any:
        return K.clip(images, *map(float, self.value_range))


class _FactorLayer(_ColorLayer):
    """One that draws a `factor` for each image, from `low` to `high`."""

    def _factors(self, data: Any, seed: Any, low: float, high: float) -> Any:
        count, *_ = self._sizes(data)
        return self._uniform(seed, (count, 1, 1, 1), low, high)


class RandomContrast(_FactorLayer):
    """In training takes values away from the mean of their channel, or nearer to it.

    `factor`: f means by factors from 1 to 1 + f, two numbers from 1 minus the first to 1 plus the
    second, in [0, 1].
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ):
        super().__init__(value_range=value_range, seed=seed, **kwargs)
        self.factor = interval("factor", factor, 0, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`contrast_factor` (batch, 1, 1, 1)."""
        if not training:
            return None
        low, high = self.factor
        return {"contrast_factor": self._factors(data, seed, 1.0 - low, 1.0 + high)}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        factor = K.cast(transformation["contrast_factor"], images.dtype)
        mean = K.mean(images, axis=self._spatial_axes(), keepdims=True)
        return self._clipped((images - mean) * factor + mean)


class RandomBrightness(_FactorLayer):
    """In training adds a random share of the value range to all values of an image.

    `factor`: f means from -f to f, two numbers from one to the other, in [-1, 1].
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ):
        super().__init__(value_range=value_range, seed=seed, **kwargs)
        self.factor = interval("factor", factor, -1, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`rgb_delta` (batch, 1, 1, 1): what is added."""
        if not training:
            return None
        low, high = self.value_range
        return {"rgb_delta": self._factors(data, seed, *self.factor) * float(high - low)}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        return self._clipped(images + K.cast(transformation["rgb_delta"], images.dtype))


class RandomGrayscale(RandomImageLayer):
    """In training makes each image gray with probability `factor`."""

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if not 0 <= factor <= 1:
            raise ValueError(f"`factor` should be between 0 and 1. Received: factor={factor}")
        self.factor = factor

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Which images (batch, 1, 1, 1) become gray."""
        if not training:
            return None
        count, *_ = self._sizes(data)
        return self._uniform(seed, (count, 1, 1, 1), 0, 1, dtype="float32") < self.factor

    def _transformed(self, images: Any, transformation: Any) -> Any:
        gray = image.rgb_to_grayscale(images, data_format=self.data_format)
        return K.where(transformation, gray, images)


class RandomInvert(_ColorLayer):
    """In training inverts images, with a probability drawn from `factor`."""

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(value_range=value_range, seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, 0, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`apply_inversion`: which images (batch, 1, 1, 1)."""
        if not training:
            return None
        return {"apply_inversion": self._chosen(seed, self._sizes(data)[0], self.factor)}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        chosen = _each_image(transformation["apply_inversion"])
        return K.where(chosen, float(self.value_range[1]) - images, images)


class RandomHue(_FactorLayer):
    """In training turns the hues of an image by a random part of half a circle, either way.

    `factor`: f means up to f, two numbers from one to the other, in [0, 1].
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(value_range=value_range, seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, 0, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`factor` (batch,): what is added to the hues, in circles."""
        if not training:
            return None
        sign = K.where(self._factors(data, seed, 0, 1) > 0.5, -0.5, 0.5)
        return {"factor": K.reshape(self._factors(data, seed, *self.factor) * sign, (-1,))}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        x = rescaled(images, self.value_range, (0, 1))
        axis = self._channels_axis()
        hue, saturation, value = K.split(image.rgb_to_hsv(x, self.data_format), 3, axis)
        hue = hue + K.cast(_each_image(transformation["factor"]), x.dtype)
        hue = K.where(hue > 1, hue - 1, hue)
        hue = K.where(hue < 0, hue + 1, hue)
        x = image.hsv_to_rgb(K.concatenate([hue, saturation, value], axis), self.data_format)
        return rescaled(K.clip(x, 0.0, 1.0), (0, 1), self.value_range)


class RandomSaturation(_FactorLayer):
    """In training multiplies the saturation of an image by a random factor.

    `factor`: f means from -f to f, two numbers from one to the other, in [-1, 1]; 0.5 changes
    nothing, 0 and less makes gray, 1 saturates fully: f / (1 - f) is what the saturation is
    multiplied by.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(value_range=value_range, seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, -1, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`factor` (batch,): what the saturation is multiplied by."""
        if not training:
            return None
        factor = K.reshape(self._factors(data, seed, *self.factor), (-1,))
        return {"factor": factor / (1 - factor + K.epsilon())}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        axis = self._channels_axis()
        hue, saturation, value = K.split(image.rgb_to_hsv(images, self.data_format), 3, axis)
        factor = K.cast(_each_image(transformation["factor"]), images.dtype)
        saturation = self._clipped(saturation * factor)
        return image.hsv_to_rgb(K.concatenate([hue, saturation, value], axis), self.data_format)


class RandomColorDegeneration(_FactorLayer):
    """In training mixes each image with its gray version: a random share of it."""

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(value_range=value_range, seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, -1, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`factor` (batch, 1, 1, 1): the share of gray."""
        return {"factor": self._factors(data, seed, *self.factor)} if training else None

    def _transformed(self, images: Any, transformation: Any) -> Any:
        factor = K.cast(transformation["factor"], images.dtype)
        gray = image.rgb_to_grayscale(images, data_format=self.data_format)
        return self._clipped(images + factor * (gray - images))


class RandomColorJitter(_ColorLayer):
    """In training changes brightness, contrast, saturation and hue, one after the other.

    The factors are those of the layers of that name; None leaves one out.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(value_range=value_range, seed=seed, data_format=data_format, **kwargs)
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        kinds = {
            RandomBrightness: brightness_factor,
            RandomContrast: contrast_factor,
            RandomSaturation: saturation_factor,
            RandomHue: hue_factor,
        }
        self._steps = [
            kind(
                factor,
                value_range=value_range,
                seed=seed,
                data_format=self.data_format,
                dtype=self.dtype_policy,
            )
            for kind, factor in kinds.items()
            if factor is not None
        ]

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The transformations of the layers, in their order."""
        seed = self.generator if seed is None else seed
        if not training:
            return None
        return [step.get_random_transformation(data, seed=seed) for step in self._steps]

    def _transformed(self, images: Any, transformation: Any) -> Any:
        for step, own in zip(self._steps, transformation, strict=True):
            images = step.transform_images(images, own)
        return images


class RandomPosterization(_ColorLayer):
    """In training leaves a random number of bits of each value, of 8.

    `factor`: the number of bits, or two, from the first on and below the second, in [1, 8].
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(value_range=value_range, seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, 1, 8)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`shift_factor` (batch,): how many bits are lost."""
        if not training:
            return None
        count, *_ = self._sizes(data)
        low, high = self.factor
        seed = self.generator if seed is None else seed
        bits = K.random_randint((count,), int(low), max(int(high), int(low) + 1), seed=seed)
        return {"shift_factor": 8 - bits}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        step = K.power(2, K.cast(_each_image(transformation["shift_factor"]), "int32"))
        x = K.cast(rescaled(images, self.value_range, (0, 255)), "int32")
        return rescaled(K.cast(x // step * step, images.dtype), (0, 255), self.value_range)


class RandomSharpness(_FactorLayer):
    """In training blurs or sharpens each image.

    `factor`: f means from 0 to f, two numbers from one to the other, in [0, 1]; 0 blurs, 0.5
    changes nothing, 1 sharpens.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(value_range=value_range, seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, 0, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`factor` (batch,): how sharp."""
        if not training:
            return None
        return {"factor": K.reshape(self._factors(data, seed, *self.factor), (-1,))}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        channels = images.shape[self._channels_axis()]
        kernel = np.full((3, 3, channels, 1), 1 / 13)
        kernel[1, 1] = 5 / 13
        kernel = backend_of(images.array).constant(kernel.astype(images.dtype))
        smooth = K.depthwise_conv(images, kernel, padding="same", data_format=self.data_format)
        factor = K.cast(_each_image(transformation["factor"]), images.dtype)
        return self._clipped(images + (1 - 2 * factor) * (smooth - images))


class RandomGaussianBlur(_ColorLayer):
    """In training blurs images, with a probability drawn from `factor`.

    `kernel_size`: odd, or (width, height); `sigma`: the standard deviation is drawn from it.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(value_range=value_range, seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, 0, 1)
        self.kernel_size = _odd("kernel_size", kernel_size)
        self.sigma = interval("sigma", sigma, 0, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`should_apply_blur`, which images, and `blur_factor` (2,), the deviations for all."""
        if not training:
            return None
        return {
            "should_apply_blur": self._chosen(seed, self._sizes(data)[0], self.factor),
            "blur_factor": self._uniform(seed, (2,), *self.sigma) + 1e-6,
        }

    def _transformed(self, images: Any, transformation: Any) -> Any:
        blurred = image.gaussian_blur(
            images, self.kernel_size, transformation["blur_factor"], self.data_format
        )
        chosen = _each_image(transformation["should_apply_blur"])
        return self._clipped(K.where(chosen, blurred, images))


class Solarization(_ColorLayer):
    """In training adds something to the values, and inverts those that reach a threshold.

    `addition_factor`, `threshold_factor`: f means from 0 to f of the value range, two numbers from
    one to the other, in [0, 1].
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(value_range=value_range, seed=seed, **kwargs)
        self.addition_factor = _from_zero("addition_factor", addition_factor)
        self.threshold_factor = _from_zero("threshold_factor", threshold_factor)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`additions` and `thresholds` (batch, 1, 1, 1), of values in [0, 255]."""
        if not training:
            return None
        shape = (self._sizes(data)[0], 1, 1, 1)
        return {
            name: self._uniform(seed, shape, low, high * 255)
            for name, (low, high) in (
                ("additions", self.addition_factor),
                ("thresholds", self.threshold_factor),
            )
        }

    def _transformed(self, images: Any, transformation: Any) -> Any:
        additions, thresholds = (
            K.cast(transformation[name], images.dtype) for name in ("additions", "thresholds")
        )
        x = K.clip(rescaled(images, self.value_range, (0, 255)) + additions, 0.0, 255.0)
        x = K.where(x < thresholds, x, 255.0 - x)
        return rescaled(x, (0, 255), self.value_range)


class AutoContrast(ImageLayer):
    """Values of each channel of an image stretched over the value range, in training and out of it.

    A channel of one value stays as it is.
    """

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any):
        super().__init__(**kwargs)
        self.value_range = two_numbers("value_range", value_range)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """A batch of images, stretched."""
        images = K.cast(K.convert_to_tensor(images), self.compute_dtype)
        axes = self._spatial_axes()
        x = rescaled(images, self.value_range, (0, 255))
        low, high = K.min(x, axis=axes, keepdims=True), K.max(x, axis=axes, keepdims=True)
        flat = K.equal(high, low)
        scale = 255.0 / K.where(flat, 1.0, high - low)
        y = K.clip(x * scale - low * scale, 0.0, 255.0)
        return K.where(flat, images, rescaled(y, (0, 255), self.value_range))


class Equalization(ImageLayer):
    """In training gives each channel of the batch a flat histogram, of `bins` bins."""

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = two_numbers("value_range", value_range)
        self.bins = bins

    def _transformed(self, images: Any, transformation: Any) -> Any:
        axis = self._channels_axis()
        x = rescaled(images, self.value_range, (0, 255))
        channels = [K.equalize_histogram(c, bins=self.bins) for c in K.unstack(x, axis=axis)]
        return rescaled(K.stack(channels, axis=axis), (0, 255), self.value_range)


def _each_image(x: Any) -> Any:
    """One number for each image, of a shape that broadcasts against them."""
    return K.reshape(K.convert_to_tensor(x), (-1, 1, 1, 1))


def _odd(name: str, value: Any) -> tuple[int, int]:
    sizes = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(sizes) != 2 or any(not isinstance(n, int) or n % 2 == 0 for n in sizes):
        raise ValueError(f"{name} must be an odd number, or two. Received: {name}={value}")
    return sizes


def _from_zero(name: str, value: Any) -> tuple[float, float]:
    """f as (0, f), or two numbers in ascending order, in [0, 1]."""
    low, high = symmetric(name, value, 0.0, 1.0)
    return (low, high) if isinstance(value, (tuple, list)) else (0, high)
