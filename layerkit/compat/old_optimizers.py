"""Optimizers by their names in small letters."""

from __future__ import annotations

from ..optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, Nadam, RMSprop

__all__ = ["adadelta", "adagrad", "adam", "adamax", "nadam", "rmsprop", "sgd"]

adadelta, adagrad, adam, adamax = Adadelta, Adagrad, Adam, Adamax
nadam, rmsprop, sgd = Nadam, RMSprop, SGD

REMEDIES = {
    name: f"use {value.__name__}" for name, value in list(vars().items()) if name in __all__
}
