"""The helpers for scripts: labels to one-hot rows, vectors of length 1, and numbers as text."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from layerkit import backend as K
from layerkit import utils
from layerkit.progress import format_metrics
from layerkit.utils import Config, Progbar, normalize, progbar, to_categorical


@pytest.mark.parametrize("labels", [[0, 2, 1], [[0], [2], [1]], np.array([0.0, 2.0, 1.0])])
def test_to_categorical(labels):
    rows = to_categorical(labels)
    assert rows.dtype == "float32"
    np.testing.assert_array_equal(rows, np.eye(3)[[0, 2, 1]])
    assert to_categorical(labels, 5).shape == (3, 5)


@pytest.mark.parametrize("labels", [[0, 2, 1], [[0], [2], [1]]])
def test_to_categorical_of_a_tensor(labels):
    rows = to_categorical(K.convert_to_tensor(np.array(labels)), 4)
    assert isinstance(rows, K.Tensor)
    assert rows.dtype == "float32"
    np.testing.assert_array_equal(rows.numpy(), np.eye(4)[[0, 2, 1]])


@pytest.mark.parametrize("place", [list, np.array, K.convert_to_tensor])
def test_to_categorical_refuses_labels_outside(place):
    with pytest.raises(ValueError, match="labels from 0 to 1; received labels from 0 to 2"):
        to_categorical(place([0, 2]), 2)


@pytest.mark.parametrize("place", [list, np.array, K.convert_to_tensor])
def test_normalize(place):
    rows = normalize(place([[3, 4], [0, 0]]))
    assert type(rows) is np.ndarray
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0]])


def test_normalize_along_an_axis_by_another_norm():
    np.testing.assert_allclose(normalize([[3, 1], [1, 0]], axis=0, order=1), [[0.75, 1], [0.25, 0]])


@pytest.mark.parametrize("place", [np.array, K.convert_to_tensor])
def test_metrics_that_are_arrays_are_shown_by_mean(place):
    assert format_metrics({"f1": place([0.25, 0.5]), "acc": 0.5}) == "acc: 0.5000 - f1: 0.3750"


# Progbar.


class Clock:
    """Time that passes only when told to."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(progbar.time, "time", lambda: self.now)

    def passes(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_progbar(clock, capsys):
    bar = Progbar(4, width=8, stateful_metrics=["lr"])
    clock.passes(3)
    bar.update(1, [("loss", 2.0), ("lr", 0.5)])
    clock.passes(0.25)
    bar.add(1, [("loss", np.float32(1.0)), ("lr", 1e-4)])
    clock.passes(0.01)
    bar.update(3, [("loss", 9.0)])  # too soon to be drawn
    clock.passes(0.24)
    bar.update(4, [("loss", 0.75), ("lr", 1e-4)])
    assert capsys.readouterr().out == (
        "1/4 [==......] 9s 3s/step - loss: 2.0000 - lr: 0.5000\n"
        "2/4 [====....] 0s 250ms/step - loss: 1.5000 - lr: 1.0000e-04\n"
        "4/4 [========] 4s 167ms/step - loss: 0.7500 - lr: 1.0000e-04\n"
    )


def test_progbar_on_a_terminal(clock, capsys, monkeypatch):
    monkeypatch.setattr(progbar.sys.stdout, "isatty", lambda: True, raising=False)
    bar = Progbar(10, width=5, unit_name="sample", stateless_metrics=["a"])
    clock.passes(7200)
    bar.update(1, [("a", 1.0), ("b", 2.0)])
    clock.passes(60)
    bar.update(2, [("a", 3.0), ("b", 4.0)])
    bar.update(2, finalize=True)
    assert capsys.readouterr().out == (
        "\r 1/10 [.....] 18:00:00 7200s/sample - a: 1.0000 - b: 2.0000"
        "\r 2/10 [=....] 8:00 60s/sample - a: 2.0000 - b: 4.0000      "
        "\r 2/10 [=....] 7260s 60s/sample - a: 2.0000 - b: 4.0000\n"
    )


def test_progbar_of_unknown_length(clock, capsys):
    bar = Progbar(None)
    clock.passes(2e-4)
    bar.update(0)
    bar.update(2, finalize=True)
    out = capsys.readouterr().out
    assert out == "      0/Unknown 0s 0s/step\n      2/Unknown 0s 100us/step\n"


def test_silent_progbar_and_one_line(clock, capsys):
    Progbar(1, verbose=0).update(1)
    bar = Progbar(2, verbose=2)
    bar.update(1, [("loss", 1.0)])
    clock.passes(2)
    bar.update(2, [("loss", 0.5)])
    assert capsys.readouterr().out == "2/2 - 2s - 2s/step - loss: 0.5000\n"


def test_progbar_takes_one_kind_of_names():
    with pytest.raises(ValueError, match="Only one of `stateful_metrics` or `stateless_metrics`"):
        Progbar(1, stateful_metrics=["a"], stateless_metrics=["b"])


def test_custom_objects_are_those_of_saving():
    from layerkit import saving

    for name in (
        "custom_object_scope",
        "get_custom_objects",
        "get_registered_name",
        "get_registered_object",
        "register_keras_serializable",
        "serialize_keras_object",
    ):
        assert getattr(utils, name) is getattr(saving, name)
    assert utils.CustomObjectScope is utils.custom_object_scope


# Config.


def test_config():
    config = Config(rate=0.1, momentum=0.9)
    config.seed = 3
    config["name"] = "a"
    assert (config.rate, config["seed"], config.name) == (0.1, 3, "a")
    assert config.get("rate") == 0.1
    assert config.get("other", 5) == 5
    assert list(config) == ["momentum", "name", "rate", "seed"]
    assert (len(config), "seed" in config, "other" in config) == (4, True, False)
    assert dict(config.items()) == dict(zip(config.keys(), config.values(), strict=True))
    assert json.loads(config.to_json()) == config.as_dict() == {**config}
    assert config.pop("name") == "a"
    del config["seed"]
    config.update(rate=0.2)
    assert repr(config) == "<Config {'rate': 0.2, 'momentum': 0.9}>"
    assert copy.deepcopy(config).rate == 0.2


def test_frozen_config():
    config = Config(rate=0.1)
    config.freeze()
    assert config.frozen
    for change in (
        lambda: setattr(config, "rate", 1),
        lambda: config.update(rate=1),
        lambda: config.pop("rate"),
        lambda: config.__delitem__("rate"),
    ):
        with pytest.raises(ValueError, match="because the config is frozen"):
            change()
    config.unfreeze()
    config.rate = 1
    assert config.as_dict() == {"rate": 1}


def test_config_of_unknown_and_taken_names():
    config = Config(momentum=0.9)
    with pytest.raises(AttributeError, match="'momentun'. Did you mean 'momentum'"):
        _ = config.momentun
    with pytest.raises(AttributeError, match="Unknown attribute: 'x'.$"):
        _ = config.x
    with pytest.raises(AttributeError, match="'items' is a part of Config itself"):
        config.items = 3
