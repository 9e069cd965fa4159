"""The engine: what a tape records, what it returns, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import backend as K

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]], "float32")


def watched(tape, value=X):
    x = K.convert_to_tensor(value)
    tape.watch(x)
    return x


def recorded(function, *values, **tape_options):
    """The tape, the watched inputs and the result of `function`."""
    with K.GradientTape(**tape_options) as tape:
        tensors = [watched(tape, value) for value in values]
        result = function(*tensors)
    return tape, tensors, result


# Gradients


def test_gradient_of_a_chain():
    tape, [x], y = recorded(lambda x: K.sum(K.exp(x) * x), X)
    np.testing.assert_allclose(tape.gradient(y, x), np.exp(X) * (1 + X), rtol=1e-6)


def test_contributions_of_every_use_are_added():
    tape, [x], y = recorded(lambda x: x * x + 3 * x, X)
    np.testing.assert_allclose(tape.gradient(y, x), 2 * X + 3)


def test_gradients_come_in_the_structure_of_the_sources():
    tape, [a, b, c], y = recorded(lambda a, b, c: K.sum(a * b + c), X, X, X)
    gradients = tape.gradient(y, {"first": [a, b], "last": (c,)})
    assert set(gradients) == {"first", "last"} and isinstance(gradients["last"], tuple)
    np.testing.assert_array_equal(gradients["first"][0], X)
    np.testing.assert_array_equal(gradients["last"][0], np.ones_like(X))


def test_a_structure_of_targets_is_summed_with_its_weights():
    tape, [x], (y, z) = recorded(lambda x: (2 * x, x * x), X)
    gradient = tape.gradient([y, z], x, output_gradients=[np.full(X.shape, 3.0), None])
    np.testing.assert_allclose(gradient, 6 + 2 * X)


def test_the_gradient_of_a_target_with_respect_to_itself_is_one():
    tape, [x], _ = recorded(lambda x: x + 1, X)
    np.testing.assert_array_equal(tape.gradient(x, x), np.ones_like(X))


def test_an_intermediate_result_can_be_a_source():
    tape, [x], (y, z) = recorded(lambda x: (y := x * 2, y * y), X)
    gy, gx = tape.gradient(z, [y, x])
    np.testing.assert_allclose(gy, 4 * X)
    np.testing.assert_allclose(gx, 8 * X)


def test_an_unconnected_source_gives_none():
    tape, [x, other], y = recorded(lambda x, other: x * 2, X, X)
    assert tape.gradient(y, other) is None


def test_broadcasting_is_undone():
    tape, [a, b, c], y = recorded(
        lambda a, b, c: a * b + c, np.ones((2, 1, 3)), np.ones((4, 1)), np.float64(1)
    )
    shapes = [g.shape for g in tape.gradient(y, [a, b, c])]
    assert shapes == [(2, 1, 3), (4, 1), ()]


def test_an_unused_result_of_several_has_no_say():
    tape, [x], parts = recorded(lambda x: K.split(x, 3, axis=1), X)
    gradient = tape.gradient(parts[1], x)
    np.testing.assert_array_equal(gradient, [[0, 1, 0], [0, 1, 0]])


def test_an_own_operation_with_several_results():
    @K.primitive
    def both(x, /):
        def vjp(g_sum, g_square):
            g_sum, g_square = (0 if g is None else g for g in (g_sum, g_square))
            return g_sum + g_square * 2 * x

        return (x.sum(), x * x), vjp

    tape, [x], (total, squares) = recorded(both, X, persistent=True)
    np.testing.assert_array_equal(tape.gradient(total, x), np.ones_like(X))
    np.testing.assert_array_equal(tape.gradient([total, squares], x), 1 + 2 * X)
    K.check_gradient(both, X)


def test_inner_tapes_record_beside_outer_ones():
    with K.GradientTape() as outer, K.GradientTape() as inner:
        x = K.Variable([2.0])
        y = x * x
    assert float(inner.gradient(y, x)[0]) == float(outer.gradient(y, x)[0]) == 4.0


# Watching


def test_trainable_variables_are_watched_by_themselves():
    v, frozen = K.Variable(X), K.Variable(X, trainable=False)
    with K.GradientTape() as tape:
        y = v * frozen
    gv, gf = tape.gradient(y, [v, frozen])
    np.testing.assert_array_equal(gv, X)
    assert gf is None


def test_variables_are_not_watched_where_told_so():
    v = K.Variable(X)
    with K.GradientTape(watch_accessed_variables=False) as tape:
        y = v * 2
    with pytest.raises(ValueError, match="not computed from anything that this tape watches"):
        tape.gradient(y, v)


def test_watch_takes_structures():
    a, b = K.convert_to_tensor(X), K.convert_to_tensor(X)
    with K.GradientTape() as tape:
        tape.watch({"a": a, "b": [b]})
        y = a * b
    assert all(g is not None for g in tape.gradient(y, [a, b]))


def test_watching_an_array_raises():
    with pytest.raises(TypeError, match="expects a Tensor; received ndarray"):
        K.GradientTape().watch(X)


def test_watching_integers_raises():
    with pytest.raises(TypeError, match="Only floating tensors have gradients"):
        K.GradientTape().watch(K.convert_to_tensor([1, 2]))


def test_nothing_is_recorded_outside_of_the_block_or_while_stopped():
    with K.GradientTape() as tape:
        x = watched(tape)
        with tape.stop_recording():
            hidden = x * 2
    late = x * 2
    assert not tape.watches(hidden) and not tape.watches(late)


def test_stop_gradient_cuts():
    tape, [x], y = recorded(lambda x: K.stop_gradient(x) * x, X)
    np.testing.assert_array_equal(tape.gradient(y, x), X)


# Lifetime of a tape


def test_a_consumed_tape_raises():
    tape, [x], y = recorded(lambda x: x * x, X)
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, x)


def test_a_persistent_tape_can_be_asked_again():
    tape, [x], (y, z) = recorded(lambda x: (x * 2, x * x), X, persistent=True)
    np.testing.assert_array_equal(tape.gradient(y, x), np.full_like(X, 2))
    np.testing.assert_array_equal(tape.gradient(z, x), 2 * X)
    np.testing.assert_array_equal(tape.gradient(z, x), 2 * X)


def test_reset_forgets():
    tape, [x], y = recorded(lambda x: x * x, X)
    tape.reset()
    assert not tape.watches(x) and not tape.watches(y)


@pytest.mark.parametrize("target", [K.convert_to_tensor(X), X, 1.0, None])
def test_a_target_that_was_not_recorded_raises(target):
    tape, [x], _ = recorded(lambda x: x * x, X)
    with pytest.raises(ValueError, match="The target was not computed from anything"):
        tape.gradient(target, x)


def test_assigning_leaves_alone_what_was_recorded_or_computed():
    v, scale = K.Variable(X), K.Variable(2 * X, trainable=False)
    with K.GradientTape() as tape:
        y, view = v * v * scale, K.reshape(v, (3, 2))
        scale.assign(X)
    v.assign_add(X)
    np.testing.assert_allclose(tape.gradient(y, v), 4 * X * X)
    np.testing.assert_array_equal(view, X.reshape(3, 2))


def test_a_variable_changed_in_place_since_raises():
    v = K.Variable(X)
    with K.GradientTape() as tape:
        y = v * v
    v.array += 1
    v.version += 1
    with pytest.raises(RuntimeError, match="'variable' was changed after this tape recorded it"):
        tape.gradient(y, v)


def test_a_tape_cannot_be_entered_twice():
    with K.GradientTape() as tape, pytest.raises(RuntimeError, match="recording already"):
        tape.__enter__()


def test_a_tape_whose_gradient_failed_is_consumed():
    @K.primitive
    def broken(x, /):
        return x * 1, lambda g: 1 / 0

    tape, [x], y = recorded(lambda x: broken(x * 2), X)
    for error in (ZeroDivisionError, RuntimeError):
        with pytest.raises(error):
            tape.gradient(y, x)


def test_asking_whether_a_variable_is_watched_records_nothing():
    v = K.Variable(X)
    with K.GradientTape() as tape:
        y = watched(tape) * 2
        assert tape.watches(v)
    v.version += 1
    assert tape.gradient(y, v) is None


def test_the_derivative_of_a_gradient_raises():
    w = K.Variable(X)
    with K.GradientTape() as outer:
        with K.GradientTape() as inner:
            x = watched(inner)
            y = K.sum(x * x * w)
        g = inner.gradient(y, x)
        penalty = K.sum(g * g) + K.sum(w)
    with pytest.raises(NotImplementedError, match="first order"):
        outer.gradient(penalty, w)


def test_a_gradient_as_a_constant():
    v = K.Variable(X)
    with K.GradientTape() as tape:
        g = K.gradients(K.sum(v * v), v)
        y = K.sum(K.stop_gradient(g) * v)
    np.testing.assert_allclose(tape.gradient(y, v), 2 * X)


@pytest.mark.parametrize("weights", [[1.0, 2.0], np.ones((2, 2, 3)), 1.0])
def test_weights_of_another_shape_raise(weights):
    tape, [x], y = recorded(lambda x: x * 2, X)
    with pytest.raises(ValueError, match=r"must have the shape of their target, \(2, 3\)"):
        tape.gradient(y, x, output_gradients=weights)


def test_weights_of_another_number_raise():
    tape, [x], y = recorded(lambda x: x * 2, X)
    with pytest.raises(ValueError, match="structure of the target, 2 tensors; received 1"):
        tape.gradient([y, x], x, output_gradients=[X])


def test_a_source_that_is_no_tensor_raises():
    tape, _, y = recorded(lambda x: x * 2, X)
    with pytest.raises(TypeError, match="expects tensors as sources.*received ndarray"):
        tape.gradient(y, X)


# K.gradients


def test_gradients_of_a_function():
    v, x = K.Variable(X, trainable=False), K.convert_to_tensor(X)
    gv, gx = K.gradients(lambda: K.sum(v * x), [v, x])
    np.testing.assert_array_equal(gv, X)
    np.testing.assert_array_equal(gx, X)


def test_gradients_of_a_tensor_under_the_open_tape():
    v = K.Variable(X)
    with K.GradientTape() as tape:
        y = K.sum(v * v)
        inside = K.gradients(y, v)
        z = y * 2
    np.testing.assert_array_equal(inside, 2 * X)
    np.testing.assert_array_equal(tape.gradient(z, v), 4 * X)


def test_gradients_of_a_tensor_without_a_tape_raises():
    with pytest.raises(RuntimeError, match="no GradientTape is open"):
        K.gradients(K.convert_to_tensor(X), K.Variable(X))


# Dtypes


@pytest.mark.parametrize("number", [2, 2.5, True, np.float64(2.5), np.int64(3), np.float32(1)])
@pytest.mark.parametrize("operation", [K.add, K.multiply, K.divide, K.power, K.maximum])
def test_scalars_do_not_widen_float32(operation, number):
    x = K.abs(K.convert_to_tensor(X)) + 1
    assert operation(x, number).dtype == operation(number, x).dtype == np.float32


I32, BOOL, F32, F16 = (np.ones(2, t) for t in ("int32", "bool", "float32", "float16"))


@pytest.mark.parametrize(
    ("operation", "x1", "x2", "dtype"),
    [
        (K.multiply, I32, 1.5, "float32"),
        (K.multiply, I32, F32, "float32"),
        (K.multiply, I32, F16, "float16"),
        (K.multiply, F32, BOOL, "float32"),
        (K.multiply, I32, 2, "int32"),
        (K.multiply, np.ones(2, "uint8"), 2, "uint8"),
        (K.add, BOOL, 1, "int32"),
        (K.add, BOOL, 1.0, "float32"),
        (K.divide, I32, I32, "float32"),
        (K.divide, I32, 2, "float32"),
        (K.divide, np.ones(2, "uint8"), 255.0, "float32"),
        (K.floor_divide, I32, 2, "int32"),
        (K.power, I32, 0.5, "float32"),
        (K.maximum, I32, 0.5, "float32"),
        (K.arctan2, I32, I32, "float32"),
        (K.matmul, np.ones((2, 2), "int32"), F32, "float32"),
        (K.dot, I32, 2.0, "float32"),
        (K.outer, I32, F32, "float32"),
    ],
)
def test_dtypes_of_mixed_operands(operation, x1, x2, dtype):
    assert operation(x1, x2).dtype == dtype


@pytest.mark.parametrize("operation", [K.exp, K.sqrt, K.mean, K.var, K.norm, K.floor, K.logsumexp])
def test_integers_are_computed_in_floatx(operation):
    assert operation(I32).dtype == "float32"
    K.set_floatx("float16")
    assert operation(I32).dtype == "float16"


@pytest.mark.parametrize(
    ("operation", "x", "dtype"),
    [
        (K.sum, BOOL, "int32"),
        (K.sum, I32, "int32"),
        (K.sum, np.ones(2, "uint8"), "uint32"),
        (K.prod, BOOL, "int32"),
        (K.cumsum, BOOL, "int32"),
        (K.argmax, F32, "int32"),
        (K.argsort, F32, "int32"),
        (K.count_nonzero, F32, "int32"),
        (K.sum, F16, "float16"),
    ],
)
def test_dtypes_of_reductions(operation, x, dtype):
    assert operation(x).dtype == dtype


def test_gradients_have_the_dtype_of_their_source():
    tape, [x, y], z = recorded(lambda x, y: x * y, F16, F32)
    assert [g.dtype for g in tape.gradient(z, [x, y])] == ["float16", "float32"]


# Variables


def test_a_value_of_another_shape_cannot_be_assigned():
    v = K.Variable(X, name="kernel")
    with pytest.raises(ValueError, match=r"'kernel' has shape \(2, 3\).* of shape \(3,\)"):
        v.assign(np.ones(3))


def test_an_initial_value_must_have_the_shape():
    with pytest.raises(ValueError, match=r"expects shape \(3,\)"):
        K.Variable(X, shape=(3,))


def test_assigning():
    v = K.Variable([1.0, 2.0])
    v.assign([3, 4])
    v.assign_add(1.0)
    v.assign_sub(K.convert_to_tensor(np.array([1.0, 0.0])))
    np.testing.assert_array_equal(v, [3, 5])
    assert v.dtype == "float32"


def test_an_assigned_value_is_copied():
    value = np.ones(2, "float32")
    v = K.Variable([1.0, 2.0]).assign(value)
    value[0] = 5
    np.testing.assert_array_equal(v, [1, 1])


def test_what_is_added_cannot_change_the_shape():
    with pytest.raises(ValueError, match=r"'kernel' has shape \(3,\).* of shape \(2, 3\)"):
        K.Variable([1.0, 2.0, 3.0], name="kernel").assign_add(X)


# Conversion


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int32"),
        (2**40, "int64"),
        ([1, -(2**31) - 1], "int64"),
        ([], "float32"),
        (2.5, "float32"),
        ([np.ones(2), [1, 2]], "float32"),
        (np.float64(1), "float64"),
        (True, "bool"),
    ],
)
def test_dtypes_of_conversion(value, dtype):
    assert K.convert_to_tensor(value).dtype == dtype


@pytest.mark.parametrize("value", ["abc", ["a"], None, 1j, {"a": 1}, [[1], [2, 3]], [[1], "a"]])
def test_what_is_no_tensor(value):
    with pytest.raises(ValueError, match="expected numbers in a rectangular nesting"):
        K.convert_to_tensor(value)


def test_a_list_of_watched_tensors_raises():
    with K.GradientTape() as tape:
        x = watched(tape)
        with pytest.raises(TypeError, match=r"would lose the gradient.* use stack\(list\)"):
            K.sum([x, x])


# The checker


def test_the_checker_accepts_a_right_derivative():
    K.check_gradient(lambda x: x**3, X + 4)


def test_the_checker_refuses_a_derivative_wrong_by_half_a_thousandth():
    @K.primitive
    def cube(x, /):
        return x**3, lambda g: g * 3 * x * x * 1.0005

    with pytest.raises(AssertionError, match="The gradient of cube is wrong"):
        K.check_gradient(cube, X)


def test_the_checker_refuses_a_gradient_at_the_wrong_place():
    @K.primitive
    def reverse(x, /):
        return x[::-1] * 1.0, lambda g: g

    with pytest.raises(AssertionError, match="reverse"):
        K.check_gradient(reverse, X)


def test_the_checker_needs_a_float():
    with pytest.raises(ValueError, match="needs a floating input"):
        K.check_gradient(K.square, np.arange(3))


def test_a_numpy_function_inside_a_tape_does_not_lose_the_gradient_silently():
    v = K.Variable([1.0, 2.0])
    with K.GradientTape(), pytest.raises(TypeError, match="would lose the gradient"):
        np.concatenate([v * 2.0, [3.0]])
    np.testing.assert_array_equal(np.concatenate([v * 2.0, [3.0]]), [2.0, 4.0, 3.0])
