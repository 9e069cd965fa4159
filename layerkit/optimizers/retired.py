"""Rules of Keras 1 and 2 that files of theirs mean: epsilon beside the root, not under it."""

from __future__ import annotations

from typing import Any

from layerkit.backend.registry import namespace

from .adagrad import Adagrad
from .optimizer import Optimizer
from .rmsprop import RMSprop


class AdagradKeras2(Adagrad):
    """Adagrad that divides by sqrt(accumulator) + epsilon.

    In files it is Adagrad with the square of epsilon, which is near where gradients are larger.
    """

    written_as = "Adagrad"

    def _deviation(self, variance: Any) -> Any:
        return namespace(variance).sqrt(variance) + self.epsilon

    def get_config(self) -> dict[str, Any]:
        """That of Adagrad."""
        return {**super().get_config(), "epsilon": self.epsilon**2}


class RMSpropKeras2(RMSprop):
    """RMSprop that divides by sqrt(velocity) + epsilon, or by the deviation + epsilon.

    In files it is RMSprop with the square of epsilon, which is near where gradients are larger.
    """

    written_as = "RMSprop"
    fused = Optimizer.fused  # type: ignore[assignment]  # kernels have epsilon under the root

    def _deviation(self, variance: Any) -> Any:
        return namespace(variance).sqrt(variance) + self.epsilon

    def get_config(self) -> dict[str, Any]:
        """That of RMSprop."""
        return {**super().get_config(), "epsilon": self.epsilon**2}
