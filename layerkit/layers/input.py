"""Input: what a model is fed, by shape and dtype."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from layerkit import backend as K

from ..symbolic import KerasTensor, Node
from .layer import Layer, Shape


class InputLayer(Layer):
    """An entry of a model: the shape and dtype of what it is fed; `output` stands for it.

    `shape`: without the batch axis, None for free axes; or `batch_shape` with it. `dtype`: floatx
    where None; 'string' is possible. `optional`: whether a functional model may be fed None there.
    ValueError for `sparse` and `ragged`, which layerkit does not have.
    """

    unavailable = {"sparse": False, "ragged": False}

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        for argument, given in (("shape", shape), ("batch_size", batch_size)):
            if given is not None and batch_shape is not None:
                raise ValueError(
                    f"You cannot pass both `{argument}` and `batch_shape` at the same time. "
                    f"Received: {argument}={given}, batch_shape={batch_shape}"
                )
        if input_tensor is not None:
            _check_agreement(input_tensor, shape, batch_size, dtype, batch_shape)
            shape, batch_shape, dtype = None, input_tensor.shape, input_tensor.dtype
        if shape is None and batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        self._refuse_unavailable({"sparse": bool(sparse), "ragged": bool(ragged)})
        super().__init__(name=name, **kwargs)
        self._dtype = K.standardize_dtype(dtype)
        if batch_shape is None:
            self.batch_shape = (*_checked((batch_size,)), *_checked(shape))
        else:
            self.batch_shape = _checked(batch_shape)
        self.shape = self.batch_shape[1:]
        self.batch_size = self.batch_shape[0]
        self.optional = optional
        self.built = True
        Node(self, (), {}, KerasTensor(self.batch_shape, self._dtype, self.name))

    @property
    def dtype(self) -> str:
        return self._dtype

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return self.batch_shape

    def get_config(self) -> dict[str, Any]:
        config = {"batch_shape": self.batch_shape, "dtype": self.dtype, "name": self.name}
        return {**config, "optional": True} if self.optional else config


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """What a model is fed: `Sequential([Input((784,)), Dense(10)])`, `Model(Input((4,)), ...)`.

    `shape`: without the batch axis, None for free axes; or `batch_shape` with it. See InputLayer.
    """
    layer = InputLayer(
        shape,
        batch_size,
        dtype,
        sparse,
        ragged,
        batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name,
    )
    return layer.output


def _check_agreement(
    tensor: Any, shape: Any, batch_size: int | None, dtype: Any, batch_shape: Any
) -> None:
    """ValueError where what is said beside a tensor is not what the tensor is."""
    if not isinstance(tensor, KerasTensor):
        raise ValueError(
            f"Argument `input_tensor` must be a KerasTensor. Received: {type(tensor)}. Arrays are "
            "given to the model itself."
        )
    given = {"shape": shape, "batch_size": batch_size, "dtype": dtype, "batch_shape": batch_shape}
    own = {
        "shape": tensor.shape[1:],
        "batch_size": tensor.shape[:1] and tensor.shape[0],
        "dtype": tensor.dtype,
        "batch_shape": tensor.shape,
    }
    for argument, value in given.items():
        value = tuple(value) if isinstance(value, list) else value
        if value is not None and value != own[argument]:
            raise ValueError(
                "When providing the `input_tensor` argument, you cannot provide an incompatible "
                f"`{argument}` argument. Received: {argument}={value}, while the tensor has "
                f"{own[argument]}: leave it out."
            )


def _checked(shape: Any) -> Shape:
    if not isinstance(shape, Iterable) or isinstance(shape, str):
        remedy = f": write shape=({shape},)" if isinstance(shape, (int, str)) else ""
        raise ValueError(f"Cannot convert '{shape}' to a shape: expected a tuple{remedy}.")
    shape = tuple(shape)
    if not all(n is None or (isinstance(n, (int, np.integer)) and n >= 0) for n in shape):
        raise ValueError(
            f"Cannot convert '{shape}' to a shape: every entry must be None or an int >= 0."
        )
    return tuple(n if n is None else int(n) for n in shape)
