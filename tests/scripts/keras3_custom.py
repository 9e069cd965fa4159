"""Keras 3: a model of one's own with masks, attention, a train step's parts, and ops."""

import sys

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(42)
assert sys.argv[1:] == ["--width", "8"]
width = int(sys.argv[2])


class TransformerBlock(layers.Layer):
    def __init__(self, dim, heads, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.att = layers.MultiHeadAttention(num_heads=heads, key_dim=dim)
        self.ffn = keras.Sequential([layers.Dense(2 * dim, activation="relu"), layers.Dense(dim)])
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout = layers.Dropout(rate)

    def call(self, inputs):
        x = self.layernorm1(inputs + self.dropout(self.att(inputs, inputs)))
        return self.layernorm2(x + self.ffn(x))


class Positions(layers.Layer):
    def __init__(self, length, vocabulary, dim):
        super().__init__()
        self.token_emb = layers.Embedding(input_dim=vocabulary, output_dim=dim)
        self.pos_emb = layers.Embedding(input_dim=length, output_dim=dim)

    def call(self, x):
        positions = ops.arange(0, ops.shape(x)[-1], 1)
        return self.token_emb(x) + self.pos_emb(positions)


inputs = layers.Input(shape=(6,), dtype="int32")
x = Positions(6, 10, width)(inputs)
x = TransformerBlock(width, 2)(x)
x = layers.GlobalAveragePooling1D()(x)
x = layers.Dropout(0.1)(x)
outputs = layers.Dense(2, activation="softmax")(x)
model = keras.Model(inputs=inputs, outputs=outputs)

rng = np.random.default_rng(0)
ids = rng.integers(1, 10, (128, 6)).astype("int32")
y = (ids == 3).any(axis=1).astype("int32")


@keras.saving.register_keras_serializable(package="scripts")
def smooth(y_true, y_pred):
    return ops.mean(keras.losses.sparse_categorical_crossentropy(y_true, y_pred))


model.compile(
    optimizer=keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(0.02, decay_steps=200), weight_decay=1e-4
    ),
    loss=smooth,
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
history = model.fit(ids, y, batch_size=16, epochs=12, validation_split=0.25, verbose=0)
assert history.history["acc"][-1] > 0.85, history.history
print(sorted(history.history))
