"""Layers that bend images: RandomPerspective and RandomElasticTransform."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from ...ops import image
from ...ops.resampling import homography
from ...utils.bounding_boxes import around
from .image_layer import (
    INTERPOLATIONS,
    RandomImageLayer,
    check_known,
    interval,
    inverted,
    two_numbers,
)


class _WarpingLayer(RandomImageLayer):
    """A random layer that bends some of the images, and the masks as the images."""

    def _transformed(self, images: Any, transformation: Any) -> Any:
        return self._warped(images, transformation, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The masks, bent as the images were; none of their values is mixed with another."""
        if not training or transformation is None:
            return segmentation_masks
        return self._warped(K.convert_to_tensor(segmentation_masks), transformation, "nearest")

    def _warped(self, images: Any, transformation: Any, interpolation: str) -> Any:
        raise NotImplementedError

    def _drawn(self, seed: Any, count: int) -> Any:
        """(count,) bools: which images are bent, with a probability drawn from `factor`."""
        return K.reshape(self._chosen(seed, count, self.factor), (-1,))


class RandomPerspective(_WarpingLayer):
    """In training shows images in a random perspective, with a probability drawn from `factor`.

    `scale`: how far corners move at most, in [0, 1]: half of their distance from the upper left
    corner for 1. `interpolation`: 'nearest' or 'bilinear'. `fill_value`: of what lies outside.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, 0, 1)
        if not isinstance(scale, (int, float)) or not 0 <= scale <= 1:
            raise ValueError(
                f"The `scale` argument should be a number in the range [0,1]. Received: "
                f"scale={scale}"
            )
        self.scale = scale
        check_known("interpolation", interpolation, INTERPOLATIONS)
        self.interpolation = interpolation
        self.fill_value = fill_value

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`apply_perspective` (batch,); `start_points` and `end_points` (batch, 4, 2) of x, y."""
        if not training:
            return None
        count, height, width = self._sizes(data)
        right, bottom = width - 1.0, height - 1.0
        corners = [[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]]
        start = K.tile(K.cast(K.convert_to_tensor([corners]), "float32"), (count, 1, 1))
        chosen = self._drawn(seed, count)
        half = 0.5 * self.scale
        shares = self._uniform(seed, (count, 4, 2), -half, half, dtype="float32")
        return {
            "apply_perspective": chosen,
            "start_points": start,
            "end_points": start + start * shares,
            "input_shape": self._shape(data),
        }

    def _warped(self, images: Any, transformation: Any, interpolation: str) -> Any:
        seen = image.perspective_transform(
            images,
            transformation["start_points"],
            transformation["end_points"],
            interpolation=interpolation,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )
        return K.where(_for_each(transformation["apply_perspective"], 4), seen, images)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Upright boxes around the corners of the boxes, which moved as the pixels did."""
        if not training or transformation is None:
            return bounding_boxes
        size = self._size_in(transformation)
        points = (K.cast(transformation[key], "float32") for key in ("start_points", "end_points"))
        matrix = inverted(homography(*points))
        chosen = _for_each(transformation["apply_perspective"], 3)
        return self._boxes_moved(
            bounding_boxes, lambda boxes: K.where(chosen, around(boxes, matrix), boxes), size, size
        )


class RandomElasticTransform(_WarpingLayer):
    """In training moves pixels by smooth random fields, with a probability drawn from `factor`.

    `scale`: how strongly, drawn from it for the batch: f means from 0 to f, two numbers in [0, 1]
    from one to the other. The other arguments are those of `ops.image.elastic_transform`; images
    are cut to `value_range`. Simard et al. 2003.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = interval("factor", factor, 0, 1)
        self.scale = interval("scale", scale, 0, 1)
        check_known("interpolation", interpolation, INTERPOLATIONS)
        known = ("constant", "nearest", "wrap", "mirror", "reflect")
        if fill_mode not in known:
            raise NotImplementedError(f"Unknown `fill_mode` {fill_mode}. Expected of one {known}.")
        self.interpolation = interpolation
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.value_range = two_numbers("value_range", value_range)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`apply_transform` (batch,); `distortion_factor`; `seed`, of the fields, an int."""
        if not training or self.scale[1] == 0 or self.factor[1] == 0:
            return None
        count, *_ = self._sizes(data)
        seed = self.generator if seed is None else seed
        return {
            "apply_transform": self._drawn(seed, count),
            "distortion_factor": float(self._uniform(seed, (), *self.scale, dtype="float32")),
            "seed": int(K.random_randint((), 0, 2**31 - 1, seed=seed)),
        }

    def get_elastic_transform_params(
        self, height: int, width: int, factor: float
    ) -> tuple[float, float]:
        """`alpha` and `sigma` of `ops.image.elastic_transform` for images of this size."""
        return max(height, width) * 0.1 * factor, min(height, width) * 0.05 * factor

    def _transformed(self, images: Any, transformation: Any) -> Any:
        return K.clip(super()._transformed(images, transformation), *map(float, self.value_range))

    def _warped(self, images: Any, transformation: Any, interpolation: str) -> Any:
        _, height, width = self._sizes(images)
        factor = float(transformation["distortion_factor"])
        alpha, sigma = self.get_elastic_transform_params(height, width, factor)
        if sigma == 0:
            return images
        bent = image.elastic_transform(
            images,
            alpha=alpha,
            sigma=sigma,
            interpolation=interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            seed=transformation["seed"],
            data_format=self.data_format,
        )
        return K.where(_for_each(transformation["apply_transform"], 4), bent, images)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """NotImplementedError: a bent box is none."""
        raise NotImplementedError(
            "RandomElasticTransform does not say what becomes of bounding boxes. Layer "
            f"'{self.name}' was given 'bounding_boxes': leave them out, or use another layer."
        )


def _for_each(chosen: Any, rank: int) -> Any:
    return K.reshape(K.cast(K.convert_to_tensor(chosen), "bool"), (-1, *(1,) * (rank - 1)))
