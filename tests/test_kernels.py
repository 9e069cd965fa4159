"""Fast kernels against their plain twins in the Backend class, and what operations refuse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tables.row import distinct, normal

from layerkit import backend as K
from layerkit.backend import numpy_backend, threads
from layerkit.backend.by_value import BY_VALUE


class Reference(K.Backend):
    """The reference kernels over NumPy."""

    name, xp, array_type = "reference", np, np.ndarray


PLAIN, FAST = Reference(), K.get_backend("numpy")
GEOMETRIES = list(
    itertools.product(
        [(1, 1), (2, 1), (3, 4)],  # strides
        [((0, 0), (0, 0)), ((1, 2), (0, 1)), ((3, 0), (0, -1))],  # pads
        [(1, 1), (2, 1)],  # dilation
        [((3, 2), 1), ((1, 1), 1), ((3, 2), 2), ((3, 2), 4)],  # window, groups
    )
)


@pytest.fixture(params=[1, 3], ids=["one thread", "three threads"])
def cut(request, monkeypatch):
    """Work is cut among so many threads, however little there is."""
    monkeypatch.setattr(threads, "count", lambda: request.param)
    monkeypatch.setattr(threads, "WORTH", 1)
    monkeypatch.setattr(numpy_backend, "_CHUNK", 64)
    monkeypatch.setattr(numpy_backend, "_PIECE", 50)
    return request.param


@pytest.mark.parametrize("out", [False, True])
@pytest.mark.parametrize(
    "m, k, n",
    [(3, 40, 30), (3, 30, 40), (3, 90, 30), (3, 30, 90), (50, 4, 5), (40, 40, 40), (1, 7, 1)],
)
def test_products_cut_along_each_axis(cut, m, k, n, out):
    for a, b in (
        (normal(m, k), normal(k, n)),
        (normal(k, m).T, normal(k, n)),
        (normal(m, k), normal(n, k).T),
    ):
        given = np.full((m, n), np.nan) if out else None
        y = FAST.matmul(a, b, given)
        assert y is given or not out
        np.testing.assert_allclose(y, a @ b, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(y, FAST.matmul(a, b))


def test_products_that_do_not_fit_are_told(cut):
    for a, b in (((3, 40), (50, 20)), ((40, 3), (4, 40))):
        with pytest.raises(ValueError, match="mismatch"):
            FAST.matmul(np.ones(a), np.ones(b))


@pytest.mark.parametrize("activation", BY_VALUE)
@pytest.mark.parametrize("shape", [(7, 5), (4, 3, 3, 5), (40, 5), (0, 5)])
def test_bias_activation(cut, activation, shape):
    for x, bias in itertools.product([normal(*shape), normal(*shape[::-1]).T], [normal(5), None]):
        y = PLAIN.bias_activation(x, bias, activation)
        np.testing.assert_allclose(FAST.bias_activation(x, bias, activation), y, rtol=1e-14)
        own = x.copy(order="K")
        assert FAST.bias_activation(own, bias, activation, out=own) is own
        np.testing.assert_allclose(own, y, rtol=1e-14)
        g = normal(*shape, seed=1)
        np.testing.assert_allclose(
            FAST.bias_activation_grad(g, y, activation),
            PLAIN.bias_activation_grad(g, y, activation),
            rtol=1e-14,
        )
    np.testing.assert_allclose(FAST.sum_rows(x), PLAIN.sum_rows(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(7, 5), (4, 3, 3, 5), (64, 6), (0, 5)])
def test_rows_by_numbers_of_their_features(cut, shape):
    x, y, out = normal(*shape), normal(*shape, seed=1), np.empty(shape)
    a, b, c = normal(3, shape[-1], seed=2)
    for name, arguments in (("scale_rows", (x, a, b)), ("combine_rows", (x, a, y, b, c))):
        expected = getattr(PLAIN, name)(*arguments)
        np.testing.assert_allclose(getattr(FAST, name)(*arguments), expected, rtol=1e-14)
        assert getattr(FAST, name)(*arguments, out=out) is out
        np.testing.assert_array_equal(out, getattr(FAST, name)(*arguments))
    sums = PLAIN.sum_products(x, y)
    np.testing.assert_allclose(FAST.sum_products(x, y), sums, rtol=1e-12, atol=1e-12)
    turned = np.asfortranarray(x)  # which cannot be cut
    np.testing.assert_allclose(FAST.sum_products(turned, y), sums, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(FAST.scale_rows(turned, a, b), x * a + b, rtol=1e-14)


def test_pieces_cover_every_element_once(cut):
    rule = np.add
    for shape in (7, 30), (200,), (3, 5, 20):
        w, g = normal(*shape), normal(*shape, seed=1)
        for own in w.copy(), np.array(w, order="F"):  # the second cannot be cut
            FAST.in_pieces(lambda w, g: rule(w, g, out=w), own, g)
            np.testing.assert_array_equal(own, w + g)


def plain_activation(x):
    """The same as `K.sigmoid`, of which no backend knows it."""
    return K.sigmoid(x)


FAMILIES = {  # with a bias of 4 numbers
    "conv": (K.conv, normal(2, 5, 6, 3), [normal(3, 2, 3, 4)], {"padding": "same"}),
    "conv:channels first": (
        K.conv,
        normal(2, 3, 5, 6),
        [normal(3, 2, 3, 4)],
        {"data_format": "channels_first"},
    ),
    "depthwise_conv": (K.depthwise_conv, normal(2, 5, 6, 2), [normal(3, 3, 2, 2)], {}),
    "separable_conv": (
        K.separable_conv,
        normal(2, 5, 6, 2),
        [normal(3, 3, 2, 2), normal(1, 1, 4, 4)],
        {},
    ),
    "conv_transpose": (K.conv_transpose, normal(2, 4, 4, 3), [normal(3, 3, 4, 3)], {"strides": 2}),
    "conv_transpose:same": (
        K.conv_transpose,
        normal(2, 4, 4, 3),
        [normal(3, 3, 4, 3)],
        {"strides": 2, "padding": "same"},
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("with_bias", [False, True])
def test_convolutions_with_a_bias_and_an_activation(cut, name, with_bias):
    function, x, kernels, options = FAMILIES[name]
    tensors = [K.convert_to_tensor(a) for a in (x, *kernels, normal(4))]
    *operands, bias = tensors
    first = options.get("data_format") == "channels_first"
    with K.GradientTape(persistent=True) as tape:
        tape.watch(tensors)
        y = function(*operands, **options)
        if with_bias:
            y = y + (K.reshape(bias, (4, 1, 1)) if first else bias)
        expected = K.sigmoid(y)
        given = {**options, "bias": bias if with_bias else None}
        results = [
            function(*operands, **given, activation=activation)
            for activation in (K.sigmoid, plain_activation)
        ]
        losses = [K.sum(y * y) for y in (expected, *results)]
    wanted = tensors if with_bias else operands
    gradients = [tape.gradient(loss, wanted) for loss in losses]
    for result, own in zip(results, gradients[1:], strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-12)
        for g, h in zip(own, gradients[0], strict=True):
            np.testing.assert_allclose(g, h, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("strides, pads, dilation, window", GEOMETRIES)
def test_convolution_kernels(strides, pads, dilation, window):
    window, groups = window
    x, w = normal(3, 9, 8, 4), normal(*window, 4 // groups, 8)
    geometry = (strides, pads, dilation, groups)
    y = PLAIN.conv(x, w, *geometry)
    g = normal(*y.shape)
    np.testing.assert_allclose(FAST.conv(x, w, *geometry), y, rtol=1e-9, atol=1e-9)
    for kernel, arguments in (
        ("conv_input_grad", (g, w, x.shape)),
        ("conv_kernel_grad", (x, g, w.shape)),
    ):
        expected = getattr(PLAIN, kernel)(*arguments, *geometry)
        result = getattr(FAST, kernel)(*arguments, *geometry)
        np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-9)
    # The three are one linear map and its adjoints.
    np.testing.assert_allclose(
        (PLAIN.conv_input_grad(g, w, x.shape, *geometry) * x).sum(), (g * y).sum(), rtol=1e-9
    )
    np.testing.assert_allclose(
        (PLAIN.conv_kernel_grad(x, g, w.shape, *geometry) * w).sum(), (g * y).sum(), rtol=1e-9
    )


@pytest.mark.usefixtures("cut")
def test_many_blocks_of_samples():
    x, w = normal(11, 20, 20, 32), normal(3, 3, 32, 4)
    geometry = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    y = PLAIN.conv(x, w, *geometry)
    np.testing.assert_allclose(FAST.conv(x, w, *geometry), y, rtol=1e-9, atol=1e-9)
    expected = PLAIN.conv_kernel_grad(x, y, w.shape, *geometry)
    result = FAST.conv_kernel_grad(x, y, w.shape, *geometry)
    np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-7)


def test_no_samples():
    w, geometry = normal(3, 3, 2, 4), ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    x, g = np.zeros((0, 5, 5, 2)), np.zeros((0, 5, 5, 4))
    for backend in PLAIN, FAST:
        assert backend.conv(x, w, *geometry).shape == g.shape
        assert backend.conv_input_grad(g, w, x.shape, *geometry).shape == x.shape
        assert not backend.conv_kernel_grad(x, g, w.shape, *geometry).any()


@pytest.mark.parametrize("size, strides", [(6, 2), (7, 2), (7, 3), (6, 1)])
def test_max_pool_and_its_gradient(cut, size, strides):
    x, geometry = distinct(2, size, size, 3), ((2, 2), (strides, strides), ((0, 0), (0, 0)))
    y, winner = PLAIN.max_pool(x, *geometry)
    assert winner.dtype == np.uint8
    for result, expected in zip(FAST.max_pool(x, *geometry), (y, winner), strict=True):
        np.testing.assert_array_equal(result, expected)
    g = normal(*y.shape)
    np.testing.assert_array_equal(
        FAST.max_pool_grad(g, winner, x.shape, *geometry),
        PLAIN.max_pool_grad(g, winner, x.shape, *geometry),
    )


def test_first_of_equal_cells_gets_the_gradient():
    x = K.convert_to_tensor(np.zeros((1, 4, 4, 1)))
    with K.GradientTape() as tape:
        tape.watch(x)
        y = K.max_pool(x, 2)
    expected = np.zeros((4, 4))
    expected[::2, ::2] = 1
    np.testing.assert_array_equal(tape.gradient(y, x).numpy()[0, :, :, 0], expected)


def test_dropout_mask_is_a_pure_function(cut):
    mask = FAST.dropout_mask((5, 0, 2), (1000,), 0.25, "float32")
    np.testing.assert_array_equal(mask, PLAIN.dropout_mask((5, 0, 2), (1000,), 0.25, "float32"))
    assert mask.dtype == np.float32
    np.testing.assert_array_equal(mask[:90], FAST.dropout_mask((5, 0, 2), (90,), 0.25, "float32"))
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.75)}
    assert (mask != FAST.dropout_mask((5, 0, 3), (1000,), 0.25, "float32")).any()
    np.testing.assert_allclose((mask == 0).mean(), 0.25, atol=0.05)


def test_seed_generator_counts_on():
    seed = K.SeedGenerator(3)
    x = np.ones(100)
    first, second = K.dropout(x, 0.5, seed=seed).numpy(), K.dropout(x, 0.5, seed=seed).numpy()
    assert (first != second).any()
    np.testing.assert_array_equal(first, K.dropout(x, 0.5, seed=3).numpy())


@pytest.mark.parametrize("name", ["batch_normalize", "layer_normalization", "rms_normalization"])
def test_float16_statistics_do_not_overflow(name):
    x = (normal(64, 8) * 200 + 300).astype("float16")
    result = getattr(K, name)(x)
    y = result[0] if isinstance(result, tuple) else result
    expected = getattr(K, name)(x.astype("float64"))
    expected = expected[0] if isinstance(expected, tuple) else expected
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.numpy(), expected.numpy(), atol=5e-3)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
@pytest.mark.parametrize(
    "operation",
    [
        lambda x: K.conv2d(x, np.ones((3, 3, 1, 2), "float32")),
        lambda x: K.conv2d(x, np.ones((3, 3, 1, 2), "uint8")),
        lambda x: K.conv2d_transpose(x, np.ones((3, 3, 2, 1), "float32")),
        lambda x: K.depthwise_conv2d(x, np.ones((3, 3, 1, 2), "int32")),
        lambda x: K.average_pool(x, 2),
        lambda x: K.layer_normalization(x, axis=(1, 2)),
        lambda x: K.rms_normalization(x, axis=(1, 2)),
        lambda x: K.batch_normalization(x, np.ones(1), np.ones(1), -1),
        lambda x: K.batch_normalize(x)[0],
    ],
)
def test_integer_images_are_computed_in_floatx(operation, dtype):
    x = np.random.default_rng(0).integers(0, 200, (2, 6, 6, 1)).astype(dtype)
    y = operation(x)
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, operation(x.astype("float32")), rtol=1e-6)


def test_uniform_numbers_stay_below_their_upper_bound():
    x = K.random_uniform((100_000,), 1.0, 2.0, dtype="float16", seed=0).numpy()
    assert x.min() >= 1 and x.max() < 2


def test_gradients_of_batch_statistics():
    """Each output of batch_normalize alone: the others have no upstream gradient."""
    x, gamma, beta = normal(6, 3), normal(3, low=0.5), normal(3)
    for i in range(3):
        K.check_gradient(lambda *t, i=i: K.batch_normalize(*t)[i], x, gamma, beta)


@pytest.mark.parametrize("result", range(3), ids=["outputs", "h", "c"])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_gradients_through_time(result, go_backwards):
    """Each result of lstm alone: the others have no upstream gradient."""
    x, w, r, b, h, c = (normal(*s) for s in ((2, 3, 2), (2, 12), (3, 12), (12,), (2, 3), (2, 3)))
    K.check_gradient(lambda *t: K.lstm(*t, go_backwards=go_backwards)[result], x, w, r, b, h, c)


def test_an_lstm_on_a_persistent_tape_answers_each_question_anew():
    x, w, r = K.convert_to_tensor(normal(2, 3, 2)), normal(2, 12), normal(3, 12)
    with K.GradientTape(persistent=True) as tape:
        tape.watch(x)
        results = K.lstm(x, w, r)
    together = tape.gradient(list(results), x).numpy()
    apart = [tape.gradient(result, x).numpy() for result in results]
    np.testing.assert_allclose(sum(apart), together, rtol=1e-12)
    assert np.abs(apart[1] - together).max() > 1e-3


def test_an_lstm_of_no_steps_and_of_no_samples():
    w, r, h, c = normal(2, 12), normal(3, 12), normal(4, 3), normal(4, 3, seed=1)
    y, last_h, last_c = K.lstm(np.zeros((4, 0, 2)), w, r, None, h, c)
    assert y.shape == (4, 0, 3)
    np.testing.assert_array_equal(last_h, h)
    np.testing.assert_array_equal(last_c, c)
    y, last_h, last_c = K.lstm(np.zeros((0, 5, 2)), w, r)
    assert y.shape == (0, 5, 3) and last_h.shape == last_c.shape == (0, 3)


def image(*shape):
    return np.zeros(shape, "float32")


def on_host(x):
    return K.Tensor(np.asarray(x))


REFUSED = [
    (lambda: K.conv(image(1, 3, 3, 1), image(5, 5, 1, 2)), "output size would be zero or negative"),
    (lambda: K.conv(image(1, 9, 9, 3), image(3, 3, 2, 2)), "must be evenly divisible by kernel's"),
    (lambda: K.conv(image(1, 9, 9, 4), image(3, 3, 2, 3)), "number of filters must be evenly"),
    (lambda: K.conv(image(9, 9, 4), image(3, 3, 4, 3)), "of the same rank"),
    (lambda: K.conv(image(1, 9, 9, 1), image(3, 3, 1, 1), padding="full"), "`padding` argument"),
    (lambda: K.conv(image(1, 9, 9, 1), image(3, 3, 1, 1), padding="causal"), "`padding` argument"),
    (lambda: K.conv(image(1, 9, 9, 1), image(3, 3, 1, 1), strides=0), "`strides` argument"),
    (lambda: K.conv(image(1, 9, 9, 1), image(3, 3, 1, 1), (1, 2, 3)), "`strides` argument"),
    (lambda: K.conv2d(image(1, 9, 1), image(3, 1, 1)), "conv2d expects inputs of rank 4"),
    (lambda: K.conv_transpose(image(1, 3, 3, 2), image(3, 3, 2, 4)), "must match the kernel's"),
    (lambda: K.conv_transpose(image(1, 3, 2), image(3, 2, 2), padding="x"), "`padding` argument"),
    (lambda: K.depthwise_conv(image(1, 3, 3, 2), image(3, 3, 1, 4)), "must match the kernel's"),
    (lambda: K.dense(3.0, image(2, 2)), r"dense expects .*inputs.shape=\(\), kernel"),
    (lambda: K.dense(image(1, 3), image(2, 2)), r"dense expects .*inputs.shape=\(1, 3\)"),
    (lambda: K.dense(image(1, 2), image(2, 4), image(2)), r"shape \(4,\); received shape \(2,\)"),
    (lambda: K.conv(image(1, 3, 3, 2), image(2, 2, 2, 4), bias=image(2)), r"filter, shape \(4,\)"),
    (
        lambda: K.conv_transpose(image(1, 3, 3, 2), image(2, 2, 4, 2), bias=image(2)),
        r"filter, shape \(4,\)",
    ),
    (lambda: K.max_pool(image(1, 3, 3, 2), 4), "output size would be zero or negative"),
    (lambda: K.max_pool(image(3, 3), 4), "at least one spatial axis"),
    (lambda: K.glu(image(3, 3)), "divisible by 2"),
    (lambda: K.layer_normalization(image(3, 4), image(3)), "expects parameters of shape"),
    (lambda: K.layer_normalization(image(3, 4), axis=2), "out of bounds"),
    (lambda: K.categorical_crossentropy([1, 2], image(2, 3)), "sparse_categorical_crossentropy"),
    (lambda: K.categorical_crossentropy(image(2, 3), image(2, 4)), "must have the same shape"),
    (lambda: K.binary_crossentropy(image(8), image(8, 1)), "must have the same shape"),
    (
        lambda: K.sparse_categorical_crossentropy(image(2, 3), image(2, 3)),
        "same shape up until the last dimension",
    ),
    (
        lambda: K.sparse_categorical_crossentropy(on_host([0, 7]), on_host(image(2, 3))),
        r"label value of 7 which is outside the valid range of \[0, 3\)",
    ),
    (
        lambda: K.sparse_categorical_crossentropy(on_host([0, -1]), on_host(image(2, 3))),
        "label value of -1",
    ),
    (lambda: K.lstm(image(3, 5), image(5, 8), image(2, 8)), "`inputs` of shape .batch, steps, fe"),
    (
        lambda: K.lstm(image(3, 4, 5), image(5, 8), image(2, 7)),
        r"`recurrent_kernel` of shape \(units, 4 \* units\); received \(2, 7\)",
    ),
    (lambda: K.lstm(image(3, 4, 5), image(4, 8), image(2, 8)), "lstm expects `kernel` of shape"),
    (lambda: K.lstm(image(3, 4, 5), image(5, 8), image(2, 8), image(7)), "`bias` of shape"),
    (
        lambda: K.lstm(image(3, 4, 5), image(5, 8), image(2, 8), None, image(2, 2)),
        r"`initial_h` of shape \(batch, units\); received \(2, 2\), with inputs of shape \(3, 4",
    ),
    (
        lambda: K.lstm(image(3, 4, 5), image(5, 8), image(2, 8), None, None, image(3)),
        "`initial_c` of shape",
    ),
    (
        lambda: K.lstm(image(3, 4, 5), image(5, 8), image(2, 8), mask=image(3, 5)),
        r"lstm expects `mask` of shape \(batch, steps\); received \(3, 5\)",
    ),
    (
        lambda: K.gru(image(3, 4, 5), image(5, 6), image(2, 6), None, image(4)),
        r"gru expects `recurrent_bias` of shape \(3 \* units,\); received \(4,\)",
    ),
    (lambda: K.dropout(image(3), 1.5), "argument `rate`"),
    (lambda: K.dropout(image(3, 4), 0.5, (3,)), "`noise_shape` must have one entry"),
    (lambda: K.random_randint((3,), 0, 5, dtype="float32"), "integer `dtype`"),
    (lambda: K.random_categorical(image(3), 5), "`logits` must have shape"),
]


@pytest.mark.parametrize("call, message", REFUSED, ids=[message for _, message in REFUSED])
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
