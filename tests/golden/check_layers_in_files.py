"""Open with real Keras files of every layer, operation, optimizer, loss, metric... that we write.

Run it by hand, the first line with layerkit installed, the second with real Keras, 3.0 or later:

    python tests/golden/check_layers_in_files.py write /tmp/layers
    KERAS_BACKEND=torch python tests/golden/check_layers_in_files.py check /tmp/layers

On JAX it is quicker with JAX_DISABLE_JIT=1.

`write` makes one small model per row of the tables, trains those that are compiled for three steps,
and saves each as `.keras` and as legacy `.h5`, with what it computes. `check` loads both in Keras
and compares predictions, weights and, of the `.keras`, the optimizer's state and one more step.
What differs is printed; what is in KNOWN, with its reason, does not count. Status 0 if all agree.

    KERAS_BACKEND=torch python tests/golden/check_layers_in_files.py own /tmp/own

makes the same models in Keras itself: `check` says then what Keras cannot do with files of its own.
"""

import fnmatch
import json
import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

CASES = {}
# (versions, backends, files): what Keras cannot do, with files of its own either (see `own`).
_ONE = "since 3.12 Keras says of one tensor alone what 3.0 to 3.3 cannot read"
_OPERATIONS = "Keras takes no lists there, which is what files make of tuples"
_BEFORE = "Keras had not got it then"
_TENSORFLOW = "Keras computes it with TensorFlow"
_TWICE = "Keras counted regularizers twice"
KNOWN = {
    ("*", "*", "operations: indexed.h5"): "legacy files of Keras hold no Ellipsis",
    ("3.0.*", "*", "operations: indexed*"): _BEFORE,
    ("3.0.*", "*", "operations: sliced*"): "files of Keras made lists of slices",
    ("3.0.*", "*", "operations: normalize*"): "Keras loses its options",
    ("3.[0-9].*", "*", "operations: logsumexp*"): _OPERATIONS,
    ("*", "jax", "operations: norm.*"): _OPERATIONS,
    ("*", "jax", "operations: average_pool*"): _OPERATIONS,
    ("3.[0-9].*", "*", "operations: norm.*"): _OPERATIONS,
    ("3.1[0-2].*", "*", "operations: norm.*"): _OPERATIONS,
    ("3.[0-9].*", "*", "operations: average_pool*"): _OPERATIONS,
    ("3.1[0-2].*", "*", "operations: average_pool*"): _OPERATIONS,
    ("3.[0-9].*", "numpy", "operations: top_k*"): "Keras does not sort them there",
    ("*", "*", "optimizers: Lamb.h5"): "Keras does not find it by its name",
    ("3.[0-5].*", "*", "optimizers: Lamb*"): _BEFORE,
    ("3.[0-9].*", "*", "optimizers: Muon*"): _BEFORE,
    ("3.1[0-2].*", "*", "optimizers: Muon*"): "its steps had not got the size of Adam's then",
    ("3.[0-9].*", "*", "optimizers: Nadam.keras"): "its variables have another order",
    ("*", "*", "optimizers: loss scale Nadam.keras"): "Keras loses its product of momenta",
    ("3.[0-3].*", "*", "graphs: one tensor alone*"): _ONE,
    ("3.0.*", "*", "graphs: several outputs*"): "Keras counts the calls of models otherwise",
    ("3.*", "numpy", "graphs: masked*"): "Keras's recurrences pass masks otherwise there",
    ("3.*", "numpy", "table: Softmax:axes.keras"): _OPERATIONS,
    ("3.[0-3].*", "*", "preprocessing: Normalization adapted*.h5"): "Keras does not take it over",
    ("*", "torch", "table: LayerNormalization:axis*"): "torch normalizes the last axes only",
    ("*", "torch", "table: AveragePooling2D:same*"): "torch pads it otherwise",
    ("*", "torch", "table: UpSampling2D:*"): "torch interpolates otherwise, or not at all",
    ("3.0.*", "*", "table: UpSampling2D:lanczos5*"): "Keras computes it otherwise",
    (
        "*",
        "*",
        "preprocessing: RandomCrop*",
    ): "Keras crops outside of training in some versions only",
    ("3.0.*", "*", "table: Dot*.keras"): "Keras does not build it from what it saves",
    ("3.0.*", "*", "recurrent: Bidirectional*"): "Keras does not build it from what it saves",
    ("3.[0-8].*", "*", "table: MultiHeadAttention:cross*"): "the sizes had to be the same then",
    ("3.[0-8].*", "*", "table: MultiHeadAttention:causal dropout*"): _BEFORE,
    ("3.[0-9].*", "*", "table: MultiHeadAttention:causal.*"): _BEFORE,
    ("3.1[0-2].*", "*", "table: MultiHeadAttention:causal.*"): _BEFORE,
    ("3.[0-5].*", "*", "table: ZeroPadding1D:first*"): _BEFORE,
    ("3.[0-9].*", "*", "table: Adaptive*"): _BEFORE,
    ("3.1[0-2].*", "*", "table: Adaptive*"): _BEFORE,
    ("3.[0-8].*", "*", "table: RMSNormalization*"): _BEFORE,
    ("3.[0-8].*", "*", "compiled: *Correlation.keras"): _BEFORE,
    ("3.0.*", "*", "compiled: *Focal*.h5"): "Keras does not find it by its name",
    ("3.0.*", "*", "compiled: loss Dice*"): _BEFORE,
    ("3.0.*", "*", "compiled: loss Tversky*"): _BEFORE,
    ("3.[0-9].*", "jax", "compiled: metric *At*.keras"): "Keras cannot compute it on JAX",
    ("3.0.*", "*", "parts: regularizer *.keras"): _TWICE,
    ("3.0.*", "*", "parts: initializer Identity*"): "Keras finds it by neither of its names",
    ("*", "*", "parts: activation sparsemax*"): "of several entries Keras's have not the sum 1",
    ("*", "torch", "preprocessing: *Lookup*"): _TENSORFLOW,
    ("*", "torch", "preprocessing: *Hashing*"): _TENSORFLOW,
    ("*", "torch", "preprocessing: *TextVectorization*"): _TENSORFLOW,
    ("*", "jax", "preprocessing: *Lookup*"): _TENSORFLOW,
    ("*", "jax", "preprocessing: *Hashing*"): _TENSORFLOW,
    ("*", "jax", "preprocessing: *TextVectorization*"): _TENSORFLOW,
    ("*", "numpy", "preprocessing: *Lookup*"): _TENSORFLOW,
    ("*", "numpy", "preprocessing: *Hashing*"): _TENSORFLOW,
    ("*", "numpy", "preprocessing: *TextVectorization*"): _TENSORFLOW,
}
_NEWER_ACTIVATIONS = (
    *("celu", "hard_shrink", "hard_tanh", "log_sigmoid", "soft_shrink", "sparse_plus"),
    *("squareplus", "tanh_shrink"),
)
KNOWN |= {("3.[0-8].*", "*", f"parts: activation {name}*"): _BEFORE for name in _NEWER_ACTIVATIONS}


def case(function):
    """Keep `function`, which yields (name, model, inputs[, targets]), all made of `keras`."""
    CASES[function.__name__] = function
    return function


def functional(keras, layer, *shapes, x=None, dtype=None, call=None):
    """The model that calls `layer` once on inputs of these shapes, and values for them.

    Inputs and outputs are lists: what says of one tensor alone Keras reads since 3.4 only.
    """
    rng = np.random.default_rng(3)
    values = [rng.normal(size=(2, *shape)).astype("float32") for shape in shapes]
    values = values if x is None else [np.asarray(each) for each in x]
    inputs = [keras.Input(shape, dtype=dtype) for shape in shapes]
    if call is None:
        outputs = layer(inputs[0] if len(inputs) == 1 else inputs)
    else:
        outputs = call(layer, *inputs)
    return keras.Model(inputs, listed(outputs)), values


def listed(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


@case
def table(keras):
    """The rows of the layers' table that one model can have."""
    from tables.layers import ROWS, resolved

    for row in ROWS:
        if row.masks is not None or row.state or row.training:
            continue
        layer = getattr(keras.layers, row.layer)(**resolved(row.arguments, keras.layers))
        shapes = [shape[1:] for shape in row.shapes]
        rng = np.random.default_rng(3)
        x = [rng.normal(size=shape).astype("float32") for shape in row.shapes]
        if row.ids_below is not None:
            x = [rng.integers(row.ids_below, size=shape).astype("int32") for shape in row.shapes]
        names = list(row.shape) if isinstance(row.shape, dict) else None

        def call(layer, *inputs, names=names, options=row.call):
            if names:
                return layer(**dict(zip(names, inputs, strict=True)), **options)
            return layer(list(inputs) if len(inputs) > 1 else inputs[0], **options)

        dtype = None if row.ids_below is None else "int32"
        yield str(row), *functional(keras, layer, *shapes, x=x, dtype=dtype, call=call)


@case
def recurrent(keras):
    made = keras.layers
    cells = [made.LSTMCell(2), made.GRUCell(3), made.SimpleRNNCell(2)]
    rows = {
        "LSTM": made.LSTM(3),
        "LSTM options": made.LSTM(
            3, return_sequences=True, go_backwards=True, unit_forget_bias=False, dropout=0.2, seed=1
        ),
        "LSTM hard": made.LSTM(2, activation="relu", recurrent_activation="hard_sigmoid"),
        "LSTM state": made.LSTM(2, return_state=True, use_cudnn=False, unroll=True),
        "GRU": made.GRU(3),
        "GRU v1": made.GRU(3, reset_after=False, use_bias=False, recurrent_dropout=0.1),
        "SimpleRNN": made.SimpleRNN(3, return_sequences=True),
        "RNN of cells": made.RNN(cells, return_sequences=True),
        "RNN of a cell": made.RNN(made.GRUCell(2), go_backwards=True),
        "Bidirectional": made.Bidirectional(made.LSTM(2, return_sequences=True)),
        "Bidirectional two": made.Bidirectional(
            made.GRU(2), backward_layer=made.LSTM(2, go_backwards=True), merge_mode="concat"
        ),
        "TimeDistributed": made.TimeDistributed(made.Dense(2, activation="tanh")),
        "SpectralNormalization": made.SpectralNormalization(made.Dense(2)),
    }
    for name, layer in rows.items():
        yield name, *functional(keras, layer, (4, 3))
    yield "stateful", *_stateful(keras)
    yield "ConvLSTM1D", *functional(keras, made.ConvLSTM1D(2, 2), (3, 4, 2))
    layer = made.ConvLSTM2D(2, 2, return_sequences=True, padding="same")
    yield "ConvLSTM2D", *functional(keras, layer, (3, 4, 4, 2))
    yield "ConvLSTM3D", *functional(keras, made.ConvLSTM3D(2, 2), (2, 3, 3, 3, 1))


def _stateful(keras):
    x = keras.Input(batch_shape=(2, 4, 3))
    model = keras.Model([x], [keras.layers.GRU(2, stateful=True)(x)])
    return model, [np.random.default_rng(3).normal(size=(2, 4, 3)).astype("float32")]


@case
def preprocessing(keras):
    made = keras.layers
    numbers = {
        "Normalization": made.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]),
        "Normalization back": made.Normalization(mean=1.0, variance=2.0, invert=True, axis=None),
        "Discretization": made.Discretization([-0.5, 0.0, 0.5]),
        "Discretization hot": made.Discretization([0.0], output_mode="one_hot"),
        "Rescaling": made.Rescaling(0.5, offset=1.0),
    }
    for name, layer in numbers.items():
        yield name, *functional(keras, layer, (3,))
    adapted = made.Normalization()
    adapted.adapt(np.arange(24, dtype="float32").reshape(8, 3))
    yield "Normalization adapted", *functional(keras, adapted, (3,))
    adapted = made.Normalization(axis=None)
    adapted.adapt(np.arange(24, dtype="float32").reshape(8, 3))
    yield "Normalization adapted to one", *functional(keras, adapted, (3,))
    binned = made.Discretization(num_bins=3)
    binned.adapt(np.arange(24, dtype="float32"))
    yield "Discretization adapted", *functional(keras, binned, (3,))
    images = {
        "CenterCrop": made.CenterCrop(3, 4),
        "RandomBrightness": made.RandomBrightness(0.1, seed=1),
        "RandomContrast": made.RandomContrast(0.1),
        "RandomCrop": made.RandomCrop(4, 4),
        "RandomFlip": made.RandomFlip(),
        "RandomRotation": made.RandomRotation(0.1),
        "RandomTranslation": made.RandomTranslation(0.1, 0.1),
        "RandomZoom": made.RandomZoom(0.1),
        "Resizing": made.Resizing(3, 4, interpolation="nearest"),
        "Resizing crop": made.Resizing(3, 4, crop_to_aspect_ratio=True),
    }
    for name, layer in images.items():
        yield name, *functional(keras, layer, (6, 6, 3))
    ids = [np.array([[0, 2, 3], [1, 1, 2]])]
    encoded = {
        "CategoryEncoding": made.CategoryEncoding(4),
        "CategoryEncoding count": made.CategoryEncoding(4, output_mode="count"),
        "Hashing": made.Hashing(5),
        "IntegerLookup": made.IntegerLookup(vocabulary=[1, 2, 5]),
        "IntegerLookup hot": made.IntegerLookup(
            vocabulary=[1, 2, 5], output_mode="multi_hot", num_oov_indices=2
        ),
    }
    for name, layer in encoded.items():
        yield name, *functional(keras, layer, (3,), x=ids, dtype="int64")
    looked = made.IntegerLookup()
    looked.adapt(np.array([3, 1, 1, 2, 2, 2]))
    yield "IntegerLookup adapted", *functional(keras, looked, (3,), x=ids, dtype="int64")
    words = [np.array([["a", "b", "zz"], ["c", "", "a"]])]
    texts = [np.array([["The cat, the DOG!"], ["a cat"]])]
    vectors = made.TextVectorization(output_sequence_length=4)
    vectors.adapt(["the cat sat", "the dog"])
    terms = made.TextVectorization(output_mode="tf_idf")
    terms.adapt(["the cat sat", "the dog"])
    learned = made.StringLookup(output_mode="count")
    learned.adapt(np.array(["a", "b", "b"]))
    strings = {
        "StringLookup": (made.StringLookup(vocabulary=["a", "b", "c"], mask_token=""), (3,), words),
        "StringLookup adapted": (learned, (3,), words),
        "Hashing strings": (made.Hashing(5, salt=3), (3,), words),
        "TextVectorization": (vectors, (1,), texts),
        "TextVectorization tf_idf": (terms, (1,), texts),
    }
    for name, (layer, shape, x) in strings.items():
        yield f"text {name}", *functional(keras, layer, shape, x=x, dtype="string")


@case
def operations(keras):
    """Calls of operations, written as their options are given by position and by name."""
    ops = keras.ops
    one = {
        "arithmetic": lambda x: 2.0 * x / (x * x + 1.0) - 3.0 ** (-x) // 1.5,
        "compared": lambda x: ops.cast(ops.where(x > 0.0, x, -x) >= 0.5, "float32"),
        "sliced": lambda x: x[:, 1:, ::2] + x[:, -1:, :1],
        "indexed": lambda x: x[..., 0],
        "sum": lambda x: ops.sum(x, axis=1),
        "mean": lambda x: ops.mean(x, axis=(1, 2), keepdims=True) + ops.max(x, 1, True),
        "variance": lambda x: ops.sqrt(ops.var(x, axis=-1)) + ops.std(x, axis=2),
        "reshape": lambda x: ops.reshape(x, (-1, 12)),
        "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
        "expand": lambda x: ops.squeeze(ops.expand_dims(x, 1), axis=1),
        "concatenate": lambda x: ops.concatenate([x, x], axis=-1),
        "stack": lambda x: ops.stack([x, 2.0 * x], axis=1),
        "matmul": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
        "einsum": lambda x: ops.einsum("bij,bkj->bik", x, x),
        "split": lambda x: ops.split(x, 2, axis=2),
        "clip": lambda x: ops.clip(x, -0.5, 0.5),
        "argmax": lambda x: ops.argmax(x, axis=-1),
        "pad": lambda x: ops.pad(x, [[0, 0], [1, 1], [0, 2]]),
        "repeat": lambda x: ops.repeat(ops.tile(x, (1, 2, 1)), 2, axis=1),
        "cumsum": lambda x: ops.cumsum(x, axis=1),
        "activations": lambda x: ops.relu(x) + ops.sigmoid(x) * ops.tanh(x) + ops.softplus(x),
        "gelu": lambda x: ops.gelu(x, approximate=False) + ops.leaky_relu(x, 0.1),
        "softmax": lambda x: ops.softmax(x, axis=1) + ops.log_softmax(x),
        "normalize": lambda x: ops.normalize(x, axis=-1, order=2),
        "logsumexp": lambda x: ops.logsumexp(x, axis=-1),
        "one_hot": lambda x: ops.one_hot(ops.argmax(x, axis=-1), 4),
        "take": lambda x: ops.take(x, [0, 2], axis=1),
        "top_k": lambda x: ops.top_k(x, 2)[0],
        "exp": lambda x: ops.log(ops.exp(x) + 1.0) + ops.square(x) + ops.abs(x) + ops.sign(x),
        "maximum": lambda x: ops.minimum(ops.maximum(x, 0.1), 0.5),
        "floor": lambda x: ops.floor(x) + ops.round(x) + ops.ceil(x),
        "flip": lambda x: ops.flip(ops.roll(x, 1, axis=1), axis=2),
        "logical": lambda x: ops.cast(ops.logical_and(x > 0, ops.not_equal(x, 1.0)), "int32"),
        "sort": lambda x: ops.sort(x, axis=1),
        "dot": lambda x: ops.dot(ops.reshape(x, (-1, 12)), np.ones((12, 2), "float32")),
        "norm": lambda x: ops.norm(x, axis=-1),
    }
    for name, function in one.items():
        x = keras.Input((3, 4))
        values = np.random.default_rng(3).normal(size=(2, 3, 4)).astype("float32")
        yield name, keras.Model([x], listed(function(x))), [values]
    images = {
        "conv": lambda x: ops.conv(x, np.ones((2, 2, 3, 2), "float32"), 1, "same"),
        "max_pool": lambda x: ops.max_pool(x, 2, strides=1, padding="valid"),
        "average_pool": lambda x: ops.average_pool(x, (2, 2), 2, "same"),
        "resize": lambda x: ops.image.resize(x, (3, 4)),
        "moments": lambda x: ops.moments(x, axes=[1, 2])[0],
    }
    for name, function in images.items():
        x = keras.Input((6, 6, 3))
        values = np.random.default_rng(3).normal(size=(2, 6, 6, 3)).astype("float32")
        yield name, keras.Model([x], listed(function(x))), [values]
    x = keras.Input((3,))
    y = keras.layers.Add(name="add")([x, ops.add(x, 1.0)])
    yield "a layer named as an operation", keras.Model([x], [ops.multiply(y, y)]), [np.ones((2, 3))]


@case
def graphs(keras):
    made = keras.layers
    rng = np.random.default_rng(3)
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    two = [rng.normal(size=(2, 3)).astype("float32") for _ in range(2)]
    shared = made.Dense(3, name="shared")
    yield "shared", keras.Model([a, b], [made.Subtract()([shared(a), shared(b)])]), two
    i = keras.Input((3,))
    inner = keras.Model([i], [made.Dense(3, name="in")(i)], name="inner")
    tail = keras.Sequential([keras.Input((3,)), made.Dense(2)], name="tail")
    yield "nested twice", keras.Model([a], [tail(inner(inner(a)))]), two[:1]
    yield "several outputs", keras.Model([a, b], [shared(a), inner(b)]), two
    yield "dict", keras.Model({"a": a, "b": b}, {"s": shared(a), "t": tail(b)}), two
    p, q = keras.Input((3,)), keras.Input((3,))
    pair = keras.Model([p, q], [made.Add()([p, q]), made.Dense(2)(q)], name="pair")
    yield "model of two", keras.Model([a, b], [made.Concatenate()(pair([a, b]))]), two
    yield "one tensor alone", keras.Model(a, made.Dense(2)(a)), two[:1]
    frozen = keras.Sequential([keras.Input((3,)), made.Dense(2), made.BatchNormalization()])
    frozen.layers[0].trainable = False
    yield "frozen", frozen, two[:1]
    yield "not built first", _called(keras.Sequential([made.Dense(2), made.Dense(3)]), two[0])
    yield (
        "mixed",
        keras.Sequential([keras.Input((3,)), made.Dense(2, dtype="mixed_float16")]),
        two[:1],
    )
    policy = keras.mixed_precision.DTypePolicy("mixed_bfloat16")
    layer = made.Dense(2, dtype=policy)
    yield "policy", keras.Sequential([keras.Input((3,)), layer]), two[:1]
    yield "float64", keras.Sequential([keras.Input((3,)), made.Dense(2, dtype="float64")]), two[:1]
    ids = keras.Input((None,), dtype="int32")
    y = made.LSTM(2)(made.Embedding(5, 3, mask_zero=True)(ids))
    yield "masked", keras.Model([ids], [y]), [np.array([[1, 2, 0], [3, 0, 0]], "int32")]


def _called(model, x):
    model(x)
    return model, [x]


def _trained(keras, optimizer, loss="mean_squared_error", outputs=3, **options):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, activation="tanh", **options.pop("layer", {})),
            keras.layers.Dense(outputs, **options.pop("last", {})),
        ]
    )
    model.compile(optimizer, loss, **options)
    rng = np.random.default_rng(3)
    x = rng.normal(size=(8, 4)).astype("float32")
    return model, [x], rng.uniform(0.1, 0.9, size=(8, outputs)).astype("float32")


@case
def optimizers(keras):
    made = keras.optimizers
    names = "Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion Muon Nadam RMSprop SGD"
    for name in names.split():
        yield name, *_trained(keras, getattr(made, name)(0.01))
    yield "SGD momentum", *_trained(keras, made.SGD(0.1, momentum=0.9, nesterov=True))
    yield "RMSprop full", *_trained(keras, made.RMSprop(0.01, momentum=0.5, centered=True))
    yield "Adam amsgrad", *_trained(keras, made.Adam(0.01, amsgrad=True, weight_decay=0.1))
    clipped = made.Adam(0.01, global_clipnorm=0.5, clipvalue=None)
    yield "Adam clipped", *_trained(keras, clipped)
    averaged = made.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=2)
    yield "Adam averages", *_trained(keras, averaged)
    slowly = made.SGD(0.01, gradient_accumulation_steps=2)
    yield "accumulation", *_trained(keras, slowly)
    scaled = made.LossScaleOptimizer(made.Adam(0.01), initial_scale=64.0)
    yield "loss scale", *_trained(keras, scaled)
    for inner in ("Adafactor", "Nadam"):
        scaled = made.LossScaleOptimizer(getattr(made, inner)(0.01), initial_scale=64.0)
        yield f"loss scale {inner}", *_trained(keras, scaled)
    steps = made.schedules
    rates = {
        "ExponentialDecay": steps.ExponentialDecay(0.1, 2, 0.5, staircase=True),
        "CosineDecay": steps.CosineDecay(0.1, 10, warmup_target=0.2, warmup_steps=2),
        "CosineDecayRestarts": steps.CosineDecayRestarts(0.1, 10),
        "InverseTimeDecay": steps.InverseTimeDecay(0.1, 2, 0.5),
        "PiecewiseConstantDecay": steps.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]),
        "PolynomialDecay": steps.PolynomialDecay(0.1, 10, power=2.0),
    }
    for name, rate in rates.items():
        yield name, *_trained(keras, made.SGD(rate, momentum=0.5))


@case
def compiled(keras):
    """Losses and metrics as objects, by name, and by output."""
    losses, metrics = keras.losses, keras.metrics
    skipped = ("Circle", "CTC", "CategoricalGeneralizedCrossEntropy", "Dice", "Loss", "Tversky")
    skipped += ("LossFunctionWrapper",)
    last = {"last": {"activation": "sigmoid"}}
    for name, cls in _classes(losses, losses.Loss, skipped):
        yield f"loss {name}", *_trained(keras, keras.optimizers.SGD(0.01), cls(), **last)
    said = {
        "loss MeanSquaredError sum": losses.MeanSquaredError(reduction="sum", name="own"),
        "loss Huber": losses.Huber(0.3),
        "loss BinaryCrossentropy": losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        "loss BinaryFocalCrossentropy": losses.BinaryFocalCrossentropy(gamma=1.5),
        "loss Dice": losses.Dice(),
        "loss Tversky": losses.Tversky(0.3, 0.7),
    }
    for name, loss in said.items():
        yield f"{name} said", *_trained(keras, "sgd", loss, last={"activation": "sigmoid"})
    skipped = ("Accuracy", "Mean", "MeanMetricWrapper", "Metric", "Sum")
    needs = {
        "IoU": {"num_classes": 2, "target_class_ids": [0]},
        "MeanIoU": {"num_classes": 2},
        "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]},
        "OneHotMeanIoU": {"num_classes": 3},
        "BinaryIoU": {"target_class_ids": [0, 1], "threshold": 0.5},
        "PrecisionAtRecall": {"recall": 0.5},
        "RecallAtPrecision": {"precision": 0.5},
        "SensitivityAtSpecificity": {"specificity": 0.5},
        "SpecificityAtSensitivity": {"sensitivity": 0.5},
        "TopKCategoricalAccuracy": {"k": 2},
    }
    for name, cls in _classes(metrics, metrics.Metric, skipped):
        made = cls(**needs.get(name, {}))
        yield f"metric {name}", *_trained(keras, "sgd", metrics=[made], **last)
    yield from _of_classes(keras)


def _of_classes(keras):
    """Losses and metrics of targets that are numbers of classes."""
    losses, metrics = keras.losses, keras.metrics
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    rows = {
        "loss SparseCategoricalCrossentropy": (loss, []),
        "metric SparseCategoricalAccuracy": (loss, [metrics.SparseCategoricalAccuracy()]),
        "metric SparseCategoricalCrossentropy": (loss, [metrics.SparseCategoricalCrossentropy()]),
        "metric SparseTopKCategoricalAccuracy": (loss, [metrics.SparseTopKCategoricalAccuracy(2)]),
    }
    for name, (loss, measured) in rows.items():
        model, x, _ = _trained(keras, "sgd", loss, metrics=measured)
        yield name, model, x, np.arange(8, dtype="int32") % 3


def _classes(module, base, skipped):
    """(name, class) of those below `base` but for what needs other targets, or arguments."""
    for name, cls in sorted(vars(module).items()):
        below = isinstance(cls, type) and issubclass(cls, base)
        if below and name[0].isupper() and name not in skipped and "Sparse" not in name:
            yield name, cls


@case
def parts(keras):
    """Initializers, regularizers, constraints and activations, as objects and by name."""
    skipped = (
        "Constant",
        "Identity",
        "IdentityInitializer",
        "Initializer",
        "RandomInitializer",
        "STFT",
        "STFTInitializer",
    )
    for name, cls in _classes(keras.initializers, keras.initializers.Initializer, skipped):
        yield f"initializer {name}", *_trained(keras, "sgd", layer={"kernel_initializer": cls()})
    some = keras.initializers
    said = {
        "Constant": some.Constant(0.2),
        "Orthogonal": some.Orthogonal(gain=0.5, seed=1),
        "RandomNormal": some.RandomNormal(0.1, 0.2, seed=3),
        "VarianceScaling": some.VarianceScaling(2.0, "fan_out", "uniform"),
    }
    for name, made in said.items():
        yield (
            f"initializer {name} said",
            *_trained(keras, "sgd", layer={"kernel_initializer": made}),
        )
    square = keras.layers.Dense(4, kernel_initializer=some.Identity(0.5))
    yield "initializer Identity", *functional(keras, square, (4,))
    penalties = keras.regularizers
    for name, made in {
        "L1": penalties.L1(0.1),
        "L2": penalties.L2(0.1),
        "L1L2": penalties.L1L2(0.1, 0.2),
        "orthogonal": penalties.OrthogonalRegularizer(0.1, mode="columns"),
        "l2": "l2",
    }.items():
        layer = {"kernel_regularizer": made}
        yield f"regularizer {name}", *_trained(keras, "sgd", layer=layer)
    limits = keras.constraints
    for name, made in {
        "MaxNorm": limits.MaxNorm(0.5),
        "MinMaxNorm": limits.MinMaxNorm(0.1, 0.5, rate=0.5),
        "NonNeg": limits.NonNeg(),
        "UnitNorm": limits.UnitNorm(axis=0),
        "non_neg": "non_neg",
    }.items():
        yield f"constraint {name}", *_trained(keras, "sgd", layer={"kernel_constraint": made})
    for name in ACTIVATIONS.split():
        layer = keras.layers.Dense(4, activation=name)
        yield f"activation {name}", *functional(keras, layer, (3,))


ACTIVATIONS = """celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu
linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus
softsign sparse_plus sparsemax squareplus tanh tanh_shrink"""


# --- the two ways -------------------------------------------------------------------------------


def fed(model, values):
    structure = getattr(model, "_inputs_struct", None)
    if isinstance(structure, dict):
        return dict(zip(sorted(structure), values, strict=True))
    return list(values) if len(values) > 1 else values[0]


def computed(model, x, keras):
    inputs = [keras.ops.convert_to_tensor(value) for value in x]
    outputs = model(fed(model, inputs), training=False)
    if isinstance(outputs, dict):
        outputs = [outputs[key] for key in sorted(outputs)]
    return [np.asarray(keras.ops.convert_to_numpy(y)).astype("float64") for y in listed(outputs)]


def numbered(name, arrays):
    return {f"{name}{i}": np.asarray(array) for i, array in enumerate(arrays)}


def write(keras, folder, only):
    folder.mkdir(parents=True, exist_ok=True)
    for group, function in CASES.items():
        if only and group not in only:
            continue
        for number, (name, *made) in enumerate(_flat(function(keras))):
            model, x, *targets = made
            stem = folder / f"{group}-{number}"
            if targets:
                for _ in range(3):
                    model.train_on_batch(x[0], targets[0])
            arrays = numbered("x", x) | numbered("target", targets)
            strings = x[0].dtype.kind == "U"
            outputs = [model.predict(x[0], verbose=0)] if strings else computed(model, x, keras)
            arrays |= numbered("prediction", outputs)
            arrays |= numbered("weight", map(_plain, model.get_weights()))
            told = []
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                for ending in ("keras", "h5"):
                    try:
                        model.save(f"{stem}.{ending}")
                    except Exception as error:
                        told.append(f"{ending}: {error}")
            told += [str(each.message) for each in caught]
            if targets:
                state: dict = {}
                model.optimizer.save_own_variables(state)
                arrays |= numbered("state", state.values())
                model.train_on_batch(x[0], targets[0])
                arrays |= numbered("next", map(_plain, model.get_weights()))
            np.savez(f"{stem}.npz", **arrays)
            Path(f"{stem}.json").write_text(json.dumps({"name": f"{group}: {name}", "told": told}))
            if told:
                print(group, name, told)


def _flat(cases):
    while True:
        try:
            name, *made = next(cases)
        except StopIteration:
            return
        except Exception as error:  # of Keras, for which there may be no such thing
            print("Stopped:", _short(error))
            return
        yield (name, *(made[0] if isinstance(made[0], tuple) else made))


def _plain(array):
    return np.asarray(array).astype("float32") if array.dtype.name == "bfloat16" else array


def check(folder, only):
    import keras

    where = f"keras {keras.__version__} on {keras.backend.backend()}"
    failed = right = 0
    for about in sorted(
        folder.glob("*.json"), key=lambda p: (p.stem.split("-")[0], len(p.stem), p)
    ):
        name = json.loads(about.read_text())["name"]
        if only and not any(each in name for each in only):
            continue
        for ending in ("keras", "h5"):
            path = about.with_suffix(f".{ending}")
            if not path.exists():
                continue
            row = f"{name}.{ending}"
            known = _known(keras, row)
            try:
                _check(path, np.load(about.with_suffix(".npz")), keras)
                right += 1
            except Exception as error:
                if known:
                    continue
                failed += 1
                print(where, "DIFFERS on", f"{row}:", type(error).__name__, _short(error))
    print(where, f"agrees on {right} files, differs on {failed}")
    return failed


def _short(error):
    lines = [line for line in str(error).split("\n") if line.strip()]
    found = [line for line in lines if line.startswith("Exception encountered")]
    return (found or [" ".join(" ".join(lines).split())])[-1][:260]


def _known(keras, row):
    for (versions, backends, files), reason in KNOWN.items():
        here = (keras.__version__, keras.backend.backend(), row)
        if all(map(fnmatch.fnmatch, here, (versions, backends, files))):
            return reason
    return None


def _check(path, expected, keras):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = keras.models.load_model(str(path))
    x = numbered_in(expected, "x")
    close = 2e-2 if "mixed" in json.dumps(model.get_config()) else 2e-5
    _compare("weights", map(_plain, model.get_weights()), numbered_in(expected, "weight"), 0)
    if x[0].dtype.kind == "U":
        import tensorflow as tf

        outputs = [np.asarray(model(tf.constant(x[0])))]
    else:
        outputs = computed(model, x, keras)
    _compare("predictions", outputs, numbered_in(expected, "prediction"), close)
    targets = numbered_in(expected, "target")
    if not targets:
        return
    assert model.optimizer is not None, "not compiled"
    if path.suffix == ".keras":
        state = [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables]
        _compare("state", state, numbered_in(expected, "state"), 0)
        if keras.backend.backend() != "numpy":
            model.train_on_batch(x[0], targets[0])
            _compare("next weights", model.get_weights(), numbered_in(expected, "next"), 1e-4)


def numbered_in(arrays, name):
    return [arrays[f"{name}{i}"] for i in range(len(arrays.files)) if f"{name}{i}" in arrays.files]


def _compare(what, found, expected, close):
    found = list(found)
    assert len(found) == len(expected), f"{what}: {len(found)}, expected {len(expected)}"
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=close, rtol=close + 1e-6, err_msg=what)


if __name__ == "__main__":
    action, folder, *names = sys.argv[1:]
    if action == "write":
        write(__import__("layerkit"), Path(folder), names)
    elif action == "own":
        write(__import__("keras"), Path(folder), names)
    else:
        sys.exit(check(Path(folder), names))
