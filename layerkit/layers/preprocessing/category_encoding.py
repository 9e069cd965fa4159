"""CategoryEncoding: integers as rows of zeros and ones, or of counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K

from ..layer import Layer, Shape
from .host import refuse_sparse


class CategoryEncoding(Layer):
    """Integers in [0, num_tokens) as rows of length `num_tokens`, in the layer's float type.

    `output_mode`: 'one_hot' (a row for each integer; a last axis of length 1 is dropped),
    'multi_hot' (one row for all in a sample) or 'count'. Other integers give zeros.
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        output_mode = "multi_hot" if output_mode == "binary" else output_mode
        if output_mode not in ("count", "one_hot", "multi_hot"):
            raise ValueError(
                f"Unknown arg for output_mode: {output_mode}. CategoryEncoding expects 'one_hot', "
                "'multi_hot' or 'count'."
            )
        if num_tokens is None:
            raise ValueError(
                "num_tokens must be set to use this layer. If the number of tokens is not known "
                "beforehand, use the IntegerLookup layer instead."
            )
        if not isinstance(num_tokens, (int, np.integer)) or num_tokens < 1:
            raise ValueError(
                f"`num_tokens` must be >= 1, and an int. Received: num_tokens={num_tokens}."
            )
        self.num_tokens = num_tokens
        self.output_mode = output_mode
        self.sparse = refuse_sparse("CategoryEncoding", sparse)

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """`count_weights`: of the inputs' shape, what each of them counts for, for 'count'."""
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                "`count_weights` is not used when `output_mode` is not `'count'`. "
                f"Received `count_weights={count_weights}`."
            )
        return encoded_tensor(
            inputs, self.output_mode, self.num_tokens, self.compute_dtype, count_weights
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)

    def get_config(self) -> dict[str, Any]:
        """As Keras's, which leaves `sparse` out."""
        config = super().get_config()
        del config["sparse"]
        return config


def encoded_tensor(
    x: Any, output_mode: str, depth: int, dtype: str, count_weights: Any = None
) -> Any:
    """Integers as 'one_hot', 'multi_hot' or 'count' rows of length `depth`.

    The rows of the latter two are over the second axis, or over the only one.
    """
    x = x if x.ndim else K.expand_dims(x, 0)
    x = K.cast(x, "int32") if K.is_floating(x.dtype) else x
    axis = 1 if x.ndim > 1 else 0
    if output_mode == "one_hot":
        return K.one_hot(K.squeeze(x, -1) if axis and x.shape[-1] == 1 else x, depth, dtype=dtype)
    rows = K.one_hot(x, depth, dtype=dtype)
    if output_mode == "multi_hot":
        return K.max(rows, axis=axis)
    if count_weights is not None:
        weights = K.cast(K.convert_to_tensor(count_weights), dtype)
        rows = rows * K.expand_dims(K.reshape(weights, x.shape), -1)
    return K.sum(rows, axis=axis)


def encoded_shape(shape: Shape, output_mode: str, depth: int) -> Shape:
    """The shape of `encoded_tensor` of integers of a shape."""
    shape = tuple(shape)
    if len(shape) < 2:
        return (*(shape or (1,)), depth) if output_mode == "one_hot" else (depth,)
    if output_mode == "one_hot":
        return (*(shape[:-1] if shape[-1] == 1 else shape), depth)
    return (shape[0], *shape[2:], depth)
