"""The files in golden/legacy, which Keras of every age wrote: complete, small, without NaN."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent / "golden" / "legacy"
MANIFESTS = sorted(FOLDER.glob("*.json"))

pytestmark = pytest.mark.numpy_only("only looks at files")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_every_row_has_its_files_and_finite_arrays(path):
    manifest = json.loads(path.read_text())
    assert manifest["name"] == path.stem
    with zipfile.ZipFile(path.with_suffix(".zip")) as archive:
        names = {name.split("/")[0] for name in archive.namelist()}
        arrays = np.load(io.BytesIO(archive.read("arrays.npz")))
    listed = {file for row in manifest["rows"].values() for file in row["files"]}
    names = {name for name in names if not re.search(r"_\d{5}\.weights\.h5$", name)}  # in an index
    assert names - {"checkpoint"} == listed | {"arrays.npz"}  # TensorFlow writes that one
    for name, row in manifest["rows"].items():
        for i in range(row.get("outputs", 0)):
            assert np.isfinite(arrays[f"{name}/prediction{i}"]).all()
        if "more_steps" in row:
            before, after = arrays[f"{name}/prediction0"], arrays[f"{name}/next_prediction0"]
            assert not np.array_equal(before, after)


def test_all_archives_together_are_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000
