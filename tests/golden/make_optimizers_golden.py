"""Writes optimizers.npz: what Keras's optimizers and schedules make of given gradients.

    KERAS_BACKEND=numpy python tests/golden/make_optimizers_golden.py

`cases` and `schedules` are JSON tables that the tests read and run again; `weights/<i>` holds the
kernel and the bias after each step, `state/<i>` all of `optimizer.variables` after the last.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "numpy"

import keras
import numpy as np

STEPS = 8
DECAY = {
    "module": "keras.optimizers.schedules",
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
}

CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "learning_rate": 0.1}),
    ("SGD", {"learning_rate": DECAY}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 1.0}),
    ("SGD", {"learning_rate": 0.1, "clipvalue": 0.5}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 1.0}),
    ("SGD", {"learning_rate": 0.1, "loss_scale_factor": 8.0}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_overwrite_frequency": 3}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.5, "gradient_accumulation_steps": 3}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "learning_rate": 0.01}),
    ("RMSprop", {"centered": True, "rho": 0.8}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "epsilon": 1e-4}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    ("Adam", {"learning_rate": 0.05, "amsgrad": True, "beta_2": 0.5}),
    ("Adam", {"learning_rate": DECAY, "clipnorm": 1.0}),
    ("Adam", {"weight_decay": 0.01, "global_clipnorm": 0.5}),
    (
        "Adam",
        {
            "learning_rate": 0.01,
            "use_ema": True,
            "ema_overwrite_frequency": 2,
            "gradient_accumulation_steps": 2,
            "loss_scale_factor": 4.0,
        },
    ),
    ("AdamW", {}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1, "amsgrad": True}),
    ("Adamax", {}),
    ("Adamax", {"learning_rate": 0.1, "beta_2": 0.5}),
    ("Nadam", {}),
    ("Nadam", {"learning_rate": 0.1, "gradient_accumulation_steps": 2}),
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.0}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.9}),
    ("Ftrl", {}),
    (
        "Ftrl",
        {
            "learning_rate": 0.1,
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.1,
        },
    ),
    ("Lion", {}),
    ("Lion", {"learning_rate": 0.01, "weight_decay": 0.1}),
    ("Lamb", {}),
    ("Lamb", {"learning_rate": 0.1}),
    ("Adafactor", {}),
    ("Adafactor", {"learning_rate": 0.5, "clip_threshold": 0.5, "beta_2_decay": -0.5}),
    ("Adafactor", {"learning_rate": 0.5, "relative_step": False, "epsilon_2": 0.1}),
    ("Adafactor", {"learning_rate": DECAY, "weight_decay": 0.01}),
    ("Muon", {"learning_rate": 0.1}),
    ("Muon", {"learning_rate": 0.1, "nesterov": False, "ns_steps": 3, "rms_rate": None}),
    ("Muon", {"learning_rate": 0.1, "weight_decay": None, "adam_lr_ratio": 0.5}),
    ("Muon", {"learning_rate": 0.1, "exclude_layers": ["."], "adam_weight_decay": 0.1}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.1, "warmup_steps": 3, "beta_1": 0.8}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.1, "weight_decay": 0.1}),
]

SCHEDULES = [
    ("ExponentialDecay", [0.1, 10, 0.9]),
    ("ExponentialDecay", [0.1, 10, 0.9, True]),
    ("InverseTimeDecay", [0.1, 10, 0.5]),
    ("InverseTimeDecay", [0.1, 10, 0.5, True]),
    ("PiecewiseConstantDecay", [[5, 20], [0.1, 0.05, 0.01]]),
    ("PolynomialDecay", [0.1, 20]),
    ("PolynomialDecay", [0.1, 20, 0.01, 2.0]),
    ("PolynomialDecay", [0.1, 20, 0.01, 0.5, True]),
    ("CosineDecay", [0.1, 20]),
    ("CosineDecay", [0.1, 20, 0.1]),
    ("CosineDecay", [0.01, 20, 0.1, "warm", 0.1, 5]),
    ("CosineDecayRestarts", [0.1, 7]),
    ("CosineDecayRestarts", [0.1, 7, 1.0, 0.5, 0.1]),
    ("CosineDecayRestarts", [0.1, 7, 1.5, 0.9]),
]
SCHEDULE_STEPS = [0, 1, 4, 5, 6, 10, 19, 20, 21, 33, 50]


def run(class_name, options, start, gradients):
    optimizer = keras.saving.deserialize_keras_object(
        {"module": "keras.optimizers", "class_name": class_name, "config": dict(options)}
    )
    kernel, bias = (keras.Variable(value) for value in start)
    weights = []
    for pair in zip(*gradients, strict=True):
        optimizer.apply(list(pair), [kernel, bias])
        weights.append(np.concatenate([np.ravel(kernel), np.ravel(bias)]))
    state = np.concatenate([np.ravel(variable) for variable in optimizer.variables])
    return np.array(weights), state.astype("float32")


def main():
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype("float32") for shape in ((4, 3), (3,))]
    gradients = [rng.normal(size=(STEPS, *s.shape)).astype("float32") for s in start]
    arrays = {
        "cases": json.dumps(CASES),
        "schedules": json.dumps(SCHEDULES),
        "schedule_steps": SCHEDULE_STEPS,
        "kernel": start[0],
        "bias": start[1],
        "kernel_gradients": gradients[0],
        "bias_gradients": gradients[1],
    }
    for i, (class_name, options) in enumerate(CASES):
        arrays[f"weights/{i}"], arrays[f"state/{i}"] = run(class_name, options, start, gradients)
    for i, (class_name, arguments) in enumerate(SCHEDULES):
        schedule = getattr(keras.optimizers.schedules, class_name)(*arguments)
        arrays[f"schedule/{i}"] = [float(schedule(step)) for step in SCHEDULE_STEPS]
    np.savez_compressed(Path(__file__).with_name("optimizers.npz"), **arrays)


if __name__ == "__main__":
    main()
