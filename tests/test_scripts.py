"""Keras scripts of several ages, run as they are by `python -m layerkit`; what is behind it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
ENDS = {
    "keras1_digits": ([], "test accuracy True"),
    "keras1_memory": ([], "learned True 3 (None, 12)"),
    "keras2_adversarial": ([], "kinds True 7"),
    "keras2_functional": ([], "accuracy 1.0"),
    "keras2_reading": ([], "read True"),
    "tensorflow_images": ([], "images True 3 (2, 12, 12, 3)"),
    "tensorflow_texts": ([], "texts ['accuracy', 'loss'] 1.0 True"),
    "tensorflow_keras": ([], "gpus True ()"),
    "keras3_custom": (["--width", "8"], "['acc', 'loss', 'val_acc', 'val_loss']"),
}
on_numpy = pytest.mark.numpy_only("a process of its own")


# What `python -m layerkit` does, from a seed: not every script sets one that is ours.
SEEDED = """
import sys, layerkit
from layerkit.__main__ import main
layerkit.utils.set_random_seed(3)
sys.exit(main(sys.argv[1:]))
"""


def run(arguments, folder, *options):
    command = [sys.executable, *options, "-m", "layerkit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


@on_numpy
@pytest.mark.parametrize("name", ENDS)
def test_it_runs_unchanged(name, tmp_path):
    arguments, end = ENDS[name]
    command = [sys.executable, "-c", SEEDED, str(SCRIPTS / f"{name}.py"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().splitlines()[-1] == end


def warnings_of(result):
    return [line for line in result.stderr.splitlines() if "DeprecationWarning" in line]


@on_numpy
def test_each_old_idiom_warns_once(tmp_path):
    script = tmp_path / "old.py"
    script.write_text(OLD)
    result = run([script], tmp_path)
    assert result.returncode == 0, result.stderr
    told = [line.partition("DeprecationWarning: ")[2] for line in warnings_of(result)]
    assert told == [
        "The module keras.layers.core is of an earlier version of Keras: import from keras.layers.",
        "The module keras.objectives is of an earlier version of Keras: import from keras.losses.",
        "keras.losses.mse is of an earlier version of Keras: use mean_squared_error.",
        "Dense's argument `output_dim` is of an earlier version of Keras: it is `units` now.",
        "Dense's argument `init` is of an earlier version of Keras: it is `kernel_initializer` "
        "now.",
        "keras.layers.CuDNNLSTM is of an earlier version of Keras: use LSTM.",
        "SGD's argument `lr` is of an earlier version of Keras: it is `learning_rate` now.",
    ]
    assert all(line.startswith(str(script)) for line in warnings_of(result))


OLD = """
import keras
from keras.layers.core import Dense
import keras.layers.core
from keras.objectives import mse
for _ in range(2):
    layer = Dense(output_dim=3, init="uniform")
    keras.layers.CuDNNLSTM(2)
    keras.optimizers.SGD(lr=0.1)
assert isinstance(layer, keras.layers.Dense) and layer.units == 3
"""

PATHS = """
import keras, tensorflow as tf, tf_keras
import tensorflow.keras.layers as l, keras.layers.advanced_activations
from tensorflow.python.keras import models
from keras.callbacks import *
from keras.layers import *
from keras.utils.vis_utils import plot_model
from keras.utils.generic_utils import get_custom_objects
from keras.preprocessing.image import ImageDataGenerator, img_to_array
from keras.optimizers.schedules import ExponentialDecay
from keras.src.models import Functional
import layerkit
assert l is keras.layers and tf.keras is keras and models is keras.models
assert models.Model is layerkit.Model
assert Dense is layerkit.layers.Dense and EarlyStopping is layerkit.callbacks.EarlyStopping
for wrong, words in (
    (lambda: keras.layers.Dens, "Did you mean 'Dense'?"),
    (lambda: tf.einsums, "no attribute 'einsums' in layerkit"),
    (lambda: keras.backend.gradients(0, 0), "GradientTape"),
):
    try:
        wrong()
    except (AttributeError, NotImplementedError) as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)
try:
    import keras.nothing
except ModuleNotFoundError as error:
    assert "keras.nothing" in str(error)
layerkit.install_as_keras()
print("all found")
"""


@on_numpy
def test_paths_of_all_ages(tmp_path):
    (tmp_path / "paths.py").write_text(PATHS)
    result = run(["paths.py"], tmp_path)
    assert result.stdout == "all found\n", result.stderr


HABITS = """
import warnings
import numpy as np
import keras
from keras import backend as K
from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint
from keras.constraints import maxnorm
from keras.initializers import uniform
from keras.layers import Dense, Input, Lambda, LeakyReLU
from keras.losses import binary_crossentropy
from keras.models import Model, Sequential
from keras.preprocessing.sequence import TimeseriesGenerator
from keras.regularizers import l1l2

warnings.simplefilter("ignore")
x, y = np.ones((6, 3), "float32"), np.array([0, 1] * 3)

# Names in small letters, attributes of layers, 'acc'.
model = Sequential([Dense(4, input_shape=(3,), kernel_constraint=maxnorm(2.0))])
model.add(Dense(1, activation="sigmoid", kernel_initializer=uniform(), kernel_regularizer=l1l2()))
assert model.layers[0].output_shape == (None, 4) and model.layers[0].input_shape == (None, 3)
assert model.layers[1].get_output_shape_at(0) == (None, 1)
model.compile(keras.optimizers.rmsprop(lr=0.01), "binary_crossentropy", metrics=["accuracy"])


class Stop(Callback):
    def on_epoch_end(self, epoch, logs=None):
        assert logs.get("acc") == logs["accuracy"] and logs.get("nothing") is None
        self.model.stop_training = epoch == 1


best = ModelCheckpoint("best-{val_acc:.1f}.weights.h5", monitor="val_acc", save_weights_only=True)
history = model.fit(x, y, epochs=3, verbose=0, validation_data=(x, y),
                    callbacks=[Stop(), best, EarlyStopping("val_acc")])
assert history.history["acc"] == history.history["accuracy"] and "acc" not in history.history
assert len(history.history["val_acc"]) == 2
assert model.metrics_names == ["loss", "accuracy"]

# Metrics that are functions get targets as the predictions are; arguments of that age.
def products(y_true, y_pred):
    return K.sum(y_true * y_pred)


model = Sequential([Dense(1, input_dim=3, kernel_initializer="ones")])
adam = keras.optimizers.Adam(lr=0.01, epsilon=None, decay=0.0)
model.compile(adam, "mse", metrics=[products], sample_weight_mode=None)
assert model.evaluate(x, y, verbose=0)[1] == 9.0
board = keras.callbacks.TensorBoard("logs", batch_size=32, write_grads=False)
assert board.log_dir == "logs" and ModelCheckpoint("m.keras", period=1).save_freq == "epoch"

# A discriminator that is frozen after it was compiled trains by itself, and not inside the whole.
judge = Sequential([Dense(1, input_shape=(3,), activation="sigmoid")])
judge.compile("sgd", "binary_crossentropy")
maker = Sequential([Dense(3, input_dim=2)])
judge.trainable = False
whole = Sequential([maker, judge])
whole.compile("sgd", "binary_crossentropy")
before = judge.get_weights()[0]
whole.train_on_batch(np.ones((4, 2)), np.ones(4))
assert (before == judge.get_weights()[0]).all()
judge.train_on_batch(x, y)
assert (before != judge.get_weights()[0]).any() and not judge.trainable_weights

# Losses of symbolic tensors.
inputs = Input((3,))
mean, spread = Dense(2)(inputs), Dense(2)(inputs)
outputs = Dense(3, activation="sigmoid")(mean + spread)
model = Model(inputs, outputs)
loss = K.mean(binary_crossentropy(inputs, outputs) * 3 - K.sum(K.square(mean), axis=-1))
model.add_loss(loss)
model.compile("sgd")
value = model.evaluate(x, verbose=0)
wanted = K.function([inputs], [loss])([x])[0]
assert abs(value - wanted) < 1e-5, (value, wanted)
model.fit(x, epochs=1, verbose=0)
assert model.output_shape == (None, 3)

# Sequences that are shorter than an epoch, and steps that are no whole number.
batches = TimeseriesGenerator(np.ones((8, 3)), np.ones(8), length=2, batch_size=4)
from keras.layers import LSTM
model = Sequential([LSTM(2, input_shape=(2, 3)), Dense(1)])
model.compile("sgd", "mse")
model.fit_generator(batches, steps_per_epoch=4.5, epochs=2, verbose=0)
assert int(model.optimizer.iterations) == 10

# Samples of an epoch, in batches of a generator.
def endless():
    while True:
        yield np.ones((4, 3)), np.ones((4, 1))


model = Sequential([Dense(1, input_dim=3)])
model.compile("sgd", "mse")
model.fit_generator(endless(), samples_per_epoch=10, nb_epoch=2, verbose=0,
                    validation_data=endless(), nb_val_samples=4)
assert int(model.optimizer.iterations) == 6

# Weights under any name, and made with the name first; files of a checkpoint too.
class Scaled(keras.layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight("kernel", shape=[shape[-1], 1], initializer="ones")
        self.bias = self.add_weight("bias", (1,), "float32", "zeros")

    def call(self, inputs):
        return K.dot(inputs, self.kernel) + self.bias


model = Sequential([Input((3,)), Scaled()])
model.compile("sgd", "mse")
assert [w.name for w in model.weights] == ["kernel", "bias"]
kept = ModelCheckpoint("kept", "loss", 0, True, True)
model.fit(x, y, epochs=1, verbose=0, callbacks=[kept])
saved = model.get_weights()
model.save_weights("as-it-is.h5")
for name in ("as-it-is.h5", "kept"):
    model.set_weights([0 * w for w in saved])
    model.load_weights(name)
    assert (model.get_weights()[0] == saved[0]).all()

# Layers that are made here only take old arguments too.
from keras.layers import Highway, MaxoutDense
assert MaxoutDense(output_dim=3, init="zero").units == 3
assert Highway(W_constraint=maxnorm(1.0)).kernel_constraint is not None
print("all as it was")
"""


@on_numpy
def test_habits_of_old_scripts(tmp_path):
    (tmp_path / "habits.py").write_text(HABITS)
    result = run(["habits.py"], tmp_path)
    assert result.stdout == "all as it was\n", result.stderr
    assert [path.name for path in tmp_path.glob("best-*")] == ["best-0.5.weights.h5"]


@on_numpy
def test_too_late(tmp_path):
    code = "import sys, types; sys.modules['keras'] = types.ModuleType('keras'); import layerkit\n"
    code += "layerkit.install_as_keras()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (
        "RuntimeError: install_as_keras() came too late: keras has been imported" in result.stderr
    )


@on_numpy
def test_usage(tmp_path):
    assert run(["--help"], tmp_path).stdout.startswith("usage: python -m layerkit script.py")
    assert run([], tmp_path).returncode == 2
    missing = run(["nothing.py"], tmp_path)
    assert missing.returncode == 2 and "there is no script nothing.py" in missing.stderr


# Arguments of Keras 1 and 2.

TRANSLATED = [
    ("Dense", {"output_dim": 3, "init": "he_normal", "bias": False}, None),
    (
        "Conv2D",
        {"nb_filter": 4, "nb_row": 3, "nb_col": 2, "border_mode": "same", "dim_ordering": "th"},
        {
            "filters": 4,
            "kernel_size": (3, 2),
            "padding": "same",
            "data_format": "channels_first",
        },
    ),
    ("Conv1D", {"nb_filter": 4, "filter_length": 3, "subsample_length": 2}, {"strides": (2,)}),
    ("MaxPooling1D", {"pool_length": 3, "stride": 2}, {"pool_size": (3,), "strides": (2,)}),
    ("Dropout", {"p": 0.25}, {"rate": 0.25}),
    ("GaussianNoise", {"sigma": 0.5}, {"stddev": 0.5}),
    (
        "LSTM",
        {"output_dim": 3, "inner_activation": "hard_sigmoid", "dropout_W": 0.1, "dropout_U": 0.2},
        {"units": 3, "dropout": 0.1, "recurrent_dropout": 0.2},
    ),
    ("LSTM", {"units": 3, "forget_bias_init": "one"}, {"unit_forget_bias": True}),
    ("Embedding", {"input_dim": 5, "output_dim": 3, "init": "uniform"}, {"output_dim": 3}),
    ("Embedding", {"input_dim": 5, "output_dim": 3, "input_dtype": "int32"}, {"dtype": "float32"}),
    ("InputLayer", {"shape": (3,), "input_dtype": "int32"}, {"dtype": "int32"}),
    ("BatchNormalization", {"gamma_init": "zero", "beta_init": "one"}, {}),
    ("LeakyReLU", {"alpha": 0.2}, {"negative_slope": 0.2}),
    ("ELU", {"alpha": 0.2}, {"alpha": 0.2}),
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("case", TRANSLATED, ids=lambda case: case[0])
def test_old_arguments(case):
    from layerkit import layers
    from layerkit.compat.arguments import new_arguments

    name, old, attributes = case
    cls = getattr(layers, name)
    layer = cls(**new_arguments(cls, old))
    if attributes is None:
        attributes = {"units": 3, "use_bias": False}
    for key, value in attributes.items():
        assert getattr(layer, key) == value


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_decay_is_a_schedule():
    from layerkit import optimizers
    from layerkit.compat.arguments import new_arguments

    made = optimizers.SGD(**new_arguments(optimizers.SGD, {"lr": 0.5, "decay": 0.1}))
    made.iterations.assign(10)
    assert float(made.learning_rate) == pytest.approx(0.25)
    assert new_arguments(optimizers.Adam, {"decay": 0.0}) == {"learning_rate": 0.001}
