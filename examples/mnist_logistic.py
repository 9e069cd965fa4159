"""Logistic regression on handwritten digits: 784 pixels, 10 classes, nothing between."""

import digits

import layerkit
from layerkit import layers

args = digits.arguments(__doc__, epochs=60)
model = layerkit.Sequential([layers.Input((784,)), layers.Dense(10, activation="softmax")])
model.compile(
    layerkit.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
digits.train(model, args, shape=(784,), batch_size=200)
