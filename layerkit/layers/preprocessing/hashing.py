"""Categories put into bins by a hash: Hashing, and HashedCrossing of several features."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import backend as K

from ..layer import Shape
from .fingerprint import buckets, fingerprint_cat, fingerprints
from .host import HostLayer, encoded, one_of, refuse_sparse, two_salts

_CROSSING_KEY = 0xDECAFCAFFE  # what TensorFlow begins a crossing with


class Hashing(HostLayer):
    """Strings or integers as the numbers of `num_bins` bins, by a hash that never changes.

    Floats are cut to integers. Without `salt` the hash is FarmHash; with one (an integer, or two)
    it is SipHash with that key. `mask_value`: what gets bin 0, which is kept for it. `output_mode`:
    'int' (of dtype int64), or 'one_hot', 'multi_hot' and 'count' over the bins.
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ):
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else K.floatx()
        super().__init__(**kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                "The `num_bins` for `Hashing` cannot be `None` or non-positive values. "
                f"Received: num_bins={num_bins}."
            )
        modes = ("int", "one_hot", "multi_hot", "count")
        self.output_mode = one_of("Hashing", "output_mode", output_mode, modes)
        if output_mode == "int" and self.dtype_policy.name not in ("int32", "int64"):
            raise ValueError(
                "When `output_mode=\"int\"`, `dtype` should be an integer type, 'int32' or "
                f"'int64'. Received: dtype={kwargs['dtype']}"
            )
        self.sparse = refuse_sparse("Hashing", sparse)
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.salt = two_salts("Hashing", salt)

    def call(self, inputs: Any) -> Any:
        values = inputs.astype("int64") if inputs.dtype.kind == "f" else inputs
        masked = self.mask_value is not None and self.num_bins > 1
        bins = buckets(values, self.num_bins - masked, self.salt)
        if masked:
            bins = np.where(inputs == self.mask_value, 0, bins + 1)
        if self.output_mode != "int":
            bins = encoded(bins, self.output_mode, self.num_bins, self.compute_dtype)
        return K.convert_to_tensor(bins.astype(self.compute_dtype, copy=False))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.output_mode == "int":
            return tuple(input_shape)
        if self.output_mode == "one_hot" and not (len(input_shape) > 1 and input_shape[-1] == 1):
            return (*input_shape, self.num_bins)
        return (*input_shape[:-1], self.num_bins)


class HashedCrossing(HostLayer):
    """Several features, crossed: each combination of their values in one of `num_bins` bins.

    Inputs: a list of at least two, integers or strings, all of shape (), (batch,) or (batch, 1).
    `output_mode`: 'int' (of dtype int64) or 'one_hot'.
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        if output_mode == "int" and dtype is None:
            dtype = "int64"
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.num_bins = num_bins
        self.output_mode = one_of("HashedCrossing", "output_mode", output_mode, ("int", "one_hot"))
        self.sparse = refuse_sparse("HashedCrossing", sparse)

    def _convert(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(
                "`HashedCrossing` should be called on a list or tuple of at least two inputs. "
                f"Received: inputs={inputs}"
            )
        return [super(HashedCrossing, self)._convert(x) for x in inputs]

    def call(self, inputs: Any) -> Any:
        self._check(inputs)
        crossed = np.full(max(inputs[0].size, 1), _CROSSING_KEY, "uint64")
        for x in inputs:
            crossed = fingerprint_cat(crossed, _fingerprints(x.ravel()))
        bins = (crossed % np.uint64(self.num_bins)).astype("int64").reshape(inputs[0].shape)
        if self.output_mode == "one_hot":
            bins = encoded(bins, "one_hot", self.num_bins, self.compute_dtype)
        return K.convert_to_tensor(bins.astype(self.compute_dtype, copy=False))

    def _check(self, inputs: list[np.ndarray]) -> None:
        shapes, kinds = [x.shape for x in inputs], [x.dtype.kind for x in inputs]
        first = shapes[0]
        if len(first) > 2 or (len(first) == 2 and first[1] != 1):
            raise ValueError(
                "All `HashedCrossing` inputs should have shape `()`, `(batch_size)` or "
                f"`(batch_size, 1)`. Received: shapes {shapes}"
            )
        if any(shape != first for shape in shapes):
            raise ValueError(
                f"All `HashedCrossing` inputs should have equal shape. Received: shapes {shapes}"
            )
        if not set(kinds) <= set("iuO"):
            raise ValueError(
                "All `HashedCrossing` inputs should have an integer or string dtype. Received: "
                f"dtypes {[x.dtype.name for x in inputs]}: put floats into bins first."
            )

    def compute_output_shape(self, input_shape: Any) -> Shape:
        first = tuple(input_shape[0])
        if self.output_mode == "int":
            return first
        return (*(first[:-1] if len(first) > 1 and first[-1] == 1 else first), self.num_bins)

    def get_config(self) -> dict[str, Any]:
        """What Keras's class takes, which knows no `trainable`."""
        config = super().get_config()
        del config["trainable"]
        return {**config, "dtype": self.dtype}


def _fingerprints(values: np.ndarray) -> np.ndarray:
    """Integers are their own fingerprints."""
    if values.dtype.kind == "O":
        return fingerprints([text.encode() for text in values.tolist()])
    return values.astype("int64").astype("uint64")
