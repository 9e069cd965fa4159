"""Trainer: compile, one step, and fit, evaluate and predict, which take many."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from itertools import chain
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend import (
    GradientTape,
    StatelessScope,
    SymbolicScope,
    Tensor,
    Variable,
    memory,
    tree,
)
from layerkit.backend.threads import blas_on_one_thread

from .. import metrics, optimizers, saving
from ..callbacks import CallbackList
from ..data import (
    Batches,
    Passes,
    Source,
    not_negative,
    positive,
    source_of,
    split_validation,
    unpack_x_y_sample_weight,
)
from ..layers import Layer
from ..layers.signatures import takes
from ..layers.structure import found_in
from ..masks import masks_by_place, put_masks_by_place
from . import training_state
from .compiled import CompiledLoss, CompiledMetrics
from .passes import limited, passes_over, validation_source
from .replayed import ReplayedStep, replayed_step
from .traced import TracedPass
from .trainable_flags import TrainableFlags


class Trainer(Layer):
    """A layer that can be trained: the half of Model that compiles, fits, evaluates and predicts.

    Read it from `fit` down: `_train_epoch`, `train_step`, `_pass`, and `optimizer.apply`.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.optimizer: Any = None
        self.loss: Any = None
        self.compiled = False
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.history: Any = None  # the History of the last fit
        self.steps_per_execution = 1
        self._initial_epoch: int | None = None  # set by callbacks that resume a fit
        self._place: training_state.Place | None = None  # of the fit that is running
        self._resumption: dict[str, Any] | None = None  # a state that the next fit goes on from
        self._compiled_loss: CompiledLoss | None = None
        self._compiled_metrics = CompiledMetrics(None, None, None)
        self._loss_tracker = metrics.Mean(name="loss")
        self._replayed_step: ReplayedStep | None = None
        self._trainable_flags: TrainableFlags | None = None
        self._trace_passes("auto")
        self._compile_config: dict[str, Any] = {}

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "compute_loss" in cls.__dict__:
            cls._loss_takes_training = takes(cls.__dict__["compute_loss"], "training")

    _loss_takes_training = True

    # Setting up.

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train: `optimizer` and `loss` by name or object, `metrics` as a list.

        `optimizer` None: for evaluating and predicting alone, and for a `train_step` of one's own.
        `metrics`: names, functions of (y_true, y_pred) or Metric objects; `weighted_metrics` also
        get the sample weights. For several outputs, `loss`, `loss_weights` and both kinds of
        metrics are lists or tuples in the order of the outputs, or dicts by output name; one loss
        alone is for all, None is for an output without. The loss is then the sum of
        `loss_weights` times the outputs' losses. ValueError for a name that is none.

        `steps_per_execution`: callbacks are told of batches only every so many steps.
        `auto_scale_loss`: under the policy 'mixed_float16', wrap the optimizer in a
        LossScaleOptimizer. `run_eagerly`: the same as `jit_compile` False.

        `jit_compile`: on the CPU, 'auto' traces the forward and backward pass of what is
        layerkit's own, and True of a user's layers and losses too: see `models.traced`. On the
        backend 'cupy', True captures `train_step` as a CUDA graph and replays it: see
        `models.replayed`; 'auto' does not, for now. False runs steps as they are. `evaluate` and
        `predict` always do.
        """
        if run_eagerly and jit_compile is True:
            warnings.warn(
                "If `run_eagerly` is True, then `jit_compile` cannot also be True. Disabling "
                "`jit_compile`: leave one of them out.",
                stacklevel=2,
            )
        if loss is None and loss_weights is not None:
            raise ValueError("`loss_weights` weigh the losses of `loss`: give both, or none.")
        jit_compile = False if run_eagerly else jit_compile
        names = getattr(self, "output_names", None)
        made = (
            None if optimizer is None else optimizers.get(optimizer),
            None if loss is None else CompiledLoss(loss, loss_weights, names),
            CompiledMetrics(metrics, weighted_metrics, names),
            replayed_step(self, jit_compile, type(self).train_step is not Trainer.train_step),
            positive("steps_per_execution", steps_per_execution),
        )  # all or nothing: what cannot be made changes nothing
        self.optimizer, self._compiled_loss, self._compiled_metrics = made[:3]
        self._replayed_step, self.steps_per_execution = made[3:]
        self._trace_passes(jit_compile)
        self.loss = loss
        self._compile_config = {
            "optimizer": self.optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": bool(run_eagerly),
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": jit_compile,
            "auto_scale_loss": auto_scale_loss,
        }
        scales = auto_scale_loss and self.dtype_policy.name == "mixed_float16"
        if scales and self.optimizer is not None:
            self.optimizer = _scaling(self.optimizer)
        self.compiled = True
        self._trainable_flags = TrainableFlags(self._flatten_layers())

    @property
    def run_eagerly(self) -> bool:
        """What `compile` was told."""
        return self._compile_config.get("run_eagerly", False)

    @property
    def jit_compile(self) -> bool | str:
        """What `compile` was told; False under `run_eagerly`."""
        return self._compile_config.get("jit_compile", "auto")

    def _trace_passes(self, jit_compile: Any) -> None:
        """Choose what goes through the model: `_pass` and `_predict`, or traces of them."""
        self._training_pass: Any = Trainer._pass
        self._prediction_pass: Any = Trainer._predict
        if jit_compile is False or self._replayed_step is not None:
            return
        self._prediction_pass = TracedPass(_forward_alone, Trainer._predict, _nothing)
        if type(self).train_step is Trainer.train_step:
            self._training_pass = TracedPass(
                Trainer._forward, Trainer._pass, _trained, asked=jit_compile is True
            )

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile` as plain values, for a file; empty if not compiled."""
        return saving.describe_training(self._compile_config)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as `get_compile_config` says; warns of what cannot be restored."""
        saving.compile_as_saved(self, config)

    @property
    def metrics(self) -> list[Any]:
        """The loss tracker, the compiled metrics (as one, 'compile_metrics'), the means of the
        outputs' losses, where there are several, the metrics that are attributes of the model, and
        those of its layers, models inside it left out."""
        structure = self._structure()
        if structure.metrics is None:
            own = [x for x in structure.layers if x is self or not isinstance(x, Trainer)]
            found = [m for layer in own for m in found_in(metrics.Metric, vars(layer))]
            given = found_in(metrics.Metric, self._compile_config)  # part of the compiled ones
            structure.metrics = [m for m in found if not any(m is other for other in given)]
        compiled = [self._compiled_metrics] if self._compiled_metrics else []
        losses = self._compiled_loss.metrics if self._compiled_loss is not None else []
        every = [self._loss_tracker, *compiled, *losses, *structure.metrics]
        return list(dict.fromkeys(every))

    @property
    def metrics_variables(self) -> list[Variable]:
        """The state of all `metrics`."""
        return [variable for metric in self.metrics for variable in metric.variables]

    @property
    def metrics_names(self) -> list[str]:
        """Names of `metrics`, as in Keras 3: all compiled metrics are 'compile_metrics'. The names
        of the values that `evaluate` returns are those of `evaluate(..., return_dict=True)`."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Tensor]:
        """The running value of every metric, by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            result = metric.result()
            results.update(result if isinstance(result, dict) else {metric.name: result})
        return results

    # One step.

    def train_step(self, data: Any) -> dict[str, Any]:
        """One batch: predictions, loss, gradients, update. Returns the metrics by name."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        training_pass = self._training_pass if self.trainable_variables else Trainer._pass
        (loss, y_pred, masks), gradients = training_pass(self, x, y, sample_weight)
        put_masks_by_place(y_pred, masks)
        if gradients:
            self.optimizer.apply(gradients, self.trainable_variables)
        else:
            warnings.warn("The model does not have any trainable weights.", stacklevel=4)
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def _pass(self, x: Any, y: Any, sample_weight: Any) -> tuple[tuple[Tensor, Any, Any], list]:
        """Forward and backward: what `_forward` gives, gradients of the trainable variables."""
        with GradientTape() as tape:
            scaled_loss, outputs = self._forward(x, y, sample_weight)
        variables = self.trainable_variables
        return outputs, tape.gradient(scaled_loss, variables) if variables else []

    def _forward(
        self, x: Any, y: Any, sample_weight: Any
    ) -> tuple[Tensor, tuple[Tensor, Any, Any]]:
        """What gradients are taken of; the loss, the predictions and their masks."""
        y_pred = self(x, training=True)
        loss = self._loss(x, y, y_pred, sample_weight, training=True)
        return self.optimizer.scale_loss(loss), (loss, y_pred, masks_by_place(y_pred))

    def test_step(self, data: Any) -> dict[str, Any]:
        """One batch of `evaluate`. Returns the metrics by name."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self._loss(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One batch of `predict`. Returns the predictions."""
        x, _, _ = unpack_x_y_sample_weight(data)
        outputs, _ = self._prediction_pass(self, x)
        return outputs

    def _predict(self, x: Any) -> tuple[Any, list]:
        """The predictions; there are no gradients."""
        return self(x, training=False), []

    def _loss(self, *args: Any, training: bool) -> Tensor:
        """`compute_loss`, told of `training` where an override takes it."""
        options = {"training": training} if self._loss_takes_training else {}
        return self.compute_loss(*args, **options)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """The scalar to minimize: the compiled loss plus what layers and regularizers added.

        `training` is for overrides, which may leave it out.
        """
        terms = self.losses
        if self._compiled_loss is not None:
            if y is None:
                raise ValueError("The compiled loss needs targets: give `y`.")
            compiled = self._compiled_loss(y, y_pred, sample_weight)
            terms = terms if compiled is None else [compiled, *terms]
        if not terms:
            raise ValueError(
                "No loss to compute. Provide a `loss` argument in `compile()`, or add one with "
                "`add_loss` in a layer's call."
            )
        loss, *added = terms
        for term in added:
            loss = loss + term
        return loss

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Tensor, tuple[list, list, list]]:
        """`compute_loss` as if the variables had these values; its own stay as they are.

        Returned: the loss, and what the three lists are after it. ValueError for lists of another
        length than the model's.
        """
        given = {
            "trainable_variables": trainable_variables,
            "non_trainable_variables": non_trainable_variables,
            "metrics_variables": metrics_variables,
        }
        mapping = {name: self._with_values(name, values) for name, values in given.items()}
        with StatelessScope(chain(*mapping.values())) as scope:
            loss = self._loss(x, y, y_pred, sample_weight, training=training)
        after: Any = [[scope.get_current_value(v) for v, _ in own] for own in mapping.values()]
        return loss, tuple(after)  # type: ignore[return-value]

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Update the compiled metrics with one batch; returns all metrics by name."""
        self._compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _training_step(self, data: Any) -> dict[str, Any]:
        """`train_step`, replayed where `compile` was asked to."""
        return (self._replayed_step or self.train_step)(data)

    # Many steps.

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list[int] = 1,
    ) -> Any:
        """Train for `epochs` passes over the data; returns the History of loss and metrics.

        x, y: arrays of one length, or lists and dicts of them; what lies in a file is read batch by
        batch. Or x alone: a PyDataset, a data loader, a generator or another iterable of batches
        (x,), (x, y) or (x, y, sample_weight). batch_size: rows a step, 32 by default.
        validation_data: (x, y) or (x, y, sample_weight), or batches, evaluated every
        `validation_freq` epochs, or after those listed in it (counted from 1); or validation_split:
        the last part of the rows, kept out of training. shuffle: a new order of rows every epoch,
        of the batches of a PyDataset; 'batch' shuffles within batches; others give their own order.
        class_weight: weight by label. sample_weight: weight by row, or by row of each output.
        steps_per_epoch: batches an epoch, which goes on where the last one stopped;
        validation_steps: batches of a validation. verbose: 0 silent, 1 a bar an epoch, 2 a line an
        epoch, 'auto' the bar on a terminal and lines elsewhere.

        Data that does not fit raises before anything is changed; what is only seen later stops
        there. A warning tells where the data ended too early.
        """
        self._assert_trains("fit")
        self._warn_of_frozen_layers()
        if not isinstance(validation_freq, (list, tuple, set)):
            positive("validation_freq", validation_freq)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_validation(
                (x, y, sample_weight), validation_split
            )
        source = source_of(x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch)
        epochs = limited(not_negative("epochs", epochs))
        not_negative("initial_epoch", initial_epoch)
        passes = passes_over(source, steps_per_epoch, "steps_per_epoch")
        sizes = batch_size, validation_batch_size
        held_out = validation_source(validation_data, *sizes, validation_steps)
        validation = None
        if held_out is not None:
            validation = passes_over(held_out, validation_steps, "validation_steps")
        self._check_data(source)
        if validation is not None:
            self._check_data(validation.source, ", of `validation_data`")
        callback_list = CallbackList.of(
            callbacks, self, verbose, epochs=epochs, steps=passes.steps, samples=passes.size
        )
        self.stop_training = False
        self._initial_epoch = initial_epoch  # until a callback knows better
        passes.recorded = True
        place = training_state.Place(passes, validation, callback_list)
        with (
            closing(passes),
            callback_list,
            self._frozen_structure(),
            blas_on_one_thread(),
            memory.kept(),
            self._at(place),
        ):
            with training_state.as_loaded(self):
                callback_list.on_train_begin()
            place.epoch = self._initial_epoch
            training_state.resume(self, place)
            for epoch in () if place.stopped else range(place.epoch, epochs):
                if not place.begun:
                    place.epoch = epoch
                    callback_list.on_epoch_begin(epoch)
                logs = self._train_epoch(place)
                if not passes.came:
                    break
                if validation is not None and _is_due(epoch, validation_freq):
                    place.within = "a validation"
                    values = self._evaluate(validation, callback_list)
                    logs.update({f"val_{name}": value for name, value in values.items()})
                    place.within = ""
                place.epoch, place.begun, place.logs = epoch + 1, False, logs
                callback_list.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
                callback_list.learn_steps(passes.steps)
            if self.optimizer is not None:
                self.optimizer.finalize_variable_values(self.trainable_variables)
            callback_list.on_train_end(place.logs)
        return self.history

    @contextmanager
    def _at(self, place: training_state.Place) -> Iterator[None]:
        """In the `with` block, `save_state` finds out where fit is."""
        self._place = place
        try:
            yield
        finally:
            self._place = None

    def _train_epoch(self, place: training_state.Place) -> dict[str, Any]:
        """The steps of an epoch, or those that are left of one that goes on; returns its logs."""
        callback_list, logs = place.callbacks, place.logs
        groups = place.passes.executions(self.steps_per_execution)
        if not place.begun:
            self.reset_metrics()
            place.begun, logs = True, {}
        elif self.stop_training:
            return dict(logs)
        for first, batches in groups:
            place.within = "a step"
            callback_list.on_train_batch_begin(first)
            for batch in batches:
                logs = self._training_step(batch)
            place.within, place.logs = "", logs
            callback_list.on_train_batch_end(first + len(batches) - 1, logs)
            if self.stop_training:
                break
        return dict(logs)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics over the data, which is as for `fit`; `steps`: over so many batches.

        Returned: a dict with `return_dict`; else a list, as in Keras: the loss, the metrics of a
        single output as they were compiled, or the losses of several outputs, then what is left in
        the order of its names. A float if there is only the loss.
        """
        self._assert_compiled("evaluate")
        passes = passes_over(
            source_of(x, y, sample_weight, batch_size, steps=steps), steps, "steps"
        )
        self._check_data(passes.source)
        callback_list = CallbackList.of(
            callbacks, self, verbose, epochs=1, steps=passes.steps, samples=passes.size
        )
        with callback_list, self._frozen_structure(), blas_on_one_thread(), memory.kept():
            return self._returned(self._evaluate(passes, callback_list), return_dict)

    def _evaluate(self, passes: Passes, callback_list: CallbackList) -> dict[str, Any]:
        self.reset_metrics()
        _start(self, "stop_evaluating")
        logs: dict[str, Any] = {}
        callback_list.on_test_begin()
        with closing(passes):  # the next one begins anew
            for first, batches in passes.executions(self.steps_per_execution):
                callback_list.on_test_batch_begin(first)
                for batch in batches:
                    logs = self.test_step(batch)
                callback_list.on_test_batch_end(first + len(batches) - 1, logs)
                if self.stop_evaluating:
                    break
        callback_list.on_test_end(logs)
        return logs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Predictions for the rows of `x` as a NumPy array (or the structure that `call` gives).

        `x` is as for `fit`; of batches with targets these are left alone. `steps`: predict so many
        batches.
        """
        passes = passes_over(source_of(x, batch_size=batch_size, steps=steps), steps, "steps")
        callback_list = CallbackList.of(
            callbacks, self, verbose, epochs=1, steps=passes.steps, samples=passes.size
        )
        if passes.source.size == 0:
            raise ValueError("predict() got no samples: `x` has length 0.")
        _start(self, "stop_predicting")
        parts: list[Any] = []
        # To give memory back takes longer than to predict a single row.
        kept = memory.kept() if passes.steps != 1 else nullcontext()
        with closing(passes), callback_list, blas_on_one_thread(), kept:
            callback_list.on_predict_begin()
            for first, batches in passes.executions(self.steps_per_execution):
                callback_list.on_predict_batch_begin(first)
                steps_taken = [self.predict_step(batch) for batch in batches]
                parts += [tree.map_structure(K.to_numpy, outputs) for outputs in steps_taken]
                callback_list.on_predict_batch_end(
                    first + len(batches) - 1, {"outputs": _joined(parts[first:])}
                )
                if self.stop_predicting:
                    break
            callback_list.on_predict_end()
        if not parts:
            raise ValueError("predict() got no samples: no batch came.")
        return _joined(parts)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One training step on exactly these rows. Returns as `evaluate` does."""
        self._assert_trains("train_on_batch")
        self._warn_of_frozen_layers()
        return self._on_batch(
            "train_on_batch", self._training_step, x, y, sample_weight, return_dict, class_weight
        )

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics on exactly these rows. Returns as `evaluate` does."""
        return self._on_batch("test_on_batch", self.test_step, x, y, sample_weight, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Predictions for exactly these rows as a NumPy array."""
        batches = Batches(x)
        return tree.map_structure(K.to_numpy, self.predict_step(batches.take(slice(None))))

    def _on_batch(
        self,
        name: str,
        step: Any,
        x: Any,
        y: Any,
        sample_weight: Any,
        return_dict: bool,
        class_weight: dict[int, float] | None = None,
    ) -> Any:
        self._assert_compiled(name)
        batches = Batches(x, y, sample_weight, class_weight=class_weight)
        with self._frozen_structure():
            self._check_data(batches)
            self.reset_metrics()
            return self._returned(step(batches.take(slice(None))), return_dict)

    def _returned(self, logs: dict[str, Any], return_dict: bool) -> Any:
        values = {name: _as_float(logs[name]) for name in sorted(logs)}  # Keras's order
        if return_dict:
            return values
        ordered = self._in_order(values)
        return [values[name] for name in ordered] if len(ordered) > 1 else values[ordered[0]]

    def _in_order(self, names: Any) -> list[str]:
        """Names of values as `evaluate` lists them."""
        # As in Keras, which looks for the compiled metrics without the outputs' names, and lists a
        # value once for each output of that name.
        known = [
            each.name
            for metric in self.metrics
            for each in (metric.metrics if isinstance(metric, CompiledMetrics) else [metric])
        ]
        first = [name for name in known if name in names]
        return first + sorted(set(names) - set(first))

    # Checks, before anything is changed.

    def _assert_compiled(self, name: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"You must call `compile()` before using the model: {name}() needs a loss and, "
                "to train, an optimizer, as in model.compile('adam', 'mse')."
            )

    def _assert_trains(self, name: str) -> None:
        self._assert_compiled(name)
        if self.optimizer is None and type(self).train_step is Trainer.train_step:
            raise ValueError(
                f"{name}() needs an optimizer, and model '{self.name}' was compiled with "
                "optimizer=None, by you or as a file says whose optimizer could not be restored. "
                "Call `compile()` with one, as in model.compile('adam', 'mse')."
            )

    def _warn_of_frozen_layers(self) -> None:
        """Tell, once, of layers that were frozen or unfrozen since `compile`."""
        if self._trainable_flags is not None:
            self._trainable_flags.warn_of_changes()

    def _check_data(self, source: Source, of: str = "") -> None:
        """Run a few samples through model and loss: builds both, raises on what does not fit."""
        own_step = type(self).train_step is not Trainer.train_step  # may mean anything by its data
        if own_step and type(self).call is Layer.call:
            return  # a step that calls the models inside
        batch, note = source.sample(with_y=self._compiled_loss is not None and not own_step)
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        try:
            with SymbolicScope():
                y_pred = self(x, training=False)
            if own_step:
                return
            on_host = map(_on_host, (y, y_pred, sample_weight))  # only there labels are checked
            self._loss(x, *on_host, training=False)
        except ValueError as error:
            raise ValueError(f"{error} (These are {note}{of}.)") from error
        if y is not None:
            self._compiled_metrics.build(y, y_pred)


def _scaling(optimizer: optimizers.Optimizer) -> optimizers.Optimizer:
    if isinstance(optimizer, optimizers.LossScaleOptimizer):
        return optimizer
    return optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")


def _start(model: Trainer, flag: str) -> None:
    """Take back what a callback may have set. No formula reads it, so no trace is given up."""
    object.__setattr__(model, flag, False)


def _joined(parts: list) -> Any:
    """The predictions of some batches as those of one."""
    if len(parts) == 1:
        return parts[0]
    return tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)


def _on_host(part: Any) -> Any:
    def leaf(x: Any) -> Any:
        return None if x is None else Tensor(K.to_numpy(x))

    copied = tree.map_structure(leaf, part)
    put_masks_by_place(copied, masks_by_place(part))
    return copied


def _is_due(epoch: int, frequency: Any) -> bool:
    """Whether validation follows this epoch, counted from 0."""
    if isinstance(frequency, (list, tuple, set)):
        return epoch + 1 in frequency
    return (epoch + 1) % frequency == 0


def _forward_alone(model: Trainer, x: Any) -> tuple[None, Any]:
    """What `_predict` computes, and nothing that gradients are taken of."""
    return None, model(x, training=False)


def _nothing(model: Trainer) -> list[Variable]:
    """What predicting takes gradients of."""
    return []


def _trained(model: Trainer) -> list[Variable]:
    return model.trainable_variables


def _rows(x: Any) -> int:
    return tree.flatten(x)[0].shape[0]


def _as_float(value: Any) -> Any:
    if isinstance(value, (Tensor, Variable)):
        return float(value) if value.size == 1 else value.numpy()
    return value
