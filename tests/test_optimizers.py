"""Optimizers and schedules against golden values of Keras, and everything around the rules."""

import json
from pathlib import Path

import numpy as np
import pytest

import layerkit.backend as K
from layerkit import optimizers
from layerkit.backend import Tensor, Variable, numpy_backend
from layerkit.configurable import Configurable
from layerkit.constraints import NonNeg
from layerkit.optimizers import SGD, Adam, AdamW, Lion, Nadam, RMSprop, schedules

GOLDEN = np.load(Path(__file__).parent / "golden" / "optimizers.npz")
CASES = json.loads(str(GOLDEN["cases"]))
SCHEDULES = json.loads(str(GOLDEN["schedules"]))


def make(class_name, options):
    return optimizers.deserialize(
        {"module": "keras.optimizers", "class_name": class_name, "config": options}
    )


def pair(dtype="float32"):
    return (
        Variable(GOLDEN["kernel"].astype(dtype), name="kernel"),
        Variable(GOLDEN["bias"].astype(dtype), name="bias"),
    )


def steps():
    return zip(GOLDEN["kernel_gradients"], GOLDEN["bias_gradients"], strict=True)


def flat(variables):
    return np.concatenate([variable.numpy().ravel() for variable in variables])


@pytest.mark.parametrize("i", range(len(CASES)), ids=[f"{n}-{o}" for n, o in CASES])
def test_steps_equal_keras(i):
    optimizer, variables = make(*CASES[i]), pair()
    for gradients, golden in zip(steps(), GOLDEN[f"weights/{i}"], strict=True):
        optimizer.apply(list(gradients), list(variables))
        np.testing.assert_allclose(flat(variables), golden, rtol=2e-6, atol=2e-7)
    np.testing.assert_allclose(
        flat(optimizer.variables), GOLDEN[f"state/{i}"], rtol=5e-6, atol=5e-7
    )


@pytest.mark.parametrize("i", range(len(CASES)), ids=[f"{n}-{o}" for n, o in CASES])
def test_config_and_state_go_round(i):
    first, variables = make(*CASES[i]), pair()
    gradients = list(steps())
    for g in gradients[:3]:
        first.apply(g, variables)
    store = {}
    first.save_own_variables(store)
    description = json.loads(json.dumps(optimizers.serialize(first)))
    second, others = optimizers.deserialize(description), [Variable(v.numpy()) for v in variables]
    second.build(others)
    second.load_own_variables(store)
    assert second.get_config() == first.get_config()
    for g in gradients[3:]:
        first.apply(g, variables)
        second.apply(g, others)
    np.testing.assert_array_equal(flat(others), flat(variables))


@pytest.mark.parametrize("i", range(len(CASES)), ids=[f"{n}-{o}" for n, o in CASES])
def test_rules_run_over_any_cut(i):
    """The rule over pieces of one flat array gives the bits of the rule over whole variables."""
    optimizer, cut = make(*CASES[i]), make(*CASES[i])
    if not optimizer.elementwise:
        pytest.skip("the rule takes norms over whole variables")
    w, piecewise = Variable(GOLDEN["kernel"]), Variable(GOLDEN["kernel"].ravel())
    optimizer.build([w])
    cut.build([piecewise])
    slots = {name: slot.array for name, slot in optimizer._slots[0].items()}
    flat_slots = {name: slot.array for name, slot in cut._slots[0].items()}
    for t, g in enumerate(GOLDEN["kernel_gradients"][:3], start=1):
        g = K.convert_to_tensor(g).array
        optimizer.before_update(t)
        cut.before_update(t)
        optimizer.rule(w.array, g, 0.1, t, **slots)
        for part in (slice(0, 5), slice(5, 12)):
            pieces = {name: slot[part] for name, slot in flat_slots.items()}
            cut.rule(piecewise.array[part], g.ravel()[part], 0.1, t, **pieces)
    np.testing.assert_array_equal(piecewise.numpy(), w.numpy().ravel())


@pytest.mark.parametrize("i", range(len(CASES)), ids=[f"{n}-{o}" for n, o in CASES])
def test_dtype_is_kept_and_gradients_untouched(i):
    optimizer, variables = make(*CASES[i]), pair("float64")
    gradients = [np.array(g, "float64") for g in next(steps())]
    copies = [g.copy() for g in gradients]
    optimizer.apply(gradients, variables)
    assert [v.dtype for v in variables] == ["float64", "float64"]
    assert all(s.dtype == "float64" for slots in optimizer._slots for s in slots.values())
    for g, copy in zip(gradients, copies, strict=True):
        np.testing.assert_array_equal(g, copy)


@pytest.mark.parametrize("i", range(len(SCHEDULES)), ids=[f"{n}-{a}" for n, a in SCHEDULES])
def test_schedules_equal_keras(i):
    class_name, arguments = SCHEDULES[i]
    schedule = getattr(schedules, class_name)(*arguments)
    where = GOLDEN["schedule_steps"]
    rates = [float(schedule(int(step))) for step in where]
    np.testing.assert_allclose(rates, GOLDEN[f"schedule/{i}"], rtol=2e-6, atol=1e-9)
    np.testing.assert_allclose(schedule(where).numpy(), rates, rtol=1e-6, atol=1e-9)
    again = schedules.deserialize(json.loads(json.dumps(schedules.serialize(schedule))))
    assert again.get_config() == schedule.get_config()
    assert schedule(3).dtype == "float32"


def test_schedule_drives_the_optimizer():
    optimizer = SGD(schedules.PiecewiseConstantDecay([1], [0.5, 0.25]))
    x = Variable(0.0)
    for expected in (-0.5, -1.0, -1.25):
        optimizer.apply([np.float32(1)], [x])
        assert float(x) == expected
    assert [v.name for v in optimizer.variables] == ["iteration"]


def test_learning_rate_as_function():
    rates = iter([0.5, 0.25])
    optimizer, x = SGD(lambda: next(rates)), Variable(0.0)
    optimizer.apply([1.0], [x])
    optimizer.apply([1.0], [x])
    assert float(x) == -0.75


def test_learning_rate_can_be_set():
    optimizer = Adam(0.1)
    optimizer.learning_rate = 0.5
    assert float(optimizer.learning_rate) == 0.5
    assert optimizer.get_config()["learning_rate"] == 0.5
    optimizer.learning_rate = schedules.ExponentialDecay(0.5, 10, 0.9)
    assert [v.name for v in optimizer.variables] == ["iteration"]
    with pytest.raises(TypeError, match="hence its learning rate is not settable"):
        optimizer.learning_rate = 0.1


def test_learning_rate_in_config_is_rounded():
    assert Adam().get_config()["learning_rate"] == 0.0010000000474974513


def test_order_of_state():
    optimizer = RMSprop(momentum=0.9, centered=True, use_ema=True, gradient_accumulation_steps=2)
    optimizer.build(pair())
    assert [v.path for v in optimizer.variables] == [
        f"rm_sprop/{name}"
        for name in (
            "iteration",
            "learning_rate",
            "kernel_average",
            "bias_average",
            "kernel_gradient_accumulator",
            "bias_gradient_accumulator",
            "kernel_velocity",
            "bias_velocity",
            "kernel_momentum",
            "bias_momentum",
            "kernel_average_gradient",
            "bias_average_gradient",
        )
    ]
    optimizer = Adam(amsgrad=True)
    optimizer.build(pair())
    assert [v.name for v in optimizer.variables][2:] == [
        "kernel_momentum",
        "kernel_velocity",
        "bias_momentum",
        "bias_velocity",
        "kernel_velocity_hat",
        "bias_velocity_hat",
    ]
    assert optimizer.variables[0].dtype == "int32"


def test_minimize_and_loss_scale():
    x, y = Variable([1.0, 2.0]), Variable([1.0, 2.0])
    loss = lambda v: lambda: K.sum(v * v)  # noqa: E731
    SGD(0.25).minimize(loss(x), [x])
    scaled = SGD(0.25, loss_scale_factor=8.0)
    pairs = scaled.compute_gradients(loss(y), [y])
    np.testing.assert_array_equal(pairs[0][0].numpy(), [16.0, 32.0])
    assert int(scaled.apply_gradients(pairs)) == 1
    np.testing.assert_array_equal(x.numpy(), [0.5, 1.0])
    np.testing.assert_array_equal(y.numpy(), [0.5, 1.0])


def test_constraint_is_applied_after_the_update():
    x = Variable([0.1, 1.0])
    x.constraint = NonNeg()
    SGD(1.0).apply([np.array([1.0, 0.5])], [x])
    np.testing.assert_array_equal(x.numpy(), [0.0, 0.5])


def test_update_is_noticed_by_tapes():
    x = Variable([1.0])
    with K.GradientTape(persistent=True) as tape:
        y = K.sum(x * x)
    SGD().apply([tape.gradient(y, x)], [x])
    with pytest.raises(RuntimeError, match="was changed after this tape recorded it"):
        tape.gradient(y, x)


def test_moving_average_is_written_at_the_end():
    x = Variable([1.0])
    optimizer = SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.apply([[1.0]], [x])
    optimizer.apply([[1.0]], [x])
    assert float(x.numpy()[0]) == -1.0
    optimizer.finalize_variable_values([x])
    assert float(x.numpy()[0]) == -0.5


def test_excluded_variables_do_not_decay():
    kernel, bias, other = (Variable([1.0], name=name) for name in ("kernel", "bias", "other"))
    optimizer = AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[other], var_names=["^bias$"])
    optimizer.apply([[0.0], [0.0], [0.0]], [kernel, bias, other])
    np.testing.assert_allclose(flat([kernel, bias, other]), [0.95, 1.0, 1.0], rtol=1e-6)


def test_missing_gradients_warn():
    x, y = Variable([1.0], name="x"), Variable([1.0], name="y")
    optimizer = SGD(1.0)
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['y'\] when"):
        optimizer.apply([[1.0], None], [x, y])
    np.testing.assert_array_equal(flat([x, y]), [0.0, 1.0])
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.apply([None, None], [x, y])


def test_users_write_optimizers_as_in_keras():
    class Heavy(optimizers.Optimizer):
        def __init__(self, learning_rate=0.5, momentum=0.5, **kwargs):
            super().__init__(learning_rate=learning_rate, **kwargs)
            self.momentum = momentum

        def build(self, variables):
            super().build(variables)
            self.momenta = [self.add_variable_from_reference(v, name="m") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            m = self.momenta[self._get_variable_index(variable)]
            self.assign(m, m * self.momentum - gradient * learning_rate)
            self.assign_add(variable, m)

    mine, given = pair(), pair()
    optimizer, reference = Heavy(), SGD(0.5, momentum=0.5)
    for g in steps():
        optimizer.apply([Tensor(a) for a in g], mine)
        reference.apply(g, given)
    np.testing.assert_allclose(flat(mine), flat(given), rtol=1e-5, atol=1e-6)
    assert optimizer.get_config()["momentum"] == 0.5
    assert isinstance(optimizers.deserialize(optimizers.serialize(optimizer)), Heavy)


def test_users_write_rules():
    class Signed(optimizers.Optimizer):
        slots = (("count",),)

        def rule(self, w, g, lr, t, count=None):
            count += 1
            w -= np.sign(g) * lr

    x = Variable([1.0, -1.0])
    optimizer = Signed(0.5)
    optimizer.apply([[3.0, -3.0]], [x])
    np.testing.assert_array_equal(x.numpy(), [0.5, -0.5])
    np.testing.assert_array_equal(optimizer.variables[2].numpy(), [1.0, 1.0])


def test_get():
    assert type(optimizers.get("adam")) is Adam
    assert type(optimizers.get("RMSprop")) is RMSprop
    assert type(optimizers.get("AdamW")) is type(optimizers.get("adamw")) is AdamW
    assert type(optimizers.get(Nadam)) is Nadam
    optimizer = SGD()
    assert optimizers.get(optimizer) is optimizer
    assert optimizers.get({"class_name": "SGD", "config": {"momentum": 0.5}}).momentum == 0.5


def test_files_of_keras():
    config = {"name": "adam", "learning_rate": 0.5, "beta_1": 0.8, "newer_option": None}
    torch = "keras.src.backend.torch.optimizers.torch_adam"
    for module in (torch, "keras.optimizers", "keras.src.optimizers.adam"):
        optimizer = optimizers.deserialize(
            {"module": module, "class_name": "Adam", "config": config, "registered_name": "Adam"}
        )
        assert (type(optimizer), optimizer.beta_1) == (Adam, 0.8)
    old = {"name": "SGD", "learning_rate": 0.5, "decay": 0.0, "jit_compile": True}
    assert optimizers.get({"class_name": "SGD", "config": old}).name == "SGD"


def _built(optimizer):
    optimizer.build(pair())
    return optimizer


ERRORS = [
    (lambda: optimizers.get("adamm"), "Could not interpret optimizer identifier: adamm. Did you"),
    (lambda: optimizers.get(None), "Could not interpret optimizer identifier: None"),
    (lambda: optimizers.get(lambda: 0), "Could not interpret optimizer identifier: <function"),
    (lambda: SGD("fast"), "Argument `learning_rate` should be float"),
    (lambda: SGD(True), "Argument `learning_rate` should be float"),
    (lambda: SGD(momentum=2.0), r"`momentum` must be a float between \[0, 1\]"),
    (lambda: SGD(lr=0.1), "Argument.s. not recognized: {'lr': 0.1}. `lr` is `learning_rate`"),
    (lambda: Adam(decay=0.1), "for `decay` pass a schedule"),
    (lambda: Adam(beta1=0.1), "Did you mean 'beta_1'"),
    (lambda: SGD(clipnorm=1.0, clipvalue=1.0), "Only one of `clipnorm`, `clipvalue` and"),
    (lambda: SGD(clipnorm=-1.0), "cannot be clipped to less than 0. Received: clipnorm=-1.0"),
    (lambda: SGD(gradient_accumulation_steps=1), "must be an integer >= 2"),
    (lambda: SGD(use_ema=True, ema_momentum=2.0), r"must be in the range \[0, 1\]"),
    (lambda: SGD(use_ema=True, ema_overwrite_frequency=0.5), "must be an integer >= 1 or None"),
    (lambda: AdamW(weight_decay=None), "Argument `weight_decay` must be a float"),
    (lambda: Lion(beta_1=0.0), "Argument `beta_1` must be in the"),
    (lambda: optimizers.Ftrl(beta=-1.0, l1_regularization_strength=-1.0), "positive or zero"),
    (lambda: optimizers.Ftrl(learning_rate_power=1.0), "negative or zero"),
    (lambda: SGD().apply([1.0]), "Call `optimizer.build"),
    (lambda: _built(SGD()).apply([1.0]), "Received a list of 1 gradients, but optimizer 'sgd'"),
    (lambda: _built(SGD()).apply([1.0], [Variable(1.0)]), "Unknown variable: variable of shape"),
    (lambda: SGD().apply([[1.0, 1.0]], [Variable([1.0])]), "must have its shape"),
    (lambda: SGD().set_weights([]), "has not yet been built"),
    (lambda: schedules.CosineDecay(0.1, 0), "Argument `decay_steps` must be > 0"),
    (lambda: schedules.CosineDecayRestarts(0.1, 0), "Argument `first_decay_steps` must be > 0"),
    (lambda: schedules.PiecewiseConstantDecay([1], [1.0]), "The length of boundaries should be"),
]


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[m for _, m in ERRORS])
def test_errors_name_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", optimizers.legacy.__all__)
def test_legacy_optimizers_name_the_present_one(name):
    with pytest.raises(ImportError, match=f"Use `optimizers.{name}` instead: `lr` is called"):
        getattr(optimizers.legacy, name)(lr=0.1)


def test_muon_hands_embeddings_and_named_layers_to_adamw():
    optimizer = optimizers.Muon(exclude_layers=["^out/"])
    for path, adamw in (("Embedding/w", True), ("out/kernel", True), ("in/kernel", False)):
        matrix = Variable(np.ones((2, 2)))
        matrix.path = path
        assert optimizer.uses_adamw(matrix) == adamw
    assert optimizer.uses_adamw(Variable(np.ones((2, 2, 2))))


def test_state_of_another_length_is_skipped():
    optimizer = _built(Adam())
    with pytest.warns(UserWarning, match="Skipping variable loading for optimizer 'adam', because"):
        optimizer.load_own_variables({"0": np.array(7)})
    assert int(optimizer.iterations) == 0


def test_nothing_written_says_so():
    class Nothing(optimizers.Optimizer):
        pass

    class Never(schedules.LearningRateSchedule):
        pass

    with pytest.raises(NotImplementedError, match="must override `rule"):
        Nothing(0.1).apply([1.0], [Variable(1.0)])
    with pytest.raises(NotImplementedError, match="must override `__call__"):
        Never()(0)
    assert issubclass(optimizers.Optimizer, Configurable)


def two_variables():
    random = np.random.default_rng(3)
    return [
        K.Variable(random.normal(size=s).astype("float32"), name=f"v{s}") for s in [(7, 5), (5,)]
    ]


def gradients_at(step):
    random = np.random.default_rng([4, step])
    return [random.normal(size=shape).astype("float32") for shape in [(7, 5), (5,)]]


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "Nadam", "Adadelta", "Lion", "Ftrl"])
def test_the_arena_gives_the_bits_of_one_update_for_each_variable(name, monkeypatch):
    results = []
    for updates_flat in (False, True):
        monkeypatch.setattr(K.get_backend(K.backend()), "updates_flat", updates_flat, raising=False)
        variables, optimizer = two_variables(), getattr(optimizers, name)(learning_rate=0.1)
        for step in range(3):
            optimizer.apply(gradients_at(step), variables)
        assert bool(optimizer._arenas) == updates_flat
        results.append(variables)
    for v, w in zip(*results, strict=True):
        np.testing.assert_array_equal(v.numpy(), w.numpy())


@pytest.fixture
def arenas(monkeypatch):
    monkeypatch.setattr(K.get_backend(K.backend()), "updates_flat", True, raising=False)


def test_assigned_values_come_back_to_the_arena(arenas):
    variables = two_variables()
    optimizer = optimizers.SGD(1.0, momentum=0.5)
    optimizer.apply(gradients_at(0), variables)
    before = variables[0].numpy()
    optimizer.apply(gradients_at(1), variables)
    variables[0].assign(before)
    optimizer.variables[2].assign(np.zeros((7, 5)))
    optimizer.apply(gradients_at(2), variables)
    np.testing.assert_allclose(variables[0].numpy(), before - gradients_at(2)[0], rtol=1e-6)


def test_two_optimizers_may_take_turns_on_the_same_variables(arenas):
    variables, expected = two_variables(), [v.numpy() for v in two_variables()]
    first, second = optimizers.SGD(0.1), optimizers.SGD(1.0)
    for step in range(4):
        optimizer, rate = ((first, 0.1), (second, 1.0))[step % 2]
        optimizer.apply(gradients_at(step), variables)
        expected = [
            w - g * np.float32(rate) for w, g in zip(expected, gradients_at(step), strict=True)
        ]
    for v, w in zip(variables, expected, strict=True):
        np.testing.assert_allclose(v.numpy(), w, rtol=1e-6)


def test_a_rule_of_ones_own_is_not_replaced_by_a_kernel():
    class Halting(optimizers.SGD):
        def rule(self, w, g, lr, t, **slots):
            pass

    assert optimizers.SGD(0.1).fused(0.1, 1, np.dtype("float32")) is not None
    assert Halting(0.1).fused(0.1, 1, np.dtype("float32")) is None
    variables = two_variables()
    before = variables[0].numpy()
    Halting(0.1).apply(gradients_at(0), variables)
    np.testing.assert_array_equal(variables[0].numpy(), before)


def test_a_rule_that_takes_norms_sees_whole_arrays(monkeypatch):
    """Only a class that says that its rule is elementwise gets it run over pieces."""

    class Normed(Adam):
        def rule(self, w, g, lr, t, **slots):
            w -= lr * g / np.sqrt((g * g).sum())

    monkeypatch.setattr(numpy_backend, "_PIECE", 10)
    variable = K.Variable(np.zeros((20, 3), "float32"))
    Normed(1.0).apply([np.ones((20, 3), "float32")], [variable])
    np.testing.assert_allclose(variable.numpy(), -1 / np.sqrt(60), rtol=1e-6)
