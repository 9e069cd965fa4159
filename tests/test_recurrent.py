"""Recurrent layers, from one row of their table each: Keras's values, gradients and configs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tables.recurrent import ROWS, Row, made, upstream

import layerkit
from layerkit import backend as K
from layerkit import layers
from layerkit.backend import tree
from layerkit.saving import deserialize_keras_object, serialize_keras_object

GOLDEN = Path(__file__).parent / "golden"
ARRAYS = dict(np.load(GOLDEN / "recurrent.npz"))
KERAS = json.loads((GOLDEN / "recurrent.json").read_text())["rows"]

fused = ("GRU:masked state", "LSTM:masked state", "LSTM:masked zeros", "Bidirectional:masked")
stepped = ("SimpleRNN:masked", "GRU:hard masked", "GRU:before masked", "RNN:stack masked")
differentiable = [row for row in ROWS if str(row) in (*fused, *stepped, "ConvLSTM2D:first")]


def golden(row: Row, prefix: str) -> list[np.ndarray]:
    start, found = f"{row}/{prefix}", {}
    for key, value in ARRAYS.items():
        if key.startswith(start) and key[len(start) :].isdigit():
            found[int(key[len(start) :])] = value.astype("float64")
    return [found[index] for index in range(len(found))]


def with_weights(row: Row, **arguments):
    layer = made(layers, row.layer, **arguments)
    layer.build((None, *row.shape[1:]))
    layer.set_weights(golden(row, "w"))
    return layer


def called(layer, row: Row, x, states=()) -> list:
    options = {} if row.mask is None else {"mask": row.mask}
    if states:
        options["initial_state"] = list(states)
    return tree.flatten(layer(x, **options))


def close(found, expected) -> None:
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(K.to_numpy(ours), theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_values_and_gradients_are_those_of_keras(row: Row):
    layer = with_weights(row, dtype="float64")
    if row.twice:
        close(called(layer, row, ARRAYS[f"{row}/x0"]), golden(row, "first"))
    x = K.convert_to_tensor(ARRAYS[f"{row}/x"].astype("float64"))
    states = [K.convert_to_tensor(state) for state in golden(row, "s")]
    with K.GradientTape() as tape:
        tape.watch([x, *states])
        outputs = called(layer, row, x, states)
    close(outputs, golden(row, "y"))
    assert all(y.dtype == np.float64 for y in outputs)
    gradients = tape.gradient(
        outputs,
        [x, *states, *layer.trainable_weights],
        output_gradients=[K.convert_to_tensor(upstream(y.shape)) for y in outputs],
    )
    expected = [ARRAYS[f"{row}/gx"], *golden(row, "gs"), *golden(row, "gw")]
    close(gradients, expected)
    if row.twice:
        layer.reset_state()
        close(called(layer, row, x), golden(row, "reset"))


@pytest.mark.parametrize("row", differentiable, ids=str)
def test_gradients_are_differences(row: Row):
    layer = with_weights(row, dtype="float64")
    count = len(golden(row, "s"))

    def outputs(x, *rest):
        states, values = rest[:count], rest[count:]
        owners = [owner for owner in layer._flatten_layers() if owner._own_variables()]
        old = [dict(owner.__dict__) for owner in owners]
        values = dict(zip(map(id, layer.weights), values, strict=True))
        for owner, own in zip(owners, old, strict=True):
            owner.__dict__.update({k: values[id(v)] for k, v in own.items() if id(v) in values})
        try:
            return sum(K.sum(K.cos(y)) for y in called(layer, row, x, states))
        finally:
            for owner, own in zip(owners, old, strict=True):
                owner.__dict__.update(own)

    K.check_gradient(outputs, ARRAYS[f"{row}/x"], *golden(row, "s"), *golden(row, "w"))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_shapes_and_weights_are_those_of_keras(row: Row):
    layer, about = with_weights(row), KERAS[str(row)]
    assert [w.name for w in layer.weights] == [path.split("/")[-1] for path in about["weights"]]
    shapes = json.loads(json.dumps(layer.compute_output_shape(row.shape)))
    if row.label != "pair":  # for which Keras counts the forward layer's units twice
        assert shapes == about["output_shape"]
    y = layer(ARRAYS[f"{row}/x"])
    assert json.loads(json.dumps(tree.map_structure(lambda t: t.shape, y))) == shapes
    assert all(t.dtype == np.float32 for t in tree.flatten(y))
    free = layer.compute_output_shape((None, *row.shape[1:]))
    assert tree.flatten(free)[0] is None


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_config_goes_to_keras_and_back(row: Row):
    theirs = KERAS[str(row)]["layer"]
    layer = deserialize_keras_object(theirs)
    ours = json.loads(json.dumps(serialize_keras_object(layer)))
    assert_covers(ours["config"], theirs["config"])
    again = deserialize_keras_object(ours)
    assert again.get_config() == layer.get_config()
    assert [w.shape for w in again.weights] == [w.shape for w in layer.weights]
    again.set_weights(golden(row, "w"))
    x = ARRAYS[f"{row}/x"]
    for y, expected in zip(called(again, row, x), called(with_weights(row), row, x), strict=True):
        np.testing.assert_array_equal(y, expected)


def assert_covers(ours, theirs) -> None:
    """Ours says what Keras's config says; the types of numbers and newer keys aside."""
    if isinstance(theirs, dict):
        for key, value in theirs.items():
            if key in ("dtype", "build_config", "registered_name"):
                continue
            if key in ours:
                assert_covers(ours[key], value)
            else:
                assert value is None or value is False or value == 0.99, key
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_covers(one, other)
    else:
        assert ours == theirs


def test_names_of_weights_and_layers():
    layer = layers.Bidirectional(layers.LSTM(2, name="lstm"))
    layer(np.ones((1, 2, 3), "float32"))
    assert (layer.forward_layer.name, layer.backward_layer.name) == (
        "forward_lstm",
        "backward_lstm",
    )
    assert [w.path for w in layer.weights][:2] == [
        "bidirectional/forward_lstm/lstm_cell/kernel",
        "bidirectional/forward_lstm/lstm_cell/recurrent_kernel",
    ]
    assert layer.layer is layer.forward_layer
    weights = [np.full(w.shape, i, "float32") for i, w in enumerate(layer.weights)]
    given = layers.Bidirectional(layers.LSTM(2), weights=weights)
    given.build((None, 2, 3))
    np.testing.assert_array_equal(given.backward_layer.cell.bias, weights[-1])
    assert "weights" not in given.get_config()


# --- one operation or step by step -------------------------------------------------------------


def tanh_step_by_step(x):
    """An activation that the fused operations do not know."""
    return K.tanh(x)


def built(name: str, shape: tuple[int, ...], units: int = 4, **arguments):
    """A layer in float64, with a bias that is not zero."""
    arguments = {"bias_initializer": "uniform", "dtype": "float64", **arguments}
    layer = getattr(layers, name)(units, **arguments)
    layer.build(shape)
    return layer


@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
@pytest.mark.parametrize("go_backwards", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_one_operation_is_the_cell_step_by_step(name: str, go_backwards: bool, masked: bool):
    random = np.random.default_rng(0)
    x = random.standard_normal((3, 6, 2))
    states = [random.standard_normal((3, 4)) for _ in range(2 if name == "LSTM" else 1)]
    mask = random.random((3, 6)) < 0.6 if masked else None
    options = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    whole = built(name, x.shape, **options)
    stepped = built(name, x.shape, activation=tanh_step_by_step, **options)
    stepped.set_weights(whole.get_weights())
    found = []
    for layer, is_whole in (whole, True), (stepped, False):
        tensors = [K.convert_to_tensor(a) for a in (x, *states)]
        given = (tensors[0], tensors[1:], None, go_backwards, False)
        assert (layer.cell.whole(*given) is not None) == is_whole
        with K.GradientTape() as tape:
            tape.watch(tensors)
            results = layer(tensors[0], initial_state=tensors[1:], mask=mask)
            loss = sum(K.sum(K.cos(y)) for y in results)
        found.append([*results, *tape.gradient(loss, [*tensors, *layer.weights])])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(K.to_numpy(a), K.to_numpy(b), rtol=1e-10, atol=1e-12)


def test_what_is_left_out_may_be_anything():
    x = np.random.default_rng(0).standard_normal((2, 4, 3))
    mask = np.array([[1, 1, 0, 0], [0, 1, 1, 1]])  # of any dtype
    spoiled = np.where(mask[..., None], x, np.nan)
    for name in ("LSTM", "GRU"):
        layer = built(name, x.shape, return_sequences=True)
        expected = layer(x, mask=mask)
        np.testing.assert_array_equal(layer(spoiled, mask=mask), expected)


def test_a_cell_called_step_by_step_is_its_layer():
    x = np.random.default_rng(0).standard_normal((3, 6, 2))
    for name in ("SimpleRNN", "GRU", "LSTM"):
        layer = built(name, x.shape)
        states = layer.get_initial_state(3)
        for t in range(6):
            output, states = layer.cell(K.convert_to_tensor(x[:, t]), states)
        np.testing.assert_allclose(output, layer(x), rtol=1e-12)


def test_states_that_are_no_list_stay_so():
    x, h = K.ones((2, 3)), K.zeros((2, 4))
    for cell in (layers.SimpleRNNCell(4), layers.GRUCell(4)):
        output, state = cell(x, h)
        np.testing.assert_array_equal(output, state)
        _, states = cell(x, [h])
        assert isinstance(states, list)


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU", "LSTM"])
def test_the_state_can_be_carried_on(name: str):
    x = np.random.default_rng(0).standard_normal((3, 6, 2))
    layer = built(name, x.shape, return_sequences=True, return_state=True)
    whole, *last = layer(x)
    np.testing.assert_array_equal(last[0], whole.numpy()[:, -1])
    first, *state = layer(x[:, :2])
    second, *state = layer(x[:, 2:], initial_state=state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, rtol=1e-12)
    for ours, expected in zip(state, last, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12)


# --- cells of the user's -----------------------------------------------------------------------


class RunningSum(layers.Layer):
    """The running sum, and its square, as nested states."""

    state_size = 3
    output_size = 3

    def call(self, inputs, states):
        return 2 * (states[0] + inputs), [states[0] + inputs]


class NoLayer:
    state_size = (2, 2)

    def call(self, inputs, states, training=False):
        a, b = states
        return a + inputs, (a + inputs, b + 1)


def test_a_cell_of_the_users():
    x = np.arange(24, dtype="float32").reshape(2, 4, 3)
    layer = layers.RNN(RunningSum(), return_sequences=True, return_state=True)
    y, state = layer(x)
    np.testing.assert_allclose(y, 2 * x.cumsum(axis=1))
    np.testing.assert_allclose(state, x.sum(axis=1))
    assert layer.compute_output_shape((2, 4, 3)) == ((2, 4, 3), (2, 3))
    again = layers.RNN.from_config(layer.get_config())
    np.testing.assert_array_equal(again(x)[0], y)
    mask = np.array([[0, 1, 0, 1], [1, 1, 0, 0]], bool)
    y, _ = layer(x, mask=mask)
    np.testing.assert_allclose(y.numpy()[0, :, 0], [0, 6, 6, 24])
    np.testing.assert_allclose(y.numpy()[1, :, 0], [24, 54, 54, 54])


def test_a_cell_that_is_no_layer():
    x = np.ones((3, 4, 2), "float32")
    y, a, b = layers.RNN(NoLayer(), return_state=True)(x)
    np.testing.assert_array_equal(y, 4 * x[:, 0])
    np.testing.assert_array_equal(b, 4 * x[:, 0])
    stack = layers.RNN([NoLayer(), NoLayer()], return_state=True)
    y, *states = stack(x)
    np.testing.assert_array_equal(y, 10 * x[:, 0])
    assert [[s.shape for s in pair] for pair in states] == [[(3, 2), (3, 2)]] * 2
    assert stack.compute_output_shape((3, 4, 2)) == ((3, 2), *[[(3, 2), (3, 2)]] * 2)


def test_stacked_cells_carry_their_states_on():
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    layer = layers.RNN(
        [layers.GRUCell(2), layers.LSTMCell(3)], return_state=True, return_sequences=True
    )
    whole, *_ = layer(x)
    _, *states = layer(x[:, :2])
    second, *_ = layer(x[:, 2:], initial_state=states)
    np.testing.assert_allclose(second, whole[:, 2:], rtol=1e-5)


# --- dropout -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rates", [(0.5, 0.0), (0.0, 0.5), (0.5, 0.5)], ids=str)
@pytest.mark.parametrize("name", ["SimpleRNN", "GRU", "GRU before", "LSTM"])
def test_dropout(name: str, rates: tuple[float, float]):
    x = np.random.default_rng(0).standard_normal((3, 5, 2))
    more = {"reset_after": False} if name == "GRU before" else {}
    dropout, recurrent_dropout = rates
    layer = built(
        name.split()[0], x.shape, dropout=dropout, recurrent_dropout=recurrent_dropout, **more
    )

    def output(x):
        layer.cell.seed_generator.state = (1, 0)
        return layer(x, training=True)

    np.testing.assert_array_equal(output(x), output(x))
    assert np.abs(output(x).numpy() - layer(x).numpy()).max() > 1e-3
    assert np.abs(output(x).numpy() - layer(x, training=True).numpy()).max() > 1e-3
    K.check_gradient(output, x)


@pytest.mark.parametrize("arguments, count", [({}, None), ({"recurrent_dropout": 0.5}, 4)])
def test_masks_of_dropout_stay_until_they_are_reset(arguments: dict, count: int | None):
    cell = layers.LSTMCell(40, dropout=0.5, seed=1, **arguments)
    x = K.ones((2, 30))
    masks = cell.get_dropout_mask(x)
    assert cell.get_dropout_mask(x) is masks
    parts = [masks] if count is None else masks
    assert len(parts) == (count or 1)
    assert all(set(np.unique(part)) == {0, 2} for part in parts)
    assert all((parts[0].numpy() != part.numpy()).any() for part in parts[1:])
    cell.reset_dropout_mask()
    assert (tree.flatten(cell.get_dropout_mask(x))[0].numpy() != parts[0].numpy()).any()
    recurrent = cell.get_recurrent_dropout_mask(x)
    assert (recurrent is None) == (count is None)
    cell.reset_recurrent_dropout_mask()


def test_dropout_is_the_same_at_every_step_and_another_one_in_the_next_call():
    layer = layers.SimpleRNN(30, dropout=0.5, activation=None, use_bias=False, seed=1)
    layer.build((None, 4, 30))
    layer.set_weights([np.eye(30), np.zeros((30, 30))])
    layer.return_sequences = True
    y = layer(np.ones((2, 4, 30), "float32"), training=True).numpy()
    assert set(np.unique(y)) == {0, 2} and (y == y[:, :1]).all()
    assert (layer(np.ones((2, 4, 30), "float32"), training=True).numpy() != y).any()
    stack = layers.RNN([layers.GRUCell(3, dropout=0.5), layers.SimpleRNNCell(2, dropout=0.5)])
    first = stack(np.ones((5, 4, 3), "float32"), training=True)
    stack(np.ones((2, 4, 3), "float32"), training=True)  # masks of the first batch would not fit
    assert first.shape == (5, 2)


def test_implementation_one_drops_the_inputs_of_each_gate_apart():
    layer = layers.GRU(3, dropout=0.5, implementation=1)
    assert layer.cell.dropout_mask_count == 3
    assert layer(np.ones((2, 4, 3), "float32"), training=True).shape == (2, 3)
    assert "implementation" not in layer.get_config()


# --- stateful ----------------------------------------------------------------------------------


@pytest.mark.parametrize("compiled", [{"jit_compile": False}, {}], ids=["plain", "traced"])
def test_a_stateful_layer_in_training_goes_on_where_it_was(compiled: dict):
    random = np.random.default_rng(0)
    model = layerkit.Sequential([layers.GRU(3, stateful=True), layers.Dense(1)])
    model.compile("sgd", "mse", **compiled)
    plain, state = layers.GRU(3, return_state=True), np.zeros((2, 3))
    for _ in range(5):
        x = random.standard_normal((2, 3, 2)).astype("float32")
        if not model.built:
            model.build((2, 3, 2))
            plain.build((2, 3, 2))
        plain.set_weights(model.layers[0].get_weights())
        model.train_on_batch(x, np.ones((2, 1), "float32"))
        _, state = plain(x, initial_state=state)
        np.testing.assert_allclose(model.layers[0].states[0], state, rtol=1e-5, atol=1e-6)
    assert len(model.weights) == 5  # states are no weights
    model.layers[0].reset_states()
    assert not model.layers[0].states[0].numpy().any()


def test_a_stateful_model_learns_of_the_batch_from_its_data():
    model = layerkit.Sequential([layers.SimpleRNN(3, stateful=True), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((8, 3, 2), "float32")
    model.fit(x, x[:, 0, :1], batch_size=4, epochs=2, verbose=0)
    assert model.layers[0].states[0].shape == (4, 3)
    with pytest.raises(ValueError, match="Expected batch size: 4. Received batch size: 2"):
        model.fit(x[:6], x[:6, 0, :1], batch_size=4, verbose=0)


def test_states_are_made_for_a_batch_that_build_knows():
    layer = layers.LSTM(3, stateful=True)
    layer.build((2, 4, 5))
    assert [state.shape for state in layer.states] == [(2, 3)] * 2
    both = layers.Bidirectional(layers.GRU(3, stateful=True))
    assert both.states is None
    both.build((2, 4, 5))
    both(np.ones((2, 4, 5), "float32"))
    assert len(both.states) == 2 and both.states[0].numpy().any()
    both.reset_states()
    assert not any(state.numpy().any() for state in both.states)


# --- masks -------------------------------------------------------------------------------------


def test_masks_of_outputs():
    mask = K.ones((2, 4), dtype="bool")
    for cls in (layers.LSTM, layers.GRU):
        assert cls(2).supports_masking
        assert cls(2).compute_mask(None, mask) is None
        assert cls(2, return_sequences=True).compute_mask(None, [mask]) is mask
    both = layers.LSTM(2, return_sequences=True, return_state=True)
    assert both.compute_mask(None, mask) == [mask, None, None]
    assert layers.ConvLSTM1D(2, 2, return_state=True).compute_mask(None, mask) == [None] * 3
    pair = layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode=None)
    assert pair.compute_mask(None, mask) == (mask, mask)
    assert layers.Bidirectional(layers.GRU(2)).compute_mask(None, mask) is None
    assert layers.TimeDistributed(layers.Dense(2)).supports_masking


@pytest.mark.parametrize("zeros", [False, True])
def test_a_mask_of_a_convolutional_lstm(zeros: bool):
    x = np.random.default_rng(0).standard_normal((2, 4, 5, 2))
    mask = np.array([[1, 0, 1, 0], [0, 1, 1, 0]], bool)
    layer = layers.ConvLSTM1D(
        3, 2, return_sequences=True, zero_output_for_mask=zeros, dtype="float64"
    )
    y = layer(x, mask=mask).numpy()
    kept = layer(x[:, 1:3][1:]).numpy()[0]  # of the second sample
    np.testing.assert_allclose(y[1, 1:3], kept)
    np.testing.assert_allclose(y[1, 3], 0 * kept[1] if zeros else kept[1])
    assert not y[1, 0].any()


# --- TimeDistributed ---------------------------------------------------------------------------


class Doubled(layers.Layer):
    """Remembers the shapes it was called with."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.shapes = []

    def call(self, inputs, mask=None):
        self.shapes.append((inputs.shape, None if mask is None else mask.shape))
        return 2 * inputs


def test_a_layer_of_the_users_sees_a_batch_for_each_step():
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    inner = Doubled()
    layer = layers.TimeDistributed(inner)
    np.testing.assert_array_equal(layer(x, mask=np.ones((2, 3), bool)), 2 * x)
    assert inner.shapes == [((2, 4), (2,))] * 3


def test_normalization_in_training_takes_one_step_after_the_other():
    x = np.random.default_rng(0).standard_normal((4, 3, 2)).astype("float32")
    inner = layers.BatchNormalization(momentum=0.5)
    y = layers.TimeDistributed(inner)(x, training=True).numpy()
    np.testing.assert_allclose(y.mean(axis=0), np.zeros((3, 2)), atol=1e-5)
    mean = np.zeros(2)
    for step in x.mean(axis=0):
        mean = 0.5 * mean + 0.5 * step
    np.testing.assert_allclose(inner.moving_mean, mean, rtol=1e-4)


# --- in models and files -----------------------------------------------------------------------


def all_kinds():
    return layerkit.Sequential(
        [
            layers.Input((4, 3)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True, dropout=0.2)),
            layers.GRU(4, return_sequences=True, recurrent_dropout=0.2),
            layers.TimeDistributed(layers.Dense(5, activation="relu")),
            layers.RNN([layers.GRUCell(3), layers.SimpleRNNCell(2)], return_sequences=True),
            layers.Bidirectional(layers.SimpleRNN(2), merge_mode="sum"),
            layers.Dense(1),
        ]
    )


@pytest.mark.numpy_only("half a minute over emulated kernels; each layer has its rows there")
def test_a_model_of_all_kinds_learns_and_is_kept(tmp_path):
    random = np.random.default_rng(0)
    x = random.standard_normal((8, 4, 3)).astype("float32")
    y = x.sum(axis=(1, 2))[:, None]
    model = all_kinds()
    model.compile(layerkit.optimizers.Adam(0.02), "mse")
    losses = model.fit(x, y, batch_size=4, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    for name in ("m.keras", "m.weights.h5"):
        if name.endswith(".keras"):
            model.save(tmp_path / name)
            again = layerkit.saving.load_model(tmp_path / name)
        else:
            model.save_weights(tmp_path / name)
            again = all_kinds()
            again.load_weights(tmp_path / name)
        np.testing.assert_array_equal(
            again.predict(x, verbose=0), model.predict(x, verbose=0), err_msg=name
        )


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_mixed_precision(cell: str):
    layer = getattr(layers, cell)(3, dtype="mixed_float16", return_sequences=True)
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    y = layer(x, mask=np.array([[1, 1, 0, 1], [0, 1, 1, 0]], bool))
    assert y.dtype == np.float16 and layer.weights[0].dtype == np.float32


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
    assert kernel.shape == (5, 12) and len(layer.losses) == 3
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], 3))
    rows = recurrent_kernel.numpy()
    np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-6)
    assert recurrent_kernel.constraint is not None and kernel.constraint is None
    layer.trainable = False
    assert not layer.trainable_weights and not layer.cell.trainable


# --- messages ----------------------------------------------------------------------------------


def ones(*shape):
    return np.ones(shape, "float32")


def two_batches(layer, first, second):
    layer(ones(*first))
    return layer(ones(*second))


GRU, LSTM, Bidirectional = layers.GRU, layers.LSTM, layers.Bidirectional

MISTAKES = [
    (lambda: LSTM(0), "invalid value for `units`, expected a positive integer"),
    (lambda: LSTM(3, dropout=2), "Expected a float value between 0 and 1. Received: drop"),
    (lambda: GRU(3, recurrent_dropout=-1), "`recurrent_dropout`. Expected a float value"),
    (lambda: LSTM(3, use_cudnn=True), "use_cudnn=True was specified, but cuDNN is not supported"),
    (
        lambda: GRU(3, use_cudnn="yes"),
        "use_cudnn='yes' was specified, but cuDNN is not supported f",
    ),
    (lambda: LSTM(3, implementation=3), "`implementation` must be 1 (each gate with"),
    (
        lambda: LSTM(3, name="l")(ones(4, 5)),
        "layer 'l' is incompatible with the layer: expected ndim=3, found ndim=2. Full shape "
        "received: (4, 5). Recurrent layers expect (batch, steps, features)",
    ),
    (
        lambda: two_batches(LSTM(3), (4, 5, 2), (4, 5, 3)),
        "expected axis -1 of input shape to have value 2",
    ),
    (
        lambda: LSTM(3, name="l").build((None, 5, None)),
        "Layer 'l' (LSTM) needs the size of axis -1",
    ),
    (
        lambda: LSTM(3, name="l")(ones(4, 5, 2), mask=np.ones((4, 6), bool)),
        "Layer 'l' (LSTM) expects a `mask` of shape (4, 5), True at the steps that count. "
        "Received: mask of shape (4, 6)",
    ),
    (
        lambda: LSTM(3, name="l")(ones(4, 5, 2), initial_state=[ones(4, 3)]),
        "Layer 'l' (LSTM) expects `initial_state` to be the states of its cell, of shapes [(4, 3), "
        "(4, 3)], as it returns them itself with return_state=True. Received shapes: [(4, 3)]",
    ),
    (lambda: GRU(3)(ones(4, 5, 2), initial_state=ones(3, 3)), "Received shapes: [(3, 3)]"),
    (
        lambda: LSTM(3, name="l")([ones(4, 5, 2), ones(4, 3), ones(4, 3)]),
        "Layer 'l' (LSTM) expects one tensor of sequences; received a list. Give states by name",
    ),
    (
        lambda: GRU(3, name="g")(ones(4, 0, 2)),
        "Layer 'g' (GRU) expects sequences of at least one step. Received sequences of shape (4, 0",
    ),
    (
        lambda: two_batches(GRU(3, stateful=True, name="g"), (4, 5, 2), (3, 5, 2)),
        "If an RNN is stateful, the batch size of the input sequences must be the same as the "
        "batch size of the initial state. Layer 'g' (GRU). Expected batch size: 4. Received batch",
    ),
    (lambda: layers.RNN(3), "Argument `cell` should have a `call` method. Received: 3"),
    (lambda: layers.RNN(layers.Dense(2)), "Argument `cell` should have a `state_size` attribute"),
    (
        lambda: layers.RNN([layers.GRUCell(2), layers.Dense(2)]),
        "Each of `cells` should have a `state_size` attribute",
    ),
    (lambda: layers.StackedRNNCells([]), "StackedRNNCells expects at least one cell"),
    (lambda: Bidirectional(3), "Please initialize `Bidirectional` layer with a `Layer` instance"),
    (lambda: Bidirectional(layers.Dense(2)), "Bidirectional expects a recurrent layer, with the"),
    (
        lambda: Bidirectional(GRU(2), merge_mode="max"),
        "Invalid merge mode. Received: max. M",
    ),
    (
        lambda: Bidirectional(GRU(2), backward_layer=3),
        "`backward_layer` need to be a `Layer`",
    ),
    (
        lambda: Bidirectional(GRU(2), backward_layer=GRU(2)),
        "Forward layer and backward layer should have different `go_backwards` value. Received: fo",
    ),
    (
        lambda: Bidirectional(GRU(2), backward_layer=GRU(2, go_backwards=True, stateful=True)),
        'the same value for attribute "stateful", got "False" for forward layer and "True" for',
    ),
    (lambda: Bidirectional(GRU(2)).reset_state(), "Layer must be stateful: layer 'bidirectional'"),
    (lambda: layers.TimeDistributed(3), "Please initialize `TimeDistributed` layer with a `Layer`"),
    (
        lambda: layers.TimeDistributed(layers.Dense(2), name="t")(ones(4, 5)),
        "should be passed an `input_shape` with at least 3 dimensions, received: (None, 5). Layer "
        "'t': TimeDistributed expects (batch, steps, ...)",
    ),
    (
        lambda: layers.TimeDistributed(layers.Dense(2), name="t")(ones(4, 5, 2), mask=ones(4, 4)),
        "The `mask` passed to the `TimeDistributed` layer 't' has a shape (4, 4) that is incompati",
    ),
    (
        lambda: layers.ConvLSTM2D(2, 3, name="c")(ones(2, 4, 5, 1)),
        "layer 'c' is incompatible with the layer: expected ndim=5, found ndim=4. Full shape "
        "received: (2, 4, 5, 1). ConvLSTM2D expects (batch, steps, height, width, channels)",
    ),
    (
        lambda: layers.ConvLSTM1D(2, 3).build((None, 4, None, 1)),
        "ConvLSTM layers only support static input shapes for the spatial dimension",
    ),
    (
        lambda: layers.ConvLSTM1D(2, 3)(ones(2, 4, 2, 1)),
        "Computed output size would be zero or",
    ),
    (
        lambda: layers.ConvLSTM1D(2, 3, strides=2, dilation_rate=2),
        "Specifying `strides > 1` is not compatible with `dilation_rate > 1`",
    ),
]


@pytest.mark.parametrize("mistake, message", MISTAKES, ids=[m[:40] for _, m in MISTAKES])
def test_message(mistake, message: str):
    with pytest.raises((ValueError, AttributeError)) as raised:
        mistake()
    assert message in str(raised.value)
