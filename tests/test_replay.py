"""Recorded steps: what a replay does again, what it follows, and what cannot be recorded.

The stand-in for CuPy computes nothing while it captures, and refuses what CuPy refuses.
"""

from __future__ import annotations

import numpy as np
import pytest
from fakes import strict_cupy

from layerkit import backend as K
from layerkit.backend import Tensor, Variable, cupy_graph, decided, each_step, per_step
from layerkit.backend.random import global_generator
from layerkit.backend.replay import NotReplayable, Rehearsal, Replay

pytestmark = pytest.mark.numpy_only("these tests bring a device of their own")


@pytest.fixture(autouse=True)
def on_the_device(device):
    """Arrays are born on it."""
    K.set_backend("device")


def batch(*numbers):
    return K.convert_to_tensor(np.array(numbers, "float32"))


def recorded(function, *inputs, variables=()):
    return Replay(function, inputs, variables, K.get_backend("device"))


def test_recording_computes_nothing_and_a_replay_everything(device):
    total = Variable(batch(1.0, 2.0))

    def step(inputs):
        x, options = inputs
        total.assign_add(x)
        return {"twice": options["y"] * 2.0, "total": total}

    inputs = batch(1.0, 1.0), {"y": batch(5.0, 6.0)}
    replay = recorded(step, *inputs)
    np.testing.assert_array_equal(total.numpy(), [1, 2])
    array, version = total.array, total.version
    with strict_cupy.no_syncs(device.xp):
        logs = replay(inputs)
        again = replay((batch(10.0, 20.0), {"y": batch(7.0, 8.0)}))
    assert again is logs and logs["total"] is total
    np.testing.assert_array_equal(total.numpy(), [12, 23])
    np.testing.assert_array_equal(logs["twice"].numpy(), [14, 16])
    assert total.array is array and total.version == version + 2
    assert device.xp.journal.launches.count("graph of 3 operations") == 2


def test_variables_that_somebody_assigned_are_followed():
    """Those that are given, those that are only read, and those that are only written."""
    given, read, written = (Variable(batch(n)) for n in (1.0, 2.0, 3.0))

    def step(inputs):
        given.array += inputs[0].array
        given.version += 1
        written.assign(read * 10.0)
        return read + given

    replay = recorded(step, batch(1.0), variables=[given])
    np.testing.assert_array_equal(replay([batch(1.0)]).numpy(), [4])
    assert (given.numpy(), written.numpy()) == (2, 20)
    for variable, value in ((given, 100.0), (read, 7.0), (written, 0.0)):
        variable.assign([value])
    np.testing.assert_array_equal(replay([batch(1.0)]).numpy(), [108])
    assert (given.numpy(), written.numpy()) == (101, 70)
    assert read.version == 0 and given.version == 2


def test_the_host_contributes_in_order_and_once_a_replay():
    host, seen = {"step": 0}, []

    def count():
        host["step"] += 1

    def step(inputs):
        before = per_step(lambda: seen.append("number") or host["step"], "int32")
        each_step(lambda: seen.append("act") or count())
        pair = per_step(lambda: (host["step"] / 4, -1.0), "float64", 2)
        return Tensor(before * inputs[0].array), Tensor(pair[0] + 0), Tensor(pair[1] + 0)

    replay = recorded(step, batch(1.0, 2.0))
    assert not seen and host["step"] == 0
    for n in range(40):  # more often than there are copies on the way
        first, second, third = replay([batch(1.0, 2.0)])
        np.testing.assert_array_equal(first.numpy(), [n, 2 * n])
        assert (float(second), float(third)) == ((n + 1) / 4, -1)
    assert seen == ["number", "act"] * 40


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64", "uint64"])
def test_many_numbers_of_any_dtype(dtype, monkeypatch):
    monkeypatch.setattr(cupy_graph, "_SLOTS", 4)
    host = {"start": 0}

    def step(inputs):
        numbers = [per_step(lambda i=i: host["start"] + i, dtype) for i in range(11)]
        return [Tensor(number.copy()) for number in numbers]

    replay = recorded(step, batch(0.0))
    for start in (5, 2**64 - 100 if dtype == "uint64" else 70):
        host["start"] = start
        found = [int(x) for x in replay([batch(0.0)])]
        assert found == [start + i for i in range(11)]


def test_without_a_recorder_functions_are_just_called():
    assert per_step(lambda: 3, "int32") == 3 and decided(lambda: "so") == "so"
    called = []
    each_step(lambda: called.append(1))
    assert called == [1]


def test_a_rehearsal_knows_when_the_host_would_decide_otherwise():
    host = {"due": False, "acts": 0}

    def step(x):
        host["acts"] += per_step(lambda: 1, "int32")
        each_step(lambda: host.update(acts=host["acts"] + 1))
        return x if decided(lambda: host["due"]) else -x

    rehearsal = Rehearsal()
    assert rehearsal.holds() and rehearsal.run(step, 5) == -5 and host["acts"] == 2
    assert rehearsal.holds()
    host["due"] = True
    assert not rehearsal.holds()
    assert rehearsal.run(step, 5) == 5 and rehearsal.holds()


def test_dropout_draws_what_it_would_have_drawn():
    """Of a generator, of the global one, and of a fixed seed; seeds may be set in between."""
    x = K.ones((50,))

    def step(inputs):
        return [K.dropout(inputs[0], 0.5, seed=seed) for seed in (generator, None, 7)]

    def masks(run):
        K.set_random_seed(3)
        generator.state = 2**100 + 1, 5
        found = [[m.numpy() for m in run([x])] for _ in range(3)]
        K.set_random_seed(4)
        return [*found, [m.numpy() for m in run([x])]], generator.state

    generator = K.SeedGenerator(1)
    replay = recorded(step, x)
    assert generator.state == (1, 0)
    (expected, state), (found, same) = masks(step), masks(replay)
    assert state == same == (2**100 + 1, 9)
    np.testing.assert_array_equal(found, expected)
    assert (found[0][0] != found[1][0]).any() and (found[2][1] != found[3][1]).any()


def nested(x):
    return float(x.sum())


REFUSED = {
    "a wait": (lambda x: x * nested(x), r"synchronous.*\(test_replay.py:\d+, in nested: return"),
    "a copy from the host": (lambda x: x + np.ones(1, "float32"), r"synchronous.*in <lambda>: "),
    "random numbers": (
        lambda x: x + K.random_normal((1,)),
        r"Only the host can do this: drawing random numbers.*\(test_replay.py:",
    ),
    "a number as result": (
        lambda x: {"loss": x, "rate": 0.5},
        r"Results must be tensors of the device.*Received 0.5 among \['loss', 'rate'\]",
    ),
    "a result on the host": (
        lambda x: [Tensor(np.ones(1))],
        r"Results must be tensors of the device.*<Tensor .*among list",
    ),
    "a variable of the host": (
        lambda x: ON_HOST.assign_add(1.0) and x,
        r"'counter' lives on the host and was assigned.*each_step\(function\)",
    ),
}
ON_HOST = Variable(Tensor(np.zeros(1)), name="counter")


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_recorded_leaves_all_as_it_was(device, name):
    function, message = REFUSED[name]
    state, ON_HOST.array = Variable(batch(1.0)), np.zeros(1)
    seed = K.SeedGenerator(2)
    K.random_normal((1,))  # makes the global generator
    stream = device.xp.cuda.get_current_stream()

    def step(inputs):
        state.assign_add(inputs[0])
        each_step(lambda: state.assign_add([1.0]))
        x = K.dropout(inputs[0], 0.5, seed=seed)
        return function(x)

    x = batch(2.0)
    array, global_state, used = state.array, global_generator().state, device.xp._machine.used_bytes
    with pytest.raises(NotReplayable, match=message):
        recorded(step, x, variables=[state])
    assert state.array is array and state.version == 0 and state.numpy() == 1
    assert seed.state == (2, 0) and global_generator().state == global_state
    assert ON_HOST.numpy() == 0
    assert device.xp.cuda.get_current_stream() == stream
    assert device.xp._machine.recording is None
    assert device.xp._machine.used_bytes == used
    assert step([x]) is not None  # and runs as it is


def test_batches_of_another_backend_are_brought():
    replay = recorded(lambda inputs: inputs[0] * 2.0, batch(1.0))
    assert replay([Tensor(np.array([4.0], "float32"))]).numpy() == 8


def test_a_backend_that_cannot_replay_says_so():
    with pytest.raises(NotImplementedError, match="'numpy' cannot record work and replay it"):
        Replay(lambda x: x, [], [], K.get_backend("numpy"))
    assert not K.get_backend("numpy").can_replay and K.get_backend("device").can_replay


def test_more_launches_than_copies_in_flight_wait_for_the_oldest(device, monkeypatch):
    replay = recorded(lambda x: Tensor(per_step(lambda: 1.0, "float32") + 0), batch(0.0))
    monkeypatch.setattr(device.xp.cuda.Event, "done", False)
    for _ in range(cupy_graph._RING):
        replay([batch(0.0)])
    assert not device.xp.journal.syncs
    replay([batch(0.0)])
    assert len(device.xp.journal.syncs) == 1


def test_what_is_captured_has_memory_of_its_own(device):
    pools = [device.xp.cuda.get_allocator()]
    for _ in range(2):
        recorded(lambda inputs: pools.append(device.xp.cuda.get_allocator()), batch(1.0))
    assert pools[0] != pools[1] != pools[2] != pools[0]
    assert device.xp.cuda.get_allocator() == pools[0]
