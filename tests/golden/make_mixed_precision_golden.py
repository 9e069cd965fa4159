"""Writes mixed_precision.json: what Keras's layers and its LossScaleOptimizer do in mixed_float16.

    KERAS_BACKEND=numpy python tests/golden/make_mixed_precision_golden.py

Also files/mixed_precision.keras, of which `file` has the inputs, outputs and optimizer's state.
`dtypes` holds {row: [dtype of the output, dtypes of the weights]} for the rows of tables/layers.py;
`scaling` a list of cases, each with its arguments, its gradients by step (of one variable of two
numbers, "inf" and "nan" as strings), and scale, counter, iterations and weights after each step.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "numpy")

import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tables.layers import ROWS  # noqa: E402

STEPS = [[1, 2], ["inf", 0], [4, -8], [1, 1], ["nan", 1], [2, 2], [-3, 1], [1, "-inf"], [1, 0]]
CASES = [
    ("SGD", {"learning_rate": 0.5, "momentum": 0.5}, {"dynamic_growth_steps": 2}),
    ("Adam", {"learning_rate": 0.1}, {"initial_scale": 8.0, "dynamic_growth_steps": 1}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 1.0}, {"initial_scale": 4.0}),
]


def dtypes(row):
    layer = getattr(keras.layers, row.layer)(**row.arguments, dtype="mixed_float16")
    kind = "int32" if row.ids_below else "float32"
    y = layer(np.ones(row.shape, kind))
    return [keras.backend.standardize_dtype(y.dtype), [str(w.dtype) for w in layer.weights]]


def scaling(name, options, arguments):
    inner = getattr(keras.optimizers, name)(**options)
    optimizer = keras.optimizers.LossScaleOptimizer(inner, **arguments)
    variable = keras.Variable(np.array([1.0, -1.0], "float32"))
    optimizer.build([variable])
    case = {"optimizer": name, "options": options, "arguments": arguments, "gradients": STEPS}
    case |= {"variables": [v.name for v in optimizer.variables]}
    case |= {"scales": [], "counters": [], "iterations": [], "weights": []}
    for step in STEPS:
        scale = float(optimizer.dynamic_scale.value)
        g = np.array([float(x) for x in step], "float32") * scale
        optimizer.apply([keras.ops.convert_to_tensor(g)], [variable])
        case["scales"].append(float(optimizer.dynamic_scale.value))
        case["counters"].append(int(optimizer.step_counter.value))
        case["iterations"].append(int(optimizer.iterations.value))
        case["weights"].append(keras.ops.convert_to_numpy(variable).tolist())
    return case


def saved():
    """A model under the policy after one step of its optimizer, in a file, and what it predicts."""
    keras.utils.set_random_seed(1)
    layers, dtype = keras.layers, "mixed_float16"
    model = keras.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, activation="relu", dtype=dtype),
            layers.BatchNormalization(dtype=dtype),
            layers.Dense(2, activation="softmax", dtype="float32"),
        ]
    )
    model.dtype_policy = dtype
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    variables = model.trainable_variables
    model.optimizer.build(variables)
    model.optimizer.apply([keras.ops.ones_like(v) * 2.0**15 for v in variables], variables)
    model.save(HERE / "files" / "mixed_precision.keras")
    x = np.random.default_rng(0).standard_normal((4, 3)).astype("float32")
    return {
        "x": x.tolist(),
        "y": keras.ops.convert_to_numpy(model(x)).tolist(),
        "optimizer": [np.asarray(v.value).tolist() for v in model.optimizer.variables],
    }


golden = {
    "keras": keras.__version__,
    "dtypes": {str(row): dtypes(row) for row in ROWS if row.is_plain},
    "scaling": [scaling(*case) for case in CASES],
    "file": saved(),
}
(HERE / "mixed_precision.json").write_text(json.dumps(golden, indent=1) + "\n")
