"""How fast layerkit is on this CPU beside its peers: `python benchmarks/cpu.py`.

layerkit as it is installed and with numba, Keras on TensorFlow, on JAX and on PyTorch, and plain
PyTorch, the others each in an environment that is made for it (some gigabytes, once). The same
models on the same data, in processes of their own that take turns. Takes about 15 minutes on two
cores; writes cpu.json after each part, and at the end a table, cpu.md, and, where matplotlib is
installed, a picture, cpu.svg. `--resume` goes on with what an interrupted run, or one of some parts
(`--only`), has measured under the same conditions.

Exit code: 0 where all went well, 1 where something failed.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from peers import environments, report
from peers.frameworks import FRAMEWORKS, OURS, PEERS
from peers.processes import REMOVED, Worker, importing, in_turn, repeated, starting
from peers.workloads import WORKLOADS

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Settings:
    """How much is measured; None is each workload's own number."""

    epochs: int = 5
    rounds: int = 5
    samples: int | None = None
    rows: int | None = None
    calls: int = 10_000

    def samples_of(self, workload: str) -> int:
        """Whole batches, at least one."""
        work = WORKLOADS[workload]
        batches = (self.samples or work.samples) // work.batch_size
        return max(1, batches) * work.batch_size


AMOUNTS = {
    "epochs": "timed turns in which each framework trains and predicts, after one to warm up",
    "rounds": "whole processes, of which imports and first epochs are medians",
    "samples": "rows of training data, instead of each workload's own number",
    "rows": "rows to predict, instead of each workload's own number",
    "calls": "predictions of one row, before and after which memory is measured",
}
QUICK = Settings(epochs=1, rounds=1, samples=1, rows=20, calls=5)


def main(arguments: Sequence[str] | None = None) -> int:
    args = _arguments(arguments)
    settings = QUICK if args.quick else Settings()
    given = {name: getattr(args, name) for name in AMOUNTS}
    settings = replace(settings, **{k: v for k, v in given.items() if v is not None})
    whole = "cpu" if args.resume or not args.only else "part"
    output = args.output / ("quick.json" if args.quick else f"{whole}.json")
    names = ["layerkit"] if args.quick else [*OURS, *args.peers]
    pythons, left_out = environments.interpreters(names, args.environments, print)
    about = machine(pythons)
    begun = {"settings": asdict(settings), "left out": left_out, "machine": about, "parts": {}}
    if args.resume and output.exists():
        begun = resumed(output, begun)
    for line in report.conditions(begun):
        print(line)
    results = measure(begun, args.only or list(PARTS), pythons, settings, output)
    tables = report.tables(results)
    print(tables)
    output.with_suffix(".md").write_text(tables)
    print(report.draw(results, output.with_suffix(".svg")))
    print(f"written: {output}, {output.with_suffix('.md')}")
    return 1 if failed(results) else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add, only = parser.add_argument, f"of {', '.join(PARTS)}; written to part.json, not to cpu.json"
    add("--peers", nargs="*", choices=PEERS, default=PEERS, metavar="PEER", help=", ".join(PEERS))
    add("--only", nargs="+", choices=PARTS, metavar="PART", help=only)
    for name, text in AMOUNTS.items():
        add(f"--{name}", type=int, help=text)
    add("--environments", type=Path, default=environments.DEFAULT, help="the peers' folder")
    add("--output", type=Path, default=RESULTS, help="the folder for the results")
    add("--resume", action="store_true", help="go on with cpu.json, part by part")
    add("--quick", action="store_true", help="layerkit alone, as little as possible: does it run?")
    return parser.parse_args(arguments)


def resumed(output: Path, begun: dict) -> dict:
    """The interrupted run in the file; an error where it was under other conditions."""
    found = json.loads(output.read_text())
    for key in begun.keys() - {"parts"}:
        if found[key] != begun[key]:
            raise SystemExit(
                f"--resume needs the conditions of the run that it goes on with. {output} has "
                f"{key} {found[key]}; now it is {begun[key]}. Start anew, without --resume."
            )
    return found


def measure(
    results: dict, parts: Sequence[str], pythons: dict, settings: Settings, output: Path
) -> dict:
    """`results` with the parts that it lacks; the file is written after each."""
    output.parent.mkdir(parents=True, exist_ok=True)
    for name in parts:
        if name not in results["parts"]:
            print(f"measuring: {name}", flush=True)
            results["parts"][name] = PARTS[name](pythons, settings)
            output.write_text(json.dumps(results, indent=1) + "\n")
    return results


def failed(result: Any) -> bool:
    return isinstance(result, dict) and ("error" in result or any(map(failed, result.values())))


# Parts: functions of the frameworks' interpreters and the settings


def imports(pythons: dict[str, str], settings: Settings) -> dict:
    runs: dict[str, Callable[[], dict[str, float]]] = {
        name: functools.partial(importing, FRAMEWORKS[name].module, python, name)
        for name, python in pythons.items()
    }
    runs = {"numpy": functools.partial(importing, "numpy", sys.executable, "layerkit")} | runs
    repeated(runs, 1)  # compiled files are written, the system's cache is filled
    return repeated(runs, settings.rounds)


def starts(pythons: dict[str, str], settings: Settings) -> dict:
    samples = settings.samples_of("mlp")
    runs: dict[str, Callable[[], dict[str, float]]] = {
        name: functools.partial(starting, python, name, samples) for name, python in pythons.items()
    }
    return repeated(runs, settings.rounds)


def single(pythons: dict[str, str], settings: Settings) -> dict:
    workers = each(pythons, "single", settings.calls)
    times = in_turn(workers, ["predict", "call"], settings.epochs)
    growth = in_turn(workers, ["growth"], 1)
    return {name: times[name] | growth[name] for name in pythons}


def training(workload: str, pythons: dict[str, str], settings: Settings) -> dict:
    rows = settings.rows or WORKLOADS[workload].rows
    workers = each(pythons, "train", workload, settings.samples_of(workload), rows)
    return in_turn(workers, ["fit", "predict"], settings.epochs)


def each(pythons: dict[str, str], job: str, *arguments: object) -> dict[str, Callable[[], Worker]]:
    return {
        name: functools.partial(Worker, python, name, job, *arguments)
        for name, python in pythons.items()
    }


PARTS: dict[str, Callable[[dict[str, str], Settings], dict]] = {
    "imports": imports,
    "starts": starts,
    "single": single,
}
PARTS |= {workload: functools.partial(training, workload) for workload in WORKLOADS}


def machine(pythons: dict[str, str]) -> dict:
    """What this runs on, and what each framework is made of."""
    found = in_turn(each(pythons, "about"), ["about"], 1)
    return {
        "cpu": _cpu_model(),
        "cores": _cores(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "removed": [name for name in REMOVED if name in os.environ],
        "frameworks": {n: a["about"][0] if "about" in a else a for n, a in found.items()},
    }


def _cores() -> int | None:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


if __name__ == "__main__":
    sys.exit(main())
