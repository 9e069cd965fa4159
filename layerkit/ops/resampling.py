"""Images at other places: resized, moved, turned, seen from elsewhere.

All are sums of pixels by weights, so that derivatives reach the images, and where places are
computed, what they are computed from. Images are (batch, height, width, channels) or without the
batch; channels come before height where `data_format` is 'channels_first', None stands for
`image_data_format()`. Integers are computed in `floatx()`, rounded and given back in their type.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.allowance import check_sample
from layerkit.backend.registry import backend_of

from ..interpolation import share, weights
from ..symbolic import operation

__all__ = [
    "affine_transform",
    "map_coordinates",
    "perspective_transform",
    "resize",
    "scale_and_translate",
]

Size = tuple[int, int]


# Resizing: a product with a matrix of weights along each axis


@operation
def resize(
    images: Any,
    size: Size,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images with height and width `size`.

    `interpolation`: 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'. `antialias`: where
    the result is smaller, each pixel is an average of all that it covers. `crop_to_aspect_ratio`
    first cuts the images to the shape of `size` around their middle, `pad_to_aspect_ratio` fills
    them up to it with `fill_value`. ValueError for other values, and for both at once.
    """
    images = _images(images)
    _check("interpolation", interpolation, _INTERPOLATIONS)
    _check("fill_mode", fill_mode, ("constant",))
    if len(size) != 2 or size[0] <= 0 or size[1] <= 0:
        raise ValueError(
            "Expected `size` to be a tuple of 2 positive integers, height and width. "
            f"Received: size={size}"
        )
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`."
        )
    axes = (-3, -2) if K.standardize_data_format(data_format) == "channels_last" else (-2, -1)
    axes = tuple(axis % images.ndim for axis in axes)
    if crop_to_aspect_ratio:
        images = _cropped_to_ratio(images, size, axes)
    elif pad_to_aspect_ratio:
        images = _padded_to_ratio(images, size, axes, fill_value)
    if interpolation == "nearest":
        for axis, length in zip(axes, size, strict=True):
            check_sample(length, "float64")
            places = (np.arange(length) + 0.5) * (images.shape[axis] / length)
            images = K.take(images, np.floor(places).astype("int32"), axis)
        return images
    y = _floats(images)
    for axis, length in zip(axes, size, strict=True):
        check_sample((length, y.shape[axis]), "float64")
        shares = weights(y.shape[axis], length, interpolation, antialias).T.astype(y.dtype)
        y = _along(y, K.Tensor(backend_of(y.array).constant(shares)), axis)
    return _in_type_of(images, y)


def _cropped_to_ratio(images: Tensor, size: Size, axes: tuple[int, ...]) -> Tensor:
    h, w = (images.shape[axis] for axis in axes)
    lengths = (
        max(min(h, int(w * size[0] / size[1])), 1),
        max(min(w, int(h * size[1] / size[0])), 1),
    )
    key = [slice(None)] * images.ndim
    for axis, whole, length in zip(axes, (h, w), lengths, strict=True):
        start = int((whole - length) / 2)
        key[axis] = slice(start, start + length)
    return images[tuple(key)]


def _padded_to_ratio(
    images: Tensor, size: Size, axes: tuple[int, ...], fill_value: float
) -> Tensor:
    h, w = (images.shape[axis] for axis in axes)
    above = int((max(h, int(w * size[0] / size[1])) - h) / 2)
    beside = int((max(w, int(h * size[1] / size[0])) - w) / 2)
    widths = [(0, 0)] * images.ndim
    if above:
        widths[axes[0]] = (above, above)
    elif beside:
        widths[axes[1]] = (beside, beside)
    return K.pad(images, widths, constant_values=fill_value)


@operation
def scale_and_translate(
    images: Any,
    output_shape: tuple[int, ...],
    scale: Any,
    translation: Any,
    spatial_dims: tuple[int, ...],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Images scaled by `scale`, then moved by `translation` pixels, along the axes `spatial_dims`.

    `scale`, `translation`: a number for each of those axes. `output_shape`: one length per axis of
    `images`. `method`: 'linear', 'cubic' (also with 'bi' or 'tri' before), 'lanczos3', 'lanczos5'.
    `antialias` as in `resize`. Result: float; 0 where nothing of the images comes to lie.
    ValueError for another method.
    """
    _check("method", method, _METHODS)
    y = _floats(K.convert_to_tensor(images))
    scale, translation = K.convert_to_tensor(scale), K.convert_to_tensor(translation)
    for i, axis in enumerate(spatial_dims):
        lengths = y.shape[axis], int(output_shape[axis])
        place = scale[i], translation[i]
        digits = "float64" if y.dtype == "float64" else "float32"  # of the weights
        shares = _shares(*lengths, *place, _METHODS[method], antialias, digits)
        y = _along(y, K.cast(shares, y.dtype), axis)
    return y


def _along(x: Tensor, shares: Tensor, axis: int) -> Tensor:
    """`x` multiplied with weights (its length, the new length) along `axis`."""
    return K.moveaxis(K.dot(K.moveaxis(x, axis, -1), shares), -1, axis)


def _shares(
    length: int,
    new_length: int,
    scale: Any,
    translation: Any,
    interpolation: str,
    antialias: bool,
    dtype: str,
) -> Tensor:
    """As `interpolation.weights`, for pictures that lie anywhere; derivatives reach the place."""
    step = 1 / scale
    check_sample((length, new_length), dtype)
    middle = (K.arange(new_length, dtype=dtype) + 0.5) * step - translation * step - 0.5
    distance = middle - K.expand_dims(K.arange(length, dtype=dtype), 1)
    w = share(distance / K.maximum(step, 1.0) if antialias else distance, interpolation, K)
    total = K.sum(w, 0, keepdims=True)
    w = K.where(K.greater(K.absolute(total), 1e-4), w / K.where(K.equal(total, 0), 1.0, total), 0.0)
    inside = K.logical_and(K.greater_equal(middle, -0.5), K.less_equal(middle, length - 0.5))
    return K.where(inside, w, 0.0)


_METHODS = {
    **dict.fromkeys(("linear", "bilinear", "trilinear"), "bilinear"),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), "bicubic"),
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}
_INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")


# Pixels at given places: neighbours weighted by their nearness


_ORDERS = {"nearest": 0, "bilinear": 1}
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


@operation
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """The numbers of `inputs` at places between its elements.

    `coordinates`: (rank of `inputs`, ...), a place for each element of the result. `order`: 0 for
    the nearest element, 1 for linear interpolation. `fill_mode` says what lies outside: 'constant'
    `fill_value`, 'nearest' the edge, 'wrap' the inputs again, 'reflect' and 'mirror' the inputs
    mirrored at the edge and at the outermost elements. ValueError for other values.
    """
    inputs, coordinates = K.convert_to_tensor(inputs), K.convert_to_tensor(coordinates)
    if coordinates.ndim < 2:
        raise ValueError(
            "Invalid coordinates rank: expected at least rank 2. "
            f"Received input with shape: {coordinates.shape}"
        )
    if coordinates.shape[0] != inputs.ndim:
        raise ValueError(
            "First dim of `coordinates` must be the same as the rank of `inputs`. Received inputs "
            f"with shape: {inputs.shape} and coordinate leading dim of {coordinates.shape[0]}"
        )
    _check("order", order, (0, 1))
    _check("fill_mode", fill_mode, _FILL_MODES)
    flat = K.reshape(_floats(inputs), (-1,))

    def pick(places: tuple[Tensor, ...]) -> Tensor:
        return K.take(flat, _in_a_row(places, inputs.shape))

    places = K.unstack(coordinates, axis=0)
    return _in_type_of(
        inputs, _interpolated(pick, inputs.shape, places, order, fill_mode, fill_value)
    )


@operation
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images whose pixel (x, y) is that at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k).

    `transform`: (8,) or one per image (batch, 8): a0, a1, a2, b0, b1, b2, c0, c1, where k is
    c0 x + c1 y + 1. `interpolation`: 'nearest' or 'bilinear'; `fill_mode` as in `map_coordinates`.
    ValueError for other values and shapes.
    """
    _check("interpolation", interpolation, _ORDERS)
    _check("fill_mode", fill_mode, _FILL_MODES)
    images, t = _images(images), _floats(K.convert_to_tensor(transform))
    if t.ndim not in (1, 2) or t.shape[-1] != 8:
        raise ValueError(
            "Invalid transform rank: expected rank 1 (single transform, of 8 numbers) or rank 2 "
            f"(batch of transforms). Received input with shape: transform.shape={t.shape}"
        )
    return _seen_through(
        images, K.reshape(t, (-1, 8)), interpolation, fill_mode, fill_value, data_format
    )


@operation
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images seen such that what was at four points comes to lie at four others.

    `start_points`, `end_points`: (4, 2), or one set per image (batch, 4, 2), of (x, y) in pixels.
    `interpolation`: 'nearest' or 'bilinear'. ValueError for other values and shapes.
    """
    _check("interpolation", interpolation, _ORDERS)
    images = _images(images)
    start, end = (K.cast(points, "float32") for points in (start_points, end_points))
    for name, points in (("start_points", start), ("end_points", end)):
        if points.ndim not in (2, 3) or points.shape[-2:] != (4, 2):
            raise ValueError(
                f"Invalid {name} shape: expected (4,2) for a single image or (N,4,2) for a batch. "
                f"Received shape: {points.shape}"
            )
    if start.shape != end.shape:
        raise ValueError(
            "start_points and end_points must have the same shape. Received "
            f"start_points.shape={start.shape}, end_points.shape={end.shape}"
        )
    t = homography(K.reshape(start, (-1, 4, 2)), K.reshape(end, (-1, 4, 2)))
    return _seen_through(images, t, interpolation, "constant", fill_value, data_format)


def homography(start: Tensor, end: Tensor) -> Tensor:
    """The transforms (n, 8) that take the end points (n, 4, 2) to the start points."""
    x, y, zero = end[..., 0], end[..., 1], K.zeros_like(end[..., 0])
    u, v = start[..., 0], start[..., 1]
    for_u = K.stack([x, y, zero + 1, zero, zero, zero, -u * x, -u * y], -1)
    for_v = K.stack([zero, zero, zero, x, y, zero + 1, -v * x, -v * y], -1)
    return K.solve(K.concatenate([for_u, for_v], 1), K.concatenate([u, v], 1))


def _seen_through(
    images: Tensor,
    t: Tensor,
    interpolation: str,
    fill_mode: str,
    fill_value: float,
    data_format: str | None,
) -> Tensor:
    """Images at the places that projective transforms (1 or batch, 8) give."""
    last = K.standardize_data_format(data_format) == "channels_last"
    h, w = images.shape[-3:-1] if last else images.shape[-2:]
    y, x = (K.convert_to_tensor(grid.astype(t.dtype)) for grid in np.mgrid[:h, :w])
    a0, a1, a2, b0, b1, b2, c0, c1 = (t[:, i, None, None] for i in range(8))
    k = c0 * x + c1 * y + 1.0
    places = (b0 * x + b1 * y + b2) / k, (a0 * x + a1 * y + a2) / k
    return sample(images, places, interpolation, fill_mode, fill_value, last)


def sample(
    images: Tensor,
    places: tuple[Tensor, Tensor],
    interpolation: str,
    fill_mode: str,
    fill_value: float,
    channels_last: bool,
) -> Tensor:
    """Images at `places`: rows and columns, each (1 or batch, height, width)."""
    single = images.ndim == 3
    x = K.expand_dims(images, 0) if single else images
    x = x if channels_last else K.moveaxis(x, 1, -1)
    batch, h, w, channels = x.shape
    pixels = K.reshape(_floats(x), (-1, channels))
    numbers = K.reshape(K.arange(batch), (-1, 1, 1))

    def pick(at: tuple[Tensor, ...]) -> Tensor:
        return K.take(pixels, _in_a_row((numbers, *at), (batch, h, w)), 0)

    y = _interpolated(
        pick, (h, w), places, _ORDERS[interpolation], fill_mode, fill_value, channels=True
    )
    y = y if channels_last else K.moveaxis(y, -1, 1)
    return _in_type_of(images, K.squeeze(y, 0) if single else y)


def _interpolated(
    pick: Callable[[tuple[Tensor, ...]], Tensor],
    sizes: tuple[int, ...],
    places: Any,
    order: int,
    fill_mode: str,
    fill_value: float,
    channels: bool = False,
) -> Tensor:
    """The sum over the corners around each place of the weight times what is there."""
    corners = [_corners(place, order) for place in places]
    total: Any = None
    for corner in product(*corners):
        at = [_fixed(index, n, fill_mode) for (index, _), n in zip(corner, sizes, strict=True)]
        value = pick(tuple(at))
        if fill_mode == "constant":
            inside: Any = None
            for (index, _), n in zip(corner, sizes, strict=True):
                here = K.logical_and(K.greater_equal(index, 0), K.less(index, n))
                inside = here if inside is None else K.logical_and(inside, here)
            value = K.where(K.expand_dims(inside, -1) if channels else inside, value, fill_value)
        for _, weight in corner:
            if weight is not None:
                value = value * (K.expand_dims(weight, -1) if channels else weight)
        total = value if total is None else total + value
    return total


def _corners(place: Tensor, order: int) -> list[tuple[Tensor, Any]]:
    """Along one axis the elements that count for `place`, and their weights (None: 1)."""
    if not K.is_floating(place.dtype):
        return [(place, None)]
    if order == 0:
        nearest = K.sign(place) * K.floor(K.absolute(place) + 0.5)
        return [(K.cast(nearest, "int32"), None)]
    low = K.floor(place)
    share, index = place - low, K.cast(low, "int32")
    return [(index, 1 - share), (index + 1, share)]


def _fixed(index: Tensor, size: int, fill_mode: str) -> Tensor:
    """The element that stands for `index`, which may lie outside."""
    if fill_mode == "wrap":
        return K.mod(index, size)
    if fill_mode == "mirror":
        return _mirrored(index, size)
    if fill_mode == "reflect":
        return K.floor_divide(_mirrored(2 * index + 1, 2 * size + 1) - 1, 2)
    return K.clip(index, 0, size - 1)


def _mirrored(index: Tensor, size: int) -> Tensor:
    last = size - 1
    return K.absolute(K.mod(index + last, 2 * last) - last) if last else K.zeros_like(index)


def _in_a_row(places: tuple[Tensor, ...], sizes: tuple[int, ...]) -> Tensor:
    """The indices of places in an array of `sizes`, once it is flattened."""
    index = places[0]
    for place, size in zip(places[1:], sizes[1:], strict=True):
        index = index * size + place
    return index


def _images(images: Any) -> Tensor:
    images = K.convert_to_tensor(images)
    if images.ndim not in (3, 4):
        raise ValueError(
            "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). "
            f"Received input with shape: images.shape={images.shape}"
        )
    return images


def _floats(x: Tensor) -> Tensor:
    return x if K.is_floating(x.dtype) else K.cast(x, K.floatx())


def _in_type_of(x: Tensor, y: Tensor) -> Tensor:
    """`y` in the type of `x`: rounded, and limited to its numbers, where those are integers."""
    if K.is_floating(x.dtype) or x.dtype.kind == "b":
        return K.cast(y, x.dtype)
    limits = np.iinfo(x.dtype)
    return K.cast(K.clip(K.round(y), float(limits.min), float(limits.max)), x.dtype)


def _check(name: str, value: Any, allowed: Any) -> None:
    if value not in allowed:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected of one {tuple(allowed)}. "
            f"Received: {name}={value}"
        )
