"""Keras 2's wrappers, `keras.wrappers.scikit_learn`: arguments of `build_fn` as parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from ..models import Model
from ..utils import to_categorical

_METHODS = (Model.fit, Model.predict, Model.evaluate)


class BaseWrapper(BaseEstimator):
    """What `KerasClassifier` and `KerasRegressor` share.

    build_fn: a function that returns a compiled model. sk_params: arguments of `build_fn`, and of
    `Model.fit`, `predict` and `evaluate`; a grid search may set any of them. A subclass may define
    `__call__` in place of `build_fn`. ValueError for other parameters.
    """

    model: Any

    def __init__(self, build_fn: Callable[..., Any] | None = None, **sk_params: Any):
        self.build_fn = build_fn
        self.sk_params = sk_params
        self._check(sk_params)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, `build_fn` among them."""
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Any:
        """Set parameters. ValueError for those that neither `build_fn` nor the model takes."""
        if "build_fn" in params:
            self.build_fn = params.pop("build_fn")
        self._check(params)
        self.sk_params.update(params)
        return self

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Build a model and fit it. Returns its History.

        `kwargs` are those of `Model.fit`. Labels (samples,) become one-hot rows where the loss is
        "categorical_crossentropy".
        """
        self.model = self._builder()(**self._for(self._builder()))
        if _wants_rows(self.model) and _are_labels(y):
            y = to_categorical(y)
        return self.model.fit(x, y, **{**self._for(Model.fit), **kwargs})

    def _builder(self) -> Callable[..., Any]:
        builder = self.build_fn or getattr(self, "__call__", None)  # noqa: B004
        if builder is None:
            raise ValueError(
                f"{type(self).__name__} needs `build_fn`, a function that returns a compiled model."
            )
        return builder

    def _check(self, params: dict[str, Any]) -> None:
        known = {name for function in _METHODS for name in inspect.signature(function).parameters}
        if self.build_fn is not None or callable(self):
            signature = inspect.signature(self._builder()).parameters
            known |= set(signature)
            if any(p.kind is p.VAR_KEYWORD for p in signature.values()):
                return
        unknown = sorted(set(params) - known)
        if unknown:
            raise ValueError(
                f"{unknown[0]} is not a legal parameter. Expected an argument of `build_fn`, or of "
                "a model's fit, predict or evaluate."
            )

    def _for(self, function: Callable[..., Any], **override: Any) -> dict[str, Any]:
        """Those of the parameters that a function takes."""
        signature = inspect.signature(function).parameters
        kept = {name: value for name, value in self.sk_params.items() if name in signature}
        return {**kept, **override}


class KerasClassifier(ClassifierMixin, BaseWrapper):
    """A classifier: labels of any kind, or one-hot rows. `classes_` are the labels in order."""

    classes_: np.ndarray

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """As `BaseWrapper.fit`; y: labels (samples,) or (samples, 1), or one-hot rows."""
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif _are_labels(y):
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(
                f"Invalid shape for y: {y.shape}. Expected (samples,) or (samples, classes)."
            )
        self.n_classes_ = len(self.classes_)
        return super().fit(x, y, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The label of each row: of the largest output, or of one output above a half or not."""
        outputs = self.model.predict(x, **self._for(Model.predict, **kwargs))
        one = outputs.shape[-1] == 1
        numbers = (outputs[..., 0] > 0.5).astype(int) if one else outputs.argmax(axis=-1)
        return self.classes_[numbers]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The outputs (samples, classes); of a single one, p, the two (1 - p, p)."""
        outputs = self.model.predict(x, **self._for(Model.predict, **kwargs))
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The mean accuracy. ValueError where the model was compiled without that metric."""
        y = np.asarray(y)
        if _are_labels(y):
            y = np.searchsorted(self.classes_, y)
            y = to_categorical(y, self.n_classes_) if _wants_rows(self.model) else y
        options = self._for(Model.evaluate, **kwargs)
        found = self.model.evaluate(x, y, **{**options, "return_dict": True})
        for name in ("accuracy", "acc"):
            if name in found:
                return found[name]
        raise ValueError(
            "The model is not configured to compute accuracy. You should pass "
            '`metrics=["accuracy"]` to the `model.compile()` method.'
        )


class KerasRegressor(RegressorMixin, BaseWrapper):
    """A regressor; its score is the negative loss."""

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The outputs, (samples,) where there is one."""
        outputs = self.model.predict(x, **self._for(Model.predict, **kwargs))
        return outputs[..., 0] if outputs.shape[-1] == 1 else outputs

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Minus the loss, so that more is better."""
        options = self._for(Model.evaluate, **kwargs)
        return -self.model.evaluate(x, y, **{**options, "return_dict": True})["loss"]


def _are_labels(y: Any) -> bool:
    return np.ndim(y) == 1 or (np.ndim(y) == 2 and np.shape(y)[1] == 1)


def _wants_rows(model: Any) -> bool:
    loss = model.loss
    name = loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", ""))
    return name == "categorical_crossentropy"
