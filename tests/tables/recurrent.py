"""The table of recurrent layers: a row per configuration. Plain data, so that Keras runs it too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .layers import upstream

__all__ = ["NAMES", "ROWS", "Made", "Row", "made", "upstream"]


@dataclass
class Made:
    """A layer or cell by its class's name and arguments, which may hold others."""

    name: str
    arguments: dict[str, Any]


def of(name: str, **arguments: Any) -> Made:
    return Made(name, arguments)


def made(layers: Any, thing: Any, **more: Any) -> Any:
    """What `thing` describes, of the module `layers`; `more` are arguments of each of its parts."""
    if isinstance(thing, Made):
        arguments = {key: made(layers, value, **more) for key, value in thing.arguments.items()}
        return getattr(layers, thing.name)(**arguments, **more)
    if isinstance(thing, list):
        return [made(layers, item, **more) for item in thing]
    return thing


@dataclass
class Row:
    """A layer, the shape of a sample batch, and what a call of it gets."""

    layer: Made
    shape: tuple[int, ...]
    label: str = ""
    masked: bool = False  # whether a call gets the table's mask
    state: list[tuple[int, ...]] = field(default_factory=list)  # shapes of its initial state
    twice: bool = False  # a stateful layer, which is called once before

    def __str__(self) -> str:
        return f"{self.layer.name}:{self.label}" if self.label else self.layer.name

    @property
    def mask(self) -> np.ndarray | None:
        """Samples without a mask, with holes, padded at the end, at the start, and all of it."""
        rows = ["1111", "0101", "1100", "0011", "0000"]
        kept = [[digit == "1" for digit in line] for line in rows]
        return np.array(kept)[: self.shape[0], : self.shape[1]] if self.masked else None


def row(name: str, label: str = "", shape: tuple[int, ...] = (2, 4, 3), **arguments: Any) -> Row:
    options = {key: arguments.pop(key, None) for key in ("masked", "state", "twice")}
    given = {key: value for key, value in options.items() if value is not None}
    return Row(of(name, **arguments), shape, label, **given)


MASKED = {"masked": True, "shape": (5, 4, 3)}
ALL = {"return_sequences": True, "return_state": True}
STATE = [(2, 3)]
HARD = {"recurrent_activation": "hard_sigmoid", "activation": "relu"}


def same_for(name: str, states: int) -> list[Row]:
    """What every layer with units does alike."""
    given = [(2, 3)] * states
    of_masked = [(5, 3)] * states
    return [
        row(name, units=3),
        row(name, "no bias", units=3, use_bias=False, return_sequences=True),
        row(name, "backwards", units=2, go_backwards=True, **ALL),
        row(name, "state", units=3, state=given, **ALL),
        row(name, "masked", units=3, **MASKED, **ALL),
        row(name, "masked last", units=3, **MASKED),
        row(name, "masked state", units=3, state=of_masked, go_backwards=True, **MASKED, **ALL),
        row(name, "masked zeros", units=3, zero_output_for_mask=True, **MASKED, **ALL),
        row(
            name,
            "masked zeros last",
            units=2,
            zero_output_for_mask=True,
            go_backwards=True,
            **MASKED,
        ),
        row(name, "stateful", units=3, stateful=True, twice=True, **ALL),
        row(name, "dropout", units=2, dropout=0.5, recurrent_dropout=0.2, seed=1),
    ]


def gates(name: str, label: str, **arguments: Any) -> list[Row]:
    """A layer that is computed step by step: its activations are no tanh and sigmoid."""
    return [
        row(name, label, units=3, **arguments, **ALL),
        row(name, f"{label} backwards", units=2, go_backwards=True, **arguments),
        row(name, f"{label} masked", units=3, go_backwards=True, **arguments, **MASKED, **ALL),
        row(
            name, f"{label} masked zeros", units=3, zero_output_for_mask=True, **arguments, **MASKED
        ),
    ]


def bidirectional(label: str, layer: Made, **arguments: Any) -> Row:
    return row("Bidirectional", label, layer=layer, **arguments)


def conv(label: str, rank: int = 2, **arguments: Any) -> Row:
    shape = arguments.pop("shape", (2, 2, 4, 5, 3, 2)[: rank + 2] + (2,))
    arguments = {"filters": 2, "kernel_size": 2, **arguments}
    return row(f"ConvLSTM{rank}D", label, shape, **arguments)


LSTMS = [of("LSTMCell", units=2), of("LSTMCell", units=3)]
MIXED = [of("GRUCell", units=2), of("LSTMCell", units=3), of("SimpleRNNCell", units=2)]
BATCH_NORMALIZATION = of("BatchNormalization")

ROWS = [
    *same_for("SimpleRNN", 1),
    row("SimpleRNN", "relu", units=3, activation="relu", return_sequences=True),
    *same_for("GRU", 1),
    *gates("GRU", "hard", **HARD),
    *gates("GRU", "before", reset_after=False),
    row("GRU", "hard no bias", units=2, use_bias=False, **HARD),
    row("GRU", "before no bias", units=2, use_bias=False, reset_after=False),
    *same_for("LSTM", 2),
    *gates("LSTM", "hard", **HARD),
    row("LSTM", "forgetful", units=2, unit_forget_bias=False, unroll=True),
    # RNN
    row("RNN", cell=of("SimpleRNNCell", units=2)),
    row("RNN", "gru", cell=of("GRUCell", units=2, reset_after=False), **ALL),
    row("RNN", "lstm", cell=of("LSTMCell", units=2), **MASKED, **ALL),
    row("RNN", "stack", cell=LSTMS, return_sequences=True),
    row("RNN", "stack masked", cell=LSTMS, **MASKED, return_sequences=True),
    row("RNN", "stack backwards", cell=MIXED, go_backwards=True, return_sequences=True),
    row("RNN", "stack cells", cell=of("StackedRNNCells", cells=MIXED), **MASKED),
    row("RNN", "stack zeros", cell=MIXED, zero_output_for_mask=True, **MASKED),
    # Bidirectional
    *[
        bidirectional(str(mode), of("LSTM", units=2, return_sequences=True), merge_mode=mode)
        for mode in ("concat", "sum", "ave", "mul", None)
    ],
    bidirectional("last", of("GRU", units=2)),
    bidirectional("state", of("GRU", units=3, **ALL), state=[(2, 3)] * 2),
    bidirectional("lstm state", of("LSTM", units=3, return_state=True), state=[(2, 3)] * 4),
    bidirectional("both", of("LSTM", units=2, **ALL), merge_mode=None),
    bidirectional("masked", of("LSTM", units=2, **ALL), **MASKED),
    bidirectional("masked last", of("GRU", units=2), merge_mode="sum", **MASKED),
    bidirectional(
        "pair",
        of("LSTM", units=2, return_sequences=True),
        backward_layer=of("GRU", units=3, return_sequences=True, go_backwards=True),
    ),
    bidirectional("stateful", of("GRU", units=2, stateful=True), twice=True),
    # TimeDistributed
    row("TimeDistributed", layer=of("Dense", units=2, activation="tanh")),
    row("TimeDistributed", "images", (2, 3, 4, 5, 2), layer=of("Conv2D", filters=2, kernel_size=2)),
    row("TimeDistributed", "normalization", layer=BATCH_NORMALIZATION),
    row("TimeDistributed", "rnn", (2, 3, 4, 2), layer=of("LSTM", units=2)),
    # Convolutional
    conv("", 1),
    conv("", 2, **ALL),
    conv("", 3),
    conv("backwards", 1, go_backwards=True, padding="same", return_sequences=True),
    conv("strides", 2, strides=(2, 1), padding="same", use_bias=False),
    conv("dilated", 2, dilation_rate=2, unit_forget_bias=False, **HARD),
    conv("first", 2, data_format="channels_first", return_sequences=True),
    conv("state", 1, **ALL, state=[(2, 3, 2)] * 2),
    conv("stateful", 1, stateful=True, twice=True, return_state=True),
    conv("dropout", 1, dropout=0.5, recurrent_dropout=0.2, seed=1),
]


def names(thing: Any) -> set[str]:
    """The classes' names in what a row describes."""
    if isinstance(thing, Made):
        return {thing.name}.union(*map(names, thing.arguments.values()))
    return set().union(*map(names, thing)) if isinstance(thing, list) else set()


NAMES = set().union(*(names(row.layer) for row in ROWS))
