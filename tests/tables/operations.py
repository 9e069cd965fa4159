"""What Operation, Function and StatelessScope do, as programs over `keras`: Keras or layerkit.

Each gives plain values, which the script `golden/make_operations_golden.py` stores for Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

CASES: dict[str, Callable[[Any], Any]] = {}


def case(function: Callable) -> Callable:
    CASES[function.__name__] = function
    return function


def plain(x: Any) -> Any:
    """Tensors in lists, tuples and dicts as lists of numbers rounded to 5 digits."""
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(item) for item in x]
    if x is None or isinstance(x, (bool, int, str)):
        return x
    return np.round(np.asarray(x), 5).tolist()


def kinds(keras: Any) -> dict[str, Any]:
    """Operations as users write them."""

    class Scale(keras.Operation):
        def __init__(self, alpha, beta=2, name=None):
            super().__init__(name=name)
            self._factor = alpha
            self.beta = beta * 10  # not what the constructor got

        def call(self, x):
            return x * self._factor + self.beta

    class Both(keras.Operation):
        def call(self, x, y):
            return keras.ops.add(x, y), x

        def compute_output_spec(self, x, y):
            return keras.KerasTensor(x.shape, x.dtype), keras.KerasTensor(x.shape, x.dtype)

    class Nameless(keras.Operation):
        def __init__(self, k):
            super().__init__()
            self._k = k

        def call(self, x):
            return x

    class Doubling(keras.layers.Layer):
        def __init__(self, units, act="relu", **kwargs):
            super().__init__(**kwargs)
            self.units = units * 2
            self._act = act

        def call(self, x):
            return x

    return {kind.__name__: kind for kind in (Scale, Both, Nameless, Doubling)}


ONE = np.ones((1, 3), "float32")
CUBE = np.full((4, 2, 3), 0.5, "float32")


@case
def an_operation_alone(keras):
    Scale = kinds(keras)["Scale"]
    op = Scale(3.0)
    again = Scale.from_config(op.get_config())
    return [op.name, Scale(1.0, name="q").name, repr(op), op.get_config(), op(ONE), again(ONE)]


@case
def captured_arguments(keras):
    found = kinds(keras)
    Nameless, Doubling = found["Nameless"], found["Doubling"]
    config = Doubling(3, name="q", trainable=False).get_config()
    return [
        Nameless(4).get_config(),
        Nameless.from_config(Nameless(4).get_config())._k,
        [config["units"], config["act"], config["trainable"]],
        Doubling.from_config(config).units,
    ]


@case
def symbolic_calls(keras):
    found = kinds(keras)
    scale, both = found["Scale"](3.0), found["Both"]()
    x = keras.Input((3,))
    y = scale(x)
    z, _ = both(x, y)
    return [
        [y.shape, y.dtype, z.shape, scale.input is x, scale.output is y],
        [len(both.input), len(both.output), both.input[1] is y],
        isinstance(keras.layers.Dense(2), keras.Operation),
    ]


@case
def in_a_model(keras):
    found = kinds(keras)
    scale, both = found["Scale"](3.0), found["Both"]()
    x = keras.Input((3,))
    model = keras.Model(x, [scale(x), both(x, scale(x))[0]])
    again = keras.Model.from_config(model.get_config(), custom_objects=found)
    return [
        model(ONE),
        [op.name for op in model.operations],
        [layer.name for layer in model.layers],
        isinstance(model, keras.Function),
        [[op["class_name"], op["config"]] for op in model.get_config()["layers"][1:]],
        again(ONE),
        keras.models.clone_model(model)(ONE),
    ]


@case
def functions(keras):
    a, b = keras.KerasTensor((None, 2, 3)), keras.KerasTensor((None, 2, 3))
    total = a + b
    y = keras.ops.sigmoid(total)
    fn = keras.Function([a, b], y, name="fn")
    nested = keras.Function({"a": a, "b": b}, {"s": total, "l": [y]})
    upper = keras.Function(total, y)  # from the middle of the graph
    spec = fn.compute_output_spec([keras.KerasTensor((5, 2, 3)), keras.KerasTensor((5, 2, 3))])
    return [
        [fn.name, [op.name for op in fn.operations], len(fn.inputs), len(fn.outputs)],
        fn([CUBE, CUBE])[0],
        fn([keras.Input((2, 3)), keras.Input((2, 3))]).shape,
        [spec.shape, spec.dtype, fn.compute_output_shape([(7, 2, 3), (7, 2, 3)])],
        [nested({"a": CUBE, "b": CUBE})["s"][0], nested({"a": CUBE, "b": CUBE})["l"][0][0]],
        [upper(CUBE)[0], [op.name for op in upper.operations]],
        isinstance(keras.Function([a, b], [y])([CUBE, CUBE]), list),
        keras.Function(a, a)(CUBE)[0],
    ]


@case
def functions_of_layers(keras):
    x = keras.Input((3,))
    fn = keras.Function(x, keras.layers.Dense(2, kernel_initializer="ones")(x))
    w = keras.Input((3,))
    model = keras.Model(w, fn(w) + 1)
    return [fn(ONE), model(ONE), [op.name for op in model.operations], len(model.weights)]


@case
def stateless_values(keras):
    v = keras.Variable(np.ones(3, "float32"))
    w = keras.Variable(np.zeros(2, "float32"))
    seen = []
    with keras.StatelessScope([(v, np.full(3, 2.0))]) as scope:
        seen += [v + 0, scope.get_current_value(w)]
        v.assign_add(np.ones(3))
        w.assign([1, 2])
        seen += [v + 0, scope.get_current_value(w)]
        with keras.StatelessScope() as inner:
            seen += [v + 0]
            v.assign([7, 7, 7])
            seen += [v + 0, inner.get_current_value(v), inner.get_current_value(w)]
        seen += [v + 0]
        scope.add_update((w, keras.ops.convert_to_tensor(np.array([5.0, 6.0], "float32"))))
        seen += [w + 0]
        n = keras.Variable(keras.initializers.Ones(), shape=(2,), dtype="float32")
        n.assign([3, 3])
        seen += [n + 0]
    after = [scope.get_current_value(x) for x in (v, w, n)]
    given = keras.StatelessScope([(v, np.array([1, 2, 3]))]).get_current_value(v)
    return [*seen, v + 0, w + 0, n + 0, after, given, keras.ops.dtype(given)]


@case
def stateless_losses(keras):
    class Adding(keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.sum(x))
            return x * 2

    layer = Adding()
    layer(np.ones(2, "float32"))
    with keras.StatelessScope() as dropped:
        layer(np.full(2, 2.0, "float32"))
        none = [len(dropped.losses), len(layer.losses)]
    with keras.StatelessScope(collect_losses=True) as kept:
        layer(np.full(2, 3.0, "float32"))
        layer(np.full(2, 4.0, "float32"))
        inside = [list(kept.losses), layer.losses]
        kept.add_loss(keras.ops.convert_to_tensor(9.0))
    return [none, inside, kept.losses, len(layer.losses)]


@case
def stateless_updates(keras):
    """A layer with running statistics, an optimizer and a metric, none of which changes."""
    layer = keras.layers.BatchNormalization(momentum=0.5)
    x = np.array([[1.0, 2.0], [3.0, 8.0]], "float32")
    layer.build((None, 2))
    mean = keras.metrics.Mean()
    rule = keras.optimizers.Adam(0.1)
    rule.build(layer.trainable_variables)
    gamma = layer.gamma
    with keras.StatelessScope([(v, v.value) for v in (*layer.variables, *rule.variables)]) as scope:
        y = layer(x, training=True)
        mean.update_state(x)
        result = mean.result()
        for _ in range(2):
            rule.apply([np.ones(2, "float32")] * 2, layer.trainable_variables)
        values = [scope.get_current_value(v) for v in (*layer.variables, rule.iterations)]
    return [
        y,
        result,
        values,
        [scope.get_current_value(v) for v in (*layer.variables, *mean.variables)],
        [gamma + 0, layer.moving_mean + 0, rule.iterations + 0, mean.result()],
    ]


@case
def stateless_loss_of_a_model(keras):
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.5))]
    )
    model.compile("sgd", "mse")
    model.set_weights([np.ones((2, 1)), np.zeros(1)])
    x, y = np.ones((3, 2), "float32"), np.full((3, 1), 2.0, "float32")
    values = [np.full((2, 1), 2.0, "float32"), np.ones(1, "float32")]
    states = [v.value for v in model.metrics_variables]
    y_pred, _ = model.stateless_call(values, [], x)
    loss, after = model.stateless_compute_loss(values, [], states, x=x, y=y, y_pred=y_pred)
    return [y_pred, loss, after[:2], model.get_weights()]


@case
def names_of_symbols(keras):
    x = keras.Input((3,))
    return [keras.backend.is_keras_tensor(x), keras.backend.is_keras_tensor(ONE)]


@case
def paths_of_variables(keras):
    layers = keras.layers

    class Block(layers.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.dense = layers.Dense(2, name="inside")

        def build(self, shape):
            self.dense.build(shape)
            self.w = self.add_weight((2,), name="w")

        def call(self, x):
            return self.dense(x)

    class Sub(keras.Model):
        def __init__(self):
            super().__init__(name="sub")
            self.a = layers.Dense(2, name="a")
            self.b = keras.Sequential([layers.Dense(2, name="b1")], name="b")

        def call(self, x):
            return self.b(self.a(x))

    stack = [keras.Input((4, 3)), layers.LSTM(2, return_sequences=True)]
    stack += [layers.Bidirectional(layers.GRU(2)), layers.Dense(1)]
    recurrent = keras.Sequential(stack, name="seq")
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="i")], name="in")
    outer = keras.Sequential([inner, layers.Dense(2, name="j")], name="out")
    outer.build((None, 3))
    shared = layers.Dense(2, name="shared")
    x = keras.Input((3,))
    functional = keras.Model(x, shared(x), name="functional")
    later = keras.Sequential([keras.Input((3,)), shared, layers.Dense(1, name="n")], name="s")
    heads = layers.MultiHeadAttention(1, 2, name="heads")
    heads(np.ones((1, 2, 4), "float32"), np.ones((1, 2, 4), "float32"))
    block, sub = Block(), Sub()
    block(ONE)
    sub(ONE)
    with keras.name_scope("scope"):
        scoped = layers.TimeDistributed(layers.Dense(2, name="d"), name="each")
        scoped.build((None, 2, 3))
    rule = keras.optimizers.SGD(momentum=0.5, name="sgd")
    rule.build(inner.trainable_variables)
    made = (recurrent, outer, functional, later, heads, block, sub, scoped)
    return [*[[v.path for v in x.weights] for x in made], [v.path for v in rule.variables]]


@case
def symbolic_broadcasting(keras):
    ops = keras.ops
    x = keras.Input((3,))
    shapes = [ops.broadcast_to(x, shape).shape for shape in ((4, 3), (2, 4, 3))]
    single = ops.broadcast_to(keras.Input((1,)), (4, 3)).shape
    return [shapes, single, keras.Model(x, ops.broadcast_to(x, (4, 3)) * 2)(ONE)]
