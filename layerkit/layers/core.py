"""Core layers: Dense, Activation, Embedding, Masking."""

from __future__ import annotations

import warnings
from typing import Any

from layerkit import backend as K

from .. import activations, constraints, initializers, regularizers
from .arguments import known_size, positive_int
from .input_spec import InputSpec
from .layer import Layer, Shape


class Dense(Layer):
    """activation(inputs @ kernel + bias), over the last axis of the inputs.

    `units`: size of the output's last axis. Inputs (batch, ..., features) give (batch, ..., units).
    """

    supports_masking = True
    unavailable = {"lora_rank": None, "lora_alpha": None, "quantization_config": None}
    input_hint = (
        "Dense expects (batch, ..., features): for single numbers add an axis, x[:, None]; after "
        "images or sequences of varying size add a Flatten() or global pooling layer."
    )

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_int("units", units)
        self.activation = activations.get(activation)
        if self.units == 1 and self.activation is activations.softmax:
            warnings.warn(
                f"You are using a softmax over axis -1, of size 1, in layer '{self.name}'. The "
                "softmax operation will always return the value 1, which is likely not what you "
                "intended. Did you mean to use a sigmoid instead?",
                stacklevel=2,
            )
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Shape) -> None:
        features = known_size(self, input_shape, -1)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Any) -> Any:
        return K.dense(inputs, self.kernel, self.bias, self.activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)


class Activation(Layer):
    """An activation function, by name or as a function, applied to each element."""

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class Embedding(Layer):
    """A table of `input_dim` vectors of size `output_dim`, looked up by integer id.

    Inputs: ids from 0 to input_dim - 1, of any shape; outputs (*ids.shape, output_dim). Floating
    ids are cast to int32. With `mask_zero` the id 0 is padding: it is masked out for the layers
    that follow.
    """

    unavailable = {"lora_rank": None, "lora_alpha": None, "quantization_config": None}

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        **kwargs: Any,
    ):
        table = kwargs.pop("weights", None)
        if kwargs.pop("input_length", None) is not None:
            warnings.warn("Argument `input_length` is deprecated. Just remove it.", stacklevel=2)
        super().__init__(**kwargs)
        self.input_dim = positive_int("input_dim", input_dim)
        self.output_dim = positive_int("output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = bool(mask_zero)
        if table is not None:
            self.build()
            self.set_weights(table if isinstance(table, list) else [table])

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs: Any) -> Any:
        ids = inputs if inputs.dtype.kind in "iu" else K.cast(inputs, "int32")
        try:
            return K.embedding_lookup(self.embeddings, ids)
        except IndexError as error:
            raise IndexError(f"Layer '{self.name}' (Embedding): {error}") from None

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return K.not_equal(inputs, 0) if self.mask_zero else None

    def ways_to_mask(self, inputs: list[Any], masks: list[Any]) -> list[tuple[Any, int]]:
        return [(x, 1) for x in inputs]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)


class Masking(Layer):
    """Masks out the steps of (batch, steps, features) of which all features are `mask_value`.

    Masked steps become zeros, and the layers that follow skip them.
    """

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, inputs: Any) -> Any:
        return K.where(K.expand_dims(self.compute_mask(inputs), -1), inputs, 0)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return K.any(K.not_equal(inputs, self.mask_value), axis=-1)

    def ways_to_mask(self, inputs: list[Any], masks: list[Any]) -> list[tuple[Any, int]]:
        return [(x, 2) for x in inputs]  # `not_equal` and `any`

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
