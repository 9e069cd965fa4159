"""Writes ops_golden.npz: values and gradients that Keras 3 computes, for tests/test_ops_golden.py.

Run with Keras and JAX installed: KERAS_BACKEND=jax python tests/golden/make_ops_golden.py
"""

from __future__ import annotations

import json
from pathlib import Path

import jax
import keras
import numpy as np

LABELS = np.array([1, 4, 0])


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape).astype("float32")


def positive(*shape: int) -> np.ndarray:
    return np.abs(normal(*shape)) + np.float32(0.3)


def one_hot(*labels: int) -> np.ndarray:
    return np.eye(5, dtype="float32")[list(labels)]


def cases() -> list[tuple[str, list[np.ndarray], dict]]:
    """(operation, its arrays, its options)."""
    image, kernel, line = normal(2, 7, 6, 4), normal(3, 2, 4, 3), normal(2, 9, 3)
    every = [
        ("conv", [image, kernel], {}),
        ("conv", [image, kernel], {"padding": "same"}),
        ("conv", [image, kernel], {"padding": "same", "strides": 2}),
        ("conv", [image, kernel], {"padding": "same", "strides": [3, 2]}),
        ("conv", [image, kernel], {"strides": [2, 3]}),
        ("conv", [image, kernel], {"padding": "same", "dilation_rate": [2, 3]}),
        ("conv", [image, normal(3, 3, 2, 6)], {"padding": "same"}),
        ("conv", [image, normal(1, 1, 4, 3)], {"strides": 2}),
        ("conv", [normal(2, 4, 7, 6), kernel], {"data_format": "channels_first"}),
        ("conv", [line, normal(4, 3, 2)], {"padding": "same", "strides": 2}),
        ("conv", [normal(1, 4, 5, 4, 2), normal(2, 3, 2, 2, 3)], {"padding": "same"}),
        ("depthwise_conv", [image, normal(3, 3, 4, 2)], {"padding": "same"}),
        ("depthwise_conv", [image, normal(3, 3, 4, 1)], {"strides": 2}),
        ("depthwise_conv", [line, normal(3, 3, 2)], {"dilation_rate": 2}),
        ("separable_conv", [image, normal(3, 3, 4, 2), normal(1, 1, 8, 3)], {"strides": 2}),
    ]
    small, filters = normal(2, 4, 5, 3), normal(3, 4, 2, 3)
    for padding in "valid", "same":
        for strides in 1, 2, 3, 5:
            every.append(
                ("conv_transpose", [small, filters], {"padding": padding, "strides": strides})
            )
        every += [
            (
                "conv_transpose",
                [small, filters],
                {"padding": padding, "strides": 2, "output_padding": 1},
            ),
            ("conv_transpose", [small, filters], {"padding": padding, "dilation_rate": 2}),
            ("conv_transpose", [line, normal(2, 2, 3)], {"padding": padding, "strides": 2}),
        ]
    for pool in "max_pool", "average_pool":
        every += [
            (pool, [image], {"pool_size": 2, "strides": 2}),
            (pool, [image], {"pool_size": 2, "strides": 2, "padding": "same"}),
            (pool, [image], {"pool_size": [3, 2], "strides": [2, 1], "padding": "same"}),
            (pool, [image], {"pool_size": 3, "strides": 2}),
            (pool, [line], {"pool_size": 2, "strides": 3, "padding": "same"}),
            (pool, [image], {"pool_size": 2, "strides": 2, "data_format": "channels_first"}),
        ]
    gamma, beta = positive(4), normal(4)
    every += [
        ("batch_normalization", [image, beta, gamma], {"axis": -1}),
        ("layer_normalization", [image, gamma, beta], {"epsilon": 1e-3}),
        ("layer_normalization", [image], {"axis": [1, 2], "epsilon": 1e-2}),
        ("rms_normalization", [image, gamma], {}),
        ("categorical_crossentropy", [one_hot(1, 4, 0), normal(3, 5)], {"from_logits": True}),
        ("categorical_crossentropy", [positive(3, 5), positive(3, 5)], {}),
        ("categorical_crossentropy", [one_hot(1, 4, 0), one_hot(1, 2, 0)], {}),
        ("sparse_categorical_crossentropy", [LABELS, normal(3, 5)], {"from_logits": True}),
        ("sparse_categorical_crossentropy", [LABELS, positive(3, 5)], {}),
        ("binary_crossentropy", [one_hot(1, 2), normal(2, 5)], {"from_logits": True}),
        ("binary_crossentropy", [one_hot(1, 2), positive(2, 5) / 9], {}),
        ("binary_crossentropy", [one_hot(1, 2), one_hot(2, 2)], {}),
    ]
    for name in "gelu", "silu", "selu", "celu", "elu", "log_sigmoid", "hard_silu":
        every.append((name, [normal(3, 5) * 3], {}))
    every.append(("gelu", [normal(3, 5)], {"approximate": False}))
    return every


def main() -> None:
    arrays: dict[str, np.ndarray] = {}
    table = []
    for number, (name, inputs, options) in enumerate(cases()):
        arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}

        fixed = [x for x in inputs if x.dtype.kind != "f"]  # labels come first, without gradient

        def function(*xs, name=name, fixed=fixed, arguments=arguments):
            return getattr(keras.ops, name)(*fixed, *xs, **arguments)

        value, pull = jax.vjp(function, *inputs[len(fixed) :])
        weight = normal(*value.shape)
        table.append([name, len(inputs), options])
        arrays[f"{number}_value"], arrays[f"{number}_weight"] = np.asarray(value), weight
        arrays |= {f"{number}_input{i}": x for i, x in enumerate(inputs)}
        for i, g in enumerate(pull(weight), start=len(fixed)):
            arrays[f"{number}_gradient{i}"] = np.asarray(g)
    arrays["table"] = np.array(json.dumps(table))
    np.savez_compressed(Path(__file__).with_name("ops_golden.npz"), **arrays)
    print(f"{len(table)} cases, Keras {keras.__version__}, {keras.backend.backend()}")


if __name__ == "__main__":
    main()
