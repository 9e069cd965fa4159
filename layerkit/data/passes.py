"""Passes: a source cut into the epochs that fit, evaluate and predict ask for."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

from .source import Source, positive

_END = object()


class Passes:
    """Iterate over it for a pass: all batches of `source`, or as many `steps` as were asked for.

    With `steps`, a pass goes on where the last one stopped, and begins anew where the source ended,
    as in Keras. A pass that gets fewer batches than it should ends with a warning.

    `steps`: batches of a pass; where nobody knows, None until the first pass is over.
    `size`: rows of a pass, None where unknown. `came`: batches of the last pass. `recorded`: set it
    if `get_state` may be called, which needs the random state that a pass began with.
    """

    def __init__(self, source: Source, steps: int | None = None, name: str = "steps_per_epoch"):
        self.source = source
        self._asked = None if steps is None else positive(name, steps)
        self._limit = self._asked or source.num_batches
        self._iterator: Iterator[Any] | None = None
        if self._limit is None and source.endless:
            raise ValueError(f"The data has no end: give `{name}`, the batches of a pass.")
        self.steps = self._limit
        self.size = source.size if self.steps == source.num_batches else None
        self.came = 0
        self.recorded = False
        self._taken = 0  # batches of the source's present pass
        self._began: Any = None  # the random state that it began with
        self._over = True
        self._resumed = False

    def __iter__(self) -> Iterator[Any]:
        batch = self._next() if self._resumed else self._first()
        self._resumed = False
        while batch is not _END:
            self.came += 1
            self._taken += 1
            yield batch
            batch = self._next()
        if self._over:  # as it was when this pass was cut off
            return
        if self.came < (self._limit or bool(self.steps)):
            _warn_of_the_end()
        if self.steps is None:
            self.steps = self.came
        self._over = True
        self.source.on_epoch_end()

    def executions(self, size: int) -> Iterator[tuple[int, list[Any]]]:
        """A pass in groups of `size` batches: the number of the first one, and the batches."""
        batches, first = iter(self), self.came if self._resumed else 0
        while group := list(islice(batches, size)):
            yield first, group
            first += len(group)

    def close(self) -> None:
        """Let the next pass begin anew, and give up what prepares batches ahead."""
        iterator, self._iterator = self._iterator, None
        if iterator is not None:
            iterator.close()  # type: ignore[attr-defined]

    def get_state(self) -> dict[str, Any]:
        """Where the passes are, for a file."""
        goes_on = self._iterator is not None and (self._asked is not None or not self._over)
        return {
            "size": self.source.size,
            "batches": self.source.num_batches,
            "steps": self.steps,
            "came": self.came,
            "over": self._over,
            "taken": self._taken if goes_on else None,
            "began": self._began if goes_on else None,
            "source": self.source.get_state(),
            "own": self.source.own_random_states(),
        }

    def set_state(self, state: dict[str, Any], in_a_pass: bool) -> None:
        """Go on where `get_state` was called: `in_a_pass`, or before the next one begins.

        Draws random numbers, as the pass did when it began. ValueError for other data.
        """
        source = self.source
        found = {"size": source.size, "batches": source.num_batches}
        expected = {key: state[key] for key in found}
        if state["taken"] is not None and found != expected:
            raise ValueError(
                f"Cannot go on in the middle of the data: expected rows and batches {expected}, as "
                f"they were when the state was saved; received {found}. Give the same data and "
                "batch size."
            )
        self.steps, self.came, self._over = state["steps"], state["came"], state["over"]
        self._resumed = in_a_pass
        if state["taken"] is None:
            source.set_state(state["source"])
        else:
            self._taken, self._began = state["taken"], state["began"]
            source.begin_at(self._began)
            if in_a_pass and not self._over:
                source.on_epoch_begin()
            source.set_state(state["source"])
            self._iterator = source.batches_from(self._taken)
        source.set_own_random_states(state["own"])

    def _next(self) -> Any:
        """The next batch of this pass."""
        if self._over or self.came == self._limit:
            return _END
        return next(self._iterator, _END)  # type: ignore[arg-type]

    def _first(self) -> Any:
        """The first batch of a pass: of the source's pass that goes on, or else of a new one."""
        self.came, self._over = 0, False
        began = self.source.random_state_of_pass() if self.recorded else None
        self.source.on_epoch_begin()
        if self._asked is not None and self._iterator is not None:
            batch = next(self._iterator, _END)
            if batch is not _END:
                return batch
        self.close()
        self._began, self._taken = began, 0
        self._iterator = iter(self.source)
        return next(self._iterator, _END)


def _warn_of_the_end() -> None:
    warnings.warn(
        "Your input ran out of data; interrupting training. Make sure that your dataset or "
        "generator can generate at least `steps_per_epoch * epochs` batches. You may need to use "
        "the `.repeat()` function when building your dataset, or a generator that goes on "
        "forever.",
        stacklevel=6,
    )
