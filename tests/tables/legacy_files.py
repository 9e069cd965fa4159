"""What of the files in golden/legacy differs here from the Keras that wrote them, and why.

(pattern of the archive's name, pattern of the row's name): reason. A row that is in neither list
must give the predictions of its own Keras, and after more steps of training its new ones.
"""

from __future__ import annotations

_NO_CELLS = "the file leaves out what the cells were: Keras 2.0 forgot it"
_MASKS = "Keras 1 did not turn masks round where layers go backwards"
_BORDERS = "Theano padded pooling and transposed convolutions with 'same' otherwise"
_VARIANCE = "TensorFlow and Theano kept the unbiased variance in BatchNormalization's average"
_MODES = "modes of BatchNormalization went away with Keras 2"

# The file is refused, with these words in the message.
REFUSED: dict[tuple[str, str], str] = {
    ("keras-1*", "activations"): "is not connected to `inputs`",  # Keras 1 names another input
    ("keras-1*", "batch_modes"): "BatchNormalization. has a mode other than 0",
    ("keras-2.0*", "cells"): "LSTMCell",
    ("tf.keras-2.2.4*", "operations"): "for which layerkit has no operation",
    ("*", "lambda_code"): "never runs code from a file",
    ("*", "merge_lambda"): "never runs code from a file",
}
# Predictions differ.
OTHER_PREDICTIONS: dict[tuple[str, str], str] = {
    ("*-theano", "convolutions*"): _BORDERS,
    ("keras-2*-theano", "transposed"): _BORDERS,
    ("keras-0*", "convolution"): _BORDERS,
    ("keras-1*", "masked_embedding"): _MASKS,
}
# The state is restored, or a warning says that it is not, and training goes on to other numbers.
OTHER_TRAINING: dict[tuple[str, str], str] = {
    ("keras-2.3*", "normalized*"): _VARIANCE,
    ("keras-2.2*", "normalized*"): _VARIANCE,
    ("tf*", "normalized*"): _VARIANCE,
}
