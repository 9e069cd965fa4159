"""Ask real Keras for the values of the rows in tests/tables/losses_metrics.py.

    KERAS_BACKEND=jax python tests/golden/make_losses_metrics_golden.py

with an installation of Keras 3 and JAX; it writes losses_metrics.npz beside this file.
"""

import sys
from pathlib import Path

import jax
import keras
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tables import losses_metrics as rows  # noqa: E402

golden = {}

for name, options, kind in rows.LOSSES:
    loss = getattr(keras.losses, name)(**options)
    y_true, y_pred = rows.data(kind)
    key = rows.key("loss", name, options, kind)
    golden[key] = loss(y_true, y_pred)
    golden[key + " gradient"] = jax.grad(lambda p, f=loss, y=y_true: f(y, p).sum())(y_pred)
    if rows.takes_weights(name, options, kind):
        golden[key + " weighted"] = loss(y_true, y_pred, sample_weight=rows.weights())

for name, options, kind in rows.METRICS:
    for weighted in (False, True) if rows.takes_weights(name, options, kind) else (False,):
        metric = getattr(keras.metrics, name)(**options)
        for step in range(3):
            y_true, y_pred = rows.data(kind, step)
            metric.update_state(y_true, y_pred, rows.weights(step) if weighted else None)
        golden[rows.key("metric", name, options, kind, weighted)] = metric.result()

for name, options in rows.ACTIVATIONS:
    activation = getattr(keras.activations, name)
    golden[rows.key("activation", name, options)] = activation(rows.activation_input(), **options)

np.savez_compressed(
    HERE / "losses_metrics.npz", **{name: np.asarray(value) for name, value in golden.items()}
)
