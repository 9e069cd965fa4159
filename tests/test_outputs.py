"""Training for several outputs, with weights and masks, as real Keras does it; and its messages.

`golden/training.json` was computed by real Keras, see `golden/make_training_golden.py`.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from tables import training as table

import layerkit
from layerkit import backend as K
from layerkit import layers, optimizers

GOLDEN = json.loads((Path(__file__).parent / "golden" / "training.json").read_text())


class Two(layerkit.Model):
    """Two outputs: a tuple, a dict, or a list with names."""

    def __init__(self, kind="list"):
        super().__init__()
        self.a = layers.Dense(2, name="a")
        self.b = layers.Dense(3, activation="softmax", name="b")
        self.kind = kind
        if kind == "list":
            self.output_names = ["a", "b"]

    def call(self, inputs):
        a, b = self.a(inputs), self.b(inputs)
        return {"dict": {"a": a, "b": b}, "tuple": (a, b)}.get(self.kind, [a, b])


class Masked(layerkit.Model):
    """A sequence of ids: what comes of the id 0 has no weight."""

    def __init__(self):
        super().__init__()
        self.embedding, self.out = layers.Embedding(6, 4), layers.Dense(3, activation="softmax")

    def call(self, inputs):
        y = self.out(self.embedding(inputs))
        y._keras_mask = K.not_equal(inputs, 0)
        return y


def made(kind):
    if kind == "sequence":
        model, weights = Masked(), "sequence"
        model(table.IDS)
    elif kind == "one":
        model, weights = layerkit.Sequential([layers.Dense(3, activation="softmax")]), "one"
        model(table.X)
    else:
        model, weights = Two(kind), "two"
        model(table.X)
    model.set_weights(table.initial_weights(weights))
    return model


@pytest.mark.parametrize("row", table.ROWS, ids=str)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["as it is", "compiled"])
def test_training_is_that_of_keras(row, jit_compile):
    if jit_compile and K.backend() != "numpy":
        jit_compile = "auto"
    expected = GOLDEN[row.name]
    model = made(row.model)
    model.compile(optimizers.SGD(0.1), **row.compile, jit_compile=jit_compile)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Your input ran out|Gradients do not exist")
        history = model.fit(**table.fit_arguments(row, layerkit)).history
    assert list(history) == list(expected["history"])
    close = {"rtol": 2e-5, "atol": 1e-6}
    for name, values in expected["history"].items():
        np.testing.assert_allclose(history[name], values, err_msg=name, **close)
    for weight, values in zip(model.get_weights(), expected["weights"], strict=True):
        np.testing.assert_allclose(weight.ravel(), values, **close)
    assert model.metrics_names == expected["metrics_names"]
    options = table.evaluate_arguments(row)
    logs = model.evaluate(**options, return_dict=True)
    assert sorted(logs) == sorted(expected["logs"])
    for name, value in expected["logs"].items():
        np.testing.assert_allclose(logs[name], value, err_msg=name, **close)
    given = np.atleast_1d(model.evaluate(**options))
    values = list(dict.fromkeys(expected["evaluate"]))  # Keras gives equal names more than once
    np.testing.assert_allclose(list(dict.fromkeys(given)), values, **close)
