"""LossScaleOptimizer: keeps the gradients of float16 from underflowing to zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.backend import Tensor, Variable
from layerkit.backend.autodiff import as_operand
from layerkit.backend.registry import backend_of, namespace

from .. import configurable
from ..configurable import serialize
from .deferred import run_where
from .optimizer import Optimizer

# What older Keras versions wrote beside it into files; it belongs to the inner optimizer.
_OF_THE_INNER = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class LossScaleOptimizer(Optimizer):
    """Multiplies the loss by a scale, divides the gradients by it, and finds the scale by itself.

    A step with a gradient that is not finite is left out and halves the scale; after
    `dynamic_growth_steps` finite ones in a row it doubles. `inner_optimizer` does the updates.
    Whether a step counts is decided where the variables are: a device is not waited for, and counts
    the steps itself. Micikevicius et al. 2018.
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **unused: Any,
    ):
        if not unused.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set "
                "`loss_scale_factor` directly on the `inner_optimizer`."
            )
        for key, value in unused.items():
            if key not in _OF_THE_INNER or value != _OF_THE_INNER[key]:
                raise ValueError(
                    f"LossScaleOptimizer does not support `{key}`. Instead, set `{key}` on the "
                    f"`inner_optimizer`. Received: {key}={value}"
                )
        self.inner_optimizer = configurable.get(Optimizer, inner_optimizer)
        self.inner_optimizer.loss_scale_factor = None  # or gradients would be divided twice
        self.inner_optimizer.is_inner = True
        super().__init__(learning_rate=0.0, name=name)
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps

    def build(self, variables: Sequence[Variable]) -> None:
        if not self.built:
            self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
            self.dynamic_scale = self.add_variable((), dtype="float32", name="dynamic_scale")
            self.dynamic_scale.assign(self.initial_scale)
            self.inner_optimizer.build(variables)
            for variable in variables[:1]:
                self._move_to(backend_of(variable.array))
                self.inner_optimizer._move_to(backend_of(variable.array))
        super().build(variables)

    def scale_loss(self, loss: Any) -> Any:
        """`loss` times the present scale."""
        return loss * (self.dynamic_scale if self.built else self.initial_scale)

    def apply(self, gradients: Sequence[Any], variables: Sequence[Variable] | None = None) -> None:
        """One update by gradients of the scaled loss; none where one of them is not finite."""
        if variables is not None:
            self.build(variables)
        arrays = [None if g is None else as_operand(g) for g in gradients]
        finite = _all_finite([g for g in arrays if g is not None])

        def update() -> None:
            unscaled = [None if g is None else Tensor(g) / self.dynamic_scale for g in arrays]
            self.inner_optimizer.apply(unscaled, variables)

        inner = self.inner_optimizer
        run_where(finite, update, lambda: [inner._iterations, *inner._changing()])
        self._rescale(finite)

    def _rescale(self, finite: Any) -> None:
        """The scale and the count of finite steps after one that was `finite` or not."""
        scale, counter = self.dynamic_scale.array, self.step_counter.array
        grows = finite & (counter == self.dynamic_growth_steps - 1)
        factor = namespace(scale).where(finite, 1.0 + grows, 0.5)
        self.dynamic_scale.assign(scale * factor)
        self.step_counter.assign((counter + 1) * (finite & ~grows))

    def finalize_variable_values(self, variables: Sequence[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(variables)

    @property
    def variables(self) -> list[Variable]:
        """Its own state (step, learning rate, counter, scale), then the inner optimizer's."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def variables_in_files(self) -> list[Variable]:
        return [*self._variables, *self.inner_optimizer.variables_in_files]

    def _recover_lost(self) -> None:
        self.inner_optimizer._recover_lost()

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer did."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self._learning_rate is None:  # its own has a place in files, and no other use
            Optimizer.learning_rate.fset(self, value)  # type: ignore[attr-defined]
        else:
            self.inner_optimizer.learning_rate = value

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inner_optimizer": serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }


def _all_finite(arrays: list) -> Any:
    """One bool, where the arrays are."""
    finite = np.True_
    for g in arrays:
        finite = finite & namespace(g).isfinite(g).all()
    return finite
