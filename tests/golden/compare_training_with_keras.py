"""Random losses, metrics, optimizers and trainings in real Keras and in layerkit: what differs.

Run it where both can be imported, Keras with JAX (or, all but the trainings, with NumPy):

    KERAS_BACKEND=jax python tests/golden/compare_training_with_keras.py [--seed N] [--rounds N]
        [--only NAME]

A round draws one case of each row of `ROWS`. Each case is a function of a library: of Keras, then
of layerkit. It gives numbers by name, which must be the same, or both libraries must refuse.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import keras  # noqa: E402
import numpy as np  # noqa: E402
from compare_ops_with_keras import Draw  # noqa: E402
from tables import losses_metrics  # noqa: E402

import layerkit  # noqa: E402

# Findings where Keras is the wrong one, or which are no fault: (row, name of the number): reason.
KNOWN: dict[tuple[str, str], str] = {
    ("metrics.BinaryCrossentropy", "refusal"): "Keras squeezes (batch, 1) in the loss only",
    ("metrics.SparseCategoricalCrossentropy", "refusal"): "Keras fails on a weight per sample of "
    "sequences beside a class to ignore",
    ("losses.SparseCategoricalCrossentropy", "refusal"): "Keras takes no weight per sequence",
    **{
        ("regularizers.OrthogonalRegularizer", what): "Keras divides rows by the columns' lengths"
        for what in ("refusal", "value")
    },
}

Case = Callable[[Any], dict[str, Any]]
ROWS: dict[str, Callable[[Draw], tuple[str, Case]]] = {}


def row(name: str) -> Callable:
    def add(draw_case: Callable[[Draw], tuple[str, Case]]) -> Callable:
        ROWS[name] = draw_case
        return draw_case

    return add


def some(d: Draw, options: dict[str, Any], chance: float = 0.4) -> dict[str, Any]:
    """Each of the options, perhaps."""
    return {name: value for name, value in options.items() if d.flip(chance)}


def numbers(x: Any) -> Any:
    """A tensor of either library as an array."""
    return np.asarray(keras.ops.convert_to_numpy(x) if not hasattr(x, "numpy") else x.numpy())


# ---- Losses, metrics -----------------------------------------------------------------------------

_LOGITS = {"from_logits": lambda d: d.flip()}
_SMOOTH = {"label_smoothing": lambda d: d.number(0, 0.5)}
_FOCAL = {"gamma": lambda d: d.number(0, 3), "alpha": lambda d: d.number(0.1, 0.9)}
LOSSES: dict[str, tuple[list[str], dict[str, Callable[[Draw], Any]]]] = {
    "MeanSquaredError": (["real", "column"], {}),
    "MeanAbsoluteError": (["real", "column"], {}),
    "MeanAbsolutePercentageError": (["real"], {}),
    "MeanSquaredLogarithmicError": (["positive"], {}),
    "Huber": (["real", "column"], {"delta": lambda d: d.number(0.1, 2)}),
    "LogCosh": (["real"], {}),
    "CosineSimilarity": (["real"], {"axis": lambda d: d.one(-1, 1)}),
    "Hinge": (["signs", "binary logits"], {}),
    "SquaredHinge": (["signs", "binary logits"], {}),
    "CategoricalHinge": (["one-hot"], {}),
    "KLDivergence": (["distribution"], {}),
    "Poisson": (["positive"], {}),
    "BinaryCrossentropy": (["binary", "binary column", "binary logits"], {**_LOGITS, **_SMOOTH}),
    "BinaryFocalCrossentropy": (
        ["binary", "binary logits"],
        {**_LOGITS, **_SMOOTH, **_FOCAL, "apply_class_balancing": lambda d: d.flip()},
    ),
    "CategoricalCrossentropy": (
        ["one-hot", "one-hot logits"],
        {**_LOGITS, **_SMOOTH, "axis": lambda d: d.one(-1, 1)},
    ),
    "CategoricalFocalCrossentropy": (
        ["one-hot", "one-hot logits"],
        {**_LOGITS, **_SMOOTH, **_FOCAL},
    ),
    "SparseCategoricalCrossentropy": (
        ["labels", "labels logits", "label column", "sequence"],
        {**_LOGITS, "ignore_class": lambda d: d.one(None, 1, 0)},
    ),
    "CategoricalGeneralizedCrossEntropy": (["labels"], {"q": lambda d: d.number(0.1, 0.9)}),
    "Dice": (["binary"], {"axis": lambda d: d.one(None, 1, (0, 1))}),
    "Tversky": (["binary"], {"alpha": lambda d: d.number(0, 1), "beta": lambda d: d.number(0, 1)}),
    "Circle": (["embeddings"], {"gamma": lambda d: d.number(1, 8)}),
}
_THRESHOLDS = {"thresholds": lambda d: d.one(None, 0.4, [0.2, 0.6], [0.5, 0.5])}
_PICKED = {"top_k": lambda d: d.one(None, 2), "class_id": lambda d: d.one(None, 1)}
_COUNTS = (["binary", "binary column"], _THRESHOLDS)
_AT = {"num_thresholds": lambda d: d.int(2, 30), "class_id": lambda d: d.one(None, 2)}
_AVERAGE = {
    "average": lambda d: d.one(None, "micro", "macro", "weighted"),
    "threshold": lambda d: d.one(None, 0.4),
}
METRICS: dict[str, tuple[list[str], dict[str, Callable[[Draw], Any]]]] = {
    "Accuracy": (["equal"], {}),
    "BinaryAccuracy": (["binary", "binary column"], {"threshold": lambda d: d.number(0.1, 0.9)}),
    "CategoricalAccuracy": (["one-hot"], {}),
    "SparseCategoricalAccuracy": (["labels", "label column", "sequence"], {}),
    "TopKCategoricalAccuracy": (["one-hot"], {"k": lambda d: d.int(1, 4)}),
    "SparseTopKCategoricalAccuracy": (["labels", "sequence"], {"k": lambda d: d.int(1, 4)}),
    **{
        name: LOSSES[name]
        for name in (
            *("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError"),
            *("MeanSquaredLogarithmicError", "CosineSimilarity", "Hinge", "SquaredHinge"),
            *("CategoricalHinge", "KLDivergence", "Poisson", "BinaryCrossentropy"),
            *("CategoricalCrossentropy", "SparseCategoricalCrossentropy"),
        )
    },
    "RootMeanSquaredError": (["real", "column"], {}),
    "LogCoshError": (["real"], {}),
    "TruePositives": _COUNTS,
    "TrueNegatives": _COUNTS,
    "FalsePositives": _COUNTS,
    "FalseNegatives": _COUNTS,
    "Precision": (["binary", "binary column"], _THRESHOLDS | _PICKED),
    "Recall": (["binary", "binary column"], _THRESHOLDS | _PICKED),
    "AUC": (
        ["binary", "binary column", "binary logits"],
        {
            "curve": lambda d: d.one("ROC", "PR", "PRGAIN"),
            "summation_method": lambda d: d.one("interpolation", "minoring", "majoring"),
            "num_thresholds": lambda d: d.int(2, 40),
            "multi_label": lambda d: d.flip(),
            **_LOGITS,
        },
    ),
    "SensitivityAtSpecificity": (["binary"], _AT | {"specificity": lambda d: d.number(0, 1)}),
    "SpecificityAtSensitivity": (["binary"], _AT | {"sensitivity": lambda d: d.number(0, 1)}),
    "PrecisionAtRecall": (["binary"], _AT | {"recall": lambda d: d.number(0, 1)}),
    "RecallAtPrecision": (["binary"], _AT | {"precision": lambda d: d.number(0, 1)}),
    "F1Score": (["one-hot", "binary"], _AVERAGE),
    "FBetaScore": (["one-hot", "binary"], _AVERAGE | {"beta": lambda d: d.number(0.2, 2)}),
    "PearsonCorrelation": (["real"], {"axis": lambda d: d.one(-1, 0)}),
    "ConcordanceCorrelation": (["real"], {"axis": lambda d: d.one(-1, 0)}),
    "R2Score": (
        ["real"],
        {
            "class_aggregation": lambda d: d.one(
                None, "uniform_average", "variance_weighted_average"
            ),
            "num_regressors": lambda d: d.int(0, 2),
        },
    ),
    "MeanIoU": (["regions"], {"ignore_class": lambda d: d.one(None, 1)}),
    "IoU": (["regions"], {"ignore_class": lambda d: d.one(None, 0)}),
    "BinaryIoU": (["binary"], {"threshold": lambda d: d.number(0.2, 0.8)}),
    "OneHotMeanIoU": (["one-hot"], {}),
}
_NEEDED = {
    "MeanIoU": {"num_classes": 3},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 4},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.4},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
}
_OF_WHOLE = {"Dice", "Tversky", "Circle", "R2Score"}


def drawn_options(d: Draw, table: dict, name: str) -> tuple[str, dict[str, Any]]:
    kinds, makers = table[name]
    options = {key: make(d) for key, make in makers.items() if d.flip()}
    return d.one(*kinds), _NEEDED.get(name, {}) | options


def drawn_weights(d: Draw, y: np.ndarray) -> Any:
    shapes = [y.shape[:1], (y.shape[0], 1)] + ([y.shape] if y.ndim == 2 else [])
    kind = d.one("none", "none", "single", "single", "zeros")
    if kind == "none":
        return None
    weights = d.array(d.one(*shapes), "single", low=0.2, high=2)
    return weights * 0 if kind == "zeros" else weights


def case_of_loss(d: Draw, name: str) -> tuple[str, Case]:
    kind, options = drawn_options(d, LOSSES, name)
    options |= some(
        d, {"reduction": d.one("sum", "mean", "none", None, "mean_with_sample_weight", "wrong")}
    )
    options |= some(d, {"dtype": d.one("float16", "float64")}, 0.15)
    y, p = losses_metrics.data(kind, d.int(0, 1000))
    weights = None if name in _OF_WHOLE else drawn_weights(d, y)
    half = d.flip(0.15)

    def case(library: Any) -> dict[str, Any]:
        loss = getattr(library.losses, name)(**options)
        again = remade(loss)
        given = library.ops.convert_to_tensor(p.astype("float16") if half else p)
        value = numbers(again(library.ops.convert_to_tensor(y), given, sample_weight=weights))
        wide = "float64" in str(options.get("dtype"))
        return {
            "value": value,
            "dtype": "float32" if wide else str(value.dtype),  # JAX has no 64 bits
            "config": plain(loss.get_config()),
        }

    return (
        f"{name}({options}) of {kind}, weights {None if weights is None else weights.shape}",
        case,
    )


def case_of_metric(d: Draw, name: str) -> tuple[str, Case]:
    kind, options = drawn_options(d, METRICS, name)
    first = d.int(0, 1000)
    batches = [losses_metrics.data(kind, first + step) for step in range(d.int(1, 3))]
    whole = name in _OF_WHOLE or "IoU" in name or options.get("axis") == 0
    # Keras broadcasts weights of other shapes against what they do not belong to.
    by_row = name in ("F1Score", "FBetaScore") or {"class_id", "top_k"} & options.keys()
    weights = [
        None
        if whole
        else drawn_weights(d, batch[0].reshape(len(batch[0]), -1)[:, 0] if by_row else batch[0])
        for batch in batches
    ]
    if by_row:
        weights = [w if w is None else w.reshape(len(w), -1)[:, 0] for w in weights]

    def case(library: Any) -> dict[str, Any]:
        metric = getattr(library.metrics, name)(**options)
        found: dict[str, Any] = {"config": plain(metric.get_config())}
        metric = type(metric).from_config(metric.get_config())
        for step, ((y, p), weight) in enumerate(zip(batches, weights, strict=True)):
            metric.update_state(y, p, sample_weight=weight)
            found[f"result {step}"] = numbers(metric.result())
        found["variables"] = len(metric.variables)
        metric.reset_state()
        found["reset"] = numbers(metric.result())
        return found

    shapes = [None if w is None else w.shape for w in weights]
    return f"{name}({options}) of {kind} from {first}, weights {shapes}", case


class Config(dict):
    """A config, in words that say the same in both libraries. Ours may say more: some of Keras's
    forget arguments, such as a loss's dtype and Huber's delta."""

    def __eq__(self, ours: object) -> bool:
        return isinstance(ours, dict) and self.items() <= ours.items()


def remade(thing: Any) -> Any:
    """What its config makes; of Keras's, which forget arguments, the thing itself."""
    ours = type(thing).__module__.startswith("layerkit")
    return type(thing).from_config(thing.get_config()) if ours else thing


# Axes are left out where they are None: older Keras does not know them.
_NOT_COMPARED = {"module", "registered_name", "fn", "input_axes", "output_axes"}


def plain(config: dict[str, Any]) -> Config:
    words = {k: v for k, v in config.items() if k not in _NOT_COMPARED}
    return Config({k: repr(_plain_value(v)) for k, v in words.items()})


def _plain_value(x: Any) -> Any:
    if isinstance(x, dict):
        return sorted(plain(x).items())
    if isinstance(x, (list, tuple)):
        return [_plain_value(item) for item in x]
    return float(f"{x:.6g}") if isinstance(x, float) else x


for _name in LOSSES:
    ROWS[f"losses.{_name}"] = lambda d, name=_name: case_of_loss(d, name)
for _name in METRICS:
    ROWS[f"metrics.{_name}"] = lambda d, name=_name: case_of_metric(d, name)


# ---- Initializers, regularizers, constraints, schedules ------------------------------------------

_SCALED = {
    "scale": lambda d: d.number(0.2, 3),
    "mode": lambda d: d.one("fan_in", "fan_out", "fan_avg"),
    "distribution": lambda d: d.one("normal", "truncated_normal", "untruncated_normal", "uniform"),
}
_NORMAL = {"mean": lambda d: d.number(), "stddev": lambda d: d.number(0.1, 2)}
INITIALIZERS: dict[str, dict[str, Callable[[Draw], Any]]] = {
    "Zeros": {},
    "Ones": {},
    "Constant": {"value": lambda d: d.number()},
    "Identity": {"gain": lambda d: d.number(0.5, 2)},
    "RandomNormal": _NORMAL,
    "TruncatedNormal": _NORMAL,
    "RandomUniform": {"minval": lambda d: d.number(-2, 0), "maxval": lambda d: d.number(0.1, 2)},
    "Orthogonal": {"gain": lambda d: d.number(0.5, 2)},
    "VarianceScaling": _SCALED,
    **{n: {} for n in ("GlorotUniform", "GlorotNormal", "HeNormal", "HeUniform", "LecunNormal")},
}


def case_of_initializer(d: Draw, name: str) -> tuple[str, Case]:
    options = {key: make(d) for key, make in INITIALIZERS[name].items() if d.flip(0.7)}
    shape = (60, 60) if name == "Identity" else d.one((60, 70), (3, 3, 20, 30), (80, 3, 30))
    dtype = d.one("float32", "float32", "float16")

    def case(library: Any) -> dict[str, Any]:
        initializer = getattr(library.initializers, name)(**options)
        again = remade(initializer)
        x = numbers(again(shape, dtype=dtype))
        flat = x.astype("float64").reshape(-1, shape[-1])
        found = {"dtype": str(x.dtype), "shape": x.shape, "config": plain(initializer.get_config())}
        spread = flat.std()
        # Two samples of some thousand numbers: their spreads agree to a few hundredths.
        statistics = [flat.mean(), spread, *np.quantile(flat, [0.02, 0.25, 0.75, 0.98])]
        found["statistics"] = Near(statistics, 0.12, 0.06 * (spread or 1))
        if name == "Orthogonal":
            gram = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
            found["gram"] = Near(gram, 1e-2, 1e-2)
        return found

    return f"{name}({options}) of {shape}", case


class Near:
    """Numbers that are compared with a tolerance of their own."""

    def __init__(self, values: Any, rtol: float, atol: float):
        self.values, self.rtol, self.atol = np.asarray(values), rtol, atol

    def __repr__(self) -> str:
        return str(self.values.tolist())


REGULARIZERS = {
    "L1": {"l1": lambda d: d.number(0, 1)},
    "L2": {"l2": lambda d: d.number(0, 1)},
    "L1L2": {"l1": lambda d: d.number(0, 1), "l2": lambda d: d.number(0, 1)},
    "OrthogonalRegularizer": {
        "factor": lambda d: d.number(0, 1),
        "mode": lambda d: d.one("rows", "columns", "wrong"),
    },
}
CONSTRAINTS = {
    "MaxNorm": {"max_value": lambda d: d.number(0.5, 3), "axis": lambda d: d.one(0, 1, [0, 1])},
    "NonNeg": {},
    "UnitNorm": {"axis": lambda d: d.one(0, 1, [0, 1])},
    "MinMaxNorm": {
        "min_value": lambda d: d.number(0, 1),
        "max_value": lambda d: d.number(1, 3),
        "rate": lambda d: d.number(0, 1),
        "axis": lambda d: d.one(0, 1),
    },
}


def case_of_function(d: Draw, module: str, name: str, makers: dict) -> tuple[str, Case]:
    options = {key: make(d) for key, make in makers.items() if d.flip(0.7)}
    x = d.array(d.one((4, 5), (3, 2)), "single")

    def case(library: Any) -> dict[str, Any]:
        thing = getattr(getattr(library, module), name)(**options)
        again = type(thing).from_config(thing.get_config())
        value = again(library.ops.convert_to_tensor(x))
        return {"value": numbers(value), "config": plain(thing.get_config())}

    return f"{name}({options})", case


for _name in INITIALIZERS:
    ROWS[f"initializers.{_name}"] = lambda d, name=_name: case_of_initializer(d, name)
for _module, _table in (("regularizers", REGULARIZERS), ("constraints", CONSTRAINTS)):
    for _name, _makers in _table.items():
        ROWS[f"{_module}.{_name}"] = lambda d, m=_module, n=_name, o=_makers: case_of_function(
            d, m, n, o
        )


def drawn_schedule(d: Draw, name: str | None = None) -> tuple[str, dict[str, Any]]:
    name = name or d.one(*SCHEDULES)
    rate, steps = d.number(0.001, 0.1), d.int(2, 30)
    decay = {"initial_learning_rate": rate, "decay_steps": steps}
    staircase = {"decay_rate": d.number(0.3, 0.99), "staircase": d.flip()}
    return name, {
        "ExponentialDecay": decay | staircase,
        "InverseTimeDecay": decay | staircase,
        "PolynomialDecay": decay
        | {"end_learning_rate": 0.001, "power": d.number(0.5, 2), "cycle": d.flip()},
        "PiecewiseConstantDecay": {
            "boundaries": sorted([d.int(1, 5), d.int(6, 20)]),
            "values": [d.number(0.01, 0.1) for _ in range(3)],
        },
        "CosineDecay": decay
        | {"alpha": d.number(0, 0.5)}
        | d.one({}, {"warmup_target": d.number(0.1, 0.2), "warmup_steps": d.int(0, 5)}),
        "CosineDecayRestarts": {
            "initial_learning_rate": rate,
            "first_decay_steps": steps,
            "t_mul": d.number(1, 2),
            "m_mul": d.number(0.5, 1),
            "alpha": d.number(0, 0.5),
        },
    }[name]


SCHEDULES = (
    *("ExponentialDecay", "InverseTimeDecay", "PolynomialDecay", "PiecewiseConstantDecay"),
    *("CosineDecay", "CosineDecayRestarts"),
)


def case_of_schedule(d: Draw, name: str) -> tuple[str, Case]:
    _, options = drawn_schedule(d, name)
    steps = [0, 1, *(d.int(1, 100) for _ in range(8))]

    def case(library: Any) -> dict[str, Any]:
        schedule = getattr(library.optimizers.schedules, name)(**options)
        again = type(schedule).from_config(schedule.get_config())
        values = [float(numbers(again(step))) for step in steps]
        return {"values": Near(values, 1e-4, 1e-7), "config": plain(schedule.get_config())}

    return f"{name}({options}) at {steps}", case


for _name in SCHEDULES:
    ROWS[f"schedules.{_name}"] = lambda d, name=_name: case_of_schedule(d, name)


# ---- Optimizers ----------------------------------------------------------------------------------

_BETAS = {"beta_1": lambda d: d.number(0.5, 0.95), "beta_2": lambda d: d.number(0.5, 0.999)}
_EPSILON = {"epsilon": lambda d: d.one(1e-7, 1e-4, 1e-2)}
OPTIMIZERS: dict[str, dict[str, Callable[[Draw], Any]]] = {
    "SGD": {"momentum": lambda d: d.number(0, 0.95), "nesterov": Draw.flip},
    "RMSprop": {
        "rho": lambda d: d.number(0.5, 0.95),
        "momentum": lambda d: d.number(0, 0.9),
        "centered": Draw.flip,
        **_EPSILON,
    },
    "Adam": {**_BETAS, **_EPSILON, "amsgrad": Draw.flip},
    "AdamW": {**_BETAS, **_EPSILON, "amsgrad": Draw.flip},
    "Adamax": {**_BETAS, **_EPSILON},
    "Nadam": {**_BETAS, **_EPSILON},
    "Adagrad": {"initial_accumulator_value": lambda d: d.number(0.01, 0.5), **_EPSILON},
    "Adadelta": {"rho": lambda d: d.number(0.5, 0.95), **_EPSILON},
    "Ftrl": {
        "learning_rate_power": lambda d: d.number(-1, -0.3),
        "l1_regularization_strength": lambda d: d.number(0, 0.1),
        "l2_regularization_strength": lambda d: d.number(0, 0.1),
        "l2_shrinkage_regularization_strength": lambda d: d.number(0, 0.1),
        "beta": lambda d: d.number(0, 0.5),
    },
    "Lion": {"beta_1": lambda d: d.number(0.5, 0.95), "beta_2": lambda d: d.number(0.5, 0.99)},
    "Lamb": {**_BETAS, **_EPSILON},
    "Adafactor": {
        "beta_2_decay": lambda d: d.number(-0.9, -0.3),
        "clip_threshold": lambda d: d.number(0.3, 2),
        "relative_step": Draw.flip,
    },
}


def drawn_optimizer(d: Draw, name: str | None = None) -> tuple[str, dict[str, Any], Any]:
    """Its name, its options, and a schedule or None."""
    name = name or d.one(*OPTIMIZERS)
    options = {key: make(d) for key, make in OPTIMIZERS[name].items() if d.flip()}
    options |= {"learning_rate": d.number(0.001, 0.05)}
    options |= some(d, {"weight_decay": d.number(0, 0.1)}, 0.3)
    options |= d.one(
        *({},) * 3,
        {"clipnorm": d.number(0.1, 2)},
        {"global_clipnorm": d.number(0.1, 2)},
        {"clipvalue": d.number(0.01, 0.5)},
    )
    options |= d.one(
        *({},) * 3,
        {"use_ema": True, "ema_momentum": d.number(0.5, 0.95)},
        {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": d.int(1, 4)},
    )
    options |= some(d, {"loss_scale_factor": d.one(2.0, 64.0)}, 0.2)
    options |= some(d, {"gradient_accumulation_steps": d.int(2, 3)}, 0.25)
    return name, options, drawn_schedule(d) if d.flip(0.25) else None


def make_optimizer(library: Any, drawn: tuple[str, dict[str, Any], Any], spared: list[str]) -> Any:
    name, options, schedule = drawn
    if schedule is not None:
        rate = getattr(library.optimizers.schedules, schedule[0])(**schedule[1])
        options = options | {"learning_rate": rate}
    optimizer = getattr(library.optimizers, name)(**options)
    optimizer = type(optimizer).from_config(optimizer.get_config())
    if spared:
        optimizer.exclude_from_weight_decay(var_names=spared)
    return optimizer


def case_of_optimizer(d: Draw, name: str) -> tuple[str, Case]:
    drawn = drawn_optimizer(d, name)
    start = [d.array((4, 3), "single"), d.array((3,), "single")]
    gradients = [[d.array(w.shape, "single") for w in start] for _ in range(6)]
    spared = d.one([], [], ["bias"]) if "weight_decay" in drawn[1] else []

    def case(library: Any) -> dict[str, Any]:
        optimizer = make_optimizer(library, drawn, spared)
        variables = [
            library.Variable(w, name=n) for w, n in zip(start, ("kernel", "bias"), strict=True)
        ]
        found = {"config": plain(optimizer.get_config())}
        for step, pair in enumerate(gradients):
            optimizer.apply([library.ops.convert_to_tensor(g) for g in pair], variables)
            found |= {f"{v.name} after step {step}": numbers(v) for v in variables}
            found[f"rate after {step}"] = numbers(optimizer.learning_rate)
        optimizer.finalize_variable_values(variables)
        found |= {f"final {v.name}": numbers(v) for v in variables}
        found["variables"] = len(optimizer.variables)
        found["iterations"] = int(numbers(optimizer.iterations))
        return found

    return f"{drawn}, without decay of {spared}", case


for _name in OPTIMIZERS:
    ROWS[f"optimizers.{_name}"] = lambda d, name=_name: case_of_optimizer(d, name)


# ---- Trainings -----------------------------------------------------------------------------------

ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "silu", None, "elu")


def drawn_layers(d: Draw, kind: str) -> tuple[tuple[int, ...], list[tuple[str, tuple, dict]]]:
    """The shape of a sample, and layers before the heads: their names and arguments."""

    def dense() -> tuple:
        more = some(d, {"kernel_regularizer": d.one("l2", "l1", "L1L2"), "use_bias": False}, 0.2)
        more |= some(d, {"kernel_constraint": d.one("max_norm", "non_neg")}, 0.1)
        return ("Dense", (d.int(2, 5),), {"activation": d.one(*ACTIVATIONS)} | more)

    norm = d.one(
        [],
        [("BatchNormalization", (), {"momentum": 0.8})],
        [("LayerNormalization", (), {})],
    )
    if kind == "conv":
        conv = (
            "Conv2D",
            (3, 2),
            {"activation": d.one(*ACTIVATIONS), "padding": d.one("same", "valid")},
        )
        pool = d.one("MaxPooling2D", "AveragePooling2D")
        end = d.one("Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D")
        return (6, 5, 2), [conv, *norm, (pool, (2,), {}), (end, (), {})]
    if kind == "recurrent":
        cell = d.one("LSTM", "GRU", "SimpleRNN")
        return (4, 3), [(cell, (3,), {"go_backwards": d.flip(0.2)}), *norm]
    return (4,), [dense(), *norm, *([dense()] if d.flip() else [])]


HEADS = {
    "mse": (2, None, ["mae", "mse", "cosine_similarity"]),
    "mae": (1, None, ["mse"]),
    "huber": (2, None, ["mae"]),
    "binary_crossentropy": (1, "sigmoid", ["accuracy", "AUC", "Precision"]),
    "categorical_crossentropy": (3, "softmax", ["accuracy", "categorical_accuracy"]),
    "sparse_categorical_crossentropy": (
        3,
        "softmax",
        ["accuracy", "sparse_top_k_categorical_accuracy"],
    ),
    "poisson": (2, "softplus", ["mae"]),
}


def targets_for(d: Draw, loss: str, count: int) -> np.ndarray:
    units = HEADS[loss][0]
    if loss == "sparse_categorical_crossentropy":
        return d.random.integers(0, units, count)
    if loss == "categorical_crossentropy":
        return np.eye(units, dtype="float32")[d.random.integers(0, units, count)]
    if loss == "binary_crossentropy":
        return d.random.integers(0, 2, (count, 1)).astype("float32")
    return d.array((count, units), "single", low=0 if loss == "poisson" else -2, high=2)


def build(library: Any, shape: tuple, layers: list, losses: list[str]) -> Any:
    x = inputs = library.Input(shape)
    for name, args, options in layers:
        x = getattr(library.layers, name)(*args, **options)(x)
    heads = [
        library.layers.Dense(HEADS[loss][0], activation=HEADS[loss][1], name=f"head{i}")(x)
        for i, loss in enumerate(losses)
    ]
    return library.Model(inputs, heads if len(heads) > 1 else heads[0])


def drawn_callbacks(d: Draw) -> list[tuple[str, dict[str, Any]]]:
    monitor = d.one("loss", "loss", "val_loss")
    return d.one(
        *([],) * 3,
        [
            (
                "ReduceLROnPlateau",
                {
                    "monitor": monitor,
                    "factor": 0.5,
                    "patience": d.int(0, 1),
                    "min_delta": d.one(0, 10.0),
                    "cooldown": d.int(0, 1),
                },
            )
        ],
        [
            (
                "EarlyStopping",
                {
                    "monitor": monitor,
                    "patience": d.int(0, 1),
                    "min_delta": d.one(0, 10.0),
                    "restore_best_weights": d.flip(),
                    "start_from_epoch": d.int(0, 1),
                },
            )
        ],
        [("LearningRateScheduler", {"schedule": lambda epoch, rate: rate * 0.5 + 0.001 * epoch})],
        [("TerminateOnNaN", {})],
        [("SwapEMAWeights", {"swap_on_epoch": True})],
    )


def case_of_training(d: Draw, kind: str) -> tuple[str, Case]:
    count, several = d.int(9, 14), kind == "outputs"
    shape, layers = drawn_layers(d, kind)
    losses = [d.one(*HEADS) for _ in range(2 if several else 1)]
    drawn = drawn_optimizer(d)
    callbacks = drawn_callbacks(d)
    validated = d.one("none", "split", "data", "weighted data")
    x = d.array((count, *shape), "single", low=-2, high=2)
    if callbacks and callbacks[0][0] == "TerminateOnNaN" and d.flip():
        x[-1] = 1e38  # fit refuses nan here, but not what overflows
    ys = [targets_for(d, loss, count) for loss in losses]
    compiled: dict[str, Any] = {"loss": losses if several else losses[0]}
    chosen = [d.one(*HEADS[loss][2]) for loss in losses]
    if d.flip(0.7):
        compiled["metrics"] = [[m] for m in chosen] if several else chosen
    if d.flip(0.3):
        compiled["weighted_metrics"] = [[m] for m in chosen] if several else chosen
    if several and d.flip():
        compiled["loss_weights"] = [d.number(0.1, 2), d.number(0.1, 2)]
    compiled |= some(d, {"steps_per_execution": 2}, 0.15)
    fit: dict[str, Any] = {"batch_size": d.int(3, 6), "epochs": d.int(2, 3)}
    weight = d.array((count,), "single", low=0, high=2)
    if validated == "split":
        fit["validation_split"] = d.number(0.2, 0.4)
    elif "data" in validated:
        part = (x[:5], [y[:5] for y in ys] if several else ys[0][:5])
        fit["validation_data"] = part if validated == "data" else (*part, weight[:5])
        fit |= some(d, {"validation_batch_size": 2, "validation_freq": 2}, 0.3)
    if d.flip(0.3):
        fit["sample_weight"] = weight
    elif not several and d.flip(0.3) and losses[0].endswith("categorical_crossentropy"):
        fit["class_weight"] = {0: d.number(0.1, 2), 1: d.number(0.1, 2), 2: 1.0}
    fit |= some(d, {"initial_epoch": 1}, 0.1)
    spared = d.one([], [], ["bias"]) if drawn[1].get("weight_decay") else []
    seed = d.int(0, 10**6)

    def case(library: Any) -> dict[str, Any]:
        library.utils.clear_session()
        model = build(library, shape, layers, losses)
        random = np.random.default_rng(seed)
        model.set_weights([_weight(random, w) for w in model.get_weights()])
        model.compile(make_optimizer(library, drawn, spared), **compiled)
        made = [getattr(library.callbacks, name)(**options) for name, options in callbacks]
        history = model.fit(
            x, ys if several else ys[0], shuffle=False, verbose=0, callbacks=made, **fit
        ).history
        found: dict[str, Any] = {"logs": list(history)}
        found |= {f"history {name}": Near(values, 2e-4, 2e-5) for name, values in history.items()}
        found |= {f"weights {i}": Near(w, 1e-3, 1e-4) for i, w in enumerate(model.get_weights())}
        logs = model.evaluate(
            x, ys if several else ys[0], verbose=0, batch_size=4, return_dict=True
        )
        found |= {f"evaluate {k}": Near(v, 2e-4, 2e-5) for k, v in logs.items()}
        found["metrics_names"] = list(model.metrics_names)
        return found

    shown = {k: v for k, v in fit.items() if k not in ("validation_data", "sample_weight")}
    extra = [validated, "sample_weight" in fit, callbacks]
    return f"{layers} {compiled} {drawn} {shown} {extra} spared {spared}", case


def _weight(random: np.random.Generator, like: np.ndarray) -> np.ndarray:
    return (
        random.uniform(0.2, 0.8, like.shape) * random.choice([-1, 1], like.shape)
        + (1.0 if like.ndim == 1 else 0.0)
    ).astype("float32")


for _name in ("dense", "conv", "recurrent", "outputs"):
    ROWS[f"fit.{_name}"] = lambda d, kind=_name: case_of_training(d, kind)


# ---- The comparison ------------------------------------------------------------------------------


def _outcome(library: Any, case: Case) -> Any:
    try:
        return case(library)
    except Exception as error:
        return error


def compare(case: Case) -> list[tuple[str, str]]:
    """What differs: the name of a number and a sentence."""
    theirs, ours = _outcome(keras, case), _outcome(layerkit, case)
    refused = [isinstance(x, Exception) for x in (theirs, ours)]
    if all(refused):
        return []
    if any(refused):
        who, error = ("Keras", theirs) if refused[0] else ("layerkit", ours)
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = f"only {who} refuses: {type(error).__name__}: {str(error)[:300]} ({place.name})"
        return [("refusal", text)]
    found = [("names", f"{sorted(theirs)}, {sorted(ours)}")] if theirs.keys() != ours.keys() else []
    for name in theirs:
        if name in ours and not _same(theirs[name], ours[name]):
            found.append((name, f"{theirs[name]!r} in Keras, {ours[name]!r} here"))
    return found[:3]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Near):
        if a.values.shape != b.values.shape:
            return False
        return np.allclose(a.values, b.values, rtol=a.rtol, atol=a.atol, equal_nan=True)
    if isinstance(a, np.ndarray):
        half = "float16" in (str(a.dtype), str(b.dtype))
        tolerance = 5e-3 if half else 5e-5
        a, b = a.astype("float64"), b.astype("float64")
        if a.shape != b.shape:
            return False
        return np.allclose(a, b, rtol=tolerance, atol=tolerance / 5, equal_nan=True)
    return a == b


def differences(seed: int, rounds: int, only: str = "") -> Iterator[str]:
    """A sentence for each kind of difference of each row, beside those that are known."""
    told: set[str] = set()
    for number, (name, draw_case) in enumerate(ROWS.items()):
        for turn in range(rounds):
            if only and not any(name.startswith(wanted) for wanted in only.split(",")):
                continue
            text, case = draw_case(Draw(seed, number, turn))
            for what, sentence in compare(case):
                key = f"{name} {what.split()[0]}"
                if (name, what) not in KNOWN and key not in told:
                    told.add(key)
                    yield f"{name}: {text[:700]}\n    {what}: {sentence[:500]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", default="", help="how the rows' names begin, with commas")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    count = 0
    for sentence in differences(arguments.seed, arguments.rounds, arguments.only):
        print(sentence, flush=True)
        count += 1
    print(f"{count} differences from Keras {keras.__version__}")
    sys.exit(bool(count))


if __name__ == "__main__":
    main()
