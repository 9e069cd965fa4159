"""Make file_editor.json: what real Keras's KerasFileEditor prints and raises, step by step.

Run it with real Keras installed:

    COLUMNS=500 KERAS_BACKEND=jax python tests/golden/make_file_editor_golden.py

Of a comparison the lines above the rule are kept: Keras 3.15.1 counts what lies in nested objects
more than once.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tables.file_editor import ERRORS, FILE, INPUTS, STEPS, UNITS  # noqa: E402


def arguments(row):
    return [
        {name: np.zeros(shape, "float32") for name, shape in value.items()}
        if isinstance(value, dict)
        else value
        for value in row
    ]


def opened():
    """An editor: its console keeps the stream that is there when it is made."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        editor = keras.saving.KerasFileEditor(str(HERE / "files" / FILE))
    editor.console.file = text
    text.seek(0)
    text.truncate()
    return editor, text


def printed(text):
    value = text.getvalue()
    text.seek(0)
    text.truncate()
    return value


def steps():
    model = keras.Sequential([keras.Input((INPUTS,)), *map(keras.layers.Dense, UNITS)])
    editor, text = opened()
    for method, *row in STEPS:
        if method != "compare":
            getattr(editor, method)(*arguments(row))
        status = editor.compare(model)["status"]
        compared = printed(text).partition("─")[0].splitlines()
        editor.summary()
        yield {"status": status, "compared": compared, "summary": printed(text).splitlines()}


def errors():
    for method, *row in ERRORS:
        editor, _ = opened()
        try:
            getattr(editor, method)(*arguments(row))
        except ValueError as error:
            yield str(error)


golden = {"steps": list(steps()), "errors": list(errors())}
assert len(golden["errors"]) == len(ERRORS)
(HERE / "file_editor.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")
