"""Write masks_before_34.json: what Keras 3.0 to 3.3 computes of masks that meet.

Run it by hand with Keras 3.3.3 on TensorFlow: python make_masks_before_34_golden.py
Each row: the model's description, and its predictions with the weights that `values` gives.
"""

import json
from pathlib import Path

import numpy as np
from keras import Input, Model, layers, saving

IDS = [[1, 2, 3, 0], [2, 0, 0, 0], [3, 1, 2, 1]]
OTHERS = [[2, 1, 0, 0], [1, 3, 2, 2], [1, 2, 0, 0]]


def values(shape):
    """Weights of a shape that differ from each other."""
    return np.sin(np.arange(1, np.prod(shape) + 1)).reshape(shape).astype("float32")


def joined(name):
    """A layer that two sequences with masks meet in, and what it is read by."""
    a, b = Input((4,), name="a"), Input((4,), name="b")
    x = layers.Embedding(4, 2, mask_zero=True)(a)
    y = layers.Embedding(4, 2, mask_zero=True)(b)
    met = getattr(layers, name)(name="met")([x, y])
    return Model([a, b], [layers.SimpleRNN(2)(met), layers.SimpleRNN(2)(x)])


def inner():
    """Masks that meet in a model inside."""
    x, y = Input((4, 2)), Input((4, 2))
    inside = Model([x, y], layers.SimpleRNN(2)(layers.Average()([x, layers.Dense(2)(y)])))
    a, b = Input((4,), name="a"), Input((4,), name="b")
    embedding = layers.Embedding(4, 2, mask_zero=True)
    return Model([a, b], inside([embedding(a), embedding(b)]))


def no_masks():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    x, y = (layers.Embedding(4, 2, mask_zero=True)(each) for each in (a, b))
    met = layers.Add()([layers.GRU(2)(x), layers.SimpleRNN(2)(y)])
    return Model([a, b], layers.Dense(1)(met))


ROWS = {
    name: lambda name=name: joined(name)
    for name in ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
} | {"inner": inner, "no_masks": no_masks}


def main():
    inputs = [np.array(IDS, "float32"), np.array(OTHERS, "float32")]
    rows = {}
    for name, make in ROWS.items():
        model = make()
        model.set_weights([values(w.shape) for w in model.get_weights()])
        found = model.predict(inputs, verbose=0)
        found = found if isinstance(found, list) else [found]
        description = saving.serialize_keras_object(model)
        rows[name] = {"model": description, "prediction": [x.tolist() for x in found]}
    path = Path(__file__).parent / "masks_before_34.json"
    path.write_text(json.dumps({"inputs": [IDS, OTHERS], "rows": rows}, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
