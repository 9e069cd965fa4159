"""LSTM: long short-term memory."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend.by_value import FUSED

from .. import activations, initializers
from .layer import Shape
from .rnn import UnitsRNN, of_cell, refuse_cudnn
from .rnn_cell import UnitsCell, per_gate


class LSTMCell(UnitsCell):
    """One step of an LSTM. Inputs (batch, features), states h and c (batch, units) in a list.

    With i, f, g, o what inputs and h give to the gates: c = gate(f) c + gate(i) activation(g) and
    h = gate(o) activation(c), where gate is `recurrent_activation`. The result: h, and [h, c].
    kernel (features, 4 * units), recurrent_kernel (units, 4 * units), bias (4 * units,): the gates
    in the order i, f, g, o. `unit_forget_bias`: the bias of f starts as ones.
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        implementation = kwargs.pop("implementation", 2)
        super().__init__(
            units=units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.dropout_mask_count = 4 if per_gate(implementation, self.recurrent_dropout) else None
        self.state_size = [self.units, self.units]

    def _add_bias(self, size: int) -> Any:
        first = self.bias_initializer
        return self._add("bias", (size,), forgetting(first) if self.unit_forget_bias else first)

    def step(self, z: Any, states: Any, training: bool | None = False) -> tuple[Any, Any]:
        h, c = states
        return lstm_step(self, z + self.from_state(h, training), c)

    def whole(
        self, sequences: Any, states: Any, mask: Any, go_backwards: bool, training: bool | None
    ) -> tuple[Any, list[Any]] | None:
        names = [FUSED.get(f) for f in (self.activation, self.recurrent_activation)]
        if names != ["tanh", "sigmoid"] or (training and self.dropout_mask_count):
            return None
        masks = self.masks_over_steps(sequences, training)
        sequences = sequences if masks is None else sequences * masks
        h, c = states
        outputs, h, c = K.lstm(
            sequences,
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            h,
            c,
            go_backwards=go_backwards,
            mask=mask,
        )
        return outputs, [h, c]


def lstm_step(cell: Any, z: Any, c: Any) -> tuple[Any, list[Any]]:
    """h, and the next [h, c], of what the gates got, `z`."""
    i, f, g, o = K.split(z, 4, axis=cell.gate_axis)
    activation, gate = cell.activation, cell.recurrent_activation
    c = gate(f) * c + gate(i) * activation(g)
    h = gate(o) * activation(c)
    return h, [h, c]


def forgetting(initializer: Any) -> Any:
    """An initializer of the gates' bias: `initializer`'s, with ones for the gate f: it remembers.

    Jozefowicz et al. 2015.
    """

    def bias(shape: Shape, dtype: Any = None) -> Any:
        units = (shape[0] or 0) // 4
        ones = initializers.get("ones")((units,), dtype)
        parts = [initializer((units,), dtype), ones, initializer((2 * units,), dtype)]
        return K.concatenate(parts)

    return bias


@of_cell(LSTMCell)
class LSTM(UnitsRNN):
    """Long short-term memory over (batch, steps, features): (batch, units), the last output.

    What can be asked for besides: see `RNN`; the states are h and c. tanh and sigmoid without
    recurrent dropout are one operation, `K.lstm`; else every step is a few. `use_cudnn` may be
    'auto' or False. ValueError for True. Hochreiter and Schmidhuber 1997; Gers et al. 2000.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ):
        cell = LSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            name="lstm_cell",
            implementation=kwargs.pop("implementation", 2),
            **{key: kwargs[key] for key in ("dtype", "trainable") if key in kwargs},
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.use_cudnn = refuse_cudnn("LSTM", use_cudnn)
