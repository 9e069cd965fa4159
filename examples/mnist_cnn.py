"""Three convolutions with pooling and dropout on handwritten digits."""

import digits

import layerkit
from layerkit import layers

args = digits.arguments(__doc__, epochs=7)
model = layerkit.Sequential(
    [
        layers.Input((28, 28, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.2),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.2),
        layers.Conv2D(128, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.2),
        layers.Flatten(),
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
slowing = layerkit.callbacks.LearningRateScheduler(lambda epoch: 0.001 * (1 - epoch / args.epochs))
digits.train(model, args, shape=(28, 28, 1), batch_size=50, callbacks=[slowing])
