"""The files of CIFAR-10 and CIFAR-100: pickles of arrays in a tar archive, read where they lie."""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .pickled import load

Split = tuple[np.ndarray, np.ndarray]


def read_batches(archive: Path, names: Sequence[str], label_key: str) -> Split:
    """(images, labels) of the named members of the archive, one after the other.

    images: uint8 (n, 32, 32, 3), or (n, 3, 32, 32) where `image_data_format` is channels_first;
    labels: int64 (n, 1). ValueError for other content.
    """
    images, labels = [], []
    try:
        with tarfile.open(archive) as files:
            for name in names:
                batch_images, batch_labels = _read_batch(files, name, label_key)
                images.append(batch_images)
                labels.append(batch_labels)
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise ValueError(f"{archive} cannot be read as an archive of CIFAR: {error}") from error
    x = np.concatenate(images)
    x = x if _channels_first() else np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    return x, np.concatenate(labels)


def _channels_first() -> bool:
    # Data sets stand alone: a layout was chosen only where layerkit is running.
    config = sys.modules.get("layerkit.backend.config")
    return config is not None and config.image_data_format() == "channels_first"


def _read_batch(files: tarfile.TarFile, name: str, label_key: str) -> Split:
    member = files.extractfile(name)
    if member is None:
        raise KeyError(f"{name} is no file")
    with member:
        batch = load(member)
    images, labels = batch[b"data"], batch[label_key.encode()]
    if images.dtype != np.uint8 or images.shape != (len(labels), 3 * 32 * 32):
        raise ValueError(
            f"Expected uint8 images of shape {(len(labels), 3072)} in {name}; received "
            f"{images.dtype} of shape {images.shape}."
        )
    return images.reshape(-1, 3, 32, 32), np.array(labels)[:, None]
