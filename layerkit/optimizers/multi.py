"""MultiOptimizer: variables have the optimizers that a map of paths, or a function, gives them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

from layerkit.backend import Variable
from layerkit.backend.registry import Backend

from ..configurable import Configurable, serialize
from .loss_scale import LossScaleOptimizer
from .optimizer import Optimizer
from .path_patterns import check_pattern


class OptimizerMap(Configurable, MutableMapping):
    """Optimizers by the path of a variable, or by a pattern that matches all of it.

    A path that nothing matches has the `default_optimizer`; ValueError where several patterns do.
    """

    keras_module = "keras.optimizers"

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None
    ):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                "default_optimizer must be an Optimizer instance, such as SGD(). "
                f"Received: {default_optimizer}"
            )
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(
                f"optimizer_map must be a dictionary {{path: optimizer}}. Received: {optimizer_map}"
            )
        self.default_optimizer = default_optimizer
        self.optimizer_map: dict[str, Optimizer] = {}
        for path, optimizer in (optimizer_map or {}).items():
            self[path] = optimizer

    def __getitem__(self, path: str) -> Optimizer:
        if path in self.optimizer_map:
            return self.optimizer_map[path]
        patterns = [p for p in self.optimizer_map if re.fullmatch(p, path)]
        if len(patterns) > 1:
            raise ValueError(
                f"Multiple optimizers assigned to variable {path}: its path matches {patterns}. "
                "Make the patterns exclude each other."
            )
        return self.optimizer_map[patterns[0]] if patterns else self.default_optimizer

    def __setitem__(self, path: str, optimizer: Optimizer) -> None:
        if not isinstance(path, str):
            raise ValueError(f"key must be a string. Received: {path}")
        check_pattern(path)
        if path in self.optimizer_map:
            raise ValueError(
                f"'{path}' already exists in the OptimizerMap with value "
                f"{self.optimizer_map[path]}. Delete it first, or use another pattern."
            )
        self.optimizer_map[path] = _checked(optimizer, f"of '{path}'")

    def __delitem__(self, path: str) -> None:
        del self.optimizer_map[path]

    def __len__(self) -> int:
        return len(self.optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self.optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer of a variable."""
        return self[variable.path]


class MultiOptimizer(Optimizer):
    """Hands each variable to its own optimizer.

    optimizer_map: an OptimizerMap, or a function of a variable that returns an optimizer.
    loss_scale_factor: see Optimizer; it takes the place of those of the optimizers. There is no
    `learning_rate`: each of `optimizers` has its own.
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ):
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        self.optimizers: list[Optimizer] = []
        self._chosen: dict[int, Optimizer] = {}  # by the id of a variable
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._take(optimizer)

    def build(self, variables: Sequence[Variable]) -> None:
        if not self.built:
            for variable in variables:
                optimizer = _checked(self.optimizer_map(variable), f"of {variable.path}")
                self._chosen[id(variable)] = self._take(optimizer)
            for optimizer, own in self._shared_out(variables):
                optimizer.loss_scale_factor = self.loss_scale_factor
                optimizer.build(own)
        super().build(variables)

    def apply(self, gradients: Sequence[Any], variables: Sequence[Variable] | None = None) -> None:
        """One update of each variable by its optimizer."""
        if not len(gradients):
            return
        variables = self._resolve(gradients, variables)
        by_variable = {id(v): g for g, v in zip(gradients, variables, strict=True)}
        for optimizer, own in self._shared_out(variables):
            optimizer.apply([by_variable[id(variable)] for variable in own], own)
        self._count()

    def finalize_variable_values(self, variables: Sequence[Variable]) -> None:
        for optimizer, own in self._shared_out(variables):
            optimizer.finalize_variable_values(own)

    def averages(self) -> list[tuple[Variable, Variable]]:
        return [pair for optimizer in self.optimizers for pair in optimizer.averages()]

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] = (), var_names: Iterable[str] = ()
    ) -> None:
        var_list, var_names = list(var_list or ()), list(var_names or ())
        for optimizer in self.optimizers:
            optimizer.exclude_from_weight_decay(var_list, var_names)

    @property
    def variables(self) -> list[Variable]:
        """Its own step and an unused learning rate, then each optimizer's."""
        return [*self._variables, *(v for o in self.optimizers for v in o.variables)]

    @property
    def learning_rate(self) -> Any:
        """AttributeError: each of `optimizers` has its own."""
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on "
            "the individual ones, in `optimizer.optimizers`, instead."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self._learning_rate is not None:
            raise AttributeError(
                "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on the "
                "individual ones, in `optimizer.optimizers`, instead."
            )
        Optimizer.learning_rate.fset(self, value)  # type: ignore[attr-defined]  # a place in files

    def get_config(self) -> dict[str, Any]:
        return {
            "optimizer_map": serialize(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    def _take(self, optimizer: Optimizer) -> Optimizer:
        if not any(optimizer is known for known in self.optimizers):
            self.optimizers.append(optimizer)
        return optimizer

    def _shared_out(self, variables: Sequence[Variable]) -> list[tuple[Optimizer, list[Variable]]]:
        """Each optimizer that has any of these variables, with them."""
        shares = [
            (optimizer, [v for v in variables if self._chosen[id(v)] is optimizer])
            for optimizer in self.optimizers
        ]
        return [(optimizer, own) for optimizer, own in shares if own]

    def _changing(self) -> list[Any]:
        return [
            part for o in self.optimizers if o.built for part in (o._iterations, *o._changing())
        ]

    def _move_to(self, backend: Backend) -> None:
        super()._move_to(backend)
        for optimizer in self.optimizers:
            optimizer._move_to(backend)


def _checked(optimizer: Any, whose: str) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise ValueError(
            f"The optimizer {whose} must be an Optimizer instance, such as SGD(). "
            f"Received: {optimizer}"
        )
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        kind = type(optimizer).__name__
        raise ValueError(
            f"{kind} cannot be used inside a MultiOptimizer, but was received as the optimizer "
            f"{whose}. Wrap the MultiOptimizer in a LossScaleOptimizer instead."
        )
    return optimizer
