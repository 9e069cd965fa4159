"""`layerkit.random`: distributions by their moments, seeds, shapes, dtypes, errors."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import backend as K
from layerkit import random

N = 4000
LOGITS = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], "float32"))

# Of each: the draw, the mean, the standard deviation.
DISTRIBUTIONS = [
    ("uniform", lambda seed: random.uniform((N,), -1.0, 3.0, seed=seed), 1.0, 4 / 12**0.5),
    ("normal", lambda seed: random.normal((N,), 2.0, 3.0, seed=seed), 2.0, 3.0),
    ("truncated_normal", lambda seed: random.truncated_normal((N,), seed=seed), 0.0, 0.8796),
    ("randint", lambda seed: random.randint((N,), -2, 5, seed=seed), 1.0, 2.0),
    ("gamma", lambda seed: random.gamma((N,), 3.0, seed=seed), 3.0, 3**0.5),
    ("beta", lambda seed: random.beta((N,), 2.0, 3.0, seed=seed), 0.4, 0.2),
    ("binomial", lambda seed: random.binomial((N,), 10, 0.3, seed=seed), 3.0, 2.1**0.5),
    ("dropout", lambda seed: random.dropout(K.ones(N), 0.25, seed=seed), 1.0, (1 / 3) ** 0.5),
]


@pytest.mark.parametrize(
    ("name", "draw", "mean", "deviation"), DISTRIBUTIONS, ids=[row[0] for row in DISTRIBUTIONS]
)
def test_moments_and_seeds(name, draw, mean, deviation):
    numbers = draw(7).numpy()
    assert numbers.shape == (N,)
    assert abs(numbers.mean() - mean) < 4 * deviation / N**0.5
    assert abs(numbers.std() / deviation - 1) < 0.1
    np.testing.assert_array_equal(draw(7).numpy(), numbers)
    assert (draw(8).numpy() != numbers).any()
    generator = random.SeedGenerator(7)
    np.testing.assert_array_equal(draw(generator).numpy(), numbers)
    assert (draw(generator).numpy() != numbers).any()
    assert (draw(None).numpy() != draw(None).numpy()).any()


def test_ranges():
    assert (np.abs(random.truncated_normal((N,), 1.0, 0.5, seed=1).numpy() - 1) <= 1).all()
    uniform = random.uniform((N,), 0.0, 1e-3, dtype="float16", seed=1).numpy()
    assert uniform.min() >= 0
    assert uniform.max() < np.float16(1e-3)
    assert set(random.randint((N,), 0, 3, seed=1).numpy()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("draw", "dtype"),
    [
        (lambda dtype: random.uniform((2, 3), dtype=dtype), "float64"),
        (lambda dtype: random.normal([2, 3], dtype=dtype), "float16"),
        (lambda dtype: random.truncated_normal((2, 3), dtype=dtype), None),
        (lambda dtype: random.randint((2, 3), 0, 200, dtype=dtype), "uint8"),
        (lambda dtype: random.gamma((2, 3), 1.0, dtype=dtype), "float64"),
        (lambda dtype: random.beta((2, 3), 1.0, 1.0, dtype=dtype), None),
        (lambda dtype: random.binomial((2, 3), 5, 0.5, dtype=dtype), "float16"),
        (lambda dtype: random.categorical(LOGITS, 3, dtype=dtype), "int64"),
    ],
)
def test_shapes_and_dtypes(draw, dtype):
    x = draw(dtype)
    assert isinstance(x, K.Tensor)
    assert x.shape == (2, 3)
    assert x.dtype == (dtype or "float32")


def test_parameters_are_broadcast():
    alpha = K.convert_to_tensor([0.5, 20.0])
    means = random.gamma((N, 2), alpha, seed=1).numpy().mean(0)
    np.testing.assert_allclose(means, [0.5, 20.0], rtol=0.1)
    counts = np.array([4.0, 100.0], "float32")
    means = random.binomial((N, 2), counts, [0.5, 0.1], seed=1).numpy().mean(0)
    np.testing.assert_allclose(means, [2.0, 10.0], rtol=0.1)


def test_categorical():
    samples = random.categorical(LOGITS + 5, N, seed=3).numpy()
    shares = [np.bincount(row, minlength=3) / N for row in samples]
    np.testing.assert_allclose(shares, np.exp(LOGITS), atol=0.03)


def test_shuffle():
    x = np.arange(12).reshape(3, 4)
    y = random.shuffle(x, axis=1, seed=5).numpy()
    assert (y != x).any()
    np.testing.assert_array_equal(np.sort(y, 1), x)
    np.testing.assert_array_equal(y[1] - y[0], [4] * 4)
    assert sorted(random.shuffle(np.arange(20), seed=5).numpy()) == list(range(20))


def test_dropout_has_a_gradient_and_a_noise_shape():
    x = K.ones((6, 50))
    with K.GradientTape() as tape:
        tape.watch(x)
        y = random.dropout(x, 0.5, noise_shape=(6, 1), seed=1)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), y.numpy())
    assert (y.numpy() == y.numpy()[:, :1]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random.uniform((2,), dtype="int32"), "requires a floating point `dtype`"),
        (lambda: random.randint((2,), 0, 2, dtype="float32"), "requires an integer `dtype`"),
        (lambda: random.categorical(K.zeros(3), 2), "`logits` should be a 2-D tensor"),
        (lambda: random.dropout(K.ones(3), 1.5), "argument `rate`"),
        (lambda: random.normal((2,), seed="a"), "Argument `seed` must be either an integer"),
        (lambda: random.normal((2,), dtype="float31"), "Invalid dtype: float31"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
