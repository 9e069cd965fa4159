"""A few random configurations in real Keras and in layerkit, where real Keras is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

import pytest
from tables.known_differences import reason
from tables.random_layers import GENERATORS, drawn

SCRIPT = Path(__file__).parent / "golden" / "compare_layers_with_keras.py"
ENGINE = next((name for name in ("torch", "jax") if util.find_spec(name)), None)


def has_keras() -> bool:
    """Whether real Keras 3 is installed, which `install_as_keras` does not change."""
    try:
        return metadata.version("keras").startswith("3.") and ENGINE is not None
    except metadata.PackageNotFoundError:
        return False


@pytest.mark.numpy_only("a process of its own")
@pytest.mark.skipif(not has_keras(), reason="real Keras 3 with PyTorch or JAX is not installed")
def test_random_configurations_are_those_of_keras():
    only = [
        word for name in ("Dense", "Concatenate", "Flatten", "graph") for word in ("--only", name)
    ]
    command = [sys.executable, str(SCRIPT), "--seed", "4", "--rounds", "1", *only]
    environment = {**os.environ, "KERAS_BACKEND": str(ENGINE)}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", GENERATORS)
def test_cases_are_drawn_from_their_seed_alone(name: str):
    first = [str(drawn(name, seed)) for seed in range(3)]
    assert first == [str(drawn(name, seed)) for seed in range(3)] and len(set(first)) > 1


def test_known_differences_have_reasons():
    line = "accepted, in Keras TypeError: 'int' object is not iterable"
    assert reason("Reshape", "Reshape(target_shape=2)", line) == "an int is a shape of one axis"
    assert reason("Dense", "Dense(units=2)", "outputs [0]: values differ") is None
