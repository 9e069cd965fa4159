"""What layers say when they are used wrongly: a row per mistake, and what its message holds."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import layers


def call(layer, *shapes: tuple[int, ...]):
    for shape in shapes:
        layer(np.ones(shape, "float32"))


def merge(layer, *shapes: tuple[int, ...]):
    layer([np.ones(shape, "float32") for shape in shapes])


def merge_again(layer, *shapes: tuple[int, ...]):
    merge(layer, shapes[0], shapes[0])
    merge(layer, *shapes)


ROWS = [
    (
        lambda: layers.Dense(-1),
        "an invalid value for `units`, expected a positive integer. Received: units=-1",
    ),
    (lambda: layers.Dense(2.5), "Received: units=2.5"),
    (
        lambda: layers.Dense(3, unit=3),
        "Unrecognized keyword arguments passed to Dense: {'unit': 3}",
    ),
    (lambda: layers.Dense(3, lora_rank=2), "`lora_rank` of Dense is not available"),
    (lambda: layers.Dense(3, activation="reluu"), "Did you mean 'relu'"),
    (
        lambda: call(layers.Dense(3, name="d"), (4,)),
        "layer 'd' is incompatible with the layer: expected min_ndim=2, found ndim=1. "
        "Full shape received: (4,). Dense expects (batch, ..., features)",
    ),
    (
        lambda: call(layers.Dense(3, name="d"), (1, 4), (1, 5)),
        "layer 'd' is incompatible with the layer: expected axis -1 of input shape to have value "
        "4, but received input with shape (1, 5). Dense expects",
    ),
    (
        lambda: layers.Dense(3, name="d").build((None, None)),
        "Layer 'd' (Dense) needs the size of axis -1",
    ),
    (lambda: layers.Embedding(0, 2), "invalid value for `input_dim`"),
    (
        lambda: call(layers.Add(name="a"), (2, 3)),
        "A merge layer should be called on a list of inputs",
    ),
    (
        lambda: layers.Add(name="a").build([(2, 3), (4, 3)]),
        "Cannot merge tensors with different batch sizes. Layer 'a' received tensors with shapes "
        "[(2, 3), (4, 3)]: give it as many rows of each.",
    ),
    (
        lambda: merge(layers.Average(name="a"), (1, 3), (4, 3)),
        "Cannot merge tensors with different batch sizes. Layer 'a' received tensors with shapes "
        "[(1, 3), (4, 3)]",
    ),
    (
        lambda: merge_again(layers.Maximum(name="m"), (2, 3), (4, 3)),
        "Cannot merge tensors with different batch sizes. Layer 'm' received tensors with shapes "
        "[(2, 3), (4, 3)]",
    ),
    (
        lambda: merge(layers.Dot(1, name="d"), (4, 3), (1, 3)),
        "Cannot do batch_dot on inputs with different batch sizes. Layer 'd' received inputs with "
        "shapes [(4, 3), (1, 3)]",
    ),
    (
        lambda: merge(layers.Multiply(name="m"), (2, 2), (2, 3)),
        "Inputs have incompatible shapes. Received shapes (2,) and (3,) (without the batch axis) "
        "in layer 'm' (Multiply)",
    ),
    (
        lambda: merge(layers.Subtract(name="s"), *[(2, 3)] * 3),
        "A `Subtract` layer should be called on exactly 2 inputs, a list of 2. Layer 's'",
    ),
    (
        lambda: merge(layers.Concatenate(name="c"), (2, 3, 4), (2, 2, 4)),
        "A `Concatenate` layer requires inputs with matching shapes except for the concatenation "
        "axis. Received: input_shape=[(None, 3, 4), (None, 2, 4)] in layer 'c', axis=-1",
    ),
    (
        lambda: merge(layers.Concatenate(axis=2, name="c"), (2, 3), (2, 3)),
        "Axis 2 is out of bounds for inputs of shapes [(None, 3), (None, 3)] of layer 'c'",
    ),
    (lambda: layers.Concatenate(axis="last"), "`axis` of Concatenate must be an int"),
    (lambda: layers.Dot(axes=(1, 2, 3)), "Invalid format for argument `axes`: it should contain"),
    (lambda: layers.Dot(axes=(1, "2")), "list elements should be integers"),
    (lambda: layers.Dot(axes="1"), "Invalid type for argument `axes`"),
    (
        lambda: merge(layers.Dot(1, name="d"), (2, 3), (2, 4)),
        "Incompatible input shapes: axis values 3 (at axis 1) != 4 (at axis 1). Full input shapes: "
        "(None, 3), (None, 4) in layer 'd'",
    ),
    (lambda: merge(layers.Dot(0), (2, 3), (2, 3)), "Cannot perform batch_dot over axis 0"),
    (lambda: merge(layers.Dot(2, name="d"), (2, 3), (2, 3)), "`axes` of layer 'd' are out of"),
    (
        lambda: layers.Add(name="a").compute_mask([1, 2], [None]),
        "The lists `inputs` and `mask` should have the same length. Layer 'a' received: inputs of "
        "length 2, and mask of length 1",
    ),
    (
        lambda: layers.Add(name="a").compute_mask([1, 2], np.ones((2, 3), bool)),
        "`mask` should be a list, one mask or None per input of layer 'a'",
    ),
    (lambda: layers.Wrapper("dense"), "Layer dense supplied to Wrapper isn't a supported layer"),
    (lambda: layers.Lambda("x + 1"), "Lambda expects a function of its inputs. Received: 'x + 1'"),
    (
        lambda: layers.Lambda(lambda x: x, name="l").get_config(),
        "Layer 'l' (Lambda) cannot be saved: A lambda cannot be saved: a file never holds code",
    ),
    (
        lambda: layers.Lambda.from_config(
            {"name": "l", "function": {"class_name": "__lambda__", "config": {"code": "4wEA"}}}
        ),
        "Requested the deserialization of a `Lambda` layer whose `function` is a Python lambda",
    ),
    (lambda: layers.EinsumDense("ab->ba", 3), "Invalid einsum equation 'ab->ba'. Equations must"),
    (lambda: layers.EinsumDense("...a,ab->b...", 3), "Invalid einsum equation"),
    (
        lambda: layers.EinsumDense("ab,bc->acd", (3, 4)),
        "Dimension 'd' was specified in the output 'acd' but has no corresponding dim",
    ),
    (
        lambda: layers.EinsumDense("ab,bcd->ac", 3),
        "Weight dimension 'd' did not have a match in either the input spec 'ab' or the output",
    ),
    (
        lambda: call(layers.EinsumDense("abc,cd->abd", 3, name="e"), (2, 3, 4)),
        "`output_shape` of layer 'e' (EinsumDense) should have one size for each of the letters "
        "['b', 'd'] of equation 'abc,cd->abd'. Received: output_shape=(3,)",
    ),
    (
        lambda: call(layers.EinsumDense("abc,cd->abd", (2, 5), name="e"), (2, 3, 4)),
        "Input shape and output shape do not match at shared dimension 'b'. Input shape is 3, and "
        "output shape is 2 in layer 'e'",
    ),
    (
        lambda: call(layers.EinsumDense("ab,bc->ac", 3, bias_axes="b", name="e"), (2, 3)),
        "Bias dimension 'b' was requested, but is not part of the output of equation",
    ),
    (
        lambda: call(layers.EinsumDense("ab,bc->ac", 3, name="e"), (2, 3, 4)),
        "Layer 'e' (EinsumDense): equation 'ab,bc->ac' is for inputs with 2 axes. Received inputs "
        "with 3.",
    ),
    (
        lambda: call(layers.EinsumDense("ab,bc->ac", None, name="e"), (2, 3)),
        "Layer 'e' (EinsumDense) needs the size of axis 'c' of equation 'ab,bc->ac'",
    ),
    (lambda: layers.Attention(score_mode="cosine"), "Invalid value for argument score_mode"),
    (
        lambda: call(layers.Attention(name="a"), (2, 3, 4)),
        "Attention layer must be called on a list of inputs, namely [query, value]",
    ),
    (
        lambda: layers.Attention(name="a").compute_mask([1, 2], [None]),
        "`mask` of layer 'a' should be a list of length 2 or 3",
    ),
    (lambda: layers.MultiHeadAttention(0, 2), "invalid value for `num_heads`, expected a positive"),
    (lambda: layers.MultiHeadAttention(1, 2, value_dim=0), "invalid value for `value_dim`"),
    (
        lambda: layers.MultiHeadAttention(1, 2, sliding_window=0),
        "`sliding_window` must be `None` or a positive integer. Received: sliding_window=0",
    ),
    (
        lambda: layers.MultiHeadAttention(1, 2, flash_attention=True),
        "`flash_attention` of MultiHeadAttention is not available in layerkit",
    ),
    (
        lambda: layers.MultiHeadAttention(1, 2, attention_axes="1"),
        "`attention_axes` of MultiHeadAttention must be an int, list, or tuple. Received",
    ),
    (
        lambda: layers.MultiHeadAttention(1, 2, name="m").build((2, 3, 4), (2, 3, 4), (2, 5, 4)),
        "All dimensions of `value` and `key`, except the last one, must be equal. Layer 'm'",
    ),
    (
        lambda: layers.GroupQueryAttention(1, 3, 2),
        "`num_query_heads` must be divisible by `num_key_value_heads`. Received: "
        "num_query_heads=3, num_key_value_heads=2",
    ),
    (
        lambda: layers.GroupQueryAttention(1, 2, 2, name="g").build((2, 3, 4), (2, 3, 5)),
        "The last dimension of `query_shape` and `value_shape` must be equal, but are 4, 5. Layer",
    ),
    (
        lambda: layers.GroupQueryAttention(1, 2, 2).build((2, 3, 4), (2, 3, 4), (2, 2, 4)),
        "All dimensions of `value` and `key`, except the last one, must be equal",
    ),
    (lambda: layers.AlphaDropout(1), "`rate` of AlphaDropout must be below 1. Received: rate=1"),
    (lambda: layers.GaussianDropout(1), "`rate` of GaussianDropout must be below 1"),
    (
        lambda: layers.Softmax(name="s")(np.ones((2, 3), "float32"), mask=np.ones((3, 3), bool)),
        "The `mask` must be broadcastable to `inputs` and must not have more dimensions. Layer "
        "'s' received: inputs.shape=(2, 3), mask.shape=(3, 3)",
    ),
    (lambda: layers.Reshape((2, -1, -1)), "with -1 at most once"),
    (
        lambda: call(layers.Reshape((2, 3), name="r"), (2, 5)),
        "The total size of the tensor must be unchanged. Layer 'r' cannot make "
        "target_shape=(2, 3) of samples with 5 elements",
    ),
    (lambda: layers.Permute((0, 1)), "consecutive and start from 1. Received dims=(0, 1)"),
    (lambda: layers.RepeatVector(0), "invalid value for `n`"),
    (lambda: layers.ZeroPadding2D((1, 2, 3)), "`padding` should have 2 elements"),
    (lambda: layers.ZeroPadding2D(-1), "values {-1} that do not satisfy `value >= 0`"),
    (
        lambda: call(layers.Cropping2D(2, name="c"), (1, 4, 5, 1)),
        "`cropping` argument of layer 'c' should be smaller",
    ),
    (
        lambda: layers.UpSampling2D(interpolation="cubic"),
        "must be one of ['nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5']. Received: "
        "interpolation=cubic",
    ),
    (lambda: layers.ZeroPadding3D((1, 2)), "`padding` should have 3 elements"),
    (
        lambda: call(layers.Cropping3D(2, name="c"), (1, 4, 5, 5, 1)),
        "`cropping` argument of layer 'c' should be smaller",
    ),
    (lambda: layers.AdaptiveMaxPooling2D((1, 2, 3)), "`output_size` argument must be a tuple of 2"),
    (lambda: layers.GroupNormalization(0), "invalid value for argument `groups`, expected a pos"),
    (lambda: layers.GroupNormalization(2, axis=[1]), "`axis` of GroupNormalization must be an int"),
    (
        lambda: layers.GroupNormalization(8, name="g").build((2, 4)),
        "Number of groups (8) cannot be more than the number of channels (4) of layer 'g'",
    ),
    (
        lambda: layers.GroupNormalization(3, name="g").build((2, 4)),
        "Number of groups (3) must divide the number of channels (4) of layer 'g'",
    ),
    (lambda: layers.UnitNormalization("1"), "Invalid value for `axis` argument of UnitNormal"),
    (
        lambda: layers.RMSNormalization(3, name="r").build((2, 4)),
        "Axis [3] is out of bounds for input shape (2, 4) of layer 'r'",
    ),
    (
        lambda: layers.SpectralNormalization(layers.Dense(2), power_iterations=0),
        "`power_iterations` should be greater than zero",
    ),
    (
        lambda: layers.SpectralNormalization(layers.ReLU(), name="s").build((2, 3)),
        "ReLU object has no attribute 'kernel' nor 'embeddings': layer 's'",
    ),
    (
        lambda: layers.BatchNormalization(name="b")(np.ones((2, 3)), mask=np.ones((2, 3), bool)),
        "The mask provided should be one dimension less than the inputs. Layer 'b' received",
    ),
    (lambda: layers.Conv2D(0, 3), "invalid value for `filters`"),
    (
        lambda: layers.Conv2D(2, (1, 2, 3)),
        "The `kernel_size` argument must be a tuple of 2 integers. Received kernel_size=(1, 2, 3)",
    ),
    (lambda: layers.Conv2D(2, 3, strides=0), "values {0} that do not satisfy `value > 0`"),
    (lambda: layers.Conv2D(2, 3, padding="causal"), "must be one of ('valid', 'same')"),
    (lambda: layers.Conv2D(2, 3, data_format="nhwc"), "The `data_format` argument must be"),
    (
        lambda: layers.Conv2D(3, 3, groups=2),
        "The number of filters must be evenly divisible by the number of groups",
    ),
    (
        lambda: call(layers.Conv2D(2, 3, groups=2, name="c"), (1, 5, 5, 3)),
        "in layer 'c', but the input has 3 channels",
    ),
    (
        lambda: layers.Conv2D(2, 3, strides=2, dilation_rate=2),
        "`strides > 1` not supported in conjunction",
    ),
    (
        lambda: call(layers.Conv2D(2, 3, name="c"), (1, 8, 8)),
        "layer 'c' is incompatible with the layer: expected ndim=4, found ndim=3. Full shape "
        "received: (1, 8, 8). Conv2D expects (batch, height, width, channels): for images "
        "without a channel axis add one, x[..., None].",
    ),
    (
        lambda: call(layers.Conv2D(2, 3), (1, 8, 8, 1), (1, 8, 8, 3)),
        "expected axis -1 of input shape to have value 1",
    ),
    (
        lambda: call(layers.Conv2D(2, 5, name="c"), (1, 3, 3, 1)),
        "Computed output size would be zero or negative. Received `inputs shape=(None, 3, 3, 1)`",
    ),
    (
        lambda: layers.Conv2DTranspose(2, 3, output_padding=1),
        "`output_padding` must be strictly less than `strides`",
    ),
    (
        lambda: call(layers.MaxPooling2D(name="m"), (1, 8, 8)),
        "layer 'm' is incompatible with the layer: expected ndim=4, found ndim=3. Full shape "
        "received: (1, 8, 8). MaxPooling2D expects (batch, height, width, channels)",
    ),
    (
        lambda: call(layers.MaxPooling2D(4, name="m"), (1, 3, 3, 1)),
        "Computed output size would be zero or negative.",
    ),
    (lambda: layers.BatchNormalization(axis=[1, 2]), "`axis` of BatchNormalization must be an"),
    (
        lambda: call(layers.BatchNormalization(axis=3, name="b"), (2, 2)),
        "Axis 3 is out of bounds for input shape (None, 2) of layer 'b'",
    ),
    (
        lambda: layers.BatchNormalization(synchronized=True),
        "`synchronized` of BatchNormalization is not available",
    ),
    (
        lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"max": 1}),
        "Received invalid keys for `renorm_clipping` argument: {'max': 1}",
    ),
    (
        lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 1, "rmin": 2}),
        "rmax should be greater than rmin in the `renorm_clipping` argument",
    ),
    (
        lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"dmax": -1}),
        "dmax should be non-negative in the `renorm_clipping` argument. Received: dmax=-1",
    ),
    (
        lambda: layers.LayerNormalization(rms_scaling=True),
        "`rms_scaling` of LayerNormalization is not available",
    ),
    (lambda: layers.LeakyReLU(-1), "`negative_slope` cannot be None or negative value"),
    (
        lambda: layers.Dropout(1.5),
        "Expected a float value between 0 and 1. Received: rate=1.5",
    ),
    (lambda: layers.Dropout(0.5, noise_shape=(0, 2)), "received for argument `noise_shape`"),
    (lambda: layers.Dropout(0.5, seed="a"), "Argument `seed` must be"),
    (lambda: layers.GaussianNoise(-1), "`stddev`. Expected a float value between 0 and 1"),
]


@pytest.mark.parametrize("mistake, message", ROWS, ids=[message[:40] for _, message in ROWS])
def test_message(mistake, message: str):
    with pytest.raises((ValueError, TypeError, IndexError, NotImplementedError)) as raised:
        mistake()
    assert message in str(raised.value)


@pytest.mark.numpy_only("on a device ids are not checked: it would have to be waited for")
def test_an_id_without_a_row():
    with pytest.raises(IndexError, match=r"Layer 'e' .Embedding.: embedding_lookup expects ids"):
        layers.Embedding(5, 2, name="e")(np.array([[1, 5]]))
