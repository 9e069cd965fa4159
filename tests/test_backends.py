"""Every backend against the conformance suite; the suite against wrong backends; the registry."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cuda_emulator
import numpy as np
import pytest
from fakes import strict_cupy

from layerkit import backend as K
from layerkit.backend import registry, testing
from layerkit.backend.cudnn_layout import Unsupported
from layerkit.backend.cupy_backend import CupyBackend
from layerkit.backend.engines import Engines
from layerkit.backend.numpy_backend import NumpyBackend
from layerkit.backend.nvidia import CupyDevice, Flags
from layerkit.backend.testing import check_backend


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """What a test registers or sets is forgotten afterwards."""
    monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))
    monkeypatch.setattr(registry, "_makers", dict(registry._makers))
    monkeypatch.setattr(registry, "_default", registry._default)
    monkeypatch.setattr(registry, "one_home", registry.one_home)


def can_start(name: str) -> bool:
    try:
        K.get_backend(name)
    except (ImportError, RuntimeError):
        return False
    return True


@pytest.mark.parametrize("name", K.available_backends())
def test_every_backend_that_can_start_here(name):
    if not can_start(name):
        pytest.skip(f"the backend '{name}' cannot start here")
    assert f"Backend '{name}': " in check_backend(name)


@pytest.mark.skipif(not cuda_emulator.available, reason="needs g++")
def test_cupy_over_the_strict_fake():
    cp = strict_cupy.make()
    cp.set_executor(cuda_emulator.run)
    K.register_backend("strict", CupyBackend(cp))
    check_backend("strict")
    assert len(set(cp.journal.launches)) > 15  # the kernels, not the reference over CuPy


def test_the_reference_itself():
    K.register_backend("reference", testing.Reference)
    check_backend("reference")


class Wrong(NumpyBackend):
    """Each kernel has another mistake, one that is easily made."""

    def matmul(self, a, b, out=None):
        return super().matmul(a, b.reshape(len(b), -1) if b.ndim == 1 else b, out)

    def feeder(self, arrays, batch_size):
        epoch = super().feeder(arrays, batch_size)
        return lambda order: epoch(None)

    def conv_bias_activation(self, x, w, *rest):
        return super().conv_bias_activation(x, w, *rest) * x.dtype.type(1.05)

    def sum_rows(self, x):
        return x.sum(axis=0)

    def conv_input_grad(self, g, w, *rest):
        return super().conv_input_grad(g.astype("float64"), w, *rest)

    def conv_kernel_grad(self, x, g, shape, *geometry):
        w = super().conv_kernel_grad(x, g, shape, *geometry)
        x *= 2
        return w

    def max_pool(self, x, window, *rest):
        y, winner = super().max_pool(x, window, *rest)
        return y, np.maximum(winner, 1)

    def sum_pool(self, x, *geometry):
        raise ZeroDivisionError("none")

    def sum_pool_grad(self, g, shape, *geometry):
        return super().sum_pool_grad(g, shape, *geometry)[:1]

    def bias_activation(self, x, bias, activation, out=None):
        return (
            np.tanh(x + bias)
            if activation == "sigmoid"
            else super().bias_activation(x, bias, activation, out)
        )

    def softmax_crossentropy(self, logits, target):
        with np.errstate(all="ignore"):
            p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        return super().softmax_crossentropy(logits, target)[0], p

    def scatter_add(self, like, index, updates):
        out = np.zeros(like.shape, updates.dtype)
        out[index] = updates
        return out

    def dropout_mask(self, key, *rest):
        return super().dropout_mask((*key[:2], key[2] + 1), *rest)

    def fused_update(self, rule, arrays, numbers):
        if rule == "sgd":
            arrays["w"] -= arrays["g"]
        return rule == "sgd"


WRONG = [
    "feeder: 6 of 12 .*\\n  feeder, bool shuffled: the largest difference",
    r"matmul, .*gave shape \(3, 1\) instead of \(3,\)",
    r"^conv: .*\n  conv, \(float16\[.*the largest difference is .*, where it gave .* instead of",
    "conv_input_grad, .*gave float64 instead of float16",
    "conv_kernel_grad, .*wrote into its argument of shape",
    "max_pool, .*the largest difference is",
    r"sum_pool: 24 of|sum_pool, .*raised ZeroDivisionError: none",
    "sum_pool_grad, .*gave shape .* instead of",
    "bias_activation, .*sigmoid.*the largest difference",
    "conv_bias_activation, .*the largest difference",
    r"sum_rows, .*gave shape \(7, 5\) instead of \(5,\)",
    "softmax_crossentropy, .*the largest difference is nan",
    "scatter_add, .*the largest difference",
    "dropout_mask, .*the largest difference is .*allowed: 0",
    "fused_update, sgd .*the largest difference",
    "operation, take: the largest difference",
    "training, two layers, ten steps: the losses",
]


@pytest.fixture(scope="module")
def complaint():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_loaded", dict(registry._loaded))
        patch.setattr(registry, "_makers", {"wrong": Wrong})
        with pytest.raises(AssertionError) as caught:
            check_backend("wrong")
    return str(caught.value)


@pytest.mark.parametrize("message", WRONG)
def test_mistakes_are_found_and_named(complaint, message):
    assert re.search(message, complaint, re.M), complaint


def test_what_is_right_is_not_blamed(complaint):
    assert complaint.startswith("The backend 'wrong' (Wrong) is wrong:")
    assert "bias_activation_grad" not in complaint and "max_pool_grad" not in complaint
    assert "softmax_crossentropy_grad" not in complaint and "transfer" not in complaint


def test_the_default_backend_is_as_before():
    before = registry.default_backend()
    check_backend("numpy")
    assert registry.default_backend() is before


# The registry


def test_a_backend_that_shares_numpys_arrays_computes_while_it_is_the_default():
    K.register_backend("wrong", Wrong)
    x, w = np.ones((1, 3, 3, 1), "float32"), np.ones((2, 2, 1, 1), "float32")
    np.testing.assert_allclose(K.conv(x, w), np.full((1, 2, 2, 1), 4))
    K.set_backend("wrong")
    assert K.backend() == "wrong"
    np.testing.assert_allclose(K.conv(x, w), np.full((1, 2, 2, 1), 4.2), rtol=1e-6)


def test_register_backend():
    made = []

    def make():
        made.append(NumpyBackend())
        return made[-1]

    K.register_backend("mine", make)
    assert "mine" in K.available_backends() and not made
    assert K.get_backend("mine") is K.get_backend("mine") is made[0]
    assert made[0].name == "mine"
    other = NumpyBackend()
    K.register_backend("mine", other)
    assert K.get_backend("mine") is other
    K.register_backend("mine", dict)
    with pytest.raises(TypeError, match="Expected the backend 'mine' to be a Backend; received {}"):
        K.get_backend("mine")


def test_unknown_backend():
    K.register_backend("mine", NumpyBackend)
    with pytest.raises(
        ValueError, match=r"'jx'. Available backends: \['cupy', 'mine', 'numba', 'numpy'.*\]"
    ):
        K.get_backend("jx")


TINY = """
from layerkit.backend.numpy_backend import NumpyBackend


class TinyBackend(NumpyBackend):
    pass


class Unable(NumpyBackend):
    def __init__(self):
        raise RuntimeError("The backend 'unable' needs a unicorn.")
"""
ENTRY_POINTS = """
[layerkit.backends]
tiny = tiny_backend:TinyBackend
absent = tiny_backend_that_is_not_there:Backend
nameless = tiny_backend:Nameless
unable = tiny_backend:Unable
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A folder with a small package, as pip leaves it there."""
    (tmp_path / "tiny_backend.py").write_text(TINY)
    info = tmp_path / "tiny_backend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-backend\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("tiny_backend", None)


def test_an_installed_backend_is_found(installed):
    names = ["absent", "cupy", "nameless", "numba", "numpy", "tiny", "unable"]
    assert K.available_backends() == names
    assert type(K.get_backend("tiny")).__module__ == "tiny_backend"
    assert check_backend("tiny").startswith("Backend 'tiny': ")
    with pytest.raises(ValueError, match=r"\['absent', 'cupy', .*'tiny', 'unable'\]"):
        K.get_backend("jx")


@pytest.mark.parametrize(
    "name, error, message",
    [
        ("absent", ImportError, "No module named 'tiny_backend_that_is_not_there'.*entry point"),
        ("nameless", ImportError, "no attribute 'Nameless'.*'tiny_backend:Nameless'"),
        ("unable", RuntimeError, "needs a unicorn"),
    ],
)
def test_an_installed_backend_that_cannot_start(installed, name, error, message):
    with pytest.raises(error, match=message):
        K.get_backend(name)


def test_the_environment_names_an_installed_backend(installed):
    code = "from layerkit import backend as K; print(K.backend(), K.ones(2) + 1)"
    environment = {"LAYERKIT_BACKEND": "tiny", "PYTHONPATH": str(installed)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert (result.stdout, result.stderr) == ("tiny [2. 2.]\n", "")


# Memory


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_memory_of_numpy():
    """In a process of its own: one that has freed much takes new arrays from that."""
    run = [sys.executable, "-c", MEMORY]
    result = subprocess.run(run, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("", "")


MEMORY = """
import numpy as np
from layerkit import backend as K
before = K.memory_info("numpy")
x = np.ones(8 * 2**20)
after = K.memory_info("numpy")
assert set(after) == {"used", "pooled", "free", "total"}
assert before["used"] + x.nbytes / 2 < after["used"] == after["pooled"], (before, after)
assert 0 < after["free"] <= after["total"]
K.free_memory("numpy")
assert x.all()
"""


def test_memory_without_proc(monkeypatch):
    def absent(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", absent)
    with pytest.raises(NotImplementedError, match="reads Linux's /proc.*psutil"):
        K.memory_info("numpy")


def test_memory_of_a_backend_that_does_not_say():
    K.register_backend("reference", testing.Reference)
    with pytest.raises(NotImplementedError, match="'reference' does not say"):
        K.memory_info("reference")


def test_memory_of_the_default_backend():
    K.register_backend("strict", CupyBackend(strict_cupy.make()))
    K.set_backend("strict")
    x = K.convert_to_tensor([0.0] * 1000)
    assert K.memory_info() == K.memory_info("strict")
    used = K.memory_info()["used"]
    assert used >= 4000
    del x
    K.free_memory()
    assert K.memory_info()["pooled"] <= used


# cuDNN in the CuPy backend


class Engine:
    """Takes the place of an open cuDNN: notes what is asked and answers for float32 alone."""

    def __init__(self, name="cudnn"):
        self.name, self.asked = name, []

    def plan(self, kernel, dtype, shapes, arguments, flags):
        self.asked.append((kernel, *shapes, *arguments))
        if dtype != "float32":
            raise Unsupported("dtype")
        return lambda *given: (kernel, given)


def gpu_with(*engines):
    gpu = CupyBackend(strict_cupy.make())
    gpu._engines = Engines(engines, CupyDevice(gpu.xp))
    return gpu


def test_convolutions_are_cudnns_where_it_has_an_engine():
    engine = Engine()
    gpu = gpu_with(engine)
    x, w, g = (gpu.xp.ones(s, "float32") for s in ((1, 3, 3, 2), (2, 2, 2, 4), (1, 2, 2, 4)))
    geometry = ((1, 1), ((0, 0), (0, 0)), (1, 1), 1)
    assert gpu.conv(x, w, *geometry) == ("conv", (x, w))
    assert gpu.conv_input_grad(g, w, x.shape, *geometry) == ("conv_input_grad", (g, w))
    assert gpu.conv_kernel_grad(x, g, w.shape, *geometry) == ("conv_kernel_grad", (x, g))
    assert engine.asked == [
        ("conv", x.shape, w.shape, *geometry),
        ("conv_input_grad", g.shape, w.shape, x.shape, *geometry),
        ("conv_kernel_grad", x.shape, g.shape, w.shape, *geometry),
    ]
    ones = gpu.xp.ones((1, 3, 3, 2), "int64"), gpu.xp.ones((2, 2, 2, 4), "int64")
    np.testing.assert_array_equal(
        gpu.to_numpy(gpu.conv(*ones, *geometry)), np.full((1, 2, 2, 4), 8)
    )


def test_flags_of_cudnn():
    gpu = CupyBackend(strict_cupy.make())
    assert not gpu.has_cudnn
    with pytest.raises(RuntimeError, match="`flags`.*neither of which is in use.*Install them"):
        gpu.flags = Flags(tf32=True)
    gpu = gpu_with(Engine())
    assert gpu.has_cudnn and not gpu.flags.tf32
    gpu.flags = Flags(deterministic=True)
    assert gpu._engines.flags.deterministic and gpu.flags.deterministic
    with pytest.raises(RuntimeError, match="needs our cuBLAS too, or it would hold for conv"):
        gpu.flags = Flags(tf32=True)
    with pytest.raises(TypeError, match=r"Expected `flags` to be .*Flags\(...\); received True"):
        gpu.flags = True


def test_the_engines_are_named_and_can_be_chosen():
    assert CupyBackend(strict_cupy.make()).engines == ()
    gpu = gpu_with(Engine("cudnn graph"), Engine("cudnn"))
    assert gpu.engines == ("cudnn graph", "cudnn")
    x, w = gpu.xp.ones((1, 3, 3, 2), "float32"), gpu.xp.ones((2, 2, 2, 4), "float32")
    geometry = ((1, 1), ((0, 0), (0, 0)), (1, 1), 1)
    assert gpu.engine_of("conv", x, w, *geometry) == "cudnn graph"
    assert gpu.engine_of("conv", x.astype("int64"), w.astype("int64"), *geometry) == "own"
    gpu.engines = ["cudnn"]
    assert gpu.engine_of("conv", x, w, *geometry) == "cudnn"
    gpu.engines = ()
    assert gpu.engine_of("conv", x, w, *geometry) == "own" and gpu.has_cudnn
    with pytest.raises(ValueError, match=r"those found, .*received \['torch'\]"):
        gpu.engines = ["torch"]
    assert gpu.engines == ()


def test_the_conformance_suite_is_loaded_when_it_is_named():
    code = (
        "import sys, layerkit; name = 'layerkit.backend.testing'; print(name in sys.modules, "
        "layerkit.backend.testing.check_backend.__name__, name in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("False check_backend True\n", "")


def test_what_stays_unimported():
    code = (
        "import sys, layerkit.backend.testing as t; t.registry.get_backend('numpy'); "
        "print(sorted({'pytest', 'importlib.metadata', 'layerkit.backend.cupy_backend'}"
        " & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("[]\n", "")
