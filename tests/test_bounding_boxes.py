"""Bounding boxes: Keras's values of the functions, gradients, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tables.bounding_boxes import CALLS, A, B, arguments

from layerkit import backend as K
from layerkit import layers
from layerkit.backend import tree
from layerkit.utils import bounding_boxes as bb

GOLDEN = json.loads((Path(__file__).parent / "golden" / "bounding_boxes.json").read_text())


def array(value):
    return np.array(value, "float32" if isinstance(np.ravel(value)[0], float) else "int32")


@pytest.mark.parametrize("name, function, given", CALLS, ids=[row[0] for row in CALLS])
def test_values_are_those_of_keras(name, function, given):
    found = getattr(bb, function)(**arguments(function, given, array))
    expected = GOLDEN[name]
    found = {key: K.to_numpy(value) for key, value in as_dict(found).items()}
    for key, value in as_dict(expected).items():
        rtol = 1e-3 if given.get("dtype") == "float16" else 2e-6
        np.testing.assert_allclose(found[key], np.array(value), rtol=rtol, atol=2e-5)
        assert found[key].dtype == ("int32" if key == "labels" else given.get("dtype", "float32"))
    assert found.keys() == as_dict(expected).keys()


def as_dict(value):
    return value if isinstance(value, dict) else {"": value}


@pytest.mark.parametrize(
    "function",
    [
        lambda x: bb.compute_iou(x, np.array(B), "xyxy"),
        lambda x: bb.compute_ciou(x, np.array(B[::2]), "xyxy"),
        lambda x: bb.encode_box_to_deltas(np.array(A), x, "xyxy", "xyxy"),
        lambda x: bb.convert_format(x, "rel_xywh", "center_yxhw", 20, 40),
        lambda x: bb.affine_transform(x[None], [20.0], [0.1], [0], [1.5], [0], [5.0], 20, 40),
    ],
)
def test_boxes_have_a_gradient(function, monkeypatch):
    convert = bb.convert_format
    wide = lambda *args, **options: convert(*args, **options, dtype="float64")  # noqa: E731
    monkeypatch.setattr(bb, "convert_format", wide)
    K.check_gradient(function, np.array(A) + 0.25)


def test_inputs_are_left_alone():
    boxes = {"boxes": np.array(A, "float32"), "labels": np.array([1, 2])}
    before = tree.map_structure(np.copy, boxes)
    bb.convert_format(boxes, "xyxy", "xywh")
    bb.clip_to_image_size(boxes, 4, 4)
    assert all(np.array_equal(boxes[key], before[key]) for key in boxes)


def test_labels_of_classes_are_cut_too():
    boxes = {"boxes": np.array([A]), "labels": np.ones((1, 2, 3), "int32")}
    labels = bb.clip_to_image_size(boxes, 4, 40)["labels"]
    np.testing.assert_array_equal(labels, [[[1, 1, 1], [-1, -1, -1]]])


def test_a_relative_format_with_the_size_of_the_image():
    shares = bb.convert_format(np.array([A, B[:2]]), "xyxy", "rel_yxyx", 20, 40)
    found = bb.compute_ciou(shares[0], shares[1], "rel_yxyx", image_shape=(20, 40, 3))
    expected = bb.compute_ciou(np.array(A), np.array(B[:2]), "xyxy")
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_boxes_in_a_layer():
    """A custom layer computes with them, in a functional model too."""

    class Overlap(layers.Layer):
        def call(self, x):
            return bb.compute_iou(x, K.convert_to_tensor(np.array(B, "float32")), "xyxy")

    x = layers.Input((2, 4))
    y = Overlap()(x)
    assert y.shape == (None, 2, 3)


REFUSED = [
    (lambda: bb.convert_format(np.ones((2, 3)), "xyxy", "xywh"), "last dimension of 4. Received"),
    (lambda: bb.convert_format(A, "xyzw", "xywh"), "Invalid source or target format"),
    (lambda: bb.convert_format(A, "rel_xyxy", "xywh"), r"must receive `height` and `width`"),
    (lambda: bb.clip_to_image_size({"boxes": A}), "`height` and `width` must be set"),
    (lambda: bb.clip_to_image_size({"boxes": A}, 1, 1, "xywh"), "'xyxy' or 'rel_xyxy'"),
    (lambda: bb.crop(A, 1, 1, 1, 1, "xywh"), r"crop\(\) takes boxes of the format 'xyxy'"),
    (lambda: bb.pad(A, 1, 1, bounding_box_format="xywh"), r"pad\(\) takes boxes of the format"),
    (
        lambda: bb.affine_transform(A, 0, 0, 0, 1, 0, 0, 9, 9, bounding_box_format="xywh"),
        r"affine_transform\(\) takes boxes of the format 'xyxy'",
    ),
    (lambda: bb.affine_transform(A, 0, 0, 0, 1, 0, 0, 9, 9), r"of shape \(batch, boxes, 4\)"),
    (
        lambda: bb.encode_box_to_deltas(A, A, "xyxy", "xyxy", variance=[1.0]),
        "`variance` must be length 4",
    ),
    (
        lambda: bb.encode_box_to_deltas(A, A, "xyxy", "xyxy", "xyxy"),
        "`encoding_format` should be one of",
    ),
    (
        lambda: bb.decode_deltas_to_boxes(A, A, "xyxy", "xyxy", "xyxy"),
        "`encoded_format` should be one of",
    ),
    (lambda: bb.compute_iou(A[0], A, "xyxy"), "expects boxes1 to be batched"),
    (lambda: bb.compute_iou(A, A[0], "xyxy"), "expects boxes2 to be batched"),
    (lambda: bb.compute_iou(A, A, "rel_xyxy"), "`image_shape` argument must be provided"),
    (lambda: bb.compute_ciou(A, A, "rel_xyxy"), "`image_shape` argument must be provided"),
]


@pytest.mark.parametrize("act, message", REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(act, message):
    with pytest.raises((ValueError, NotImplementedError), match=message):
        act()
