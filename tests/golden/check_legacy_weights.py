"""Load the weights that layerkit saves as `.h5` in every Keras since 2.0, by position and by name.

Run it by hand, the first line with layerkit installed, the others with the Keras in question:

    python tests/golden/check_legacy_weights.py layerkit /tmp/weights
    python tests/golden/check_legacy_weights.py keras /tmp/weights             # 2.0 to 2.3, and 3
    python tests/golden/check_legacy_weights.py tf_keras /tmp/weights
    python tests/golden/check_legacy_weights.py tensorflow.keras /tmp/weights  # TensorFlow to 2.15

The first writes weights alone and whole models, with predictions. Status 0 if all agree. Nothing
here is newer than Python 3.6, and of Keras only what is in all of these is used.
"""

import importlib
import os
import sys

import numpy as np


def models(keras):
    """{name: (model, shape of a batch)}; names of layers are the same everywhere."""
    layers, made = keras.layers, {}
    Input, Model, Sequential = layers.Input, keras.models.Model, keras.models.Sequential

    def chain(name, shape, *parts):
        x = y = Input(shape[1:])
        for part in parts:
            y = part(y)
        made[name] = Model(x, y), shape

    chain(
        "dense",
        (3, 4),
        layers.Dense(5, activation="tanh", name="first"),
        layers.BatchNormalization(name="norm"),
        layers.Dropout(0.5, name="drop"),
        layers.PReLU(name="prelu"),
        layers.Dense(2, use_bias=False, name="last"),
    )
    chain(
        "images",
        (2, 8, 8, 3),
        layers.Conv2D(4, 3, padding="same", activation="relu", name="conv"),
        layers.SeparableConv2D(4, 3, name="separable"),
        layers.BatchNormalization(name="norm"),
        layers.Conv2DTranspose(3, 3, name="transposed"),
        layers.MaxPooling2D(2, name="pool"),
        layers.Flatten(name="flat"),
        layers.Dense(2, name="last"),
    )
    chain(
        "sequences",
        (2, 5, 3),
        layers.Conv1D(4, 2, name="conv"),
        layers.LSTM(3, return_sequences=True, recurrent_activation="sigmoid", name="lstm"),
        layers.Bidirectional(
            layers.LSTM(2, return_sequences=True, recurrent_activation="sigmoid"), name="both"
        ),
        layers.TimeDistributed(layers.Dense(3), name="each"),
        layers.SimpleRNN(2, name="rnn"),
    )
    inner = Sequential(name="inner")
    inner.add(layers.Dense(4, input_shape=(4,), name="in_1") if _is_old(keras) else Input((4,)))
    if not _is_old(keras):
        inner.add(layers.Dense(4, name="in_1"))
    inner.add(layers.BatchNormalization(name="in_2"))
    inner.add(layers.Dense(4, name="in_3"))
    chain("nested", (3, 4), layers.Dense(4, name="before"), inner, layers.Dense(2, name="after"))
    x = Input((4,))
    shared = layers.Dense(3, name="shared")
    y = layers.Dense(3, name="other")(x)
    y = layers.Concatenate(name="joined")([shared(x), shared(layers.Dense(4, name="wide")(y))])
    made["shared"] = Model(x, y), (3, 4)
    return made


def _is_old(keras):
    return keras.__version__.startswith("2.")


def write(keras, folder):
    os.makedirs(folder, exist_ok=True)
    for name, (model, shape) in models(keras).items():
        random = np.random.RandomState(3)
        x = random.normal(size=shape).astype("float32")
        model.set_weights([random.uniform(0.2, 0.8, size=w.shape) for w in model.get_weights()])
        path = os.path.join(folder, name)
        model.save_weights(path + ".h5")
        model.save(path + ".whole.h5")
        np.savez(path + ".npz", x=x, prediction=model.predict(x, verbose=0))
        print("wrote", name)


def check(keras, folder):
    failed = 0
    for ending in (".h5", ".whole.h5"):
        # Keras 3.0 wants all weights at the top level by name, of its own files too.
        for by_name in (False,) if keras.__version__.startswith("3.0.") else (False, True):
            for name, (model, _) in models(keras).items():
                what = "{}{} by {}".format(name, ending, "name" if by_name else "position")
                stored = np.load(os.path.join(folder, name + ".npz"))
                try:
                    options = {"by_name": True} if by_name else {}
                    model.load_weights(os.path.join(folder, name + ending), **options)
                    predicted = model.predict(stored["x"], verbose=0)
                    np.testing.assert_allclose(predicted, stored["prediction"], rtol=1e-4)
                    print(keras.__name__, keras.__version__, "agrees on", what)
                except Exception as error:
                    failed += 1
                    print(keras.__name__, keras.__version__, "DIFFERS on", what, repr(error)[:300])
    return failed


if __name__ == "__main__":
    library, folder = sys.argv[1:]
    keras = importlib.import_module(library)
    sys.exit(write(keras, folder) if library == "layerkit" else check(keras, folder))
