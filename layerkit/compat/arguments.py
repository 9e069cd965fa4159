"""Arguments of Keras 1 and 2 by their new names: Dense(output_dim=10, init='uniform')."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from .. import callbacks, constraints, layers, losses, optimizers, regularizers
from ..constructors import parameters_of
from ..layers import retired  # noqa: F401  its layers take old arguments too
from ..models import Functional, Model
from ..models.trainer import Trainer
from ..old_arguments import with_new_names
from ..optimizers.schedules import InverseTimeDecay
from .deprecated import warn_once

_WITHOUT_EFFECT = ("consume_less", "implementation", "time_major")  # how it was computed
_OF_TENSORBOARD = ("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data")
_CLASS_MODES = ("binary", "categorical")
_FAMILIES = (
    layers.Layer,
    optimizers.Optimizer,
    callbacks.Callback,
    regularizers.Regularizer,
    constraints.Constraint,
    losses.Loss,
)


def accept_old_arguments() -> None:
    """Let the constructors of layerkit's classes, and Model's methods, take old arguments."""
    for name in layers.__all__:
        getattr(layers, name)  # what is loaded on demand has constructors too
    for family in _FAMILIES:
        for cls in _classes(family):
            if "__init__" in vars(cls):
                cls.__init__ = _translating(cls.__init__)
    Model.fit = _renaming(Model.fit, {"nb_epoch": "epochs"})  # type: ignore[method-assign]
    Model.compile = _dropping(  # type: ignore[method-assign]
        Model.compile, {"sample_weight_mode": (None, "temporal"), "class_mode": _CLASS_MODES}
    )
    ends = {"input": "inputs", "output": "outputs"}
    for method in ("__init__", "__new__"):
        setattr(Model, method, _renaming(getattr(Model, method), ends))
    setattr(Functional, "__init__", _renaming(Functional.__init__, ends))  # noqa: B010


def _classes(family: Any) -> list[Any]:
    found = [family]
    for cls in found:
        found += [c for c in cls.__subclasses__() if c not in found and not issubclass(c, Trainer)]
    return [cls for cls in found if cls.__module__.startswith("layerkit.")]


def _translating(init: Callable) -> Callable:
    @wraps(init)
    def translated(self: Any, *args: Any, **kwargs: Any) -> None:
        if kwargs and not _called_by_layerkit():
            kwargs = new_arguments(type(self), kwargs)
        init(self, *args, **kwargs)

    return translated


def _called_by_layerkit() -> bool:
    """Whether the constructor that asks was called in one of layerkit's own modules of today."""
    module = sys._getframe(2).f_globals.get("__name__", "")
    return module.startswith("layerkit.") and not module.startswith("layerkit.compat.old_")


def _renaming(method: Callable, names: dict[str, str]) -> Callable:
    @wraps(method)
    def renamed(*args: Any, **kwargs: Any) -> Any:
        for old in names.keys() & kwargs.keys():
            warn_once(f"The argument `{old}`", f"it is `{names[old]}` now")
            kwargs[names[old]] = kwargs.pop(old)
        return method(*args, **kwargs)

    return renamed


def _dropping(method: Callable, without_effect: dict[str, Any]) -> Callable:
    """The method without arguments that say, by these values, what is so by itself now."""

    @wraps(method)
    def dropped(*args: Any, **kwargs: Any) -> Any:
        for old in without_effect.keys() & kwargs.keys():
            if kwargs[old] in without_effect[old]:
                warn_once(f"compile's argument `{old}`", "it has no effect: leave it out")
                del kwargs[old]
        return method(*args, **kwargs)

    return dropped


def new_arguments(cls: type, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor, with those of Keras 1 and 2 by their names of today."""
    taken = set(parameters_of(cls))
    new = dict(given)
    for old in [key for key in new if key not in taken]:
        if _is_without_effect(cls, old, new[old]):
            warn_once(f"{cls.__name__}'s argument `{old}`", "it has no effect: leave it out")
            del new[old]
        elif old == "decay" and issubclass(cls, optimizers.Optimizer):
            _decay(cls, new)
        elif old == "forget_bias_init" and "unit_forget_bias" in taken:
            new["unit_forget_bias"] = new.pop(old) in ("one", "ones")
            _tell(cls, old, "unit_forget_bias")
        elif old == "input_length" and issubclass(cls, layers.Embedding):
            new.setdefault("input_shape", (new.pop(old),))
            _tell(cls, old, "input_shape")
        elif old == "input_dtype" and issubclass(cls, layers.InputLayer):
            new["dtype"] = new.pop(old)
            _tell(cls, old, "dtype")
    new, renamed = with_new_names(cls, new)
    for old, name in renamed.items():
        _tell(cls, old, name)
    if issubclass(cls, optimizers.Optimizer) and new.get("epsilon", 0) is None:
        del new["epsilon"]
    return new


def _is_without_effect(cls: type, argument: str, value: Any) -> bool:
    if argument == "period":  # in epochs
        return issubclass(cls, callbacks.ModelCheckpoint) and value == 1
    if issubclass(cls, callbacks.TensorBoard):
        return argument in _OF_TENSORBOARD
    if argument == "input_dtype":  # of the Input before a layer, which has the layer's dtype now
        return issubclass(cls, layers.Layer) and not issubclass(cls, layers.InputLayer)
    return argument in _WITHOUT_EFFECT and issubclass(cls, layers.Layer)


def _decay(cls: Any, new: dict[str, Any]) -> None:
    """`decay=d`: the rate is divided by 1 + d * steps."""
    decay = new.pop("decay")
    default = inspect.signature(cls).parameters["learning_rate"].default
    rate = new.pop("lr", new.get("learning_rate", default))
    _tell(cls, "decay", "learning_rate=optimizers.schedules.InverseTimeDecay(...)")
    new["learning_rate"] = InverseTimeDecay(rate, 1, decay) if decay else rate


def _tell(cls: type, old: str, new: str) -> None:
    warn_once(f"{cls.__name__}'s argument `{old}`", f"it is `{new}` now")
