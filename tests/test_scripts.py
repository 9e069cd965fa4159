"""Keras scripts of four ages, run as they are by `python -m layerkit`; the machinery behind it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
ENDS = {
    "keras1_digits": ([], "test accuracy True"),
    "keras2_functional": ([], "accuracy 1.0"),
    "tensorflow_keras": ([], "gpus True ()"),
    "keras3_custom": (["--width", "8"], "['acc', 'loss', 'val_acc', 'val_loss']"),
}
on_numpy = pytest.mark.numpy_only("a process of its own")


def run(arguments, folder, *options):
    command = [sys.executable, *options, "-m", "layerkit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


@on_numpy
@pytest.mark.parametrize("name", ENDS)
def test_it_runs_unchanged(name, tmp_path):
    arguments, end = ENDS[name]
    result = run([SCRIPTS / f"{name}.py", *arguments], tmp_path)
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
from keras.applications import vgg16
from keras.callbacks import *
from keras.layers import *
from keras.utils.vis_utils import plot_model
from keras.utils.generic_utils import get_custom_objects
from keras.wrappers.scikit_learn import KerasClassifier
from keras.preprocessing.image import ImageDataGenerator, img_to_array
from keras.optimizers.schedules import ExponentialDecay
from keras.src.models import Functional
import layerkit
assert l is keras.layers and tf.keras is keras and models is layerkit.models
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
    for key, value in (attributes or {"units": 3, "use_bias": False}).items():
        assert getattr(layer, key) == value


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_decay_is_a_schedule():
    from layerkit import optimizers
    from layerkit.compat.arguments import new_arguments

    made = optimizers.SGD(**new_arguments(optimizers.SGD, {"lr": 0.5, "decay": 0.1}))
    made.iterations.assign(10)
    assert float(made.learning_rate) == pytest.approx(0.25)
    assert new_arguments(optimizers.Adam, {"decay": 0.0}) == {"learning_rate": 0.001}
