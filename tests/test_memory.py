"""Memory that stays with the process while it computes."""

from __future__ import annotations

import resource
import threading

import numpy as np
import pytest

from layerkit.backend import memory


def page_faults(size: int = 2**20) -> int:
    """How many pages had to be filled for arrays of so many floats, one after the other."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        np.ones(size, "float32")
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


class Libc:
    def __init__(self):
        self.calls = []

    def mallopt(self, parameter, value):
        self.calls.append((parameter, value))

    def malloc_trim(self, kept):
        self.calls.append("given back")


@pytest.mark.skipif(memory._glibc() is None, reason="the C library is not glibc")
def test_freed_memory_is_used_again():
    with memory.kept():
        page_faults()
        inside = page_faults()
        page_faults(10 * 2**20)
        large = page_faults(10 * 2**20)
    assert inside < 200 and large < 200  # a 4 MB array has 1024 pages, or two large ones
    page_faults()
    assert page_faults() < 200  # and arrays of the user's own are no worse off afterwards


def test_blocks_inside_others_and_in_other_threads_end_with_the_last(monkeypatch):
    libc = Libc()
    monkeypatch.setattr(memory, "_glibc", lambda: libc)
    of_a_thread = memory.kept()
    with memory.kept():
        assert libc.calls == [(-3, 2**25), (-1, 2**31 - 1), (-4, 0)]
        thread = threading.Thread(target=of_a_thread.__enter__)
        thread.start()
        thread.join()
        with pytest.raises(KeyError), memory.kept():
            raise KeyError
    assert len(libc.calls) == 3  # the thread's has not ended
    of_a_thread.__exit__(None, None, None)
    assert libc.calls[3:] == [(-3, 2**25), (-1, 2**26), (-4, 65536), "given back"]


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    with memory.kept():
        assert np.ones(3).sum() == 3
