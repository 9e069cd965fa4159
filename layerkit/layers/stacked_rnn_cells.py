"""StackedRNNCells: several cells as one, each taking the output of the one below."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from .layer import Layer, Shape
from .signatures import takes


class StackedRNNCells(Layer):
    """Cells one on top of the other, as one cell: its states are a list of those of each cell."""

    def __init__(self, cells: Any, **kwargs: Any):
        super().__init__(**kwargs)
        for cell in cells:
            check_cell(cell, "Each of `cells`")
        if not cells:
            raise ValueError("StackedRNNCells expects at least one cell. Received: cells=[]")
        self.cells = list(cells)
        self._trained = [takes(cell.call, "training") for cell in cells]

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the output: that of the last cell."""
        return output_size(self.cells[-1])

    def build(self, input_shape: Shape) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], output_size(cell))

    def call(self, inputs: Any, states: Any, training: bool | None = False) -> tuple[Any, Any]:
        found = []
        for cell, own, trained in zip(self.cells, states, self._trained, strict=True):
            call = cell if callable(cell) else cell.call
            inputs, own = call(inputs, own, **({"training": training} if trained else {}))
            found.append(own)
        return inputs, found

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """The states of each cell before the first step: zeros where it does not say."""
        return [self._initial_state(cell, batch_size) for cell in self.cells]

    def _initial_state(self, cell: Any, batch_size: Any) -> Any:
        if hasattr(cell, "get_initial_state"):
            return cell.get_initial_state(batch_size=batch_size)

        def zeros(size: int) -> Any:
            return K.zeros((batch_size, size), dtype=self.compute_dtype)

        size = cell.state_size
        return [zeros(n) for n in size] if isinstance(size, (list, tuple)) else zeros(size)

    def reset_dropout_mask(self) -> None:
        """Forget the masks that the cells' inputs are multiplied by."""
        for cell in self.cells:
            getattr(cell, "reset_dropout_mask", lambda: None)()

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the masks that the cells' states are multiplied by."""
        for cell in self.cells:
            getattr(cell, "reset_recurrent_dropout_mask", lambda: None)()


def check_cell(cell: Any, what: str) -> None:
    """ValueError for what is no cell."""
    if not callable(getattr(cell, "call", None)):
        raise ValueError(f"{what} should have a `call` method. Received: {cell}")
    if not hasattr(cell, "state_size"):
        raise ValueError(
            f"{what} should have a `state_size` attribute (an integer, or a list of integers, one "
            f"for each state). Received: {cell}"
        )


def output_size(cell: Any) -> int:
    """The size of a cell's output: of its first state, where it does not say."""
    size = getattr(cell, "output_size", None)
    if size is None:
        states = cell.state_size
        size = states[0] if isinstance(states, (list, tuple)) else states
    return size
