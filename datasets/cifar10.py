"""CIFAR-10: 60,000 colour pictures of 32x32 pixels in ten classes (Krizhevsky, 2009)."""

from __future__ import annotations

from .cifar import Split, read_batches
from .keras_file import KerasFile

FILE = KerasFile(
    "cifar-10-batches-py-target_archive",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    max_bytes=180 << 20,
)
_FOLDER = "cifar-10-batches-py"


def load_data() -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): the whole of CIFAR-10.

    x: uint8 of shape (50000, 32, 32, 3) and (10000, 32, 32, 3), red, green and blue from 0 to 255
    (the channels before the rows where `image_data_format` is channels_first); y: uint8 labels of
    shape (50000, 1) and (10000, 1): 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog,
    6 frog, 7 horse, 8 ship, 9 truck.

    The archive (170 MB) is downloaded once, into Keras's folder `~/.keras/datasets`
    (`KERAS_HOME`), checked by SHA-256, and read without being unpacked.

    Raises DownloadError (a ConnectionError) if it cannot be reached, ValueError if it is damaged.
    """
    archive = FILE.locate()
    batches = [f"{_FOLDER}/data_batch_{i}" for i in range(1, 6)]
    x_train, y_train = read_batches(archive, batches, "labels")
    x_test, y_test = read_batches(archive, [f"{_FOLDER}/test_batch"], "labels")
    return (x_train, y_train.astype("uint8")), (x_test, y_test.astype("uint8"))
