"""Sequential: layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor, tree

from ..configurable import deserialize, serialize
from ..layers import InputLayer, Layer
from ..layers.layer import Shape, SymbolicTensor
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
        self._shape: Shape | None = None  # of the output of the last layer built
        for layer in layers or ():
            self.add(layer)
        if not trainable:
            self.trainable = False

    def add(self, layer: Any) -> None:
        """Put a layer on top. ValueError for a name used twice, TypeError for what is no layer."""
        if isinstance(layer, SymbolicTensor):
            layer = InputLayer(batch_shape=layer.shape, dtype=layer.dtype, name=layer.name)
        if not isinstance(layer, Layer):
            raise TypeError(
                "Only instances of `keras.Layer` can be added to a Sequential model. "
                f"Received: {layer} (of type {type(layer)}). Did you forget to call the class?"
            )
        if any(layer.name == other.name for other in self._layers):
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
        if not self._layers and not isinstance(layer, InputLayer) and layer.batch_input_shape:
            self.add(InputLayer(batch_shape=layer.batch_input_shape))
        if isinstance(layer, InputLayer):
            self._shape = layer.batch_shape
        elif self._shape is not None:
            self._shape = _build_on(layer, self._shape)
        self._layers = [*self._layers, layer]
        if not isinstance(layer, InputLayer):
            self.built = self._shape is not None

    def pop(self) -> Layer:
        """Take the last layer off and return it."""
        if not self.layers:
            raise TypeError("There are no layers in the model.")
        *self._layers, layer = self._layers
        if self._shape is not None:
            self._shape = self._layers[0].batch_shape  # type: ignore[attr-defined]
            for other in self.layers:
                self._shape = other.compute_output_shape(self._shape)
        return layer

    @property
    def layers(self) -> list[Layer]:
        """The layers from bottom to top, without the Input."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def build(self, input_shape: Any = None) -> None:
        """Make all weights for inputs of `input_shape` (batch axis included)."""
        if self._shape is not None:
            return
        if input_shape is None:
            raise ValueError(
                f"You must provide an `input_shape` argument to build Sequential '{self.name}'."
            )
        if not self._layers:
            raise ValueError(f"Sequential model '{self.name}' cannot be built: it has no layers.")
        shape: Shape = tuple(input_shape)
        for layer in self.layers:
            shape = _build_on(layer, shape)
        self._layers = [InputLayer(batch_shape=tuple(input_shape)), *self._layers]
        self._shape = shape
        self.built = True

    def _build_for(self, inputs: Any) -> None:
        self.build((None, *inputs.shape[1:]))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = inputs
        for layer in self.layers:
            x = layer(x, training=training)
        return x

    def _convert(self, inputs: Any) -> Any:
        x = super()._convert(inputs)
        if isinstance(x, (list, tuple, dict)):
            x = _only(self.name, tree.flatten(x))
        first = self._layers[0] if self._layers else None
        if isinstance(first, InputLayer) and isinstance(x, Tensor):
            x = x if x.dtype == first.dtype else K.cast(x, first.dtype)
            x = x if x.ndim == len(first.batch_shape) else _with_rank_of(x, first.batch_shape)
        return x

    def _convert_leaf(self, x: Any) -> Any:
        """Its layers cast: the first one may take what this model's policy would round."""
        return x if x is None or isinstance(x, SymbolicTensor) else K.convert_to_tensor(x)

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    @property
    def input_shape(self) -> Shape:
        """Shape of the input, batch axis included. AttributeError before the model is built."""
        return self._input_layer().batch_shape

    @property
    def output_shape(self) -> Shape:
        """Shape of the output, batch axis included. AttributeError before the model is built."""
        self._input_layer()
        assert self._shape is not None
        return self._shape

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
        if self._shape is not None:
            config["build_input_shape"] = self.input_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Sequential:
        """The model of a config that `get_config`, here or in Keras, made."""
        model = cls(name=config.get("name"))
        model.dtype_policy = config.get("dtype")
        for layer in config["layers"]:
            model.add(deserialize(layer, custom_objects=custom_objects))
        shape = config.get("build_input_shape")
        if model._shape is None and shape:
            model.build(tuple(shape))
        if config.get("trainable") is False:
            model.trainable = False
        return model

    def get_build_config(self) -> dict[str, Any] | None:
        return None if self._shape is None else {"input_shape": self.input_shape}


def _only(name: str, inputs: list) -> Any:
    """The one input; ValueError for several."""
    if len(inputs) != 1:
        raise ValueError(
            f'Layer "{name}" expects 1 input(s), but it received {len(inputs)} input tensors: a '
            "Sequential has one input. Subclass Model to take several."
        )
    return inputs[0]


def _with_rank_of(x: Any, shape: Shape) -> Any:
    """`x` with a last axis of one added or taken away where its rank asks for it, as in Keras."""
    if x.ndim == len(shape) + 1 and x.shape[-1] == 1:
        return K.squeeze(x, axis=-1)
    if x.ndim == len(shape) - 1 and shape[-1] == 1:
        return K.expand_dims(x, axis=-1)
    return x


def _build_on(layer: Layer, input_shape: Shape) -> Shape:
    """Build `layer` for `input_shape`; returns the shape of its output."""
    layer.check_input_shape(input_shape)
    if not layer.built:
        layer.build(input_shape)
        layer.built = True
        layer.check_input_shape(input_shape)
    return layer.compute_output_shape(input_shape)
