"""Functional models, callbacks, generators and the backend in the idioms of Keras 2."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from keras import backend as K
from keras.callbacks import EarlyStopping, LambdaCallback, ModelCheckpoint
from keras.engine.topology import Layer
from keras.layers import LSTM, Dense, Embedding, Input, Lambda, concatenate
from keras.models import Model, load_model
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer

texts = ["the cat sat", "the dog ran away", "a cat ran", "a dog sat down"] * 8
labels = np.array([0, 1, 0, 1] * 8)
tokenizer = Tokenizer(num_words=20)
tokenizer.fit_on_texts(texts)
ids = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=5)
extra = np.eye(4, dtype="float32")[np.arange(32) % 4]


class Scale(Layer):
    def __init__(self, factor=1.0, **kwargs):
        self.factor = factor
        super(Scale, self).__init__(**kwargs)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1],), initializer="ones", trainable=True
        )
        super(Scale, self).build(input_shape)

    def call(self, x):
        return K.relu(x * self.kernel) * self.factor

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        base = super(Scale, self).get_config()
        return dict(list(base.items()) + [("factor", self.factor)])


main = Input(shape=(5,), dtype="int32", name="main")
x = Embedding(output_dim=8, input_dim=20, input_length=5)(main)
x = LSTM(6, implementation=1)(x)
aux = Input(shape=(4,), name="aux")
x = concatenate([x, aux])
x = Scale(2.0)(Dense(8, activation="relu")(x))
mean = Lambda(lambda t: K.mean(t, axis=1, keepdims=True), output_shape=(1,), name="mean")(x)
out = Dense(1, activation="sigmoid", name="out")(concatenate([x, mean]))
model = Model(inputs=[main, aux], outputs=out)
model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(lr=0.02), metrics=["acc"])


def batches():
    while True:
        for start in range(0, 32, 8):
            rows = slice(start, start + 8)
            yield [ids[rows], extra[rows]], labels[rows]


seen = []
history = model.fit_generator(
    batches(),
    steps_per_epoch=4,
    epochs=12,
    verbose=0,
    callbacks=[
        EarlyStopping(monitor="loss", patience=50),
        LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch)),
        ModelCheckpoint(
            "best.weights.h5", monitor="loss", save_best_only=True, save_weights_only=True
        ),
    ],
)
assert seen == list(range(12)) and os.path.exists("best.weights.h5")
assert history.history["acc"][-1] == 1.0, history.history
lr = K.get_value(model.optimizer.lr)
K.set_value(model.optimizer.lr, lr / 2)
assert abs(float(model.optimizer.learning_rate) - 0.01) < 1e-6

hidden = K.function([model.input[0], model.input[1]], [model.get_layer("mean").output])
values = hidden([ids, extra])[0]
assert values.shape == (32, 1)
inner = Model(inputs=model.input, outputs=model.get_layer("mean").output)
np.testing.assert_allclose(inner.predict([ids, extra], verbose=0), values, rtol=1e-5)
print("accuracy", history.history["acc"][-1])
