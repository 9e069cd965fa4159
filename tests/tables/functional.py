"""Functional models as functions of the module `keras`, so that Keras and layerkit both build them.

A recipe gives a model; `RECIPES` says what it is fed: shapes without the batch, or how many ids.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Recipe(NamedTuple):
    make: Any
    inputs: Any  # a structure of shapes; ("ids", steps, below) for integers, 0 among them


def shared(keras):
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    dense = keras.layers.Dense(3, activation="tanh", name="shared")
    joined = keras.layers.Concatenate(name="joined")([dense(a), dense(b)])
    return keras.Model([a, b], keras.layers.Dense(2, name="out")(joined), name="shared_model")


def branches(keras):
    x = keras.Input((6, 5, 3), name="image")
    one = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="wide")(x)
    two = keras.layers.Conv2D(4, 1, name="narrow")(x)
    y = keras.layers.Add(name="sum")([one, two])
    y = keras.layers.BatchNormalization(name="norm")(y)
    y = keras.layers.Add(name="again")([y, one])
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(y)
    flat = keras.layers.Flatten(name="flat")(keras.layers.MaxPooling2D(name="max")(two))
    outputs = {
        "label": keras.layers.Dense(3, activation="softmax", name="label")(pooled),
        "value": keras.layers.Dense(1, name="value")(flat),
    }
    return keras.Model(x, outputs, name="branches")


def operations(keras):
    inputs = {"p": keras.Input((4,), name="p"), "q": keras.Input((4,), name="q")}
    p, q = inputs["p"], inputs["q"]
    y = (p * 2.0 + q) / (1.5 + p * p)
    y = 1.0 - y[:, 1:3] ** 2
    z = keras.ops.concatenate([y, keras.ops.relu(p - q)], axis=-1)
    z = keras.ops.mean(z, axis=-1, keepdims=True)
    return keras.Model(inputs, [keras.layers.Dense(2, name="d")(y), z], name="operations")


def nested(keras):
    outer = keras.Input((4,), name="outer")
    inner_in = keras.Input((3,), name="inner_in")
    inner_out = keras.layers.Dense(3, name="inner_dense")(inner_in)
    inner = keras.Model(inner_in, inner_out, name="inner")
    stack = keras.Sequential(
        [keras.Input((3,), name="s"), keras.layers.Dense(2, name="s1")], name="stack"
    )
    x = keras.layers.Dense(3, activation="relu", name="first")(outer)
    x = inner(inner(x))
    return keras.Model(outer, [stack(x), inner(x)], name="nested")


def diamond(keras):
    """Depths and orders: a layer called at two depths, an input that comes late."""
    a, b, c = (keras.Input((3,), name=name) for name in "abc")
    dense = keras.layers.Dense(3, name="twice")
    x = keras.layers.Dense(3, name="d1")(a)
    x = keras.layers.Multiply(name="m")([dense(x), b])
    x = dense(x)
    y = keras.layers.Dense(3, name="d2")(c)
    z = keras.layers.Average(name="avg")([x, keras.layers.Dense(3, name="d3")(y), a])
    return keras.Model([c, a, b], [z, y], name="diamond")


def masked(keras):
    ids = keras.Input((5,), dtype="int32", name="ids")
    x = keras.layers.Embedding(7, 4, mask_zero=True, name="embedding")(ids)
    x = keras.layers.Dropout(0.5, name="dropout")(x)
    x = keras.layers.LSTM(3, return_sequences=True, name="first")(x)
    y = keras.layers.LSTM(2, name="second")(x)
    z = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    return keras.Model(ids, keras.layers.Concatenate(name="both")([y, z]), name="masked")


RECIPES = {
    "shared": Recipe(shared, [(4,), (4,)]),
    "branches": Recipe(branches, (6, 5, 3)),
    "operations": Recipe(operations, {"p": (4,), "q": (4,)}),
    "nested": Recipe(nested, (4,)),
    "diamond": Recipe(diamond, [(3,), (3,), (3,)]),
    "masked": Recipe(masked, ("ids", 5, 7)),
}


def data(recipe: Recipe, batch: int = 4) -> Any:
    """A batch for the model of a recipe: the same one whenever it is asked for."""
    random = np.random.default_rng(3)

    def of(shape: Any) -> Any:
        if isinstance(shape, dict):
            return {name: of(part) for name, part in shape.items()}
        if isinstance(shape, list):
            return [of(part) for part in shape]
        if shape[0] == "ids":
            return random.integers(shape[2], size=(batch, shape[1])).astype("int32")
        return random.standard_normal((batch, *shape)).astype("float32")

    return of(recipe.inputs)


def weights(model: Any) -> list[np.ndarray]:
    """Values for all weights of a model, by their order and shapes."""
    random = np.random.default_rng(5)
    return [abs(random.standard_normal(w.shape).astype("float32")) * 0.5 for w in model.weights]
