"""The helpers for scripts: labels to one-hot rows, vectors of length 1, and numbers as text."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import backend as K
from layerkit.progress import format_metrics
from layerkit.utils import normalize, to_categorical


@pytest.mark.parametrize("labels", [[0, 2, 1], [[0], [2], [1]], np.array([0.0, 2.0, 1.0])])
def test_to_categorical(labels):
    rows = to_categorical(labels)
    assert rows.dtype == "float32"
    np.testing.assert_array_equal(rows, np.eye(3)[[0, 2, 1]])
    assert to_categorical(labels, 5).shape == (3, 5)


def test_to_categorical_refuses_labels_outside():
    with pytest.raises(ValueError, match="labels from 0 to 1; received labels from 0 to 2"):
        to_categorical([0, 2], 2)


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
