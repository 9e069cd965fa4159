"""Golden values of the preprocessing layers' tables, from Keras 3.

    KERAS_BACKEND=tensorflow python tests/golden/make_preprocessing_layers_golden.py
    KERAS_BACKEND=jax python tests/golden/make_preprocessing_layers_golden.py

The first writes preprocessing.json: outputs, weights, vocabularies and configs of the layers of
numbers, categories and texts, whose strings need TensorFlow; and files/tensorflow-lookup.keras, a
model with a learned vocabulary, with what it computes beside it. The second writes
preprocessing_images.npz and .json: outputs and configs of the layers of images.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables.preprocessing_layers import (  # noqa: E402
    IMAGE_ROWS,
    ROWS,
    ImageRow,
    Row,
    array,
    data,
    pictures,
    tensors,
)


def plain(x: Any) -> Any:
    """Arrays and tensors as lists, bytes as str."""
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(item) for item in x]
    if isinstance(x, bytes):
        return x.decode()
    if hasattr(x, "numpy") or isinstance(x, (np.ndarray, np.generic)):
        return plain(np.asarray(x).tolist())
    return x


def run(row: Row) -> dict[str, Any]:
    layer = getattr(keras.layers, row.layer)(**row.arguments, name="row")
    if row.adapt is not None:
        layer.adapt(data(row.adapt))
    inputs = array(row.inputs)
    options = {key: np.array(value, "float32") for key, value in row.options.items()}
    y = layer(inputs, **options)
    values = np.asarray(y)
    about = {
        "y": plain(values if values.dtype.kind != "f" else values.astype("float64").round(7)),
        "dtype": "str" if values.dtype.kind in "OSU" else values.dtype.name,
        "config": plain(keras.saving.serialize_keras_object(layer.get_config())),
        "weights": [[w.name, plain(w.value)] for w in layer.weights],
    }
    if hasattr(layer, "get_vocabulary"):
        about["vocabulary"] = plain(layer.get_vocabulary())
    return about


def save_lookup() -> None:
    """The IntegerLookup of the row 'adapt' before an Embedding, as a file."""
    row = next(row for row in ROWS if str(row) == "IntegerLookup:adapt")
    lookup = keras.layers.IntegerLookup()
    lookup.adapt(data(row.adapt))
    embedding = keras.layers.Embedding(lookup.vocabulary_size(), 2)
    model = keras.Sequential([keras.Input((3,), dtype="int64"), lookup, embedding])
    model.save(HERE / "files" / "tensorflow-lookup.keras")
    x = array(row.inputs)
    predictions = np.asarray(model(x))
    np.savez(HERE / "files" / "tensorflow-lookup.npz", x=x, predictions=predictions)


def run_image(row: ImageRow) -> tuple[np.ndarray, dict[str, Any]]:
    layer = getattr(keras.layers, row.layer)(**row.arguments, name="row")
    x = pictures(row)
    if row.transformation is None:
        y = layer(x, training=True)
    else:
        forced = tensors(keras.ops.convert_to_tensor, row.transformation)
        y = layer.transform_images(keras.ops.convert_to_tensor(x), forced, training=True)
    about = {
        "dtype": keras.backend.standardize_dtype(y.dtype),
        "config": plain(keras.saving.serialize_keras_object(layer.get_config())),
    }
    return np.asarray(y), about


def write(name: str, rows: dict[str, Any]) -> None:
    text = json.dumps({"keras": keras.__version__, "rows": rows}, ensure_ascii=False)
    (HERE / name).write_text(text.replace('}, "', '},\n"') + "\n", encoding="utf-8")
    print(len(rows), "rows from Keras", keras.__version__, "on", keras.backend.backend())


if __name__ == "__main__":
    if keras.backend.backend() == "tensorflow":
        write("preprocessing.json", {str(row): run(row) for row in ROWS})
        save_lookup()
    else:
        found = {str(row): run_image(row) for row in IMAGE_ROWS}
        arrays = {name: y for name, (y, _) in found.items()}
        np.savez_compressed(HERE / "preprocessing_images.npz", **arrays)
        write("preprocessing_images.json", {name: about for name, (_, about) in found.items()})
