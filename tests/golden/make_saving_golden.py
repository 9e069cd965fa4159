"""Make the files in `files/` that real Keras wrote, with what the models in them compute.

Run it with real Keras installed, once per backend:

    KERAS_BACKEND=torch python tests/golden/make_saving_golden.py
    KERAS_BACKEND=jax python tests/golden/make_saving_golden.py

Each model is compiled, trained for some steps and saved as `<backend>-<model>.keras` (the
subclassed one, which needs its class, as `.weights.h5`; `sharded` is the mlp's weights in parts
of 130 bytes at most). The `.npz` beside it holds the data `x`
and `y`, `predictions`, `weight_*` and `optimizer_*` as saved, and `next_weight_*` after one more
step on all of `x` and `y` where that step is not random.
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers

FILES = Path(__file__).parent / "files"


class Subclassed(keras.Model):
    """Attributes on both sides of 'layers', lists, dicts, a private one: Keras's walk in full."""

    def __init__(self):
        super().__init__()
        self.zeta = layers.Dense(4, activation="relu")
        self.alpha = layers.Dense(4)
        self.Upper = layers.Dense(4)
        self._private = layers.Dense(4)
        self.blocks = [layers.Dense(4), layers.Dense(4)]
        self.named = {"z": layers.Dense(4), "a": layers.Dense(4)}
        self.stack = keras.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(2)])

    def call(self, x):
        for layer in [self.zeta, self.alpha, self.Upper, self._private, *self.blocks]:
            x = layer(x)
        return self.stack(self.named["a"](self.named["z"](x)))


def mlp():
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, activation="relu"), layers.Dense(3, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, (6,), 3


def convnet():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(3, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Conv2D(4, 3, strides=2, use_bias=False),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-4, scale=False),
            layers.Activation("relu"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.RMSprop(1e-3, momentum=0.5), loss)
    return model, (8, 8, 2), 3


def settings():
    model = keras.Sequential(
        [
            keras.Input((6,), name="measurements"),
            layers.Dense(
                8,
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.2, seed=1),
                bias_initializer="ones",
                kernel_regularizer=keras.regularizers.L2(0.01),
                kernel_constraint=keras.constraints.MaxNorm(1.5),
                name="first",
            ),
            layers.LeakyReLU(negative_slope=0.1),
            keras.Sequential([layers.Dense(4, "tanh"), layers.Dense(4, use_bias=False)], name="in"),
            layers.Dense(1, activation="sigmoid", trainable=False),
        ],
        name="with_settings",
    )
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 10, 0.9)
    optimizer = keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True, clipnorm=1.0)
    model.compile(optimizer, keras.losses.MeanSquaredError(), metrics=["mae"])
    return model, (6,), 2


def dropout():
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dropout(0.4, seed=3), layers.Dense(3, activation="softmax")]
    )
    model.compile(keras.optimizers.AdamW(0.01), "sparse_categorical_crossentropy")
    return model, (6,), 3


def recurrent():
    model = keras.Sequential(
        [
            keras.Input((6, 3)),
            layers.LSTM(5, return_sequences=True, recurrent_regularizer="l2"),
            layers.LSTM(4, go_backwards=True, recurrent_activation="hard_sigmoid", use_bias=False),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    return model, (6, 3), 2


def subclassed():
    model = Subclassed()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, (6,), 2


def functional():
    """Three inputs, a shared layer, operations, a mask that goes through a model inside."""
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    ids = keras.Input((None,), dtype="int32", name="ids")
    shared = layers.Dense(3, activation="tanh", name="shared")
    inner = keras.Input((None, 3))
    read = keras.Model(inner, layers.LSTM(3)(layers.Dropout(0.0)(inner)), name="read")
    text = read(layers.Embedding(6, 3, mask_zero=True)(ids))
    p, q = shared(a), shared(b)
    both = keras.ops.relu(p - q)[:, 1:] * 2.0
    joined = keras.ops.concatenate([p, q, both, text], axis=-1)
    centred = joined - keras.ops.mean(joined, axis=-1, keepdims=True)
    outputs = layers.Dense(3, activation="softmax", name="out")(centred)
    model = keras.Model({"a": a, "b": b, "ids": ids}, outputs, name="functional_model")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, (13,), 3


def sharded():
    return mlp()


def fed(model, x):
    """What `model` is fed of the rows `x`: all, or its inputs by name."""
    if model.name != "functional_model":
        return x
    return {"a": x[:, :4], "b": x[:, 4:8], "ids": np.abs(3 * x[:, 8:]).astype("int32") % 6}


def write(make, suffix, is_random=False):
    keras.utils.set_random_seed(7)
    model, shape, classes = make()
    rng = np.random.default_rng(11)
    x = rng.normal(size=(16, *shape)).astype("float32")
    y = rng.integers(classes, size=(16, 1)).astype("float32" if classes == 2 else "int32")
    model.fit(fed(model, x), y, batch_size=8, epochs=3, verbose=0)
    stem = FILES / f"{keras.backend.backend()}-{make.__name__}"
    if suffix == ".weights.json":
        model.save_weights(f"{stem}{suffix}", max_shard_size=130 / 1024**3)
    else:
        (model.save_weights if suffix == ".weights.h5" else model.save)(f"{stem}{suffix}")
    arrays = {"x": x, "y": y, "predictions": model.predict(fed(model, x), verbose=0)}
    arrays |= numbered("weight", model.get_weights())
    arrays |= numbered("optimizer", map(np.asarray, map(_numpy, model.optimizer.variables)))
    if not is_random:
        model.train_on_batch(fed(model, x), y)
        arrays |= numbered("next_weight", model.get_weights())
    np.savez_compressed(f"{stem}.npz", **arrays)


def numbered(name, arrays):
    return {f"{name}_{index}": array for index, array in enumerate(arrays)}


def _numpy(variable):
    return keras.ops.convert_to_numpy(variable)


if __name__ == "__main__":
    FILES.mkdir(exist_ok=True)
    for make in (mlp, convnet, settings, recurrent, functional):
        write(make, ".keras")
    write(dropout, ".keras", is_random=True)
    write(subclassed, ".weights.h5")
    write(sharded, ".weights.json")
