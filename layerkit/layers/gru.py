"""GRU: gated recurrent units."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend.by_value import FUSED

from .. import activations
from .rnn import UnitsRNN, of_cell, refuse_cudnn
from .rnn_cell import UnitsCell, per_gate


class GRUCell(UnitsCell):
    """One step of a GRU. Inputs (batch, features), states h (batch, units), or a list of it.

    h = z h + (1 - z) activation(candidate), where z and r are `recurrent_activation` of what inputs
    and h give to these gates. The candidate is x + r * (h @ kernel + bias) with `reset_after`, else
    x + (r * h) @ kernel. kernel (features, 3 * units), recurrent_kernel (units, 3 * units), in the
    order z, r, candidate. bias (2, 3 * units), of inputs and of h; (3 * units,) without
    `reset_after`.
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
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
        self.reset_after = reset_after
        self.dropout_mask_count = 3 if per_gate(implementation, self.recurrent_dropout) else None

    def _add_bias(self, size: int) -> Any:
        return self._add("bias", (2, size) if self.reset_after else (size,))

    @property
    def input_bias(self) -> Any:
        return self.bias[0] if self.use_bias and self.reset_after else self.bias

    def step(self, z: Any, states: Any, training: bool | None = False) -> tuple[Any, Any]:
        in_list = isinstance(states, (list, tuple))
        h = self._next(z, states[0] if in_list else states, training)
        return h, [h] if in_list else h

    def whole(
        self, sequences: Any, states: Any, mask: Any, go_backwards: bool, training: bool | None
    ) -> tuple[Any, list[Any]] | None:
        names = [FUSED.get(f) for f in (self.activation, self.recurrent_activation)]
        per_gate = training and self.dropout_mask_count
        if names != ["tanh", "sigmoid"] or per_gate or not self.reset_after:
            return None
        masks = self.masks_over_steps(sequences, training)
        sequences = sequences if masks is None else sequences * masks
        bias, recurrent_bias = K.unstack(self.bias) if self.use_bias else (None, None)
        outputs, h = K.gru(
            sequences,
            self.kernel,
            self.recurrent_kernel,
            bias,
            recurrent_bias,
            states[0],
            go_backwards=go_backwards,
            mask=mask,
        )
        return outputs, [h]

    def _next(self, x: Any, h: Any, training: bool | None) -> Any:
        gate = self.recurrent_activation
        x_z, x_r, x_candidate = K.split(x, 3, axis=-1)
        if self.reset_after:
            inner = self.from_state(h, training)
            inner = inner + self.bias[1] if self.use_bias else inner
            h_z, h_r, h_candidate = K.split(inner, 3, axis=-1)
            z, r = gate(x_z + h_z), gate(x_r + h_r)
            candidate = self.activation(x_candidate + r * h_candidate)
        else:
            masks = self.get_recurrent_dropout_mask(h) if training else None
            kernel, last = K.split(self.recurrent_kernel, [2 * self.units], axis=-1)
            inner = self._to_gates(self._from_state, h, masks and masks[:2], kernel, None)
            h_z, h_r = K.split(inner, 2, axis=-1)
            z, r = gate(x_z + h_z), gate(x_r + h_r)
            reset = r * h if masks is None else r * (h * masks[2])
            candidate = self.activation(x_candidate + K.matmul(reset, last))
        return z * h + (1 - z) * candidate


@of_cell(GRUCell)
class GRU(UnitsRNN):
    """Gated recurrent units over (batch, steps, features): (batch, units), the last output.

    What can be asked for besides: see `RNN`. `reset_after`: whether the reset gate is applied after
    the product with the recurrent kernel, as cuDNN has it, or before, as in the first paper.
    `use_cudnn` may be 'auto' or False. ValueError for True. Cho et al. 2014; Chung et al. 2014.
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
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ):
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
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
            reset_after=reset_after,
            seed=seed,
            name="gru_cell",
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
        self.use_cudnn = refuse_cudnn("GRU", use_cudnn)
