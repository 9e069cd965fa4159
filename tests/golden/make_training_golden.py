"""Ask real Keras for the logs of the rows in tests/tables/training.py.

    KERAS_BACKEND=torch python tests/golden/make_training_golden.py

with an installation of Keras 3 and PyTorch; it writes training.json beside this file. (With JAX,
the metrics of a training step do not get to see masks.)
"""

import json
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
from keras import layers

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables import training as rows  # noqa: E402


class Two(keras.Model):
    def __init__(self, kind):
        super().__init__()
        self.a = layers.Dense(2, name="a")
        self.b = layers.Dense(3, activation="softmax", name="b")
        self.kind = kind

    def call(self, x):
        a, b = self.a(x), self.b(x)
        return {"a": a, "b": b} if self.kind == "dict" else (a, b)


def made(kind):
    """A model and the name of its weights."""
    if kind in ("dict", "tuple"):
        model, weights = Two(kind), "two"
        model(rows.X)
    elif kind == "list":
        x = keras.Input((4,))
        a = layers.Dense(2, name="a")(x)
        model, weights = (
            keras.Model(x, [a, layers.Dense(3, activation="softmax", name="b")(x)]),
            "two",
        )
    elif kind == "sequence":
        model, weights = keras.Sequential([layers.Embedding(6, 4, mask_zero=True)]), "sequence"
        model.add(layers.Dense(3, activation="softmax"))
        model(rows.IDS)
    else:
        model, weights = keras.Sequential([layers.Dense(3, activation="softmax")]), "one"
        model(rows.X)
    model.set_weights(rows.initial_weights(weights))
    return model


def short(value):
    return float(f"{float(value):.7g}")


golden = {}
warnings.simplefilter("ignore")  # "steps" ends epochs early
for row in rows.ROWS:
    model = made(row.model)
    model.compile(keras.optimizers.SGD(0.1), **row.compile)
    history = model.fit(**rows.fit_arguments(row, keras)).history
    values = model.evaluate(**rows.evaluate_arguments(row))
    golden[row.name] = {
        "history": {name: list(map(short, history[name])) for name in history},
        "metrics_names": model.metrics_names,
        "evaluate": list(map(short, np.atleast_1d(values))),
        "logs": {
            name: short(value)
            for name, value in model.evaluate(
                **rows.evaluate_arguments(row), return_dict=True
            ).items()
        },
        "weights": [list(map(short, np.ravel(w))) for w in model.get_weights()],
    }

(HERE / "training.json").write_text(json.dumps(golden, indent=0) + "\n")
