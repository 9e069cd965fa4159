"""Recurrent layers: a cell holds the weights of one step, its layer runs it over sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerkit import backend as K
from layerkit.backend import SeedGenerator
from layerkit.backend.by_value import FUSED

from .. import activations, constraints, initializers, regularizers
from ..configurable import parameters_of
from .arguments import fraction, known_size, positive_int
from .input_spec import InputSpec
from .layer import Layer, Shape


class LSTMCell(Layer):
    """One step of an LSTM: its weights, and the formula that any activation may stand in.

    kernel (features, 4 * units), recurrent_kernel (units, 4 * units), bias (4 * units,); the gates
    in the order i, f, c, o.
    """

    unavailable = {"implementation": 2}

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
        super().__init__(**kwargs)
        self.units = positive_int("units", units)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.unit_forget_bias = unit_forget_bias
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = fraction("dropout", dropout)
        self.recurrent_dropout = fraction("recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def build(self, input_shape: Shape) -> None:
        features = known_size(self, input_shape, -1)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, 4 * self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, 4 * self.units),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(4 * self.units,),
                initializer=self._first_bias if self.unit_forget_bias else self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _first_bias(self, shape: Shape, dtype: Any = None) -> Any:
        """The bias that `bias_initializer` gives, with ones for the gate f: it remembers."""
        i, f, rest = (self.units * n for n in (1, 1, 2))
        ones = initializers.get("ones")
        parts = (self.bias_initializer((i,), dtype), ones((f,), dtype))
        return K.concatenate([*parts, self.bias_initializer((rest,), dtype)])

    @property
    def fused(self) -> bool:
        """Whether `K.lstm` computes it, dropout aside: it knows tanh and sigmoid."""
        names = [FUSED.get(f) for f in (self.activation, self.recurrent_activation)]
        return names == ["tanh", "sigmoid"]

    def drop(self, inputs: Any, training: bool | None) -> Any:
        """`inputs` (batch, steps, features) after dropout, which is the same at every step."""
        if not training or not self.dropout:
            return inputs
        return K.dropout(inputs, self.dropout, (None, 1, None), seed=self.seed_generator)

    def from_inputs(self, inputs: Any, training: bool | None) -> Any:
        """What the inputs (batch, steps, features) give to the gates: (batch, steps, 4 * units)."""
        if not training or not self.dropout or not self.recurrent_dropout:
            return K.dense(self.drop(inputs, training), self.kernel, self.bias)
        kernels = K.split(self.kernel, 4, axis=1)  # each gate with a dropout of its own
        gates = [K.matmul(self.drop(inputs, training), kernel) for kernel in kernels]
        z = K.concatenate(gates, axis=-1)
        return z if self.bias is None else z + self.bias

    def from_state(self, h: Any, training: bool | None) -> Callable[[Any], Any]:
        """The function that says what h (batch, units) gives to the gates: (batch, 4 * units).

        Its dropout, one for each gate, is the same whenever it is called.
        """
        if not training or not self.recurrent_dropout:
            return lambda h: K.matmul(h, self.recurrent_kernel)
        kernels = K.split(self.recurrent_kernel, 4, axis=1)
        rate, seed = self.recurrent_dropout, self.seed_generator
        masks = [K.dropout(K.ones_like(h), rate, seed=seed) for _ in kernels]

        def gates(h: Any) -> Any:
            parts = [K.matmul(h * m, kernel) for m, kernel in zip(masks, kernels, strict=True)]
            return K.concatenate(parts, axis=-1)

        return gates

    def step(self, z: Any, c: Any) -> tuple[Any, Any]:
        """The next h and c (batch, units) of what the gates got, `z` (batch, 4 * units)."""
        i, f, g, o = K.split(z, 4, axis=-1)
        activation, gate = self.activation, self.recurrent_activation
        c = gate(f) * c + gate(i) * activation(g)
        return gate(o) * activation(c), c


class _Recurrent(Layer):
    """What layers over sequences share: which outputs they return, and their first state."""

    unavailable = {"zero_output_for_mask": False, "implementation": 2}
    input_hint = (
        "Recurrent layers expect (batch, steps, features): for one number a step add an axis, "
        "x[..., None]; put an Embedding before it for integer ids; return_sequences=True in a "
        "recurrent layer before it."
    )

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if stateful:
            raise NotImplementedError(
                f"{type(self).__name__}(stateful=True) is not available yet. Leave stateful=False "
                "and carry the state yourself: return_state=True, and initial_state in the call."
            )
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Shape) -> None:
        self.check_input_shape(input_shape)
        features = known_size(self, input_shape, -1)
        self.cell.build((input_shape[0], features))
        self.input_spec = InputSpec(ndim=3, axes={-1: features})

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = False,
    ) -> Any:
        if mask is not None:
            raise NotImplementedError(
                f"Layer '{self.name}' ({type(self).__name__}) takes no `mask` yet. Received: "
                f"mask of shape {K.convert_to_tensor(mask).shape}. Leave it out, and pad "
                "sequences at their start, so that their last step is the last."
            )
        state = self._first_state(sequences, initial_state)
        outputs, *state = self.run(sequences, state, training)
        output = outputs if self.return_sequences else state[0]
        return (output, *state) if self.return_state else output

    def run(self, sequences: Any, state: list[Any], training: bool | None) -> tuple:
        """All outputs (batch, steps, units) in the order of computing, and the last state."""
        raise NotImplementedError

    def _first_state(self, sequences: Any, given: Any) -> list[Any]:
        """h and c of (batch, units) each: those given, or zeros."""
        shape = (sequences.shape[0], self.cell.units)
        if given is None:
            return [None, None]
        states = [K.cast(K.convert_to_tensor(state), self.compute_dtype) for state in given]
        shapes = [state.shape for state in states]
        if shapes != [shape, shape]:
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}) expects `initial_state` to be h and "
                f"c, a list of two, each of shape {shape}. Received shapes: {shapes}"
            )
        return states

    def compute_output_shape(self, input_shape: Shape) -> Any:
        batch, steps, _ = input_shape
        state = (batch, self.cell.units)
        output = (batch, steps, self.cell.units) if self.return_sequences else state
        return (output, state, state) if self.return_state else output


class LSTM(_Recurrent):
    """Long short-term memory over (batch, steps, features): (batch, units), the last output.

    All outputs (batch, steps, units) with `return_sequences`; with `return_state` the last h and c
    follow, as they may be given to a call as `initial_state`. `go_backwards` starts at the last
    step. `dropout` and `recurrent_dropout` drop the same inputs and units at every step.

    tanh and sigmoid without recurrent dropout are one operation, `K.lstm`; else every step is a
    few. `unroll` asks other engines for speed and changes nothing here; `use_cudnn` may be 'auto'
    or False. ValueError for True, NotImplementedError for `stateful` and for a `mask`.
    Hochreiter and Schmidhuber 1997; Gers et al. 2000.
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
        if use_cudnn not in ("auto", False):
            raise ValueError(
                f"use_cudnn={use_cudnn!r} was specified, but cuDNN is not supported for LSTM: "
                "layerkit computes it by kernels of its own. Pass use_cudnn='auto' or False."
            )
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
        self.use_cudnn = use_cudnn

    def run(self, sequences: Any, state: list[Any], training: bool | None) -> tuple:
        cell, (h, c) = self.cell, state
        if cell.fused and not (training and cell.recurrent_dropout):
            x = cell.drop(sequences, training)
            return K.lstm(x, cell.kernel, cell.recurrent_kernel, cell.bias, h, c, self.go_backwards)
        zeros = K.zeros((sequences.shape[0], cell.units), dtype=sequences.dtype)
        h, c = (zeros if given is None else given for given in state)
        from_state = cell.from_state(h, training)
        steps = K.unstack(cell.from_inputs(sequences, training), axis=1)
        outputs = []
        for z in reversed(steps) if self.go_backwards else steps:
            h, c = cell.step(z + from_state(h), c)
            outputs.append(h)
        return K.stack(outputs, axis=1), h, c

    def get_config(self) -> dict[str, Any]:
        """Keras's config of an LSTM, which has no `use_cudnn` and no cell."""
        config = super().get_config()
        del config["use_cudnn"], config["cell"]
        return config


def _of_cell(name: str) -> property:
    return property(lambda layer: getattr(layer.cell, name))


for _name in parameters_of(LSTMCell):
    if _name not in parameters_of(Layer):  # what an LSTM is asked for, its cell knows
        setattr(LSTM, _name, _of_cell(_name))
