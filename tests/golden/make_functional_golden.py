"""Golden values of functional models, from Keras 3: layers' order, weights, predictions, config.

KERAS_BACKEND=jax python tests/golden/make_functional_golden.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables.functional import RECIPES, data, weights  # noqa: E402

arrays, about = {}, {}
for name, recipe in RECIPES.items():
    keras.utils.clear_session()
    model = recipe.make(keras)
    model.set_weights(weights(model))
    outputs = keras.tree.flatten(model.predict(data(recipe), verbose=0))
    arrays |= {f"{name}/{i}": y for i, y in enumerate(outputs)}
    printed: list[str] = []
    model.summary(
        line_length=100,
        expand_nested=True,
        show_trainable=True,
        print_fn=lambda text, printed=printed: printed.append(text),
    )
    about[name] = {
        "summary": printed[0],
        "layers": [layer.name for layer in model.layers],
        "weights": [[w.name, list(w.shape)] for w in model.weights],
        "output_names": model.output_names,
        "config": json.loads(model.to_json()),
    }
np.savez_compressed(HERE / "functional.npz", **arrays)
text = json.dumps({"keras": keras.__version__, "models": about}, separators=(",", ":"))
(HERE / "functional.json").write_text(text + "\n")
