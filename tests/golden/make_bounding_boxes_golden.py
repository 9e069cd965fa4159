"""Make bounding_boxes.json: what real Keras gives for the calls of `tables/bounding_boxes.py`.

KERAS_BACKEND=jax python tests/golden/make_bounding_boxes_golden.py
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables.bounding_boxes import CALLS, arguments  # noqa: E402


def array(value):
    return np.array(value, "float32" if isinstance(np.ravel(value)[0], float) else "int32")


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return np.asarray(value).astype("float64").round(6).tolist()


golden = {
    name: plain(getattr(keras.utils.bounding_boxes, function)(**arguments(function, given, array)))
    for name, function, given in CALLS
}
text = json.dumps(golden).replace('], "', '],\n"')
(HERE / "bounding_boxes.json").write_text(text + "\n")
