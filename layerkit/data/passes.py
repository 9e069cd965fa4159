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
    `size`: rows of a pass, None where unknown. `came`: batches of the last pass.
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

    def __iter__(self) -> Iterator[Any]:
        self.source.on_epoch_begin()
        self.came = 0
        batch = self._first()
        while batch is not _END:
            self.came += 1
            yield batch
            if self.came == self._limit:
                break
            batch = next(self._iterator, _END)  # type: ignore[arg-type]
        if self.came < (self._limit or bool(self.steps)):
            _warn_of_the_end()
        if self.steps is None:
            self.steps = self.came
        self.source.on_epoch_end()

    def executions(self, size: int) -> Iterator[tuple[int, list[Any]]]:
        """A pass in groups of `size` batches: the number of the first one, and the batches."""
        batches, first = iter(self), 0
        while group := list(islice(batches, size)):
            yield first, group
            first += len(group)

    def close(self) -> None:
        """Let the next pass begin anew, and give up what prepares batches ahead."""
        iterator, self._iterator = self._iterator, None
        if iterator is not None:
            iterator.close()  # type: ignore[attr-defined]

    def _first(self) -> Any:
        """The first batch of a pass: of the pass that goes on, or else of a new one."""
        if self._asked is not None and self._iterator is not None:
            batch = next(self._iterator, _END)
            if batch is not _END:
                return batch
        self.close()
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
