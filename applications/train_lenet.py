"""Makes the weights that LeNet5 comes with: `python applications/train_lenet.py [FOLDER]`.

FOLDER holds MNIST's IDX files; without it MNIST is downloaded. Trains on the 60,000 training digits
with the seed below and prints the accuracy on the 10,000 test digits, which no choice was made by:
test accuracy 0.9886.
"""

import sys
from pathlib import Path

import numpy as np

import layerkit
from layerkit.applications import LeNet5
from layerkit.datasets import mnist
from layerkit.optimizers import Adam
from layerkit.optimizers.schedules import CosineDecay

EPOCHS, BATCH_SIZE = 20, 100


def main() -> None:
    layerkit.utils.set_random_seed(0)
    data = mnist.load_data(path=sys.argv[1]) if len(sys.argv) > 1 else mnist.load_data()
    (x_train, y_train), (x_test, y_test) = data
    x_train, x_test = (x[..., None] / np.float32(255) for x in (x_train, x_test))
    model = LeNet5(weights=None)
    rate = CosineDecay(0.002, EPOCHS * len(x_train) // BATCH_SIZE)
    model.compile(Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=EPOCHS)
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    print("test:", model.evaluate(x_test, y_test, verbose=0, return_dict=True))
    bare = LeNet5(weights=None)  # without an optimizer, whose state nobody needs
    bare.set_weights(model.get_weights())
    bare.save_weights(Path(__file__).with_name("lenet5_mnist.weights.h5"))


if __name__ == "__main__":
    main()
