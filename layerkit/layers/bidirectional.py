"""Bidirectional: sequences read from both ends."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from ..configurable import copy_of
from .layer import Layer, Shape
from .signatures import takes

_MERGES = ("sum", "mul", "ave", "concat", None)
_COMMON = ("stateful", "return_sequences", "return_state")
_NEEDED = ("go_backwards", *_COMMON)


class Bidirectional(Layer):
    """Two recurrent layers over the same sequences, one from each end, and their outputs merged.

    `layer`: an RNN, of which two new ones are made; `backward_layer`: the second one itself.
    `merge_mode`: 'sum', 'mul', 'ave', 'concat' (along the features), or None for both outputs. The
    outputs of the backward layer are put in the order of the sequences. With `return_state` the
    states of both follow, as they may be given to a call as `initial_state`. `weights`: arrays for
    both, first the forward layer's. Schuster and Paliwal 1997.
    """

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: list | None = None,
        backward_layer: Layer | None = None,
        **kwargs: Any,
    ):
        if not isinstance(layer, Layer):
            raise ValueError(
                "Please initialize `Bidirectional` layer with a `Layer` instance. Received: "
                f"{layer}"
            )
        if not all(hasattr(layer, name) for name in _NEEDED):
            raise ValueError(
                f"Bidirectional expects a recurrent layer, with the attributes {_NEEDED}. "
                f"Received: {layer}"
            )
        if backward_layer is not None and not isinstance(backward_layer, Layer):
            raise ValueError(
                f"`backward_layer` need to be a `Layer` instance. Received: {backward_layer}"
            )
        if merge_mode not in _MERGES:
            raise ValueError(
                f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of {_MERGES}"
            )
        super().__init__(**kwargs)
        self.forward_layer = _copy(layer, "forward_")
        self.backward_layer = backward_layer or _copy(layer, "backward_", go_backwards=True)
        _check_pair(self.forward_layer, self.backward_layer)
        for part in (self.forward_layer, self.backward_layer):
            if hasattr(part, "zero_output_for_mask"):  # so that masked steps can be added up
                part.zero_output_for_mask = part.return_sequences
        self.merge_mode = merge_mode
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec
        self.input_hint = layer.input_hint
        self._first_weights = weights

    @property
    def layer(self) -> Layer:
        """The layer that starts at the first step."""
        return self.forward_layer

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        for part in (self.forward_layer, self.backward_layer):
            if not part.built:
                part.build(sequences_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)
            self._first_weights = None

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        half = 0 if initial_state is None else len(initial_state) // 2
        states = (initial_state[:half], initial_state[half:]) if half else (None, None)
        forward = self._run(self.forward_layer, sequences, states[0], mask, training)
        backward = self._run(self.backward_layer, sequences, states[1], mask, training)
        if not self.return_state:
            return self._merged(forward, backward)
        output = self._merged(forward[0], backward[0])
        outputs = output if isinstance(output, tuple) else (output,)
        return (*outputs, *forward[1:], *backward[1:])

    def _run(self, part: Layer, sequences: Any, states: Any, mask: Any, training: Any) -> Any:
        options = {"initial_state": states, "mask": mask, "training": training}
        given = {k: x for k, x in options.items() if x is not None and takes(part.call, k)}
        return part(sequences, **given)

    def _merged(self, y: Any, backward: Any) -> Any:
        y, backward = self._computed(y), self._computed(backward)
        if self.return_sequences:
            backward = K.flip(backward, axis=1)
        if self.merge_mode == "concat":
            return K.concatenate([y, backward], axis=-1)
        if self.merge_mode == "sum":
            return y + backward
        if self.merge_mode == "ave":
            return (y + backward) / 2
        return y * backward if self.merge_mode == "mul" else (y, backward)

    def _computed(self, y: Any) -> Any:
        return y if y.dtype == self.compute_dtype else K.cast(y, self.compute_dtype)

    def reset_state(self) -> None:
        """Let both layers start from zeros again. AttributeError if they are not stateful."""
        if not self.stateful:
            raise AttributeError(
                f"Layer must be stateful: layer '{self.name}' (Bidirectional) keeps no states. "
                "Make the layer inside with stateful=True."
            )
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """The same as `reset_state`, as Keras 2 called it."""
        self.reset_state()

    @property
    def states(self) -> tuple | None:
        """The variables that both layers keep their states in; None where they keep none."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return (*forward, *backward) if forward and backward else None

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Any:
        parts = (self.forward_layer, self.backward_layer)
        found = [part.compute_output_shape(sequences_shape) for part in parts]
        states: tuple = ()
        if self.return_state:
            states = (*found[0][1:], *found[1][1:])
            found = [shapes[0] for shapes in found]
        if self.merge_mode is None:
            return (*found, *states)
        shape, backward = found
        if self.merge_mode == "concat":
            shape = (*shape[:-1], shape[-1] + backward[-1])
        return (shape, *states) if self.return_state else shape

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the sequences for all outputs; None for the last one and for states."""
        found = self.forward_layer.compute_mask(inputs, previous_mask)
        mask, *states = found if self.return_state else [found]
        outputs = [mask] if self.merge_mode else [mask, mask]
        masks = (*outputs, *states, *states)
        return mask if len(masks) == 1 else masks

    def get_config(self) -> dict[str, Any]:
        """Keras's config, which has both layers and no weights."""
        config = super().get_config()
        del config["weights"]
        return config


def _copy(layer: Layer, prefix: str, **settings: Any) -> Any:
    """A new layer of the same configuration, apart from its name and `settings`."""
    name = prefix + layer.name.removeprefix(prefix)
    copy = copy_of(layer, name=name, **settings)
    if hasattr(layer, "use_cudnn"):  # no part of the configuration
        copy.use_cudnn = layer.use_cudnn
    return copy


def _check_pair(forward: Any, backward: Any) -> None:
    if forward.go_backwards == backward.go_backwards:
        raise ValueError(
            "Forward layer and backward layer should have different `go_backwards` value. "
            f"Received: forward_layer.go_backwards={forward.go_backwards}, "
            f"backward_layer.go_backwards={backward.go_backwards}"
        )
    for name in _COMMON:
        values = getattr(forward, name), getattr(backward, name)
        if values[0] != values[1]:
            raise ValueError(
                "Forward layer and backward layer are expected to have the same value for "
                f'attribute "{name}", got "{values[0]}" for forward layer and "{values[1]}" for '
                "backward layer"
            )
