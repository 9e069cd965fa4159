"""From one image to another by tf.data, two tapes and skips, as TensorFlow's tutorial has it."""

import numpy as np
import tensorflow as tf

tf.random.set_seed(2)
rng = np.random.default_rng(0)
left = rng.integers(0, 255, (6, 12, 12, 3)).astype("uint8")
images = np.concatenate([left, 255 - left], axis=2)  # (rows, 24, 3): an image and its negative


def load(image):
    width = tf.shape(image)[1] // 2
    halves = image[:, width:, :], image[:, :width, :]
    return tuple(tf.cast(half, tf.float32) / 127.5 - 1 for half in halves)


@tf.function
def jitter(a, b):
    nearest = tf.image.ResizeMethod.NEAREST_NEIGHBOR
    a, b = (tf.image.resize(x, [14, 14], method=nearest) for x in (a, b))
    both = tf.image.random_crop(tf.stack([a, b], axis=0), size=[2, 12, 12, 3])
    if tf.random.uniform(()) > 0.5:
        both = tf.image.flip_left_right(both)
    return both[0], both[1]


dataset = tf.data.Dataset.from_tensor_slices(images)
dataset = dataset.map(load, num_parallel_calls=tf.data.AUTOTUNE).map(jitter).shuffle(6).batch(2)


def down(filters):
    start = tf.random_normal_initializer(0.0, 0.02)
    block = tf.keras.Sequential()
    block.add(tf.keras.layers.Conv2D(filters, 4, 2, padding="same", kernel_initializer=start))
    block.add(tf.keras.layers.BatchNormalization())
    block.add(tf.keras.layers.LeakyReLU())
    return block


inputs = tf.keras.layers.Input(shape=[12, 12, 3])
skip = down(8)(inputs)
x = down(8)(skip)
x = tf.keras.layers.Conv2DTranspose(8, 4, strides=2, padding="same", activation="relu")(x)
x = tf.keras.layers.Concatenate()([x, skip])
x = tf.keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")(x)
generator = tf.keras.Model(inputs=inputs, outputs=x)
target = tf.keras.layers.Input(shape=[12, 12, 3])
x = tf.keras.layers.Conv2D(1, 4)(down(4)(tf.keras.layers.concatenate([inputs, target])))
discriminator = tf.keras.Model(inputs=[inputs, target], outputs=x)

entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
makes, judges = (tf.keras.optimizers.Adam(0.01, beta_1=0.5) for _ in range(2))


@tf.function
def train_step(image, target):
    with tf.GradientTape() as making, tf.GradientTape() as judging:
        made = generator(image, training=True)
        real = discriminator([image, target], training=True)
        false = discriminator([image, made], training=True)
        distance = tf.reduce_mean(tf.abs(target - made))
        loss = entropy(tf.ones_like(false), false) + 100 * distance
        judged = entropy(tf.ones_like(real), real) + entropy(tf.zeros_like(false), false)
    of_generator = making.gradient(loss, generator.trainable_variables)
    of_discriminator = judging.gradient(judged, discriminator.trainable_variables)
    makes.apply_gradients(zip(of_generator, generator.trainable_variables))
    judges.apply_gradients(zip(of_discriminator, discriminator.trainable_variables))
    return distance


distances = []
for step, (image, target) in dataset.repeat().take(60).enumerate():
    assert int(step) == len(distances)
    distances.append(float(train_step(image, target)))
learned = np.mean(distances[-5:]) < 0.7 * np.mean(distances[:5])
print("images", learned, dataset.cardinality().numpy(), image.shape)
