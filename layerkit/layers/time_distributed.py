"""TimeDistributed: one layer applied to every step of a sequence."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from .layer import Layer, Shape
from .signatures import takes

_PACKAGE = __name__.partition(".")[0]


class TimeDistributed(Layer):
    """`layer` applied to each step of (batch, steps, ...): (batch, steps, *its output's axes).

    Where the layer treats each sample alone, all steps are one large batch for it. Others (of the
    user's own, or whose training moves averages, as batch normalization's) see a batch per step, in
    the steps' order.
    """

    input_hint = (
        "TimeDistributed expects (batch, steps, ...): one axis more than its layer takes. Put an "
        "axis for the steps behind the batch, x[:, None]."
    )

    def __init__(self, layer: Layer, **kwargs: Any):
        if not isinstance(layer, Layer):
            raise ValueError(
                "Please initialize `TimeDistributed` layer with a `Layer` instance. Received: "
                f"{layer}"
            )
        super().__init__(**kwargs)
        self.layer = layer
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        inner = self._shape_of_step(input_shape)
        if not self.layer.built:
            self.layer.build(inner)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None:
            mask = self._checked_mask(mask, inputs)
        if inputs.shape[1] and not self._treats_samples_alone(training):
            return self._step_by_step(inputs, training, mask)
        batch, steps = inputs.shape[:2]
        merged = [x if x is None else _merge_axes(x) for x in (inputs, mask)]
        outputs = self._apply(merged[0], training, merged[1])
        return K.reshape(outputs, (batch, steps, *outputs.shape[1:]))

    def _step_by_step(self, inputs: Any, training: bool | None, mask: Any) -> Any:
        steps = K.unstack(inputs, axis=1)
        masks = [None] * len(steps) if mask is None else K.unstack(mask, axis=1)
        outputs = [self._apply(x, training, m) for x, m in zip(steps, masks, strict=True)]
        return K.stack(outputs, axis=1)

    def _apply(self, inputs: Any, training: bool | None, mask: Any) -> Any:
        options = {"training": training, "mask": mask}
        given = {k: x for k, x in options.items() if x is not None and takes(self.layer.call, k)}
        return self.layer(inputs, **given)

    def _treats_samples_alone(self, training: bool | None) -> bool:
        """Whether it makes no difference how samples are put together in batches."""
        parts = self.layer._flatten_layers()
        if not all(type(part).__module__.partition(".")[0] == _PACKAGE for part in parts):
            return False
        if any(part.activity_regularizer or getattr(part, "stateful", False) for part in parts):
            return False
        return not training or all(v.born_trainable for v in self.layer.variables)

    def _shape_of_step(self, input_shape: Shape) -> Shape:
        if not isinstance(input_shape, tuple) or len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 "
                f"dimensions, received: {input_shape}. Layer '{self.name}': {self.input_hint}"
            )
        return (input_shape[0], *input_shape[2:])

    def _checked_mask(self, mask: Any, inputs: Any) -> Any:
        mask = K.convert_to_tensor(mask)
        if mask.shape[:2] != inputs.shape[:2]:
            raise ValueError(
                f"The `mask` passed to the `TimeDistributed` layer '{self.name}' has a shape "
                f"{mask.shape} that is incompatible with the input shape {inputs.shape}: its first "
                f"two dimensions must be {inputs.shape[:2]}, the batch and the steps."
            )
        return mask

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        inner = self.layer.compute_output_shape(self._shape_of_step(input_shape))
        return (input_shape[0], input_shape[1], *inner[1:])


def _merge_axes(x: Any) -> Any:
    """The first two axes as one."""
    return K.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))
