"""A process that measures one framework: `python -m peers.worker JOB FRAMEWORK [ARGUMENT...]`.

It answers once when it is ready, then each line of its standard input: names of what the job can
do. Answers are lines of JSON; what frameworks print goes to standard error.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import frameworks, memory
from .workloads import WORKLOADS, Missing, data

Answers = dict[str, Callable[[], dict]]
PREDICT_BATCH = 1000
LONGEST = 30.0  # seconds of calls in which a leak of memory is looked for


def train(framework: str, workload: str, samples: str, rows: str) -> Answers:
    """Samples a second while training, after a first pass over the data; rows a second, predicted.

    `samples`: in a pass; `rows`: to predict.
    """
    work = WORKLOADS[workload]
    model = frameworks.model(framework, workload)
    x, y = data(workload, int(samples))
    more, _ = data(workload, int(rows))

    def fit(passes: int = work.passes) -> dict:
        start = time.perf_counter()
        loss = model.fit(x, y, work.batch_size, passes)
        return {"samples/s": passes * len(x) / (time.perf_counter() - start), "loss": loss}

    def predict() -> dict:
        start = time.perf_counter()
        model.predict(more, PREDICT_BATCH)
        return {"rows/s": len(more) / (time.perf_counter() - start)}

    fit(1)
    predict()
    return {"fit": fit, "predict": predict}


def start(framework: str, samples: str) -> Answers:
    """A first epoch of the MLP; how long that took is for the parent process to say."""
    model = frameworks.model(framework, "mlp")
    model.fit(*data("mlp", int(samples)), WORKLOADS["mlp"].batch_size, 1)
    return {"memory": lambda: {"MB": memory.peak()}}


def single(framework: str, calls: str) -> Answers:
    """Microseconds of predicting one digit with the MLP, and what `calls` of that leave behind."""
    model = frameworks.model(framework, "mlp")
    x, _ = data("mlp", 1)

    def predict() -> Any:
        return model.predict(x, 1)

    def growth() -> dict:
        before, made = memory.now(), 0
        began = time.perf_counter()
        while made < int(calls) and time.perf_counter() - began < LONGEST:
            predict()
            made += 1
        after = memory.now()
        if before is None or after is None:
            return {"missing": "the system does not say how much memory a process has"}
        return {"MB": after - before, "calls": made}

    # Not more calls than `calls`, so that a short run is short.
    most = min(50, int(calls))
    for call in predict, lambda: model(x):
        microseconds(call, most)
    return {
        "predict": lambda: {"us": microseconds(predict, most)},
        "call": lambda: {"us": microseconds(lambda: model(x), most)},
        "growth": growth,
    }


def microseconds(call: Callable[[], Any], times: int) -> float:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begin) * 1e6)
    return statistics.median(taken)


def about(framework: str) -> Answers:
    """Versions, megabytes on disk, and threads of the libraries that are loaded, where known."""
    packages = frameworks.FRAMEWORKS[framework].packages
    found: dict[str, Any] = {
        "versions": {name: metadata.version(name) for name in (*packages, "numpy")},
        "installed MB": sum(path.stat().st_size for path in files(packages)) / 1e6,
    }
    if framework in frameworks.OURS:
        from threadpoolctl import threadpool_info

        from layerkit.backend import threads

        keys = ("internal_api", "version", "architecture", "num_threads", "threading_layer")
        found["libraries"] = [{k: i[k] for k in keys if k in i} for i in threadpool_info()]
        found["threads"] = threads.count()
    return {"about": lambda: found}


def files(packages: tuple[str, ...]) -> set[Path]:
    """The files of `packages` and of all that they need."""
    found = {
        Path(str(file.locate())).resolve()
        for package in needed(packages)
        for file in metadata.files(package) or ()
    }
    if "layerkit" in packages:  # installed from a checkout, it has its files there
        for part in "layerkit", "layerkit.backend", "layerkit.datasets", "layerkit.applications":
            spec = find_spec(part)
            if spec and spec.origin:
                found |= {path.resolve() for path in Path(spec.origin).parent.rglob("*")}
    return {path for path in found if path.is_file()}


def needed(packages: tuple[str, ...]) -> set[str]:
    """Names of `packages` and of what they require, extras left out, as far as it is installed."""
    found: set[str] = set()
    waiting = list(packages)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # meant for another system
            continue
        if name not in found:
            found.add(name)
            waiting += [re.split(r"[^\w.-]", r)[0] for r in requires if "extra ==" not in r]
    return found


JOBS = {job.__name__: job for job in (train, start, single, about)}


def main() -> None:
    job, *arguments = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for answer in session(JOBS[job], arguments, sys.stdin):
        print(json.dumps(answer), file=answers, flush=True)


def session(job: Callable[..., Answers], arguments: list[str], lines: Any) -> Iterator[dict]:
    try:
        answers = job(*arguments)
    except Missing as missing:
        yield {"missing": str(missing)}
        return
    yield {}
    for line in lines:
        yield answers[line.strip()]()


if __name__ == "__main__":
    main()
