"""Model: what is trained, built for shapes or made of a graph, summed up and kept in files."""

from __future__ import annotations

import json
import os
from typing import Any, ClassVar

from layerkit import backend as K
from layerkit.backend import SymbolicScope, Tensor

from .. import saving
from ..configurable import custom_object_scope
from ..layers import Layer
from ..layers.shapes import map_shapes, shapes_of
from ..saving.shared_layers import described
from . import training_state
from .summary import print_summary
from .trainer import Trainer


class Model(Trainer):
    """A layer that can be trained, evaluated and saved.

    `Model(inputs, outputs)` is the functional model between symbolic tensors, see Functional. Or
    subclass it and write `call(inputs, training=None)`, with layers as attributes. `train_step`,
    `test_step`, `predict_step`, `compute_loss` and `compute_metrics` are there to be overridden.
    """

    keras_module = "keras"
    functional: ClassVar[Any]  # the class of models of a graph, which stands on this one

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        of_graph = cls is Model and _are_graph(args, kwargs)
        return super().__new__(Model.functional if of_graph else cls, *args, **kwargs)

    def __init__(self, *args: Any, name: str | None = None, trainable: bool = True, **kwargs: Any):
        if _are_graph(args, kwargs):  # a subclass made of a graph: functional from here on
            _put_functional_below(type(self))
            Model.functional.__init__(self, *args, name=name, trainable=trainable, **kwargs)
            return
        super().__init__(name=name, trainable=trainable, **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of a config that `get_config`, here or in Keras, made.

        `custom_objects`: {name: class or function} of what is neither layerkit's nor registered.
        """
        if cls is Model and "input_layers" in config:
            return cls.functional.from_config(config, custom_objects)
        with custom_object_scope(custom_objects):
            return super().from_config(config)

    # Shape, summary, files.

    def build(self, input_shape: Any) -> None:
        """Make all weights by running one sample of `input_shape`: a shape with its batch axis, or
        a list, tuple or dict of them, as `call` takes its inputs."""
        if not self.built:
            self.built = True
            try:
                with SymbolicScope():
                    self(map_shapes(self._zeros, input_shape), training=False)
            except BaseException:
                self.built = False
                raise

    def _zeros(self, shape: Any) -> Tensor:
        return K.zeros(tuple(1 if n is None else n for n in shape), dtype=self.dtype)

    def _build_for(self, *args: Any, **kwargs: Any) -> None:
        """A model builds itself by being called, after its class's own `build` where it has one."""
        if type(self).build is not Model.build:
            super()._build_for(*args, **kwargs)
        self._build_shape = self._first_shape = shapes_of(args[0])
        self.built = True

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name or index. ValueError lists the layers where there is none, and
        where not one of both is given."""
        layers = self.layers
        if (name is None) == (index is None):
            raise ValueError(
                "Provide either a layer name or a layer index to `get_layer`. Received: "
                f"name={name}, index={index}"
            )
        if index is not None:
            if not -len(layers) <= index < len(layers):
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

    def __reduce__(self) -> Any:
        """As the bytes of a file: pickles and deep copies hold all that files do, and no more."""
        return saving.unpacked, (saving.packed(self),)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON, without weights: see `models.model_from_json`.

        Further arguments are those of `json.dumps`. TypeError for a layer that has no config.
        """
        return json.dumps(described(self), **kwargs)

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **options: Any
    ) -> None:
        """Save architecture, weights, optimizer and compile arguments: see `saving.save_model`."""
        saving.save_model(self, filepath, overwrite, zipped, **options)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Save the weights (and the optimizer's state) as a `.weights.h5` or `.npz` file.

        Any other `.h5` or `.hdf5` file holds weights alone, in the layout of Keras 2.
        max_shard_size: gigabytes; with it `filepath` ends in `.weights.json`, and parts of at most
        this size lie beside it.
        """
        saving.save_weights(self, filepath, overwrite, max_shard_size)

    def save_state(self, filepath: Any, overwrite: bool = True) -> None:
        """Save all that training goes on from, as one file: see `load_state`.

        Weights, optimizers, what is frozen, states of recurrent layers and random counters (those
        of layers and losses, layerkit's, NumPy's and Python's). When a callback calls it within
        fit, also where fit is: epoch and batch, order of the data, running metrics, logs, History,
        and what callbacks keep (those behind the one that calls have not been told of that moment
        yet).

        ValueError for a model that is not built, in the middle of a step or a validation, and
        FileExistsError with `overwrite=False` where there is a file.
        """
        from ..saving.atomic import replacing
        from ..saving.state_file import write_state

        state = training_state.state_of(self)
        with replacing(os.fspath(filepath), overwrite) as file:
            write_state(state, file)

    def load_state(self, filepath: Any) -> None:
        """Load what `save_state` saved, into the same model, compiled in the same way.

        If it was saved within fit, the next fit goes on there, to the same bits: give it the same
        data, callbacks and arguments (`epochs` may be more). Its callbacks are told that training
        begins, then given their states; what they did to the weights and optimizers is undone.
        Arrays and PyDatasets go on at the next batch of the same order; of a generator, which must
        begin anew, and of other iterables the batches that were trained on are made once more and
        skipped. Random generators that data holds go on too. Of a user's own classes, what no
        Variable and no `get_state` keeps begins anew. Warns where other threads, another backend or
        other settings of the optimizer compute from here on: bits may then differ.

        All or nothing: ValueError, and nothing changed, for another model or another file.
        """
        training_state.load_into(self, os.fspath(filepath))

    def load_weights(
        self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
    ) -> None:
        """Load weights that `save_weights` or `save`, here or in Keras, wrote.

        by_name, of legacy `.h5` files: into the layers that have the same names.
        """
        saving.load_weights(self, filepath, skip_mismatch=skip_mismatch, by_name=by_name)


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
