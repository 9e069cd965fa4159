"""How batches reach a device: the same rows and bits as on NumPy, in order, without needless waits.

The device is the strict stand-in for CuPy, which raises where work on one stream of a GPU would not
have waited for another's, or the host for a copy.
"""

from __future__ import annotations

import functools
import gc
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import strict_cupy

import layerkit
from layerkit import backend as K
from layerkit import layers
from layerkit.backend import cupy_feed, tree
from layerkit.backend.base import Backend
from layerkit.data import Batches

pytestmark = pytest.mark.numpy_only("these tests bring a device of their own")

WAYS = {"resident": cupy_feed.resident, "streamed": cupy_feed.streamed, "plain": Backend.feeder}


@pytest.fixture(autouse=True)
def beside_a_device(device):
    """The default stays NumPy."""


def feed(device, way):
    """New arrays are born on `device` from now on, and batches reach it in this way."""
    device.feeder = functools.partial(WAYS[way], device)
    K.set_backend("device")


def numbers(dtype, *shape):
    values = np.random.default_rng(3).integers(0, 200, shape)
    return values % 2 == 0 if dtype == "bool" else values.astype(dtype)


def passes(batches, count=2):
    """All batches of some epochs, kept until the last one: leaves as NumPy arrays."""
    layerkit.utils.set_random_seed(5)
    kept = [list(batches) for _ in range(count)]
    return [[list(map(K.to_numpy, tree.flatten(b))) for b in epoch] for epoch in kept]


def assert_same(batches, expected):
    for epoch, other in zip(batches, expected, strict=True):
        for batch, true in zip(epoch, other, strict=True):
            for a, b in zip(batch, true, strict=True):
                assert a.dtype == b.dtype.newbyteorder("=")
                np.testing.assert_array_equal(a, b)


DTYPES = ["uint8", "bool", "int64", "float16", "float32", "float64", ">i4"]
STRUCTURES = {
    "x": lambda dtype: {"x": numbers(dtype, 11, 3)},
    "x, y": lambda dtype: {"x": numbers(dtype, 11, 4, 2), "y": numbers("int32", 11)},
    "dict, tuple, weights": lambda dtype: {
        "x": {"b": numbers(dtype, 11, 2), "a": numbers("uint8", 11)},
        "y": (numbers("float32", 11, 1), numbers(dtype, 11)),
        "sample_weight": numbers("float32", 11),
    },
    "not contiguous": lambda dtype: {"x": numbers(dtype, 3, 22).T[::2]},
    "no columns": lambda dtype: {"x": numbers(dtype, 11, 0)},
}


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shuffle", [False, True], ids=["in order", "shuffled"])
@pytest.mark.parametrize("way", ["resident", "streamed"])
def test_batches_are_those_of_numpy(device, way, shuffle, dtype, structure):
    data = STRUCTURES[structure](dtype)
    for size in 1, 4, 11, 32:  # of batches of 11 rows
        options = {"batch_size": size, "shuffle": shuffle}
        K.set_backend("numpy")
        expected = passes(Batches(**data, **options))
        feed(device, way)
        batches = Batches(**data, **options)
        first = next(iter(batches))
        assert all(isinstance(t.array, device.array_type) for t in tree.flatten(first))
        assert_same(passes(batches), expected)


def journal(device, batches, shuffle):
    """Copies to the device in a first and a second epoch, and all waits of the host."""
    device.xp.journal.clear()
    copies = []
    for _ in range(2):
        list(batches)
        copies.append(len(device.xp.journal.h2d))
        device.xp.journal.h2d.clear()
    return copies, device.xp.journal.syncs


@pytest.mark.parametrize("shuffle", [False, True])
def test_resident_data_is_sent_once_and_nobody_waits(device, shuffle):
    feed(device, "resident")
    batches = Batches(numbers("uint8", 11, 3), numbers("int32", 11), batch_size=2, shuffle=shuffle)
    copies, waits = journal(device, batches, shuffle)
    assert copies == [2 + shuffle, shuffle] and not waits


@pytest.mark.parametrize("shuffle", [False, True])
def test_streaming_waits_for_nothing_but_pinned_buffers(device, shuffle):
    feed(device, "streamed")
    batches = Batches(numbers("uint8", 11, 3), numbers("int32", 11), batch_size=2, shuffle=shuffle)
    copies, waits = journal(device, batches, shuffle)
    assert copies == [12, 12]
    assert len(waits) == 12 - 2  # the two slots are new when they are first filled
    assert all("Event.synchronize at cupy_feed.py" in wait for wait in waits)
    allocations, used = device.xp.allocations, device.memory_info()["used"]
    list(batches)
    assert device.xp.allocations == allocations + 12  # the batches; the ring is there
    assert device.memory_info()["used"] == used


def test_the_next_batch_is_sent_before_this_one_is_given_out(device):
    feed(device, "streamed")
    sent, batches = device.xp.journal.h2d, iter(Batches(numbers("uint8", 11, 3), batch_size=4))
    counts = []
    for _ in batches:
        counts.append(len(sent))
    assert counts == [2, 3, 3]


def test_data_goes_in_blocks_and_keeps_its_dtype(device, monkeypatch):
    monkeypatch.setattr(cupy_feed, "_BLOCK_BYTES", 1000)
    x = numbers("uint8", 30, 8, 8)
    device.xp.journal.clear()
    epoch = cupy_feed.resident(device, [x], 30)
    assert len(device.xp.journal.h2d) == 2 and device.memory_info()["used"] == 2048
    ((batch,),) = epoch(None)
    np.testing.assert_array_equal(device.to_numpy(batch), x)


ROOM = {  # free bytes, limit of the pool, and whether 1000 bytes of data are resident
    "a quarter": (4000, 0, True),
    "more than a quarter": (3999, 0, False),
    "the pool is limited": (2**30, 3999, False),
    "so that it is enough": (2**30, 4000, True),
}


@pytest.mark.parametrize("name", ROOM)
def test_data_stays_on_the_device_where_a_quarter_is_enough(device, monkeypatch, name):
    free, limit, expected = ROOM[name]
    monkeypatch.setattr(device.xp.cuda.runtime, "memGetInfo", lambda: (free, 2**30))
    pool = device.xp.get_default_memory_pool()
    pool.set_limit(limit)
    chosen = []
    for way in "resident", "streamed":
        monkeypatch.setattr(cupy_feed, way, lambda *_, _way=way: chosen.append(_way))
    device.feeder([numbers("uint8", 10, 80), numbers("uint8", 200)], 2)
    assert (chosen == ["resident"]) is expected


def test_memory_that_no_array_uses_counts_as_free(device, monkeypatch):
    monkeypatch.setattr(device.xp.cuda.runtime, "memGetInfo", lambda: (1000, 2**30))
    assert cupy_feed._room(device.xp) == 1000
    kept = device.xp.zeros(4096, "uint8")
    device.xp.zeros(512, "uint8")
    assert cupy_feed._room(device.xp) == 1512
    del kept
    assert cupy_feed._room(device.xp) == 1000 + 4608


@pytest.mark.parametrize("way", ["resident", "streamed"])
def test_passes_that_are_left_or_run_side_by_side(device, way):
    data = {"x": numbers("float32", 11, 3), "y": numbers("int32", 11)}
    expected = passes(Batches(**data, batch_size=2), 1)
    feed(device, way)
    batches = Batches(**data, batch_size=2)
    left = iter(batches)
    *_, batch = (next(left) for _ in range(3))
    left.close()
    assert_same(passes(batches, 1), expected)
    one, other = iter(batches), iter(batches)
    next(one)
    pairs = [[next(other), next(one)] for _ in range(5)]
    firsts = [[list(map(K.to_numpy, tree.flatten(batch))) for batch, _ in pairs]]
    seconds = [[list(map(K.to_numpy, tree.flatten(batch))) for _, batch in pairs]]
    assert_same(firsts, [expected[0][:5]])
    assert_same(seconds, [expected[0][1:]])
    assert K.to_numpy(batch[1]).tolist() == data["y"][4:6].tolist()


def test_batches_go_where_arrays_are_born_now(device):
    batches = Batches(numbers("float32", 4, 2), batch_size=2)
    homes = []
    for name in "numpy", "device", "numpy":
        K.set_backend(name)
        homes.append({type(batch.array) for batch in batches})
    assert homes == [{np.ndarray}, {device.array_type}, {np.ndarray}]


# What happens without one of the steps that keep the order


def without_the_wait_for_pinned_memory(device, patch):
    patch(device.xp.cuda.Event, "synchronize", lambda self: None)


def without_the_wait_for_the_copy(device, patch):
    wait = device.xp.cuda.Stream.wait_event
    patch(device.xp.cuda.Stream, "wait_event", lambda self, e: wait(self, e) if self.ptr else None)


def without_the_wait_for_the_batch(device, patch):
    wait = device.xp.cuda.Stream.wait_event
    patch(device.xp.cuda.Stream, "wait_event", lambda self, e: None if self.ptr else wait(self, e))


def without_the_record_after_allocation(device, patch):
    record, calls = device.xp.cuda.Event.record, []
    patch(
        device.xp.cuda.Event, "record", lambda *a: calls.append(1) or len(calls) < 3 or record(*a)
    )


def without_the_record_after_the_batch(device, patch):
    record, calls = device.xp.cuda.Event.record, []

    def first_ones(event, stream):
        calls.append(stream.ptr)
        if stream.ptr or calls.count(0) <= 2:
            record(event, stream)

    patch(device.xp.cuda.Event, "record", first_ones)


def without_the_wait_at_the_end(device, patch):
    patch(cupy_feed, "weakref", SimpleNamespace(finalize=lambda *_: SimpleNamespace()))


BROKEN = {
    without_the_wait_for_pinned_memory: "Pinned memory was written to",
    without_the_wait_for_the_copy: "reads memory and has not waited",
    without_the_wait_for_the_batch: "writes to memory and has not waited",
    without_the_record_after_allocation: "writes to memory and has not waited",
    without_the_record_after_the_batch: "writes to memory and has not waited",
    without_the_wait_at_the_end: "Pinned memory was given back",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda f: f.__name__)
def test_each_step_that_keeps_the_order_is_needed(device, monkeypatch, broken):
    feed(device, "streamed")
    broken(device, monkeypatch.setattr)
    with pytest.raises(AssertionError, match=BROKEN[broken]):
        list(Batches(np.arange(9.0), batch_size=2))
        gc.collect()
        strict_cupy.check_order(device.xp)


# Models

X = np.random.default_rng(0).random((22, 6, 6, 1), "float32")
Y = np.random.default_rng(1).integers(0, 3, 22)


def model():
    layerkit.utils.set_random_seed(3)
    made = layerkit.Sequential(
        [
            layers.Conv2D(2, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    made.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


RUNS = {
    "fit": lambda m: m.fit(X, Y, batch_size=4, epochs=3, verbose=0).history,
    "validation": lambda m: (
        m.fit(
            X, Y, batch_size=4, epochs=2, verbose=0, validation_split=0.4, validation_batch_size=3
        ).history
    ),
    "class weights": lambda m: (
        m.fit(X, Y, batch_size=5, verbose=0, class_weight={0: 2.0, 2: 0.5}).history
    ),
    "sample weights": lambda m: (
        m.fit(X, Y, batch_size=5, verbose=0, sample_weight=np.linspace(0, 1, 22)).history
    ),
    "evaluate": lambda m: m.evaluate(X, Y, batch_size=5, verbose=0, return_dict=True),
    "predict": lambda m: {"y": m.predict(X, batch_size=4, verbose=0)},
    "predict one": lambda m: {"y": m.predict(X[:1], verbose=0)},
}


@pytest.mark.parametrize("run", RUNS)
def test_models_learn_and_answer_the_same_bits_in_each_way(device, run):
    results, weights = [], []
    for way in WAYS:
        feed(device, way)
        made = model()
        results.append(RUNS[run](made))
        weights.append(made.get_weights())
    for result, values in zip(results[1:], weights[1:], strict=True):
        assert result.keys() == results[0].keys()
        for name, value in result.items():
            np.testing.assert_array_equal(value, results[0][name])
        for a, b in zip(values, weights[0], strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("way", ["resident", "streamed"])
def test_more_steps_of_fit_wait_for_buffers_at_most(device, way):
    feed(device, way)
    waits = []
    for rows in 12, 20:
        made = model()
        made.fit(X[:4], Y[:4], verbose=0)
        device.xp.journal.clear()
        made.fit(X[:rows], Y[:rows], batch_size=2, verbose=0)
        syncs = device.xp.journal.syncs
        waits.append(len([wait for wait in syncs if "Event.synchronize" not in wait]))
    assert waits[0] == waits[1]
    assert way == "streamed" or waits[1] == len(syncs)
