"""Rows of the functions of `keras.ops.image`."""

from __future__ import annotations

import numpy as np

from .golden_row import Row, distinct, normal, positive

IMAGES, FIRST, ONE = normal(2, 5, 6, 2), normal(2, 2, 5, 6), normal(5, 6, 3)
COLOURS = np.random.default_rng(0).random((2, 3, 4, 3)).astype("float32")
COLOURS_FIRST = np.ascontiguousarray(np.moveaxis(COLOURS, -1, 1))
BYTES = np.random.default_rng(1).integers(0, 256, (2, 5, 6, 3)).astype("uint8")
VOLUMES = normal(1, 4, 5, 4, 2)
LAST, IN_FRONT = {"data_format": "channels_last"}, {"data_format": "channels_first"}

PLACES = np.random.default_rng(2).uniform(-3, 8, (2, 3, 4)).astype("float32")
GRID = distinct(5, 6)
TURNED = np.array([0.8, 0.6, -1.1, -0.6, 0.8, 2.3, 0.0, 0.0], "float32")
MOVED = np.array([1.1, 0.0, 0.713, 0.1, 0.9, -0.417, 0.0, 0.0], "float32")
CORNERS = np.array([[0, 0], [5, 0], [0, 4], [5, 4]], "float32")
SHIFTED = CORNERS + np.array([[0.4, 0.3], [-0.6, 0.2], [0.1, -0.3], [-0.2, 0.4]], "float32")


def resize(name, images, size, **options):
    return Row(f"image.resize:{name}", [images, size], options)


def coordinates(mode, order):
    name = f"image.map_coordinates:{mode}-{order}"
    return Row(name, [GRID, PLACES, order], {"fill_mode": mode, "fill_value": 0.5})


RESIZE = [
    *[
        resize(
            f"{method}-{size}-{antialias}", IMAGES, size, interpolation=method, antialias=antialias
        )
        for method in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
        for size, antialias in (((8, 9), False), ((3, 2), True), ((3, 7), False))
    ],
    resize("first", FIRST, (3, 8), **IN_FRONT),
    resize("one", ONE, (4, 4)),
    resize("bytes", BYTES, (8, 3), interpolation="bicubic"),
    resize("bytes nearest", BYTES, (8, 3), interpolation="nearest"),
    resize("crop", IMAGES, (4, 8), crop_to_aspect_ratio=True),
    resize("crop first", FIRST, (8, 3), crop_to_aspect_ratio=True, **IN_FRONT),
    resize("pad", IMAGES, (4, 8), pad_to_aspect_ratio=True, fill_value=1.5),
    resize("pad one", ONE, (9, 3), pad_to_aspect_ratio=True),
    *[
        Row(
            f"image.scale_and_translate:{method}-{antialias}",
            [ONE, (4, 7, 3), SCALE, MOVE, (0, 1), method, antialias],
            gradient=(0,),
        )
        for SCALE, MOVE in [(np.array([0.7, 1.3], "float32"), np.array([0.4, -0.8], "float32"))]
        for method in ("linear", "cubic", "lanczos3", "lanczos5")
        for antialias in (True, False)
    ],
]

RESAMPLING = [
    *[
        coordinates(mode, order)
        for mode in ("constant", "nearest", "wrap", "mirror", "reflect")
        for order in (0, 1)
    ],
    Row("image.map_coordinates:integers", [np.arange(30, dtype="int32"), PLACES[:1] * 3, 1]),
    Row("image.affine_transform", [IMAGES, np.stack([TURNED, MOVED])], gradient=(0,)),
    Row("image.affine_transform:one", [ONE, TURNED], {"fill_value": 0.5}, gradient=(0,)),
    *[
        Row(f"image.affine_transform:{mode}", [ONE, MOVED], {"fill_mode": mode}, gradient=(0,))
        for mode in ("nearest", "wrap", "mirror", "reflect")
    ],
    Row(
        "image.affine_transform:nearest pixel",
        [FIRST, np.stack([TURNED, MOVED])],
        {"interpolation": "nearest", **IN_FRONT},
        gradient=(0,),
    ),
    Row(
        "image.perspective_transform",
        [IMAGES, np.stack([CORNERS, SHIFTED]), np.stack([SHIFTED, CORNERS])],
    ),
    Row(
        "image.perspective_transform:one",
        [ONE, CORNERS, SHIFTED],
        {"interpolation": "nearest", "fill_value": 2.0},
        gradient=(0,),
    ),
]

OTHERS = [
    Row("image.rgb_to_grayscale", [COLOURS]),
    Row("image.rgb_to_grayscale:first", [COLOURS_FIRST], IN_FRONT),
    Row("image.rgb_to_grayscale:bytes", [BYTES]),
    Row("image.rgb_to_grayscale:gray", [COLOURS[..., :1]]),
    Row("image.rgb_to_hsv", [COLOURS]),
    Row("image.rgb_to_hsv:first", [COLOURS_FIRST], IN_FRONT),
    Row("image.rgb_to_hsv:gray", [np.tile(COLOURS[..., :1], 3)], gradient=False),
    Row("image.hsv_to_rgb", [COLOURS]),
    Row("image.hsv_to_rgb:first", [COLOURS_FIRST[0]], IN_FRONT),
    Row("image.pad_images", [IMAGES, 1, 2, 3, 4]),
    Row(
        "image.pad_images:target",
        [FIRST, 1, None, None, 2],
        {"target_height": 9, "target_width": 9, **IN_FRONT},
    ),
    Row("image.crop_images", [IMAGES, 1, 2, 3, 1]),
    Row(
        "image.crop_images:target",
        [FIRST, None, 1, 1, None],
        {"target_height": 2, "target_width": 3, **IN_FRONT},
    ),
    Row("image.crop_images:one", [ONE, 0, 1], {"target_height": 5, "target_width": 3}),
    Row("image.extract_patches", [IMAGES, 2]),
    Row("image.extract_patches:strides", [IMAGES, (3, 2), 1], {"padding": "same"}),
    Row("image.extract_patches:dilated", [ONE, 2, 1, 2]),
    Row("image.extract_patches:first", [FIRST, 2], IN_FRONT),
    Row("image.extract_patches:volumes", [VOLUMES, (2, 2, 2)]),
    Row("image.extract_patches_3d", [VOLUMES, 2, 1], {"padding": "same"}),
    Row("image.gaussian_blur", [IMAGES], LAST),
    Row("image.gaussian_blur:sizes", [ONE, (3, 5), (0.7, 1.5)], LAST),
    Row("image.gaussian_blur:first", [FIRST, (4, 3)], IN_FRONT),
    Row("image.sobel_edges", [IMAGES]),
    Row("image.sobel_edges:first", [FIRST], IN_FRONT),
    Row("image.ssim", [positive(2, 12, 13, 2), positive(2, 12, 13, 2, seed=1)]),
    Row(
        "image.ssim:first",
        [COLOURS_FIRST[0], COLOURS_FIRST[1]],
        {"filter_size": 3, "filter_sigma": 1.0, "max_val": 2.0, "k1": 0.02, "k2": 0.04, **IN_FRONT},
    ),
]

ROWS = RESIZE + RESAMPLING + OTHERS
