"""Writes keras_ops_*.npz for tests/test_keras_ops_nn.py: values and gradients of Keras 3.

Run with Keras and JAX installed: KERAS_BACKEND=jax python tests/golden/make_keras_ops_nn_golden.py
The rows are those of tests/tables/keras_ops_*.py. Of each row the file has its results, in order,
and the gradients of its watched arrays, where the upstream gradients are `weight_of` the results.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from functools import reduce
from pathlib import Path

import jax
import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tables.golden_row import Row, flat, weight_of  # noqa: E402

TABLES = ["nn", "core", "math", "linalg", "image"]


def results_of(row: Row, arrays: list) -> list:
    function = reduce(getattr, row.function.split("."), keras.ops)
    result = function(*row.with_arrays(arrays), **row.options)
    return flat(tuple(result) if isinstance(result, tuple) else result)


def golden(row: Row) -> dict[str, np.ndarray]:
    arrays, watched = row.arrays(), row.watched()

    def of_watched(*values):
        given = list(map(jax.numpy.asarray, arrays))
        for i, value in zip(watched, values, strict=True):
            given[i] = value
        return results_of(row, given)

    if not watched:
        values = of_watched()
        return {f"{row}/value{i}": np.asarray(y) for i, y in enumerate(values)}
    values, pull = jax.vjp(of_watched, *[jax.numpy.asarray(arrays[i]) for i in watched])
    saved = {f"{row}/value{i}": np.asarray(y) for i, y in enumerate(values)}
    if not any(y.dtype.kind == "f" for y in saved.values()):
        return saved
    upstream = [
        weight_of(np.asarray(y)) if y.dtype.kind == "f" else np.zeros(y.shape, jax.dtypes.float0)
        for y in values
    ]
    for i, g in zip(watched, pull(upstream), strict=True):
        saved[f"{row}/gradient{i}"] = np.asarray(g)
    return saved


def main() -> None:
    warnings.simplefilter("ignore")
    for table in sys.argv[1:] or TABLES:
        rows = importlib.import_module(f"tables.keras_ops_{table}").ROWS
        saved: dict[str, np.ndarray] = {}
        failures = []
        for row in rows:
            assert f"{row}/value0" not in saved, f"two rows are called {row}"
            try:
                saved |= golden(row)
            except Exception as error:
                failures.append(f"{row}: {error}"[:200])
        assert not failures, "Keras cannot compute:\n" + "\n".join(failures)
        np.savez_compressed(HERE / f"keras_ops_{table}.npz", **saved)
        print(f"{table}: {len(rows)} rows, Keras {keras.__version__}")


if __name__ == "__main__":
    main()
