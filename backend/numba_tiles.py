"""A tile of a sum of outer products, in registers: what convolutions consist of.

out[i, j] = initial[i, j] + sum over o and t of a[i, o, t] b[o, t, j], for as many i and j as there
are registers to hold it, cut off below `low` and above `high`. An image's windows are such an `a`
as they lie in memory, so nothing is unfolded: see Georganas et al., Anatomy of high-performance
deep learning convolutions on SIMD architectures, 2018.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ROWS = 6  # of a tile at most; with two vectors a row, twelve of sixteen registers
VECTOR_BYTES = 32

_intrinsic: Any = intrinsic  # numba's own hints do not know every option
_word = ir.IntType(64)


@_intrinsic
def tile(
    typing: Any,
    rows: Any,
    vectors: Any,
    a: Any,
    a_row: Any,
    a_outer: Any,
    a_inner: Any,
    b: Any,
    b_outer: Any,
    b_inner: Any,
    outer: Any,
    inner: Any,
    initial: Any,
    initial_row: Any,
    out: Any,
    out_row: Any,
    low: Any,
    high: Any,
) -> Any:
    """Compute a tile of 1 to `ROWS` rows and 1 or 2 vectors in each.

    Addresses and strides, in elements, are int64; `low` and `high` of the elements' type.
    """

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        rows, vectors, *rest = given
        code = _Code(builder, context.get_value_type(low), low.bitwidth // 8)
        end = builder.append_basic_block("end")
        which = builder.switch(builder.add(builder.mul(rows, ir.Constant(_word, 2)), vectors), end)
        for i, j in itertools.product(range(1, ROWS + 1), (1, 2)):
            block = builder.append_basic_block(f"tile_{i}_{j}")
            which.add_case(ir.Constant(_word, 2 * i + j), block)
            builder.position_at_end(block)
            _compute(builder, code, i, j, *rest)
            builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 15, low, high), generate


def _compute(
    builder: Any,
    code: _Code,
    rows: int,
    vectors: int,
    a: Any,
    a_row: Any,
    a_outer: Any,
    a_inner: Any,
    b: Any,
    b_outer: Any,
    b_inner: Any,
    outer: Any,
    inner: Any,
    initial: Any,
    initial_row: Any,
    out: Any,
    out_row: Any,
    low: Any,
    high: Any,
) -> None:
    """The instructions for a tile of so many rows and vectors."""
    sums = {}
    for i, j in itertools.product(range(rows), range(vectors)):
        sums[i, j] = cgutils.alloca_once(builder, code.vector)  # a register in the end
        builder.store(code.load(code.at(initial, (i, initial_row)), j), sums[i, j])
    with _counted(builder, outer) as o, _counted(builder, inner) as t:
        of_b = code.at(b, (o, b_outer), (t, b_inner))
        columns = [code.load(of_b, j) for j in range(vectors)]
        of_a = code.at(a, (o, a_outer), (t, a_inner))
        for i in range(rows):
            factor = code.repeated(code.number(code.at(of_a, (i, a_row))))
            for j, column in enumerate(columns):
                # "contract": one rounding for both, where the processor has that
                term = builder.fmul(factor, column, flags=("contract",))
                total = builder.fadd(builder.load(sums[i, j]), term, flags=("contract",))
                builder.store(total, sums[i, j])
    ends = ("<=", code.repeated(low)), (">=", code.repeated(high))
    for (i, j), total in sums.items():
        y = builder.load(total)
        for comparison, end in ends:  # what is no number stays
            y = builder.select(builder.fcmp_ordered(comparison, y, end), end, y)
        code.store(y, code.at(out, (i, out_row)), j)


class _Code:
    """Instructions for numbers of one type, and vectors of them, at addresses."""

    def __init__(self, builder: Any, number: Any, size: int):
        self._builder, self._number, self._size = builder, number, size
        self.vector = ir.VectorType(number, VECTOR_BYTES // size)

    def at(self, address: Any, *steps: tuple[Any, Any]) -> Any:
        """`address` plus, for each (count, stride), so many elements."""
        for count, stride in steps:
            count = count if isinstance(count, ir.Value) else ir.Constant(_word, count)
            elements = self._builder.mul(count, stride)
            bytes_on = self._builder.mul(elements, ir.Constant(_word, self._size))
            address = self._builder.add(address, bytes_on)
        return address

    def number(self, address: Any) -> Any:
        return self._builder.load(self._builder.inttoptr(address, self._number.as_pointer()))

    def load(self, address: Any, j: int) -> Any:
        """The vector `j` from there on."""
        return self._builder.load(self._place(address, j), align=self._size)

    def store(self, value: Any, address: Any, j: int) -> None:
        self._builder.store(value, self._place(address, j), align=self._size)

    def repeated(self, number: Any) -> Any:
        """A vector of one number, over and over."""
        empty, lanes = ir.Constant(self.vector, ir.Undefined), self.vector.count
        first = self._builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
        order = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        return self._builder.shuffle_vector(first, empty, order)

    def _place(self, address: Any, j: int) -> Any:
        aside = self._builder.add(address, ir.Constant(_word, j * VECTOR_BYTES))
        return self._builder.inttoptr(aside, self.vector.as_pointer())


@contextmanager
def _counted(builder: Any, count: Any) -> Iterator[Any]:
    with cgutils.for_range(builder, count) as loop:
        yield loop.index
