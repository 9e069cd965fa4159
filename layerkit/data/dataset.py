"""Dataset: elements made when they are asked for, by a chain of iterators.

Names, arguments and order of the elements are tf.data's. Everything runs in the thread that asks
for an element, one after the other: random numbers then come in one order, and a run can be
repeated. `num_parallel_calls`, `deterministic` and `prefetch` are about speed alone in tf.data, and
change nothing here.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import reduce as fold
from itertools import chain, count, islice, repeat
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import SeedGenerator, Tensor
from layerkit.backend.random import generator as random_generator

from .elements import (
    TensorSpec,
    call_with,
    conforming,
    held,
    is_structure,
    map_parts,
    on_host,
    packed,
    padded,
    parts_of,
    shown,
    spec_of,
    stacked,
)
from .source import positive

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2

# How many data sets `interleave` goes through in turn, unless it is told.
CYCLE_LENGTH = 4


class Dataset:
    """Elements that can be gone through again and again, each time made anew.

    `make`: called for every pass, gives the iterator of its elements: tensors, arrays, numbers,
    strings, or tuples and dicts of such. `length`: how many there are, math.inf for no end, None
    where nobody knows. Iterating gives tensors; strings come as arrays with a method `numpy`.
    """

    class_names: list[str] | None = None  # of data sets that were read from folders
    file_paths: list[str] | None = None

    def __init__(self, make: Callable[[], Iterator[Any]], length: float | None):
        self._make = make
        self._length = length

    # Where elements come from.

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """One element."""
        element = held(tensors)
        return Dataset(lambda: iter([element]), 1)

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """The rows of arrays of one length: (x, y) gives pairs, a dict gives dicts."""
        rows = held(tensors)
        lengths = {part.shape[0] if part.shape else None for part in parts_of(rows)}
        if len(lengths) != 1 or None in lengths:
            raise ValueError(
                "from_tensor_slices() expects arrays with one length along their first axis; "
                f"received shapes {[part.shape for part in parts_of(rows)]}."
            )
        length = lengths.pop()
        return Dataset(lambda: _rows(rows, length), length)

    @staticmethod
    def from_generator(
        generator: Callable[..., Iterable[Any]],
        output_types: Any = None,
        output_shapes: Any = None,
        args: tuple | None = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """What `generator(*args)` yields, called for each pass.

        output_signature: TensorSpecs in the structure of an element; or else `output_types`, with
        `output_shapes`. Elements come in these dtypes. TypeError, ValueError for what does not fit.
        """
        if not callable(generator):
            raise TypeError(
                f"`generator` must be a callable, which gives an iterator for each pass. Received: "
                f"{generator!r}"
            )
        if (output_signature is None) == (output_types is None):
            raise TypeError(
                "from_generator() needs either `output_signature` or `output_types`: TensorSpecs, "
                "or dtypes, in the structure of an element."
            )
        specs = output_signature
        if specs is None:
            specs = _specs(output_types, output_shapes)
        given = on_host(held(tuple(args or ())))
        return Dataset(lambda: (conforming(e, specs) for e in generator(*given)), None)

    @staticmethod
    def range(*args: Any, output_type: Any = "int64", name: str | None = None) -> Dataset:
        """Numbers: range(stop), range(start, stop) or range(start, stop, step)."""
        numbers = range(*(int(n) for n in args))
        return Dataset(lambda: (np.asarray(n, output_type) for n in numbers), len(numbers))

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Elements of several data sets side by side, until one ends: zip(a, b), zip((a, b))."""
        together = datasets if datasets is not None else args[0] if len(args) == 1 else args
        parts = parts_of(together)
        if not all(isinstance(part, Dataset) for part in parts):
            raise TypeError(f"zip() expects Datasets, in tuples or dicts. Received: {together!r}")

        def make() -> Iterator[Any]:
            for group in zip(*(part._make() for part in parts), strict=False):
                yield packed(together, group)

        return Dataset(make, _least(part._length for part in parts))

    # What they become.

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """What a function makes of each element: `lambda x, y: (x / 255, y)`."""
        return self._then(lambda: (call_with(map_func, e) for e in self._make()), self._length)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements for which `predicate` is true."""
        return self._then(lambda: (e for e in self._make() if call_with(predicate, e)), None)

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements of the data sets that a function makes of the elements, one by one."""
        made = self.map(map_func)
        return self._then(lambda: chain.from_iterable(d._make() for d in made._make()), None)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: int | None = None,
        block_length: int | None = None,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """As `flat_map`, but in turn `block_length` elements of each of `cycle_length` data sets.

        cycle_length: 4 where it is None or AUTOTUNE. block_length: 1 where it is None.
        """
        cycle = (
            CYCLE_LENGTH if cycle_length in (None, -1) else positive("cycle_length", cycle_length)
        )
        block = 1 if block_length is None else positive("block_length", block_length)
        made = self.map(map_func)
        return self._then(lambda: _in_turn((d._make() for d in made._make()), cycle, block), None)

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """Pairs of a number, int64 from `start` on, and the element."""
        return self._then(
            lambda: ((np.asarray(n, "int64"), e) for n, e in zip(count(start), self._make())),
            self._length,
        )

    # Batches.

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Each `batch_size` elements as one, stacked along a new first axis; the last may be less.

        drop_remainder: leave out what is less. ValueError where shapes differ.
        """
        return self._grouped(batch_size, drop_remainder, stacked)

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """As `batch`, of elements that are filled up at their ends to one shape.

        padded_shapes: for each part a shape, None in it for the longest of the batch, as where no
        shape is given. padding_values: one, or one a part; 0 or '' where it is None.
        """

        def together(group: list[Any]) -> Any:
            return stacked(_filled_up(group, padded_shapes, padding_values))

        return self._grouped(batch_size, drop_remainder, together)

    def unbatch(self, name: str | None = None) -> Dataset:
        """The rows of the elements."""

        def make() -> Iterator[Any]:
            for batch in map(held, self._make()):
                yield from _rows(batch, parts_of(batch)[0].shape[0])

        return self._then(make, None)

    def window(
        self,
        size: int,
        shift: int | None = None,
        stride: int = 1,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Data sets of `size` elements, each `stride` from the next; windows begin `shift` apart.

        Elements with several parts give the same structure of data sets.
        """
        size, stride = positive("size", size), positive("stride", stride)
        step = size if shift is None else positive("shift", shift)

        def make() -> Iterator[Any]:
            for group in _windows(self._make(), size, step, stride):
                if len(group) == size or not drop_remainder:
                    yield _data_sets(group)

        return self._then(make, None)

    # Their order and number.

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool = True,
        name: str | None = None,
    ) -> Dataset:
        """Another order: each element is drawn from the next `buffer_size` ones.

        A buffer as long as the data set gives every order; a short one keeps much of the old one.
        seed: decides the orders of all passes; None takes one from `set_random_seed`'s generator.
        reshuffle_each_iteration: False for the same order in every pass.
        """
        size = positive("buffer_size", int(buffer_size))
        seeds = SeedGenerator(None if seed is None else int(seed))
        same = seeds.state

        def make() -> Iterator[Any]:
            if not reshuffle_each_iteration:
                seeds.state = same
            return _shuffled(self._make(), size, random_generator(seeds))

        return self._then(make, self._length)

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """All elements `count` times; without end where it is None or -1."""
        endless = count is None or int(count) == -1
        times = math.inf if endless else int(count)  # type: ignore[arg-type]

        def make() -> Iterator[Any]:
            for _ in repeat(None) if endless else range(times):  # type: ignore[arg-type]
                empty = True
                for element in self._make():
                    empty = False
                    yield element
                if empty:  # without end it would go on for ever, and give nothing
                    return

        nothing = self._length == 0 or times == 0
        length = 0 if nothing else None if self._length is None else self._length * times
        return self._then(make, math.inf if endless and length is None else length)

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """These elements, then those of another data set."""
        lengths = (self._length, dataset._length)
        length = None if None in lengths else sum(lengths)  # type: ignore[arg-type]
        return self._then(lambda: chain(self._make(), dataset._make()), length)

    def take(self, count: int, name: str | None = None) -> Dataset:
        """The first `count` elements; all where it is -1."""
        number = int(count)
        if number == -1:
            return self
        return self._then(
            lambda: islice(self._make(), number), _least([number, self._length], known=number == 0)
        )

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """All but the first `count` elements; none where it is -1."""
        number = int(count)
        if number == -1:
            return self.take(0)
        length = None if self._length is None else max(self._length - number, 0)
        return self._then(lambda: islice(self._make(), number, None), length)

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements up to the first for which `predicate` is false."""

        def make() -> Iterator[Any]:
            for element in self._make():
                if not call_with(predicate, element):
                    return
                yield element

        return self._then(make, None)

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Dataset:
        """Every `num_shards`-th element, from number `index` on."""
        if not 0 <= index < num_shards:
            raise ValueError(f"`index` must be in [0, {num_shards}). Received: index={index}")
        known = self._length is not None and self._length != math.inf
        length = max(math.ceil((self._length - index) / num_shards), 0) if known else self._length  # type: ignore[operator]
        return self._then(lambda: islice(self._make(), index, None, num_shards), length)

    def cache(self, filename: str = "", name: str | None = None) -> Dataset:
        """The elements of the first whole pass, kept in memory for the passes after it.

        Not in files of a training's state: one that goes on makes them anew, so they should not be
        drawn at random.
        """
        if filename:
            raise ValueError(
                "cache(filename) writes files that only TensorFlow reads: leave the file name out, "
                f"to keep the elements in memory. Received: filename={filename!r}"
            )
        kept: list[Any] | None = None

        def make() -> Iterator[Any]:
            nonlocal kept
            if kept is not None:
                yield from kept
                return
            seen = []
            for element in self._make():
                seen.append(element)
                yield element
            kept = seen

        return self._then(make, self._length)

    def prefetch(self, buffer_size: int, name: str | None = None) -> Dataset:
        """The same elements."""
        return self._then(self._make, self._length)

    def apply(self, transformation_func: Callable[[Dataset], Dataset]) -> Dataset:
        """What a function makes of the data set."""
        return transformation_func(self)

    # Asking.

    def __iter__(self) -> Iterator[Any]:
        return (shown(held(element)) for element in self._make())

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as NumPy arrays and strings; the iterator has a method `next` too."""
        return _NumpyIterator(on_host(held(element)) for element in self._make())

    def __len__(self) -> int:
        if self._length is None or self._length == math.inf:
            raise TypeError(
                f"The dataset {'is infinite' if self._length else 'length is unknown'}: it has no "
                "len(). cardinality() says so by -1 (no end) and -2 (unknown)."
            )
        return int(self._length)

    def __bool__(self) -> bool:
        return True

    def cardinality(self, name: str | None = None) -> Tensor:
        """How many elements, as an int64 tensor: -1 for no end, -2 where nobody knows."""
        length = UNKNOWN_CARDINALITY if self._length is None else self._length
        number = INFINITE_CARDINALITY if length == math.inf else int(length)
        return K.convert_to_tensor(np.asarray(number, "int64"))

    @property
    def element_spec(self) -> Any:
        """The TensorSpecs of the first element, which is made for it."""
        for element in self._make():
            return spec_of(held(element))
        raise ValueError("The dataset is empty: no element tells the shapes.")

    def reduce(self, initial_state: Any, reduce_func: Callable[[Any, Any], Any]) -> Any:
        """`reduce_func(state, element)` of all elements, one after the other: the last state."""
        first = shown(held(initial_state))
        return fold(lambda state, e: shown(held(reduce_func(state, e))), self, first)

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element. ValueError where there is another number of them."""
        found = list(islice(self, 2))
        if len(found) != 1:
            raise ValueError(
                "get_single_element() expects a dataset of 1 element; received one of "
                f"{'0' if not found else 'more than 1'}."
            )
        return found[0]

    def __repr__(self) -> str:
        return f"<Dataset of {'unknown length' if self._length is None else self._length}>"

    def _then(self, make: Callable[[], Iterator[Any]], length: float | None) -> Dataset:
        return Dataset(make, length)

    def _grouped(
        self, batch_size: int, drop_remainder: bool, together: Callable[[list[Any]], Any]
    ) -> Dataset:
        size = positive("batch_size", int(batch_size))

        def make() -> Iterator[Any]:
            elements = map(held, self._make())
            while len(group := list(islice(elements, size))) == size:
                yield together(group)
            if group and not drop_remainder:
                yield together(group)

        length = self._length
        if length is not None and length != math.inf:
            length = length // size if drop_remainder else math.ceil(length / size)
        return self._then(make, length)


class _NumpyIterator:
    def __init__(self, elements: Iterator[Any]):
        self._elements = elements

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._elements)

    next = __next__


def _rows(element: Any, length: int | None) -> Iterator[Any]:
    for index in range(length or 0):
        yield map_parts(lambda part, i=index: part[i, ...], element)


def _least(lengths: Iterable[float | None], known: bool = False) -> float | None:
    """The length of what ends with the first of several."""
    found = list(lengths)
    if None in found and not known:
        return None
    return min(length for length in found if length is not None)


def _specs(types: Any, shapes: Any) -> Any:
    if shapes is None:
        return map_parts(lambda dtype: TensorSpec(None, dtype), types)  # type: ignore[arg-type]
    if not is_structure(types):
        return TensorSpec(tuple(shapes), types)
    if isinstance(types, dict):
        return {key: _specs(types[key], shapes[key]) for key in types}
    return tuple(_specs(t, s) for t, s in zip(types, shapes, strict=True))


def _in_turn(sets: Iterator[Iterator[Any]], cycle: int, block: int) -> Iterator[Any]:
    open_ones = deque(islice(sets, cycle))
    while open_ones:
        current = open_ones.popleft()
        got = 0
        for element in islice(current, block):
            got += 1
            yield element
        if got == block:
            open_ones.append(current)
            continue
        following = next(sets, None)
        if following is not None:
            open_ones.append(following)


def _filled_up(group: list[Any], shapes: Any, values: Any) -> list[Any]:
    """The elements of a batch, each part filled up to one shape."""
    columns = list(zip(*map(parts_of, group), strict=True))
    wanted = _for_each(shapes, len(columns), _is_shape)
    fills = _for_each(values, len(columns), lambda value: not is_structure(value))
    filled = []
    for column, shape, value in zip(columns, wanted, fills, strict=True):
        longest = [max(part.shape[axis] for part in column) for axis in range(column[0].ndim)]
        full = [
            size if n in (None, -1) else n
            for n, size in zip(longest if shape is None else shape, longest, strict=True)
        ]
        filled.append([padded(part, full, value) for part in column])
    return [packed(e, parts) for e, parts in zip(group, zip(*filled, strict=True), strict=True)]


def _for_each(given: Any, number: int, is_one: Callable[[Any], bool]) -> list[Any]:
    """What was given for each of the parts, or once for all of them."""
    if given is None or (is_one(given) and (number == 1 or not is_structure(given))):
        return [given] * number
    found = []
    for part in given.values() if isinstance(given, dict) else given:
        one = part is None or is_one(part)
        found += [part] if one else _for_each(part, len(part), is_one)
    if len(found) != number:
        raise ValueError(f"Expected one for each of {number} parts; received: {given!r}")
    return found


def _is_shape(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and all(n is None or isinstance(n, int) for n in x)


def _windows(elements: Iterator[Any], size: int, step: int, stride: int) -> Iterator[list[Any]]:
    span = (size - 1) * stride + 1
    held_back: deque[Any] = deque()
    while True:
        held_back.extend(islice(elements, max(span - len(held_back), 0)))
        if not held_back:
            return
        yield list(islice(held_back, 0, span, stride))
        missing = step - len(held_back)
        for _ in range(min(step, len(held_back))):
            held_back.popleft()
        for _ in islice(elements, max(missing, 0)):
            pass


def _data_sets(group: list[Any]) -> Any:
    """The elements as one data set, or as a structure of data sets of their parts."""
    together = [held(element) for element in group]

    def of_column(*column: Any) -> Dataset:
        return Dataset(lambda: iter(column), len(column))

    return map_parts(of_column, *together)


def _shuffled(elements: Iterator[Any], size: int, rng: np.random.Generator) -> Iterator[Any]:
    buffer = list(islice(elements, size))
    for element in elements:
        index = int(rng.integers(len(buffer)))
        yield buffer[index]
        buffer[index] = element
    rng.shuffle(buffer)  # type: ignore[arg-type]
    yield from buffer
