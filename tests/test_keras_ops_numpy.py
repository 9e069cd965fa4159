"""`layerkit.ops.numpy`: its names, and what rows of golden values cannot say."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from tables.keras_ops_numpy import NAMES, ROWS

from layerkit import backend as K
from layerkit import ops

HERE = {"empty", "empty_like", "ndim", "size", "vectorize"}  # tested in this file
VECTOR, MATRIX = np.array([1.0, 2.0, 3.0], "float32"), np.ones((2, 3), "float32")


def test_every_name_of_keras_is_there():
    assert [name for name in NAMES if not callable(getattr(ops.numpy, name, None))] == []
    assert sorted(ops.numpy.__all__) == NAMES
    assert [name for name in NAMES if getattr(ops, name) is not getattr(ops.numpy, name)] == []


SIGNATURES = Path(__file__).parent / "golden" / "keras_ops_numpy_signatures.json"


@pytest.mark.parametrize(("name", "expected"), json.loads(SIGNATURES.read_text()).items())
def test_arguments_and_defaults_are_those_of_keras(name: str, expected: str):
    parameters = inspect.signature(getattr(ops, name)).parameters.values()
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    options_of_backends = ", **kwargs"  # of einsum: none that every backend of Keras takes
    assert ", ".join(map(str, plain)) == expected.removesuffix(options_of_backends)


def test_every_name_is_tested():
    assert set(NAMES) - {row.function for row in ROWS} == HERE


def test_answers_that_are_ints():
    assert (ops.ndim(MATRIX), ops.size(MATRIX)) == (2, 6)
    assert all(type(f([[1, 2]])) is int for f in (ops.ndim, ops.size))


def test_empty():
    assert (ops.empty((2, 3)).shape, ops.empty(2).dtype) == ((2, 3), "float32")
    assert (ops.empty_like(MATRIX, "int32").shape, ops.empty_like([1]).dtype) == ((2, 3), "int32")


@pytest.mark.parametrize("name", ["array", "copy"])
def test_copies_have_memory_of_their_own(name: str):
    x = K.convert_to_tensor(VECTOR.copy())
    y = getattr(ops, name)(x)
    x.array[0] = 7.0
    np.testing.assert_array_equal(y.numpy(), VECTOR)


def test_arguments_by_name():
    np.testing.assert_array_equal(ops.add(x1=1, x2=VECTOR), VECTOR + 1)
    np.testing.assert_array_equal(ops.sum(x=MATRIX, axis=0), [2, 2, 2])
    np.testing.assert_array_equal(ops.bitwise_and(x=[5, 6], y=3), [1, 2])
    np.testing.assert_array_equal(ops.clip(x=VECTOR, x_min=2, x_max=None), [2, 2, 3])
    np.testing.assert_array_equal(ops.where(condition=VECTOR > 1, x1=VECTOR, x2=0), [0, 2, 3])


def test_dtypes_of_64_bits_stay():
    wide, long = VECTOR.astype("float64"), np.array([1, 2, 3], "int64")
    assert ops.mean(wide).dtype == ops.quantile(wide, 0.3).dtype == "float64"
    np.testing.assert_allclose(ops.quantile(wide, 0.3), np.quantile(wide, 0.3), rtol=1e-15)
    assert ops.sum(long).dtype == ops.add(long, [1, 2, 3]).dtype == "int64"
    assert ops.divide(long, 2).dtype == ops.mean(long).dtype == "float32"


def test_results_follow_floatx():
    K.set_floatx("float64")
    assert ops.divide([1], [2]).dtype == ops.nanmean([1, 2]).dtype == "float64"
    assert ops.hanning(3).dtype == ops.zeros(2).dtype == ops.linspace(0, 1, 3).dtype == "float64"


# Partitions: any order within the parts will do.


@pytest.mark.parametrize("axis", [-1, 0, None])
def test_argpartition_puts_the_kth_in_its_place(axis: int | None):
    x = np.random.default_rng(0).permutation(42).reshape(6, 7).astype("float32")
    places = ops.argpartition(x, 3, axis=axis).numpy()
    y = x.ravel()[places] if axis is None else np.take_along_axis(x, places, axis)
    ordered, along = np.sort(x, axis), -1 if axis is None else axis
    np.testing.assert_array_equal(np.take(y, 3, along), np.take(ordered, 3, along))
    below, above = np.take(y, [0, 1, 2], along), np.take(y, [4, 5], along)
    assert (below.max(along) < np.take(y, 3, along)).all()
    assert (above.min(along) > np.take(y, 3, along)).all()


# vectorize


def test_vectorize_calls_for_each_element():
    function = ops.vectorize(lambda a, b: a if b.item() > 1 else a * 10)
    x = K.convert_to_tensor(MATRIX * 3)
    with K.GradientTape() as tape:
        tape.watch(x)
        y = function(x, [1, 2, 3])
    np.testing.assert_array_equal(y, [[30, 3, 3]] * 2)
    np.testing.assert_array_equal(tape.gradient(y, x), [[10, 1, 1]] * 2)


def test_vectorize_with_a_signature():
    function = ops.vectorize(ops.matmul, signature="(m,n),(n)->(m)")
    x, v = np.arange(12, dtype="float32").reshape(2, 1, 2, 3), MATRIX
    np.testing.assert_array_equal(function(x, v), np.matmul(x, v[..., None])[..., 0])


def test_vectorize_of_several_results_with_excluded_arguments_and_options():
    function = ops.vectorize(lambda x, p, by: (x * p[1], x + by), excluded={1})
    product, total = function(VECTOR, [0, 2], by=1)
    np.testing.assert_array_equal(product, VECTOR * 2)
    np.testing.assert_array_equal(total, VECTOR + 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.vectorize(3), "Expected argument `pyfunc` to be a callable"),
        (lambda: ops.vectorize(min, signature="(n)->()")(1, 2), "has 1 arguments; received 2"),
        (lambda: ops.vectorize(min, signature="(n)->()")(1), "received a tensor of shape ()"),
        (
            lambda: ops.vectorize(min, signature="(n),(n)->()")(VECTOR, [1, 2]),
            "wants (n), with {'n': 3}; received a tensor of shape (2,)",
        ),
        (lambda: ops.vectorize(abs)(MATRIX[:0]), "has no element to be called for"),
        (lambda: ops.average(MATRIX, weights=VECTOR), "expects `weights` of the shape of x, or"),
        (lambda: ops.average(MATRIX, axis=0, weights=VECTOR), "weights.shape=(3,), x.shape=(2, 3)"),
        (lambda: ops.bincount([1, -1]), "expects integers from 0 on; received -1"),
        (lambda: ops.bincount([1], sparse=True), "layerkit has no sparse tensors"),
        (lambda: ops.correlate(MATRIX, VECTOR), "`correlate` expects two vectors"),
        (lambda: ops.correlate(VECTOR, VECTOR, "half"), "received 'half'"),
        (lambda: ops.cross(MATRIX, np.ones(4)), "`x2`'s dim on `axis=-1` must be either 2 or 3"),
        (lambda: ops.diag(np.ones((1, 1, 1))), "`x` must be 1-D or 2-D"),
        (lambda: ops.diagonal(VECTOR), "requires an array of at least two dimensions"),
        (lambda: ops.diagonal(MATRIX, axis1=1, axis2=-1), "cannot be the same"),
        (lambda: ops.diff(VECTOR, -1), "expects an order n >= 0"),
        (lambda: ops.digitize(VECTOR, MATRIX), "`bins` must be a 1D array"),
        (lambda: ops.dsplit(MATRIX, 1), "only works on arrays of at least 3 dimensions"),
        (lambda: ops.fliplr(VECTOR), "`fliplr` requires input with 2 or more dimensions"),
        (lambda: ops.histogram(MATRIX), "Input tensor must be 1-dimensional"),
        (lambda: ops.histogram([np.nan]), "expects finite limits"),
        (lambda: ops.histogram(VECTOR, 0), "should be a positive integer. Received: bins=0"),
        (lambda: ops.histogram(VECTOR, range=[0, 1]), "must be a tuple of two elements"),
        (lambda: ops.histogram(VECTOR, range=(1, 0)), "must be greater than the first"),
        (lambda: ops.hsplit(3.0, 1), "only works on arrays of at least 1 dimension."),
        (lambda: ops.meshgrid(VECTOR, indexing="yx"), "are 'xy' and 'ij', but received 'yx'"),
        (lambda: ops.quantile(VECTOR, 1.5), "Expected q from 0 to 1, parts"),
        (lambda: ops.percentile(VECTOR, -1), "q from 0 to 100, parts of the whole; received q=-1"),
        (lambda: ops.quantile(VECTOR, 0.5, method="hazen"), "received 'hazen'"),
        (lambda: ops.rot90(VECTOR), "Input array must have at least 2 dimensions"),
        (lambda: ops.rot90(MATRIX, axes=(1, -1)), "Invalid axes: (1, -1)"),
        (lambda: ops.searchsorted(MATRIX, 1), "only supports 1-D sorted sequences"),
        (lambda: ops.select(VECTOR > 1, VECTOR), "condlist and choicelist must be lists"),
        (lambda: ops.select([], []), "must not be empty, and of one length"),
        (lambda: ops.vander(MATRIX), "`vander` expects a vector"),
    ],
)
def test_messages(call, message: str):
    with pytest.raises(ValueError) as error:
        call()
    assert message in str(error.value)


def test_no_gradient_is_lost_silently():
    q = K.convert_to_tensor(0.5)
    with K.GradientTape() as tape:
        tape.watch(q)
        for call in (lambda: ops.quantile(VECTOR, q), lambda: ops.logspace(q, 2)):
            with pytest.raises(TypeError, match="would lose the gradient of a watched tensor"):
                call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.ldexp(VECTOR, VECTOR), "ldexp exponent must be an integer type"),
        (lambda: ops.histogram(VECTOR, 2.5), "`bins` must be of type `int`"),
    ],
)
def test_messages_about_types(call, message: str):
    with pytest.raises(TypeError) as error:
        call()
    assert message in str(error.value)
