"""Cells: the weights and the formula of one step, which an RNN repeats over a sequence."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend import SeedGenerator, tree

from .. import activations, constraints, initializers, regularizers
from .arguments import fraction, known_size, positive_int
from .layer import Layer, Shape


class _Masks:
    """The dropout masks of a cell, until they are reset."""

    inputs: Any = None
    states: Any = None


class Cell(Layer):
    """What the cells of this package share: a step in two parts, and dropout that stays.

    `from_inputs` is what the inputs give to the gates. It needs no state, so an RNN computes it for
    all steps at once. `step` is the rest. The masks of `dropout` and `recurrent_dropout` are made
    when they are first needed, and stay until they are reset, which an RNN does after a sequence.
    """

    state_size: Any
    output_size: Any
    bias: Any
    dropout_mask_count: int | None = None  # of the gates, where each has a mask of its own
    gate_axis = -1  # along which the gates lie side by side

    def __init__(
        self,
        activation: Any = "tanh",
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
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
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
        self._masks = _Masks()

    def call(self, inputs: Any, states: Any, training: bool | None = False) -> tuple[Any, Any]:
        masks = self.get_dropout_mask(inputs) if training else None
        return self.step(self.from_inputs(inputs, masks), states, training)

    def from_inputs(self, inputs: Any, masks: Any = None) -> Any:
        """What the inputs of a step, or of all steps, give to the gates, side by side.

        `masks`: what to multiply the inputs by, or a list of that, one for each gate.
        """
        return self._to_gates(self._from_inputs, inputs, masks, self.kernel, self.input_bias)

    def step(self, z: Any, states: Any, training: bool | None = False) -> tuple[Any, Any]:
        """The output and the next states, from what `from_inputs` gave and the last states."""
        raise NotImplementedError

    def whole(
        self, sequences: Any, states: Any, mask: Any, go_backwards: bool, training: bool | None
    ) -> tuple[Any, list[Any]] | None:
        """All outputs and the last states in one operation; None where there is none for it.

        `mask` (batch, steps) or None. Outputs (batch, steps, units) in the order of computing; a
        masked step repeats the output before it.
        """
        return None

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros: the states before the first step."""
        sizes = [self.state_size] if isinstance(self.state_size, int) else self.state_size
        return [K.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]

    # Dropout.

    def get_dropout_mask(self, step_input: Any) -> Any:
        """What the inputs of each step are multiplied by: of the shape of `step_input`.

        A list of that, one for each gate, where the cell has `dropout_mask_count`. None without
        `dropout`.
        """
        if self._masks.inputs is None and self.dropout:
            self._masks.inputs = self._new_masks(step_input, self.dropout)
        return self._masks.inputs

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """The same for the state h, by `recurrent_dropout`."""
        if self._masks.states is None and self.recurrent_dropout:
            self._masks.states = self._new_masks(step_input, self.recurrent_dropout)
        return self._masks.states

    def reset_dropout_mask(self) -> None:
        """Forget the inputs' mask: the next step makes a new one."""
        self._masks.inputs = None

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the state's mask."""
        self._masks.states = None

    def masks_over_steps(self, sequences: Any, training: bool | None) -> Any:
        """`get_dropout_mask` for sequences, with an axis for the steps; None if not `training`."""
        if not training or not self.dropout:
            return None
        shape = (sequences.shape[0], *sequences.shape[2:])
        masks = self.get_dropout_mask(K.ones(shape, dtype=sequences.dtype.name))
        return tree.map_structure(lambda mask: K.expand_dims(mask, 1), masks)

    def _new_masks(self, like: Any, rate: float) -> Any:
        def mask() -> Any:
            return K.dropout(K.ones_like(like), rate, seed=self.seed_generator)

        count = self.dropout_mask_count
        return mask() if count is None else [mask() for _ in range(count)]

    # Products with the weights.

    @property
    def input_bias(self) -> Any:
        """What is added to the inputs' part; None without a bias."""
        return self.bias

    def from_state(self, h: Any, training: bool | None) -> Any:
        """What the state h gives to the gates, side by side."""
        masks = self.get_recurrent_dropout_mask(h) if training else None
        return self._to_gates(self._from_state, h, masks, self.recurrent_kernel, None)

    def _from_inputs(self, x: Any, kernel: Any, bias: Any) -> Any:
        return K.dense(x, kernel, bias)

    def _from_state(self, h: Any, kernel: Any, bias: Any) -> Any:
        return K.matmul(h, kernel)

    def _to_gates(self, product: Any, x: Any, masks: Any, kernel: Any, bias: Any) -> Any:
        if not isinstance(masks, list):
            return product(x if masks is None else x * masks, kernel, bias)
        kernels = K.split(kernel, len(masks), axis=-1)
        biases = [None] * len(masks) if bias is None else K.split(bias, len(masks))
        parts = [product(x * m, k, b) for m, k, b in zip(masks, kernels, biases, strict=True)]
        return K.concatenate(parts, axis=self.gate_axis)

    def _add(self, kind: str, shape: tuple[int, ...], initializer: Any = None) -> Any:
        """The weight of `kind`: 'kernel', 'recurrent' or 'bias'."""
        return self.add_weight(
            name="recurrent_kernel" if kind == "recurrent" else kind,
            shape=shape,
            initializer=initializer or getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )


class UnitsCell(Cell):
    """A cell over vectors: `units` numbers of output, inputs (batch, features).

    kernel (features, gates * units), recurrent_kernel (units, gates * units), bias.
    """

    gates = 1

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = positive_int("units", units)
        self.state_size = self.output_size = self.units

    def build(self, input_shape: Shape) -> None:
        features, size = known_size(self, input_shape, -1), self.gates * self.units
        self.kernel = self._add("kernel", (features, size))
        self.recurrent_kernel = self._add("recurrent", (self.units, size))
        self.bias = self._add_bias(size) if self.use_bias else None

    def _add_bias(self, size: int) -> Any:
        return self._add("bias", (size,))


def per_gate(implementation: Any, recurrent_dropout: float) -> bool:
    """Whether each gate has dropout masks of its own: implementation 1, or recurrent dropout."""
    if implementation not in (1, 2):
        raise ValueError(
            "`implementation` must be 1 (each gate with a dropout mask of its own) or 2 (one mask "
            f"for all gates). Received: implementation={implementation!r}"
        )
    return implementation == 1 or recurrent_dropout > 0
