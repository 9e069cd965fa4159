"""Layers that went away with Keras 2 or 3, for the files and the scripts that name them."""

from __future__ import annotations

from .activations import ParametricSoftplus, SReLU
from .conv_lstm import TheanoConvLSTM2D, TheanoConvLSTMCell
from .dense import Highway, MaxoutDense
from .images import RandomCropKeras2, TheanoPooling, UpSampling2DKeras2
from .local import LocallyConnected1D, LocallyConnected2D, local_conv1d, local_conv2d
from .merging import (
    AddKeras2,
    AverageKeras2,
    ConcatenateKeras2,
    MaximumKeras2,
    MinimumKeras2,
    MultiplyKeras2,
    SubtractKeras2,
)
from .normalization import (
    BatchNormalizationKeras2,
    BatchNormalizationOfBatches,
    BatchNormalizationOfDeviations,
    BatchNormalizationOfSamples,
)
from .sequences import DroppingEmbedding, HoldingBidirectional, MaskedWithStates, TimeFirst

__all__ = [
    "AddKeras2",
    "AverageKeras2",
    "BatchNormalizationKeras2",
    "BatchNormalizationOfBatches",
    "BatchNormalizationOfDeviations",
    "BatchNormalizationOfSamples",
    "ConcatenateKeras2",
    "DroppingEmbedding",
    "Highway",
    "HoldingBidirectional",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "MaskedWithStates",
    "MaximumKeras2",
    "MaxoutDense",
    "MinimumKeras2",
    "MultiplyKeras2",
    "ParametricSoftplus",
    "RandomCropKeras2",
    "SReLU",
    "SubtractKeras2",
    "TheanoConvLSTM2D",
    "TheanoConvLSTMCell",
    "TheanoPooling",
    "TimeFirst",
    "UpSampling2DKeras2",
    "local_conv1d",
    "local_conv2d",
]
