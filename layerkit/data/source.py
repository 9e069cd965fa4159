"""Source: where batches come from, whatever the data is."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from layerkit.backend import Tensor, tree
from layerkit.backend.random import random_state, set_random_state

from .random_sources import get_random_state, put_random_state


class Source:
    """Batches of tensors, pass after pass: x, (x, y) or (x, y, sample_weight).

    `size`: rows of a pass, None where unknown; `num_batches`: batches of a pass, None where unknown
    or `endless`.
    """

    size: int | None = None
    num_batches: int | None = None
    endless = False

    def __iter__(self) -> Iterator[Any]:
        """The batches of a pass."""
        return self.batches_from(0)

    def batches_from(self, first: int) -> Iterator[Any]:
        """The batches of a pass from number `first` on, as a generator.

        What is drawn for their order, and for the batches before, is drawn at once: under the
        random state that a pass began with, this is the rest of that pass.
        """
        raise NotImplementedError

    def random_sources(self) -> list[Any]:
        """The random generators of the data's own."""
        return []

    def own_random_states(self) -> list[Any]:
        """The states of `random_sources`, for a file."""
        return [get_random_state(each) for each in self.random_sources()]

    def set_own_random_states(self, states: list[Any]) -> None:
        """Go on with what `own_random_states` gave. Warns where there are others now."""
        own = self.random_sources()
        if len(own) != len(states):
            warnings.warn(
                f"The data draws from {len(own)} random generators of its own; when the state was "
                f"saved there were {len(states)}. They are left as they are, so the training may "
                "not go on to the same bits: give the same data.",
                stacklevel=6,
            )
            return
        for each, state in zip(own, states, strict=True):
            put_random_state(each, state)

    def random_state_of_pass(self) -> Any:
        """The random states that the coming pass depends on: the global one and the data's own."""
        return {"global": random_state(), "own": self.own_random_states()}

    def begin_at(self, state: Any) -> None:
        """Set the random states to what `random_state_of_pass` gave."""
        set_random_state(state["global"])
        self.set_own_random_states(state["own"])

    def get_state(self) -> Any:
        """What a source keeps from pass to pass, for a file: plain values and arrays."""
        return None

    def set_state(self, state: Any) -> None:
        """Go on as the source that gave `state`."""

    def sample(self, with_y: bool) -> tuple[Any, str]:
        """A batch to try a model with, and what it is, in words; passes still have all batches.

        ValueError where there is none, or where it holds NaN (in y, only if `with_y`).
        """
        raise NotImplementedError

    def on_epoch_begin(self) -> None:
        """A pass begins."""

    def on_epoch_end(self) -> None:
        """A pass is over."""


def raise_on_nan(name: str, arrays: Any) -> None:
    """ValueError where a float array or tensor holds NaN: how many, and where the first is."""
    for array in tree.flatten(arrays):
        array = array.numpy() if isinstance(array, Tensor) else array
        if isinstance(array, np.ndarray) and array.dtype.kind == "f" and np.isnan(array.sum()):
            found = np.argwhere(np.isnan(array))
            if len(found):
                where = tuple(int(i) for i in found[0])
                raise ValueError(
                    f"`{name}` contains NaN: {len(found)} of {array.size} values, the first at "
                    f"{name}[{', '.join(map(str, where))}]. Training would turn every weight into "
                    "NaN: clean the data first (for example with np.nan_to_num)."
                )


def not_negative(name: str, value: Any) -> int:
    """`value` as an int; ValueError unless it is a whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ValueError(
            f"`{name}` must be an integer that is not negative. Received: {name}={value!r}."
        )
    return int(value)


def positive(name: str, value: Any) -> int:
    """`value` as an int; ValueError unless it is a whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}.")
    return int(value)
