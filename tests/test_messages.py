"""What users are told: a row per common mistake, and values where there is no mistake."""

from __future__ import annotations

import numpy as np
import pytest
from tables import messages
from tables.messages import ROWS, Row


def case(row: Row):
    marks = [pytest.mark.numpy_only(row.numpy_only)] if row.numpy_only else []
    return pytest.param(row, id=row.name, marks=marks)


@pytest.mark.parametrize("row", [case(row) for row in ROWS])
def test_message(row: Row, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = pytest.warns if issubclass(row.kind, Warning) else pytest.raises
    with told(row.kind) as record:
        row.mistake()
    said = [str(w.message) for w in record] if told is pytest.warns else [str(record.value)]
    assert any(row.parts[0] in message for message in said), said
    text = next(message for message in said if row.parts[0] in message)
    for part in row.parts:
        assert part in text
    assert len(text) < 2000  # a message, not a dump of arrays


def test_every_mistake_has_a_name_of_its_own():
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("model", [messages.dense, messages.two_inputs])
def test_a_last_axis_of_one_is_taken_or_added_silently(model):
    made, weights = [model() for _ in range(2)], None
    x = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")
    results = []
    for one, shape in zip(made, [(8, 4), (8, 4, 1)], strict=True):
        weights = weights or one.get_weights()
        one.set_weights(weights)
        given = x.reshape(shape) if model is messages.dense else [x.reshape(shape)] * 2
        history = one.fit(given, messages.Y, epochs=2, shuffle=False, verbose=0)
        results.append((history.history["loss"], one.predict(given, verbose=0)))
    assert results[0][0] == results[1][0]
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_a_generator_that_is_exhausted_ends_training_normally():
    with pytest.warns(UserWarning, match="Your input ran out of data"):
        history = messages.fit(messages.dense(), messages.batches(3), steps_per_epoch=2, epochs=4)
    assert len(history.history["loss"]) == 2


def test_a_change_of_trainable_is_told_once():
    model = messages.stack(messages.Input((4,)), messages.Dense(3), messages.Dense(3))
    messages.fit(model, messages.X, messages.Y)  # no change, no warning
    model.layers[0].trainable = False
    with pytest.warns(UserWarning, match="`trainable` state has changed since the model was"):
        messages.fit(model, messages.X, messages.Y)
    messages.fit(model, messages.X, messages.Y)
