"""Lion: the rule that keeps only the sign of its step."""

from __future__ import annotations

from typing import Any

from layerkit.backend.registry import namespace

from .optimizer import Optimizer


class Lion(Optimizer):
    """The sign of an interpolated momentum (Chen et al., 2023). It wants small learning rates."""

    slots = (("momentum",),)
    elementwise = True

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

    def rule(self, w: Any, g: Any, lr: Any, t: Any, momentum: Any = None) -> None:
        m = momentum
        w -= lr * namespace(w).sign(m * self.beta_1 + g * (1 - self.beta_1))
        m *= self.beta_2
        m += g * (1 - self.beta_2)
