"""Adafactor: Adam's mean squares, kept as one row and one column of each matrix."""

from __future__ import annotations

from typing import Any

from layerkit.backend import Variable
from layerkit.backend.registry import namespace

from .deferred import scalar
from .optimizer import Optimizer


class Adafactor(Optimizer):
    """Divides by a root mean square that is rebuilt from its rows' and columns' means.

    `beta_2_decay`: 1 - t^beta_2_decay of the old mean is kept. `epsilon_1`: added to squares.
    `epsilon_2`: the least length that a variable counts as. `clip_threshold`: the largest root mean
    square of a step. `relative_step`: a constant learning rate is at most 1 / sqrt(t). Shazeer and
    Stern 2018, https://arxiv.org/abs/1804.04235.
    """

    slots = (("r", "c", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def slot_shape(self, name: str, variable: Variable) -> tuple[int, ...] | None:
        """Means over the last axis and over the one before it; numbers where there are none."""
        shape = variable.shape
        if name == "velocity":
            return shape
        if len(shape) < 2:
            return ()  # unused, and in Keras's files
        return shape[:-1] if name == "r" else (*shape[:-2], shape[-1])

    def _lost_inside(self) -> list[Variable]:
        """The unused numbers."""
        pairs = zip(self._trainable_variables, self._slots, strict=True)
        return [slots[name] for w, slots in pairs if len(w.shape) < 2 for name in ("r", "c")]

    def rule(
        self,
        w: Any,
        g: Any,
        lr: Any,
        t: Any,
        r: Any = None,
        c: Any = None,
        velocity: Any = None,
    ) -> None:
        xp, one, t = namespace(w), scalar(1, w.dtype), scalar(t, w.dtype)
        most, lr = one / xp.sqrt(t), scalar(lr, w.dtype)
        if self.relative_step and not callable(self._learning_rate):
            lr = xp.minimum(lr, most)
        step = xp.maximum(scalar(self.epsilon_2, w.dtype), _rms(w)) * xp.minimum(lr, most)
        kept = one - t ** scalar(self.beta_2_decay, w.dtype)
        square = g * g + self.epsilon_1
        if w.ndim < 2:
            velocity *= kept
            velocity += square * (one - kept)
        else:
            for mean, axis in ((r, -1), (c, -2)):
                mean *= kept
                mean += square.mean(axis=axis) * (one - kept)
            rows = r / r.mean(axis=-1, keepdims=True)
            velocity[...] = rows[..., :, None] * c[..., None, :]
        update = g / xp.sqrt(velocity)
        w -= update * (step / xp.maximum(one, _rms(update) / self.clip_threshold))


def _rms(x: Any) -> Any:
    return namespace(x).sqrt((x * x).mean())
