"""Two hidden layers of 625 rectified units with dropout, trained by RMSprop."""

import digits

import layerkit
from layerkit import layers

args = digits.arguments(__doc__, epochs=50)
model = layerkit.Sequential(
    [
        layers.Input((784,)),
        layers.Dropout(0.2),
        layers.Dense(625, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(625, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    layerkit.optimizers.RMSprop(0.001, rho=0.9),
    "sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
digits.train(model, args, shape=(784,), batch_size=100)
