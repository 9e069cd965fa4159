"""benchmarks/cpu.py without its peers: its quick form, what it records, and what it writes."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import layerkit
from layerkit.datasets import mnist

pytestmark = pytest.mark.numpy_only("speed on the CPU")

PARAMETERS = {
    "logistic": 7_850,
    "mlp": 492_910,
    "modern": 888_135,
    "cnn": 819_557,
    "convnet": 34_826,
    "text": 2_691_713,
    "resnet": 4_938,  # with the statistics of two normalizations
}


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")


def part(name):
    return importlib.import_module(name)


@pytest.fixture
def cpu():
    return part("cpu")


def lacks(workload):
    return workload == "text" and not hasattr(layerkit.layers, "LSTM")


def test_the_quick_form_measures_everything(cpu, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "1024")
    assert cpu.main(["--quick", "--output", str(tmp_path)]) == 0
    said = capfd.readouterr().out
    assert re.search(r"taken out of the environment: OPENBLAS_L2_SIZE", said)
    results = json.loads((tmp_path / "quick.json").read_text())
    about = results["machine"]["frameworks"]["layerkit"]
    assert about["versions"] == {"layerkit": layerkit.__version__, "numpy": np.__version__}
    assert about["installed MB"] > 30 and about["threads"] >= 1
    parts = results["parts"]
    assert list(parts) == list(cpu.PARTS)
    for name in PARAMETERS:
        measured = parts[name]["layerkit"]
        if lacks(name):
            assert measured == {"missing": "layerkit has no layers.LSTM"}
            continue
        assert measured["fit"][0]["samples/s"] > 0 and measured["fit"][0]["loss"] > 0
        assert measured["predict"][0]["rows/s"] > 0
    assert list(parts["imports"]) == ["numpy", "layerkit"]
    assert parts["starts"]["layerkit"]["seconds"][0] > 0
    single = parts["single"]["layerkit"]
    assert single["predict"][0]["us"] > 0 and single["call"][0]["us"] > 0
    table = (tmp_path / "quick.md").read_text()
    assert table in said and "| resnet (64) |" in table and "| import, ms |" in table
    if importlib.util.find_spec("matplotlib"):
        assert (tmp_path / "quick.svg").read_text().startswith("<?xml")
    else:
        assert "no picture: matplotlib is not installed" in said


def test_where_the_time_of_a_step_goes():
    script = Path(__file__).parents[1] / "benchmarks" / "steps.py"
    command = [sys.executable, str(script), "cnn", "--samples", "50"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0] == f"cnn, backend '{os.environ['LAYERKIT_BACKEND']}'"
    found = {line[:26].strip(): line.split()[-4:] for line in said[1:]}
    assert found["dropout_mask"][0] == "4.0" and found["conv_kernel_grad"][0] == "3.0"
    times = [float(milliseconds) for _, _, milliseconds, _ in found.values()]
    assert list(found)[-2:] == ["the rest", "a step"] and len(found) > 8
    assert sum(times[:-1]) == pytest.approx(times[-1], abs=0.02)


@pytest.mark.parametrize("name", PARAMETERS)
def test_models_are_what_they_are_in_every_framework(name):
    workloads = part("peers.workloads")
    work = workloads.WORKLOADS[name]
    x, y = workloads.data(name, 3)
    assert x.shape == (3, *work.shape) and y.shape == (3,)
    if importlib.util.find_spec("torch"):
        module = part("peers.torch_models").TorchModel(name).module
        extra = {"text": 4 * 128, "resnet": -4 * 16}.get(name, 0)  # two biases; statistics
        assert sum(p.numel() for p in module.parameters()) == PARAMETERS[name] + extra
    if lacks(name):
        with pytest.raises(workloads.Missing, match="^layerkit has no layers.LSTM$"):
            workloads.keras_like(layerkit, name)
        return
    model = workloads.keras_like(layerkit, name)
    assert model.count_params() == PARAMETERS[name]
    assert type(model.optimizer).__name__ == work.optimizer[0]
    assert model.predict(x, verbose=0).shape == (3, work.classes)


def test_digits_are_real_and_repeated():
    workloads = part("peers.workloads")
    (digits, labels), _ = mnist.load_sample()
    x, y = workloads.data("cnn", 10_001)
    np.testing.assert_array_equal(x[:8000, ..., 0], digits / np.float32(255))
    np.testing.assert_array_equal(y[:8000], labels)
    np.testing.assert_array_equal(x[10_000], x[0])
    ids, sides = workloads.data("text", 500)
    assert ids.min() >= 0 and 19_000 < ids.max() < 20_000 and set(sides) == {0, 1}


def test_samples_are_whole_batches(cpu):
    assert cpu.Settings().samples_of("cnn") == part("peers.workloads").WORKLOADS["cnn"].samples
    assert cpu.Settings(samples=120).samples_of("cnn") == 100
    assert cpu.QUICK.samples_of("convnet") == 128


class Answering:
    """In the place of a process; dies of the question "die"."""

    def __init__(self, log, name, ready):
        self.log, self.name, self.ready = log, name, ready

    def ask(self, question):
        self.log.append(f"{self.name} {question}")
        if question == "die" and self.name == "b":
            raise part("peers.processes").Died("exit code 9: killed")
        return {"value": len(self.log)}

    def close(self):
        self.log.append(f"{self.name} closed")


def test_turns_go_round_and_a_failure_does_not_end_them(monkeypatch):
    processes, log = part("peers.processes"), []
    monkeypatch.setattr(processes, "PAUSE", 0)

    def fails():
        raise processes.Died("exit code 1: no")

    workers = {name: lambda name=name: Answering(log, name, {}) for name in "ab"}
    workers |= {"c": lambda: Answering(log, "c", {"missing": "LSTM"}), "d": fails}
    results = processes.in_turn(workers, ["go", "die"], 2)
    assert log[:6] == ["a go", "b go", "a die", "b die", "a go", "a die"]
    assert sorted(log[6:]) == ["a closed", "b closed", "c closed"]
    assert results["a"] == {"go": [{"value": 1}, {"value": 5}], "die": [{"value": 3}, {"value": 6}]}
    assert results["b"] == {"error": "exit code 9: killed"}
    assert results["c"] == {"missing": "LSTM"} and results["d"] == {"error": "exit code 1: no"}


def test_a_process_that_ends_says_why():
    processes = part("peers.processes")
    with pytest.raises(processes.Died, match="^exit code 1: KeyError: 'jump'$"):
        processes.Worker(sys.executable, "layerkit", "jump")
    worker = processes.Worker(sys.executable, "layerkit", "about")
    with pytest.raises(processes.Died, match="^exit code 1: KeyError: 'sing'$"):
        worker.ask("sing")
    worker.close()
    with pytest.raises(processes.Died, match="^import nothing_there: ModuleNotFoundError"):
        processes.importing("nothing_there", sys.executable, "layerkit")
    died = processes.Died("gone")

    def dies():
        raise died

    found = processes.repeated({"a": lambda: {"s": 2.0}, "b": dies}, 2)
    assert found == {"a": {"s": [2.0, 2.0]}, "b": {"error": "gone"}}


def test_children_are_not_slowed_down(monkeypatch):
    processes = part("peers.processes")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    found = processes.environment("keras-jax")
    assert found["KERAS_BACKEND"] == "jax" and found["PATH"] == os.environ["PATH"]
    assert not set(processes.REMOVED) & set(found)


def test_a_peer_that_cannot_be_installed_is_left_out(monkeypatch, tmp_path):
    environments, commands, said = part("peers.environments"), [], []

    def run(*command):
        commands.append(" ".join(command))
        if "jax" in command:
            raise environments.CannotInstall("ERROR: no jax for this system")

    monkeypatch.setattr(environments, "_run", run)
    names = ["layerkit", "keras-jax", "keras-torch", "torch"]
    found, left_out = environments.interpreters(names, tmp_path, said.append)
    assert found["layerkit"] == sys.executable and "keras-jax" not in found
    assert found["torch"] == found["keras-torch"] and str(tmp_path / "torch") in found["torch"]
    assert left_out == {"keras-jax": "ERROR: no jax for this system"}
    assert said[1] == (
        "Keras on JAX is left out, it cannot be installed: ERROR: no jax for this system"
    )
    assert len(commands) == 4 and commands[2] == f"{sys.executable} -m venv {tmp_path / 'torch'}"
    assert commands[3].endswith("-m pip install --quiet keras torch==2.13.0")


def test_a_failed_installation_gives_its_last_line():
    environments = part("peers.environments")
    with pytest.raises(environments.CannotInstall, match="^the last$"):
        environments._run(sys.executable, "-c", "raise SystemExit('first\\nthe last')")


def results(frameworks, parts):
    about = {"versions": {"numpy": "2.4"}, "installed MB": 91.6}
    return {
        "settings": {"epochs": 3, "rounds": 2},
        "left out": {},
        "machine": {
            "cpu": "Abacus",
            "cores": 2,
            "system": "Linux",
            "removed": ["OPENBLAS_CORETYPE"],
            "frameworks": dict.fromkeys(frameworks, about),
        },
        "parts": parts,
    }


def speeds(*numbers):
    return {
        "fit": [{"samples/s": n} for n in numbers],
        "predict": [{"rows/s": 10 * n} for n in numbers],
    }


PARTS = {
    "imports": {
        "numpy": {"ms": [50.0], "MB": [27]},
        "layerkit": {"ms": [60.0], "MB": [30]},
        "torch": {"ms": [1200.0], "MB": [240]},
    },
    "mlp": {
        "layerkit": speeds(200, 100, 400),
        "keras-jax": speeds(400),
        "torch": speeds(100),
    },
    "text": {
        "layerkit": {"missing": "layerkit has no layers.LSTM"},
        "keras-jax": {"error": "exit code 1: boom"},
        "torch": speeds(7.123),
    },
    "resnet": {"layerkit": speeds(2000), "keras-jax": speeds(1000), "torch": speeds(500)},
}
TRAINING = """
| workload (batch) | layerkit | Keras on JAX | PyTorch | layerkit / best peer |
| --- | ---: | ---: | ---: | ---: |
| mlp (50) | 200 | 400 | 100 | 0.50 |
| text (32) | missing | failed | 7.12 |  |
| resnet (64) | 2,000 | 1,000 | 500 | 2.00 |
| layerkit / this one, geometric mean | 1.00 | 1.00 | 2.83 | 1.00 |
"""
COSTS = """
|  | numpy | layerkit | Keras on JAX | PyTorch | layerkit / best peer |
| --- | ---: | ---: | ---: | ---: | ---: |
| import, ms | 50 | 60 |  | 1,200 | 0.05 |
| import, most memory, MB | 27 | 30 |  | 240 | 0.12 |
| installed with all it needs, MB |  | 91.6 | 91.6 | 91.6 | 1.00 |

- text, layerkit: layerkit has no layers.LSTM
- text, Keras on JAX: exit code 1: boom
"""


def test_the_table_has_every_framework_and_what_failed(tmp_path):
    report = part("peers.report")
    made = results(["layerkit", "keras-jax", "torch"], PARTS)
    text = report.tables(made)
    assert TRAINING in text and text.endswith(COSTS)
    assert "- Abacus, 2 cores; Linux\n" in text
    assert "- taken out of the environment: OPENBLAS_CORETYPE\n" in text
    assert "- medians of 3 epochs in turn, of 2 whole processes\n" in text
    made["left out"] = {"torch": "no room"}
    assert "could not be installed: PyTorch: no room\n" in report.tables(made)
    assert report.draw(results(["layerkit"], {}), tmp_path / "x.svg").startswith("no picture")


def test_layerkit_with_numba_has_a_column_and_ratios_of_its_own():
    parts = {
        "mlp": {"layerkit": speeds(100), "layerkit-numba": speeds(300), "torch": speeds(200)},
        "cnn": {"layerkit": speeds(20), "layerkit-numba": speeds(30), "torch": speeds(20)},
    }
    text = part("peers.report").tables(results(list(parts["mlp"]), parts))
    head = "layerkit | layerkit with numba | PyTorch | layerkit / best peer | layerkit with numba /"
    assert f"| workload (batch) | {head} best peer |" in text
    for row in (
        "| mlp (50) | 100 | 300 | 200 | 0.50 | 1.50 |",
        "| layerkit / this one, geometric mean | 1.00 | 0.47 | 0.71 | 0.71 |  |",
        "| layerkit with numba / this one, geometric mean | 2.12 | 1.00 | 1.50 |  | 1.50 |",
    ):
        assert row in text
    environment = part("peers.processes").environment
    assert environment("layerkit")["LAYERKIT_BACKEND"] == "numpy"
    assert environment("layerkit-numba")["LAYERKIT_BACKEND"] == "numba"


def test_a_picture_needs_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = part("peers.report").draw(results(["layerkit", "torch"], PARTS), tmp_path / "x.svg")
    assert said == 'no picture: matplotlib is not installed (pip install "layerkit[plot]")'
    assert not list(tmp_path.iterdir())


def test_an_interrupted_run_goes_on_under_the_same_conditions(cpu, tmp_path, monkeypatch):
    monkeypatch.setattr(cpu, "PARTS", {n: lambda p, s, n=n: {"layerkit": n} for n in "abc"})
    begun = results(["layerkit"], {"a": {"layerkit": "before"}})
    file = tmp_path / "cpu.json"
    file.write_text(json.dumps(begun))
    found = cpu.resumed(file, results(["layerkit"], {}))
    cpu.measure(found, ["a", "b"], {}, cpu.Settings(), file)
    parts = json.loads(file.read_text())["parts"]
    assert parts == {"a": {"layerkit": "before"}, "b": {"layerkit": "b"}}
    other = begun | {"settings": {"epochs": 9}}
    with pytest.raises(SystemExit, match="--resume needs the conditions.*now it is.*Start anew"):
        cpu.resumed(file, other)


def test_installed_files_are_those_of_what_is_needed():
    worker = part("peers.worker")
    assert worker.needed(("layerkit",)) >= {"layerkit", "numpy", "h5py", "tqdm", "threadpoolctl"}
    assert "pytest" not in worker.needed(("layerkit", "no-such-package"))
    names = {path.name for path in worker.files(("layerkit",))}
    assert {"numpy_backend.py", "mnist_sample.npz", "sequential.py"} <= names


def test_failures_are_found_at_any_depth(cpu):
    assert cpu.failed({"parts": {"mlp": {"torch": {"error": "no"}}}})
    assert not cpu.failed({"parts": {"text": {"layerkit": {"missing": "LSTM"}}}})
    assert dataclasses.asdict(cpu.QUICK)["epochs"] == 1
