"""What Keras 3 gives for the programs of `tables/operations.py`.

KERAS_BACKEND=jax python tests/golden/make_operations_golden.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables.operations import CASES, plain  # noqa: E402

found = {}
for name, program in CASES.items():
    keras.utils.clear_session()
    found[name] = plain(program(keras))
about = {"keras": keras.__version__, "cases": found}
(HERE / "operations.json").write_text(json.dumps(about, indent=1) + "\n")
