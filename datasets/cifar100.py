"""CIFAR-100: 60,000 colour pictures of 32x32 pixels in a hundred classes (Krizhevsky, 2009)."""

from __future__ import annotations

from .cifar import Split, read_batches
from .keras_file import KerasFile

FILE = KerasFile(
    "cifar-100-python-target_archive",
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    max_bytes=180 << 20,
)
_FOLDER = "cifar-100-python"


def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): the whole of CIFAR-100.

    x: uint8 of shape (50000, 32, 32, 3) and (10000, 32, 32, 3), red, green and blue from 0 to 255
    (the channels before the rows where `image_data_format` is channels_first); y: int64 labels of
    shape (50000, 1) and (10000, 1): 0 to 99 with `label_mode="fine"`, or the superclasses 0 to 19
    with "coarse".

    The archive (169 MB) is downloaded once, into Keras's folder `~/.keras/datasets`
    (`KERAS_HOME`), checked by SHA-256, and read without being unpacked.

    Raises DownloadError (a ConnectionError) if it cannot be reached, ValueError if it is damaged
    or for another `label_mode`.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.'
        )
    archive = FILE.locate()
    train, test = (
        read_batches(archive, [f"{_FOLDER}/{name}"], f"{label_mode}_labels")
        for name in ("train", "test")
    )
    return train, test
