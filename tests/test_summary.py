"""Model.summary: the table of Keras 3, cell by cell."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import Input, Model, Sequential, layers
from layerkit.models.summary import _readable_size


def text(model, **options):
    printed = []
    model.summary(print_fn=printed.append, **options)
    assert len(printed) == 1
    return printed[0]


def small(name="s"):
    return Sequential(
        [
            Input((4,)),
            layers.Dense(3, name="d"),
            layers.Dropout(0.1, name="dropout"),
            layers.BatchNormalization(
                name="a_very_long_layer_name_for_a_batch_normalization_indeed"
            ),
        ],
        name=name,
    )


# As Keras 3.15 prints it.
EXPECTED = """\
Model: "s"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ d (Dense)                       │ (None, 3)              │            15 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dropout (Dropout)               │ (None, 3)              │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ a_very_long_layer_name_for_a_b… │ (None, 3)              │            12 │
│ (BatchNormalization)            │                        │               │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 27 (108.00 B)
 Trainable params: 21 (84.00 B)
 Non-trainable params: 6 (24.00 B)
"""


def test_built(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert text(small()) == EXPECTED


def test_printed_by_default(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    small().summary()
    assert capsys.readouterr().out == EXPECTED


def test_unbuilt(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    model = Sequential([layers.Dense(1100, name="d")], name="u")
    assert text(model).splitlines()[4:] == [
        "│ d (Dense)                       │ ?                      │   0 (unbuilt) │",
        "└─────────────────────────────────┴────────────────────────┴───────────────┘",
        " Total params: 0 (0.00 B)",
        " Trainable params: 0 (0.00 B)",
        " Non-trainable params: 0 (0.00 B)",
    ]


def test_trained_in_short_lines():
    model = Sequential([layers.Dense(1100, name="d"), layers.Dense(2, name="dense")], name="u")
    model.compile("adam", "mse")
    model.fit(np.zeros((10, 4)), np.zeros((10, 2)), verbose=0)
    assert text(model, line_length=50) == (
        'Model: "u"\n'
        "┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━┓\n"
        "┃ Layer (type)        ┃ Output Shape   ┃ Param # ┃\n"
        "┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━┩\n"
        "│ d (Dense)           │ (None, 1100)   │   5,500 │\n"
        "├─────────────────────┼────────────────┼─────────┤\n"
        "│ dense (Dense)       │ (None, 2)      │   2,202 │\n"
        "└─────────────────────┴────────────────┴─────────┘\n"
        " Total params: 23,108 (90.27 KB)\n"
        " Trainable params: 7,702 (30.09 KB)\n"
        " Non-trainable params: 0 (0.00 B)\n"
        " Optimizer params: 15,406 (60.18 KB)\n"
    )


def test_frozen_layers_do_not_train():
    model = small()
    model.trainable = False
    assert " Trainable params: 0 (0.00 B)\n Non-trainable params: 27 (108.00 B)\n" in text(model)


class Subclassed(Model):
    def __init__(self):
        super().__init__(name="sub")
        self.a = layers.Dense(3, name="a")
        self.inner = Sequential([layers.Dense(2, name="b")], name="inner")

    def call(self, x):
        return self.inner(self.a(x))


def test_subclassed():
    model = Subclassed()
    cells = [row.split("│")[1:4] for row in text(model).splitlines() if row.startswith("│")]
    assert [[cell.strip() for cell in row] for row in cells] == [
        ["a (Dense)", "?", "0 (unbuilt)"],
        ["inner (Sequential)", "?", "0 (unbuilt)"],
    ]
    model(np.zeros((10, 4)))
    cells = [row.split("│")[1:4] for row in text(model).splitlines() if row.startswith("│")]
    assert [[cell.strip() for cell in row] for row in cells] == [
        ["a (Dense)", "(None, 3)", "15"],
        ["inner (Sequential)", "(None, 2)", "8"],
    ]


@pytest.mark.parametrize("columns, width", [(60, 56), (92, 88), (200, 88)])
def test_lines_fit_the_terminal(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = text(small()).splitlines()
    assert {len(line) for line in lines if line[0] in "┏┃┡│├└"} == {width}


def test_too_narrow():
    with pytest.raises(ValueError, match="Insufficient console width .* line_length=9"):
        small().summary(line_length=9)


@pytest.mark.parametrize(
    "size, expected",
    [
        (0, "0.00 B"),
        (1023, "1023.00 B"),
        (1024, "1.00 KB"),
        (3 * 2**30, "3.00 GB"),
        (2**42, "4.00 TB"),
    ],
)
def test_readable_size(size, expected):
    class Bytes:
        dtype = np.dtype("uint8")

    variable = Bytes()
    variable.size = size
    assert _readable_size([variable]) == expected
