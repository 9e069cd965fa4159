"""A convolutional network in the idioms of Keras 1."""

from __future__ import print_function

import numpy as np
from keras.datasets import mnist
from keras.layers.convolutional import Convolution2D, MaxPooling2D, ZeroPadding2D
from keras.layers.core import Activation, Dense, Dropout, Flatten
from keras.layers.normalization import BatchNormalization
from keras.models import Sequential
from keras.optimizers import SGD
from keras.regularizers import l2
from keras.utils import np_utils
from keras import backend as K

np.random.seed(1337)
assert K.image_dim_ordering() == "tf"

(x_train, y_train), (x_test, y_test) = mnist.load_sample()
x_train = x_train.reshape(x_train.shape[0], 28, 28, 1).astype("float32")[:1000] / 255
x_test = x_test.reshape(x_test.shape[0], 28, 28, 1).astype("float32")[:500] / 255
y_train, y_test = y_train[:1000], y_test[:500]
Y_train = np_utils.to_categorical(y_train, 10)
Y_test = np_utils.to_categorical(y_test, 10)

model = Sequential()
model.add(ZeroPadding2D((1, 1), input_shape=(28, 28, 1), dim_ordering="tf"))
model.add(Convolution2D(8, 3, 3, border_mode="valid", subsample=(2, 2), init="he_normal"))
model.add(BatchNormalization())
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2), border_mode="same"))
model.add(Dropout(p=0.1))
model.add(Flatten())
model.add(Dense(output_dim=32, init="uniform", activation="relu", W_regularizer=l2(l=0.0001)))
model.add(Dense(10, b_regularizer="l1"))
model.add(Activation("softmax"))

sgd = SGD(lr=0.05, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
history = model.fit(
    x_train, Y_train, batch_size=50, nb_epoch=6, verbose=0, validation_data=(x_test, Y_test)
)
score = model.evaluate(x_test, Y_test, verbose=0)
classes = model.predict_classes(x_test, verbose=0)
assert abs((classes == y_test).mean() - score[1]) < 1e-6
assert score[1] == history.history["val_accuracy"][-1] > 0.8, score
print("test accuracy", score[1] > 0.8)
