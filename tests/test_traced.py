"""Traced functions and training steps on the CPU: the same bits, and what cannot be traced.

That every layer, loss, metric and optimizer trains to the same bits: `test_replayed_training`.
"""

from __future__ import annotations

import weakref

import numpy as np
import pytest

import layerkit
from layerkit import backend as K
from layerkit import callbacks, layers, losses, optimizers
from layerkit.backend.recording import effect
from layerkit.backend.traced import Traced, trace

pytestmark = pytest.mark.numpy_only("devices capture graphs instead: test_replayed_training")

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.random((22, 5), "float32"), RANDOM.random((22, 3), "float32")
SEEDS = K.SeedGenerator(3)


def tensors(*shapes):
    return [K.convert_to_tensor(RANDOM.random(shape, "float32")) for shape in shapes]


# Functions of x (4, 3), with the variables w (3, 2), b (2,) and one that is not used.


def shared_twice(x, w, b):
    y = K.tanh(K.matmul(x, w) + b)
    return K.sum(y * y) + K.sum(b) * 2.0, {"y": y, "list": [y + 1.0]}


def several_results(x, w, b):
    first, second = K.split(K.dense(x, w, b, K.relu), 2, axis=-1)
    return K.sum(first * first), second


def a_branch_without_gradient(x, w, b):
    y = K.matmul(x, w)
    return K.mean(K.square(y - K.stop_gradient(y) * 0.5)), y


def constants(x, w, b):
    return K.sum(K.matmul(x, w) * K.convert_to_tensor([1.0, 3.0]) + np.float32([0.5, 2.0])), x * 2


def sorted_and_looked_up(x, w, b):
    y = K.sort(K.matmul(x, w), axis=0)
    best, places = K.top_k(y, 1)
    return K.sum(best * K.take(b, places)) + K.sum(x[K.convert_to_tensor([0, 2])]), best


def numbers_of_the_step(x, w, b):
    y = K.dropout(K.matmul(x, w), 0.5, seed=SEEDS)
    return K.sum(y), y


def not_a_scalar(x, w, b):
    y = K.matmul(x, w) * b
    return y, y


FUNCTIONS = [
    shared_twice,
    several_results,
    a_branch_without_gradient,
    constants,
    sorted_and_looked_up,
    numbers_of_the_step,
    not_a_scalar,
]


def plain(function, x, variables):
    with K.GradientTape() as tape:
        target, others = function(x, *variables[:2])
    return others, tape.gradient(target, variables)


def values(found):
    others, gradients = found
    return K.tree.map_structure(lambda x: x.numpy(), others), [
        None if g is None else g.numpy() for g in gradients
    ]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_traced_function_gives_the_same_bits(function):
    w, b, unused = (K.Variable(x) for x in tensors((3, 2), (2,), (2,)))
    xs = tensors((4, 3), (4, 3), (4, 3))

    def run():
        SEEDS.state = 3, 0
        return [values(plain(function, x, [w, b, unused])) for x in xs]

    expected, state = run(), SEEDS.state
    SEEDS.state = 3, 0
    *first, traced = trace(lambda x: function(x, w, b), xs[:1], [w, b, unused])
    assert isinstance(traced, Traced)
    found = [values(first), *(values(traced([x])) for x in xs[1:])]
    np.testing.assert_equal(found, expected)
    assert SEEDS.state == state
    for variable in (w, b):  # what they hold now is what counts
        variable.assign(variable * 2.0)
    SEEDS.state = 3, 0
    np.testing.assert_equal(values(traced([xs[0]])), run()[0])
    assert found[0][1][2] is None


def test_an_effect_is_done_again_with_the_arrays_of_the_step():
    w, seen = K.Variable([1.0, 2.0]), K.Variable([0.0, 0.0], trainable=False)

    def function(x):
        y = x * w
        effect(lambda array: seen.assign(seen.array + array), y)
        return K.sum(y), y

    x, other = (K.convert_to_tensor(v) for v in ([1.0, 1.0], [3.0, 5.0]))
    *_, traced = trace(function, [x], [w])
    traced([other])
    assert seen.numpy().tolist() == [1 + 3, 2 + 10]


def reads(x, w):
    return K.sum(x * w) * float(K.sum(x)), x


def decides(x, w):
    return K.sum(x * w if K.sum(x) > 0 else x), x


def draws(x, w):
    return K.sum(x * w + K.random_normal((3,))), x


def differentiates(x, w):
    inner = K.gradients(lambda: K.sum(w * w), w)
    return K.sum(x * w) + K.sum(K.stop_gradient(inner)), x


def assigns(x, w):
    w.assign_add(w)
    return K.sum(x * w), x


def takes_out(x, w):
    return K.sum(K.convert_to_tensor(x.array[:1]) * w), x


def computes_with_a_drawn_number(x, w):
    return K.sum(x * w) * K.per_step(lambda: 2.0, "float32"), x


def gives_a_constant(x, w):
    return K.sum(x * w), K.zeros((2,))


def reads_what_it_assigned(x, w):
    effect(lambda: w.assign(w.array * 2))
    return K.sum(x * w), x


@K.primitive
def shifted(x, /, by):
    return x + by[0] % 7, lambda g: g


def gives_a_drawn_number_by_name(x, w):
    return K.sum(shifted(x * w, by=K.per_step(lambda: (1, 2, 3), "uint64", 3))), x


def is_decided(x, w):
    return K.sum(x * w if K.decided(lambda: True) else x), x


def looks_up_what_it_computed(x, w):
    return K.sum((x * w)[K.argsort(x)]), x


def looks_up_by_a_variable(x, w):
    return K.sum((x * w)[K.Variable([1, 0], dtype="int32")]), x


REFUSED = [
    (looks_up_what_it_computed, "a tensor as an option of an operation"),
    (looks_up_by_a_variable, "a variable as an option of an operation"),
    (reads_what_it_assigned, "reading a variable after it was assigned"),
    (gives_a_drawn_number_by_name, "numbers of this step alone as an option by name"),
    (is_decided, "a decision of this step alone"),
    (reads, "reading the value of a tensor"),
    (decides, "reading the value of a tensor"),
    (draws, "drawing random numbers of a distribution, or a permutation"),
    (differentiates, "taking gradients"),
    (assigns, "assigning variable 'variable'"),
    (takes_out, "taking an array out of its tensor"),
    (computes_with_a_drawn_number, "a number of this step alone"),
    (gives_a_constant, "giving something that is no operation's result"),
]


@pytest.mark.parametrize("function, reason", REFUSED, ids=lambda x: getattr(x, "__name__", ""))
def test_what_cannot_be_traced_runs_as_it_is(function, reason):
    x, start = tensors((3,), (3,))
    w, twin = K.Variable(start), K.Variable(start)
    layerkit.utils.set_random_seed(5)
    with K.GradientTape() as tape:
        target, others = function(x, twin)
    expected = values((others, tape.gradient(target, [twin])))
    layerkit.utils.set_random_seed(5)
    *found, traced = trace(lambda x: function(x, w), [x], [w])
    assert traced == reason
    np.testing.assert_equal(values(found), expected)


# Training.


def made(*own, jit_compile="auto", **options):
    """A model of the layers that functions make, and a last one."""
    layerkit.utils.clear_session()
    layerkit.utils.set_random_seed(3)
    own = own or (lambda: layers.Dense(8, "relu"), lambda: layers.Dropout(0.3))
    model = layerkit.Sequential([*(make() for make in own), layers.Dense(3)])
    options = {"optimizer": "adam", "loss": "mse"} | options
    model.compile(**options, jit_compile=jit_compile)
    return model


def steps(model, count=4, x=X, y=Y):
    return [model.train_on_batch(x, y) for _ in range(count)]


def traces(model):
    return [kind for kind in model._training_pass._kinds.values() if isinstance(kind, Traced)]


def test_auto_traces_what_is_layerkits_own():
    options = {"batch_size": 8, "epochs": 4, "verbose": 0, "validation_data": (X, Y)}
    plain = made(jit_compile=False)
    expected = plain.fit(X, Y, **options).history
    model = made()
    assert model.fit(X, Y, **options).history == expected
    assert (
        len(traces(model)) == 2 and plain._training_pass is layerkit.Model._pass
    )  # of 8 rows, and of 6


class Counting(layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = []

    def call(self, inputs):
        self.calls.append(inputs.shape)
        return inputs * 1.0


def own_loss(y_true, y_pred):
    return K.mean(K.square(y_true - y_pred), axis=-1)


class OwnRate(optimizers.SGD):
    def scale_loss(self, loss):
        return loss * 2.0


class Wrapped(layerkit.Model):
    def __init__(self):
        super().__init__()
        self.layer = layers.Dense(3)

    def call(self, inputs):
        return self.layer(inputs)


def subclassed():
    model = Wrapped()
    model.compile("sgd", "mse")
    return model


FOREIGN = {
    "layer": lambda: made(Counting),
    "activation": lambda: made(lambda: layers.Dense(3, activation=lambda x: x * 2.0)),
    "regularizer": lambda: made(lambda: layers.Dense(3, kernel_regularizer=lambda w: K.sum(w * w))),
    "activity": lambda: made(lambda: layers.Dense(3, activity_regularizer="l2")),
    "loss": lambda: made(loss=own_loss),
    "wrapped loss": lambda: made(loss=losses.LossFunctionWrapper(own_loss)),
    "optimizer": lambda: made(optimizer=OwnRate(0.1)),
    "model": subclassed,
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_auto_leaves_alone_what_is_not(kind):
    model = FOREIGN[kind]()
    steps(model)
    assert not traces(model)


def test_predictions_are_traced_too():
    model, plain = made(), made(jit_compile=False)
    plain.set_weights(model.get_weights())
    for rows in (4, 4, 4, 1, 1, 1, 22):
        found = model.predict(X[:rows], verbose=0)
        np.testing.assert_array_equal(found, plain.predict(X[:rows], verbose=0))
    model.layers[0].activation = plain.layers[0].activation = K.tanh
    for _ in range(3):
        found = model.predict(X, verbose=0)
        np.testing.assert_array_equal(found, plain.predict(X, verbose=0))
    assert len([x for x in model._prediction_pass._kinds.values() if x]) == 3
    with K.GradientTape() as tape:  # an open tape is told of every operation
        y = model.predict_step(K.convert_to_tensor(X))
    assert tape.gradient(y, model.trainable_variables)[0] is not None


def test_python_of_an_own_layer_runs_at_every_step_unless_asked():
    for jit_compile, calls in (("auto", 6), (True, 2)):  # as it is, and while tracing
        model = made(Counting, jit_compile=jit_compile)
        steps(model, 6)
        assert model.layers[0].calls.count(X.shape) == calls


def test_other_draws_are_named_once_in_a_warning():
    expected = steps(made(lambda: layers.GaussianNoise(0.1), jit_compile=False))
    model = made(lambda: layers.GaussianNoise(0.1), jit_compile=True)
    with pytest.warns(UserWarning) as caught:
        assert steps(model) == expected
    (warning,) = caught
    assert str(warning.message) == (
        "jit_compile=True: the training step of model 'sequential' cannot be traced, because of "
        "drawing random numbers of a distribution, or a permutation, which would not be done "
        "again. It runs as it is. Leave that to a callback, or compile the model with "
        "jit_compile=False."
    )
    assert steps(made(lambda: layers.GaussianNoise(0.1))) == expected  # without a warning


def test_a_step_of_ones_own_is_not_traced():
    class Own(Wrapped):
        def train_step(self, data):
            return super().train_step(data)

    with pytest.warns(UserWarning, match="a `train_step` of one's own is not traced.*runs as"):
        Own().compile("sgd", "mse", jit_compile=True)
    model = Own()
    model.compile("sgd", "mse")
    assert model._training_pass is layerkit.Model._pass


@pytest.mark.filterwarnings("ignore:A layer.s `trainable`")
def test_attributes_and_freezing_count_from_the_next_step_on():
    def run(jit_compile):
        model = made(
            lambda: layers.Dropout(0.1), lambda: layers.Dense(4, "relu"), jit_compile=jit_compile
        )
        logs = steps(model)
        model.layers[0].rate = 0.9
        logs += steps(model)
        model.layers[1].trainable = False
        logs += steps(model)
        model.layers[2].kernel.trainable = False
        logs += steps(model)
        model.layers[1].activation = K.tanh
        return logs + steps(model)

    assert run("auto") == run(False)


def test_layers_taken_off_and_put_on_count_from_the_next_prediction_on():
    model = made(lambda: layers.Dense(3), lambda: layers.Activation("relu"))
    whole = [model.predict(X, verbose=0) for _ in range(3)][-1]
    last = model.pop()
    hidden = model.predict(X, verbose=0)
    np.testing.assert_allclose(last(hidden).numpy(), whole, rtol=1e-6)
    activation = model.pop()
    for _ in range(3):
        below = model.predict(X, verbose=0)
    assert below.min() < 0 and hidden.min() == 0
    model.add(activation)
    np.testing.assert_array_equal(model.predict(X, verbose=0), hidden)


def test_settings_count_from_the_next_step_on():
    found = []
    for jit_compile in ("auto", False):
        model = made(loss="msle", jit_compile=jit_compile)
        logs = steps(model)
        K.set_epsilon(0.3)
        found.append(logs + steps(model))
        K.set_epsilon(1e-7)
    assert found[0] == found[1]


def test_an_error_says_as_much_as_without_a_trace():
    ids = np.zeros((8, 2), "int32")
    model = made(lambda: layers.Embedding(10, 3), lambda: layers.Flatten())
    steps(model, 3, ids, Y[:8])
    wrong = K.convert_to_tensor(ids + 99), K.convert_to_tensor(Y[:8])
    assert len(traces(model)) == 1
    message = r"^Layer 'embedding' \(Embedding\): embedding_lookup expects ids from 0 to 9"
    with pytest.raises(IndexError, match=message):
        model.train_step(wrong)


def test_callbacks_see_predictions_losses_and_weights_of_the_step():
    seen = {}
    for jit_compile in ("auto", False):
        model, rows = made(jit_compile=jit_compile), seen.setdefault(jit_compile, [])
        look = callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, rows=rows, model=model: rows.append(
                (logs["loss"], [w.tolist() for w in model.get_weights()])
            )
        )
        model.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[look])
    assert seen["auto"] == seen[False]


def test_structures_of_inputs():
    class Pair(layerkit.Model):
        def __init__(self):
            super().__init__()
            self.layer = layers.Dense(3)

        def call(self, inputs):
            return self.layer(inputs["b"]) + self.layer(inputs["a"]) * 0.5

    found = []
    for jit_compile in (True, False):
        layerkit.utils.set_random_seed(3)
        model = Pair()
        model.compile("sgd", "mse", jit_compile=jit_compile)
        found.append(steps(model, 4, {"b": X, "a": X * 2}))
    assert found[0] == found[1]


def test_steps_take_arrays_that_are_no_tensors():
    found = []
    for jit_compile in (True, False):
        model = made(jit_compile=jit_compile)
        logs = [model.train_step((X, Y)) for _ in range(4)]
        found.append([float(entry["loss"]) for entry in logs])
    assert found[0] == found[1]


def test_few_kinds_are_kept():
    model = made()
    for rows in range(2, 14):
        for _ in range(2):
            model.train_on_batch(X[:rows], Y[:rows])
    assert len(model._training_pass._kinds) == 8 == len(traces(model))


def test_arrays_are_freed_on_the_way_there_and_back():
    w, alive, seen = K.Variable(np.ones(3, "float32")), [], []

    @K.primitive
    def watched(x, /):
        y, saved = x * 2, x * 3  # of which the vjp needs the second
        alive.append((weakref.ref(y), weakref.ref(saved)))

        def vjp(g):
            seen.append([saved() is None for _, saved in alive])
            return g * saved

        return y, vjp

    @K.primitive
    def look(x, /):
        seen.append([y() is None for y, _ in alive])
        return x + 0, lambda g: g

    def function(x):
        return K.sum(look(watched(watched(x * w)))), {}

    *_, traced = trace(function, tensors((3,)), [w])
    del alive[:], seen[:], _
    traced(tensors((3,)))
    # The first value after the second one; of what was saved, the second after its vjp.
    assert seen == [[True, False], [False, False], [False, True]]
