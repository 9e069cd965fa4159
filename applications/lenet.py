"""LeNet-5, the network that read handwritten digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from layerkit.layers import AveragePooling2D, Conv2D, Dense, Flatten, Input
from layerkit.models import Sequential

from .weights import weights_file

TRAINED = {"mnist": Path(__file__).with_name("lenet5_mnist.weights.h5")}


def LeNet5(
    include_top: bool = True,
    weights: Any = "mnist",
    input_shape: tuple[int, int, int] | None = None,
    pooling: None = None,
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str = "lenet5",
) -> Sequential:
    """LeNet-5 as a Sequential: 61,706 parameters for 28×28 digits.

    Reads images (batch, 28, 28, 1) of floats from 0 to 1. `weights`: 'mnist' for the trained ones
    that come with layerkit (made by `train_lenet.py` beside this file from MNIST's training digits,
    of which the bundled sample is a part; accuracy on its test digits 0.9886), a weights file, or
    None for random ones. Without `include_top` the output is the 400 features before the dense
    layers. ValueError for trained weights with other shapes.

    Reference: LeCun et al., Gradient-based learning applied to document recognition, 1998.
    """
    if pooling is not None:
        raise ValueError(
            f"LeNet5 flattens its features: pooling=None expected; received {pooling}."
        )
    shape = (28, 28, 1) if input_shape is None else tuple(input_shape)
    if weights == "mnist" and (shape != (28, 28, 1) or classes != 10):
        raise ValueError(
            "LeNet5's 'mnist' weights need input_shape=(28, 28, 1) and classes=10; received "
            f"input_shape={shape}, classes={classes}. Pass weights=None to train your own."
        )
    file = weights_file(weights, TRAINED)
    model = Sequential(
        [
            Input(shape),
            Conv2D(6, 5, padding="same", activation="tanh", name="c1"),
            AveragePooling2D(2, name="s2"),
            Conv2D(16, 5, activation="tanh", name="c3"),
            AveragePooling2D(2, name="s4"),
            Flatten(name="flatten"),
            Dense(120, activation="tanh", name="c5"),
            Dense(84, activation="tanh", name="f6"),
            Dense(classes, activation=classifier_activation, name="output"),
        ],
        name=name,
    )
    if file is not None:
        model.load_weights(file)
    if not include_top:
        for _ in range(3):
            model.pop()
    return model
