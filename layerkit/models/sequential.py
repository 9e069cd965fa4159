"""Sequential: layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from operator import attrgetter
from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor, name_scope, tree

from ..configurable import deserialize, serialize
from ..layers import InputLayer, Layer
from ..layers.preprocessing.host import HostLayer
from ..layers.shapes import shapes_of, with_rank_of
from ..masks import carrying
from ..saving.shared_layers import layer_of
from ..symbolic import KerasTensor, Shape, node_of
from .model import Model


class Sequential(Model):
    """A stack of layers, each fed with the output of the one before.

    `layers`: a list; or `add` them one by one. With an Input (or `input_shape` on the first
    layer) the weights are made at once, otherwise on the first data.
    """

    layers_come_first = True  # in files, before the attributes of a subclass

    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self._layers: list[Layer] = []  # an InputLayer, where there is one, comes first
        self._tensors: list[KerasTensor] = []  # symbolic outputs of the layers, once it is built
        if isinstance(layers, (Layer, KerasTensor)):
            raise TypeError(
                "`layers` of Sequential must be a list of layers, as Sequential([Dense(8), "
                f"Dense(1)]). Received: layers={layers}"
            )
        for layer in layers or ():
            self.add(layer)
        if not trainable:
            self.trainable = False

    def add(self, layer: Any) -> None:
        """Put a layer on top. ValueError for a name used twice, TypeError for what is no layer."""
        if isinstance(layer, KerasTensor) and isinstance(node_of(layer).operation, InputLayer):
            layer = node_of(layer).operation
        if not isinstance(layer, Layer):
            raise TypeError(
                "Only instances of `keras.Layer` can be added to a Sequential model. "
                f"Received: {layer} (of type {type(layer)}).{_how_to_add(layer)}"
            )
        if layer.name in map(_NAME, self._layers):  # which may have been renamed since
            raise ValueError(
                "All layers added to a Sequential model should have unique names. Name "
                f"'{layer.name}' is already the name of a layer in this model. Update the `name` "
                "argument to pass a unique name."
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(
                f"Sequential model '{self.name}' already has layers, its input among them or made "
                "on the first data. You cannot add a different Input layer to it: put Input first."
            )
        if not self._layers and not isinstance(layer, InputLayer):
            if layer.batch_input_shape:
                self.add(InputLayer(batch_shape=layer.batch_input_shape))
            elif isinstance(layer, Model) and len(getattr(layer, "inputs", ())) == 1:
                own = layer.inputs[0]
                self.add(InputLayer(batch_shape=own.shape, dtype=own.dtype))
        if isinstance(layer, InputLayer):
            self._tensors = [layer.output]
        elif self._tensors:
            self._find_path()
            with name_scope(self.name, self):
                self._tensors = [*self._tensors, layer(self._tensors[-1])]
        self._layers = [*self._layers, layer]
        if not isinstance(layer, InputLayer):
            self.built = bool(self._tensors)

    def pop(self) -> Layer:
        """Take the last layer off and return it."""
        if not self.layers:
            raise TypeError("There are no layers in the model.")
        *self._layers, layer = self._layers
        self._tensors = self._tensors[: len(self._layers)]
        return layer

    @property
    def layers(self) -> list[Layer]:
        """The layers from bottom to top, without the Input."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def build(self, input_shape: Any = None) -> None:
        """Make all weights for inputs of `input_shape` (batch axis included)."""
        if self._tensors:
            self._refuse_another(input_shape)
            return
        if input_shape is None:
            raise ValueError(
                f"You must provide an `input_shape` argument to build Sequential '{self.name}'."
            )
        if not self._layers:
            raise ValueError(f"Sequential model '{self.name}' cannot be built: it has no layers.")
        dtype = getattr(self.layers[0], "input_dtype", None)
        first = InputLayer(batch_shape=tuple(input_shape), dtype=dtype)
        tensors = [first.output]
        for layer in self.layers:
            tensors.append(layer(tensors[-1]))
        self._layers, self._tensors = [first, *self._layers], tensors
        self.built = True

    def _refuse_another(self, input_shape: Any) -> None:
        """ValueError where a model that is built is asked to be built for another shape."""
        if input_shape is not None and tuple(input_shape)[1:] != self.input_shape[1:]:
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured to use input shape "
                f"{self.input_shape}. You cannot build it with input_shape {tuple(input_shape)}: "
                "make a new model."
            )

    def _build_for(self, *args: Any, **kwargs: Any) -> None:
        self.build(shapes_of(args[0]))

    def _hand_mask_on(self, inputs: Any, outputs: Any, mask: Any) -> None:
        """Nothing: its layers took the mask, and handed on what they hand on."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        x = inputs
        with nullcontext() if mask is None else carrying(inputs, mask):
            for layer in self.layers:
                x = layer(x, training=training)
        return x

    def _convert(self, inputs: Any) -> Any:
        if self.layers and isinstance(self.layers[0], HostLayer):
            return self.layers[0]._convert(inputs)  # which takes strings
        x = super()._convert(inputs)
        if isinstance(x, (list, tuple, dict)):
            x = _only(self.name, tree.flatten(x))
        first = self._layers[0] if self._layers else None
        if isinstance(first, InputLayer) and isinstance(x, Tensor):
            x = x if x.dtype == first.dtype else K.cast(x, first.dtype)
            x = x if x.ndim == len(first.batch_shape) else with_rank_of(x, first.batch_shape)
        if isinstance(first, InputLayer) and x is not None:
            self._check_rank(x, first.batch_shape)
        return x

    def _check_rank(self, x: Any, expected: Shape) -> None:
        if len(x.shape) != len(expected):
            raise ValueError(
                f"Invalid input shape for model '{self.name}'. Expected shape {expected}, but "
                f"input has incompatible shape {tuple(x.shape)}. The batch axis comes first: the "
                "shape of an Input, and `input_shape`, leave it out, and a single sample has it, "
                f"x[None]. {' '.join(layer.input_hint for layer in self.layers[:1])}".rstrip()
            )

    def _convert_leaf(self, x: Any) -> Any:
        """Its layers cast: the first one may take what this model's policy would round."""
        return x if x is None or isinstance(x, KerasTensor) else K.convert_to_tensor(x)

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        x = self._convert(args[0])
        for layer in self.layers:
            x = layer.spec_of_call(x)
        return x

    @property
    def input(self) -> KerasTensor:
        """The symbolic input. AttributeError before the model is built."""
        return self._input_layer().output

    @property
    def output(self) -> Any:
        """The symbolic output. AttributeError before the model is built."""
        self._input_layer()
        return self._tensors[-1]

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic input in a list."""
        return [self.input]

    @property
    def outputs(self) -> list[Any]:
        """The symbolic output in a list."""
        return tree.flatten(self.output)

    @property
    def output_names(self) -> list[str]:
        """The name of the last layer in a list."""
        return [layer.name for layer in self._layers[-1:]]

    @property
    def input_shape(self) -> Shape:
        """Shape of the input, batch axis included. AttributeError before the model is built."""
        return self._input_layer().batch_shape

    @property
    def output_shape(self) -> Shape:
        """Shape of the output, batch axis included. AttributeError before the model is built."""
        return tree.map_structure(lambda x: x.shape, self.output)

    def _input_layer(self) -> InputLayer:
        if not self._layers or not isinstance(self._layers[0], InputLayer):
            raise AttributeError(
                f"Sequential model '{self.name}' has no defined input shape yet: give it an "
                "Input, call `build(input_shape)`, or call it on data."
            )
        return self._layers[0]

    def get_config(self) -> dict[str, Any]:
        """Name and layers, as Keras writes them."""
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self._dtype_config(),
            "layers": [serialize(layer) for layer in self._layers],
        }
        if self._tensors:
            config["build_input_shape"] = self.input_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Sequential:
        """The model of a config that `get_config`, here or in Keras, made."""
        model = cls(name=config.get("name"))
        model.dtype_policy = config.get("dtype")
        for layer in config["layers"]:
            model.add(layer_of(layer, partial(deserialize, layer, custom_objects)))
        shape = config.get("build_input_shape")
        if not model._tensors and shape:
            model.build(tuple(shape))
        if config.get("trainable") is False:
            model.trainable = False
        return model

    def get_build_config(self) -> dict[str, Any] | None:
        return {"input_shape": self.input_shape} if self._tensors else None


_NAME = attrgetter("name")


def _how_to_add(thing: Any) -> str:
    if isinstance(thing, type) and issubclass(thing, Layer):
        return f" Did you forget to call the class? Write {thing.__name__}(...)."
    if isinstance(thing, KerasTensor):
        return " A Sequential calls its layers itself: write Dense(8), not Dense(8)(x)."
    return " For a function, write Lambda(function)." if callable(thing) else ""


def _only(name: str, inputs: list) -> Any:
    """The one input; ValueError for several."""
    if len(inputs) != 1:
        raise ValueError(
            f'Layer "{name}" expects 1 input(s), but it received {len(inputs)} input tensors: a '
            "Sequential has one input. Subclass Model to take several."
        )
    return inputs[0]
