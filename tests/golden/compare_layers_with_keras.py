"""Random configurations of layers and random graphs, in real Keras and in layerkit; compare.

    KERAS_BACKEND=torch python tests/golden/compare_layers_with_keras.py --rounds 20
    KERAS_BACKEND=jax python tests/golden/compare_layers_with_keras.py --only Conv2D --seed 17

Both must be importable: real Keras 3 on JAX or PyTorch, and layerkit. A round draws one case of
every row in `tables/random_layers.py` and one graph of each kind in `tables/random_graphs.py`.
Compared are outputs, their masks, shapes and dtypes, symbolic outputs, gradients, weights before
and after the call, losses, configs, and whether a case is refused. Each difference is printed with
the arguments that make it again. On PyTorch a round takes seconds, on JAX minutes: let the first
find, and the second confirm.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections import Counter
from pathlib import Path

os.environ.setdefault("JAX_ENABLE_X64", "1")  # before JAX is imported: for float64 policies
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables.frameworks import Keras, Layerkit  # noqa: E402
from tables.known_differences import reason  # noqa: E402
from tables.random_graphs import GRAPHS, compare_graphs  # noqa: E402
from tables.random_layers import GENERATORS, drawn  # noqa: E402
from tables.same_facts import differences, facts  # noqa: E402

NAMES = [*GENERATORS, *GRAPHS]


def found(name: str, seed: int) -> tuple[str, list[str]]:
    """What the case is, and how the two frameworks differ in it."""
    if name in GRAPHS:
        return compare_graphs(Keras(), Layerkit(), name, seed)
    case = drawn(name, seed)
    theirs = facts(Keras(), case)
    return str(case), differences(case, theirs, facts(Layerkit(), case))


def compare(names: list[str], seed: int, rounds: int, seen: Counter | None = None) -> list[str]:
    """A text per case in which layerkit differs from Keras, beside the known differences."""
    texts = []
    for at in range(seed, seed + rounds):
        for name in names:
            case, lines = found(name, at)
            unknown = [line for line in lines if reason(name, case, line) is None]
            if seen is not None:
                seen["cases"] += 1
                seen["known differences"] += len(lines) - len(unknown)
            if unknown:
                again = f"--only {name} --seed {at} --rounds 1"
                texts.append("\n  ".join([f"{name}: {again}", case, *unknown]))
    return texts


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    seen: Counter = Counter()
    count = 0
    for at in range(given.seed, given.seed + given.rounds):
        for text in compare(given.only or NAMES, at, 1, seen):
            print(text, flush=True)
            count += 1
    print(f"{count} differ of {seen['cases']}; known differences: {seen['known differences']}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
