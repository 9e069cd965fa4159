"""Rows of the functions of `keras.ops.nn`."""

from __future__ import annotations

import numpy as np

from .golden_row import Row, distinct, normal, positive

X, INTS, BOOLS = normal(3, 5) * 3, np.array([-7, -1, 0, 2, 9], "int32"), np.array([True, False])
IMAGE, FIRST, LINE = normal(2, 7, 6, 4), normal(2, 4, 7, 6), normal(2, 9, 3)
VOLUME = normal(1, 4, 5, 4, 2)
LABELS = np.array([1, 4, 0], "int32")
ONE_HOT = np.eye(5, dtype="float32")[LABELS]
SOFT = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], "float32")
PIXELS, PIXELS_FIRST = normal(2, 4, 6, 8), normal(2, 8, 4, 6)

_PLAIN = (
    "hard_sigmoid hard_silu hard_swish hard_tanh log_sigmoid relu relu6 selu sigmoid silu swish"
)
_PLAIN += " softplus softsign sparse_plus sparse_sigmoid tanh_shrink"
_PLAIN += " celu elu gelu hard_shrink leaky_relu soft_shrink squareplus softmax log_softmax"
_OTHERS_IN_JAX = ("relu6", "sigmoid", "silu", "swish")  # JAX refuses, or makes floats

# Without sparsemax: where several entries stay, Keras's do not have the sum 1.
ACTIVATIONS = [
    *[Row(name, [X]) for name in _PLAIN.split()],
    *[Row(f"{name}:integers", [INTS]) for name in _PLAIN.split() if name not in _OTHERS_IN_JAX],
    Row("celu:alpha", [X], {"alpha": 0.4}),
    Row("elu:alpha", [X], {"alpha": 2.0}),
    Row("gelu:exact", [X], {"approximate": False}),
    Row("hard_shrink:threshold", [X], {"threshold": 1.5}),
    Row("leaky_relu:slope", [X], {"negative_slope": 0.01}),
    Row("soft_shrink:threshold", [X], {"threshold": 1.5}),
    Row("squareplus:b", [X], {"b": 1.0}),
    Row("threshold", [X], {"threshold": 0.5, "default_value": -2.0}),
    Row("glu", [normal(3, 4)]),
    Row("glu:axis", [normal(4, 3)], {"axis": 0}),
    Row("softmax:axis", [X], {"axis": 0}),
    Row("softmax:axes", [LINE], {"axis": (0, 2)}),
    Row("log_softmax:axis", [X], {"axis": 0}),
    Row("log_softmax:axes", [LINE], {"axis": (1, 2)}),
]

CONVOLUTIONS = [
    Row("conv", [IMAGE, normal(3, 2, 4, 3)]),
    Row("conv:same", [IMAGE, normal(3, 2, 4, 3)], {"padding": "same", "strides": (2, 3)}),
    Row("conv:first", [FIRST, normal(3, 2, 4, 3)], {"data_format": "channels_first"}),
    Row("conv:groups", [IMAGE, normal(3, 2, 2, 4)], {"dilation_rate": (1, 2)}),
    Row("conv:line", [LINE, normal(4, 3, 2)], {"padding": "same", "strides": 2}),
    Row("conv:volume", [VOLUME, normal(2, 3, 2, 2, 3)], {"padding": "SAME"}),
    Row("depthwise_conv", [IMAGE, normal(3, 3, 4, 2)], {"padding": "same"}),
    Row("depthwise_conv:line", [LINE, normal(3, 3, 2)], {"dilation_rate": 2}),
    Row("depthwise_conv:first", [FIRST, normal(3, 3, 4, 1)], {"data_format": "channels_first"}),
    Row("separable_conv", [IMAGE, normal(3, 3, 4, 2), normal(1, 1, 8, 3)], {"strides": 2}),
    Row("conv_transpose", [normal(2, 4, 5, 3), normal(3, 4, 2, 3)], {"strides": 2}),
    Row(
        "conv_transpose:padding",
        [normal(2, 4, 5, 3), normal(3, 4, 2, 3)],
        {"strides": 2, "padding": "same", "output_padding": 1},
    ),
    Row(
        "conv_transpose:first",
        [normal(2, 3, 4, 5), normal(3, 4, 2, 3)],
        {"data_format": "channels_first", "dilation_rate": 2},
    ),
    Row("max_pool", [IMAGE, 2, 2]),
    Row("max_pool:same", [IMAGE, (3, 2)], {"strides": (2, 1), "padding": "same"}),
    Row("max_pool:first", [FIRST, 2], {"strides": 2, "data_format": "channels_first"}),
    Row("average_pool", [IMAGE, 2, 3]),
    Row("average_pool:same", [IMAGE, (3, 2)], {"strides": (2, 1), "padding": "same"}),
    Row("average_pool:line", [LINE, 2], {"strides": 3, "padding": "same"}),
    Row("adaptive_average_pool", [IMAGE, (3, 4)]),
    Row("adaptive_average_pool:first", [FIRST, 3], {"data_format": "channels_first"}),
    Row("adaptive_average_pool:line", [LINE, 4]),
    Row("adaptive_average_pool:volume", [VOLUME, (2, 3, 4)]),
    Row("adaptive_max_pool", [distinct(2, 7, 6, 3), (3, 4)]),
    Row("adaptive_max_pool:first", [distinct(2, 3, 7, 6), 3], {"data_format": "channels_first"}),
    Row("adaptive_max_pool:line", [distinct(2, 9, 3), 4]),
    Row("adaptive_max_pool:volume", [distinct(1, 4, 5, 4, 2), (2, 3, 4)]),
    Row("unfold", [normal(2, 3, 5, 6), 2]),
    Row(
        "unfold:everything",
        [normal(2, 3, 5, 6), (3, 2)],
        {"dilation": (1, 2), "padding": (2, 1), "stride": (2, 1)},
    ),
    Row("fold", [normal(2, 12, 20)], {"output_size": (5, 6), "kernel_size": 2}),
    Row(
        "fold:everything",
        [normal(2, 18, 24)],
        {
            "output_size": (5, 6),
            "kernel_size": (3, 2),
            "dilation": (1, 2),
            "padding": (2, 1),
            "stride": (2, 1),
        },
    ),
    Row("depth_to_space", [PIXELS, 2]),
    Row("depth_to_space:first", [PIXELS_FIRST, 2], {"data_format": "channels_first"}),
    Row("space_to_depth", [PIXELS, 2]),
    Row("space_to_depth:first", [PIXELS_FIRST, 2], {"data_format": "channels_first"}),
]

CLASSES = [
    Row("one_hot", [LABELS, 5]),
    Row("one_hot:outside", [np.array([[-1, 2], [3, 7]], "int32"), 4], {"axis": 0}),
    Row("one_hot:dtype", [LABELS, 5], {"dtype": "int32"}),
    Row("multi_hot", [np.array([[0, 2], [3, 3]], "int32"), 4]),
    Row("multi_hot:vector", [LABELS, 6], {"dtype": "int32"}),
    Row("categorical_crossentropy", [ONE_HOT, positive(3, 5)]),
    Row("categorical_crossentropy:logits", [SOFT, normal(2, 3)], {"from_logits": True}),
    Row("categorical_crossentropy:axis", [SOFT.T, positive(3, 2)], {"axis": 0}, gradient=(1,)),
    Row("sparse_categorical_crossentropy", [LABELS, positive(3, 5)]),
    Row("sparse_categorical_crossentropy:logits", [LABELS, X], {"from_logits": True}),
    Row("binary_crossentropy", [ONE_HOT, positive(3, 5) / 9]),
    Row("binary_crossentropy:logits", [ONE_HOT, X], {"from_logits": True}),
]

GAMMA, BETA = positive(4), normal(4)
NORMALIZATIONS = [
    Row("moments", [IMAGE, (0, 1, 2)]),
    Row("moments:keepdims", [LINE, [0, 1]], {"keepdims": True}),
    Row("batch_normalization", [IMAGE, BETA, GAMMA], {"axis": -1}),
    Row(
        "batch_normalization:all",
        [FIRST, BETA, GAMMA, 1, normal(4, seed=1), positive(4, seed=1)],
        {"epsilon": 0.01},
    ),
    Row("layer_normalization", [IMAGE]),
    Row("layer_normalization:gains", [IMAGE, GAMMA, BETA], {"epsilon": 1e-3}),
    Row("layer_normalization:axes", [LINE, positive(9, 3), normal(9, 3)], {"axis": (1, 2)}),
    Row("rms_normalization", [IMAGE]),
    Row("rms_normalization:scale", [IMAGE, GAMMA], {"epsilon": 1e-3}),
    Row("normalize", [X]),
    Row("normalize:axis", [X], {"axis": 0, "order": 1}),
    Row("normalize:order", [X], {"order": 3}),
    Row("normalize:zeros", [np.zeros((2, 3), "float32")], gradient=False),
    Row("normalize:epsilon", [X], {"epsilon": 5.0}),
]

QUERY, KEY, VALUE = normal(2, 3, 4, 5), normal(2, 6, 4, 5), normal(2, 6, 4, 5, seed=1)
MASK = np.random.default_rng(0).random((2, 4, 3, 6)) < 0.6
ATTENTION = [
    Row("dot_product_attention", [QUERY, KEY, VALUE]),
    Row("dot_product_attention:causal", [QUERY, KEY, VALUE], {"is_causal": True, "scale": 0.3}),
    Row("dot_product_attention:bias", [QUERY, KEY, VALUE, normal(2, 1, 3, 6)]),
    Row("dot_product_attention:mask", [QUERY, KEY, VALUE, None, MASK]),
    Row(
        "dot_product_attention:both",
        [QUERY, KEY, VALUE, normal(1, 4, 3, 6), MASK[:, :1]],
        {"is_causal": True},
    ),
    Row("dot_product_attention:groups", [QUERY, normal(2, 6, 2, 5), normal(2, 6, 2, 5, seed=1)]),
]

TARGETS = np.array([[1, 2, 2, 3], [3, 1, 0, 0], [2, 2, 2, 0]], "int32")
LOGITS = normal(3, 8, 5)
TARGET_LENGTH, OUTPUT_LENGTH = np.array([4, 2, 3], "int32"), np.array([8, 5, 7], "int32")
BEAM = {"strategy": "beam_search", "beam_width": 6, "top_paths": 3}
OTHERS = [
    Row("ctc_loss", [TARGETS, LOGITS, TARGET_LENGTH, OUTPUT_LENGTH]),
    Row("ctc_loss:last", [TARGETS, LOGITS, TARGET_LENGTH, OUTPUT_LENGTH], {"mask_index": 4}),
    Row("ctc_decode", [LOGITS, OUTPUT_LENGTH], gradient=False),
    Row(
        "ctc_decode:repeated",
        [normal(2, 9, 3), np.array([9, 7], "int32")],
        {"merge_repeated": False, "mask_index": 2},
        gradient=False,
    ),
    Row("ctc_decode:beam", [LOGITS, OUTPUT_LENGTH], BEAM, gradient=False),
    Row("ctc_decode:last", [LOGITS, OUTPUT_LENGTH], {**BEAM, "mask_index": 4}, gradient=False),
    Row("polar", [positive(3, 2), normal(3, 2)], gradient=False),
    Row("psnr", [positive(2, 4, 4, 3), positive(2, 4, 4, 3, seed=1), 2.0]),
]

ROWS = ACTIVATIONS + CONVOLUTIONS + CLASSES + NORMALIZATIONS + ATTENTION + OTHERS
