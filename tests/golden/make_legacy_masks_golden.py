"""Write legacy_masks.json: what tf.keras computes where masks meet, and where states are given too.

Run it by hand with TensorFlow 2.12 (Python 3.10), then with 2.4 (Python 3.8):
python make_legacy_masks_golden.py
Each row: the model's JSON, its inputs, and its predictions with the weights that `values` gives.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

layers, Input = tf.keras.layers, tf.keras.Input
tf.config.run_functions_eagerly(True)

IDS = [[1, 2, 3, 0], [2, 0, 0, 0], [3, 1, 2, 1]]
OTHERS = [[2, 1, 0, 0], [1, 3, 2, 2], [1, 2, 0, 0]]


def values(shape):
    """Weights of a shape that differ from each other."""
    return np.sin(np.arange(1, np.prod(shape) + 1)).reshape(shape).astype("float32")


def merged(name, other_masks, **options):
    def make():
        a, b = Input((4,), name="a"), Input((4,), name="b")
        x = layers.Embedding(4, 2, mask_zero=True)(a)
        y = layers.Embedding(4, 2, mask_zero=other_masks)(b)
        x = layers.Dense(2, activation="tanh")(x)
        merged = getattr(layers, name)(name="merged", **options)([x, y])
        return tf.keras.Model([a, b], layers.SimpleRNN(2)(merged))

    return make


def one_mask():
    """The same mask from both sides: nothing differs from today's Add."""
    a, b = Input((4,), name="a"), Input((4,), name="b")
    x = layers.Embedding(4, 2, mask_zero=True)(a)
    sequences = layers.LSTM(2, return_sequences=True)(x)
    y = layers.Add(name="merged")([x, sequences])
    ends = layers.concatenate([layers.SimpleRNN(2)(y), layers.Flatten()(b)], name="ends")
    return tf.keras.Model([a, b], ends)


def states(layer, count):
    def make():
        a, b = Input((4,), name="a"), Input((4,), name="b")
        x = layers.Embedding(4, 2, mask_zero=True)(a)
        state = layers.Dense(2, activation="tanh")(b)
        return tf.keras.Model([a, b], layer()(x, initial_state=[state] * count))

    return make


def attention():
    """With TensorFlow 2.4 (Python 3.8), where MultiHeadAttention did not look at masks."""
    a, b = Input((4,), name="a"), Input((4,), name="b")
    embedding = layers.Embedding(4, 2, mask_zero=True)
    x, y = embedding(a), embedding(b)
    found = layers.MultiHeadAttention(1, 2)(x, value=y)
    found = layers.MultiHeadAttention(1, 2)(found, value=found, key=x)
    return tf.keras.Model([a, b], layers.SimpleRNN(2)(layers.Add()([x, found])))


def both_ways():
    return layers.Bidirectional(layers.GRU(2, return_sequences=True))


ROWS = {
    f"{name}_{'two' if both else 'one'}": merged(name, both)
    for name in ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
    for both in (False, True)
}
ROWS["one_mask"] = one_mask
ROWS["states_lstm"] = states(lambda: layers.LSTM(2, return_sequences=True), 2)
ROWS["states_gru"] = states(lambda: layers.GRU(2), 1)
ROWS["states_both_ways"] = states(both_ways, 2)

ROWS_BEFORE_210 = {"attention": attention}


def main():
    inputs = [np.array(IDS, "float32"), np.array(OTHERS, "float32")]
    path = Path(__file__).parent / "legacy_masks.json"
    old = tf.__version__.startswith("2.4.")  # which adds its rows to what 2.12 has written
    rows = json.loads(path.read_text())["rows"] if old else {}
    for name, make in (ROWS_BEFORE_210 if old else ROWS).items():
        tf.keras.backend.clear_session()
        model = make()
        model.set_weights([values(w.shape) for w in model.get_weights()])
        predicted = model.predict(inputs, verbose=0)
        rows[name] = {"model": json.loads(model.to_json()), "prediction": predicted.tolist()}
    path.write_text(json.dumps({"inputs": [IDS, OTHERS], "rows": rows}, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
