"""RNN: a layer that runs a cell over the steps of sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerkit import backend as K
from layerkit.backend import Variable, tree
from layerkit.backend.recording import effect, in_symbolic_scope

from ..constructors import parameters_of
from .arguments import is_int, known_size
from .input_spec import InputSpec
from .layer import Layer, Shape
from .rnn_cell import Cell
from .signatures import takes
from .stacked_rnn_cells import StackedRNNCells, check_cell, output_size


class _Kept:
    """Where a stateful layer keeps its states: not weights, for they are not trained or saved."""

    variables: list[Any] | None = None


class RNN(Layer):
    """Runs a cell over sequences (batch, steps, ...): the last output, or all with the steps.

    `cell`: an object with `call(inputs, states) -> (output, next states)` and `state_size` (an int,
    or a list of ints), perhaps `output_size` and `get_initial_state(batch_size)`; or a list of
    cells, one on top of the other. `return_sequences`: all outputs, in the order of computing.
    `return_state`: the last states follow, as they may be given to a call as `initial_state`.
    `go_backwards`: from the last step on. `stateful`: the states after a batch are where the next
    one starts, until `reset_state()`. `unroll` asks other engines for speed, and changes nothing.

    A call takes a `mask` (batch, steps) too: where it is False the states stay as they are and the
    output is that of the step before, or zeros with `zero_output_for_mask`.
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ):
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell, dtype=kwargs.get("dtype"))
        check_cell(cell, "Argument `cell`")
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self._kept = _Kept()

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        self._check_single(sequences_shape)
        self.check_input_shape(sequences_shape)
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
        if self.stateful and sequences_shape[0] is not None:
            self._keep_states_for(sequences_shape[0])

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = False,
    ) -> Any:
        self._check_single(sequences)
        self._check_steps(sequences)
        states = self._first_states(sequences.shape[0], initial_state)
        mask = None if mask is None else self._checked_mask(mask, sequences)
        try:
            last, outputs, states = self._run(sequences, states, mask, training)
        finally:
            self._reset_dropout()
        last, states = self._computed(last), [self._computed(state) for state in states]
        if self._keeps_states:
            effect(self._assign_states, *tree.flatten(states))
        output = self._computed(outputs()) if self.return_sequences else last
        return (output, *states) if self.return_state else output

    # The steps.

    def _run(
        self, sequences: Any, states: list[Any], mask: Any, training: bool | None
    ) -> tuple[Any, Callable[[], Any], list[Any]]:
        """The last output, a function that gives all of them, and the last states."""
        cell = self.cell
        if _in_two_parts(cell):
            whole = cell.whole(sequences, states, mask, self.go_backwards, training)
            if whole is not None:
                outputs, states = whole
                return self._of_whole(outputs, states, mask)
        outputs, states = self._loop(sequences, states, mask, training)
        return outputs[-1], lambda: K.stack(outputs, axis=1), states

    def _of_whole(
        self, outputs: Any, states: list[Any], mask: Any
    ) -> tuple[Any, Callable[[], Any], list[Any]]:
        if mask is None or not self.zero_output_for_mask:
            return states[0], lambda: outputs, states
        mask = K.flip(mask, axis=1) if self.go_backwards else mask
        outputs = K.where(K.expand_dims(mask, -1), outputs, K.zeros_like(outputs))
        return outputs[:, -1], lambda: outputs, states

    def _loop(
        self, sequences: Any, states: list[Any], mask: Any, training: bool | None
    ) -> tuple[list[Any], list[Any]]:
        """All outputs in the order of computing, and the last states: one step after the other."""
        step, inputs = self._steps(sequences, training)
        kept = [None] * len(inputs) if mask is None else K.unstack(mask, axis=1)
        before = None if mask is None else _first_output(states)
        outputs: list[Any] = []
        for t in reversed(range(len(inputs))) if self.go_backwards else range(len(inputs)):
            output, found = step(inputs[t], states)
            found = tree.pack_sequence_as(states, tree.flatten(found))
            if mask is not None:
                output = self._kept_output(kept[t], output, before)
                found = tree.map_structure(lambda a, b, k=kept[t]: _where(k, a, b), found, states)
            states, before = found, output
            outputs.append(output)
        return outputs, states

    def _steps(self, sequences: Any, training: bool | None) -> tuple[Callable, list[Any]]:
        """The function of one step, and what it takes at each, beside the states."""
        cell = self.cell
        if _in_two_parts(cell):
            masks = cell.masks_over_steps(sequences, training)
            inputs = K.unstack(cell.from_inputs(sequences, masks), axis=1)
            return lambda x, states: cell.step(x, states, training), inputs
        call = cell if callable(cell) else cell.call
        options = {"training": training} if takes(cell.call, "training") else {}
        return lambda x, states: call(x, states, **options), K.unstack(sequences, axis=1)

    def _kept_output(self, kept: Any, output: Any, before: Any) -> Any:
        if self.zero_output_for_mask or before is None or before.shape != output.shape:
            before = K.zeros_like(output)
        return _where(kept, output, before)

    def _computed(self, x: Any) -> Any:
        return tree.map_structure(lambda leaf: _in_dtype(leaf, self.compute_dtype), x)

    def _reset_dropout(self) -> None:
        for name in ("reset_dropout_mask", "reset_recurrent_dropout_mask"):
            getattr(self.cell, name, lambda: None)()

    # States.

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the cell's states, in a list."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    @property
    def states(self) -> list[Any] | None:
        """The variables of a stateful layer, where its next batch starts; None before the first."""
        return self._kept.variables

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states before the first step, as the cell says; zeros where it does not."""
        if hasattr(self.cell, "get_initial_state"):
            states = self.cell.get_initial_state(batch_size=batch_size)
            return list(states) if isinstance(states, (list, tuple)) else [states]
        return [K.zeros((batch_size, n), dtype=self._state_dtype) for n in self.state_size]

    def reset_state(self) -> None:
        """Let a stateful layer start from zeros again."""
        for variable in tree.flatten(self.states or []):
            variable.assign(K.zeros_like(variable))

    def reset_states(self) -> None:
        """The same as `reset_state`, as Keras 2 called it."""
        self.reset_state()

    @property
    def _keeps_states(self) -> bool:
        """Whether a call now starts where the last one ended: a model's trial is no such call."""
        return self.stateful and not in_symbolic_scope()

    @property
    def _state_dtype(self) -> str:
        return getattr(self.cell, "compute_dtype", self.compute_dtype)

    def _keep_states_for(self, batch_size: int) -> None:
        """Make the variables of a stateful layer; check that the batch has their size."""
        if self.states is None:
            self._kept.variables = tree.map_structure(
                lambda state: Variable(
                    state, dtype=self.variable_dtype, trainable=False, name="rnn_state"
                ),
                self.get_initial_state(batch_size),
            )
        expected = tree.flatten(self.states)[0].shape[0]
        if expected != batch_size:
            raise ValueError(
                "If an RNN is stateful, the batch size of the input sequences must be the same as "
                f"the batch size of the initial state. Layer '{self.name}' "
                f"({type(self).__name__}). Expected batch size: {expected}. Received batch size: "
                f"{batch_size}. Give batches of one size: leave out a smaller one at the end."
            )

    def _kept_states(self) -> list[Any]:
        """What a stateful layer keeps from call to call, as arrays, for a file."""
        return [state.numpy() for state in tree.flatten(self.states) if state is not None]

    def _keep_states(self, arrays: list[Any]) -> None:
        """Go on from the states that `_kept_states` gave."""
        if arrays:
            self._keep_states_for(arrays[0].shape[0])
            self._assign_states(*arrays)

    def _assign_states(self, *arrays: Any) -> None:
        for variable, array in zip(tree.flatten(self.states), arrays, strict=True):
            variable.assign(array)

    def _first_states(self, batch_size: int, given: Any) -> list[Any]:
        """The states given, those kept, or the cell's: in its structure and dtype."""
        if self._keeps_states:
            self._keep_states_for(batch_size)
        if given is None and not self._keeps_states:
            return self.get_initial_state(batch_size)
        expected: Any = self.get_initial_state(batch_size)
        given = self.states if given is None else given
        given = given if isinstance(given, (list, tuple)) else [given]
        states = [K.convert_to_tensor(state) for state in tree.flatten(given)]
        shapes = [state.shape for state in states]
        wanted = [state.shape for state in tree.flatten(expected)]
        if shapes != wanted:
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}) expects `initial_state` to be the "
                f"states of its cell, of shapes {wanted}, as it returns them itself with "
                f"return_state=True. Received shapes: {shapes}"
            )
        return tree.pack_sequence_as(expected, [_in_dtype(s, self._state_dtype) for s in states])

    # Checks.

    def _check_single(self, sequences: Any) -> None:
        """ValueError for several tensors, or for their shapes."""
        several = isinstance(sequences, (list, tuple))
        if several and any(n is not None and not is_int(n) for n in sequences):
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}) expects one tensor of sequences; "
                "received a list. Give states by name: layer(x, initial_state=[...])."
            )

    def _check_steps(self, sequences: Any) -> None:
        if not sequences.shape[1]:
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}) expects sequences of at least one "
                f"step. Received sequences of shape {sequences.shape}."
            )

    def _checked_mask(self, mask: Any, sequences: Any) -> Any:
        mask = tree.flatten(mask)[0] if isinstance(mask, (list, tuple)) else mask
        mask = K.convert_to_tensor(mask)
        if mask.shape != sequences.shape[:2]:
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}) expects a `mask` of shape "
                f"{sequences.shape[:2]}, True at the steps that count. Received: mask of shape "
                f"{mask.shape}"
            )
        return mask if mask.dtype == bool else K.cast(mask, "bool")

    # Shapes and masks.

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Any:
        batch, steps = sequences_shape[:2]
        size = output_size(self.cell)
        output = (batch, steps, size) if self.return_sequences else (batch, size)
        if not self.return_state:
            return output
        return (output, *_state_shapes(batch, self.state_size))

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the sequences for all outputs; None for the last one and for states."""
        masks = tree.flatten(previous_mask)
        mask = masks[0] if self.return_sequences and masks else None
        return [mask, *[None] * len(self.state_size)] if self.return_state else mask


class UnitsRNN(RNN):
    """An RNN over (batch, steps, features) that makes its cell itself, and has its arguments."""

    input_hint = (
        "Recurrent layers expect (batch, steps, features): for one number a step add an axis, "
        "x[..., None]; put an Embedding before it for integer ids; return_sequences=True in a "
        "recurrent layer before it."
    )

    def __init__(self, cell: Any, **kwargs: Any):
        super().__init__(cell, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        self._check_single(sequences_shape)
        self.check_input_shape(sequences_shape)
        features = known_size(self, sequences_shape, -1)
        super().build(sequences_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: features})

    def get_config(self) -> dict[str, Any]:
        """Keras's config, which has the cell's arguments in place of the cell."""
        config = super().get_config()
        for name in ("cell", "use_cudnn"):
            config.pop(name, None)
        return config


def of_cell(cell_class: type) -> Callable[[type], type]:
    """Decorator of a layer: what it is asked for, its cell of that class knows."""

    def decorate(layer_class: type) -> type:
        for name in parameters_of(cell_class):
            if name not in parameters_of(Layer) and not hasattr(layer_class, name):
                setattr(layer_class, name, _told_by_cell(name))
        return layer_class

    return decorate


def _told_by_cell(name: str) -> property:
    return property(lambda layer: getattr(layer.cell, name))


def refuse_cudnn(layer_class: str, use_cudnn: Any) -> Any:
    """`use_cudnn`, which may be 'auto' or False. ValueError for anything else."""
    if use_cudnn not in ("auto", False):
        raise ValueError(
            f"use_cudnn={use_cudnn!r} was specified, but cuDNN is not supported for "
            f"{layer_class}: layerkit computes it by kernels of its own. Pass use_cudnn='auto' or "
            "False."
        )
    return use_cudnn


def _in_two_parts(cell: Any) -> bool:
    """Whether a cell's call is no more than `from_inputs` and `step`."""
    return isinstance(cell, Cell) and type(cell).call is Cell.call


def _first_output(states: list[Any]) -> Any:
    """What stands for the output before the first step: the first state, of the last cell."""
    return states[-1][0] if isinstance(states[0], (list, tuple)) else states[0]


def _where(kept: Any, new: Any, old: Any) -> Any:
    """`new` for the samples that are `kept`, else `old`."""
    return K.where(K.reshape(kept, (-1, *[1] * (new.ndim - 1))), new, old)


def _in_dtype(x: Any, dtype: str) -> Any:
    return x if x.dtype == dtype else K.cast(x, dtype)


def _state_shapes(batch: int | None, sizes: Any) -> list[Any]:
    return [_state_shapes(batch, n) if isinstance(n, (list, tuple)) else (batch, n) for n in sizes]
