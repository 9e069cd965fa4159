"""TrainableFlags: tells who froze layers after `compile` that they were not compiled so."""

from __future__ import annotations

import warnings

from ..layers import Layer


class TrainableFlags:
    """Which of `layers` were trainable at `compile`."""

    def __init__(self, layers: list[Layer]):
        self._flags = {layer: layer.trainable for layer in layers}
        self._seen = Layer.changes

    def warn_of_changes(self) -> None:
        """Warn, once for each change, where a layer's `trainable` was set since."""
        if Layer.changes == self._seen:
            return
        self._seen = Layer.changes
        changed = [layer.name for layer, flag in self._flags.items() if layer.trainable != flag]
        self._flags = {layer: layer.trainable for layer in self._flags}
        if changed:
            warnings.warn(
                "A layer's `trainable` state has changed since the model was compiled. What is "
                "frozen now stays as it is from here on; what is unfrozen may be unknown to the "
                "optimizer. Please recompile your model (`model.compile(...)`) before calling "
                f"`fit()`, so that both begin as they are meant. Changed layers: {changed}",
                stacklevel=4,
            )
