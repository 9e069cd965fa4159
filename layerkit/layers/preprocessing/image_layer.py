"""What the layers of images share: what they take, when they act, and from what they draw."""

from __future__ import annotations

import math
from typing import Any

from layerkit import backend as K
from layerkit.backend import SeedGenerator

from ...ops import image
from ...symbolic import KerasTensor
from ...utils.bounding_boxes import around, clip_to_image_size, convert_format
from ..layer import Layer


class ImageLayer(Layer):
    """A layer of images: a batch of rank 4, one image of rank 3, or a dict with more about them.

    The dict has 'images', and 'labels', 'segmentation_masks' and 'bounding_boxes' where these are
    to follow. Bounding boxes are a dict of 'boxes' (batch, n, 4), in the `bounding_box_format`, one
    of `utils.bounding_boxes`, and 'labels' (batch, n), which become -1 where nothing of a box is
    left; for one image neither has the first axis.

    A layer is `get_random_transformation`, which draws what is to be done, and `transform_images`,
    which does it; the latter gives images of the layer's float type. Without `training` nothing
    happens; it is True where nobody says otherwise.
    """

    def __init__(
        self,
        data_format: str | None = None,
        bounding_box_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.bounding_box_format = bounding_box_format
        self.data_format = K.standardize_data_format(data_format)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: SeedGenerator | None = None
    ) -> Any:
        """What is to be done to `data`, drawn from `seed` or the layer's own; None for nothing."""
        return {}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """A batch of images, transformed, in the layer's float type."""
        images = K.cast(K.convert_to_tensor(images), self.compute_dtype)
        if not training or transformation is None:
            return images
        return self._transformed(images, transformation)

    def _transformed(self, images: Any, transformation: Any) -> Any:
        """The formula: a batch of images in the layer's float type, transformed."""
        raise NotImplementedError

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """The labels of a batch that was transformed."""
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The masks of a batch that was transformed: as they are, where no pixel moves."""
        return segmentation_masks

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The boxes of a batch that was transformed: as they are, where no pixel moves."""
        return bounding_boxes

    def call(self, data: Any, training: bool = True) -> Any:
        parts = data if isinstance(data, dict) else {"images": data}
        single = len(self._shape(data)) == 3
        if "bounding_boxes" in parts:
            self._check_boxes(parts["bounding_boxes"], single)
        transformation = self.get_random_transformation(data, training=training)
        found = dict(parts)
        for key, transform in (
            ("images", self.transform_images),
            ("labels", self.transform_labels),
            ("segmentation_masks", self.transform_segmentation_masks),
            ("bounding_boxes", self.transform_bounding_boxes),
        ):
            if key in parts:
                x = _each(K.expand_dims, parts[key]) if single else parts[key]
                y = transform(x, transformation, training=training)
                found[key] = _each(K.squeeze, y) if single else y
        return found if isinstance(data, dict) else found["images"]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; `bounding_box_format` where there is one, as in Keras."""
        config = super().get_config()
        if self.bounding_box_format is None:
            config.pop("bounding_box_format", None)
        return config

    def _convert(self, inputs: Any) -> Any:
        """As of any layer; but boxes are float32, whose pixels halves could not tell apart."""
        boxes = inputs.get("bounding_boxes") if isinstance(inputs, dict) else None
        if not isinstance(boxes, dict):
            return super()._convert(inputs)
        rest = super()._convert({**inputs, "bounding_boxes": None})
        found = {
            key: value if isinstance(value, KerasTensor) else K.convert_to_tensor(value)
            for key, value in boxes.items()
        }
        if "boxes" in found and not isinstance(found["boxes"], KerasTensor):
            found["boxes"] = K.cast(found["boxes"], "float32")
        return {**rest, "bounding_boxes": found}

    def _check_boxes(self, bounding_boxes: Any, single: bool) -> None:
        """ValueError for bounding boxes that are none, or whose format nobody told."""
        self._box_format()
        there = isinstance(bounding_boxes, dict) and {"boxes", "labels"} <= set(bounding_boxes)
        if not there:
            raise ValueError(
                "Expected `bounding_boxes` argument to be a dict with keys 'boxes' and 'labels'. "
                f"Received: bounding_boxes={bounding_boxes}, in layer '{self.name}'."
            )
        shape, labels = (tuple(bounding_boxes[key].shape) for key in ("boxes", "labels"))
        rank = 2 if single else 3
        if len(shape) != rank or shape[-1] != 4 or len(labels) not in (rank - 1, rank):
            raise ValueError(
                f"Layer '{self.name}' expected 'boxes' of shape "
                f"{'(boxes, 4)' if single else '(batch, boxes, 4)'}, as the images are "
                f"{'one' if single else 'a batch'}, and 'labels' of shape {labels[: rank - 1]} or "
                f"with classes as a last axis. Received: bounding_boxes['boxes'].shape={shape}, "
                f"bounding_boxes['labels'].shape={labels}. Pad the boxes of images that have fewer "
                "with -1."
            )

    def _box_format(self) -> str:
        if self.bounding_box_format is None:
            raise ValueError(
                "You passed an input with a 'bounding_boxes' key, but you didn't specify a "
                "bounding box format. Pass a `bounding_box_format` argument to your "
                f"{type(self).__name__} layer, e.g. `bounding_box_format='xyxy'`."
            )
        return self.bounding_box_format

    def _boxes_moved(self, bounding_boxes: Any, move: Any, before: Any, after: Any) -> Any:
        """Bounding boxes whose "xyxy" corners went through `move`, cut to the image.

        `before`, `after`: height and width of the images.
        """
        given = self._box_format()
        found = convert_format(bounding_boxes, given, "xyxy", *before)
        found = clip_to_image_size({**found, "boxes": move(found["boxes"])}, *after)
        return convert_format(found, "xyxy", given, *after)

    def _size_in(self, transformation: Any) -> tuple[int, int]:
        """Height and width of the images that a transformation was drawn for."""
        height, width = (transformation["input_shape"][axis] for axis in self._spatial_axes())
        return height, width

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def _shape(self, data: Any) -> tuple[int, ...]:
        """The shape of the images. ValueError where they are none."""
        shape = (data["images"] if isinstance(data, dict) else data).shape
        if len(shape) not in (3, 4):
            raise ValueError(
                "Expected image tensor to have rank 3 (single image) or 4 (batch of images). "
                f"Received: data.shape={tuple(shape)}, in layer '{self.name}'."
            )
        return shape

    def _sizes(self, data: Any) -> tuple[int, int, int]:
        """How many images there are, their height and their width."""
        shape = self._shape(data)
        height, width = (shape[axis] for axis in self._spatial_axes())
        return (shape[0] if len(shape) == 4 else 1), height, width

    def _spatial_axes(self) -> tuple[int, int]:
        return (-3, -2) if self.data_format == "channels_last" else (-2, -1)

    def _channels_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else -3


class RandomImageLayer(ImageLayer):
    """A layer of images that draws from a seed of its own."""

    def __init__(self, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = SeedGenerator(seed)

    def _uniform(self, seed: Any, shape: Any, low: float, high: float, dtype: Any = None) -> Any:
        """Numbers from `low` to `high`, in the layer's float type or in `dtype`."""
        seed = self.generator if seed is None else seed
        dtype = dtype or self.compute_dtype
        return K.random_uniform(tuple(shape), low, high, dtype=dtype, seed=seed)

    def _chosen(self, seed: Any, count: int, probability: tuple[float, float]) -> Any:
        """(count, 1, 1, 1) bools: each true with a probability drawn from between two."""
        likely = self._uniform(seed, (count, 1, 1, 1), *probability, dtype="float32")
        return self._uniform(seed, (count, 1, 1, 1), 0, 1, dtype="float32") < likely


class MovingImageLayer(RandomImageLayer):
    """A random layer that reads pixels elsewhere: between them, and outside of the image.

    `interpolation`: 'nearest' or 'bilinear'. `fill_mode`, of what lies outside: 'reflect'
    (dcba|abcd|dcba), 'wrap' (abcd|abcd|abcd), 'constant' (`fill_value`) or 'nearest'.
    """

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_known("fill_mode", fill_mode, ("reflect", "wrap", "constant", "nearest"))
        check_known("interpolation", interpolation, INTERPOLATIONS)
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value

    def _transformed(self, images: Any, transformation: Any) -> Any:
        return self._moved(images, self._matrix(images, transformation), self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The masks, moved as the images were; none of their values is mixed with another."""
        if not training or transformation is None:
            return segmentation_masks
        matrix = self._matrix(segmentation_masks, transformation)
        return self._moved(segmentation_masks, matrix, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Upright boxes around the corners of the boxes, which moved as the pixels did."""
        if not training or transformation is None:
            return bounding_boxes
        size = self._size_in(transformation)
        matrix = inverted(self._matrix_for(*size, transformation))
        return self._boxes_moved(bounding_boxes, lambda boxes: around(boxes, matrix), size, size)

    def _moved(self, images: Any, matrix: Any, interpolation: str) -> Any:
        return image.affine_transform(
            images,
            matrix,
            interpolation=interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )

    def _matrix(self, images: Any, transformation: Any) -> Any:
        _, height, width = self._sizes(images)
        return self._matrix_for(height, width, transformation)

    def _matrix_for(self, height: int, width: int, transformation: Any) -> Any:
        """(batch, 8): where each pixel is read, as of `ops.image.affine_transform`."""
        raise NotImplementedError


def inverted(matrix: Any) -> tuple[tuple[Any, ...], ...]:
    """Where a transformation (batch, 8) takes what it reads: 3 rows of 3, up to a factor."""
    a, b, c, d, e, f, g, h = (matrix[:, i] for i in range(8))
    return (
        (e - f * h, c * h - b, b * f - c * e),
        (f * g - d, a - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )


def _each(function: Any, x: Any) -> Any:
    """`function` of the first axis of x, or of each value of a dict."""
    if isinstance(x, dict):
        return {key: function(value, 0) for key, value in x.items()}
    return function(x, 0)


def columns(count: int, *values: Any) -> Any:
    """(count, len(values)) floats of columns that are numbers or tensors of `count` elements."""
    return K.concatenate([_column(count, value) for value in values], axis=1)


def _column(count: int, value: Any) -> Any:
    if isinstance(value, (int, float)):
        return K.full((count, 1), float(value), dtype="float32")
    return K.cast(K.reshape(K.convert_to_tensor(value), (count, 1)), "float32")


# Checks of arguments


INTERPOLATIONS = ("nearest", "bilinear")  # of pixels that move


def check_known(name: str, value: Any, known: tuple[str, ...]) -> None:
    """NotImplementedError where the argument `name` is none of those that there are."""
    if value not in known:
        raise NotImplementedError(f"Unknown `{name}` {value}. Expected of one {known}.")


def interval(name: str, value: Any, low: float, high: float) -> tuple[float, float]:
    """A number f in [low, high] as (-f or `low`, f), or two numbers in ascending order."""
    if isinstance(value, (tuple, list)) and len(value) == 2:
        if value[0] <= high and value[1] >= low:
            return min(value), max(value)
    elif isinstance(value, (int, float)) and low <= value <= high:
        return max(-abs(value), low), abs(value)
    raise ValueError(
        f"The `{name}` argument should be a number (or a list of two numbers) in the range "
        f"[{low}, {high}]. Received: {name}={value}"
    )


def symmetric(
    name: str, value: Any, low: float, high: float, low_is_open: bool = False
) -> tuple[float, float]:
    """A number f as (-f, f), or two numbers in ascending order, all within [low, high]."""
    ends = value if isinstance(value, (tuple, list)) else (value,)
    numbers = len(ends) in (1, 2) and all(isinstance(end, (int, float)) for end in ends)
    if not numbers or max(ends) > high or min(ends) < low or (low_is_open and min(ends) == low):
        raise ValueError(
            f"The `{name}` argument should be a number (or a list of two numbers) in the range "
            f"{'(' if low_is_open else '['}{low}, {high}]. Received: {name}={value}"
        )
    return (min(ends), max(ends)) if len(ends) == 2 else (-abs(ends[0]), abs(ends[0]))


def two_numbers(name: str, value: Any) -> list[float]:
    """The lower and the upper end of the images' values, in ascending order."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(
            f"The `{name}` argument should be a list of two numbers. Received: {name}={value}"
        )
    return sorted(value)


def rescaled(images: Any, before: Any, after: Any) -> Any:
    """Values in the range `before` as values in the range `after`."""
    if tuple(before) == tuple(after):
        return images
    shares = (images - float(before[0])) / float(before[1] - before[0])
    return shares * float(after[1] - after[0]) + float(after[0])


def turned(degrees: Any, height: int, width: int) -> tuple[Any, ...]:
    """a0, a1, a2, b0, b1, b2 of a turn about the middle, one for each angle (batch,)."""
    x, y = 0.5 * (width - 1), 0.5 * (height - 1)
    angle = degrees * (math.pi / 180)
    cos, sin = K.cos(angle), K.sin(angle)
    return cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos
