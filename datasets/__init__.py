"""Data sets, loaded as NumPy arrays: those of `keras.datasets`.

Needs NumPy, and tqdm while it downloads. `mnist` and `fashion_mnist` are kept in
`~/.layerkit/datasets` (the environment variable `LAYERKIT_HOME` moves `~/.layerkit`), the others
where Keras keeps them, in `~/.keras/datasets` (`KERAS_HOME`). Offline, `mnist.load_sample()` is
always there.
"""

from . import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]
