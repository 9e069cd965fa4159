"""ContrastLimitedAdaptiveHistogramEqualization: flat histograms, tile by tile."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.registry import backend_of

from .image_layer import ImageLayer, rescaled, two_numbers

_LEVELS = 256


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Gives each channel of each part of an image a flat histogram, in training and out of it.

    The image is cut into `tile_grid_size` tiles, down and across; between their middles what they
    do to a value is interpolated. `clip_limit`: how many times the mean a bin of a tile's histogram
    may hold, the rest is spread over all; 0 for no limit. Integers stay integers. Zuiderveld 1994.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = two_numbers("value_range", value_range)
        self.clip_limit = clip_limit
        tiles = isinstance(tile_grid_size, (tuple, list)) and len(tile_grid_size) == 2
        if not tiles or any(not isinstance(n, int) or n < 1 for n in tile_grid_size):
            raise ValueError(
                "The `tile_grid_size` argument should be two positive integers, how many tiles "
                f"there are down and across. Received: tile_grid_size={tile_grid_size}"
            )
        self.tile_grid_size = tile_grid_size

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """A batch of images, equalized."""
        images = K.convert_to_tensor(images)
        first = self.data_format == "channels_first"
        x = K.transpose(images, (0, 2, 3, 1)) if first else images
        x = rescaled(K.cast(x, "float32"), self.value_range, (0, 255))
        y = rescaled(self._equalized(x), (0, 255), self.value_range)
        return K.cast(K.transpose(y, (0, 3, 1, 2)) if first else y, images.dtype)

    def _equalized(self, x: Any) -> Any:
        batch, height, width, channels = x.shape
        rows, columns = self.tile_grid_size
        tall, wide = -(-height // rows), -(-width // columns)
        filling = [(0, 0), (0, tall * rows - height), (0, wide * columns - width), (0, 0)]
        x = K.cast(K.clip(K.pad(x, filling, mode="symmetric"), 0, _LEVELS - 1), "int32")
        tiles = K.reshape(x, (batch, rows, tall, columns, wide, channels))
        tiles = K.reshape(K.transpose(tiles, (0, 1, 3, 5, 2, 4)), (-1, tall * wide))
        table = K.reshape(self._tables(tiles), (-1,))  # (batch, rows, columns, channels, level)

        constant = backend_of(x.array).constant
        images = np.arange(batch)[:, None, None, None] * (rows * columns * channels * _LEVELS)
        own = images + np.arange(channels) * _LEVELS
        x = x + constant(own.astype("int32"))

        def found(row: np.ndarray, column: np.ndarray) -> Any:
            """What the tiles of these rows and columns do to each pixel."""
            down = row[:, None, None] * (columns * channels * _LEVELS)
            across = column[:, None] * (channels * _LEVELS)
            return K.take(table, x + constant(down) + constant(across))

        (up, down, low), (left, right, far) = _between(rows, tall), _between(columns, wide)
        across, along = constant(far[:, None]), constant(low[:, None, None])
        above = found(up, left) * (1 - across) + found(up, right) * across
        below = found(down, left) * (1 - across) + found(down, right) * across
        return (above * (1 - along) + below * along)[:, :height, :width]

    def _tables(self, tiles: Any) -> Any:
        """(tiles, levels): the new value of each level, for tiles (tiles, pixels)."""
        pixels = tiles.shape[1]
        counts = K.cast(K.bincount(tiles, minlength=_LEVELS), "float32")
        if self.clip_limit > 0:
            kept = K.minimum(counts, self.clip_limit * pixels / _LEVELS)
            counts = kept + K.sum(counts - kept, axis=-1, keepdims=True) / _LEVELS
        reached = K.cumsum(counts, axis=-1)
        first = reached[:, :1]
        spread = K.where(K.equal(first, pixels), 1.0, pixels - first)
        return K.clip((reached - first) * 255.0 / spread, 0, 255)


def _between(tiles: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each place along `tiles` of `size`: the two next to it, and the second one's weight."""
    place = ((np.arange(tiles * size, dtype="float32") - size / 2) / size).astype("float32")
    before = np.floor(place)
    first, second = (np.clip(n, 0, tiles - 1).astype("int32") for n in (before, before + 1))
    return first, second, (place - before).astype("float32")
