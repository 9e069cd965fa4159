"""Bounding boxes: their formats, where transformations take them, and how much two overlap.

A box is four numbers, and its format says which: "xyxy" left, top, right and bottom in pixels;
"yxyx"; "xywh" left, top, width and height; "center_xywh" and "center_yxhw" with the middle in
place of the corner. "rel_xyxy", "rel_yxyx", "rel_xywh" and "rel_center_xywh" are shares of the
image's width and height. Boxes are arrays (..., 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.names import explain_missing

_TO_XYXY: dict[str, Callable[..., tuple[Any, ...]]] = {
    "xyxy": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    "yxyx": lambda y1, x1, y2, x2: (x1, y1, x2, y2),
    "xywh": lambda x, y, w, h: (x, y, x + w, y + h),
    "center_xywh": lambda x, y, w, h: (x - w / 2, y - h / 2, x + w / 2, y + h / 2),
    "center_yxhw": lambda y, x, h, w: (x - w / 2, y - h / 2, x + w / 2, y + h / 2),
}
_FROM_XYXY: dict[str, Callable[..., tuple[Any, ...]]] = {
    "xyxy": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    "yxyx": lambda x1, y1, x2, y2: (y1, x1, y2, x2),
    "xywh": lambda x1, y1, x2, y2: (x1, y1, x2 - x1, y2 - y1),
    "center_xywh": lambda x1, y1, x2, y2: ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1),
    "center_yxhw": lambda x1, y1, x2, y2: ((y1 + y2) / 2, (x1 + x2) / 2, y2 - y1, x2 - x1),
}
_RELATIVE = "rel_"
_FORMATS = (*_TO_XYXY, "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")
_CENTERS = ("center_xywh", "center_yxhw")


def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: str = "float32",
) -> Any:
    """Boxes of the format `source` in the format `target`, both as in this module's text.

    boxes: (..., 4), or a dict with such 'boxes', which gives a dict. height, width: of the image,
    numbers or tensors that broadcast against (..., 1); relative formats need them. ValueError for
    other shapes and formats.
    """
    if isinstance(boxes, dict):
        converted = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": converted}
    boxes = K.cast(K.convert_to_tensor(boxes), dtype)
    if boxes.shape[-1:] != (4,):
        raise ValueError(
            "`boxes` must be a tensor with the last dimension of 4. Received: boxes.shape="
            f"{tuple(boxes.shape)}"
        )
    source, target = source.lower(), target.lower()
    if source not in _FORMATS or target not in _FORMATS:
        raise ValueError(
            f"Invalid source or target format. Supported formats: {_FORMATS}. Received: "
            f"source={source}, target={target}"
        )
    from_shares, to_shares = source.startswith(_RELATIVE), target.startswith(_RELATIVE)
    if (from_shares or to_shares) and (height is None or width is None):
        raise ValueError(
            "convert_format() must receive `height` and `width` transforming between relative and "
            f"absolute formats. convert_format() received source=`{source}`, target=`{target}`, "
            f"but height={height} and width={width}."
        )
    if source == target:
        return boxes
    corners = _TO_XYXY[source.removeprefix(_RELATIVE)](*_split(boxes))
    if from_shares != to_shares:
        sizes = [_size(size, boxes.dtype) for size in (width, height)] * 2
        corners = tuple(
            corner * size if from_shares else corner / size
            for corner, size in zip(corners, sizes, strict=True)
        )
    return K.concatenate(list(_FROM_XYXY[target.removeprefix(_RELATIVE)](*corners)), axis=-1)


def clip_to_image_size(
    bounding_boxes: dict[str, Any],
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> dict[str, Any]:
    """Boxes cut to the image; the labels of those of which nothing is left are -1.

    bounding_boxes: a dict of 'boxes' (..., n, 4) and, if there are any, 'labels' (..., n) or
    (..., n, classes). height, width: of the image, for "xyxy". NotImplementedError for formats but
    "xyxy" and "rel_xyxy".
    """
    if bounding_box_format not in ("xyxy", "rel_xyxy"):
        raise _only("clip_to_image_size", "'xyxy' or 'rel_xyxy'", bounding_box_format)
    boxes = K.convert_to_tensor(bounding_boxes["boxes"])
    if bounding_box_format == "rel_xyxy":
        height = width = 1.0
    elif height is None or width is None:
        raise ValueError(
            "`height` and `width` must be set if `format='xyxy'`. Received: "
            f"height={height}, width={width}"
        )
    clipped = _clipped(boxes, height, width)
    found = {**bounding_boxes, "boxes": clipped}
    labels = bounding_boxes.get("labels")
    if labels is not None:
        labels = K.convert_to_tensor(labels)
        x1, y1, x2, y2 = _split(clipped)
        areas = (x2 - x1) * (y2 - y1)
        there = areas > 0 if labels.ndim == areas.ndim else K.squeeze(areas, -1) > 0
        found["labels"] = K.where(there, labels, K.cast(K.convert_to_tensor(-1), labels.dtype))
    return found


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """The upright boxes (batch, n, 4) around boxes that are turned, shifted, scaled and sheared.

    angle, shear_x, shear_y: (batch,) degrees. translate_x, translate_y: (batch,) shares of the
    image's size. scale: (batch,). center_x, center_y: what stays in its place, as shares; by
    default the middle. NotImplementedError for formats but "xyxy".
    """
    if bounding_box_format != "xyxy":
        raise _only("affine_transform", "'xyxy'", bounding_box_format)
    angle, shear_x, shear_y = (-_vector(v) * (math.pi / 180) for v in (angle, shear_x, shear_y))
    scale = _vector(scale)
    x = (0.5 if center_x is None else center_x) * (width - 1)
    y = (0.5 if center_y is None else center_y) * (height - 1)
    # [[a, b], [c, d]] turns and shears; its determinant is 1, and its inverse is read off
    a, c = (f(angle - shear_y) / K.cos(shear_y) for f in (K.cos, K.sin))
    b = a * K.tan(shear_x) + K.sin(angle)
    d = K.cos(angle) + c * K.tan(shear_x)
    rows = ((d * scale, -b * scale), (c * scale, a * scale))
    from_x = x - _vector(translate_x) * (width - 1)
    from_y = y - _vector(translate_y) * (height - 1)
    moved = [
        (to_x, to_y, middle - to_x * from_x - to_y * from_y)
        for (to_x, to_y), middle in zip(rows, (x, y), strict=True)
    ]
    return around(boxes, (*moved, (0.0, 0.0, 1.0)))


def around(boxes: Any, matrix: Any) -> Tensor:
    """The upright boxes around the corners of `boxes` (batch, n, 4), "xyxy", once these are moved.

    matrix: 3 rows of 3 numbers or vectors (batch,), which takes (x, y, 1) to (x, y, 1) up to a
    factor.
    """
    boxes = K.convert_to_tensor(boxes)
    if boxes.ndim != 3 or boxes.shape[-1] != 4:
        raise ValueError(
            "Expected `boxes` of shape (batch, boxes, 4). Received: boxes.shape="
            f"{tuple(boxes.shape)}. Boxes of one image need a batch axis, boxes[None]."
        )
    x1, y1, x2, y2 = _split(boxes)
    x, y = K.concatenate([x1, x2, x2, x1], axis=-1), K.concatenate([y1, y1, y2, y2], axis=-1)
    across, down, share = (_column(a) * x + _column(b) * y + _column(c) for a, b, c in matrix)
    x, y = across / share, down / share
    ends = [f(z, axis=-1, keepdims=True) for f in (K.min, K.max) for z in (x, y)]
    return K.concatenate(ends, axis=-1)


def crop(
    boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Tensor:
    """Boxes (..., 4) in a part of their image that begins at (top, left), cut to its size.

    NotImplementedError for formats but "xyxy".
    """
    if bounding_box_format != "xyxy":
        raise _only("crop", "'xyxy'", bounding_box_format)
    return _clipped(pad(boxes, -top, -left), height, width)


def pad(
    boxes: Any,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Boxes (..., 4) in an image with rows added at its top and columns at its left.

    height, width: not needed, as in Keras. NotImplementedError for formats but "xyxy".
    """
    if bounding_box_format != "xyxy":
        raise _only("pad", "'xyxy'", bounding_box_format)
    x1, y1, x2, y2 = _split(K.convert_to_tensor(boxes))
    return K.concatenate([x1 + left, y1 + top, x2 + left, y2 + top], axis=-1)


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Tensor:
    """What leads from `anchors` to `boxes`: shifts in units of the anchors' size, and log sizes.

    anchors: (n, 4). boxes: (n, 4) or (batch, n, 4). encoding_format: "center_yxhw" or
    "center_xywh", the order of the deltas. variance: four numbers that the deltas are divided by.
    image_shape: (height, width, channels), for relative formats. Ren et al. 2015.
    """
    variance = _variance(variance)
    _check_centers("encoding_format", encoding_format)
    sizes = _image_size(image_shape)
    anchors = convert_format(anchors, anchor_format, encoding_format, *sizes)
    boxes = convert_format(boxes, box_format, encoding_format, *sizes)
    widths = K.maximum(anchors[..., 2:], K.epsilon())
    shifts = (boxes[..., :2] - anchors[..., :2]) / widths
    growth = K.log(K.maximum(boxes[..., 2:], K.epsilon()) / widths)
    deltas = K.concatenate([shifts, growth], axis=-1)
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """The boxes, in `box_format`, to which the deltas of `encode_box_to_deltas` lead.

    anchors, boxes_delta: as there, or dicts {level: ...} of both, which give a dict. variance:
    four numbers that the deltas are multiplied by.
    """
    variance = _variance(variance)
    _check_centers("encoded_format", encoded_format)
    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        return {
            level: decode_deltas_to_boxes(
                anchors[level],
                boxes_delta[level],
                anchor_format,
                box_format,
                encoded_format,
                variance,
                image_shape,
            )
            for level in anchors
        }
    sizes = _image_size(image_shape)
    anchors = convert_format(anchors, anchor_format, encoded_format, *sizes)
    deltas = K.convert_to_tensor(boxes_delta)
    deltas = deltas if variance is None else deltas * variance
    middles = deltas[..., :2] * anchors[..., 2:] + anchors[..., :2]
    boxes = K.concatenate([middles, K.exp(deltas[..., 2:]) * anchors[..., 2:]], axis=-1)
    return convert_format(boxes, encoded_format, box_format, *sizes)


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Tensor:
    """Intersection over union of each box of `boxes1` with each of `boxes2`.

    boxes1: (m, 4) or (batch, m, 4); boxes2: (n, 4) or (batch, n, 4). Result: (m, n) or
    (batch, m, n). use_masking: give `mask_val` where a box has negative numbers alone.
    image_shape: (height, width, channels), for relative formats.
    """
    first, second = K.convert_to_tensor(boxes1), K.convert_to_tensor(boxes2)
    for name, boxes in (("boxes1", first), ("boxes2", second)):
        if boxes.ndim not in (2, 3):
            raise ValueError(
                f"compute_iou() expects {name} to be batched, or to be unbatched. Received "
                f"len(boxes1.shape)={first.ndim}, len(boxes2.shape)={second.ndim}. Expected "
                f"either len({name}.shape)=2 AND or len({name}.shape)=3."
            )
    first, second = _xyxy_pair(first, second, bounding_box_format, image_shape)
    x1, y1, x2, y2 = _split(first)
    a1, b1, a2, b2 = (K.swapaxes(corner, -1, -2) for corner in _split(second))
    width, height = K.minimum(x2, a2) - K.maximum(x1, a1), K.minimum(y2, b2) - K.maximum(y1, b1)
    common = K.maximum(width, 0) * K.maximum(height, 0)
    union = (x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - common
    overlap = common / (union + K.epsilon())
    if not use_masking:
        return overlap
    blank = [K.max(boxes, axis=-1, keepdims=True) < 0 for boxes in (first, second)]
    masked = K.logical_or(blank[0], K.swapaxes(blank[1], -1, -2))
    return K.where(masked, float(mask_val), overlap)


def compute_ciou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None
) -> Tensor:
    """Complete intersection over union of boxes (..., 4), pair by pair: (...).

    The intersection over union, less what the distance of the middles and the difference of the
    aspect ratios are worth. image_shape: (height, width, channels), for relative formats. Zheng
    et al. 2020.
    """
    first, second = _xyxy_pair(boxes1, boxes2, bounding_box_format, image_shape)
    x1, y1, x2, y2 = (first[..., i] for i in range(4))
    a1, b1, a2, b2 = (second[..., i] for i in range(4))
    eps = K.epsilon()
    width_1, height_1, width_2, height_2 = x2 - x1, y2 - y1 + eps, a2 - a1, b2 - b1 + eps
    width, height = K.minimum(x2, a2) - K.maximum(x1, a1), K.minimum(y2, b2) - K.maximum(y1, b1)
    common = K.maximum(width, 0) * K.maximum(height, 0)
    overlap = common / (width_1 * height_1 + width_2 * height_2 - common + 2 * eps)
    hull = K.square(K.maximum(x2, a2) - K.minimum(x1, a1))
    hull = hull + K.square(K.maximum(y2, b2) - K.minimum(y1, b1)) + eps
    apart = K.square((x1 + x2) / 2 - (a1 + a2) / 2) + K.square((y1 + y2) / 2 - (b1 + b2) / 2)
    angles = K.arctan(width_2 / height_2) - K.arctan(width_1 / height_1)
    shape = 4 / math.pi**2 * K.square(angles)
    return overlap - (apart / hull + shape * shape / (shape - overlap + (1 + eps)))


def _split(boxes: Tensor) -> list[Any]:
    return [boxes[..., i : i + 1] for i in range(4)]


def _clipped(boxes: Any, height: Any, width: Any) -> Tensor:
    sizes = [_size(size, boxes.dtype) for size in (width, height)] * 2
    corners = [
        K.minimum(K.maximum(corner, 0), size)
        for corner, size in zip(_split(boxes), sizes, strict=True)
    ]
    return K.concatenate(corners, axis=-1)


def _size(size: Any, dtype: Any) -> Any:
    return size if isinstance(size, (int, float)) else K.cast(K.convert_to_tensor(size), dtype)


def _vector(value: Any) -> Tensor:
    return K.reshape(K.cast(K.convert_to_tensor(value), "float32"), (-1,))


def _column(value: Any) -> Any:
    return value if isinstance(value, (int, float)) else K.reshape(value, (-1, 1, 1))


def _xyxy_pair(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any
) -> tuple[Tensor, Tensor]:
    if bounding_box_format.lower().startswith(_RELATIVE) and image_shape is None:
        raise ValueError(
            "When using relative bounding box formats (e.g. `rel_yxyx`) the `image_shape` argument "
            f"must be provided. Received `image_shape`: {image_shape}"
        )
    sizes = _image_size(image_shape)
    first, second = (
        convert_format(boxes, bounding_box_format, "xyxy", *sizes) for boxes in (boxes1, boxes2)
    )
    return first, second


def _image_size(image_shape: Any) -> tuple[Any, Any]:
    return (None, None) if image_shape is None else tuple(image_shape[:2])


def _variance(variance: Any) -> Any:
    if variance is None:
        return None
    variance = K.cast(K.convert_to_tensor(variance), "float32")
    if variance.shape[-1:] != (4,):
        raise ValueError(f"`variance` must be length 4, got shape {tuple(variance.shape)}")
    return variance


def _check_centers(name: str, value: str) -> None:
    if value not in _CENTERS:
        raise ValueError(
            f"`{name}` should be one of 'center_xywh' or 'center_yxhw', got '{value}'."
        )


def _only(function: str, formats: str, received: str) -> NotImplementedError:
    return NotImplementedError(
        f"{function}() takes boxes of the format {formats}. Received: "
        f"bounding_box_format='{received}'. Use convert_format() before it."
    )


__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]

explain_missing(__name__)
