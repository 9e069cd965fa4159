"""Strings beside tensors: NumPy arrays that operations of shapes, models and layers take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from layerkit import Input, Model, layers, ops
from layerkit import backend as K
from layerkit.models import load_model

WORDS = ["a", "b", "zz"]
SHAPED = {
    "expand_dims": (lambda x: ops.expand_dims(x, -1), (3,), (3, 1)),
    "expand_dims by name": (lambda x: ops.expand_dims(x, axis=0), (3,), (1, 3)),
    "squeeze": (lambda x: ops.squeeze(x, axis=-1), (3, 1), (3,)),
    "squeeze all": (lambda x: ops.squeeze(x), (3, 1), (3,)),
    "reshape": (lambda x: ops.reshape(x, (-1, 1)), (3,), (3, 1)),
    "get_item": (lambda x: x[:, None], (3,), (3, 1)),
}


@pytest.mark.parametrize("case", SHAPED)
def test_operations_of_shapes_take_strings(case: str):
    function, before, after = SHAPED[case]
    for words in (np.array(WORDS), np.array(WORDS, object), np.array([b"a", b"b", b"zz"])):
        y = function(words.reshape(before))
        assert isinstance(y, np.ndarray) and y.shape == after
        np.testing.assert_array_equal(y.ravel(), words)


@pytest.mark.parametrize("case", [case for case in SHAPED if case != "expand_dims by name"])
def test_models_reshape_strings(case: str, tmp_path):
    function, before, after = SHAPED[case]
    inputs = Input(before[1:], dtype="string", name="words")
    shaped = function(inputs)
    assert (shaped.shape, shaped.dtype) == ((None, *after[1:]), "string")
    lookup = layers.StringLookup(vocabulary=["a", "b"], num_oov_indices=1)
    model = Model(inputs, lookup(shaped))
    words = np.array(WORDS).reshape(before)
    for known in (model, saved(model, tmp_path)):
        np.testing.assert_array_equal(known(words), np.array([1, 2, 0]).reshape(after))
        np.testing.assert_array_equal(
            known.predict(words, verbose=0), np.array([1, 2, 0]).reshape(after)
        )


def saved(model: Any, folder: Any) -> Any:
    model.save(folder / "model.keras")
    return load_model(folder / "model.keras")


def test_models_fit_the_rank_of_strings_as_of_numbers():
    lookup = layers.StringLookup(vocabulary=["a", "b"], output_mode="multi_hot")
    inputs = {"s": Input((1,), dtype="string", name="s"), "x": Input((1,), name="x")}
    model = Model(inputs, layers.concatenate([lookup(inputs["s"]), inputs["x"]]))
    expected = [[0, 1, 0, 5], [0, 0, 1, 6], [1, 0, 0, 7]]
    x = np.array([5.0, 6.0, 7.0])
    for words in (np.array(WORDS), np.array(WORDS, object), np.array(WORDS)[:, None]):
        np.testing.assert_array_equal(model({"s": words, "x": x}), expected)
    np.testing.assert_array_equal(
        model.predict({"s": np.array(WORDS), "x": x}, verbose=0), expected
    )
    trained = Model(inputs, layers.Dense(1)(model.output))
    trained.compile("sgd", "mse")
    trained.fit({"s": np.array(WORDS), "x": x}, np.zeros((3, 1)), verbose=0)


def test_models_refuse_strings_of_another_shape():
    model = Model(inputs := Input((2,), dtype="string", name="s"), layers.Hashing(3)(inputs))
    with pytest.raises(ValueError, match=r"'s' of layer .* shape=\(None, 2\), found shape=\(3,\)"):
        model(np.array(WORDS))


def test_models_leave_the_refusal_of_numbers_to_the_layer():
    lookup = layers.StringLookup(vocabulary=["a"], name="words")
    model = Model(inputs := Input((1,), dtype="string"), lookup(inputs))
    with pytest.raises(TypeError, match="'words' .* expects strings; received int32"):
        model(K.convert_to_tensor([[1]]))


@pytest.mark.parametrize("words", [WORDS, "a", ["a", b"b"], np.array(WORDS), [["a"], ["b"]]])
def test_tensors_of_strings_are_arrays(words):
    for dtype in (None, "string"):
        y = ops.convert_to_tensor(words, dtype=dtype)
        assert isinstance(y, np.ndarray) and y.shape == np.shape(words)
        np.testing.assert_array_equal(y, words)


@pytest.mark.parametrize("words", [["a", 1.0, None], [["a"], ["b", "c"]], np.array(["a", 1], "O")])
def test_what_is_no_array_of_strings_is_refused(words):
    with pytest.raises(ValueError, match="expected numbers"):
        ops.convert_to_tensor(words)


def test_tensorflow_names_take_strings():
    from layerkit.compat import tensorflow_names as tf

    for make in (tf.constant, tf.convert_to_tensor):
        np.testing.assert_array_equal(make(WORDS), WORDS)
        np.testing.assert_array_equal(make(WORDS, dtype=tf.string), WORDS)


class Buckets(layers.Layer):
    """A user's layer over strings: their remainders as vectors."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.lookup = layers.StringLookup(vocabulary=WORDS, num_oov_indices=0)
        self.embedding = layers.Embedding(2, 4)

    def call(self, inputs):
        return self.embedding(ops.mod(self.lookup(inputs), 2))


@pytest.mark.parametrize("shape", [(), (1,), (2,)])
def test_layers_of_a_user_take_strings(shape: tuple):
    words = np.array(WORDS * (shape or (1,))[0]).reshape(3, *shape)
    layer = Buckets()
    expected = layer(words).numpy()
    assert expected.shape == (3, *shape, 4)
    model = Model(inputs := Input(shape, dtype="string"), layer(inputs))
    assert model.output.shape == (None, *shape, 4)
    np.testing.assert_array_equal(model(words), expected)
    np.testing.assert_array_equal(model.predict(words.astype(object), verbose=0), expected)


class Ranked(Model):
    """A user's model over strings and numbers."""

    def __init__(self):
        super().__init__()
        self.buckets = Buckets()
        self.dense = layers.Dense(1)

    def call(self, inputs):
        return self.dense(self.buckets(inputs["words"])) * inputs["x"][:, None]


def test_models_of_a_user_take_strings():
    model, x = Ranked(), {"words": np.array(WORDS), "x": np.ones(3)}
    model.compile("sgd", "mse")
    history = model.fit(x, np.zeros(3), epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0]
    assert model.predict(x, verbose=0).shape == (3, 1)


def test_layers_of_numbers_refuse_strings_by_name():
    with pytest.raises(ValueError, match="Strings go through a layer of texts first"):
        layers.Dense(1)(np.array(WORDS))
