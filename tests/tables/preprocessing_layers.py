"""The tables of preprocessing layers: plain data, so that Keras runs them too.

`ROWS`: layers of numbers, categories and texts, with what they adapt to and are called on.
`IMAGE_ROWS`: layers of images, with the transformation that is forced on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Row:
    """A layer by its class's name and arguments, and its inputs as lists."""

    layer: str
    inputs: Any
    arguments: dict[str, Any]
    adapt: Any = None  # what it learns from: a list is an array, a Batches several of them
    options: dict[str, Any] = field(default_factory=dict)  # of the call
    label: str = ""

    def __str__(self) -> str:
        return f"{self.layer}:{self.label}" if self.label else self.layer


class Batches(list):
    """Arrays that come one after the other."""


def row(layer: str, inputs: Any, label: str = "", **arguments: Any) -> Row:
    adapt = arguments.pop("adapt", None)
    options = arguments.pop("options", {})
    return Row(layer, inputs, arguments, adapt, options, label)


def array(x: Any) -> Any:
    """Inputs as a layer gets them; tuples are several of them."""
    if isinstance(x, tuple):
        return [array(part) for part in x]
    values = np.array(x)
    return values.astype("float32") if values.dtype.kind == "f" else values


def data(x: Any) -> Any:
    """What a layer adapts to."""
    return (array(batch) for batch in x) if isinstance(x, Batches) else array(x)


NUMBERS = [[0.5, -1.0, 3.0], [2.5, 0.0, -2.0], [1.0, 4.0, 0.25], [-0.5, 1.5, 2.0]]
CUBE = [[[1.0, 2.0], [3.0, 5.0]], [[2.0, -1.0], [0.5, 4.0]], [[0.0, 1.0], [7.0, 2.5]]]
SPREAD = [((i * 37) % 101) ** 2 / 97 for i in range(150)]
IDS = [[3, 1, 0], [1, 1, 2]]
WORDS = ["b", "a", "", "zz", "c", "b"]
NESTED = [["a", "b", "b"], ["zz", "", "y"]]
DOCUMENTS = [["a", "b", "b"], ["b", "c", "d"], ["b", "c", "a"], ["e", "e", "d"]]
ABC = ["a", "b", "c"]
TEXTS = ["The cat, the DOG!", "a  cat\tsat.", "É is déjà-vu; it's", ""]
CORPUS = ["the cat sat on the mat", "a dog sat", "The log: a dog's log", "mat, mat"]
MODES = ("one_hot", "multi_hot", "count")
LONG = ["", "ab", "abcdef", "a" * 12, "b" * 20, "c" * 40, "d" * 64, "e" * 65, "f" * 200]

ROWS = [
    row("Normalization", NUMBERS, adapt=NUMBERS),
    row("Normalization", NUMBERS, "invert", adapt=NUMBERS, invert=True),
    row("Normalization", CUBE, "axis", adapt=CUBE, axis=1),
    row("Normalization", CUBE, "axes", adapt=CUBE, axis=(1, 2)),
    row("Normalization", NUMBERS, "all", adapt=NUMBERS, axis=None),
    row("Normalization", NUMBERS, "batches", adapt=Batches([NUMBERS, NUMBERS[:1], NUMBERS[1:3]])),
    row("Normalization", NUMBERS, "given", axis=None, mean=1.0, variance=4.0),
    row("Normalization", NUMBERS, "each", mean=[1.0, 0.0, 2.0], variance=[4.0, 0.0, 1.0]),
    row("Normalization", CUBE, "last", axis=(1, 2), mean=[1.0, 0.0], variance=[4.0, 2.0]),
    row("Normalization", IDS, "integers", adapt=IDS),
    row("Discretization", NUMBERS, bin_boundaries=[-0.5, 0.0, 1.5]),
    row("Discretization", IDS, "integers", bin_boundaries=[1.0, 2.0]),
    row("Discretization", NUMBERS, "adapt", num_bins=4, adapt=NUMBERS),
    row("Discretization", NUMBERS, "coarse", num_bins=5, epsilon=0.05, adapt=SPREAD),
    row("Discretization", NUMBERS, "fine", num_bins=3, epsilon=0.01, adapt=SPREAD),
    row(
        "Discretization", NUMBERS, "batches", num_bins=3, adapt=Batches([SPREAD[:90], SPREAD[90:]])
    ),
    *[
        row("Discretization", NUMBERS, mode, bin_boundaries=[-0.5, 0.0, 1.5], output_mode=mode)
        for mode in MODES
    ],
    row("CategoryEncoding", IDS, num_tokens=4),
    row("CategoryEncoding", 2, "scalar", num_tokens=4, output_mode="one_hot"),
    row("CategoryEncoding", IDS[0], "one sample", num_tokens=4),
    row("CategoryEncoding", IDS, "one_hot", num_tokens=4, output_mode="one_hot"),
    row("CategoryEncoding", [[2], [0]], "column", num_tokens=4, output_mode="one_hot"),
    row("CategoryEncoding", IDS, "count", num_tokens=4, output_mode="count"),
    row(
        "CategoryEncoding",
        IDS,
        "weights",
        num_tokens=4,
        output_mode="count",
        options={"count_weights": [[0.5, 1.0, 2.0], [0.25, 0.5, 3.0]]},
    ),
    row("Hashing", LONG, num_bins=1000003),
    row("Hashing", LONG, "salt", num_bins=1000003, salt=133),
    row("Hashing", LONG, "salts", num_bins=1000003, salt=[133, 2**40 + 7]),
    row("Hashing", [[-3, 0, 12345678901]], "integers", num_bins=1000),
    row("Hashing", WORDS, "masked", num_bins=7, mask_value=""),
    row("Hashing", WORDS, "one bin", num_bins=1, mask_value=""),
    *[row("Hashing", NESTED, mode, num_bins=5, output_mode=mode) for mode in MODES],
    row("HashedCrossing", (LONG, list(range(-2, 7))), num_bins=1000003),
    row("HashedCrossing", ([[1], [2]], [["x"], ["yy"]], [[5], [5]]), "column", num_bins=50),
    row("HashedCrossing", ([1, 2], [3, 4]), "one_hot", num_bins=5, output_mode="one_hot"),
    row("HashedCrossing", ("a", "b"), "scalars", num_bins=50),
    row("StringLookup", NESTED, vocabulary=ABC),
    row("StringLookup", "a", "scalar", vocabulary=ABC),
    row("StringLookup", WORDS, "mask", vocabulary=ABC, mask_token=""),
    row("StringLookup", WORDS, "special", vocabulary=["", "?", "a"], mask_token="", oov_token="?"),
    row("StringLookup", LONG, "oov", vocabulary=ABC, num_oov_indices=5, mask_token=""),
    row("StringLookup", LONG, "salt", vocabulary=ABC, num_oov_indices=5, salt=[7, 8]),
    row("StringLookup", ["a", "c"], "none", vocabulary=ABC, num_oov_indices=0),
    row("StringLookup", [[0, 1], [2, 9]], "invert", vocabulary=ABC, invert=True),
    row("StringLookup", [0, 1, 2], "masked", vocabulary=ABC, invert=True, mask_token=""),
    row("StringLookup", NESTED, "adapt", adapt=DOCUMENTS),
    row("StringLookup", NESTED, "few", adapt=DOCUMENTS, max_tokens=4),
    row("StringLookup", NESTED, "batches", adapt=Batches(DOCUMENTS)),
    *[row("StringLookup", NESTED, mode, vocabulary=ABC, output_mode=mode) for mode in MODES],
    row("StringLookup", WORDS, "one sample", vocabulary=ABC, output_mode="count", mask_token=""),
    row(
        "StringLookup",
        NESTED,
        "padded",
        adapt=DOCUMENTS,
        output_mode="multi_hot",
        max_tokens=9,
        pad_to_max_tokens=True,
    ),
    row("StringLookup", NESTED, "tf_idf", adapt=DOCUMENTS, output_mode="tf_idf"),
    row("StringLookup", NESTED, "idf batches", adapt=Batches(DOCUMENTS), output_mode="tf-idf"),
    row(
        "StringLookup",
        NESTED,
        "idf padded",
        adapt=DOCUMENTS,
        output_mode="tf_idf",
        max_tokens=8,
        pad_to_max_tokens=True,
    ),
    row(
        "StringLookup",
        NESTED,
        "weights",
        vocabulary=ABC,
        idf_weights=[0.5, 1.0, 2.0],
        output_mode="tf_idf",
    ),
    row(
        "StringLookup",
        NESTED,
        "all weights",
        vocabulary=["[UNK]", "a", "b"],
        idf_weights=[0.5, 1.0, 2.0],
        output_mode="tf_idf",
    ),
    row("IntegerLookup", IDS, vocabulary=[1, 3]),
    row("IntegerLookup", IDS, "mask", vocabulary=[1, 3], mask_token=0),
    row("IntegerLookup", [[-7, 3, 10, 11]], "oov", vocabulary=[3], num_oov_indices=4),
    row(
        "IntegerLookup",
        [[-7, 3, 10, 11]],
        "farmhash",
        vocabulary=[3],
        num_oov_indices=4,
        oov_method="farmhash",
    ),
    row(
        "IntegerLookup",
        [[-7, 3, 10, 11]],
        "salt",
        vocabulary=[3],
        num_oov_indices=4,
        oov_method="farmhash",
        salt=3,
    ),
    row("IntegerLookup", IDS, "adapt", adapt=[[5, 1, 1], [3, 3, 0]]),
    row("IntegerLookup", [0, 1, 2, 8], "invert", vocabulary=[7, 9], invert=True, mask_token=0),
    row("IntegerLookup", IDS, "multi_hot", vocabulary=[1, 3], output_mode="multi_hot"),
    row("TextVectorization", TEXTS, adapt=CORPUS),
    row("TextVectorization", TEXTS, "vocabulary", vocabulary=["the", "cat"]),
    row("TextVectorization", [[text] for text in TEXTS], "column", adapt=CORPUS, max_tokens=5),
    row("TextVectorization", "the cat", "scalar", adapt=CORPUS),
    row("TextVectorization", TEXTS, "short", adapt=CORPUS, output_sequence_length=2),
    row("TextVectorization", TEXTS, "long", adapt=CORPUS, output_sequence_length=7),
    row("TextVectorization", TEXTS, "lower", adapt=CORPUS, standardize="lower"),
    row("TextVectorization", TEXTS, "strip", adapt=CORPUS, standardize="strip_punctuation"),
    row("TextVectorization", TEXTS, "as is", adapt=CORPUS, standardize=None),
    row("TextVectorization", TEXTS, "characters", adapt=CORPUS, split="character"),
    row("TextVectorization", TEXTS, "ngrams", adapt=CORPUS, ngrams=2),
    row("TextVectorization", TEXTS, "only ngrams", adapt=CORPUS, ngrams=(2, 3)),
    row("TextVectorization", CORPUS, "whole", adapt=CORPUS, split=None),
    row("TextVectorization", TEXTS, "batches", adapt=Batches([CORPUS[:3], CORPUS[3:]])),
    row("TextVectorization", TEXTS, "multi_hot", adapt=CORPUS, output_mode="binary"),
    row("TextVectorization", TEXTS, "count", adapt=CORPUS, output_mode="count"),
    row("TextVectorization", TEXTS, "tf_idf", adapt=CORPUS, output_mode="tf_idf"),
    row(
        "TextVectorization",
        TEXTS,
        "padded",
        adapt=CORPUS,
        output_mode="tf_idf",
        max_tokens=20,
        pad_to_max_tokens=True,
    ),
]


@dataclass
class ImageRow:
    """A layer by its class's name and arguments, the shape of its images, and what is forced."""

    layer: str
    shape: tuple[int, ...]
    arguments: dict[str, Any]
    transformation: Any = None  # the layer's own one, where None
    high: float = 255.0  # images are random numbers from 0 to it
    integers: bool = False
    label: str = ""

    def __str__(self) -> str:
        return f"{self.layer}:{self.label}" if self.label else self.layer


def images(
    layer: str,
    shape: tuple[int, ...],
    label: str = "",
    forced: Any = None,
    high: float = 255.0,
    integers: bool = False,
    **arguments: Any,
) -> ImageRow:
    return ImageRow(layer, shape, arguments, forced, high, integers, label)


def pictures(row: ImageRow) -> np.ndarray:
    numbers = np.random.default_rng(len(str(row))).random(row.shape) * row.high
    return numbers.astype("uint8" if row.integers else "float32")


def tensors(convert: Any, transformation: Any) -> Any:
    """Lists as arrays, alone or in a dict; tuples of ints stay."""
    if isinstance(transformation, dict):
        return {key: convert(np.array(value)) for key, value in transformation.items()}
    return (
        transformation if isinstance(transformation, tuple) else convert(np.array(transformation))
    )


BATCH, ONE = (2, 7, 6, 3), (7, 6, 3)
BATCH_FIRST = {"shape": (2, 3, 7, 6), "data_format": "channels_first"}
ANGLES = [[0.8, -0.6, 1.27, 0.6, 0.8, -0.71, 0, 0], [0.9, 0.3, -0.42, -0.2, 1.1, 0.33, 0, 0]]
ROTATION = {"rotation_matrix": np.array(ANGLES, "float32").tolist()}
FLIPS = {"flips": [[[[True]]], [[[False]]]]}
ZOOM = {"height_zoom": [[0.7], [1.3]], "width_zoom": [[0.9], [1.2]]}
SHIFTS = {"translations": [[1.0, -2.25], [-0.5, 1.75]]}
SHEAR = {"shear_factor": [[0.2, 0.1], [-0.3, 0.0]]}
EACH = {"factor": [0.3, 0.9]}
WIDE = {"factor": [[[[0.3]]], [[[-0.8]]]]}
UNIT = {"value_range": (0, 1), "high": 1.0}
PERSPECTIVE = {
    "apply_perspective": [True, False],
    "start_points": [[[0.0, 0.0], [5.0, 0.0], [0.0, 6.0], [5.0, 6.0]]] * 2,
    "end_points": [[[0.0, 0.0], [4.2, 0.3], [0.7, 5.1], [5.5, 6.4]]] * 2,
}

IMAGE_ROWS = [
    images("Resizing", BATCH, height=4, width=9),
    images("Resizing", ONE, "one", height=4, width=9),
    images("Resizing", BATCH, "nearest", height=3, width=9, interpolation="nearest"),
    images("Resizing", BATCH, "bicubic", height=9, width=4, interpolation="bicubic"),
    images("Resizing", BATCH, "lanczos3", height=9, width=4, interpolation="lanczos3"),
    images("Resizing", BATCH, "lanczos5", height=9, width=4, interpolation="lanczos5"),
    images("Resizing", BATCH, "antialias", height=3, width=2, antialias=True),
    images("Resizing", BATCH, "crop", height=3, width=5, crop_to_aspect_ratio=True),
    images("Resizing", BATCH, "pad", height=3, width=5, pad_to_aspect_ratio=True, fill_value=7.0),
    images("Resizing", height=4, width=9, label="first", **BATCH_FIRST),
    images(
        "Resizing", BATCH, "integers", height=3, width=9, interpolation="nearest", integers=True
    ),
    images("CenterCrop", BATCH, height=4, width=3),
    images("CenterCrop", ONE, "one", height=4, width=3),
    images("CenterCrop", BATCH, "small", height=9, width=4),
    images("CenterCrop", height=4, width=3, label="first", **BATCH_FIRST),
    images("CenterCrop", BATCH, "integers", height=4, width=3, integers=True),
    images("RandomCrop", BATCH, forced=(2, 1), height=4, width=3, seed=1),
    images("RandomCrop", forced=(2, 1), height=4, width=3, seed=1, label="first", **BATCH_FIRST),
    images("RandomCrop", BATCH, "small", forced=(0, 1), height=9, width=4, seed=1),
    images("RandomFlip", BATCH, forced=FLIPS),
    images("RandomFlip", BATCH, "horizontal", forced=FLIPS, mode="horizontal"),
    images("RandomFlip", forced=FLIPS, mode="vertical", label="vertical", **BATCH_FIRST),
    *[
        images("RandomRotation", BATCH, mode, forced=ROTATION, factor=0.3, fill_mode=mode)
        for mode in ("reflect", "wrap", "constant", "nearest")
    ],
    images(
        "RandomRotation",
        BATCH,
        "pixels",
        forced=ROTATION,
        factor=(-0.2, 0.3),
        interpolation="nearest",
        fill_mode="constant",
        fill_value=9.0,
    ),
    images("RandomRotation", forced=ROTATION, factor=0.3, label="first", **BATCH_FIRST),
    images("RandomZoom", BATCH, forced=ZOOM, height_factor=(-0.3, 0.2)),
    images(
        "RandomZoom", forced=ZOOM, height_factor=0.3, width_factor=0.2, label="first", **BATCH_FIRST
    ),
    images("RandomTranslation", BATCH, forced=SHIFTS, height_factor=0.3, width_factor=(-0.1, 0.4)),
    images(
        "RandomTranslation",
        BATCH,
        "constant",
        forced=SHIFTS,
        height_factor=0.3,
        width_factor=0.2,
        fill_mode="constant",
        fill_value=3.0,
    ),
    images("RandomShear", BATCH, forced=SHEAR, x_factor=(0.0, 0.3), y_factor=(0.1, 0.2)),
    images("RandomShear", forced=SHEAR, x_factor=(0.1, 0.3), label="first", **BATCH_FIRST),
    images("RandomPerspective", BATCH, forced=PERSPECTIVE, scale=0.5, fill_value=9.0),
    images("RandomPerspective", BATCH, "pixels", forced=PERSPECTIVE, interpolation="nearest"),
    images("RandomPerspective", forced=PERSPECTIVE, factor=0.4, label="first", **BATCH_FIRST),
    images("ContrastLimitedAdaptiveHistogramEqualization", BATCH, tile_grid_size=(2, 3)),
    images("ContrastLimitedAdaptiveHistogramEqualization", ONE, "one", tile_grid_size=(1, 2)),
    images(
        "ContrastLimitedAdaptiveHistogramEqualization",
        BATCH,
        "unit",
        clip_limit=0.0,
        tile_grid_size=(2, 2),
        **UNIT,
    ),
    images(
        "ContrastLimitedAdaptiveHistogramEqualization",
        tile_grid_size=(2, 2),
        label="first",
        **BATCH_FIRST,
    ),
    images("RandomContrast", BATCH, forced={"contrast_factor": WIDE["factor"]}, factor=0.4),
    images(
        "RandomContrast",
        forced={"contrast_factor": WIDE["factor"]},
        factor=(0.1, 0.4),
        label="first",
        **BATCH_FIRST,
    ),
    images("RandomBrightness", BATCH, forced={"rgb_delta": [[[[80.0]]], [[[-40.0]]]]}, factor=0.4),
    images(
        "RandomBrightness",
        BATCH,
        "unit",
        forced={"rgb_delta": [[[[0.4]]], [[[-0.2]]]]},
        factor=(-0.2, 0.4),
        **UNIT,
    ),
    images("RandomGrayscale", BATCH, forced=[[[[True]]], [[[False]]]], factor=0.4),
    images("RandomGrayscale", forced=[[[[False]]], [[[True]]]], label="first", **BATCH_FIRST),
    images("RandomInvert", BATCH, forced={"apply_inversion": [False, True]}, factor=0.4),
    images("RandomHue", BATCH, forced={"factor": [0.3, -0.4]}, factor=0.9),
    images("RandomHue", forced={"factor": [0.3, -0.4]}, factor=0.9, label="first", **BATCH_FIRST),
    images("RandomSaturation", BATCH, forced=EACH, factor=0.9, **UNIT),
    images("RandomSaturation", forced=EACH, factor=(0.2, 0.9), label="first", **BATCH_FIRST),
    images("RandomColorDegeneration", BATCH, forced=WIDE, factor=0.9),
    images("RandomColorDegeneration", forced=WIDE, factor=0.9, label="first", **BATCH_FIRST),
    images("RandomPosterization", BATCH, forced={"shift_factor": [3, 6]}, factor=(2, 5)),
    images("RandomPosterization", BATCH, "unit", forced={"shift_factor": [3, 6]}, factor=5, **UNIT),
    images("RandomSharpness", BATCH, forced=EACH, factor=0.9),
    images("RandomSharpness", forced=EACH, factor=0.9, label="first", **BATCH_FIRST),
    images(
        "RandomGaussianBlur",
        BATCH,
        forced={"should_apply_blur": [True, False], "blur_factor": [0.6, 0.9]},
        kernel_size=(5, 3),
        sigma=(0.4, 0.9),
    ),
    images(
        "Solarization",
        BATCH,
        forced={"additions": [[[[20.0]]], [[[0.0]]]], "thresholds": [[[[128.0]]], [[[60.0]]]]},
        addition_factor=0.3,
        threshold_factor=(0.2, 0.4),
    ),
    images("AutoContrast", BATCH, high=200.0),
    images("AutoContrast", BATCH, "unit", value_range=(0, 1), high=0.7),
    images("Equalization", (2, 7, 3, 3)),
    images("Equalization", label="first", bins=16, **BATCH_FIRST),
    images("Equalization", (2, 7, 3, 3), "unit", **UNIT),
    images(
        "MixUp",
        BATCH,
        forced={"permutation_order": [1, 0], "mix_weight": [0.3, 0.8]},
        alpha=0.4,
    ),
    images(
        "CutMix",
        BATCH,
        forced={"permutation_order": [1, 0], "batch_masks": [[[[True]]], [[[False]]]]},
        factor=0.6,
    ),
    images(
        "RandomErasing",
        BATCH,
        forced={
            "apply_erasing": [True, False],
            "batch_masks": [[[[True]]], [[[True]]]],
            "fill_value": [1.0, 2.0, 3.0],
        },
        fill_value=(1.0, 2.0, 3.0),
        scale=(0.1, 0.2),
    ),
    images("RandomColorJitter", BATCH, "nothing", seed=3),
]
