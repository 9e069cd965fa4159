"""Initializers, constraints and regularizers against golden values of Keras."""

import json
from pathlib import Path

import numpy as np
import pytest

import layerkit.backend as K
from layerkit import constraints, initializers, regularizers
from layerkit.backend import SeedGenerator, Variable, set_random_seed
from layerkit.configurable import serialize

GOLDEN = np.load(Path(__file__).parent / "golden" / "initializers.npz")
INITIALIZERS, CONSTRAINTS, REGULARIZERS = (
    json.loads(str(GOLDEN[table])) for table in ("initializers", "constraints", "regularizers")
)


def each(table):
    return pytest.mark.parametrize(
        ("i", "row"), list(enumerate(table)), ids=["-".join(map(str, row)) for row in table]
    )


@each(INITIALIZERS)
def test_initializers_equal_keras(i, row):
    class_name, config, shape = row
    initializer = getattr(initializers, class_name)(**config)
    value = K.to_numpy(initializer(tuple(shape)))
    assert value.dtype == "float32"
    if class_name in ("Orthogonal", "STFT"):  # QR is the linear algebra library's; sines, Keras's
        np.testing.assert_allclose(value, GOLDEN[f"initializer/{i}"], rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_array_equal(value, GOLDEN[f"initializer/{i}"])
    np.testing.assert_array_equal(K.to_numpy(initializer(tuple(shape))), value)
    again = initializers.deserialize(json.loads(json.dumps(serialize(initializer))))
    np.testing.assert_array_equal(K.to_numpy(again(tuple(shape))), value)
    np.testing.assert_array_equal(K.to_numpy(initializer.clone()(tuple(shape))), value)
    assert initializer(tuple(shape), dtype="float64").dtype == "float64"


@each(CONSTRAINTS)
def test_constraints_equal_keras(i, row):
    class_name, config = row
    constraint = getattr(constraints, class_name)(**config)
    w = Variable(GOLDEN["w"])
    np.testing.assert_allclose(constraint(w).numpy(), GOLDEN[f"constraint/{i}"], rtol=1e-6)
    np.testing.assert_array_equal(w.numpy(), GOLDEN["w"])
    assert serialize(constraints.deserialize(serialize(constraint))) == serialize(constraint)


@each(REGULARIZERS)
def test_regularizers_equal_keras(i, row):
    class_name, config = row
    regularizer = getattr(regularizers, class_name)(**config)
    w = Variable(GOLDEN["w"])
    penalty = regularizer(w)
    assert penalty.shape == ()
    np.testing.assert_allclose(penalty.numpy(), GOLDEN[f"regularizer/{i}"], rtol=1e-6)
    assert serialize(regularizers.deserialize(serialize(regularizer))) == serialize(regularizer)
    assert K.gradients(lambda: regularizer(w), w).shape == w.shape


def test_orthogonal_regularizer_of_columns_is_that_of_the_transposed():
    w = GOLDEN["w"]
    columns = regularizers.OrthogonalRegularizer(mode="columns")(K.convert_to_tensor(w))
    rows = regularizers.OrthogonalRegularizer()(K.convert_to_tensor(w.T.copy()))
    np.testing.assert_allclose(columns.numpy(), rows.numpy(), rtol=1e-6)


def test_regularizer_gradients():
    w = Variable([1.0, -2.0])
    np.testing.assert_allclose(
        K.gradients(lambda: regularizers.L1L2(0.5, 0.25)(w), w).numpy(), [1.0, -1.5]
    )


def test_unseeded_initializers():
    set_random_seed(1)
    first, second = initializers.GlorotUniform(), initializers.GlorotUniform()
    assert first.get_config() == {"seed": None}
    draw = lambda initializer: K.to_numpy(initializer((3, 3)))  # noqa: E731
    np.testing.assert_array_equal(draw(first), draw(first))
    assert not np.array_equal(draw(first), draw(second))
    set_random_seed(1)
    np.testing.assert_array_equal(draw(initializers.GlorotUniform()), draw(first))


def test_seed_generator_gives_new_numbers():
    initializer = initializers.RandomNormal(seed=SeedGenerator(1))
    assert not np.array_equal(K.to_numpy(initializer((3,))), K.to_numpy(initializer((3,))))


def test_orthogonal_is_orthogonal():
    q = K.to_numpy(initializers.Orthogonal(seed=0)((5, 3)))
    np.testing.assert_allclose(q.T @ q, np.eye(3), atol=1e-6)


NAMES = [
    (initializers, "glorot_uniform", initializers.GlorotUniform),
    (initializers, "HeNormal", initializers.HeNormal),
    (initializers, "normal", initializers.RandomNormal),
    (initializers, "zero", initializers.Zeros),
    (initializers, "orthogonal", initializers.Orthogonal),
    (initializers, "OrthogonalInitializer", initializers.Orthogonal),
    (initializers, "STFTInitializer", initializers.STFT),
    (initializers, "stft", initializers.STFT),
    (initializers, initializers.Ones, initializers.Ones),
    (initializers, {"class_name": "HeUniform", "config": {"seed": 1}}, initializers.HeUniform),
    (
        initializers,
        {"class_name": "GlorotUniform", "config": {"input_axes": None}},
        initializers.GlorotUniform,
    ),
    (regularizers, "l2", regularizers.L2),
    (regularizers, "l1l2", regularizers.L1L2),
    (regularizers, "l1_l2", regularizers.L1L2),
    (regularizers, "OrthogonalRegularizer", regularizers.OrthogonalRegularizer),
    (constraints, "max_norm", constraints.MaxNorm),
    (constraints, "NonNeg", constraints.NonNeg),
]


@pytest.mark.parametrize(("module", "identifier", "cls"), NAMES, ids=[str(n) for _, n, _ in NAMES])
def test_get(module, identifier, cls):
    assert type(module.get(identifier)) is cls


def test_get_takes_functions_arrays_and_none():
    function = lambda shape, dtype=None: np.full(shape, 7.0, dtype)  # noqa: E731
    assert initializers.get(function) is function
    assert initializers.get(None) is regularizers.get(None) is constraints.get(None) is None
    values = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(K.to_numpy(initializers.get(values)((2, 3))), values)
    variable = Variable(initializers.get("ones"), shape=(2,))
    np.testing.assert_array_equal(variable.numpy(), [1.0, 1.0])


ERRORS = [
    (
        lambda: initializers.get("glorot_unifrm"),
        "Could not interpret initializer identifier: glorot_unifrm. Did you mean 'glorot_uniform'",
    ),
    (lambda: regularizers.get("l3"), "Could not interpret regularizer identifier: l3"),
    (lambda: constraints.get(3), "Could not interpret constraint identifier: 3"),
    (lambda: initializers.get(np.ones(3))((2,)), r"Expected `shape` to be \(3,\) for direct"),
    (lambda: initializers.Identity()((3,)), "can only be used for 2D matrices"),
    (lambda: initializers.Orthogonal()((3,)), "must be at least two-dimensional"),
    (lambda: initializers.VarianceScaling(0.0), "Argument `scale` must be positive"),
    (lambda: initializers.VarianceScaling(mode="fan"), "Invalid `mode` argument: fan"),
    (lambda: initializers.VarianceScaling(distribution="x"), "Invalid `distribution` argument"),
    (lambda: initializers.RandomNormal(seed="a"), "`seed` argument should be an instance"),
    (
        lambda: initializers.VarianceScaling(input_axes=[0]),
        r"`output_axes` together, or neither. Received: input_axes=\[0\], output_axes=None",
    ),
    (lambda: initializers.STFT("re"), "side should be 'real' or 'imag', not re"),
    (lambda: initializers.STFT(window="han"), "Unknown window: 'han'.*Did you mean 'hann'"),
    (lambda: initializers.STFT(scaling="x"), "Scaling is invalid.*Received scaling=x"),
    (
        lambda: initializers.STFT(window=[1.0, 2.0])((3, 1, 3)),
        r"must be equal to \[frame_length\]. Received: window shape=\(2,\), frame_length=3",
    ),
    (lambda: regularizers.L2(-1.0), "Invalid value for argument l2: expected a non-negative"),
    (lambda: regularizers.OrthogonalRegularizer(mode="x"), "Invalid value for argument `mode`"),
    (
        lambda: regularizers.OrthogonalRegularizer()(K.convert_to_tensor([1.0])),
        "must have rank 2",
    ),
]


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[m for _, m in ERRORS])
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "base", [initializers.Initializer, regularizers.Regularizer, constraints.Constraint]
)
def test_bases_say_what_to_write(base):
    with pytest.raises(NotImplementedError, match="must implement"):
        base()((1,))
