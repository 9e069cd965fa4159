"""Random models: small graphs of layers, drawn while they are built, by Keras and by layerkit."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .draw import Draw
from .frameworks import leaves
from .same_facts import Refused, attempt, of_arrays, refusals, structure, weight_values

# Layers by the rank of their input without the batch: each is made for a module of layers.
MENU: dict[int, list[Callable[[Any, Draw], Any]]] = {
    1: [
        lambda layers, d: layers.Dense(d.size(), **d.some(activation=["relu", "tanh"])),
        lambda layers, d: layers.BatchNormalization(),
        lambda layers, d: layers.LayerNormalization(),
        lambda layers, d: layers.Dropout(0.5),
        lambda layers, d: layers.RepeatVector(d.size()),
        lambda layers, d: layers.Activation(d.pick("gelu", "softmax")),
        lambda layers, d: layers.Reshape((-1, 1)),
        lambda layers, d: layers.PReLU(),
    ],
    2: [
        lambda layers, d: layers.Dense(d.size(), **d.some(use_bias=[True, False])),
        lambda layers, d: layers.LSTM(d.size(3), **d.some(return_sequences=[True])),
        lambda layers, d: layers.GRU(d.size(3), **d.some(return_sequences=[True])),
        lambda layers, d: layers.Bidirectional(layers.SimpleRNN(d.size(3))),
        lambda layers, d: layers.TimeDistributed(layers.Dense(d.size())),
        lambda layers, d: layers.Conv1D(d.size(), 2, padding=d.pick("same", "causal")),
        lambda layers, d: layers.GlobalAveragePooling1D(),
        lambda layers, d: layers.MaxPooling1D(2, padding="same"),
        lambda layers, d: layers.Masking(),
        lambda layers, d: layers.Permute((2, 1)),
        lambda layers, d: layers.Flatten(),
        lambda layers, d: layers.RNN([layers.GRUCell(2), layers.LSTMCell(3)]),
    ],
    3: [
        lambda layers, d: layers.Conv2D(d.size(), d.size(3), padding="same"),
        lambda layers, d: layers.SeparableConv2D(d.size(), 2, padding="same"),
        lambda layers, d: layers.DepthwiseConv2D(2, padding="same"),
        lambda layers, d: layers.Conv2DTranspose(d.size(), 2, strides=d.size(2)),
        lambda layers, d: layers.MaxPooling2D(2, padding="same"),
        lambda layers, d: layers.GlobalMaxPooling2D(),
        lambda layers, d: layers.ZeroPadding2D(1),
        lambda layers, d: layers.BatchNormalization(),
        lambda layers, d: layers.Flatten(),
        lambda layers, d: layers.Reshape((-1, 1)),
    ],
}


def one_more(keras: Any, d: Draw, x: Any, pool: list, made: dict, depth: int) -> Any:
    """A tensor computed from `x`, perhaps with others of the pool."""
    layers = keras.layers
    fate = d.random.random()
    others = [y for y in pool if y is not x and tuple(y.shape) == tuple(x.shape)]
    if others and fate < 0.3:
        y = d.pick(*others)
        join = d.pick("Add", "Multiply", "Average", "Maximum", "Concatenate", "+", "*")
        return x + y if join == "+" else x * y if join == "*" else getattr(layers, join)()([x, y])
    known = made.get(tuple(x.shape), [])
    if known and fate < 0.45:
        return d.pick(*known)(x)  # a shared layer
    if depth and fate < 0.6:
        return sequence(keras, d, x.shape[1:])(x) if d.chance() else inner(keras, d, x)
    if fate < 0.68:
        return operated(keras, d, x)
    if len(x.shape) == 3 and fate < 0.75:
        return layers.MultiHeadAttention(2, 2)(x, x)
    layer = d.pick(*MENU[len(x.shape) - 1])(layers, d)
    made.setdefault(tuple(x.shape), []).append(layer)
    return layer(x)


def operated(keras: Any, d: Draw, x: Any) -> Any:
    return [
        lambda: keras.ops.relu(x),
        lambda: x * 2.0 - 1.0,
        lambda: keras.ops.mean(x, axis=-1, keepdims=True),
        lambda: 1.0 / (x * x + 1.0),
        lambda: x[:, :1],
    ][d.size(4, 0)]()


def sequence(keras: Any, d: Draw, shape: Any) -> Any:
    parts = [keras.layers.Dense(d.size()) for _ in range(d.size(2))]
    if d.chance(0.3):
        parts.append(keras.Sequential([keras.layers.Dense(d.size()), keras.layers.ReLU()]))
    first = [keras.Input(tuple(shape))] if d.chance() else []
    return keras.Sequential([*first, *parts])


def inner(keras: Any, d: Draw, x: Any) -> Any:
    start = keras.Input(tuple(x.shape[1:]))
    end = grown(keras, d, [start], d.size(2), 0)
    return keras.Model(start, end[-1])(x)


def grown(keras: Any, d: Draw, pool: list, steps: int, depth: int) -> list:
    made: dict = {}
    for _ in range(steps):
        fitting = [x for x in pool if len(x.shape) in (2, 3, 4)]
        late = fitting[-3:]
        pool = [*pool, one_more(keras, d, d.pick(*late), pool, made, depth)]
    return pool


def graph(keras: Any, d: Draw) -> Any:
    """A functional model with some inputs and outputs."""
    shape = d.sizes(d.size(3), 4, 2)
    shapes = [d.pick(shape, shape, d.sizes(d.size(3), 4, 2)) for _ in range(d.size(3))]
    inputs = [keras.Input(s, name=f"in_{i}") for i, s in enumerate(shapes)]
    pool = grown(keras, d, list(inputs), d.size(7, 2), 1)
    ends = [pool[-1]] + [y for y in pool[len(inputs) : -1] if d.chance(0.2)]
    outputs = d.pick(ends, {f"out_{i}": y for i, y in enumerate(ends)}, tuple(ends))
    outputs = ends[0] if len(ends) == 1 and d.chance() else outputs
    given = d.pick(inputs, {x.name: x for x in inputs})
    return keras.Model(inputs[0] if len(inputs) == 1 and d.chance() else given, outputs)


def stack(keras: Any, d: Draw) -> Any:
    """A sequential model; its weights are made at once or by `build`."""
    shape = d.sizes(d.size(3), 4, 2)
    parts = []
    x = keras.Input(shape)
    for _ in range(d.size(5)):
        layer = d.pick(*MENU[len(x.shape) - 1])(keras.layers, d)
        parts.append(layer)
        x = layer(x) if len(x.shape) < 5 else x
        if len(x.shape) not in (2, 3, 4):
            break
    keras.utils.clear_session()
    copies = [type(p).from_config(p.get_config()) for p in parts]
    if d.chance():
        return keras.Sequential([keras.Input(shape), *copies])
    model = keras.Sequential(copies)
    model.build((None, *shape))
    return model


GRAPHS = {"graph": graph, "stack": stack}


def facts(framework: Any, name: str, seed: int) -> dict[str, Any]:
    keras = framework.keras
    framework.fresh()
    model = GRAPHS[name](keras, Draw(seed, zlib.crc32(name.encode())))
    model.set_weights(weight_values(model))
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    totals = [part.strip() for part in "\n".join(lines).splitlines() if "params:" in part]
    x = feed(model, seed)
    y = model.predict(x, verbose=0)
    return {
        "model": model,
        "x": x,
        "layers": [(layer.name, type(layer).__name__) for layer in model.layers],
        "weights": [(w.path, tuple(w.shape), str(w.dtype), w.trainable) for w in model.weights],
        "shapes": [tuple(t.shape) for t in leaves(model.outputs)],
        "names of outputs": list(getattr(model, "output_names", ()) or [model.layers[-1].name]),
        "parameters": model.count_params(),
        "summary": totals,
        "structure": structure(y),
        "predictions": leaves(y),
    }


def feed(model: Any, seed: int) -> Any:
    d = Draw(seed, 1)
    arrays = [d.floats((3, *t.shape[1:])) for t in model.inputs]
    if isinstance(getattr(model, "_inputs_struct", None), dict):
        return dict(zip(sorted(model._inputs_struct), arrays, strict=True))
    return arrays if len(arrays) > 1 else arrays[0]


def loaded_by(reader: Any, saved: dict[str, Any], kind: str) -> list[np.ndarray]:
    """Predictions of the model that `reader` opens from the other's file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{kind}"
        saved["model"].save(path)
        reader.fresh()
        model = reader.keras.saving.load_model(path)
    y = model.predict(saved["x"], verbose=0)
    return [structure(y), *leaves(y)]


def compare_graphs(theirs: Any, ours: Any, name: str, seed: int) -> tuple[str, list[str]]:
    """The model in words, and how the two frameworks' models and files differ."""
    t, o = attempt(facts, theirs, name, seed), attempt(facts, ours, name, seed)
    if isinstance(t, Refused) or isinstance(o, Refused):
        return "", refusals(name, t, o)
    lines = [
        f"{key}: {o[key]}, in Keras {t[key]}"
        for key in t
        if key not in ("model", "x", "predictions") and t[key] != o[key]
    ]
    lines += of_arrays("predictions", t["predictions"], o["predictions"], 1e-4)
    for reader, saved in ((theirs, o), (ours, t)):
        what = f"{reader.name} reads .keras"
        again = attempt(loaded_by, reader, saved, ".keras")
        if isinstance(again, Refused):
            lines.append(f"{what}: {again.text}")
        elif again[0].replace("tuple", "list") != saved["structure"].replace("tuple", "list"):
            lines.append(f"{what}: {again[0]}, saved {saved['structure']}")
        else:
            lines += of_arrays(f"{what}, predictions", saved["predictions"], again[1:], 1e-4)
    return " ".join(f"{kind}({label})" for label, kind in o["layers"]), lines
