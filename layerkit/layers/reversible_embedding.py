"""ReversibleEmbedding: vectors of ids, and back from vectors to what each id is worth."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from ..symbolic import KerasTensor
from .core import Embedding


class ReversibleEmbedding(Embedding):
    """An Embedding that can also be called backwards, as the last layer of a language model.

    With `reverse=True`: vectors (..., output_dim) to logits (..., input_dim), by the transposed
    table, or by one of its own where `tie_weights` is False. `reverse_dtype`: the type in which
    that is computed. `logit_soft_cap`: logits are drawn into (-cap, cap) by tanh. Press and Wolf
    2017, "Using the output embedding to improve language models".
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: str | None = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ):
        self.tie_weights = tie_weights
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return super().call(inputs)
        dtype = self.reverse_dtype or inputs.dtype
        kernel = K.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        logits = K.matmul(K.cast(inputs, dtype), K.cast(kernel, dtype))
        cap = self.logit_soft_cap
        return logits if cap is None else K.tanh(logits / cap) * cap

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return super().compute_output_spec(inputs)
        shape = (*inputs.shape[:-1], self.input_dim)
        return KerasTensor(shape, self.reverse_dtype or self.compute_dtype)

    # Logits have no mask: what is padding, vectors do not tell.

    def _spec_with_masks(self, inputs: Any, reverse: bool = False) -> Any:
        if reverse:
            return self.compute_output_spec(inputs, reverse=True)
        return super()._spec_with_masks(inputs)

    def _hand_mask_on(self, inputs: Any, outputs: Any, mask: Any) -> None:
        if outputs.ndim > inputs.ndim:  # not a reverse call
            super()._hand_mask_on(inputs, outputs, mask)
