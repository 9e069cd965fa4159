"""Layers that mix images with others of their batch, or with noise: MixUp, CutMix and erasing."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.registry import backend_of

from .image_layer import RandomImageLayer, interval, two_numbers


class MixUp(RandomImageLayer):
    """In training mixes each image and its labels with those of a random other one.

    The share is drawn from Beta(alpha, alpha). Zhang et al. 2017.
    """

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.alpha = alpha

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`permutation_order` (batch,): the others; `mix_weight` (batch,): the shares kept."""
        if not training:
            return None
        count, *_ = self._sizes(data)
        seed = self.generator if seed is None else seed
        return {
            "permutation_order": K.random_shuffle(K.arange(count, dtype="int32"), seed=seed),
            "mix_weight": K.random_beta((count,), self.alpha, self.alpha, seed=seed),
        }

    def _transformed(self, images: Any, transformation: Any) -> Any:
        return _mixed(images, transformation)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """The labels, of floats and one row for each image, mixed as the images."""
        return _mixed(labels, transformation) if training and transformation else labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The masks, mixed as the images."""
        return self.transform_labels(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The boxes of each image and of the other one, as both are seen."""
        if not training or transformation is None:
            return bounding_boxes
        order = transformation["permutation_order"]
        return {
            key: K.concatenate([value, K.take(value, order, axis=0)], axis=1)
            for key, value in bounding_boxes.items()
        }


def _mixed(x: Any, transformation: Any) -> Any:
    """Weight times x, plus the rest times the others."""
    x = x if K.is_floating(x.dtype) else K.cast(x, K.floatx())
    others = K.take(x, transformation["permutation_order"], axis=0)
    weight = K.convert_to_tensor(transformation["mix_weight"])
    weight = K.cast(K.reshape(weight, (-1, *(1,) * (x.ndim - 1))), x.dtype)
    return weight * x + (1 - weight) * others


class _BoxLayer(RandomImageLayer):
    """A random layer that acts on a rectangle of each image."""

    def _boxes(self, data: Any, seed: Any, ratios: Any) -> tuple[Any, Any]:
        """Which pixels are inside (batch, height, width, 1), and their shares (batch,).

        `ratios` (batch, 2): the width and the height of the boxes, of the images'.
        """
        count, height, width = self._sizes(data)
        inside, share = [], 1.0
        for i, (length, axis) in enumerate(((width, 2), (height, 1))):
            size = ratios[:, i] * float(length)
            start = self._uniform(seed, (count,), 0, 1) * (float(length) - size)
            places = np.arange(length, dtype=self.compute_dtype)
            grid = backend_of(size.array).constant(
                places.reshape((-1, 1) if axis == 1 else (1, -1))
            )
            first, end = (K.reshape(x, (-1, 1, 1)) for x in (start, start + size))
            inside.append((first <= grid) & (end > grid))
            share = share * size / float(length)
        channel = -1 if self.data_format == "channels_last" else 1
        return K.expand_dims(inside[0] & inside[1], channel), share


class CutMix(_BoxLayer):
    """In training puts a rectangle of a random other image of the batch into each one.

    Labels are mixed by the areas. `factor`: alpha is drawn from it, and the area from
    Beta(alpha, alpha). A single image stays as it is. Yun et al. 2019.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, 0, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`permutation_order` (batch,), `batch_masks`, and `mix_weight`: the shares kept."""
        if not training or len(self._shape(data)) == 3:
            return None
        count, *_ = self._sizes(data)
        seed = self.generator if seed is None else seed
        alpha = float(self._uniform(seed, (), *self.factor, dtype="float32")) + 1e-6
        kept = K.random_beta((count, 1), alpha, alpha, dtype=self.compute_dtype, seed=seed)
        inside, share = self._boxes(data, seed, K.tile(K.sqrt(1 - kept), (1, 2)))
        return {
            "permutation_order": K.random_shuffle(K.arange(count, dtype="int32"), seed=seed),
            "batch_masks": inside,
            "mix_weight": 1 - share,
        }

    def _transformed(self, images: Any, transformation: Any) -> Any:
        others = K.take(images, transformation["permutation_order"], axis=0)
        return K.where(transformation["batch_masks"], others, images)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """The labels, of floats and one row for each image, mixed by the areas."""
        return _mixed(labels, transformation) if training and transformation else labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The masks, cut as the images."""
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """NotImplementedError: parts of boxes come and go."""
        raise NotImplementedError(
            f"CutMix does not say what becomes of bounding boxes. Layer '{self.name}' was given "
            "'bounding_boxes': leave them out, or use MixUp."
        )


class RandomErasing(_BoxLayer):
    """In training fills a random rectangle of images, with a probability drawn from `factor`.

    `scale`: the area's share of the image, drawn from it for each side. `fill_value`: a number,
    one for each of three channels, or None for normal noise. Zhong et al. 2017.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, 0, 1)
        self.scale = interval("scale", scale, 0, 1)
        several = isinstance(fill_value, (tuple, list))
        if (
            len(fill_value) != 3
            if several
            else not isinstance(fill_value, (int, float, type(None)))
        ):
            raise ValueError(
                "The `fill_value` argument should be a number (or a list of three numbers), or "
                f"None. Received: fill_value={fill_value}"
            )
        self.fill_value = fill_value
        self.value_range = two_numbers("value_range", value_range)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`apply_erasing`: which images; `batch_masks`: which pixels; `fill_value` for them."""
        if not training:
            return None
        count, *_ = self._sizes(data)
        seed = self.generator if seed is None else seed
        inside, _ = self._boxes(data, seed, K.sqrt(self._uniform(seed, (count, 2), *self.scale)))
        return {
            "apply_erasing": self._chosen(seed, count, self.factor),
            "batch_masks": inside,
            "fill_value": self._filling(data, seed),
        }

    def _filling(self, data: Any, seed: Any) -> Any:
        shape = self._shape(data)
        if self.fill_value is None:
            shape = shape if len(shape) == 4 else (1, *shape)
            filling = K.random_normal(shape, dtype=self.compute_dtype, seed=seed)
            filling = filling * float(self.value_range[1])
        else:
            filling = K.convert_to_tensor(np.array(self.fill_value, self.compute_dtype))
            if self.data_format == "channels_first" and filling.ndim:
                filling = K.reshape(filling, (3, 1, 1))
        return K.clip(filling, *map(float, self.value_range))

    def _transformed(self, images: Any, transformation: Any) -> Any:
        chosen = K.reshape(K.convert_to_tensor(transformation["apply_erasing"]), (-1, 1, 1, 1))
        filling = K.cast(transformation["fill_value"], images.dtype)
        return K.where(K.logical_and(chosen, transformation["batch_masks"]), filling, images)
