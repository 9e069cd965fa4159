"""The Optimizer: everything around a rule.

A rule is a few lines of in-place array arithmetic. Around it, once for all rules: the step counter
and the learning rate, the rule's slots (one array per variable), clipping, weight decay, gradient
accumulation, loss scaling, moving averages, constraints, and the order in which files keep it all.
The simplest rule, SGD, stands at the end as the example.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence, Sized
from typing import Any, ClassVar

import numpy as np

from layerkit.backend import StatelessScope, Tensor, Variable, floatx, gradients
from layerkit.backend.autodiff import as_operand
from layerkit.backend.names import did_you_mean
from layerkit.backend.recording import decided, each_step, is_recording, per_step
from layerkit.backend.registry import Backend, backend_of, beside, namespace
from layerkit.backend.stateless_scope import writes_in_place

from .. import initializers
from ..configurable import Configurable, serialize
from ..constructors import parameters_of
from ..naming import auto_name
from .arena import Arena, arenas, fused_update
from .deferred import is_deferred, number, run_where, typed, write_where
from .schedules import LearningRateSchedule


class Optimizer(Configurable):
    """Base of all optimizers: a subclass names its `slots` and writes its `rule`.

    Or, as in Keras, it overrides `build` and `update_step`.

    learning_rate: a number, a LearningRateSchedule, or a function without arguments.
    weight_decay: before each update, w -= w * weight_decay * learning_rate.
    clipnorm, clipvalue, global_clipnorm: at most one. The largest norm of each gradient, the
    largest absolute value, the largest norm of all gradients together.
    use_ema: keep a moving average of each variable, of `ema_momentum`; written over the variables
    every `ema_overwrite_frequency` steps (None: only by `finalize_variable_values`).
    loss_scale_factor: what `scale_loss` multiplies the loss by; gradients are divided by it.
    gradient_accumulation_steps: update on every so manieth call only, with the mean gradient.
    """

    keras_module = "keras.optimizers"

    # Names of the rule's arrays, in the order of Keras's files: the names of one group take turns
    # variable by variable, group follows upon group. A constructor may leave out unused ones.
    slots: tuple[tuple[str, ...], ...] = ()
    # Whether the rule treats each element alone, so that it may run over any cut of the arrays; a
    # class that writes a rule says so itself, or it is False.
    elementwise: ClassVar[bool] = False
    is_inner = False  # whether LossScaleOptimizer has this one inside

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **unknown: Any,
    ):
        if unknown:
            raise ValueError(_not_recognized(type(self), unknown))
        self.name = name or auto_name(type(self))
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_options()

        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._index: dict[int, int] = {}  # of a variable by its id
        self._slots: list[dict[str, Variable]] = []
        self._arenas: list[tuple[list[int], Arena]] = []
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        self._undecayed: set[int] = set()
        self._undecayed_names: re.Pattern | None = None

        self._iterations = self._track(np.zeros((), "int32"), "iteration")
        self._learning_rate: Any = None
        self.learning_rate = learning_rate

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "rule" in cls.__dict__ and "fused" not in cls.__dict__:
            cls.fused = Optimizer.fused  # type: ignore[method-assign]  # a kernel is of one rule
        if "rule" in cls.__dict__ and "elementwise" not in cls.__dict__:
            cls.elementwise = False

    def _check_options(self) -> None:
        steps, frequency = self.gradient_accumulation_steps, self.ema_overwrite_frequency
        if steps is not None and steps < 2:
            raise ValueError(
                "`gradient_accumulation_steps` must be an integer >= 2. Received: "
                f"gradient_accumulation_steps={steps}"
            )
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ValueError(
                "`ema_momentum` must be in the range [0, 1]. "
                f"Received: ema_momentum={self.ema_momentum}"
            )
        if self.use_ema and frequency and (not isinstance(frequency, int) or frequency < 1):
            raise ValueError(
                "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: "
                f"ema_overwrite_frequency={frequency}"
            )
        names = ("clipnorm", "clipvalue", "global_clipnorm")
        clips = {name: getattr(self, name) for name in names}
        received = ", ".join(f"{name}={clip}" for name, clip in clips.items())
        given = [clip for clip in clips.values() if clip is not None]
        if len(given) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"{received}"
            )
        if given and given[0] < 0:
            raise ValueError(f"A gradient cannot be clipped to less than 0. Received: {received}")

    # --- the rule: what a subclass writes ---------------------------------------------------

    def rule(self, w: Any, g: Any, lr: Any, t: Any, *args: Any, **slots: Any) -> None:
        """Update the array `w` and the slots in place from the gradient `g`; `t` counts from 1.

        Hyper-parameters are Python numbers, which keep the arrays' dtype. `lr` and `t` may be
        arrays of the device without dimensions: `lr` of the dtype of `w`, `t` of integers. `g`
        stays as it is.
        """
        raise NotImplementedError(
            f"Optimizer '{type(self).__name__}' must override `rule(w, g, lr, t, **slots)` or "
            "`update_step(gradient, variable, learning_rate)`."
        )

    def slot_initializer(self, name: str) -> Any:
        """What a slot is filled with at first."""
        return "zeros"

    def slot_shape(self, name: str, variable: Variable) -> tuple[int, ...] | None:
        """The shape of a slot of a variable; None where the variable has no such slot."""
        return variable.shape

    def fused(self, lr: Any, t: Any, dtype: Any) -> tuple[str, tuple[str, ...], dict] | None:
        """A backend's kernel for this rule: its name, the slots it knows, its numbers; or None.

        `lr` and `t` as for `rule`.
        """
        return None

    def before_update(self, t: Any) -> None:
        """Called once before all variables are updated; `t` counts from 1, as for `rule`."""

    # --- applying gradients -----------------------------------------------------------------

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the state for these variables; ValueError if it was made for others already."""
        if self.built:
            return self._check_variables_are_known(variables)
        self._trainable_variables = list(variables)
        self._index = {id(variable): i for i, variable in enumerate(variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        self._slots = [{} for _ in variables]
        for group in self.slots:
            for variable, slots in zip(variables, self._slots, strict=True):
                for name in group:
                    shape = self.slot_shape(name, variable)
                    if shape is not None:
                        slots[name] = self._add_beside(
                            variable, shape, name, self.slot_initializer(name)
                        )
        self.built = True

    def apply(self, gradients: Sequence[Any], variables: Sequence[Variable] | None = None) -> None:
        """One update of `variables` (default: those built for) by a gradient for each.

        A gradient is a tensor, an array, or None for a variable that the loss does not depend on.
        """
        if not len(gradients):
            return
        variables = self._resolve(gradients, variables)
        writes_in_place([*variables, *self._variables])
        pairs = self._without_missing(gradients, variables)
        variables = [variable for _, variable in pairs]
        arrays = [_gradient_array(g, variable) for g, variable in pairs]
        if self.loss_scale_factor is not None:
            arrays = [g / self.loss_scale_factor for g in arrays]
        if self.gradient_accumulation_steps:
            self._accumulate(arrays, variables)
        else:
            self._update(arrays, variables)
        if self.use_ema:
            self._average()
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        self._count()

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The trainable and the optimizer's variables after an update from these values.

        The optimizer and the variables that it was built for stay as they are. ValueError before
        `build`, and for lists of another length than theirs.
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built (i.e. its "
                "variables must have been created). You can build it via "
                "`optimizer.build(trainable_variables)`."
            )
        trained, own = self._trainable_variables, self.variables
        given = (
            ("optimizer", optimizer_variables, own),
            ("trainable", trainable_variables, trained),
        )
        for kind, values, variables in given:
            if len(values) != len(variables):
                raise ValueError(
                    f"Argument `{kind}_variables` must be a list of tensors corresponding 1:1 to "
                    f"those of {type(self).__name__}. Received list with length {len(values)}, but "
                    f"expected {len(variables)} variables."
                )
        mapping = [
            *zip(trained, trainable_variables, strict=True),
            *zip(own, optimizer_variables, strict=True),
        ]
        with StatelessScope(mapping) as scope:
            self.apply(grads, trained)
        now: Any = scope.get_current_value
        return [now(variable) for variable in trained], [now(variable) for variable in own]

    def apply_gradients(self, pairs: Iterable[tuple[Any, Variable]]) -> Variable:
        """`apply` for (gradient, variable) pairs. Returns the step counter."""
        pairs = list(pairs)
        self.apply([g for g, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def compute_gradients(
        self, loss: Callable[[], Any], variables: Sequence[Variable]
    ) -> list[tuple[Any, Variable]]:
        """The (gradient, variable) pairs of `scale_loss(loss())`, for `apply_gradients`."""
        variables = list(variables)
        scaled = gradients(lambda: self.scale_loss(loss()), variables)
        return list(zip(scaled, variables, strict=True))

    def minimize(self, loss: Callable[[], Any], variables: Sequence[Variable]) -> Variable:
        """One update that makes `loss()` smaller. Returns the step counter."""
        return self.apply_gradients(self.compute_gradients(loss, variables))

    def scale_loss(self, loss: Any) -> Any:
        """`loss` times `loss_scale_factor`: what gradients given to `apply` are taken of."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable by its gradient, a tensor of the variable's dtype: the rule."""
        g, t = as_operand(gradient), self._update_count() + 1
        self._apply_rule(g, variable, number(learning_rate), t)

    def _apply_rule(self, g: Any, variable: Variable, lr: Any, t: Any) -> None:
        own, w = self._slots[self._get_variable_index(variable)], variable.array
        slots = {name: slot.array for name, slot in own.items()}
        backend, lr = backend_of(w), typed(lr, w.dtype)

        def rule(w: Any, g: Any, *arrays: Any) -> None:
            self.rule(w, g, lr, t, **dict(zip(slots, arrays, strict=True)))

        fused = self.fused(lr, t, w.dtype) if backend.fuses_updates else None
        if not fused_update(fused, w, g, slots):
            if self.elementwise:
                backend.in_pieces(rule, w, g, *slots.values())
            else:
                rule(w, g, *slots.values())
        variable.version += 1

    def _resolve(self, gradients: Sequence[Any], variables: Any) -> list[Variable]:
        """The variables to update; builds for them at the first call."""
        if variables is not None:
            variables = list(variables)
            if self.built:
                self._check_variables_are_known(variables)
            else:
                self.build(variables)
            return variables
        if not self.built:
            raise ValueError(
                "When passing `gradients` without `variables`, the optimizer must already be "
                "built on a list of variables. Call `optimizer.build(trainable_variables)` first."
            )
        if len(gradients) != len(self._trainable_variables):
            raise ValueError(
                "When passing `gradients` as a list of gradient tensors, the gradients must match "
                f"the variables one to one. Received a list of {len(gradients)} gradients, but "
                f"optimizer '{self.name}' is tracking {len(self._trainable_variables)} trainable "
                "variables."
            )
        return self._trainable_variables

    def _without_missing(self, gradients: Sequence[Any], variables: list[Variable]) -> list:
        pairs = list(zip(gradients, variables, strict=True))
        missing = [variable.path for g, variable in pairs if g is None]
        if len(missing) == len(pairs):
            raise ValueError(
                "No gradients provided for any variable. The loss depends on none of "
                f"{missing}: compute it inside the tape, from these variables."
            )
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If "
                "using `model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=4,
            )
        return [(g, variable) for g, variable in pairs if g is not None]

    def _accumulate(self, arrays: list, variables: list[Variable]) -> None:
        """Add to the sums of gradients; on every so manieth call, update by their means."""
        steps = self.gradient_accumulation_steps or 1
        sums = [self._accumulators[self._get_variable_index(v)].array for v in variables]
        for total, g in zip(sums, arrays, strict=True):
            total += g
        due = self._decided(lambda: (self._call_count() + 1) % steps == 0)
        run_where(
            due, lambda: self._update([total / steps for total in sums], variables), self._changing
        )
        for accumulator in self._accumulators:
            write_where(due, accumulator.array, 0)

    def _clip(self, arrays: list) -> list:
        if self.clipnorm:
            return [g * self.clipnorm / _at_least(self.clipnorm, _norm([g])) for g in arrays]
        if self.global_clipnorm:
            norm = _norm(arrays)
            xp, nan = namespace(norm), norm.dtype.type(np.nan)
            scale = self.global_clipnorm / _at_least(self.global_clipnorm, norm)
            scale = xp.where(xp.isfinite(norm), scale, nan)
            return [g * beside(scale, g).astype(g.dtype, copy=False) for g in arrays]
        if self.clipvalue:
            return [g.clip(-self.clipvalue, self.clipvalue) for g in arrays]
        return arrays

    def _update(self, arrays: list, variables: list[Variable]) -> None:
        arrays, learning_rate = self._clip(arrays), self.learning_rate
        self._decay(variables, number(learning_rate))
        t = self._update_count() + 1
        self.before_update(t)
        if type(self).update_step is not Optimizer.update_step:
            for g, variable in zip(arrays, variables, strict=True):
                self.update_step(Tensor(g), variable, learning_rate)
            return
        lr = number(learning_rate)
        if not self._runs_flat(variables):
            for g, variable in zip(arrays, variables, strict=True):
                self._apply_rule(g, variable, lr, t)
            return

        def rule(w: Any, g: Any, **slots: Any) -> None:
            self.rule(w, g, typed(lr, w.dtype), t, **slots)

        for indices, arena in self._arenas:
            kernel = self._kernel(lr, t, arena.dtype)
            arena.update([arrays[i] for i in indices], rule, kernel)

    def _kernel(self, lr: Any, t: Any, dtype: Any) -> tuple | None:
        """`fused`, with numbers that the host, where it knows them, computes at every replay."""
        if not is_recording() or is_deferred(self._iterations.array):
            return self.fused(lr, t, dtype)
        kernel, other = self.fused(1.0, 1, dtype), self.fused(2.0, 2, dtype)
        if kernel is None or other is None:
            return None
        name, slots, numbers = kernel
        changing = [key for key, value in numbers.items() if value != other[2][key]]

        def now() -> list:
            found: Any = self.fused(float(self._rate()), self._update_count() + 1, dtype)
            return [found[2][key] for key in changing]

        held = per_step(now, "float64" if dtype == "float64" else "float32", len(changing))
        return name, slots, numbers | dict(zip(changing, held, strict=True))

    def _runs_flat(self, variables: list[Variable]) -> bool:
        """Whether one update of the arenas stands for one of every variable."""
        if not self.elementwise or not self._slots:
            return False
        if not all(backend_of(variable.array).updates_flat for variable in variables):
            return False
        everything = self._trainable_variables
        if len(variables) != len(everything) or any(
            variable is not own for variable, own in zip(variables, everything, strict=True)
        ):
            return False
        if not self._arenas:
            self._arenas = arenas(everything, self._slots)
        return True

    def _decay(self, variables: list[Variable], lr: Any) -> None:
        for variable in variables:
            share = self.decay_of(variable)
            if share is not None and self._decays(variable):
                w = variable.array
                w -= w * share * typed(lr, w.dtype)
                variable.version += 1

    def decay_of(self, variable: Variable) -> float | None:
        """The weight decay of a variable that is not excluded from it."""
        return self.weight_decay

    def _decays(self, variable: Variable) -> bool:
        names = self._undecayed_names
        return id(variable) not in self._undecayed and not (names and names.search(variable.name))

    def _average(self) -> None:
        momentum = (self._update_count() > 0) * self.ema_momentum  # at first, the value itself
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            old, new = (typed(x, variable.dtype) for x in (momentum, 1 - momentum))
            average.array[...] = old * average.array + new * variable.array
        frequency, everything = self.ema_overwrite_frequency, self._trainable_variables
        if frequency:
            due = self._decided(lambda: (self._update_count() + 1) % frequency == 0)
            run_where(due, lambda: self.finalize_variable_values(everything), lambda: everything)

    def averages(self) -> list[tuple[Variable, Variable]]:
        """The variables, each with its moving average; none without `use_ema`."""
        return list(zip(self._trainable_variables, self._averages, strict=False))

    def finalize_variable_values(self, variables: Sequence[Variable]) -> None:
        """With `use_ema`, give the variables the values of their moving averages."""
        if self.use_ema:
            for variable in variables:
                variable.assign(self._averages[self._get_variable_index(variable)])

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] = (), var_names: Iterable[str] = ()
    ) -> None:
        """Let these variables, and those whose name matches one of the patterns, not decay."""
        self._undecayed = {id(variable) for variable in var_list or ()}
        names = sorted(set(var_names or ()))
        self._undecayed_names = re.compile("|".join(names)) if names else None

    # --- state ------------------------------------------------------------------------------

    @property
    def variables(self) -> list[Variable]:
        """All state in the order of files: step, learning rate, averages, accumulators, slots."""
        return list(self._variables)

    @property
    def variables_in_files(self) -> list[Variable]:
        """`variables`, but for those of an inner optimizer that Keras's outer one loses."""
        lost = {id(variable) for variable in self._lost_inside()} if self.is_inner else set()
        return [variable for variable in self.variables if id(variable) not in lost]

    def _lost_inside(self) -> list[Variable]:
        """Variables that Keras does not track where LossScaleOptimizer builds this optimizer."""
        return []

    def _recover_lost(self) -> None:
        """Compute those from the state that a file without them gave."""

    @property
    def iterations(self) -> Any:
        """How many updates were done: a tensor of one integer."""
        if self.gradient_accumulation_steps or is_recording():
            count = self._update_count()
            return Tensor(count if is_deferred(count) else np.asarray(count, "int32"))
        return self._iterations

    def _call_count(self) -> Any:
        """How often `apply` was called: an int, or an array where the device counts or replays."""
        count = self._iterations.array
        return count if is_deferred(count) else per_step(lambda: int(self._iterations), "int32")

    def _count(self) -> None:
        if is_deferred(self._iterations.array):
            self._iterations.assign_add(1)
        else:
            each_step(lambda: self._iterations.assign_add(1))

    def _decided(self, condition: Callable[[], Any]) -> Any:
        """A condition on the counts: a bool, or an array where the device counts."""
        return condition() if is_deferred(self._iterations.array) else decided(condition)

    def _update_count(self) -> Any:
        return self._call_count() // (self.gradient_accumulation_steps or 1)

    def _changing(self) -> list[Any]:
        """All that an update changes, as things with an `array`; an arena's stand for many."""
        flats = [flat for _, arena in self._arenas for flat in arena.flats]
        inside = {id(variable) for flat in flats for variable in flat.variables}
        inside |= {id(self._iterations), id(self._learning_rate)}
        every = (*self._trainable_variables, *self._variables)
        return flats + [variable for variable in every if id(variable) not in inside]

    def _move_to(self, backend: Backend) -> None:
        """Keep all state on `backend`, the step count too; the learning rate stays the host's."""
        for variable in self._variables:
            if variable is not self._learning_rate:
                variable.array = backend.asarray(variable.array)

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next update. Can be set, unless a schedule gives it."""
        if not is_recording() or self._rate_is_deferred():
            return self._rate()
        return Tensor(per_step(lambda: float(self._rate()), floatx()))

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        before = self._learning_rate
        if callable(value):
            self._learning_rate = value
            if isinstance(before, Variable):
                self._variables = [v for v in self._variables if v is not before]
            return
        if isinstance(before, LearningRateSchedule):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its "
                "`learning_rate` constructor argument, hence its learning rate is not settable. "
                "If you need the learning rate to be settable, you should instantiate the "
                "optimizer with a float `learning_rate` argument."
            )
        if isinstance(before, Variable):
            before.assign(value)
            return
        self._learning_rate = self._track(_checked_rate(value), "learning_rate")
        self._variables.insert(1, self._variables.pop())

    def _rate_is_deferred(self) -> bool:
        scheduled = isinstance(self._learning_rate, LearningRateSchedule)
        return scheduled and is_deferred(self._iterations.array)

    def _rate(self) -> Any:
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations)
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        return self._learning_rate()

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A new variable of the optimizer's state, kept in files after all earlier ones."""
        value = initializers.get(initializer)(tuple(shape), dtype=dtype)
        return self._track(as_operand(value), name or "variable")

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """`add_variable` with the shape, the dtype and the place of a variable of the model."""
        return self._add_beside(
            reference_variable, reference_variable.shape, name or "var", initializer
        )

    def _add_beside(
        self, variable: Variable, shape: tuple[int, ...], name: str, initializer: Any
    ) -> Variable:
        value = initializers.get(initializer)(shape, dtype=variable.dtype)
        value = backend_of(variable.array).asarray(as_operand(value))
        return self._track(value, f"{variable.path.replace('/', '_')}_{name}")

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str, initializer: Any = "zeros"
    ) -> list[Variable]:
        """`add_variable_from_reference` for each of the variables."""
        return [
            self.add_variable_from_reference(variable, name, initializer)
            for variable in trainable_variables
        ]

    def _track(self, value: Any, name: str) -> Variable:
        variable = Variable(Tensor(value), trainable=False, name=name)  # where the value lives
        variable.path = f"{self.name}/{name}"
        self._variables.append(variable)
        return variable

    def assign(self, variable: Variable, value: Any) -> None:
        """Set a variable: for overrides of `update_step`."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable: for overrides of `update_step`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable: for overrides of `update_step`."""
        variable.assign_sub(value)

    def _get_variable_index(self, variable: Variable) -> int:
        return self._index[id(variable)]

    def _check_variables_are_known(self, variables: Iterable[Variable]) -> None:
        for variable in variables:
            if id(variable) not in self._index:
                raise ValueError(
                    f"Unknown variable: {variable.path} of shape {variable.shape}. Optimizer "
                    f"'{self.name}' can only be called for the variables it was originally built "
                    "with. When working with a new set of variables (another model), you should "
                    "recreate a new optimizer instance."
                )

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all state, in the order of `variables`. ValueError before `build`."""
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. "
                "Please call `optimizer.build(trainable_variables)` to create the optimizer "
                "weights before calling `set_weights()`."
            )
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Write the state into a dict-like store, under '0', '1', ..."""
        for i, variable in enumerate(self.variables_in_files):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read the state from such a store; one of another length is skipped with a warning."""
        variables = self.variables_stored_as(store)
        if len(store) != len(variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has "
                f"{len(variables)} variables whereas the saved optimizer has {len(store)} "
                "variables.",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])
        if len(store) < len(self.variables):
            self._recover_lost()

    def variables_stored_as(self, arrays: Sized) -> list[Variable]:
        """`variables_in_files`, or all `variables` where a file has as many arrays as those."""
        everything = self.variables
        return everything if len(arrays) == len(everything) else self.variables_in_files

    def get_config(self) -> dict[str, Any]:
        """What the constructor was called with; the learning rate is the present one."""
        rate = self._learning_rate
        rate = float(rate) if isinstance(rate, Variable) else serialize(rate)
        return {"name": self.name} | super().get_config() | {"learning_rate": rate}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new optimizer from what `get_config` gave, or from what older Keras versions did."""
        old = {"jit_compile", "is_legacy_optimizer"} | (
            {"decay"} if not config.get("decay") else set()
        )
        return super().from_config({k: v for k, v in config.items() if k not in old})


class SGD(Optimizer):
    """Gradient descent, with (Nesterov) momentum where `momentum` is not 0.

    m = momentum * m - lr * g; w += m, or with `nesterov` w += momentum * m - lr * g.
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Any,
    ):
        if isinstance(momentum, bool) or not 0 <= momentum <= 1:
            raise ValueError(
                f"`momentum` must be a float between [0, 1]. Received: momentum={momentum}"
            )
        super().__init__(learning_rate, **options)
        self.momentum = momentum
        self.nesterov = nesterov
        self.slots = (("momentum",),) if momentum else ()

    def fused(self, lr: Any, t: Any, dtype: Any) -> tuple[str, tuple[str, ...], dict]:
        numbers = {"lr": lr, "decay": 0.0, "beta": self.momentum, "nesterov": self.nesterov}
        return "sgd", ("momentum",), numbers

    def rule(self, w: Any, g: Any, lr: Any, t: Any, momentum: Any = None) -> None:
        step = g * lr
        if momentum is None:
            w -= step
            return
        momentum *= self.momentum
        momentum -= step
        w += momentum * self.momentum - step if self.nesterov else momentum


def _not_recognized(optimizer: type, unknown: dict[str, Any]) -> str:
    known = parameters_of(optimizer)
    remedies = {"lr": "`lr` is `learning_rate`", "decay": "for `decay` pass a schedule"}
    hints = [remedies.get(key) or did_you_mean(key, known).strip() for key in unknown]
    hints = hints if any(hints) else [f"Those of {optimizer.__name__} are {', '.join(known)}."]
    return f"Argument(s) not recognized: {unknown}. {' '.join(filter(None, hints))}".strip()


def _checked_rate(value: Any) -> np.ndarray:
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "fiu":
        raise ValueError(
            "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or "
            "a callable (that takes no argument and returns the corresponding learning rate "
            f"value). Received instead: learning_rate={value}"
        )
    return number.astype(floatx())


def _gradient_array(gradient: Any, variable: Variable) -> Any:
    """The gradient as an array of the variable's backend, dtype and shape."""
    g = backend_of(variable.array).asarray(as_operand(gradient), dtype=variable.dtype)
    if g.shape != variable.shape:
        raise ValueError(
            f"The gradient of variable '{variable.path}' must have its shape {variable.shape}; "
            f"received a gradient of shape {g.shape}."
        )
    return g


def _norm(arrays: list) -> Any:
    """The length of all arrays taken together as one vector, computed in their dtype."""
    squares = sum((g * g).sum() for g in arrays)
    return namespace(squares).sqrt(squares)


def _at_least(least: float, x: Any) -> Any:
    return namespace(x).maximum(x, least)
