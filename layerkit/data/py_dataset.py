"""PyDataset: batches by their number, prepared ahead by threads or processes."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from layerkit.backend.random import generator

from .class_weights import check_class_weight
from .random_sources import random_sources
from .source import Source, not_negative, positive
from .streams import checked_sample, standardized

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future


class PyDataset:
    """Base of data sets that make their batches: implement `__getitem__(index)` and `__len__()`.

    `self[index]` is a whole batch: (x,), (x, y) or (x, y, sample_weight), or a dict x. `len(self)`,
    or a property `num_batches`, is the number of batches; None for a data set without end.
    `on_epoch_begin` and `on_epoch_end` are called around each pass.

    With `workers` above 1, so many threads prepare batches while the model works, at most
    `max_queue_size` of them ahead, and in order. With `use_multiprocessing` they are processes,
    which get a copy of the data set: for work that holds Python's lock.
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ):
        self.workers = not_negative("workers", workers)
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} must implement `__getitem__(index)`, which returns a batch."
        )

    @property
    def num_batches(self) -> int | None:
        """How many batches a pass has: `len(self)` unless overridden; None for no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__}: you need to implement `__len__()` or the property "
            "`num_batches`, the number of batches, or None for a data set without end."
        )

    def on_epoch_begin(self) -> None:
        """Called before each pass."""

    def on_epoch_end(self) -> None:
        """Called after each pass."""

    def get_state(self) -> Any:
        """What the data set keeps from pass to pass, as the order it shuffled itself: for files of
        a training's state. Nothing unless overridden; else of dicts, lists, numbers and arrays.
        Random generators in its attributes are kept without it."""
        return None

    def set_state(self, state: Any) -> None:
        """Go on as the data set that gave `state`: called when a training is resumed."""

    def __iter__(self) -> Iterator[Any]:
        """The batches of a pass, without workers."""
        return (self[index] for index in _indices(self.num_batches))


class PyDatasetBatches(Source):
    """The batches of a PyDataset. With `shuffle`, a pass takes them in a new order.

    `class_weight`: {label: weight}, for batches without weights.
    """

    def __init__(
        self,
        dataset: PyDataset,
        shuffle: bool = False,
        class_weight: dict[int, float] | None = None,
    ):
        check_class_weight(class_weight)
        if "workers" not in vars(dataset):
            warnings.warn(
                "Your `PyDataset` class should call `super().__init__(**kwargs)` in its "
                "constructor. `**kwargs` can include `workers`, `use_multiprocessing`, "
                "`max_queue_size`: without them, no batch is prepared ahead.",
                stacklevel=4,
            )
            PyDataset.__init__(dataset)
        self._dataset = dataset
        self._shuffle = shuffle
        self._class_weight = class_weight
        self.num_batches = dataset.num_batches
        self.endless = self.num_batches is None
        self.on_epoch_begin = dataset.on_epoch_begin  # type: ignore[method-assign]
        self.on_epoch_end = dataset.on_epoch_end  # type: ignore[method-assign]

    def batches_from(self, first: int) -> Iterator[Any]:
        dataset = self._dataset
        number = dataset.num_batches
        indices: Iterable[int] = _indices(number)
        if self._shuffle and number is not None:
            indices = map(int, generator(None).permutation(number))
        indices = islice(indices, first, None)
        if dataset.workers > 1 or (dataset.workers > 0 and dataset.use_multiprocessing):
            batches = _prepared_ahead(dataset, indices)
        else:
            batches = map(dataset.__getitem__, indices)
        return (self._standardized(batch) for batch in batches)

    def random_sources(self) -> list[Any]:
        return random_sources(self._dataset)

    def get_state(self) -> Any:
        _warn_of_what_is_not_kept(type(self._dataset))
        return self._dataset.get_state()

    def set_state(self, state: Any) -> None:
        if state is not None:
            self._dataset.set_state(state)

    def sample(self, with_y: bool) -> tuple[Any, str]:
        """The batch of number 0, made once more; see `Source.sample`."""
        if self.num_batches == 0:
            raise ValueError("The data is empty: the PyDataset has length 0.")
        return checked_sample(self._standardized(self._dataset[0]), with_y)

    def _standardized(self, batch: Any) -> Any:
        return standardized(batch, "PyDataset", self._class_weight)


def _warn_of_what_is_not_kept(kind: type[PyDataset]) -> None:
    """What a pass's end changed is not known here, unless the class says it."""
    if kind.on_epoch_end is not PyDataset.on_epoch_end and kind.get_state is PyDataset.get_state:
        warnings.warn(
            f"{kind.__name__} has a method `on_epoch_end`, and no `get_state`: what it changes "
            "there, as the order of its rows, is not in the saved state of the training, which "
            "then does not go on to the same bits. Override get_state() and set_state(state), or "
            "leave the order to fit(shuffle=True).",
            stacklevel=8,
        )


def _indices(number: int | None) -> Iterable[int]:
    return count() if number is None else range(number)


def _prepared_ahead(dataset: PyDataset, indices: Iterable[int]) -> Iterator[Any]:
    """The batches of these numbers, in order; the workers are at most a queue ahead."""
    ahead = positive("max_queue_size", dataset.max_queue_size)
    pool, get = _pool(dataset)
    waiting: deque[Future] = deque()
    try:
        for index in indices:
            waiting.append(pool.submit(get, index))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(dataset: PyDataset) -> tuple[Executor, Callable[[int], Any]]:
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

    workers = positive("workers", dataset.workers)
    if not dataset.use_multiprocessing:
        return ThreadPoolExecutor(workers, "layerkit-data"), dataset.__getitem__
    pool = ProcessPoolExecutor(workers, initializer=_hold, initargs=(dataset,))
    return pool, _batch_of_the_held


_held: PyDataset | None = None  # in a worker's process: its copy of the data set


def _hold(dataset: PyDataset) -> None:
    global _held
    _held = dataset


def _batch_of_the_held(index: int) -> Any:
    assert _held is not None
    return _held[index]
