"""keras.backend, layers and others as Keras 1 and 2 had them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import layerkit
from layerkit import layers
from layerkit.backend import GradientTape
from layerkit.compat.finder import module_for

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
K, old = module_for("keras.backend"), module_for("keras.layers")

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
IMAGES = np.random.default_rng(1).normal(size=(2, 5, 6, 3)).astype("float32")
VOLUMES = np.random.default_rng(2).normal(size=(1, 4, 4, 4, 2)).astype("float32")
KERNEL = np.random.default_rng(3).normal(size=(3, 2, 3, 2)).astype("float32")
SPACE = ((1, 2), (0, 1))

VALUES = {
    "argmax": lambda: (K.argmax(X), X.argmax(-1)),
    "argmin": lambda: (K.argmin(X, axis=1), X.argmin(1)),
    "concatenate": lambda: (K.concatenate([X, X]), np.concatenate([X, X], -1)),
    "concatenate rows": lambda: (K.concatenate([X, X], 0), np.concatenate([X, X], 0)),
    "cumsum": lambda: (K.cumsum(X), X.cumsum(0)),
    "cumprod": lambda: (K.cumprod(X, axis=1), X.cumprod(1)),
    "expand_dims": lambda: (K.expand_dims(X), X[..., None]),
    "clip": lambda: (K.clip(X, min_value=-0.5, max_value=0.5), X.clip(-0.5, 0.5)),
    "identity": lambda: (K.identity(X), X),
    "eye": lambda: (K.eye(3), np.eye(3)),
    "relu": lambda: (K.relu(X, alpha=0.1, max_value=1.0), np.where(X < 0, X / 10, X.clip(0, 1))),
    "map_fn": lambda: (K.map_fn(lambda x: x[0] * 2, X), X[:, 0] * 2),
    "foldl": lambda: (K.foldl(lambda a, x: a * 2 + x, X), X[0] * 2 + X[1]),
    "foldr": lambda: (K.foldr(lambda a, x: a * 2 + x, X, X[0] * 0), X[1] * 2 + X[0]),
    "pool2d": lambda: (K.pool2d(IMAGES, (5, 6), pool_mode="avg"), IMAGES.mean((1, 2), keepdims=1)),
    "pool3d": lambda: (K.pool3d(VOLUMES, (4, 4, 4)), VOLUMES.max((1, 2, 3), keepdims=True)),
    "resize_images": lambda: (
        K.resize_images(IMAGES, 2, 3, "channels_last"),
        IMAGES.repeat(2, axis=1).repeat(3, axis=2),
    ),
    "resize_images bilinear": lambda: (
        K.resize_images(IMAGES, 1, 1, "channels_last", interpolation="bilinear"),
        IMAGES,
    ),
    "resize_volumes": lambda: (
        K.resize_volumes(VOLUMES, 1, 2, 1, "channels_first"),
        VOLUMES.repeat(2, axis=3),
    ),
    "temporal_padding": lambda: (K.temporal_padding(X), np.pad(X, ((0, 0), (1, 1), (0, 0)))),
    "spatial_2d_padding": lambda: (
        K.spatial_2d_padding(IMAGES, SPACE, "channels_first"),
        np.pad(IMAGES, ((0, 0), (0, 0), *SPACE)),
    ),
    "spatial_3d_padding": lambda: (
        K.spatial_3d_padding(VOLUMES, (*SPACE, (0, 0))),
        np.pad(VOLUMES, ((0, 0), *SPACE, (0, 0), (0, 0))),
    ),
    "conv1d": lambda: (
        K.conv1d(X, np.ones((2, 4, 1), "float32"), padding="causal")[..., 0],
        X.sum(-1) + np.pad(X.sum(-1), ((0, 0), (1, 0)))[:, :-1],
    ),
    "conv2d": lambda: (K.conv2d(IMAGES, KERNEL), _convolved()),
    "conv3d": lambda: (K.conv3d(VOLUMES, np.ones((4, 4, 4, 2, 1), "float32")), VOLUMES.sum()),
    "depthwise_conv2d": lambda: (
        K.depthwise_conv2d(IMAGES, np.ones((5, 6, 3, 1), "float32"))[:, 0, 0],
        IMAGES.sum((1, 2)),
    ),
    "separable_conv2d": lambda: (
        K.separable_conv2d(
            IMAGES, np.ones((5, 6, 3, 1), "float32"), np.ones((1, 1, 3, 1), "float32")
        )[:, 0, 0, 0],
        IMAGES.sum((1, 2, 3)),
    ),
    "conv2d_transpose": lambda: (
        K.conv2d_transpose(np.ones((1, 1, 1, 2), "float32"), KERNEL, (None, 3, 2, 3)),
        KERNEL.sum(-1)[None],
    ),
    "local_conv2d": lambda: (K.local_conv2d(IMAGES, _everywhere(15), (3, 2), (1, 1)), _convolved()),
    "local_conv1d": lambda: (
        K.local_conv1d(X, np.stack([np.eye(8, 2), 2 * np.eye(8, 2)]).astype("float32"), (2,), (1,)),
        np.stack([X[:, 0, :2], 2 * X[:, 1, :2]], 1),
    ),
    "ctc_batch_cost": lambda: (
        K.ctc_batch_cost(np.zeros((1, 1)), _CHANCES, np.array([[2]]), np.array([[1]])),
        -np.log([[0.6 * 0.3 + 0.6 * 0.5 + 0.1 * 0.3]]),  # twice the label, or once and a blank
    ),
    "ctc_decode": lambda: (K.ctc_decode(_CHANCES, np.array([2]))[0][0], [[0]]),
    "ctc_decode by a beam": lambda: (
        K.ctc_decode(_CHANCES, np.array([2]), greedy=False, beam_width=4)[0][0],
        [[0]],
    ),
}
_CHANCES = np.array([[[0.6, 0.3, 0.1], [0.3, 0.2, 0.5]]], "float32")  # the last is the blank


def _convolved():
    windows = sliding_window_view(IMAGES, (3, 2), axis=(1, 2))
    return np.einsum("brcixy,xyif->brcf", windows, KERNEL)


def _everywhere(places):
    return np.repeat(KERNEL.reshape(1, 18, 2), places, 0)


@pytest.mark.parametrize("name", VALUES)
def test_backend(name):
    found, wanted = VALUES[name]()
    np.testing.assert_allclose(np.squeeze(found), np.squeeze(wanted), rtol=1e-4, atol=1e-5)


def test_rnn():
    mask = np.array([[True, False, True], [False, True, True]])

    def step(x, states):
        state = states[0] * states[1] + x
        return state * 10, [state]

    last, outputs, states = K.rnn(
        step, X, [np.zeros((2, 4), "float32")], mask=mask, constants=[0.5]
    )
    wanted = np.zeros((2, 3, 4))
    state = output = np.zeros((2, 4))
    for i in range(3):
        flag = mask[:, i, None]
        state = np.where(flag, state * 0.5 + X[:, i], state)
        output = np.where(flag, state * 10, output)
        wanted[:, i] = output
    np.testing.assert_allclose(outputs, wanted, rtol=1e-5)
    np.testing.assert_allclose(last, wanted[:, -1], rtol=1e-5)
    np.testing.assert_allclose(states[0], state, rtol=1e-5)
    backwards = K.rnn(step, X, [np.zeros((2, 4), "float32")], True, constants=[0.0])
    np.testing.assert_allclose(backwards[1], X[:, ::-1] * 10, rtol=1e-5)


def gradient_of_weights(layer, x):
    with GradientTape() as tape:
        loss = layerkit.ops.sum(layerkit.ops.square(layer(x)))
    return tape.gradient(loss, layer.trainable_variables)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_locally_connected_is_a_convolution_with_one_kernel(data_format):
    x = IMAGES if data_format == "channels_last" else IMAGES.transpose(0, 3, 1, 2)
    local = old.LocallyConnected2D(2, (3, 2), activation="tanh", data_format=data_format)
    assert local(x).shape == ((2, 3, 5, 2) if data_format == "channels_last" else (2, 2, 3, 5))
    kernel = KERNEL if data_format == "channels_last" else KERNEL.transpose(2, 0, 1, 3)
    bias = local.get_weights()[1]
    local.set_weights([np.repeat(kernel.reshape(1, 18, 2), 15, 0), bias + 0.5])
    y = np.tanh(_convolved() + 0.5)
    y = y if data_format == "channels_last" else y.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(local(x), y, rtol=1e-4, atol=1e-5)
    gradients = gradient_of_weights(local, x)
    assert [g.shape for g in gradients] == [w.shape for w in local.get_weights()]
    again = type(local).from_config(local.get_config())
    assert again.kernel_size == (3, 2) and again.data_format == data_format


def test_locally_connected_sequences():
    model = layerkit.Sequential([layers.Input((3, 4)), old.LocallyConnected1D(5, 2)])
    assert model.output_shape == (None, 2, 5)
    kernel, bias = model.get_weights()
    assert (kernel.shape, bias.shape) == ((2, 8, 5), (2, 5))
    wanted = np.stack([X[:, i : i + 2].reshape(2, 8) @ kernel[i] for i in range(2)], 1)
    np.testing.assert_allclose(model(X), wanted, rtol=1e-4, atol=1e-5)


def test_maxout_and_highway():
    x = X[:, 0]
    maxout = old.MaxoutDense(3, nb_feature=2)
    y = maxout(x)
    kernel = maxout.get_weights()[0]
    np.testing.assert_allclose(y, (x @ kernel).max(axis=0), rtol=1e-5)
    assert len(gradient_of_weights(maxout, x)) == 2
    highway = old.Highway(activation="tanh")
    y = highway(x)
    kernel, carry, bias, carry_bias = highway.get_weights()
    assert (bias == 0).all() and (carry_bias == -2).all()
    t = 1 / (1 + np.exp(-(x @ carry - 2)))
    np.testing.assert_allclose(y, t * np.tanh(x @ kernel) + (1 - t) * x, rtol=1e-5, atol=1e-6)
    assert type(highway).from_config(highway.get_config()).use_bias


def test_learned_activations():
    x = np.array([[-3.0, -0.5, 0.5, 3.0]], "float32")
    softplus = old.ParametricSoftplus(alpha_init=0.5, beta_init=2.0)
    np.testing.assert_allclose(softplus(x), 0.5 * np.log1p(np.exp(2 * x)), rtol=1e-5)
    srelu = old.SReLU()
    srelu.build(x.shape)
    srelu.set_weights([np.full(4, value, "float32") for value in (-1.0, 0.1, 2.0, 3.0)])
    # slope 0.1 below -1, the identity up to -1 + 2, slope 3 above
    np.testing.assert_allclose(srelu(x), [[-1.2, -0.5, 0.5, 7.0]], rtol=1e-6)


def test_other_names():
    keras = module_for("keras")
    assert keras.losses.MeanSquaredError(reduction=keras.losses.Reduction.NONE)(X, X).shape == (
        2,
        3,
    )
    assert keras.optimizers.legacy.Adam is layerkit.optimizers.Adam
    assert isinstance(keras.callbacks.BaseLogger(), layerkit.callbacks.Callback)
    assert old.TimeDistributedDense(3).units == 3
    assert old.Deconvolution2D(2, 3, 3, (None, 2, 7, 7)).kernel_size == (3, 3)
    assert old.experimental.preprocessing.RandomFlip is layers.RandomFlip
    assert callable(old.merge) and module_for("keras.layers.merge").add is layers.add


ERRORS = [
    (lambda: old.LocallyConnected2D(2, 3, padding="same"), "knows padding='valid' only"),
    (
        lambda: old.LocallyConnected1D(2, 3)(layers.Input((None, 2))),
        "needs the whole shape of its inputs",
    ),
    (lambda: K.pool2d(IMAGES, 2, pool_mode="sum"), "Invalid pooling mode: sum"),
    (
        lambda: K.conv2d_transpose(np.ones((1, 1, 1, 2), "float32"), KERNEL, (1, 4, 2, 3)),
        r"gives shape \(1, 3, 2, 3\) here",
    ),
    (
        lambda: K.local_conv2d(IMAGES, _everywhere(15), (3, 2), (1, 1), (9, 9)),
        r"gives 3 rows and 5 columns here; received output_shape=\(9, 9\)",
    ),
]


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
