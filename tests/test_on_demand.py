"""Layers that are loaded when asked for: by name, by a file, and nothing before."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from layerkit import layers
from layerkit.layers.on_demand import WHERE

FILES = Path(__file__).parent / "golden" / "files"


@pytest.mark.numpy_only("a process of its own")
def test_a_file_brings_its_layers_into_a_fresh_process():
    code = (
        "import sys, layerkit; there = [n for n in sys.modules if n.startswith('layerkit.')]; "
        f"model = layerkit.models.load_model({str(FILES / 'jax-recurrent.keras')!r}); "
        "print('layerkit.layers.lstm' in there, 'layerkit.ops' in there, "
        "'layerkit.layers.lstm' in sys.modules, model.built)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "False False True True\n", result.stderr


def test_type_checkers_are_told_of_the_same_names():
    source = ast.parse(Path(layers.__file__).read_text())
    (block,) = [node for node in source.body if isinstance(node, ast.If)]
    told = {
        alias.name: f"layerkit.layers.{statement.module}"
        for statement in block.body
        for alias in statement.names
    }
    assert told == WHERE


def test_every_name_is_there():
    assert set(WHERE) <= set(layers.__all__)
    for name, module in WHERE.items():
        assert getattr(layers, name) is getattr(sys.modules[module], name)
