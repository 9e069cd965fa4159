"""One hidden layer of 620 sigmoid units on handwritten digits."""

import digits

import layerkit
from layerkit import layers

args = digits.arguments(__doc__, epochs=50)
model = layerkit.Sequential(
    [
        layers.Input((784,)),
        layers.Dense(620, activation="sigmoid"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(layerkit.optimizers.SGD(0.2), "sparse_categorical_crossentropy", metrics=["accuracy"])
digits.train(model, args, shape=(784,), batch_size=50)
