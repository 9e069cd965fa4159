"""Every public name of Keras is there, or left out with a reason; unknown ones name the nearest."""

from __future__ import annotations

import importlib

import pytest
from tables.names import ABSENT, NAMES


def module(namespace: str):
    return importlib.import_module(f"layerkit.{namespace}" if namespace else "layerkit")


@pytest.mark.parametrize("namespace", NAMES)
def test_every_name_of_keras_is_there(namespace):
    wanted = set(NAMES[namespace]) - set(ABSENT.get(namespace, ()))
    assert not {name for name in wanted if not hasattr(module(namespace), name)}


@pytest.mark.parametrize("namespace", ABSENT)
def test_what_is_left_out_is_a_name_of_keras_and_not_there(namespace):
    assert set(ABSENT[namespace]) <= set(NAMES[namespace])
    assert not {name for name in ABSENT[namespace] if hasattr(module(namespace), name)}


@pytest.mark.parametrize("namespace", NAMES)
def test_an_unknown_name_is_answered_with_the_nearest(namespace):
    known = next(name for name in NAMES[namespace] if name not in ABSENT.get(namespace, ()))
    with pytest.raises(AttributeError) as raised:
        getattr(module(namespace), known + "x")
    start = f"module '{module(namespace).__name__}' has no attribute '{known}x': it is not in "
    assert str(raised.value).startswith(start)
    assert f"'{known}'" in str(raised.value).partition(" Did you mean ")[2]


def test_names_that_are_like_nothing_are_offered_nothing():
    with pytest.raises(AttributeError, match=r"'qqqqqq': it is not in layerkit\.$"):
        module("losses").qqqqqq  # noqa: B018


def test_names_that_python_itself_asks_for_are_answered_briefly():
    with pytest.raises(AttributeError, match="has no attribute '__wrapped__'$"):
        module("losses").__wrapped__  # noqa: B018
