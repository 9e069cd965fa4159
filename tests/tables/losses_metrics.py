"""Rows for losses, metrics and activations: what real Keras was asked, and layerkit is too.

`tests/golden/make_losses_metrics_golden.py` runs these rows in Keras and keeps its answers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BATCH, CLASSES = 6, 4


def data(kind: str, step: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Targets and predictions of a kind; `step` numbers the batches of a stream."""
    random = np.random.default_rng([step, *kind.encode()])
    shape = (BATCH, CLASSES)
    scores = random.standard_normal(shape).astype("float32")
    probabilities = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    labels = random.integers(0, CLASSES, BATCH)
    binary = random.integers(0, 2, shape)
    positive = (np.abs(random.standard_normal(shape)) + 0.1).astype("float32")
    mask = (random.random((BATCH, 5, 5)) * 3).astype("int32")
    return {
        "real": (random.standard_normal(shape).astype("float32") * 2, scores),
        "positive": (positive, np.abs(scores) + 0.1),
        "column": (random.standard_normal(BATCH).astype("float32"), scores[:, :1]),
        "binary": (binary, 1 / (1 + np.exp(-scores))),
        "binary logits": (binary, scores),
        "binary column": (binary[:, 0], 1 / (1 + np.exp(-scores[:, :1]))),
        "signs": (2 * binary - 1, scores),
        "one-hot": (np.eye(CLASSES, dtype="float32")[labels], probabilities),
        "one-hot logits": (np.eye(CLASSES, dtype="float32")[labels], scores),
        "labels": (labels, probabilities),
        "labels logits": (labels, scores),
        "label column": (labels[:, None], probabilities),
        "distribution": (np.flip(probabilities, 1).copy(), probabilities),
        "sequence": (
            random.integers(0, CLASSES, (BATCH, 3)),
            random.random((BATCH, 3, CLASSES)).astype("float32") + 0.1,
        ),
        "equal": (labels, random.integers(0, CLASSES, BATCH)),
        "sentences": (
            np.array([[1, 2, 0], [2, 2, 0], [3, 1, 2], [1, 0, 0], [0, 0, 0], [3, 3, 3]]),
            np.random.default_rng([step, 7]).standard_normal((BATCH, 6, CLASSES)).astype("float32"),
        ),
        "embeddings": (
            np.array([0, 1, 0, 2, 1, 0]),
            (scores / np.linalg.norm(scores, axis=1, keepdims=True)).astype("float32"),
        ),
        "regions": (mask, np.flip(mask, 1).copy()),
    }[kind]


def weights(step: int = 0) -> np.ndarray:
    return np.random.default_rng([99, step]).random(BATCH).astype("float32") + 0.5


LOSSES: list[tuple[str, dict[str, Any], str]] = [
    ("MeanSquaredError", {}, "real"),
    ("MeanSquaredError", {}, "column"),
    ("MeanSquaredError", {"reduction": "sum"}, "real"),
    ("MeanSquaredError", {"reduction": "mean"}, "real"),
    ("MeanSquaredError", {"reduction": "mean_with_sample_weight"}, "real"),
    ("MeanSquaredError", {"reduction": None}, "real"),
    ("MeanSquaredError", {"reduction": "none"}, "column"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("Huber", {}, "real"),
    ("Huber", {"delta": 0.3}, "real"),
    ("LogCosh", {}, "real"),
    ("CosineSimilarity", {}, "real"),
    ("CosineSimilarity", {"axis": 0}, "real"),
    ("Hinge", {}, "signs"),
    ("Hinge", {}, "binary logits"),
    ("SquaredHinge", {}, "signs"),
    ("CategoricalHinge", {}, "one-hot"),
    ("KLDivergence", {}, "distribution"),
    ("Poisson", {}, "positive"),
    ("BinaryCrossentropy", {}, "binary"),
    ("BinaryCrossentropy", {}, "binary column"),
    ("BinaryCrossentropy", {"from_logits": True}, "binary logits"),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, "binary"),
    ("BinaryFocalCrossentropy", {}, "binary"),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.3}, "binary"),
    ("BinaryFocalCrossentropy", {"from_logits": True, "gamma": 3.0}, "binary logits"),
    ("CategoricalCrossentropy", {}, "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one-hot logits"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one-hot"),
    ("CategoricalFocalCrossentropy", {}, "one-hot"),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "gamma": 1.5}, "one-hot logits"),
    ("SparseCategoricalCrossentropy", {}, "labels"),
    ("SparseCategoricalCrossentropy", {}, "label column"),
    ("SparseCategoricalCrossentropy", {}, "sequence"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels logits"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "labels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1, "reduction": "sum"}, "sequence"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.4}, "labels"),
    ("Dice", {}, "binary"),
    ("Dice", {"axis": (1,)}, "binary"),
    ("Tversky", {"alpha": 0.3, "beta": 0.7}, "binary"),
    ("CTC", {}, "sentences"),
    ("CTC", {"reduction": "sum"}, "sentences"),
    ("Circle", {"gamma": 4.0}, "embeddings"),
    ("Circle", {"gamma": 4.0, "margin": 0.2, "remove_diagonal": False}, "embeddings"),
    ("Circle", {"gamma": 4.0, "reduction": "mean_with_sample_weight"}, "embeddings"),
]

METRICS: list[tuple[str, dict[str, Any], str]] = [
    ("Accuracy", {}, "equal"),
    ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.3}, "binary column"),
    ("CategoricalAccuracy", {}, "one-hot"),
    ("SparseCategoricalAccuracy", {}, "labels"),
    ("SparseCategoricalAccuracy", {}, "label column"),
    ("SparseCategoricalAccuracy", {}, "sequence"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one-hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "labels"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "sequence"),
    ("MeanSquaredError", {}, "real"),
    ("MeanSquaredError", {}, "column"),
    ("RootMeanSquaredError", {}, "real"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("CosineSimilarity", {}, "real"),
    ("LogCoshError", {}, "real"),
    ("Hinge", {}, "signs"),
    ("SquaredHinge", {}, "signs"),
    ("CategoricalHinge", {}, "one-hot"),
    ("KLDivergence", {}, "distribution"),
    ("Poisson", {}, "positive"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "binary"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one-hot logits"),
    ("SparseCategoricalCrossentropy", {}, "labels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "labels"),
    ("TruePositives", {}, "binary"),
    ("TrueNegatives", {"thresholds": [0.7, 0.2]}, "binary"),
    ("FalsePositives", {"thresholds": 0.4}, "binary"),
    ("FalseNegatives", {"thresholds": [0.2, 0.5, 0.6]}, "binary"),
    ("Precision", {}, "binary"),
    ("Precision", {"top_k": 2}, "binary"),
    ("Precision", {"class_id": 1, "thresholds": 0.4}, "binary"),
    ("Recall", {}, "binary column"),
    ("Recall", {"thresholds": [0.1, 0.6]}, "binary"),
    ("Recall", {"top_k": 2, "class_id": 2}, "binary"),
    ("AUC", {}, "binary"),
    ("AUC", {}, "binary column"),
    ("AUC", {"curve": "PR"}, "binary"),
    ("AUC", {"curve": "PRGAIN"}, "binary"),
    ("AUC", {"curve": "PR", "summation_method": "majoring"}, "binary"),
    ("AUC", {"summation_method": "minoring", "num_thresholds": 20}, "binary"),
    ("AUC", {"thresholds": [0.1, 0.35, 0.6]}, "binary"),
    ("AUC", {"multi_label": True}, "binary"),
    ("AUC", {"multi_label": True, "curve": "PR", "label_weights": [1.0, 2, 0, 1]}, "binary"),
    ("AUC", {"label_weights": [1.0, 2, 0, 1]}, "binary"),
    ("AUC", {"from_logits": True}, "binary logits"),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, "binary"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.4}, "binary"),
    ("PrecisionAtRecall", {"recall": 0.5}, "binary"),
    ("RecallAtPrecision", {"precision": 0.5, "class_id": 1}, "binary"),
    ("F1Score", {}, "one-hot"),
    ("F1Score", {"average": "macro", "threshold": 0.4}, "binary"),
    ("FBetaScore", {"average": "micro", "beta": 2.0}, "one-hot"),
    ("FBetaScore", {"average": "weighted", "beta": 0.5}, "one-hot"),
    ("PearsonCorrelation", {}, "real"),
    ("PearsonCorrelation", {"axis": 0}, "real"),
    ("ConcordanceCorrelation", {}, "real"),
    ("ConcordanceCorrelation", {"axis": 0}, "real"),
    ("ConcordanceCorrelation", {}, "positive"),
    ("R2Score", {}, "real"),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, "real"),
    ("R2Score", {"class_aggregation": None, "num_regressors": 2}, "real"),
    ("MeanIoU", {"num_classes": 3}, "regions"),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 1}, "regions"),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, "regions"),
    ("BinaryIoU", {"threshold": 0.4}, "binary"),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [1, 3]}, "one-hot"),
    ("OneHotMeanIoU", {"num_classes": 4}, "one-hot"),
]

PLAIN_ACTIVATIONS = [
    "linear",
    "exponential",
    "relu",
    "leaky_relu",
    "relu6",
    "softmax",
    "log_softmax",
    "elu",
    "celu",
    "selu",
    "softplus",
    "softsign",
    "squareplus",
    "sparse_plus",
    "silu",
    "gelu",
    "glu",
    "mish",
    "tanh",
    "tanh_shrink",
    "hard_tanh",
    "sigmoid",
    "log_sigmoid",
    "hard_sigmoid",
    "sparse_sigmoid",
    "hard_silu",
    "soft_shrink",
    "hard_shrink",
    "swish",
    "hard_swish",
]

ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    *[(name, {}) for name in PLAIN_ACTIVATIONS],
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 1.0}),
    ("relu", {"threshold": 0.5}),
    ("relu", {"negative_slope": 0.2, "max_value": 1.5, "threshold": 0.3}),
    ("softmax", {"axis": 0}),
    ("gelu", {"approximate": True}),
    ("elu", {"alpha": 0.5}),
    ("threshold", {"threshold": 0.2, "default_value": -3.0}),
    ("glu", {"axis": 0}),
]


def key(*row: Any) -> str:
    """A row's name in the file of Keras's answers."""
    return " ".join(str(part) for part in row)


def takes_weights(name: str, options: dict[str, Any], kind: str) -> bool:
    """Whether Keras takes one weight per sample: not for losses over the batch, nor per pixel."""
    whole = name in ("Dice", "Tversky") or "IoU" in name or options.get("axis") == 0
    return not whole and not (kind == "sequence" and name.endswith("Crossentropy"))


def activation_input() -> np.ndarray:
    return np.linspace(-4, 4, 24, dtype="float32").reshape(6, 4) + 0.01
