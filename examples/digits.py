"""What the MNIST examples share: their command line, and the digits it chooses.

By default the sample bundled with layerkit, which needs no network; `--data whole` is the whole of
MNIST (downloaded once), `--data FOLDER` its IDX files in a folder.
"""

import argparse

import numpy as np

import layerkit
from layerkit.datasets import mnist

Arrays = tuple[np.ndarray, np.ndarray]


def arguments(description: str, epochs: int) -> argparse.Namespace:
    """The command line: --data, --epochs, --seed. The first line of `description` is its help."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--data", default="sample", help="sample, whole, or a folder of IDX files")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    layerkit.utils.set_random_seed(args.seed)
    return args


def load(source: str, shape: tuple[int, ...]) -> tuple[Arrays, Arrays]:
    """((x_train, y_train), (x_test, y_test)): float32 pixels from 0 to 1, each digit of `shape`."""
    if source == "sample":
        (x_train, y_train), (x_test, y_test) = mnist.load_sample()
        name = "the bundled sample of MNIST"
    elif source == "whole":
        (x_train, y_train), (x_test, y_test) = mnist.load_data()
        name = "whole MNIST"
    else:
        (x_train, y_train), (x_test, y_test) = mnist.load_data(path=source)
        name = f"MNIST from {source}"
    print(f"data: {name}: {len(x_train):,} training and {len(x_test):,} test digits")

    def pixels(x: np.ndarray) -> np.ndarray:
        return (x / np.float32(255)).reshape(-1, *shape)

    return (pixels(x_train), y_train), (pixels(x_test), y_test)


def train(
    model: layerkit.Model,
    args: argparse.Namespace,
    shape: tuple[int, ...],
    batch_size: int,
    callbacks: list[layerkit.callbacks.Callback] | None = None,
) -> None:
    """Fit, then print the accuracy on the test digits."""
    (x_train, y_train), (x_test, y_test) = load(args.data, shape)
    model.fit(x_train, y_train, batch_size=batch_size, epochs=args.epochs, callbacks=callbacks)
    _, accuracy = model.evaluate(x_test, y_test, batch_size=1000, verbose=0)
    print(f"test accuracy: {accuracy:.4f}")
