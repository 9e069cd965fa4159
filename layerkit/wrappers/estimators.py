"""Keras 3's wrappers: a model, or a function that makes one, as an estimator of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from ..models import Model


class _Wrapper(BaseEstimator):
    """What the three estimators share.

    model: a compiled model, or a function of `X`, `y` and `model_kwargs` that returns one. A model
        is copied for every `fit`, with fresh weights, unless `warm_start`.
    warm_start: go on with the model of the last `fit`.
    model_kwargs: for the function. fit_kwargs: for `Model.fit`.

    After `fit`, `model_` is the fitted model and `history_` the dict of its losses and metrics.
    """

    model_: Model
    history_: dict[str, list]

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ):
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_clone__(self) -> Any:
        """One with the same settings: a model is not copied here, for `fit` copies it."""
        return type(self)(**self.get_params(deep=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Fit the model to X (samples, features) and y (samples,) or (samples, outputs).

        `kwargs` are those of `Model.fit`, in place of those in `fit_kwargs`. RuntimeError for a
        model that is not compiled.
        """
        X, y = validate_data(self, X, y, multi_output=True)
        y = self._encoded(y)
        model = self._model_for(X, y)
        if not model.compiled or not model.loss or not model.optimizer:
            raise RuntimeError(
                "Given model needs to be compiled, and have a loss and an optimizer. Call "
                "model.compile(optimizer, loss) before it is handed over or returned."
            )
        history = model.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.history_ = history.history
        self.model_ = model
        return self

    def predict(self, X: Any) -> np.ndarray:
        """What the model says of X, in the form of the y it was fitted to."""
        return self._decoded(self._outputs(X))

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        X = validate_data(self, X, reset=False)
        return self.model_.predict(X, verbose=0)

    def _model_for(self, X: np.ndarray, y: np.ndarray) -> Any:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if not isinstance(self.model, Model):
            return self.model(X=X, y=y, **(self.model_kwargs or {}))
        return self.model if self.warm_start else _fresh(self.model)

    def _encoded(self, y: np.ndarray) -> np.ndarray:
        """The targets as the model is trained on them: at least two axes."""
        if type_of_target(y) == "unknown":
            raise ValueError(f"Unknown label type: {y!r}. Expected numbers.")
        self._target_rank = y.ndim
        return y[:, None] if y.ndim == 1 else y

    def _decoded(self, outputs: np.ndarray) -> np.ndarray:
        squeezed = self._target_rank == 1 and outputs.ndim == 2 and outputs.shape[1] == 1
        return outputs[:, 0] if squeezed else outputs


class SKLearnClassifier(ClassifierMixin, _Wrapper):
    """A model as a classifier: y is any labels, the model learns from them as one-hot rows.

    The arguments are those of all wrappers: `model`, `warm_start`, `model_kwargs`, `fit_kwargs`.
    The model needs an output for each class, and a loss such as "categorical_crossentropy".
    `classes_` are the labels in order.
    """

    classes_: np.ndarray

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def decision_function(self, X: Any) -> np.ndarray:
        """The model's outputs (samples, classes)."""
        return self._outputs(X)

    def _encoded(self, y: np.ndarray) -> np.ndarray:
        kind = type_of_target(y)
        if kind == "unknown":
            raise ValueError(f"Unknown label type: {y!r}. Expected class labels.")
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"Only binary and multiclass target types are supported. Target type: {kind}"
            )
        self._target_rank = y.ndim
        self.classes_ = np.unique(y)
        if len(self.classes_) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        return (np.reshape(y, (-1, 1)) == self.classes_).astype("float64")

    def _decoded(self, outputs: np.ndarray) -> np.ndarray:
        labels = self.classes_[np.argmax(outputs, axis=-1)]
        return labels if self._target_rank == 1 else labels[:, None]


class SKLearnRegressor(RegressorMixin, _Wrapper):
    """A model as a regressor.

    The arguments are those of all wrappers: `model`, `warm_start`, `model_kwargs`, `fit_kwargs`.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, _Wrapper):
    """A model as a transformer: what it gives are features for other estimators.

    The arguments are those of all wrappers: `model`, `warm_start`, `model_kwargs`, `fit_kwargs`.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def transform(self, X: Any) -> np.ndarray:
        """The model's outputs."""
        return self._outputs(X)


def _fresh(model: Model) -> Any:
    """A model of the same layers and training, with weights of its own."""
    copy = type(model).from_config(model.get_config())
    if model.compiled:
        copy.compile_from_config(model.get_compile_config())
    return copy
