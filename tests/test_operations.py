"""Operation, Function, StatelessScope, SymbolicScope: as in Keras, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tables.operations import CASES, CUBE, ONE, kinds, plain

import layerkit
from layerkit import backend as K
from layerkit import layers, optimizers
from layerkit.backend.recording import in_symbolic_scope

KERAS = json.loads((Path(__file__).parent / "golden" / "operations.json").read_text())["cases"]


def values(x):
    """`plain`, of tensors wherever they live."""
    return plain(K.tree.map_structure(lambda y: y.numpy() if isinstance(y, K.Tensor) else y, x))


@pytest.mark.parametrize("name", CASES)
def test_as_keras(name: str):
    layerkit.backend.clear_session()
    assert_close(values(CASES[name](layerkit)), KERAS[name])


def assert_close(found, expected):
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = [found[key] for key in expected], list(expected.values())
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            assert_close(*pair)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=2e-5)
    else:
        assert found == expected


# Gradients, and what updates in place leave alone.


def test_gradients_go_on_to_the_values():
    v, other = K.Variable(np.ones(3, "float32")), K.Variable(np.full(3, 4.0, "float32"))
    given = K.convert_to_tensor(np.array([1.0, 2.0, 3.0], "float32"))
    with K.GradientTape() as tape:
        tape.watch(given)
        with layerkit.StatelessScope([(v, given)]) as scope:
            y = K.sum(v * v)
            scope.add_update((v, other))
            y = y + K.sum(v * 5.0)
    first, second = tape.gradient(y, [given, other])
    np.testing.assert_array_equal(first.numpy(), [2.0, 4.0, 6.0])
    np.testing.assert_array_equal(second.numpy(), [5.0] * 3)


@pytest.mark.parametrize("name", ["Adam", "SGD", "Adafactor", "RMSprop"])
def test_an_update_in_a_scope_changes_nothing(name: str):
    """Arenas, too, have what they had; and the next update is that of an optimizer without scope"""
    rng = np.random.default_rng(0)
    start, g = rng.normal(size=(2, 3, 2)).astype("float32")
    rules = [getattr(optimizers, name)(0.1) for _ in range(2)]
    variables = [K.Variable(start) for _ in range(2)]
    for rule, v in zip(rules, variables, strict=True):
        rule.apply([g], [v])
    before = [x.numpy() for x in (variables[0], *rules[0].variables)]
    kept = K.convert_to_tensor(start)
    with layerkit.StatelessScope([(variables[0], kept)]) as scope:
        rules[0].apply([g * 2], [variables[0]])
        once = scope.get_current_value(variables[0])
        copied = once.numpy()
        rules[0].apply([g * 3], [variables[0]])
        assert np.any(variables[0].numpy() != copied)
    after = [x.numpy() for x in (variables[0], *rules[0].variables)]
    for x, y in zip(before, after, strict=True):
        np.testing.assert_array_equal(x, y)
    for rule, v in zip(rules, variables, strict=True):
        rule.apply([g], [v])
    np.testing.assert_array_equal(*[v.numpy() for v in variables])
    np.testing.assert_array_equal(once.numpy(), copied)
    np.testing.assert_array_equal(kept.numpy(), start)


def test_shapes_are_found_in_both_scopes():
    seen = []

    class Counting(layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight((), "zeros", trainable=False)

        def call(self, x):
            seen.append(in_symbolic_scope())
            self.count.assign_add(1.0)
            self.add_loss(K.sum(x))
            return x

    layer = Counting()
    assert layer(layerkit.Input((2,))).shape == (None, 2)
    assert seen == [True, True] and float(layer.count) == 0 and layer.losses == []
    layer(np.ones((1, 2), "float32"))
    assert seen[2:] == [False] and float(layer.count) == 1


def test_a_symbolic_scope_is_one_until_it_ends():
    norm = layers.BatchNormalization()
    norm.build((None, 2))
    with layerkit.SymbolicScope():
        with layerkit.SymbolicScope():
            assert in_symbolic_scope()
        assert in_symbolic_scope()
        norm(np.ones((2, 2), "float32"), training=True)
    assert not in_symbolic_scope()
    np.testing.assert_array_equal(norm.moving_mean.numpy(), [0, 0])


def test_a_name_scope_may_be_in_itself():
    scope = layerkit.name_scope("a")
    with scope, scope:
        assert K.Variable(1.0, name="v").path == "a/a/v"
    assert K.Variable(1.0, name="v").path == "v"


def test_a_scope_ends_with_an_error():
    v = K.Variable(np.ones(2, "float32"))
    with pytest.raises(KeyError), layerkit.StatelessScope([(v, [2.0, 3.0])]):
        v.assign([5.0, 5.0])
        raise KeyError
    v.assign_add([1.0, 1.0])
    np.testing.assert_array_equal(v.numpy(), [2.0, 2.0])


def test_operations_in_a_file(tmp_path):
    found = kinds(layerkit)
    x = layerkit.Input((3,))
    model = layerkit.Model(x, found["Both"]()(found["Scale"](3.0)(x), x)[0])
    model.save(tmp_path / "model.keras")
    again = layerkit.saving.load_model(tmp_path / "model.keras", custom_objects=found)
    np.testing.assert_array_equal(again(ONE).numpy(), np.full((1, 3), 24.0))


def model_of_states():
    model = layerkit.Sequential([layerkit.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


class Failing(layerkit.Operation):
    def call(self, x):
        raise ValueError("boo")


class Unnamed(layerkit.Operation):
    def __init__(self, *sizes):
        super().__init__()


class Array(layerkit.Operation):
    def __init__(self, table):
        super().__init__()
        self.kept = table


A, B = layerkit.KerasTensor((None, 2, 3)), layerkit.KerasTensor((None, 2, 3))
SUM = layerkit.Function([A, B], A + B, name="sum")


class WithNone(layers.Layer):
    def call(self, x):
        return {"x": x, "rest": None}


MISTAKES = {
    "output": (
        lambda: WithNone(name="odd")(layerkit.Input((2,))),
        ValueError,
        "All operation outputs must be tensors. Operation <WithNone name=odd.*received: None",
    ),
    "broadcast": (
        lambda: layerkit.ops.broadcast_to(layerkit.Input((3,)), (4, 5)),
        ValueError,
        r"Cannot broadcast shape \(None, 3\) to \(4, 5\)",
    ),
    "broadcast to a free axis": (
        lambda: layerkit.ops.broadcast_to(layerkit.Input((3,)), (None, 3)),
        ValueError,
        r"Cannot broadcast shape \(None, 3\) to \(None, 3\).*sizes must be known",
    ),
    "name": (lambda: Failing(name="a/b"), ValueError, "cannot contain character `/`"),
    "name of a number": (lambda: Failing(name=3), ValueError, "name=3 .of type <class 'int'>"),
    "no call": (lambda: layerkit.Operation()(ONE), NotImplementedError, "does not implement `call"),
    "failing": (
        lambda: Failing()(A),
        ValueError,
        "Could not automatically infer the output shape / dtype of 'failing' .*`Failing.call.*boo",
    ),
    "not called": (lambda: Failing().input, AttributeError, "has never been called and thus has"),
    "no names": (lambda: Unnamed(1).get_config(), NotImplementedError, "variadic positional"),
    "no attribute": (
        lambda: Array(ONE).get_config(),
        NotImplementedError,
        "non-serializable argument values",
    ),
    "no inputs": (lambda: layerkit.Function([], A), ValueError, "`inputs` argument cannot be empt"),
    "no outputs": (lambda: layerkit.Function(A, []), ValueError, "`outputs` argument cannot be em"),
    "no symbol": (lambda: layerkit.Function(A, ONE), ValueError, "All `outputs` values must be Ke"),
    "disconnected": (
        lambda: layerkit.Function([A], A + B),
        ValueError,
        "Graph disconnected: cannot find parent for tensor <KerasTensor",
    ),
    "structure": (lambda: SUM(CUBE), ValueError, "Function was called with an invalid input struc"),
    "tuple": (lambda: SUM((CUBE, CUBE)), ValueError, "invalid input structure"),
    "shape": (
        lambda: SUM([CUBE, CUBE[:, :1]]),
        ValueError,
        r"'sum' was passed incompatible inputs.*expected shape \(None, 2, 3\).*\(4, 1, 3\)",
    ),
    "config": (lambda: SUM.get_config(), NotImplementedError, "'sum' was made of symbolic tensors"),
    "no variable": (
        lambda: layerkit.StatelessScope([(3, ONE)]),
        ValueError,
        "Invalid reference variable in StatelessScope.*Received instead of a Variable: 3",
    ),
    "value": (
        lambda: layerkit.StatelessScope([(K.Variable(ONE, name="w"), [1.0])]),
        ValueError,
        r"Invalid variable value in StatelessScope.*'w' has shape \(1, 3\).*shape \(1,\)",
    ),
    "metrics": (
        lambda: model_of_states().stateless_compute_loss([0, 0], [], []),
        ValueError,
        "`metrics_variables` must be a list of tensors.*length 0, but expected 2",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str):
    act, error, message = MISTAKES[name]
    with pytest.raises(error, match=f"(?s){message}"):
        act()
