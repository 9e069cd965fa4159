"""Every layer, from one row of the table: Keras's values and gradients, config, dtype, shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tables import recurrent, spectrograms
from tables.layers import ROWS, Row, resolved, upstream

from layerkit import Input, Model, layers
from layerkit import backend as K
from layerkit.backend import tree
from layerkit.layers.layer import _shape_by_running
from layerkit.layers.signatures import takes
from layerkit.saving import (
    custom_object_scope,
    deserialize_keras_object,
    serialize_keras_object,
)

GOLDEN = Path(__file__).parent / "golden"
ARRAYS = dict(np.load(GOLDEN / "layers.npz"))
KERAS = json.loads((GOLDEN / "layers.json").read_text())["rows"]
NOT_OURS = {"renorm_momentum": 0.99}  # keys of Keras's configs that are no None or False

floats = [row for row in ROWS if row.ids_below is None]
smooth = [row for row in floats if "renorm" not in row.arguments]  # it has constants for gradients
masked = [row for row in ROWS if row.masks is not None]
need_all_sizes = (
    "EinsumDense",
    "GroupNormalization",
    "LayerNormalization",
    "PReLU",
    "RMSNormalization",
    "RepeatVector",
    "Reshape",
)
freely_sized = [
    row
    for row in ROWS
    if row.layer not in need_all_sizes and isinstance(row.shape, tuple) and len(row.shape) < 5
]


def made(row: Row, **arguments):
    inner = resolved(row.arguments, layers, arguments.get("dtype"))
    return getattr(layers, row.layer)(**inner, **arguments)


def golden(row: Row, prefix: str) -> dict[int, np.ndarray]:
    start = f"{row}/{prefix}"
    return {
        int(key[len(start) :]): value
        for key, value in ARRAYS.items()
        if key.startswith(start) and key[len(start) :].isdigit()
    }


def inputs_of(row: Row) -> list[np.ndarray]:
    return list(golden(row, "x").values())


def masks_of(row: Row):
    """The masks of the inputs in their structure; a dict's by argument."""
    if isinstance(row.masks, dict):
        return {key: ARRAYS.get(f"{row}/mask_{key}") for key in row.masks}
    found = [golden(row, "mask").get(index) for index in range(len(row.shapes))]
    return row.arranged(found) if row.masks is not None else None


def with_weights(row: Row, **arguments):
    layer = row.built(made(row, **arguments))
    layer.set_weights(list(golden(row, "w").values()))
    return layer


def called(layer, row: Row, xs):
    """The outputs, as a list."""
    options = {} if layer._training_index is None else {"training": row.training}
    options |= row.call
    if row.state:
        options["initial_state"] = list(golden(row, "s").values())
    masks = masks_of(row)
    if isinstance(masks, dict):
        options |= {key if key.endswith("_mask") else f"{key}_mask": m for key, m in masks.items()}
    elif masks is not None and takes(layer.call, "mask"):
        options["mask"] = masks
    given = row.arranged(map(K.convert_to_tensor, xs))
    if isinstance(given, dict):
        first, *others = given.values()
        options |= dict(zip(list(given)[1:], others, strict=True))
        given = first
    y = layer(given, **options)
    return list(y) if isinstance(y, tuple) else [y]


def close(y, expected) -> None:
    np.testing.assert_allclose(K.to_numpy(y), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_output_is_that_of_keras(row: Row):
    layer, xs = with_weights(row), inputs_of(row)
    before = [x.copy() for x in xs]
    ys = called(layer, row, xs)
    for y, expected in zip(ys, golden(row, "y").values(), strict=True):
        close(y, expected)
        assert y.dtype == np.float32
    for x, x_before in zip(xs, before, strict=True):
        np.testing.assert_array_equal(x, x_before)
    for index, expected in golden(row, "after").items():
        close(layer.weights[index], expected)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_gradients_are_those_of_keras(row: Row):
    layer, xs = with_weights(row), [K.convert_to_tensor(x) for x in inputs_of(row)]
    variables = [layer.weights[index] for index in golden(row, "gw")]
    with K.GradientTape() as tape:
        if row in floats:
            tape.watch(xs)
        ys = called(layer, row, xs)
    of_weights, of_xs = tape.gradient(
        ys, [variables, xs], output_gradients=[upstream(y.shape) for y in ys]
    )
    for gradient, variable, expected in zip(
        of_weights, variables, golden(row, "gw").values(), strict=True
    ):
        close(gradient, expected)
        assert gradient.dtype == variable.dtype
    if row in floats:
        for gradient, expected in zip(of_xs, golden(row, "gx").values(), strict=True):
            close(gradient, expected)


@pytest.mark.parametrize("row", smooth, ids=str)
def test_gradients_are_differences(row: Row):
    layer, xs = with_weights(row, dtype="float64"), inputs_of(row)
    variables = [layer.weights[index] for index in golden(row, "gw")]

    def output(*values):
        given = dict(zip(map(id, variables), values[len(xs) :], strict=True))
        replaced = replace(layer, given)
        try:
            return called(layer, row, values[: len(xs)])[0]
        finally:
            replaced()

    K.check_gradient(output, *xs, *[variable.numpy() for variable in variables])


@pytest.mark.parametrize("row", masked, ids=str)
def test_masks_are_those_of_keras(row: Row):
    layer, masks = with_weights(row), masks_of(row)
    if isinstance(masks, dict):
        masks = masks.get("query")
        masks = masks if masks is None else K.convert_to_tensor(masks)
        assert layer.compute_mask(inputs_of(row)[0], masks) is masks
        return
    masks = [None if m is None else K.convert_to_tensor(m) for m in tree.flatten(masks)]
    masks = masks if isinstance(row.shape, list) else masks[0]
    found = layer.compute_mask(row.arranged(map(K.convert_to_tensor, inputs_of(row))), masks)
    expected = ARRAYS.get(f"{row}/mask_of_output")
    if expected is None:
        assert found is None
    else:
        assert found.dtype == bool
        np.testing.assert_array_equal(K.to_numpy(found), expected)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_layers_support_masks_where_those_of_keras_do(row: Row):
    assert made(row).supports_masking == KERAS[str(row)]["supports_masking"]


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
    row.built(again).set_weights(layer.get_weights())
    xs = inputs_of(row)
    for y, expected in zip(called(again, row, xs), called(layer, row, xs), strict=True):
        np.testing.assert_array_equal(K.to_numpy(y), K.to_numpy(expected))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_config_is_that_of_keras(row: Row):
    ours, theirs = plain(made(row, name="row").get_config()), KERAS[str(row)]["config"]
    assert type(made(row)).from_config(theirs).get_config() == made(row, name="row").get_config()
    for key, value in theirs.items():
        if key == "dtype":
            continue
        if key not in ours:
            assert value is None or value is False or NOT_OURS.get(key) == value, key
        elif isinstance(value, dict) and "class_name" in value:
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
    assert tuple(row.output_shape(layer, batch)) == expected
    if batch is None and not isinstance(row.shape, dict):
        shapes = row.arranged((None, *shape[1:]) for shape in row.shapes)
        assert _shape_by_running(layer, shapes) == expected


@pytest.mark.parametrize("row", freely_sized, ids=str)
def test_output_shape_with_free_axes(row: Row):
    """Free spatial axes stay free or become known, exactly as running says."""
    first = row.arguments.get("data_format") == "channels_first"
    fixed = 1 if first or row.arguments.get("axis") == 1 else len(row.shape) - 1
    shape = tuple(n if axis == fixed else None for axis, n in enumerate(row.shape))
    layer = with_weights(row)
    assert tuple(layer.compute_output_shape(shape)) == _shape_by_running(layer, shape)


def test_every_layer_has_a_row():
    things = [getattr(layers, name) for name in layers.__all__]
    classes = [thing for thing in things if isinstance(thing, type)]
    here = [cls for cls in classes if ".preprocessing." not in cls.__module__]
    names = {vars(cls).get("keras_name", cls.__name__) for cls in here}
    elsewhere = recurrent.NAMES | {row[1] for row in spectrograms.ROWS}
    untested = names - {row.layer for row in ROWS} - elsewhere
    assert untested == {"Layer", "InputLayer", "InputSpec", "Lambda", "Wrapper"}


@pytest.mark.parametrize(
    "layer, shape, together",
    [
        (layers.Dropout(0.4, seed=1), (50, 40), 1),
        (layers.Dropout(0.4, noise_shape=(None, 1), seed=1), (400, 3), 3),
        (layers.SpatialDropout1D(0.4, seed=1), (20, 5, 40), 5),
        (layers.SpatialDropout2D(0.4, seed=1), (20, 3, 2, 40), 6),
        (layers.SpatialDropout3D(0.4, seed=1), (20, 3, 2, 1, 40), 6),
        (
            layers.SpatialDropout3D(0.4, "channels_first", seed=1),
            (20, 40, 3, 2, 1),
            6,
        ),
    ],
    ids=["all", "rows", "steps", "images", "volumes", "channels_first"],
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


@pytest.mark.parametrize(
    "name", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"]
)
def test_merging_functions_are_their_layers(name: str):
    xs = [np.array([[1.0, 5.0, 2.0]], "float32"), np.array([[3.0, 4.0, 2.0]], "float32")]
    options = {"axis": 0} if name == "Concatenate" else {"axes": 1} if name == "Dot" else {}
    expected = getattr(layers, name)(**options)(xs)
    np.testing.assert_array_equal(getattr(layers, name.lower())(xs, **options), expected)


def test_defaults_of_merging_functions():
    assert layers.concatenate([np.ones((1, 2))] * 2).shape == (1, 4)
    np.testing.assert_array_equal(layers.dot([np.ones((1, 2))] * 2), [[2]])


def test_one_row_for_all_is_merged_where_a_graph_says_so():
    ends = [Input((2,), batch_size=1), Input((2,))]
    model = Model(ends, layers.Add()(ends))
    xs = [np.ones((1, 2), "float32"), np.zeros((3, 2), "float32")]
    np.testing.assert_array_equal(model(xs), np.ones((3, 2)))


def test_sizes_of_a_concatenation_are_those_of_the_first():
    shapes = [(None, None, 2), (4, 3, 4)]
    assert layers.Concatenate().compute_output_shape(shapes) == (None, None, 6)
    assert layers.Concatenate().compute_output_shape(shapes[::-1]) == (4, 3, 6)
    batches = [Input((3,), batch_size=2), Input((3,), batch_size=4)]
    assert layers.Concatenate(axis=0)(batches).shape == (6, 3)


def test_weights_of_layer_normalization_are_in_the_order_of_keras():
    x = np.arange(24, dtype="float32").reshape(2, 3, 4) ** 2
    for axis, shape in (((1, -1), (4, 3)), ((2, 1), (3, 4))):
        layer = layers.LayerNormalization(axis)
        layer(x)
        assert layer.gamma.shape == layer.beta.shape == shape
        layer.gamma.assign(np.arange(12).reshape(shape))
        plain = layers.LayerNormalization((1, 2), scale=False)(x)
        np.testing.assert_allclose(layer(x), plain * np.arange(12).reshape(3, 4), rtol=1e-5)


def test_a_mask_of_steps_is_spread_over_all_axes_behind():
    x, mask = K.zeros((2, 3, 4, 5)), K.convert_to_tensor(np.eye(2, 3) > 0)
    merged = layers.Concatenate().compute_mask([x, x], [mask, None])
    assert merged.shape == (2, 3, 4) and K.all(merged)
    merged = layers.Concatenate().compute_mask([x, x], [mask, mask])
    np.testing.assert_array_equal(merged, np.repeat((np.eye(2, 3) > 0)[..., None], 4, -1))


@pytest.mark.parametrize("keepdims", [None, 0, 1])
def test_global_pooling_keeps_axes_or_not(keepdims):
    x = np.ones((2, 3, 4), "float32")
    for name in ("GlobalMaxPooling1D", "GlobalAveragePooling1D"):
        layer = getattr(layers, name)(keepdims=keepdims)
        assert (
            layer(x).shape
            == layer.compute_output_shape(x.shape)
            == layer(Input(x.shape[1:], 2)).shape
        )
        assert len(layer(x).shape) == (3 if keepdims else 2)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_the_largest_of_integers_is_one(dtype: str):
    x = np.array([[2**25 + 1, 2**25], [3, 4]]).astype(dtype).reshape(1, 2, 2, 1)
    y = layers.MaxPooling2D((1, 2))(x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.numpy().ravel(), x.max(axis=2).ravel())


def test_the_first_of_equal_cells_gets_the_gradient_of_adaptive_pooling():
    x = K.convert_to_tensor(np.float32([[[0, 1, 1], [1, 0, 1], [2, 2, 0]]])[..., None])
    with K.GradientTape() as tape:
        tape.watch(x)
        y = layers.AdaptiveMaxPooling2D((2, 1))(x)
    gradient = tape.gradient(y, x, output_gradients=np.float32([[[[3]], [[5]]]]))
    np.testing.assert_array_equal(gradient[0, ..., 0], [[0, 3, 0], [0, 0, 0], [5, 0, 0]])


def test_a_zero_is_padding_where_the_embedding_says_so():
    ids = np.array([[1, 0, 2], [0, 0, 3]])
    layer = layers.Embedding(4, 2, mask_zero=True)
    assert layer.supports_masking and not layers.Embedding(4, 2).supports_masking
    np.testing.assert_array_equal(layer.compute_mask(K.convert_to_tensor(ids), None), ids != 0)
    assert layers.Embedding(4, 2).compute_mask(ids, None) is None


def test_masking_masks_steps_of_one_value():
    x = np.array([[[1, 2], [3, 3], [3, 1]], [[3, 3], [0, 0], [3, 3]]], "float32")
    layer = layers.Masking(3.0)
    kept = [[True, False, True], [False, True, False]]
    np.testing.assert_array_equal(layer.compute_mask(K.convert_to_tensor(x), None), kept)
    np.testing.assert_array_equal(layer(x), x * np.array(kept)[..., None])


def scaled(x, by=2.0, training=None, mask=None):
    """A function that a Lambda may hold."""
    y = x * by if not training else -x
    return y if mask is None else y * K.cast(mask, "float32")[..., None]


def shape_of_scaled(shape):
    return shape


def mask_of_scaled(x, mask):
    return x[..., 0] > 0


def test_lambda_hands_on_what_its_function_takes():
    x = np.arange(12, dtype="float32").reshape(2, 3, 2)
    layer = layers.Lambda(scaled, arguments={"by": 3.0})
    np.testing.assert_array_equal(layer(x), 3 * x)
    np.testing.assert_array_equal(layer(x, training=True), -x)
    mask = np.array([[True, False, True], [False, True, True]])
    layer = layers.Lambda(scaled, mask=mask_of_scaled)
    np.testing.assert_array_equal(layer(x, mask=mask), 2 * x * mask[..., None])
    np.testing.assert_array_equal(layers.Lambda(lambda x: x + 1)(x), x + 1)


def test_shapes_and_masks_of_a_lambda():
    x = K.convert_to_tensor(np.array([[[1.0, -1.0], [-1.0, 1.0]]], "float32"))
    assert layers.Lambda(scaled).compute_output_shape((None, 3)) == (None, 3)
    assert layers.Lambda(scaled, output_shape=(5,)).compute_output_shape((None, 3)) == (None, 5)
    assert layers.Lambda(scaled, shape_of_scaled).compute_output_shape((4, 3)) == (4, 3)
    two = layers.Lambda(scaled, output_shape=[(5,), (6, 7)])
    assert two.compute_output_shape((None, 3)) == [(None, 5), (None, 6, 7)]
    plain, with_mask = layers.Lambda(scaled), layers.Lambda(scaled, mask=mask_of_scaled)
    assert not plain.supports_masking and plain.compute_mask(x, None) is None
    assert with_mask.supports_masking
    np.testing.assert_array_equal(with_mask.compute_mask(x, None), [[True, False]])
    given = layers.Lambda(scaled, mask=np.array([[True, True]]))
    np.testing.assert_array_equal(given.compute_mask(x, None), [[True, True]])


def test_a_lambda_is_saved_by_the_name_of_its_function():
    layer = layers.Lambda(
        scaled, shape_of_scaled, mask=mask_of_scaled, arguments={"by": 3.0}, name="l"
    )
    config = plain(layer.get_config())
    assert config["function"]["config"] == "scaled" and config["arguments"] == {"by": 3.0}
    assert plain(layers.Lambda(scaled).get_config()).keys() == {
        "name", "trainable", "dtype", "function", "arguments",
    }  # fmt: skip
    functions = {f.__name__: f for f in (scaled, shape_of_scaled, mask_of_scaled)}
    with custom_object_scope(functions):
        again = layers.Lambda.from_config(config)
    assert again.function is scaled and again.output_shape is shape_of_scaled
    assert again.mask is mask_of_scaled and again.get_config() == layer.get_config()
    with custom_object_scope(functions):
        shaped = plain(layers.Lambda(scaled, output_shape=[(5,), (6, 7)]).get_config())
        assert layers.Lambda.from_config(shaped).output_shape == [(5,), (6, 7)]


def test_a_wrapper_builds_its_layer():
    wrapper = layers.Wrapper(layers.Dense(3, name="d"))
    wrapper.build((None, 2))
    assert [w.path for w in wrapper.weights] == [
        f"{wrapper.name}/d/{x}" for x in ("kernel", "bias")
    ]
    again = layers.Wrapper.from_config(plain(wrapper.get_config()))
    assert again.layer.units == 3 and again.layer.name == "d"


def test_einsum_dense_takes_sizes_from_its_inputs():
    layer = layers.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d")
    layer.build((None, None, 4))
    assert layer.compute_output_shape((None, 3, 4)) == (None, 3, 5)
    assert layer(np.ones((2, 7, 4), "float32")).shape == (2, 7, 5)
    assert layer.partial_output_shape == (None, 5)


def test_einsum_dense_counts_the_inputs_of_a_unit():
    options = {"kernel_initializer": "glorot_uniform", "output_shape": (None, 10, 20)}
    layer = layers.EinsumDense("abc,cde->abde", **options)
    layer.build((None, None, 30))
    limit = np.sqrt(6 / (30 + 10 * 20))
    kernel = np.abs(layer.kernel.numpy())
    assert kernel.shape == (30, 10, 20) and 0.99 * limit < kernel.max() <= limit
    turned = layers.EinsumDense("abc,dec->abde", **options)
    turned.build((None, None, 30))
    assert turned.kernel.shape == (10, 20, 30)
    assert 0.99 * limit < np.abs(turned.kernel.numpy()).max() <= limit


def test_dropout_of_attention_is_of_its_weights():
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    options = {"training": True, "return_attention_scores": True}
    _, weights = layers.Attention(dropout=0.5, seed=1)([x, x], **options)
    assert (weights.numpy() == 0).any() and weights.numpy().max() <= 2
    layer = layers.MultiHeadAttention(2, 3, dropout=0.5, seed=1)
    layer.build(x.shape, x.shape)
    first, weights = layer(x, value=K.convert_to_tensor(x), **options)
    np.testing.assert_allclose(weights.numpy().sum(-1), 1, rtol=1e-5)  # those before dropout
    second = layer(x, value=K.convert_to_tensor(x), training=True)
    assert np.abs(first.numpy() - second.numpy()).max() > 1e-3


def test_a_query_that_may_look_nowhere():
    x = K.convert_to_tensor(np.array([[[1.0, 2.0], [3.0, 4.0]]], "float32"))
    layer = layers.MultiHeadAttention(1, 2, use_bias=False)
    layer.build(x.shape, x.shape)
    for part in (layer.value_dense, layer.output_dense):
        part.kernel.assign(np.eye(2).reshape(part.kernel.shape))
    mask = np.array([[[True, False], [False, False]]])
    np.testing.assert_allclose(layer(x, value=x, attention_mask=mask), [[[1, 2], [2, 3]]])
    y, weights = layer(x, value=x, attention_mask=mask, return_attention_scores=True)
    np.testing.assert_allclose(y, [[[1, 2], [0, 0]]])
    np.testing.assert_allclose(weights, [[[[1, 0], [0, 0]]]])


def test_sublayers_of_attention():
    layer = layers.MultiHeadAttention(2, 3, kernel_regularizer="l2", activity_regularizer="l1")
    layer.build((None, 4, 5), (None, 4, 5))
    sublayers = [layer.query_dense, layer.key_dense, layer.value_dense, layer.output_dense]
    assert [sub.name for sub in sublayers] == ["query", "key", "value", "attention_output"]
    assert all(sub.activity_regularizer is not None for sub in sublayers)
    assert layer.activity_regularizer is None and len(layer.losses) == 4
    kernels = [sub.kernel.numpy() for sub in sublayers[:3]]
    assert (kernels[0] != kernels[1]).any() and (kernels[1] != kernels[2]).any()
    groups = layers.GroupQueryAttention(3, 2, 1, activity_regularizer="l1")
    assert groups.activity_regularizer is not None
    description = serialize_keras_object(groups)
    assert description["class_name"] == "GroupQueryAttention"
    assert groups.name.startswith("grouped_query_attention")
    assert deserialize_keras_object(plain(description)).num_query_heads == 2


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).standard_normal((200, 100)).astype("float32")
    layer = layers.AlphaDropout(0.4, seed=1)
    y = layer(x, training=True).numpy()
    values, counts = np.unique(y, return_counts=True)
    assert abs(counts.max() / y.size - 0.4) < 0.02  # all that is dropped becomes one value
    least = -1.6732632 * 1.0507010
    scale = (0.6 * (1 + 0.4 * least**2)) ** -0.5
    np.testing.assert_allclose(values[counts.argmax()], scale * least * (1 - 0.4), rtol=1e-5)
    assert abs(y.mean()) < 0.03 and abs(y.std() - 1) < 0.03
    rows = layers.AlphaDropout(0.5, noise_shape=(None, 1), seed=1)(x, training=True).numpy()
    assert {len(np.unique(row)) == 1 for row in rows} == {True, False}


def test_activity_regularization_adds_to_the_losses():
    layer = layers.ActivityRegularization(l1=0.2, l2=0.3)
    layer(2 * np.ones((4, 1), "float32"))
    np.testing.assert_allclose(layer.losses[0], 4 * 0.3 + 2 * 0.2, rtol=1e-6)


def test_spectral_normalization_divides_by_the_largest_singular_value():
    x = np.random.default_rng(0).standard_normal((4, 5)).astype("float32")
    layer = layers.SpectralNormalization(layers.Dense(3, use_bias=False), power_iterations=30)
    layer.build(x.shape)
    kernel, u = layer.kernel.numpy(), layer.vector_u.numpy()
    np.testing.assert_array_equal(layer(x), layer.layer(x))  # inference changes nothing
    y = layer(x, training=True)
    largest = np.linalg.svd(kernel, compute_uv=False)[0]
    np.testing.assert_allclose(layer.kernel, kernel / largest, rtol=1e-4)
    np.testing.assert_allclose(y, x @ kernel / largest, rtol=1e-4, atol=1e-5)
    assert np.abs(layer.vector_u.numpy() - u).max() > 1e-3
    assert [w.name for w in layer.trainable_weights] == ["kernel"]


def test_spectral_normalization_leaves_zeros_alone():
    layer = layers.SpectralNormalization(layers.Embedding(4, 2, embeddings_initializer="zeros"))
    layer.build((None, 3))
    u = layer.vector_u.numpy()
    assert not layer(np.zeros((2, 3), "int32"), training=True).numpy().any()
    assert not layer.kernel.numpy().any()
    np.testing.assert_array_equal(layer.vector_u, u)


def test_layers_are_serialized_and_back():
    config = plain(layers.serialize(layers.Dense(3, name="d")))
    assert config["module"] == "keras.layers" and config["class_name"] == "Dense"
    assert layers.deserialize(config).units == 3
    with pytest.raises(ValueError, match="that is not a `keras.layers.Layer`"):
        layers.deserialize({"module": "keras.losses", "class_name": "Huber", "config": {}})


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


class Late(layers.Layer):
    """Builds one of its layers in its first call, another in a later one."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = layers.Dense(2, name="first"), layers.Dense(2, name="second")

    def call(self, x, both=False):
        return self.second(self.first(x)) if both else self.first(x)


def test_paths_of_weights_that_a_later_call_makes():
    late, x = Late(name="late"), np.ones((1, 3), "float32")
    late(x)
    late(x, both=True)
    paths = ["late/first/kernel", "late/first/bias", "late/second/kernel", "late/second/bias"]
    assert [weight.path for weight in late.weights] == paths


MOVING = {
    "Cropping1D": (lambda: layers.Cropping1D(1, dtype="float16"), (4, 2)),
    "Flatten": (lambda: layers.Flatten(dtype="float16"), (4, 2)),
    "Permute": (lambda: layers.Permute((2, 1), dtype="float16"), (2, 3)),
    "RepeatVector": (lambda: layers.RepeatVector(2, dtype="float16"), (3,)),
    "Reshape": (lambda: layers.Reshape((4, -1), dtype="float16"), (4,)),
    "ZeroPadding1D": (lambda: layers.ZeroPadding1D(1, dtype="float16"), (2, 2)),
}


@pytest.mark.parametrize("name", MOVING)
def test_layers_that_move_numbers_keep_integers(name):
    make, shape = MOVING[name]
    integers, floats = (layers.Input(shape, dtype=d) for d in ("int32", "float32"))
    assert make()(integers).dtype == make()(np.ones((2, *shape), "int32")).dtype == "int32"
    assert make()(floats).dtype == "float16"
