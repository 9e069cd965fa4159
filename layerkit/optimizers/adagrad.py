"""Adagrad and what grew from it: each element has its own rate, from its own history."""

from __future__ import annotations

from typing import Any

from layerkit.backend.registry import namespace

from ..initializers import Constant
from .optimizer import Optimizer


class Adagrad(Optimizer):
    """Divides by the root of the sum of all squared gradients (Duchi et al., 2011)."""

    slots = (("accumulator",),)
    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def slot_initializer(self, name: str) -> Any:
        return Constant(self.initial_accumulator_value)

    def rule(self, w: Any, g: Any, lr: Any, t: Any, accumulator: Any = None) -> None:
        accumulator += g * g
        w -= g * lr / self._deviation(accumulator)

    def _deviation(self, variance: Any) -> Any:
        """What steps are divided by."""
        return namespace(variance).sqrt(variance + self.epsilon)


class Adadelta(Optimizer):
    """Moving averages of squared gradients and of squared steps (Zeiler, 2012).

    As in the paper with learning_rate=1.0.
    """

    slots = (("accumulated_grad", "accumulated_delta_var"),)
    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self.rho = rho
        self.epsilon = epsilon

    def rule(
        self,
        w: Any,
        g: Any,
        lr: Any,
        t: Any,
        accumulated_grad: Any = None,
        accumulated_delta_var: Any = None,
    ) -> None:
        sqrt = namespace(w).sqrt
        accumulated_grad *= self.rho
        accumulated_grad += g * g * (1 - self.rho)
        step = sqrt(accumulated_delta_var + self.epsilon) * g
        step /= sqrt(accumulated_grad + self.epsilon)
        accumulated_delta_var *= self.rho
        accumulated_delta_var += step * step * (1 - self.rho)
        w -= step * lr


class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al., 2013): sparse weights through l1."""

    slots = (("accumulator", "linear"),)
    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        if learning_rate_power > 0:
            raise ValueError(
                "`learning_rate_power` needs to be negative or zero. Received: "
                f"learning_rate_power={learning_rate_power}."
            )
        for argument in _NOT_NEGATIVE:
            if getattr(self, argument) < 0:
                raise ValueError(
                    f"`{argument}` needs to be positive or zero. "
                    f"Received: {argument}={getattr(self, argument)}."
                )

    def slot_initializer(self, name: str) -> Any:
        return Constant(self.initial_accumulator_value) if name == "accumulator" else "zeros"

    def rule(
        self, w: Any, g: Any, lr: Any, t: Any, accumulator: Any = None, linear: Any = None
    ) -> None:
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2 * lr)
        before = accumulator**power
        accumulator += g * g
        after = accumulator**power
        linear += g + w * (2 * self.l2_shrinkage_regularization_strength)
        linear -= (after - before) / lr * w
        w[...] = (linear.clip(-l1, l1) - linear) / (after / lr + 2 * l2)


_NOT_NEGATIVE = (
    "initial_accumulator_value",
    "l1_regularization_strength",
    "l2_regularization_strength",
    "l2_shrinkage_regularization_strength",
)
