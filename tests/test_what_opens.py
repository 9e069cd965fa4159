"""The README's table of what opens is what golden/what_opens.py found in the files of today."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.numpy_only("files hold no backend")


def script():
    spec = importlib.util.spec_from_file_location("what_opens", HERE / "golden" / "what_opens.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_the_readme_is_that_of_the_results():
    assert script().table() in (HERE.parent / "README.md").read_text(encoding="utf-8")


def test_the_results_are_of_these_archives():
    what_opens = script()
    digests = {path.stem: what_opens.digest_of(path) for path in what_opens.LEGACY.glob("*.json")}
    for column, archives in json.loads(what_opens.RESULTS.read_text()).items():
        tried = {name: own["digest"] for name, own in archives.items()}
        assert tried == digests, f"{column}: run tests/golden/what_opens.py again"
