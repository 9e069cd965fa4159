"""Writes initializers.npz: values of Keras's seeded initializers, its constraints and regularizers.

    KERAS_BACKEND=numpy python tests/golden/make_initializers_golden.py

The tables `initializers`, `constraints` and `regularizers` are JSON, read again by the tests.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "numpy"

import keras
import numpy as np

INITIALIZERS = [
    ("Zeros", {}, [2, 3]),
    ("Ones", {}, [2, 3]),
    ("Constant", {"value": 0.3}, [2, 3]),
    ("Identity", {"gain": 2.0}, [3, 4]),
    ("RandomNormal", {"seed": 1}, [4, 5]),
    ("RandomNormal", {"seed": 2, "mean": 1.0, "stddev": 2.0}, [7]),
    ("RandomUniform", {"seed": 1}, [4, 5]),
    ("RandomUniform", {"seed": 3, "minval": -2.0, "maxval": 1.0}, [3, 2, 2]),
    ("TruncatedNormal", {"seed": 1}, [40, 5]),
    ("TruncatedNormal", {"seed": 5, "mean": 1.0, "stddev": 2.0}, [17]),
    ("VarianceScaling", {"seed": 1}, [6, 5]),
    ("VarianceScaling", {"seed": 1, "mode": "fan_out", "distribution": "uniform"}, [6, 5]),
    ("VarianceScaling", {"seed": 1, "distribution": "untruncated_normal", "scale": 3.0}, [6, 5]),
    ("GlorotNormal", {"seed": 4}, [6, 5]),
    ("GlorotUniform", {"seed": 4}, [6, 5]),
    ("GlorotUniform", {"seed": 4}, [3, 3, 2, 4]),
    ("GlorotUniform", {"seed": 4}, [5]),
    ("HeNormal", {"seed": 4}, [3, 3, 2, 4]),
    ("HeUniform", {"seed": 4}, [6, 5]),
    ("LecunNormal", {"seed": 4}, [6, 5]),
    ("LecunUniform", {"seed": 4}, [6, 5]),
    ("Orthogonal", {"seed": 4}, [6, 5]),
    (
        "VarianceScaling",
        {"seed": 2, "mode": "fan_avg", "input_axes": [0], "output_axes": [1, 2]},
        [6, 2, 3],
    ),
    ("GlorotUniform", {"seed": 4, "input_axes": [0, 1], "output_axes": [2]}, [2, 3, 4]),
    ("STFT", {}, [8, 1, 5]),
    ("STFT", {"side": "imag", "window": "hamming", "periodic": True}, [8, 1, 5]),
    ("STFT", {"window": None}, [8, 1, 5]),
    ("STFT", {"window": "blackman", "scaling": "spectrum"}, [7, 1, 5]),
    ("STFT", {"window": "triang", "scaling": None}, [7, 1, 5]),
    ("STFT", {"window": "triang", "scaling": None}, [8, 1, 5]),
    ("STFT", {"window": "bartlett", "scaling": None}, [8, 1, 5]),
    ("STFT", {"window": "cosine", "scaling": None, "periodic": True}, [8, 1, 5]),
    ("STFT", {"window": "boxcar"}, [8, 1, 5]),
    ("STFT", {"window": "flattop"}, [8, 1, 5]),
    ("STFT", {"window": "nuttall"}, [8, 1, 5]),
    ("STFT", {"window": "blackmanharris"}, [8, 1, 5]),
    ("STFT", {"window": [0.5, 1.0, 0.5], "side": "imag"}, [3, 1, 3]),
    ("Orthogonal", {"seed": 4, "gain": 2.0}, [3, 7]),
    ("Orthogonal", {"seed": 4}, [2, 3, 4]),
]
CONSTRAINTS = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.5, "axis": 1}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1]}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.5, "max_value": 1.6, "rate": 0.5}),
]
REGULARIZERS = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("L1L2", {}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.1}),
]


def main():
    w = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    arrays = {
        "initializers": json.dumps(INITIALIZERS),
        "constraints": json.dumps(CONSTRAINTS),
        "regularizers": json.dumps(REGULARIZERS),
        "w": w,
    }
    for i, (class_name, config, shape) in enumerate(INITIALIZERS):
        initializer = getattr(keras.initializers, class_name)(**config)
        arrays[f"initializer/{i}"] = np.asarray(initializer(tuple(shape), dtype="float32"))
    for i, (class_name, config) in enumerate(CONSTRAINTS):
        config = {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}
        arrays[f"constraint/{i}"] = np.asarray(getattr(keras.constraints, class_name)(**config)(w))
    for i, (class_name, config) in enumerate(REGULARIZERS):
        regularizer = getattr(keras.regularizers, class_name)(**config)
        arrays[f"regularizer/{i}"] = np.asarray(regularizer(w))
    np.savez_compressed(Path(__file__).with_name("initializers.npz"), **arrays)


if __name__ == "__main__":
    main()
