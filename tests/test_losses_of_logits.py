"""Crossentropies of outputs that end in a softmax or a sigmoid, in files of Keras on TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import Input, layers, losses, models
from layerkit.saving.legacy.logits import take_logits_as_tensorflow
from layerkit.saving.legacy.origin import origin_named

pytestmark = pytest.mark.numpy_only("files hold no backend")


def values(shape):
    return np.sin(np.arange(1, np.prod(shape) + 1)).reshape(shape).astype("float32")


X, CLASSES = values((4, 3)), np.array([0, 2, 1, 1])
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]


def compiled(activation, loss):
    model = models.Sequential([Input((3,)), layers.Dense(3, activation=activation, name="end")])
    model.compile("sgd", loss)
    model.set_weights([values(w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize(
    ("activation", "loss", "targets", "before", "after"),  # as tf.keras 2.4 and 2.12 trained
    [
        ("sigmoid", losses.BinaryCrossentropy, ONE_HOT, 0.82405, 0.82349),
        ("softmax", losses.CategoricalCrossentropy, ONE_HOT, 1.04614, 1.04411),
        ("softmax", losses.SparseCategoricalCrossentropy, CLASSES, 1.04614, 1.04411),
    ],
)
def test_logits_are_those_of_the_activation(activation, loss, targets, before, after):
    model, origin = compiled(activation, loss(from_logits=True)), origin_named("2.12.0")
    take_logits_as_tensorflow(model, origin, "old.h5")
    assert model.evaluate(X, targets, verbose=0) == pytest.approx(before, abs=1e-5)
    model.train_on_batch(X, targets)
    assert model.evaluate(X, targets, verbose=0) == pytest.approx(after, abs=1e-5)
    assert "from_logits=False" in origin.all_notes[0]


def test_where_no_loss_here_is_the_same():
    model, origin = compiled("softmax", "binary_crossentropy"), origin_named("2.4.0")
    with pytest.warns(UserWarning, match="of layer 'end' of what its softmax was given"):
        take_logits_as_tensorflow(model, origin, "old.h5")


@pytest.mark.parametrize("version", ["2.3.1", "3.15.1"])
def test_of_other_kerases_losses_stay(version):
    model = compiled("softmax", losses.CategoricalCrossentropy(from_logits=True))
    origin = origin_named(version)
    take_logits_as_tensorflow(model, origin, "old.h5")
    assert model.loss.from_logits
    assert any("On TensorFlow" in note for note in origin.all_notes) == version.startswith("3")


def test_losses_of_several_outputs():
    x = Input((3,))
    names = "softmax", "sigmoid", "tanh"
    ends = [layers.Dense(3, activation=name, name=name)(x) for name in names]
    shared = losses.CategoricalCrossentropy(from_logits=True)
    for loss in (dict.fromkeys(names, shared), [shared] * 3, shared):
        model = models.Model(x, ends)
        model.compile("sgd", loss)
        with pytest.warns(UserWarning, match="of layer 's"):
            take_logits_as_tensorflow(model, origin_named("2.12.0"), "old.h5")
        assert shared.from_logits  # for it is of others too


def test_losses_of_softmax_layers():
    for version, stays in (("2.4.0", True), ("2.12.0", False)):
        loss = losses.CategoricalCrossentropy(from_logits=True)
        model = models.Sequential([Input((3,)), layers.Dense(3), layers.Softmax()])
        model.compile("sgd", loss)
        take_logits_as_tensorflow(model, origin_named(version), "old.h5")
        assert loss.from_logits == stays
