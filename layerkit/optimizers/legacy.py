"""The optimizers of Keras 2, which Keras 3 does not have: making one raises."""

from __future__ import annotations

from typing import Any

from layerkit.backend.names import explain_missing


class Optimizer:
    """ImportError that names the optimizer to use."""

    def __init__(self, *args: Any, **kwargs: Any):
        name = type(self).__name__
        raise ImportError(
            f"`optimizers.legacy.{name}` is not supported in Keras 3, and not in layerkit. Use "
            f"`optimizers.{name}` instead: `lr` is called `learning_rate` there, and in place of "
            "`decay` it takes a schedule of `optimizers.schedules`."
        )


class Adagrad(Optimizer):
    """See `Optimizer`."""


class Adam(Optimizer):
    """See `Optimizer`."""


class Ftrl(Optimizer):
    """See `Optimizer`."""


class RMSprop(Optimizer):
    """See `Optimizer`."""


class SGD(Optimizer):
    """See `Optimizer`."""


__all__ = ["SGD", "Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop"]

explain_missing(__name__)
