"""The pool of threads: the parts, their order, exceptions, BLAS's threads given back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from layerkit.backend import threads


def blas_threads() -> list[int]:
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


@pytest.fixture
def four_threads(monkeypatch):
    monkeypatch.setenv("LAYERKIT_THREADS", "4")
    threads.count.cache_clear()
    yield
    threads.count.cache_clear()


def test_parts_cover_all_samples_and_are_worth_a_thread(four_threads):
    parts = threads.split(10, 10**9)
    assert [list(range(10))[part] for part in parts] == [[0, 1], [2, 3, 4], [5, 6], [7, 8, 9]]
    assert threads.split(3, 10**9) == [slice(0, 1), slice(1, 2), slice(2, 3)]
    assert threads.split(10, 1000) == [slice(0, 10)]
    assert threads.split(0, 10**9) == [slice(0, 0)]


def test_results_come_in_the_order_of_the_parts(four_threads):
    x = np.arange(1000.0)
    sums = threads.run(lambda part: (part.start, x[part].sum()), threads.split(1000, 10**9))
    assert [start for start, _ in sums] == [0, 250, 500, 750]
    assert sum(total for _, total in sums) == x.sum()


@pytest.mark.parametrize(
    "before, after", [(0.0, 0.0), (0.02, 0.0), (0.0, 0.02)], ids=["at once", "given late", "early"]
)
def test_a_signal_reaches_who_waits_awake_or_asleep_and_is_taken_away(before, after):
    signal, seen = threads._Signal(np.zeros(64, np.int64)), []

    def wait():
        time.sleep(after)
        for turn in range(3):
            signal.wait()
            seen.append(turn)
            taken.release()

    taken = threading.Semaphore(0)
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    for turn in range(3):
        time.sleep(before)
        assert seen == list(range(turn))  # nothing goes on without a signal
        signal.give()
        assert taken.acquire(timeout=60)
    thread.join(60)
    assert seen == [0, 1, 2] and not thread.is_alive()


def test_an_exception_in_a_part_reaches_the_caller_and_blas_is_restored(four_threads):
    before = blas_threads()

    def fail(part):
        if part.start:
            raise KeyError("in a part")

    with pytest.raises(KeyError, match="in a part"):
        threads.run(fail, threads.split(8, 10**9))
    assert blas_threads() == before


def test_blas_has_one_thread_inside_and_its_own_again_outside():
    before = blas_threads()
    with threads.blas_on_one_thread():
        assert set(blas_threads()) <= {1}
        with threads.blas_on_one_thread():
            assert set(blas_threads()) <= {1}
        assert set(blas_threads()) <= {1}
    assert blas_threads() == before


def test_a_wrong_number_of_threads_is_told():
    result = subprocess.run(
        [sys.executable, "-c", "from layerkit.backend import threads; threads.count()"],
        env={**os.environ, "LAYERKIT_THREADS": "many"},
        capture_output=True,
        text=True,
    )
    assert "LAYERKIT_THREADS must be a positive integer; received 'many'" in result.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_gets_threads_of_its_own():
    code = (
        "import os; from layerkit.backend import threads; parts = threads.split(8, 10**9);"
        "threads.run(lambda p: p, parts); pid = os.fork();"
        "ok = threads.run(lambda p: p, parts) == parts;"
        "os._exit(not ok) if pid == 0 else print(os.waitpid(pid, 0)[1])"
    )
    env = {**os.environ, "LAYERKIT_THREADS": "2"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60
    )
    assert result.stdout == "0\n", result.stderr


def test_a_pool_that_was_interrupted_is_left_behind(four_threads, monkeypatch):
    parts, finish = threads.split(8, 10**9), threads._Worker.finish

    def interrupted(worker):
        raise KeyboardInterrupt

    monkeypatch.setattr(threads._Worker, "finish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        threads.run(lambda part: part, parts)
    monkeypatch.setattr(threads._Worker, "finish", finish)
    for _ in range(3):
        assert threads.run(lambda part: part, parts) == parts


def test_parts_heed_the_errstate_of_the_caller(four_threads):
    with np.errstate(over="ignore"):
        threads.run(lambda part: np.exp(np.float32([1000])), threads.split(8, 10**9))
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        threads.run(lambda part: np.exp(np.float32([1000])), threads.split(8, 10**9))


def test_a_part_stays_on_its_thread_and_a_busy_pool_is_not_waited_for(four_threads):
    parts = threads.split(8, 10**9)

    def inner(part):
        return threading.current_thread().name

    def outer(part):
        return inner(part), threads.run(inner, parts)

    for _ in range(3):
        names = threads.run(outer, parts)
        assert [own for own, _ in names] == ["MainThread", *(f"layerkit-{i}" for i in (1, 2, 3))]
        assert all(set(within) == {own} for own, within in names)
