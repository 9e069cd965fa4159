"""Convolutional LSTM: what inputs and state give to the gates are convolutions.

Over (batch, steps, *spatial, channels), or (batch, steps, channels, *spatial) with
`data_format='channels_first'`.
"""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from .. import activations
from .arguments import int_tuple, known_size, padding_mode, positive_int
from .convolution import _Convolution
from .input_spec import InputSpec
from .layer import Shape
from .lstm import forgetting, lstm_step
from .rnn import RNN, of_cell
from .rnn_cell import Cell


class ConvLSTMCell(Cell):
    """One step of a convolutional LSTM over `rank` spatial axes.

    Inputs (batch, *spatial, channels), states h and c (batch, *new spatial, filters) in a list; see
    `LSTMCell` for the formula. The state's convolution has stride 1 and keeps its size. kernel
    (*kernel_size, channels, 4 * filters), recurrent_kernel (*kernel_size, filters, 4 * filters),
    bias (4 * filters,).
    """

    state_size = -1  # known once it is built: see `get_initial_state`
    dropout_mask_count = 4

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        super().__init__(
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
        if rank not in (1, 2, 3):
            raise ValueError(
                f"Rank {rank} convolutions are not implemented: `rank` of ConvLSTMCell is 1, 2 or "
                f"3. Received: rank={rank}"
            )
        self.rank = rank
        self.filters = positive_int("filters", filters)
        self.kernel_size = int_tuple("kernel_size", kernel_size, rank)
        self.strides = int_tuple("strides", strides, rank)
        self.padding = padding_mode(padding)
        self.data_format = K.standardize_data_format(data_format)
        self.dilation_rate = int_tuple("dilation_rate", dilation_rate, rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "Specifying `strides > 1` is not compatible with `dilation_rate > 1`: leave one of "
                f"them at 1. Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.gate_axis = -1 if self.data_format == "channels_last" else -rank - 1
        self.input_spec = InputSpec(ndim=rank + 2)

    @property
    def output_size(self) -> int:
        """The number of channels of the output."""
        return self.filters

    def build(self, inputs_shape: Shape, states_shape: Any = None) -> None:
        self.check_input_shape(inputs_shape)
        channels = known_size(self, inputs_shape, self.gate_axis)
        if None in inputs_shape[1:]:
            raise ValueError(
                "ConvLSTM layers only support static input shapes for the spatial dimension: give "
                f"all sizes but the batch and the steps to the Input before it. Layer "
                f"'{self.name}' received invalid input shape: input_shape={inputs_shape}"
            )
        self._step_shape = tuple(inputs_shape[1:])
        self.compute_output_shape(inputs_shape)  # raises where the window is larger than the input
        self.kernel = self._add("kernel", (*self.kernel_size, channels, 4 * self.filters))
        self.recurrent_kernel = self._add(
            "recurrent", (*self.kernel_size, self.filters, 4 * self.filters)
        )
        self.bias = None
        if self.use_bias:
            first = self.bias_initializer
            first = forgetting(first) if self.unit_forget_bias else first
            self.bias = self._add("bias", (4 * self.filters,), first)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.gate_axis: channels})

    def step(self, z: Any, states: Any, training: bool | None = False) -> tuple[Any, Any]:
        h, c = states
        return lstm_step(self, z + self.from_state(h, training), c)

    def _from_inputs(self, x: Any, kernel: Any, bias: Any) -> Any:
        over_steps = x.shape[: x.ndim - self.rank - 1]  # (batch,) or (batch, steps)
        y = K.conv(
            K.reshape(x, (-1, *x.shape[len(over_steps) :])),
            kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            bias=bias,
        )
        return K.reshape(y, (*over_steps, *y.shape[1:]))

    def _from_state(self, h: Any, kernel: Any, bias: Any) -> Any:
        return K.conv(h, kernel, padding="same", data_format=self.data_format)

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros of the output's shape; only once the cell is built."""
        shape, _ = self.compute_output_shape((batch_size, *self._step_shape))
        return [K.zeros(shape, dtype=self.compute_dtype) for _ in range(2)]

    def compute_output_shape(self, inputs_shape: Shape, states_shape: Any = None) -> Any:
        shape = self._output_shape(inputs_shape, self.filters)
        return shape, [shape, shape]

    _output_shape: Any = _Convolution._output_shape
    _output_size: Any = _Convolution._output_size


class _ConvLSTM(RNN):
    """An LSTM over sequences of images: see `ConvLSTMCell` for the formula."""

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ):
        cell = ConvLSTMCell(
            self.rank,
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
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
            name="conv_lstm_cell",
            **{key: kwargs[key] for key in ("dtype", "trainable") if key in kwargs},
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=self.rank + 3)
        self.input_hint = (
            f"{type(self).__name__} expects (batch, steps, {_SPATIAL[self.rank]}, channels), or "
            "the channels third with data_format='channels_first': add an axis where there is one "
            "channel, x[..., None]."
        )

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Any:
        batch, steps, *rest = sequences_shape
        state, _ = self.cell.compute_output_shape((batch, *rest))
        output = (batch, steps, *state[1:]) if self.return_sequences else state
        return (output, state, state) if self.return_state else output

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the sequences for all outputs; None for the last one and for states."""
        found = super().compute_mask(inputs, previous_mask)
        return [*found, None] if self.return_state else found

    def get_config(self) -> dict[str, Any]:
        """Keras's config, which has the cell's arguments in place of the cell."""
        config = super().get_config()
        del config["cell"]
        return config


_SPATIAL = {1: "length", 2: "height, width", 3: "depth, height, width"}


@of_cell(ConvLSTMCell)
class ConvLSTM1D(_ConvLSTM):
    """Convolutional LSTM over sequences of vectors of channels (batch, steps, length, channels).

    (batch, new length, filters), the last output, or all with the steps. What can be asked for
    besides: see `RNN`; the states are h and c. `padding`: 'valid' or 'same', of the inputs'
    convolution. Shi et al. 2015.
    """

    rank = 1


@of_cell(ConvLSTMCell)
class ConvLSTM2D(_ConvLSTM):
    """Convolutional LSTM over sequences of images (batch, steps, height, width, channels).

    (batch, new height, new width, filters), the last output, or all: see `ConvLSTM1D`.
    """

    rank = 2


@of_cell(ConvLSTMCell)
class ConvLSTM3D(_ConvLSTM):
    """Convolutional LSTM over sequences of volumes (batch, steps, depth, height, width, channels).

    (batch, *new spatial, filters), the last output, or all: see `ConvLSTM1D`.
    """

    rank = 3
