"""Muon: for matrices, the orthogonal matrix that is nearest to the momentum; for others, AdamW."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from layerkit.backend import Variable
from layerkit.backend.registry import namespace, product

from .adam import decayed
from .deferred import scalar
from .optimizer import Optimizer
from .path_patterns import check_pattern


class Muon(Optimizer):
    """Momentum made orthogonal (Jordan et al., 2024), scaled as in Liu et al. 2025.

    AdamW, with its own `adam_...` numbers, updates what is no matrix, what has "embedding" in its
    path (with `exclude_embeddings`), and whatever matches a pattern of `exclude_layers`: put the
    last layer's name there. `muon_a`, `muon_b`, `muon_c`, `ns_steps`: the polynomial of the
    Newton-Schulz iteration, and how often it runs. `rms_rate`: the root mean square of a step, for
    learning rates as of Adam; None: steps are orthogonal matrices. https://arxiv.org/abs/2502.16982
    """

    slots = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
    ):
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
        )
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or ())
        for pattern in self.exclude_layers:
            check_pattern(pattern)
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def uses_adamw(self, variable: Variable) -> bool:
        """Whether AdamW's rule updates the variable."""
        if len(variable.shape) != 2:
            return True
        if self.exclude_embeddings and "embedding" in variable.path.lower():
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def slot_shape(self, name: str, variable: Variable) -> tuple[int, ...] | None:
        return variable.shape if name == "momentum" or self.uses_adamw(variable) else None

    def decay_of(self, variable: Variable) -> float | None:
        return self.adam_weight_decay if self.uses_adamw(variable) else self.weight_decay

    def rule(
        self, w: Any, g: Any, lr: Any, t: Any, momentum: Any = None, velocity: Any = None
    ) -> None:
        m = momentum
        if velocity is not None:
            self._adamw(w, g, lr * self.adam_lr_ratio, t, m, velocity)
            return
        m *= self.momentum
        m += g
        step = self._orthogonal(g + m * self.momentum if self.nesterov else m)
        if self.rms_rate is not None:
            step = step * (math.sqrt(max(w.shape)) * self.rms_rate)
        w -= step * lr

    def _adamw(self, w: Any, g: Any, lr: Any, t: Any, m: Any, v: Any) -> None:
        variance = decayed(self.adam_beta_2, t, w.dtype)
        size = scalar(lr, w.dtype) * namespace(variance).sqrt(variance)
        m += (g - m) * (1 - self.adam_beta_1)
        v += (g * g - v) * (1 - self.adam_beta_2)
        size = size / decayed(self.adam_beta_1, t, w.dtype)
        w -= m * size / (namespace(w).sqrt(v) + self.epsilon)

    def _orthogonal(self, x: Any) -> Any:
        """About the nearest matrix to x with orthogonal rows (or columns), by Newton-Schulz."""
        wide = x if x.shape[0] <= x.shape[1] else x.T
        wide = wide / (namespace(x).sqrt((x * x).sum()) + 1e-7)
        for _ in range(self.ns_steps):
            a = product(wide, wide.T)
            b = a * self.muon_b + product(a, a) * self.muon_c
            wide = wide * self.muon_a + product(b, wide)
        return wide if x.shape[0] <= x.shape[1] else wide.T
