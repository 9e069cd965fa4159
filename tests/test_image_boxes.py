"""Bounding boxes follow the pixels: Keras's values, the geometry itself, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tables.image_boxes import BOXES, CALLS, HEIGHT, LABELS, WIDTH, forced

from layerkit import Model, layers
from layerkit import backend as K
from layerkit.utils import bounding_boxes as bb

GOLDEN = json.loads((Path(__file__).parent / "golden" / "image_boxes.json").read_text())
IDS = [f"{name} {call[-1]}" for name, *call in CALLS]


@pytest.mark.parametrize("call", CALLS, ids=IDS)
def test_boxes_are_those_of_keras(call):
    name, layer, arguments, transformation, kind = call
    layer = getattr(layers, layer)(**arguments, bounding_box_format=kind)
    boxes = bb.convert_format(np.array(BOXES, "float32"), "xyxy", kind, HEIGHT, WIDTH)
    given = {"boxes": boxes, "labels": K.convert_to_tensor(np.array(LABELS))}
    found = layer.transform_bounding_boxes(given, forced(tensor, transformation), training=True)
    expected = GOLDEN[f"{name} {kind}"]
    same = slice(2) if name.startswith("flip") else slice(None)  # Keras does not cut flipped ones
    ours, theirs = found["boxes"].numpy()[:, same], np.array(expected["boxes"])[:, same]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)
    labels = np.array(expected["labels"])
    if name == "mix":  # Keras puts them below one another, and the boxes side by side
        labels = np.concatenate([labels[:2], labels[2:]], axis=1)
    real = np.array(expected["boxes"]).any(axis=-1)  # Keras may keep the label of what is gone
    np.testing.assert_array_equal(found["labels"].numpy()[real], labels[real])


def tensor(value):
    return K.convert_to_tensor(np.array(value))


# A bright rectangle on black: what is seen of it afterwards is where its box must be.

MOVING = [
    ("RandomFlip", {}),
    ("RandomRotation", {"factor": (0.25, 0.25)}),
    ("RandomRotation", {"factor": 0.1}),
    ("RandomZoom", {"height_factor": 0.4, "width_factor": 0.3}),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.2}),
    ("RandomShear", {"x_factor": 0.4}),
    ("RandomShear", {"x_factor": 0.3, "y_factor": 0.3}),
    ("RandomPerspective", {"scale": 0.4}),
    ("RandomCrop", {"height": 40, "width": 50}),
    ("RandomCrop", {"height": 90, "width": 60}),
    ("CenterCrop", {"height": 50, "width": 70}),
    ("CenterCrop", {"height": 120, "width": 60}),
    ("Resizing", {"height": 90, "width": 70}),
    ("Resizing", {"height": 100, "width": 50, "crop_to_aspect_ratio": True}),
    ("Resizing", {"height": 100, "width": 50, "pad_to_aspect_ratio": True}),
    ("RandAugment", {"factor": 0.2}),
]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kind", ["xyxy", "rel_center_xywh"])
@pytest.mark.parametrize("name, arguments", MOVING)
def test_boxes_are_where_the_pixels_are(name, arguments, kind, data_format):
    size = (60, 80)
    x = np.zeros((3, *size, 1), "float32")
    boxes = np.array([[[20, 15, 60, 45]], [[30, 22, 52, 35]], [[24, 24, 40, 44]]], "float32")
    for image, ((left, top, right, bottom),) in zip(x, boxes.astype(int), strict=True):
        image[top:bottom, left:right] = 255.0
    x = np.repeat(x, 3, axis=-1)
    if data_format == "channels_first":
        x = x.transpose(0, 3, 1, 2)
    if "Rand" in name:
        arguments = {**arguments, "seed": 7}
    if name in ("RandomRotation", "RandomZoom", "RandomTranslation", "RandomShear"):
        arguments = {**arguments, "fill_mode": "constant"}
    layer = getattr(layers, name)(**arguments, bounding_box_format=kind, data_format=data_format)
    data = {
        "images": x,
        "bounding_boxes": {
            "boxes": bb.convert_format(boxes, "xyxy", kind, *size),
            "labels": np.array([[1], [2], [3]]),
        },
    }
    for training in (True, False):
        y = layer(data, training=training)
        images = y["images"].numpy()
        images = images if data_format == "channels_last" else images.transpose(0, 2, 3, 1)
        found = bb.convert_format(
            y["bounding_boxes"]["boxes"], kind, "xyxy", *images.shape[1:3]
        ).numpy()
        assert y["bounding_boxes"]["labels"].numpy().tolist() == [[1], [2], [3]]
        for image, (box,) in zip(images, found, strict=True):
            if name == "RandAugment":
                continue
            rows, columns = np.nonzero(image[..., 0] > 127)
            seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_allclose(box, seen, atol=3)


def batch(**more):
    return {
        "images": np.zeros((2, HEIGHT, WIDTH, 3), "float32"),
        "bounding_boxes": {"boxes": np.array(BOXES), "labels": np.array(LABELS)},
        **more,
    }


@pytest.mark.parametrize("name", ["RandomBrightness", "RandomErasing", "AugMix"])
def test_where_no_pixel_moves_boxes_stay(name):
    arguments = {"factor": 0.3} if name == "RandomBrightness" else {}
    layer = getattr(layers, name)(**arguments, bounding_box_format="xyxy")
    y = layer(batch(), training=True)
    np.testing.assert_array_equal(y["bounding_boxes"]["boxes"], np.array(BOXES, "float32"))
    np.testing.assert_array_equal(y["bounding_boxes"]["labels"], LABELS)


def test_random_augmentations_of_boxes_are_those_of_their_images():
    layer = layers.RandAugment(bounding_box_format="xyxy", seed=1, num_ops=3)
    data = batch()
    turn = layer._choices["random_rotation"]
    drawn = [("random_rotation", turn.get_random_transformation(data))] * 2
    boxes = {key: K.convert_to_tensor(value) for key, value in data["bounding_boxes"].items()}
    found = layer.transform_bounding_boxes(boxes, drawn)
    expected = turn.transform_bounding_boxes(boxes, drawn[0][1])
    expected = turn.transform_bounding_boxes(expected, drawn[1][1])
    np.testing.assert_array_equal(found["boxes"], expected["boxes"])


def test_one_image_and_its_boxes():
    data = batch()
    one = {
        "images": data["images"][0],
        "bounding_boxes": {"boxes": np.array(BOXES[0]), "labels": np.array(LABELS[0])},
    }
    layer = layers.Resizing(24, 8, bounding_box_format="xyxy")
    y, all_of_them = layer(one), layer(data)
    np.testing.assert_array_equal(
        y["bounding_boxes"]["boxes"], all_of_them["bounding_boxes"]["boxes"][0]
    )
    assert y["bounding_boxes"]["labels"].shape == (3,)
    fewer = layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
    assert fewer(one)["bounding_boxes"]["boxes"].shape == (2, 4)
    shape = {"images": (9, 9, 3), "bounding_boxes": {"boxes": (3, 4), "labels": (3,)}}
    assert fewer.compute_output_shape(shape)["bounding_boxes"] == {"boxes": (2, 4), "labels": (2,)}
    assert fewer.compute_output_shape((9, 9, 3)) == (9, 9, 3)


def test_inputs_are_left_alone_and_lists_are_taken():
    data = batch()
    layer = layers.RandomFlip("horizontal", bounding_box_format="xyxy", seed=1)
    layer(data, training=True)
    np.testing.assert_array_equal(data["bounding_boxes"]["boxes"], BOXES)
    y = layer({**data, "bounding_boxes": {"boxes": BOXES, "labels": LABELS}}, training=False)
    np.testing.assert_array_equal(y["bounding_boxes"]["boxes"], BOXES)


def test_boxes_are_no_halves():
    layer = layers.RandomFlip(bounding_box_format="xyxy", dtype="float16")
    boxes = {"boxes": [[[1000.5, 2.0, 2049.0, 3.0]]] * 2, "labels": [[1]] * 2}
    y = layer({**batch(), "bounding_boxes": boxes}, training=False)
    assert y["images"].dtype == "float16"
    np.testing.assert_array_equal(y["bounding_boxes"]["boxes"], np.array(boxes["boxes"]))


def test_boxes_in_a_functional_model():
    inputs = {
        "images": layers.Input((HEIGHT, WIDTH, 3), name="images"),
        "bounding_boxes": {"boxes": layers.Input((3, 4)), "labels": layers.Input((3,))},
    }
    x = layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")(inputs)
    x = layers.Resizing(24, 32, bounding_box_format="xyxy")(x)
    assert x["bounding_boxes"]["boxes"].shape == (None, 2, 4)
    y = Model(inputs, x)(batch())
    np.testing.assert_allclose(y["bounding_boxes"]["boxes"][1], 2 * np.array(BOXES[1][:2]))


def test_configs():
    for layer in (
        layers.RandomFlip(bounding_box_format="xywh"),
        layers.RandAugment(bounding_box_format="xywh"),
        layers.MaxNumBoundingBoxes(3, fill_value=-2, bounding_box_format="xywh"),
    ):
        again = type(layer).from_config(layer.get_config())
        assert again.bounding_box_format == "xywh"
        assert again.get_config() == layer.get_config()
    assert "bounding_box_format" not in layers.RandomFlip().get_config()


def changed(**boxes):
    return batch(bounding_boxes={"boxes": np.array(BOXES), "labels": np.array(LABELS), **boxes})


def flip(data):
    return layers.RandomFlip(bounding_box_format="xyxy")(data)


REFUSED = [
    (lambda: layers.RandomFlip()(batch()), "you didn't specify a bounding box format"),
    (
        lambda: layers.Resizing(3, 4).transform_bounding_boxes(
            {"boxes": np.ones((1, 2, 4))}, (6, 8)
        ),
        "you didn't specify a bounding box format",
    ),
    (lambda: flip(batch(bounding_boxes=np.ones(4))), "to be a dict with keys 'boxes' and 'labels'"),
    (lambda: flip(batch(bounding_boxes={"boxes": BOXES})), "a dict with keys 'boxes' and 'labels'"),
    (lambda: flip(changed(boxes=np.ones((3, 4)))), r"expected 'boxes' of shape \(batch, boxes, 4"),
    (lambda: flip(changed(labels=np.ones(3))), r"\['labels'\].shape=\(3,\)"),
    (
        lambda: layers.CutMix(bounding_box_format="xyxy")(batch(), training=True),
        "CutMix does not say what becomes of bounding boxes",
    ),
    (
        lambda: layers.RandomElasticTransform(bounding_box_format="xyxy")(batch()),
        "RandomElasticTransform does not say what becomes of bounding boxes",
    ),
    (
        lambda: layers.RandomFlip(bounding_box_format="xyzw")(batch(), training=True),
        "Invalid source or target format",
    ),
]


@pytest.mark.parametrize("act, message", REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(act, message):
    with pytest.raises((ValueError, NotImplementedError), match=message):
        act()
