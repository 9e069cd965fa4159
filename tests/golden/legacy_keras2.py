"""The models whose files Keras 2 writes, alone and as tf.keras; run by `make_legacy_files.py`.

`package` says which Keras, by the name that `make_legacy_files.py` put into LEGACY_KERAS.
"""

import os

import numpy as np
from legacy_files import ARCHIVE, Table, ids, normal

if os.environ["LEGACY_KERAS"] == "tensorflow":
    import tensorflow

    keras = tensorflow.keras
else:
    keras = __import__(os.environ["LEGACY_KERAS"])

K = keras.backend
layers = keras.layers
Sequential, Model, Input = keras.models.Sequential, keras.models.Model, layers.Input
ALONE = os.environ["LEGACY_KERAS"] == "keras"  # not part of TensorFlow
VERSION = tuple(int(part) for part in keras.__version__.split("-")[0].split(".")[:2])
V3 = not ALONE and VERSION >= (2, 12)  # writes the `.keras` archive and Keras 3's weights
BOTH = ("h5", "keras") if V3 else ("h5",)
if VERSION == (2, 12):
    ARCHIVE["save_format"] = "keras"  # else it writes HDF5 under that name
TF2 = not ALONE and VERSION >= (2, 3)
TF1 = keras.__version__.endswith("-tf")  # tf.keras of TensorFlow 1
YAML = ("yaml",) if ALONE or VERSION < (2, 3) else ()  # removed from 2.4 on: it can run code

table = Table()
row = table.row


def exists(name, module=layers):
    return hasattr(module, name)


def chain(*made):
    return Sequential(list(made))


# Models


@row("Sequential with regularizers, constraints and initializers as objects", formats=BOTH)
def sequential():
    return chain(
        layers.Dense(
            5,
            input_shape=(4,),
            activation="relu",
            kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "uniform"),
            kernel_regularizer=keras.regularizers.l2(0.01),
            bias_regularizer=keras.regularizers.l1(0.001),
            activity_regularizer=keras.regularizers.l1_l2(0.1, 0.2),
            kernel_constraint=keras.constraints.max_norm(2),
            bias_constraint=keras.constraints.non_neg(),
        ),
        layers.Dropout(0.5),
        layers.Dense(
            4,
            use_bias=False,
            kernel_initializer=keras.initializers.RandomUniform(-0.1, 0.1, seed=3),
            kernel_constraint=keras.constraints.MinMaxNorm(0.1, 2.0, rate=0.5, axis=0),
        ),
        layers.Dense(3, kernel_initializer="lecun_normal", activation="softmax"),
    ), normal(2, 4)


@row(
    "architecture and weights apart",
    formats=("json", "weights.h5", "old-weights.h5", "pickle") + YAML,
)
def apart():
    return chain(layers.Dense(5, input_shape=(4,), activation="selu"), layers.Dense(2)), normal(
        2, 4
    )


@row("functional: two inputs, two outputs, a shared layer, merge functions", formats=BOTH)
def functional():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = layers.Dense(3, activation="tanh", name="shared")
    both = layers.concatenate([shared(a), shared(b)], name="both")
    one = layers.Dense(1, activation="sigmoid", name="one")(both)
    two = layers.Dense(2, activation="softmax", name="two")(both)
    return Model([a, b], [one, two]), [normal(2, 4), normal(2, 4) + 1]


@row("a model in a model used twice, a Sequential in a model", formats=BOTH)
def nested():
    inside = Input((4,))
    inner = Model(inside, layers.Dense(4, activation="relu")(inside), name="inner")
    tail = Sequential([layers.Dense(3, input_shape=(4,))], name="tail")
    x = Input((4,))
    return Model(x, tail(inner(inner(x)))), normal(2, 4)


@row("frozen layers and a frozen model inside: weights are in another order", formats=BOTH)
def frozen():
    inside = Input((4,))
    y = layers.Dense(4, name="first")(inside)
    y = layers.BatchNormalization(name="norm")(y)
    inner = Model(inside, layers.Dense(4, name="second")(y), name="inner")
    x = Input((4,))
    y = inner(x)
    other = Sequential(
        [
            layers.Dense(4, input_shape=(4,), name="third"),
            layers.BatchNormalization(name="norm2"),
            layers.Dense(2, name="fourth"),
        ],
        name="other",
    )
    model = Model(x, other(y))
    inner.trainable = False
    other.layers[0].trainable = False
    return model, normal(2, 4)


@row("a model in a Sequential", formats=BOTH)
def model_in_sequential():
    inside = Input((4,))
    inner = Model(inside, layers.Dense(3, activation="relu")(inside), name="inner")
    return chain(inner, layers.Dense(2)), normal(2, 4)


@row("layers that merge", formats=BOTH)
def merges():
    a, b = Input((3, 4)), Input((3, 4))
    names = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]
    outputs = [getattr(layers, name)()([a, b]) for name in names if exists(name)]
    outputs.append(layers.Concatenate(axis=1)([a, b]))
    outputs.append(layers.Dot(axes=(2, 2), normalize=True)([a, b]))
    outputs.append(layers.Dot(axes=1)([a, b]))
    return Model([a, b], outputs), [normal(2, 3, 4), normal(2, 3, 4)[::-1].copy()]


# Convolutions


@row("2D convolutions: strides, holes, 'same'; pooling; depthwise", formats=BOTH)
def convolutions():
    x = Input((7, 6, 2))
    same = layers.Conv2D(3, (3, 2), padding="same", strides=(2, 1))(x)
    pooled = layers.AveragePooling2D((2, 2), strides=(1, 1), padding="same")(same)
    holes = layers.Conv2D(2, 2, dilation_rate=2, activation="relu", use_bias=False)(pooled)
    outputs = [same, pooled, layers.MaxPooling2D(2, padding="same")(same)]
    outputs.append(layers.Dense(2)(layers.Flatten()(holes)))
    outputs += [layers.GlobalAveragePooling2D()(holes), layers.GlobalMaxPooling2D()(holes)]
    return Model(x, outputs), normal(2, 7, 6, 2)


@row("channels first: what Flatten and Dense see", only=("tensorflow", "theano"))
def channels_first():
    said = {"data_format": "channels_first"}
    x = Input((2, 7, 6))
    y = layers.Conv2D(3, (3, 2), padding="same", strides=(2, 1), **said)(x)
    y = layers.MaxPooling2D(2, **said)(y)
    y = layers.ZeroPadding2D(((1, 0), (0, 2)), **said)(y)
    y = layers.BatchNormalization(axis=1)(y)
    flat = layers.Flatten(**said)(y) if VERSION >= (2, 2) else layers.Flatten()(y)
    return Model(x, [y, layers.Dense(2)(flat)]), normal(2, 2, 7, 6)


@row("transposed and separable convolutions", formats=BOTH)
def transposed():
    x = Input((4, 5, 2))
    outputs = [layers.Conv2DTranspose(3, 3, strides=2, padding="same")(x)]
    outputs.append(layers.Conv2DTranspose(2, (3, 2), strides=(2, 1))(x))
    if VERSION >= (2, 3):
        outputs.append(layers.Conv2DTranspose(2, 3, strides=2, output_padding=1)(x))
    if K.backend() == "tensorflow":
        said = {"depth_multiplier": 2, "activation": "tanh"}
        outputs.append(layers.SeparableConv2D(5, 3, padding="same", **said)(x))
        if exists("DepthwiseConv2D"):
            outputs.append(layers.DepthwiseConv2D(2, strides=2, depth_multiplier=2)(x))
    return Model(x, outputs), normal(2, 4, 5, 2)


@row("1D convolutions: causal, holes, separable, transposed; pooling", formats=BOTH)
def convolutions_1d():
    x = Input((9, 2))
    outputs = [
        layers.Conv1D(3, 3, padding="causal", dilation_rate=2)(x),
        layers.Conv1D(2, 4, strides=2, padding="same")(x),
        layers.MaxPooling1D(2, strides=1, padding="same")(x),
        layers.AveragePooling1D(3)(x),
        layers.GlobalMaxPooling1D()(x),
        layers.GlobalAveragePooling1D()(x),
        layers.LocallyConnected1D(2, 3, strides=2)(x),
        layers.UpSampling1D(2)(layers.ZeroPadding1D((1, 2))(layers.Cropping1D((2, 1))(x))),
    ]
    if exists("SeparableConv1D") and K.backend() == "tensorflow":
        outputs.append(layers.SeparableConv1D(3, 2)(x))
    if exists("Conv1DTranspose"):
        outputs.append(layers.Conv1DTranspose(3, 3, strides=2)(x))
        outputs.append(layers.GlobalAveragePooling1D(data_format="channels_first")(x))
    if exists("DepthwiseConv1D"):
        outputs.append(layers.DepthwiseConv1D(3, depth_multiplier=2)(x))
    return Model(x, outputs), normal(2, 9, 2)


@row("3D convolutions, pooling, padding", formats=BOTH)
def convolutions_3d():
    x = Input((5, 4, 6, 2))
    y = layers.Conv3D(2, (2, 3, 2), strides=(1, 1, 2))(x)
    outputs = [y, layers.MaxPooling3D((2, 1, 2))(y), layers.AveragePooling3D(2, padding="same")(x)]
    outputs.append(layers.GlobalAveragePooling3D()(layers.ZeroPadding3D((1, 0, 1))(x)))
    outputs.append(layers.UpSampling3D((1, 2, 1))(layers.Cropping3D(((1, 0), (1, 1), (0, 2)))(x)))
    if exists("Conv3DTranspose"):
        outputs.append(layers.Conv3DTranspose(2, 2, strides=(2, 1, 1))(y))
    return Model(x, outputs), normal(2, 5, 4, 6, 2)


@row("padding, cropping, upsampling of images", formats=BOTH)
def resampling():
    x = Input((4, 5, 2))
    outputs = [layers.ZeroPadding2D((1, 2))(x), layers.Cropping2D(((1, 0), (2, 1)))(x)]
    outputs.append(layers.UpSampling2D((2, 3))(x))
    if VERSION >= (2, 3) or (ALONE and keras.__version__ >= "2.2.3"):
        outputs.append(layers.UpSampling2D((2, 3), interpolation="bilinear")(x))
    if TF2 and exists("Resizing"):
        outputs.append(layers.UpSampling2D(2, interpolation="bicubic")(x))
    outputs.append(layers.LocallyConnected2D(2, (2, 3), strides=(1, 2))(x))
    return Model(x, outputs), normal(2, 4, 5, 2)


@row("BatchNormalization after training: axis, no scale, no center", formats=BOTH)
def normalized():
    model = chain(
        layers.Conv2D(2, 1, input_shape=(3, 4, 2)),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-4),
        layers.BatchNormalization(axis=-1 if TF1 else 1, scale=False),
        layers.Flatten(),
        layers.Dense(2),
        layers.BatchNormalization(center=False),
    )
    model.compile("sgd", "mse")
    return model, normal(4, 3, 4, 2), normal(4, 2)


# Recurrent layers


@row("recurrent layers with their defaults", formats=BOTH)
def recurrent():
    x = Input((4, 3))
    a = layers.LSTM(2, return_sequences=True)(x)
    b = layers.GRU(2, return_sequences=True)(a)
    return Model(x, [a, b, layers.SimpleRNN(2)(b)]), normal(2, 4, 3)


@row("recurrent layers, each setting the other way", formats=BOTH)
def recurrent_others():
    x = Input((4, 3))
    said = {"return_sequences": True, "implementation": 2}
    a = layers.LSTM(2, recurrent_activation="sigmoid", unit_forget_bias=False, **said)(x)
    b = layers.LSTM(2, recurrent_activation="hard_sigmoid", go_backwards=True, **said)(x)
    c = layers.GRU(2, recurrent_activation="sigmoid", use_bias=False, **said)(a)
    d = layers.GRU(2, recurrent_activation="hard_sigmoid", unroll=True, **said)(x)
    outputs = [a, b, c, d]
    if exists("GRUCell"):
        for after in (False, True):
            said = {"reset_after": after, "dropout": 0.1, "recurrent_dropout": 0.2}
            outputs.append(layers.GRU(2, recurrent_activation="sigmoid", **said)(x))
    return Model(x, outputs), normal(2, 4, 3)


if exists("StackedRNNCells"):

    @row("RNN of cells, stacked; states returned and given", formats=BOTH)
    def cells():
        x, start = Input((4, 3)), Input((2,))
        stacked = layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)])(x)
        out, state = layers.GRU(2, return_state=True)(x, initial_state=start)
        simple = layers.SimpleRNN(2)(x, initial_state=state)
        return Model([x, start], [stacked, out, state, simple]), [normal(2, 4, 3), normal(2, 2)]


@row("Bidirectional in every way to merge, and TimeDistributed", formats=BOTH)
def wrappers():
    x = Input((4, 3))
    outputs = [layers.TimeDistributed(layers.Dense(2, activation="tanh"))(x)]
    outputs.append(layers.Bidirectional(layers.LSTM(2, return_sequences=True))(x))
    for mode in ("sum", "mul", "ave"):
        outputs.append(layers.Bidirectional(layers.SimpleRNN(2), merge_mode=mode)(x))
    return Model(x, outputs), normal(2, 4, 3)


@row("Embedding with mask_zero, masked recurrence", formats=BOTH)
def masked_embedding():
    x = ids(7, 2, 5)
    x[0, 3:] = 0
    return chain(
        layers.Embedding(7, 3, mask_zero=True, input_length=5),
        layers.LSTM(3, return_sequences=True),
        layers.GRU(2, go_backwards=True),
    ), x


@row("Masking", formats=BOTH)
def masking():
    x = normal(2, 4, 3)
    x[1, 2:] = 0.5
    return chain(layers.Masking(0.5, input_shape=(4, 3)), layers.SimpleRNN(2)), x


@row("a stateful layer with batch_input_shape", formats=BOTH)
def stateful():
    said = {"stateful": True, "batch_input_shape": (2, 4, 3)}
    return chain(layers.LSTM(2, **said), layers.Dense(1)), normal(2, 4, 3)


@row("a convolutional LSTM", formats=BOTH)
def convolutional_lstm():
    x = Input((3, 4, 5, 2))
    layer = layers.ConvLSTM2D(2, 3, padding="same", return_sequences=True)
    return Model(x, layer(x)), normal(2, 3, 4, 5, 2)


# Other layers


@row("activations as layers and by name", formats=BOTH)
def activations():
    x = Input((3, 4))
    made = [
        layers.LeakyReLU(alpha=0.2),
        layers.PReLU(shared_axes=[1]),
        layers.ELU(alpha=0.7),
        layers.ThresholdedReLU(theta=0.4),
    ]
    if exists("Softmax"):
        made.append(layers.Softmax(axis=1))
    if exists("ReLU"):
        more = () if ALONE and VERSION < (2, 3) else (0.1, 0.2)
        made.append(layers.ReLU(1.5, *more))
    names = ["softplus", "softsign", "hard_sigmoid", "tanh", "linear", "softmax", "elu", "selu"]
    names += [each for each in ("exponential", "swish", "gelu") if exists(each, keras.activations)]
    made += [layers.Activation(name) for name in names]
    return Model(x, [layer(x) for layer in made]), normal(2, 3, 4)


@row("noise, dropout, shapes", formats=BOTH)
def noise():
    made = [
        layers.GaussianNoise(0.3, input_shape=(4, 3)),
        layers.GaussianDropout(0.2),
        layers.ActivityRegularization(l1=0.1, l2=0.2),
        layers.SpatialDropout1D(0.3),
        layers.Dropout(0.4, noise_shape=(None, 1, 3)),
        layers.Permute((2, 1)),
        layers.Reshape((2, -1)),
        layers.Flatten(),
        layers.RepeatVector(2),
    ]
    if exists("AlphaDropout"):
        made.append(layers.AlphaDropout(0.1))
    return chain(*made), normal(2, 4, 3)


@row("Python code inside: a Lambda of a lambda. Must not run", predicts=False, formats=BOTH)
def lambda_code():
    return chain(layers.Lambda(lambda x: x * 2, input_shape=(4,)), layers.Dense(2)), normal(2, 4)


def doubled(x):
    return x * 2


# To load it, TensorFlow 1.15 puts all names of this module among those of its own.
@row(
    "a Lambda of a named function",
    custom_objects={"doubled": doubled},
    formats=BOTH,
    reloads=not TF1,
)
def lambda_named():
    return chain(layers.Lambda(doubled, input_shape=(4,)), layers.Dense(2)), normal(2, 4)


class Scale(layers.Layer):
    """What a user wrote: multiplies by a weight to a power."""

    def __init__(self, power=1, **kwargs):
        super(Scale, self).__init__(**kwargs)  # noqa: UP008
        self.power = power

    def build(self, input_shape):
        shape = (int(input_shape[-1]),)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")
        self.built = True

    def call(self, inputs):
        return inputs * self.scale**self.power

    def get_config(self):
        return dict(super(Scale, self).get_config(), power=self.power)  # noqa: UP008


def own_loss(y_true, y_pred):
    return K.mean(K.square(y_true - y_pred), axis=-1)


def own_metric(y_true, y_pred):
    return K.max(K.abs(y_true - y_pred))


def own_activation(x):
    return K.tanh(x) * 2


OWN = {
    "Scale": Scale,
    "own_loss": own_loss,
    "own_metric": own_metric,
    "own_activation": own_activation,
}


@row("a user's layer, activation, loss and metric", custom_objects=OWN, formats=BOTH)
def custom():
    model = chain(Scale(2, input_shape=(4,)), layers.Dense(2, activation=own_activation))
    model.compile("sgd", own_loss, metrics=[own_metric])
    return model, normal(4, 4), normal(4, 2)


# Optimizers: state inside, and what two more steps make of it


def trained(optimizer, loss="mse", **said):
    model = chain(layers.Dense(3, input_shape=(4,), activation="tanh"), layers.Dense(2))
    model.compile(optimizer, loss, **said)
    return model, normal(4, 4), normal(4, 2)


optimizers = keras.optimizers
old = optimizers.legacy if V3 else optimizers  # those with `decay` and slots per variable
LR = dict if ALONE else lambda lr, **more: dict(learning_rate=lr, **more)


def rate(value, **more):
    """The argument's name of the time."""
    return dict(more, **{"lr" if ALONE and VERSION < (2, 3) else "learning_rate": value})


OLD = [
    ("sgd", "SGD", rate(0.1, momentum=0.9, decay=0.1, nesterov=True)),
    ("rmsprop", "RMSprop", rate(0.01, rho=0.8, clipnorm=0.5)),
    ("adam", "Adam", rate(0.01, clipvalue=0.2, decay=0.01)),
    ("adamax", "Adamax", rate(0.01)),
    ("nadam", "Nadam", rate(0.01)),
    ("adagrad", "Adagrad", rate(0.05)),
    ("adadelta", "Adadelta", rate(0.5)),
]
if ALONE and VERSION >= (2, 2) or not ALONE:
    OLD.append(("amsgrad", "Adam", rate(0.01, amsgrad=True)))
if TF2:
    OLD.append(("rmsprop_centered", "RMSprop", rate(0.01, centered=True, momentum=0.5)))
    OLD.append(("ftrl", "Ftrl", rate(0.1, l1_regularization_strength=0.01)))


def keep_optimizer(name, module, cls, arguments, formats):
    def make():
        return trained(getattr(module, cls)(**arguments))

    make.__name__ = name
    shows = f"{cls} after training: {sorted(arguments)}"
    row(shows, formats=formats)(make)


for _name, _cls, _arguments in OLD:
    keep_optimizer("old_" * V3 + _name, old, _cls, _arguments, ("h5",))
if V3:
    NEW = [
        ("sgd", "SGD", rate(0.1, momentum=0.9, nesterov=True)),
        ("rmsprop", "RMSprop", rate(0.01, rho=0.8, centered=True, momentum=0.5)),
        ("adam", "Adam", rate(0.01, clipnorm=0.2, weight_decay=0.1)),
        ("adam_ema", "Adam", rate(0.01, amsgrad=True, use_ema=True, ema_momentum=0.9)),
        ("adamax", "Adamax", rate(0.01)),
        ("nadam", "Nadam", rate(0.01)),
        ("adagrad", "Adagrad", rate(0.05)),
        ("adadelta", "Adadelta", rate(0.5)),
        ("ftrl", "Ftrl", rate(0.1)),
        ("adamw", "AdamW", rate(0.01)),
        ("adafactor", "Adafactor", rate(0.01)),
        ("lion", "Lion", rate(0.01)),
    ]
    for _name, _cls, _arguments in NEW:
        if exists(_cls, optimizers):
            keep_optimizer(_name, optimizers, _cls, _arguments, BOTH)


@row("training config: two losses by name, their weights, metrics", formats=BOTH)
def two_losses():
    x = Input((3, 4), name="x")
    a = layers.LSTM(2, name="a", return_sequences=True)(x)
    b = layers.TimeDistributed(layers.Dense(3, activation="softmax"), name="b")(x)
    model = Model(x, [a, b])
    model.compile(
        "adam",
        {"a": "mae", "b": "categorical_crossentropy"},
        loss_weights={"a": 0.3, "b": 2.0},
        metrics={"b": ["accuracy", "mse"]},
        **({"sample_weight_mode": {"a": "temporal", "b": None}} if VERSION < (2, 2) else {}),
    )
    target = np.eye(3, dtype="float32")[ids(3, 2, 3)]
    return model, normal(2, 3, 4), [normal(2, 3, 2), target]


if exists("MeanSquaredError", keras.losses):

    @row("training config: loss and metrics as objects, weighted metrics", formats=BOTH)
    def objects():
        losses, metrics = keras.losses, keras.metrics
        model = chain(layers.Dense(3, input_shape=(4,), activation="softmax"))
        model.compile(
            optimizers.Adam(**rate(0.01)),
            losses.CategoricalCrossentropy(label_smoothing=0.1),
            metrics=[metrics.CategoricalAccuracy(name="acc"), metrics.AUC(num_thresholds=5)],
            weighted_metrics=["mae"],
        )
        return model, normal(4, 4), np.eye(3, dtype="float32")[ids(3, 4)]


if not ALONE:

    @row("sparse labels, a loss from logits", formats=BOTH)
    def sparse():
        model = chain(layers.Dense(3, input_shape=(4,)))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizers.SGD(0.1), loss, metrics=["accuracy"])
        return model, normal(4, 4), ids(3, 4)

    if TF2:

        @row("a learning rate schedule in the optimizer's config", formats=BOTH)
        def schedule():
            rate = optimizers.schedules.ExponentialDecay(0.1, 2, 0.5, staircase=True)
            return trained(optimizers.Adam(rate))


# CuDNN's layers can't run on a CPU: only their weights are kept, and what LSTM and GRU with the
# same equations make of them, for which Keras converts them itself.


def cudnn_layers():
    if ALONE:
        return getattr(layers, "CuDNNLSTM", None), getattr(layers, "CuDNNGRU", None)
    import tensorflow

    found = tensorflow.compat.v1.keras.layers if TF2 else tensorflow.keras.layers
    return found.CuDNNLSTM, found.CuDNNGRU


if (not ALONE or exists("CuDNNLSTM")) and not V3:

    @row("weights of CuDNNLSTM and CuDNNGRU: other layout, two biases", reloads=False)
    def cudnn():
        return CuDNN(), normal(2, 4, 3)

    class CuDNN:
        """Saves the model of CuDNN layers; predicts with the layers that run here."""

        layers = ()

        def __init__(self):
            if ALONE:  # a session that does not look for kernels of operations it never runs
                import tensorflow

                options = tensorflow.GraphOptions(place_pruned_graph=True)
                config = tensorflow.ConfigProto(graph_options=options)
                K.set_session(tensorflow.Session(config=config))
            lstm, gru = cudnn_layers()
            self.saved = self._model(lstm, gru)
            self.runs = self._model(
                lambda units, **said: layers.LSTM(units, recurrent_activation="sigmoid", **said),
                lambda units, **said: layers.GRU(
                    units, recurrent_activation="sigmoid", reset_after=True, **said
                ),
            )
            self.get_weights, self.save = self.saved.get_weights, self.saved.save

        def _model(self, lstm, gru):
            x = Input((4, 3))
            y = lstm(2, return_sequences=True, name="lstm")(x)
            y = gru(2, name="gru")(y)
            return Model(x, layers.Dense(1, name="dense")(y))

        def set_weights(self, values):
            import tempfile

            self.saved.set_weights(values)
            with tempfile.TemporaryDirectory() as folder:
                self.saved.save_weights(folder + "/cudnn.h5")
                self.runs.load_weights(folder + "/cudnn.h5")

        def predict(self, *args, **said):
            return self.runs.predict(*args, **said)


# What changed later under the same name, and what Theano computed otherwise

if ALONE:

    @row("pooling with 'same': even and odd windows, strides; 1D, 2D, 3D; at every step")
    def pooling():
        x, y = Input((7, 8, 1)), Input((2, 5, 4, 3, 1))
        first = layers.Conv2D(1, 1)(x)
        lines = layers.Reshape((7, 8))(first)
        outputs = [
            getattr(layers, kind + "Pooling2D")(size, strides=strides, padding="same")(first)
            for kind in ("Average", "Max")
            for size, strides in [((2, 2), (2, 2)), ((3, 4), (2, 3)), ((5, 2), (1, 2))]
        ]
        outputs.append(layers.AveragePooling1D(3, strides=2, padding="same")(lines))
        step = layers.AveragePooling3D((2, 3, 2), strides=(1, 2, 2), padding="same")
        outputs.append(layers.TimeDistributed(step)(y))
        return Model([x, y], outputs), [normal(1, 7, 8, 1), normal(1, 2, 5, 4, 3, 1)]

    @row("convolutions with 'same': even windows and strides; 3D, separable, at every step")
    def padded():
        x, y = Input((4, 5, 2)), Input((4, 3, 4, 2))
        same = {"padding": "same"}
        outputs = [
            layers.TimeDistributed(layers.Conv1D(2, 2, **same))(x),
            layers.Conv3D(2, (2, 3, 4), strides=(1, 2, 1), **same)(y),
        ]
        if exists("DepthwiseConv2D") and VERSION >= (2, 3):
            outputs.append(layers.SeparableConv2D(3, 2, strides=2, **same)(x))
            outputs.append(layers.DepthwiseConv2D((2, 4), **same)(x))
            outputs.append(
                layers.SeparableConv1D(3, 3, strides=2, **same)(layers.Reshape((5, 8))(x))
            )
        return Model([x, y], outputs), [normal(1, 4, 5, 2), normal(1, 4, 3, 4, 2)]

    @row("transposed convolutions with 'same': windows below, at and above the stride")
    def transposed_same():
        x = Input((3, 4, 2))
        same = {"padding": "same"}
        outputs = [
            layers.Conv2DTranspose(2, 3, strides=(3, 4), **same)(x),
            layers.Conv2DTranspose(2, (5, 1), strides=(2, 1), activation="tanh", **same)(x),
        ]
        if VERSION >= (2, 3):
            more = {"strides": 3, "output_padding": (1, 2)}
            outputs.append(layers.Conv2DTranspose(2, (3, 5), **dict(same, **more))(x))
        if exists("Conv3DTranspose"):
            y = layers.Reshape((3, 4, 2, 1))(x)
            outputs.append(layers.Conv3DTranspose(1, 3, strides=(2, 1, 2), **same)(y))
        return Model(x, outputs), normal(2, 3, 4, 2)

    @row("locally connected and convolutional LSTM layers, channels first")
    def other_channels_first():
        x, y = Input((2, 5, 6)), Input((3, 2, 4, 5))
        said = {"data_format": "channels_first"}
        outputs = [layers.LocallyConnected2D(2, (2, 3), strides=(1, 2), **said)(x)]
        outputs.append(layers.ConvLSTM2D(2, 3, padding="same", **said)(y))
        return Model([x, y], outputs), [normal(2, 2, 5, 6), normal(2, 3, 2, 4, 5)]


@row("masks: both ways, sequences backwards, at every step, merged", formats=BOTH)
def masks():
    x = ids(7, 2, 5)
    x[0, :2] = 0
    x[1, 3:] = 0
    i = Input((5,))
    y = layers.Embedding(7, 3, mask_zero=True)(i)
    said = {"return_sequences": True}
    outputs = [
        layers.Bidirectional(layers.LSTM(2, **said))(y),
        layers.Bidirectional(layers.GRU(2), merge_mode="sum")(y),
        layers.SimpleRNN(2, go_backwards=True, **said)(y),
        layers.TimeDistributed(layers.Dense(2))(y),
        layers.LSTM(2)(layers.add([y, layers.GRU(3, **said)(y)])),
    ]
    return Model(i, outputs), x


def trained_with(*made, **said):
    model = chain(*made)
    model.compile(optimizers.SGD(**rate(0.05)), "mse", **said)
    return model


@row("activity regularizers: of layers, as a layer")
def regularized():
    l1_l2 = keras.regularizers.l1_l2
    model = trained_with(
        layers.Dense(3, input_shape=(4,), activity_regularizer=l1_l2(0.1, 0.2)),
        layers.ActivityRegularization(l1=0.1, l2=0.3),
        layers.Dense(2, kernel_regularizer=l1_l2(0.1, 0.2)),
    )
    return model, normal(4, 4), normal(4, 2)


@row("constraints while training goes on")
def constrained():
    known = keras.constraints
    model = trained_with(
        layers.Conv2D(
            2, 2, input_shape=(3, 4, 2), kernel_constraint=known.MaxNorm(0.4, axis=[0, 1, 2])
        ),
        layers.Flatten(),
        layers.Dense(3, kernel_constraint=known.UnitNorm(), bias_constraint=known.NonNeg()),
        layers.Dense(2, kernel_constraint=known.MinMaxNorm(0.6, 0.8, rate=0.7, axis=1)),
    )
    return model, normal(4, 3, 4, 2), normal(4, 2)


@row("a frozen BatchNormalization while training goes on")
def frozen_training():
    model = trained_with(
        layers.Dense(3, input_shape=(4,)),
        layers.BatchNormalization(trainable=False),
        layers.Dense(2),
    )
    return model, normal(4, 4), normal(4, 2)


@row("a mask in BatchNormalization, and in the loss, while training goes on")
def masked_training():
    x = ids(7, 2, 5)
    x[0, 3:] = 0
    model = trained_with(
        layers.Embedding(7, 3, mask_zero=True, input_length=5),
        layers.BatchNormalization(),
        layers.LSTM(2, return_sequences=True),
    )
    return model, x, normal(2, 5, 2)


# Only in TensorFlow's Keras

if not ALONE:
    import tensorflow as tf

    @row("attention layers of two and three inputs", formats=BOTH)
    def attention():
        q, v = Input((3, 4)), Input((5, 4))
        outputs = [layers.Attention(use_scale=True)([q, v]), layers.AdditiveAttention()([q, v])]
        outputs.append(layers.Attention(causal=True)([q, q, q]) if VERSION < (2, 10) else q)
        if exists("MultiHeadAttention"):
            outputs.append(layers.MultiHeadAttention(2, 3, value_dim=2)(q, v))
        return Model([q, v], outputs), [normal(2, 3, 4), normal(2, 5, 4)]

    @row("TensorFlow's operations as layers, arithmetic on tensors, slices", formats=BOTH)
    def operations():
        a, b = Input((4,), name="a"), Input((4,), name="b")
        y = tf.nn.relu(a * 2.0 + b) - 1.0
        y = tf.concat([y, b[:, :2]], axis=-1)
        z = tf.reduce_mean(y, axis=1, keepdims=True) / 3.0
        return Model([a, b], [layers.Dense(2)(y), z]), [normal(2, 4), normal(2, 4) + 1]

    @row("LayerNormalization and newer normalizations", formats=BOTH)
    def normalizations():
        x = Input((3, 4))
        outputs = [layers.LayerNormalization()(x), layers.LayerNormalization(axis=[1, 2])(x)]
        if exists("UnitNormalization"):
            outputs.append(layers.UnitNormalization()(x))
        if exists("GroupNormalization"):
            outputs.append(layers.GroupNormalization(2)(x))
        return Model(x, outputs), normal(2, 3, 4)

    if VERSION < (2, 13):

        @row("HDF5 in a file named .keras, as model.save('x.keras') wrote", formats=("hdf5.keras",))
        def misnamed():
            return chain(layers.Dense(2, input_shape=(4,))), normal(2, 4)

    if TF2:

        @row("inputs and outputs as dictionaries", formats=BOTH, reloads=False)
        def dictionaries():
            a, b = Input((4,), name="a"), Input((2,), name="b")
            outputs = {"z": layers.Dense(2, name="z")(a), "c": layers.Dense(1, name="c")(b)}
            model = Model({"b": b, "a": a}, outputs)
            return model, [normal(2, 4), normal(2, 2)]

        @keras.utils.register_keras_serializable(package="golden")
        class Registered(Scale):
            """A registered class: its file says `golden>Registered`."""

        @keras.utils.register_keras_serializable(package="golden")
        def registered_activation(x):
            return tf.nn.tanh(x) * 3.0

        @row("registered names: golden>Registered", formats=BOTH)
        def registered():
            scale = Registered(input_shape=(4,))
            return chain(scale, layers.Dense(2, activation=registered_activation)), normal(2, 4)

        @row("a mixed precision policy", formats=BOTH)
        def mixed():
            where = keras.mixed_precision
            policy = where.Policy if exists("Policy", where) else where.experimental.Policy
            said = {"dtype": policy("mixed_float16")}
            return chain(
                layers.Dense(4, input_shape=(4,), activation="relu", **said),
                layers.Dense(2, dtype="float32"),
            ), normal(2, 4)

        def subclassed_model():
            class Own(Model):
                def __init__(self):
                    super().__init__()
                    self.zeta = layers.Dense(4, activation="relu")
                    self.alpha = [layers.Dense(3), layers.BatchNormalization()]
                    self.out = layers.Dense(2)

                def call(self, x):
                    x = self.zeta(x)
                    for layer in self.alpha:
                        x = layer(x)
                    return self.out(x)

            model = Own()
            model(tf.zeros((1, 4)))
            return model, normal(2, 4)

        subclassed_formats = ("weights.h5", "old-weights.h5", "ckpt")

        @row("a subclassed model: weights, and a TensorFlow checkpoint", formats=subclassed_formats)
        def subclassed():
            return subclassed_model()

        preprocessing = (
            layers
            if exists("StringLookup")
            else getattr(layers.experimental, "preprocessing", layers)
        )
        if exists("Normalization", preprocessing):

            @row("Normalization, Rescaling and image sizes", values="own", formats=BOTH)
            def numbers():
                norm = preprocessing.Normalization()
                norm.adapt(normal(9, 4, 5, 2) * 3 + 1)
                x = Input((4, 5, 2))
                outputs = [norm(x), preprocessing.Rescaling(0.5, offset=-1.0)(x)]
                outputs.append(preprocessing.CenterCrop(2, 3)(x))
                outputs.append(preprocessing.Resizing(3, 7)(x))
                outputs.append(preprocessing.RandomFlip("horizontal", seed=3)(x))
                return Model(x, outputs), normal(2, 4, 5, 2)

        if exists("StringLookup"):

            @row("vocabularies in layers", values="own", formats=BOTH)
            def lookups():
                x = Input((1,), dtype="string")
                n = Input((1,), dtype="int64")
                words = ["a", "b", "c"]
                outputs = [
                    layers.StringLookup(vocabulary=words)(x),
                    layers.StringLookup(vocabulary=words, output_mode="multi_hot")(x),
                    layers.IntegerLookup(vocabulary=[5, 7])(n),
                    layers.CategoryEncoding(4)(n),
                    layers.Hashing(5)(x),
                    layers.Discretization(bin_boundaries=[0.5, 1.5])(n),
                ]
                strings = np.array([["a"], ["z"], ["c"]])
                return Model([x, n], outputs), [
                    tf.constant(strings),
                    np.array([[1], [2], [3]], "int64"),
                ]

        if V3:  # an .h5 can't hold the layer: Keras refuses to write it

            @row("TextVectorization that learned its words", values="own", formats=("keras",))
            def texts():
                layer = layers.TextVectorization(max_tokens=8, output_sequence_length=4)
                layer.adapt(tf.constant(["the cat sat", "the dog ran!", "a cat"]))
                model = chain(Input((1,), dtype="string"), layer, layers.Embedding(8, 2))
                return model, tf.constant([["the cat flew"], ["a dog"]])


# What is no Keras file, but what people have

if V3 or (TF2 and VERSION < (2, 10)):

    @row("a SavedModel folder", formats=("saved",))
    def saved_model():
        return SavedModel(), normal(2, 4)

    class SavedModel:
        """A small model that saves itself as a folder of TensorFlow."""

        layers = ()

        def __init__(self):
            self.model = chain(layers.Dense(2, input_shape=(4,)))
            self.get_weights, self.set_weights = self.model.get_weights, self.model.set_weights
            self.predict = self.model.predict

        def save(self, path):
            self.model.save(path, save_format="tf")
