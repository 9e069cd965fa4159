"""Every kernel and dtype through NVIDIA's own compilers, for two architectures. Needs no GPU.

For a job of its own: it is skipped unless LAYERKIT_TEST_CUDA_COMPILERS is set, and where neither
nvcc is on the PATH nor CuPy with NVRTC is installed.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess

import pytest

from layerkit.backend.by_value import BY_VALUE
from layerkit.backend.cuda_kernels import KERNELS, TYPES, converters, source

pytestmark = pytest.mark.skipif(
    not os.environ.get("LAYERKIT_TEST_CUDA_COMPILERS"),
    reason="set LAYERKIT_TEST_CUDA_COMPILERS=1 to compile all kernels with nvcc and NVRTC",
)
ARCHITECTURES = pytest.mark.parametrize("architecture", ["80", "90"])


def macros(name):
    """Each way in which the backend fills in what the kernel leaves open."""
    if name.startswith("max_pool"):
        return [{"W": "unsigned char"}, {"W": "int"}]
    if name.startswith("softmax"):
        numbers = {"W": "I64", "TARGET": "A(target[row] == c)"}
        return [numbers, {"W": "T", "TARGET": "A(target[first + c])"}]
    if name.startswith("bias"):
        if name.endswith("grad"):
            return [{"DERIVATIVE": row.cuda_derivative} for row in BY_VALUE.values()]
        return [{"ACTIVATION": row.cuda_value} for row in BY_VALUE.values()]
    return [{}]


def texts(dtype):
    """(name, text) of all kernels over arrays of `dtype`, with numbers given and with held ones."""
    for name, wide in itertools.product(KERNELS, [False, True]):
        scalars = converters(name, dtype, wide)
        numbers = [parameter for parameter, scalar in scalars.items() if scalar]
        for filled, held in itertools.product(macros(name), [[], numbers]):
            yield name, source(name, dtype, wide, held, **filled)


@ARCHITECTURES
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.skipif(not shutil.which("nvcc"), reason="needs nvcc on the PATH")
def test_nvcc(dtype, architecture, tmp_path):
    """All in one file, each in its namespace, for the compiler is slow to start."""
    header = TYPES[dtype][2]
    parts = [f"#include <{header}>"] if header else []
    for index, (_, text) in enumerate(texts(dtype)):
        body = text.replace(f"#include <{header}>", "").replace('extern "C"', "")
        forget = "".join(f"#undef {macro}\n" for macro in ("TARGET", "ACTIVATION", "DERIVATIVE"))
        parts.append(f"namespace kernel{index} {{\n{body}\n}}\n{forget}")
    path = tmp_path / "kernels.cu"
    path.write_text("\n".join(parts))
    command = ["nvcc", "-std=c++17", f"-arch=sm_{architecture}", "-cubin", "-Werror=all-warnings"]
    command += ["-o", str(tmp_path / "kernels.cubin"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@ARCHITECTURES
@pytest.mark.parametrize("dtype", TYPES)
def test_nvrtc(dtype, architecture):
    """As CuPy's RawKernel compiles them; this much of CuPy is private, hence the version."""
    cupy = pytest.importorskip("cupy", minversion="14.2")
    from cupy.cuda import compiler

    options = ("-std=c++17", f"-arch=sm_{architecture}")
    core = pytest.importorskip("cupy._core.core")
    try:
        options += tuple(core.assemble_cupy_compiler_options(()))
        cupy.cuda.nvrtc.getVersion()
    except (RuntimeError, ImportError, AttributeError) as error:
        pytest.skip(f"needs NVRTC and CUDA's headers: {error}")
    for name, text in texts(dtype):
        program = compiler._NVRTCProgram(text, f"{name}.cu", (), (), None, method="cubin")
        program.compile(options, None)
