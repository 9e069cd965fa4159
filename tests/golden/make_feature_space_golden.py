"""Golden values of the table of feature spaces, from Keras 3.

    KERAS_BACKEND=tensorflow python tests/golden/make_feature_space_golden.py

Writes feature_space.json: what the rows of tests/tables/feature_space.py encode, of which shapes
and dtypes, after adapting to rows, to batches and to columns, and their configs; and
files/tensorflow-feature-space.keras, the row 'concat' after adapting.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables.feature_space import NEW, ROWS, TABLE, Row, columns, feature_space, rows_of  # noqa: E402


def described(encoded: Any) -> Any:
    if isinstance(encoded, dict):
        return {name: described(x) for name, x in encoded.items()}
    values = np.asarray(encoded)
    exact = values.astype("float64").round(6) if values.dtype.kind == "f" else values
    return {"values": exact.tolist(), "dtype": values.dtype.name}


def symbolic(encoded: Any) -> Any:
    if isinstance(encoded, dict):
        return {name: symbolic(x) for name, x in encoded.items()}
    return {"shape": list(encoded.shape), "dtype": encoded.dtype}


def run(row: Row) -> dict[str, Any]:
    table, new = columns(row, TABLE), columns(row, NEW)
    of_columns, of_batches = feature_space(row, keras), feature_space(row, keras)
    of_columns.adapt(table)
    of_batches.adapt(tf.data.Dataset.from_tensor_slices(table).batch(4))
    return {
        "encoded": described(of_columns(new)),
        "row": described(of_columns(rows_of(new)[0])),
        "of_batches": described(of_batches(new)),
        "symbolic": symbolic(of_columns.get_encoded_features()),
        "config": keras.saving.serialize_keras_object(of_columns.get_config()),
    }


if __name__ == "__main__":
    found = {str(row): run(row) for row in ROWS}
    text = json.dumps(found, default=str)
    (HERE / "feature_space.json").write_text(text + "\n", encoding="utf-8")
    row = next(row for row in ROWS if str(row) == "concat")
    space = feature_space(row, keras)
    space.adapt(columns(row, TABLE))
    space.save(HERE / "files" / "tensorflow-feature-space.keras")
