"""Small pictures, texts and series, and the options with which the helpers of utils read them.

`write_pictures` and `write_texts` make the folders; the golden script shows them to real Keras.
"""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

LISTED = {"shuffle": False, "verbose": False}
IMAGE_ROWS: list[dict[str, Any]] = [
    {"image_size": (5, 8)},
    {"image_size": 6, "batch_size": None},
    {"image_size": (9, 5), "label_mode": "categorical"},
    {"image_size": (4, 3), "color_mode": "rgba", "label_mode": "binary"},
    {"image_size": (6, 6), "label_mode": None, "batch_size": 2},
    {"image_size": (6, 6), "labels": None, "data_format": "channels_first"},
    {"image_size": (6, 6), "labels": [3, 1, 1, 3, 1], "label_mode": "categorical"},
    {"image_size": (6, 6), "class_names": ["dogs", "cats"]},
    {"image_size": (6, 6), "class_names": ["dogs"]},
    {"image_size": (5, 8), "crop_to_aspect_ratio": True},
    {"image_size": (8, 5), "crop_to_aspect_ratio": True, "data_format": "channels_first"},
    {"image_size": (5, 8), "pad_to_aspect_ratio": True},
    {"image_size": (11, 4), "pad_to_aspect_ratio": True, "interpolation": "nearest"},
    {"image_size": (6, 6), "validation_split": 0.4, "subset": "training"},
    {"image_size": (6, 6), "validation_split": 0.4, "subset": "validation"},
    *(
        {"image_size": size, "interpolation": name, "batch_size": 5}
        for name in ("nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian")
        for size in ((4, 5), (9, 12))
    ),
    {"image_size": (4, 5), "interpolation": "mitchellcubic"},
]
TEXT_ROWS: list[dict[str, Any]] = [
    {},
    {"max_length": 4, "batch_size": 3},
    {"label_mode": "binary", "batch_size": None},
    {"labels": None},
]
ORDER_ROWS: list[dict[str, Any]] = [
    {"seed": 1},
    {"seed": 7, "validation_split": 0.4, "subset": "training"},
    {"seed": 7, "validation_split": 0.4, "subset": "validation"},
    {"seed": 7, "label_mode": None},
]
SERIES_ROWS: list[tuple[bool, dict[str, Any]]] = [
    (True, {"sequence_length": 4}),
    (False, {"sequence_length": 4, "batch_size": 5}),
    (True, {"sequence_length": 3, "sequence_stride": 2, "sampling_rate": 3, "batch_size": 4}),
    (True, {"sequence_length": 3, "start_index": 5, "end_index": 18, "batch_size": 100}),
    (False, {"sequence_length": 5, "end_index": 12, "batch_size": None}),
]
PAD_ROWS: list[dict[str, Any]] = [
    {},
    {"maxlen": 2},
    {"maxlen": 2, "truncating": "post"},
    {"maxlen": 5, "padding": "post", "value": -1},
    {"padding": "post", "dtype": "float32", "value": 0.5},
]
SEQUENCES = [[1, 2, 3], [], [4], [5, 6, 7, 8]]
DEEP_SEQUENCES = [[[1, 2], [3, 4]], [[5, 6]], []]
LOAD_ROWS: list[dict[str, Any]] = [
    {},
    {"color_mode": "grayscale"},
    {"color_mode": "rgba"},
    {"target_size": (4, 9)},
    {"target_size": (9, 4), "interpolation": "bilinear", "keep_aspect_ratio": True},
    {"target_size": (3, 3), "interpolation": "lanczos"},
]
SPLIT_ROWS: list[dict[str, Any]] = [
    {"left_size": 0.7},
    {"right_size": 3},
    {"left_size": 2, "right_size": 0.3},
    {"left_size": 0.5, "shuffle": True, "seed": 3},
]


def key(*row: Any) -> str:
    return json.dumps(row)


def series() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((23, 2)).astype("float32")


def picture(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    """A smooth picture of bytes."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(0.2, 0.9, (3, channels))
    y, x = np.mgrid[:height, :width]
    waves = np.sin(a * y[..., None] + b * x[..., None] + 6 * c)
    return np.round(127.5 + 127.5 * waves).astype("uint8")


def png(image: np.ndarray) -> bytes:
    """The bytes of a .png of 8 bits."""
    height, width, channels = image.shape
    kind = {1: 0, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def write_pictures(folder: Path) -> Path:
    """Two classes of five pictures in all, of several shapes, and files of other kinds."""
    for place, shape, seed in (
        ("cats/a.png", (7, 9, 3), 1),
        ("cats/deep/b.PNG", (6, 11, 3), 2),
        ("cats/z.png", (12, 5, 3), 3),
        ("dogs/a.png", (8, 8, 3), 4),
        ("dogs/b.png", (5, 6, 3), 5),
    ):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(picture(*shape, seed)))
    (folder / "cats" / "notes.txt").write_text("no picture")
    (folder / ".hidden").mkdir()
    return folder


def write_texts(folder: Path) -> Path:
    for index, (name, text) in enumerate(
        (("neg", "bad film"), ("neg", "boring"), ("pos", "joy naïve"), ("pos", "good\nfun"))
    ):
        path = folder / name / f"{index}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder
