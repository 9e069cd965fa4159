"""Rules of Keras 1 and 2 that files of theirs mean: epsilon beside the root, not under it."""

from __future__ import annotations

from typing import Any

from layerkit.backend.registry import namespace

from .adagrad import Adagrad
from .rmsprop import RMSprop


class AdagradKeras2(Adagrad):
    """Adagrad that divides by sqrt(accumulator) + epsilon.

    In files it is Adagrad with the square of epsilon, which is near where gradients are larger.
    """

    written_as = "Adagrad"
    elementwise = True

    def rule(self, w: Any, g: Any, lr: Any, t: Any, accumulator: Any = None) -> None:
        accumulator += g * g
        w -= g * lr / (namespace(w).sqrt(accumulator) + self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """That of Adagrad."""
        return {**super().get_config(), "epsilon": self.epsilon**2}


class RMSpropKeras2(RMSprop):
    """RMSprop without momentum that divides by sqrt(velocity) + epsilon, or by the deviation.

    In files it is RMSprop with the square of epsilon, which is near where gradients are larger.
    """

    written_as = "RMSprop"
    elementwise = True

    def rule(  # type: ignore[override]  # without momentum there is no slot of it
        self, w: Any, g: Any, lr: Any, t: Any, velocity: Any = None, average_gradient: Any = None
    ) -> None:
        velocity *= self.rho
        velocity += g * g * (1 - self.rho)
        variance = velocity
        if average_gradient is not None:
            average_gradient *= self.rho
            average_gradient += g * (1 - self.rho)
            variance = velocity - average_gradient * average_gradient
        w -= g * lr / (namespace(w).sqrt(variance) + self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """That of RMSprop."""
        return {**super().get_config(), "epsilon": self.epsilon**2}
