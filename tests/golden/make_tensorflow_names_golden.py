"""Writes tensorflow_names.json: TensorFlow's values of the expressions in its table.

Run it from tests/ with TensorFlow installed: `python golden/make_tensorflow_names_golden.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parents[1]))

from tables.tensorflow_names import EXPRESSIONS, value

if __name__ == "__main__":
    lines = []
    for expression in EXPRESSIONS:
        found = value(tf, expression)
        rounded = found.round(6) if found.dtype.kind == "f" else found
        lines.append(
            f"{json.dumps(expression)}: {json.dumps([str(found.dtype), rounded.tolist()])}"
        )
    text = ",\n".join(lines)
    Path(__file__).with_name("tensorflow_names.json").write_text(f"{{\n{text}\n}}\n")
