"""Schedule-free AdamW: averaging takes the place of a schedule of learning rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit.backend import Variable
from layerkit.backend.registry import namespace

from .adam import decayed
from .deferred import scalar
from .optimizer import Optimizer


class ScheduleFreeAdamW(Optimizer):
    """AdamW at a point between the newest weights and the mean of all (Defazio et al., 2024).

    `beta_1`: how near to the mean; the variables are that point. The slot `momentum` has the newest
    weights. `warmup_steps`: the learning rate rises to its value over so many steps.
    https://arxiv.org/abs/2405.15682
    """

    slots = (("momentum", "velocity"),)
    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def build(self, variables: Sequence[Variable]) -> None:
        built = self.built
        super().build(variables)
        if not built:
            for variable, slots in zip(variables, self._slots, strict=True):
                slots["momentum"].assign(variable)

    def rule(
        self, w: Any, g: Any, lr: Any, t: Any, momentum: Any = None, velocity: Any = None
    ) -> None:
        xp, one, step = namespace(w), scalar(1, w.dtype), scalar(t, w.dtype)
        lr = scalar(lr, w.dtype)
        if self.warmup_steps:
            lr = lr * xp.minimum(step / self.warmup_steps, one)
        z, v = momentum, velocity
        v += (g * g - v) * decayed(self.beta_2, 1, w.dtype)
        newest = decayed(self.beta_1, 1, w.dtype)
        mean = (w - z * newest) / self.beta_1
        z -= g * lr / (xp.sqrt(v / decayed(self.beta_2, t, w.dtype)) + self.epsilon)
        mean *= one - one / step
        mean += z * (one / step)
        w[...] = z * newest + mean * self.beta_1
