"""The ready architectures: sizes, shapes, arguments, and LeNet5's trained weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from layerkit import applications
from layerkit.datasets import mnist


@pytest.mark.numpy_only("ten thousand digits take half a minute over emulated kernels")
def test_lenet5_reads_digits():
    model = applications.LeNet5()
    assert model.count_params() == 61_706
    _, (x, y) = mnist.load_sample()
    predictions = model.predict(x[..., None] / np.float32(255), verbose=0)
    # The sample is part of what it was trained on; its accuracy on unseen digits is in its script.
    assert (predictions.argmax(-1) == y).mean() > 0.99
    assert Path(applications.__file__).with_name("lenet5_mnist.weights.h5").stat().st_size < 300_000


def test_lenet5_without_top_gives_features():
    model = applications.LeNet5(include_top=False)
    assert model.output_shape == (None, 400)
    whole = applications.LeNet5()
    np.testing.assert_array_equal(model.get_weights()[0], whole.get_weights()[0])


def test_vgg16_has_its_parameters():
    features = applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    assert features.count_params() == 14_714_688
    assert features.output_shape == (None, 1, 1, 512)
    # The dense layers of the whole model, counted without half a gigabyte of random numbers.
    top = (7 * 7 * 512 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000
    assert features.count_params() + top == 138_357_544


def test_vgg16_builds_for_other_classes():
    model = applications.VGG16(weights=None, input_shape=(32, 32, 3), classes=10)
    assert model.output_shape == (None, 10)
    assert [layer.name for layer in model.layers[-4:]] == ["flatten", "fc1", "fc2", "predictions"]
    assert model.predict(np.zeros((1, 32, 32, 3)), verbose=0).sum() == pytest.approx(1, rel=1e-5)


def test_vgg16_weights_come_from_a_file(tmp_path):
    options = {"include_top": False, "input_shape": (32, 32, 3), "pooling": "avg"}
    model = applications.VGG16(weights=None, **options)
    model.save_weights(tmp_path / "vgg.weights.h5")
    twin = applications.VGG16(weights=tmp_path / "vgg.weights.h5", **options)
    x = np.random.default_rng(0).random((1, 32, 32, 3))
    np.testing.assert_array_equal(model.predict(x, verbose=0), twin.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: applications.VGG16(), "none come with layerkit"),
        (lambda: applications.VGG16(weights="nowhere.h5"), "Received: weights='nowhere.h5'"),
        (lambda: applications.VGG16(weights=None, input_shape=(16, 16, 3)), "at least 32x32"),
        (lambda: applications.VGG16(weights=None, input_shape=(32, 32)), "three integers"),
        (lambda: applications.VGG16(weights=None, input_shape=(None, None, 3)), "static"),
        (lambda: applications.VGG16(weights=None, pooling="min"), "'avg' or 'max'"),
        (lambda: applications.LeNet5(classes=3), "classes=10; received"),
        (lambda: applications.LeNet5(weights="imagenet"), "'mnist'"),
        (lambda: applications.LeNet5(pooling="avg"), "pooling=None"),
    ],
)
def test_bad_arguments(make, words):
    with pytest.raises(ValueError) as caught:
        make()
    assert words in str(caught.value)
