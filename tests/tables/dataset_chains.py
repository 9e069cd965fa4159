"""Chains of tf.data, each a function of the class `Dataset`; their elements are compared."""

from __future__ import annotations

import numpy as np

X = np.arange(10, dtype="float32").reshape(5, 2)
Y = np.array([3, 1, 4, 1, 5])


def rows_of(lengths):
    """A generator function of rows of these lengths, and their labels."""

    def generate():
        for n in lengths:
            yield list(range(n)), n % 2

    return generate


def ragged(D, spec):
    signature = (spec((None,), "int32"), spec((), "int64"))
    return D.from_generator(rows_of([2, 1, 3]), output_signature=signature)


# name: the data set, made of the classes Dataset and TensorSpec.
CHAINS = {
    "slices": lambda D, S: D.from_tensor_slices((X, Y)),
    "slices of a dict": lambda D, S: D.from_tensor_slices(({"b": X, "a": Y}, Y)),
    "slices of lists": lambda D, S: D.from_tensor_slices([[1.5, 2.5], [3.5, 4.5]]),
    "slices of texts": lambda D, S: D.from_tensor_slices((["a", "bc"], [1, 2])).batch(2),
    "tensors": lambda D, S: D.from_tensors((X, Y)),
    "range": lambda D, S: D.range(2, 9, 3),
    "zip": lambda D, S: D.zip((D.range(3), D.from_tensor_slices((X, Y)))),
    "zip of two": lambda D, S: D.zip(D.range(9), D.range(2)),
    "concatenate": lambda D, S: D.range(2).concatenate(D.range(5, 8)),
    "map": lambda D, S: D.from_tensor_slices((X, Y)).map(lambda x, y: (x * 2, y + 1)),
    "map of one": lambda D, S: D.range(4).map(lambda n: n * n, num_parallel_calls=2),
    "map of a dict": lambda D, S: D.from_tensor_slices({"x": X}).map(lambda d: d["x"][0]),
    "batch": lambda D, S: D.from_tensor_slices((X, Y)).batch(2),
    "batch without the rest": lambda D, S: D.range(5).batch(2, drop_remainder=True),
    "batches of batches": lambda D, S: D.range(9).batch(2).batch(2, drop_remainder=True).take(2),
    "padded_batch": lambda D, S: ragged(D, S).padded_batch(2),
    "padded_batch to shapes": lambda D, S: ragged(D, S).padded_batch(
        2, padded_shapes=([4], []), padding_values=(np.int32(-1), np.int64(0)), drop_remainder=True
    ),
    "padded_batch of one": lambda D, S: ragged(D, S).map(lambda x, y: x).padded_batch(3, [None]),
    "unbatch": lambda D, S: D.from_tensor_slices((X, Y)).batch(3).unbatch(),
    "repeat": lambda D, S: D.range(3).repeat(2),
    "repeat without end": lambda D, S: D.range(3).repeat().take(7),
    "take and skip": lambda D, S: D.range(9).skip(2).take(3),
    "take and skip all": lambda D, S: D.range(3).take(-1).concatenate(D.range(3).skip(-1)),
    "take_while": lambda D, S: D.range(9).take_while(lambda n: n < 4),
    "cache": lambda D, S: D.range(4).cache().prefetch(1).repeat(2),
    "filter": lambda D, S: D.range(9).filter(lambda n: n % 3 == 0),
    "filter of pairs": lambda D, S: D.from_tensor_slices((X, Y)).filter(lambda x, y: y > 2),
    "enumerate": lambda D, S: D.from_tensor_slices((X, Y)).enumerate(start=3),
    "flat_map": lambda D, S: D.range(1, 4).flat_map(D.range),
    "interleave": lambda D, S: D.range(5).interleave(
        lambda n: D.from_tensors(n).repeat(4), cycle_length=2, block_length=3
    ),
    "interleave of unequal": lambda D, S: D.range(6).interleave(D.range, cycle_length=3),
    "window": lambda D, S: D.range(7).window(3).flat_map(lambda w: w.batch(3)),
    "window with shift": lambda D, S: (
        D.range(8).window(3, shift=2, stride=2, drop_remainder=True).flat_map(lambda w: w.batch(3))
    ),
    "window with a long shift": lambda D, S: (
        D.range(9).window(2, shift=4).flat_map(lambda w: w.batch(2))
    ),
    "window of pairs": lambda D, S: (
        D.from_tensor_slices((X, Y))
        .window(2, shift=1, drop_remainder=True)
        .flat_map(lambda x, y: D.zip((x.batch(2), y.batch(2))))
    ),
    "shard": lambda D, S: D.range(8).shard(3, 1),
    "apply": lambda D, S: D.range(4).apply(lambda d: d.skip(1)),
}
