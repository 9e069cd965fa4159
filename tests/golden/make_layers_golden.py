"""Golden values of the layers' table, from Keras 3 on JAX in float64.

    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python tests/golden/make_layers_golden.py

Written: layers.npz with, per row, inputs and their masks, weights, outputs and their mask,
gradients of inputs and weights for the table's `upstream` gradient, and all weights after the call;
layers.json with Keras's version, configs and output shapes.
"""

from __future__ import annotations

import inspect
import json
import sys
import zlib
from pathlib import Path

import jax
import keras
import numpy as np
from keras.src.backend import get_keras_mask, set_keras_mask

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables.layers import ROWS, Row, resolved, upstream  # noqa: E402


def run(row: Row) -> tuple[dict[str, np.ndarray], dict]:
    random = np.random.default_rng(zlib.crc32(str(row).encode()))  # whatever rows come before it
    layer = row.built(made(row, dtype="float64"))
    xs = [inputs(row, shape, random) for shape in row.shapes]
    values = [random.standard_normal(w.shape).astype("float32") for w in layer.weights]
    values = [
        abs(v) + 0.5 if w.name in NOT_NEGATIVE else v
        for v, w in zip(values, layer.weights, strict=True)
    ]
    layer.set_weights(values)
    states = [random.standard_normal(shape).astype("float32") for shape in row.state]
    masks = None if row.masks is None else row.drawn_masks(random)
    names = [w.path for w in layer.weights]
    state = {w.path: w.value for w in layer.non_trainable_variables}
    trainable = [w.value for w in layer.trainable_variables]
    options = dict(row.call)
    if layer._call_has_training_arg:
        options["training"] = row.training
    if states:
        options["initial_state"] = [s.astype("float64") for s in states]
    options |= masks_by_name(masks, layer)

    def call(trainable, xs):
        args, named = arguments_of_call(row, xs, masks)
        ys, after = layer.stateless_call(trainable, list(state.values()), *args, **named, **options)
        return ys, dict(zip(state, after, strict=True))

    if row.ids_below is None:
        wide = [x.astype("float64") for x in xs]
        ys, vjp, after = jax.vjp(call, trainable, wide, has_aux=True)
        gw, gxs = vjp(upstreams(ys))
    else:
        ys, vjp, after = jax.vjp(lambda w: call(w, xs), trainable, has_aux=True)
        (gw,), gxs = vjp(upstreams(ys)), []
    gradients = dict(zip([w.path for w in layer.trainable_variables], gw, strict=True))
    ys = ys if isinstance(ys, tuple) else (ys,)
    arrays = numbered("x", xs) | numbered("y", ys) | numbered("gx", gxs) | numbered("s", states)
    if isinstance(masks, dict):
        arrays |= {f"mask_{key}": mask for key, mask in masks.items() if mask is not None}
    elif masks is not None:
        all_masks = masks if isinstance(masks, list) else [masks]
        arrays |= {f"mask{i}": mask for i, mask in enumerate(all_masks) if mask is not None}
    if masks is not None:
        args, named = arguments_of_call(row, map(jax.numpy.asarray, xs), masks)
        y = layer(*args, **named, **options)
        mask = get_keras_mask(y[0] if isinstance(y, tuple) else y)
        if mask is not None:
            arrays["mask_of_output"] = mask
    for i, name in enumerate(names):
        arrays[f"w{i}"] = values[i]
        if name in gradients:
            arrays[f"gw{i}"] = gradients[name]
        if name in after:
            arrays[f"after{i}"] = after[name]
    about = {
        "config": keras.saving.serialize_keras_object(made(row, name="row").get_config()),
        "output_shape": list(row.output_shape(layer, None)),
        "weights": [name.rsplit("/")[-1] for name in names],
        "supports_masking": layer.supports_masking,
    }
    return {k: np.asarray(v) for k, v in arrays.items()}, about


NOT_NEGATIVE = ("moving_variance", "moving_stddev", "renorm_stddev")


def made(row: Row, **options):
    arguments = resolved(row.arguments, keras.layers, options.get("dtype"))
    return getattr(keras.layers, row.layer)(**arguments, **options)


def inputs(row: Row, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    if row.ids_below is None:
        return random.standard_normal(shape).astype("float32")
    return random.integers(row.ids_below, size=shape).astype("int32")


def arguments_of_call(row: Row, xs, masks) -> tuple[tuple, dict]:
    given = row.arranged(xs)
    attach(masks, given)
    return ((), given) if isinstance(given, dict) else ((given,), {})


def masks_by_name(masks, layer) -> dict:
    """The masks that `call` takes: `stateless_call` does not look for them."""
    if isinstance(masks, dict):
        named = {key if key.endswith("_mask") else f"{key}_mask": m for key, m in masks.items()}
        return {key: mask for key, mask in named.items() if mask is not None}
    takes_mask = "mask" in inspect.signature(layer.call).parameters
    return {"mask": masks} if masks is not None and takes_mask else {}


def attach(masks, given) -> None:
    """Let the inputs bring their masks along, as the outputs of layers do."""
    if isinstance(masks, dict):
        for key, x in given.items():
            set_keras_mask(x, masks.get(key))
    elif isinstance(masks, list):
        for x, mask in zip(given, masks, strict=True):
            set_keras_mask(x, mask)
    elif masks is not None:
        set_keras_mask(given, masks)


def upstreams(ys):
    return jax.tree.map(lambda y: jax.numpy.asarray(upstream(y.shape), y.dtype), ys)


def numbered(name: str, values) -> dict:
    return {f"{name}{i}": value for i, value in enumerate(values)}


def main() -> None:
    arrays, about = {}, {}
    for row in ROWS:
        values, about[str(row)] = run(row)
        for key, value in values.items():
            small = value.astype("float32") if value.dtype.kind == "f" else value
            arrays[f"{row}/{key}"] = small
    np.savez_compressed(HERE / "layers.npz", **arrays)
    text = json.dumps({"keras": keras.__version__, "rows": about}, indent=None)
    (HERE / "layers.json").write_text(text.replace('}, "', '},\n"') + "\n")
    print(len(ROWS), "rows from Keras", keras.__version__)


if __name__ == "__main__":
    main()
