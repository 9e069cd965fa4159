"""Stochastic gradient descent, and the rule that keeps only its sign."""

from __future__ import annotations

from typing import Any

from layerkit.backend.registry import namespace

from .optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent, with (Nesterov) momentum where `momentum` is not 0.

    m = momentum * m - lr * g; w += m, or with `nesterov` w += momentum * m - lr * g.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Any,
    ):
        if isinstance(momentum, bool) or not 0 <= momentum <= 1:
            raise ValueError(
                f"`momentum` must be a float between [0, 1]. Received: momentum={momentum}"
            )
        super().__init__(learning_rate, **options)
        self.momentum = momentum
        self.nesterov = nesterov
        self.slots = (("momentum",),) if momentum else ()

    def rule(self, w: Any, g: Any, lr: float, t: int, momentum: Any = None) -> None:
        step = g * lr
        if momentum is None:
            w -= step
            return
        momentum *= self.momentum
        momentum -= step
        w += momentum * self.momentum - step if self.nesterov else momentum


class Lion(Optimizer):
    """The sign of an interpolated momentum (Chen et al., 2023). It wants small learning rates."""

    slots = (("momentum",),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **options: Any,
    ):
        if not 0 < beta_1 <= 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer "
                f"degenerates to SignSGD. Received: beta_1={beta_1}."
            )
        super().__init__(learning_rate, **options)
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def rule(self, w: Any, g: Any, lr: float, t: int, momentum: Any = None) -> None:
        m = momentum
        w -= lr * namespace(w).sign(m * self.beta_1 + g * (1 - self.beta_1))
        m *= self.beta_2
        m += g * (1 - self.beta_2)
