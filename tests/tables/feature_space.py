"""The table of feature spaces: plain data, so that Keras runs them too.

A feature is the name of a kind, or a tuple: the method of `FeatureSpace` and its arguments. A
preprocessor among them is a tuple too: a layer's class and its arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

TABLE: dict[str, list] = {
    "age": [31.0, 45.5, 22.0, 67.0, 38.0, 29.5],
    "city": ["rome", "oslo", "rome", "lima", "oslo", "rome"],
    "code": [7, 3, 7, 7, 12, 3],
    "text": ["a b", "b", "c a", "b b", "d", "a"],
}
NEW: dict[str, list] = {
    "age": [40.0, 20.0, 70.0],
    "city": ["oslo", "kiev", "lima"],
    "code": [12, 99, 3],
    "text": ["b c", "z", "a"],
}


@dataclass
class Row:
    label: str
    features: dict[str, Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    crosses: list = field(default_factory=list)  # tuples of names, or ('cross', names, options)

    def __str__(self) -> str:
        return self.label


def feature_space(row: Row, keras: Any) -> Any:
    """The row's FeatureSpace, of `keras`: that package, or this one."""
    space = keras.utils.FeatureSpace

    def layer(x: Any) -> Any:
        return getattr(keras.layers, x[0])(**x[1]) if isinstance(x, tuple) else x

    def feature(x: Any) -> Any:
        if isinstance(x, str):
            return x
        return getattr(space, x[0])(**{key: layer(value) for key, value in x[1].items()})

    def cross(x: tuple) -> Any:
        return space.cross(x[1], **x[2]) if x[0] == "cross" else x

    return space(
        {name: feature(x) for name, x in row.features.items()},
        crosses=[cross(x) for x in row.crosses],
        **row.arguments,
    )


def columns(row: Row, table: dict[str, list]) -> dict[str, list]:
    """The columns of `table` that the row has features of."""
    return {name: table[name] for name in row.features}


def rows_of(table: dict[str, list]) -> list[dict[str, Any]]:
    """The rows of a table, each a dict of scalars."""
    return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]


def batches_of(table: dict[str, list], size: int = 4) -> list[dict[str, np.ndarray]]:
    """The table in batches of columns."""
    length = len(next(iter(table.values())))
    return [
        {name: np.array(values[first : first + size]) for name, values in table.items()}
        for first in range(0, length, size)
    ]


ROWS = [
    Row("float", {"age": "float"}),
    Row("float_rescaled", {"age": ("float_rescaled", {"scale": 0.1, "offset": -2.0})}),
    Row("float_normalized", {"age": "float_normalized"}),
    Row("float_discretized", {"age": ("float_discretized", {"num_bins": 3})}),
    Row("float_discretized:name", {"age": "float_discretized"}, {"num_discretization_bins": 4}),
    Row("integer_categorical", {"code": "integer_categorical"}),
    Row("string_categorical", {"city": "string_categorical"}),
    Row(
        "string_categorical:small",
        {"city": ("string_categorical", {"max_tokens": 3, "num_oov_indices": 1})},
    ),
    Row(
        "integer_categorical:oov",
        {"code": ("integer_categorical", {"max_tokens": 5, "num_oov_indices": 2})},
    ),
    Row("integer_hashed", {"code": "integer_hashed"}, {"hashing_dim": 5}),
    Row("string_hashed", {"city": ("string_hashed", {"num_bins": 4})}),
    Row(
        "feature",
        {
            "text": (
                "feature",
                {
                    "dtype": "string",
                    "preprocessor": ("TextVectorization", {"output_mode": "tf_idf"}),
                    "output_mode": "float",
                },
            )
        },
    ),
    Row(
        "concat",
        {
            "city": "string_categorical",
            "age": "float_normalized",
            "code": ("integer_categorical", {"max_tokens": 3}),
        },
        {"crossing_dim": 6},
        [("city", "code")],
    ),
    Row(
        "dict",
        {
            "city": ("string_categorical", {"output_mode": "int"}),
            "age": ("float_discretized", {"num_bins": 2, "output_mode": "int"}),
            "code": "integer_hashed",
        },
        {"output_mode": "dict", "hashing_dim": 3},
        [
            ("cross", ("city", "code"), {"crossing_dim": 9, "output_mode": "int"}),
            ("cross", ("code", "age"), {"crossing_dim": 4}),
        ],
    ),
]
