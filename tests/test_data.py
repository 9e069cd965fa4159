"""What fit, evaluate and predict take: generators, loaders, PyDatasets, files, sparse matrices."""

from __future__ import annotations

import io
import itertools
import re
import sys
import threading
import time

import h5py
import numpy as np
import pytest
from fakes.batches_by_number import Numbered

import layerkit
from layerkit import backend as K
from layerkit import callbacks, config, layers
from layerkit.data import Batches, Passes, Stream, source_of
from layerkit.data.rows import StoredRows, as_rows
from layerkit.utils import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight

RANDOM = np.random.default_rng(2)
X, Y = RANDOM.random((10, 4), "float32"), RANDOM.integers(0, 3, 10)
W = np.linspace(0.5, 1.5, 10).astype("float32")
CLASSES = {0: 3.0, 2: 0.25}
PARTS = [slice(0, 4), slice(4, 8), slice(8, 12)]


def made(**options):
    layerkit.utils.clear_session()
    layerkit.utils.set_random_seed(4)
    model = layerkit.Sequential([layers.Input((4,)), layers.Dense(3, activation="softmax")])
    options = {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]} | options
    model.compile("sgd", "sparse_categorical_crossentropy", **options)
    return model


def batches(*arrays):
    return [tuple(a[part] for a in arrays) for part in PARTS]


class Loader:
    """Like the data loader of PyTorch, whose batches are lists of tensors."""

    def __init__(self, *arrays):
        self.arrays = arrays

    def __len__(self):
        return len(PARTS)

    def __iter__(self):
        return ([Foreign(a) for a in batch] for batch in batches(*self.arrays))


Loader.__module__, Loader.__name__ = "torch.utils.data.dataloader", "DataLoader"


class Foreign:
    """Like a tensor of PyTorch on a GPU, which tracks gradients."""

    def __init__(self, array, at="cuda"):
        self.array, self.at, self.shape = array, at, array.shape

    def detach(self):
        return Foreign(self.array, "detached")

    def cpu(self):
        assert self.at == "detached"
        return Foreign(self.array, "cpu")

    def __array__(self, dtype=None, copy=None):
        assert self.at == "cpu"
        return self.array


class Endless:
    """Like a data set of TensorFlow that repeats: its length raises TypeError."""

    def __init__(self, *arrays):
        self.arrays = arrays

    def __len__(self):
        raise TypeError("The dataset is infinite.")

    def __iter__(self):
        return itertools.cycle(batches(*self.arrays))


class Some(Endless):
    """Like one of unknown length."""

    def __iter__(self):
        return iter(batches(*self.arrays))


class Made(PyDataset):
    def __init__(self, *arrays, **options):
        super().__init__(**options)
        self.arrays = arrays

    def __len__(self):
        return len(PARTS)

    def __getitem__(self, index):
        return batches(*self.arrays)[index]


KINDS = {
    "list of batches": lambda *a: iter(batches(*a)),
    "generator": lambda *a: (batch for batch in itertools.cycle(batches(*a))),
    "loader": Loader,
    "unknown length": Some,
    "endless": Endless,
    "PyDataset": Made,
    "threads": lambda *a: Made(*a, workers=3, max_queue_size=2),
}
STEPS = {"generator": 3, "endless": 3}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parts", [(X, Y), (X, Y, W)], ids=["x, y", "x, y, weights"])
def test_batches_of_all_kinds_train_as_arrays_do(kind, parts):
    epochs = 1 if kind == "list of batches" else 3
    options = {"epochs": epochs, "shuffle": False, "verbose": 0}
    model, expected = made(), made()
    arrays = dict(zip(("x", "y", "sample_weight"), parts, strict=False))
    history = expected.fit(
        **arrays, batch_size=4, **options, validation_data=(X, Y), validation_batch_size=4
    )
    found = model.fit(
        KINDS[kind](*parts),
        steps_per_epoch=STEPS.get(kind),
        **options,
        validation_data=KINDS[kind](X, Y) if epochs == 3 else (X, Y),
        validation_steps=STEPS.get(kind),
    )
    for name, values in history.history.items():
        np.testing.assert_allclose(found.history[name], values, rtol=1e-6)
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    data, steps = KINDS[kind](*parts), {"steps": STEPS.get(kind)}
    values = model.evaluate(data, verbose=0, **steps)
    assert values == pytest.approx(expected.evaluate(**arrays, batch_size=4, verbose=0))
    predictions = model.predict(KINDS[kind](*parts), verbose=0, **steps)
    np.testing.assert_array_equal(predictions, expected.predict(X, batch_size=4, verbose=0))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "list of batches"])
def test_class_weights_of_all_kinds(kind):
    model, expected = made(), made()
    options = {"epochs": 2, "shuffle": False, "verbose": 0, "class_weight": CLASSES}
    expected.fit(X, Y, batch_size=4, **options)
    model.fit(KINDS[kind](X, Y), steps_per_epoch=STEPS.get(kind), **options)
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def first_of(batch):
    """The first number of x."""
    x = batch[0] if isinstance(batch, tuple) else batch
    return float(np.asarray(x)[0, 0])


def rows(first, count=1):
    return np.full((count, 1), first, "float32")


@pytest.mark.parametrize(
    "steps, expected",
    [
        (None, [[0, 1, 2]] * 3),
        (2, [[0, 1], [2], [0, 1]]),
        (3, [[0, 1, 2]] * 3),
        (1, [[0], [1], [2]]),
    ],
)
@pytest.mark.filterwarnings("ignore:Your input ran out")
def test_steps_go_on_where_they_stopped(steps, expected):
    x = np.arange(3, dtype="float32")[:, None]
    passes = Passes(Batches(x, batch_size=1), steps)
    assert [list(map(first_of, passes)) for _ in range(3)] == expected


def test_a_pass_after_the_last_batch_begins_anew():
    for data in (Some(rows(1, 12)), Loader(rows(1, 12)), Made(rows(1, 12), workers=2)):
        passes = Passes(source_of(data), 3)
        assert [len(list(passes)) for _ in range(3)] == [3, 3, 3]
        passes.close()


def test_a_generator_that_ends_ends_training_with_a_warning():
    model = made()
    with pytest.warns(UserWarning, match="Your input ran out of data; interrupting training"):
        history = model.fit(iter(batches(X, Y) * 2), epochs=5, steps_per_epoch=4, verbose=0)
    assert history.epoch == [0, 1]
    with pytest.warns(UserWarning, match="input ran out of data"):
        history = model.fit(iter(batches(X, Y)), epochs=5, verbose=0)
    assert history.epoch == [0]
    with pytest.warns(UserWarning, match="input ran out of data"):
        model.evaluate(X, Y, batch_size=5, steps=3, verbose=0)
    with pytest.warns(UserWarning, match="input ran out of data"):
        assert len(model.predict(X, batch_size=5, steps=3, verbose=0)) == 10


def test_the_number_of_steps_is_learned_in_the_first_epoch():
    model, seen = made(), []
    tell = callbacks.LambdaCallback(on_epoch_begin=lambda *_: seen.append(tell.params["steps"]))
    history = model.fit(Some(X, Y), epochs=2, verbose=0, callbacks=[tell])
    assert seen == [None, 3]
    assert history.params["steps"] == 3


def test_steps_per_execution_tells_callbacks_less_often():
    model, seen = made(steps_per_execution=2), []
    look = callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: seen.append(batch),
        on_train_batch_end=lambda batch, logs: seen.append(batch),
        on_test_batch_end=lambda batch, logs: seen.append(("test", batch)),
        on_predict_batch_end=lambda batch, logs: seen.append(len(logs["outputs"])),
    )
    options = {"batch_size": 4, "verbose": 0, "callbacks": [look]}
    model.fit(X, Y, shuffle=False, **options)
    assert seen == [0, 1, 2, 2]
    model.evaluate(X, Y, **options)
    model.predict(X, **options)
    assert seen[4:] == [("test", 1), ("test", 2), 8, 2]
    expected = made()
    expected.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], expected.get_weights()[0])


def test_evaluations_and_predictions_can_be_stopped():
    model = made()

    def stop(batch, logs):
        model.stop_evaluating = model.stop_predicting = True

    look = callbacks.LambdaCallback(on_test_batch_end=stop, on_predict_batch_end=stop)
    assert len(model.predict(X, batch_size=2, verbose=0, callbacks=[look])) == 2
    first = model.evaluate(X[:2], Y[:2], verbose=0)
    assert model.evaluate(X, Y, batch_size=2, verbose=0, callbacks=[look]) == first
    assert len(model.predict(X, batch_size=2, verbose=0)) == 10


# Arrays that lie elsewhere.


class Watched:
    """An array in a file that says what was read of it."""

    def __init__(self, array):
        self.array, self.reads = array, []
        self.shape, self.dtype, self.chunks = array.shape, array.dtype, None

    def __getitem__(self, rows):
        self.reads.append(rows)
        assert isinstance(rows, slice) or (np.diff(rows) > 0).all()
        return self.array[rows]


class Sparse:
    """Like a sparse matrix of SciPy."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def tocsr(self):
        return self

    def toarray(self):
        return self.array

    def __getitem__(self, rows):
        return Sparse(self.array[rows])


class Frame:
    """Like a DataFrame or a Series of pandas."""

    def __init__(self, array):
        self.array = array

    def to_numpy(self):
        return self.array


def in_hdf5(array, folder):
    file = h5py.File(folder / f"{array.dtype}.h5", "w")
    return file.create_dataset("data", data=array, chunks=(3, *array.shape[1:]))


def mapped(array, folder):
    saved = np.memmap(folder / f"{array.dtype}.bin", array.dtype, "w+", shape=array.shape)
    saved[:] = array
    return saved


STORED = {
    "HDF5": in_hdf5,
    "memory map": mapped,
    "slices": lambda array, _: Watched(array),
    "sparse": lambda array, _: Sparse(array) if array.ndim == 2 else array,
    "frame": lambda array, _: Frame(array),
    "tensors": lambda array, _: Foreign(array),
}


@pytest.mark.parametrize("kind", STORED)
@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_arrays_that_lie_elsewhere_train_as_others_do(kind, shuffle, tmp_path):
    x, y = (STORED[kind](a.astype(t), tmp_path) for a, t in ((X, "float64"), (Y, "int64")))
    model, expected = made(), made()
    options = {"epochs": 2, "batch_size": 4, "shuffle": shuffle, "verbose": 0}
    for validation in ({"validation_split": 0.3}, {"class_weight": CLASSES}):
        layerkit.utils.set_random_seed(4)
        history = expected.fit(X, Y, **options, **validation).history
        layerkit.utils.set_random_seed(4)
        assert model.fit(x, y, **options, **validation).history == history
        for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected.predict(X, verbose=0))


def test_files_are_read_batch_by_batch():
    x = Watched(X)
    list(Batches(x, batch_size=4))
    assert x.reads == [slice(0, 4), slice(4, 8), slice(8, 10)]
    x.reads.clear()
    order = np.concatenate([np.asarray(b)[:, 0] for b in Batches(x, batch_size=4, shuffle=True)])
    assert sorted(order) == sorted(X[:, 0]) and not np.array_equal(order, X[:, 0])
    assert [len(read) for read in x.reads] == [4, 4, 2]


def test_parts_of_stored_rows():
    stored = as_rows(Watched(np.arange(10.0)[:, None]))
    assert isinstance(stored, StoredRows) and stored.dtype == K.floatx() and len(stored) == 10
    part = stored.part(slice(3, 8)).part(slice(1, None))
    assert part.shape == (4, 1)
    assert part[:2].ravel().tolist() == [4, 5]
    assert part[np.array([3, 0, 2])].ravel().tolist() == [7, 4, 6]


def test_a_column_of_a_frame_is_a_column():
    assert Batches(Frame(X[:, 0])).take(slice(0, 3)).shape == (3, 1)


def test_shuffling_within_batches():
    layerkit.utils.set_random_seed(1)
    x = np.arange(10, dtype="float32")
    found = [np.asarray(b).tolist() for b in Batches(x, batch_size=4, shuffle="batch")]
    assert [sorted(b) for b in found] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert found[0] != [0, 1, 2, 3] or found[1] != [4, 5, 6, 7]


# PyDatasets.


def test_a_py_dataset_is_told_of_epochs_and_may_change_between_them():
    class Growing(Made):
        told = ()

        def on_epoch_begin(self):
            self.told += ("begin",)

        def on_epoch_end(self):
            self.told += ("end",)
            self.arrays = (self.arrays[0] + 1,)

    data = Growing(np.zeros((12, 1), "float32"), workers=2)
    passes = Passes(source_of(data))
    found = [list(map(first_of, passes)) for _ in range(2)]
    assert found == [[0, 0, 0], [1, 1, 1]]
    assert data.told == ("begin", "end") * 2


def test_batches_are_shuffled_as_wholes():
    layerkit.utils.set_random_seed(0)
    data = Made(np.repeat(np.arange(3.0), 4)[:, None])
    passes = Passes(source_of(data, shuffle=True))
    found = [list(map(first_of, passes)) for _ in range(8)]
    assert all(sorted(p) == [0, 1, 2] for p in found) and len(set(map(tuple, found))) > 2


def test_threads_prepare_batches_ahead_and_in_order():
    running, most = set(), []

    class Slow(Made):
        def __getitem__(self, index):
            running.add(threading.get_ident())
            most.append(index)
            time.sleep(0.001 * (index % 3))
            return (rows(index),)

        def __len__(self):
            return 12

    batches = iter(source_of(Slow(workers=3, max_queue_size=4)))
    first = next(batches)
    assert first_of(first) == 0
    assert max(most) <= 5
    found = list(map(first_of, batches))
    assert found == list(range(1, 12))
    assert threading.get_ident() not in running


def test_threads_end_with_the_pass():
    class Endless(Made):
        num_batches = None

        def __getitem__(self, index):
            return (rows(index),)

    passes = Passes(source_of(Endless(workers=2)), 4)
    before = threading.active_count()
    found = [list(map(first_of, passes)) for _ in range(2)]
    assert found == [[0, 1, 2, 3], [4, 5, 6, 7]]
    passes.close()
    assert threading.active_count() <= before
    assert list(map(first_of, passes)) == [0, 1, 2, 3]
    passes.close()


def test_an_error_in_a_worker_is_raised():
    class Broken(Made):
        def __getitem__(self, index):
            raise KeyError("broken")

    for workers in 1, 2:
        with pytest.raises(KeyError, match="broken"):
            list(source_of(Broken(workers=workers)))


@pytest.mark.filterwarnings("ignore:This process")  # is multi-threaded, use of fork
def test_processes_prepare_batches_too():
    data = source_of(Numbered(workers=2, use_multiprocessing=True))
    found = [np.asarray(x).tolist() for (x,) in data]
    assert [x[0][0] for x in found] == [0, 1, 2, 3, 4]
    assert all(x[0][1] == 1 for x in found)  # in another process


def test_a_py_dataset_by_hand():
    data = Made(X, Y)
    assert len(list(data)) == 3
    np.testing.assert_array_equal(list(data)[1][1], Y[4:8])
    assert layerkit.utils.Sequence is PyDataset


def test_a_py_dataset_without_super_is_warned_of():
    class Forgetful(Made):
        def __init__(self):
            self.arrays = (X, Y)

    with pytest.warns(UserWarning, match=r"should call `super\(\).__init__\(\*\*kwargs\)`"):
        assert len(list(source_of(Forgetful()))) == 3


# What is refused.


class Lengthless(PyDataset):
    def __getitem__(self, index):
        return (X,)


REFUSED = {
    "targets": (
        lambda: source_of(iter([]), Y),
        "When providing `x` as a generator, `y` should not be passed. Instead, the targets should",
    ),
    "weights": (
        lambda: source_of(Made(X), sample_weight=W),
        "When providing `x` as a PyDataset, `sample_weight` should not be passed. Instead, the "
        "sample weights should be included as part of the PyDataset",
    ),
    "loader": (lambda: source_of(Loader(X), Y), "`x` as a torch DataLoader, `y` should not"),
    "batch size": (lambda: source_of(Made(X), batch_size=3), "`batch_size` should not be passed"),
    "shuffle": (lambda: source_of(Made(X), shuffle="batch"), "shuffle='batch' is for arrays"),
    "no tuple": (
        lambda: list(source_of(iter([[X, Y]]))),
        "it must give tuples, either (input,) or (inputs, targets) or (inputs, targets, "
        "sample_weights). Received a list",
    ),
    "four": (lambda: list(source_of(iter([(X, Y, W, W)]))), "Received a tuple of 4"),
    "empty": (lambda: source_of(iter([])).sample(True), "Received an empty generator"),
    "no batches": (lambda: made().predict(iter([]), verbose=0), "no batch came"),
    "no length": (lambda: source_of(Lengthless()), "implement `__len__()` or the property"),
    "both weights": (
        lambda: list(source_of(iter(batches(X, Y, W)), class_weight=CLASSES)),
        "`class_weight` and `sample_weight` together",
    ),
    "no labels": (
        lambda: list(source_of(iter(batches(X)), class_weight=CLASSES)),
        "one array of labels `y`; received none",
    ),
    "labels": (lambda: Stream(iter([]), {"a": 1}), "weight of each label"),
    "labels by number": (lambda: source_of(Made(X, Y), class_weight=[1.0]), "of each label"),
    "two outputs": (
        lambda: Batches(X, [Y, Y], class_weight=CLASSES),
        "`class_weight` is only supported for Models with a single output",
    ),
    "weights by output": (
        lambda: Batches(X, [Y, Y], [W]),
        "You should provide one `sample_weight` array per output in `y`",
    ),
    "weights of two axes": (
        lambda: Batches(X, [Y, Y], np.ones((10, 2))),
        "it should only have one scalar score per sample (i.e. shape `(num_samples,)`); received "
        "shape (10, 2)",
    ),
    "split": (
        lambda: made().fit(Made(X, Y), validation_split=0.5),
        "`validation_split` is only supported for tensors or NumPy arrays. Found incompatible "
        "type in the input: Made",
    ),
    "steps": (
        lambda: made().fit(X, Y, steps_per_epoch=0),
        "`steps_per_epoch` must be a positive integer",
    ),
    "validation steps": (
        lambda: made().fit(X, Y, validation_data=(X, Y), validation_steps=0),
        "`validation_steps` must be a positive integer",
    ),
    "validation steps alone": (
        lambda: made().fit(X, Y, validation_steps=2),
        "`validation_steps` needs `validation_data`",
    ),
    "no data": (lambda: made().fit(), "`x` is None"),
    "a string": (lambda: made().fit("data.csv"), "Unrecognized data type"),
    "no end": (lambda: made().fit(Unending(X, Y)), "has no end: give `steps_per_epoch`"),
    "NaN": (
        lambda: made().fit(iter([(X * np.nan, Y)]), verbose=0),
        "`x` contains NaN: 40 of 40 values",
    ),
    "shape": (
        lambda: made().fit(iter([(X[:, :3], Y)]), verbose=0),
        "(These are the shapes of the first batch.)",
    ),
    "executions": (lambda: made(steps_per_execution=0), "`steps_per_execution` must be a pos"),
    "four parts": (lambda: unpack_x_y_sample_weight((1, 2, 3, 4)), "found a tuple of 4"),
}


class Unending(Made):
    num_batches = None


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    act, words = REFUSED[case]
    with pytest.raises((ValueError, NotImplementedError)) as caught:
        act()
    assert words in str(caught.value)


def test_packing():
    assert pack_x_y_sample_weight(1) == 1
    assert pack_x_y_sample_weight([1, 2]) == ([1, 2],)
    assert pack_x_y_sample_weight(1, 2) == (1, 2)
    assert pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    for data, expected in (
        (1, (1, None, None)),
        ((1,), (1, None, None)),
        ([1, 2], (1, 2, None)),
        ((1, 2, 3), (1, 2, 3)),
    ):
        assert unpack_x_y_sample_weight(data) == expected


def test_none_among_the_targets_and_weights():
    batch = Batches(X, [None, Y], [None, W], batch_size=4).take(slice(0, 2))
    assert batch[1][0] is None and batch[2][0] is None
    np.testing.assert_array_equal(np.asarray(batch[2][1]), W[:2])


def test_inputs_by_name_from_a_generator():
    class Sum(layerkit.Model):
        def __init__(self):
            super().__init__()
            self.layer = layers.Dense(1)

        def call(self, inputs):
            return self.layer(inputs["a"]) + inputs["b"]

    model = Sum()
    model.compile("sgd", "mse")
    data = {"a": X, "b": X[:, :1]}
    generated = model.evaluate(iter([(data, X[:, 1:2])]), verbose=0)
    assert generated == pytest.approx(model.evaluate(data, X[:, 1:2], verbose=0))


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_the_bar_counts_steps_where_nobody_knows_how_many_there_are(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stdout", Terminal())
    made().fit(Some(X, Y), epochs=2, verbose=1)
    first, second, _ = sys.stdout.getvalue().split("\n")
    assert re.match(
        r"Epoch 1/2 3 steps, 00:00, +[\d.]+k? steps/s, accuracy: ", first.split("\r")[-1]
    )
    assert re.match(r"Epoch 2/2 100%\|█{7}\| 00:00, .* steps/s, accuracy", second.split("\r")[-1])


def test_a_callback_may_say_where_to_resume():
    model = made()

    def resume(logs):
        model._initial_epoch = 2

    history = model.fit(
        X, Y, epochs=4, verbose=0, callbacks=[callbacks.LambdaCallback(on_train_begin=resume)]
    )
    assert history.epoch == [2, 3]


@pytest.fixture
def limits():
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    yield
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)


def test_settings_limit_epochs_and_steps(limits):
    model = layerkit.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y, seen = np.ones((10, 2), "float32"), np.ones((10, 1), "float32"), []
    count = layerkit.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, logs: seen.append(step)
    )
    with pytest.warns(UserWarning, match="Limiting (epochs to 2|steps_per_epoch to 3)") as told:
        model.fit(x, y, batch_size=1, epochs=5, verbose=0, callbacks=[count])
    assert len(told) == 2 and seen == [0, 1, 2] * 2
    with pytest.warns(UserWarning, match="Limiting steps to 3"):
        assert len(model.predict(x, batch_size=2, verbose=0)) == 6
    model.fit(x, y, batch_size=5, epochs=2, verbose=0)  # which stays below
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (2, 3)
