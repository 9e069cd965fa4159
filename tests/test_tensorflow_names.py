"""The stand-in for tensorflow against TensorFlow (golden/tensorflow_names.json)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tables.tensorflow_names import EXPRESSIONS, value

import layerkit
from layerkit import backend as K
from layerkit.compat.finder import module_for
from layerkit.compat.tensorflow_functions import TABLE

tf = module_for("tensorflow")
GOLDEN = json.loads((Path(__file__).parent / "golden" / "tensorflow_names.json").read_text())


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_value(expression):
    dtype, numbers = GOLDEN[expression]
    found, wanted = value(tf, expression), np.array(numbers, dtype)
    assert found.shape == wanted.shape
    assert found.dtype.kind == wanted.dtype.kind
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=2e-6)


def test_every_function_of_the_table_is_in_an_expression():
    text = " ".join(EXPRESSIONS)
    assert not [name for name in TABLE if f"tf.{name}(" not in text]


def test_random_numbers():
    tf.random.set_seed(1)
    first = tf.random.normal([4, 2], dtype=tf.float32)
    tf.random.set_seed(1)
    np.testing.assert_array_equal(first, tf.random.normal((4, 2)))
    whole = tf.random.uniform([50], maxval=3, dtype=tf.int32)
    assert set(whole.numpy().tolist()) == {0, 1, 2}
    assert abs(tf.random.truncated_normal((200,)).numpy()).max() <= 2
    assert sorted(tf.random.shuffle(tf.range(9)).numpy().tolist()) == list(range(9))
    image = tf.reshape(tf.range(12.0), (2, 2, 3))
    flips = {tf.image.random_flip_left_right(image).numpy().tobytes() for _ in range(20)}
    assert flips == {image.numpy().tobytes(), image.numpy()[:, ::-1].tobytes()}
    assert len({tf.image.random_flip_up_down(image).numpy().tobytes() for _ in range(20)}) == 2
    assert tf.image.random_crop(image, [1, 2, 3]).shape == (1, 2, 3)
    assert abs(tf.image.random_brightness(image, 0.2) - image).numpy().max() <= 0.2
    assert tf.nn.dropout(tf.ones(100), rate=0.5).numpy().max() == 2
    assert tf.random.categorical(tf.zeros((1, 3)), num_samples=4).shape == (1, 4)


def test_training_by_hand():
    w = tf.Variable([1.0, -2.0])
    assert isinstance(w, tf.Variable) and isinstance(K.Variable(1.0), tf.Variable)
    optimizer = layerkit.optimizers.SGD(0.1)

    @tf.function(reduce_retracing=True)
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(w * x))
        gradients = tape.gradient(loss, [w])
        optimizer.apply_gradients(zip(gradients, [w], strict=True))
        return loss

    assert float(step(tf.constant([1.0, 2.0]))) == 17.0
    np.testing.assert_allclose(w, [0.8, -0.4], rtol=1e-6)
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert float(tape.gradient(y, x)) == 6.0


def test_the_rest(capsys):
    assert tf.executing_eagerly() and tf.__version__ > "2"
    assert tf.config.list_physical_devices("CPU") == ["/physical_device:CPU:0"]
    tf.config.experimental.set_memory_growth("GPU:0", True)
    tf.print("x:", tf.constant([1, 2]))
    assert capsys.readouterr().out == "x: [1 2]\n"
    drawn = tf.random_normal_initializer(0.0, 0.02)((100,)), tf.random_uniform_initializer()((9,))
    assert all(abs(K.to_numpy(x)).max() < 0.2 for x in drawn)
    assert tf.constant(["a", "b"]).numpy().tolist() == ["a", "b"]


ERRORS = [
    (lambda: tf.strings.length(["a"], unit="WORD"), ValueError, "`unit` must be 'BYTE' or"),
    (lambda: tf.einsums, AttributeError, "'tensorflow' has no attribute 'einsums' in layerkit"),
    (lambda: tf.bincounts, AttributeError, "stands in for the few names .* keras.ops has 'bincou"),
    (lambda: tf.data.TFRecordDataset, AttributeError, "'tensorflow.data' has no .*'Dataset'"),
    (lambda: tf.nn.crelu, AttributeError, "'tensorflow.nn' has no attribute 'crelu'"),
    (lambda: tf.reduce_sum([1], foo=1), TypeError, r"tf.reduce_sum\(\) takes here.*\['foo'\]"),
    (lambda: tf.reduce_sum([1], input_tensor=1), TypeError, "received 1 by place"),
    (lambda: tf.random.uniform((2,), dtype="int32"), ValueError, "Must specify maxval"),
    (lambda: tf.image.random_crop(tf.ones((2, 2)), (3, 2)), ValueError, "value.shape >= size"),
    (lambda: tf.image.convert_image_dtype(tf.ones(2), "uint8"), ValueError, "floats of integers"),
    (
        lambda: tf.config.experimental.set_memory_growth("GPU:0", False),
        ValueError,
        "as it is needed",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
