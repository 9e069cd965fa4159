"""The table of layers: a row per layer and configuration. Plain data, so that Keras runs it too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Sub:
    """A layer that is an argument of another one."""

    layer: str
    arguments: dict[str, Any]


@dataclass
class Row:
    """A layer by its class's name and arguments, and the shape of a sample batch.

    `shape`: of the inputs, batch included; a list of shapes for layers over lists, a dict of them
    by argument for layers that take several. `masks`: the shapes of the inputs' masks in the same
    structure, None where an input has none; a dict may have an `attention_mask` beside them.
    `call`: further arguments of the call.
    """

    layer: str
    shape: Any
    arguments: dict[str, Any]
    training: bool = False
    ids_below: int | None = None  # inputs are integers from 0 to this; floats where None
    label: str = ""
    state: tuple[tuple[int, ...], ...] = ()  # shapes of the call's `initial_state`
    masks: Any = None
    call: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.layer}:{self.label}" if self.label else self.layer

    @property
    def is_plain(self) -> bool:
        """Whether it takes one tensor, and nothing but numbers and names make it."""
        inner = any(isinstance(value, Sub) for value in self.arguments.values())
        return isinstance(self.shape, tuple) and self.masks is None and not self.call and not inner

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of all inputs, in their order."""
        if isinstance(self.shape, dict):
            return list(self.shape.values())
        return self.shape if isinstance(self.shape, list) else [self.shape]

    def arranged(self, values: Any) -> Any:
        """One value per input, in the structure of `shape`."""
        values = list(values)
        if isinstance(self.shape, dict):
            return dict(zip(self.shape, values, strict=True))
        return values if isinstance(self.shape, list) else values[0]

    def built(self, layer: Any, batch: int | None = None) -> Any:
        """`layer`, whose `build` was called with the shapes of the inputs."""
        shapes = self.arranged((batch, *shape[1:]) for shape in self.shapes)
        layer.build(**by_argument(shapes)) if isinstance(shapes, dict) else layer.build(shapes)
        return layer

    def output_shape(self, layer: Any, batch: int | None) -> Any:
        """What `layer.compute_output_shape` says."""
        shapes = self.arranged((batch, *shape[1:]) for shape in self.shapes)
        if isinstance(shapes, dict):
            return layer.compute_output_shape(**by_argument(shapes))
        return layer.compute_output_shape(shapes)

    def drawn_masks(self, random: np.random.Generator) -> Any:
        """Random masks of the shapes `masks`, in which the first place of each row is True."""

        def draw(shape: tuple[int, ...] | None) -> np.ndarray | None:
            if shape is None:
                return None
            mask = random.random(shape) < 0.6
            mask[..., 0] = True
            return mask

        if isinstance(self.masks, dict):
            return {key: draw(shape) for key, shape in self.masks.items()}
        return [draw(m) for m in self.masks] if isinstance(self.masks, list) else draw(self.masks)


def by_argument(shapes: dict[str, Any]) -> dict[str, Any]:
    """The shapes of arguments as `build` and `compute_output_shape` take them."""
    return {f"{name}_shape": shape for name, shape in shapes.items()}


def row(layer: str, shape: Any, label: str = "", /, **arguments: Any) -> Row:
    names = ("training", "ids_below", "state", "masks", "call")
    about = {name: arguments.pop(name) for name in names if name in arguments}
    return Row(layer, shape, arguments, label=label, **about)


def resolved(arguments: dict[str, Any], module: Any, dtype: Any = None) -> dict[str, Any]:
    """The arguments, with layers of `module` and `dtype` in the place of their descriptions."""

    def resolve(value: Any) -> Any:
        if not isinstance(value, Sub):
            return value
        return getattr(module, value.layer)(**value.arguments, dtype=dtype)

    return {name: resolve(value) for name, value in arguments.items()}


IMAGES, SEQUENCES, ROWS_OF_FEATURES = (2, 6, 5, 3), (2, 7, 3), (4, 5)
STEPS = SEQUENCES[:2]  # of a mask
SELF = {"query": (2, 4, 3), "value": (2, 4, 3)}
CROSS = {"query": (2, 3, 4), "value": (2, 4, 5)}
CROSS_OF_ONE_SIZE = {"query": (2, 3, 4), "value": (2, 4, 4)}
VOLUMES = (1, 4, 4, 3, 2)
FIRST = {"data_format": "channels_first"}

ROWS = [
    row("Dense", ROWS_OF_FEATURES, units=3),
    row("Dense", ROWS_OF_FEATURES, "relu", units=3, activation="relu", use_bias=False),
    row("Dense", (2, 3, 4), "sequence", units=2, activation="tanh"),
    row("Dense", (2, 2, 3, 4), "image", units=2),
    row("Activation", ROWS_OF_FEATURES, activation="softmax"),
    row("Embedding", (3, 4), input_dim=6, output_dim=2, ids_below=6),
    row("Embedding", (3,), "one", input_dim=6, output_dim=2, ids_below=6),
    row("Embedding", (3, 4), "mask", input_dim=6, output_dim=2, ids_below=6, mask_zero=True),
    row("Masking", SEQUENCES),
    row("Identity", SEQUENCES, masks=STEPS),
    row("EinsumDense", ROWS_OF_FEATURES, equation="ab,bc->ac", output_shape=3, bias_axes="c"),
    row(
        "EinsumDense",
        (2, 3, 4),
        "sequence",
        equation="abc,cd->abd",
        output_shape=(3, 5),
        activation="tanh",
    ),
    row("EinsumDense", (2, 3, 4), "dots", equation="...x,xy->...y", output_shape=2, bias_axes="y"),
    row(
        "EinsumDense",
        (2, 4, 3, 2),
        "dots at the end",
        equation="ab...,bc->ac...",
        output_shape=5,
        bias_axes="c",
    ),
    row(
        "EinsumDense",
        (2, 3, 4),
        "heads",
        equation="abc,cde->abde",
        output_shape=(3, 2, 5),
        bias_axes="de",
    ),
    row(
        "EinsumDense",
        (2, 3, 2, 4),
        "two axes",
        equation="abcd,cde->abe",
        output_shape=(3, 5),
        bias_axes="b",
    ),
    row("EinsumDense", (2, 3, 4), "turned", equation="abc,dc->adb", output_shape=(2, 3)),
    row("EinsumDense", (2, 3, 4), "apart", equation="abc,bcd->abd", output_shape=(3, 2)),
    # merging
    row("Add", [(2, 3), (2, 3), (2, 3)]),
    row("Add", [(2, 3, 4), (2, 4), (2, 1, 1)], "broadcast"),
    row("Add", [(2, 3, 4), (2, 3, 4)], "masks", masks=[(2, 3), (2, 3)]),
    row("Add", [(2, 3, 4), (2, 3, 4)], "one mask", masks=[(2, 3), None]),
    row("Subtract", [(2, 3), (2, 3)]),
    row("Subtract", [(2, 3, 4), (2, 1, 4)], "broadcast"),
    row("Multiply", [(2, 3), (2, 3), (2, 3)]),
    row("Multiply", [(2, 3, 4), (2, 4)], "broadcast"),
    row("Multiply", [(2, 5, 4), (2, 5, 4)], "masks", masks=[(2, 5), (2, 5)]),
    row("Multiply", [(2, 5, 4), (2, 5, 4)], "one mask", masks=[(2, 5), None]),
    row("Average", [(2, 3), (2, 3), (2, 3)]),
    row("Average", [(2, 3, 4), (2, 4)], "broadcast"),
    row("Maximum", [(2, 3), (2, 3), (2, 3)]),
    row("Maximum", [(2, 3, 4), (2, 4)], "broadcast"),
    row("Maximum", [(2, 5, 4), (2, 5, 4)], "masks", masks=[(2, 5), (2, 5)]),
    row("Maximum", [(2, 5, 4)] * 3, "some masks", masks=[(2, 5), None, (2, 5)]),
    row("Minimum", [(2, 3), (2, 3), (2, 3)]),
    row("Minimum", [(2, 5, 4), (2, 5, 4)], "masks", masks=[None, (2, 5)]),
    row("Concatenate", [(2, 3), (2, 2)]),
    row("Concatenate", [(2, 3, 4), (2, 1, 4), (2, 2, 4)], "axis", axis=1),
    row("Concatenate", [(2, 3, 4), (2, 3, 2)], "masks", masks=[(2, 3), (2, 3)]),
    row("Concatenate", [(2, 3, 4), (2, 2, 4)], "masks axis", axis=1, masks=[(2, 3), None]),
    row("Dot", [(2, 3), (2, 3)], axes=1),
    row("Dot", [(2, 3, 4), (2, 5, 4)], "last", axes=-1),
    row("Dot", [(2, 3, 5), (2, 4, 3)], "pair", axes=(1, 2)),
    row("Dot", [(2, 3, 5), (2, 4, 3)], "normalize", axes=(1, 2), normalize=True),
    row("Dot", [(2, 4), (2, 3, 4, 5)], "ranks", axes=(1, 2)),
    row("Dot", [(2, 4, 2, 3), (2, 3, 4, 5)], "images", axes=(1, 2)),
    # attention
    row("Attention", [(2, 3, 4), (2, 5, 4)]),
    row("Attention", [(2, 3, 4), (2, 5, 2), (2, 5, 4)], "key", use_scale=True),
    row("Attention", [(2, 3, 4), (2, 5, 4)], "concat", score_mode="concat", use_scale=True),
    row("Attention", [(2, 3, 4), (2, 5, 4)], "concat plain", score_mode="concat", dropout=0.5),
    row("Attention", [(2, 3, 4), (2, 5, 4)], "masks", masks=[(2, 3), (2, 5)]),
    row("Attention", [(2, 3, 4), (2, 5, 4)], "mask of query", masks=[(2, 3), None]),
    row(
        "Attention",
        [(2, 4, 3), (2, 4, 3)],
        "causal",
        masks=[None, (2, 4)],
        call={"use_causal_mask": True, "return_attention_scores": True},
    ),
    row("AdditiveAttention", [(2, 3, 4), (2, 5, 4)]),
    row(
        "AdditiveAttention",
        [(2, 3, 4), (2, 5, 2), (2, 5, 4)],
        "masks",
        use_scale=False,
        masks=[(2, 3), (2, 5), None],
        call={"return_attention_scores": True},
    ),
    row("MultiHeadAttention", SELF, num_heads=2, key_dim=3),
    row(
        "MultiHeadAttention",
        CROSS,
        "cross",
        num_heads=2,
        key_dim=3,
        value_dim=2,
        use_bias=False,
        call={"return_attention_scores": True},
    ),
    row(
        "MultiHeadAttention",
        CROSS | {"key": (2, 4, 2)},
        "masks",
        num_heads=2,
        key_dim=3,
        output_shape=(5,),
        masks={"value": (2, 4), "key": (2, 4)},
    ),
    row(
        "MultiHeadAttention",
        CROSS,
        "all masks",
        num_heads=2,
        key_dim=2,
        masks={"query": (2, 3), "value": (2, 4), "attention_mask": (2, 3, 4)},
        call={"return_attention_scores": True},
    ),
    row(
        "MultiHeadAttention",
        SELF,
        "causal",
        num_heads=2,
        key_dim=2,
        sliding_window=2,
        use_gate=True,
        call={"use_causal_mask": True},
    ),
    row(
        "MultiHeadAttention",
        CROSS,
        "causal dropout",
        num_heads=1,
        key_dim=2,
        dropout=0.5,
        seed=1,
        output_shape=(2, 3),
        call={"use_causal_mask": True},
    ),
    row(
        "MultiHeadAttention",
        {"query": (2, 2, 3, 4), "value": (2, 2, 3, 4)},
        "all axes",
        num_heads=2,
        key_dim=2,
    ),
    row(
        "MultiHeadAttention",
        {"query": (2, 2, 3, 4), "value": (2, 2, 5, 4)},
        "one of two axes",
        num_heads=2,
        key_dim=3,
        attention_axes=2,
        call={"return_attention_scores": True},
    ),
    row(
        "MultiHeadAttention",
        {"query": (2, 3, 2, 4), "value": (2, 4, 2, 4)},
        "first axis",
        num_heads=2,
        key_dim=3,
        attention_axes=(1,),
    ),
    row(
        "MultiHeadAttention",
        CROSS,
        "mask of query",
        num_heads=2,
        key_dim=2,
        masks={"query": (2, 3), "value": (2, 4)},
    ),
    row(
        "GroupQueryAttention",
        CROSS_OF_ONE_SIZE,
        "mask of query",
        head_dim=2,
        num_query_heads=2,
        num_key_value_heads=1,
        masks={"query": (2, 3), "value": (2, 4)},
    ),
    row("GroupQueryAttention", SELF, head_dim=3, num_query_heads=4, num_key_value_heads=2),
    row(
        "GroupQueryAttention",
        CROSS_OF_ONE_SIZE,
        "masks",
        head_dim=2,
        num_query_heads=2,
        num_key_value_heads=1,
        use_gate=True,
        masks={"query": (2, 3), "value": (2, 4), "attention_mask": (2, 3, 4)},
        call={"return_attention_scores": True},
    ),
    row(
        "GroupQueryAttention",
        CROSS_OF_ONE_SIZE | {"key": (2, 4, 3)},
        "causal",
        head_dim=2,
        num_query_heads=2,
        num_key_value_heads=2,
        use_bias=False,
        sliding_window=2,
        masks={"value": (2, 4), "key": (2, 4)},
        call={"use_causal_mask": True},
    ),
    # reshaping
    row("Flatten", (2, 3, 4)),
    row("Flatten", (3,), "vector"),
    row("Flatten", (2, 3, 4, 2), "first", **FIRST),
    row("Reshape", (2, 6), target_shape=(3, 2)),
    row("Reshape", (2, 3, 4), "rest", target_shape=(-1, 2)),
    row("Permute", (2, 3, 4), dims=(2, 1)),
    row("Permute", (2, 3, 4, 5), "three", dims=(3, 1, 2)),
    row("RepeatVector", ROWS_OF_FEATURES, n=3),
    row("ZeroPadding1D", SEQUENCES),
    row("ZeroPadding1D", SEQUENCES, "pair", padding=(0, 2)),
    row("ZeroPadding1D", SEQUENCES, "first", padding=(0, 2), **FIRST),
    row("ZeroPadding2D", IMAGES),
    row("ZeroPadding2D", IMAGES, "ends", padding=((1, 0), (2, 3))),
    row("ZeroPadding2D", IMAGES, "first", padding=(1, 2), **FIRST),
    row("ZeroPadding3D", VOLUMES, padding=(1, 0, 2)),
    row("ZeroPadding3D", VOLUMES, "first", padding=((0, 1), (1, 0), (1, 1)), **FIRST),
    row("Cropping3D", VOLUMES, cropping=((1, 0), (0, 1), (1, 1))),
    row("Cropping3D", VOLUMES, "first", cropping=(1, 1, 0), **FIRST),
    row("Cropping1D", SEQUENCES, cropping=(1, 2)),
    row("Cropping2D", IMAGES, cropping=((1, 0), (2, 1))),
    row("Cropping2D", IMAGES, "first", cropping=(2, 1), **FIRST),
    row("UpSampling1D", SEQUENCES, size=3),
    row("UpSampling2D", IMAGES),
    row("UpSampling2D", IMAGES, "first", size=(2, 3), **FIRST),
    row("UpSampling2D", IMAGES, "bilinear", size=(2, 3), interpolation="bilinear"),
    row("UpSampling2D", IMAGES, "bicubic", size=(2, 3), interpolation="bicubic"),
    row("UpSampling2D", IMAGES, "lanczos3", interpolation="lanczos3"),
    row("UpSampling2D", (2, 3, 6, 5), "lanczos5", size=3, interpolation="lanczos5", **FIRST),
    row("UpSampling3D", (1, 2, 3, 2, 2), size=(2, 1, 3)),
    row("UpSampling3D", (1, 2, 3, 2, 2), "first", **FIRST),
    # convolution
    row("Conv1D", SEQUENCES, filters=4, kernel_size=3),
    row("Conv1D", SEQUENCES, "causal", filters=2, kernel_size=3, padding="causal", dilation_rate=2),
    row("Conv1D", SEQUENCES, "strides", filters=2, kernel_size=2, strides=2, padding="same"),
    row("Conv2D", IMAGES, filters=4, kernel_size=3),
    row("Conv2D", IMAGES, "same", filters=4, kernel_size=(2, 3), padding="same", activation="tanh"),
    row("Conv2D", IMAGES, "strides", filters=2, kernel_size=3, strides=2, padding="same"),
    row("Conv2D", IMAGES, "uneven", filters=2, kernel_size=2, strides=(2, 1), use_bias=False),
    row("Conv2D", IMAGES, "dilated", filters=2, kernel_size=2, dilation_rate=(2, 3)),
    row("Conv2D", (2, 5, 5, 4), "groups", filters=6, kernel_size=2, groups=2),
    row("Conv2D", IMAGES, "first", filters=2, kernel_size=2, **FIRST),
    row("Conv3D", (1, 4, 4, 3, 2), filters=2, kernel_size=2),
    row("Conv1DTranspose", SEQUENCES, filters=2, kernel_size=3, strides=2),
    row("Conv2DTranspose", IMAGES, filters=2, kernel_size=3),
    row("Conv2DTranspose", IMAGES, "same", filters=2, kernel_size=3, strides=2, padding="same"),
    row("Conv2DTranspose", IMAGES, "valid", filters=2, kernel_size=(2, 3), strides=(3, 2)),
    row(
        "Conv2DTranspose",
        IMAGES,
        "output_padding",
        filters=2,
        kernel_size=3,
        strides=2,
        padding="same",
        output_padding=1,
    ),
    row("Conv2DTranspose", IMAGES, "first", filters=2, kernel_size=2, strides=2, **FIRST),
    row("Conv3DTranspose", (1, 2, 3, 2, 2), filters=2, kernel_size=2, strides=2),
    row("Conv3DTranspose", (1, 3, 2, 2, 2), "same", filters=2, kernel_size=3, padding="same"),
    row("DepthwiseConv1D", SEQUENCES, kernel_size=3),
    row("DepthwiseConv2D", IMAGES, kernel_size=3, padding="same"),
    row("DepthwiseConv2D", IMAGES, "multiplier", kernel_size=2, strides=2, depth_multiplier=2),
    row("SeparableConv1D", SEQUENCES, filters=2, kernel_size=3, padding="same"),
    row("SeparableConv2D", IMAGES, filters=4, kernel_size=3),
    row("SeparableConv2D", IMAGES, "two", filters=4, kernel_size=2, depth_multiplier=2, strides=2),
    # pooling
    row("MaxPooling1D", SEQUENCES),
    row("MaxPooling2D", IMAGES),
    row("MaxPooling2D", IMAGES, "same", pool_size=3, strides=2, padding="same"),
    row("MaxPooling2D", IMAGES, "overlap", pool_size=(3, 2), strides=1),
    row("MaxPooling2D", IMAGES, "first", pool_size=(2, 1), **FIRST),
    row("MaxPooling3D", (1, 4, 4, 2, 2)),
    row("AveragePooling1D", SEQUENCES, pool_size=2, padding="same"),
    row("AveragePooling2D", IMAGES, pool_size=2),
    row("AveragePooling2D", IMAGES, "same", pool_size=3, strides=2, padding="same"),
    row("AveragePooling3D", (1, 4, 4, 2, 2), pool_size=2),
    row("GlobalAveragePooling1D", SEQUENCES),
    row("GlobalAveragePooling1D", SEQUENCES, "mask", masks=STEPS),
    row("GlobalAveragePooling1D", (2, 3, 7), "mask first", keepdims=True, masks=(2, 7), **FIRST),
    row("GlobalAveragePooling2D", IMAGES),
    row("GlobalAveragePooling2D", IMAGES, "keepdims", keepdims=True),
    row("GlobalAveragePooling2D", IMAGES, "first", **FIRST),
    row("GlobalAveragePooling3D", (1, 4, 4, 2, 2)),
    row("GlobalMaxPooling1D", SEQUENCES),
    row("GlobalMaxPooling2D", IMAGES),
    row("GlobalMaxPooling3D", (1, 4, 4, 2, 2)),
    row("AdaptiveAveragePooling1D", SEQUENCES, output_size=3),
    row("AdaptiveAveragePooling2D", IMAGES, output_size=(4, 2)),
    row("AdaptiveAveragePooling2D", IMAGES, "first", output_size=2, **FIRST),
    row("AdaptiveAveragePooling3D", (1, 4, 4, 3, 2), output_size=(2, 3, 2)),
    row("AdaptiveMaxPooling1D", SEQUENCES, output_size=3),
    row("AdaptiveMaxPooling2D", IMAGES, output_size=(4, 2)),
    row("AdaptiveMaxPooling2D", IMAGES, "first", output_size=2, **FIRST),
    row("AdaptiveMaxPooling3D", (1, 4, 4, 3, 2), output_size=(2, 3, 2)),
    # normalization
    row("BatchNormalization", ROWS_OF_FEATURES, training=True),
    row("BatchNormalization", ROWS_OF_FEATURES, "inference"),
    row("BatchNormalization", IMAGES, "images", training=True, momentum=0.9, epsilon=1e-2),
    row("BatchNormalization", IMAGES, "first", training=True, axis=1),
    row("BatchNormalization", IMAGES, "first_inference", axis=1),
    row("BatchNormalization", ROWS_OF_FEATURES, "plain", training=True, center=False, scale=False),
    row("BatchNormalization", ROWS_OF_FEATURES, "scale", training=True, center=False),
    row("BatchNormalization", ROWS_OF_FEATURES, "frozen", training=True, trainable=False),
    row("BatchNormalization", SEQUENCES, "mask", training=True, masks=STEPS),
    row("BatchNormalization", SEQUENCES, "mask inference", masks=STEPS, scale=False),
    row("BatchNormalization", ROWS_OF_FEATURES, "renorm", training=True, renorm=True),
    row(
        "BatchNormalization",
        IMAGES,
        "renorm clipped",
        training=True,
        renorm=True,
        renorm_clipping={"rmin": 0.8, "rmax": 1.2, "dmax": 0.5},
        renorm_momentum=0.9,
        scale=False,
    ),
    row(
        "BatchNormalization",
        SEQUENCES,
        "renorm masked",
        training=True,
        renorm=True,
        center=False,
        masks=STEPS,
    ),
    row("GroupNormalization", (3, 6), groups=3),
    row("GroupNormalization", (2, 3, 2, 4), "images", groups=2, epsilon=0.1),
    row("GroupNormalization", (2, 4, 3, 2), "first", groups=2, axis=1, center=False),
    row("GroupNormalization", (2, 3, 4), "instance", groups=-1, scale=False),
    row("RMSNormalization", ROWS_OF_FEATURES),
    row("RMSNormalization", SEQUENCES, "axes", axis=[1, 2], epsilon=0.1),
    row("UnitNormalization", ROWS_OF_FEATURES),
    row("UnitNormalization", SEQUENCES, "axes", axis=[1, 2], masks=STEPS),
    row("SpectralNormalization", ROWS_OF_FEATURES, layer=Sub("Dense", {"units": 3, "name": "d"})),
    row(
        "SpectralNormalization",
        IMAGES,
        "convolution",
        layer=Sub("Conv2D", {"filters": 2, "kernel_size": 2, "name": "c"}),
        power_iterations=3,
    ),
    row("LayerNormalization", ROWS_OF_FEATURES),
    row("LayerNormalization", SEQUENCES, "axes", axis=[1, 2]),
    row("LayerNormalization", SEQUENCES, "axis", axis=1),
    row("LayerNormalization", SEQUENCES, "plain", center=False, scale=False),
    # activation
    row("ReLU", ROWS_OF_FEATURES),
    row("ReLU", ROWS_OF_FEATURES, "all", max_value=1.5, negative_slope=0.1, threshold=0.5),
    row("LeakyReLU", ROWS_OF_FEATURES),
    row("ELU", ROWS_OF_FEATURES, alpha=0.7),
    row("Softmax", SEQUENCES),
    row("Softmax", SEQUENCES, "axis", axis=1),
    row("Softmax", SEQUENCES, "axes", axis=(1, 2)),
    row("Softmax", (2, 4), "mask", masks=(2, 4)),
    row("Softmax", (2, 3, 4), "axes mask", axis=(1, 2), masks=(2, 1, 4)),
    row("PReLU", ROWS_OF_FEATURES),
    row("PReLU", IMAGES, "shared", shared_axes=[1, 2]),
    # regularization, which does nothing in inference
    row("Dropout", ROWS_OF_FEATURES, rate=0.5, seed=3),
    row("SpatialDropout1D", SEQUENCES, rate=0.5),
    row("SpatialDropout2D", IMAGES, rate=0.5),
    row("SpatialDropout3D", (1, 4, 4, 2, 2), rate=0.5),
    row("AlphaDropout", ROWS_OF_FEATURES, rate=0.5, seed=3),
    row("ActivityRegularization", ROWS_OF_FEATURES, l1=0.5, l2=0.25),
    row("GaussianNoise", ROWS_OF_FEATURES, stddev=0.5),
    row("GaussianDropout", ROWS_OF_FEATURES, rate=0.5),
    # preprocessing
    row("Rescaling", IMAGES, scale=0.5, offset=-1),
    row("Rescaling", IMAGES, "channels", scale=[1.0, 2.0, 3.0]),
    # recurrent
    row("LSTM", SEQUENCES, units=4),
    row("LSTM", SEQUENCES, "sequences", units=4, return_sequences=True),
    row("LSTM", SEQUENCES, "backwards", units=2, return_sequences=True, go_backwards=True),
    row("LSTM", SEQUENCES, "plain", units=2, use_bias=False, go_backwards=True),
    row("LSTM", SEQUENCES, "state", units=4, state=((2, 4), (2, 4)), return_sequences=True),
    row("LSTM", (3, 1, 2), "one step", units=5, unit_forget_bias=False, unroll=True),
    row(
        "LSTM",
        SEQUENCES,
        "activations",
        units=4,
        activation="softsign",
        recurrent_activation="hard_sigmoid",
        return_sequences=True,
    ),
    row(
        "LSTM",
        SEQUENCES,
        "linear",
        units=3,
        activation=None,
        use_bias=False,
        go_backwards=True,
        return_sequences=True,
        state=((2, 3), (2, 3)),
    ),
    row("LSTM", SEQUENCES, "dropout", units=4, dropout=0.5, recurrent_dropout=0.25, seed=3),
]


def upstream(shape: tuple[int, ...]) -> np.ndarray:
    """The upstream gradient that a row's gradients were computed with."""
    return np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape)
