"""Adam and its relatives: a momentum divided by the root of a mean square, both bias-corrected.

The corrections are single numbers; they are computed in the variable's own dtype, as Keras does,
and where the step count is: on the host, or on the device.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit.backend import Variable
from layerkit.backend.registry import backend_of, beside, namespace

from .deferred import scalar
from .optimizer import Optimizer


def decayed(beta: float, t: Any, dtype: Any) -> Any:
    """1 - beta ** t, as a scalar of `dtype`."""
    return scalar(1, dtype) - scalar(beta, dtype) ** scalar(t, dtype)


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2014), with `amsgrad` AMSGrad (Reddi et al., 2018)."""

    slots: tuple[tuple[str, ...], ...] = (("momentum", "velocity"),)
    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        if amsgrad:
            self.slots += (("velocity_hat",),)

    def fused(self, lr: Any, t: Any, dtype: Any) -> tuple[str, tuple[str, ...], dict]:
        numbers = {"lr": lr, "decay": 0.0, "step": self._step_size(lr, t, dtype)}
        numbers |= {"one_minus_beta_1": 1 - self.beta_1, "one_minus_beta_2": 1 - self.beta_2}
        return "adam", ("momentum", "velocity", "velocity_hat"), numbers | {"epsilon": self.epsilon}

    def rule(
        self,
        w: Any,
        g: Any,
        lr: Any,
        t: Any,
        momentum: Any = None,
        velocity: Any = None,
        velocity_hat: Any = None,
    ) -> None:
        m, v = momentum, velocity
        m += (g - m) * (1 - self.beta_1)
        v += (g * g - v) * (1 - self.beta_2)
        if velocity_hat is not None:
            namespace(w).maximum(velocity_hat, v, out=velocity_hat)
            v = velocity_hat
        w -= m * self._step_size(lr, t, w.dtype) / (namespace(w).sqrt(v) + self.epsilon)

    def _step_size(self, lr: Any, t: Any, dtype: Any) -> Any:
        """The learning rate, corrected for moments that started at zero."""
        variance = decayed(self.beta_2, t, dtype)
        root = namespace(variance).sqrt(variance)
        return scalar(lr, dtype) * root / decayed(self.beta_1, t, dtype)


class AdamW(Adam):
    """Adam with weight decay that is not part of the gradient (Loshchilov and Hutter, 2019)."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ):
        if weight_decay is None:
            raise ValueError(
                "Argument `weight_decay` must be a float. Received: weight_decay=None. "
                "Use Adam for no decay."
            )
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options
        )


class Adamax(Optimizer):
    """Adam with the largest gradient in place of the mean square (Kingma and Ba, 2014)."""

    slots = (("momentum", "norm"),)
    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def rule(self, w: Any, g: Any, lr: Any, t: Any, momentum: Any = None, norm: Any = None) -> None:
        xp = namespace(w)
        m, u = momentum, norm
        m += (g - m) * (1 - self.beta_1)
        u *= self.beta_2
        xp.maximum(u, xp.abs(g), out=u)
        w -= m * lr / ((u + self.epsilon) * decayed(self.beta_1, t, w.dtype))


class Nadam(Optimizer):
    """Adam with Nesterov momentum (Dozat, 2015)."""

    slots = (("momentum", "velocity"),)
    elementwise = True
    # How fast the momenta grow: the momentum of step t is beta_1 * (1 - 0.96**(t * this) / 2).
    _schedule_decay = 1.0

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: Any) -> None:
        built = self.built
        super().build(variables)
        if not built:  # the product of the momenta so far
            product = np.ones((), variables[0].dtype if variables else None)
            if variables:
                product = backend_of(variables[0].array).asarray(product)
            self._u_product = self._track(product, "variable")

    def before_update(self, t: Any) -> None:
        self._u_product.array *= self._momentum_at(t, self._u_product.dtype)

    def load_own_variables(self, store: Any) -> None:
        """Read the state; the product of momenta, where a file has none, from the step count."""
        super().load_own_variables(store)
        self.restore_product()

    def restore_product(self) -> None:
        """Compute the product of the momenta of all steps done, if it is still that of none."""
        steps = int(self._update_count())
        if self.built and steps and float(self._u_product) == 1:
            dtype, product = self._u_product.dtype, np.ones(())
            for t in range(1, min(steps, 1_000_000) + 1):  # in turn, to come to the same bits
                product = product * self._momentum_at(t, dtype)
                if not product:
                    break
            self._u_product.assign(product)

    def _lost_inside(self) -> list[Variable]:
        """The product of momenta."""
        return [self._u_product] if self.built else []

    def _recover_lost(self) -> None:
        self._u_product.assign(1)
        self.restore_product()

    def _momentum_at(self, t: Any, dtype: Any) -> Any:
        decay = scalar(0.96, dtype) ** scalar(t * self._schedule_decay, dtype)
        return scalar(self.beta_1, dtype) * (1 - scalar(0.5, dtype) * decay)

    def get_config(self) -> dict[str, Any]:
        """What the constructor was called with; other momenta as Keras 2 wrote them, `decay`."""
        own = {} if self._schedule_decay == 1 else {"decay": self._schedule_decay}
        return super().get_config() | own

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new optimizer from what `get_config` gave, with the momenta that `decay` says."""
        optimizer = super().from_config({k: x for k, x in config.items() if k != "decay"})
        if config.get("decay") is not None:
            optimizer._schedule_decay = float(config["decay"])
        return optimizer

    def rule(
        self, w: Any, g: Any, lr: Any, t: Any, momentum: Any = None, velocity: Any = None
    ) -> None:
        m, v = momentum, velocity
        now, following = (self._momentum_at(step, w.dtype) for step in (t, t + 1))
        product = beside(self._u_product.array, w).astype(w.dtype)
        m += (g - m) * decayed(self.beta_1, 1, w.dtype)
        v += (g * g - v) * decayed(self.beta_2, 1, w.dtype)
        m_hat = m * following / (1 - product * following)
        m_hat += g * (1 - now) / (1 - product)
        v_hat = v / decayed(self.beta_2, t, w.dtype)
        w -= m_hat * lr / (namespace(w).sqrt(v_hat) + self.epsilon)


class Lamb(Optimizer):
    """Adam whose step is as long as the variable is (You et al., 2019). For large batches."""

    slots = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def rule(
        self, w: Any, g: Any, lr: Any, t: Any, momentum: Any = None, velocity: Any = None
    ) -> None:
        m, v = momentum, velocity
        m += (g - m) * (1 - self.beta_1)
        v += (g * g - v) * (1 - self.beta_2)
        xp, one = namespace(w), scalar(1, w.dtype)
        m_hat = m / decayed(self.beta_1, t, w.dtype)
        v_hat = v / decayed(self.beta_2, t, w.dtype)
        step = m_hat / (xp.sqrt(v_hat) + self.epsilon)
        w_norm, step_norm = (xp.sqrt((x * x).sum()) for x in (w, step))
        both = (w_norm > 0) & (step_norm > 0)  # else the step is taken as it is
        ratio = xp.where(both, w_norm, one) / xp.where(both, step_norm, one)
        w -= step * (ratio * lr)
