"""Processes that measure, seen from the one that asks them in turn.

They get this process's environment variables, without those that slow OpenBLAS down on processors
it would recognize by itself, and without the one that keeps compiled files from being written.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from .frameworks import FRAMEWORKS

FOLDER = Path(__file__).parents[1]
REMOVED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")
PAUSE = 0.05  # seconds between turns, in which threads of the last one stop waiting for work


class Died(Exception):
    """With the last line of what the process said."""


def environment(framework: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in REMOVED}
    return kept | dict(FRAMEWORKS[framework].variables)


class Worker:
    """A `peers.worker` of a framework; `seconds` is how long it took until it was ready."""

    def __init__(self, python: str, framework: str, job: str, *arguments: object):
        self.said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (see close)
        start = time.perf_counter()
        self.process = subprocess.Popen(
            [python, "-m", "peers.worker", job, framework, *map(str, arguments)],
            cwd=FOLDER,
            env=environment(framework),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
        )
        try:
            self.ready = self._answer()
        except BaseException:
            self.close()
            raise
        self.seconds = time.perf_counter() - start

    def ask(self, question: str) -> dict[str, Any]:
        """The answer; Died if there is none."""
        with suppress(BrokenPipeError):  # `_answer` tells what it said
            print(question, file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.said.seek(0)
        said = self.said.read().strip().splitlines()
        raise Died(f"exit code {code}: {said[-1] if said else 'nothing was said'}")

    def close(self) -> None:
        """End the process: it has nothing to lose."""
        self.process.kill()
        self.process.communicate()
        self.said.close()


def in_turn(
    workers: dict[str, Callable[[], Worker]], questions: Sequence[str], rounds: int
) -> dict[str, dict[str, Any]]:
    """By framework, then question, the list of answers; {"error" or "missing": why} instead.

    Round after round each worker has its turn with each question, so that what else the machine
    does hits all alike.
    """
    results: dict[str, dict[str, Any]] = {}
    ready: dict[str, Worker] = {}
    with ExitStack() as stack:
        for name, make in workers.items():
            try:
                worker = make()
            except Died as error:
                results[name] = {"error": str(error)}
                continue
            stack.callback(worker.close)
            results[name] = worker.ready or {question: [] for question in questions}
            if not worker.ready:
                ready[name] = worker
        for question in list(questions) * rounds:
            for name, worker in list(ready.items()):
                time.sleep(PAUSE)
                try:
                    results[name][question].append(worker.ask(question))
                except Died as error:
                    results[name] = {"error": str(error)}
                    del ready[name]
    return results


def repeated(
    runs: dict[str, Callable[[], dict[str, float]]], rounds: int
) -> dict[str, dict[str, Any]]:
    """By name, the list of each number that its run gives; {"error": why} instead. In turn, too."""
    results: dict[str, dict[str, Any]] = {name: {} for name in runs}
    for name in list(runs) * rounds:
        if "error" not in results[name]:
            try:
                for key, value in runs[name]().items():
                    results[name].setdefault(key, []).append(value)
            except Died as error:
                results[name] = {"error": str(error)}
    return results


def importing(module: str, python: str, framework: str) -> dict[str, float]:
    """Milliseconds and megabytes of `import module`; the time of a bare process is taken off."""
    bare, _ = _whole_process("sys", python, framework)
    milliseconds, peak = _whole_process(module, python, framework)
    return {"ms": milliseconds - bare, "MB": peak}


def _whole_process(module: str, python: str, framework: str) -> tuple[float, float]:
    start = time.perf_counter()
    done = subprocess.run(
        [python, "-c", f"import {module}\nfrom peers import memory\nprint(memory.peak())"],
        cwd=FOLDER,
        env=environment(framework),
        capture_output=True,
        text=True,
    )
    milliseconds = (time.perf_counter() - start) * 1000
    if done.returncode:
        raise Died(f"import {module}: {done.stderr.strip().splitlines()[-1]}")
    return milliseconds, float(done.stdout.split()[-1])


def starting(python: str, framework: str, samples: int) -> dict[str, float]:
    """Seconds from starting Python to the end of a first epoch, and the most memory of it."""
    worker = Worker(python, framework, "start", samples)
    try:
        return {"seconds": worker.seconds, "MB": worker.ask("memory")["MB"]}
    finally:
        worker.close()
