"""benchmarks/gpu.py without a GPU: its way out, its guards, its steps over a stand-in for CuPy."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
from pathlib import Path

import cuda_emulator
import pytest
from fakes import strict_cupy
from fakes.device import strict_cupy_backend

from layerkit import backend as K
from layerkit.backend import registry
from layerkit.backend.cudnn_layout import Unsupported
from layerkit.backend.cupy_backend import CupyBackend
from layerkit.backend.engines import Engines
from layerkit.backend.nvidia import CupyDevice, Flags


@pytest.fixture
def script(monkeypatch):
    """The script as a module; the backends it starts or sets are forgotten afterwards."""
    for name in ("_loaded", "_makers"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    monkeypatch.setattr(registry, "_default", registry._default)
    monkeypatch.setattr(registry, "one_home", registry.one_home)
    path = Path(__file__).parents[1] / "benchmarks" / "gpu.py"
    monkeypatch.syspath_prepend(path.parent)
    spec = importlib.util.spec_from_file_location("gpu_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def gpu():
    if not cuda_emulator.available:
        pytest.skip("needs g++")
    cp = strict_cupy.make()
    cp.set_executor(cuda_emulator.run)
    K.register_backend("strict", CupyBackend(cp))
    return K.get_backend("strict")


def test_without_a_gpu_it_says_so_and_writes_nothing(script, monkeypatch, capsys, tmp_path):
    registry._loaded.pop("cupy", None)
    registry._makers.pop("cupy", None)
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--output", str(tmp_path / "gpu.json")])
    assert script.main() == 2
    said = capsys.readouterr().err
    assert said.startswith("There is no GPU to measure here, nothing was run. The backend 'cupy'")
    assert not list(tmp_path.iterdir())


def test_a_failure_is_recorded_and_the_rest_goes_on(script, tmp_path, capsys):
    def bad(gpu):
        raise ZeroDivisionError("of a step")

    def good(gpu):
        return {"gpu": gpu, "part": {"fine": 1}}

    output = tmp_path / "results" / "gpu.json"
    results = script.run_steps([bad, good], "device", output)
    assert json.loads(output.read_text()) == results
    assert results["bad"]["error"] == "ZeroDivisionError: of a step"
    assert "test_gpu_benchmark.py" in results["bad"]["where"]
    assert results["good"]["part"] == {"fine": 1} and results["good"]["gpu"] == "device"
    assert script.has_error(results) and not script.has_error(results["good"])
    assert "with errors" in capsys.readouterr().out


def test_no_step_begins_too_late(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "BUDGET", -1)
    results = script.run_steps([script.machine], None, tmp_path / "gpu.json")
    assert results["machine"]["skipped"] == "no time was left"


def test_models_are_timed(script, monkeypatch):
    monkeypatch.setattr(script, "BATCHES", 10)
    assert set(script.MODELS) < set(script.WORKLOADS)
    assert script.layerkit_speed("numpy", "logistic")["samples/s"] > 0


def test_operations_are_compared(script, gpu):
    rows = list(script.rows())
    assert len(rows) > 300
    result = script.compare_operation(gpu, rows[0])
    assert set(result) == {"difference", "numpy ms", "cupy ms"} and result["difference"] < 1e-5
    gpu.xp.set_executor(lambda *launch: None)  # now kernels leave poison behind
    row = next(row for row in rows if row.name == "conv2d")
    assert script.compare_operation(gpu, row)["error"] == "NumPy and CuPy do not agree"


def test_products_are_compared(script, gpu, monkeypatch):
    assert "libcublas was not found" in script.products(gpu)["skipped"]
    gpu = strict_cupy_backend()
    gpu.flags = flags = Flags(workspace_limit=1)
    monkeypatch.setattr(script, "PRODUCTS", [(1, 3, 4, 5, True), (2, 3, 4, 5, False)])
    found = script.products(gpu)
    assert len(found) == 6 and not script.has_error(found) and gpu.flags == flags
    assert set(found["1 x 3x4x5, transposed, tf32"]) == {"difference", "cublas ms", "cupy ms"}
    wrong = script.compare_products(gpu, (1, 3, 4, 5, False), "float16", False, -1)
    assert wrong["error"] == "the products do not agree"


class Engine:
    """Computes ones, but not `conv`."""

    def __init__(self, name):
        self.name, self.flags = name, []

    def plan(self, kernel, dtype, shapes, arguments, flags):
        self.flags.append(flags)
        if kernel == "conv":
            raise Unsupported("conv")
        return lambda a, b: a.dtype.type(1) + 0 * a


def test_engines_are_compared(script, monkeypatch):
    gpu = strict_cupy_backend()  # with a cuBLAS, without which there is no TF32
    found = Engine("cudnn graph"), Engine("cudnn")
    gpu._engines = Engines(found, CupyDevice(gpu.xp))
    monkeypatch.setattr(script, "torch_on_gpu", lambda: False)
    monkeypatch.setattr(script, "CONVOLUTIONS", [(2, 5, 2, 3, 3, 2)])
    result = script.convolutions(gpu)
    assert len(result) == 2 * len(script.KERNELS)
    engines = ["im2col"]
    for name in "cudnn graph", "cudnn":
        engines += [name, f"{name} tf32", f"{name} deterministic"]
    for case, entries in result.items():
        assert list(entries) == engines and not script.has_error(entries["im2col"])
        assert entries["im2col"]["difference"] == 0 and entries["im2col"]["ms"] > 0
        for name, entry in entries.items():
            plans = name != "im2col" and not case.startswith("conv ")
            by = "cudnn graph" if "graph" in name else "cudnn"
            assert entry["by"] == (by if plans else "own")
            assert (entry["difference"] > 0) == plans
    given = [Flags(), Flags(tf32=True), Flags(deterministic=True)] * 6
    assert found[0].flags == found[1].flags == given
    assert gpu.engines == ("cudnn graph", "cudnn") and gpu.flags == Flags()


def test_an_engine_that_fails_is_recorded(script, gpu):
    engines = {
        "im2col": lambda *a: script.ours(gpu, (), None, *a),
        "none": lambda *a: (_ for _ in ()).throw(KeyError("absent")),
    }
    for kernel in script.KERNELS:
        result = script.compare_engines(engines, kernel, 2, 5, 2, 3, 3, 2, "float32")
        assert result["im2col"]["difference"] == 0 and result["im2col"]["by"] == "own"
        assert result["none"]["error"] == "KeyError: 'absent'"


def test_feeding_is_timed_in_each_way(script, gpu, monkeypatch):
    monkeypatch.setattr(script, "BATCHES", 2)
    small = dataclasses.replace(script.WORKLOADS["logistic"], batch_size=3)
    monkeypatch.setitem(script.WORKLOADS, "mlp", small)
    result = script.feeding(gpu)
    assert len(result) == 6 and not script.has_error(result)
    assert all(entry["ms"] > 0 for entry in result.values())
    assert "feeder" not in vars(gpu)
    monkeypatch.setitem(script.FEEDS, "plain", None)
    assert "not callable" in script.feeding(gpu)["plain, uint8"]["error"]


def test_replayed_steps_are_compared(script, monkeypatch):
    K.register_backend("strict", strict_cupy_backend())
    gpu, logistic = K.get_backend("strict"), script.WORKLOADS["logistic"]
    monkeypatch.setattr(script, "BATCHES", 3)
    few = dataclasses.replace(logistic, batch_size=4)
    monkeypatch.setitem(script.WORKLOADS, "logistic", few)
    monkeypatch.setattr(script, "MODELS", ("logistic",))
    result = script.replay(gpu)["logistic"]
    assert result["difference of losses"] == 0
    assert result["eager/s"] > 0 and result["replayed/s"] > 0 and "error" not in result
    assert any("graph of" in launch for launch in gpu.xp.journal.launches)
    monkeypatch.setattr(script, "difference", lambda a, b: float("nan"))
    assert script.replay(gpu)["logistic"]["error"] == "the losses do not agree"
