"""Every layer, from one row of the table: Keras's values and gradients, config, dtype, shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tables.layers import ROWS, Row, upstream

from layerkit import backend as K
from layerkit import layers
from layerkit.layers.layer import _shape_by_running

GOLDEN = Path(__file__).parent / "golden"
ARRAYS = dict(np.load(GOLDEN / "layers.npz"))
KERAS = json.loads((GOLDEN / "layers.json").read_text())["rows"]
NOT_OURS = {"renorm_momentum": 0.99}  # keys of Keras's configs that are no None or False

floats = [row for row in ROWS if row.ids_below is None]
need_all_sizes = ("PReLU", "Reshape", "RepeatVector", "LayerNormalization")
freely_sized = [row for row in ROWS if row.layer not in need_all_sizes and len(row.shape) < 5]


def made(row: Row, **arguments):
    return getattr(layers, row.layer)(**row.arguments, **arguments)


def golden(row: Row, prefix: str) -> dict[int, np.ndarray]:
    start = f"{row}/{prefix}"
    return {
        int(key[len(start) :]): value
        for key, value in ARRAYS.items()
        if key.startswith(start) and key[len(start) :].isdigit()
    }


def with_weights(row: Row, **arguments):
    layer = made(row, **arguments)
    layer.build((None, *row.shape[1:]))
    layer.set_weights(list(golden(row, "w").values()))
    return layer


def called(layer, row: Row, x):
    options = {} if layer._training_index is None else {"training": row.training}
    if row.state:
        options["initial_state"] = list(golden(row, "s").values())
    return layer(x, **options)


def close(y, expected) -> None:
    np.testing.assert_allclose(K.to_numpy(y), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_output_is_that_of_keras(row: Row):
    layer, x = with_weights(row), ARRAYS[f"{row}/x"]
    before = x.copy()
    y = called(layer, row, x)
    close(y, ARRAYS[f"{row}/y"])
    assert y.dtype == np.float32
    np.testing.assert_array_equal(x, before)
    for index, expected in golden(row, "after").items():
        close(layer.weights[index], expected)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_gradients_are_those_of_keras(row: Row):
    layer, x = with_weights(row), K.convert_to_tensor(ARRAYS[f"{row}/x"])
    variables = [layer.weights[index] for index in golden(row, "gw")]
    with K.GradientTape() as tape:
        if row in floats:
            tape.watch(x)
        y = called(layer, row, x)
    of_weights, of_x = tape.gradient(y, [variables, x], output_gradients=upstream(y.shape))
    for gradient, variable, expected in zip(
        of_weights, variables, golden(row, "gw").values(), strict=True
    ):
        close(gradient, expected)
        assert gradient.dtype == variable.dtype
    if row in floats:
        close(of_x, ARRAYS[f"{row}/gx"])


@pytest.mark.parametrize("row", floats, ids=str)
def test_gradients_are_differences(row: Row):
    layer = with_weights(row, dtype="float64")
    variables = [layer.weights[index] for index in golden(row, "gw")]

    def output(x, *values):
        replaced = replace(layer, dict(zip(map(id, variables), values, strict=True)))
        try:
            return called(layer, row, x)
        finally:
            replaced()

    K.check_gradient(output, ARRAYS[f"{row}/x"], *[variable.numpy() for variable in variables])


def replace(layer, values: dict):
    """Put tensors in the place of variables; returns what puts them back."""
    owners = layer._flatten_layers()
    old = [{name: v for name, v in o.__dict__.items() if id(v) in values} for o in owners]
    for owner, own in zip(owners, old, strict=True):
        owner.__dict__.update({name: values[id(v)] for name, v in own.items()})
    return lambda: [o.__dict__.update(own) for o, own in zip(owners, old, strict=True)]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_weights_are_those_of_keras(row: Row):
    layer = with_weights(row)
    assert [w.name for w in layer.weights] == KERAS[str(row)]["weights"]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_config_round_trip(row: Row):
    layer = with_weights(row, name="row")
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert again.get_config() == layer.get_config()
    again.build((None, *row.shape[1:]))
    again.set_weights(layer.get_weights())
    x = ARRAYS[f"{row}/x"]
    np.testing.assert_array_equal(
        K.to_numpy(called(again, row, x)), K.to_numpy(called(layer, row, x))
    )


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_config_is_that_of_keras(row: Row):
    ours, theirs = plain(made(row, name="row").get_config()), KERAS[str(row)]["config"]
    assert type(made(row)).from_config(theirs).get_config() == made(row, name="row").get_config()
    for key, value in theirs.items():
        if key == "dtype":
            continue
        if key not in ours:
            assert value is None or value is False or NOT_OURS.get(key) == value, key
        elif isinstance(value, dict):
            assert ours[key]["class_name"] == value["class_name"]
        else:
            assert ours[key] == value, key


def plain(config: dict) -> dict:
    return json.loads(json.dumps(config))


@pytest.mark.parametrize("batch", [2, None])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_output_shape(row: Row, batch: int | None):
    layer = with_weights(row)
    expected = (batch, *KERAS[str(row)]["output_shape"][1:])
    assert tuple(layer.compute_output_shape((batch, *row.shape[1:]))) == expected
    if batch is None:
        assert _shape_by_running(layer, (None, *row.shape[1:])) == expected


@pytest.mark.parametrize("row", freely_sized, ids=str)
def test_output_shape_with_free_axes(row: Row):
    """Free spatial axes stay free or become known, exactly as running says."""
    first = row.arguments.get("data_format") == "channels_first"
    fixed = 1 if first or row.arguments.get("axis") == 1 else len(row.shape) - 1
    shape = tuple(n if axis == fixed else None for axis, n in enumerate(row.shape))
    layer = with_weights(row)
    assert tuple(layer.compute_output_shape(shape)) == _shape_by_running(layer, shape)


def test_every_layer_has_a_row():
    classes = [thing for thing in vars(layers).values() if isinstance(thing, type)]
    here = [cls for cls in classes if ".preprocessing." not in cls.__module__]
    untested = {cls.__name__ for cls in here} - {row.layer for row in ROWS}
    assert untested == {"Layer", "InputLayer", "InputSpec"}


@pytest.mark.parametrize(
    "layer, shape, together",
    [
        (layers.Dropout(0.4, seed=1), (50, 40), 1),
        (layers.Dropout(0.4, noise_shape=(None, 1), seed=1), (400, 3), 3),
        (layers.SpatialDropout1D(0.4, seed=1), (20, 5, 40), 5),
        (layers.SpatialDropout2D(0.4, seed=1), (20, 3, 2, 40), 6),
    ],
    ids=["all", "rows", "steps", "images"],
)
def test_dropout_in_training(layer, shape: tuple[int, ...], together: int):
    x = K.convert_to_tensor(np.ones(shape, "float32"))
    layer.seed_generator.state = (1, 0)
    with K.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    values = y.numpy()
    np.testing.assert_allclose(np.unique(values), [0, 1 / 0.6], rtol=1e-6)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), values)
    decisions = values.size // together
    assert abs((values == 0).mean() - 0.4) < 4 * np.sqrt(0.24 / decisions)
    assert not np.array_equal(layer(x, training=True).numpy(), values)
    layer.seed_generator.state = (1, 0)
    np.testing.assert_array_equal(layer(x, training=True).numpy(), values)


def test_dropped_channels_are_dropped_everywhere():
    x = np.ones((8, 5, 6, 7), "float32")
    last = layers.SpatialDropout2D(0.5, seed=1)(x, training=True).numpy()
    first = layers.SpatialDropout2D(0.5, seed=1, data_format="channels_first")
    first = first(x, training=True).numpy()
    assert (last == last[:, :1, :1]).all() and (first == first[:, :, :1, :1]).all()
    assert last.std() > 0 and first.std() > 0


@pytest.mark.parametrize(
    "layer",
    [layers.GaussianNoise(0.5, seed=1), layers.GaussianDropout(0.2, seed=1)],
    ids=["noise", "dropout"],
)
def test_noise_in_training(layer):
    y = layer(np.ones((200, 100), "float32"), training=True)
    assert y.dtype == np.float32
    assert abs(y.numpy().mean() - 1) < 0.02
    assert abs(y.numpy().std() - 0.5) < 0.02


def test_embedding_takes_floats_and_weights():
    table = np.arange(6, dtype="float32").reshape(3, 2)
    layer = layers.Embedding(3, 2, weights=[table])
    np.testing.assert_array_equal(layer(np.array([[2.0, 0.0]])).numpy(), table[[[2, 0]]])
    assert "weights" not in layer.get_config()


def test_embedding_warns_of_input_length():
    with pytest.warns(UserWarning, match="`input_length` is deprecated"):
        layers.Embedding(3, 2, input_length=4)


def test_newer_keys_of_keras_are_taken_at_their_defaults():
    assert layers.BatchNormalization(renorm=False, synchronized=False).axis == -1
    assert layers.Dense(2, quantization_config=None).units == 2


def test_rescaling_takes_bytes():
    y = layers.Rescaling(1 / 255)(np.array([[0, 255]], "uint8"))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.numpy(), [[0, 1]])


def test_frozen_batch_normalization_infers():
    layer = layers.BatchNormalization()
    x = np.random.default_rng(0).standard_normal((8, 3)).astype("float32")
    layer(x, training=True)
    moved = layer.moving_mean.numpy()
    layer.trainable = False
    np.testing.assert_array_equal(layer(x, training=True).numpy(), layer(x).numpy())
    np.testing.assert_array_equal(layer.moving_mean.numpy(), moved)


def test_regularizers_constraints_and_initializers_reach_the_weights():
    layer = layers.Conv2D(
        2, 2, kernel_regularizer="l2", bias_constraint="non_neg", bias_initializer="ones"
    )
    layer.build((None, 4, 4, 1))
    assert layer.kernel.regularizer is not None and layer.bias.constraint is not None
    assert len(layer.losses) == 1
    np.testing.assert_array_equal(layer.bias.numpy(), [1, 1])


def lstm(shape: tuple[int, ...], **arguments):
    """An LSTM(4) in float64, built, with a bias that is not zero."""
    layer = layers.LSTM(4, bias_initializer="uniform", dtype="float64", **arguments)
    layer.build(shape)
    return layer


def tanh_step_by_step(x):
    """An activation that the fused operation does not know."""
    return K.tanh(x)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_the_fused_lstm_is_its_cell_step_by_step(go_backwards: bool):
    random = np.random.default_rng(0)
    x, h, c = (random.standard_normal(s) for s in ((3, 6, 2), (3, 4), (3, 4)))
    options = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    fused = lstm(x.shape, **options)
    plain = lstm(x.shape, activation=tanh_step_by_step, **options)
    assert fused.cell.fused and not plain.cell.fused
    plain.set_weights(fused.get_weights())
    found = []
    for layer in fused, plain:
        tensors = [K.convert_to_tensor(a) for a in (x, h, c)]
        with K.GradientTape() as tape:
            tape.watch(tensors)
            results = layer(tensors[0], initial_state=tensors[1:])
            loss = sum(K.sum(K.cos(y)) for y in results)
        found.append([*results, *tape.gradient(loss, [*tensors, *layer.weights])])
    assert len(found[0]) == 3 + 3 + 3
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_the_state_of_an_lstm_can_be_carried_on():
    x = np.random.default_rng(0).standard_normal((3, 6, 2))
    layer = lstm(x.shape, return_sequences=True, return_state=True)
    assert layer.compute_output_shape((3, 6, 2)) == ((3, 6, 4), (3, 4), (3, 4))
    assert _shape_by_running(layer, (None, 6, 2)) == ((None, 6, 4), (None, 4), (None, 4))
    whole, h, c = layer(x)
    np.testing.assert_array_equal(h, whole.numpy()[:, -1])
    first, *state = layer(x[:, :2])
    second, *state = layer(x[:, 2:], initial_state=state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, rtol=1e-12)
    for ours, expected in zip(state, (h, c), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("rates", [(0.5, 0.0), (0.0, 0.5), (0.5, 0.5)], ids=str)
def test_dropout_of_an_lstm(rates: tuple[float, float]):
    x = np.random.default_rng(0).standard_normal((3, 5, 2))
    dropout, recurrent_dropout = rates
    layer = lstm(x.shape, dropout=dropout, recurrent_dropout=recurrent_dropout)

    def output(x):
        layer.cell.seed_generator.state = (1, 0)
        return layer(x, training=True)

    np.testing.assert_array_equal(output(x), output(x))
    assert np.abs(output(x).numpy() - layer(x).numpy()).max() > 1e-3
    assert np.abs(output(x).numpy() - layer(x, training=True).numpy()).max() > 1e-3
    K.check_gradient(output, x)


def test_dropout_of_an_lstm_is_the_same_at_every_step():
    cell = layers.LSTM(40, dropout=0.5, recurrent_dropout=0.5, seed=1).cell
    cell.build((None, 30))
    dropped = cell.drop(K.ones((2, 5, 30)), True).numpy()
    assert set(np.unique(dropped)) == {0, 2} and (dropped == dropped[:, :1]).all()
    cell.recurrent_kernel.assign(np.tile(np.eye(40, dtype="float32"), 4))
    ones = K.ones((2, 40))
    gates = cell.from_state(ones, True)
    kept = gates(ones).numpy()
    assert set(np.unique(kept)) == {0, 2}
    np.testing.assert_array_equal(gates(ones), kept)
    parts = np.split(kept, 4, axis=1)
    assert all((parts[0] != part).any() for part in parts[1:])  # each gate has its own


def test_weights_of_an_lstm():
    layer = layers.LSTM(
        3,
        bias_initializer="zeros",
        kernel_regularizer="l1",
        recurrent_regularizer="l2",
        activity_regularizer="l2",
        recurrent_constraint="max_norm",
    )
    layer(np.ones((2, 4, 5), "float32"))
    kernel, recurrent_kernel, bias = layer.weights
    assert [w.path for w in layer.weights][1] == "lstm_cell/recurrent_kernel"
    assert kernel.shape == (5, 12) and len(layer.losses) == 3
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], 3))
    rows = recurrent_kernel.numpy()
    np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-6)
    assert recurrent_kernel.constraint is not None and kernel.constraint is None
    layer.trainable = False
    assert not layer.trainable_weights and not layer.cell.trainable
