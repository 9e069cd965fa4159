"""Functions of `layerkit.ops` that take functions, and what is no table's matter."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import backend as K
from layerkit import ops

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32")


def close(y, expected):
    np.testing.assert_allclose(K.to_numpy(y), expected, rtol=1e-6)


def gradient_of(function, x):
    x = K.convert_to_tensor(x)
    with K.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return K.to_numpy(tape.gradient(y, x))


def test_cond_and_switch():
    assert ops.cond(K.convert_to_tensor(True), lambda: "yes", lambda: "no") == "yes"
    assert ops.cond(False, lambda: "yes", lambda: "no") == "no"
    branches = [lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y]
    for index, result in [(0, 5), (K.convert_to_tensor(1), 1), (2, 6), (7, 6), (-3, 5)]:
        assert ops.switch(index, branches, 3, 2) == result


def test_while_loop():
    i, total = ops.while_loop(lambda i, s: i < 4, lambda i, s: (i + 1, s + i), (0, 1.0))
    assert isinstance(total, K.Tensor)
    assert (i.item(), total.item()) == (4, 7.0)
    assert ops.while_loop(lambda i: i < 4, lambda i: i + 3, 0).item() == 6
    assert ops.while_loop(lambda i: True, lambda i: i + 1, 0, maximum_iterations=5).item() == 5
    result = ops.while_loop(lambda i: i < 2, lambda i: [i + 1], [0])
    assert isinstance(result, tuple)
    (grown,) = ops.while_loop(
        lambda state: state["n"] < 3, lambda state: [{"n": state["n"] + 1}], [{"n": 0}]
    )
    assert grown["n"].item() == 3
    g = gradient_of(lambda x: ops.while_loop(lambda y: y < 10, lambda y: y * y, x), np.float32(2))
    close(g, 4 * 2.0**3)  # 2, 4, 16


def test_fori_loop():
    assert ops.fori_loop(2, 5, lambda i, total: total + i, 10) == 19
    assert ops.fori_loop(5, 2, lambda i, total: total + i, 10) == 10
    close(gradient_of(lambda x: ops.fori_loop(0, 3, lambda i, y: y * x, x), np.float32(2)), 32.0)


def test_scan():
    carry, ys = ops.scan(lambda c, x: (c + x, {"before": c}), np.zeros(2, "float32"), X)
    close(carry, [9, 12])
    close(ys["before"], [[0, 0], [1, 2], [4, 6]])
    carry, ys = ops.scan(lambda c, x: (c + x, c), np.zeros(2, "float32"), X, reverse=True)
    close(ys, [[8, 10], [5, 6], [0, 0]])
    carry, ys = ops.scan(lambda c, x: (2 * c, None), 1, length=4, unroll=True)
    assert (carry, ys) == (16, None)
    _, ys = ops.scan(lambda c, x: (c, x["a"] + x["b"]), 0, {"a": X, "b": X})
    close(ys, 2 * X)
    g = gradient_of(lambda x: ops.scan(lambda c, y: (c * y, c), K.ones(2), x)[0], X)
    close(g, np.prod(X, 0) / X)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan(length, reverse):
    x = np.arange(1.0, 2 * length + 1).reshape(length, 2).astype("float32")
    expected = np.cumsum(x[::-1], 0)[::-1] if reverse else np.cumsum(x, 0)
    close(ops.associative_scan(lambda a, b: a + b, x, reverse=reverse), expected)
    close(ops.associative_scan(lambda a, b: a + b, x.T, reverse=reverse, axis=-1), expected.T)


def test_associative_scan_keeps_the_order_and_takes_structures():
    """Maps y -> a y + b, of which the later one comes after the earlier one."""

    def then(first, second):
        return {"a": first["a"] * second["a"], "b": second["a"] * first["b"] + second["b"]}

    a, b = X[:, 0], X[:, 1]
    result = ops.associative_scan(then, {"a": a, "b": b})
    close(result["a"], np.cumprod(a))
    close(result["b"], [2, 3 * 2 + 4, 5 * 10 + 6])


def test_map_and_vectorized_map():
    close(ops.map(lambda x: x[0] * x, X), X[:, :1] * X)
    close(ops.map(lambda x: x["a"] - x["b"], {"a": X, "b": X}), 0 * X)
    first, second = ops.vectorized_map(lambda x: (x[0], x[1] + 1), (X, X))
    close(first, X)
    close(second, X + 1)
    close(gradient_of(lambda x: ops.map(lambda row: row * row, x), X), 2 * X)


def test_custom_gradient():
    @ops.custom_gradient
    def log1pexp(x):
        e = ops.cast(K.exp(x), "float32")
        return K.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))

    close(gradient_of(log1pexp, X), 1 / (1 + np.exp(-X)))
    assert log1pexp.__name__ == "log1pexp"

    @ops.custom_gradient
    def doubled_backwards(x, y, factor=1):
        return (x * factor, y + 0), lambda g, h: (2 * g, 3 * h)

    x, y = K.convert_to_tensor(X), K.convert_to_tensor(X)
    with K.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        first, second = doubled_backwards(x, y, factor=5)
    close(first, 5 * X)
    close(tape.gradient([first, second], [x, y])[0], np.full_like(X, 2))
    close(tape.gradient([first, second], [x, y])[1], np.full_like(X, 3))
    close(tape.gradient(first, y), np.zeros_like(X))


def test_custom_gradient_gives_one_gradient_for_each_argument():
    @ops.custom_gradient
    def wrong(x, y):
        return x * y, lambda g: g

    with pytest.raises(ValueError, match="expects 2 gradients, one for each argument of wrong"):
        gradient_of(lambda x: wrong(x, x), X)


def test_conversions():
    assert ops.is_tensor(K.ones(2))
    assert ops.is_tensor(K.Variable([1.0]))
    assert not ops.is_tensor(np.ones(2))
    assert ops.dtype(K.ones(2, "float16")) == "float16"
    assert ops.shape(np.ones((2, 3))) == (2, 3)
    assert ops.shape([[1, 2]]) == (1, 2)
    assert ops.convert_to_tensor([1.5, 2]).dtype == "float32"
    assert ops.convert_to_tensor([1, 2], dtype=float).dtype == "float32"
    x = K.convert_to_tensor(X)
    assert ops.convert_to_tensor(x, "float32") is x
    close(gradient_of(lambda x: ops.convert_to_tensor(x, "float16") * 3, X), np.full_like(X, 3))
    copied = ops.convert_to_numpy(x)
    copied[:] = 0
    close(x, X)


def test_halves_and_doubles():
    x = np.array([[3e-4, 4e-4], [300.0, 400.0], [0.0, 0.0]])
    half = ops.normalize(x.astype("float16"))
    assert half.dtype == "float16"
    np.testing.assert_allclose(K.to_numpy(half), [[0.6, 0.8], [0.6, 0.8], [0, 0]], rtol=2e-3)
    ramp = np.arange(6.0)[None, :, None, None] / 3
    y = K.to_numpy(ops.image.resize(ramp, (12, 1)))[0, :, 0, 0]
    np.testing.assert_allclose(y[1:-1], (np.arange(1, 11) / 2 - 0.25) / 3, rtol=1e-14)
    attention = ops.dot_product_attention(*[ramp.astype("float16")] * 3)
    assert attention.dtype == "float16"


def test_stop_gradient():
    close(gradient_of(lambda x: x * ops.stop_gradient(x), X), X)


def test_sparsemax_is_a_distribution():
    y = K.to_numpy(ops.sparsemax(np.array([[0.3, 0.1, -2.0], [3.0, 0.0, 0.0]], "float32")))
    close(y, [[0.6, 0.4, 0], [1, 0, 0]])


def test_a_softmax_over_one_entry_warns():
    with pytest.warns(UserWarning, match="softmax over axis -1 .* for one output use a sigmoid"):
        ops.softmax(np.ones((3, 1), "float32"))


def test_affine_transforms_may_be_projective():
    rng = np.random.default_rng(0)
    image = rng.random((5, 6, 2)).astype("float32")
    corners = np.array([[0, 0], [5, 0], [0, 4], [5, 4]], "float32")
    moved = corners + rng.uniform(-0.5, 0.5, (4, 2)).astype("float32")
    rows = [
        [x, y, 1, 0, 0, 0, -u * x, -u * y] for (u, v), (x, y) in zip(corners, moved, strict=True)
    ]
    rows += [
        [0, 0, 0, x, y, 1, -v * x, -v * y] for (u, v), (x, y) in zip(corners, moved, strict=True)
    ]
    transform = np.linalg.solve(np.array(rows), corners.T.reshape(-1)).astype("float32")
    np.testing.assert_allclose(
        K.to_numpy(ops.image.affine_transform(image, transform)),
        K.to_numpy(ops.image.perspective_transform(image, corners, moved)),
        atol=1e-5,
    )
    K.check_gradient(lambda t: ops.image.affine_transform(image.astype("float64"), t), transform)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_elastic_transform(data_format):
    images = np.arange(2 * 3 * 8 * 9, dtype="float32").reshape(2, 8, 9, 3)
    images = images if data_format == "channels_last" else np.moveaxis(images, -1, 1).copy()

    def moved(alpha, seed):
        return K.to_numpy(
            ops.image.elastic_transform(images, alpha, 1.0, seed=seed, data_format=data_format)
        )

    close(moved(0.0, 1), images)
    assert moved(3.0, 1).shape == images.shape
    assert np.abs(moved(3.0, 1) - images).max() > 1
    close(moved(3.0, 1), moved(3.0, 1))
    assert np.abs(moved(3.0, 1) - moved(3.0, 2)).max() > 1
    one = ops.image.elastic_transform(images[0].astype("uint8"), data_format=data_format)
    assert (one.shape, one.dtype) == (images[0].shape, "uint8")


def test_beam_search_finds_what_all_paths_say():
    """The probabilities of label sequences, summed over every alignment of four steps."""
    logits = np.random.default_rng(3).standard_normal((1, 4, 3)).astype("float32")
    p = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)
    totals: dict[tuple, float] = {}
    for path in np.ndindex(3, 3, 3, 3):
        merged = [c for i, c in enumerate(path) if i == 0 or path[i - 1] != c]
        labels = tuple(c for c in merged if c != 0)
        totals[labels] = totals.get(labels, 0) + np.prod(p[range(4), path])
    best = sorted(totals, key=totals.__getitem__, reverse=True)[:3]
    paths, scores = ops.ctc_decode(logits, [4], "beam_search", beam_width=81, top_paths=3)
    found = [tuple(c for c in row if c >= 0) for row in K.to_numpy(paths)[:, 0].tolist()]
    assert found == best
    np.testing.assert_allclose(np.exp(K.to_numpy(scores)[0]), [totals[b] for b in best], rtol=1e-5)


IMAGES, FLAT = np.ones((1, 4, 4, 3), "float32"), np.ones((4, 4), "float32")
PAIR = (np.ones(4, "float32"), np.ones(4, "float32"))
ERRORS = [
    (lambda: ops.cast(X, "float31"), "Invalid dtype: float31"),
    (lambda: ops.convert_to_tensor(X, sparse=True), "Received: sparse=True, ragged=None"),
    (lambda: ops.slice(X, (0,), (1,)), "one start index and one length for each axis"),
    (lambda: ops.slice(X, (0, 0), (4, 1)), "no length beyond the tensor's"),
    (lambda: ops.slice_update(X, (0, 0), X.T), "no length beyond the tensor's"),
    (lambda: ops.scatter_update(X, [[0]], X[:1], "div"), "Invalid reduction: div"),
    (lambda: ops.scan(lambda c, x: (c, x), 0), "of one length along their first axis"),
    (lambda: ops.scan(lambda c, x: (c, x), 0, X, length=2), r"Received: lengths \[2, 3\]"),
    (lambda: ops.scan(lambda c, x: (c, x), 0, X, unroll=0), "`unroll` must be a positive integer"),
    (lambda: ops.map(lambda x: x, X[:0]), "at least one slice along the first axis"),
    (lambda: ops.associative_scan(max, [X, X[:2]]), "tensors of one length along the axis"),
    (lambda: ops.rearrange(X, "a b -> a c"), "the same names on both sides"),
    (lambda: ops.rearrange(X, "a b c -> c b a"), "has 3 axes, of the names"),
    (lambda: ops.rearrange(X, "(a c) b -> a c b"), "give the lengths of all its parts but one"),
    (lambda: ops.one_hot([1], 2, sparse=True), "one_hot expects sparse=False"),
    (lambda: ops.multi_hot([1]), "Argument `num_classes` must be specified"),
    (lambda: ops.moments(X, 0, synchronized=True), "synchronized=True"),
    (lambda: ops.normalize(X, order=0), "`order` must be an int >= 1. Received: order=0"),
    (lambda: ops.psnr(X, X.T, 1), "must match for PSNR"),
    (lambda: ops.dot_product_attention(X, X, X), "only supports 4D inputs"),
    (
        lambda: ops.dot_product_attention(IMAGES, IMAGES[:, :, :3], IMAGES[:, :, :3]),
        "multiple of the number of key heads",
    ),
    (
        lambda: ops.dot_product_attention(IMAGES, IMAGES, IMAGES, flash_attention=True),
        "Flash attention is not supported",
    ),
    (
        lambda: ops.dot_product_attention(IMAGES, IMAGES, IMAGES, attn_logits_soft_cap=1.0),
        "only supported for JAX on TPU",
    ),
    (lambda: ops.adaptive_max_pool(X, 2), "supports only 1D/2D/3D inputs"),
    (lambda: ops.adaptive_average_pool(IMAGES, (2, 0)), "received: output_size|Received: output"),
    (lambda: ops.unfold(X, 2), "Input must be a 4D tensor"),
    (lambda: ops.unfold(IMAGES, 5), "No window fits"),
    (lambda: ops.fold(X, 2, 2), "Input must be a 3D tensor"),
    (lambda: ops.fold(IMAGES[0], 2, 2), r"fold expects \(batch, channels \* 4, 1\)"),
    (lambda: ops.depth_to_space(IMAGES, 1), "`block_size` must be at least 2"),
    (lambda: ops.depth_to_space(IMAGES, 2), "a multiple of block_size² = 4; received 3"),
    (lambda: ops.space_to_depth(IMAGES, 3), "multiples of block_size=3; received 4 and 4"),
    (lambda: ops.space_to_depth(X, 2), "expects images of rank 4"),
    (lambda: ops.ctc_loss([1], X, [1], [1]), r"shape \(batch, steps, classes\)"),
    (lambda: ops.ctc_decode(IMAGES[0], [4] * 4, "best"), "Invalid strategy best"),
    (lambda: ops.segment_sum(X, [[0], [1], [2]], 3), "should be an 1-D vector"),
    (lambda: ops.segment_sum(X, [0, 1], 3), "should have same leading dimension"),
    (lambda: ops.top_k(X, 3), "received k=3"),
    (lambda: ops.view_as_complex(X[:, :1]), "must be size 2"),
    (lambda: ops.cdist(X[0], X), "inputs must have rank >= 2"),
    (lambda: ops.cdist(X, X.T), "Last dimension of inputs to `cdist` must match"),
    (lambda: ops.fft(X), "should be a tuple of two tensors"),
    (lambda: ops.fft((X, X.T)), "should have the same shape"),
    (lambda: ops.fft(([1], [2])), "is not of type float"),
    (lambda: ops.rfft([1, 2]), "rfft expects a float tensor; received int32"),
    (lambda: ops.stft(X, 2, 0, 2), "`sequence_stride` must be a positive integer"),
    (lambda: ops.stft(X, 4, 1, 2), "`fft_length` must equal or larger"),
    (lambda: ops.stft(X, 2, 1, 2, window="boxcar"), "one of `hann`, `hamming`"),
    (lambda: ops.stft(X, 2, 1, 2, window=[1.0]), r"shape of `window` must be equal to \["),
    (lambda: ops.istft(PAIR, 2, 1, 6), "must have at least 2 dimensions"),
    (lambda: ops.cholesky(X), "Expected a square matrix"),
    (lambda: ops.inv(X[0]), "Expected input to have rank >= 2"),
    (lambda: ops.solve(FLAT, X), "Incompatible shapes between `a` and `b`"),
    (lambda: ops.solve(FLAT, 1.0), "Received scalar input"),
    (lambda: ops.qr(X, mode="raw"), "`mode` argument value not supported"),
    (lambda: ops.lstsq(X, FLAT), "lstsq expects `a` of shape"),
    (lambda: ops.norm(X, ord="nuc", axis=0), "norm expects `ord` None, a number for one axis"),
    (lambda: ops.norm(X, ord=3), "'fro', 'nuc', 1, -1, 2, -2, inf or -inf for two axes"),
    (lambda: ops.image.resize(X, (2, 2)), "Invalid images rank"),
    (lambda: ops.image.resize(IMAGES, (2, 0)), "2 positive integers"),
    (lambda: ops.image.resize(IMAGES, (2, 2), "area"), "argument `interpolation`"),
    (lambda: ops.image.resize(IMAGES, (2, 2), fill_mode="wrap"), "argument `fill_mode`"),
    (
        lambda: ops.image.resize(
            IMAGES, (2, 2), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True
        ),
        "Only one of `pad_to_aspect_ratio`",
    ),
    (
        lambda: ops.image.scale_and_translate(X, (2, 2), [1.0], [0.0], (0,), "nearest"),
        "argument `method`",
    ),
    (lambda: ops.image.map_coordinates(X, X, 1), "First dim of `coordinates`"),
    (lambda: ops.image.map_coordinates(X, X[0], 1), "Invalid coordinates rank"),
    (lambda: ops.image.map_coordinates(X, X.T, 2), "argument `order`"),
    (lambda: ops.image.affine_transform(IMAGES, X), "Invalid transform rank"),
    (lambda: ops.image.affine_transform(IMAGES, X, "cubic"), "argument `interpolation`"),
    (lambda: ops.image.perspective_transform(IMAGES, X, X), "Invalid start_points shape"),
    (
        lambda: ops.image.perspective_transform(IMAGES, np.ones((1, 4, 2)), np.ones((4, 2))),
        "must have the same shape",
    ),
    (lambda: ops.image.rgb_to_grayscale(IMAGES[..., :2]), "Invalid channel size"),
    (lambda: ops.image.rgb_to_hsv(IMAGES[..., :2]), "Invalid channel size: expected 3"),
    (lambda: ops.image.hsv_to_rgb(IMAGES.astype("int32")), "expected float dtype"),
    (lambda: ops.image.pad_images(IMAGES, 1, 1, 1), "Must specify exactly two of left_padding"),
    (lambda: ops.image.pad_images(IMAGES, -1, 1, 1, 1), "top_padding must be >= 0"),
    (
        lambda: ops.image.crop_images(IMAGES, 3, 0, 2, 0),
        "target_height must be >= 0. Received: target_height=-1",
    ),
    (lambda: ops.image.extract_patches(IMAGES, (2,)), "tuple of length 2 or 3"),
    (lambda: ops.image.extract_patches(X, 2), "Invalid images rank"),
    (lambda: ops.image.sobel_edges(IMAGES[0]), "a batch of images, of rank 4"),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, message = ERRORS[number]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.numpy_only("a device would have to be waited for")
def test_a_matrix_that_is_not_positive_definite():
    with pytest.raises(ValueError, match="Cholesky decomposition failed: .* positive definite"):
        ops.cholesky(np.array([[1.0, 2.0], [2.0, 1.0]], "float32"))


def test_wrong_types():
    with pytest.raises(TypeError, match="Invalid `size` argument. Expected an int or a tuple"):
        ops.image.extract_patches(IMAGES, 2.0)
    with pytest.raises(TypeError, match="Expected `float32` or `float64`"):
        ops.stft(np.ones(8, "float16"), 4, 2, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.qr(x, mode="complete")[0], "gradient of qr needs"),
        (lambda x: ops.qr(K.transpose(x))[1], "gradient of qr needs"),
        (lambda x: ops.svd(x)[0], "needs full_matrices=False"),
        (lambda x: ops.lu_factor(x)[0], "gradient of lu_factor needs square"),
    ],
)
def test_what_has_no_gradient_says_so(call, message):
    with pytest.raises(NotImplementedError, match=message):
        gradient_of(call, X)
