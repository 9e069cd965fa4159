"""Lines of letters read by a recurrent network and CTC, in Keras 2."""

import keras.callbacks
import numpy as np
from keras import backend as K
from keras.layers import Activation, Dense, Input, Lambda, Reshape
from keras.layers.convolutional import Conv2D, MaxPooling2D
from keras.layers.merge import add
from keras.layers.recurrent import GRU
from keras.models import Model
from keras.optimizers import Adam

np.random.seed(5)
WIDTH, HEIGHT, LETTERS, LENGTH, BATCH = 16, 4, 3, 2, 8


def paint(labels):
    """Images (batch, width, height, 1) in which a letter is a bright row."""
    images = np.random.uniform(0, 0.1, (len(labels), WIDTH, HEIGHT, 1))
    for image, letters in zip(images, labels):
        for place, letter in enumerate(letters):
            image[3 + 7 * place : 6 + 7 * place, letter] = 1
    return images


def ctc_lambda_func(args):
    y_pred, labels, input_length, label_length = args
    return K.ctc_batch_cost(labels, y_pred, input_length, label_length)


image = Input(name="the_input", shape=(WIDTH, HEIGHT, 1), dtype="float32")
inner = Conv2D(8, (3, 3), padding="same", activation="relu", kernel_initializer="he_normal")(image)
inner = MaxPooling2D(pool_size=(2, 1))(inner)
inner = Reshape(target_shape=(WIDTH // 2, HEIGHT * 8))(inner)
inner = Dense(12, activation="relu")(inner)
forwards = GRU(12, return_sequences=True, kernel_initializer="he_normal")(inner)
inner = add([forwards, inner])
y_pred = Activation("softmax")(Dense(LETTERS + 1)(inner))
labels = Input(name="the_labels", shape=[LENGTH], dtype="float32")
input_length = Input(name="input_length", shape=[1], dtype="int64")
label_length = Input(name="label_length", shape=[1], dtype="int64")
loss = Lambda(ctc_lambda_func, output_shape=(1,), name="ctc")(
    [y_pred, labels, input_length, label_length]
)
model = Model(inputs=[image, labels, input_length, label_length], outputs=loss)
model.compile(loss={"ctc": lambda y_true, y_pred: y_pred}, optimizer=Adam(lr=0.02, clipnorm=5))
read = K.function([image], [y_pred])


def batches():
    while True:
        letters = np.random.randint(0, LETTERS, (BATCH, LENGTH))
        inputs = {
            "the_input": paint(letters),
            "the_labels": letters.astype("float32"),
            "input_length": np.full((BATCH, 1), WIDTH // 2),
            "label_length": np.full((BATCH, 1), LENGTH),
        }
        yield inputs, {"ctc": np.zeros([BATCH])}


class Reading(keras.callbacks.Callback):
    right = 0.0

    def on_epoch_end(self, epoch, logs={}):
        letters = np.random.randint(0, LETTERS, (40, LENGTH))
        chances = read([paint(letters)])[0]
        found = K.get_value(K.ctc_decode(chances, np.full(40, WIDTH // 2))[0][0])
        self.right = np.mean([list(a[a >= 0]) == list(b) for a, b in zip(found, letters)])


reading = Reading()
model.fit_generator(batches(), steps_per_epoch=60, epochs=2, verbose=0, callbacks=[reading])
model.save_weights("reading.h5")
model.load_weights("reading.h5")
print("read", reading.right > 0.9)
