"""Write what users of Keras 2 have on their disks into tests/golden/demands: run it by hand, once
with Keras 2.2.4 on TensorFlow 1.13 and once with TensorFlow 2.4 (see make_legacy_files.py):

    python make_demands_golden.py keras
    python make_demands_golden.py tensorflow.keras

Each archive holds, per model, NAME.h5, NAME.json and NAME_weights.h5, and in arrays.npz its data,
predictions and what evaluate said; of those that train without chance in a graph without races,
losses and predictions of two more epochs. No syntax newer than Python 3.6 here.
"""

import importlib
import os
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
name = sys.argv[1]
keras = (
    importlib.import_module(name)
    if name == "keras"
    else importlib.import_module("tensorflow").keras
)
layers, Sequential, Model = keras.layers, keras.models.Sequential, keras.models.Model
GOES_ON = name != "keras"  # in graphs of TensorFlow 1 Adam's next step is a matter of chance


def normal(*shape):
    return np.random.RandomState(len(shape)).normal(size=shape).astype("float32")


def classes(count, one_hot=True):
    numbers = np.arange(8) * 5 % count
    return np.eye(count, dtype="float32")[numbers] if one_hot else numbers


def cnn():
    """Item 2: Conv2D first, its shape in batch_input_shape."""
    return (
        Sequential(
            [
                layers.Conv2D(4, (3, 3), activation="relu", input_shape=(8, 8, 1)),
                layers.MaxPooling2D((2, 2)),
                layers.Dropout(0.25),
                layers.Flatten(),
                layers.Dense(3, activation="softmax"),
            ]
        ),
        "categorical_crossentropy",
        ["accuracy"],
        normal(8, 8, 8, 1),
        classes(3),
    )


def bidirectional():
    """Item 1: the sentiment model of every tutorial."""
    x = np.random.RandomState(0).randint(0, 20, (8, 7)).astype("int32")
    return (
        Sequential(
            [
                layers.Embedding(20, 4, input_length=7),
                layers.Bidirectional(layers.LSTM(3, dropout=0.1, recurrent_dropout=0.1)),
                layers.Dense(1, activation="sigmoid"),
            ]
        ),
        "binary_crossentropy",
        ["acc"],
        x,
        classes(2, one_hot=False)[:, None],
    )


def wrapped_first():
    """Item 2: the shape is in the wrapper, and the first layer's own is another."""
    return (
        Sequential(
            [
                layers.Bidirectional(layers.GRU(3, return_sequences=True), input_shape=(6, 3)),
                layers.TimeDistributed(layers.Dense(2)),
            ]
        ),
        "mse",
        ["mae"],
        normal(8, 6, 3),
        normal(8, 6, 2),
    )


def frames():
    """Item 2: TimeDistributed first."""
    return (
        Sequential(
            [
                layers.TimeDistributed(layers.Conv2D(2, (3, 3)), input_shape=(3, 5, 5, 1)),
                layers.TimeDistributed(layers.Flatten()),
                layers.LSTM(3),
                layers.Dense(1),
            ]
        ),
        "mae",
        ["mse"],
        normal(8, 3, 5, 5, 1),
        normal(8, 1),
    )


def reshaped():
    """Item 2: Reshape first, an advanced activation."""
    return (
        Sequential(
            [
                layers.Reshape((6, 6, 1), input_shape=(36,)),
                layers.Conv2D(2, (3, 3), strides=(2, 2), padding="same"),
                layers.LeakyReLU(0.2),
                layers.Flatten(),
                layers.Dense(1, activation="tanh"),
            ]
        ),
        "mse",
        [],
        normal(8, 36),
        normal(8, 1),
    )


def teachable_machine():
    """Item 3: a model in a Sequential in a Sequential; depthwise convolutions."""
    x = layers.Input((12, 12, 3))
    y = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    y = layers.Conv2D(4, 3, strides=2, use_bias=False)(y)
    y = layers.ReLU(6.0)(layers.BatchNormalization(epsilon=1e-3, momentum=0.999)(y))
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(y)
    y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
    z = layers.BatchNormalization()(layers.Conv2D(4, 1, use_bias=False)(y))
    y = layers.GlobalAveragePooling2D()(layers.Add()([y, z]))
    head = Sequential(
        [
            layers.Dense(5, activation="relu", input_shape=(4,)),
            layers.Dense(2, activation="softmax", use_bias=False),
        ]
    )
    return (
        Sequential([Sequential([Model(x, y)]), head]),
        "categorical_crossentropy",
        ["accuracy"],
        normal(8, 12, 12, 3),
        classes(2),
    )


def accuracy(units, loss, target):
    activation = "sigmoid" if units == 1 else "softmax"
    return (
        Sequential(
            [
                layers.Dense(6, activation="tanh", input_shape=(4,)),
                layers.Dense(units, activation=activation),
            ]
        ),
        loss,
        ["accuracy"],
        normal(8, 4),
        target,
    )


def accuracy_sparse():
    """Item 8: 'accuracy' of integers."""
    return accuracy(3, "sparse_categorical_crossentropy", classes(3, one_hot=False)[:, None])


def accuracy_one_hot():
    """Item 8: 'accuracy' of one-hot rows."""
    return accuracy(3, "categorical_crossentropy", classes(3))


def accuracy_binary():
    """Item 8: 'accuracy' of yes and no."""
    return accuracy(1, "binary_crossentropy", classes(2, one_hot=False)[:, None])


MODELS = [
    cnn, bidirectional, wrapped_first, frames, reshaped, teachable_machine,
    accuracy_sparse, accuracy_one_hot, accuracy_binary,
]  # fmt: skip
RANDOM = (cnn, bidirectional, teachable_machine)  # dropout; the variance of fused normalization


def write(folder, make, arrays):
    np.random.seed(0)
    model, loss, metrics, x, y = make()
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=metrics)
    model.fit(x, y, epochs=4, batch_size=4, shuffle=False, verbose=0)
    path = str(folder / make.__name__)
    model.save(path + ".h5")
    model.save_weights(path + "_weights.h5")
    Path(path + ".json").write_text(model.to_json())
    known = {"x": x, "y": y, "prediction": model.predict(x)}
    known["evaluated"] = model.evaluate(x, y, verbose=0)
    if GOES_ON and make not in RANDOM:
        history = model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
        known["losses"], known["next_prediction"] = history.history["loss"], model.predict(x)
    arrays.update({make.__name__ + "/" + key: value for key, value in known.items()})


def main():
    if GOES_ON:
        importlib.import_module("tensorflow").config.run_functions_eagerly(True)  # no tracing
    folder, arrays = Path(tempfile.mkdtemp()), {}
    for make in MODELS:
        write(folder, make, arrays)
    np.savez(str(folder / "arrays.npz"), **arrays)
    target = Path(__file__).parent / "demands"
    target.mkdir(exist_ok=True)
    title = "{}-{}.zip".format("keras" if name == "keras" else "tf.keras", keras.__version__)
    with zipfile.ZipFile(str(target / title), "w", zipfile.ZIP_LZMA) as archive:
        for path in sorted(folder.iterdir()):
            info = zipfile.ZipInfo(path.name)
            info.compress_type = zipfile.ZIP_LZMA
            archive.writestr(info, path.read_bytes())


main()
