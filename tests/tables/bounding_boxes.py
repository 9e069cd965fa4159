"""Calls of `utils.bounding_boxes`: (name of the row, function, arguments).

Lists of numbers are arrays of float32; real Keras makes the golden values from the same rows.
"""

from __future__ import annotations

FORMATS = {  # the same two boxes in an image of 20 by 40
    "xyxy": [[2.0, 3.0, 12.0, 7.0], [0.0, 5.0, 8.0, 20.0]],
    "yxyx": [[3.0, 2.0, 7.0, 12.0], [5.0, 0.0, 20.0, 8.0]],
    "xywh": [[2.0, 3.0, 10.0, 4.0], [0.0, 5.0, 8.0, 15.0]],
    "center_xywh": [[7.0, 5.0, 10.0, 4.0], [4.0, 12.5, 8.0, 15.0]],
    "center_yxhw": [[5.0, 7.0, 4.0, 10.0], [12.5, 4.0, 15.0, 8.0]],
    "rel_xyxy": [[0.05, 0.15, 0.3, 0.35], [0.0, 0.25, 0.2, 1.0]],
    "rel_yxyx": [[0.15, 0.05, 0.35, 0.3], [0.25, 0.0, 1.0, 0.2]],
    "rel_xywh": [[0.05, 0.15, 0.25, 0.2], [0.0, 0.25, 0.2, 0.75]],
    "rel_center_xywh": [[0.175, 0.25, 0.25, 0.2], [0.1, 0.625, 0.2, 0.75]],
}
SIZE = {"height": 20, "width": 40}
A, B = FORMATS["xyxy"], [[0.0, 4.0, 9.0, 21.0], [-3.0, -2.0, -1.0, -1.0], [5.0, 5.0, 11.0, 6.0]]
OUTSIDE = {"boxes": [[-5.0, 3.0, 50.0, 30.0], [41.0, 2.0, 45.0, 8.0]], "labels": [1, 2]}
TURN = {
    "angle": [30.0, -90.0],
    "translate_x": [0.1, 0.0],
    "translate_y": [-0.2, 0.25],
    "scale": [1.5, 0.5],
    "shear_x": [10.0, 0.0],
    "shear_y": [0.0, -20.0],
    **SIZE,
}

CALLS = [
    *(
        (f"{source} to {target}", "convert_format", dict(source=source, target=target, **SIZE))
        for source in FORMATS
        for target in FORMATS
    ),
    ("capitals", "convert_format", {"source": "XYXY", "target": "CENTER_xyWH"}),
    ("halves", "convert_format", {"source": "xyxy", "target": "xywh", "dtype": "float16"}),
    ("dict", "convert_format", dict(boxes=OUTSIDE, source="xyxy", target="rel_yxyx", **SIZE)),
    ("clip", "clip_to_image_size", dict(bounding_boxes=OUTSIDE, **SIZE)),
    (
        "clip shares",
        "clip_to_image_size",
        {
            "bounding_boxes": {"boxes": [[[-0.5, 0.1, 1.5, 0.2], [1.1, 0.1, 1.2, 0.3]]]},
            "bounding_box_format": "rel_xyxy",
        },
    ),
    ("affine", "affine_transform", dict(boxes=[A, B[:2]], **TURN)),
    ("affine about", "affine_transform", dict(boxes=[A, A], center_x=0.2, center_y=0.7, **TURN)),
    ("crop", "crop", {"boxes": A, "top": 4, "left": 1, "height": 10, "width": 6}),
    ("pad", "pad", {"boxes": [A], "top": 4, "left": 1}),
    ("encode", "encode_box_to_deltas", {"anchors": A, "boxes": B[:2], "variance": None}),
    (
        "encode more",
        "encode_box_to_deltas",
        {
            "anchors": FORMATS["rel_yxyx"],
            "boxes": [B[::2], A],
            "anchor_format": "rel_yxyx",
            "encoding_format": "center_xywh",
            "variance": [0.1, 0.1, 0.2, 0.2],
            "image_shape": (20, 40, 3),
        },
    ),
    (
        "decode",
        "decode_deltas_to_boxes",
        {"anchors": A, "boxes_delta": [[[0.1, 0.2, -0.3, 0.4], [1.0, -2.0, 0.0, 0.5]]]},
    ),
    (
        "decode levels",
        "decode_deltas_to_boxes",
        {
            "anchors": {"0": A, "1": B[:1]},
            "boxes_delta": {"0": [[0.1, 0.2, -0.3, 0.4]] * 2, "1": [[0.0, 1.0, 0.1, 0.0]]},
            "box_format": "rel_xywh",
            "encoded_format": "center_xywh",
            "variance": [0.1, 0.1, 0.2, 0.2],
            "image_shape": (20, 40, 3),
        },
    ),
    ("iou", "compute_iou", {"boxes1": A, "boxes2": B}),
    ("iou batches", "compute_iou", {"boxes1": [A, B[:2]], "boxes2": [B, B], "use_masking": True}),
    ("iou one batch", "compute_iou", {"boxes1": [A, A], "boxes2": B}),
    (
        "iou shares",
        "compute_iou",
        {
            "boxes1": FORMATS["rel_xywh"],
            "boxes2": FORMATS["rel_xywh"],
            "bounding_box_format": "rel_xywh",
            "image_shape": (20, 40, 3),
            "use_masking": True,
            "mask_val": -2,
        },
    ),
    ("ciou", "compute_ciou", {"boxes1": A, "boxes2": B[::2]}),
    (
        "ciou centers",
        "compute_ciou",
        {"boxes1": [A], "boxes2": [B[:2]], "bounding_box_format": "center_xywh"},
    ),
]

_DEFAULTS = {
    "compute_iou": {"bounding_box_format": "xyxy"},
    "compute_ciou": {"bounding_box_format": "xyxy"},
    "encode_box_to_deltas": {"anchor_format": "xyxy", "box_format": "xyxy"},
    "decode_deltas_to_boxes": {"anchor_format": "xyxy", "box_format": "xyxy"},
}


def arguments(function: str, given: dict, array) -> dict:
    """The call's arguments: `array` makes arrays of lists of numbers, also within dicts."""

    def made(value):
        if isinstance(value, dict):
            return {key: made(item) for key, item in value.items()}
        return array(value) if isinstance(value, list) else value

    found = {**_DEFAULTS.get(function, {}), **given}
    if function == "convert_format" and "boxes" not in found:
        found["boxes"] = FORMATS[found["source"].lower()]
    return {key: made(value) for key, value in found.items()}
