"""Trainings: models of one and two outputs, what they are compiled with and fed with.

`tests/golden/make_training_golden.py` runs these rows in real Keras, `test_outputs.py` here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

RANDOM = np.random.default_rng(11)
N = 10
X = RANDOM.standard_normal((N, 4)).astype("float32")
A = RANDOM.standard_normal((N, 2)).astype("float32")  # targets of the output a
B = RANDOM.integers(0, 3, N)  # of the output b
HOT = np.eye(3, dtype="float32")[B]
W = np.linspace(0, 2, N).astype("float32")
V = np.linspace(1.5, 0.5, N).astype("float32")
IDS = RANDOM.integers(1, 6, (N, 5)) * (np.arange(5) < RANDOM.integers(1, 6, (N, 1)))  # 0: padding
TAGS = RANDOM.integers(0, 3, (N, 5))

# Initial weights: of the layers a and b; of a layer; of an embedding and a layer.
WEIGHTS = {
    "two": [(4, 2), (2,), (4, 3), (3,)],
    "one": [(4, 3), (3,)],
    "sequence": [(6, 4), (4, 3), (3,)],
}


def initial_weights(kind: str) -> list[np.ndarray]:
    random = np.random.default_rng(5)
    return [random.standard_normal(shape).astype("float32") for shape in WEIGHTS[kind]]


MSE, SPARSE = "mse", "sparse_categorical_crossentropy"


class Row(NamedTuple):
    """One training. `model`: 'list' has the output names a and b, 'dict' those keys, 'tuple' no
    names; 'one' has one output, 'sequence' a masked one. `fit` may be a function of the library."""

    name: str
    model: str
    compile: dict[str, Any]
    fit: Any
    evaluate: dict[str, Any]

    def __str__(self) -> str:
        return self.name


LIST = {"x": X, "y": [A, B]}
DICT = {"x": X, "y": {"a": A, "b": B}}
ONE = {"x": X, "y": B}
SEQUENCE = {"x": IDS, "y": TAGS}
BOTH = {"loss": [MSE, SPARSE]}
BY_NAME = {"loss": {"a": MSE, "b": SPARSE}}


def dataset(library: Any, **options: Any) -> Any:
    class Batches(library.utils.PyDataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> Any:
            rows = slice(4 * index, 4 * index + 4)
            return X[rows], B[rows]

    return Batches(**options)


def forever() -> Any:
    while True:
        for start in 0, 3, 6:
            yield X[start : start + 4], B[start : start + 4], W[start : start + 4]


ROWS = [
    Row("lists", "list", {**BOTH, "metrics": [["mae", "mse"], ["accuracy"]]}, LIST, LIST),
    Row("weights", "list", {**BOTH, "loss_weights": [2.0, 0.25]}, LIST, LIST),
    Row("names", "list", {**BY_NAME, "loss_weights": {"b": 3, "a": 0.5}}, DICT, DICT),
    Row("single metrics", "list", {**BOTH, "metrics": {"b": "accuracy"}}, LIST, LIST),
    Row("keys", "dict", {**BY_NAME, "metrics": {"a": ["mae"], "b": ["accuracy"]}}, DICT, DICT),
    Row("list of keys", "dict", {**BOTH, "metrics": [["mae"], ["accuracy"]]}, DICT, DICT),
    Row("no names", "tuple", {**BOTH, "metrics": [["mae"], ["accuracy"]]}, LIST, LIST),
    Row(
        "one loss for all",
        "list",
        {"loss": "mse", "metrics": ["mae", "categorical_accuracy"]},
        {"x": X, "y": [A, HOT]},
        {"x": X, "y": [A, HOT]},
    ),
    Row("no loss", "list", {"loss": [None, SPARSE], "metrics": [["mae"], None]}, LIST, LIST),
    Row("no target", "list", {"loss": [None, SPARSE]}, {"x": X, "y": [B]}, {"x": X, "y": [B]}),
    Row(
        "weighted metrics",
        "dict",
        {
            **BY_NAME,
            "metrics": {"a": ["mae"], "b": ["accuracy"]},
            "weighted_metrics": {"a": ["mae"], "b": ["accuracy"]},
        },
        {**DICT, "sample_weight": {"a": W, "b": V}},
        {**DICT, "sample_weight": {"a": V, "b": W}},
    ),
    Row(
        "a weight by row",
        "list",
        {**BOTH, "weighted_metrics": [["mse"], ["accuracy"]]},
        {**LIST, "sample_weight": W},
        {**LIST, "sample_weight": V},
    ),
    Row(
        "validation",
        "list",
        {**BOTH, "metrics": [["mae"], ["accuracy"]]},
        {**LIST, "validation_data": (X[:6], [A[:6], B[:6]], V[:6]), "validation_batch_size": 5},
        LIST,
    ),
    Row("validation split", "list", {**BOTH}, {**LIST, "validation_split": 0.3}, LIST),
    Row("same names", "one", {"loss": SPARSE, "metrics": ["accuracy"] * 2}, ONE, ONE),
    Row(
        "class weights",
        "one",
        {"loss": SPARSE, "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]},
        {**ONE, "class_weight": {0: 3.0, 2: 0.5}},
        ONE,
    ),
    Row("mask", "sequence", {"loss": SPARSE, "metrics": ["accuracy"]}, SEQUENCE, SEQUENCE),
    Row(
        "mask and weights",
        "sequence",
        {"loss": SPARSE, "weighted_metrics": ["accuracy"]},
        # (In one batch: on PyTorch, Keras's loss multiplies its mask into the weights in place.)
        {**SEQUENCE, "sample_weight": np.outer(W, np.ones(5, "float32")), "batch_size": N},
        SEQUENCE,
    ),
    Row("steps", "one", {"loss": SPARSE}, {**ONE, "steps_per_epoch": 2}, ONE),
    Row(
        "steps without a batch size",
        "one",
        {"loss": SPARSE},
        {**ONE, "batch_size": None, "steps_per_epoch": 3},
        {**ONE, "batch_size": None, "steps": 2},
    ),
    Row(
        "validation steps",
        "one",
        {"loss": SPARSE},
        {**ONE, "validation_data": (X, B), "validation_steps": 2},
        {**ONE, "steps": 2},
    ),
    Row("PyDataset", "one", {"loss": SPARSE}, lambda lib: {"x": dataset(lib)}, ONE),
    Row(
        "weighted PyDataset",
        "one",
        {"loss": SPARSE, "weighted_metrics": ["accuracy"]},
        lambda lib: {"x": dataset(lib), "class_weight": {1: 4.0}},
        ONE,
    ),
    Row(
        "generator",
        "one",
        {"loss": SPARSE, "metrics": ["accuracy"]},
        lambda lib: {"x": forever(), "steps_per_epoch": 2},
        ONE,
    ),
]


def fit_arguments(row: Row, library: Any) -> dict[str, Any]:
    """What `fit` is given; batches of 4 rows where `x` is an array."""
    given = row.fit(library) if callable(row.fit) else row.fit
    options: dict[str, Any] = {"epochs": 3, "verbose": 0, "shuffle": False}
    if isinstance(given["x"], np.ndarray):
        options["batch_size"] = 4
    return {**options, **given}


def evaluate_arguments(row: Row) -> dict[str, Any]:
    return {"batch_size": 4, "verbose": 0, **row.evaluate}
