"""Every example runs as it is and prints what it promises; MNIST's in a short form."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.numpy_only("examples run as processes of their own")

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, *args: str) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error", name, *args],
        cwd=EXAMPLES,
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def numbers(pattern: str, text: str) -> list[float]:
    return [float(number) for number in re.findall(pattern, text)]


def test_gradient_ladder():
    output = run("gradient_ladder.py")
    rungs = re.split(r"^(?=\S)", output, flags=re.MULTILINE)[1:]
    assert [rung.splitlines()[0] for rung in rungs] == [
        "plain Python",
        "K arithmetic",
        "K autodiff",
        "an optimizer",
    ]
    bodies = {rung.partition("\n")[2] for rung in rungs}
    assert len(bodies) == 1
    lines = bodies.pop().splitlines()
    assert len(lines) == 11
    assert lines[0].startswith("  step  0  cost 23.7949")
    assert lines[9].startswith("  step 90") and lines[9].endswith("a 0.617851  b 1.76393")
    assert lines[10] == "  result 2.99986"


def test_variables():
    output = run("variables.py")
    assert "Variable(100+50): 150\n" in output
    assert "after assign(10), assign_add(5), assign_sub(1): 14" in output
    assert "is [ 6.  8. 10. 12. 14.]" in output
    assert "step 0: W = 5.00, b = 0.00" in output
    (weight,), (bias,) = numbers(r"recovered: W = (\S+)", output), numbers(r"b = (\S+) \(2", output)
    assert abs(weight - 3) < 0.35 and abs(bias - 2) < 0.35


def test_neuron():
    assert run("neuron.py").splitlines() == [
        "gradient: 1.6",
        "weight after one step: 0.76",
        "output after 100 more: 0.0044996",
    ]


def test_regression():
    output = run("regression.py")
    assert numbers(r"slope (\S+),", output)[0] == pytest.approx(0.5, abs=0.05)
    assert numbers(r"intercept (\S+)", output)[0] == pytest.approx(0.3, abs=0.05)
    differences = numbers(r"least squares: (\S+)", output)
    assert len(differences) == 2 and max(differences) < 1e-3


# The figures of the full runs are in the README; these take seconds.
SHORT = [
    ("mnist_logistic.py", 3, 0.80),
    ("mnist_mlp.py", 2, 0.85),
    ("mnist_modern.py", 1, 0.85),
    ("mnist_cnn.py", 1, 0.90),
]


@pytest.mark.parametrize(("name", "epochs", "accuracy"), SHORT)
def test_mnist(name, epochs, accuracy):
    output = run(name, "--epochs", str(epochs))
    assert "data: the bundled sample of MNIST: 8,000 training and 2,000 test digits" in output
    assert output.count("loss: ") == epochs
    assert numbers(r"test accuracy: (\S+)", output)[0] > accuracy
