"""RMSprop: gradients divided by the root of their mean square."""

from __future__ import annotations

from typing import Any

from layerkit.backend.registry import namespace

from .optimizer import Optimizer


class RMSprop(Optimizer):
    """Divides by a moving root mean square of gradients (Tieleman and Hinton, 2012).

    `rho`: how much of the old average is kept. `momentum` of the updates. `centered`: divide by
    the standard deviation instead.
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        self.slots = (
            ("velocity",),
            *((("momentum",),) if momentum > 0 else ()),
            *((("average_gradient",),) if centered else ()),
        )

    def fused(self, lr: Any, t: Any, dtype: Any) -> tuple[str, tuple[str, ...], dict]:
        numbers = {"lr": lr, "decay": 0.0, "beta": self.momentum, "epsilon": self.epsilon}
        numbers |= {"rho": self.rho, "one_minus_rho": 1 - self.rho}
        return "rmsprop", ("velocity", "momentum", "average_gradient"), numbers

    def rule(
        self,
        w: Any,
        g: Any,
        lr: Any,
        t: Any,
        velocity: Any = None,
        momentum: Any = None,
        average_gradient: Any = None,
    ) -> None:
        velocity *= self.rho
        velocity += g * g * (1 - self.rho)
        variance = velocity
        if average_gradient is not None:
            average_gradient *= self.rho
            average_gradient += g * (1 - self.rho)
            variance = velocity - average_gradient * average_gradient
        step = g * lr / self._deviation(variance)
        if momentum is not None:
            momentum *= self.momentum
            momentum += step
            step = momentum
        w -= step

    def _deviation(self, variance: Any) -> Any:
        """What steps are divided by."""
        return namespace(variance).sqrt(variance + self.epsilon)
