"""Arena: the variables of one dtype side by side in one flat array, and their slots likewise.

An elementwise rule gives the same bits over any cut of its arrays, so one update of the flat arrays
stands for one of every variable: on a GPU, one kernel instead of several for each. Gathering the
gradients costs a pass over them, which a CPU does not win back: there every variable is updated by
itself (`Backend.updates_flat`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from layerkit.backend import Variable
from layerkit.backend.registry import backend_of


class Arena:
    """Flat arrays for `variables` of one dtype on one backend, and for their `slots` by name.

    The variables' own arrays become views of the flat ones, with the values they had.
    """

    def __init__(self, variables: Sequence[Variable], slots: Sequence[dict[str, Variable]]):
        self.backend = backend_of(variables[0].array)
        self.dtype = variables[0].dtype
        self.weights = Flat(variables)
        self.slots = {name: Flat([own[name] for own in slots]) for name in slots[0]}

    @property
    def flats(self) -> list[Flat]:
        """All its flat arrays."""
        return [self.weights, *self.slots.values()]

    def update(
        self, gradients: Sequence[Any], rule: Callable[..., None], fused: tuple | None
    ) -> None:
        """Run `rule(w, g, **slots)` over all variables, or `fused`, a kernel that does the same.

        `fused`: the kernel's name, the slots that it knows, and its numbers.
        """
        w, g = self.weights.array, _concatenated(gradients, self.backend.xp)
        slots = {name: flat.array for name, flat in self.slots.items()}
        if not fused_update(fused, w, g, slots):
            rule(w, g, **slots)
        for variable in self.weights.variables:
            variable.version += 1


class Flat:
    """One flat array whose parts are the arrays of variables."""

    def __init__(self, variables: Sequence[Variable]):
        self.variables = list(variables)
        xp = backend_of(variables[0].array).xp
        self._array = _concatenated([variable.array for variable in variables], xp)
        stops = list(accumulate(variable.size for variable in variables))
        starts = [0, *stops[:-1]]
        self._views = [
            self._array[start:stop].reshape(variable.shape)
            for variable, start, stop in zip(variables, starts, stops, strict=True)
        ]
        for variable, view in zip(self.variables, self._views, strict=True):
            variable.array = view

    @property
    def array(self) -> Any:
        """The flat array with the variables' present values.

        Who assigned to a variable gave it an array of its own: its values come back here.
        """
        for variable, view in zip(self.variables, self._views, strict=True):
            if variable.array is not view:
                view[...] = variable.array
                variable.array = view
        return self._array


def arenas(
    variables: Sequence[Variable], slots: Sequence[dict[str, Variable]]
) -> list[tuple[list[int], Arena]]:
    """Arenas for all variables, one for each dtype on each backend, with the indices they hold."""
    groups: dict[Any, list[int]] = {}
    for i, variable in enumerate(variables):
        groups.setdefault((backend_of(variable.array).name, variable.dtype), []).append(i)
    return [
        (group, Arena([variables[i] for i in group], [slots[i] for i in group]))
        for group in groups.values()
    ]


def fused_update(fused: tuple | None, w: Any, g: Any, slots: dict[str, Any]) -> bool:
    """Whether the backend has the kernel `fused`, see `Arena.update`, and has run it."""
    if fused is None:
        return False
    kernel, known, numbers = fused
    arrays = {"w": w, "g": g, **dict.fromkeys(known), **slots}
    return backend_of(w).fused_update(kernel, arrays, numbers)


def _concatenated(arrays: Sequence[Any], xp: Any) -> Any:
    """One flat array. CuPy's own way copies the arrays' addresses to the device, if they are more
    than eight, which has no place in a captured graph."""
    flat = xp.empty(sum(array.size for array in arrays), arrays[0].dtype)
    start = 0
    for array in arrays:
        flat[start : start + array.size] = array.reshape(-1)
        start += array.size
    return flat
