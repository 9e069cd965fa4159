"""Layers of images: Keras's values for forced transformations, and what random ones must be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tables.preprocessing_layers import IMAGE_ROWS, ROWS, ImageRow, pictures, tensors

from layerkit import Model, Sequential, layers
from layerkit import backend as K
from layerkit.ops import image

GOLDEN = Path(__file__).parent / "golden"
ARRAYS = dict(np.load(GOLDEN / "preprocessing_images.npz"))
KERAS = json.loads((GOLDEN / "preprocessing_images.json").read_text())["rows"]

# Layers at which chance is at work, and arguments with which it shows.
RANDOM = {
    "AugMix": {},
    "CutMix": {},
    "MixUp": {"alpha": 0.5},
    "RandAugment": {},
    "RandomBrightness": {"factor": 0.3},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomColorJitter": {
        "brightness_factor": 0.2,
        "contrast_factor": 0.2,
        "saturation_factor": 0.6,
        "hue_factor": 0.2,
    },
    "RandomContrast": {"factor": 0.5},
    "RandomCrop": {"height": 3, "width": 2},
    "RandomElasticTransform": {"scale": (0.5, 1.0)},
    "RandomErasing": {"scale": (0.2, 0.4)},
    "RandomFlip": {},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {},
    "RandomHue": {"factor": 0.6},
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": (1, 5)},
    "RandomRotation": {"factor": 0.2},
    "RandomSaturation": {"factor": (0.1, 0.4)},
    "RandomSharpness": {"factor": 0.4},
    "RandomShear": {"x_factor": 0.4, "y_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.4},
    "Solarization": {"addition_factor": 0.3, "threshold_factor": 0.5},
}
SIZED = ("Resizing", "CenterCrop", "RandomCrop")
MOVING = ("RandomRotation", "RandomZoom", "RandomTranslation", "RandomShear")


def made(row: ImageRow, **arguments):
    return getattr(layers, row.layer)(**row.arguments, **arguments)


def called(layer, row: ImageRow, x):
    if row.transformation is None:
        return layer(x, training=True)
    forced = tensors(K.convert_to_tensor, row.transformation)
    return layer.transform_images(K.convert_to_tensor(x), forced, training=True)


def photos(count: int = 16) -> np.ndarray:
    return (np.random.default_rng(0).random((count, 7, 6, 3)) * 255).astype("float32")


def random_layer(name: str, **arguments):
    return getattr(layers, name)(**RANDOM[name], **{"seed": 5, **arguments})


@pytest.mark.parametrize("row", IMAGE_ROWS, ids=str)
def test_images_are_those_of_keras(row: ImageRow):
    layer, x = made(row), pictures(row)
    before, y = x.copy(), called(layer, row, x)
    expected = ARRAYS[str(row)]
    np.testing.assert_allclose(K.to_numpy(y), expected, rtol=1e-4, atol=2e-4 * row.high / 255)
    np.testing.assert_array_equal(x, before)
    assert y.dtype.name == KERAS[str(row)]["dtype"]
    assert layer.compute_output_shape((None, *x.shape[1:]))[1:] == expected.shape[1:]


@pytest.mark.parametrize("row", IMAGE_ROWS, ids=str)
def test_config_is_that_of_keras(row: ImageRow):
    layer, theirs = made(row, name="row"), KERAS[str(row)]["config"]
    ours = json.loads(json.dumps(layer.get_config()))
    again = json.loads(json.dumps(type(layer).from_config(theirs).get_config()))
    assert again == ours
    for key, value in theirs.items():
        if key == "dtype" or row.layer == "RandomCrop" and key == "seed":
            continue
        assert ours[key] == value or row.layer == "RandomShear", key
    assert ours.keys() - theirs.keys() <= {"seed", "data_format"}


def test_every_preprocessing_layer_is_tested():
    things = [getattr(layers, name) for name in layers.__all__]
    classes = [thing for thing in things if isinstance(thing, type)]
    found = {cls for cls in classes if ".preprocessing." in cls.__module__}
    tested = {row.layer for row in (*ROWS, *IMAGE_ROWS)} | set(RANDOM)
    assert {cls.__name__ for cls in found} - tested == {
        *("MaxNumBoundingBoxes", "MelSpectrogram", "Pipeline", "Rescaling", "STFTSpectrogram")
    }


def test_the_rows_have_names_of_their_own():
    assert len({str(row) for row in IMAGE_ROWS}) == len(IMAGE_ROWS) == len(KERAS)


@pytest.mark.parametrize("name", RANDOM)
def test_chance_is_seeded_and_acts_in_training_alone(name: str):
    x, layer = photos(), random_layer(name)
    first, second = layer(x, training=True).numpy(), layer(x, training=True).numpy()
    assert np.isfinite(first).all() and first.dtype == np.float32
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(random_layer(name)(x, training=True), first)
    np.testing.assert_array_equal(random_layer(name)(x), first)  # training, unless told otherwise
    if name not in SIZED:
        np.testing.assert_array_equal(layer(x, training=False), x)
        assert first.shape == x.shape and not np.array_equal(first, x)


@pytest.mark.parametrize("name", RANDOM)
def test_one_image_is_a_batch_of_one(name: str):
    x = photos(1)
    batch = random_layer(name)(x, training=True).numpy()
    one = random_layer(name)(x[0], training=True).numpy()
    if name == "CutMix":
        np.testing.assert_array_equal(one, x[0])
    else:
        np.testing.assert_array_equal(one, batch[0])


@pytest.mark.parametrize("name", [name for name in RANDOM if name not in ("CutMix", "MixUp")])
def test_channels_may_come_first(name: str):
    x = photos(4)
    last = random_layer(name)(x, training=True).numpy()
    first = random_layer(name, data_format="channels_first")
    y = first(x.transpose(0, 3, 1, 2), training=True).numpy().transpose(0, 2, 3, 1)
    if name == "RandomErasing":  # the noise is of another shape
        last, y = last == x, y == x
    np.testing.assert_allclose(y, last, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("name", [name for name in RANDOM if name not in (*SIZED, "RandAugment")])
def test_each_image_has_numbers_of_its_own(name: str):
    x = np.tile(photos(1), (24, 1, 1, 1))
    x += np.arange(24).reshape(-1, 1, 1, 1) if name in ("CutMix", "MixUp") else 0
    changes = (random_layer(name)(x, training=True).numpy() - x).round(3).reshape(24, -1)
    assert len(np.unique(changes, axis=0)) >= 2


@pytest.mark.parametrize("name", [*RANDOM, "AutoContrast", "Equalization"])
def test_halves_and_integers_are_computed_in_the_layers_type(name: str):
    arguments = RANDOM.get(name, {})
    for dtype, x in (("float16", photos(2)), ("float32", photos(2).astype("uint8"))):
        y = getattr(layers, name)(**arguments, dtype=dtype)(x, training=True)
        assert y.dtype == dtype and np.isfinite(y.numpy()).all()


@pytest.mark.parametrize("name", MOVING)
def test_moved_images_have_a_gradient(name: str):
    layer = random_layer(name, dtype="float64")
    transformation = layer.get_random_transformation(K.zeros((2, 7, 6, 3)))
    K.check_gradient(lambda x: layer.transform_images(x, transformation), photos(2) / 255.0)


def test_ranges_of_what_is_drawn():
    x = K.zeros((400, 10, 20, 3))

    def drawn(name: str, key: str, **arguments) -> np.ndarray:
        layer = getattr(layers, name)(**arguments, seed=3)
        return np.asarray(layer.get_random_transformation(x)[key])

    def spans(values: np.ndarray, low: float, high: float) -> None:
        assert low <= values.min() < low + 0.05 * (high - low)
        assert high >= values.max() > high - 0.05 * (high - low)

    spans(drawn("RandomRotation", "angle", factor=(-0.1, 0.25)), -36, 90)
    spans(drawn("RandomZoom", "height_zoom", height_factor=0.2), 0.8, 1.2)
    spans(drawn("RandomZoom", "width_zoom", height_factor=0.2, width_factor=(0, 0.5)), 1, 1.5)
    shifts = drawn("RandomTranslation", "translations", height_factor=0.5, width_factor=(0, 0.1))
    spans(shifts[:, 0], 0, 2)
    spans(shifts[:, 1], -5, 5)
    spans(drawn("RandomShear", "shear_factor", x_factor=(0.1, 0.3))[:, 0], -0.3, 0.3)
    spans(drawn("RandomBrightness", "rgb_delta", factor=0.2, value_range=(0, 1)), -0.2, 0.2)
    spans(drawn("RandomContrast", "contrast_factor", factor=(0.2, 0.4)), 0.8, 1.4)
    spans(drawn("RandomHue", "factor", factor=0.5), -0.25, 0.25)
    spans(drawn("RandomSharpness", "factor", factor=(0.2, 0.4)), 0.2, 0.4)
    spans(drawn("Solarization", "additions", addition_factor=0.4), 0, 102)
    assert set(drawn("RandomPosterization", "shift_factor", factor=(2, 5))) == {4, 5, 6}
    assert abs(drawn("RandomFlip", "flips").mean() - 0.5) < 0.1
    assert abs(drawn("RandomInvert", "apply_inversion", factor=(0.8, 0.8)).mean() - 0.8) < 0.1
    masks = drawn("RandomErasing", "batch_masks", scale=(0.25, 0.25))
    np.testing.assert_allclose(masks.mean(axis=(1, 2, 3)), 0.25, atol=0.11)
    cut = layers.CutMix(seed=1).get_random_transformation(x)
    shares = np.asarray(cut["batch_masks"]).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(1 - np.asarray(cut["mix_weight"]), shares, atol=0.15)


def test_random_crops_are_parts():
    x = photos(2)
    y = layers.RandomCrop(3, 2, seed=1)(x, training=True).numpy()
    parts = [x[:, i : i + 3, j : j + 2] for i in range(5) for j in range(5)]
    assert any(np.array_equal(y, part) for part in parts)
    still = layers.RandomCrop(7, 3)(x, training=False)
    np.testing.assert_allclose(still, image.resize(x, (7, 3), crop_to_aspect_ratio=True), rtol=1e-6)


def test_labels_and_masks_follow_the_images():
    x, labels = photos(4), np.eye(4, dtype="float32")
    masks = (photos(4)[..., :1] > 120).astype("int32")
    batch = {"images": x, "labels": labels, "segmentation_masks": masks, "names": np.arange(4)}
    y = layers.MixUp(seed=2)(batch, training=True)
    kept = np.diag(y["labels"].numpy())
    order = (y["labels"].numpy() - np.diag(kept)).argmax(axis=1)
    weight = kept.reshape(-1, 1, 1, 1)
    np.testing.assert_allclose(y["images"], weight * x + (1 - weight) * x[order], rtol=1e-4)
    y = layers.CutMix(seed=2)(batch, training=True)
    np.testing.assert_allclose(y["labels"].numpy().sum(axis=1), 1, rtol=1e-6)
    for name in ("RandomFlip", "RandomRotation", "RandomCrop", "RandAugment", "AugMix"):
        layer = random_layer(name)
        y = layer(batch, training=True)
        assert y["segmentation_masks"].shape[1:3] == y["images"].shape[1:3]
        np.testing.assert_array_equal(y["labels"], labels)
        np.testing.assert_array_equal(y["names"], np.arange(4))
    flip = random_layer("RandomFlip", mode="horizontal")
    y = flip({"images": x, "segmentation_masks": x}, training=True)
    np.testing.assert_array_equal(y["segmentation_masks"], y["images"])
    y = layers.Resizing(3, 4)(batch)
    assert set(np.unique(y["segmentation_masks"])) <= {0, 1}
    assert layers.Resizing(3, 4).compute_output_shape({"images": (None, 7, 6, 3)}) == {
        "images": (None, 3, 4, 3)
    }
    y = layers.CenterCrop(3, 4)(batch)
    assert y["segmentation_masks"].shape == (4, 3, 4, 1)
    for name in ("RandomBrightness", "RandomErasing"):
        y = random_layer(name)(batch, training=True)
        np.testing.assert_array_equal(y["segmentation_masks"], masks)


def test_a_model_augments_in_training_alone():
    x = photos(4)
    model = Sequential([random_layer("RandomFlip"), layers.Rescaling(1 / 255)])
    np.testing.assert_allclose(model(x, training=False), x / 255, rtol=1e-6)
    assert not np.allclose(model(x, training=True), x / 255)
    np.testing.assert_allclose(model.predict(x, verbose=0), x / 255, rtol=1e-6)


def test_a_model_with_augmentation_can_be_fitted():
    model = Sequential(
        [
            random_layer("RandomRotation"),
            random_layer("RandomContrast"),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer="sgd", loss="mse")
    losses = model.fit(photos(4) / 255, np.zeros((4, 1)), epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all()


def test_a_functional_model_augments_too():
    x = inputs = layers.Input((7, 6, 3))
    for layer in (layers.RandomFlip(), layers.Resizing(4, 5), layers.RandomRotation(0.2)):
        x = layer(x)
    assert (x.shape, x.dtype) == ((None, 4, 5, 3), "float32")
    model = Model(inputs, x)
    y = photos(2)
    np.testing.assert_allclose(model(y, training=False), image.resize(y, (4, 5)), rtol=1e-6)


def test_a_pipeline_is_its_layers():
    x = photos(2)
    pipeline = layers.Pipeline([layers.RandomFlip(seed=1), layers.Rescaling(2.0)], name="both")
    y = pipeline(x, training=True).numpy()
    np.testing.assert_array_equal(y, layers.RandomFlip(seed=1)(x, training=True).numpy() * 2)
    np.testing.assert_array_equal(pipeline(x, training=False), x * 2)
    assert pipeline.compute_output_shape((None, 7, 6, 3)) == (None, 7, 6, 3)
    again = layers.Pipeline.from_config(json.loads(json.dumps(pipeline.get_config())))
    assert again.get_config() == pipeline.get_config()
    np.testing.assert_array_equal(again(x, training=False), x * 2)
    words = layers.Pipeline([layers.StringLookup(vocabulary=["a"]), layers.CategoryEncoding(2)])
    np.testing.assert_array_equal(words(["a", "b"]), [1, 1])


def test_elastic_transforms_are_those_of_ops():
    layer = random_layer("RandomElasticTransform")
    x = photos(3)
    drawn = layer.get_random_transformation(x)
    drawn["apply_transform"] = K.convert_to_tensor(np.array([True, False, True]))
    alpha, sigma = layer.get_elastic_transform_params(7, 6, drawn["distortion_factor"])
    factor = drawn["distortion_factor"]
    np.testing.assert_allclose((alpha, sigma), (0.7 * factor, 0.3 * factor))
    expected = image.elastic_transform(x, alpha, sigma, seed=drawn["seed"]).numpy().clip(0, 255)
    expected[1] = x[1]
    y = layer.transform_images(x, drawn).numpy()
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    masks = (x[..., :1] > 120).astype("int32")
    bent = layer.transform_segmentation_masks(masks, drawn).numpy()
    nearest = image.elastic_transform(masks, alpha, sigma, "nearest", seed=drawn["seed"]).numpy()
    np.testing.assert_array_equal(bent[[0, 2]], nearest[[0, 2]])
    assert layers.RandomElasticTransform(scale=0).get_random_transformation(x) is None


def test_perspectives_draw_within_their_scale():
    layer = layers.RandomPerspective(factor=(0.3, 0.3), scale=0.4, seed=1)
    drawn = layer.get_random_transformation(K.zeros((500, 11, 21, 3)))
    start, end = (np.asarray(drawn[key]) for key in ("start_points", "end_points"))
    np.testing.assert_array_equal(start[7], [[0, 0], [20, 0], [0, 10], [20, 10]])
    assert 3.9 < abs(end - start)[..., 0].max() <= 4 and 1.9 < abs(end - start)[..., 1].max() <= 2
    assert abs(np.asarray(drawn["apply_perspective"]).mean() - 0.3) < 0.1
    masks = np.arange(42).reshape(1, 7, 6, 1)
    forced = layers.RandomPerspective(seed=1).get_random_transformation(masks)
    seen = layer.transform_segmentation_masks(masks, forced)
    assert seen.dtype == masks.dtype and set(np.unique(seen)) <= {*range(42)}


def test_equalized_integers_stay_integers():
    x = photos(2).astype("uint8")
    layer = layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(3, 1))
    y, exact = layer(x), layer(x.astype("float32"))
    assert y.dtype == "uint8"
    np.testing.assert_allclose(y, exact, atol=1.001)


def test_auto_contrast_keeps_what_is_flat():
    x = np.full((1, 2, 2, 3), 7.0, "float32")
    np.testing.assert_array_equal(layers.AutoContrast()(x), x)


L = layers
REFUSED = [
    (lambda: L.RandomFlip("sideways"), "`mode` of RandomFlip must be"),
    (lambda: L.RandomFlip()(np.ones((2, 3))), "rank 3 .* or 4"),
    (lambda: L.RandomRotation(1.5), r"`factor` argument should be a number .* \[-1, 1\]"),
    (lambda: L.RandomRotation("x"), "`factor` argument should be a number"),
    (lambda: L.RandomRotation(0.1, fill_mode="x"), "Unknown `fill_mode` x"),
    (lambda: L.RandomRotation(0.1, interpolation="x"), "Unknown `interpolation` x"),
    (lambda: L.RandomZoom(-1.0), r"`height_factor` argument .* \(-1.0, 1.0\]"),
    (lambda: L.RandomZoom(0.1, (0.1, 2)), "`width_factor` argument"),
    (lambda: L.RandomTranslation(0.1, "x"), "`width_factor` argument"),
    (lambda: L.RandomShear(-0.5), r"`x_factor` argument .* \[0.0, 1.0\]"),
    (lambda: L.RandomBrightness(0.1, value_range=3), "`value_range` argument should be a list"),
    (lambda: L.RandomPerspective(2), r"`factor` argument should be a number .* \[0, 1\]"),
    (lambda: L.RandomPerspective(scale=2), r"`scale` argument should be a number in the range"),
    (lambda: L.RandomPerspective(interpolation="x"), "Unknown `interpolation` x"),
    (lambda: L.RandomElasticTransform(scale="x"), "`scale` argument should be a number"),
    (lambda: L.RandomElasticTransform(interpolation="x"), "Unknown `interpolation` x"),
    (lambda: L.RandomElasticTransform(fill_mode="x"), "Unknown `fill_mode` x"),
    (
        lambda: L.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(0, 2)),
        "`tile_grid_size` argument should be two positive integers",
    ),
    (lambda: L.RandomGrayscale(2), "`factor` should be between 0 and 1"),
    (lambda: L.RandomPosterization(9), r"in the range \[1, 8\]"),
    (lambda: L.RandomGaussianBlur(kernel_size=2), "kernel_size must be an odd number"),
    (lambda: L.RandomGaussianBlur(sigma=2.0), "`sigma` argument"),
    (lambda: L.Solarization(2.0), "`addition_factor` argument"),
    (lambda: L.RandomErasing(fill_value="x"), "`fill_value` argument should be a number"),
    (lambda: L.RandomErasing(scale=2), "`scale` argument"),
    (lambda: L.Resizing(3, 3, interpolation="x")(photos(1)), "argument `interpolation`"),
    (lambda: L.Resizing(3, 3, fill_mode="wrap")(photos(1)), "argument `fill_mode`"),
    (
        lambda: L.Resizing(3, 3, pad_to_aspect_ratio=True, crop_to_aspect_ratio=True)(photos(1)),
        "Only one of `pad_to_aspect_ratio`",
    ),
]


@pytest.mark.parametrize("act, message", REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(act, message: str):
    with pytest.raises((ValueError, NotImplementedError), match=message):
        act()
