"""Every test starts from the same seed, names and settings, whatever ran before it.

The backend is NumPy's, unless LAYERKIT_TEST_BACKEND names another, 'numba' for one.
LAYERKIT_TEST_BACKEND=strict-cupy runs the suite over the CuPy backend without a GPU: CuPy is a
strict stand-in (`fakes.strict_cupy`), which refuses what the real one refuses, and kernels run on
the CPU (`cuda_emulator`), or as the reference where g++ is absent. Tests that are about NumPy
itself carry the mark `numpy_only` and are skipped then.
"""

from __future__ import annotations

import os

# Before NumPy is imported: processes side by side, each with threads on all cores, only wait.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
import tqdm  # noqa: F401  it reads the environment once, which some tests change
from fakes import strict_cupy
from fakes.device import strict_cupy_backend

import layerkit
from layerkit import backend as K
from layerkit.backend import registry

BACKEND = os.environ.get("LAYERKIT_TEST_BACKEND", "numpy")
STRICT_CUPY = BACKEND == "strict-cupy"


if STRICT_CUPY:
    K.register_backend("cupy", strict_cupy_backend())
K.set_backend("cupy" if STRICT_CUPY else BACKEND)
os.environ["LAYERKIT_BACKEND"] = "numpy" if STRICT_CUPY else BACKEND  # of child processes


def pytest_configure(config):
    config.addinivalue_line("markers", "numpy_only(reason): about NumPy, not about any backend")


def pytest_collection_modifyitems(items):
    for item in items if STRICT_CUPY else ():
        mark = item.get_closest_marker("numpy_only")
        if mark is not None:
            item.add_marker(pytest.mark.skip(reason=f"NumPy only: {mark.args[0]}"))


@pytest.fixture(autouse=True)
def fresh_session():
    layerkit.utils.clear_session()
    layerkit.utils.set_random_seed(0)
    default = K.backend()
    floatx, epsilon, layout = K.floatx(), K.epsilon(), K.image_data_format()
    yield
    K.set_backend(default)
    K.set_floatx(floatx)
    K.set_epsilon(epsilon)
    K.set_image_data_format(layout)


@pytest.fixture
def device(monkeypatch):
    """A device of its own for a test, the backend 'device'; the default is NumPy.

    Whether its streams waited for each other is checked at the end.
    """
    for name in ("_loaded", "_makers"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    for name in ("_default", "one_home"):
        monkeypatch.setattr(registry, name, getattr(registry, name))
    K.register_backend("device", strict_cupy_backend())
    backend = K.get_backend("device")
    K.set_backend("numpy")
    yield backend
    strict_cupy.check_order(backend.xp)
