"""More models whose files Keras 2 writes, alone and as tf.keras: what changed under one name since.

Rows of the table in `legacy_keras2.py`; run by `make_legacy_files.py`.
"""

import numpy as np
from legacy_files import ids, normal
from legacy_keras2 import (
    ALONE,
    BOTH,
    TF1,
    TF2,
    V3,
    VERSION,
    Input,
    K,
    Model,
    Sequential,
    chain,
    exists,
    keras,
    layers,
    old,
    optimizers,
    rate,
    row,
)

if not ALONE:
    import tensorflow as tf

losses, metrics = keras.losses, keras.metrics
ON_TENSORFLOW = K.backend() == "tensorflow"


# Optimizers


def small_gradients(optimizer):
    """Where the epsilon that they are divided by counts."""
    model = chain(layers.Dense(2, input_shape=(4,)))
    model.compile(optimizer, "mse")
    return model, normal(4, 4) * 1e-3, normal(4, 2) * 1e-3


@row("RMSprop where gradients are as small as epsilon", formats=("h5",))
def rmsprop_small():
    return small_gradients(old.RMSprop(epsilon=1e-6, **rate(1e-4)))


@row("Adagrad where gradients are as small as epsilon", formats=("h5",))
def adagrad_small():
    return small_gradients(old.Adagrad(epsilon=1e-6, **rate(1e-4)))


@row("Adam where gradients are as small as epsilon", formats=("h5",))
def adam_small():
    return small_gradients(old.Adam(epsilon=1e-6, **rate(1e-4)))


@row("Adagrad before its first step", formats=("h5",), steps=0)
def adagrad_fresh():
    model = chain(layers.Dense(2, input_shape=(4,)))
    model.compile(old.Adagrad(**rate(0.1)), "mse")
    return model, normal(4, 4), normal(4, 2)


@row("Nadam before its first step", formats=("h5",), steps=0)
def nadam_fresh():
    model = chain(layers.Dense(2, input_shape=(4,)))
    model.compile(old.Nadam(**rate(0.1)), "mse")
    return model, normal(4, 4), normal(4, 2)


@row("SGD with momentum, its decay in time, gradients cut by their norm", formats=("h5",))
def sgd_clipped():
    model = chain(layers.Dense(3, input_shape=(4,), activation="tanh"), layers.Dense(2))
    model.compile(old.SGD(momentum=0.8, decay=0.3, clipnorm=0.1, **rate(0.5)), "mse")
    return model, normal(4, 4), normal(4, 2)


if TF2:

    @row("mixed precision with a loss that is scaled", formats=BOTH, steps=1)
    def loss_scale():
        where = keras.mixed_precision
        policy = where.Policy if exists("Policy", where) else where.experimental.Policy
        said = {"dtype": policy("mixed_float16")}
        model = chain(layers.Dense(4, input_shape=(4,), **said), layers.Dense(2, dtype="float32"))
        made = optimizers.SGD(0.1, momentum=0.9)
        if exists("LossScaleOptimizer", where):
            made = where.LossScaleOptimizer(made, initial_scale=8.0, dynamic_growth_steps=3)
        else:
            made = where.experimental.LossScaleOptimizer(made, "dynamic")
        model.compile(made, "mse")
        return model, normal(4, 4), normal(4, 2)

    SCHEDULES = optimizers.schedules
    KINDS = {
        "cosine": lambda: (
            SCHEDULES.CosineDecay(0.1, 10, 0.1)
            if exists("CosineDecay", SCHEDULES)
            else keras.experimental.CosineDecay(0.1, 10, 0.1)
        ),
        "inverse": lambda: SCHEDULES.InverseTimeDecay(0.1, 2, 0.5),
        "piecewise": lambda: SCHEDULES.PiecewiseConstantDecay([2, 4], [0.3, 0.2, 0.1]),
        "polynomial": lambda: SCHEDULES.PolynomialDecay(0.1, 4, 0.01, power=2.0, cycle=True),
    }

    def keep_schedule(name, make):
        def made():
            model = chain(layers.Dense(2, input_shape=(4,)))
            model.compile(optimizers.SGD(make(), momentum=0.9), "mse")
            return model, normal(4, 4), normal(4, 2)

        made.__name__ = "schedule_" + name
        row("a learning rate schedule: " + name, formats=BOTH)(made)

    for _name in sorted(KINDS) if V3 else ():
        keep_schedule(_name, KINDS[_name])


# Training configurations


@row("losses in a list, weights in a list, metrics in lists", formats=BOTH)
def losses_listed():
    x = Input((4,), name="x")
    model = Model(x, [layers.Dense(2, name="a")(x), layers.Dense(1, name="b")(x)])
    said = ["mae"] if ALONE and VERSION < (2, 3) else [["mae"], ["mse", "mae"]]
    model.compile("sgd", ["mse", "mae"], loss_weights=[0.5, 2.0], metrics=said)
    return model, normal(4, 4), [normal(4, 2), normal(4, 1)]


LOSSES = [
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "hinge",
    "squared_hinge",
    "logcosh",
    "poisson",
    "kullback_leibler_divergence",
    "binary_crossentropy",
    "categorical_hinge",
    "cosine_proximity",
]


def keep_loss(name):
    def make():
        model = chain(layers.Dense(3, input_shape=(4,), activation="sigmoid"))
        model.compile("sgd", name)
        return model, normal(4, 4), np.abs(normal(4, 3)) * 0.3

    make.__name__ = "loss_" + name
    row("the loss " + name, formats=("h5",), steady=True)(make)


for _name in LOSSES:
    if exists(_name, losses) and (ALONE and VERSION != (2, 2) or TF1):
        keep_loss(_name)

if exists("Huber", losses):

    @row("losses as objects: reductions, delta, logits, smoothing", formats=BOTH)
    def loss_objects():
        x = Input((4,), name="x")
        ends = [layers.Dense(3, name=name)(x) for name in "abc"]
        model = Model(x, ends)
        total = losses.Reduction.SUM if exists("Reduction", losses) else "sum"
        said = {
            "a": losses.Huber(0.5, reduction=total),
            "b": losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2),
            "c": losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        }
        model.compile("sgd", said)
        target = np.eye(3, dtype="float32")[ids(3, 4)]
        return model, normal(4, 4), [normal(4, 3), target, target]

    @row("metrics as objects of many kinds", formats=BOTH)
    def metric_objects():
        model = chain(layers.Dense(3, input_shape=(4,), activation="softmax"))
        made = [
            metrics.AUC(thresholds=[0.2, 0.5]),
            metrics.Precision(thresholds=0.4, top_k=2, class_id=1),
            metrics.Recall(),
            metrics.TopKCategoricalAccuracy(k=2),
            metrics.MeanSquaredError(name="squares"),
            metrics.SpecificityAtSensitivity(0.5),
            metrics.TruePositives(thresholds=[0.3, 0.6]),
        ]
        model.compile("sgd", "categorical_crossentropy", metrics=made)
        return model, normal(4, 4), np.eye(3, dtype="float32")[ids(3, 4)]


@row("names with slashes, of layers and outputs", formats=BOTH)
def slashes():
    x = Input((4,), name="in/x")
    y = layers.Dense(3, name="block/dense", activation="tanh")(x)
    inner = Sequential([layers.Dense(2, input_shape=(3,), name="i/n")], name="model/inner")
    model = Model(x, [inner(y), layers.Dense(1, name="out/b")(y)])
    names = model.output_names
    model.compile("sgd", {names[0]: "mse", names[1]: "mae"}, loss_weights={names[1]: 2.0})
    return model, normal(4, 4), [normal(4, 2), normal(4, 1)]


# Layers


if ON_TENSORFLOW:

    @row("bilinear upsampling with channels first")
    def upsampling_first():
        x = Input((2, 3, 4))
        said = {"data_format": "channels_first"}
        if VERSION >= (2, 3) or (ALONE and keras.__version__ >= "2.2.3"):
            said["interpolation"] = "bilinear"
        return Model(x, layers.UpSampling2D((3, 2), **said)(x)), normal(2, 2, 3, 4)


def variances():
    """BatchNormalization of each rank, in training: what its averages come to."""
    for name, shape in (("rows", (4,)), ("lines", (5, 4)), ("images", (3, 2, 4))):
        keep_variance(name, shape)
    keep_variance("volumes", (2, 3, 2, 2))


def keep_variance(name, shape):
    def make():
        said = {"momentum": 0.5, "input_shape": shape}
        parts = [layers.BatchNormalization(**said), layers.Flatten(), layers.Dense(2)]
        model = chain(*(parts if len(shape) > 1 else parts[::2]))
        model.compile("sgd", "mse")
        return model, normal(4, *shape) * 2, normal(4, 2)

    make.__name__ = "variance_" + name
    row("BatchNormalization's averages in training: " + name, formats=BOTH, steady=True)(make)


variances()

if not ALONE:

    @row("BatchNormalization with renorm, after training", formats=BOTH)
    def renormalized():
        clipping = {"rmin": 0.5, "rmax": 1.5, "dmax": 0.3}
        layer = layers.BatchNormalization(
            renorm=True, renorm_clipping=clipping, renorm_momentum=0.8, momentum=0.9
        )
        model = chain(layers.Dense(3, input_shape=(4,)), layer, layers.Dense(2))
        model.compile("sgd", "mse")
        return model, normal(4, 4), normal(4, 2)


if not ALONE and TF2:

    @row("layers that go over several axes", formats=BOTH)
    def several_axes():
        x = Input((6, 5, 4))
        outputs = [
            layers.LayerNormalization(axis=(1, 2), epsilon=0.1)(x),
            layers.DepthwiseConv2D(3, dilation_rate=2, depth_multiplier=2)(x),
            layers.Softmax(axis=[1, 2])(x),
            layers.BatchNormalization(axis=[1])(x),
        ]
        return Model(x, outputs), normal(2, 6, 5, 4)

    @row("recurrent layers with time first, unrolled, with zeros where masked")
    def recurrent_masks():
        x = Input((4, 3))
        masked = layers.Masking(0.0)(x)
        outputs = [
            layers.LSTM(2, return_sequences=True, unroll=True)(masked),
            layers.GRU(2, return_sequences=True, reset_after=True)(masked),
            layers.LSTM(2, time_major=True, return_sequences=True)(x),
            layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode="concat")(masked),
        ]
        if VERSION >= (2, 5):
            cell = layers.RNN(layers.LSTMCell(2), return_sequences=True, zero_output_for_mask=True)
            outputs.append(cell(masked))
        values = normal(4, 4, 3)
        values[1, 2:] = 0.0
        return Model(x, outputs), values

    @row("attention with masks, dropout and two axes", formats=BOTH)
    def attention_axes():
        q, v = Input((3, 4)), Input((5, 4))
        outputs = [layers.Attention(dropout=0.3)([q, v])]
        if exists("MultiHeadAttention"):
            grid = Input((2, 3, 4))
            heads = layers.MultiHeadAttention(2, 3, attention_axes=(1, 2), use_bias=False)
            outputs.append(heads(grid, grid))
            outputs.append(layers.MultiHeadAttention(1, 2, output_shape=(3,))(q, v, key=v))
            given = [normal(2, 3, 4), normal(2, 5, 4), normal(2, 2, 3, 4)]
            return Model([q, v, grid], outputs), given
        return Model([q, v], outputs), [normal(2, 3, 4), normal(2, 5, 4)]

    preprocessing = (
        layers if exists("StringLookup") else getattr(layers.experimental, "preprocessing", None)
    )

    @row("layers that change images in training only", values="own", formats=BOTH)
    def augmenting():
        made = [
            preprocessing.RandomRotation(0.2),
            preprocessing.RandomZoom(0.3, (-0.1, 0.2)),
            preprocessing.RandomTranslation(0.1, 0.2, fill_mode="wrap"),
            preprocessing.RandomContrast(0.4),
            preprocessing.RandomFlip("vertical"),
            preprocessing.Rescaling(2.0, 1.0),
        ] + [preprocessing.RandomCrop(3, 4)] * V3
        x = Input((4, 5, 3))
        y = x
        for layer in made:
            y = layer(y)
        return Model(x, y), np.abs(normal(2, 4, 5, 3))

    @row("Normalization with axes, with numbers given", values="own", formats=BOTH)
    def numbers_given():
        learned = preprocessing.Normalization(axis=(1, 2))
        learned.adapt(normal(9, 4, 5) * 3 + 1)
        x = Input((4, 5))
        outputs = [learned(x)]
        if V3 or VERSION >= (2, 4):
            outputs.append(preprocessing.Normalization(mean=1.5, variance=4.0, axis=None)(x))
        return Model(x, outputs), normal(2, 4, 5)


if TF2 and exists("StringLookup"):

    @row("vocabularies in every way", values="own", formats=BOTH)
    def lookups_more():
        x, n = Input((2,), dtype="string"), Input((2,), dtype="int64")
        words = ["a", "b", "c"]
        outputs = [
            layers.StringLookup(vocabulary=words, num_oov_indices=2, mask_token="")(x),
            layers.StringLookup(vocabulary=words, oov_token="?", output_mode="count")(x),
            layers.IntegerLookup(vocabulary=[5, 7], num_oov_indices=3)(n),
            layers.IntegerLookup(vocabulary=[5, 7], output_mode="one_hot")(n[:, :1]),
            layers.CategoryEncoding(5, output_mode="count")(n),
            layers.Hashing(5, salt=[133, 137])(x),
            layers.Hashing(5, mask_value="z")(x),
            layers.Discretization(bin_boundaries=[0.5, 1.5], output_mode="one_hot")(n[:, :1]),
        ]
        strings = np.array([["a", "b"], ["z", "d"], ["c", ""]])
        numbers = np.array([[1, 2], [3, 4], [0, 2]], "int64")
        return Model([x, n], outputs), [tf.constant(strings), numbers]


# TensorFlow's functions in a functional model

if not ALONE:

    @row("TensorFlow's functions of tensors: arithmetic, reductions, shapes", formats=BOTH)
    def operations_more():
        a, b = Input((4,), name="a"), Input((3, 4), name="b")
        outputs = [2.0 - a, tf.maximum(a, 0.2), tf.minimum(a, 0.0), a**2, tf.sqrt(tf.abs(a))]
        outputs += [tf.square(a), tf.exp(a), -a, tf.nn.relu6(a), tf.sigmoid(a), tf.tanh(a)]
        outputs += [tf.math.log(tf.abs(a) + 1.0), tf.nn.softmax(b), tf.nn.log_softmax(a)]
        outputs += [tf.matmul(a, tf.ones((4, 2))), tf.matmul(b, b, transpose_b=True)]
        outputs += [tf.reshape(b, (-1, 12)), tf.transpose(b, (0, 2, 1)), tf.stack([a, a], 1)]
        outputs += [b[:, 0], b[:, ::-1, 1:3], b[:, :, :, tf.newaxis], tf.expand_dims(a, 1)]
        outputs += [tf.squeeze(tf.expand_dims(a, 1), 1), tf.reduce_sum(b, 1)]
        outputs += [tf.reduce_max(b, -1, keepdims=True), tf.reduce_min(b, 1)]
        outputs += [tf.reduce_prod(b, 1), tf.reduce_mean(b, [1, 2]), tf.cast(a > 0.0, "float32")]
        outputs += [tf.tile(a, (1, 2)), tf.gather(b, [0, 2], axis=1), tf.identity(a)]
        outputs += [tf.nn.bias_add(a, [1.0, 2.0, 3.0, 4.0]), tf.split(b, 2, axis=-1)[1]]
        outputs += [tf.split(b, [1, 3], axis=-1)[1], tf.unstack(b, axis=1)[0], tf.nn.elu(a)]
        outputs += [tf.nn.leaky_relu(a), tf.cast(tf.argmax(b, -1), "float32"), tf.floor(a)]
        outputs += [tf.pad(b, [[0, 0], [1, 0], [0, 2]]), tf.one_hot(tf.cast(a, "int32"), 3)]
        outputs += [tf.pad(b, [[0, 0], [1, 1], [0, 0]], "REFLECT"), tf.cumsum(b, 1), tf.sign(a)]
        outputs += [tf.math.softplus(a), tf.math.erf(a), tf.reverse(b, [1]), tf.add_n([a, a, a])]
        outputs += [tf.math.floormod(a, 0.3), tf.math.squared_difference(a, 1.0)]
        outputs += [
            tf.slice(b, [0, 1, 0], [-1, 2, 3]),
            tf.nn.avg_pool2d(b[:, :, :, tf.newaxis], 2, 1, "SAME"),
        ]
        outputs += [tf.zeros_like(a), tf.math.top_k(a, 2)[0], tf.roll(b, 1, 1), tf.norm(a, axis=-1)]
        outputs += [tf.math.rsqrt(tf.abs(a)), tf.stop_gradient(a)]
        return Model([a, b], outputs), [normal(2, 4), normal(2, 3, 4)]

    if TF2:

        @row("TensorFlow's functions: sizes for reshape, choices, Keras's backend", formats=BOTH)
        def operations_by_sizes():
            a, b = Input((4,), name="a"), Input((3, 4), name="b")
            outputs = [tf.reshape(b, (tf.shape(b)[0], 12)), K.batch_dot(b, b, (2, 2))]
            outputs += [tf.reshape(b, tf.stack([tf.shape(b)[0], 12])), K.dot(b, tf.ones((4, 2)))]
            outputs += [tf.where(a > 0.0, a, 0.5 * a), tf.clip_by_value(a, -0.5, 0.5)]
            outputs += [tf.nn.l2_normalize(b, -1), tf.reduce_logsumexp(b, 1), tf.nn.gelu(a)]
            outputs += [K.batch_flatten(b), K.std(b, 1), K.hard_sigmoid(a), K.l2_normalize(b, 1)]
            outputs += [
                tf.tensordot(b, tf.ones((4, 2)), 1),
                tf.image.resize(b[:, :, :, tf.newaxis], (6, 8)),
            ]
            outputs += [losses.mean_squared_error(a, a * 2.0), 1.0 - a, 2.0**a, tf.cumsum(a)]
            return Model([a, b], outputs), [normal(2, 4), normal(2, 3, 4)]
