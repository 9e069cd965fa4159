"""Where a training step's time goes on this CPU: `python benchmarks/steps.py cnn`.

Milliseconds a step in each of the backend's kernels, in the optimizer, and in the rest, which is
Python and what operations compute without a kernel of their own; means of some epochs after one.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import layerkit
from layerkit.backend import Backend, get_backend
from layerkit.optimizers import Optimizer
from peers.workloads import WORKLOADS, data, keras_like

EPOCHS = 3


class Clock:
    """Seconds and calls by name; what is called inside another counts for itself alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self._inside = [0.0]

    def watch(self, owner: Any, name: str) -> None:
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(*args: Any, **options: Any) -> Any:
            self._inside.append(0.0)
            begin = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                taken = time.perf_counter() - begin
                self.seconds[name] += taken - self._inside.pop()
                self.calls[name] += 1
                self._inside[-1] += taken

        setattr(owner, name, timed)


def measure(workload: str, samples: int) -> list[tuple[str, float, float]]:
    """(name, calls a step, milliseconds a step), the longest first; the last are all of it."""
    work, clock = WORKLOADS[workload], Clock()
    x, y = data(workload, samples)
    model = keras_like(layerkit, workload)
    train: Callable[[int], Any] = functools.partial(
        model.fit, x, y, batch_size=work.batch_size, verbose=0
    )
    train(epochs=1)
    kind = type(get_backend(layerkit.backend.backend()))
    for name, kernel in vars(Backend).items():
        if callable(kernel) and name[0] != "_" and name not in ("asarray", "constant", "feeder"):
            clock.watch(kind, name)
    clock.watch(Optimizer, "apply")
    begin = time.perf_counter()
    train(epochs=EPOCHS)
    steps = EPOCHS * -(-samples // work.batch_size)
    whole = (time.perf_counter() - begin) * 1e3 / steps
    rows = [(n, clock.calls[n] / steps, s * 1e3 / steps) for n, s in clock.seconds.items()]
    rows.sort(key=lambda row: -row[2])
    rest = whole - sum(row[2] for row in rows)
    return [*rows, ("the rest", 0, rest), ("a step", 1, whole)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--samples", type=int, default=1000)
    args = parser.parse_args()
    print(f"{args.workload}, backend '{layerkit.backend.backend()}'")
    for name, calls, milliseconds in measure(args.workload, args.samples):
        print(f"{name:26} {calls:5.1f} calls {milliseconds:9.3f} ms")


if __name__ == "__main__":
    main()
