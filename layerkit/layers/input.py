"""Input: what a model is fed, by shape and dtype."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from .layer import Layer, Shape, SymbolicTensor


class InputLayer(Layer):
    """The first entry of a model: the shape and dtype of what it is fed.

    `shape`: without the batch axis, None for free axes; or `batch_shape` with it.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        batch_shape: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        if shape is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `shape` and `batch_shape` at the same time.")
        if shape is None and batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        super().__init__(name=name, dtype=K.floatx() if dtype is None else dtype, **kwargs)
        self.batch_shape = _checked((batch_size, *shape) if batch_shape is None else batch_shape)
        self.shape = self.batch_shape[1:]
        self.batch_size = self.batch_shape[0]
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return self.batch_shape

    def get_config(self) -> dict[str, Any]:
        return {"batch_shape": self.batch_shape, "dtype": self.dtype, "name": self.name}

    @property
    def output(self) -> SymbolicTensor:
        """The symbolic tensor that stands for the input."""
        return SymbolicTensor(self.batch_shape, self.dtype, self.name)


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
) -> SymbolicTensor:
    """What a model is fed: first in a Sequential, `Sequential([Input((784,)), Dense(10)])`.

    `shape`: without the batch axis, None for free axes; or `batch_shape` with it.
    """
    return InputLayer(shape, batch_size, dtype, batch_shape, name).output


def _checked(shape: Any) -> Shape:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if not all(n is None or (isinstance(n, int) and n >= 0) for n in shape):
        raise ValueError(
            f"Cannot convert '{shape}' to a shape: every entry must be None or an int >= 0."
        )
    return shape
