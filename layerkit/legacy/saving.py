"""The functions of `utils.legacy` under their other name."""

from layerkit.backend.names import explain_missing

from ..utils.legacy import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]

explain_missing(__name__)
