"""Model: compile, fit, evaluate, predict, and the training step that they run."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any, ClassVar

import numpy as np

from layerkit import backend as K
from layerkit.backend import GradientTape, Tensor, Variable, memory, tree
from layerkit.backend.threads import blas_on_one_thread

from .. import losses, metrics, optimizers, saving
from ..batching import (
    Batches,
    positive,
    raise_on_nan,
    split_validation,
    unpack_x_y_sample_weight,
)
from ..callbacks import CallbackList
from ..configurable import serialize
from ..layers import Layer
from ..layers.layer import found_in, shapes_of, takes
from .compiled import CompiledMetrics, compiled_loss, only_leaf
from .replayed import ReplayedStep, replayed_step
from .summary import print_summary
from .traced import TracedPass


class Model(Layer):
    """A layer that can be trained, evaluated and saved.

    `Model(inputs, outputs)` is the functional model between symbolic tensors, see Functional. Or
    subclass it and write `call(inputs, training=None)`, with layers as attributes. `train_step`,
    `test_step`, `predict_step`, `compute_loss` and `compute_metrics` are there to be overridden.
    """

    keras_module = "keras"
    functional: ClassVar[Any]  # the class of models of a graph, which stands on this one

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        of_graph = cls is Model and _are_graph(args, kwargs)
        return super().__new__(Model.functional if of_graph else cls)

    def __init__(self, *args: Any, name: str | None = None, trainable: bool = True, **kwargs: Any):
        if _are_graph(args, kwargs):  # a subclass made of a graph: functional from here on
            _put_functional_below(type(self))
            Model.functional.__init__(self, *args, name=name, trainable=trainable, **kwargs)
            return
        super().__init__(name=name, trainable=trainable, **kwargs)
        self.optimizer: Any = None
        self.loss: Any = None
        self.compiled = False
        self.stop_training = False
        self.history: Any = None  # the History of the last fit
        self._compiled_loss: Any = None
        self._compiled_metrics = CompiledMetrics(None, None)
        self._loss_tracker = metrics.Mean(name="loss")
        self._replayed_step: ReplayedStep | None = None
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
        metrics: Any = None,
        weighted_metrics: Any = None,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train: `optimizer` and `loss` by name or object, `metrics` as a list.

        `metrics`: names, functions of (y_true, y_pred) or Metric objects; `weighted_metrics` also
        get the sample weights. `auto_scale_loss`: under the policy 'mixed_float16', wrap the
        optimizer in a LossScaleOptimizer. ValueError for a name that is none.

        `jit_compile`: on the CPU, 'auto' traces the forward and backward pass of what is
        layerkit's own, and True of a user's layers and losses too: see `models.traced`. On the
        backend 'cupy', True captures `train_step` as a CUDA graph and replays it: see
        `models.replayed`; 'auto' does not, for now. False runs steps as they are. `evaluate` and
        `predict` always do.
        """
        made = (
            optimizers.get(optimizer),
            compiled_loss(loss),
            CompiledMetrics(metrics, weighted_metrics),
            replayed_step(self, jit_compile, type(self).train_step is not Model.train_step),
        )  # all or nothing: what cannot be made changes nothing
        self.optimizer, self._compiled_loss, self._compiled_metrics, self._replayed_step = made
        self._trace_passes(jit_compile)
        self.loss = loss
        self._compile_config = {
            "optimizer": self.optimizer,
            "loss": loss,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "jit_compile": jit_compile,
            "auto_scale_loss": auto_scale_loss,
        }
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16":
            self.optimizer = _scaling(self.optimizer)
        self.compiled = True

    def _trace_passes(self, jit_compile: Any) -> None:
        """Choose what goes through the model: `_pass` and `_predict`, or traces of them."""
        self._training_pass: Any = Model._pass
        self._prediction_pass: Any = Model._predict
        if jit_compile is False or self._replayed_step is not None:
            return
        self._prediction_pass = TracedPass(_forward_alone, Model._predict, lambda model: [])
        if type(self).train_step is Model.train_step:
            self._training_pass = TracedPass(
                Model._forward, Model._pass, _trained, asked=jit_compile is True
            )

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile` as plain values, for a file; empty if not compiled."""
        return saving.describe_training(self._compile_config)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as `get_compile_config` says; warns of what cannot be restored."""
        saving.compile_as_saved(self, config)

    @property
    def metrics(self) -> list[metrics.Metric]:
        """The loss tracker, the compiled metrics, those that are attributes of the model, and
        those of its layers, models inside it left out."""
        structure = self._structure()
        if structure.metrics is None:
            own = [x for x in structure.layers if x is self or not isinstance(x, Model)]
            structure.metrics = [m for layer in own for m in found_in(metrics.Metric, vars(layer))]
        every = [self._loss_tracker, *self._compiled_metrics.metrics, *structure.metrics]
        return list(dict.fromkeys(every))

    @property
    def metrics_names(self) -> list[str]:
        """Names of `metrics`, in the order in which `evaluate` returns their values."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Tensor]:
        """The running value of every metric, by name."""
        return {metric.name: metric.result() for metric in self.metrics}

    # One step.

    def train_step(self, data: Any) -> dict[str, Any]:
        """One batch: predictions, loss, gradients, update. Returns the metrics by name."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        (loss, y_pred), gradients = self._training_pass(self, x, y, sample_weight)
        self.optimizer.apply(gradients, self.trainable_variables)
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def _pass(self, x: Any, y: Any, sample_weight: Any) -> tuple[tuple[Tensor, Any], list]:
        """Forward and backward: (loss, predictions), gradients of the trainable variables."""
        with GradientTape() as tape:
            scaled_loss, outputs = self._forward(x, y, sample_weight)
        return outputs, tape.gradient(scaled_loss, self.trainable_variables)

    def _forward(self, x: Any, y: Any, sample_weight: Any) -> tuple[Tensor, tuple[Tensor, Any]]:
        """What gradients are taken of; the loss and the predictions."""
        y_pred = self(x, training=True)
        loss = self._loss(x, y, y_pred, sample_weight, training=True)
        return self.optimizer.scale_loss(loss), (loss, y_pred)

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
        added = self.losses
        if self._compiled_loss is None:
            if not added:
                raise ValueError(
                    "No loss to compute. Provide a `loss` argument in `compile()`, or add one "
                    "with `add_loss` in a layer's call."
                )
            loss = added.pop(0)
        elif y is None:
            raise ValueError("The compiled loss needs targets: give `y`.")
        else:
            loss = self._compiled_loss(*map(only_leaf, (y, y_pred, sample_weight)))
        for term in added:
            loss = loss + term
        return loss

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
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        validation_batch_size: int | None = None,
        validation_freq: int | list[int] = 1,
    ) -> Any:
        """Train on arrays for `epochs` passes; returns the History of loss and metrics.

        x, y: arrays of one length. batch_size: rows a step, 32 by default. validation_data: (x, y)
        or (x, y, sample_weight), evaluated every `validation_freq` epochs, or after those
        listed in it (counted from 1); or validation_split: the last part of the rows, kept out of
        training. shuffle: a new order every epoch.
        class_weight: weight by label. sample_weight: weight by row. verbose: 0 silent, 1 a bar
        an epoch, 2 a line an epoch, 'auto' the bar on a terminal and lines elsewhere.

        Data that does not fit raises before anything is changed.
        """
        self._assert_compiled("fit")
        if not isinstance(validation_freq, (list, tuple, set)):
            positive("validation_freq", validation_freq)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_validation(
                (x, y, sample_weight), validation_split
            )
        batches = Batches(x, y, sample_weight, batch_size, shuffle, class_weight)
        validation = None
        if validation_data is not None:
            if not isinstance(validation_data, (list, tuple)):
                raise ValueError(
                    "`validation_data` must be a tuple (x, y) or (x, y, sample_weight). "
                    f"Received: {type(validation_data).__name__}"
                )
            validation = Batches(
                *unpack_x_y_sample_weight(tuple(validation_data)),
                batch_size=validation_batch_size or batches.batch_size,
            )
        self._check_data(batches)
        if validation is not None:
            self._check_data(validation)
        callback_list = CallbackList.of(
            callbacks, self, verbose, epochs=epochs, steps=len(batches), samples=batches.size
        )
        self.stop_training = False
        logs: dict[str, Any] = {}
        with callback_list, self._frozen_structure(), blas_on_one_thread(), memory.kept():
            callback_list.on_train_begin()
            for epoch in range(initial_epoch, epochs):
                callback_list.on_epoch_begin(epoch)
                logs = self._train_epoch(batches, callback_list)
                if validation is not None and _is_due(epoch, validation_freq):
                    values = self._evaluate(validation, callback_list)
                    logs.update({f"val_{name}": value for name, value in values.items()})
                callback_list.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
            self.optimizer.finalize_variable_values(self.trainable_variables)
            callback_list.on_train_end(logs)
        return self.history

    def _train_epoch(self, batches: Batches, callback_list: CallbackList) -> dict[str, Any]:
        self.reset_metrics()
        logs: dict[str, Any] = {}
        for step, batch in enumerate(batches):
            callback_list.on_train_batch_begin(step)
            logs = self._training_step(batch)
            callback_list.on_train_batch_end(step, logs)
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
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics over arrays: a list in the order of `metrics_names`, a float if there
        is only the loss, or a dict with `return_dict`."""
        self._assert_compiled("evaluate")
        batches = Batches(x, y, sample_weight, batch_size)
        self._check_data(batches)
        callback_list = CallbackList.of(
            callbacks, self, verbose, epochs=1, steps=len(batches), samples=batches.size
        )
        with callback_list, self._frozen_structure(), blas_on_one_thread(), memory.kept():
            return self._returned(self._evaluate(batches, callback_list), return_dict)

    def _evaluate(self, batches: Batches, callback_list: CallbackList) -> dict[str, Any]:
        self.reset_metrics()
        logs: dict[str, Any] = {}
        callback_list.on_test_begin()
        for step, batch in enumerate(batches):
            callback_list.on_test_batch_begin(step)
            logs = self.test_step(batch)
            callback_list.on_test_batch_end(step, logs)
        callback_list.on_test_end(logs)
        return logs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        callbacks: Any = None,
    ) -> Any:
        """Predictions for the rows of `x` as a NumPy array (or the structure that `call` gives)."""
        batches = Batches(x, batch_size=batch_size)
        callback_list = CallbackList.of(
            callbacks, self, verbose, epochs=1, steps=len(batches), samples=batches.size
        )
        if not batches.size:
            raise ValueError("predict() got no samples: `x` has length 0.")
        parts: list[Any] = []
        # To give memory back takes longer than to predict a single row.
        kept = memory.kept() if len(batches) > 1 else nullcontext()
        with callback_list, blas_on_one_thread(), kept:
            callback_list.on_predict_begin()
            for step, batch in enumerate(batches):
                callback_list.on_predict_batch_begin(step)
                outputs = tree.map_structure(K.to_numpy, self.predict_step(batch))
                parts.append(outputs)
                callback_list.on_predict_batch_end(step, {"outputs": outputs})
            callback_list.on_predict_end()
        return tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One training step on exactly these rows. Returns as `evaluate` does."""
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
        self._check_data(batches)
        self.reset_metrics()
        return self._returned(step(batches.take(slice(None))), return_dict)

    def _returned(self, logs: dict[str, Any], return_dict: bool) -> Any:
        values = {name: _as_float(value) for name, value in logs.items()}
        if return_dict:
            return values
        first = [name for name in self.metrics_names if name in values]
        ordered = first + sorted(set(values) - set(first))
        return [values[name] for name in ordered] if len(ordered) > 1 else values[ordered[0]]

    # Checks, before anything is changed.

    def _assert_compiled(self, name: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"You must call `compile()` before using the model: {name}() needs a loss and, "
                "to train, an optimizer, as in model.compile('adam', 'mse')."
            )

    def _check_data(self, batches: Batches) -> None:
        """Run a few samples through model and loss: builds both, raises on what does not fit."""
        if not batches.size:
            raise ValueError("The data is empty: `x` has length 0.")
        raise_on_nan("x", batches.x)
        raise_on_nan("sample_weight", batches.sample_weight)
        own_step = type(self).train_step is not Model.train_step  # may mean anything by its data
        if isinstance(self._compiled_loss, losses.Loss) and not own_step:
            raise_on_nan("y", batches.y)
        rows = _telling_rows(batches.y)
        x, y, sample_weight = unpack_x_y_sample_weight(batches.take(rows))
        try:
            y_pred = self(x, training=False)
            if own_step:
                return
            on_host = map(_on_host, (y, y_pred, sample_weight))  # only there labels are checked
            self._loss(x, *on_host, training=False)
        except ValueError as error:
            count = len(np.arange(batches.size)[rows])
            note = f" (These are the shapes of {count} of the {batches.size} rows, tried first.)"
            raise ValueError(f"{error}{note}") from error
        if y is not None:
            self._compiled_metrics.build(y, y_pred)

    # Shape, summary, files.

    def build(self, input_shape: Any) -> None:
        """Make all weights by running one sample of `input_shape` (batch axis included)."""
        if not self.built:
            shape = tuple(1 if n is None else n for n in input_shape)
            self.built = True
            try:
                self(K.zeros(shape, dtype=self.dtype), training=False)
            except BaseException:
                self.built = False
                raise

    def _build_for(self, *args: Any, **kwargs: Any) -> None:
        """A model builds itself by being called; its layers build theirs."""
        self._build_shape = self._first_shape = shapes_of(args[0])
        self.built = True

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name or index. ValueError lists the layers where there is none."""
        layers = self.layers
        if index is not None:
            if index >= len(layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has "
                    f"{len(layers)} layers."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"No such layer: {name}. Existing layers are: {[layer.name for layer in layers]}."
        )

    @property
    def layers(self) -> list[Layer]:
        """The layers held directly, in the order of their attributes."""
        return list(self._sublayers())

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers, output shapes and numbers of weights: `print_summary`."""
        print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON, without weights: see `models.model_from_json`.

        Further arguments are those of `json.dumps`. TypeError for a layer that has no config.
        """
        return json.dumps(serialize(self), **kwargs)

    def save(self, filepath: Any, overwrite: bool = True) -> None:
        """Save architecture, weights, optimizer and compile arguments as a `.keras` file."""
        saving.save_model(self, filepath, overwrite=overwrite)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Save the weights (and the optimizer's state) as a `.weights.h5` file."""
        saving.save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False) -> None:
        """Load weights that `save_weights` or `save`, here or in Keras, wrote."""
        saving.load_weights(self, filepath, skip_mismatch=skip_mismatch)


def _scaling(optimizer: optimizers.Optimizer) -> optimizers.Optimizer:
    if isinstance(optimizer, optimizers.LossScaleOptimizer):
        return optimizer
    return optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")


def _are_graph(args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether a constructor's arguments are inputs and outputs: Model(inputs, outputs)."""
    return len(args) >= 2 or len(args) == 1 and "outputs" in kwargs or kwargs.keys() >= _GRAPH


_GRAPH = {"inputs", "outputs"}


def _put_functional_below(cls: type) -> None:
    """Make Functional the base of `cls` where Model was."""
    if not issubclass(cls, Model.functional):
        for base in [base for base in cls.__mro__ if Model in base.__bases__]:
            bases = [Model.functional if b is Model else b for b in base.__bases__]
            base.__bases__ = tuple(bases)


def _telling_rows(y: Any) -> Any:
    """Rows to check a data set by: the first one and, of labels, the smallest and the largest."""
    if isinstance(y, np.ndarray) and y.size == len(y):
        return np.unique([0, y.argmin(), y.argmax()])
    return slice(0, 1)


def _on_host(part: Any) -> Any:
    return None if part is None else tree.map_structure(lambda x: Tensor(K.to_numpy(x)), part)


def _is_due(epoch: int, frequency: Any) -> bool:
    """Whether validation follows this epoch, counted from 0."""
    if isinstance(frequency, (list, tuple, set)):
        return epoch + 1 in frequency
    return (epoch + 1) % frequency == 0


def _forward_alone(model: Model, x: Any) -> tuple[None, Any]:
    """What `_predict` computes, and nothing that gradients are taken of."""
    return None, model(x, training=False)


def _trained(model: Model) -> list[Variable]:
    return model.trainable_variables


def _rows(x: Any) -> int:
    return tree.flatten(x)[0].shape[0]


def _as_float(value: Any) -> Any:
    if isinstance(value, (Tensor, Variable)):
        return float(value) if value.size == 1 else value.numpy()
    return value
