"""An adversarial network with labels: shared models, freezing, several losses, in Keras 2."""

from __future__ import print_function

import numpy as np
from keras import backend as K
from keras import layers
from keras.layers import BatchNormalization, Dense, Embedding, Flatten, Input, Lambda
from keras.layers.advanced_activations import LeakyReLU
from keras.models import Model, Sequential, clone_model, load_model
from keras.optimizers import Adam
from keras.utils.generic_utils import Progbar

np.random.seed(0)
SIZE, CLASSES, LATENT, BATCH = 8, 3, 4, 24
centers = np.random.normal(size=(CLASSES, SIZE)).astype("float32")


def squared_norm(x):
    return K.sum(K.square(x), axis=-1, keepdims=True)


def build_generator():
    body = Sequential()
    body.add(Dense(16, input_dim=LATENT, activation="relu"))
    body.add(BatchNormalization())
    body.add(Dense(SIZE))
    latent = Input(shape=(LATENT,))
    label = Input(shape=(1,), dtype="int32")
    embedded = Flatten()(Embedding(CLASSES, LATENT, embeddings_initializer="glorot_normal")(label))
    return Model([latent, label], body(layers.multiply([latent, embedded])))


def build_discriminator():
    body = Sequential()
    body.add(Dense(16, input_shape=(SIZE,)))
    body.add(LeakyReLU(alpha=0.2))
    sample = Input(shape=(SIZE,))
    norm = Lambda(squared_norm, output_shape=(1,))(sample)
    features = layers.concatenate([body(sample), norm])
    real = Dense(1, activation="sigmoid", name="real")(features)
    kind = Dense(CLASSES, activation="softmax", name="kind")(features)
    return Model(inputs=sample, outputs=[real, kind])


losses = ["binary_crossentropy", "sparse_categorical_crossentropy"]
discriminator = build_discriminator()
discriminator.compile(optimizer=Adam(lr=0.01, beta_1=0.5, epsilon=None), loss=losses)
generator = build_generator()
latent, label = Input(shape=(LATENT,)), Input(shape=(1,), dtype="int32")
discriminator.trainable = False
combined = Model([latent, label], discriminator(generator([latent, label])))
combined.compile(optimizer=Adam(lr=0.01, beta_1=0.5), loss=losses)

progress = Progbar(target=25, verbose=0)
for step in range(25):
    labels = np.random.randint(0, CLASSES, BATCH)
    real = centers[labels] + np.random.normal(0, 0.1, (BATCH, SIZE))
    noise = np.random.uniform(-1, 1, (BATCH, LATENT))
    wanted = np.random.randint(0, CLASSES, BATCH)
    made = generator.predict([noise, wanted.reshape((-1, 1))], verbose=0)
    x = np.concatenate((real, made))
    y = np.array([0.95] * BATCH + [0.0] * BATCH)
    weights = [np.ones(2 * BATCH), np.concatenate((2 * np.ones(BATCH), np.zeros(BATCH)))]
    before = discriminator.get_weights()
    judged = discriminator.train_on_batch(x, [y, np.concatenate((labels, wanted))], weights)
    after = discriminator.get_weights()
    assert all((a != b).any() for a, b in zip(before, after))
    fooled = combined.train_on_batch([noise, wanted.reshape((-1, 1))], [np.ones(BATCH), wanted])
    assert all((a == b).all() for a, b in zip(after, discriminator.get_weights()))
    progress.update(step + 1)
assert len(judged) == len(fooled) == 3 == len(discriminator.metrics_names)

kind = discriminator.predict(real, verbose=0)[1]
copy = clone_model(discriminator)
copy.set_weights(discriminator.get_weights())
np.testing.assert_allclose(copy.predict(real, verbose=0)[1], kind, rtol=1e-5)
combined.save("combined.keras")
loaded = load_model("combined.keras", custom_objects={"squared_norm": squared_norm})
data = [noise, wanted.reshape((-1, 1))]
expected = combined.predict(data, verbose=0)[0]
np.testing.assert_allclose(loaded.predict(data, verbose=0)[0], expected, rtol=1e-4)
print("kinds", (kind.argmax(axis=1) == labels).mean() > 0.9, len(combined.trainable_weights))
