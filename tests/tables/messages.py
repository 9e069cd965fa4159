"""Common mistakes, and what layerkit says: what is in each message of the part that helps.

Mistakes run in an empty folder. What the messages begin with is what people search for: Keras's own
words, where these are good.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from layerkit import Model, Sequential, callbacks, layers, models, optimizers, utils
from layerkit.layers import Dense, Input

X = np.ones((8, 4), "float32")
Y = np.ones((8, 3), "float32")
LABELS = np.arange(8) % 3
SPARSE, CATEGORICAL = "sparse_categorical_crossentropy", "categorical_crossentropy"
IMAGES = np.ones((8, 6, 6, 3), "float32")


class Row(NamedTuple):
    """A mistake, the class of the error or warning, and what its message holds."""

    name: str
    mistake: Callable[[], Any]
    kind: type[BaseException]
    parts: tuple[str, ...]
    numpy_only: str = ""  # why, where only the host can tell


def row(name: str, mistake: Any, kind: Any, *parts: str, numpy_only: str = "") -> Row:
    return Row(name, mistake, kind, parts, numpy_only)


# Small models, and what is done with them.


def stack(*inner: Any, loss: Any = "mse", **options: Any) -> Sequential:
    model = Sequential(list(inner))
    model.compile("sgd", loss, **options)
    return model


def dense(units: int = 3, loss: Any = "mse", activation: Any = None, **options: Any) -> Sequential:
    return stack(Input((4,)), Dense(units, activation, name="d"), loss=loss, **options)


def classes(units: int = 3, loss: str = SPARSE) -> Sequential:
    return dense(units, loss, "softmax")


def plain(*inner: Any) -> Sequential:
    """Not compiled, not built."""
    return Sequential(list(inner) or [Dense(3, name="d")])


def fit(model: Any, *data: Any, **options: Any) -> Any:
    return model.fit(*data, verbose=0, **options)


def two_inputs() -> Any:
    a, b = Input((4,), name="a"), Input((4,), name="b")
    model = Model([a, b], Dense(3)(layers.Add()([a, b])), name="m")
    model.compile("sgd", "mse")
    return model


def two_named_inputs() -> Any:
    a, b = Input((4,), name="a"), Input((4,), name="b")
    return Model({"a": a, "b": b}, layers.Add()([a, b]))


def two_outputs(loss: Any = "mse") -> Any:
    x = Input((4,))
    model = Model(x, [Dense(3, name="p")(x), Dense(3, name="q")(x)])
    model.compile("sgd", loss)
    return model


def batches(number: int) -> Iterator[Any]:
    for _ in range(number):
        yield X, Y


def call(layer: Any, *shapes: tuple[int, ...]) -> None:
    for shape in shapes:
        layer(np.ones(shape, "float32"))


# Layers written wrongly.


class WithoutSuper(layers.Layer):
    def __init__(self) -> None:
        self.inner = Dense(3)


class Settings:
    pass


class OfSettings(layers.Layer):
    def __init__(self, settings: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings = settings


class Unstored(layers.Layer):
    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)


class MadeInCall(layers.Layer):
    def call(self, inputs: Any) -> Any:
        self.inner = Dense(3)
        return self.inner(inputs)


class MadeInCallOfModel(Model):
    def call(self, inputs: Any) -> Any:
        self.inner = Dense(3)
        return self.inner(inputs)


class Unused(layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight((2,), name="w")

    def call(self, inputs: Any) -> Any:
        return inputs


# Files.


def load_weights(saved: Any, into: Any, **options: Any) -> None:
    saved.save_weights("w.weights.h5")
    into.load_weights("w.weights.h5", **options)


def load_written(name: str, content: bytes) -> None:
    with open(name, "wb") as file:
        file.write(content)
    models.load_model(name)


def load_zip_without_config() -> None:
    with zipfile.ZipFile("other.keras", "w") as archive:
        archive.writestr("notes.txt", "")
    models.load_model("other.keras")


def load_with_a_class_that_is_unknown() -> None:
    from layerkit.configurable import get_custom_objects

    class Scaled(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    plain(Input((4,)), Scaled()).save("custom.keras")
    for name in [name for name, thing in get_custom_objects().items() if thing is Scaled]:
        del get_custom_objects()[name]
    models.load_model("custom.keras")


def frozen_after_compile() -> None:
    model = stack(Input((4,)), Dense(3, name="first"), Dense(3))
    model.layers[0].trainable = False
    fit(model, X, Y)


def one_optimizer_for_two_models() -> None:
    optimizer = optimizers.SGD(name="shared")
    for units in (3, 5):
        model = plain(Input((4,)), Dense(units, name="d"))
        model.compile(optimizer, "mse")
        fit(model, X, np.ones((8, units)))


def not_connected() -> None:
    a, b = Input((4,), name="a"), Input((4,), name="b")
    Model(a, Dense(3, name="y")(b))


class Frame:
    """What a DataFrame of pandas has, as far as data go."""

    class Column(NamedTuple):
        kind: str

    dtypes = {"age": Column("f"), "city": Column("O")}
    columns = list(dtypes)

    def to_numpy(self) -> np.ndarray:
        return np.array([[1.0, "Bern"]] * 8, dtype=object)


HINT = "Dense expects (batch, ..., features)"

SHAPES = [
    row(
        "last axis",
        lambda: call(Dense(3, name="d"), (1, 4), (1, 5)),
        ValueError,
        "of layer 'd' is incompatible with the layer: expected axis -1 of input shape to have "
        "value 4, but received input with shape (1, 5)",
        HINT,
    ),
    row(
        "last axis in fit",
        lambda: fit(dense(), np.ones((8, 5)), Y),
        ValueError,
        "expected axis -1 of input shape to have value 4, but received input with shape (1, 5)",
        "(These are the shapes of 1 of the 8 rows, tried first.)",
    ),
    row(
        "images without channels",
        lambda: call(layers.Conv2D(2, 3, name="c"), (1, 8, 8)),
        ValueError,
        "of layer 'c' is incompatible with the layer: expected ndim=4, found ndim=3. Full shape "
        "received: (1, 8, 8)",
        "add one, x[..., None]",
    ),
    row(
        "channels first",
        lambda: fit(
            stack(Input((6, 6, 3)), layers.Conv2D(2, 3, name="c")), IMAGES.transpose(0, 3, 1, 2), Y
        ),
        ValueError,
        "of layer 'c' is incompatible with the layer: expected axis -1 of input shape to have "
        "value 3, but received input with shape (1, 3, 6, 6)",
        "Conv2D expects (batch, height, width, channels)",
    ),
    row(
        "recurrent layer on rows",
        lambda: stack(Input((4,)), layers.LSTM(2, name="l")),
        ValueError,
        "of layer 'l' is incompatible with the layer: expected ndim=3, found ndim=2. Full shape "
        "received: (None, 4)",
        "for one number a step add an axis, x[..., None]",
    ),
    row(
        "return_sequences forgotten",
        lambda: stack(Input((4, 2)), layers.LSTM(3), layers.LSTM(3, name="second")),
        ValueError,
        "of layer 'second' is incompatible with the layer: expected ndim=3, found ndim=2",
        "return_sequences=True in a recurrent layer before it",
    ),
    row(
        "series without channels",
        lambda: fit(stack(layers.Conv1D(2, 3, name="c")), X, Y),
        ValueError,
        "of layer 'c' is incompatible with the layer: expected ndim=3, found ndim=2",
        "add a channel axis, x[..., None]",
    ),
    row(
        "kernel larger than the image",
        lambda: call(layers.Conv2D(2, 5, name="c"), (1, 3, 3, 1)),
        ValueError,
        "Computed output size would be zero or negative. Received `inputs shape=(None, 3, 3, 1)`",
        "in layer 'c': use larger inputs, a smaller kernel, or padding='same'",
    ),
    row(
        "input_shape with the batch axis",
        lambda: fit(stack(Dense(3, input_shape=(8, 4))), X, Y),
        ValueError,
        "Expected shape (None, 8, 4), but input has incompatible shape (1, 4)",
        "`input_shape`, leave it out",
    ),
    row(
        "a single sample",
        lambda: dense().predict(X[0], verbose=0),
        ValueError,
        "Expected shape (None, 4), but input has incompatible shape (4,)",
        "a single sample has it, x[None]",
    ),
    row(
        "shape of a functional model",
        lambda: Model(x := Input((4,), name="x"), Dense(3)(x), name="m")(np.ones((2, 5))),
        ValueError,
        "Input 0 with name 'x' of layer 'm' is incompatible with the layer: expected "
        "shape=(None, 4), found shape=(2, 5)",
    ),
    row(
        "Input of a number",
        lambda: Input(4),
        ValueError,
        "Cannot convert '4' to a shape: expected a tuple: write shape=(4,)",
    ),
    row(
        "Input of a float",
        lambda: Input((4.5,)),
        ValueError,
        "Cannot convert '(4.5,)' to a shape: every entry must be None or an int >= 0",
    ),
    row(
        "Input of a misspelt dtype",
        lambda: Input((4,), dtype="flaot32"),
        ValueError,
        "Invalid dtype: flaot32. Expected one of: bool, int8",
    ),
    row(
        "Input of a batch shape and a batch size",
        lambda: Input(batch_shape=(2, 4), batch_size=3),
        ValueError,
        "You cannot pass both `batch_size` and `batch_shape` at the same time. Received: "
        "batch_size=3, batch_shape=(2, 4)",
    ),
    row(
        "Input of an array",
        lambda: Input(tensor=X),
        ValueError,
        "Argument `input_tensor` must be a KerasTensor. Received: <class 'numpy.ndarray'>",
    ),
    row(
        "Input of a tensor and another shape",
        lambda: Input((3,), tensor=Input((4,))),
        ValueError,
        "you cannot provide an incompatible `shape` argument. Received: shape=(3,), while the "
        "tensor has (4,)",
    ),
    row(
        "Concatenate",
        lambda: layers.Concatenate(name="c")([Input((2, 3)), Input((3, 3))]),
        ValueError,
        "A `Concatenate` layer requires inputs with matching shapes except for the concatenation "
        "axis. Received: input_shape=[(None, 2, 3), (None, 3, 3)] in layer 'c', axis=-1",
    ),
    row(
        "concatenate without a list",
        lambda: layers.concatenate(Input((2,)), Input((2,))),
        ValueError,
        "`axis` of Concatenate must be an int, and its inputs come in one list",
    ),
    row(
        "Concatenate of one",
        lambda: layers.Concatenate(name="c")(Input((2, 3))),
        ValueError,
        "should be called on a list of at least 1 input. Layer 'c' received",
    ),
    row(
        "Add",
        lambda: layers.Add(name="a")([Input((2,)), Input((3,))]),
        ValueError,
        "Inputs have incompatible shapes. Received shapes (2,) and (3,)",
        "in layer 'a' (Add)",
    ),
    row(
        "Reshape",
        lambda: stack(Input((4,)), layers.Reshape((3, 3), name="r")),
        ValueError,
        "The total size of the tensor must be unchanged. Layer 'r' cannot make "
        "target_shape=(3, 3) of samples with 4 elements",
    ),
]

TARGETS = [
    row(
        "integer labels for categorical_crossentropy",
        lambda: fit(classes(loss=CATEGORICAL), X, LABELS),
        ValueError,
        "Arguments `target` and `output` must have the same shape. Received: target.shape=",
        "for integer labels use sparse_categorical_crossentropy",
        "to_categorical(y, num_classes=3)",
    ),
    row(
        "one-hot rows for sparse_categorical_crossentropy",
        lambda: fit(classes(), X, np.eye(3)[LABELS]),
        ValueError,
        "must have the same shape up until the last dimension: target.shape=(1, 3), "
        "output.shape=(1, 3)",
        "For one-hot targets use categorical_crossentropy",
    ),
    row(
        "two labels a row",
        lambda: fit(classes(), X, np.ones((8, 2), int)),
        ValueError,
        "must have the same shape up until the last dimension: target.shape=(1, 2), "
        "output.shape=(1, 3)",
    ),
    row(
        "binary_crossentropy of several outputs",
        lambda: fit(dense(3, "binary_crossentropy", "sigmoid"), X, LABELS),
        ValueError,
        "binary_crossentropy: expected `y_true` and `y_pred` of one shape; received",
        "y_pred.shape=(2, 3)",
        "Let the model's last layer give as many outputs as each target has",
    ),
    row(
        "a loss of numbers for labels",
        lambda: fit(dense(3, "mse", "softmax"), X, LABELS),
        ValueError,
        "mean_squared_error: expected `y_true` and `y_pred` of one shape",
    ),
    row(
        "mse of two and three outputs",
        lambda: fit(dense(), X, np.ones((8, 2))),
        ValueError,
        "received y_true.shape=(1, 2) and y_pred.shape=(1, 3)",
    ),
    row(
        "which of two outputs",
        lambda: fit(two_outputs(), X, [Y, np.ones((8, 2))]),
        ValueError,
        "received y_true.shape=(1, 2) and y_pred.shape=(1, 3)",
        "(Output 'q'.)",
    ),
    row(
        "labels from 1",
        lambda: fit(classes(), X, LABELS + 1),
        ValueError,
        "Received a label value of 3 which is outside the valid range of [0, 3): the output has "
        "3 classes. Number the labels from 0, or give the last layer more units",
    ),
    row(
        "labels below 0",
        lambda: fit(classes(), X, LABELS - 1),
        ValueError,
        "Received a label value of -1 which is outside the valid range of [0, 3)",
    ),
    row(
        "one unit for labels",
        lambda: fit(dense(1, SPARSE, "sigmoid"), X, LABELS % 2),
        ValueError,
        "Received a label value of 1 which is outside the valid range of [0, 1): the output has "
        "1 classes",
    ),
    row(
        "labels with fractions",
        lambda: fit(classes(), X, LABELS + 0.5),
        ValueError,
        "Received a label value of 0.5, which is no whole number",
        "such as mean_squared_error",
    ),
    row(
        "labels that are strings",
        lambda: fit(classes(), X, np.array(list("abcabcab"))),
        ValueError,
        "`y` holds strings, as 'a'; losses need numbers",
        "numpy.unique(y, return_inverse=True)[1], or StringLookup",
    ),
    row(
        "Flatten forgotten",
        lambda: fit(stack(Input((6, 6, 3)), Dense(3, "softmax"), loss=SPARSE), IMAGES, LABELS),
        ValueError,
        "output.shape=(2, 6, 6, 3). An output is one row of classes for each label: is a Flatten "
        "missing?",
    ),
    row(
        "softmax over one unit",
        lambda: Dense(1, "softmax", name="d"),
        UserWarning,
        "You are using a softmax over axis -1, of size 1, in layer 'd'",
        "Did you mean to use a sigmoid instead?",
    ),
    row(
        "targets for one of two outputs",
        lambda: fit(two_outputs(), X, Y),
        ValueError,
        "y_true and y_pred have different structures",
        "Give one for each of the outputs ['p', 'q']",
    ),
    row(
        "a loss for an output that is none",
        lambda: fit(two_outputs({"pp": "mse", "q": "mse"}), X, [Y, Y]),
        ValueError,
        "Expected keys ['p', 'q'] in loss dict, but found loss.keys()=['pp', 'q']",
    ),
    row(
        "a metric for an output that is none",
        lambda: fit(dense(metrics={"other": ["mae"]}), X, Y),
        ValueError,
        "Invalid `metrics`. `metrics` should contain metrics objects",
        "'other' is none of the outputs ['d']",
    ),
    row(
        "more losses than outputs",
        lambda: fit(dense(loss=["mse", "mae"]), X, Y),
        ValueError,
        "there is one output, and 2 were given. Give a loss for each output, or None",
    ),
    row(
        "a loss without return",
        lambda: fit(dense(loss=lambda y_true, y_pred: None), X, Y),
        ValueError,
        "The loss '<lambda>' must return a tensor; it returned None",
        "end without `return`?",
    ),
    row(
        "to_categorical of labels from 1",
        lambda: utils.to_categorical([1, 2, 3], num_classes=3),
        ValueError,
        "expects labels from 0 to 2; received labels from 1 to 3. Number them from 0",
    ),
]

COMPILING = [
    *(
        row(
            f"{name} before compile",
            lambda name=name: getattr(plain(Input((4,)), Dense(3)), name)(X, Y),
            ValueError,
            "You must call `compile()` before using the model",
            f"{name}() needs a loss and, to train, an optimizer, as in model.compile(",
        )
        for name in ("fit", "evaluate", "train_on_batch", "test_on_batch")
    ),
    row(
        "no loss",
        lambda: fit(dense(loss=None), X, Y),
        ValueError,
        "No loss to compute. Provide a `loss` argument in `compile()`",
    ),
    row(
        "a loss that is none",
        lambda: dense(loss="not_a_loss"),
        ValueError,
        "Could not interpret loss identifier: not_a_loss. `layerkit.losses` has the names",
    ),
    row(
        "a misspelt loss",
        lambda: dense(loss="mean_squred_error"),
        ValueError,
        "Could not interpret loss identifier: mean_squred_error. Did you mean 'mean_squared_error'",
    ),
    row(
        "a metric as loss",
        lambda: dense(loss="accuracy"),
        ValueError,
        "Could not interpret loss identifier: accuracy. That is a name of `layerkit.metrics`",
    ),
    row(
        "loss and optimizer in the wrong order",
        lambda: plain().compile("mse", "adam"),
        ValueError,
        "Could not interpret optimizer identifier: mse. That is a name of `layerkit.losses`",
    ),
    row(
        "a misspelt optimizer",
        lambda: plain().compile("adamm", "mse"),
        ValueError,
        "Could not interpret optimizer identifier: adamm. Did you mean 'adam'",
    ),
    row(
        "a misspelt metric",
        lambda: dense(metrics=["acuracy"]),
        ValueError,
        "Could not interpret metric identifier: acuracy. Did you mean 'accuracy'",
    ),
    row(
        "metrics that are no list",
        lambda: dense(metrics="accuracy"),
        ValueError,
        "Expected `metrics` argument to be a list, tuple, or dict. Received instead: "
        "metrics=accuracy of type <class 'str'>",
        "Write metrics=['accuracy']",
    ),
    row(
        "metrics in the place of loss_weights",
        lambda: plain().compile("sgd", "mse", ["accuracy"]),
        ValueError,
        "`loss_weights` must be numbers. Received: loss_weights=['accuracy']",
        "write metrics=[...]",
    ),
    row(
        "a rate that is a string",
        lambda: optimizers.Adam("0.1"),
        ValueError,
        "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a "
        "callable",
        "Received instead: learning_rate=0.1",
    ),
    row(
        "Keras 1's name of the rate",
        lambda: optimizers.Adam(lr=0.1),
        ValueError,
        "Argument(s) not recognized: {'lr': 0.1}. `lr` is `learning_rate`",
    ),
    row(
        "an argument of another optimizer",
        lambda: optimizers.Adam(nesterov=True),
        ValueError,
        "Argument(s) not recognized: {'nesterov': True}. Those of Adam are ",
        "beta_1, beta_2",
    ),
    row(
        "one optimizer for two models",
        one_optimizer_for_two_models,
        ValueError,
        "d/kernel of shape (4, 5). Optimizer 'shared' can only be called for the "
        "variables it was originally built with",
        "you should recreate a new optimizer instance",
    ),
    row(
        "frozen after compile",
        frozen_after_compile,
        UserWarning,
        "`trainable` state has changed since the model was compiled",
        "Please recompile your model",
        "['first']",
    ),
    row(
        "weights that do nothing",
        lambda: fit(stack(Input((4,)), Unused(name="u"), Dense(3)), X, Y),
        UserWarning,
        "Gradients do not exist for variables ['sequential/u/w'] when minimizing the loss. If "
        "using `model.compile()`, did you forget to provide a `loss` argument?",
    ),
]

DATA = [
    row(
        "lengths",
        lambda: fit(dense(), X, Y[:5]),
        ValueError,
        "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples."
        "\n'x' sizes: 8\n'y' sizes: 5",
    ),
    row(
        "a list of samples",
        lambda: fit(dense(), list(X), Y),
        ValueError,
        "'x' sizes: 4, 4, 4, 4, 4, ... (8 arrays)\n'y' sizes: 8",
        "make one array of it with numpy.stack(x)",
    ),
    row(
        "two arrays for one input",
        lambda: fit(dense(), [X, X], Y),
        ValueError,
        "expects 1 input(s), but it received 2 input tensors",
    ),
    row(
        "one array for two inputs",
        lambda: fit(two_inputs(), X, Y),
        ValueError,
        'Layer "m" expects 2 input(s), but it received 1 input tensors. Inputs received: [(1, 4)]',
        "expected: ['a', 'b']",
    ),
    row(
        "a key is missing",
        lambda: fit(two_inputs(), {"a": X}, Y),
        ValueError,
        "Missing data for input \"b\". You passed a data dictionary with keys ['a']. Expected the "
        "following keys: ['a', 'b']",
    ),
    row(
        "a list for a dict of inputs",
        lambda: two_named_inputs()([X, X]),
        UserWarning,
        "The structure of `inputs` doesn't match the expected structure.\nExpected: "
        "{'a': 'a', 'b': 'b'}\nReceived: inputs with shapes [(8, 4), (8, 4)], taken in this order",
    ),
    row(
        "x forgotten",
        lambda: fit(dense()),
        ValueError,
        "Expected data: `x` is None. Give arrays, or something that gives batches",
    ),
    row(
        "y forgotten",
        lambda: fit(dense(), X),
        ValueError,
        "The compiled loss needs targets: give `y`",
    ),
    row(
        "a path",
        lambda: fit(dense(), "train.csv", Y),
        ValueError,
        "Unrecognized data type: expected arrays of numbers, or of strings; received str",
        "Read the file first, as with numpy.load or pandas.read_csv. (This is `x`.)",
    ),
    row(
        "strings for a layer of numbers",
        lambda: fit(dense(), np.array(["a"] * 8), Y),
        ValueError,
        "to a tensor: expected numbers. Strings go through a layer of texts first, "
        "TextVectorization or StringLookup",
    ),
    row(
        "lists of different lengths",
        lambda: fit(dense(), [[1, 2], [1, 2, 3]], Y[:2]),
        ValueError,
        "Expected rows of one length; received lists of different lengths. Pad them, as with "
        "utils.pad_sequences. (This is `x`.)",
    ),
    row(
        "targets of different lengths",
        lambda: fit(dense(), X[:2], [[1, 2], [1, 2, 3]]),
        ValueError,
        "lists of different lengths",
        "(This is `y`.)",
    ),
    row(
        "numbers as objects",
        lambda: fit(dense(), X.astype(object), Y),
        ValueError,
        "received ndarray with dtype object. It holds float: use x.astype('float32')",
    ),
    row(
        "arrays as objects",
        lambda: fit(dense(), np.array([np.ones(4), np.ones(3)], object), Y[:2]),
        ValueError,
        "It holds ndarray: pad them to one length and use numpy.stack. (This is `x`.)",
    ),
    row(
        "dates",
        lambda: fit(dense(), np.ones((8, 4), "datetime64[D]"), Y),
        ValueError,
        "received ndarray with dtype datetime64[D]. Make numbers of dates",
    ),
    row(
        "a table with strings",
        lambda: fit(dense(), Frame(), Y),
        ValueError,
        "received Frame with dtype object. The columns ['city'] hold no numbers: encode them or "
        "leave them out. (This is `x`.)",
    ),
    row(
        "a generator function",
        lambda: fit(dense(), batches),
        ValueError,
        "received function with dtype object. Call the function: give what it returns",
    ),
    row(
        "NaN",
        lambda: fit(dense(), np.where(np.arange(32).reshape(8, 4) == 17, np.nan, X), Y),
        ValueError,
        "`x` contains NaN: 1 of 32 values, the first at x[4, 1]",
        "clean the data first",
    ),
    row(
        "NaN among targets",
        lambda: fit(dense(), X, np.full((8, 3), np.nan)),
        ValueError,
        "`y` contains NaN: 24 of 24 values",
    ),
    row(
        "predict on nothing",
        lambda: dense().predict(X[:0], verbose=0),
        ValueError,
        "predict() got no samples: `x` has length 0",
    ),
    row("fit on nothing", lambda: fit(dense(), X[:0], Y[:0]), ValueError, "`x` has length 0"),
    row(
        "class_weight and sample_weight",
        lambda: fit(classes(), X, LABELS, class_weight={0: 1}, sample_weight=np.ones(8)),
        ValueError,
        "You cannot use `class_weight` and `sample_weight` together",
    ),
    row(
        "class_weight of scikit-learn",
        lambda: fit(classes(), X, LABELS, class_weight="balanced"),
        ValueError,
        "`class_weight` must be a dict of the weight of each label, as {0: 1.0, 1: 2.5}. Received: "
        "class_weight=balanced",
    ),
    row(
        "weights of the wrong shape",
        lambda: fit(dense(), X, Y, sample_weight=np.ones((8, 2))),
        ValueError,
        "`sample_weight` (or the mask) must have the shape of the loss's values",
        "give one weight per sample",
    ),
    row(
        "an embedding's id",
        lambda: layers.Embedding(5, 2, name="e")(np.array([[1, 5]])),
        IndexError,
        "Layer 'e' (Embedding)",
        "ids from 0 to 4, the table has 5 rows; received the id 5: raise `input_dim` to the "
        "largest id plus one",
        numpy_only="on a device ids are not checked: it would have to be waited for",
    ),
    row(
        "an id below 0",
        lambda: layers.Embedding(5, 2, name="e")(np.array([[1, -1]])),
        IndexError,
        "ids from 0 to 4, the table has 5 rows; received the id -1",
        numpy_only="on a device ids are not checked: it would have to be waited for",
    ),
]

FITTING = [
    *(
        row(
            f"{name}={value!r}",
            lambda name=name, value=value: fit(dense(), X, Y, **{name: value}),
            ValueError,
            f"`{name}` must be a{kind}. Received: {name}={value!r}",
        )
        for name, value, kind in (
            ("batch_size", 0, " positive integer"),
            ("batch_size", -1, " positive integer"),
            ("batch_size", "32", " positive integer"),
            ("epochs", -1, "n integer that is not negative"),
            ("epochs", 1.5, "n integer that is not negative"),
            ("epochs", "3", "n integer that is not negative"),
            ("initial_epoch", -1, "n integer that is not negative"),
            ("steps_per_epoch", 0, " positive integer"),
        )
    ),
    row(
        "verbose",
        lambda: dense().fit(X, Y, verbose="yes"),
        ValueError,
        "`verbose` must be 'auto', 0 (silent), 1 (a progress bar) or 2 (a line an epoch)",
        "Received: verbose='yes'",
    ),
    row(
        "shuffle",
        lambda: fit(dense(), X, Y, shuffle="yes"),
        ValueError,
        "`shuffle` must be True, False or 'batch'. Received: shuffle='yes'",
    ),
    row(
        "a callback's class",
        lambda: fit(dense(), X, Y, callbacks=[callbacks.EarlyStopping]),
        TypeError,
        "`callbacks` must be Callback objects, as [EarlyStopping()]. Received: <class",
    ),
    row(
        "validation_data of four",
        lambda: fit(dense(), X, Y, validation_data=(X, Y, np.ones(8), 1)),
        ValueError,
        "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, found "
        "a tuple of 4. (In `validation_data`.)",
    ),
    row(
        "validation_batch_size of batches",
        lambda: fit(dense(), X, Y, validation_data=batches(1), validation_batch_size=4),
        ValueError,
        "`validation_batch_size` is for `validation_data` of arrays; other batches come as they "
        "are. Received: validation_batch_size=4",
    ),
    row(
        "validation_batch_size of 0",
        lambda: fit(dense(), X, Y, validation_data=(X, Y), validation_batch_size=0),
        ValueError,
        "`batch_size` must be a positive integer. Received: batch_size=0. (In `validation_data`.)",
    ),
    row(
        "validation_data without y",
        lambda: fit(dense(), X, Y, validation_data=(X,)),
        ValueError,
        "The compiled loss needs targets: give `y`",
        "of `validation_data`",
    ),
    row(
        "validation_data in the wrong order",
        lambda: fit(dense(), X, Y, validation_data=(Y, X)),
        ValueError,
        "received input with shape (1, 3)",
        "(These are the shapes of 1 of the 8 rows, tried first, of `validation_data`.)",
    ),
    row(
        "validation_data that is an array",
        lambda: fit(dense(), X, Y, validation_data=X),
        ValueError,
        "`validation_data` must be a tuple (x, y) or (x, y, sample_weight), or give batches of "
        "them. Received: ndarray",
    ),
    row(
        "validation_data that is a share",
        lambda: fit(dense(), X, Y, validation_data=0.2),
        ValueError,
        "Received: 0.2. For a share of the rows give `validation_split`",
    ),
    row(
        "validation_split above 1",
        lambda: fit(dense(), X, Y, validation_split=20),
        ValueError,
        "`validation_split` must be between 0 and 1, received: 20",
    ),
    row(
        "validation_split of a generator",
        lambda: fit(dense(), batches(3), validation_split=0.2),
        ValueError,
        "`validation_split` is only supported for tensors or NumPy arrays. Found incompatible type "
        "in the input: generator. Give `validation_data`",
    ),
    row(
        "validation_split that leaves nothing",
        lambda: fit(dense(), X, Y, validation_split=0.99999),
        ValueError,
        "Training data contains 8 samples, which is not sufficient to split it into a validation "
        "and training set as specified by `validation_split=0.99999`",
    ),
    row(
        "generator exhausted",
        lambda: fit(dense(), batches(3), steps_per_epoch=2, epochs=2),
        UserWarning,
        "Your input ran out of data; interrupting training. Make sure that your dataset or "
        "generator can generate at least `steps_per_epoch * epochs` batches. You may need to use "
        "the `.repeat()` function",
    ),
    row(
        "a generator beside y",
        lambda: fit(dense(), batches(3), Y),
        ValueError,
        "When providing `x` as a generator, `y` should not be passed",
    ),
    row(
        "a generator of empty batches",
        lambda: fit(dense(), ((X[:0], Y[:0]) for _ in range(3))),
        ValueError,
        "The data is empty: the first batch has no rows",
    ),
    row(
        "a generator of labels that are strings",
        lambda: fit(classes(), ((X, np.array(["a"] * 8)) for _ in range(3))),
        ValueError,
        "to a tensor: expected numbers",
        "(This is `y`.)",
    ),
    row(
        "workers below 0",
        lambda: utils.PyDataset(workers=-1),
        ValueError,
        "`workers` must be an integer that is not negative. Received: workers=-1",
    ),
    row(
        "a generator of lists",
        lambda: fit(dense(), ([X, Y] for _ in range(3))),
        ValueError,
        "Received a list of 2: yield (x, y), not [x, y]",
    ),
    row(
        "a generator of arrays",
        lambda: fit(dense(), (X for _ in range(3))),
        ValueError,
        "When passing a generator to a model, it must give tuples",
        "Received a ndarray of shape (8, 4)",
    ),
    row(
        "EarlyStopping on a name that nobody knows",
        lambda: fit(dense(), X, Y, callbacks=[callbacks.EarlyStopping("val_lossx")]),
        ValueError,
        "EarlyStopping callback received monitor=val_lossx, but Keras isn't able to automatically "
        "determine whether that metric should be maximized or minimized. Pass `mode='max'`",
        "Available metrics are: loss",
    ),
    row(
        "EarlyStopping without validation",
        lambda: fit(dense(), X, Y, callbacks=[callbacks.EarlyStopping()]),
        UserWarning,
        "Early stopping conditioned on metric `val_loss` which is not available. Available "
        "metrics are: loss",
    ),
    row(
        "ReduceLROnPlateau on a name that nobody knows",
        lambda: fit(dense(), X, Y, callbacks=[callbacks.ReduceLROnPlateau("val_acc")]),
        ValueError,
        "ReduceLROnPlateau callback received monitor=val_acc",
        "Available metrics are: loss,learning_rate",
    ),
    row(
        "ModelCheckpoint's file",
        lambda: callbacks.ModelCheckpoint("x.foo"),
        ValueError,
        "The filepath provided must end in `.keras` (Keras model format). Received: filepath=x.foo",
    ),
]

LAYERS = [
    row(
        "an argument of no layer",
        lambda: Dense(3, unit=3),
        ValueError,
        "Unrecognized keyword arguments passed to Dense: {'unit': 3}. Did you mean 'units'?",
    ),
    row(
        "units below 1",
        lambda: Dense(-1),
        ValueError,
        "Received an invalid value for `units`, expected a positive integer. Received: units=-1",
    ),
    row("activation first", lambda: Dense("relu", 3), ValueError, "Received: units='relu'"),
    row(
        "activation as kernel_size",
        lambda: layers.Conv2D(8, "relu"),
        ValueError,
        "The `kernel_size` argument must be a tuple of 2 integers. Received kernel_size='relu'",
    ),
    row(
        "activation as strides",
        lambda: layers.Conv2D(8, 3, "relu"),
        ValueError,
        "The `strides` argument must be a tuple of 2 integers. Received strides='relu'",
    ),
    row(
        "a misspelt activation",
        lambda: Dense(3, "reluu"),
        ValueError,
        "Could not interpret activation function identifier: reluu. Did you mean 'relu'",
    ),
    row(
        "an initializer as activation",
        lambda: Dense(3, "glorot_uniform"),
        ValueError,
        "Could not interpret activation function identifier: glorot_uniform. That is a name of "
        "`layerkit.initializers`",
    ),
    row(
        "an activation as initializer",
        lambda: Dense(3, kernel_initializer="relu"),
        ValueError,
        "Could not interpret initializer identifier: relu. That is a name of "
        "`layerkit.activations`",
    ),
    row(
        "a class as activation",
        lambda: Dense(3, layers.ReLU),
        ValueError,
        "That is a class: give an object of it, ReLU()",
    ),
    row(
        "half an initializer",
        lambda: Dense(3, kernel_initializer="glorot"),
        ValueError,
        "Could not interpret initializer identifier: glorot. Did you mean 'glorot_normal' or "
        "'glorot_uniform'?",
    ),
    row(
        "a rate in percent",
        lambda: layers.Dropout(50),
        ValueError,
        "Expected a float value between 0 and 1. Received: rate=50",
    ),
    row(
        "super().__init__ forgotten",
        lambda: WithoutSuper()(X),
        RuntimeError,
        "In layer 'WithoutSuper', you forgot to call `super().__init__()` as the first statement "
        "in the `__init__()` method. Go add it!",
    ),
    row(
        "no call",
        lambda: layers.Layer()(X),
        NotImplementedError,
        "Layer Layer does not have a `call()` method implemented",
    ),
    row(
        "a layer made in call",
        lambda: stack(Input((4,)), MadeInCall(name="m")),
        RuntimeError,
        "You cannot add new elements of state (variables or sub-layers) to a layer that is already "
        "built. All state must be created in the `__init__()` method or in the `build()` method.",
        "Layer 'm' (MadeInCall) makes its `inner` anew in each call",
    ),
    row(
        "a layer made in a model's call",
        lambda: call(MadeInCallOfModel(name="m"), (1, 4), (1, 4)),
        RuntimeError,
        "Layer 'm' (MadeInCallOfModel) makes its `inner` anew in each call",
    ),
    row(
        "a config of what has none",
        lambda: OfSettings(Settings(), name="o").get_config(),
        TypeError,
        "To be serializable, a class must implement the `get_config()` method. Received as "
        "`settings` of OfSettings 'o'",
    ),
    row(
        "an argument that is not kept",
        lambda: Unstored(np.ones(3)).get_config(),
        NotImplementedError,
        "Object Unstored was created by passing\nnon-serializable argument values in `__init__()`",
        "it has no attributes ['size']",
    ),
    row(
        "a call on nothing",
        lambda: Dense(3, name="d")(None),
        ValueError,
        "Inputs to a layer should be tensors. Got 'None' as input for layer 'd'",
    ),
    row(
        "an argument that call does not take",
        lambda: Dense(3, name="d")(Input((4,)), scale=2),
        TypeError,
        "Layer 'd' (Dense): got an unexpected keyword argument 'scale'. Its call takes inputs",
    ),
    row(
        "input_shape and input_dim",
        lambda: Dense(3, input_dim=3, input_shape=(4,)),
        ValueError,
        "Give `input_shape` or `input_dim`, not both. Received: input_shape=(4,), input_dim=3",
    ),
    row(
        "attention without value",
        lambda: call(layers.MultiHeadAttention(2, 2, name="a"), (1, 2, 3)),
        TypeError,
        "Layer 'a' (MultiHeadAttention) is missing a required argument: 'value'",
    ),
    row(
        "count_params before build",
        lambda: Dense(3, name="d").count_params(),
        ValueError,
        "You tried to call `count_params` on layer 'd', but the layer isn't built. You can build "
        "it manually via: `layer.build(input_shape)`",
    ),
    row(
        "set_weights before build",
        lambda: plain(Dense(3)).set_weights([np.ones((4, 3)), np.ones(3)]),
        ValueError,
        "the layer was expecting 0 weights. It is not built",
    ),
    row(
        "set_weights of too few",
        lambda: dense().layers[0].set_weights([np.ones(3)]),
        ValueError,
        "You called `set_weights(weights)` on layer 'd' with a weight list of length 1, but the "
        "layer was expecting 2 weights",
    ),
    row(
        "set_weights of a wrong shape",
        lambda: dense().layers[0].set_weights([np.ones((4, 2)), np.ones(3)]),
        ValueError,
        "Layer d weight shape (4, 3)",
        "is not compatible with provided weight shape (4, 2)",
    ),
]

MODELS = [
    row(
        "no list",
        lambda: Sequential(Dense(3)),
        TypeError,
        "`layers` of Sequential must be a list of layers, as Sequential([Dense(8), Dense(1)])",
    ),
    row(
        "a class in place of a layer",
        lambda: plain(Dense(3), layers.Flatten),
        TypeError,
        "Only instances of `keras.Layer` can be added to a Sequential model",
        "Did you forget to call the class? Write Flatten(...)",
    ),
    row(
        "a function in place of a layer",
        lambda: plain(Dense(3), np.tanh),
        TypeError,
        "For a function, write Lambda(function)",
    ),
    row(
        "a layer that was called",
        lambda: plain(Dense(3)(Input((4,)))),
        TypeError,
        "A Sequential calls its layers itself: write Dense(8), not Dense(8)(x)",
    ),
    row(
        "no layers",
        lambda: fit(stack(), X, Y),
        ValueError,
        "Sequential model 'sequential' cannot be built: it has no layers",
    ),
    row(
        "a name twice",
        lambda: plain(Dense(3, name="a"), Dense(3, name="a")),
        ValueError,
        "All layers added to a Sequential model should have unique names. Name 'a' is already the "
        "name of a layer in this model",
    ),
    row(
        "a name twice in a graph",
        lambda: Model(x := Input((4,)), Dense(3, name="a")(Dense(3, name="a")(x))),
        ValueError,
        'The name "a" is used 2 times in the model. All operation names should be unique',
    ),
    row(
        "layers in place of tensors",
        lambda: Model(Input((4,)), Dense(3, name="d")),
        ValueError,
        "All `outputs` values must be KerasTensors",
        "Received in `outputs`: <Dense name=d, built=False>",
        "Call the layer: outputs=layer(x)",
    ),
    row(
        "arrays in place of tensors",
        lambda: Model(X, Dense(3)(Input((4,)))),
        ValueError,
        "Received in `inputs`: of shape (8, 4) (<class 'numpy.ndarray'>)",
    ),
    row(
        "not connected",
        not_connected,
        ValueError,
        "Output 'y' is not connected to `inputs`: it needs the Input 'b', and `inputs` are ['a']. "
        "Add it to them",
    ),
    row(
        "NumPy on a symbolic tensor",
        lambda: np.exp(Input((4,), name="x")),
        TypeError,
        "A KerasTensor is symbolic: it's a placeholder for a shape an a dtype. It doesn't have any "
        "actual numerical value.",
        "use the function of layerkit.ops in place of np.exp. Received: <KerasTensor",
        "name=x",
    ),
    row(
        "an array of a symbolic tensor",
        lambda: np.asarray(Input((4,))),
        TypeError,
        "It doesn't have any actual numerical value. You cannot convert it to a NumPy array",
    ),
    row(
        "if on a symbolic tensor",
        lambda: bool(Input((4,))),
        TypeError,
        "cannot be used as a boolean: use ops.where or ops.cond",
    ),
    row(
        "for on a symbolic tensor",
        lambda: list(Input((4,))),
        TypeError,
        "Iterating over it is not supported: use ops.unstack or ops.split",
    ),
    row(
        "a layer that is none",
        lambda: dense().get_layer("zzz"),
        ValueError,
        "No such layer: zzz. Existing layers are: ['d']",
    ),
    row(
        "an index below all",
        lambda: dense().get_layer(index=-9),
        ValueError,
        "Was asked to retrieve layer at index -9 but model only has 1 layers",
    ),
    row(
        "an index that is none",
        lambda: dense().get_layer(index=9),
        ValueError,
        "Was asked to retrieve layer at index 9 but model only has 1 layers",
    ),
    row(
        "output before build",
        lambda: plain().output,
        AttributeError,
        "has no defined input shape yet: give it an Input, call `build(input_shape)`, or call it "
        "on data",
    ),
    row(
        "a model on a symbolic tensor of another shape",
        lambda: dense()(Input((5,))),
        ValueError,
        "of layer 'd' is incompatible with the layer: expected axis -1 of input shape to have "
        "value 4, but received input with shape (None, 5)",
    ),
    row(
        "build for another shape",
        lambda: plain(Input((4,)), Dense(3)).build((None, 5)),
        ValueError,
        "has already been configured to use input shape (None, 4). You cannot build it with "
        "input_shape (None, 5)",
    ),
    row(
        "build without a shape",
        lambda: plain().build(),
        ValueError,
        "You must provide an `input_shape` argument to build Sequential",
    ),
]

UNBUILT = "Try building the model first by calling it on some data or by using `build()`"

FILES = [
    row(
        "weights of what is not built",
        lambda: plain().save_weights("w.weights.h5"),
        ValueError,
        f"You are saving a model that has not yet been built. {UNBUILT}",
    ),
    row(
        "weights into what is not built",
        lambda: load_weights(dense(), plain()),
        ValueError,
        f"You are loading weights into a model that has not yet been built. {UNBUILT}",
    ),
    row(
        "save before build",
        lambda: plain().save("m.keras"),
        UserWarning,
        "You are saving a model that has not yet been built. It might not contain any weights yet",
    ),
    row(
        "save without an ending",
        lambda: dense().save("foo"),
        ValueError,
        "Invalid filepath extension for saving. Please add either a `.keras` extension for the "
        "native Keras format (recommended)",
        "Received: filepath=foo",
    ),
    row(
        "weights without their ending",
        lambda: dense().save_weights("foo"),
        ValueError,
        "The filename must end in `.weights.h5`, or in `.h5` for the layout of Keras 2. Received: "
        "filepath=foo.",
        "'foo.weights.h5'",
    ),
    row(
        "save into no folder",
        lambda: dense().save("no/folder/m.keras"),
        FileNotFoundError,
        "there is no folder",
        "Make it first, as with os.makedirs(",
    ),
    row(
        "save weights into no folder",
        lambda: dense().save_weights("no/folder/m.weights.h5"),
        FileNotFoundError,
        "there is no folder",
    ),
    row(
        "load what is missing",
        lambda: models.load_model("nope.keras"),
        FileNotFoundError,
        "File not found: filepath=nope.keras. Please ensure the file is an accessible `.keras` zip "
        "file",
        "The working folder is",
    ),
    row(
        "load an .h5 that is missing",
        lambda: models.load_model("nope.h5"),
        FileNotFoundError,
        "File not found: filepath=nope.h5",
    ),
    row(
        "load what is no model",
        lambda: load_written("c.keras", b"hello, I am no model"),
        ValueError,
        "File format not supported: filepath=c.keras",
        "received a file of another kind, which begins with b'hello, I'",
    ),
    row(
        "load half a zip",
        lambda: load_written("c.keras", b"PK\x03\x04 and no more"),
        ValueError,
        "File format not supported: filepath=c.keras",
    ),
    row(
        "load another zip",
        load_zip_without_config,
        ValueError,
        "a zip archive without config.json; it holds ['notes.txt']",
        "Give a file that model.save('model.keras') wrote",
    ),
    row(
        "load weights as a model",
        lambda: (dense().save_weights("w.weights.h5"), models.load_model("w.weights.h5")),
        ValueError,
        "This file holds weights only: build the model in code and use model.load_weights",
    ),
    row(
        "weights of other shapes",
        lambda: load_weights(dense(3), dense(5)),
        ValueError,
        "A total of 1 objects could not be loaded. Example error message for object "
        "<Dense name=d, built=True>:",
        "Layer 'd' expected 'kernel' of shape (4, 5), but the file holds shape (4, 3)",
        "List of objects that could not be loaded:\n[<Dense name=d, built=True>]",
        "kernel (4, 5), bias (5,)  (4, 3), (3,)    <- not loaded",
        "pass skip_mismatch=True",
    ),
    row(
        "weights of another model",
        lambda: load_weights(dense(), plain(Input((4,)), Dense(3), Dense(3, name="e"))),
        ValueError,
        "Layer 'e' expected 2 variables, but received 0 variables during loading. Expected: "
        "['kernel', 'bias']",
        "layers/dense_1    e",
        "Groups of the file that the model has no place for: none",
    ),
    row(
        "a class that is unknown",
        load_with_a_class_that_is_unknown,
        TypeError,
        "Could not locate class 'Scaled'. Make sure custom classes and functions are decorated "
        "with `@layerkit.saving.register_keras_serializable()`, or pass "
        "custom_objects={'Scaled': Scaled}.",
    ),
    row(
        "save a lambda",
        lambda: plain(Input((4,)), layers.Lambda(lambda x: x, name="l")).save("m.keras"),
        TypeError,
        "Layer 'l' (Lambda) cannot be saved: A lambda cannot be saved",
        "Define a function with `def` and register it",
    ),
    row(
        "load a lambda",
        lambda: layers.Lambda.from_config(
            {"name": "l", "function": {"class_name": "__lambda__", "config": {"code": "4wEA"}}}
        ),
        ValueError,
        "Requested the deserialization of a `Lambda` layer whose `function` is a Python lambda",
    ),
]

ROWS = [*SHAPES, *TARGETS, *COMPILING, *DATA, *FITTING, *LAYERS, *MODELS, *FILES]
