"""Layers around something else: Identity, Wrapper around a layer, Lambda around a function."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from layerkit import backend as K
from layerkit.backend import tree

from .layer import Layer


class Identity(Layer):
    """Its inputs, whatever their structure."""

    supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class Wrapper(Layer):
    """Base of layers that hold another one, `layer`, which they build with themselves."""

    def __init__(self, layer: Layer, **kwargs: Any):
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Layer {layer} supplied to {type(self).__name__} isn't a supported layer type. "
                f"Expected an instance of layerkit.layers.Layer; received {type(layer)}."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True


class Lambda(Layer):
    """`function` of the inputs, `arguments` by name, and `training` and `mask` if it takes them.

    `output_shape`: without the batch axis, or a function of the whole input shape; found by running
    the function where None. `mask`: the output's mask, or a function (inputs, mask) that gives it.
    A function made by `def` is saved by its name; TypeError for a lambda, for a file never holds
    code.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ):
        if not callable(function):
            raise TypeError(f"Lambda expects a function of its inputs. Received: {function!r}")
        super().__init__(**kwargs)
        self.function = function
        self.output_shape = _as_tuples(output_shape)
        self.mask = mask
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None
        taken = signature(function).parameters
        self._handed_on = [name for name in ("mask", "training") if name in taken]

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        given = {"mask": mask, "training": training}
        return self.function(
            inputs, **self.arguments, **{name: given[name] for name in self._handed_on}
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self.output_shape):
            return self.output_shape(input_shape)
        batch = tree.flatten(input_shape)[0]
        if _is_shape(self.output_shape):
            return (batch, *self.output_shape)
        return [(batch, *shape) for shape in self.output_shape]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        if callable(self.mask):
            return self.mask(inputs, previous_mask)
        return self.mask if self.mask is None else K.convert_to_tensor(self.mask)

    def get_config(self) -> dict[str, Any]:
        """Its functions by name, and what else it was made of. TypeError for a lambda."""
        try:
            config = super().get_config()
        except TypeError as error:
            raise TypeError(f"Layer '{self.name}' (Lambda) cannot be saved: {error}") from error
        return {
            key: value
            for key, value in config.items()
            if value is not None or key not in ("output_shape", "mask")
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Lambda:
        """The layer of a config; ValueError for one that holds a lambda's code."""
        for key in ("function", "output_shape", "mask"):
            part = config.get(key)
            if isinstance(part, dict) and part.get("class_name") == "__lambda__":
                raise ValueError(
                    f"Requested the deserialization of a `Lambda` layer whose `{key}` is a Python "
                    "lambda. This carries a potential risk of arbitrary code execution and thus "
                    f"it is disallowed: a file never runs code here. Layer '{config.get('name')}': "
                    "rebuild the model in Python and load its weights, or save it again with a "
                    "function that was made by `def`, and pass that in custom_objects."
                )
        return super().from_config(config)


def _is_shape(value: Any) -> bool:
    return all(n is None or isinstance(n, int) for n in value)


def _as_tuples(output_shape: Any) -> Any:
    """Shapes as tuples, whatever a file made of them; a function as it is."""
    if output_shape is None or callable(output_shape):
        return output_shape
    if isinstance(output_shape, int):
        return (output_shape,)
    if _is_shape(output_shape):
        return tuple(output_shape)
    return [tuple(shape) for shape in output_shape]
