"""Linear regression by gradient descent, beside the exact least-squares solution."""

import numpy as np

import layerkit
from layerkit import layers

layerkit.utils.set_random_seed(0)
random = np.random.default_rng(0)


def compare(title: str, x: np.ndarray, y: np.ndarray, rate: float, epochs: int) -> None:
    """Fit one Dense layer and print how far it ends from least squares."""
    model = layerkit.Sequential([layers.Input((x.shape[1],)), layers.Dense(y.shape[1])])
    model.compile(layerkit.optimizers.SGD(rate), "mse")
    model.fit(x, y, batch_size=len(x), epochs=epochs, verbose=0)
    exact = np.linalg.lstsq(np.hstack([x, np.ones((len(x), 1))]), y, rcond=None)[0]
    kernel, bias = model.get_weights()
    difference = np.abs(np.vstack([kernel, bias]) - exact).max()
    print(f"{title}: loss {model.evaluate(x, y, verbose=0):.6f}")
    if x.shape[1] == 1:
        print(f"  slope {kernel[0, 0]:.4f}, intercept {bias[0]:.4f}")
    print(f"  largest difference from least squares: {difference:.1e}")


x = random.uniform(-1, 1, (500, 1)).astype("float32")
y = 0.5 * x + 0.3 + 0.1 * random.standard_normal((500, 1)).astype("float32")
compare("500 points, y = 0.5 x + 0.3 with noise", x, y, rate=0.5, epochs=200)

x = random.standard_normal((500, 5)).astype("float32")
y = x @ random.standard_normal((5, 8)).astype("float32") + 0.1
y += 0.1 * random.standard_normal(y.shape).astype("float32")
compare("5 inputs, 8 outputs", x, y, rate=0.5, epochs=600)
