"""Spectrogram layers and ReversibleEmbedding: Keras's values and configs, gradients, errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tables.spectrograms import IDS, MEL, ROWS, STFT, TABLE, signal, weights

from layerkit import Model, Sequential, layers
from layerkit import backend as K

GOLDEN = Path(__file__).parent / "golden"
ARRAYS = dict(np.load(GOLDEN / "spectrograms.npz"))
CONFIGS = json.loads((GOLDEN / "spectrograms.json").read_text())


def made(cls, arguments, **more):
    layer = getattr(layers, cls)(**arguments, **more)
    if cls == "ReversibleEmbedding":
        layer.build()
        layer.set_weights(weights(layer))
    return layer


@pytest.mark.parametrize("row, cls, arguments, shape", ROWS, ids=[row[0] for row in ROWS])
def test_values_and_configs_are_those_of_keras(row, cls, arguments, shape):
    layer, options = made(cls, arguments, name="row"), {}
    if cls == "ReversibleEmbedding":
        np.testing.assert_allclose(layer(np.array(IDS)), ARRAYS[f"{row}:forward"])
        options = {"reverse": True}
    y = layer(signal(shape), **options)
    expected = ARRAYS[row]
    if row == "stft angle":  # where a number is 0 its sign is noise, and -pi is pi
        turns = (y.numpy() - expected) / (2 * np.pi)
        near = abs(turns - turns.round()) < 1e-3
        assert near.mean() > 0.8
    else:
        np.testing.assert_allclose(y, expected, rtol=2e-4, atol=2e-4)
    if not options:
        assert layer.compute_output_shape(shape) == expected.shape
    ours = json.loads(json.dumps(layer.get_config()))
    for key, value in CONFIGS[row].items():
        assert key == "dtype" or ours.get(key) == value, key
    again = type(layer).from_config(CONFIGS[row]).get_config()
    assert json.loads(json.dumps(again)) == ours


@pytest.mark.parametrize("cls, arguments", [("MelSpectrogram", MEL), ("STFTSpectrogram", STFT)])
def test_signals_have_a_gradient(cls, arguments):
    layer = getattr(layers, cls)(**arguments, dtype="float64")
    shape = (2, 20) if cls == "MelSpectrogram" else (2, 20, 1)
    K.check_gradient(layer, signal(shape).astype("float64"))


def test_halves():
    x = signal((2, 40)).astype("float16")
    y = layers.MelSpectrogram(**MEL, dtype="float16")(x)
    assert y.dtype == "float16"
    exact = layers.MelSpectrogram(**MEL)(x.astype("float32"))
    np.testing.assert_allclose(y.numpy().astype("float32"), exact, rtol=1e-2, atol=1e-2)
    assert layers.STFTSpectrogram(**STFT, dtype="float16")(x[..., None]).dtype == "float16"


def test_kernels_can_be_trained():
    model = Sequential(
        [layers.STFTSpectrogram(**STFT, mode="magnitude"), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    x = signal((4, 20, 1))
    model(x)
    before = model.get_weights()
    model.fit(x, np.ones((4, 1)), epochs=1, verbose=0)
    after = model.get_weights()
    assert [w.name for w in model.layers[0].weights] == ["real_kernel", "imag_kernel"]
    assert not any(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_shapes_of_symbolic_signals():
    x = layers.Input((None,))
    assert layers.MelSpectrogram(**MEL)(x).shape == (None, 5, None)
    x = layers.Input((None, 2))
    assert layers.STFTSpectrogram(**STFT)(x).shape == (None, None, 10)
    picture = layers.STFTSpectrogram(**STFT, expand_dims=True)(layers.Input((20, 2)))
    assert picture.shape == (None, 5, 5, 2)
    for padding, length in (("valid", 20), ("same", 19)):
        layer = layers.STFTSpectrogram(**STFT, padding=padding)
        given = layer(signal((1, length, 1))).shape
        assert layer.compute_output_shape((1, length, 1)) == given
    for length in (17, 18, 23, 24):
        layer = layers.MelSpectrogram(**MEL)
        assert layer.compute_output_shape((1, length)) == layer(signal((1, length))).shape


def test_a_language_model_of_one_table():
    ids = layers.Input((4,), dtype="int32")
    table = layers.ReversibleEmbedding(**TABLE, mask_zero=True)
    vectors = table(ids)
    hidden = layers.LSTM(3, return_sequences=True)(vectors)
    logits = table(hidden, reverse=True)
    assert (logits.shape, logits.dtype) == ((None, 4, 5), "float32")
    assert getattr(logits, "_keras_mask", None) is None
    assert getattr(vectors, "_keras_mask", None) is not None
    model = Model(ids, logits)
    y = model(np.array(IDS))
    assert getattr(y, "_keras_mask", None) is None
    again = Model.from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(np.array(IDS)), y)
    assert [w.name for w in table.weights] == ["embeddings"]
    own = layers.ReversibleEmbedding(**TABLE, tie_weights=False, reverse_dtype="float64")
    assert own(own(np.array(IDS)), reverse=True).dtype == "float64"
    assert [w.name for w in own.weights] == ["embeddings", "reverse_embeddings"]


REFUSED = [
    (
        lambda: layers.MelSpectrogram(fft_length=8, sequence_length=9),
        "`fft_length` must be greater than or equal to `sequence_length`",
    ),
    (lambda: layers.STFTSpectrogram(frame_length=8, frame_step=9), "`frame_step` should be a pos"),
    (lambda: layers.STFTSpectrogram(frame_length=8, fft_length=4), "should be not less than"),
    (lambda: layers.STFTSpectrogram("power"), "Output mode is invalid"),
    (lambda: layers.STFTSpectrogram(scaling="x"), "Scaling is invalid"),
    (lambda: layers.STFTSpectrogram(padding="x"), "Padding is invalid"),
    (lambda: layers.STFTSpectrogram(window="hanning"), "Unknown window: 'hanning'"),
    (
        lambda: layers.STFTSpectrogram(**STFT)(np.ones((2, 20, 1), "int32")),
        "Invalid input type. Expected `float16`",
    ),
    (lambda: layers.STFTSpectrogram(**STFT)(signal((2, 20))), "expected ndim=3"),
]


@pytest.mark.parametrize("act, message", REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(act, message):
    with pytest.raises((ValueError, TypeError), match=message):
        act()


def test_lengths_that_transform_slowly_are_told():
    with pytest.warns(UserWarning, match="`fft_length` is recommended to be a power of two"):
        layers.STFTSpectrogram(frame_length=8, fft_length=12)
