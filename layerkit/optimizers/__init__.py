"""Optimizers: rules that change variables by their gradients, and learning rate schedules."""

from __future__ import annotations

from typing import Any

from layerkit.backend.names import explain_missing

from .. import configurable
from ..configurable import serialize
from . import legacy, schedules
from .adafactor import Adafactor
from .adagrad import Adadelta, Adagrad, Ftrl
from .adam import Adam, Adamax, AdamW, Lamb, Nadam
from .lion import Lion
from .loss_scale import LossScaleOptimizer
from .multi import MultiOptimizer, OptimizerMap
from .muon import Muon
from .optimizer import SGD, Optimizer
from .rmsprop import RMSprop
from .schedule_free import ScheduleFreeAdamW


def get(identifier: Any) -> Optimizer:
    """The optimizer that a name ('adam'), a config, a class or an optimizer means.

    ValueError for anything else.
    """
    optimizer = configurable.get(Optimizer, identifier)
    if optimizer is None:
        raise ValueError(configurable.not_interpreted(Optimizer, identifier))
    return optimizer


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer that `serialize` described."""
    return configurable.deserialize(config, custom_objects, family="optimizers")


__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]

explain_missing(__name__)
