"""Pipeline: layers of preprocessing, one after the other."""

from __future__ import annotations

from typing import Any

from layerkit.backend import tree

from ..layer import Layer
from ..signatures import takes


class Pipeline(Layer):
    """`layers`, one after the other: as Sequential, for data which is no single tensor too."""

    def __init__(self, layers: Any, name: str | None = None, **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self.layers = list(layers)

    def _convert(self, inputs: Any) -> Any:
        return inputs  # the first layer knows what it takes

    def _build_for(self, *_: Any, **__: Any) -> None:
        self.built = True

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        for layer in self.layers:
            options = {"mask": mask} if takes(layer.call, "mask") else {}
            inputs = layer(inputs, training=training, **options)
            masks = [getattr(x, "_keras_mask", None) for x in tree.flatten(inputs)]
            mask = tree.pack_sequence_as(inputs, masks)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The layers' configs and the name."""
        config = super().get_config()
        return {"layers": config["layers"], "name": config["name"]}
