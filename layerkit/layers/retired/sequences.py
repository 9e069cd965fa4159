"""Layers of sequences as Keras 1 and 2 had them: ids that drop, masks that hold, time first."""

from __future__ import annotations

from typing import Any

from layerkit.backend import SeedGenerator

from ... import ops, random
from ..arguments import fraction
from ..bidirectional import Bidirectional
from ..core import Embedding
from ..layer import Layer
from ..wrapping import Wrapper


class DroppingEmbedding(Embedding):
    """An Embedding that in training drops a random share of all ids, wherever they stand.

    Vectors of the other ids are divided by 1 - dropout. Gal and Ghahramani, 2016.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(input_dim, output_dim, **kwargs)
        self.dropout, self.seed = fraction("dropout", dropout), seed
        self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        vectors = super().call(inputs)
        if not training:
            return vectors
        ones = ops.ones((self.input_dim, 1), dtype=vectors.dtype)
        kept = ops.take(
            random.dropout(ones, self.dropout, seed=self.seed_generator), inputs, axis=0
        )
        return vectors * kept


class HoldingBidirectional(Bidirectional):
    """Bidirectional whose outputs at masked steps are those of the step before, not zeros."""

    def __init__(self, layer: Layer, **kwargs: Any):
        super().__init__(layer, **kwargs)
        for part in (self.forward_layer, self.backward_layer):
            setattr(part, "zero_output_for_mask", False)  # noqa: B010  not every layer has it


class MaskedWithStates(Wrapper):
    """A recurrent layer that heeds its sequences' mask where it is given states, too.

    Before the first step that counts its outputs are zeros, not the first state. Keras 3 hands
    masks on by the names of arguments where there are several, and so leaves this one out.
    """

    supports_masking = True
    only_its_layer_in_paths = True

    def build(  # type: ignore[override]
        self, sequences_shape: Any, initial_state_shape: Any = None
    ) -> None:
        super().build(sequences_shape)

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        sequences_mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        mask = sequences_mask if mask is None else mask
        options = {"initial_state": initial_state, "mask": mask, "training": training}
        y = self.layer(sequences, **{key: x for key, x in options.items() if x is not None})
        if mask is None or isinstance(self.layer, Bidirectional):  # which has two first steps
            return y
        if not self.layer.return_state:
            return self._from_first_step(y, mask)
        return (self._from_first_step(y[0], mask), *y[1:])

    def _from_first_step(self, y: Any, mask: Any) -> Any:
        """Outputs with zeros before the first step that counts."""
        mask = ops.flip(mask, axis=1) if self.layer.go_backwards else mask
        begun = ops.cumsum(ops.cast(mask, "int32"), axis=1) > 0
        begun = begun if self.layer.return_sequences else begun[:, -1]
        begun = ops.reshape(begun, (*begun.shape, *[1] * (len(y.shape) - len(begun.shape))))
        return ops.where(begun, y, ops.zeros_like(y))

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return self.layer.compute_mask(inputs, previous_mask)


class TimeFirst(Wrapper):
    """A recurrent layer of (time, batch, features), as those of Keras 2 with time_major=True."""

    supports_masking = True
    only_its_layer_in_paths = True  # of weights in files: there it was the layer itself

    def build(self, input_shape: Any = None) -> None:
        super().build((input_shape[1], input_shape[0], *input_shape[2:]))

    def call(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:
        x = ops.swapaxes(x, 0, 1)
        if mask is not None:
            mask = ops.swapaxes(mask, 0, 1)
        y = self.layer(x, training=training, mask=mask)
        return ops.swapaxes(y, 0, 1) if self.layer.return_sequences else y
