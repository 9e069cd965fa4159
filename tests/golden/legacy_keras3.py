"""The models whose files Keras 3 writes, of every age; run by `make_legacy_files.py`."""

import keras
import numpy as np
from keras import Input, Model, Sequential, layers, losses, metrics, optimizers
from legacy_files import Table, ids, normal
from legacy_subclassed import classes

VERSION = tuple(int(part) for part in keras.__version__.split(".")[:2])
BOTH = ("keras", "h5")
# Keras 3.0 can't write layers in layers as .h5: "name already exists"
INNER = BOTH if VERSION >= (3, 1) else ("keras",)
ops = keras.ops

table = Table()
row = table.row


def chain(shape, *made):
    return Sequential([Input(shape), *made])


@row("Sequential with regularizers, constraints and initializers as objects", formats=BOTH)
def sequential():
    return chain(
        (4,),
        layers.Dense(
            5,
            activation="relu",
            kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "uniform"),
            kernel_regularizer=keras.regularizers.L2(0.01),
            activity_regularizer=keras.regularizers.L1L2(0.1, 0.2),
            kernel_constraint=keras.constraints.MaxNorm(2),
        ),
        layers.Dropout(0.5, seed=3),
        layers.Dense(3, kernel_initializer="lecun_normal", activation="softmax"),
    ), normal(2, 4)


@row("architecture and weights apart", formats=("json", "weights.h5", "pickle"))
def apart():
    made = layers.Dense(5, activation="selu"), layers.BatchNormalization(), layers.Dense(2)
    return chain((4,), *made), normal(2, 4)


@row("functional: two inputs, two outputs, a shared layer", formats=BOTH)
def functional():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = layers.Dense(3, activation="tanh", name="shared")
    both = layers.concatenate([shared(a), shared(b)], name="both")
    one = layers.Dense(1, activation="sigmoid", name="one")(both)
    two = layers.Dense(2, activation="softmax", name="two")(both)
    return Model([a, b], [one, two]), [normal(2, 4), normal(2, 4) + 1]


@row("inputs and outputs as dictionaries", formats=BOTH)
def dictionaries():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    y = layers.Add()([a, b])
    outputs = {"z": layers.Dense(2, name="z")(y), "c": layers.Dense(1, name="c")(b)}
    model = Model({"b": b, "a": a}, outputs)
    return model, [normal(2, 4), normal(2, 4) + 1]


@row("models in a model, frozen in part: weights are in another order in the .h5", formats=BOTH)
def nested():
    inside = Input((4,))
    y = layers.BatchNormalization()(layers.Dense(4, activation="relu")(inside))
    inner = Model(inside, y, name="inner")
    tail = Sequential([Input((4,)), layers.Dense(3), layers.BatchNormalization()], name="tail")
    x = Input((4,))
    model = Model(x, tail(inner(inner(x))))
    inner.trainable = False
    return model, normal(2, 4)


@row("operations as nodes: arithmetic, slices, keras.ops", formats=("keras",))
def operations():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    part = b[:, :2] if VERSION >= (3, 6) else b  # slices came later
    y = ops.concatenate([ops.relu(a * 2.0 + b) - 1.0, part], axis=-1)
    z = ops.mean(y, axis=1, keepdims=True) / 3.0
    return Model([a, b], [layers.Dense(2)(y), z]), [normal(2, 4), normal(2, 4) + 1]


@row("convolutions of images", formats=BOTH)
def convolutions():
    x = Input((7, 6, 2))
    y = layers.Conv2D(4, (3, 2), padding="same", strides=(2, 1))(x)
    outputs = [
        y,
        layers.Conv2D(2, 2, dilation_rate=2, groups=2, use_bias=False)(y),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same")(x),
        layers.SeparableConv2D(5, 3, depth_multiplier=2)(x),
        layers.DepthwiseConv2D(2, depth_multiplier=2)(x),
        layers.AveragePooling2D(2, strides=1, padding="same")(x),
        layers.GlobalMaxPooling2D(keepdims=True)(x),
        layers.UpSampling2D(2, interpolation="bilinear")(x),
    ]
    return Model(x, outputs), normal(2, 7, 6, 2)


@row("convolutions of sequences and volumes", formats=("keras",))
def convolutions_1d_3d():
    a, b = Input((9, 2)), Input((4, 5, 4, 2))
    outputs = [
        layers.Conv1D(3, 3, padding="causal", dilation_rate=2)(a),
        layers.Conv1DTranspose(3, 3, strides=2)(a),
        layers.SeparableConv1D(3, 2)(a),
        layers.Conv3D(2, 2, strides=(1, 2, 1))(b),
        layers.MaxPooling3D(2)(b),
    ]
    return Model([a, b], outputs), [normal(2, 9, 2), normal(2, 4, 5, 4, 2)]


@row("normalizations; BatchNormalization after training", formats=BOTH)
def normalized():
    model = chain(
        (3, 4, 2),
        layers.Conv2D(2, 1),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-4),
        layers.GroupNormalization(2),
        layers.UnitNormalization(),
        layers.Flatten(),
        layers.LayerNormalization(),
        layers.Dense(2),
        layers.BatchNormalization(center=False),
    )
    model.compile(optimizers.SGD(0.05), "mse")
    return model, normal(4, 3, 4, 2), normal(4, 2)


@row("recurrent layers with their defaults and the other way", formats=INNER)
def recurrent():
    x = Input((4, 3))
    a = layers.LSTM(2, return_sequences=True)(x)
    b = layers.GRU(2, return_sequences=True)(a)
    said = {"recurrent_activation": "hard_sigmoid", "return_sequences": True}
    c = layers.LSTM(2, unit_forget_bias=False, go_backwards=True, **said)(x)
    d = layers.GRU(2, reset_after=False, **said)(x)
    stacked = layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)])(x)
    return Model(x, [a, b, c, d, layers.SimpleRNN(2)(b), stacked]), normal(2, 4, 3)


@row("Bidirectional, TimeDistributed, a masked Embedding", formats=INNER)
def wrappers():
    x = ids(7, 2, 5)
    x[0, 3:] = 0
    return chain(
        (5,),
        layers.Embedding(7, 3, mask_zero=True),
        layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode="sum"),
        layers.TimeDistributed(layers.Dense(2)),
        layers.Bidirectional(layers.LSTM(2)),
    ), x


@row("attention layers", formats=INNER)
def attention():
    q, v = Input((3, 4)), Input((5, 4))
    outputs = [layers.Attention(use_scale=True)([q, v]), layers.AdditiveAttention()([q, v])]
    outputs.append(layers.MultiHeadAttention(2, 3, value_dim=2)(q, v))
    return Model([q, v], outputs), [normal(2, 3, 4), normal(2, 5, 4)]


@row("activations as layers and by name", formats=BOTH)
def activations():
    x = Input((3, 4))
    made = [
        layers.LeakyReLU(negative_slope=0.2),
        layers.PReLU(shared_axes=[1]),
        layers.ELU(alpha=0.7),
        layers.ReLU(1.5, 0.1, 0.2),
        layers.Softmax(axis=1),
    ]
    names = ["hard_sigmoid", "gelu", "silu", "relu6", "mish", "exponential", "log_softmax"]
    made += [layers.Activation(name) for name in names]
    return Model(x, [layer(x) for layer in made]), normal(2, 3, 4)


@row(
    "numbers and sizes of images, with layers that do nothing when predicting",
    values="own",
    formats=BOTH,
)
def numbers():
    norm = layers.Normalization()
    norm.adapt(normal(9, 4, 5, 2) * 3 + 1)
    x = Input((4, 5, 2))
    outputs = [norm(x), layers.Rescaling(0.5, offset=-1.0)(x), layers.Resizing(3, 7)(x)]
    outputs.append(layers.RandomFlip("horizontal", seed=3)(x))
    return Model(x, outputs), normal(2, 4, 5, 2)


@row("Python code inside: a Lambda of a lambda. Must not run", predicts=False, formats=BOTH)
def lambda_code():
    return chain((4,), layers.Lambda(lambda x: x * 2), layers.Dense(2)), normal(2, 4)


@keras.saving.register_keras_serializable(package="golden")
class Scale(layers.Layer):
    """What a user wrote: multiplies by a weight."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, inputs):
        return inputs * self.scale


def own_loss(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@row(
    "a registered layer (golden>Scale) and a user's loss",
    custom_objects={"own_loss": own_loss},
    formats=BOTH,
)
def custom():
    model = chain((4,), Scale(), layers.Dense(2))
    model.compile(optimizers.SGD(0.1), own_loss)
    return model, normal(4, 4), normal(4, 2)


@row("a mixed precision policy", formats=("keras",))
def mixed():
    first = layers.Dense(4, activation="relu", dtype="mixed_bfloat16")
    return chain((4,), first, layers.Dense(2, dtype="float32")), normal(2, 4)


@row("a subclassed model's weights", formats=("weights.h5",))
def subclassed():
    model = classes(keras)["subclassed"]()
    model(np.zeros((1, 4), "float32"))
    return model, normal(2, 4)


@row("weights and state of a subclassed model of lists, dicts and layers", formats=("weights.h5",))
def containers():
    model = classes(keras)["containers"]()
    model.compile(optimizers.SGD(0.02, momentum=0.9), "mse")
    return model, normal(4, 4), normal(4, 2)


class Sharded:
    """A model that saves its weights in parts."""

    layers = ()

    def __init__(self, model):
        self.model = model
        self.get_weights, self.set_weights = model.get_weights, model.set_weights
        self.predict = model.predict

    def save_weights(self, path):
        self.model.save_weights(path, max_shard_size=2e-7)


if VERSION >= (3, 10):

    @row("weights in parts: a JSON that names the files", formats=("weights.json",))
    def sharded():
        return Sharded(chain((4,), layers.Dense(5), layers.Dense(6), layers.Dense(2))), normal(2, 4)


# Optimizers: state inside, and what two more steps make of it


def trained(optimizer, loss="mean_squared_error", **said):
    model = chain((4,), layers.Dense(3, activation="tanh"), layers.Dense(2))
    model.compile(optimizer, loss, **said)
    return model, normal(4, 4), normal(4, 2)


OPTIMIZERS = [
    ("sgd", "SGD", {"momentum": 0.9, "nesterov": True}),
    ("rmsprop", "RMSprop", {"centered": True, "momentum": 0.5}),
    ("adam", "Adam", {"clipnorm": 0.2, "weight_decay": 0.1}),
    ("adam_ema", "Adam", {"amsgrad": True, "use_ema": True, "ema_momentum": 0.9}),
    ("adamax", "Adamax", {}),
    ("nadam", "Nadam", {}),
    ("adagrad", "Adagrad", {}),
    ("adadelta", "Adadelta", {}),
    ("ftrl", "Ftrl", {}),
    ("adamw", "AdamW", {}),
    ("lion", "Lion", {}),
    ("adafactor", "Adafactor", {}),
    ("lamb", "Lamb", {}),
]


def keep_optimizer(name, cls, arguments, formats):
    def make():
        return trained(getattr(optimizers, cls)(learning_rate=0.02, **arguments))

    make.__name__ = name
    row(f"{cls} after training: {sorted(arguments)}", formats=formats)(make)


for _name, _cls, _arguments in OPTIMIZERS:
    if hasattr(optimizers, _cls):
        keep_optimizer(_name, _cls, _arguments, BOTH if _name in ("sgd", "adam") else ("keras",))


@row("a learning rate schedule", formats=BOTH)
def schedule():
    rate = optimizers.schedules.ExponentialDecay(0.1, 2, 0.5, staircase=True)
    return trained(optimizers.Adam(rate))


@row("training config: two losses by name, their weights, metrics", formats=BOTH)
def two_losses():
    x = Input((3, 4), name="x")
    a = layers.LSTM(2, name="a", return_sequences=True)(x)
    b = layers.Dense(3, activation="softmax", name="b")(x)
    model = Model(x, [a, b])
    said = {"metrics": {"a": ["mae"], "b": ["accuracy"]}, "loss_weights": {"a": 0.3, "b": 2.0}}
    losses_by_name = {"a": "mean_absolute_error", "b": "categorical_crossentropy"}
    model.compile("adam", losses_by_name, **said)
    target = np.eye(3, dtype="float32")[ids(3, 2, 3)]
    return model, normal(2, 3, 4), [normal(2, 3, 2), target]


@row("training config: loss and metrics as objects, weighted metrics", formats=BOTH)
def objects():
    model = chain((4,), layers.Dense(3))
    model.compile(
        optimizers.Adam(0.01),
        losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[metrics.SparseCategoricalAccuracy(name="acc")],
        weighted_metrics=["accuracy"],
    )
    return model, normal(4, 4), ids(3, 4)
