"""Operations against values and gradients of real Keras 3 (tests/golden/make_ops_golden.py)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from layerkit import backend as K

GOLDEN = dict(np.load(Path(__file__).parent / "golden" / "ops_golden.npz"))
TABLE = json.loads(str(GOLDEN["table"]))


def case_name(number: int) -> str:
    name, _, options = TABLE[number]
    return "-".join([name, *(f"{key}={value}" for key, value in options.items())])


@pytest.mark.parametrize("number", range(len(TABLE)), ids=case_name)
def test_value_and_gradients_equal_keras(number: int):
    name, count, options = TABLE[number]
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in options.items()}
    inputs = [K.convert_to_tensor(GOLDEN[f"{number}_input{i}"]) for i in range(count)]
    with K.GradientTape() as tape:
        watched = [x for x in inputs if x.dtype.kind == "f"]
        tape.watch(watched)
        value = getattr(K, name)(*inputs, **options)
    gradients = tape.gradient(value, watched, output_gradients=GOLDEN[f"{number}_weight"])
    expected = GOLDEN[f"{number}_value"]
    assert value.dtype == np.float32
    assert value.shape == expected.shape
    np.testing.assert_allclose(value.numpy(), expected, rtol=1e-4, atol=2e-5)
    for i, g in enumerate(gradients, start=count - len(watched)):
        np.testing.assert_allclose(
            g.numpy(), GOLDEN[f"{number}_gradient{i}"], rtol=1e-4, atol=5e-5, err_msg=f"input {i}"
        )
