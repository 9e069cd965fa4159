"""Learning rate schedules: functions of the step that give the learning rate.

A schedule takes the number of updates done so far (a number, an array or a tensor) and returns a
tensor. It computes in `floatx()`, where the step is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.backend import Tensor, floatx
from layerkit.backend.autodiff import as_operand
from layerkit.backend.names import explain_missing
from layerkit.backend.registry import namespace

from .. import configurable
from ..configurable import Configurable, serialize
from .deferred import is_deferred


class LearningRateSchedule(Configurable):
    """Base of all schedules: override `__call__(step)`."""

    keras_module = "keras.optimizers.schedules"

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )


def _floats(*numbers: Any) -> Any:
    """Each number or array as `floatx()`, so that nothing is computed more exactly than that."""
    return tuple(map(_float, numbers))


def _float(number: Any) -> Any:
    number = number.array if isinstance(number, Tensor) else number
    if is_deferred(number):
        return number.astype(floatx())
    return np.asarray(number, dtype=floatx())[()]


def _rate(value: Any) -> Tensor:
    return Tensor(namespace(value).asarray(value, dtype=floatx()))


def _check_steps(name: str, steps: float) -> None:
    if steps <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={steps}")


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ** (step / decay_steps), with `staircase` in steps."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        _check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step, rate, steps, decay = _floats(
            step, self.initial_learning_rate, self.decay_steps, self.decay_rate
        )
        p = step / steps
        return _rate(rate * decay ** (namespace(p).floor(p) if self.staircase else p))


class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps), with `staircase` in steps."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        _check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step, rate, steps, decay = _floats(
            step, self.initial_learning_rate, self.decay_steps, self.decay_rate
        )
        p = step / steps
        return _rate(rate / (1 + decay * (namespace(p).floor(p) if self.staircase else p)))


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[i]` up to and including step `boundaries[i]`, and the last value after them all."""

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of "
                f"length {len(values)}."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step, (rate, *later) = as_operand(step), _floats(*self.values)
        step = step if is_deferred(step) else np.asarray(step)
        for boundary, value in zip(self.boundaries, later, strict=True):
            rate = namespace(step).where(step > boundary, value, rate)
        return _rate(rate)


class PolynomialDecay(LearningRateSchedule):
    """From the initial to the end rate in `decay_steps`, as (1 - step / decay_steps) ** power.

    With `cycle` the span grows by another `decay_steps` whenever it is over.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        _check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step, rate, end, power, steps = _floats(
            step, self.initial_learning_rate, self.end_learning_rate, self.power, self.decay_steps
        )
        xp = namespace(step)
        if self.cycle:
            steps = steps * xp.maximum(1, xp.ceil(step / steps))
        p = xp.minimum(step, steps) / steps
        return _rate((rate - end) * (1 - p) ** power + end)


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate to `alpha` times it; Loshchilov and Hutter, 2016.

    With a `warmup_target`, first a line from the initial rate to the target in `warmup_steps`;
    then the cosine falls from the target.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        _check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Tensor:
        step, rate, steps = _floats(step, self.initial_learning_rate, self.decay_steps)
        xp = namespace(step)
        if self.warmup_target is None:
            return _rate(self._cosine(rate, xp.minimum(step, steps) / steps))
        target, warmup = _floats(self.warmup_target, self.warmup_steps)
        line = (target - rate) * (step / np.maximum(warmup, 1)) + rate
        fall = self._cosine(target, (xp.minimum(step, steps + warmup) - warmup) / steps)
        return _rate(xp.where(step < warmup, line, fall))

    def _cosine(self, rate: Any, p: Any) -> Any:
        half = 0.5 * (1 + namespace(p).cos(_float(math.pi) * p))
        return rate * ((1 - self.alpha) * half + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decays one after the other (SGDR; Loshchilov and Hutter, 2016).

    The first lasts `first_decay_steps`, each next one `t_mul` times as long, from a rate `m_mul`
    times as high; `alpha` is the fraction of the initial rate that is never gone below.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        _check_steps("first_decay_steps", first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step, rate, steps, t, m, alpha = _floats(
            step,
            self.initial_learning_rate,
            self.first_decay_steps,
            self.t_mul,
            self.m_mul,
            self.alpha,
        )
        p, xp = step / steps, namespace(step)
        if self.t_mul == 1:
            restarts = xp.floor(p)
            p = p - restarts
        else:
            restarts = xp.floor(xp.log(1 - p * (1 - t)) / np.log(t))
            p = (p - (1 - t**restarts) / (1 - t)) / t**restarts
        half = 0.5 * m**restarts * (1 + xp.cos(_float(math.pi) * p))
        return _rate(rate * ((1 - alpha) * half + alpha))


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule that `serialize` described."""
    return configurable.deserialize(config, custom_objects, family="schedules")


__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]

explain_missing(__name__)
