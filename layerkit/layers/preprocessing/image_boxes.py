"""MaxNumBoundingBoxes: as many bounding boxes for each image."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from .image_layer import ImageLayer


class MaxNumBoundingBoxes(ImageLayer):
    """The first `max_number` bounding boxes and their labels, or `fill_value` for missing ones.

    Images, labels and masks stay as they are.
    """

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.max_number = int(max_number)
        self.fill_value = int(fill_value)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """The images as they are."""
        return images

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """{'boxes': (batch, max_number, 4), 'labels': (batch, max_number)}."""
        return {key: self._filled(value) for key, value in bounding_boxes.items()}

    def _filled(self, x: Any) -> Any:
        missing = max(self.max_number - x.shape[1], 0)
        widths = [(0, missing if axis == 1 else 0) for axis in range(x.ndim)]
        return K.pad(x[:, : self.max_number], widths, constant_values=self.fill_value)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if not isinstance(input_shape, dict) or "bounding_boxes" not in input_shape:
            return input_shape
        axis = len(input_shape["images"]) - 3  # after that of the batch, if there is one
        shapes = {
            key: (*shape[:axis], self.max_number, *shape[axis + 1 :])
            for key, shape in input_shape["bounding_boxes"].items()
        }
        return {**input_shape, "bounding_boxes": shapes}
