"""Attention over sequences: scores of queries with keys, their softmax, a mean of the values."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend import SeedGenerator

from .arguments import fraction, known_size
from .layer import Layer, Shape


class Attention(Layer):
    """softmax(query @ keyᵀ) @ value, for a list [query, value] or [query, value, key].

    query (batch, Tq, dim), value (batch, Tv, value_dim), key (batch, Tv, dim), the value where it
    is not given; result (batch, Tq, value_dim). `use_scale`: scores times a learned number.
    `score_mode`: 'dot', or 'concat' for a learned number times sum(tanh(query + key)). `dropout`:
    of the weights, in training.

    In the call: `mask`, a list of the query's mask (batch, Tq), outside of which the result is
    zero, and the value's (batch, Tv), outside of which nothing is looked at; with
    `use_causal_mask` position i sees values up to i alone; with `return_attention_scores` the
    result is a pair, the second of which are the weights (batch, Tq, Tv). Luong et al. 2015.
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                "Invalid value for argument score_mode. Expected one of {'dot', 'concat'}. "
                f"Received: score_mode={score_mode}"
            )
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = fraction("dropout", dropout)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        self._check_is_list("inputs", input_shape)
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight(name="scale", initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", initializer="ones"
            )

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        query_mask, value_mask = self._checked_masks(mask)
        self._check_is_list("inputs", inputs)
        query, value = inputs[:2]
        scores = self.scores(query, inputs[-1])  # the key, or the value
        seen = None if value_mask is None else K.expand_dims(value_mask, -2)
        if use_causal_mask:
            causal = causal_mask(*scores.shape[-2:])
            seen = causal if seen is None else K.logical_and(seen, causal)
        if seen is not None:
            scores = K.where(seen, scores, scores - _out_of_sight(scores))
        weights = K.softmax(scores, axis=-1)
        if training and self.dropout:
            weights = K.dropout(weights, self.dropout, seed=self.seed_generator)
        output = K.matmul(weights, value)
        if query_mask is not None:
            output = K.where(K.expand_dims(query_mask, -1), output, 0)
        return (output, weights) if return_attention_scores else output

    def scores(self, query: Any, key: Any) -> Any:
        """How much each query (batch, Tq, dim) has of each key (batch, Tv, dim)."""
        if self.score_mode == "dot":
            scores = K.matmul(query, K.swapaxes(key, -1, -2))
            return scores if self.scale is None else scores * self.scale
        sums = _all_sums(query, key)
        sums = sums if self.scale is None else sums * self.scale
        return self.concat_score_weight * K.sum(K.tanh(sums), axis=-1)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self._given(args, kwargs).get("return_attention_scores"):
            return self._run_on_zeros(args, kwargs)
        return super().compute_output_spec(*args, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        self._check_is_list("inputs", input_shape)
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return self._checked_masks(previous_mask)[0]

    def _checked_masks(self, mask: Any) -> list[Any]:
        """The masks of query and value, each a tensor of bool or None."""
        if mask is None:
            return [None, None]
        self._check_is_list("mask", mask)
        return [None if m is None else K.cast(m, "bool") for m in mask[:2]]

    def _check_is_list(self, name: str, values: Any) -> None:
        if not isinstance(values, (list, tuple)) or len(values) not in (2, 3):
            parts = ("query", "value", "key") if name == "inputs" else ("query_mask", "value_mask")
            kind = type(values).__name__
            what = f"length: {len(values)}" if isinstance(values, (list, tuple)) else f"a {kind}"
            raise ValueError(
                f"{type(self).__name__} layer must be called on a list of inputs, namely [query, "
                f"value] or [query, value, key]. `{name}` of layer '{self.name}' should be a list "
                f"of length 2 or 3, [{', '.join(parts[:2])}] or longer. Received {what}."
            )


class AdditiveAttention(Attention):
    """softmax(sum(scale * tanh(query + key))) @ value, for a list as in `Attention`.

    `use_scale`: whether there is a learned scale (dim,), or ones. Bahdanau et al. 2015.
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check_is_list("inputs", input_shape)
        self.scale = None
        if self.use_scale:
            dim = known_size(self, input_shape[0], -1)
            self.scale = self.add_weight(name="scale", shape=(dim,), initializer="glorot_uniform")

    def scores(self, query: Any, key: Any) -> Any:
        """How much each query (batch, Tq, dim) has of each key (batch, Tv, dim)."""
        waves = K.tanh(_all_sums(query, key))
        return K.sum(waves if self.scale is None else self.scale * waves, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Keras's config, which has no `score_mode`."""
        config = super().get_config()
        del config["score_mode"]
        return config


def causal_mask(queries: int, values: int) -> Any:
    """A mask (1, queries, values) in which each position sees itself and those before it."""
    return K.greater_equal(_column(queries), _row(values))


def band_mask(queries: int, values: int, window: int) -> Any:
    """A mask (1, queries, values) in which each position sees those less than `window` away."""
    return K.less(K.abs(_column(queries) - _row(values)), window)


def _column(n: int) -> Any:
    return K.reshape(K.arange(n), (1, n, 1))


def _row(n: int) -> Any:
    return K.reshape(K.arange(n), (1, 1, n))


def _all_sums(query: Any, key: Any) -> Any:
    """query + key for each pair of them: (batch, Tq, Tv, dim)."""
    return K.expand_dims(query, -2) + K.expand_dims(key, -3)


def _out_of_sight(scores: Any) -> float:
    """What scores are lowered by, so that their softmax is zero: float16 ends at 65504."""
    return 65504.0 if scores.dtype == "float16" else 1e9
