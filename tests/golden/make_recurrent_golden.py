"""Golden values of the recurrent layers' table, from Keras 3 on JAX in float64.

    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python tests/golden/make_recurrent_golden.py

Written: recurrent.npz with, per row, inputs, weights, initial states, outputs and states, the
gradients of inputs, initial states and weights for the table's `upstream` gradient of each; for a
stateful layer those of its second call, and the outputs of the first call and after a reset.
recurrent.json with Keras's version, configs, output shapes and weights' paths.
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
from tables.recurrent import ROWS, Row, made, upstream  # noqa: E402

keras.src.backend.numpy.tanh = jax.numpy.tanh  # Keras's own rounds to float32
for cls in (keras.initializers.Orthogonal, keras.initializers.GlorotUniform):
    cls.__call__ = lambda self, shape, dtype=None: np.zeros(shape)  # all weights are set


def run(row: Row, index: int) -> tuple[dict[str, np.ndarray], dict]:
    random = np.random.default_rng(index)

    def normal(shape):
        return random.standard_normal(shape).astype("float32")

    keras.config.set_dtype_policy("float64")  # of cells in a list, too
    layer = made(keras.layers, row.layer)
    x, states = normal(row.shape), [normal(shape) for shape in row.state]
    mask = row.mask
    options = {"mask": mask} if row.masked else {}
    layer.build(row.shape)
    weights = [normal(w.shape) for w in layer.weights]
    weights = [
        abs(v) if w.name == "moving_variance" else v
        for v, w in zip(weights, layer.weights, strict=True)
    ]
    layer.set_weights(weights)
    arrays = {"x": x} | numbered("w", weights) | numbered("s", states)
    if row.twice:
        layer.reset_state()
        arrays["x0"] = normal(row.shape)
        arrays |= numbered("first", jax.tree.leaves(layer(arrays["x0"].astype("float64"))))

    def call(trainable, x, states):
        given = {"initial_state": states} if states else {}
        rest = [v.value for v in layer.non_trainable_variables]
        return jax.tree.leaves(layer.stateless_call(trainable, rest, x, **given, **options)[0])

    double = [s.astype("float64") for s in states]
    trainable = [w.value for w in layer.trainable_variables]

    @jax.jit
    def with_gradients(*inputs):
        outputs, vjp = jax.vjp(call, *inputs)
        return outputs, vjp([jax.numpy.asarray(upstream(y.shape), y.dtype) for y in outputs])

    outputs, (gw, gx, gs) = with_gradients(trainable, x.astype("float64"), double)
    arrays |= numbered("y", outputs) | numbered("gw", gw) | numbered("gs", gs) | {"gx": gx}
    if row.twice:
        layer(x.astype("float64"))
        layer.reset_state()
        arrays |= numbered("reset", jax.tree.leaves(layer(x.astype("float64"))))
    return {key: np.asarray(value) for key, value in arrays.items()}, about(row)


def about(row: Row) -> dict:
    keras.utils.clear_session()
    keras.config.set_dtype_policy("float32")
    layer = made(keras.layers, row.layer)
    layer.build(row.shape)
    shapes = layer.compute_output_shape(row.shape)
    return {
        "layer": keras.saving.serialize_keras_object(layer),
        "output_shape": jax.tree.map(int, shapes),
        "weights": [w.path for w in layer.weights],
    }


def numbered(name, arrays):
    return {f"{name}{index}": array for index, array in enumerate(arrays)}


def main() -> None:
    arrays, notes = {}, {}
    for index, row in enumerate(ROWS):
        values, notes[str(row)] = run(row, index)
        for key, value in values.items():
            arrays[f"{row}/{key}"] = value.astype("float32")
    assert len(notes) == len(ROWS), "rows of one name"
    np.savez_compressed(HERE / "recurrent.npz", **arrays)
    text = json.dumps({"keras": keras.__version__, "rows": notes}, indent=None)
    (HERE / "recurrent.json").write_text(text.replace('}, "', '},\n"') + "\n")
    print(len(ROWS), "rows from Keras", keras.__version__)


if __name__ == "__main__":
    main()
