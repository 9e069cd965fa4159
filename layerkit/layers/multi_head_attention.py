"""MultiHeadAttention and GroupQueryAttention: several attentions side by side, on projections."""

from __future__ import annotations

import math
from typing import Any

from layerkit import backend as K

from .. import constraints, initializers, regularizers
from .activation import Softmax
from .arguments import fraction, is_int, known_size, positive_int
from .attention import band_mask, causal_mask
from .einsum_dense import EinsumDense
from .layer import Layer, Shape
from .regularization import Dropout


class _HeadedAttention(Layer):
    """What both share: projections by heads, the masks, and the attention between them.

    In the call: `query` (batch, T, ...), `value` (batch, S, ...) and `key`, the value where it is
    not given; `query_mask` (batch, T), `value_mask` and `key_mask` (batch, S), which inputs bring
    along; `attention_mask` (batch, T, S), True where a query may look; with `use_causal_mask`
    position i sees values up to i alone. With `return_attention_scores` the result is a pair, the
    second of which are the weights (batch, heads, T, S).

    A query that may look nowhere gets the mean of all values, and with `dropout`,
    `return_attention_scores` or further axes it gets nothing: so it is in Keras.
    """

    supports_masking = True

    def __init__(
        self,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if flash_attention:
            raise ValueError(
                f"`flash_attention` of {type(self).__name__} is not available in layerkit: leave "
                f"it at None. Received: flash_attention={flash_attention}"
            )
        self.dropout = fraction("dropout", dropout)
        self.use_bias = use_bias
        if sliding_window is not None and (not is_int(sliding_window) or sliding_window <= 0):
            raise ValueError(
                "`sliding_window` must be `None` or a positive integer. "
                f"Received: sliding_window={sliding_window}"
            )
        self.sliding_window = sliding_window
        self.flash_attention = flash_attention
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self._activity_regularizer = regularizers.get(activity_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.use_gate = use_gate
        self.seed = seed

    def _projection(
        self, name: str, equation: str, sizes: tuple[int, ...], activation: Any = None
    ) -> EinsumDense:
        """A dense layer onto axes of `sizes`, which are the equation's last letters."""
        output = equation.partition("->")[2]
        return EinsumDense(
            equation,
            output_shape=(None,) * (len(output) - len(sizes) - 1) + sizes,
            activation=activation,
            bias_axes=output[-len(sizes) :] if self.use_bias else None,
            kernel_initializer=_anew(self.kernel_initializer),
            bias_initializer=_anew(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self._activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )

    def _build_attention(self, axes: int) -> None:
        """The softmax over the last `axes` of the scores, and the dropout after it."""
        self._softmax = Softmax(axis=tuple(range(-axes, 0)), dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        mask = self._joined_mask(
            query.shape[1],
            value.shape[1],
            along_queries=[query_mask],
            along_values=[value_mask, key_mask],
            attention_mask=attention_mask,
            use_causal_mask=use_causal_mask,
        )
        query, value, key = map(_bare, (query, value, value if key is None else key))
        fused = not (self.dropout or return_attention_scores or query.ndim != 3)  # in Keras
        gate = self._gate_dense(query) if self.use_gate else None
        query = self._query_dense(query)
        key = self._key_dense(key)
        value = self._value_dense(value)
        output, weights = self.attend(query, key, value, mask, training, fused)
        output = self._output_dense(output if gate is None else output * gate)
        return (output, weights) if return_attention_scores else output

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self._given(args, kwargs).get("return_attention_scores"):
            return self._run_on_zeros(args, kwargs)
        return super().compute_output_spec(*args, **kwargs)

    def _joined_mask(
        self,
        queries: int,
        values: int,
        along_queries: list[Any],
        along_values: list[Any],
        attention_mask: Any,
        use_causal_mask: bool,
    ) -> Any:
        """All masks in one, broadcast to (batch, T, S); None where there is none."""
        masks = [K.expand_dims(_bools(m), -1) for m in along_queries if m is not None]
        masks += [K.expand_dims(_bools(m), -2) for m in along_values if m is not None]
        if use_causal_mask:
            masks.append(causal_mask(queries, values))
        if self.sliding_window is not None:
            masks.append(band_mask(queries, values, self.sliding_window))
        if attention_mask is not None:
            masks.append(_bools(attention_mask))
        joined = masks[0] if masks else None
        for mask in masks[1:]:
            joined = K.logical_and(joined, mask)
        return joined

    def attend(
        self, query: Any, key: Any, value: Any, mask: Any, training: bool | None, fused: bool
    ) -> tuple:
        """What each query gets of the values by heads, and its weights."""
        raise NotImplementedError

    def _distribution(
        self, scores: Any, mask: Any, axes: int, training: bool | None, fused: bool
    ) -> tuple:
        """The softmax of scores (batch, heads, T, S), and the same after dropout.

        `axes`: how many axes T and S have each; a mask without heads gets their axes before those.
        `fused`: without dropout, and with even weights where the mask excludes everything.
        """
        if mask is not None:
            missing = scores.ndim - mask.ndim
            place = max(mask.ndim - 2 * axes, 0)
            mask = K.reshape(mask, (*mask.shape[:place], *(1,) * missing, *mask.shape[place:]))
        if fused:
            lowest = -3e4 if scores.dtype == "float16" else -1e9
            weights = K.softmax(scores if mask is None else K.where(mask, scores, lowest))
            return weights, weights
        weights = self._softmax(scores, mask=mask)
        return weights, self._dropout_layer(weights, training=training)

    def get_config(self) -> dict[str, Any]:
        """Keras's config, which does not tell whether an engine's fast kernels are wanted."""
        config = super().get_config()
        del config["flash_attention"]
        config["activity_regularizer"] = regularizers.serialize(self._activity_regularizer)
        return config


class MultiHeadAttention(_HeadedAttention):
    """`num_heads` attentions: of projections to `key_dim`, of values to `value_dim`, joined by one.

    query (batch, T, dim), value (batch, S, ...), key (batch, S, ...); result (batch, T, dim), or
    `output_shape` in the place of dim. There may be several axes in the place of T and S:
    `attention_axes` are those attended over, all where None. `sliding_window`: how far from a
    position, itself included, others are seen. `use_gate`: the heads' results are multiplied by a
    sigmoid of a projection of the query. `dropout`: of the weights, in training. The
    `activity_regularizer` is that of the projections.

    Weights: kernel and bias of the query's, key's, (gate's,) value's and output's projection.
    Vaswani et al. 2017.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **kwargs,
        )
        self.num_heads = positive_int("num_heads", num_heads)
        self.key_dim = positive_int("key_dim", key_dim)
        self.value_dim = self.key_dim if value_dim is None else positive_int("value_dim", value_dim)
        self.output_shape = _tuple_or_none("output_shape", output_shape)
        self.attention_axes: Any = _tuple_or_none("attention_axes", attention_axes)

    def build(  # type: ignore[override]
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        self.compute_output_shape(query_shape, value_shape, key_shape)  # raises where they differ
        axes = self.attention_axes or tuple(range(1, len(query_shape) - 1))
        self.attention_axes = tuple(axis % len(query_shape) for axis in axes)
        heads = (self.num_heads, self.key_dim)
        onto_values = (self.num_heads, self.value_dim)
        self._query_dense = self._projection("query", _onto(query_shape, 1, 2), heads)
        self._query_dense.build(query_shape)
        self._key_dense = self._projection("key", _onto(key_shape, 1, 2), heads)
        self._key_dense.build(key_shape)
        if self.use_gate:
            equation = _onto(query_shape, 1, 2)
            self._gate_dense = self._projection("gate", equation, onto_values, "sigmoid")
            self._gate_dense.build(query_shape)
        self._value_dense = self._projection("value", _onto(value_shape, 1, 2), onto_values)
        self._value_dense.build(value_shape)
        self._build_attention(len(self.attention_axes))
        output = self.output_shape or (known_size(self, query_shape, -1),)
        by_heads = (*query_shape[:-1], *onto_values)
        self._output_dense = self._projection(
            "attention_output", _onto(by_heads, 2, len(output)), output
        )
        self._output_dense.build(by_heads)

    query_dense = property(lambda layer: layer._query_dense, doc="The query's projection.")
    key_dense = property(lambda layer: layer._key_dense, doc="The key's projection.")
    value_dense = property(lambda layer: layer._value_dense, doc="The value's projection.")
    output_dense = property(lambda layer: layer._output_dense, doc="The projection of the result.")

    def attend(
        self, query: Any, key: Any, value: Any, mask: Any, training: bool | None, fused: bool
    ) -> tuple:
        axes = self.attention_axes
        rank = query.ndim
        others = [axis for axis in range(rank - 1) if axis not in axes]  # batch, ..., heads
        order = [*others, *axes, rank - 1]
        back = sorted(range(rank), key=order.__getitem__)
        q, k, v = (_as_matrices(x, order, len(others)) for x in (query, key, value))
        of_queries, of_values = ([x.shape[axis] for axis in axes] for x in (query, key))
        batches = q.shape[: len(others)]
        scores = K.matmul(q * (1 / math.sqrt(self.key_dim)), K.swapaxes(k, -1, -2))
        scores = K.reshape(scores, (*batches, *of_queries, *of_values))
        weights, dropped = self._distribution(scores, mask, len(axes), training, fused)
        matrices = K.reshape(dropped, (*batches, math.prod(of_queries), math.prod(of_values)))
        output = K.reshape(K.matmul(matrices, v), (*batches, *of_queries, self.value_dim))
        return K.transpose(output, back), weights

    def compute_output_shape(  # type: ignore[override]
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> Shape:
        if key_shape is not None and tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                "All dimensions of `value` and `key`, except the last one, must be equal. "
                f"Layer '{self.name}' received: value_shape={value_shape} and "
                f"key_shape={key_shape}"
            )
        return (*query_shape[:-1], *(self.output_shape or query_shape[-1:]))


class GroupedQueryAttention(_HeadedAttention):
    """Attention by heads of which several share their key and value.

    Each of `num_key_value_heads` serves num_query_heads / num_key_value_heads heads of queries, all
    of size `head_dim`. query (batch, T, dim), value and key (batch, S, dim); result
    (batch, T, dim). The other arguments are those of `MultiHeadAttention`. Ainslie et al. 2023.
    Exported, and named in files, as GroupQueryAttention.
    """

    keras_name = "GroupQueryAttention"

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **kwargs,
        )
        self.activity_regularizer = self._activity_regularizer  # of the result too, as in Keras
        self.head_dim = positive_int("head_dim", head_dim)
        self.num_query_heads = positive_int("num_query_heads", num_query_heads)
        self.num_key_value_heads = positive_int("num_key_value_heads", num_key_value_heads)
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                "`num_query_heads` must be divisible by `num_key_value_heads`. Received: "
                f"num_query_heads={num_query_heads}, num_key_value_heads={num_key_value_heads}"
            )

    def build(  # type: ignore[override]
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        self.compute_output_shape(query_shape, value_shape, key_shape)  # raises where they differ
        dim = known_size(self, query_shape, -1)
        of_query = (self.num_query_heads, self.head_dim)
        of_value = (self.num_key_value_heads, self.head_dim)
        self._query_dense = self._projection("query", "bqm,muh->bquh", of_query)
        self._query_dense.build(query_shape)
        self._key_dense = self._projection("key", "bkm,mvh->bkvh", of_value)
        self._key_dense.build(key_shape)
        if self.use_gate:
            self._gate_dense = self._projection("gate", "bqm,muh->bquh", of_query, "sigmoid")
            self._gate_dense.build(query_shape)
        self._value_dense = self._projection("value", "bkm,mvh->bkvh", of_value)
        self._value_dense.build(value_shape)
        self._build_attention(1)
        self._output_dense = self._projection("attention_output", "bquh,uhm->bqm", (dim,))
        self._output_dense.build((*query_shape[:-1], *of_query))

    def attend(
        self, query: Any, key: Any, value: Any, mask: Any, training: bool | None, fused: bool
    ) -> tuple:
        repeats = self.num_query_heads // self.num_key_value_heads
        q = K.transpose(query, (0, 2, 1, 3))
        k, v = (K.transpose(K.repeat(x, repeats, axis=2), (0, 2, 1, 3)) for x in (key, value))
        scores = K.matmul(q * (1 / math.sqrt(self.head_dim)), K.swapaxes(k, -1, -2))
        weights, dropped = self._distribution(scores, mask, 1, training, fused)
        return K.transpose(K.matmul(dropped, v), (0, 2, 1, 3)), weights

    def compute_output_shape(  # type: ignore[override]
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> Shape:
        if query_shape[-1] != value_shape[-1]:
            raise ValueError(
                "The last dimension of `query_shape` and `value_shape` must be equal, but are "
                f"{query_shape[-1]}, {value_shape[-1]}. Layer '{self.name}' received: "
                f"query_shape={query_shape}, value_shape={value_shape}"
            )
        if key_shape is not None and tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                "All dimensions of `value` and `key`, except the last one, must be equal. "
                f"Layer '{self.name}' received: value_shape={value_shape} and "
                f"key_shape={key_shape}"
            )
        return tuple(query_shape)


GroupQueryAttention = GroupedQueryAttention


def _anew(initializer: Any) -> Any:
    """An initializer with numbers of its own: one object gives the same ones every time."""
    if not isinstance(initializer, initializers.Initializer):
        return initializer
    return type(initializer).from_config(initializer.get_config())


def _onto(shape: Shape, summed: int, new: int) -> str:
    """The equation of a projection: the last `summed` axes of `shape` become `new` ones."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    kept, contracted = letters[: len(shape) - summed], letters[len(shape) - summed : len(shape)]
    made = letters[len(shape) : len(shape) + new]
    return f"{kept}{contracted},{contracted}{made}->{kept}{made}"


def _as_matrices(x: Any, order: list[int], leading: int) -> Any:
    """x with its axes in this order, all but the first `leading` and the last one in one."""
    x = K.transpose(x, order)
    middle = math.prod(x.shape[leading:-1])
    return K.reshape(x, (*x.shape[:leading], middle, x.shape[-1]))


def _bare(x: Any) -> Any:
    """x without its mask: the projections of x would not know what to do with it."""
    return x if getattr(x, "_keras_mask", None) is None else K.reshape(x, x.shape)


def _bools(mask: Any) -> Any:
    return K.cast(mask, "bool")


def _tuple_or_none(name: str, value: Any) -> tuple[int, ...] | None:
    if value is None or is_int(value):
        return value if value is None else (int(value),)
    if not isinstance(value, (list, tuple)) or not all(map(is_int, value)):
        raise ValueError(
            f"`{name}` of MultiHeadAttention must be an int, list, or tuple. Received: "
            f"{name}={value}"
        )
    return tuple(value) or None
