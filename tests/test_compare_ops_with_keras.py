"""A few random calls and trainings in real Keras and here: the scripts in tests/golden, shortly.

They need real Keras, with JAX, in an environment of their own: see tests/golden/compare_*.py.
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def installed(name: str) -> bool:
    """Whether the package itself is there: `import keras` may give layerkit, by another name."""
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


pytestmark = [
    pytest.mark.numpy_only("Keras computes on the host"),
    pytest.mark.skipif(not (installed("keras") and installed("jax")), reason="needs real Keras"),
]


@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ("compare_ops_with_keras.py", "add,where,sum,softmax,conv,fmin,tree.map_structure"),
        ("compare_training_with_keras.py", "losses.B,metrics.F,optimizers.A,fit.dense"),
    ],
)
def test_random_calls_give_what_keras_gives(script: str, rows: str):
    done = subprocess.run(
        [sys.executable, GOLDEN / script, "--only", rows, "--rounds", "2"],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
