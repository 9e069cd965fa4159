"""Make spectrograms.npz and .json: real Keras's values and configs for `tables/spectrograms.py`.

KERAS_BACKEND=jax python tests/golden/make_spectrograms_golden.py
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables.spectrograms import IDS, ROWS, signal, weights  # noqa: E402

arrays, configs = {}, {}
for row, cls, arguments, shape in ROWS:
    layer = getattr(keras.layers, cls)(**arguments, name="row")
    if cls == "ReversibleEmbedding":
        layer.build()
        layer.set_weights(weights(layer))
        arrays[f"{row}:forward"] = np.asarray(layer(np.array(IDS)))
        arrays[row] = np.asarray(layer(signal(shape), reverse=True))
    else:
        arrays[row] = np.asarray(layer(signal(shape)))
    configs[row] = keras.saving.serialize_keras_object(layer.get_config())
np.savez_compressed(HERE / "spectrograms.npz", **arrays)
text = json.dumps(configs).replace('}, "', '},\n"')
(HERE / "spectrograms.json").write_text(text + "\n")
