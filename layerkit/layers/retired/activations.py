"""Activations with weights, of Keras 1."""

from __future__ import annotations

from typing import Any

from ... import initializers, ops
from ..layer import Layer


class ParametricSoftplus(Layer):
    """alpha * softplus(beta * x), both learned, one for each place of x."""

    def __init__(self, alpha_init: float = 0.2, beta_init: float = 5.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha_init, self.beta_init = alpha_init, beta_init

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape[1:])
        self.alphas = self.add_weight(shape, initializers.Constant(self.alpha_init), name="alphas")
        self.betas = self.add_weight(shape, initializers.Constant(self.beta_init), name="betas")

    def call(self, x: Any) -> Any:
        return ops.softplus(self.betas * x) * self.alphas


class SReLU(Layer):
    """The identity between two learned bounds, lines of learned slopes outside of them.

    `bounded`: where the slope on the left is negative its line ends at the right bound too.
    Jin et al., Deep Learning with S-shaped Rectified Linear Activation Units, 2015.
    """

    def __init__(
        self,
        t_left_init: Any = "zeros",
        a_left_init: Any = "glorot_uniform",
        t_right_init: Any = "glorot_uniform",
        a_right_init: Any = "ones",
        shared_axes: Any = None,
        bounded: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.bounded = bounded
        self.t_left_init = initializers.get(t_left_init)
        self.a_left_init = initializers.get(a_left_init)
        self.t_right_init = initializers.get(t_right_init)
        self.a_right_init = initializers.get(a_right_init)
        self.shared_axes = shared_axes

    def build(self, input_shape: Any) -> None:
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        self.t_left = self.add_weight(tuple(shape), self.t_left_init, name="t_left")
        self.a_left = self.add_weight(tuple(shape), self.a_left_init, name="a_left")
        self.t_right = self.add_weight(tuple(shape), self.t_right_init, name="t_right")
        self.a_right = self.add_weight(tuple(shape), self.a_right_init, name="a_right")

    def call(self, x: Any) -> Any:
        right = self.t_left + ops.abs(self.t_right)
        center = ops.minimum(ops.relu(x - self.t_left), right - self.t_left) + self.t_left
        left = self.a_left * ops.relu(self.t_left - x)
        if self.bounded:
            left = ops.maximum(left, self.t_left - right)
        return center - left + self.a_right * ops.relu(x - right)
