"""SwapEMAWeights: the averages of the weights in their place, wherever a model is looked at."""

from __future__ import annotations

from typing import Any

from .callback import Callback
from .kept import checked, is_flag


class SwapEMAWeights(Callback):
    """Evaluates and predicts with the moving averages that an optimizer with `use_ema` keeps.

    `swap_on_epoch`: from the end of an epoch to the beginning of the next, too, so that callbacks
    behind this one, as ModelCheckpoint, see them. ValueError without `use_ema`.
    """

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def get_state(self) -> Any:
        return {"swapped": self._swapped}

    def set_state(self, state: Any) -> None:
        # As the weights are that were saved with it.
        self._swapped = checked(state, {"swapped": is_flag})["swapped"]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch:
            self._set(False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.swap_on_epoch:
            return
        self._set(True)
        if epoch == self.params["epochs"] - 1 or self.model.stop_training:
            for variable, average in self._pairs():  # fit ends by writing these over the weights
                average.assign(variable)

    def on_test_begin(self, logs: Any = None) -> None:
        self._set(True)

    def on_test_end(self, logs: Any = None) -> None:
        self._set(False)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._set(True)

    def on_predict_end(self, logs: Any = None) -> None:
        self._set(False)

    def _set(self, swapped: bool) -> None:
        if self._swapped == swapped:
            return
        for variable, average in self._pairs():
            value = variable.numpy()
            variable.assign(average)
            average.assign(value)
        self._swapped = swapped

    def _pairs(self) -> list[tuple[Any, Any]]:
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not any(o.use_ema for o in getattr(optimizer, "optimizers", [optimizer])):
            raise ValueError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. "
                f"Received: use_ema=False on '{optimizer.name}'. Compile with an optimizer made "
                "with use_ema=True."
            )
        if not int(optimizer.iterations):
            raise ValueError(
                "SwapEMAWeights needs averages, and there are none before the first step of fit."
            )
        return optimizer.averages()
