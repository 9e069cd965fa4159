"""StatelessScope: variables with other values for the length of a block, and what became of them.

Layers, optimizers and metrics read and assign their variables as ever. What they assign stays in
the scope, which hands it out; the variables themselves come out as they went in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import autodiff
from .autodiff import Tensor, Variable


class StatelessScope:
    """In the `with` block variables have the values of `state_mapping`, and keep no assignment.

    `state_mapping`: pairs (variable, value), the value in the variable's shape; it is cast to its
    dtype. `get_current_value(variable)` gives a variable's value inside, during the block or
    after it. Gradients with respect to what is computed in the block go on to the values, where a
    tape opened before it watches those. A scope inside another one begins with the variables' own
    values again. The values are there for all threads.

    `collect_losses`: whether what layers `add_loss` is kept, in `losses`; or else it is dropped.
    `initialize_variables`: a variable made in the block always has its initial value, during it and
    after it, so that both choices mean the same here; in Keras False leaves it without one.

    ValueError for what is no Variable, and for a value of another shape than its variable's.
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ):
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self._values: dict[int, tuple[Variable, Tensor]] = {}  # by the id of the variable
        self._sources: dict[int, Any] = {}  # what gradients go on to
        self._before: dict[int, tuple[Variable, Any]] = {}  # arrays to be put back
        self._outer: StatelessScope | None = None
        self._lent: list[list] = []  # losses that layers keep as long as the scope lasts
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ValueError(
                    "Invalid reference variable in StatelessScope: `state_mapping` must be pairs "
                    f"of a Variable and its value. Received instead of a Variable: {variable!r}"
                )
            self.add_update((variable, value))

    def __enter__(self) -> StatelessScope:
        self._outer = autodiff.change_scope(self)
        if self._outer is not None:
            self._outer._put_back()
        self._put_in()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._put_back()
        for losses in self._lent:
            losses.clear()
        autodiff.change_scope(self._outer)
        if self._outer is not None:
            self._outer._put_in()

    def add_loss(self, loss: Any, until_exit: list | None = None) -> None:
        """Keep a loss in `losses`. `until_exit`: a list that has it too, emptied when we leave."""
        self.losses.append(loss)
        if until_exit is not None:
            self._lent.append(until_exit)

    def drop_losses(self, losses: list) -> None:
        """Keep these losses no longer."""
        ids = set(map(id, losses))
        self.losses[:] = [loss for loss in self.losses if id(loss) not in ids]

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Give a variable another value: what assigning to it does in the block."""
        variable, value = update
        self._values[id(variable)] = variable, _fitting(variable, value)
        self._sources[id(variable)] = value
        if autodiff.stateless_scope() is self:
            self._hold(variable)

    def get_current_value(self, variable: Variable) -> Tensor | None:
        """The value of a variable in the scope; None where it was neither given nor assigned."""
        self._take(variable)
        found = self._values.get(id(variable))
        return None if found is None else found[1]

    def before_change(self, variable: Variable, in_place: bool = False) -> None:
        """Told of each variable before it is assigned, or its array is written to."""
        self._before.setdefault(id(variable), (variable, variable.array))
        if in_place:  # an optimizer's arena writes to the old array, whatever the variable has
            array = self._before[id(variable)][1].copy()
            self._before[id(variable)] = variable, array
            variable.array = variable.array.copy()

    def _hold(self, variable: Variable) -> None:
        """Let a variable have its value in the scope."""
        self._before.setdefault(id(variable), (variable, variable.array))
        variable.array = self._values[id(variable)][1].array
        source = self._sources.get(id(variable), variable)
        if source is not variable:
            autodiff.record_same(variable, source)

    def _take(self, variable: Variable) -> None:
        """Take note of what became of a variable."""
        if id(variable) in self._before:
            old = self._values.get(id(variable))
            if old is None or old[1].array is not variable.array:
                variable.array = variable.array.copy()  # which nobody writes to
                self._values[id(variable)] = variable, Tensor(variable.array)
                self._sources.pop(id(variable), None)

    def _put_in(self) -> None:
        for variable, _ in self._values.values():
            self._hold(variable)

    def _put_back(self) -> None:
        for variable, array in list(self._before.values()):
            self._take(variable)
            variable.array = array
        self._before.clear()


def _fitting(variable: Variable, value: Any) -> Tensor:
    """`value` in the dtype of `variable` and on its device; itself where it is so already."""
    array = autodiff.array_for(variable, value)
    if array.shape != variable.shape:
        raise ValueError(
            "Invalid variable value in StatelessScope: every value must have the shape of its "
            f"variable. Variable '{variable.path}' has shape {variable.shape}; received a value "
            f"of shape {tuple(array.shape)}."
        )
    return value if type(value) is Tensor and value.array is array else Tensor(array)


def writes_in_place(variables: Iterable[Variable]) -> None:
    """Called by who is about to write into the arrays of `variables`."""
    scope = autodiff.stateless_scope()
    if scope is not None:
        for variable in variables:
            scope.before_change(variable, in_place=True)
