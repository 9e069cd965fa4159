"""Let real Keras load the small files of tests/tables/datasets.py.

    KERAS_BACKEND=jax python tests/golden/make_datasets_golden.py

with an installation of Keras 3 and JAX; it writes datasets.json beside this file.
"""

import importlib
import json
import sys
import tarfile
import tempfile
from pathlib import Path

from keras.src.datasets.cifar import load_batch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables import datasets as small  # noqa: E402

folder = Path(tempfile.mkdtemp())
for name, content in small.files().items():
    (folder / name).write_bytes(content)
    if name.endswith("_archive"):
        with tarfile.open(folder / name) as archive:
            archive.extractall(folder / name.removesuffix("_archive"), filter="data")


def local_file(fname, origin=None, **_):
    return str(folder / fname)


golden = {}
for name, options in small.ROWS:
    module = importlib.import_module(f"keras.src.datasets.{name}")
    module.get_file = local_file
    golden[small.key(name, options)] = small.described(module.load_data(**options))

# Keras's cifar10 wants 10,000 images a batch: its batches are asked for one by one.
for name in ("data_batch_2", "test_batch"):
    path = folder / "cifar-10-batches-py-target" / "cifar-10-batches-py" / name
    images, labels = load_batch(path)
    golden[name] = [small.describe(images), labels]

module = importlib.import_module("keras.src.datasets.reuters")
golden["topics"] = list(module.get_label_names())
(HERE / "datasets.json").write_text(json.dumps(golden, indent=0) + "\n")
