"""Bounding boxes in layers of images: (name, layer, arguments, what is forced on the layer).

Images are 12 high and 16 wide where nothing else is said, and boxes are `BOXES`. What is forced
goes to `transform_bounding_boxes`; lists are arrays, all else stays. Only such rows as Keras 3.15.1
computes by the images' geometry: the tests say what it does otherwise.
"""

from __future__ import annotations

HEIGHT, WIDTH = 12, 16
SHAPE = (2, HEIGHT, WIDTH, 3)
FIRST = (2, 3, HEIGHT, WIDTH)
SQUARE = (2, 16, 16, 3)
BOXES = [
    [[2.0, 3.0, 9.0, 8.0], [0.0, 1.0, 5.0, 12.0], [-1.0, -1.0, -1.0, -1.0]],
    [[4.0, 4.0, 8.0, 6.0], [13.0, 9.0, 16.0, 11.0], [0.0, 0.0, 0.0, 0.0]],
]
LABELS = [[1, 2, -1], [0, 3, -1]]

FLIPS = {"flips": [[[[True]]], [[[False]]]], "input_shape": SHAPE}
ZOOM = {"height_zoom": [[0.7], [1.3]], "width_zoom": [[0.8], [1.1]], "input_shape": SHAPE}
SHIFTS = {"translations": [[3.0, -2.0], [-5.0, 4.5]], "input_shape": SHAPE}
SHEAR_X = {"shear_factor": [[0.3, 0.0], [-0.2, 0.0]], "input_shape": SQUARE}
SHEAR_Y = {"shear_factor": [[0.0, 0.25], [0.0, -0.4]], "input_shape": SQUARE}
PERSPECTIVE = {
    "apply_perspective": [True, False],
    "start_points": [[[0.0, 0.0], [15.0, 0.0], [0.0, 11.0], [15.0, 11.0]]] * 2,
    "end_points": [[[0.0, 0.0], [14.2, 0.3], [0.7, 10.1], [15.5, 11.4]]] * 2,
    "input_shape": SHAPE,
}

ROWS = [
    ("flip", "RandomFlip", {}, FLIPS),
    ("flip across", "RandomFlip", {"mode": "horizontal"}, FLIPS),
    (
        "flip first",
        "RandomFlip",
        {"mode": "vertical", "data_format": "channels_first"},
        {**FLIPS, "input_shape": FIRST},
    ),
    ("zoom", "RandomZoom", {"height_factor": 0.3}, ZOOM),
    ("shift", "RandomTranslation", {"height_factor": 0.3, "width_factor": 0.3}, SHIFTS),
    ("shear across", "RandomShear", {"x_factor": 0.3}, SHEAR_X),
    ("shear down", "RandomShear", {"y_factor": 0.3}, SHEAR_Y),
    ("perspective", "RandomPerspective", {}, PERSPECTIVE),
    ("middle", "CenterCrop", {"height": 8, "width": 10}, {"input_shape": SHAPE}),
    ("middle grown", "CenterCrop", {"height": 24, "width": 24}, {"input_shape": SHAPE}),
    ("resize", "Resizing", {"height": 9, "width": 40}, (HEIGHT, WIDTH)),
    ("pad", "Resizing", {"height": 20, "width": 20, "pad_to_aspect_ratio": True}, (12, 16)),
    ("pad odd", "Resizing", {"height": 8, "width": 15, "pad_to_aspect_ratio": True}, (12, 16)),
    ("crop", "Resizing", {"height": 20, "width": 20, "crop_to_aspect_ratio": True}, (12, 16)),
    ("crop tall", "Resizing", {"height": 5, "width": 15, "crop_to_aspect_ratio": True}, (12, 16)),
    (
        "mix",
        "MixUp",
        {},
        {"permutation_order": [1, 0], "mix_weight": [0.5, 0.25]},
    ),
    ("fewer", "MaxNumBoundingBoxes", {"max_number": 2}, None),
    ("more", "MaxNumBoundingBoxes", {"max_number": 5, "fill_value": -2}, None),
]
FORMATS = ("rel_yxyx", "center_xywh")  # beside "xyxy", for rows whose layer converts both ways
ALSO_IN_FORMATS = ("flip", "zoom", "shift", "shear across", "middle", "resize", "crop")


def forced(array, transformation):
    if not isinstance(transformation, dict):
        return transformation
    return {
        key: array(value) if isinstance(value, list) else value
        for key, value in transformation.items()
    }


CALLS = [
    *((*row, "xyxy") for row in ROWS),
    *((*row, kind) for row in ROWS if row[0] in ALSO_IN_FORMATS for kind in FORMATS),
]
