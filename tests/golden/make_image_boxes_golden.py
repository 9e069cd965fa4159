"""Make image_boxes.json: what real Keras's layers of images make of bounding boxes.

KERAS_BACKEND=jax python tests/golden/make_image_boxes_golden.py
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables.image_boxes import BOXES, CALLS, HEIGHT, LABELS, WIDTH, forced  # noqa: E402


def run(layer, arguments, transformation, kind):
    layer = getattr(keras.layers, layer)(**arguments, bounding_box_format=kind)
    boxes = keras.utils.bounding_boxes.convert_format(
        np.array(BOXES, "float32"), "xyxy", kind, height=HEIGHT, width=WIDTH
    )
    given = {"boxes": boxes, "labels": keras.ops.array(LABELS)}
    found = layer.transform_bounding_boxes(
        given, forced(keras.ops.array, transformation), training=True
    )
    return {
        key: np.asarray(value).astype("float64").round(5).tolist() for key, value in found.items()
    }


golden = {f"{name} {call[-1]}": run(*call) for name, *call in CALLS}
text = json.dumps(golden).replace('}, "', '},\n"')
(HERE / "image_boxes.json").write_text(text + "\n")
