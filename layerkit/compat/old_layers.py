"""Layers of Keras 1 and 2 that are called otherwise now, or take their arguments otherwise."""

from __future__ import annotations

from typing import Any

from .. import layers
from ..layers.retired import (
    Highway,
    LocallyConnected1D,
    LocallyConnected2D,
    MaxoutDense,
    ParametricSoftplus,
    SReLU,
)
from .old_merge import Merge, merge

__all__ = [
    "AtrousConvolution1D",
    "AtrousConvolution2D",
    "Convolution2D",
    "Convolution3D",
    "CuDNNGRU",
    "CuDNNLSTM",
    "Deconvolution2D",
    "Highway",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "MaxoutDense",
    "Merge",
    "ParametricSoftplus",
    "SReLU",
    "SeparableConvolution2D",
    "ThresholdedReLU",
    "TimeDistributedDense",
    "merge",
]

STILL_THERE = {"Convolution2D", "Convolution3D", "SeparableConvolution2D"}
REMEDIES = {
    "AtrousConvolution1D": "use Conv1D(dilation_rate=...)",
    "AtrousConvolution2D": "use Conv2D(dilation_rate=...)",
    "CuDNNGRU": "use GRU",
    "CuDNNLSTM": "use LSTM",
    "Deconvolution2D": "use Conv2DTranspose",
    "Merge": "use Add, Concatenate, ...",
    "merge": "use add, concatenate, ...",
    "ThresholdedReLU": "use ReLU(threshold=theta)",
    "TimeDistributedDense": "use Dense",
}


def _kernel_of_two(args: tuple) -> tuple:
    """(filters, rows, columns, ...) as Keras 1 had it, as (filters, (rows, columns), ...)."""
    if len(args) >= 3 and all(isinstance(n, int) for n in args[:3]):
        return args[0], (args[1], args[2]), *args[3:]
    return args


def Convolution2D(*args: Any, **kwargs: Any) -> layers.Conv2D:
    """Conv2D, which takes (nb_filter, nb_row, nb_col) too."""
    return layers.Conv2D(*_kernel_of_two(args), **kwargs)


def Convolution3D(*args: Any, **kwargs: Any) -> layers.Conv3D:
    """Conv3D, which takes (nb_filter, dim1, dim2, dim3) too."""
    if len(args) >= 4 and all(isinstance(n, int) for n in args[:4]):
        args = (args[0], args[1:4], *args[4:])
    return layers.Conv3D(*args, **kwargs)


def SeparableConvolution2D(*args: Any, **kwargs: Any) -> layers.SeparableConv2D:
    """SeparableConv2D, which takes (nb_filter, nb_row, nb_col) too."""
    return layers.SeparableConv2D(*_kernel_of_two(args), **kwargs)


def AtrousConvolution1D(*args: Any, **kwargs: Any) -> layers.Conv1D:
    """Conv1D with `atrous_rate`."""
    return layers.Conv1D(*args, **kwargs)


def AtrousConvolution2D(*args: Any, **kwargs: Any) -> layers.Conv2D:
    """Conv2D with `atrous_rate`."""
    return layers.Conv2D(*_kernel_of_two(args), **kwargs)


def Deconvolution2D(*args: Any, **kwargs: Any) -> layers.Conv2DTranspose:
    """Conv2DTranspose; its `output_shape` follows from the other arguments."""
    args = _kernel_of_two(args)
    if len(args) > 2 and isinstance(args[2], (tuple, list)):
        args = args[:2]
    kwargs.pop("output_shape", None)
    return layers.Conv2DTranspose(*args, **kwargs)


def CuDNNLSTM(units: int, **kwargs: Any) -> layers.LSTM:
    """LSTM, whose numerics are the same."""
    return layers.LSTM(units, **kwargs)


def CuDNNGRU(units: int, **kwargs: Any) -> Any:
    """GRU with `reset_after`, whose numerics are the same."""
    return layers.GRU(units, reset_after=True, **kwargs)


def ThresholdedReLU(theta: float = 1.0, **kwargs: Any) -> layers.ReLU:
    """x where it is above `theta`, else 0."""
    return layers.ReLU(threshold=theta, **kwargs)


def TimeDistributedDense(*args: Any, **kwargs: Any) -> layers.Dense:
    """Dense, which works on the last axis of whatever it gets."""
    return layers.Dense(*args, **kwargs)
