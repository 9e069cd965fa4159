"""Rows of the operations on images; their twins go from pixel to pixel."""

from __future__ import annotations

import colorsys

import numpy as np

from .row import Op, distinct, normal

IMAGES, IMAGE = normal(2, 5, 4, 2), normal(4, 6, 3)
COLORS = 0.5 + distinct(2, 2, 2, 3) / 4  # in [0, 1], no ties
TURN = np.array([[0.9, 0.3, 0.21, -0.4, 0.8, 0.57, 0, 0], [1, 0.1, 0.35, 0, 1.2, -1.13, 0, 0]])
TILT = np.array([0.9, 0.3, 0.21, -0.4, 0.8, 0.57, 0.02, -0.03])
SHAPES = {"antialias": (3, 2), "crop": (4, 2), "pad": (3, 7)}


def kernel(name):
    if name == "bilinear":
        return lambda x: max(0.0, 1 - x)
    if name == "bicubic":
        return lambda x: (
            (1.5 * x**3 - 2.5 * x**2 + 1)
            if x < 1
            else (-0.5 * x**3 + 2.5 * x**2 - 4 * x + 2) * (x < 2)
        )
    radius = int(name[-1])
    return lambda x: np.sinc(x) * np.sinc(x / radius) * (x <= radius)


def resized_axis(x, n, interpolation, antialias):
    """x along its first axis."""
    m = len(x)
    if interpolation == "nearest":
        return x[[int((i + 0.5) * m / n) for i in range(n)]]
    weight, wide = kernel(interpolation), max(m / n, 1) if antialias else 1
    rows = []
    for i in range(n):
        centre = (i + 0.5) * m / n - 0.5
        weights = np.array([weight(abs(centre - j) / wide) for j in range(m)])
        rows.append(np.tensordot(weights / weights.sum(), x, 1))
    return np.stack(rows)


def resize_images(images, size, interpolation="bilinear", antialias=False, **options):
    rows, columns = (1, 2) if images.ndim == 4 else (0, 1)
    if options.get("data_format") == "channels_first":
        rows, columns = rows + 1, columns + 1
    if options.get("crop_to_aspect_ratio"):  # (2, 5, 4, 2) to (3, 7): rows 1 to 2
        images = images[:, 2:3]
    if options.get("pad_to_aspect_ratio"):  # (2, 5, 4, 2) to (3, 7): 3 columns at both ends
        value = options.get("fill_value", 0)
        images = np.pad(images, ((0, 0), (0, 0), (3, 3), (0, 0)), constant_values=value)
    for axis, n in ((rows, size[0]), (columns, size[1])):
        moved = resized_axis(np.moveaxis(images, axis, 0), n, interpolation, antialias)
        images = np.moveaxis(moved, 0, axis)
    return images


def held(i, n, mode):
    """The index of [0, n) that stands for i: by walking back and forth."""
    if mode == "nearest":
        return min(max(i, 0), n - 1)
    if mode == "wrap":
        return i % n
    path = list(range(n)) + (list(range(n))[::-1] if mode == "reflect" else list(range(n))[-2:0:-1])
    return path[i % len(path)]


def sample(x, place, order, mode, value):
    """x (rows, columns, ...) at one place (row, column)."""
    if order == 0:
        place = [np.sign(p) * np.floor(abs(p) + 0.5) for p in place]
    low = [int(np.floor(p)) for p in place]
    result = 0.0
    for corner in np.ndindex(*(2,) * len(place)):
        index = [i + c for i, c in zip(low, corner, strict=True)]
        weight = np.prod([1 - abs(p - i) for p, i in zip(place, index, strict=True)])
        outside = any(not 0 <= i < n for i, n in zip(index, x.shape, strict=False))
        if mode == "constant" and outside:
            result = result + weight * value
        else:
            inside = tuple(held(i, n, mode) for i, n in zip(index, x.shape, strict=False))
            mode_free = inside if mode != "constant" else tuple(index)
            result = result + weight * x[mode_free]
    return result


def affine_transform(
    images, transform, interpolation="bilinear", fill_mode="constant", fill_value=0, **options
):
    if options.get("data_format") == "channels_first":
        moved = np.moveaxis(images, -3, -1)
        y = affine_transform(moved, transform, interpolation, fill_mode, fill_value)
        return np.moveaxis(y, -1, -3)
    if images.ndim == 3:
        return affine_transform(images[None], transform, interpolation, fill_mode, fill_value)[0]
    transform = np.broadcast_to(transform, (len(images), 8))
    result = np.empty_like(images)
    for image, t, y in zip(images, transform, result, strict=True):
        for row, column in np.ndindex(image.shape[:2]):
            k = t[6] * column + t[7] * row + 1
            place = [
                (t[3] * column + t[4] * row + t[5]) / k,
                (t[0] * column + t[1] * row + t[2]) / k,
            ]
            order = {"nearest": 0, "bilinear": 1}[interpolation]
            y[row, column] = sample(image, place, order, fill_mode, fill_value)
    return result


def map_coordinates(inputs, coordinates, order, fill_mode="constant", fill_value=0.0):
    places = coordinates.reshape(len(coordinates), -1).T
    values = [sample(inputs, place, order, fill_mode, fill_value) for place in places]
    return np.reshape(values, coordinates.shape[1:])


def gaussian_blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    if data_format == "channels_first":
        return np.moveaxis(gaussian_blur(np.moveaxis(images, -3, -1), kernel_size, sigma), -1, -3)
    for axis, n, s in ((-2, kernel_size[0], sigma[0]), (-3, kernel_size[1], sigma[1])):
        weights = np.exp(-((np.arange(n) - n // 2) ** 2) / (2 * s**2))
        weights /= weights.sum()
        images = np.apply_along_axis(np.convolve, axis, images, weights, mode="same")
    return images


def each_pixel(function):
    def twin(images, data_format=None):
        if data_format == "channels_first":
            return np.moveaxis(
                np.apply_along_axis(function, -1, np.moveaxis(images, -3, -1)), -1, -3
            )
        return np.apply_along_axis(function, -1, images)

    return twin


def equalize_histogram(x, bins=256):
    numbers = (x / 255 * (bins - 1)).astype(int)
    ranks = np.array([np.sum(numbers <= n) for n in numbers.ravel()]) - np.sum(
        numbers == numbers.min()
    )
    return np.round(ranks.reshape(x.shape) * 255 / max(ranks.max(), 1)) if ranks.max() else x


def resize(label, x=IMAGES, size=(3, 7), **options):
    return Op(f"resize_images:{label}", resize_images, [x], {"size": size, **options})


def warp(label, x=IMAGES, transform=TURN, **options):
    return Op(f"affine_transform:{label}", affine_transform, [x, transform], options)


PLACES = np.array([[0.3, 1.7, -0.6], [2.2, -1.3, 5.4]])
FIRST = {"data_format": "channels_first"}

ROWS = [
    *[resize(i, interpolation=i) for i in ("nearest", "bilinear", "bicubic", "lanczos3")],
    resize("one", IMAGE, (4, 5)),
    resize("lanczos5", IMAGE, interpolation="lanczos5"),
    resize("first", interpolation="bilinear", **FIRST),
    resize("first nearest", IMAGE, interpolation="nearest", **FIRST),
    resize("smaller", size=(2, 2)),
    *[
        resize(f"antialias {i}", size=(2, 3), interpolation=i, antialias=True)
        for i in ("bilinear", "bicubic", "lanczos3")
    ],
    resize("crop", crop_to_aspect_ratio=True),
    resize("pad", pad_to_aspect_ratio=True, fill_value=0.5),
    *[
        warp(mode, fill_mode=mode, fill_value=0.5)
        for mode in ("constant", "nearest", "wrap", "mirror", "reflect")
    ],
    *[
        Op(
            f"affine_transform:nearest {mode}",
            affine_transform,
            [IMAGES],
            {"transform": TURN, "interpolation": "nearest", "fill_mode": mode},
        )
        for mode in ("constant", "reflect")
    ],
    warp("one", IMAGE, TURN[0]),
    warp("shared", transform=TURN[1]),
    warp("tilted", transform=TILT, fill_mode="wrap"),
    warp("first", fill_mode="reflect", **FIRST),
    Op("map_coordinates", map_coordinates, [normal(3, 4), PLACES], {"order": 1}),
    Op(
        "map_coordinates:nearest",
        map_coordinates,
        [normal(3, 4)],
        {"coordinates": PLACES, "order": 0, "fill_mode": "mirror"},
    ),
    Op(
        "map_coordinates:wrap",
        map_coordinates,
        [normal(5), np.array([[[0.3, -2.4], [6.6, 3.1]]])],
        {"order": 1, "fill_mode": "wrap"},
    ),
    Op("gaussian_blur", gaussian_blur, [IMAGES]),
    Op("gaussian_blur:wide", gaussian_blur, [IMAGE], {"kernel_size": (5, 3), "sigma": (0.8, 1.5)}),
    Op("gaussian_blur:first", gaussian_blur, [normal(2, 2, 5, 4)], FIRST),
    Op("rgb_to_grayscale", each_pixel(lambda p: [p @ (0.2989, 0.587, 0.114)]), [COLORS]),
    Op("rgb_to_grayscale:gray", lambda x: x, [normal(2, 3, 1)]),
    Op("rgb_to_hsv", each_pixel(lambda p: colorsys.rgb_to_hsv(*p)), [COLORS]),
    Op("rgb_to_hsv:first", each_pixel(lambda p: colorsys.rgb_to_hsv(*p)), [COLORS[0].T], FIRST),
    Op("hsv_to_rgb", each_pixel(lambda p: colorsys.hsv_to_rgb(*p)), [COLORS]),
    Op("hsv_to_rgb:first", each_pixel(lambda p: colorsys.hsv_to_rgb(*p)), [COLORS[0].T], FIRST),
    Op("equalize_histogram", equalize_histogram, [COLORS * 255], gradient=False),
    Op(
        "equalize_histogram:few",
        equalize_histogram,
        [COLORS * 255],
        {"bins": 7},
        gradient=False,
    ),
    Op("equalize_histogram:one", equalize_histogram, [np.full((2, 3), 7.0)], gradient=False),
]
