"""Golden values of the layers' table, from Keras 3 on JAX in float64.

    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python tests/golden/make_layers_golden.py

Written: layers.npz with, per row, inputs, weights, output, gradients of both for the table's
`upstream` gradient, and all weights after the call; layers.json with Keras's version, configs and
output shapes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jax
import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables.layers import ROWS, Row, upstream  # noqa: E402


def run(row: Row, index: int) -> tuple[dict[str, np.ndarray], dict]:
    random = np.random.default_rng(index)
    layer = getattr(keras.layers, row.layer)(**row.arguments, dtype="float64")
    layer.build((None, *row.shape[1:]))
    if row.ids_below is None:
        x = random.standard_normal(row.shape).astype("float32")
    else:
        x = random.integers(row.ids_below, size=row.shape).astype("int32")
    values = [random.standard_normal(w.shape).astype("float32") for w in layer.weights]
    values = [
        abs(v) + 0.5 if w.name == "moving_variance" else v
        for v, w in zip(values, layer.weights, strict=True)
    ]
    layer.set_weights(values)
    states = [random.standard_normal(shape).astype("float32") for shape in row.state]
    names = [w.path for w in layer.weights]
    state = {w.path: w.value for w in layer.non_trainable_variables}
    trainable = [w.value for w in layer.trainable_variables]

    def call(trainable, x):
        y, after = layer.stateless_call(
            trainable,
            list(state.values()),
            x,
            **({"training": row.training} if layer._call_has_training_arg else {}),
            **({"initial_state": [s.astype("float64") for s in states]} if states else {}),
        )
        return y, dict(zip(state, after, strict=True))

    x64 = x.astype("float64") if row.ids_below is None else x
    if row.ids_below is None:
        y, vjp, after = jax.vjp(call, trainable, x64, has_aux=True)
        gw, gx = vjp(jax.numpy.asarray(upstream(y.shape), y.dtype))
    else:
        y, vjp, after = jax.vjp(lambda w: call(w, x64), trainable, has_aux=True)
        (gw,) = vjp(jax.numpy.asarray(upstream(y.shape), y.dtype))
        gx = None
    gradients = dict(zip([w.path for w in layer.trainable_variables], gw, strict=True))
    arrays = {"x": x, "y": y} | ({} if gx is None else {"gx": gx})
    arrays |= {f"s{i}": state for i, state in enumerate(states)}
    for i, name in enumerate(names):
        arrays[f"w{i}"] = values[i]
        if name in gradients:
            arrays[f"gw{i}"] = gradients[name]
        if name in after:
            arrays[f"after{i}"] = after[name]
    config = getattr(keras.layers, row.layer)(**row.arguments, name="row").get_config()
    shape = layer.compute_output_shape((None, *row.shape[1:]))
    about = {
        "config": keras.saving.serialize_keras_object(config),
        "output_shape": list(shape),
        "weights": [name.rsplit("/")[-1] for name in names],
    }
    return {k: np.asarray(v) for k, v in arrays.items()}, about


def main() -> None:
    arrays, about = {}, {}
    for index, row in enumerate(ROWS):
        values, about[str(row)] = run(row, index)
        for key, value in values.items():
            small = value.astype("float32") if value.dtype.kind == "f" else value
            arrays[f"{row}/{key}"] = small
    np.savez_compressed(HERE / "layers.npz", **arrays)
    text = json.dumps({"keras": keras.__version__, "rows": about}, indent=None)
    (HERE / "layers.json").write_text(text.replace('}, "', '},\n"') + "\n")
    print(len(ROWS), "rows from Keras", keras.__version__)


if __name__ == "__main__":
    main()
