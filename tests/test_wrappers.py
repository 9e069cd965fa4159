"""Models as estimators of scikit-learn; without it, the message that names it."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

import layerkit
from layerkit import layers, wrappers

NAMES = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer", "scikit_learn"]
needs_sklearn = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed"
)


@pytest.mark.parametrize("name", NAMES)
def test_without_scikit_learn(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(vars(wrappers), "scikit_learn", raising=False)  # if it was imported
    with pytest.raises(ImportError, match=rf"{name} requires scikit-learn.*'layerkit\[sklearn\]'"):
        getattr(wrappers, name)


def test_names():
    assert wrappers.__all__ == NAMES
    with pytest.raises(AttributeError, match="no attribute 'SKLearnThing'"):
        _ = wrappers.SKLearnThing


def blobs(n=60):
    """Three classes of points, well apart."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    centres = np.array([[0, 4], [4, 0], [-4, -4]])
    x = centres[labels] + rng.standard_normal((n, 2)) / 2
    return x.astype("float32"), np.array(["red", "green", "blue"])[labels]


def dense(units, activation, loss, metrics=(), rate=0.1):
    model = layerkit.Sequential([layers.Input((2,)), layers.Dense(units, activation=activation)])
    optimizer = layerkit.optimizers.Adam(rate)
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def softmax_model(X, y, rate=0.1):
    return dense(y.shape[1], "softmax", "categorical_crossentropy", rate=rate)


FIT = {"epochs": 30, "batch_size": 20, "verbose": 0}


@needs_sklearn
@pytest.mark.parametrize("given", ["function", "model"])
def test_classifier(given):
    x, y = blobs()
    model = (
        softmax_model if given == "function" else dense(3, "softmax", "categorical_crossentropy")
    )
    before = None if given == "function" else model.get_weights()
    classifier = wrappers.SKLearnClassifier(model, fit_kwargs=FIT)
    assert classifier.fit(x, y) is classifier
    assert classifier.classes_.tolist() == ["blue", "green", "red"]
    assert classifier.score(x, y) > 0.95
    predicted = classifier.predict(x[:6])
    assert predicted.tolist() == y[:6].tolist()
    scores = classifier.decision_function(x[:6])
    np.testing.assert_array_equal(classifier.classes_[scores.argmax(1)], predicted)
    assert len(classifier.history_["loss"]) == 30
    if before is not None:
        assert classifier.model_ is not model
        for kept, weight in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(kept, weight)


@needs_sklearn
def test_keywords_of_fit_go_before_those_of_the_wrapper():
    x, y = blobs()
    settings = {"epochs": 3, "verbose": 0}
    classifier = wrappers.SKLearnClassifier(
        softmax_model, model_kwargs={"rate": 0.5}, fit_kwargs=settings
    )
    classifier.fit(x, y, epochs=2)
    assert len(classifier.history_["loss"]) == 2
    assert settings == {"epochs": 3, "verbose": 0}
    assert float(classifier.model_.optimizer.learning_rate) == pytest.approx(0.5)


@needs_sklearn
def test_warm_start():
    x, y = blobs()
    model = dense(3, "softmax", "categorical_crossentropy")
    classifier = wrappers.SKLearnClassifier(model, warm_start=True, fit_kwargs=FIT)
    first = classifier.fit(x, y).history_["loss"]
    assert classifier.model_ is model
    again = classifier.fit(x, y).history_["loss"]
    assert again[0] < first[0] / 2


@needs_sklearn
@pytest.mark.parametrize("outputs", [1, 2])
def test_regressor_and_transformer(outputs):
    x, _ = blobs()
    y = x @ np.array([[1.0, 0.5], [-1.0, 2.0]])[:, :outputs]
    y = y[:, 0] if outputs == 1 else y
    model = dense(outputs, "linear", "mse")
    regressor = wrappers.SKLearnRegressor(model, fit_kwargs={**FIT, "epochs": 60}).fit(x, y)
    assert regressor.predict(x).shape == y.shape
    assert regressor.score(x, y) > 0.9
    transformer = wrappers.SKLearnTransformer(model, fit_kwargs=FIT)
    assert transformer.fit_transform(x, y).shape == (60, outputs)


@needs_sklearn
def test_in_pipelines_and_searches():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = blobs(30)
    classifier = wrappers.SKLearnClassifier(softmax_model, fit_kwargs={**FIT, "batch_size": 5})
    copy = clone(classifier)
    assert copy.fit_kwargs == classifier.fit_kwargs
    assert cross_val_score(make_pipeline(StandardScaler(), classifier), x, y, cv=2).min() > 0.5
    search = GridSearchCV(classifier, {"model_kwargs": [{"rate": 1e-6}, {"rate": 0.1}]}, cv=2)
    search.fit(x, y)
    assert search.best_params_ == {"model_kwargs": {"rate": 0.1}}


@needs_sklearn
def test_messages():
    x, y = blobs()

    def uncompiled(X, y):
        return layerkit.Sequential([layers.Dense(3)])

    with pytest.raises(RuntimeError, match="Given model needs to be compiled"):
        wrappers.SKLearnClassifier(uncompiled).fit(x, y)
    with pytest.raises(ValueError, match="only one class is present"):
        wrappers.SKLearnClassifier(softmax_model).fit(x, np.zeros(60, int))
    with pytest.raises(ValueError, match="Only binary and multiclass.*Target type: continuous"):
        wrappers.SKLearnClassifier(softmax_model).fit(x, x[:, 0])
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        wrappers.SKLearnClassifier(softmax_model).predict(x)


# Keras 2's.


def build(units=3, activation="softmax", loss="sparse_categorical_crossentropy", rate=0.1):
    return dense(units, activation, loss, ["accuracy"], rate)


@needs_sklearn
@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("form", ["labels", "column", "rows"])
def test_keras_classifier(loss, form):
    if loss.startswith("sparse") and form == "rows":
        return
    x, labels = blobs()
    classifier = wrappers.scikit_learn.KerasClassifier(build, loss=loss, **FIT)
    numbers = np.searchsorted(["blue", "green", "red"], labels)
    y = {"labels": labels, "column": labels[:, None], "rows": np.eye(3)[numbers]}[form]
    history = classifier.fit(x, y)
    assert len(history.history["loss"]) == 30
    assert classifier.score(x, y) > 0.95
    expected = numbers if form == "rows" else labels
    assert (classifier.predict(x) == expected).mean() > 0.95
    np.testing.assert_allclose(classifier.predict_proba(x).sum(axis=1), 1, rtol=1e-5)


@needs_sklearn
def test_keras_classifier_of_one_output():
    x, labels = blobs()
    y = np.where(labels == "red", "yes", "no")
    settings = {"units": 1, "activation": "sigmoid", "loss": "binary_crossentropy"}
    classifier = wrappers.scikit_learn.KerasClassifier(build, **settings, **FIT)
    classifier.fit(x, y)
    probabilities = classifier.predict_proba(x)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    predicted = classifier.predict(x)
    assert predicted.shape == (60,)
    assert (predicted == np.array(["no", "yes"])[(probabilities[:, 1] > 0.5).astype(int)]).all()


@needs_sklearn
def test_keras_regressor():
    x, _ = blobs()
    y = x @ np.array([1.0, -1.0])
    regressor = wrappers.scikit_learn.KerasRegressor(
        build, units=1, activation=None, loss="mse", **{**FIT, "epochs": 60}
    )
    regressor.fit(x, y, batch_size=10)
    assert regressor.predict(x).shape == (60,)
    mse = np.mean((regressor.predict(x) - y) ** 2)
    assert regressor.score(x, y) == pytest.approx(-mse, rel=1e-3)


@needs_sklearn
def test_parameters_of_keras_2():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    KerasClassifier = wrappers.scikit_learn.KerasClassifier
    classifier = KerasClassifier(build_fn=build, rate=0.1, **{**FIT, "batch_size": 5})
    assert classifier.get_params() == {
        **{"build_fn": build, "rate": 0.1, "epochs": 30, "batch_size": 5, "verbose": 0}
    }
    assert clone(classifier).get_params() == classifier.get_params()
    assert classifier.set_params(rate=0.2).sk_params["rate"] == 0.2
    for call in (lambda: KerasClassifier(build, speed=1), lambda: classifier.set_params(speed=1)):
        with pytest.raises(ValueError, match="speed is not a legal parameter"):
            call()
    x, y = blobs(30)
    search = GridSearchCV(classifier, {"rate": [1e-6, 0.1], "batch_size": [10]}, cv=2)
    search.fit(x, y)
    assert search.best_params_["rate"] == 0.1


@needs_sklearn
def test_messages_of_keras_2():
    x, y = blobs()
    KerasClassifier = wrappers.scikit_learn.KerasClassifier
    with pytest.raises(ValueError, match="KerasClassifier needs `build_fn`"):
        KerasClassifier().fit(x, y)
    with pytest.raises(ValueError, match=r"Invalid shape for y: \(2, 2, 2\)"):
        KerasClassifier(build).fit(x, np.zeros((2, 2, 2)))
    classifier = KerasClassifier(lambda: dense(3, "softmax", "sparse_categorical_crossentropy"))
    classifier.fit(x, y, verbose=0)
    with pytest.raises(ValueError, match="not configured to compute accuracy"):
        classifier.score(x, y, verbose=0)


@needs_sklearn
def test_subclass_that_builds_by_itself():
    class Mine(wrappers.scikit_learn.KerasClassifier):
        def __call__(self, rate):
            return build(rate=rate)

    x, y = blobs()
    classifier = Mine(rate=0.1, **FIT)
    classifier.fit(x, y)
    assert classifier.score(x, y) > 0.95
