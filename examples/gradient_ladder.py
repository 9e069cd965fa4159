"""One gradient descent, four times: plain Python, K arithmetic, K autodiff, an optimizer.

Fits y = a·x + b to the single point x = 2, y = 3 by 100 steps of rate 0.01 on (y - (a·x + b))².
Each rung says the same with less; all four print alike.
"""

from collections.abc import Callable

from layerkit import backend as K
from layerkit.optimizers import SGD

K.set_floatx("float64")  # so that all four agree with Python's own floats to the last digit shown

A, B, X, Y = -1.55, 0.68, 2.0, 3.0
RATE, STEPS = 0.01, 100


def descend(title: str, step: Callable[[], None], line: Callable[[], tuple]) -> None:
    """Run the steps, printing cost, a and b after every tenth; then the final result."""
    print(title)
    for i in range(STEPS):
        step()
        if i % 10 == 0:
            a, b = map(float, line())
            print(f"  step {i:2}  cost {(Y - (a * X + b)) ** 2:.6g}  a {a:.6g}  b {b:.6g}")
    a, b = map(float, line())
    print(f"  result {a * X + b:.6g}")


def plain_python() -> None:
    line = [A, B]

    def step() -> None:
        error = Y - (line[0] * X + line[1])
        line[0] -= RATE * -2 * error * X
        line[1] -= RATE * -2 * error

    descend("plain Python", step, lambda: tuple(line))


def arithmetic() -> None:
    a, b = K.Variable(A, name="a"), K.Variable(B, name="b")

    def step() -> None:
        error = Y - (a * X + b)
        a.assign_sub(RATE * -2 * error * X)
        b.assign_sub(RATE * -2 * error)

    descend("K arithmetic", step, lambda: (a, b))


def autodiff() -> None:
    a, b = K.Variable(A, name="a"), K.Variable(B, name="b")

    def step() -> None:
        with K.GradientTape() as tape:
            cost = K.square(Y - (a * X + b))
        da, db = tape.gradient(cost, [a, b])
        a.assign_sub(RATE * da)
        b.assign_sub(RATE * db)

    descend("K autodiff", step, lambda: (a, b))


def optimizer() -> None:
    a, b = K.Variable(A, name="a"), K.Variable(B, name="b")
    sgd = SGD(learning_rate=RATE)
    descend(
        "an optimizer",
        lambda: sgd.minimize(lambda: K.square(Y - (a * X + b)), [a, b]),
        lambda: (a, b),
    )


if __name__ == "__main__":
    for rung in (plain_python, arithmetic, autodiff, optimizer):
        rung()
