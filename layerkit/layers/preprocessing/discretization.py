"""Discretization: numbers as the bins they fall into."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.registry import backend_of

from ...symbolic import KerasTensor
from ..layer import Layer, Shape
from .category_encoding import encoded_shape, encoded_tensor
from .host import batches, is_batches, on_host, one_of, refuse_sparse


class Discretization(Layer):
    """Numbers as the index of their bin: how many of the boundaries are not above them.

    `bin_boundaries`: in ascending order; or `num_bins`, whose boundaries `adapt` learns so that
    all bins are about equally full, up to `epsilon` of the numbers. `output_mode`: 'int' (int32),
    or 'one_hot', 'multi_hot', 'count' over the bins.
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, dtype=dtype, **kwargs)
        modes = ("int", "one_hot", "multi_hot", "count")
        self.output_mode = one_of("Discretization", "output_mode", output_mode, modes)
        self.sparse = refuse_sparse("Discretization", sparse)
        if num_bins is not None and num_bins < 0:
            raise ValueError(
                f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`"
            )
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                "Both `num_bins` and `bin_boundaries` should not be set. Received: "
                f"`num_bins={num_bins}` and `bin_boundaries={bin_boundaries}`"
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError("You need to set either `num_bins` or `bin_boundaries`.")
        self.bin_boundaries = None if bin_boundaries is None else list(bin_boundaries)
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.summary = _EMPTY

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the boundaries from `data`: an array, or a dataset of which `steps` batches count.

        ValueError where the boundaries were given.
        """
        if self.num_bins is None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with "
                "`bin_boundaries`, use `num_bins` instead."
            )
        self.reset_state()
        if is_batches(data) or isinstance(data, (list, tuple)):
            for batch in batches(data, steps):
                self.update_state(batch)
        else:
            self.update_state(data)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take one batch into the summary of what was seen."""
        numbers = on_host(data).astype("float32").ravel()
        both = np.concatenate([_summary(numbers, self.epsilon), self.summary], axis=1)
        ordered = both[:, np.argsort(both[0], kind="quicksort")]
        self.summary = _compressed(ordered, self.epsilon)

    def finalize_state(self) -> None:
        """Make the boundaries of what was seen."""
        if self.num_bins is not None:
            ends = _compressed(self.summary, 1.0 / self.num_bins)[0]
            self.bin_boundaries = ends[:-1].tolist()

    def reset_state(self) -> None:
        """Forget what was seen."""
        self.summary = _EMPTY

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise ValueError(
                "You need to either pass the `bin_boundaries` argument at construction time or "
                f"call `adapt(dataset)` before you can start using layer '{self.name}' "
                "(Discretization)."
            )
        x = inputs if K.is_floating(inputs.dtype) else K.cast(inputs, K.floatx())
        boundaries = np.asarray(self.bin_boundaries, x.dtype)
        below = K.logical_not(K.expand_dims(x, -1) < backend_of(x.array).constant(boundaries))
        bins = K.sum(K.cast(below, "int32"), axis=-1)
        if self.output_mode == "int":
            return bins
        return encoded_tensor(bins, self.output_mode, len(boundaries) + 1, self.compute_dtype)

    @property
    def output_dtype(self) -> str:
        """int32 for bins, the layer's type for the other output modes."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic tensor that a call on a symbolic tensor gives, of `output_dtype`."""
        spec = super().compute_output_spec(*args, **kwargs)
        return KerasTensor(spec.shape, self.output_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.output_mode == "int":
            return input_shape
        known = self.bin_boundaries is not None
        depth = len(self.bin_boundaries or ()) + 1 if known else self.num_bins or 0
        return encoded_shape(input_shape, self.output_mode, depth)

    def get_config(self) -> dict[str, Any]:
        """With the boundaries, learned ones too."""
        config = super().get_config()
        del config["trainable"]  # Keras's class does not take it
        return {**config, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A learned layer has both `num_bins` and boundaries."""
        if config.get("bin_boundaries") is None or config.get("num_bins") is None:
            return super().from_config(config)
        layer = super().from_config({**config, "bin_boundaries": None})
        layer.bin_boundaries = list(config["bin_boundaries"])
        return layer

    def load_own_variables(self, store: Any) -> None:
        """Take the summary that files of older Keras versions hold."""
        if len(store) == 1:
            self.summary = np.array(store["0"])


# A summary of numbers: some of them in ascending order, and how many each stands for.

_EMPTY = np.zeros((2, 0), "float32")


def _summary(numbers: np.ndarray, epsilon: float) -> np.ndarray:
    """Every so manieth of the sorted numbers, so that there are about 1 / epsilon of them."""
    step = max(len(numbers) * epsilon, 1)
    chosen = np.sort(numbers)[int(step - 1) :: int(step)]
    return np.stack([chosen, np.full_like(chosen, step)])


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A summary of at most about 1 / epsilon numbers, between those of `summary`."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = summary[1].cumsum()
    reached = weights / weights[-1]
    numbers = np.interp(shares, reached, summary[0])
    weights = np.interp(shares, reached, weights)
    return np.stack([numbers, np.diff(weights, prepend=0)]).astype("float32")
