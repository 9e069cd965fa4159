"""Keras by way of tensorflow, with a training loop of its own."""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.layers.experimental.preprocessing import Rescaling
from tensorflow.keras.utils import to_categorical

tf.random.set_seed(1)
x = np.random.default_rng(0).uniform(0, 255, (64, 4, 4, 1)).astype("float32")
y = (x.mean(axis=(1, 2, 3)) > 127).astype("int64")

inputs = keras.Input(shape=(4, 4, 1))
z = Rescaling(1.0 / 255, offset=-0.5)(inputs)
z = layers.Conv2D(8, 3, activation="relu", padding="same")(z)
residual = z
z = layers.Conv2D(8, 3, padding="same")(z)
z = layers.add([z, residual])
z = layers.GlobalAveragePooling2D()(z)
outputs = layers.Dense(2)(z)
model = tf.keras.Model(inputs, outputs, name="small_resnet")
assert model.summary(print_fn=lambda s: None) is None

optimizer = tf.keras.optimizers.Adam(learning_rate=0.01)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
losses = []
for epoch in range(40):
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss = loss_fn(y, logits)
    grads = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(grads, model.trainable_weights))
    losses.append(float(loss))
accuracy.update_state(y, model(x))
assert losses[-1] < 0.5 * losses[0], losses
model.compile("sgd", loss_fn, metrics=["accuracy"])
model.save("model.keras")
again = tf.keras.models.load_model("model.keras")
np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
assert to_categorical([1], 3).tolist() == [[0, 1, 0]]
print("gpus", len(tf.config.list_physical_devices("GPU")) >= 0, tf.reduce_mean(x).shape)
