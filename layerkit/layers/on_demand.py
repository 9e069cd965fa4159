"""Which modules of this folder are loaded when one of their names is asked for."""

from __future__ import annotations

from ..configurable import defined_in

_MODULES = {
    "adaptive_pooling": (
        "AdaptiveAveragePooling1D",
        "AdaptiveAveragePooling2D",
        "AdaptiveAveragePooling3D",
        "AdaptiveMaxPooling1D",
        "AdaptiveMaxPooling2D",
        "AdaptiveMaxPooling3D",
    ),
    "attention": ("AdditiveAttention", "Attention"),
    "bidirectional": ("Bidirectional",),
    "conv_lstm": ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"),
    "einsum_dense": ("EinsumDense",),
    "gru": ("GRU", "GRUCell"),
    "lstm": ("LSTM", "LSTMCell"),
    "multi_head_attention": ("GroupQueryAttention", "MultiHeadAttention"),
    "preprocessing.category_encoding": ("CategoryEncoding",),
    "preprocessing.discretization": ("Discretization",),
    "preprocessing.hashing": ("HashedCrossing", "Hashing"),
    "preprocessing.image_boxes": ("MaxNumBoundingBoxes",),
    "preprocessing.image_clahe": ("ContrastLimitedAdaptiveHistogramEqualization",),
    "preprocessing.image_color": (
        "AutoContrast",
        "Equalization",
        "RandomBrightness",
        "RandomColorDegeneration",
        "RandomColorJitter",
        "RandomContrast",
        "RandomGaussianBlur",
        "RandomGrayscale",
        "RandomHue",
        "RandomInvert",
        "RandomPosterization",
        "RandomSaturation",
        "RandomSharpness",
        "Solarization",
    ),
    "preprocessing.image_geometry": (
        "CenterCrop",
        "RandomCrop",
        "RandomFlip",
        "RandomRotation",
        "RandomShear",
        "RandomTranslation",
        "RandomZoom",
        "Resizing",
    ),
    "preprocessing.image_mix": ("CutMix", "MixUp", "RandomErasing"),
    "preprocessing.image_policy": ("AugMix", "RandAugment"),
    "preprocessing.image_warps": ("RandomElasticTransform", "RandomPerspective"),
    "preprocessing.lookup": ("IntegerLookup", "StringLookup"),
    "preprocessing.normalization": ("Normalization",),
    "preprocessing.pipeline": ("Pipeline",),
    "preprocessing.spectrograms": ("MelSpectrogram", "STFTSpectrogram"),
    "preprocessing.text_vectorization": ("TextVectorization",),
    "reversible_embedding": ("ReversibleEmbedding",),
    "rnn": ("RNN",),
    "simple_rnn": ("SimpleRNN", "SimpleRNNCell"),
    "stacked_rnn_cells": ("StackedRNNCells",),
    "time_distributed": ("TimeDistributed",),
}

WHERE = {name: f"layerkit.layers.{module}" for module, names in _MODULES.items() for name in names}

_RETIRED = (  # which only files and old scripts name
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
)
_FEATURE_SPACE = ("Cross", "Feature", "FeatureSpace", "TFDConcat", "TFDIdentity")

defined_in(WHERE | dict.fromkeys(_RETIRED, "layerkit.layers.retired"))
defined_in(dict.fromkeys(_FEATURE_SPACE, "layerkit.utils.feature_space"))
