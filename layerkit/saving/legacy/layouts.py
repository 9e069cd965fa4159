"""Arrays of old layers in the layout of today's: kernels turned, gates joined, biases added up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import layers
from ...constructors import first_of_ours
from ..order_of_axes import in_other_order
from .configs import TURNED_KERNELS
from .origin import Origin

Arrays = list[np.ndarray]

# The gates of recurrent layers in Keras 1, in today's order: there each had arrays of its own.
_GATES = {"LSTMCell": (0, 2, 1, 3), "GRUCell": (0, 1, 2)}
_CONV_CELLS = ("ConvLSTMCell", "TheanoConvLSTMCell")
_GATES |= dict.fromkeys(_CONV_CELLS, (0, 2, 1, 3))


def old_count(layer: Any, count: int) -> int:
    """How many arrays Keras 1 kept where `layer` has `count` variables."""
    gates = _GATES.get(_kind(layer))
    return 3 * len(gates) if gates else count


def converted(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    """The arrays that an old Keras kept for `layer` as the layer's variables want them."""
    kind = _kind(layer)
    if kind in _GATES and len(arrays) == 3 * len(_GATES[kind]):
        if kind in _CONV_CELLS and layer.data_format == "channels_first":
            arrays = [a.transpose(2, 3, 1, 0) if a.ndim == 4 else a for a in arrays]
        arrays = _joined(arrays, _GATES[kind])
    if kind == "Highway" and len(arrays) == 4 and arrays[1].ndim == 1:  # before Keras 1.2
        arrays = [arrays[i] for i in (0, 2, 1, 3)]
    if origin.keras < (2,):
        arrays = _turned(layer, kind, arrays)
    if kind.startswith("LocallyConnected") and origin.is_old:
        arrays = _with_places_last(layer, arrays)
    if origin.backend == "theano" and (isinstance(layer, _FLIPPED) or kind in _CONV_CELLS):
        arrays = [_flipped(a) if a.ndim > 2 else a for a in arrays]
    if kind == "LayerNormalization":
        arrays = [_in_order_of_axes(layer, a) for a in arrays]
    if kind in ("LSTMCell", "GRUCell") and len(arrays) == 3:
        arrays = _from_cudnn(kind, layer.units, arrays)
    return arrays


def _kind(layer: Any) -> str:
    """The layer's class; of a user's own, the one here that it inherits from."""
    return first_of_ours(type(layer)).__name__


_FLIPPED = (
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    layers.Conv1DTranspose,
    layers.Conv2DTranspose,
    layers.Conv3DTranspose,
)


def _joined(arrays: Arrays, order: tuple[int, ...]) -> Arrays:
    """[kernel, recurrent kernel, bias] of all gates from those of each."""
    return [
        np.concatenate([arrays[3 * gate + part] for gate in order], axis=-1) for part in range(3)
    ]


def _turned(layer: Any, kind: str, arrays: Arrays) -> Arrays:
    """Kernels as Keras 1 laid them out, with the axes of today."""
    kernel, *others = arrays or [np.empty(0)]
    if kind == "Conv1D" and kernel.ndim == 4:
        if kernel.shape[1] != 1:  # (filters, channels, length, 1)
            kernel = kernel.transpose(2, 3, 1, 0)
        return [kernel[:, 0], *others]
    if kind in TURNED_KERNELS and layer.data_format == "channels_first":
        return [kernel.transpose(TURNED_KERNELS[kind]), *others]
    if kind == "Conv2DTranspose":
        return [kernel.transpose(0, 1, 3, 2), *others]
    return arrays


def _with_places_last(layer: Any, arrays: Arrays) -> Arrays:
    """The bias of a LocallyConnected with 'channels_first' was read as if that was its order."""
    if len(arrays) != 2 or arrays[1].size != math.prod(layer.bias.shape):
        return arrays
    return [arrays[0], arrays[1].reshape(layer.bias.shape)]


def _in_order_of_axes(layer: Any, array: np.ndarray) -> np.ndarray:
    """gamma or beta of several axes, which had the order of the config; they were reshaped."""
    shape = tuple(layer.weights[0].shape)
    return array.reshape(shape) if in_other_order(layer, shape, array.shape) else array


def _flipped(kernel: np.ndarray) -> np.ndarray:
    """Theano convolves, with the kernel's spatial axes backwards; all others correlate."""
    return np.flip(kernel, axis=tuple(range(kernel.ndim - 2)))


def _from_cudnn(kind: str, units: int, arrays: Arrays) -> Arrays:
    """Weights of CuDNNLSTM and CuDNNGRU, known by their two biases in one row."""
    kernel, recurrent_kernel, bias = arrays
    gates = len(_GATES[kind])
    if bias.shape != (2 * gates * units,):
        return arrays
    bias = bias.reshape(2, -1)
    return [
        _of_each_gate(kernel, gates, lambda k: k.T.reshape(k.shape, order="F")),
        _of_each_gate(recurrent_kernel, gates, lambda k: k.T),
        bias.sum(0) if kind == "LSTMCell" else bias,
    ]


def _of_each_gate(
    kernel: np.ndarray, gates: int, turn: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    return np.hstack([turn(part) for part in np.hsplit(kernel, gates)])
