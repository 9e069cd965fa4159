"""Random configurations of layers: a function per layer that draws its arguments and its inputs.

A layer is one row of GENERATORS. Plain data, so that Keras and layerkit are given the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .draw import Draw
from .recurrent import Made, of

ACTIVATIONS = [None, "relu", "tanh", "sigmoid", "softmax", "gelu", "elu", "swish", "softplus"]
GATES = ["sigmoid", "hard_sigmoid", "tanh", "linear"]
BOOLS = [True, False]
FORMATS = ["channels_last", "channels_first"]
PENALTIES = [None, "l1", "l2", "L1L2"]
LIMITS = [None, "non_neg", "unit_norm"]
DTYPES = ["float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"]
WRONG = [0, -1, None, "nonsense", 1.5, (1, 2), (), [3], -2, 2, 5]


@dataclass
class Case:
    """A layer and what it is called on.

    `inputs`: an array, a list of arrays, or a dict of them by argument; `masks` in the same
    structure. `calls`: how often it is called. `differentiable`: whether inputs have gradients.
    """

    layer: Made
    inputs: Any
    masks: Any = None
    call: dict[str, Any] = field(default_factory=dict)
    training: bool | None = None
    calls: int = 1
    dtype: str | None = None
    differentiable: bool = True

    @property
    def arrays(self) -> list[np.ndarray]:
        return leaves(self.inputs)

    def __str__(self) -> str:
        text = f"{expression(self.layer)} dtype={self.dtype} on {described(self.inputs)}"
        for name in ("masks", "call", "training"):
            value = getattr(self, name)
            if value is not None and leaves(value):
                text += f" {name}={described(value)}"
        return text + (f" called {self.calls} times" if self.calls > 1 else "")


def leaves(structure: Any) -> list[Any]:
    """What is no list, tuple or dict in nested ones, in order."""
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in leaves(item)]
    return [structure]


def mapped(function: Callable, structure: Any) -> Any:
    """`function` of each leaf, in the same structure."""
    if isinstance(structure, dict):
        return {key: mapped(function, item) for key, item in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(mapped(function, item) for item in structure)
    return function(structure)


def expression(thing: Any) -> str:
    if isinstance(thing, Made):
        arguments = (f"{name}={expression(value)}" for name, value in thing.arguments.items())
        return f"{thing.name}({', '.join(arguments)})"
    if isinstance(thing, list):
        return f"[{', '.join(map(expression, thing))}]"
    return repr(thing)


def described(structure: Any) -> str:
    def leaf(x: Any) -> str:
        return f"{x.dtype}{x.shape}" if isinstance(x, np.ndarray) else repr(x)

    if isinstance(structure, dict):
        return "{" + ", ".join(f"{key}: {described(x)}" for key, x in structure.items()) + "}"
    if isinstance(structure, (list, tuple)):
        return "[" + ", ".join(map(described, structure)) + "]"
    return leaf(structure)


# Core.


def dense(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    arguments = d.some(
        activation=ACTIVATIONS,
        use_bias=BOOLS,
        kernel_regularizer=PENALTIES,
        bias_regularizer=PENALTIES,
        activity_regularizer=PENALTIES,
        kernel_constraint=LIMITS,
        trainable=BOOLS,
    )
    return Case(of("Dense", units=d.size(), **arguments), d.floats(shape), d.mask(shape[:-1], 0.1))


def einsum_dense(d: Draw) -> Case:
    a, b, c = d.sizes(3)
    equation, shape, output, axes = d.pick(
        ("ab,bc->ac", (a, b), c, "c"),
        ("abc,cd->abd", (a, b, c), (None, 3), "d"),
        ("abc,cde->abde", (a, b, c), (None, 2, 3), "de"),
        ("...x,xy->...y", (a, b, c), c, "y"),
        ("abc,bcd->abd", (a, b, c), (b, 2), "bd"),
        ("abc,cd->adb", (a, b, c), (2, b), "d"),
        ("abcd,cde->abe", (a, b, c, 2), (b, 3), "e"),
        ("ab...,bc->ac...", (a, b, c), 3, "c"),
    )
    arguments = d.some(activation=ACTIVATIONS, bias_axes=[None, axes])
    layer = of("EinsumDense", equation=equation, output_shape=output, **arguments)
    return Case(layer, d.floats(shape))


def activation(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    return Case(of("Activation", activation=d.pick(*ALL_ACTIVATIONS)), d.floats(shape))


ALL_ACTIVATIONS = """celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh
    leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax
    softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink
    threshold hard_swish""".split()  # noqa: SIM905


def embedding(d: Draw) -> Case:
    below = d.size(5, 2)
    arguments = d.some(mask_zero=BOOLS, embeddings_regularizer=PENALTIES)
    layer = of("Embedding", input_dim=below, output_dim=d.size(), **arguments)
    ids = d.ids(d.sizes(d.size(3)), below)
    return Case(layer, d.pick(ids, ids, ids.astype("float32"), ids.astype("int64"), ids % 2 == 1))


def masking(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    return Case(of("Masking", **d.some(mask_value=[0.0, 1.0, -1])), np.round(d.floats(shape)))


def identity(d: Draw) -> Case:
    shape = d.sizes(d.size(4))
    return Case(of("Identity"), d.floats(shape), d.mask(shape[:2]))


# Merging.


def merging(name: str, most: int = 4) -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        shape = d.sizes(d.size(4, 2))
        shapes = [shape] * d.size(most, 2)
        if d.chance(0.4):
            shapes = [(s[0], *(d.pick(1, n) for n in s[1:])) for s in shapes]
        if d.chance(0.2):
            shapes = [(s[0], *s[1 + d.size(len(s) - 2, 0) :]) for s in shapes]
        masks = None
        if d.chance(0.3) and len(shape) > 2:
            masks = [d.mask(s[:2], 0.7) for s in shapes]
        return Case(of(name), [d.floats(s) for s in shapes], masks)

    return generate


def concatenate(d: Draw) -> Case:
    rank = d.size(4, 2)
    axis = d.pick(-1, *range(1, rank), *range(1 - rank, 0))
    shape = d.sizes(rank)
    shapes = []
    for _ in range(d.size(3, 2)):
        other = list(shape)
        other[axis] = d.size()
        shapes.append(tuple(other))
    masks = [d.mask(s[:2], 0.6) for s in shapes] if d.chance(0.3) and rank > 2 else None
    layer = of("Concatenate", **({} if axis == -1 and d.chance() else {"axis": axis}))
    return Case(layer, [d.floats(s) for s in shapes], masks)


def dot(d: Draw) -> Case:
    ranks = d.size(4, 2), d.size(4, 2)
    batch, size = d.sizes(2)
    axes = d.size(ranks[0] - 1), d.size(ranks[1] - 1)
    shapes = []
    for rank, axis in zip(ranks, axes, strict=True):
        shape = [batch, *d.sizes(rank - 1)]
        shape[axis] = size
        shapes.append(tuple(shape))
    given = d.pick(axes, list(axes), tuple(a - r for a, r in zip(axes, ranks, strict=True)))
    if axes[0] == axes[1] and d.chance():
        given = axes[0]
    layer = of("Dot", axes=given, **d.some(normalize=BOOLS))
    return Case(layer, [d.floats(shape) for shape in shapes])


# Reshaping.


def flatten(d: Draw) -> Case:
    return Case(of("Flatten", **d.some(data_format=FORMATS)), d.floats(d.sizes(d.size(5))))


def reshape(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    total = int(np.prod(shape[1:]))
    target = d.pick((-1,), (total,), (1, total), (total, -1), (-1, shape[1]), shape[1:][::-1], [-1])
    return Case(of("Reshape", target_shape=target), d.floats(shape))


def permute(d: Draw) -> Case:
    rank = d.size(4, 2)
    dims = d.random.permutation(rank - 1) + 1
    layer = of("Permute", dims=d.pick(tuple, list)(int(n) for n in dims))
    return Case(layer, d.floats(d.sizes(rank)))


def repeat_vector(d: Draw) -> Case:
    return Case(of("RepeatVector", n=d.size()), d.floats(d.sizes(2)))


def spatial(name: str, rank: int, argument: str, draw: Callable, has_format: bool = True):
    """A layer of images of some rank with one argument that is drawn for them."""

    def generate(d: Draw) -> Case:
        formats = d.some(data_format=FORMATS) if has_format else {}
        shape = d.sizes(rank + 2, 5)
        given = {argument: draw(d, rank)} if d.chance(0.85) else {}
        return Case(of(name, **given, **formats), d.floats(shape))

    return generate


def margins(d: Draw, rank: int) -> Any:
    if rank == 1:
        return d.pick(d.size(2, 0), d.pair())
    pairs = tuple(d.pair() for _ in range(rank))
    return d.pick(d.size(2, 0), d.sizes(rank, 2, 0), pairs, [list(pair) for pair in pairs])


def factors(d: Draw, rank: int) -> Any:
    return d.per_axis(rank)


def up_sampling_2d(d: Draw) -> Case:
    arguments = d.some(data_format=FORMATS, interpolation=INTERPOLATIONS)
    layer = of("UpSampling2D", size=d.per_axis(2), **arguments)
    return Case(layer, d.floats(d.sizes(4, 5)))


INTERPOLATIONS = ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]


# Convolution and pooling.


def convolution(name: str, rank: int, kind: str = "conv") -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        arguments: dict[str, Any] = {"kernel_size": d.per_axis(rank)}
        groups = d.pick(1, 1, 2, 3) if kind == "conv" else 1
        channels = groups * d.size(2)
        if kind != "depthwise":
            arguments["filters"] = groups * d.size(3)
        if groups > 1:
            arguments["groups"] = groups
        if kind in ("depthwise", "separable"):
            arguments |= d.some(depth_multiplier=[1, 2, 3])
        paddings = ["valid", "same"] + ["causal"] * (name in ("Conv1D", "SeparableConv1D"))
        arguments |= d.some(
            padding=paddings,
            strides=[1, 2, 3, d.sizes(rank, 3)],
            data_format=["channels_last", "channels_last", "channels_first"],
            activation=ACTIVATIONS,
            use_bias=BOOLS,
        )
        if "strides" not in arguments or d.chance(0.1):
            arguments |= d.some(dilation_rate=[1, 2, d.sizes(rank, 3)])
        if kind == "transpose":
            arguments |= d.some(output_padding=[None, 0, 1, d.sizes(rank, 1, 0)])
        sizes = d.sizes(rank, 7 if rank < 3 else 5)
        first = arguments.get("data_format") == "channels_first"
        shape = (d.size(3), channels, *sizes) if first else (d.size(3), *sizes, channels)
        return Case(of(name, **arguments), d.floats(shape))

    return generate


def pooling(name: str, rank: int) -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        arguments = d.some(
            strides=[None, 1, 2, 3, d.sizes(rank, 3)],
            padding=["valid", "same"],
            data_format=FORMATS,
        )
        layer = of(name, pool_size=d.per_axis(rank), **arguments)
        return Case(layer, d.floats(d.sizes(rank + 2, 6)))

    return generate


def global_pooling(name: str, rank: int) -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        arguments = d.some(data_format=FORMATS, keepdims=BOOLS)
        shape = d.sizes(rank + 2)
        mask = None
        if name == "GlobalAveragePooling1D":
            first = arguments.get("data_format") == "channels_first"
            mask = d.mask((shape[0], shape[2 if first else 1]))
            if mask is not None:
                mask[:, 0] = True  # of nothing there is no mean
        return Case(of(name, **arguments), d.floats(shape), mask)

    return generate


def adaptive_pooling(name: str, rank: int) -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        layer = of(name, output_size=d.per_axis(rank), **d.some(data_format=FORMATS))
        return Case(layer, d.floats(d.sizes(rank + 2, 6)))

    return generate


# Normalization.


def batch_normalization(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    arguments = d.some(
        axis=list(range(1, len(shape))) + list(range(1 - len(shape), 0)),
        momentum=[0.9, 0.5, 0.0],
        epsilon=[1e-3, 0.1],
        center=BOOLS,
        scale=BOOLS,
        gamma_regularizer=PENALTIES,
        trainable=[True, True, False],
    )
    if d.chance(0.2):
        arguments |= {"renorm": True, **d.some(renorm_momentum=[0.9], renorm_clipping=CLIPPINGS)}
    mask = d.mask(shape[:2], 0.2) if len(shape) == 3 and arguments.get("axis") in (-1, 2) else None
    layer = of("BatchNormalization", **arguments)
    return Case(layer, d.floats(shape), mask, training=d.pick(True, False, None), calls=d.size(2))


CLIPPINGS = [None, {"rmax": 1.5, "rmin": 0.5, "dmax": 0.5}, {"rmax": 2.0}]


def layer_normalization(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    rank = len(shape)
    arguments = d.some(
        axis=[-1, list(range(1, rank)), rank - 1, [rank - 1], (1, -1), [-1, 1]],
        epsilon=[1e-3, 0.1],
        center=BOOLS,
        scale=BOOLS,
    )
    return Case(of("LayerNormalization", **arguments), d.floats(shape), d.mask(shape[:-1], 0.1))


def rms_normalization(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    rank = len(shape)
    arguments = d.some(axis=[-1, list(range(1, rank)), rank - 1, (1, -1)], epsilon=[1e-6, 0.1])
    return Case(of("RMSNormalization", **arguments), d.floats(shape))


def group_normalization(d: Draw) -> Case:
    groups = d.size(3)
    shape = list(d.sizes(d.size(4, 2)))
    axis = d.pick(-1, *range(1, len(shape)))
    shape[axis] = groups * d.size(3)
    arguments = d.some(epsilon=[1e-3, 0.1], center=BOOLS, scale=BOOLS)
    layer = of("GroupNormalization", groups=d.pick(groups, groups, -1), axis=axis, **arguments)
    return Case(layer, d.floats(tuple(shape)))


def unit_normalization(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    arguments = d.some(axis=[-1, 1, [1, -1], list(range(1, len(shape)))])
    return Case(of("UnitNormalization", **arguments), d.floats(shape), d.mask(shape[:-1], 0.1))


def spectral_normalization(d: Draw) -> Case:
    rows = [
        (of("Dense", units=d.size()), d.sizes(2)),
        (of("Conv2D", filters=d.size(), kernel_size=2), d.sizes(4, 5, 2)),
        (of("Embedding", input_dim=4, output_dim=d.size()), None),
    ]
    inner, shape = d.pick(*rows)
    layer = of("SpectralNormalization", layer=inner, **d.some(power_iterations=[1, 2, 3]))
    inputs = d.ids((2, 3), 4) if shape is None else d.floats(shape)
    return Case(layer, inputs, training=d.pick(True, False), calls=d.size(2))


# Activations, and regularization, which does nothing in inference.


def activation_layer(name: str, **choices: list) -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        shape = d.sizes(d.size(4, 2))
        return Case(of(name, **d.some(**choices)), d.floats(shape), d.mask(shape[:-1], 0.1))

    return generate


def softmax(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    axes = [-1, 1, len(shape) - 1, tuple(range(1, len(shape))), [1, -1] if len(shape) > 2 else -1]
    mask = d.mask(tuple(d.pick(1, n) for n in shape), 0.3)
    if mask is not None:
        return Case(of("Softmax", **d.some(axis=axes)), d.floats(shape), call={"mask": mask})
    return Case(of("Softmax", **d.some(axis=axes)), d.floats(shape), d.mask(shape, 0.2))


def p_relu(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    axes = [None, [1], list(range(1, len(shape))), [len(shape) - 1], 1, (1,)]
    return Case(of("PReLU", **d.some(shared_axes=axes, alpha_constraint=LIMITS)), d.floats(shape))


def dropping(name: str, rank: int | None = None, amount: str = "rate") -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        shape = d.sizes(rank or d.size(4, 2))
        mask = d.mask(shape[:-1], 0.1)
        arguments = d.some(seed=[1, None])
        if rank in (4, 5):
            arguments |= d.some(data_format=FORMATS)
        layer = of(name, **{amount: d.pick(0.0, 0.3, 0.5)}, **arguments)
        training = True if layer.arguments[amount] == 0 else d.pick(False, None)
        return Case(layer, d.floats(shape), mask, training=training)

    return generate


# Recurrent.

RNN_OPTIONS = {
    "return_sequences": BOOLS,
    "return_state": BOOLS,
    "go_backwards": BOOLS,
    "unroll": BOOLS,
}
CELL_OPTIONS = {
    "activation": ["tanh", "relu", "linear", "softsign", None],
    "use_bias": BOOLS,
    "kernel_regularizer": PENALTIES,
    "recurrent_constraint": LIMITS,
}
STATES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}


def cell_arguments(d: Draw, kind: str) -> dict[str, Any]:
    arguments = {"units": d.size(3), **d.some(**CELL_OPTIONS)}
    if kind != "SimpleRNN":
        arguments |= d.some(recurrent_activation=GATES)
    if kind == "GRU":
        arguments |= d.some(reset_after=BOOLS)
    if kind == "LSTM":
        arguments |= d.some(unit_forget_bias=BOOLS)
    if d.chance(0.15):
        arguments |= {"dropout": 0.3, "recurrent_dropout": 0.2, "seed": 1}  # of training only
    return arguments


def steps(d: Draw) -> tuple[int, int, int]:
    return d.sizes(3)


def recurrent(kind: str) -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        arguments = cell_arguments(d, kind) | d.some(**RNN_OPTIONS)
        arguments |= d.some(zero_output_for_mask=BOOLS, activity_regularizer=PENALTIES)
        stateful = d.chance(0.2)
        if stateful:
            arguments["stateful"] = True
        shape = steps(d)
        call: dict[str, Any] = {}
        if d.chance(0.3):
            states = [d.floats((shape[0], arguments["units"])) for _ in range(STATES[kind])]
            call["initial_state"] = states if len(states) > 1 else d.pick(states, states[0])
        mask = d.mask(shape[:2], 0.4)
        return Case(of(kind, **arguments), d.floats(shape), mask, call, calls=1 + stateful)

    return generate


def cell(kind: str) -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        arguments = cell_arguments(d, kind)
        batch, features = d.sizes(2)
        states = [d.floats((batch, arguments["units"])) for _ in range(STATES[kind])]
        given = d.pick(states, states[0] if len(states) == 1 else states)
        return Case(
            of(f"{kind}Cell", **arguments), d.floats((batch, features)), call={"states": given}
        )

    return generate


def any_cell(d: Draw) -> Made:
    kind = d.pick(*STATES)
    return of(f"{kind}Cell", **cell_arguments(d, kind))


def rnn(d: Draw) -> Case:
    cells = [any_cell(d) for _ in range(d.size(3))]
    inner = d.pick(cells[0], cells, of("StackedRNNCells", cells=cells))
    arguments = d.some(**RNN_OPTIONS, zero_output_for_mask=BOOLS)
    shape = steps(d)
    return Case(of("RNN", cell=inner, **arguments), d.floats(shape), d.mask(shape[:2], 0.4))


def stacked_cells(d: Draw) -> Case:
    kinds = [d.pick(*STATES) for _ in range(d.size(3))]
    cells = [of(f"{kind}Cell", **cell_arguments(d, kind)) for kind in kinds]
    batch, features = d.sizes(2)
    states = []
    for kind, made in zip(kinds, cells, strict=True):
        own = [d.floats((batch, made.arguments["units"])) for _ in range(STATES[kind])]
        states.append(own if len(own) > 1 else own[0])
    layer = of("StackedRNNCells", cells=cells)
    return Case(layer, d.floats((batch, features)), call={"states": states})


def bidirectional(d: Draw) -> Case:
    kind = d.pick(*STATES)
    arguments = cell_arguments(d, kind) | d.some(return_sequences=BOOLS, return_state=BOOLS)
    arguments |= d.some(zero_output_for_mask=BOOLS, go_backwards=BOOLS)
    shape = steps(d)
    outer = d.some(merge_mode=["concat", "sum", "ave", "mul", None])
    if d.chance(0.2):
        back = arguments | {"go_backwards": not arguments.get("go_backwards", False)}
        outer["backward_layer"] = of(kind, **back)
    call: dict[str, Any] = {}
    if d.chance(0.2):
        count = 2 * STATES[kind]
        call["initial_state"] = [d.floats((shape[0], arguments["units"])) for _ in range(count)]
    layer = of("Bidirectional", layer=of(kind, **arguments), **outer)
    return Case(layer, d.floats(shape), d.mask(shape[:2], 0.3), call)


def time_distributed(d: Draw) -> Case:
    inner, shape = d.pick(
        (of("Dense", units=d.size(), **d.some(activation=ACTIVATIONS)), d.sizes(3)),
        (of("Dense", units=d.size()), d.sizes(4)),
        (of("Conv2D", filters=d.size(2), kernel_size=2), d.sizes(5, 4, 2)),
        (of("BatchNormalization"), d.sizes(3)),
        (of("LSTM", units=d.size(2)), d.sizes(4)),
        (of("Flatten"), d.sizes(4)),
        (of("Activation", activation="relu"), d.sizes(3)),
        (of("LayerNormalization"), d.sizes(4)),
    )
    mask = d.mask(shape[:2], 0.2)
    layer = of("TimeDistributed", layer=inner)
    return Case(layer, d.floats(shape), mask, training=d.pick(True, False, None))


def conv_lstm(rank: int) -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        arguments = d.some(
            padding=["valid", "same"],
            strides=[1, 2],
            data_format=["channels_last", "channels_last", "channels_first"],
            recurrent_activation=GATES,
            activation=["tanh", "relu", None],
            use_bias=BOOLS,
            return_sequences=BOOLS,
            return_state=BOOLS,
            go_backwards=BOOLS,
            unit_forget_bias=BOOLS,
        )
        if "strides" not in arguments:
            arguments |= d.some(dilation_rate=[1, 2])
        sizes = d.sizes(rank, 5 if rank < 3 else 3, 2)
        first = arguments.get("data_format") == "channels_first"
        channels = d.size(2)
        shape = (*d.sizes(2, 3), *((channels, *sizes) if first else (*sizes, channels)))
        layer = of(
            f"ConvLSTM{rank}D", filters=d.size(2), kernel_size=d.per_axis(rank, 2), **arguments
        )
        stateful = d.chance(0.2)
        if stateful:
            layer.arguments["stateful"] = True
        return Case(layer, d.floats(shape), d.mask(shape[:2], 0.2), calls=1 + stateful)

    return generate


# Attention.


def attention(name: str) -> Callable[[Draw], Case]:
    def generate(d: Draw) -> Case:
        batch, queries, keys, size = d.sizes(4)
        arguments = d.some(use_scale=BOOLS, dropout=[0.0, 0.3])
        if name == "Attention":
            arguments |= d.some(score_mode=["dot", "concat"])
        shapes = [(batch, queries, size), (batch, keys, size)]
        if d.chance():
            shapes = [shapes[0], (batch, keys, d.size()), shapes[1]]
        masks = [d.mask(shape[:2], 0.5) for shape in shapes] if d.chance() else None
        call = d.some(return_attention_scores=BOOLS, use_causal_mask=BOOLS)
        return Case(of(name, **arguments), [d.floats(s) for s in shapes], masks, call)

    return generate


def heads(d: Draw, name: str, arguments: dict[str, Any], sizes: tuple[int, int, int]) -> Case:
    batch, queries, keys = d.sizes(3)
    arguments |= d.some(use_bias=BOOLS, sliding_window=[None, 2], use_gate=BOOLS)
    inputs = {"query": d.floats((batch, queries, sizes[0]))}
    inputs["value"] = d.floats((batch, keys, sizes[1]))
    if d.chance():
        inputs["key"] = d.floats((batch, keys, sizes[2]))
    masks = {key: d.mask(x.shape[:2], 0.4) for key, x in inputs.items()} if d.chance() else None
    call = d.some(return_attention_scores=BOOLS, use_causal_mask=BOOLS)
    if d.chance(0.3):
        call["attention_mask"] = d.random.random((batch, queries, keys)) < 0.7
    return Case(of(name, **arguments), inputs, masks, call)


def multi_head_attention(d: Draw) -> Case:
    arguments = {"num_heads": d.size(3), "key_dim": d.size(3)}
    arguments |= d.some(value_dim=[None, 1, 2], output_shape=[None, 3, (2,), (2, 3)])
    return heads(d, "MultiHeadAttention", arguments, d.sizes(3))


def group_query_attention(d: Draw) -> Case:
    groups = d.size(2)
    arguments = {"head_dim": d.size(3), "num_key_value_heads": groups}
    arguments["num_query_heads"] = groups * d.size(2)
    return heads(d, "GroupQueryAttention", arguments, (d.size(),) * 3)


# Preprocessing.


def rescaling(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    per_channel = [float(n) for n in d.sizes(shape[-1])]
    arguments = d.some(offset=[1, -0.5, per_channel])
    x = d.floats(shape)
    x = d.pick(x, x, (100 * abs(x)).astype("uint8"), x.astype("int32"))
    return Case(of("Rescaling", scale=d.pick(0.5, 1 / 255, 2, per_channel), **arguments), x)


def normalization(d: Draw) -> Case:
    shape = d.sizes(d.size(4, 2))
    axis = d.pick(-1, None, len(shape) - 1, (-1,))
    count = 1 if axis is None else shape[-1]
    mean, variance = d.floats((count,)).tolist(), (abs(d.floats((count,))) + 0.1).tolist()
    if axis is None:
        mean, variance = mean[0], variance[0]
    layer = of("Normalization", axis=axis, mean=mean, variance=variance, **d.some(invert=BOOLS))
    return Case(layer, d.floats(shape))


def category_encoding(d: Draw) -> Case:
    tokens = d.size(5, 2)
    layer = of("CategoryEncoding", num_tokens=tokens, **d.some(output_mode=ENCODINGS))
    shape = d.sizes(d.size(3))
    call = {}
    if layer.arguments.get("output_mode") == "count" and d.chance():
        call["count_weights"] = d.floats(shape)
    return Case(layer, d.ids(shape, tokens), call=call, differentiable=False)


ENCODINGS = ["multi_hot", "one_hot", "count"]


def discretization(d: Draw) -> Case:
    edges = sorted(d.floats((d.size(),)).tolist())
    layer = of("Discretization", bin_boundaries=edges, **d.some(output_mode=["int", *ENCODINGS]))
    return Case(layer, d.floats(d.sizes(d.size(3))), differentiable=False)


def resizing(d: Draw) -> Case:
    arguments = d.some(
        interpolation=INTERPOLATIONS,
        crop_to_aspect_ratio=BOOLS,
        data_format=FORMATS,
        antialias=BOOLS,
    )
    if not arguments.get("crop_to_aspect_ratio"):
        arguments |= d.some(pad_to_aspect_ratio=BOOLS, fill_value=[0.0, 1.0])
    layer = of("Resizing", height=d.size(6), width=d.size(6), **arguments)
    return Case(layer, d.floats(d.sizes(d.pick(3, 4, 4), 6)), differentiable=False)


def center_crop(d: Draw) -> Case:
    layer = of("CenterCrop", height=d.size(5), width=d.size(5), **d.some(data_format=FORMATS))
    return Case(layer, d.floats(d.sizes(d.pick(3, 4, 4), 6)), differentiable=False)


def ranks(make: Callable, names: str, *more: Any) -> dict[str, Callable[[Draw], Case]]:
    """A row for each layer in `names`; the digit in its name is the rank."""
    found = {}
    for name in names.split():
        rank = int(next(letter for letter in name if letter.isdigit()))
        found[name] = make(name, rank, *more)
    return found


GENERATORS: dict[str, Callable[[Draw], Case]] = {
    "Dense": dense,
    "EinsumDense": einsum_dense,
    "Activation": activation,
    "Embedding": embedding,
    "Masking": masking,
    "Identity": identity,
    **{name: merging(name) for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")},
    "Subtract": merging("Subtract", 2),
    "Concatenate": concatenate,
    "Dot": dot,
    "Flatten": flatten,
    "Reshape": reshape,
    "Permute": permute,
    "RepeatVector": repeat_vector,
    **ranks(spatial, "ZeroPadding1D ZeroPadding2D ZeroPadding3D", "padding", margins),
    "Cropping1D": spatial("Cropping1D", 1, "cropping", margins, False),
    **ranks(spatial, "Cropping2D Cropping3D", "cropping", margins),
    "UpSampling1D": spatial("UpSampling1D", 1, "size", factors, False),
    "UpSampling2D": up_sampling_2d,
    "UpSampling3D": spatial("UpSampling3D", 3, "size", factors),
    **ranks(convolution, "Conv1D Conv2D Conv3D"),
    **ranks(convolution, "Conv1DTranspose Conv2DTranspose Conv3DTranspose", "transpose"),
    **ranks(convolution, "DepthwiseConv1D DepthwiseConv2D", "depthwise"),
    **ranks(convolution, "SeparableConv1D SeparableConv2D", "separable"),
    **ranks(pooling, "MaxPooling1D MaxPooling2D MaxPooling3D"),
    **ranks(pooling, "AveragePooling1D AveragePooling2D AveragePooling3D"),
    **ranks(global_pooling, "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D"),
    **ranks(global_pooling, "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D"),
    **ranks(adaptive_pooling, "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D"),
    **ranks(
        adaptive_pooling,
        "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D",
    ),
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "RMSNormalization": rms_normalization,
    "GroupNormalization": group_normalization,
    "UnitNormalization": unit_normalization,
    "SpectralNormalization": spectral_normalization,
    "ReLU": activation_layer(
        "ReLU", max_value=[None, 1.0, 0.0], negative_slope=[0.0, 0.2], threshold=[0.0, 0.5]
    ),
    "LeakyReLU": activation_layer("LeakyReLU", negative_slope=[0.0, 0.1, 1]),
    "ELU": activation_layer("ELU", alpha=[1.0, 0.5, 0]),
    "Softmax": softmax,
    "PReLU": p_relu,
    **{name: dropping(name) for name in ("Dropout", "AlphaDropout", "GaussianDropout")},
    "GaussianNoise": dropping("GaussianNoise", amount="stddev"),
    "SpatialDropout1D": dropping("SpatialDropout1D", 3),
    "SpatialDropout2D": dropping("SpatialDropout2D", 4),
    "SpatialDropout3D": dropping("SpatialDropout3D", 5),
    "ActivityRegularization": activation_layer(
        "ActivityRegularization", l1=[0.0, 0.5], l2=[0.0, 0.2]
    ),
    **{kind: recurrent(kind) for kind in STATES},
    **{f"{kind}Cell": cell(kind) for kind in STATES},
    "RNN": rnn,
    "StackedRNNCells": stacked_cells,
    "Bidirectional": bidirectional,
    "TimeDistributed": time_distributed,
    **{f"ConvLSTM{rank}D": conv_lstm(rank) for rank in (1, 2, 3)},
    "Attention": attention("Attention"),
    "AdditiveAttention": attention("AdditiveAttention"),
    "MultiHeadAttention": multi_head_attention,
    "GroupQueryAttention": group_query_attention,
    "Rescaling": rescaling,
    "Normalization": normalization,
    "CategoryEncoding": category_encoding,
    "Discretization": discretization,
    "Resizing": resizing,
    "CenterCrop": center_crop,
}


def drawn(name: str, seed: int) -> Case:
    """A random case of a layer: the same one for the same seed, whatever was drawn before."""
    d = Draw(seed, zlib.crc32(name.encode()))
    case = GENERATORS[name](d)
    if d.chance(0.35):
        case = replace(case, dtype=d.pick(*DTYPES))
    case = with_input_dtype(case, d)
    return spoiled(case, d) if d.chance(0.15) else case


def with_input_dtype(case: Case, d: Draw) -> Case:
    """The case with other inputs than float32. Keras's cast of inputs loses masks: none there."""
    floating = all(x.dtype == "float32" for x in case.arrays)
    if not floating:
        return case
    if case.masks is not None:
        dtype = (case.dtype or "float32").removeprefix("mixed_")
    else:
        dtype = d.pick("float64", "float16", "int32", "bfloat16") if d.chance(0.15) else "float32"
    if dtype == "bfloat16":
        import ml_dtypes

        dtype = ml_dtypes.bfloat16
    case = replace(case, inputs=mapped(lambda x: x.astype(dtype), case.inputs))
    return replace(case, differentiable=case.differentiable and dtype != "int32")


def spoiled(case: Case, d: Draw) -> Case:
    """The case with an argument or a shape that is probably wrong."""
    arguments = dict(case.layer.arguments)
    if arguments and d.chance(0.6):
        plain = [name for name, value in arguments.items() if not isinstance(value, (Made, list))]
        if plain:
            arguments[d.pick(*plain)] = d.pick(*WRONG)
            return replace(case, layer=Made(case.layer.name, arguments))
    if d.chance(0.2):
        return replace(case, layer=Made(case.layer.name, {**arguments, "nonsense": 1}))
    return replace(case, inputs=reshaped(case.inputs, d), masks=None)


def reshaped(inputs: Any, d: Draw) -> Any:
    """The inputs with an axis more, less, or of another size in one of them."""
    index = d.size(len(leaves(inputs)) - 1, 0)
    at = iter(range(len(leaves(inputs))))

    def change(x: np.ndarray) -> np.ndarray:
        if next(at) != index:
            return x
        axis = d.size(x.ndim - 1, 0)
        return d.pick(x[None], x[..., None], x[0], x.repeat(2, axis))

    return mapped(change, inputs)
