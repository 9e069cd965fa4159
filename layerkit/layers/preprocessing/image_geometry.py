"""Layers that move pixels: Resizing, crops, and random flips, turns, zooms, shifts and shears."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend.random import make_seed

from ...ops import image
from ...utils.bounding_boxes import convert_format, crop, pad
from ..layer import Shape
from .image_layer import (
    ImageLayer,
    MovingImageLayer,
    RandomImageLayer,
    columns,
    interval,
    symmetric,
    turned,
)


class _SizedLayer(ImageLayer):
    """A layer whose images have the size `height`, `width`."""

    height: int
    width: int

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, dict):
            shapes = {"images", "segmentation_masks"} & set(input_shape)
            return {**input_shape, **{k: self._sized(input_shape[k]) for k in shapes}}
        return self._sized(input_shape)

    def _middle(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Start and size of the largest part in the middle that has the layer's aspect ratio."""
        tall = max(min(height, width * self.height // self.width), 1)
        wide = max(min(width, height * self.width // self.height), 1)
        return ((height - tall) // 2, (width - wide) // 2), (tall, wide)

    def _boxes_in_part(self, bounding_boxes: Any, before: Any, start: Any, size: Any) -> Any:
        """Boxes of which a part of the images, which got the layer's size, is left.

        before: height and width of the images. start, size: of the part, down and across.
        """
        after = self.height, self.width

        def cut(boxes: Any) -> Any:
            shares = convert_format(crop(boxes, *start, *size), "xyxy", "rel_xyxy", *size)
            return convert_format(shares, "rel_xyxy", "xyxy", *after)

        return self._boxes_moved(bounding_boxes, cut, before, after)

    def _sized(self, shape: Shape) -> Shape:
        sized = list(shape)
        for axis, size in zip(self._spatial_axes(), (self.height, self.width), strict=True):
            sized[axis] = size
        return tuple(sized)


class Resizing(_SizedLayer):
    """Images in the size `height`, `width`, in training and out of it; integers stay integers.

    The other arguments are those of `ops.image.resize`.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height = height
        self.width = width
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = bool(antialias)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """A batch of images in the new size."""
        return self._resized(images, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """The masks in the new size; none of their values is mixed with another."""
        return self._resized(segmentation_masks, "nearest")

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The images' height and width, by which boxes are moved."""
        _, height, width = self._sizes(data)
        return height, width

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The boxes in images of the new size. Boxes of -1 alone become 0."""
        height, width = transformation
        down, across = self.height / height, self.width / width
        if self.pad_to_aspect_ratio:
            down = across = min(down, across)
        elif self.crop_to_aspect_ratio:
            down = across = max(down, across)
        top, left = ((self.height - height * down) // 2, (self.width - width * across) // 2)
        if self.crop_to_aspect_ratio and not self.pad_to_aspect_ratio:
            top = -((height * down - self.height) // 2)
            left = -((width * across - self.width) // 2)
        boxes = bounding_boxes["boxes"]
        blank = K.all(K.logical_or(boxes == -1, boxes == 0), axis=-1, keepdims=True)

        def scaled(boxes: Any) -> Any:
            shares = convert_format(boxes, "xyxy", "rel_xyxy", height, width)
            boxes = convert_format(shares, "rel_xyxy", "xyxy", height * down, width * across)
            return K.where(blank, 0.0, pad(boxes, top, left))

        return self._boxes_moved(bounding_boxes, scaled, transformation, (self.height, self.width))

    def _resized(self, images: Any, interpolation: str) -> Any:
        return image.resize(
            images,
            (self.height, self.width),
            interpolation=interpolation,
            antialias=self.antialias,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )


class CenterCrop(_SizedLayer):
    """The middle of the images, in training and out of it.

    Images that are too small on one side are cut to the aspect ratio and resized.
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.height = height
        self.width = width

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """A batch of images, cut."""
        images = K.cast(K.convert_to_tensor(images), self.compute_dtype)
        _, height, width = self._sizes(images)
        if height >= self.height and width >= self.width:
            start = (height - self.height) // 2, (width - self.width) // 2
            return window(self, images, start)
        return image.resize(
            images,
            (self.height, self.width),
            crop_to_aspect_ratio=True,
            data_format=self.data_format,
        )

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """The masks, cut as the images."""
        return self.transform_images(segmentation_masks)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`input_shape`: that of the images, by which boxes are cut."""
        return {"input_shape": self._shape(data)}

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The boxes, cut as the images."""
        height, width = before = self._size_in(transformation)
        start, size = self._middle(height, width)
        if height >= self.height and width >= self.width:
            start = (height - self.height) // 2, (width - self.width) // 2
            size = self.height, self.width
        return self._boxes_in_part(bounding_boxes, before, start, size)


def window(layer: Any, images: Any, start: tuple[int, int]) -> Any:
    """The part of the images of the layer's size that begins at (row, column) `start`."""
    key: list[Any] = [slice(None)] * images.ndim
    sizes = (layer.height, layer.width)
    for axis, first, size in zip(layer._spatial_axes(), start, sizes, strict=True):
        key[axis] = slice(first, first + size)
    return images[tuple(key)]


class RandomCrop(_SizedLayer, RandomImageLayer):
    """In training a random part of the images, the same in the whole batch.

    Out of training, the largest part in the middle of the same aspect ratio, resized. In training
    images that are not larger on both sides are resized.
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        seed = make_seed() if seed is None else seed
        super().__init__(seed=seed, data_format=data_format, name=name, **kwargs)
        self.height = height
        self.width = width

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The row and the column at which the part begins, and the images' height and width."""
        _, height, width = self._sizes(data)
        if training and height > self.height and width > self.width:
            rows, columns = height - self.height + 1, width - self.width + 1
            start = tuple(
                int(self._uniform(seed, (), 0, n, dtype="float32")) for n in (rows, columns)
            )
        else:
            start, _ = self._middle(height, width)
        return (*start, height, width)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """A batch of images, cut."""
        images = K.cast(K.convert_to_tensor(images), self.compute_dtype)
        trained = training and transformation is not None
        part = window(self, images, transformation[:2]) if trained else images
        return image.resize(
            part,
            (self.height, self.width),
            crop_to_aspect_ratio=not trained,
            data_format=self.data_format,
        )

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The masks, cut as the images."""
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The boxes, cut as the images."""
        row, column, height, width = transformation
        start, size = self._middle(height, width)
        if training:
            start = row, column
            size = min(self.height, height - row), min(self.width, width - column)
        return self._boxes_in_part(bounding_boxes, (height, width), start, size)


class RandomFlip(RandomImageLayer):
    """In training each image is flipped with probability 1/2.

    `mode`: 'horizontal' (left and right change places), 'vertical', or 'horizontal_and_vertical',
    both for the same images.
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ValueError(
                "`mode` of RandomFlip must be 'horizontal', 'vertical' or "
                f"'horizontal_and_vertical'. Received: mode={mode}"
            )
        self.mode = mode

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`flips`: which images are flipped; `input_shape`: that of the images."""
        if not training:
            return None
        count, *_ = self._sizes(data)
        flips = self._uniform(seed, (count, 1, 1, 1), 0, 1, dtype="float32") <= 0.5
        return {"flips": flips, "input_shape": self._shape(data)}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        vertical, horizontal = self._spatial_axes()
        axes = {"horizontal": (horizontal,), "vertical": (vertical,)}
        flipped = K.flip(images, axes.get(self.mode, (vertical, horizontal)))
        return K.where(transformation["flips"], flipped, images)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The masks, flipped as the images."""
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The boxes, flipped as the images."""
        if not training or transformation is None:
            return bounding_boxes
        height, width = size = self._size_in(transformation)
        flips = K.reshape(K.convert_to_tensor(transformation["flips"]), (-1, 1, 1))

        def flipped(boxes: Any) -> Any:
            x1, y1, x2, y2 = (boxes[..., i : i + 1] for i in range(4))
            if self.mode != "vertical":
                x1, x2 = width - x2, width - x1
            if self.mode != "horizontal":
                y1, y2 = height - y2, height - y1
            return K.where(flips, K.concatenate([x1, y1, x2, y2], axis=-1), boxes)

        return self._boxes_moved(bounding_boxes, flipped, size, size)


class RandomRotation(MovingImageLayer):
    """In training turns each image about its middle by a random angle.

    `factor`: in fractions of a full turn; f means from -f to f, two numbers from one to the
    other. Positive angles turn counter-clockwise.
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.factor = interval("factor", factor, -1, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`angle` in degrees, and the `rotation_matrix` that does it."""
        if not training:
            return None
        count, height, width = self._sizes(data)
        low, high = self.factor
        angle = self._uniform(seed, (count,), 360 * low, 360 * high, dtype="float32")
        return {
            "angle": angle,
            "rotation_matrix": columns(count, *turned(angle, height, width), 0, 0),
            "input_shape": self._shape(data),
        }

    def _matrix_for(self, height: int, width: int, transformation: Any) -> Any:
        return K.convert_to_tensor(transformation["rotation_matrix"])


class RandomZoom(MovingImageLayer):
    """In training zooms each image about its middle by a random factor.

    `height_factor`: -0.2 zooms in by 20 %, 0.2 out; f means from -f to f, two numbers from one to
    the other. `width_factor`: as `height_factor`; None keeps the aspect ratio.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._heights = symmetric("height_factor", height_factor, -1.0, 1.0, low_is_open=True)
        if width_factor is not None:
            self._widths = symmetric("width_factor", width_factor, -1.0, 1.0, low_is_open=True)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`height_zoom` and `width_zoom`: the size of what is shown, as a share of the image's."""
        if not training:
            return None
        count, *_ = self._sizes(data)
        low, high = self._heights
        down = across = self._uniform(seed, (count, 1), 1 + low, 1 + high, dtype="float32")
        if self.width_factor is not None:
            low, high = self._widths
            across = self._uniform(seed, (count, 1), 1 + low, 1 + high, dtype="float32")
        shape = self._shape(data)
        return {"height_zoom": down, "width_zoom": across, "input_shape": shape}

    def _matrix_for(self, height: int, width: int, transformation: Any) -> Any:
        down, across = (
            K.convert_to_tensor(transformation[key]) for key in ("height_zoom", "width_zoom")
        )
        x, y = (width - 1) / 2 * (1 - across), (height - 1) / 2 * (1 - down)
        return columns(across.shape[0], across, 0, x, 0, down, y, 0, 0)


class RandomTranslation(MovingImageLayer):
    """In training shifts each image by a random part of its size.

    `height_factor`, `width_factor`: f means from -f to f, two numbers from one to the other;
    positive ones shift down and to the right.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._heights = symmetric("height_factor", height_factor, -1.0, 1.0)
        self._widths = symmetric("width_factor", width_factor, -1.0, 1.0)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`translations` (batch, 2): by how many pixels to the right, and down."""
        if not training:
            return None
        count, height, width = self._sizes(data)
        down = self._uniform(seed, (count, 1), *self._heights, dtype="float32") * float(height)
        across = self._uniform(seed, (count, 1), *self._widths, dtype="float32") * float(width)
        shifts = K.concatenate([across, down], axis=1)
        return {"translations": shifts, "input_shape": self._shape(data)}

    def _matrix_for(self, height: int, width: int, transformation: Any) -> Any:
        shifts = K.convert_to_tensor(transformation["translations"])
        return columns(shifts.shape[0], 1, 0, -shifts[:, 0], 0, 1, -shifts[:, 1], 0, 0)


class RandomShear(MovingImageLayer):
    """In training shears each image: rows along x by `x_factor`, columns along y by `y_factor`.

    f means from -f to f, two numbers from one to the other; the sign of both is random.
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.x_factor = _one_number(x_factor)
        self.y_factor = _one_number(y_factor)
        self._across = symmetric("x_factor", self.x_factor, 0.0, 1.0)
        self._down = symmetric("y_factor", self.y_factor, 0.0, 1.0)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`shear_factor` (batch, 2): by how much along x and along y."""
        if not training:
            return None
        count, *_ = self._sizes(data)
        sign = K.where(self._uniform(seed, (count, 1), 0, 1, dtype="float32") > 0.5, -1.0, 1.0)
        down = self._uniform(seed, (count, 1), *self._down, dtype="float32")
        across = self._uniform(seed, (count, 1), *self._across, dtype="float32")
        shears = K.concatenate([across, down], axis=1) * sign
        return {"shear_factor": shears, "input_shape": self._shape(data)}

    def _matrix_for(self, height: int, width: int, transformation: Any) -> Any:
        shears = K.convert_to_tensor(transformation["shear_factor"])
        return columns(shears.shape[0], 1, shears[:, 0], 0, shears[:, 1], 1, 0, 0, 0)


def _one_number(value: Any) -> Any:
    """f for (-f, f), which is what Keras's files say of a layer made with f."""
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2
    return abs(value[1]) if is_pair and value[0] == -value[1] else value
