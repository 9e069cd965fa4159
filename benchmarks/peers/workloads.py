"""The models that are trained, in words that every framework is built from, and their data.

Needs nothing but NumPy, so that every framework's own environment can read it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SAMPLE = Path(__file__).parents[2] / "datasets" / "mnist_sample.npz"


@dataclass(frozen=True)
class Workload:
    """Hidden layers, then a softmax of `classes`, or one sigmoid where `classes` is 1.

    `samples` and `passes` make a turn of a second or more in most frameworks: so many passes over
    so many rows; `rows` are predicted.
    """

    layers: tuple[tuple, ...]
    shape: tuple[int, ...]
    batch_size: int
    optimizer: tuple[str, float]
    samples: int
    passes: int = 1
    rows: int = 10_000
    classes: int = 10
    words: int = 0  # the inputs are ids below this number, where it is not 0


MODERN = (
    ("dropout", 0.2),
    ("dense", 625, "relu"),
    ("dropout", 0.5),
    ("dense", 625, "relu"),
    ("dropout", 0.5),
)
CNN = (
    ("conv", 32, "same"),
    ("pool",),
    ("dropout", 0.2),
    ("conv", 64, "same"),
    ("pool",),
    ("dropout", 0.2),
    ("conv", 128, "same"),
    ("pool",),
    ("dropout", 0.2),
    ("flatten",),
    ("dense", 625, "relu"),
    ("dropout", 0.5),
)
CONVNET = (
    ("conv", 32, "valid"),
    ("pool",),
    ("conv", 64, "valid"),
    ("pool",),
    ("flatten",),
    ("dropout", 0.5),
)
IMAGE = (28, 28, 1)
WORKLOADS = {
    "logistic": Workload((), (784,), 200, ("SGD", 0.05), samples=60_000, passes=2),
    "mlp": Workload((("dense", 620, "sigmoid"),), (784,), 50, ("SGD", 0.2), samples=20_000),
    "modern": Workload(MODERN, (784,), 100, ("RMSprop", 0.001), samples=10_000),
    "cnn": Workload(CNN, IMAGE, 50, ("RMSprop", 0.001), samples=2_500),
    "convnet": Workload(CONVNET, IMAGE, 128, ("Adam", 0.001), samples=5_120),
    "text": Workload(
        (("embedding", 20_000, 128), ("lstm", 128)),
        (80,),
        32,
        ("Adam", 0.001),
        samples=640,
        rows=2_000,
        classes=1,
        words=20_000,
    ),
    "resnet": Workload(
        (("residual", 16), ("average",)),
        (32, 32, 16),
        64,
        ("Adam", 0.001),
        samples=640,
        rows=2_000,
    ),
}


class Missing(Exception):
    """A framework has no layer of a name."""


def data(name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` inputs and labels: MNIST's digits over and over, else noise.

    Speed does not depend on what is seen. float32 of the workload's shape (ids: int32); labels are
    int32 classes, or float32 0 and 1 for a single sigmoid.
    """
    work, random = WORKLOADS[name], np.random.default_rng(0)
    if work.words:
        x = random.integers(0, work.words, (count, *work.shape), "int32")
    elif np.prod(work.shape) == 784:
        with np.load(SAMPLE) as sample:
            x, y = sample["images"], sample["labels"].astype("int32")
        chosen = np.arange(count) % len(x)
        return (x[chosen] / np.float32(255)).reshape(count, *work.shape), y[chosen]
    else:
        x = random.random((count, *work.shape), "float32")
    y = random.integers(0, max(2, work.classes), count, "int32")
    return x, y if work.classes > 1 else y.astype("float32")


def keras_like(module: Any, name: str, **options: Any) -> Any:
    """The compiled model, by `layerkit` or `keras`: their words are the same.

    `options` go to `compile`. Raises Missing where the module lacks a layer.
    """
    work, layers = WORKLOADS[name], module.layers

    def layer(kind: str, *arguments: Any, **keywords: Any) -> Any:
        if not hasattr(layers, kind):
            raise Missing(f"{module.__name__} has no layers.{kind}")
        return getattr(layers, kind)(*arguments, **keywords)

    kinds: dict[str, Callable] = {
        "dense": lambda units, activation: layer("Dense", units, activation=activation),
        "conv": lambda filters, padding: layer(
            "Conv2D", filters, 3, padding=padding, activation="relu"
        ),
        "pool": lambda: layer("MaxPooling2D", 2),
        "dropout": lambda rate: layer("Dropout", rate),
        "flatten": lambda: layer("Flatten"),
        "embedding": lambda words, size: layer("Embedding", words, size),
        "lstm": lambda units: layer("LSTM", units),
        "average": lambda: layer("GlobalAveragePooling2D"),
        "residual": lambda filters: _residual(module, filters),
    }
    body = [kinds[kind](*rest) for kind, *rest in work.layers]
    activation, loss = ("softmax", "sparse_categorical_crossentropy")
    if work.classes == 1:
        activation, loss = ("sigmoid", "binary_crossentropy")
    last = layer("Dense", work.classes, activation=activation)
    inputs = layers.Input(work.shape, dtype="int32" if work.words else "float32")
    model = module.Sequential([inputs, *body, last])
    optimizer, learning_rate = work.optimizer
    model.compile(getattr(module.optimizers, optimizer)(learning_rate), loss, **options)
    return model


def _residual(module: Any, filters: int) -> Any:
    layers = module.layers

    class Residual(module.Model):
        """Two normalized convolutions beside a shortcut: He et al. 2015, arXiv:1512.03385."""

        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = (layers.Conv2D(filters, 3, padding="same") for _ in range(2))
            self.norm1, self.norm2 = (layers.BatchNormalization() for _ in range(2))
            self.relu = layers.Activation("relu")

        def call(self, x: Any, training: bool | None = None) -> Any:
            y = self.relu(self.norm1(self.conv1(x), training=training))
            return self.relu(self.norm2(self.conv2(y), training=training) + x)

    return Residual()
