"""Keras's names: each is there with Keras's arguments, in its order and with its defaults."""

from __future__ import annotations

import inspect
import json
from functools import reduce
from pathlib import Path

import pytest

import layerkit

GOLDEN = Path(__file__).parent / "golden" / "keras_ops_signatures.json"
SIGNATURES: dict[str, str] = json.loads(GOLDEN.read_text())

ABSENT = {"ops.jvp", "ops.linalg.jvp"}  # derivatives in forward mode


def names_in(path: str) -> set[str]:
    pairs = [name.rpartition(".") for name in set(SIGNATURES) - ABSENT]
    return {name for namespace, _, name in pairs if namespace == path}


@pytest.mark.parametrize("path", sorted(set(SIGNATURES) - ABSENT))
def test_a_name_has_keras_arguments(path: str):
    function = reduce(getattr, path.split("."), layerkit)
    theirs = [p for p in SIGNATURES[path].split(", ") if p != "**kwargs"]
    ours = [
        str(parameter.replace(annotation=inspect.Parameter.empty))
        for parameter in inspect.signature(function).parameters.values()
    ]
    assert ", ".join(ours) == ", ".join(theirs)
    assert function.__doc__


@pytest.mark.parametrize("path", ["ops.image", "ops.linalg", "ops.nn", "random", "tree"])
def test_a_namespace_says_what_it_has(path: str):
    namespace = reduce(getattr, path.split("."), layerkit)
    classes = {"random": {"SeedGenerator"}, "tree": {"MAP_TO_NONE"}}
    assert set(namespace.__all__) == names_in(path) | classes.get(path, set())


def test_ops_has_what_its_namespaces_have():
    assert names_in("ops") <= set(layerkit.ops.__all__)
    for name in ("linalg", "nn"):
        namespace = getattr(layerkit.ops, name)
        for function in namespace.__all__:
            assert getattr(layerkit.ops, function) is getattr(namespace, function)


def test_absent_names_are_absent():
    for path in ABSENT:
        namespace, _, name = path.rpartition(".")
        assert not hasattr(reduce(getattr, namespace.split("."), layerkit), name)
