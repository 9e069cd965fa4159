"""Writes dataset_chains.json: what tf.data makes of the chains in tables/dataset_chains.py.

Run it from tests/ with TensorFlow installed: `python golden/make_dataset_chains_golden.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parents[1]))

from tables.dataset_chains import CHAINS


def plain(element):
    """The element in lists; arrays as [dtype, values]."""
    if isinstance(element, dict):
        return {key: plain(part) for key, part in element.items()}
    if isinstance(element, tuple):
        return [plain(part) for part in element]
    array = np.asarray(element)
    if array.dtype.kind in "SO":
        return ["string", np.vectorize(bytes.decode, otypes=[object])(array).tolist()]
    return [str(array.dtype), array.tolist()]


if __name__ == "__main__":
    found = {}
    for name, chain in CHAINS.items():
        dataset = chain(tf.data.Dataset, tf.TensorSpec)
        found[name] = {
            "elements": [plain(element) for element in dataset.as_numpy_iterator()],
            "cardinality": int(dataset.cardinality()),
        }
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(found[name])}" for name in found)
    Path(__file__).with_name("dataset_chains.json").write_text(f"{{\n{text}\n}}\n")
