"""What of the files in golden/legacy differs here from the Keras that wrote them, and why.

(pattern of the archive's name, pattern of the row's name): reason. A row that is in neither list
must give the predictions of its own Keras, and after more steps of training its new ones.
"""

from __future__ import annotations

_AWAY = "TensorFlow 1.15 forgot the minus: it trained away from the targets"
_FROZEN = "frozen BatchNormalization of TensorFlow 1 trained by batches; 2.0 says the same version"
_HUBER = "Huber of TensorFlow 1.15, where it sums, sums over the last axis too"
_MASKED = "Keras 2.3, and tf.keras before 2.10, divided masked losses by all steps"
_NO_CELLS = "the file leaves out what the cells were: Keras 2.0 forgot it"

# The file is refused, with these words in the message.
REFUSED: dict[tuple[str, str], str] = {
    ("keras-2.0*", "cells"): "Keras 2.0 left out what cells were",
    ("*", "lambda_code"): "never runs code from a file",
    ("*", "merge_lambda"): "never runs code from a file",
}
# Predictions differ.
OTHER_PREDICTIONS: dict[tuple[str, str], str] = {}
# The state is restored, or a warning says that it is not, and training goes on to other numbers.
OTHER_TRAINING: dict[tuple[str, str], str] = {
    ("keras-2.3*", "masked_training"): _MASKED,
    ("tf.keras-2.[24]*", "masked_training"): _MASKED,
    ("tf.keras-2.2.4*", "frozen_training"): _FROZEN,
    ("tf.keras-2.2.4*", "loss_cosine_proximity"): _AWAY,
    ("tf.keras-2.2.4*", "loss_objects"): _HUBER,
}
