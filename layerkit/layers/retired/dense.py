"""Dense layers of Keras 0 and 1: the largest of several maps, and gates."""

from __future__ import annotations

from typing import Any

from ... import activations, constraints, initializers, ops, regularizers
from ..input_spec import InputSpec
from ..layer import Layer


class MaxoutDense(Layer):
    """The largest of `nb_feature` linear maps: (batch, features) to (batch, units).

    Goodfellow et al., Maxout Networks, 2013.
    """

    def __init__(
        self,
        units: int,
        nb_feature: int = 4,
        kernel_initializer: Any = "glorot_uniform",
        use_bias: bool = True,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.nb_feature, self.use_bias = units, nb_feature, use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=2)

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            (self.nb_feature, input_shape[-1], self.units),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = self.use_bias and self.add_weight(
            (self.nb_feature, self.units),
            "zeros",
            name="bias",
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def call(self, x: Any) -> Any:
        y = ops.einsum("bi,fio->bfo", x, self.kernel)
        return ops.max(y + self.bias if self.use_bias else y, axis=1)


class Highway(Layer):
    """t * activation(x W + b) + (1 - t) * x with t = sigmoid(x W_carry + b_carry).

    Srivastava et al., Highway Networks, 2015.
    """

    def __init__(
        self,
        kernel_initializer: Any = "glorot_uniform",
        activation: Any = None,
        use_bias: bool = True,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=2)

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        options = {"regularizer": self.kernel_regularizer, "constraint": self.kernel_constraint}
        self.kernel = self.add_weight(
            (size, size), self.kernel_initializer, name="kernel", **options
        )
        self.carry_kernel = self.add_weight(  # never regularized nor constrained, nor is its bias
            (size, size), self.kernel_initializer, name="carry_kernel"
        )
        if self.use_bias:
            options = {"regularizer": self.bias_regularizer, "constraint": self.bias_constraint}
            self.bias = self.add_weight((size,), "zeros", name="bias", **options)
            carried = initializers.Constant(-2.0)  # begins by handing on what it gets
            self.carry_bias = self.add_weight((size,), carried, name="carry_bias")

    def call(self, x: Any) -> Any:
        y, t = ops.matmul(x, self.kernel), ops.matmul(x, self.carry_kernel)
        if self.use_bias:
            y, t = y + self.bias, t + self.carry_bias
        t = ops.sigmoid(t)
        return t * self.activation(y) + (1 - t) * x
