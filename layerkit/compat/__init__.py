"""Keras's name for layerkit: scripts that import keras, or tensorflow.keras, run on layerkit."""

from __future__ import annotations

from .arguments import accept_old_arguments
from .finder import find_keras_here
from .old_logs import know_old_names_in_logs
from .old_merge import let_sequentials_merge
from .old_models import give_old_methods
from .old_saving import name_weights_freely
from .old_targets import expand_targets
from .old_tensors import give_old_attributes
from .old_trainable import train_as_compiled
from .old_weights import name_weights_first

__all__ = ["install_as_keras"]


def install_as_keras() -> None:
    """From here on, `import keras` and `import tensorflow.keras` give layerkit in this process.

    So do the module paths, names and arguments of Keras 1 and 2, each with one DeprecationWarning.
    Calling it again changes nothing. RuntimeError where the real Keras or TensorFlow has been
    imported already.
    """
    if find_keras_here():
        accept_old_arguments()
        expand_targets()
        give_old_methods()
        let_sequentials_merge()
        give_old_attributes()
        know_old_names_in_logs()
        name_weights_first()
        name_weights_freely()
        train_as_compiled()
