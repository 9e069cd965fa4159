"""Holder: the variables and layers that a layer holds, found by walking its attributes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from layerkit.backend import Variable

from .call_context import current
from .structure import Structure, found_in


class Holder:
    """What holds variables and other holders: in attributes, and in lists and dicts there."""

    name: str
    built: bool
    changes: ClassVar[int] = 0  # of attributes of any holder, in this process
    _trainable: bool
    _frozen: Structure | None

    def __setattr__(self, name: str, value: Any) -> None:
        if current.root is not None and isinstance(value, (Holder, Variable)):
            self._refuse_new_state(name, value)
        object.__setattr__(self, name, value)
        if name not in _SET_BY_FIT:
            Holder.changes += 1
        if isinstance(value, Holder):
            self._sublayers()  # takes note of its turn

    def _refuse_new_state(self, name: str, value: Any) -> None:
        """RuntimeError in a call that makes a layer or weights anew which an earlier one made."""
        held = self.__dict__.get(name)
        if (
            isinstance(held, (Holder, Variable))
            and held is not value
            and self.__dict__.get("built")
        ):
            raise RuntimeError(
                "You cannot add new elements of state (variables or sub-layers) to a layer that is "
                "already built. All state must be created in the `__init__()` method or in the "
                f"`build()` method. Layer '{self.name}' ({type(self).__name__}) makes its "
                f"`{name}` anew in each call: {value}"
            )

    def _sublayers(self) -> list[Any]:
        """The layers held directly, in the order in which they came: that is Keras's order too."""
        found = {id(layer): layer for layer in found_in(Holder, self.__dict__) if layer is not self}
        earlier = [key for key in self.__dict__.get("_turns", ()) if key in found]
        turns = dict.fromkeys([*earlier, *found])
        object.__setattr__(self, "_turns", list(turns))
        return [found[key] for key in turns]

    def _own_variables(self) -> list[Variable]:
        """Variables held directly: those born trainable first, each group in order of creation."""
        found = found_in(Variable, self.__dict__)
        return sorted(found, key=lambda variable: not variable.born_trainable)

    def _structure(self) -> Structure:
        """The layers and variables from here down, walked anew unless `_frozen_structure`."""
        if self._frozen is None or self._frozen.built != Structure.builds:
            structure = Structure(self)
            if self._frozen is None:
                return structure
            self._frozen = structure
        return self._frozen

    @contextmanager
    def _frozen_structure(self) -> Iterator[None]:
        """In the `with` block, attributes are walked only once, and when a layer was built."""
        outer, self._frozen = self._frozen, Structure(self)
        try:
            yield
        finally:
            self._frozen = outer

    def _flatten_layers(self) -> list[Any]:
        """This layer and all below it, each once, depth first."""
        return self._structure().layers

    @property
    def variables(self) -> list[Variable]:
        """All variables of this layer and the layers below it."""
        return list(self._structure().variables)

    @property
    def weights(self) -> list[Variable]:
        """All variables that are saved and restored."""
        return self.variables

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes."""
        return [variable for variable in self.variables if variable.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training leaves alone: frozen weights and running statistics."""
        return [variable for variable in self.variables if not variable.trainable]

    trainable_weights = trainable_variables
    non_trainable_weights = non_trainable_variables

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it applies to all layers below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable in self._own_variables():
            variable.trainable = self._trainable and variable.born_trainable
        for layer in self._sublayers():
            layer.trainable = value

    def count_params(self) -> int:
        """How many numbers the weights hold. ValueError before the layer is built."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't "
                f"built. You can build it manually via: `layer.build(input_shape)`."
            )
        return sum(variable.size for variable in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights as NumPy arrays."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Set all weights at once; ValueError, and nothing changed, where a shape differs."""
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of "
                f"length {len(weights)}, but the layer was expecting {len(variables)} weights."
                + ("" if self.built else " It is not built: call it on data or `build()` it first.")
            )
        for variable, value in zip(variables, weights, strict=True):
            if np.shape(value) != variable.shape:
                raise ValueError(
                    f"Layer {self.name} weight shape {variable.shape} ('{variable.path}') is not "
                    f"compatible with provided weight shape {np.shape(value)}."
                )
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    def save_own_variables(self, store: Any) -> None:
        """Put the variables held directly into `store` under '0', '1', ..."""
        for index, variable in enumerate(self._own_variables()):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the variables held directly from `store`."""
        for index, variable in enumerate(self._own_variables()):
            variable.assign(store[str(index)])


_SET_BY_FIT = (
    "_frozen",
    "_place",
    "_resumption",
    "_settled",
    "history",
    "stop_training",
)  # which no formula reads
