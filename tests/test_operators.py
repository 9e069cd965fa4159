"""Python's operators and NumPy's habits on tensors; the corners of single operations."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

from layerkit import backend as K
from layerkit import ops

A = np.array([[1.0, -2.0], [3.0, 0.5]], "float32")
B = np.array([[2.0, 4.0], [-1.0, 0.25]], "float32")
BITS = np.array([[True, False], [True, True]])


def gradient_of(function, *values):
    """The gradients of the sum of `function` with respect to each value."""
    tensors = [K.convert_to_tensor(value) for value in values]
    with K.GradientTape() as tape:
        tape.watch(tensors)
        y = function(*tensors)
    gradients = [np.asarray(g) for g in tape.gradient(y, tensors)]
    return gradients if len(gradients) > 1 else gradients[0]


# Operators

ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "matmul"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", ARITHMETIC + COMPARISONS)
def test_binary_operators(name):
    function = getattr(operator, name)
    for a, b in [(K.convert_to_tensor(A), K.convert_to_tensor(B)), (K.convert_to_tensor(A), B)]:
        assert isinstance(function(a, b), K.Tensor)
        np.testing.assert_allclose(function(a, b), function(A, B))
        np.testing.assert_allclose(function(b, a), function(B, A))


@pytest.mark.parametrize("name", ["and_", "or_", "xor"])
def test_logical_operators(name):
    function = getattr(operator, name)
    x = K.convert_to_tensor(BITS)
    np.testing.assert_array_equal(function(x, ~x), function(BITS, ~BITS))
    np.testing.assert_array_equal(function(BITS, x), function(BITS, BITS))


def test_unary_operators_and_numbers():
    x = K.convert_to_tensor(A)
    for y, expected in [(-x, -A), (+x, A), (abs(x), abs(A)), (x**2, A**2), (2**x, 2**A)]:
        np.testing.assert_allclose(y, expected, rtol=1e-6)
    np.testing.assert_array_equal(1 - x, 1 - A)
    np.testing.assert_array_equal(1 / x, 1 / A)
    np.testing.assert_array_equal([1.0, 2.0] * x, [1.0, 2.0] * A)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "matmul"])
def test_an_array_before_a_tensor_gives_a_tensor_with_its_gradient(name):
    function = getattr(operator, name)
    x = K.convert_to_tensor(B)
    with K.GradientTape() as tape:
        tape.watch(x)
        y = function(A, x)
    assert isinstance(y, K.Tensor) and tape.gradient(y, x) is not None
    np.testing.assert_allclose(y, function(A, B), rtol=1e-6)


def test_numpy_scalars_before_a_tensor_keep_its_dtype():
    y = np.float64(2.0) * K.convert_to_tensor(A)
    assert isinstance(y, K.Tensor) and y.dtype == "float32"


def test_tensors_are_hashed_by_identity():
    x, y = K.convert_to_tensor(A), K.convert_to_tensor(A)
    assert len({x, y, x}) == 2 and {x: 1}[x] == 1


def test_comparison_with_what_is_no_number():
    x = K.convert_to_tensor(A)
    assert (x == "auto") is False and (x != None) is True  # noqa: E711


def test_none_as_an_operand_raises():
    with pytest.raises(TypeError, match="Expected two tensors or numbers; received None"):
        K.add(A, None)


def test_arithmetic_with_what_is_no_number_raises():
    with pytest.raises(TypeError, match="unsupported operand"):
        K.convert_to_tensor(A) + None


def test_an_augmented_assignment_makes_a_new_tensor():
    v = name = K.Variable(A)
    name += 1
    assert name is not v and not isinstance(name, K.Variable)
    np.testing.assert_array_equal(v, A)


def test_iteration_and_unpacking():
    first, second = K.convert_to_tensor(A)
    np.testing.assert_array_equal(first, A[0])
    np.testing.assert_array_equal(second, A[1])


# NumPy's functions and methods


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "std", "var", "prod", "argmax"])
def test_numpy_reductions(name):
    x = K.convert_to_tensor(A)
    for y in (getattr(np, name)(x, axis=1), getattr(x, name)(axis=1)):
        assert isinstance(y, K.Tensor)
        np.testing.assert_allclose(y, getattr(np, name)(A, axis=1), rtol=1e-6)
    np.testing.assert_allclose(getattr(x, name)(), getattr(np, name)(A), rtol=1e-6)


def test_reductions_refuse_what_they_cannot_do():
    with pytest.raises(TypeError, match="no `out` and no `ddof`"):
        np.std(K.convert_to_tensor(A), ddof=1)


def test_methods():
    x = K.convert_to_tensor(A)
    for y, expected in [
        (x.T, A.T),
        (x.transpose(1, 0), A.T),
        (x.transpose((1, 0)), A.T),
        (x.reshape(4, 1), A.reshape(4, 1)),
        (x.reshape((1, -1)), A.reshape(1, -1)),
        (np.reshape(x, (4,)), A.reshape(4)),
        (x.flatten(), A.ravel()),
        (x[None].squeeze(), A),
        (x[:, :1].squeeze(-1), A[:, 0]),
        (x.astype("int32"), A.astype("int32")),
    ]:
        assert isinstance(y, K.Tensor)
        np.testing.assert_array_equal(y, expected)
    assert x.tolist() == A.tolist()


def test_methods_have_gradients():
    g = gradient_of(lambda x: (x.T.reshape(4)[1:] ** 2).mean() + x.max(), A)
    np.testing.assert_allclose(g, 2 / 3 * A * [[0, 1], [1, 1]] + (A.max() == A), rtol=1e-6)


def test_other_ufuncs_compute_on_the_arrays():
    y = np.exp(K.convert_to_tensor(A))
    assert isinstance(y, np.ndarray)
    np.testing.assert_array_equal(y, np.exp(A))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (np.exp, r"np\.exp would lose the gradient.*use layerkit\.backend\.exp"),
        (
            np.spacing,
            r"np\.spacing would lose the gradient.*use the operations of layerkit\.backend",
        ),
        (np.add.reduce, r"np\.add would lose the gradient"),
    ],
)
def test_other_ufuncs_on_a_watched_tensor_raise(call, message):
    x = K.convert_to_tensor(A)
    with K.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(TypeError, match=message):
            call(x)


def test_an_array_changed_in_place_by_a_watched_tensor_raises():
    total, x = np.zeros((2, 2), "float32"), K.convert_to_tensor(A)
    total += x
    np.testing.assert_array_equal(total, A)
    with K.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(TypeError, match="would lose the gradient"):
            total += x


# Derivatives at their corners


@pytest.mark.parametrize("operation", [K.maximum, K.minimum])
def test_equal_operands_get_half_of_the_gradient_each(operation):
    a, b = gradient_of(operation, np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 4.0]))
    first = operation is K.maximum
    np.testing.assert_array_equal(a, [0.5, first, not first])
    np.testing.assert_array_equal(b, [0.5, not first, first])


@pytest.mark.parametrize("operation", [K.max, K.min])
def test_equal_extremes_share_the_gradient(operation):
    g = gradient_of(lambda x: operation(x, axis=1), np.array([[2.0, 2.0], [5.0, 5.0]]))
    np.testing.assert_array_equal(g, np.full((2, 2), 0.5))


def test_abs_at_zero():
    np.testing.assert_array_equal(gradient_of(K.abs, np.array([-1.0, 0, 2])), [-1, 0, 1])


def test_clip_passes_the_gradient_at_its_bounds():
    g = gradient_of(lambda x: K.clip(x, 0, 1), np.array([-1.0, 0, 0.5, 1, 2]))
    np.testing.assert_array_equal(g, [0, 1, 1, 1, 0])


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((None, 1), [1, 1, 0]), ((0, None), [0, 1, 1]), ((None, None), [1] * 3)],
)
def test_clip_without_a_bound(bounds, expected):
    g = gradient_of(lambda x: K.clip(x, *bounds), np.array([-1.0, 0.5, 2.0]))
    np.testing.assert_array_equal(g, expected)


def test_clip_of_a_number():
    np.testing.assert_array_equal(K.clip(2.0, np.zeros(2), np.array([1.0, 3.0])), [1, 2])


@pytest.mark.parametrize("operation", [K.sum, K.mean, K.var, K.std, K.prod, K.logsumexp, K.norm])
def test_gradients_of_nothing(operation):
    assert gradient_of(lambda x: operation(x, axis=1), np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("operation", [K.std, K.norm])
def test_roots_at_zero_have_gradient_zero(operation):
    np.testing.assert_array_equal(gradient_of(operation, np.zeros(3)), np.zeros(3))


def test_float16_is_summed_in_float32():
    ones = np.ones((5000, 2), "float16")
    np.testing.assert_array_equal(K.sum(ones, axis=0), [5000, 5000])
    np.testing.assert_array_equal(K.average_pool(1000 * ones[None], 5000), [[[1000, 1000]]])
    bias = K.Variable(np.zeros(2, "float16"))
    np.testing.assert_array_equal(K.gradients(lambda: ones + bias, bias), [5000, 5000])
    spread = np.array([300, -300, 300, -300], "float16")
    np.testing.assert_array_equal([K.std(spread), K.norm(spread)], [300, 600])


def test_where_keeps_infinities_of_the_other_side_out():
    g = gradient_of(lambda x: K.where(x > 0, K.multiply(x, 2), 0.0), np.array([-1.0, 1.0]))
    np.testing.assert_array_equal(g, [0, 2])


def test_power_at_zero():
    g = gradient_of(lambda x, e: x**e, np.zeros(3), np.array([0.0, 1.0, 2.0]))
    np.testing.assert_array_equal(g, [[0, 1, 0], [0, 0, 0]])


def test_prod_with_two_zeros():
    g = gradient_of(K.prod, np.array([0.0, 3.0, 0.0]))
    np.testing.assert_array_equal(g, np.zeros(3))


def test_logsumexp_of_minus_infinities():
    x = K.convert_to_tensor(np.array([[-np.inf, 0.0], [0.0, 0.0]]))
    np.testing.assert_allclose(K.logsumexp(x, axis=1), [0, np.log(2)])


def test_erf_is_exact_to_rounding():
    x = np.linspace(-7, 7, 2001)
    expected = np.vectorize(math.erf)(x)
    np.testing.assert_allclose(K.erf(x), expected, rtol=1e-12, atol=0)
    np.testing.assert_allclose(K.erf(x.astype("float32")), expected, rtol=1e-6, atol=0)


def test_what_is_picked_twice_gets_the_sum_of_its_gradients():
    g = gradient_of(lambda x: K.take(x, [[0, 2], [2, 2]], axis=0), np.ones((3, 2)))
    np.testing.assert_array_equal(g, [[1, 1], [0, 0], [3, 3]])


def test_numbers_in_place_of_tensors():
    p = K.convert_to_tensor([0.2, 0.8])
    for y, expected in [
        (K.embedding_lookup(A, 1), A[1]),
        (K.sparse_categorical_crossentropy(1, p), -np.log(0.8)),
        (K.binary_crossentropy(1, p[1]), -np.log(0.8)),
        (K.binary_crossentropy(p[1] > 0, 0.8), -np.log(0.8)),
    ]:
        np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_small_integers_pick_rows_of_a_large_table():
    g = gradient_of(lambda x: K.take(x, np.array([5, -1], "int8"), axis=0), np.ones((300, 2)))
    np.testing.assert_array_equal(g.sum(axis=1).nonzero()[0], [5, 299])


def test_scatter_add_equals_its_reference():
    backend = K.get_backend("numpy")
    random = np.random.default_rng(0)
    like = np.zeros((5, 6, 2), "float32")
    ids = random.integers(0, 5, (3, 4))
    mask = like[..., 0] == 0
    for key in [
        1,
        (slice(None, None, 2), -1),
        ids,
        -ids.astype("int8"),
        [0, 0, 3],
        (slice(None), ids),
        (ids, ids),
        mask,
    ]:
        updates = random.standard_normal(like[key].shape).astype("float32")
        np.testing.assert_allclose(
            backend.scatter_add(like, key, updates),
            K.Backend.scatter_add(backend, like, key, updates),
            rtol=1e-5,
        )


# Messages


@pytest.mark.numpy_only("on a device neither labels nor ids are checked: it would wait")
@pytest.mark.parametrize("ids", [[0, 7], [-1, 0]])
def test_an_id_without_a_row_raises(ids):
    wrong = 7 if 7 in ids else -1
    with pytest.raises(IndexError, match=rf"the table has 5 rows; received the id {wrong}:"):
        K.embedding_lookup(np.ones((5, 2)), ids)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: K.einsum("ijk->i", A), "needs 3 axes; its operand has 2"),
        (lambda: K.einsum("ij,jk->ik", A), "names 2 operands; received 1"),
        (lambda: K.pad(A, 1, mode="mean"), "received mode='mean'"),
        (lambda: K.pad(A, 1, mode="reflect", constant_values=1), "only be provided when"),
        (lambda: K.where(A > 0, A), "both should have a value"),
        (lambda: K.norm(A, ord="nuc"), "Received: ord=nuc"),
        (lambda: K.norm(A, ord=1), "reshape x to a vector first"),
        (lambda: K.top_k(A, 3), "0 <= k <= 2.*received k=3"),
        (lambda: K.unstack(A, num=3), "num=2.*received 3"),
        (lambda: K.moments(A, 0, synchronized=True), "received synchronized=True"),
        (lambda: K.convert_to_tensor(A).reshape(4, order="F"), "received order='F'"),
    ],
)
def test_messages(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.numpy_only("CuPy takes no bfloat16 arrays from the host")
def test_bfloat16_stays_beside_numbers_and_integers():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = K.convert_to_tensor(np.array([-1.0, 0.5, 2.0], ml_dtypes.bfloat16))
    kept = [x + 1.0, x * 2, x - K.cast(x, "int32"), K.leaky_relu(x), K.where(x > 0, x, 0.0)]
    kept += [K.hard_sigmoid(x), ops.nanmax(x), ops.median(x), 1.0 / x]
    for y in kept:
        assert y.dtype.name == "bfloat16"
    halves = np.ones(3, "float16")
    for y in (x + halves, x + np.ones(3, "float32"), ops.hypot(x, halves)):
        assert y.dtype.name == "float32"
    with K.GradientTape() as tape:
        tape.watch(x)
        y = x * 2.0 + 1.0
    np.testing.assert_array_equal(K.to_numpy(tape.gradient(y, x)).astype("float32"), [2, 2, 2])


def test_integers_and_numbers_take_the_dtype_of_halves():
    halves, integers = np.ones(3, "float16"), np.ones(3, "int16")
    for name in ["divide", "arctan2", "hypot", "logaddexp", "logaddexp2", "nextafter", "heaviside"]:
        for pair in ((halves, integers), (integers, halves), (halves, 2.5), (2, halves)):
            assert getattr(ops, name)(*pair).dtype == "float16", name
    assert ops.divide_no_nan(2.5, halves).dtype == "float16"
    assert ops.divide(integers, 2).dtype == "float32"


def test_numbers_beside_tensors_leave_fmax_and_fmin_their_dtype():
    bytes_ = np.array([1, 5], "uint8")
    least = ops.fmin(3, bytes_)
    assert least.dtype == "uint8"
    np.testing.assert_array_equal(least, [1, 3])
    assert ops.fmax(np.array([1.0], "float16"), 2.5).dtype == "float16"


@pytest.mark.numpy_only("CuPy takes no bfloat16 arrays from the host")
def test_running_sums_and_products_of_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = K.convert_to_tensor(np.array([1.0, 2.0], ml_dtypes.bfloat16))
    assert K.cumprod(x).dtype.name == K.cumsum(x).dtype.name == "bfloat16"
    assert K.cumsum(x, dtype="float32").dtype == "float32"
    assert K.cast(x, "float32").dtype == "float32"
