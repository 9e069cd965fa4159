"""Images, texts and options of Keras 2's preprocessing; the golden script asks Keras for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from . import utils

WARPS: list[dict[str, Any]] = [
    {"theta": 30},
    {"tx": 1.3, "ty": -2.6},
    {"shear": 25},
    {"zx": 0.6, "zy": 1.7},
    {"theta": -130, "tx": 2, "ty": 3, "shear": 10, "zx": 1.4, "zy": 1.2},
    {"tx": 20, "ty": -31.5},
]
WARP_SETTINGS: list[dict[str, Any]] = [
    *({"fill_mode": mode} for mode in ("nearest", "constant", "reflect", "wrap")),
    {"fill_mode": "constant", "cval": 0.7},
    *({"fill_mode": mode, "order": 0} for mode in ("nearest", "constant", "reflect", "wrap")),
]
AXES: list[dict[str, Any]] = [
    {},
    {"row_axis": 0, "col_axis": 1, "channel_axis": 2},
    {"row_axis": 2, "col_axis": 1, "channel_axis": 0},
]
LAST = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
FUNCTIONS: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("random_rotation", [40], LAST),
    ("random_shift", [0.3, 0.2], {**LAST, "fill_mode": "wrap"}),
    ("random_shear", [30], {**LAST, "fill_mode": "constant", "cval": 2.0}),
    ("random_zoom", [(0.5, 1.5)], {**LAST, "interpolation_order": 0}),
    ("random_zoom", [(1, 1)], LAST),
    ("random_channel_shift", [0.4], {"channel_axis": 2}),
    ("random_brightness", [(0.5, 1.6)], {}),
    ("apply_brightness_shift", [1.4], {"scale": False}),
    ("apply_brightness_shift", [0.3], {}),
    ("apply_channel_shift", [-0.2], {"channel_axis": 2}),
]
GENERATORS: list[dict[str, Any]] = [
    {},
    {"rotation_range": 40, "width_shift_range": 0.2, "height_shift_range": 0.3},
    {"width_shift_range": 3, "height_shift_range": [1, 2, 4], "fill_mode": "reflect"},
    {"shear_range": 20, "zoom_range": 0.4, "fill_mode": "constant", "cval": 5.0},
    {"zoom_range": [0.5, 0.8], "horizontal_flip": True, "vertical_flip": True},
    {"channel_shift_range": 50.0, "brightness_range": (0.5, 1.5), "rescale": 1 / 255},
    {"featurewise_center": True, "featurewise_std_normalization": True},
    {"samplewise_center": True, "samplewise_std_normalization": True, "rescale": 0.5},
    {"zca_whitening": True, "featurewise_center": True, "zca_epsilon": 1e-3},
    {"rotation_range": 10, "data_format": "channels_first", "vertical_flip": True},
    {"rotation_range": 90, "interpolation_order": 0, "fill_mode": "wrap"},
]
FLOWS: list[dict[str, Any]] = [
    {"batch_size": 3, "seed": 4},
    {"batch_size": 3, "shuffle": False},
    {"batch_size": 2, "seed": 1, "subset": "training", "ignore_class_split": True},
    {"batch_size": 2, "subset": "validation", "ignore_class_split": True},
]
FROM_DIRECTORY: list[dict[str, Any]] = [
    {"batch_size": 2, "seed": 3},
    {"class_mode": "binary", "shuffle": False, "color_mode": "grayscale"},
    {"class_mode": "sparse", "classes": ["dogs", "cats"], "shuffle": False},
    {"class_mode": "input", "shuffle": False, "batch_size": 3},
    {"class_mode": None, "shuffle": False, "subset": "validation"},
    {"class_mode": "categorical", "shuffle": False, "subset": "training", "color_mode": "rgba"},
]
FROM_TABLE: list[dict[str, Any]] = [
    {"batch_size": 2, "seed": 3},
    {"class_mode": "sparse", "shuffle": False, "classes": ["b", "a"]},
    {"class_mode": "categorical", "y_col": "tags", "shuffle": False},
    {"class_mode": "categorical", "y_col": "tags", "shuffle": False, "classes": ["x", "y"]},
    {"class_mode": "raw", "y_col": "height", "shuffle": False, "weight_col": "weight"},
    {"class_mode": "raw", "y_col": ["height", "weight"], "shuffle": False},
    {"class_mode": "multi_output", "y_col": ["height", "weight"], "shuffle": False},
    {"class_mode": None, "shuffle": False, "subset": "training"},
    {"class_mode": "binary", "shuffle": False},
]
TABLE: dict[str, list[Any]] = {
    "filename": ["cats/a.png", "cats/z.png", "dogs/a.png", "dogs/b.png"],
    "class": ["a", "b", "b", "a"],
    "tags": [["x"], ["y", "x"], ["z"], ["y"]],
    "height": [1.5, 2.5, 3.5, 4.5],
    "weight": [1, 2, 3, 4],
}
TEXTS = [
    "The cat sat on the mat.",
    "The dog, the DOG & the cat!",
    "naïve mat\tdog_house; x",
    "",
]
TOKENIZERS: list[dict[str, Any]] = [
    {},
    {"num_words": 4},
    {"num_words": 4, "oov_token": "<oov>"},
    {"char_level": True, "oov_token": "?"},
    {"lower": False, "filters": "!.", "split": "t"},
]
SERIES: list[dict[str, Any]] = [
    {"length": 4, "batch_size": 3},
    {"length": 4, "sampling_rate": 2, "stride": 3, "batch_size": 2},
    {"length": 3, "start_index": 5, "end_index": 12, "reverse": True, "batch_size": 4},
    {"length": 2, "shuffle": True, "batch_size": 5},
]
SKIPGRAMS: list[dict[str, Any]] = [
    {},
    {"window_size": 1, "negative_samples": 0, "shuffle": False},
    {"categorical": True, "seed": 3, "window_size": 2},
    {"negative_samples": 0.5, "sampling_table": [0, 0.2, 0.9, 0.5, 1, 1, 1, 1]},
]
WORDS = [1, 3, 0, 2, 7, 3, 1]


def key(*row: Any) -> str:
    return json.dumps(row)


def image() -> np.ndarray:
    return np.random.default_rng(0).random((6, 9, 3)).astype("float32")


def images() -> np.ndarray:
    """Seven small pictures with values from 0 to 255."""
    return np.random.default_rng(1).uniform(0, 255, (7, 4, 5, 3)).astype("float32")


def batch_of(options: dict[str, Any]) -> np.ndarray:
    first = options.get("data_format") == "channels_first"
    return images().transpose(0, 3, 1, 2) if first else images()


def fits(options: dict[str, Any]) -> bool:
    return any(name.startswith(("featurewise", "zca")) for name in options)


def series() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 99, (17, 2))


def pictures(folder: Path) -> Path:
    return utils.write_pictures(folder)


def flat(batch: Any) -> list[np.ndarray]:
    """A batch, a tuple of arrays or of lists of them, as a list of arrays."""
    parts = batch if isinstance(batch, (tuple, list)) else [batch]
    return [
        np.asarray(array)
        for part in parts
        for array in (part if isinstance(part, list) else [part])
    ]
