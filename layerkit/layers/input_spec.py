"""What a layer expects of its inputs, and the error when it gets something else."""

from __future__ import annotations

from ..configurable import Configurable


class InputSpec(Configurable):
    """Rank, shape, dtype and axis sizes that a layer expects of an input; None means any.

    `shape` may hold None for free axes; `axes` maps an axis to its size; `allow_last_axis_squeeze`
    lets a last axis of one be missing or extra.
    """

    keras_module = "keras"

    def __init__(
        self,
        dtype: str | None = None,
        shape: tuple[int | None, ...] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = dtype
        self.shape = tuple(shape) if shape is not None else None
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def check(self, layer_name: str, shape: tuple[int | None, ...], hint: str = "") -> None:
        """ValueError where an input of `shape` does not fit; `hint` is the layer's remedy."""
        complaint = self._complaint(shape)
        if complaint:
            raise ValueError(
                f"Input 0 of layer '{layer_name}' is incompatible with the layer: {complaint}"
                + (f" {hint}" if hint else "")
            )

    def _complaint(self, shape: tuple[int | None, ...]) -> str | None:
        rank = len(shape)
        full = f"Full shape received: {shape}."
        if self.ndim is not None and rank != self.ndim:
            squeezable = self.allow_last_axis_squeeze and abs(rank - self.ndim) == 1
            if not squeezable:
                return f"expected ndim={self.ndim}, found ndim={rank}. {full}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}. {full}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}. {full}"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return (
                    f"expected axis {axis} of input shape to have value {size}, "
                    f"but received input with shape {shape}."
                )
        if self.shape is not None:
            for expected, found in zip(self.shape, shape, strict=False):
                if expected is not None and found is not None and expected != found:
                    return f"expected shape={self.shape}, found shape={shape}."
        return None
