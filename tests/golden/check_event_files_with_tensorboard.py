"""Read with real TensorBoard the event files that layerkit's callback writes; compare.

Run it by hand, the first line with layerkit installed, the second with TensorBoard:

    python tests/golden/check_event_files_with_tensorboard.py write /tmp/logs
    python tests/golden/check_event_files_with_tensorboard.py check /tmp/logs
"""

import json
import sys
from pathlib import Path

import numpy as np


def write(folder):
    from layerkit import Input, Sequential, callbacks, layers

    model = Sequential(
        [Input((6, 6, 1)), layers.Conv2D(4, 3, name="c"), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    x = np.random.default_rng(0).random((20, 6, 6, 1), "float32")
    log = callbacks.TensorBoard(folder, histogram_freq=1, write_images=True, update_freq=2)
    history = model.fit(
        x, x[:, 0, 0], epochs=3, batch_size=5, validation_split=0.2, verbose=0, callbacks=[log]
    )
    (folder / "history.json").write_text(json.dumps(history.history))
    np.save(folder / "kernel.npy", model.get_layer("c").kernel.numpy())


def check(folder):
    from tensorboard.backend.event_processing import data_provider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.context import RequestContext
    from tensorboard.plugins.graph import metadata as graphs
    from tensorboard.plugins.histogram import metadata as histograms
    from tensorboard.plugins.image import metadata as images
    from tensorboard.plugins.scalar import metadata as scalars

    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(folder))
    given = {"ctx": RequestContext(), "experiment_id": ""}

    history = json.loads((folder / "history.json").read_text())
    read = provider.read_scalars(**given, plugin_name=scalars.PLUGIN_NAME, downsample=100)
    for name, values in history.items():
        run = "validation" if name.startswith("val_") else "train"
        points = read[run][f"epoch_{name.removeprefix('val_')}"]
        assert [point.step for point in points] == [0, 1, 2]
        np.testing.assert_allclose([point.value for point in points], values, rtol=1e-6)

    kernel = np.load(folder / "kernel.npy")
    tensors = provider.read_tensors(**given, plugin_name=histograms.PLUGIN_NAME, downsample=100)
    last = tensors["train"]["c/kernel/histogram"][-1].numpy
    assert last[:, 2].sum() == kernel.size and np.isclose(last[0, 0], kernel.min())

    blobs = provider.read_blob_sequences(**given, plugin_name=images.PLUGIN_NAME, downsample=100)
    values = blobs["train"]["c/kernel/image"][-1].values
    image = provider.read_blob(ctx=given["ctx"], blob_key=values[2].blob_key)
    assert image.startswith(b"\x89PNG")

    name = graphs.PLUGIN_NAME_KERAS_MODEL
    assert "keras" in provider.list_blob_sequences(**given, plugin_name=name)["train"]
    print("TensorBoard reads the files as they were meant.")


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](Path(sys.argv[2]))
